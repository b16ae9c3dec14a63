from __future__ import annotations

import http.client
from urllib.parse import parse_qs, urlsplit

import pytest
from kiteconnect import KiteConnect
from kiteconnect.exceptions import NetworkException, PermissionException, TokenException

from surefill.testing.emulators.kite import API_KEY, API_SECRET, USER_ID
from surefill.testing.emulators.thread import EmulatorThread

DAY_MS = 86_400_000


def log_in(kite: EmulatorThread, api_key: str = API_KEY) -> str:
    """The login page's redirect; the request token in it."""
    connection = http.client.HTTPConnection("127.0.0.1", kite.port, timeout=5)
    connection.request("GET", f"/connect/login?api_key={api_key}&v=3")
    answer = connection.getresponse()
    location = answer.getheader("location", "")
    answer.read()
    connection.close()
    return parse_qs(urlsplit(location).query).get("request_token", [""])[0]


def test_login_gives_a_request_token_that_buys_one_session(kite: EmulatorThread, client: KiteConnect) -> None:
    client.set_access_token("")
    request_token = log_in(kite)
    session = client.generate_session(request_token, API_SECRET)
    assert session["user_id"] == USER_ID
    assert client.profile()["user_id"] == USER_ID
    with pytest.raises(TokenException) as refusal:
        client.generate_session(request_token, API_SECRET)
    assert refusal.value.code == 403


def test_session_with_a_wrong_secret_is_refused(kite: EmulatorThread, client: KiteConnect) -> None:
    with pytest.raises(TokenException, match="checksum"):
        client.generate_session(log_in(kite), "another secret")


def test_login_of_an_unknown_app_has_no_token(kite: EmulatorThread) -> None:
    assert log_in(kite, "nobody") == ""


def test_request_token_is_void_after_minutes(kite: EmulatorThread, client: KiteConnect) -> None:
    request_token = log_in(kite)
    kite.rules(skew_ms=6 * 60_000)
    with pytest.raises(TokenException, match="expired"):
        client.generate_session(request_token, API_SECRET)


ENDS = {
    "expired by hand": lambda kite, client: kite.control("expire"),
    "a day later": lambda kite, client: kite.rules(skew_ms=DAY_MS),
    "logged out": lambda kite, client: client.invalidate_access_token(),
    "logged in elsewhere": lambda kite, client: kite.control("session")["access_token"],
    "wrong token": lambda kite, client: client.set_access_token("x"),
    "no token": lambda kite, client: client.set_access_token(""),
}


@pytest.mark.parametrize("case", ENDS)
def test_session_that_has_ended_places_nothing(kite: EmulatorThread, client: KiteConnect, case: str) -> None:
    assert client.profile()
    ENDS[case](kite, client)
    with pytest.raises(TokenException) as refusal:
        client.place_order("regular", "NSE", "INFY", "BUY", 1, "MIS", "LIMIT", price=1490)
    assert refusal.value.code == 403
    assert kite.control("books")["orders"] == []


def test_app_without_permission_is_refused(kite: EmulatorThread, client: KiteConnect) -> None:
    kite.control("permit", permitted=False)
    with pytest.raises(PermissionException) as refusal:
        client.orders()
    assert refusal.value.code == 403


LIMITS = {
    "orders in a second": ({"orders_per_s": 3}, 3),
    "orders in a minute": ({"orders_per_min": 2}, 2),
}


@pytest.mark.parametrize("case", LIMITS)
def test_orders_over_the_limit_are_turned_away_undone(kite: EmulatorThread, client: KiteConnect, case: str) -> None:
    limits, allowed = LIMITS[case]
    kite.control("kite_rules", limits=limits)
    terms = ("regular", "NSE", "INFY", "BUY", 1, "MIS", "LIMIT", 1490)
    for _ in range(allowed):
        client.place_order(*terms)
    with pytest.raises(NetworkException, match="Too many requests") as refusal:
        client.place_order(*terms)
    assert refusal.value.code == 429
    assert len(kite.control("books")["orders"]) == allowed


def test_limit_is_lifted_when_its_time_is_over(kite: EmulatorThread, client: KiteConnect) -> None:
    kite.control("kite_rules", limits={"quotes_per_s": 1})
    client.ltp("NSE:INFY")
    with pytest.raises(NetworkException):
        client.ltp("NSE:INFY")
    kite.rules(skew_ms=1000)
    assert client.ltp("NSE:INFY")


def test_orders_of_a_day_end_at_their_limit(kite: EmulatorThread, client: KiteConnect) -> None:
    kite.control("kite_rules", limits={"orders_per_day": 1})
    terms = ("regular", "NSE", "INFY", "BUY", 1, "MIS", "LIMIT", 1490)
    client.place_order(*terms)
    with pytest.raises(Exception, match="Maximum allowed order requests"):
        client.place_order(*terms)
    kite.control("next_day")
    assert client.place_order(*terms)
