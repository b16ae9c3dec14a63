"""Door 1, row by row of its contract: types, signals, quantities, prices, fills, ids, positions, toggle, artefacts.

The rows of exits (stop loss to time stop, lifecycle) are in test_signals_exits.py.
"""

from __future__ import annotations

import csv
import enum
import inspect
import json
import math
from dataclasses import fields
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import yaml
from tests.intake.door_driving import START, SYMBOL, Heard, Signals

from surefill.domain.events import IntentRefused
from surefill.errors import ConfigError
from surefill.intake.orders import OrderIntent
from surefill.intake.signals import (
    ExecutionContext,
    ExecutionEngineV3,
    ExecutionResult,
    convert_to_order_intent,
    create_execution_engine_v3,
)

# -- types ------------------------------------------------------------------------------------------------------


def test_execution_context_has_the_documents_fields_and_defaults() -> None:
    names = [field.name for field in fields(ExecutionContext)]
    assert names[:9] == [
        "symbol", "logical_symbol", "product", "strategy_id", "mode", "timestamp", "timeframe", "exchange", "fixed_qty"
    ]  # fmt: skip
    assert names[9:] == ["sl_price", "tp_price", "trailing", "time_stop_bars", "ladder", "intent_id"]
    context = ExecutionContext(SYMBOL, "NIFTY", "MIS", "s", "paper", START, "5m")
    assert (context.exchange, context.fixed_qty, context.sl_price, context.trailing) == ("NFO", None, None, None)


def test_execution_context_of_the_callers_own_class_with_only_the_documents_fields_is_understood() -> None:
    own = SimpleNamespace(
        symbol=SYMBOL, logical_symbol="NIFTY", product="MIS", strategy_id="s", mode="paper", timestamp=START,
        timeframe="5m", exchange="NFO", fixed_qty=2,
    )  # fmt: skip
    with Signals() as door:
        result = door.engine.process_signal(SYMBOL, "BUY", own)  # type: ignore[arg-type]
        assert result is not None
        assert (result.status, result.qty) == ("FILLED", 2)


def test_execution_result_has_the_documents_fields() -> None:
    assert [field.name for field in fields(ExecutionResult)] == [
        "order_id", "symbol", "side", "qty", "price", "status", "reason", "timestamp"
    ]  # fmt: skip
    with Signals() as door:
        result = door.send("BUY")
    assert result == ExecutionResult(
        "V3-20251119092001-0001", SYMBOL, "BUY", 1, 19_500.0, "FILLED", "", START + timedelta(seconds=1)
    )


def test_execution_engine_v3_has_the_documents_signature() -> None:
    parameters = list(inspect.signature(ExecutionEngineV3).parameters)
    assert parameters[:5] == ["cfg", "state_store", "trade_recorder", "broker_feed", "logger_instance"]
    assert list(inspect.signature(ExecutionEngineV3.process_signal).parameters) == [
        "self", "symbol", "signal_obj", "context"
    ]  # fmt: skip
    assert list(inspect.signature(ExecutionEngineV3.update_positions).parameters) == ["self", "tick_prices"]
    assert list(inspect.signature(ExecutionEngineV3.on_candle_close).parameters) == ["self", "symbol", "candle"]


def test_create_execution_engine_v3_takes_its_parts_in_the_documents_order() -> None:
    heard = Heard()
    engine = create_execution_engine_v3({"journal": {"path": ":memory:"}}, {SYMBOL: 19_500.0}, heard, heard)
    try:
        intent, context = convert_to_order_intent(SYMBOL, "BUY", 2, 19_500.0, "EMA_20_50", "NIFTY")
        result = engine.process_signal(SYMBOL, intent, context)
    finally:
        engine.close()
    assert result is not None
    assert (result.side, result.qty, result.price, result.status) == ("BUY", 2, 19_500.0, "FILLED")
    assert heard.rows[0]["strategy"] == "EMA_20_50"
    assert heard.checkpoints[-1]["positions"][SYMBOL]["quantity"] == 2


