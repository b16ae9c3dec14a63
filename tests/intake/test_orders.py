"""Door 2, row by row of its contract: types, gates, breakers, prices, bad input, dry run, ids, journal row."""

from __future__ import annotations

import csv
import inspect
import math
from dataclasses import fields
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.intake.door_driving import START, SYMBOL, Orders

from surefill.config import load_settings
from surefill.domain.events import IntentRefused, OrderCreated
from surefill.domain.inputs import Halt
from surefill.errors import ConfigError, InputError
from surefill.intake.orders import (
    ExecutionEngineV2,
    ExecutionResult,
    OrderIntent,
    SmartFillSimulator,
    execution_bridge,
)
from surefill.intake.orders.modes import with_mode
from surefill.journal import MemoryJournal
from surefill.units import ns_from_datetime

DOCUMENT = """
execution:
  # ExecutionEngine v2 configuration
  use_execution_engine_v2: false  # Set to true to enable
  dry_run: false  # When true, simulates live orders without actual placement
  slippage_bps: 5.0  # Slippage in basis points for paper fills
  use_bid_ask_spread: false  # Use bid-ask spread for more realistic fills

  circuit_breakers:
    max_daily_loss_rupees: 5000.0  # Stop trading when daily loss exceeds this
    max_daily_drawdown_pct: 0.02  # Stop trading when drawdown exceeds 2%
    max_trades_per_day: 100  # Maximum trades per day
    max_trades_per_strategy_per_day: 50  # Maximum trades per strategy per day
    max_loss_streak: 5  # Stop trading after N consecutive losses
"""
EXACT: dict[str, Any] = {"execution": {"slippage_bps": 0}}  # what is about something else than slippage


# -- types ------------------------------------------------------------------------------------------------------


def test_order_intent_has_the_documents_fields_and_defaults() -> None:
    assert [field.name for field in fields(OrderIntent)] == [
        "symbol", "strategy_code", "side", "qty", "order_type", "product", "validity", "price", "trigger_price", "tag",
        "reason", "confidence", "metadata", "intent_id",
    ]  # fmt: skip
    intent = OrderIntent(SYMBOL, "s", "BUY", 1)
    assert (intent.order_type, intent.product, intent.validity, intent.price) == ("MARKET", "MIS", "DAY", None)
    assert (intent.reason, intent.confidence, intent.metadata) == ("", 0.0, {})


def test_execution_result_of_orders_has_the_documents_fields() -> None:
    assert [field.name for field in fields(ExecutionResult)] == [
        "order_id", "status", "symbol", "side", "qty", "avg_price", "message", "raw", "timestamp"
    ]  # fmt: skip
    with Orders(**EXACT) as door:
        result = door.send("SELL", 2)
    assert (result.order_id, result.status, result.side, result.qty) == (
        "PAPER-20251119092001-0001",
        "FILLED",
        "SELL",
        2,
    )
    assert (result.symbol, result.avg_price, result.message) == (SYMBOL, 19_500.0, None)
    assert result.timestamp == "2025-11-19T09:20:01Z"
    assert result.raw is not None
    assert result.raw["ord_status"] == "FILLED"


def test_execution_engine_v2_has_the_documents_methods_and_only_the_config_is_needed() -> None:
    parameters = inspect.signature(ExecutionEngineV2).parameters
    assert next(iter(parameters)) == "config"
    assert all(each.default is not each.empty for name, each in parameters.items() if name != "config")
    with ExecutionEngineV2({"journal": {"path": ":memory:"}}) as engine:
        assert engine.execute_intent(OrderIntent(SYMBOL, "s", "BUY", 1)).status == "REJECTED"


@pytest.mark.parametrize(
    ("settings", "price"),
    [({}, 19_509.75), ({"slippage_bps": 0.0}, 19_500.0), ({"use_bid_ask_spread": True}, 19_519.8)],
)
def test_smart_fill_simulator_is_the_paper_venue_seen_through_this_door(settings: dict[str, Any], price: float) -> None:
    class Quoted:
        def get_ltp(self, _symbol: str) -> float:
            return 19_500.0

        def get_quote(self, _symbol: str) -> dict[str, float]:
            return {"bid": 19_490.0, "ask": 19_510.0}

    real = {"workspace": {"venue": "kite", "mode": "live", "currency": "INR"}}
    with SmartFillSimulator(Quoted(), **settings, config=real) as simulator:
        result = simulator.simulate(OrderIntent(SYMBOL, "s", "BUY", 1))
    assert (result.status, result.avg_price) == ("FILLED", price)


