"""Gates on the quality of the idea. The figures come with the intent; one that did not come is no."""

from __future__ import annotations

from typing import Any

import pytest
from tests.domain.core import Core, profile
from tests.domain.gates.asking import Case, Kind, check, check_entry_is_held, defined, quoted, unquoted

from surefill.domain.costs import Component, CostSchedule, Rate
from surefill.domain.gates import Question
from surefill.domain.gates.sizes import moment_of
from surefill.domain.inputs import SetProfile
from surefill.domain.intent import Action, ExitPlan
from surefill.domain.limits import Limits
from surefill.domain.refusals import RefusalCode as Code
from surefill.rules.codes import FeeKind, OrdType
from surefill.units import PCT_PPB, PPB

PASSES, BLOCKS, MISSING, LIMIT, EXIT = Kind
CLOSE = {"action": Action.CLOSE, "side": 0, "qty": 0}
HALF = PPB // 2


def _figure(name: str, ppb: int) -> dict[str, Any]:
    return {"figures": {name: ppb}}


def _plan(stop_px: int = 0, target_px: int = 0, **fields: Any) -> dict[str, Any]:
    return {"plan": ExitPlan(stop_px=stop_px, target_px=target_px), **fields}


def _limit(px: int, **fields: Any) -> dict[str, Any]:
    return {"ord_type": OrdType.LIMIT, "px": px, **fields}


STRONG = {"signal_strength_min_ppb": HALF}
EDGE = {"cost_cushion_ppb": PCT_PPB, "edge_multiple_min_ppb": 3 * HALF}  # 10 each way of 1000, one and a half times