@pytest.mark.parametrize(
    ("signal", "word"),
    [("buy", "BUY"), (SimpleNamespace(signal="SHORT"), "SELL"), ({"action": "EXIT"}, "EXIT"), ("?", "HOLD")],
)
def test_convert_to_order_intent_makes_the_pair_that_process_signal_takes(signal: Any, word: str) -> None:
    intent, context = convert_to_order_intent(
        SYMBOL, signal, 2, 19_500.0, "EMA", "NIFTY", "NRML", "paper", "15m", "NFO", 19_400.0, 19_700.0, 7, "cross"
    )
    assert isinstance(intent, OrderIntent)
    assert (intent.side, intent.qty, intent.price, intent.reason) == (word, 2, 19_500.0, "cross")
    assert (context.fixed_qty, context.sl_price, context.tp_price, context.time_stop_bars) == (2, 19_400.0, 19_700.0, 7)
    assert (context.product, context.timeframe, context.strategy_id) == ("NRML", "15m", "EMA")


# -- reading a signal, HOLD -------------------------------------------------------------------------------------


class Direction(enum.Enum):
    LONG = 1
    WAIT = "hold"


READINGS: list[tuple[Any, str]] = [
    ("BUY", "BUY"),
    ("  buy \n", "BUY"),
    ("LONG", "BUY"),
    ("Sell", "SELL"),
    ("short", "SELL"),
    ("EXIT", "EXIT"),
    ("HOLD", "HOLD"),
    ("CLOSE", "HOLD"),
    ("BUYX", "HOLD"),
    ("", "HOLD"),
    (None, "HOLD"),
    (1, "HOLD"),
    (SimpleNamespace(signal="BUY", action="SELL", side="SELL"), "BUY"),
    (SimpleNamespace(action="SELL", side="BUY"), "SELL"),
    (SimpleNamespace(signal=None, action=None, side="LONG"), "BUY"),
    (SimpleNamespace(signal="HOLD", side="BUY"), "HOLD"),
    (SimpleNamespace(strength=3), "HOLD"),
    ({"signal": "SHORT"}, "SELL"),
    (Direction.LONG, "BUY"),
    (SimpleNamespace(signal=Direction.WAIT), "HOLD"),
    (OrderIntent(SYMBOL, "s", "SELL", 1), "SELL"),
]


@pytest.mark.parametrize(("signal", "word"), READINGS)
def test_reading_a_signal_finds_its_word(signal: Any, word: str) -> None:
    with Signals() as door:
        door.send("BUY", fixed_qty=5)
        result = door.maybe(signal)
        held = door.position().quantity
    if word == "HOLD":
        assert result is None
    else:
        assert result is not None
        assert result.side == ("SELL" if word == "EXIT" else word)
    assert held == {"BUY": 6, "SELL": 4, "EXIT": 0, "HOLD": 5}[word]


@pytest.mark.parametrize("qty", [3, -3])
def test_reading_an_exit_closes_the_open_position_whatever_its_side(qty: int) -> None:
    with Signals() as door:
        door.send("BUY" if qty > 0 else "SELL", fixed_qty=abs(qty))
        result = door.send("EXIT", fixed_qty=1)
        assert (result.side, result.qty, result.status) == ("SELL" if qty > 0 else "BUY", 3, "FILLED")
        assert door.position().quantity == 0


def test_reading_an_exit_with_nothing_open_is_rejected_and_opens_nothing() -> None:
    with Signals() as door:
        result = door.send("EXIT")
        assert (result.status, result.side, result.price) == ("REJECTED", "EXIT", 0.0)
        assert result.reason == f"no_position: no position in {SYMBOL} to close"
        assert door.engine.positions() == {}


def test_hold_returns_none_and_writes_nothing() -> None:
    with Signals() as door:
        before = door.events()
        assert door.maybe("HOLD", fixed_qty=-1, product="?") is None
        assert door.events() == before
        assert door.heard.rows == door.heard.checkpoints == []


# -- quantity ---------------------------------------------------------------------------------------------------

