"""Gates on size in money: of the order, its basket, the position, the account; and on the margin that it binds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests.domain.core import Core
from tests.domain.gates.asking import (
    UNIT,
    Case,
    Kind,
    answer,
    both,
    check,
    check_entry_is_held,
    defined,
    hold_y,
    quoted,
    unpriced_y,
    unquoted,
    world,
)

from surefill.domain.inputs import OutcomeUnknown, SetSession
from surefill.domain.intent import Action
from surefill.domain.refusals import RefusalCode as Code
from surefill.domain.sizing import Correlation, SizingCaps
from surefill.rules.codes import OrdType
from surefill.units import NS_PER_DAY, PCT_PPB, PPB

PASSES, BLOCKS, MISSING, LIMIT, EXIT = Kind
CLOSE = {"action": Action.CLOSE, "side": 0, "qty": 0}
ORDER = 10_000 * UNIT  # what an order of 10 at 1000 stands in for
HALF = PPB // 2


def _basket(*names: str) -> Callable[[Core], None]:
    """Orders of 10 at 1000, one for each name."""

    def play(core: Core) -> None:
        for name in names:
            core.order(qty=10, basket_id=name)

    return play


def _works(core: Core) -> None:
    """An order that rests, of whose fate nobody knows."""
    order = core.order(qty=10, px=1000)
    core.feed(OutcomeUnknown(core.tick(), order.request.cl_ord_id, "timed out"))


XY = (Correlation("X", "Y", HALF),)
B: dict[str, Any] = {"basket_id": "b"}

CASES: dict[str, list[Case]] = {
    "order_value": [
        Case(PASSES, limits={"order_value_max": 2 * ORDER}),
        Case(
            BLOCKS,
            Code.ORDER_VALUE_EXCEEDED,
            ("order of 10000 EUR", "at most 9999.999999 EUR"),
            limits={"order_value_max": ORDER - 1},
        ),
        Case(
            BLOCKS,
            Code.ORDER_VALUE_EXCEEDED,
            ("order of 11000 EUR",),
            {"ord_type": OrdType.LIMIT, "px": 1100},  # the worst price that it may trade at
            {"order_value_max": ORDER},
        ),
        Case(MISSING, Code.LIMIT_MISSING, ("risk.order_value_max",)),
        Case(MISSING, Code.NO_MARKET_DATA, ("no price for X",), limits={"order_value_max": ORDER}, before=unquoted),
        Case(LIMIT, limits={"order_value_max": ORDER}),
        Case(EXIT, held=100, fields=CLOSE, limits={"order_value_max": 0}),
    ],
    "basket": [
        Case(PASSES, fields=B, limits={"basket_value_max": 3 * ORDER}, before=_basket("b")),
        Case(
            BLOCKS,
            Code.BASKET_VALUE_EXCEEDED,
            ("basket b of 30000 EUR", "20000 EUR of it is there already", "at most 29999.999999 EUR"),
            B,
            {"basket_value_max": 3 * ORDER - 1},
            before=_basket("b", "b"),
        ),
        Case(
            BLOCKS,
            Code.BASKET_VALUE_EXCEEDED,
            ("order without a basket of 10000 EUR",),
            limits={"basket_value_max": ORDER - 1},
        ),
        Case(PASSES, fields=B, limits={"basket_value_max": ORDER}, before=_basket("c", "d", "")),
        Case(MISSING, Code.LIMIT_MISSING, ("risk.basket_value_max",), B),
        Case(MISSING, Code.NO_MARKET_DATA, ("no price",), B, {"basket_value_max": ORDER}, before=unquoted),
        Case(LIMIT, fields=B, limits={"basket_value_max": 3 * ORDER}, before=_basket("b", "b")),
        Case(EXIT, held=100, fields={**CLOSE, **B}, limits={"basket_value_max": ORDER}, before=_basket("b")),
    ],
    "position_limit": [
        Case(PASSES, held=10, limits={"position_value_max": 3 * ORDER}),
        Case(
            BLOCKS,
            Code.POSITION_LIMIT_EXCEEDED,
            ("position in X of 30000 EUR", "20000 EUR of it is there already", "at most 29999.999999 EUR"),
            held=10,
            limits={"position_value_max": 3 * ORDER - 1},
            before=_works,
        ),
        Case(
            BLOCKS,
            Code.POSITION_LIMIT_EXCEEDED,
            ("20000 EUR",),
            {"side": -1, "qty": 10},
            {"position_value_max": 2 * ORDER - 1},
            held=-10,  # short counts like long
        ),
        Case(MISSING, Code.LIMIT_MISSING, ("risk.position_value_max",)),
        Case(MISSING, Code.NO_MARKET_DATA, ("no price",), limits={"position_value_max": ORDER}, before=unquoted),
        Case(LIMIT, held=10, limits={"position_value_max": 3 * ORDER}, before=_works),
        Case(LIMIT, held=10, limits={"position_value_max": 2 * ORDER}, before=hold_y(100)),  # Y is another
        Case(EXIT, held=100, fields=CLOSE, limits={"position_value_max": 0}),
        Case(EXIT, held=-100, fields={"side": 1, "qty": 50}, limits={"position_value_max": 0}),
    ],
    "exposure": [
        Case(PASSES, held=10, limits={"exposure_value_max": 3 * ORDER}),
        Case(
            BLOCKS,
            Code.EXPOSURE_EXCEEDED,
            ("exposure of 50000 EUR", "40000 EUR of it", "at most 49999.999999 EUR"),
            held=10,
            limits={"exposure_value_max": 5 * ORDER - 1},
            before=both(hold_y(-20), _works),
        ),
        Case(MISSING, Code.LIMIT_MISSING, ("risk.exposure_value_max",)),
        Case(MISSING, Code.NO_MARKET_DATA, ("no price",), limits={"exposure_value_max": ORDER}, before=unquoted),
        Case(LIMIT, held=10, limits={"exposure_value_max": 5 * ORDER}, before=both(hold_y(-20), _works)),
        Case(LIMIT, limits={"exposure_value_max": 2 * ORDER}, before=unpriced_y),  # at its cost
        Case(EXIT, held=100, fields=CLOSE, limits={"exposure_value_max": 0}),
    ],
    "concentration": [
        Case(PASSES),
        Case(
            BLOCKS,
            Code.CONCENTRATION_EXCEEDED,
            ("X would be 26000 EUR", "26 % of the equity 100000 EUR", "at most 25 %"),
            {"qty": 16},
            held=10,
        ),
        Case(MISSING, Code.NO_MARKET_DATA, ("no price for X",), before=unquoted),
        Case(MISSING, Code.EQUITY_UNKNOWN, ("an open position has no price",), before=unpriced_y),
        Case(LIMIT, held=10, fields={"qty": 15}),
        Case(LIMIT, fields={"qty": 25}, before=hold_y(50)),
        Case(BLOCKS, Code.CONCENTRATION_EXCEEDED, ("all of it of the equity 0 EUR",), cash=0),
        Case(EXIT, held=100, fields=CLOSE),
        Case(EXIT, held=100, fields=CLOSE, before=unpriced_y),
    ],
    "size_caps": [
        Case(PASSES),  # without caps nothing is too large
        Case(PASSES, rules={"sizing_caps": SizingCaps(max_position_ppb=PPB // 4)}),
        Case(
            BLOCKS,
            Code.SIZE_ABOVE_CAP,
            ("26 is too much", "cap max_position leaves 25", "ask for less"),
            {"qty": 26},
            rules={"sizing_caps": SizingCaps(max_position_ppb=PPB // 4)},
        ),
        Case(
            MISSING,
            Code.SIZE_INPUT_MISSING,
            rules={"sizing_caps": SizingCaps(max_position_ppb=PPB // 4)},
            before=unpriced_y,
        ),
        Case(LIMIT, fields={"qty": 25}, rules={"sizing_caps": SizingCaps(max_position_ppb=PPB // 4)}),
        Case(EXIT, held=100, fields=CLOSE, rules={"sizing_caps": SizingCaps(max_position_ppb=1)}),
    ],
    "correlation": [
        Case(PASSES, rules={"correlations": XY}, before=hold_y(40)),
        Case(
            BLOCKS,
            Code.CORRELATION_BREACH,
            ("X would be 51000 EUR", "51 % of the equity 100000 EUR", "at most 50 %"),
            {"qty": 31},
            before=hold_y(40),
            rules={"correlations": XY},
        ),
        Case(MISSING, Code.CORRELATION_BREACH, ("how X moves with Y", "risk.correlations"), before=hold_y(10)),
        Case(MISSING, Code.NO_MARKET_DATA, ("no price for X",), before=unquoted),
        Case(MISSING, Code.EQUITY_UNKNOWN, ("no price",), rules={"correlations": XY}, before=unpriced_y),
        Case(LIMIT, fields={"qty": 30}, before=hold_y(40), rules={"correlations": XY}),
        Case(LIMIT, fields={"qty": 70}, before=hold_y(-40), rules={"correlations": XY}),  # it offsets
        Case(LIMIT, Code.CORRELATION_BREACH, fields={"qty": 71}, before=hold_y(-40), rules={"correlations": XY}),
        Case(LIMIT, fields={"qty": 30}, before=hold_y(-40), rules={"correlations": (Correlation("Y", "X", -HALF),)}),
        Case(
            LIMIT,
            Code.CORRELATION_BREACH,
            fields={"qty": 31},
            before=hold_y(-40),
            rules={"correlations": (Correlation("Y", "X", -HALF),)},
        ),
        Case(LIMIT, held=20, fields={"qty": 30}),  # X moves with itself
        Case(LIMIT, Code.CORRELATION_BREACH, held=20, fields={"qty": 31}),
        Case(EXIT, held=100, fields=CLOSE),
        Case(EXIT, held=100, fields=CLOSE, before=hold_y(10)),
    ],
    "margin": [
        Case(PASSES, before=defined(margin_ppb=10 * PCT_PPB)),
        Case(
            BLOCKS,
            Code.MARGIN_INSUFFICIENT,
            ("1000 EUR of margin needed", "1500 EUR with its cushion of 1.5", "1499.999999 EUR is free of"),
            before=defined(margin_ppb=10 * PCT_PPB),
            cash=1_500 * UNIT - 1,
        ),
        Case(MISSING, Code.MARGIN_INSUFFICIENT, ("instruments.X.margin_pct",)),
        Case(MISSING, Code.NO_MARKET_DATA, ("no price",), before=both(defined(margin_ppb=PPB), unquoted)),
        Case(MISSING, Code.EQUITY_UNKNOWN, ("no price",), before=both(defined(margin_ppb=PPB), unpriced_y)),
        Case(MISSING, Code.MARGIN_INSUFFICIENT, ("instruments.Y",), before=both(defined(margin_ppb=1), hold_y(1))),
        Case(LIMIT, before=defined(margin_ppb=10 * PCT_PPB), cash=1_500 * UNIT),
        # What is held and what is on its way binds its margin, without a cushion.
        Case(LIMIT, held=10, before=both(defined(margin_ppb=10 * PCT_PPB), _works), cash=3_500 * UNIT),
        Case(
            LIMIT,
            Code.MARGIN_INSUFFICIENT,
            ("1499.999999 EUR is free of 3499.999999 EUR",),
            held=10,
            before=both(defined(margin_ppb=10 * PCT_PPB), _works),
            cash=3_500 * UNIT - 1,
        ),
        Case(LIMIT, limits={"margin_cushion_ppb": PPB}, before=defined(margin_ppb=PPB), cash=ORDER),
        Case(EXIT, held=100, fields=CLOSE),
        Case(EXIT, held=100, fields=CLOSE, before=both(defined(margin_ppb=PPB), quoted(last_px=1))),
    ],
    "open_positions": [
        Case(PASSES, limits={"open_positions_max": 2}, before=hold_y(10)),
        Case(
            BLOCKS,
            Code.MAX_OPEN_POSITIONS,
            ("1 other positions", "1 are the limit"),
            limits={"open_positions_max": 1},
            before=hold_y(10),
        ),
        Case(
            BLOCKS,
            Code.MAX_OPEN_POSITIONS,
            ("2 other positions are open or on their way", "2 are the limit"),
            {"bucket": "MIS"},  # a position of its own
            {"open_positions_max": 2},
            10,
            hold_y(10),
        ),
        Case(LIMIT, limits={"open_positions_max": 1}),
        Case(LIMIT, held=10, limits={"open_positions_max": 2}, before=hold_y(10)),  # one that is there counts not twice
        Case(LIMIT, Code.MAX_OPEN_POSITIONS, ("1 other",), {"bucket": "B"}, {"open_positions_max": 1}, before=_works),
        Case(LIMIT, Code.MAX_OPEN_POSITIONS, limits={"open_positions_max": 0}),
        Case(EXIT, held=100, fields=CLOSE, limits={"open_positions_max": 0}),
    ],
}


@pytest.mark.parametrize(("gate", "case"), [(gate, case) for gate, cases in CASES.items() for case in cases])
def test_value_gate_row(gate: str, case: Case) -> None:
    check(gate, case)


@pytest.mark.parametrize("gate", CASES)
def test_value_gate_holds_entries_where_it_lets_exits_through(gate: str) -> None:
    for case in CASES[gate]:
        if case.kind is EXIT:
            check_entry_is_held(gate, case)


def test_basket_counts_what_enters_it_today_and_nothing_else() -> None:
    core = world("basket", Case(PASSES, held=100, limits={"basket_value_max": 2 * ORDER}))
    assert answer(core, **B)[0] is None
    assert answer(core, Action.CLOSE, 0, 50, **B)[0] is None  # leaves, and counts for nothing
    assert answer(core, qty=11, **B)[0] == Code.BASKET_VALUE_EXCEEDED  # and what is refused neither
    assert answer(core, **B)[0] is None
    assert answer(core, **B)[0] == Code.BASKET_VALUE_EXCEEDED
    core.feed(SetSession(NS_PER_DAY, "24x7", "d2", NS_PER_DAY, 2 * NS_PER_DAY))
    assert answer(core, qty=20, **B)[0] is None


def test_exposure_of_an_order_shrinks_with_its_fills_and_becomes_the_positions() -> None:
    core = world("exposure", Case(PASSES, limits={"exposure_value_max": 2 * ORDER}))
    resting = core.order(qty=10, px=1000)
    core.fill(resting, 4)
    assert answer(core, qty=10)[0] is None
    core = world("exposure", Case(PASSES, limits={"exposure_value_max": 2 * ORDER}))
    resting = core.order(qty=10, px=1000)
    core.fill(resting, 4)
    core.canceled(resting, cum_qty=4)
    assert answer(core, qty=16)[0] is None
    assert answer(core, qty=1)[0] == Code.EXPOSURE_EXCEEDED