BRIDGE = [
    ("BUY", 0, "BUY"), ("LONG", 0, "BUY"), ("ENTRY_LONG", -5, "BUY"), (" buy ", 0, "BUY"),
    ("SELL", 0, "SELL"), ("SHORT", 0, "SELL"), ("entry_short", 5, "SELL"),
    ("EXIT", 5, "SELL"), ("EXIT", -5, "BUY"), ("CLOSE", 5, "SELL"), ("close", -5, "BUY"),
]  # fmt: skip


@pytest.mark.parametrize(("action", "held", "side"), BRIDGE)
def test_execution_bridge_of_an_action_is_its_side(action: str, held: int, side: str) -> None:
    assert execution_bridge.side_of(action, held) == side


@pytest.mark.parametrize("action", [None, "", "HOLD", "BUYX", 1, object()])
def test_execution_bridge_of_an_unknown_or_missing_action_is_an_error_never_a_buy(action: object) -> None:
    with pytest.raises(InputError, match="is not known: use one of BUY, LONG") as refused:
        execution_bridge.to_order_intent(action, SYMBOL, "s", position_qty=5, qty=1)
    assert refused.value.code == "UNKNOWN_ACTION"


@pytest.mark.parametrize("action", ["EXIT", "CLOSE"])
def test_execution_bridge_of_an_exit_without_a_position_is_an_error(action: str) -> None:
    with pytest.raises(InputError, match="nothing to close"):
        execution_bridge.side_of(action, 0)


def test_execution_bridge_of_an_entry_without_a_quantity_is_an_error() -> None:
    with pytest.raises(InputError, match="needs a quantity"):
        execution_bridge.to_order_intent("BUY", SYMBOL, "s", position_qty=0)


@pytest.mark.parametrize("held", [3, -3])
def test_execution_bridge_of_an_exit_flattens_the_actual_position_and_can_only_reduce(held: int) -> None:
    with Orders(**EXACT) as door:
        door.send("BUY" if held > 0 else "SELL", 3)
        intent = execution_bridge.to_order_intent(
            "EXIT", SYMBOL, "EMA_20_50", position_qty=door.engine.position_qty(SYMBOL), reason="over"
        )
        assert (intent.qty, intent.metadata) == (3, {"reduce_only": True})
        assert door.engine.execute_intent(intent).status == "FILLED"
        assert door.engine.position_qty(SYMBOL) == 0
        again = door.engine.execute_intent(intent)  # too late: the position is gone, and none is opened
        assert (again.status, again.message) == ("REJECTED", f"NO_POSITION: no position in {SYMBOL} to close")


# -- gates and breakers -----------------------------------------------------------------------------------------


def test_gate_order_lets_a_halt_through_for_orders_that_only_reduce(caplog: pytest.LogCaptureFixture) -> None:
    with Orders(**EXACT) as door:
        door.send("BUY", 3)
        door.engine._door.feed([Halt(door.clock.now_ns(), "DRILL", "a test", "somebody")])
        blocked = door.send("BUY", 1)
        assert blocked.status == "REJECTED"
        assert blocked.message is not None
        assert blocked.message.startswith("HALTED: workspace main is halted (DRILL: a test)")
        assert "rejected: HALTED" in caplog.text
        assert door.send("SELL", 4).status == "REJECTED"  # would turn the position round: an entry
        assert door.send("SELL", 3).status == "FILLED"
        orders = [event for event in door.engine._door.events() if isinstance(event, OrderCreated)]
        assert len(orders) == 2