QUANTITIES: list[tuple[Any, dict[str, Any], str]] = [
    (None, {}, "1"),
    (None, {"trading": {"default_quantity": 3, "capital": "the caller's own"}}, "3"),
    (2, {"trading": {"default_quantity": 3}}, "2"),
    (75, {"instruments": {SYMBOL: {"lot": 75}}}, "75"),
    (0, {"trading": {"default_quantity": 3}}, "invalid_quantity: quantity 0 must be above 0"),
    (-2, {}, "invalid_quantity: quantity -2 must be above 0"),
    (1.5, {}, "invalid_quantity: quantity is finer than the 0 decimals it may have (got 1.5)"),
    (math.nan, {}, "invalid_quantity: quantity must be a finite number"),
    (math.inf, {}, "invalid_quantity: quantity must be a finite number"),
    ("many", {}, "invalid_quantity: quantity is not a number"),
    (True, {}, "invalid_quantity: quantity is a truth value"),
    (None, {"instruments": {SYMBOL: {"lot": 75}}}, "off_lot: quantity 1 is not a multiple of the lot 75: use 75"),
    (100, {"instruments": {SYMBOL: {"lot": 75}}}, "off_lot: quantity 100 is not a multiple of the lot 75: use 75"),
]


@pytest.mark.parametrize(("fixed_qty", "settings", "expected"), QUANTITIES)
def test_quantity_is_the_contexts_else_the_default_and_never_replaced(
    fixed_qty: Any, settings: dict[str, Any], expected: str
) -> None:
    with Signals(**settings) as door:
        result = door.send("BUY", fixed_qty=fixed_qty)
        refused = [event for event in door.events() if isinstance(event, IntentRefused)]
    if expected.isdecimal():
        assert (result.status, result.qty) == ("FILLED", int(expected))
        assert refused == []
    else:
        assert result.status == "REJECTED"
        assert result.reason.startswith(expected)
        assert result.price == 0.0
        assert len(refused) == 1  # journaled: losing a rejection is a defect


# -- LTP --------------------------------------------------------------------------------------------------------

MISSING: list[Any] = [None, math.nan, math.inf, 0, 0.0, -1.0, "", "n/a", True, {}, [], b"19500", RuntimeError("down")]


@pytest.mark.parametrize("px", MISSING, ids=repr)
def test_ltp_that_is_missing_rejects_with_price_0_journals_it_and_moves_nothing(px: Any) -> None:
    with Signals() as door:
        door.send("BUY")
        door.market.px = px
        result = door.send("SELL", fixed_qty=2)
        assert (result.status, result.reason, result.price, result.qty) == ("REJECTED", "ltp_missing", 0.0, 2)
        assert result.order_id == "V3-20251119092002-0002"
        assert door.position().quantity == 1
        (refused,) = [event for event in door.events() if isinstance(event, IntentRefused)]
        assert (refused.order_ref, refused.intent.order_qty) == (result.order_id, 2)
        assert door.heard.rows[-1]["status"] == "REJECTED"


def test_ltp_without_any_feed_is_missing() -> None:
    with ExecutionEngineV3({"journal": {"path": ":memory:"}}) as engine:
        context = ExecutionContext(SYMBOL, "NIFTY", "MIS", "s", "paper", START, "5m")
        result = engine.process_signal(SYMBOL, "BUY", context)
        assert result is not None
        assert (result.status, result.reason) == ("REJECTED", "ltp_missing")


def test_ltp_that_was_seen_before_does_not_stand_in_for_a_missing_one() -> None:
    with Signals() as door:
        door.send("BUY")
        door.price(19_600.0)
        door.market.px = None
        assert door.send("BUY").reason == "ltp_missing"


AGES = [
    (3, 3.0, "FILLED"),
    (3, 3.001, "REJECTED"),
    (3, -1.0, "FILLED"),
    (3, -1.001, "REJECTED"),
    (0, 3_600.0, "FILLED"),
]


@pytest.mark.parametrize(("max_age_s", "age_s", "status"), AGES)
def test_ltp_that_is_stale_is_missing(max_age_s: float, age_s: float, status: str) -> None:
    with Signals(execution={"price_max_age_s": max_age_s}) as door:
        door.market.timestamp = START + timedelta(seconds=1 - age_s)
        result = door.send("BUY")  # a second after the start
        assert (result.status, result.reason) == (status, "" if status == "FILLED" else "ltp_missing")


SECONDS = int(START.timestamp())
TIMES: list[tuple[Any, str]] = [
    (SECONDS, "FILLED"),
    (SECONDS * 1_000, "FILLED"),
    (SECONDS * 10**6, "FILLED"),
    (SECONDS * 10**9, "FILLED"),
    (float(SECONDS), "FILLED"),
    (np.int64(SECONDS), "FILLED"),
    (np.datetime64(SECONDS, "s"), "FILLED"),
    (SECONDS - 18 * 3600, "REJECTED"),
    ((SECONDS - 18 * 3600) * 1_000, "REJECTED"),
    (np.datetime64(SECONDS - 18 * 3600, "s"), "REJECTED"),
    ("this morning", "REJECTED"),
    (True, "REJECTED"),
    (object(), "REJECTED"),
]