COSTLY = {"market_cost_ppb": PPB // 10_000}  # 0.1 of 1000, each way

#: 20 an order and 0.1 % of its value: 30 to buy 10 pieces at 1000.
COSTS = CostSchedule(
    "some",
    "1970-01-01",
    (
        Component("brokerage", "spot", FeeKind.PER_ORDER, (Rate("1970-01-01", "made up", amount="20"),)),
        Component("tax", "spot", FeeKind.PER_NOTIONAL, (Rate("1970-01-01", "made up", pct="0.1"),)),
        Component("tax", "futures", FeeKind.PER_NOTIONAL, (Rate("1970-01-01", "made up", pct="5"),)),
    ),
)
CHARGED: dict[str, Any] = {"rules": {"costs": COSTS}, "before": defined(segment="spot")}

CASES: dict[str, list[Case]] = {
    "signal_strength": [
        Case(PASSES, fields=_figure("signal_strength", PPB), limits=STRONG),
        Case(
            BLOCKS,
            Code.SIGNAL_TOO_WEAK,
            ("signal strength 0.499999999 is below 0.5",),
            _figure("signal_strength", HALF - 1),
            STRONG,
        ),
        Case(MISSING, Code.FIGURE_MISSING, ("gate signal_strength needs signal_strength",)),
        Case(MISSING, Code.FIGURE_MISSING, fields=_figure("confluence", 9 * PPB)),
        Case(LIMIT, fields=_figure("signal_strength", HALF), limits=STRONG),
        Case(LIMIT, fields=_figure("signal_strength", 0)),  # as it is without configuration
        Case(LIMIT, Code.SIGNAL_TOO_WEAK, fields=_figure("signal_strength", -1)),
        Case(EXIT, held=100, fields=CLOSE),
    ],
    "confluence": [
        Case(PASSES, fields=_figure("confluence", 4 * PPB)),
        Case(
            BLOCKS,
            Code.CONFLUENCE_TOO_LOW,
            ("confluence score 2.999999999 is below 3",),
            _figure("confluence", 3 * PPB - 1),
        ),
        Case(MISSING, Code.FIGURE_MISSING, ("gate confluence needs confluence",)),
        Case(LIMIT, fields=_figure("confluence", 3 * PPB)),
        Case(EXIT, held=100, fields=CLOSE),
    ],
    "regime": [
        Case(PASSES, fields=_figure("regime_z", PPB)),
        Case(BLOCKS, Code.REGIME_DRIFT, ("3.5 standard deviations", "3 are the limit"), _figure("regime_z", 7 * HALF)),
        Case(BLOCKS, Code.REGIME_DRIFT, ("3.5 standard deviations",), _figure("regime_z", -7 * HALF)),
        Case(MISSING, Code.FIGURE_MISSING, ("gate regime needs regime_z",)),
        Case(LIMIT, fields=_figure("regime_z", 3 * PPB - 1)),
        Case(LIMIT, Code.REGIME_DRIFT, fields=_figure("regime_z", 3 * PPB)),
        Case(LIMIT, Code.REGIME_DRIFT, fields=_figure("regime_z", -3 * PPB)),
        Case(EXIT, held=100, fields=CLOSE),
    ],
    "stop_distance": [
        Case(PASSES, fields=_plan(990)),
        Case(BLOCKS, Code.STOP_TOO_FAR, ("stop 979 is 2.1 % from the entry 1000", "at most 2 %"), _plan(979)),
        Case(BLOCKS, Code.STOP_TOO_FAR, ("stop 1021 is 2.1 %",), _plan(1021, side=-1)),
        Case(MISSING, Code.FIGURE_MISSING, ("gate stop_distance needs a stop",)),
        Case(MISSING, Code.FIGURE_MISSING, ("a stop",), _plan(target_px=1100)),
        Case(MISSING, Code.NO_MARKET_DATA, ("no price for X",), _plan(990), before=unquoted),
        Case(LIMIT, fields=_plan(980)),
        Case(LIMIT, fields=_plan(1020, side=-1)),
        Case(LIMIT, fields=_limit(500, **_plan(490))),  # 2 % of its own price, far below the market
        Case(LIMIT, Code.STOP_TOO_FAR, fields=_limit(500, **_plan(489))),
        Case(LIMIT, Code.STOP_TOO_FAR, fields=_limit(1500, **_plan(979))),  # the market betters its price
        Case(EXIT, held=100, fields=CLOSE),
        Case(EXIT, held=100, fields=CLOSE, before=unquoted),
    ],
    "reward_risk": [
        Case(PASSES, fields=_plan(990, 1020)),
        Case(
            BLOCKS,
            Code.REWARD_RISK_TOO_LOW,
            ("reward 14 for risk 10 is 1.4 to 1", "at least 1.5"),
            _plan(990, 1014),
        ),
        Case(BLOCKS, Code.REWARD_RISK_TOO_LOW, ("is 1.4 to 1",), _plan(1010, 986, side=-1)),
        Case(BLOCKS, Code.REWARD_RISK_TOO_LOW, ("risk 0 is no to 1",), _plan(1000, 1020)),
        Case(BLOCKS, Code.REWARD_RISK_TOO_LOW, ("reward -5", "is 0 to 1"), _plan(990, 995)),
        Case(MISSING, Code.FIGURE_MISSING, ("needs a stop and a target",)),
        Case(MISSING, Code.FIGURE_MISSING, ("needs a stop and a target",), _plan(990)),
        Case(MISSING, Code.FIGURE_MISSING, ("needs a stop and a target",), _plan(target_px=1100)),
        Case(MISSING, Code.NO_MARKET_DATA, ("no price for X",), _plan(990, 1020), before=unquoted),
        Case(LIMIT, fields=_plan(990, 1015)),
        Case(LIMIT, fields=_plan(1010, 985, side=-1)),
        Case(EXIT, held=100, fields=CLOSE),
        Case(EXIT, held=100, fields=CLOSE, before=quoted(ask_px=1)),
    ],
    "edge": [
        Case(PASSES, fields=_figure("edge", 50), limits=EDGE),
        Case(
            BLOCKS,
            Code.EDGE_BELOW_COST,
            ("29 expected for each unit", "20 is what going in and out costs", "1.5 times"),
            _figure("edge", 29),
            EDGE,
        ),
        Case(MISSING, Code.FIGURE_MISSING, ("gate edge needs edge",), limits=EDGE),
        Case(MISSING, Code.NO_MARKET_DATA, ("no price for X",), _figure("edge", 50), EDGE, before=unquoted),
        Case(LIMIT, fields=_figure("edge", 30), limits=EDGE),
        Case(LIMIT, fields=_figure("edge", 0)),  # nothing costs anything
        Case(LIMIT, Code.EDGE_BELOW_COST, fields=_figure("edge", -1)),
        Case(EXIT, held=100, fields=CLOSE, limits=EDGE),
        Case(PASSES, fields=_figure("edge", 7), **CHARGED),  # 70 for 30 and 30.07
        Case(
            BLOCKS,
            Code.EDGE_BELOW_COST,
            ("60 EUR expected of 10, 60.06 EUR is what going in and out costs (60.06 EUR of it charges)",),
            _figure("edge", 6),
            **CHARGED,
        ),
        Case(PASSES, fields={**_figure("edge", 6), "qty": 20}, **CHARGED),  # what an order costs is spread further
        Case(BLOCKS, Code.EDGE_BELOW_COST, ("62.06 EUR is what",), _figure("edge", 6), COSTLY, **CHARGED),
        Case(LIMIT, fields=_figure("edge", 8), limits={"edge_multiple_min_ppb": PPB * 8000 // 6008}, **CHARGED),
        Case(
            LIMIT,
            Code.EDGE_BELOW_COST,
            fields=_figure("edge", 8),
            limits={"edge_multiple_min_ppb": PPB * 8000 // 6008 + 1},
            **CHARGED,
        ),
        Case(
            BLOCKS,  # a sale goes out at 1000 again at worst
            Code.EDGE_BELOW_COST,
            ("60 EUR expected of 10, 60 EUR is",),
            {**_figure("edge", 6), "side": -1},
            {"edge_multiple_min_ppb": PPB + 1},
            **CHARGED,
        ),
        Case(MISSING, Code.FIGURE_MISSING, ("no segment ''",), _figure("edge", 7), rules={"costs": COSTS}),
        Case(EXIT, held=100, fields=CLOSE, **CHARGED),
    ],
}


@pytest.mark.parametrize(("gate", "case"), [(gate, case) for gate, cases in CASES.items() for case in cases])
def test_signal_gate_row(gate: str, case: Case) -> None:
    check(gate, case)


@pytest.mark.parametrize("gate", CASES)
def test_signal_gate_holds_entries_where_it_lets_exits_through(gate: str) -> None:
    for case in CASES[gate]:
        if case.kind is EXIT:
            check_entry_is_held(gate, case)


def test_sizing_counts_on_the_rates_of_the_very_instrument() -> None:
    limits = Limits(cost_cushion_ppb=6 * PCT_PPB, market_cost_ppb=PCT_PPB)
    core = Core(profile(limits=limits, costs=COSTS))

    def cost_ppb() -> int:
        return moment_of(Question(core.state, core.intent(Action.TRADE, 1, 10), core.tick())).cost_ppb

    assert cost_ppb() == 6 * PCT_PPB, "no segment: the dearest"
    for segment, charged in (("spot", PCT_PPB // 10), ("futures", 5 * PCT_PPB)):
        defined(segment=segment)(core)
        assert cost_ppb() == PCT_PPB + charged * 101 // 100
    core.feed(SetProfile(core.tick(), profile(limits=limits), "no schedule"))
    assert cost_ppb() == 6 * PCT_PPB