#: Breaker of the document -> its key, a limit, what is done before, and how the next purchase is refused.
BREAKERS: list[tuple[str, Any, list[tuple[str, float]], str]] = [
    # a loss of 200 from 19500 to 19300 on one unit, of which 200 are allowed and 199.99 are not
    ("max_daily_loss_rupees", 199.99, [("BUY", 19_500), ("SELL", 19_300)], "DAILY_LOSS: daily loss 200 INR of 199.99"),
    ("max_daily_loss_rupees", 200, [("BUY", 19_500), ("SELL", 19_300)], ""),
    ("max_daily_loss_rupees", 0, [("BUY", 19_500), ("SELL", 19_700)], ""),  # a profit trips nothing
    # 1000000 at the start: 200 of it lost are a fraction of 0.0002
    ("max_daily_drawdown_pct", 0.0001999, [("BUY", 19_500), ("SELL", 19_300)], "DAILY_DRAWDOWN: 200 INR below"),
    ("max_daily_drawdown_pct", 0.0002, [("BUY", 19_500), ("SELL", 19_300)], ""),
    ("max_trades_per_day", 2, [("BUY", 19_500), ("BUY", 19_500)], "TRADES_PER_DAY: 2 trades today, 2 are the limit"),
    ("max_trades_per_day", 2, [("BUY", 19_500)], ""),
    ("max_trades_per_strategy_per_day", 1, [("BUY", 19_500)], "TRADES_PER_STRATEGY: 1 trades of strategy"),
    ("max_loss_streak", 1, [("BUY", 19_500), ("SELL", 19_499)], "LOSS_STREAK: 1 losing positions in a row, 1 are the"),
    ("max_loss_streak", 2, [("BUY", 19_500), ("SELL", 19_499)], ""),
]


@pytest.mark.parametrize(("key", "limit", "before", "refused"), BREAKERS)
def test_breaker_of_the_document_blocks_with_its_figures(
    key: str, limit: Any, before: list[tuple[str, float]], refused: str, caplog: pytest.LogCaptureFixture
) -> None:
    block: dict[str, Any] = {
        "execution": {"slippage_bps": 0, "circuit_breakers": {key: limit}},
        "workspace": {"starting_equity": 10**6},
    }
    with Orders(**block) as door:
        for side, px in before:
            door.market.px = px
            assert door.send(side).status == "FILLED"
        answer = door.send("BUY")
        assert answer.status == ("REJECTED" if refused else "FILLED")
        if refused:
            assert answer.message is not None
            assert answer.message.startswith(refused)
            assert refused.split(":")[0] in caplog.text  # a WARNING


THROTTLER: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    ({"cap_total_max": 0}, {"expected_edge": 100}, "CAP_TOTAL: 0 trades today, 0 are the limit"),
    ({"cap_symbol_max": 0}, {"expected_edge": 100}, "CAP_SYMBOL: 0 trades of NIFTY24DECFUT today"),
    ({"cap_strategy_max": 0}, {"expected_edge": 100}, "CAP_STRATEGY: 0 trades of strategy EMA_20_50 today"),
    ({}, {}, "FIGURE_MISSING: gate edge needs edge"),
    # 5 bps of 19500 each way are 9.75 twice
    (
        {},
        {"expected_edge": 19.49},
        "EDGE_BELOW_COST: 19.49 expected for each unit, 19.5 is what",
    ),
    ({}, {"expected_edge": 19.5}, ""),
    ({"edge_multiple_min": 2}, {"expected_edge": 38.99}, "EDGE_BELOW_COST"),
]


@pytest.mark.parametrize(("limits", "metadata", "refused"), THROTTLER)
def test_throttler_if_configured_is_asked_before_the_breakers(
    limits: dict[str, Any], metadata: dict[str, Any], refused: str
) -> None:
    block: dict[str, Any] = {"risk": {"throttler": True, **limits}}
    with Orders(**block) as door:
        answer = door.send("BUY", metadata=metadata)
        assert (answer.message or "").startswith(refused)
        assert answer.status == ("REJECTED" if refused else "FILLED")


def test_guardian_row_by_row() -> None:
    block: dict[str, Any] = {"execution": {"slippage_bps": 0}, "risk": {"guardian": True, "equity_drop_max_pct": 1}}
    with Orders(workspace={"starting_equity": 10_000}, **block) as door:
        assert (door.send("BUY", 51).message or "").startswith("MAX_LOTS_EXCEEDED: 51 is 51 lots of 1, at most 50")
        door.market.timestamp = START
        door.clock.advance_to(door.clock.now_ns() + 10 * 10**9)
        assert (door.send("BUY").message or "").startswith("STALE_PRICE")
        door.market.timestamp = None  # it has told the time before
        assert (door.send("BUY").message or "").startswith(f"STALE_PRICE: {SYMBOL}: the feed has told the time")
        door.market.timestamp = door.clock.now_ns()
        assert door.send("BUY").status == "FILLED"
        door.market.px = 19_400.0  # the account has lost 1 %: the limit, not beyond it
        assert door.send("BUY").status == "FILLED"
        door.market.px = 19_399.0
        assert (door.send("BUY").message or "").startswith("EQUITY_DROP: 102 INR below the day's start, 1.02 %")
        for _ in range(6):
            door.engine.execute_intent(OrderIntent(SYMBOL, "s", "SELL", 3))
        door.market.px, door.market.timestamp = 19_500.0, door.clock.now_ns()
        assert (door.send("BUY").message or "").startswith("EQUITY_DROP")  # it stays open until a person re-arms it