@pytest.mark.parametrize(("timestamp", "status"), TIMES, ids=range(len(TIMES)))
def test_ltp_of_a_time_in_any_form_is_judged_by_it_and_one_that_cannot_be_read_is_stale(
    timestamp: Any, status: str
) -> None:
    with Signals(execution={"price_max_age_s": 3}) as door:
        door.market.timestamp = timestamp
        assert door.send("BUY").status == status


def test_ltp_that_is_stale_sets_no_stop_off() -> None:
    with Signals(execution={"price_max_age_s": 3}) as door:
        door.send("BUY", sl_price=19_400.0)
        door.market.px, door.market.timestamp = 19_300.0, START - timedelta(hours=18)  # yesterday's close
        assert door.send("BUY").reason == "ltp_missing"
        assert door.position().quantity == 1


class NotATime(datetime):
    """As pandas has one: it is a datetime, and every figure of it is NaN."""

    def __sub__(self, other: Any) -> Any:
        return SimpleNamespace(days=math.nan, seconds=math.nan, microseconds=math.nan)


def test_ltp_dated_with_no_time_is_stale() -> None:
    with Signals(execution={"price_max_age_s": 3}) as door:
        door.market.timestamp = NotATime(2025, 11, 19, 9, 20)
        assert door.send("BUY").reason == "ltp_missing"


class Broken:
    """A price that raises when it is looked at, with a text that no journal can hold."""

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(f"{name} \ud800")


@pytest.mark.parametrize("px", [RuntimeError("\ud800"), Broken()], ids=["raises", "broken"])
def test_ltp_of_a_feed_that_fails_in_whatever_way_is_missing(px: Any) -> None:
    with Signals(px) as door:
        assert door.send("BUY").reason == "ltp_missing"
        door.market.px = 19_500.0
        assert door.send("BUY").status == "FILLED"


@pytest.mark.parametrize("symbol", [None, 5, b"X", [], {}])
def test_candle_of_what_is_no_symbol_is_skipped(symbol: Any) -> None:
    with Signals() as door:
        door.engine.on_candle_close(symbol, {"close": 19_500.0})
        assert door.send("BUY").status == "FILLED"


def test_ltp_finer_than_the_instrument_is_refused_not_rounded() -> None:
    with Signals(19_500.00001) as door:
        result = door.send("BUY")
        assert (result.status, result.price) == ("REJECTED", 0.0)
        assert result.reason == (
            f"invalid_input: the feed's price of {SYMBOL}: last is finer than the 4 decimals it may have"
            " (got 19500.00001)"
        )


# -- fill -------------------------------------------------------------------------------------------------------

FILLS: list[tuple[dict[str, Any], Any, Any, float, float]] = [
    # execution settings, bid, ask, price of a BUY, of a SELL; the last price is 19500
    ({}, None, None, 19_500.0, 19_500.0),  # the document's step 1: exactly the LTP
    ({}, 19_490, 19_510, 19_500.0, 19_500.0),
    ({"fill_mode": "ltp"}, 19_490, 19_510, 19_500.0, 19_500.0),
    ({"fill_mode": "mid"}, 19_490, 19_520, 19_505.0, 19_505.0),
    ({"fill_mode": "mid"}, None, 19_520, 19_500.0, 19_500.0),
    ({"fill_mode": "bid_ask"}, 19_490, 19_510, 19_510.0, 19_490.0),
    ({"fill_mode": "bid_ask"}, None, None, 19_500.0, 19_500.0),
    ({"fill_mode": "bid_ask"}, math.nan, 0, 19_500.0, 19_500.0),
    ({"fill_mode": "bid_ask", "spread_bps": 10}, None, None, 19_509.75, 19_490.25),
    ({"fill_mode": "bid_ask", "spread_bps": 10}, 19_490, 19_510, 19_510.0, 19_490.0),
    ({"slippage_bps": 5}, None, None, 19_509.75, 19_490.25),
    ({"fill_mode": "bid_ask", "slippage_bps": 5}, 19_490, 19_510, 19_519.8, 19_480.25),  # against us, on the tick
]


