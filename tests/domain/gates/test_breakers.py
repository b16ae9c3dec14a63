"""Breakers as gates, on an entry. How they trip, whom they tell, how they are armed: tests/domain/test_breakers.py."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests.domain.core import Core
from tests.domain.gates.asking import CASH, UNIT, Case, Kind, both, check, check_entry_is_held, quoted, unpriced_y

from surefill.domain.intent import Action
from surefill.domain.refusals import RefusalCode as Code
from surefill.units import PCT_PPB

PASSES, BLOCKS, MISSING, LIMIT, EXIT = Kind
CLOSE = {"action": Action.CLOSE, "side": 0, "qty": 0}


def _lost(euro: int) -> Callable[[Core], None]:
    """One piece of Y was bought and sold with that loss."""

    def play(core: Core) -> None:
        core.quote(10_000, "Y")
        core.fill(core.order(qty=1, instrument_id="Y"), 1, 10_000)
        core.fill(core.order(0, 0, action=Action.CLOSE, instrument_id="Y"), 1, 10_000 - euro)

    return play


def _losses(count: int) -> Callable[[Core], None]:
    def play(core: Core) -> None:
        for _ in range(count):
            _lost(1)(core)

    return play


def _rejects(count: int) -> Callable[[Core], None]:
    def play(core: Core) -> None:
        for _ in range(count):
            core.rejected(core.order(qty=10))

    return play


def _slipped(px: int) -> Callable[[Core], object]:
    return lambda core: core.fill(core.order(qty=10), 10, px)


LOSS = {"daily_loss_max": 1_000 * UNIT}
ONE_PCT: dict[str, dict[str, Any]] = {
    "daily_drawdown": {"daily_drawdown_max_ppb": PCT_PPB},
    "drawdown": {"drawdown_max_ppb": PCT_PPB},
    "equity_drop": {"equity_drop_max_ppb": PCT_PPB},
}
FELL = {"daily_drawdown": "the day's high", "drawdown": "its highest", "equity_drop": "the day's start"}


def _fell(px: int) -> Callable[[Core], object]:
    """The day's equity is known, then X is at that price."""
    return both(quoted(last_px=1000), quoted(last_px=px))


def _equity(gate: str, code: Code) -> list[Case]:
    """100 pieces at 1000 in an account of 100 000: each unit of price is 0.1 % of it."""
    limits = ONE_PCT[gate]
    return [
        Case(PASSES, held=100, limits=limits, before=_fell(1005)),
        Case(
            BLOCKS,
            code,
            (f"1100 EUR below {FELL[gate]}", "1.1 %", "at most 1 %"),
            held=100,
            limits=limits,
            before=_fell(989),
        ),
        Case(MISSING, Code.EQUITY_UNKNOWN, ("an open position has no price",), limits=limits, before=unpriced_y),
        Case(LIMIT, held=100, limits=limits, before=_fell(990)),
        Case(EXIT, held=100, fields=CLOSE, limits=limits, before=_fell(500)),
        Case(EXIT, held=100, fields=CLOSE, limits=limits, before=unpriced_y),
    ]


def _no_day(limits: dict[str, Any]) -> Case:
    return Case(MISSING, Code.DAY_UNKNOWN, ("the trading day is not known", "calendar"), limits=limits, day=False)


CASES: dict[str, list[Case]] = {
    "daily_loss": [
        Case(PASSES, limits=LOSS, before=_lost(-5_000)),
        Case(
            BLOCKS,
            Code.DAILY_LOSS,
            ("daily loss 1001 EUR of 1000 EUR", "re-armed with the next trading day"),
            limits=LOSS,
            before=_lost(1_001),
        ),
        _no_day(LOSS),
        Case(MISSING, Code.LIMIT_MISSING, ("risk.daily_loss_max",)),
        Case(LIMIT, limits=LOSS, before=_lost(1_000)),
        Case(EXIT, held=100, fields=CLOSE, limits=LOSS, before=_lost(1_001)),
        Case(EXIT, held=100, fields=CLOSE),
    ],
    "daily_drawdown": [*_equity("daily_drawdown", Code.DAILY_DRAWDOWN), _no_day(ONE_PCT["daily_drawdown"])],
    "drawdown": [
        *_equity("drawdown", Code.DRAWDOWN),
        Case(
            BLOCKS,
            Code.DRAWDOWN,
            ("100 EUR below its highest (100000 EUR)", "at most 99.999999 EUR", "find the cause, then re-arm it"),
            held=100,
            limits={"drawdown_value_max": 100 * UNIT - 1},
            before=quoted(last_px=999),
        ),
        Case(LIMIT, held=100, limits={"drawdown_value_max": 100 * UNIT}, before=quoted(last_px=999)),
        Case(BLOCKS, Code.DRAWDOWN, ("all of it",), held=100, before=quoted(last_px=999), cash=0),
    ],
    "equity_drop": [*_equity("equity_drop", Code.EQUITY_DROP), _no_day(ONE_PCT["equity_drop"])],
    "loss_streak": [
        Case(PASSES, before=_losses(4)),
        Case(BLOCKS, Code.LOSS_STREAK, ("5 losing positions in a row, 5 are the limit",), before=_losses(5)),
        Case(LIMIT, Code.LOSS_STREAK, limits={"loss_streak_max": 2}, before=_losses(2)),
        Case(LIMIT, limits={"loss_streak_max": 2}, before=_losses(1)),
        Case(EXIT, held=100, fields=CLOSE, before=_losses(5)),
    ],
    "reject_streak": [
        Case(PASSES, before=_rejects(4)),
        Case(BLOCKS, Code.REJECT_STREAK, ("5 orders in a row refused", "5 are the limit"), before=_rejects(5)),
        Case(LIMIT, Code.REJECT_STREAK, limits={"reject_streak_max": 2}, before=_rejects(2)),
        Case(LIMIT, limits={"reject_streak_max": 2}, before=_rejects(1)),
        Case(EXIT, held=100, fields=CLOSE, before=_rejects(5)),
    ],
    "slippage": [
        Case(PASSES, before=_slipped(1_010)),
        Case(BLOCKS, Code.SLIPPAGE, ("2.1 % worse than its price", "at most 2 %"), before=_slipped(1_021)),
        Case(LIMIT, before=_slipped(1_020)),
        Case(EXIT, held=100, fields=CLOSE, before=_slipped(1_021)),
    ],
}


@pytest.mark.parametrize(("gate", "case"), [(gate, case) for gate, cases in CASES.items() for case in cases])
def test_breaker_gate_row(gate: str, case: Case) -> None:
    assert case.cash in (CASH, 0)
    check(gate, case)


@pytest.mark.parametrize("gate", CASES)
def test_breaker_gate_holds_entries_where_it_lets_exits_through(gate: str) -> None:
    for case in CASES[gate]:
        if case.kind is EXIT:
            check_entry_is_held(gate, case)