def test_limit_order_for_the_day_ends_with_it_also_when_only_ticks_come() -> None:
    with Orders(**EXACT) as door:
        waiting = door.send("BUY", order_type="LIMIT", price=19_400.0)
        assert waiting.status == "PLACED"
        door.clock.advance_to(door.clock.now_ns() + 24 * 3600 * 10**9)
        door.price(19_390.0)
        assert waiting.order_id is not None
        stands = door.engine.order_status(waiting.order_id)
        assert stands is not None
        assert (stands.status, door.engine.positions().get(SYMBOL)) == ("CANCELLED", None)


def test_door_prices_what_it_holds_after_a_restart_before_breakers_are_asked(tmp_path: Path) -> None:
    with Orders(folder=tmp_path) as door:
        assert door.send("BUY").status == "FILLED"
    with Orders(folder=tmp_path) as door:
        assert door.send("BUY", symbol="BANKNIFTY24DECFUT", strategy_code="other").status == "FILLED"


def test_breakers_let_orders_pass_that_only_reduce() -> None:
    block: dict[str, Any] = {"execution": {"slippage_bps": 0, "circuit_breakers": {"max_trades_per_day": 1}}}
    with Orders(**block) as door:
        assert door.send("BUY").status == "FILLED"
        assert door.send("BUY").status == "REJECTED"
        assert door.send("SELL").status == "FILLED"


# -- MARKET -----------------------------------------------------------------------------------------------------

MARKETS: list[tuple[dict[str, Any], Any, Any, float, float]] = [
    # execution settings, bid, ask, price of a BUY, of a SELL; the last price is 19500
    ({}, None, None, 19_509.75, 19_490.25),  # 5 bps by default, adverse
    ({"slippage_bps": 0}, None, None, 19_500.0, 19_500.0),
    ({"slippage_bps": 1}, None, None, 19_501.95, 19_498.05),
    ({"slippage_bps": 0.9}, None, None, 19_501.8, 19_498.2),  # 1.755 becomes whole ticks of 0.05, against us
    ({"slippage_bps": 0, "use_bid_ask_spread": True}, 19_490, 19_510, 19_510.0, 19_490.0),
    ({"slippage_bps": 0, "use_bid_ask_spread": True}, None, None, 19_500.0, 19_500.0),
    ({"slippage_bps": 0, "fill_mode": "bid_ask"}, 19_490, 19_510, 19_510.0, 19_490.0),
]


@pytest.mark.parametrize(("execution", "bid", "ask", "buy", "sell"), MARKETS)
def test_market_order_fills_at_the_ltp_with_adverse_slippage(
    execution: dict[str, Any], bid: Any, ask: Any, buy: float, sell: float
) -> None:
    with Orders(execution=execution) as door:
        door.market.bid, door.market.ask = bid, ask
        assert (door.send("BUY").avg_price, door.send("SELL").avg_price) == (buy, sell)


def test_market_order_ignores_a_price_that_is_only_a_note() -> None:
    with Orders(**EXACT) as door:
        assert door.send("BUY", price=1.0).avg_price == 19_500.0


@pytest.mark.parametrize("px", [None, math.nan, 0, RuntimeError("down")])
def test_market_order_without_a_price_is_rejected_and_journaled(px: Any) -> None:
    with Orders(px) as door:
        result = door.send()
        assert (result.status, result.avg_price) == ("REJECTED", None)
        assert result.message is not None
        assert result.message.startswith("NO_MARKET_DATA: the feed ")
        assert result.order_id == "PAPER-20251119092001-0001"
        assert [event.order_ref for event in door.engine._door.events() if isinstance(event, IntentRefused)] == [
            result.order_id
        ]


# -- LIMIT, SL, SL-M --------------------------------------------------------------------------------------------