@pytest.mark.parametrize(("execution", "bid", "ask", "buy", "sell"), FILLS)
def test_fill_follows_the_mode_and_slips_against_us(
    execution: dict[str, Any], bid: Any, ask: Any, buy: float, sell: float
) -> None:
    with Signals(execution=execution) as door:
        door.market.bid, door.market.ask = bid, ask
        assert (door.send("BUY").price, door.send("SELL").price) == (buy, sell)


def test_fill_in_a_crossed_market_is_refused() -> None:
    with Signals() as door:
        door.market.bid, door.market.ask = 19_510, 19_490
        assert door.send("BUY").reason.startswith("crossed_market: bid 19510 is above ask 19490")


# -- order id ---------------------------------------------------------------------------------------------------


def test_order_id_is_the_documents_and_never_comes_again(tmp_path: Path) -> None:
    ids = []
    for _ in range(3):  # a restart within the same second is the hard case
        with Signals(folder=tmp_path) as door:
            ids.append(door.send("BUY").order_id)
            door.market.px = None
            ids.append(door.send("BUY").order_id)
    assert ids == [
        "V3-20251119092001-0001", "V3-20251119092002-0002", "V3-20251119092001-0003", "V3-20251119092002-0004",
        "V3-20251119092001-0005", "V3-20251119092002-0006",
    ]  # fmt: skip


# -- position maths, update_positions ---------------------------------------------------------------------------

MATHS: list[tuple[list[tuple[str, int, float]], tuple[int, float, float]]] = [
    ([("BUY", 1, 100.0)], (1, 100.0, 0.0)),
    ([("BUY", 1, 100.0), ("BUY", 3, 110.0)], (4, 107.5, 0.0)),  # adding: weighted average
    ([("BUY", 3, 100.0), ("SELL", 1, 110.0)], (2, 100.0, 10.0)),  # reducing keeps it and realises
    ([("SELL", 3, 100.0), ("BUY", 1, 90.0)], (-2, 100.0, 10.0)),  # mirrored for shorts
    ([("BUY", 2, 100.0), ("SELL", 2, 90.0)], (0, 0.0, -20.0)),  # flat: average 0
    ([("BUY", 1, 100.0), ("SELL", 3, 110.0)], (-2, 110.0, 10.0)),  # a flip closes, then opens
]


@pytest.mark.parametrize(("signals", "expected"), MATHS)
def test_position_maths_are_the_documents(
    signals: list[tuple[str, int, float]], expected: tuple[int, float, float]
) -> None:
    with Signals() as door:
        for word, qty, px in signals:
            door.market.px = px
            door.send(word, fixed_qty=qty)
        row = door.position()
        assert (row.quantity, row.avg_price, row.realized_pnl) == expected
        assert door.heard.checkpoints[-1]["positions"][SYMBOL]["avg_price"] == expected[1]


@pytest.mark.parametrize(("word", "unrealised"), [("BUY", 200.0), ("SELL", -200.0)])
def test_update_positions_values_them_at_the_ticks(word: str, unrealised: float) -> None:
    with Signals() as door:
        door.send(word, fixed_qty=2)
        door.price(19_600.0)
        assert door.position().unrealized_pnl == unrealised
        assert door.heard.checkpoints[-1]["positions"][SYMBOL]["unrealized_pnl"] == unrealised


@pytest.mark.parametrize("px", [None, math.nan, 0, -5, "x", 19_600.00001, True])
def test_update_positions_skips_bad_prices_and_unknown_symbols(px: Any) -> None:
    with Signals() as door:
        door.send("BUY")
        door.engine.update_positions({"UNKNOWN": 5.0, SYMBOL: px})
        assert door.position().unrealized_pnl == 0.0
        door.engine.update_positions({"UNKNOWN": 5.0, SYMBOL: 19_600.0})
        assert door.position().unrealized_pnl == 100.0
        assert list(door.engine.positions()) == [SYMBOL]


def test_update_positions_takes_a_thousand_symbols_at_once() -> None:
    symbols = [f"S{number}" for number in range(1_000)]
    with Signals(100.0) as door:
        for symbol in symbols[:3]:
            door.send("BUY", symbol)
        door.engine.update_positions(dict.fromkeys(symbols, 101.0))
        assert [row.unrealized_pnl for row in door.engine.positions().values()] == [1.0] * 3


