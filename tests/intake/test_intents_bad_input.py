"""Whatever comes in, it is refused with a code, or executed exactly as written; nothing is bent to fit."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import msgspec
import pytest
from tests.intake.intents_driving import done, paper_broker, trade

from surefill.intake.intents import PaperBroker


@pytest.fixture(scope="module")
def broker() -> Iterator[PaperBroker]:
    with paper_broker() as made:
        yield made


@pytest.mark.parametrize(
    ("price", "says"),
    [
        (None, "required"),
        (float("nan"), "finite"),
        (float("inf"), "finite"),
        (float("-inf"), "finite"),
        (-100.0, "above 0"),
        (0, "above 0"),
        (0.0, "above 0"),
        (-0.0, "above 0"),
        (100.00001, "finer than the 4 decimals"),
        ("100.123456789", "finer than the 4 decimals"),
        (Decimal("1e-30"), "finer than the 4 decimals"),
        (1e30, "beyond"),
        (10**40, "beyond"),
        ("9" * 200, "not a number"),
        ("1e999999", "beyond"),
        ("NaN", "finite"),
        ("hello", "not a number"),
        ("", "not a number"),
        ("1 000", "not a number"),
        ("1_000", "not a number"),
        (True, "truth value"),
    ],
)
def test_fill_price_that_is_none_is_invalid_fill_price(broker: PaperBroker, price: float, says: str) -> None:
    before = broker.state("main")
    outcome = broker.execute(trade("p"), price)
    assert (outcome.http_status, outcome.code, outcome.success) == (400, "INVALID_FILL_PRICE", False)
    assert says in outcome.reason
    assert outcome.order_id == ""
    assert broker.state("main") == before


@pytest.mark.parametrize("action", ["OPEN_LONG", "CLOSE_LONG"])
@pytest.mark.parametrize(
    ("quantity", "says"),
    [
        (0.0, "above 0"),
        (-0.0, "above 0"),
        (-1.0, "negative"),
        (0.000000001, "finer than the 8 decimals"),
        (1e-300, "finer than the 8 decimals"),
        (1e9, "beyond"),
        (1e300, "beyond"),
        (True, "truth value"),
    ],
)
def test_quantity_that_is_none_is_invalid_quantity(
    broker: PaperBroker, action: str, quantity: float, says: str
) -> None:
    # With a position, so that "close 0" would have something to close.
    broker.execute(trade("held", symbol="HELD"), 100.0)
    before = broker.state("main")
    outcome = broker.execute(trade("q", action, quantity, symbol="HELD"), 100.0)
    assert (outcome.http_status, outcome.code) == (400, "INVALID_QUANTITY")
    assert says in outcome.reason
    assert broker.state("main") == before


@pytest.mark.parametrize("quantity", [0.015, 0.5])
def test_quantity_off_the_lot_is_invalid_quantity(quantity: float) -> None:
    with paper_broker(instruments={"BTCUSDT": {"lot": "0.01", "min_qty": "1"}}) as broker:
        outcome = broker.execute(trade("q", quantity=quantity), 100.0)
    assert (outcome.http_status, outcome.code) == (400, "INVALID_QUANTITY")
    assert outcome.detail in ("OFF_LOT", "QUANTITY_OUT_OF_RANGE")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"stop_loss": 101.0}, "STOP_ON_WRONG_SIDE"),
        ({"take_profit": 99.0}, "TARGET_ON_WRONG_SIDE"),
        ({"stop_loss": -1.0}, "INVALID_PLAN"),
        ({"stop_loss": 99.000001}, "INVALID_PLAN"),
        ({"take_profit": 1e300}, "INVALID_PLAN"),
        ({"metadata": {"trail_distance": "wide"}}, "INVALID_PLAN"),
        ({"metadata": {"time_stop_bars": -3}}, "INVALID_PLAN"),
        ({"metadata": {"time_stop_bars": 1.5}}, "INVALID_PLAN"),
        ({"metadata": {"order_type": "ICEBERG"}}, "UNSUPPORTED_ORDER_TYPE"),
        ({"metadata": {"order_type": "LIMIT"}}, "INVALID_PRICE"),
        ({"metadata": {"time_in_force": "SOON"}}, "UNSUPPORTED_TIME_IN_FORCE"),
        ({"symbol": " "}, "INVALID_SYMBOL"),
        ({"symbol": " BTC"}, "INVALID_SYMBOL"),
        ({"symbol": "BTC|USD"}, "INVALID_SYMBOL"),
        ({"symbol": "BTC\nUSD"}, "INVALID_SYMBOL"),
        ({"symbol": "default"}, "INVALID_SYMBOL"),
    ],
)
def test_terms_that_cannot_be_traded_are_400(broker: PaperBroker, changes: dict, code: str) -> None:
    before = broker.state("main")
    outcome = broker.execute(trade("t", **changes), 100.0)
    assert (outcome.http_status, outcome.code) == (400, code)
    assert outcome.reason
    after = broker.state("main")
    assert msgspec.structs.replace(after, seq=0) == msgspec.structs.replace(before, seq=0)


@pytest.mark.parametrize(
    "changes",
    [
        {"symbol": "X" * 65},
        {"workspace_id": "../etc"},
        {"workspace_id": "a b"},
        {"workspace_id": "x" * 101},
        {"correlation_id": "c" * 201},
        {"correlation_id": "\ud800"},
        {"metadata": {"text": "x" * 9_000}},
        {"metadata": {"thing": object()}},
    ],
    ids=["symbol", "path", "blank", "workspace", "correlation", "surrogate", "metadata size", "metadata kind"],
)
def test_texts_beyond_their_bounds_are_422(broker: PaperBroker, changes: dict) -> None:
    outcome = broker.execute(trade("x", **changes), 100.0)
    assert outcome.http_status == 422
    assert outcome.code in ("INVALID_REQUEST", "NOT_UNICODE")


def test_refused_request_opens_no_workspace_and_defines_no_symbol(broker: PaperBroker) -> None:
    broker.execute(trade("a", workspace_id="fresh"), 100.0, mode="live")
    broker.execute(trade("a", symbol="FRESH"), -1.0)
    assert "fresh" not in broker.session.journal.heads()
    assert broker.session.read(lambda state: "FRESH" in state.book.instruments) is False


INTENT: dict[str, object] = {
    "id": "j1",
    "workspace_id": "main",
    "action": "OPEN_LONG",
    "symbol": "BTCUSDT",
    "quantity": 0.5,
}
BODY: dict[str, object] = {"intent": INTENT, "fill_price": 100.0, "mode": "paper"}


def _with(**changes: object) -> bytes:
    return msgspec.json.encode({**BODY, "intent": {**INTENT, **changes}})


def test_json_request_is_executed() -> None:
    with paper_broker() as broker:
        outcome = done(broker.execute_json(msgspec.json.encode(BODY)))
        assert (outcome.intent_id, outcome.correlation_id, outcome.fill_price) == ("j1", "j1", 100.0)
        again = broker.execute_json(BODY)
        assert (again.http_status, again.code) == (409, "ALREADY_EXECUTED")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b'"text"',
        b"\xff\xfe",
        b"{}",
        b'{"intent": null}',
        b"[" * 60_000,
        b" " * 70_000,
        msgspec.json.encode({**BODY, "surprise": 1}),
        msgspec.json.encode({**BODY, "fill_price": "many"}),
        msgspec.json.encode({**BODY, "mode": 5}),
        msgspec.json.encode(BODY).replace(b"100.0", b"NaN"),
        msgspec.json.encode(BODY).replace(b"0.5", b"Infinity"),
        msgspec.json.encode(BODY).replace(b"0.5", b"1e999"),
        _with(surprise=1),
        _with(id=""),
        _with(id=7),
        _with(quantity="1"),
        _with(quantity=None),
        _with(action=1),
        _with(signal_strength=1.5),
        _with(created_at="2025-01-01T00:00:00"),
        _with(metadata=[]),
    ],
)
def test_json_of_the_wrong_shape_is_422(broker: PaperBroker, body: bytes) -> None:
    outcome = broker.execute_json(body)
    assert (outcome.http_status, outcome.code, outcome.success) == (422, "INVALID_REQUEST", False)


@pytest.mark.parametrize("name", ["id", "workspace_id", "action", "symbol", "quantity"])
def test_json_without_a_required_field_is_422_and_names_it(broker: PaperBroker, name: str) -> None:
    intent = {key: value for key, value in INTENT.items() if key != name}
    outcome = broker.execute_json({**BODY, "intent": intent})
    assert (outcome.http_status, outcome.code) == (422, "INVALID_REQUEST")
    assert f"`{name}`" in outcome.reason
    assert outcome.intent_id == intent.get("id", "")


def test_json_with_an_action_that_does_not_exist_is_400(broker: PaperBroker) -> None:
    outcome = broker.execute_json(_with(action="YOLO"))
    assert (outcome.http_status, outcome.code) == (400, "UNSUPPORTED_ACTION")
    assert (outcome.intent_id, outcome.workspace_id) == ("j1", "main")


def test_json_decoded_with_a_lax_parser_still_refuses_nan(broker: PaperBroker) -> None:
    outcome = broker.execute_json({**BODY, "fill_price": float("nan")})
    assert (outcome.http_status, outcome.code) == (400, "INVALID_FILL_PRICE")
    intent = {**INTENT, "quantity": float("nan")}
    assert broker.execute_json({**BODY, "intent": intent}).http_status == 422