LIMITS: list[tuple[str, float, dict[str, Any], str, float | None]] = [
    # side, limit, bid and ask, status, price; the last price is 19500
    ("BUY", 19_510.0, {}, "FILLED", 19_510.0),  # marketable without a book: at the limit
    ("BUY", 19_500.0, {}, "FILLED", 19_500.0),
    ("SELL", 19_490.0, {}, "FILLED", 19_490.0),
    ("BUY", 19_520.0, {"bid": 19_490, "ask": 19_510}, "FILLED", 19_500.0),  # with a quote: as the mode chooses
    ("BUY", 19_495.0, {"bid": 19_480, "ask": 19_490}, "FILLED", 19_495.0),  # never worse than the limit
    ("BUY", 19_499.95, {}, "PLACED", None),
    ("SELL", 19_500.05, {}, "PLACED", None),
    ("BUY", 19_505.0, {"bid": 19_490, "ask": 19_510}, "PLACED", None),
]


@pytest.mark.parametrize(("side", "limit", "quote", "status", "price"), LIMITS)
def test_limit_order_fills_at_the_limit_or_better_else_rests(
    side: str, limit: float, quote: dict[str, Any], status: str, price: float | None
) -> None:
    with Orders(**EXACT) as door:
        door.market.bid, door.market.ask = quote.get("bid"), quote.get("ask")
        result = door.send(side, order_type="LIMIT", price=limit)
        assert (result.status, result.avg_price) == (status, price)


def test_limit_order_for_the_day_rests_and_fills_when_the_market_comes() -> None:
    with Orders(**EXACT) as door:
        placed = door.send("BUY", 2, order_type="LIMIT", price=19_400.0)
        assert placed.order_id is not None
        door.price(19_450.0)
        waiting = door.engine.order_status(placed.order_id)
        assert waiting is not None
        assert (waiting.status, waiting.qty, waiting.avg_price) == ("PLACED", 2, None)
        door.price(19_390.0)
        filled = door.engine.order_status(placed.order_id)
        assert filled is not None
        assert (filled.status, filled.qty, filled.avg_price) == ("FILLED", 2, 19_400.0)
        assert door.engine.position_qty(SYMBOL) == 2


def test_limit_order_for_the_day_ends_with_its_session() -> None:
    with Orders(**EXACT) as door:
        placed = door.send("BUY", order_type="LIMIT", price=19_400.0)
        assert placed.order_id is not None
        flat = {"open": 19_500.0, "high": 19_500.0, "low": 19_500.0, "close": 19_500.0}
        for start, status in ((15, "PLACED"), (25, "PLACED"), (55, "CANCELLED")):  # the bell is at 10:00 UTC
            door.clock.advance_to(ns_from_datetime(START.replace(hour=9, minute=start) + timedelta(minutes=5)))
            candle = {"start": START.replace(hour=9, minute=start), **flat}
            door.engine.on_candle_close(SYMBOL, candle, "5m")
            now = door.engine.order_status(placed.order_id)
            assert now is not None
            assert now.status == status
        door.engine.on_candle_close("UNKNOWN", flat)


@pytest.mark.parametrize("symbol", [None, 5, b"X", [], {}])
def test_candle_of_what_is_no_symbol_is_skipped(symbol: Any) -> None:
    with Orders() as door:
        door.engine.on_candle_close(symbol, {"close": 19_500.0})
        assert door.send().status == "FILLED"


@pytest.mark.parametrize(("low", "status"), [(19_400.0, "FILLED"), (19_401.0, "CANCELLED")])
def test_limit_order_for_the_day_meets_the_last_candle_though_it_is_told_after_the_bell(
    low: float, status: str
) -> None:
    with Orders(**EXACT) as door:
        placed = door.send("BUY", order_type="LIMIT", price=19_400.0)
        assert placed.order_id is not None
        door.clock.advance_to(ns_from_datetime(START.replace(hour=10, second=2)))
        candle = {"open": 19_450.0, "high": 19_450.0, "low": low, "close": low}
        door.engine.on_candle_close(SYMBOL, {"start": START.replace(hour=9, minute=55), **candle}, "5m")
        now = door.engine.order_status(placed.order_id)
        assert now is not None
        assert now.status == status


