"""Door 1, row by row of its contract: lifecycle, stop loss, take profit, partial exit, trailing, time stop."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from tests.intake.door_driving import SYMBOL, Signals

from surefill.domain.events import ExitTriggered, StopMoved
from surefill.errors import InputError
from surefill.rules.codes import ExitReason


def exits(door: Signals) -> list[str]:
    return [ExitReason(event.reason).name for event in door.events() if isinstance(event, ExitTriggered)]


def stops(door: Signals) -> list[float]:
    return [event.stop_px / 10_000 for event in door.events() if isinstance(event, StopMoved)]


# -- stop loss, take profit -------------------------------------------------------------------------------------

TICKS: list[tuple[str, dict[str, Any], float, str]] = [
    ("BUY", {"sl_price": 99.0}, 99.05, ""),
    ("BUY", {"sl_price": 99.0}, 99.0, "STOP"),  # inclusive
    ("BUY", {"sl_price": 99.0}, 95.0, "STOP"),
    ("SELL", {"sl_price": 101.0}, 100.95, ""),
    ("SELL", {"sl_price": 101.0}, 101.0, "STOP"),
    ("BUY", {"tp_price": 102.0}, 101.95, ""),
    ("BUY", {"tp_price": 102.0}, 102.0, "TARGET"),
    ("SELL", {"tp_price": 98.0}, 98.05, ""),
    ("SELL", {"tp_price": 98.0}, 98.0, "TARGET"),
]


@pytest.mark.parametrize(("word", "levels", "px", "reason"), TICKS)
def test_stop_loss_and_take_profit_are_inclusive_and_close_all(
    word: str, levels: dict[str, Any], px: float, reason: str
) -> None:
    with Signals(100.0) as door:
        door.send(word, fixed_qty=4, **levels)
        door.price(px)
        assert exits(door) == ([reason] if reason else [])
        assert (door.position().quantity == 0) == bool(reason)
        if reason:
            assert door.heard.rows[-1]["price"] == px


@pytest.mark.parametrize("word", ["BUY", "SELL"])
def test_stop_loss_on_the_wrong_side_is_refused(word: str) -> None:
    with Signals(100.0) as door:
        result = door.send(word, sl_price=101.0 if word == "BUY" else 99.0)
        assert result.reason.startswith("stop_on_wrong_side: stop")
        result = door.send(word, tp_price=99.0 if word == "BUY" else 101.0)
        assert result.reason.startswith("target_on_wrong_side: target")


@pytest.mark.parametrize(("word", "back"), [("BUY", "SELL"), ("SELL", "BUY")])
def test_signal_that_only_reduces_may_carry_the_levels_of_what_it_leaves(word: str, back: str) -> None:
    stop, target = (99.0, 105.0) if word == "BUY" else (101.0, 95.0)
    with Signals(100.0) as door:
        door.send(word, fixed_qty=2, sl_price=stop, tp_price=target)
        assert door.send(back, fixed_qty=1, sl_price=stop, tp_price=target).status == "FILLED"
        assert abs(door.position().quantity) == 1
        assert door.send(back, fixed_qty=2, sl_price=stop).reason.startswith("stop_on_wrong_side")  # it turns it round
        door.price(stop)
        assert exits(door) == ["STOP"]


@pytest.mark.parametrize("level", [float("nan"), -5.0, "x", 99.00001])
def test_stop_loss_that_cannot_be_counted_is_refused(level: Any) -> None:
    with Signals(100.0) as door:
        result = door.send("BUY", sl_price=level)
        assert result.reason.startswith("invalid_plan: sl_price")
        assert door.engine.positions() == {}


@pytest.mark.parametrize(("target_first", "reason"), [(False, "STOP"), (True, "TARGET")])
def test_take_profit_and_stop_in_one_bar_is_the_stop_unless_configured(target_first: bool, reason: str) -> None:
    with Signals(100.0, execution={"target_first_on_bar": target_first}) as door:
        door.send("BUY", sl_price=99.0, tp_price=101.0)
        door.tick()
        door.candle(100.0, 101.5, 98.5, 100.0)
        assert exits(door) == [reason]


def test_take_profit_on_one_tick_is_checked_before_the_stop() -> None:
    # A stop trailed above the target: one price is at both.
    with Signals(100.0) as door:
        door.send("BUY", sl_price=90.0, tp_price=120.0, trailing=1.0)
        door.price(119.0)
        door.price(120.0)
        assert exits(door) == ["TARGET"]


ENABLED: list[dict[str, Any]] = [
    {},
    {"enable_time_stop": True},
    {"enable_trailing": True},
    {"enable_partial_exit": True},
    {"enable_time_stop": True, "enable_trailing": True, "enable_partial_exit": True},
]


@pytest.mark.parametrize("execution", ENABLED)
@pytest.mark.parametrize("added", [{}, {"tp_price": 110.0}, {"sl_price": 90.0}, {"time_stop_bars": 5}])
@pytest.mark.parametrize("side", [1, -1])
def test_stop_loss_guards_what_is_added_too(execution: dict[str, Any], added: dict[str, Any], side: int) -> None:
    word = "BUY" if side > 0 else "SELL"
    if side < 0:
        added = {name: 200.0 - value if name.endswith("price") else value for name, value in added.items()}
    with Signals(100.0, execution=execution) as door:
        door.send(word, fixed_qty=1, sl_price=100.0 - side)
        door.send(word, fixed_qty=2, **added)
        door.price(100.0 - 2 * side)
        if execution.get("enable_partial_exit"):  # the second breach closes the rest
            door.price(100.0 - 2 * side)
        assert door.position().quantity == 0


def test_time_stop_counts_from_the_entry_whatever_is_added() -> None:
    with Signals(100.0, execution={"enable_time_stop": True, "time_stop_bars": 3}) as door:
        door.send("BUY", fixed_qty=1)
        for _ in range(3):
            door.send("BUY", fixed_qty=1)
            door.candle(100.0, 100.0, 100.0, 100.0)
        assert exits(door) == ["TIME_STOP"]
        assert door.position().quantity == 0


def test_trailed_stop_is_not_moved_back_by_an_addition() -> None:
    with Signals(100.0) as door:
        door.send("BUY", fixed_qty=1, sl_price=98.0, trailing=2.0)
        door.price(105.0)
        assert stops(door) == [103.0]
        door.send("BUY", fixed_qty=1, sl_price=98.0)
        door.price(102.9)
        assert exits(door) == ["TRAILING"]
        assert door.position().quantity == 0


# -- partial exit -----------------------------------------------------------------------------------------------

PARTIALS: list[tuple[dict[str, Any], int, int, int]] = [
    # settings, quantity held, left after the first breach, left after the second
    ({}, 4, 0, 0),
    ({"enable_partial_exit": True}, 4, 2, 0),
    ({"enable_partial_exit": True}, 5, 3, 0),  # rounded to lots
    ({"enable_partial_exit": True}, 1, 0, 0),  # one lot: a full exit
    ({"enable_partial_exit": True, "partial_exit_pct": 0.25}, 4, 3, 0),
    ({"enable_partial_exit": True, "partial_exit_pct": 0.01}, 4, 3, 0),  # never 0 lots
]


@pytest.mark.parametrize(("execution", "held", "first", "second"), PARTIALS)
def test_partial_exit_closes_its_part_at_the_first_breach_and_the_rest_at_the_second(
    execution: dict[str, Any], held: int, first: int, second: int
) -> None:
    with Signals(100.0, execution=execution) as door:
        door.send("BUY", fixed_qty=held, sl_price=99.0)
        door.price(98.9)
        assert door.position().quantity == first
        door.price(98.8)
        assert door.position().quantity == second
        assert exits(door) == (["PARTIAL", "STOP"] if first else ["STOP"])


def test_partial_exit_in_lots_closes_whole_lots() -> None:
    settings: dict[str, Any] = {"execution": {"enable_partial_exit": True}, "instruments": {SYMBOL: {"lot": 75}}}
    with Signals(100.0, **settings) as door:
        door.send("BUY", fixed_qty=225, sl_price=99.0)
        door.price(99.0)
        assert door.position().quantity == 150


def test_partial_exit_ladder_takes_profit_level_by_level() -> None:
    with Signals(100.0) as door:
        door.send("BUY", fixed_qty=4, sl_price=90.0, ladder=[(105.0, 0.5), (110.0, 0.5)])
        held = []
        for px in (104.9, 105.0, 106.0, 110.0, 90.0):
            door.price(px)
            held.append(door.position().quantity)
        assert held == [4, 2, 2, 1, 0]


# -- trailing ---------------------------------------------------------------------------------------------------


def test_trailing_follows_the_extreme_by_initial_risk_times_step_and_never_back() -> None:
    with Signals(100.0, execution={"enable_trailing": True}) as door:
        door.send("BUY", sl_price=98.0)  # risk 2, step 0.5: one behind the extreme
        for px in (100.5, 103.0, 102.5, 104.0):
            door.price(px)
        assert stops(door) == [99.5, 102.0, 103.0]
        door.price(103.0)
        assert exits(door) == ["TRAILING"]


@pytest.mark.parametrize(("asked", "moved"), [(np.bool_(True), [99.5]), (np.bool_(False), [])])
def test_trailing_may_be_asked_for_with_numpys_truth_value(asked: Any, moved: list[float]) -> None:
    with Signals(100.0) as door:
        assert door.send("BUY", sl_price=98.0, trailing=asked).status == "FILLED"
        door.price(100.5)
        assert stops(door) == moved


def test_trailing_of_a_short_mirrors() -> None:
    with Signals(100.0, execution={"enable_trailing": True, "trail_step_r": 1}) as door:
        door.send("SELL", sl_price=102.0)
        door.price(95.0)
        door.price(96.0)
        assert stops(door) == [97.0]
        door.price(97.0)
        assert exits(door) == ["TRAILING"]


def test_trailing_measures_risk_at_entry_not_at_the_moved_stop() -> None:
    with Signals(100.0, execution={"enable_trailing": True}) as door:
        door.send("BUY", sl_price=98.0)
        for px in (110.0, 120.0, 130.0):
            door.price(px)
        assert stops(door) == [109.0, 119.0, 129.0]


TRAILINGS: list[tuple[bool, Any, float | None, list[float]]] = [
    # configured, the context's, stop, where the stop is after 110
    (False, None, 98.0, []),
    (True, None, 98.0, [109.0]),
    (True, False, 98.0, []),
    (False, True, 98.0, [109.0]),
    (False, 4.0, 98.0, [106.0]),
    (True, None, None, []),  # no stop, no R: nothing to follow
    (False, 4.0, None, [106.0]),
]


@pytest.mark.parametrize(("configured", "asked", "stop", "expected"), TRAILINGS)
def test_trailing_is_configured_and_the_context_overrides(
    configured: bool, asked: Any, stop: float | None, expected: list[float]
) -> None:
    with Signals(100.0, execution={"enable_trailing": configured}) as door:
        assert door.send("BUY", trailing=asked, sl_price=stop).status == "FILLED"
        door.price(110.0)
        assert stops(door) == expected


def test_trailing_by_r_that_is_asked_for_without_a_stop_is_refused() -> None:
    with Signals(100.0) as door:
        assert door.send("BUY", trailing=True).reason.startswith("invalid_plan: trailing by R needs a stop")


# -- time stop --------------------------------------------------------------------------------------------------

BARS: list[tuple[dict[str, Any], Any, int]] = [
    ({}, None, 0),
    ({"enable_time_stop": True, "time_stop_bars": 3}, None, 3),
    ({"enable_time_stop": True, "time_stop_bars": 3}, 2, 2),
    ({"enable_time_stop": True, "time_stop_bars": 3}, 0, 0),
    ({"time_stop_bars": 3}, None, 0),
    ({}, 2, 2),
]


@pytest.mark.parametrize(("execution", "asked", "bars"), BARS)
def test_time_stop_counts_closed_bars_and_closes_at_market(execution: dict[str, Any], asked: Any, bars: int) -> None:
    with Signals(100.0, execution=execution) as door:
        door.send("BUY", time_stop_bars=asked)
        closed_after = 0
        for number in range(1, 6):
            door.candle(100.0, 110.0, 100.0, 100.0 + number)
            if not closed_after and not door.position().quantity:
                closed_after = number
        assert closed_after == bars
        assert exits(door) == (["TIME_STOP"] if bars else [])
        if bars:
            assert door.heard.rows[-1]["price"] == 100.0 + bars


def test_time_stop_by_default_is_twenty_bars() -> None:
    with Signals(100.0, execution={"enable_time_stop": True}) as door:
        door.send("BUY")
        for _ in range(19):
            door.candle(100.0, 100.0, 100.0, 100.0)
        assert door.position().quantity == 1
        door.candle(100.0, 100.0, 100.0, 100.0)
        assert door.position().quantity == 0


def test_time_stop_is_not_counted_by_ticks() -> None:
    with Signals(100.0) as door:
        door.send("BUY", time_stop_bars=1)
        for _ in range(5):
            door.price(100.0)
        assert door.position().quantity == 1


# -- on_candle_close --------------------------------------------------------------------------------------------


class Candle:
    """An object instead of a mapping, and only a close."""

    close = 98.0


@pytest.mark.parametrize("candle", [{"close": 98.0}, {"c": 98.0, "o": 98.0, "h": 98.0, "l": 98.0}, Candle()])
def test_candle_of_any_shape_reaches_the_stop(candle: object) -> None:
    with Signals(100.0) as door:
        door.send("BUY", sl_price=99.0)
        door.tick(300)
        door.engine.on_candle_close(SYMBOL, candle)
        assert exits(door) == ["STOP"]


def test_candle_that_gaps_through_the_stop_leaves_at_its_open() -> None:
    with Signals(100.0) as door:
        door.send("BUY", sl_price=99.0)
        door.tick(300)
        door.candle(97.0, 97.5, 96.0, 97.2)
        assert door.heard.rows[-1]["price"] == 97.0


def test_candle_without_a_start_began_one_timeframe_ago() -> None:
    with Signals(100.0) as door:
        door.send("BUY", tp_price=101.0)
        door.tick(299)
        door.engine.on_candle_close(SYMBOL, {"open": 100.0, "high": 101.0, "low": 100.0, "close": 100.5})
        assert exits(door) == []  # entered inside it: the high may have been before
        door.tick(300)
        door.engine.on_candle_close(SYMBOL, {"open": 100.0, "high": 101.0, "low": 100.0, "close": 100.5})
        assert exits(door) == ["TARGET"]


@pytest.mark.parametrize(
    "candle",
    [{}, {"close": None}, {"close": float("nan")}, {"close": 0}, {"open": 1, "high": 1, "low": 2, "close": 1}, None],
)
def test_candle_that_is_none_raises(candle: Any) -> None:
    with Signals(100.0) as door:
        door.send("BUY")
        with pytest.raises(InputError):
            door.engine.on_candle_close(SYMBOL, candle)
        assert door.position().quantity == 1


def test_candle_of_an_unknown_symbol_is_skipped() -> None:
    with Signals(100.0) as door:
        before = door.events()
        door.engine.on_candle_close("UNKNOWN", {"close": 1.0})
        assert door.events() == before


# -- lifecycle --------------------------------------------------------------------------------------------------


def stop(door: Signals) -> None:
    door.price(99.0)


def target(door: Signals) -> None:
    door.price(101.0)


def signal_exit(door: Signals) -> None:
    door.send("EXIT")


LIVES: list[tuple[Callable[[Signals], None] | None, str]] = [
    (None, "CREATED SUBMITTED FILLED ACTIVE"),
    (stop, "CREATED SUBMITTED FILLED ACTIVE SL_PENDING CLOSED"),
    (target, "CREATED SUBMITTED FILLED ACTIVE TP_PENDING CLOSED"),
    (signal_exit, "CREATED SUBMITTED FILLED ACTIVE CLOSED"),
]


@pytest.mark.parametrize(("then", "stages"), LIVES)
def test_lifecycle_of_an_order_is_the_documents(then: Callable[[Signals], None] | None, stages: str) -> None:
    with Signals(100.0) as door:
        order_id = door.send("BUY", sl_price=99.0, tp_price=101.0).order_id
        if then is not None:
            then(door)
        assert " ".join(stage.name for stage in door.engine.lifecycle(order_id)) == stages
        assert door.engine.lifecycle("V3-no-such-order") == []


def test_lifecycle_of_a_rejected_signal_is_over_at_once() -> None:
    with Signals(None) as door:
        order_id = door.send("BUY").order_id
        assert [stage.name for stage in door.engine.lifecycle(order_id)] == ["CREATED", "CLOSED"]
