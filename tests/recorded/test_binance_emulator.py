"""The emulated Binance speaks as the documented and the recorded one: field by field, kind by kind."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from tests.recorded.recordings import recorded
from tests.testing.emulators.binance.clients import ask, limit, market
from websockets.sync.client import connect

from surefill.testing.emulators import EmulatorProcess
from surefill.testing.emulators.binance import errors

DOCS, CODES = "binance/spot_docs_examples.json", "binance/spot_error_codes.json"
STREAMS = "binance/cryptofeed_recorded"


def _shape(value: Any) -> Any:
    """Fields and their kinds; a text that is a number is "decimal"."""
    if isinstance(value, dict):
        return {name: _shape(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_shape(value[0])] if value else []
    if isinstance(value, str):
        return "decimal" if re.fullmatch(r"-?\d+(\.\d+)?", value) else "text"
    return type(value).__name__


def _documented(section: str, label: str, file: str = "rest-api.md") -> Any:
    examples = json.loads(recorded(DOCS).read_text())["examples"]
    found = [e["payload"] for e in examples if (e["file"], e["section"]) == (file, section) and label in e["label"]]
    return found[0]


@pytest.fixture(scope="module")
def venue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmulatorProcess]:
    """An emulated Binance where one order filled and one rests."""
    with EmulatorProcess("binance", tmp_path_factory.mktemp("binance") / "truth") as process:
        process.price("BTCUSDT", 50000)
        ask(process, "POST", "/api/v3/order", market("filled"))
        ask(process, "POST", "/api/v3/order", limit("resting"))
        yield process


ORDER = "/api/v3/order"
BY_ID: dict[str, object] = {"symbol": "BTCUSDT", "origClientOrderId": "resting"}
ANSWERS: list[tuple[str, str, str, str, dict[str, object]]] = [
    # section, label, method, path, parameters
    ("New order (TRADE)", "ACK", "POST", ORDER, market("a", newOrderRespType="ACK")),
    ("New order (TRADE)", "RESULT", "POST", ORDER, market("b", newOrderRespType="RESULT")),
    ("New order (TRADE)", "FULL", "POST", ORDER, market("c", newOrderRespType="FULL")),
    ("Query order (USER_DATA)", "Response", "GET", ORDER, BY_ID),
    ("Current open orders (USER_DATA)", "Response", "GET", "/api/v3/openOrders", {}),
    ("All orders (USER_DATA)", "Response", "GET", "/api/v3/allOrders", {"symbol": "BTCUSDT"}),
    ("Account information (USER_DATA)", "Response", "GET", "/api/v3/account", {}),
    ("Account trade list (USER_DATA)", "Response", "GET", "/api/v3/myTrades", {"symbol": "BTCUSDT"}),
    (
        "Order Amend Keep Priority (TRADE)",
        "single order",
        "PUT",
        "/api/v3/order/amend/keepPriority",
        {**BY_ID, "newQty": "0.005"},
    ),
    ("Cancel order (TRADE)", "Response", "DELETE", ORDER, BY_ID),
    ("Symbol price ticker", "Response", "GET", "/api/v3/ticker/price", {"symbol": "BTCUSDT"}),
    ("Symbol order book ticker", "Response", "GET", "/api/v3/ticker/bookTicker", {"symbol": "BTCUSDT"}),
    ("Order book", "Response", "GET", "/api/v3/depth", {"symbol": "BTCUSDT"}),
    ("Check server time", "Response", "GET", "/api/v3/time", {}),
]


@pytest.mark.parametrize(
    ("section", "label", "method", "path", "params"), ANSWERS, ids=[" ".join(r[:2]) for r in ANSWERS]
)
def test_answer_has_the_documented_fields(
    venue: EmulatorProcess, section: str, label: str, method: str, path: str, params: dict[str, object]
) -> None:
    said = ask(venue, method, path, params)
    assert said.status == 200, said.body
    assert _shape(said.body) == _shape(_documented(section, label))


def test_symbol_of_exchange_info_has_the_documented_fields(venue: EmulatorProcess) -> None:
    (said,) = ask(venue, "GET", "/api/v3/exchangeInfo", {"symbol": "BTCUSDT"}).body["symbols"]
    (documented,) = _documented("Exchange information", "Response")["symbols"]
    assert said.keys() == documented.keys()
    for each in said["filters"]:
        example = _documented(each["filterType"], "/exchangeInfo", "filters.md")
        assert each.keys() == example.keys(), each["filterType"]


def test_account_events_have_the_documented_fields(venue: EmulatorProcess) -> None:
    key = ask(venue, "POST", "/api/v3/userDataStream").body["listenKey"]
    with connect(f"{venue.ws_url}/ws/{key}") as socket:
        ask(venue, "POST", ORDER, limit("event"))
        told = {(event := json.loads(socket.recv(timeout=5)))["e"]: event for _ in range(2)}
    for section, kind in (("Order Update", "executionReport"), ("Account Update", "outboundAccountPosition")):
        examples = json.loads(recorded(DOCS).read_text())["examples"]
        (documented,) = [
            e["payload"]["event"] for e in examples if (e["file"], e["section"]) == ("user-data-stream.md", section)
        ]
        assert _shape(told[kind]) == _shape(documented)


def _recorded_event(file: str, stream: str) -> Any:
    for line in recorded(f"{STREAMS}/{file}").read_text().splitlines():
        if f'{stream}","data"' in line:
            return json.loads(line.split(": ", 1)[1])["data"]
    raise AssertionError(f"no {stream} in {file}")


@pytest.mark.parametrize("stream", ["bookTicker", "aggTrade"])
@pytest.mark.parametrize(
    ("file", "base", "order"),
    [("BINANCE.ws.1.0", "/ws", ORDER), ("BINANCE_FUTURES.ws.1.0", "/fstream/ws", "/fapi/v1/order")],
    ids=["spot", "usdm"],
)
def test_market_event_has_the_recorded_fields(
    venue: EmulatorProcess, file: str, base: str, order: str, stream: str
) -> None:
    with connect(f"{venue.ws_url}{base}/btcusdt@{stream}") as socket:
        ask(venue, "POST", order, market(f"{base[1:3]}{stream}"))
        venue.price("BTCUSDT", 50000)
        told = json.loads(socket.recv(timeout=5))
    assert _shape(told) == _shape(_recorded_event(file, stream))


@pytest.mark.parametrize(("file", "path"), [("BINANCE.0", "/api/v3"), ("BINANCE_FUTURES.0", "/fapi/v1")])
def test_exchange_info_has_what_the_recorded_one_had(venue: EmulatorProcess, file: str, path: str) -> None:
    """Recorded in 2021: fields have been added since, and Binance has dropped three filters and one flag's name."""
    text = recorded(f"{STREAMS}/{file}").read_text().splitlines()[0].split(": ", 1)[1]
    was = next(each for each in json.loads(text)["symbols"] if each["symbol"] == "BTCUSDT")
    now = next(
        each for each in ask(venue, "GET", f"{path}/exchangeInfo").body["symbols"] if each["symbol"] == "BTCUSDT"
    )
    gone = {"settlePlan"} if path == "/fapi/v1" else set()
    assert was.keys() - now.keys() <= gone
    for name in was.keys() & now.keys() - {"filters"}:
        assert type(now[name]) is type(was[name]), name
    kinds = {each["filterType"] for each in was["filters"]}
    told = {each["filterType"]: each for each in now["filters"]}
    for each in was["filters"]:
        if each["filterType"] in told:
            assert told[each["filterType"]].keys() == each.keys()
    assert {"PRICE_FILTER", "LOT_SIZE", "MARKET_LOT_SIZE"} <= kinds & told.keys()


def test_errors_of_spot_are_worded_as_documented() -> None:
    listed = json.loads(recorded(CODES).read_text())
    made = [each() for each in vars(errors).values() if getattr(each, "func", None) is errors.BinanceError]
    made += [errors.missing("x"), errors.too_many(5, 1), errors.too_many(5, 1, banned_until_ms=9)]
    made += [errors.too_many_orders(5, "1 DAY", 1), errors.UNKNOWN_STATUS, errors.OVERLOADED, errors.INTERNAL]
    assert len(made) > 14
    for error in made:
        if error.code == -2011:
            assert error.msg in listed["order_rejections"]
        else:
            patterns = [re.escape(each).replace("%s", ".+") for each in listed["codes"][str(error.code)]["messages"]]
            assert any(re.fullmatch(pattern, error.msg) for pattern in patterns), error
    assert {errors.INSUFFICIENT, errors.DUPLICATE} <= set(listed["order_rejections"])
