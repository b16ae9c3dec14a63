"""What is asked again right before the wire. It withholds an order or lets it out as it is; an exit it never holds."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import pytest
from tests.domain.core import Core, profile
from tests.domain.gates.asking import UNIT, Kind, both, defined, hold_y, quoted, unpriced_y, unquoted

from surefill.domain.gates import RECHECKS, first_objection
from surefill.domain.inputs import SetProfile
from surefill.domain.intent import Action
from surefill.domain.limits import Limits
from surefill.domain.refusals import RefusalCode as Code
from surefill.units import NS_PER_S, PCT_PPB

PASSES, BLOCKS, MISSING, LIMIT, EXIT = Kind


class Recheck(NamedTuple):
    """An order of 10 pieces at 1000, decided after `before`; what has happened since, and what is said then."""

    kind: Kind
    code: Code | None = None
    figures: tuple[str, ...] = ()
    before: Callable[[Core], object] | None = None
    since: Callable[[Core], object] | None = None
    cash: int = 100_000 * UNIT
    closing: bool = False


def _waited(wait_ns: int) -> Callable[[Core], object]:
    return lambda core: core.tick(wait_ns)


PIPS = both(defined(pip=10), quoted(bid_px=1000, ask_px=1010))
MARGIN = defined(margin_ppb=10 * PCT_PPB)

CASES: dict[str, list[Recheck]] = {
    "tick_age": [
        Recheck(PASSES),
        Recheck(
            BLOCKS,
            Code.STALE_TICK,
            ("the last tick of X is 5.000000001 s old", "at most 5 s"),
            quoted(last_px=1000),
            _waited(5 * NS_PER_S),  # and the moment that the order took
        ),
        Recheck(MISSING, Code.STALE_TICK, ("no tick of X",), since=unquoted),
        Recheck(LIMIT, None, (), quoted(last_px=1000), _waited(5 * NS_PER_S - 1)),
        Recheck(EXIT, since=unquoted, closing=True),
    ],
    "spread_widening": [
        Recheck(PASSES, None, (), PIPS, quoted(bid_px=1000, ask_px=1005)),
        Recheck(
            BLOCKS,
            Code.SPREAD_WIDENED,
            ("the spread of X has opened by 2.1 pips", "at most 2 is allowed"),
            PIPS,
            quoted(bid_px=1000, ask_px=1031),
        ),
        Recheck(MISSING, Code.SPREAD_WIDENED, ("no bid, ask or pip of X",), PIPS, unquoted),
        Recheck(MISSING, Code.SPREAD_WIDENED, ("no bid, ask or pip",), PIPS, quoted(last_px=1000, ask_px=1)),
        Recheck(MISSING, Code.SPREAD_WIDENED, ("no bid, ask or pip",), quoted(bid_px=1000, ask_px=1010)),  # no pip
        Recheck(MISSING, Code.SPREAD_WIDENED, ("not known",), defined(pip=10), quoted(bid_px=1, ask_px=2)),  # not then
        Recheck(LIMIT, None, (), PIPS, quoted(bid_px=1000, ask_px=1030)),
        Recheck(EXIT, None, (), PIPS, unquoted, closing=True),
    ],
    "margin_left": [
        Recheck(PASSES, None, (), MARGIN),
        Recheck(
            BLOCKS,
            Code.MARGIN_DEPLETED,
            ("1000 EUR of margin needed", "1500 EUR with its cushion", "1499.999999 EUR is free"),
            MARGIN,
            cash=1_500 * UNIT - 1,
        ),
        Recheck(MISSING, Code.MARGIN_DEPLETED, ("instruments.X.margin_pct",)),
        Recheck(MISSING, Code.EQUITY_UNKNOWN, ("has no price",), MARGIN, unpriced_y),
        Recheck(LIMIT, None, (), MARGIN, cash=1_500 * UNIT),  # the order's own margin counts once
        Recheck(EXIT, since=hold_y(100), closing=True),
    ],
}


def _objection(name: str, case: Recheck) -> tuple[Code | None, str]:
    core = Core(profile("instrument", limits=Limits(allow_negative_cash=True)), cash=case.cash)
    if case.closing:
        core.hold(1, 10)
    if case.before is not None:
        case.before(core)
    order = core.order(0, 0, action=Action.CLOSE) if case.closing else core.order(qty=10)
    core.feed(SetProfile(core.now_ns, profile("instrument", rechecks=(name,)), "recheck on"))
    if case.since is not None:
        case.since(core)
    refusal = first_objection(core.state, order, core.now_ns)
    return (None, "") if refusal is None else (Code(refusal.code), refusal.reason)


@pytest.mark.parametrize(("name", "case"), [(name, case) for name, cases in CASES.items() for case in cases])
def test_recheck_row(name: str, case: Recheck) -> None:
    code, reason = _objection(name, case)
    assert code == case.code, reason
    assert [figure for figure in case.figures if figure not in reason] == [], reason
    assert (case.kind in (PASSES, EXIT)) <= (code is None)
    assert (case.kind in (BLOCKS, MISSING)) <= bool(code and case.figures)


@pytest.mark.parametrize("name", CASES)
def test_recheck_withholds_entries_where_it_lets_exits_through(name: str) -> None:
    for case in CASES[name]:
        if case.kind is EXIT:
            assert _objection(name, case._replace(closing=False))[0] is not None


def test_every_recheck_has_its_cases() -> None:
    assert CASES.keys() == RECHECKS.keys()
    assert all({case.kind for case in cases} == set(Kind) for cases in CASES.values())


def test_rechecks_are_asked_in_their_order_and_the_first_no_counts() -> None:
    core = Core(profile("instrument", rechecks=("margin_left", "tick_age"), limits=Limits(allow_negative_cash=True)))
    order = core.order(qty=10)
    unquoted(core)
    refusal = first_objection(core.state, order, core.now_ns)
    assert refusal is not None
    assert refusal.code == Code.MARGIN_DEPLETED