# -- toggle -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("execution", [{}, {"engine": "v3"}, {"engine": None}, {"engine": ""}])
def test_toggle_of_v3_or_nothing_opens_this_door(execution: dict[str, Any]) -> None:
    with Signals(execution=execution) as door:
        assert door.send("BUY").order_id.startswith("V3-")


def test_toggle_of_another_engine_is_a_contradiction() -> None:
    with pytest.raises(ConfigError, match=r"execution\.engine is 'v2'.*this door is v3"):
        Signals(execution={"engine": "v2"})


def test_toggle_of_nothing_but_the_switch_for_v2_is_a_contradiction() -> None:
    for engine in ({}, {"engine": None}, {"engine": ""}):
        with pytest.raises(ConfigError, match=r"execution\.use_execution_engine_v2 is true.*means v2.*this door is v3"):
            Signals(execution={**engine, "use_execution_engine_v2": True})
    with Signals(execution={"engine": "v3", "use_execution_engine_v2": True}) as door:  # the engine comes first
        assert door.send("BUY").order_id.startswith("V3-")


def test_toggle_in_the_documents_block_loads_unchanged() -> None:
    block = yaml.safe_load('execution:\n  engine: v3  # "v2" or "v3"\n')
    with Signals(**block) as door:
        assert door.send("BUY").status == "FILLED"


# -- artefacts, underlying --------------------------------------------------------------------------------------


def test_artefacts_of_a_run_are_the_documents(tmp_path: Path) -> None:
    with Signals(folder=tmp_path) as door:
        door.send("BUY", sl_price=19_400.0)
        door.market.px = None
        door.send("SELL")
        folder = tmp_path / "artifacts"
        rows = list(csv.reader((folder / "orders.csv").read_text().splitlines()))  # there when the call returns
        door.price(19_390.0)
    after = list(csv.reader((folder / "orders.csv").read_text().splitlines()))
    labels = ["NFO", "MIS", "EMA_20_50", "5m", "paper", "NIFTY"]
    assert ",".join(rows[0]) == (
        "timestamp,order_id,symbol,side,quantity,price,status,exchange,product,strategy,tf,mode,underlying"
    )
    assert rows[1:] == [
        ["2025-11-19T09:20:01Z", "V3-20251119092001-0001", SYMBOL, "BUY", "1", "19500.0", "FILLED", *labels],
        ["2025-11-19T09:20:02Z", "V3-20251119092002-0002", SYMBOL, "SELL", "1", "0.0", "REJECTED", *labels],
    ]
    assert after == [
        *rows,
        ["2025-11-19T09:20:03Z", "V3-20251119092003-0003", SYMBOL, "SELL", "1", "19390.0", "FILLED", *labels],
    ]
    assert json.loads((folder / "checkpoints/paper_state_latest.json").read_text()) == {
        "positions": {SYMBOL: {"quantity": 0, "avg_price": 0.0, "realized_pnl": -110.0, "unrealized_pnl": 0.0}}
    }
    assert json.loads((folder / "analytics/runtime_metrics.json").read_text()) == {
        "total_orders": 2, "active_positions": 0, "realized_pnl": -110.0, "unrealized_pnl": 0.0, "total_pnl": -110.0
    }  # fmt: skip


def test_artefacts_go_on_after_a_restart(tmp_path: Path) -> None:
    for _ in range(2):
        with Signals(folder=tmp_path) as door:
            door.send("BUY")
    assert len((tmp_path / "artifacts/orders.csv").read_text().splitlines()) == 3
    state = json.loads((tmp_path / "artifacts/checkpoints/paper_state_latest.json").read_text())
    assert state["positions"][SYMBOL]["quantity"] == 2


@pytest.mark.parametrize(
    ("symbol", "underlying"),
    [("BANKNIFTY24DECFUT", "BANKNIFTY"), ("MIDCPNIFTY24DECFUT", "MIDCPNIFTY"), ("RELIANCE", "RELIANCE")],
)
def test_underlying_is_inferred_from_the_symbol(symbol: str, underlying: str) -> None:
    with Signals() as door:
        door.send("BUY", symbol, logical_symbol="something else")
        assert door.heard.rows[-1]["underlying"] == underlying
