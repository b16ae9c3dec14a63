"""Raw requests: who is let in, what filters say, which codes a wrong order gets, and what duplicates do."""

from __future__ import annotations

import pytest
from tests.testing.emulators.binance.clients import ask, limit, market
from websockets.sync.client import connect

from surefill.testing.emulators import EmulatorProcess
from surefill.testing.emulators.binance import API_KEY, SECRET

ORDER, FUTURES_ORDER, ALGO = "/api/v3/order", "/fapi/v1/order", "/fapi/v1/algoOrder"

LET_IN: list[tuple[str, str, str, int, int, int]] = [
    # why, key, secret, clock ahead by, status, code
    ("all is well", API_KEY, SECRET, 0, 200, 0),
    ("a wrong signature", API_KEY, "wrong", 0, 400, -1022),
    ("no signature", API_KEY, "", 0, 400, -1102),
    ("no key", "", SECRET, 0, 401, -2014),
    ("an unknown key", "unknown", SECRET, 0, 401, -2015),
    ("too late", API_KEY, SECRET, -6_000, 400, -1021),
    ("in time", API_KEY, SECRET, -4_000, 200, 0),
    ("from the future", API_KEY, SECRET, 1_500, 400, -1021),
]


@pytest.mark.parametrize(
    ("key", "secret", "ahead_ms", "status", "code"), [r[1:] for r in LET_IN], ids=[r[0] for r in LET_IN]
)
@pytest.mark.parametrize("path", ["/api/v3/account", "/fapi/v3/account"])
def test_signed_request_is_let_in_or_refused_by_code(
    venue: EmulatorProcess, path: str, key: str, secret: str, ahead_ms: int, status: int, code: int
) -> None:
    said = ask(venue, "GET", path, key=key, secret=secret, ahead_ms=ahead_ms)
    assert (said.status, said.code) == (status, code)


def test_clock_skew_of_the_venue_makes_a_true_clock_wrong(venue: EmulatorProcess) -> None:
    venue.rules(skew_ms=60_000)
    assert ask(venue, "GET", "/api/v3/account").code == -1021
    venue.rules(skew_ms=-60_000)
    assert ask(venue, "GET", "/api/v3/account").code == -1021
    venue.heal()
    assert ask(venue, "GET", "/api/v3/account").code == 0


REFUSED: list[tuple[str, str, dict[str, object], int, str]] = [
    ("tick", ORDER, limit(price="40000.001"), -1013, "Filter failure: PRICE_FILTER"),
    ("step", ORDER, limit(quantity="0.000001"), -1013, "Filter failure: LOT_SIZE"),
    ("too much", ORDER, market(quantity="91"), -1013, "Filter failure: MARKET_LOT_SIZE"),
    ("notional", ORDER, limit(quantity="0.0001"), -1013, "Filter failure: NOTIONAL"),
    ("far away", ORDER, limit(price="9000"), -1013, "Filter failure: PERCENT_PRICE_BY_SIDE"),
    ("symbol", ORDER, limit(symbol="XXXYYY"), -1121, "Invalid symbol."),
    ("side", ORDER, limit(side="LONG"), -1117, "Invalid side."),
    ("type", ORDER, limit(type="ICEBERG"), -1116, "Invalid orderType."),
    ("money", ORDER, limit(quantity="50"), -2010, "Account has insufficient balance for requested action."),
    ("maker", ORDER, limit(type="LIMIT_MAKER", price="50000"), -2010, "Order would immediately match and take."),
    (
        "trigger",
        ORDER,
        market(type="STOP_LOSS", side="SELL", stopPrice="51000"),
        -2010,
        "Order would trigger immediately.",
    ),
    ("futures tick", FUTURES_ORDER, limit(price="49000.01"), -4014, "Price not increased by tick size."),
    (
        "futures step",
        FUTURES_ORDER,
        market(quantity="0.0001"),
        -1111,
        "Precision is over the maximum defined for this asset.",
    ),
    ("futures margin", FUTURES_ORDER, market(quantity="100"), -2019, "Margin is insufficient."),
    ("nothing to reduce", FUTURES_ORDER, market(reduceOnly="true"), -2022, "ReduceOnly Order is rejected."),
    (
        "hedge side",
        FUTURES_ORDER,
        market(positionSide="LONG"),
        -4061,
        "Order's position side does not match user's setting.",
    ),
]


@pytest.mark.parametrize(("path", "params", "code", "msg"), [r[1:] for r in REFUSED], ids=[r[0] for r in REFUSED])
def test_wrong_order_is_refused_by_its_code_and_leaves_nothing(
    venue: EmulatorProcess, path: str, params: dict[str, object], code: int, msg: str
) -> None:
    said = ask(venue, "POST", path, params)
    assert (said.status, said.body) == (400, {"code": code, "msg": msg})
    assert venue.truth().orders == []


def test_spot_client_id_is_unique_among_open_orders_only(venue: EmulatorProcess) -> None:
    assert ask(venue, "POST", ORDER, limit("twice")).status == 200
    again = ask(venue, "POST", ORDER, limit("twice"))
    assert again.body == {"code": -2010, "msg": "Duplicate order sent."}
    assert ask(venue, "POST", ORDER, market("filled")).body["status"] == "FILLED"
    assert ask(venue, "POST", ORDER, market("filled")).body["status"] == "FILLED"
    assert venue.truth().orders_per_client_id() == {"twice": 1, "filled": 2}