@pytest.mark.parametrize("restarted", [False, True])
@pytest.mark.parametrize("shown", ["tick", "candle", "order"])
def test_limit_order_for_the_day_never_trades_on_another(shown: str, restarted: bool) -> None:
    journal = MemoryJournal()
    with Orders(journal=journal, **EXACT) as door:
        placed = door.send("BUY", order_type="LIMIT", price=19_400.0)
        assert placed.order_id is not None
        if not restarted:
            _next_day(door, placed.order_id, shown)
    if restarted:
        with Orders(journal=journal, **EXACT) as door:
            _next_day(door, placed.order_id, shown)


def _next_day(door: Orders, order_id: str, shown: str) -> None:
    """The market comes to the limit, a day late."""
    door.clock.advance_to(ns_from_datetime(START + timedelta(days=1)))
    door.market.px = 19_300.0
    if shown == "tick":
        door.price(19_300.0)
    elif shown == "candle":
        candle = {"open": 19_300.0, "high": 19_300.0, "low": 19_300.0, "close": 19_300.0}
        door.engine.on_candle_close(SYMBOL, candle)  # nobody knows when it began
    else:
        door.send("BUY")
    now = door.engine.order_status(order_id)
    assert now is not None
    assert now.status == "CANCELLED"


def test_limit_order_ioc_that_cannot_trade_is_cancelled() -> None:
    with Orders(**EXACT) as door:
        result = door.send("BUY", order_type="LIMIT", price=19_400.0, validity="IOC")
        assert (result.status, result.avg_price, result.message) == ("CANCELLED", None, "not filled at once")
        assert door.engine.position_qty(SYMBOL) == 0


def test_limit_order_that_rests_can_be_cancelled() -> None:
    with Orders(**EXACT) as door:
        placed = door.send("BUY", order_type="LIMIT", price=19_400.0)
        assert placed.order_id is not None
        gone = door.engine.cancel_order(placed.order_id)
        assert gone is not None
        assert gone.status == "CANCELLED"
        door.price(19_300.0)
        assert door.engine.position_qty(SYMBOL) == 0
        assert door.engine.cancel_order("PAPER-no-such-order") is None


def test_limit_order_partly_filled_is_partial_and_says_what_the_rest_does() -> None:
    class Thin:
        def get_ltp(self, _symbol: str) -> float:
            return 19_500.0

        def get_quote(self, _symbol: str) -> dict[str, Any]:
            return {
                "depth": {"buy": [{"price": 19_490.0, "quantity": 9}], "sell": [{"price": 19_500.0, "quantity": 3}]}
            }

    config = {"journal": {"path": ":memory:"}, "execution": {"slippage_bps": 0, "partial_fills": True}}
    with ExecutionEngineV2(config, market_data_engine=Thin()) as engine:
        result = engine.execute_intent(OrderIntent(SYMBOL, "s", "BUY", 5, "LIMIT", price=19_500.0))
        assert (result.status, result.qty, result.avg_price) == ("PARTIAL", 3, 19_500.0)
        assert result.message == "2 of 5 did not trade: the rest works"
        assert result.order_id is not None
        engine.cancel_order(result.order_id)
        ioc = engine.execute_intent(OrderIntent(SYMBOL, "s", "BUY", 5, "LIMIT", "MIS", "IOC", 19_500.0))
        assert (ioc.status, ioc.qty) == ("PARTIAL", 3)
        assert ioc.message == "2 of 5 did not trade: the rest is gone (not filled at once)"
        assert engine.position_qty(SYMBOL) == 6


def test_stop_orders_wait_for_their_trigger() -> None:
    with Orders(**EXACT) as door:
        stop = door.send("BUY", order_type="SL-M", trigger_price=19_600.0)
        stop_limit = door.send("BUY", order_type="SL", trigger_price=19_600.0, price=19_605.0)
        assert (stop.status, stop_limit.status) == ("PLACED", "PLACED")
        door.price(19_650.0)
        assert door.engine.position_qty(SYMBOL) == 1  # the limit is below the market: it works on
        door.price(19_605.0)
        assert door.engine.position_qty(SYMBOL) == 2


# -- bad input --------------------------------------------------------------------------------------------------

