"""Gates on the trades of a day. A trade is an intent that led to at least one fill; a working entry may become one."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.domain.core import Core
from tests.domain.gates.asking import Case, Kind, answer, check, check_entry_is_held, world

from surefill.domain.inputs import SetSession
from surefill.domain.intent import Action, ExitPlan
from surefill.domain.refusals import RefusalCode as Code
from surefill.domain.reports import ExecType
from surefill.rules.codes import PartialFill
from surefill.units import NS_PER_DAY

PASSES, BLOCKS, MISSING, LIMIT, EXIT = Kind
CLOSE = {"action": Action.CLOSE, "side": 0, "qty": 0}


def _trades(count: int, **fields: str) -> Callable[[Core], None]:
    """Intents that filled."""

    def play(core: Core) -> None:
        for _ in range(count):
            core.fill(core.order(qty=10, **fields), 10)  # type: ignore[arg-type]

    return play


def _works(core: Core) -> None:
    core.accept(core.order(qty=10, px=900))


def _ends(core: Core) -> None:
    core.rejected(core.order(qty=10))
    core.canceled(core.order(qty=10, px=900), cum_qty=0)


def _then(*plays: Callable[[Core], object]) -> Callable[[Core], None]:
    def play(core: Core) -> None:
        for each in plays:
            each(core)

    return play


#: Gate -> its limit, its code, how it calls the trades, and what does not count for it.
GATES: dict[str, tuple[str, Code, str, dict[str, str] | None]] = {
    "trades_per_day": ("trades_per_day_max", Code.TRADES_PER_DAY, "trades", None),
    "cap_total": ("cap_total_max", Code.CAP_TOTAL, "trades", None),
    "trades_per_strategy": (
        "trades_per_strategy_max",
        Code.TRADES_PER_STRATEGY,
        "trades of strategy s",
        {"strategy_id": "other"},
    ),
    "cap_strategy": ("cap_strategy_max", Code.CAP_STRATEGY, "trades of strategy s", {"strategy_id": "other"}),
    "cap_symbol": ("cap_symbol_max", Code.CAP_SYMBOL, "trades of X", {"instrument_id": "Y"}),
}


def _cases(limit: str, code: Code, whose: str, other: dict[str, str] | None) -> list[Case]:
    most = {limit: 2}
    return [
        Case(PASSES, limits=most, before=_trades(1)),
        Case(BLOCKS, code, (f"2 {whose} today", "2 are the limit", "d1"), limits=most, before=_trades(2)),
        Case(
            BLOCKS,
            code,
            (f"1 {whose} today and 1 orders that may become one", "2 are the limit"),
            limits=most,
            before=_then(_trades(1), _works),
        ),
        Case(PASSES, limits=most, before=_then(_trades(1), _ends)),
        *([Case(PASSES, limits=most, before=_then(_trades(1), _trades(1, **other)))] if other else []),
        Case(MISSING, Code.DAY_UNKNOWN, ("the trading day is not known", "calendar"), limits=most, day=False),
        Case(LIMIT, None, limits=most, before=_trades(1)),
        Case(LIMIT, code, limits=most, before=_trades(2)),
        Case(LIMIT, code, limits={limit: 0}),
        Case(EXIT, held=100, fields=CLOSE, limits={limit: 0}),
        Case(EXIT, held=100, fields={"side": -1, "qty": 50}, limits={limit: 0}),
        Case(EXIT, held=100, fields=CLOSE, limits=most, day=False),
    ]


CASES = {gate: _cases(*figures) for gate, figures in GATES.items()}


@pytest.mark.parametrize(("gate", "case"), [(gate, case) for gate, cases in CASES.items() for case in cases])
def test_caps_gate_row(gate: str, case: Case) -> None:
    check(gate, case)


@pytest.mark.parametrize("gate", CASES)
def test_caps_gate_holds_entries_where_it_lets_exits_through(gate: str) -> None:
    for case in CASES[gate]:
        if case.kind is EXIT:
            check_entry_is_held(gate, case)


def test_trades_are_counted_anew_with_the_next_trading_day() -> None:
    core = world("trades_per_day", Case(PASSES, limits={"trades_per_day_max": 1}, before=_trades(1)))
    assert answer(core)[0] == Code.TRADES_PER_DAY
    core.feed(SetSession(NS_PER_DAY, "24x7", "d2", NS_PER_DAY, 2 * NS_PER_DAY))
    assert answer(core)[0] is None


def test_trade_is_counted_once_however_many_fills_orders_and_exits_it_has() -> None:
    retried = {"partial_fill": int(PartialFill.RETRY), "attempts_max": 3}
    core = world("trades_per_day", Case(PASSES, limits={"trades_per_day_max": 9, **retried}))
    order = core.order(qty=100, px=1000, plan=ExitPlan(stop_px=900))
    for _ in range(3):
        core.fill(order, 20)
    core.report(order, ExecType.EXPIRED, cum_qty=60)
    (rest,) = core.live
    assert rest.parent == order.request.cl_ord_id
    core.fill(rest, 40)
    core.quote(900)
    core.fill(core.exit_order(), 100, 900)
    day = core.state.book.day
    assert (day.trades, day.trades_by_symbol, day.trades_by_strategy) == (1, {"X": 1}, {"s": 1})
