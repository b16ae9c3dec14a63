"""surefill kite login, against an emulated Kite with its login page."""

from __future__ import annotations

import http.client
import stat
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import typer
from tests.cli.running import Ran, surefill
from tests.venues.kite.hand import Kite
from tests.venues.kite.rig import kite

from surefill.venues.kite import redirects, sessions


@pytest.fixture(scope="module")
def emulated() -> Iterator[Kite]:
    with kite() as venue:
        yield venue


def browsed(port: int, path: str) -> str:
    """Where a browser is sent from there."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        answer.read()
        return answer.getheader("location", "")
    finally:
        connection.close()


def redirect_of(emulated: Kite) -> str:
    return browsed(emulated.port, "/connect/login?v=3&api_key=emulated_key")


def logged_in(emulated: Kite, file: Path, *more: str) -> Ran:
    flags = {"api_key": "emulated_key", "root": emulated.url, "token_file": file}
    words = [word for key, value in flags.items() for word in ("-s", f"venues.kite.{key}={value}")]
    return surefill("kite", "login", *words, *more)


def test_login_with_a_pasted_address_keeps_a_session_for_its_owner_alone(
    emulated: Kite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, object]] = []

    def prompt(text: str, **how: object) -> str:
        asked.append((text, how["hide_input"]))
        return "emulated_secret" if "secret" in text else redirect_of(emulated)

    monkeypatch.setattr(typer, "prompt", prompt)
    file = tmp_path / "kept" / "session.json"
    ran = logged_in(emulated, file, "--json")
    assert (ran.code, ran.json()["user"]) == (0, "AB1234")
    assert [hidden for _, hidden in asked] == [True, True]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    session = sessions.load(file, "emulated_key", time.time_ns())
    assert session.token not in ran.out + ran.err
    assert "emulated_secret" not in ran.out + ran.err
    assert "api_key=emulated_key" in ran.err


def test_login_through_the_listener_needs_no_pasting(
    emulated: Kite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SUREFILL__VENUES__KITE__API_SECRET", "emulated_secret")
    browser: list[threading.Thread] = []

    def come_back(port: int) -> None:
        def browse() -> None:
            browsed(port, "/favicon.ico")
            browsed(port, "/?" + urlsplit(redirect_of(emulated)).query)

        browser.append(threading.Thread(target=browse))
        browser[0].start()

    awaited = redirects.awaited_redirect
    monkeypatch.setattr(redirects, "awaited_redirect", lambda port, _listening: awaited(port, come_back))
    ran = logged_in(emulated, tmp_path / "session.json", "--listen", "0")
    browser[0].join()
    assert ran.code == 0
    assert sessions.load(tmp_path / "session.json", "emulated_key", time.time_ns()).user_id == "AB1234"


@pytest.mark.parametrize(("pasted", "code"), [("request_token=0000", 8), ("?status=failed", 3), ("not a token!", 3)])
def test_login_that_did_not_succeed_keeps_nothing(
    emulated: Kite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pasted: str, code: int
) -> None:
    monkeypatch.setenv("SUREFILL__VENUES__KITE__API_SECRET", "emulated_secret")
    monkeypatch.setattr(typer, "prompt", lambda *_args, **_how: "?" + pasted if "=" in pasted else pasted)
    ran = logged_in(emulated, tmp_path / "session.json")
    assert ran.code == code
    assert list(tmp_path.iterdir()) == []
