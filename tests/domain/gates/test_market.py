"""Gates on the market that the decision rests on: there, fresh, sane, open, tight and deep enough."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.domain.core import Core
from tests.domain.gates.asking import Case, Kind, both, check, check_entry_is_held, defined, quoted, unquoted

from surefill.domain.inputs import SetSession
from surefill.domain.instrument import Terms
from surefill.domain.intent import Action
from surefill.domain.refusals import RefusalCode as Code
from surefill.units import NS_PER_HOUR, PCT_PPB

PASSES, BLOCKS, MISSING, LIMIT, EXIT = Kind
CLOSE = {"action": Action.CLOSE, "side": 0, "qty": 0}
NOON = 12 * NS_PER_HOUR


def _session(open_ns: int, end_ns: int, at_ns: int) -> Callable[[Core], None]:
    """The instrument trades by a calendar of its own; the intent comes at `at_ns`."""

    def play(core: Core) -> None:
        defined(calendar="nse")(core)
        core.feed(SetSession(core.tick(), "nse", "d1", open_ns, end_ns))
        core.now_ns = at_ns - 1

    return play


def _aged(age_ns: int) -> Callable[[Core], object]:
    return both(quoted(last_px=1000), lambda core: core.tick(age_ns - 1))


PIP = {"pip": 10}
WIDE = {"spread_max_mpip": 1_500}

CASES: dict[str, list[Case]] = {
    "market_data": [
        Case(PASSES),
        Case(BLOCKS, Code.NO_MARKET_DATA, ("no price for X", "connect its feed"), before=unquoted),
        Case(MISSING, Code.NO_MARKET_DATA, ("X",), before=quoted(bid_px=1000)),  # the other side
        Case(LIMIT, before=quoted(ask_px=1)),
        Case(EXIT, held=100, fields=CLOSE, before=unquoted),
        Case(EXIT, held=100, fields={"side": -1, "qty": 50}, before=unquoted),
        Case(EXIT, held=-100, fields=CLOSE, before=unquoted),
    ],
    "stale": [
        Case(PASSES, limits={"price_max_age_ns": 100}),
        Case(
            BLOCKS,
            Code.STALE_PRICE,
            ("0.000000101 s old", "at most 0.0000001 s"),
            limits={"price_max_age_ns": 100},
            before=_aged(101),
        ),
        Case(MISSING, Code.NO_MARKET_DATA, ("X",), limits={"price_max_age_ns": 100}, before=unquoted),
        Case(LIMIT, limits={"price_max_age_ns": 100}, before=_aged(100)),
        Case(EXIT, held=100, fields=CLOSE, limits={"price_max_age_ns": 100}, before=_aged(101)),
        Case(EXIT, held=100, fields=CLOSE, limits={"price_max_age_ns": 100}, before=unquoted),
    ],
    "sane": [
        Case(PASSES, before=quoted(bid_px=999, ask_px=1001)),
        Case(BLOCKS, Code.CROSSED_MARKET, ("bid 1001", "ask 999"), before=quoted(bid_px=1001, ask_px=999)),
        Case(LIMIT, before=quoted(bid_px=1000, ask_px=1000)),
        Case(EXIT, held=100, fields=CLOSE, before=quoted(bid_px=1001, ask_px=999)),
    ],
    "market_hours": [
        Case(PASSES, before=_session(0, 2 * NOON, NOON)),
        Case(
            BLOCKS,
            Code.MARKET_CLOSED,
            ("X is closed at 1970-01-01T11", "calendar nse opens next at 1970-01-01T12:00"),
            before=_session(NOON, 2 * NOON, NOON - NS_PER_HOUR),
        ),
        Case(MISSING, Code.CALENDAR_UNKNOWN, ("calendar nse", "add the year"), before=defined(calendar="nse")),
        Case(MISSING, Code.CALENDAR_UNKNOWN, ("calendar 24x7",), day=False),
        Case(LIMIT, before=_session(NOON, 2 * NOON, NOON)),
        Case(LIMIT, Code.MARKET_CLOSED, before=_session(NOON, 2 * NOON, NOON - 1)),
        Case(LIMIT, before=_session(0, NOON, NOON - 1)),
        Case(LIMIT, Code.CALENDAR_UNKNOWN, before=_session(0, NOON, NOON)),
        Case(EXIT, held=100, fields=CLOSE, before=_session(NOON, 2 * NOON, NOON - 1)),
        Case(EXIT, held=100, fields=CLOSE, day=False),
    ],
    "tradable": [
        Case(PASSES),
        Case(BLOCKS, Code.SYMBOL_NOT_TRADABLE, ("X is not tradable",), before=defined(terms=(Terms(tradable=False),))),
        Case(
            LIMIT,
            Code.SYMBOL_NOT_TRADABLE,
            before=both(defined(terms=(Terms(), Terms(NOON, tradable=False))), lambda core: core.tick(NOON)),
        ),
        Case(LIMIT, before=defined(terms=(Terms(), Terms(10**6, tradable=False)))),
        Case(EXIT, held=100, fields=CLOSE, before=defined(terms=(Terms(tradable=False),))),
    ],
    "spread": [
        Case(PASSES, limits=WIDE, before=both(defined(**PIP), quoted(bid_px=1000, ask_px=1005))),
        Case(
            BLOCKS,
            Code.SPREAD_TOO_WIDE,
            ("bid 1000, ask 1016: 16 (1.6 pips) apart", "at most 1.5 pips"),
            limits=WIDE,
            before=both(defined(**PIP), quoted(bid_px=1000, ask_px=1016)),
        ),
        Case(
            BLOCKS,
            Code.SPREAD_TOO_WIDE,
            ("11 apart", "at most 1 %"),
            limits={"spread_max_ppb": PCT_PPB},
            before=quoted(bid_px=995, ask_px=1006),
        ),
        Case(
            BLOCKS,
            Code.SPREAD_TOO_WIDE,
            ("5 (0.5 pips) apart", "at most 4 is allowed"),
            {"max_spread": 4},  # the intent's own
            WIDE,
            before=both(defined(**PIP), quoted(bid_px=1000, ask_px=1005)),
        ),
        Case(MISSING, Code.NO_MARKET_DATA, ("no bid and ask for X",), before=unquoted),
        Case(MISSING, Code.NO_MARKET_DATA, ("its spread is not known",), before=quoted(last_px=1000, ask_px=1000)),
        Case(MISSING, Code.NO_MARKET_DATA, ("its spread is not known",), before=quoted(last_px=1000, bid_px=1000)),
        Case(LIMIT, limits=WIDE, before=both(defined(**PIP), quoted(bid_px=1000, ask_px=1015))),
        Case(LIMIT, limits={"spread_max_ppb": PCT_PPB}, before=quoted(bid_px=995, ask_px=1005)),
        Case(LIMIT, fields={"max_spread": 4}, before=quoted(bid_px=1000, ask_px=1004)),
        Case(LIMIT, before=quoted(bid_px=1000, ask_px=1000)),
        Case(LIMIT, Code.SPREAD_TOO_WIDE, ("at most 0 %",), before=quoted(bid_px=1000, ask_px=1001)),
        Case(EXIT, held=100, fields=CLOSE, before=quoted(bid_px=900, ask_px=1100)),
        Case(EXIT, held=100, fields=CLOSE, before=unquoted),
    ],
    "liquidity": [
        Case(PASSES, before=quoted(bid_px=999, ask_px=1000, bid_qty=1, ask_qty=50)),
        Case(
            BLOCKS,
            Code.INSUFFICIENT_LIQUIDITY,
            ("10 wanted of X, 9 is what the book shows",),
            before=quoted(bid_px=999, ask_px=1000, bid_qty=50, ask_qty=9),
        ),
        Case(
            BLOCKS,
            Code.INSUFFICIENT_LIQUIDITY,
            ("10 wanted of X, 9 is what the book shows",),
            {"side": -1},
            before=quoted(bid_px=999, ask_px=1000, bid_qty=9, ask_qty=50),
        ),
        Case(
            BLOCKS,
            Code.INSUFFICIENT_LIQUIDITY,
            ("0 is what the book shows",),
            before=quoted(bid_px=999, ask_px=1000, bid_qty=50),  # one side of a book
        ),
        Case(
            BLOCKS,
            Code.INSUFFICIENT_LIQUIDITY,
            ("9 is what one order may be (no book is shown)",),
            before=defined(terms=(Terms(max_qty=9),)),
        ),
        Case(MISSING, Code.NO_MARKET_DATA, ("no price for X",), before=unquoted),
        Case(LIMIT, before=quoted(bid_px=999, ask_px=1000, bid_qty=1, ask_qty=10)),
        Case(LIMIT, before=defined(terms=(Terms(max_qty=10),))),
        Case(EXIT, held=100, fields=CLOSE, before=quoted(bid_px=999, ask_px=1000, bid_qty=1, ask_qty=1)),
        Case(EXIT, held=100, fields=CLOSE, before=unquoted),
    ],
}


@pytest.mark.parametrize(("gate", "case"), [(gate, case) for gate, cases in CASES.items() for case in cases])
def test_market_gate_row(gate: str, case: Case) -> None:
    check(gate, case)


@pytest.mark.parametrize("gate", ["liquidity", "market_data", "market_hours", "sane", "spread", "stale", "tradable"])
def test_market_gate_holds_entries_where_it_lets_exits_through(gate: str) -> None:
    for case in CASES[gate]:
        if case.kind is EXIT:
            check_entry_is_held(gate, case)