def test_futures_client_id_that_is_open_is_a_duplicate(venue: EmulatorProcess) -> None:
    assert ask(venue, "POST", FUTURES_ORDER, limit("twice", price="49000")).status == 200
    assert ask(venue, "POST", FUTURES_ORDER, limit("twice", price="49000")).code == -4116


def test_conditional_order_does_not_go_to_the_order_endpoint(venue: EmulatorProcess) -> None:
    assert ask(venue, "POST", FUTURES_ORDER, market(type="STOP_MARKET", stopPrice="45000")).code == -4120


def test_answers_tell_used_weight_and_order_count(venue: EmulatorProcess) -> None:
    ask(venue, "GET", "/api/v3/account")
    said = ask(venue, "POST", ORDER, limit())
    assert said.headers["x-mbx-used-weight-1m"] in ("21", "1")  # a minute may begin between the two
    assert said.headers["x-mbx-order-count-10s"] == "1"


def test_too_much_weight_is_429_then_418_both_with_retry_after(venue: EmulatorProcess) -> None:
    venue.control("limits", market="spot", weight=0)
    first = [ask(venue, "GET", "/api/v3/time") for _ in range(10)]
    assert {(said.status, said.code) for said in first} == {(429, -1003)}
    assert all(1 <= int(said.headers["retry-after"]) <= 60 for said in first)
    banned = [ask(venue, "GET", "/api/v3/time") for _ in range(11)][-1]
    assert (banned.status, banned.code) == (418, -1003)
    assert int(banned.headers["retry-after"]) > 60


def test_too_many_orders_are_refused_and_not_taken(venue: EmulatorProcess) -> None:
    venue.control("limits", market="spot", orders={"1D": [1, 86_400]})
    assert ask(venue, "POST", ORDER, limit("one")).status == 200
    said = ask(venue, "POST", ORDER, limit("two"))
    assert (said.status, said.body["msg"]) == (429, "Too many new orders; current limit is 1 orders per 1 DAY.")
    assert venue.truth().orders_per_client_id() == {"one": 1}


def test_permissions_of_a_key_are_told(venue: EmulatorProcess) -> None:
    path = "/sapi/v1/account/apiRestrictions"
    assert ask(venue, "GET", path).body["enableWithdrawals"] is False
    venue.seed(keys=[{"api_key": "rich", "secret": "s", "account": "main", "withdraws": True}])
    assert ask(venue, "GET", path, key="rich", secret="s").body["enableWithdrawals"] is True


def test_oco_ends_one_leg_when_the_other_works(venue: EmulatorProcess) -> None:
    terms = {"symbol": "BTCUSDT", "side": "SELL", "quantity": "0.01", "aboveType": "LIMIT_MAKER", "abovePrice": "55000"}
    terms |= {"belowType": "STOP_LOSS", "belowStopPrice": "45000", "aboveClientOrderId": "up"}
    said = ask(venue, "POST", "/api/v3/orderList/oco", {**terms, "belowClientOrderId": "down"})
    assert (said.status, len(said.body["orderReports"])) == (200, 2)
    venue.price("BTCUSDT", 44000)
    assert {each["client_id"]: each["status"] for each in venue.truth().orders} == {"up": "EXPIRED", "down": "FILLED"}


def test_cancel_replace_stops_when_the_cancel_fails_or_tells_the_half_that_was_done(venue: EmulatorProcess) -> None:
    path = "/api/v3/order/cancelReplace"
    ask(venue, "POST", ORDER, limit("old"))
    gone = limit("new", cancelReplaceMode="STOP_ON_FAILURE", cancelOrigClientOrderId="gone")
    assert ask(venue, "POST", path, gone).code == -2022
    half = limit("new", cancelReplaceMode="STOP_ON_FAILURE", cancelOrigClientOrderId="old", price="0.001")
    said = ask(venue, "POST", path, half)
    assert (said.status, said.code, said.body["data"]["cancelResult"]) == (409, -2021, "SUCCESS")
    assert [each["status"] for each in venue.truth().orders] == ["CANCELED"]


def test_amendment_keeps_the_order_with_less(venue: EmulatorProcess) -> None:
    ask(venue, "POST", ORDER, limit("one"))
    path = "/api/v3/order/amend/keepPriority"
    less = {"symbol": "BTCUSDT", "origClientOrderId": "one", "newQty": "0.005"}
    assert ask(venue, "PUT", path, less).body["amendedOrder"]["qty"] == "0.00500000"
    assert ask(venue, "PUT", path, {**less, "newQty": "0.02"}).code == -2038


def test_countdown_cancels_what_is_open_when_nobody_asks_again(venue: EmulatorProcess) -> None:
    ask(venue, "POST", FUTURES_ORDER, limit("one", price="49000"))
    key = ask(venue, "POST", "/fapi/v1/listenKey").body["listenKey"]
    with connect(f"{venue.ws_url}/fstream/ws/{key}") as socket:
        ask(venue, "POST", "/fapi/v1/countdownCancelAll", {"symbol": "BTCUSDT", "countdownTime": 20})
        assert '"x": "CANCELED"' in str(socket.recv(timeout=5))
    assert [each["status"] for each in venue.truth().orders] == ["CANCELED"]