BAD: list[tuple[dict[str, Any], str]] = [
    ({"qty": 0}, "INVALID_QUANTITY: quantity 0 must be above 0"),
    ({"qty": -1}, "INVALID_QUANTITY: quantity -1 must be above 0"),
    ({"qty": 1.5}, "INVALID_QUANTITY: qty is finer"),
    ({"qty": math.nan}, "INVALID_QUANTITY: qty must be a finite number"),
    ({"qty": math.inf}, "INVALID_QUANTITY: qty must be a finite number"),
    ({"qty": None}, "INVALID_QUANTITY: qty is not a number"),
    ({"qty": "1e999"}, "INVALID_QUANTITY: qty is beyond"),
    ({"qty": 2**50}, "INVALID_QUANTITY: qty is beyond"),
    ({"qty": 76, "symbol": "LOTS"}, "OFF_LOT: quantity 76 is not a multiple of the lot 75: use 75"),
    ({"side": "HOLD"}, "INVALID_INPUT: side 'HOLD' is not one of BUY, SELL"),
    ({"side": None}, "INVALID_INPUT: side None is not one of BUY, SELL"),
    ({"side": ""}, "INVALID_INPUT: side '' is not one of BUY, SELL"),
    ({"order_type": "ICEBERG"}, "UNSUPPORTED_ORDER_TYPE: order type 'ICEBERG' is not one of MARKET, LIMIT, SL, SL-M"),
    ({"validity": "GTC"}, "UNSUPPORTED_TIME_IN_FORCE: validity 'GTC' is not one of DAY, IOC"),
    ({"product": "BO"}, "INVALID_INPUT: product 'BO' is not one of MIS, NRML, CNC"),
    ({"order_type": "LIMIT"}, "PRICE_REQUIRED: a LIMIT order needs a price above 0"),
    ({"order_type": "LIMIT", "price": 0}, "PRICE_REQUIRED: a LIMIT order needs a price above 0"),
    ({"order_type": "LIMIT", "price": -5.0}, "INVALID_INPUT: price must not be negative"),
    ({"order_type": "LIMIT", "price": math.nan}, "INVALID_INPUT: price must be a finite number"),
    ({"order_type": "LIMIT", "price": math.inf}, "INVALID_INPUT: price must be a finite number"),
    ({"order_type": "LIMIT", "price": 19_500.03}, "OFF_TICK: price 19500.03 is not a multiple of the tick 0.05"),
    ({"order_type": "LIMIT", "price": 19_500.00001}, "OFF_TICK: price is finer than the 4 decimals"),
    ({"order_type": "SL-M"}, "TRIGGER_REQUIRED: a STOP order needs a trigger price above 0"),
    ({"order_type": "SL", "trigger_price": 19_600.0}, "PRICE_REQUIRED: a STOP_LIMIT order needs a price above 0"),
    ({"order_type": "SL-M", "trigger_price": 19_600.02}, "OFF_TICK: trigger price 19600.02 is not a multiple"),
    ({"symbol": ""}, "UNKNOWN_INSTRUMENT: '' is not a symbol"),
    ({"symbol": " "}, "UNKNOWN_INSTRUMENT: ' ' is not a symbol"),
]


@pytest.mark.parametrize(("terms", "message"), BAD)
def test_bad_input_is_rejected_with_a_code_journaled_and_nothing_is_sent(terms: dict[str, Any], message: str) -> None:
    with Orders(instruments={"LOTS": {"lot": 75}}) as door:
        result = door.send(**terms)
        assert (result.status, result.avg_price) == ("REJECTED", None)
        assert result.message is not None
        assert result.message.startswith(message)
        events = list(door.engine._door.events())
        assert [event.order_ref for event in events if isinstance(event, IntentRefused)] == [result.order_id]
        assert not [event for event in events if isinstance(event, OrderCreated)]
        assert door.heard.rows[-1]["status"] == "REJECTED"


@pytest.mark.parametrize(
    "terms", [{"side": " buy "}, {"order_type": "market"}, {"validity": "day"}, {"product": "mis"}]
)
def test_input_in_other_letters_is_understood(terms: dict[str, Any]) -> None:
    with Orders() as door:
        assert door.send(**terms).status == "FILLED"


# -- dry run, live, ids -----------------------------------------------------------------------------------------


