"""Gates on the intent's own terms. Their finer points are in tests/domain/test_gates.py."""

from __future__ import annotations

from typing import Any

import pytest
from tests.domain.gates.asking import Case, Kind, check, check_entry_is_held, defined, quoted, unquoted

from surefill.domain.intent import Action, ExitPlan
from surefill.domain.refusals import RefusalCode as Code
from surefill.rules.codes import OrdType
from surefill.units import NOTIONAL_MAX, PCT_PPB

PASSES, BLOCKS, MISSING, LIMIT, EXIT = Kind
CLOSE = {"action": Action.CLOSE, "side": 0, "qty": 0}


def _at(px: int, **fields: int) -> dict[str, int]:
    return {"ord_type": OrdType.LIMIT, "px": px, **fields}


def _waits(side: int, stop_px: int) -> dict[str, Any]:
    return {"side": side, "ord_type": OrdType.STOP, "stop_px": stop_px}


def _plan(stop_px: int = 0, target_px: int = 0) -> dict[str, ExitPlan]:
    return {"plan": ExitPlan(stop_px=stop_px, target_px=target_px)}


CASES: dict[str, list[Case]] = {
    "instrument": [
        Case(PASSES),
        Case(BLOCKS, Code.UNKNOWN_INSTRUMENT, ("'Z'", "workspace w"), {"instrument_id": "Z"}),
        Case(MISSING, Code.UNKNOWN_INSTRUMENT, ("''",), {"instrument_id": ""}),
        Case(EXIT, held=100, fields=CLOSE),
    ],
    "action": [
        Case(PASSES),
        Case(BLOCKS, Code.UNSUPPORTED_ACTION, ("OPEN",), {"action": Action.OPEN}, rules={"actions": (Action.TRADE,)}),
        Case(MISSING, Code.UNSUPPORTED_ACTION, ("not 0",), {"side": 0}),
        Case(MISSING, Code.NO_POSITION, ("to add to",), {"action": Action.ADD}),
        Case(EXIT, held=100, fields=CLOSE),
    ],
    "order_type": [
        Case(PASSES),
        Case(BLOCKS, Code.UNSUPPORTED_ORDER_TYPE, ("LIMIT",), _at(1000), rules={"ord_types": (OrdType.MARKET,)}),
        Case(MISSING, Code.PRICE_REQUIRED, ("LIMIT", "above 0"), _at(0)),
        Case(MISSING, Code.TRIGGER_REQUIRED, ("STOP", "above 0"), {"ord_type": OrdType.STOP}),
        Case(LIMIT, None, fields=_at(1)),
        Case(EXIT, held=100, fields=CLOSE),
    ],
    "quantity": [
        Case(PASSES),
        Case(BLOCKS, Code.OFF_LOT, ("quantity 15", "lot 10", "use 10"), {"qty": 15}),
        Case(MISSING, Code.INVALID_QUANTITY, ("quantity 0",), {"qty": 0}),
        Case(LIMIT, None, fields={"qty": 10}),
        Case(EXIT, held=15, fields=CLOSE),
    ],
    "tick": [
        Case(PASSES, fields=_at(995)),
        Case(BLOCKS, Code.OFF_TICK, ("price 996", "tick 5"), _at(996)),
        Case(LIMIT, None, fields=_at(5)),
        Case(EXIT, held=100, fields=CLOSE),
    ],
    "plan": [
        Case(PASSES, fields=_plan(990, 1010)),
        Case(BLOCKS, Code.STOP_ON_WRONG_SIDE, ("stop 1001", "entry 1000"), _plan(1001)),
        Case(MISSING, Code.NO_MARKET_DATA, ("no price for X",), _plan(990), before=unquoted),
        Case(LIMIT, Code.STOP_ON_WRONG_SIDE, ("stop 1000",), _plan(1000)),
        Case(LIMIT, None, fields=_plan(999)),
        Case(EXIT, held=100, fields={**CLOSE, **_plan(1001)}, before=unquoted),
        Case(
            EXIT, held=-100, fields=_plan(1001, 990), before=unquoted
        ),  # the levels of the short that it makes smaller
        Case(BLOCKS, Code.STOP_ON_WRONG_SIDE, ("stop 1001",), {**_plan(1001), "qty": 200}, held=-100),  # it turns it
        # an order that waits for its price enters there, or at a market that is beyond it already
        Case(PASSES, fields={**_waits(1, 1020), **_plan(1010)}),
        Case(PASSES, fields={**_waits(-1, 980), **_plan(990)}),
        Case(BLOCKS, Code.STOP_ON_WRONG_SIDE, ("entry 980",), {**_waits(-1, 980), **_plan(980)}),
        Case(BLOCKS, Code.STOP_ON_WRONG_SIDE, ("entry 1000",), {**_waits(-1, 1020), **_plan(1000)}),
    ],
    "notional": [
        Case(PASSES),
        Case(BLOCKS, Code.NOTIONAL_OUT_OF_RANGE, ("more than the ledger holds",), _at(NOTIONAL_MAX // 10**7 + 1)),
        Case(MISSING, Code.NO_MARKET_DATA, ("no price for X",), before=unquoted),
        Case(LIMIT, None, fields=_at((NOTIONAL_MAX - 1) // 10**7)),
        Case(EXIT, held=100, fields=CLOSE, before=unquoted),
    ],
    "lots": [
        Case(PASSES, limits={"order_lots_max": 2}),
        Case(BLOCKS, Code.MAX_LOTS_EXCEEDED, ("2.1 lots of 10", "at most 2"), {"qty": 21}, {"order_lots_max": 2}),
        Case(LIMIT, None, fields={"qty": 20}, limits={"order_lots_max": 2}),
        Case(EXIT, held=100, fields={**CLOSE, "qty": 21}, limits={"order_lots_max": 2}),
    ],
    "collar": [
        Case(PASSES, fields=_at(1010), limits={"collar_ppb": 3 * PCT_PPB}),
        Case(BLOCKS, Code.PRICE_OUTSIDE_COLLAR, ("price 1031", "3.1 %", "1000", "at most 3 %"), _at(1031)),
        Case(BLOCKS, Code.PRICE_OUTSIDE_COLLAR, ("price 969", "3.1 %"), _at(969, side=-1)),
        Case(BLOCKS, Code.PRICE_OUTSIDE_COLLAR, ("trigger price 1031",), {"ord_type": OrdType.STOP, "stop_px": 1031}),
        Case(
            BLOCKS,
            Code.PRICE_OUTSIDE_COLLAR,
            ("the market's price 1031", "away from 1000"),
            before=quoted(last_px=1000, bid_px=999, ask_px=1031),
        ),
        Case(MISSING, Code.NO_MARKET_DATA, ("no price for X",), _at(1000), before=unquoted),
        Case(MISSING, Code.NO_MARKET_DATA, ("no price for X",), _at(1000), before=quoted(ask_px=1000)),
        Case(LIMIT, None, fields=_at(1030)),
        Case(LIMIT, None, fields=_at(970)),
        Case(LIMIT, None, fields=_at(1030), before=quoted(bid_px=999, ask_px=1001)),
        Case(LIMIT, Code.PRICE_OUTSIDE_COLLAR, ("1000",), _at(1031), before=quoted(bid_px=999, ask_px=1001)),
        Case(LIMIT, None, fields=_at(1100), before=defined(liquid=False)),
        Case(LIMIT, Code.PRICE_OUTSIDE_COLLAR, ("at most 10 %",), _at(1101), before=defined(liquid=False)),
        Case(EXIT, held=100, fields={**CLOSE, **_at(1)}),
        Case(EXIT, held=100, fields=CLOSE, before=unquoted),
    ],
    "algo_id": [
        Case(PASSES, rules={"algo_ids": {"s": "NSE-1"}}),
        Case(
            BLOCKS, Code.ALGO_ID_MISSING, ("strategy other",), {"strategy_id": "other"}, rules={"algo_ids": {"s": "1"}}
        ),
        Case(MISSING, Code.ALGO_ID_MISSING, ("strategy s",), rules={"algo_ids": {"s": ""}}),
        Case(MISSING, Code.ALGO_ID_MISSING, ("without a name",), {"strategy_id": ""}),
        Case(EXIT, held=100, fields=CLOSE),
    ],
}


@pytest.mark.parametrize(("gate", "case"), [(gate, case) for gate, cases in CASES.items() for case in cases])
def test_terms_gate_row(gate: str, case: Case) -> None:
    check(gate, case)


@pytest.mark.parametrize("gate", ["algo_id", "collar", "lots", "notional", "plan"])
def test_terms_gate_holds_entries_where_it_lets_exits_through(gate: str) -> None:
    for case in CASES[gate]:
        if case.kind is EXIT:
            check_entry_is_held(gate, case)
