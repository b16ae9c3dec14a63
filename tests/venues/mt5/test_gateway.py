"""The gateway: whoever has no token, or asks for what an adapter does not need, gets nothing done."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator

import httpx2
import pytest
from tests.venues.mt5.rig import TOKEN, Rig, gateway, request, settings

from surefill.errors import ConfigError, VenueOutcomeUnknown
from surefill.secret import Secret
from surefill.testing.emulators import EmulatorProcess
from surefill.venues.mt5 import Mt5Settings, Mt5Venue
from surefill.venues.mt5.gateway import Gateway, address_of
from surefill.venues.mt5.terminal import PackageTerminal
from surefill.venues.protocol import Rejected

GOOD = {"authorization": f"Bearer {TOKEN.reveal()}"}


@pytest.fixture
def client(gateway_url: str) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=gateway_url, trust_env=False) as made:
        yield made


@pytest.mark.parametrize(
    ("function", "headers", "body", "status"),
    [
        ("account_info", {}, b"{}", 401),
        ("account_info", {"authorization": "Bearer a-token-of-the-tests-0123456788"}, b"{}", 401),
        ("login", GOOD, b"{}", 404),
        ("shutdown", GOOD, b"{}", 404),
        ("account_info", GOOD, b"x" * 20_000, 413),
        ("account_info", GOOD, b"not json", 422),
        ("account_info", GOOD, b'{"argz": []}', 422),
        ("account_info", GOOD, b'{"within_ms": -1}', 503),
        ("account_info", GOOD, b"{}", 200),
    ],
)
def test_gateway_answers_only_what_it_should(
    client: httpx2.Client, function: str, headers: dict[str, str], body: bytes, status: int
) -> None:
    answer = client.post(f"/v1/call/{function}", headers=headers, content=body)

    assert answer.status_code == status
    assert ("not_asked" in answer.json()) is (status != 200)
    assert TOKEN.reveal() not in answer.text


def test_caller_that_dies_in_the_middle_of_its_request_has_nothing_done(
    client: httpx2.Client, gateway_url: str, terminal: EmulatorProcess, caplog: pytest.LogCaptureFixture
) -> None:
    before, address = len(terminal.truth().orders), gateway_url.removeprefix("http://").split(":")
    head = f"POST /v1/call/order_send HTTP/1.1\r\nhost: x\r\nauthorization: {GOOD['authorization']}\r\n"
    with socket.create_connection((address[0], int(address[1]))) as dying:
        dying.sendall(f"{head}content-length: 100\r\n\r\n{{".encode())
    assert client.post("/v1/call/account_info", headers=GOOD, content=b"{}").status_code == 200
    assert len(terminal.truth().orders) == before
    assert [record.name for record in caplog.records if record.levelname == "ERROR"] == []


def test_order_without_a_gateway_was_never_sent(terminal: EmulatorProcess) -> None:
    with gateway(terminal.port) as url:
        rig = Rig(terminal, url)

        async def story(venue: Mt5Venue) -> object:
            return await venue.submit(request())

        assert not isinstance(rig.run(story), Rejected)

    async def alone() -> object:
        venue = Mt5Venue(settings(gateway_url=url, gateway_token=TOKEN))
        try:
            return await venue.submit(request())
        finally:
            await venue.close()

    outcome = asyncio.run(alone())
    assert isinstance(outcome, Rejected)
    assert (outcome.code, outcome.undelivered) == ("NOT_SENT", True)


def test_adapter_with_a_wrong_token_does_not_connect(gateway_url: str) -> None:
    async def story() -> None:
        venue = Mt5Venue(settings(gateway_url=gateway_url, gateway_token=Secret("wrong-wrong-wrong-wrong")))
        try:
            await venue.connect(lambda _report: None)
        finally:
            await venue.close()

    with pytest.raises(VenueOutcomeUnknown, match="the token is wrong"):
        asyncio.run(story())


def test_gateway_with_a_short_token_does_not_start() -> None:
    with pytest.raises(ConfigError, match="fewer than 16 characters"):
        Gateway(PackageTerminal(Mt5Settings()), Secret("short"))


@pytest.mark.parametrize(
    ("listen", "remote", "address"),
    [
        ("127.0.0.1:8228", False, ("127.0.0.1", 8228)),
        ("[::1]:1", False, ("::1", 1)),
        ("192.0.2.1:80", True, ("192.0.2.1", 80)),
        ("192.0.2.1:80", False, "NOT_LOOPBACK"),
        ("0.0.0.0:80", False, "NOT_LOOPBACK"),
        ("8228", False, "INVALID_ADDRESS"),
        ("127.0.0.1:99999", False, "INVALID_ADDRESS"),
    ],
)
def test_address_to_listen_on_is_loopback_unless_told(listen: str, remote: bool, address: object) -> None:
    if isinstance(address, tuple):
        assert address_of(listen, remote=remote) == address
    else:
        with pytest.raises(ConfigError) as caught:
            address_of(listen, remote=remote)
        assert caught.value.code == address


def test_secret_is_never_shown() -> None:
    given = Mt5Settings(password=Secret("canary-1"), gateway_token=Secret("canary-2"))

    assert "canary" not in f"{given} {given!r}"
    assert given.password.reveal() == "canary-1"