MODES: list[tuple[str | None, str | None, bool | None, str]] = [
    # the caller's mode, the workspace's (None: not said), execution.dry_run, what comes of it
    (None, None, None, "dry_run"),
    (None, "live", None, "live"),
    ("dry_run", None, None, "dry_run"),
    ("live", None, None, "dry_run"),
    ("live", None, True, "dry_run"),
    (" LIVE ", None, False, "live"),
    ("live", "live", None, "live"),
    ("paper", None, None, "MODE_CONTRADICTED"),
    ("dry_run", "live", None, "MODE_CONTRADICTED"),
    ("papr", None, None, "UNKNOWN_MODE"),
    ("", None, None, "UNKNOWN_MODE"),
]


@pytest.mark.parametrize(("mode", "configured", "dry_run", "wanted"), MODES)
def test_mode_and_dry_run_of_the_document_are_the_workspaces(
    mode: str | None, configured: str | None, dry_run: bool | None, wanted: str
) -> None:
    workspace = {"venue": "kite"} | ({} if configured is None else {"mode": configured})
    settings = load_settings(None, {"workspace": workspace, "execution": {"dry_run": dry_run}}, {})
    found: str
    try:
        found = with_mode(settings, mode).workspace.mode
    except ConfigError as refused:
        found = refused.code
    assert found == wanted


@pytest.mark.parametrize("mode", ["live", "dry_run"])
def test_mode_that_needs_a_real_venue_is_refused_without_one(mode: str) -> None:
    with pytest.raises(ConfigError) as refused:
        ExecutionEngineV2({"journal": {"path": ":memory:"}}, mode=mode)
    assert refused.value.code == "MODE_CONTRADICTED"


def test_order_update_on_paper_moves_nothing() -> None:
    with Orders() as door:
        placed = door.send("BUY", 2, order_type="LIMIT", price=19_000.0)
        before = door.engine.order_status(placed.order_id or "")
        door.engine.on_order_update({"order_id": placed.order_id, "status": "COMPLETE"})
        assert door.engine.order_status(placed.order_id or "") == before


def test_ids_are_the_documents_and_never_come_again(tmp_path: Path) -> None:
    ids = []
    for _ in range(2):
        with Orders(folder=tmp_path) as door:
            ids += [door.send().order_id, door.send(qty=0).order_id]
    assert ids == [
        "PAPER-20251119092001-0001", "PAPER-20251119092002-0002", "PAPER-20251119092001-0003",
        "PAPER-20251119092002-0004",
    ]  # fmt: skip


# -- journal row ------------------------------------------------------------------------------------------------


def test_journal_row_of_each_step_is_in_the_days_file_and_told_to_the_journal_store(tmp_path: Path) -> None:
    with Orders(folder=tmp_path, **EXACT) as door:
        door.send("BUY", 2, reason="cross")
        placed = door.send("SELL", 2, order_type="LIMIT", price=19_600.0)
        door.send("BUY", 0)
        door.price(19_600.0)
        told = list(door.heard.rows)
    rows = list(csv.DictReader((tmp_path / "artifacts/journal/2025-11-19/orders.csv").read_text().splitlines()))
    assert list(rows[0]) == [
        "order_id", "timestamp", "symbol", "strategy", "side", "qty", "order_type", "status", "avg_price", "message",
        "mode", "reason",
    ]  # fmt: skip
    assert [(row["side"], row["qty"], row["order_type"], row["status"], row["avg_price"]) for row in rows] == [
        ("BUY", "2", "MARKET", "FILLED", "19500.0"),
        ("SELL", "2", "LIMIT", "PLACED", "0.0"),
        ("BUY", "0", "MARKET", "REJECTED", "0.0"),
        ("SELL", "2", "LIMIT", "FILLED", "19600.0"),
    ]
    assert rows[0]["reason"] == "cross"
    assert rows[2]["message"] == "INVALID_QUANTITY: quantity 0 must be above 0"
    assert rows[1]["order_id"] == rows[3]["order_id"] == placed.order_id
    assert [{name: str(value) for name, value in row.items()} for row in told] == rows


# -- the documents' configuration -------------------------------------------------------------------------------


def test_configuration_of_the_document_loads_unchanged_and_sets_the_slippage() -> None:
    with Orders(**yaml.safe_load(DOCUMENT), strategies_of_mine={"a": 1}) as door:
        assert door.send("BUY").avg_price == 19_509.75


def test_configuration_of_the_other_door_is_a_contradiction() -> None:
    with pytest.raises(ConfigError, match=r"execution\.engine is 'v3'.*this door is v2"):
        Orders(execution={"engine": "v3"})
