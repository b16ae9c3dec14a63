"""Gates on what the account holds. Their finer points are in tests/domain/test_gates.py."""

from __future__ import annotations

import pytest
from tests.domain.gates.asking import UNIT, Case, Kind, check, check_entry_is_held, unquoted

from surefill.domain.intent import Action
from surefill.domain.refusals import RefusalCode as Code

PASSES, BLOCKS, MISSING, LIMIT, EXIT = Kind
CLOSE = {"action": Action.CLOSE, "side": 0, "qty": 0}
PAID = {"allow_negative_cash": False}

CASES: dict[str, list[Case]] = {
    "position": [
        Case(PASSES),
        Case(
            BLOCKS,
            Code.REDUCTION_EXCEEDS_POSITION,
            ("closing 101 of 100 in X",),
            {"action": Action.CLOSE, "side": 0, "qty": 101},
            held=100,
        ),
        Case(BLOCKS, Code.SHORT_NOT_ALLOWED, ("would leave -10",), {"side": -1}, rules={"allow_short": False}),
        Case(MISSING, Code.NO_POSITION, ("no position in X to close",), CLOSE),
        Case(LIMIT, held=100, fields={"action": Action.CLOSE, "side": 0, "qty": 100}),
        Case(LIMIT, held=100, fields={"side": -1, "qty": 100}, rules={"allow_short": False}),
        Case(EXIT, held=100, fields=CLOSE),
    ],
    "owner": [
        Case(PASSES, held=100),
        Case(BLOCKS, Code.SYMBOL_OWNED, ("X belongs to s",), {"strategy_id": "other"}, held=100),
        Case(
            BLOCKS, Code.SYMBOL_OWNED, ("X belongs to s", "without naming"), {**CLOSE, "strategy_id": "other"}, held=100
        ),
        Case(BLOCKS, Code.SYMBOL_OWNED, ("X belongs to s",), {"side": -1, "strategy_id": ""}, held=100),
        Case(LIMIT, fields={"strategy_id": "other"}),  # nobody holds it
        Case(EXIT, held=100, fields=CLOSE),
        Case(EXIT, held=100, fields={**CLOSE, "strategy_id": ""}),  # a person's
    ],
    "cash": [
        Case(PASSES, limits=PAID),
        Case(
            BLOCKS,
            Code.INSUFFICIENT_CASH,
            ("10000 EUR needed, 9999.999999 EUR free",),
            limits=PAID,
            cash=10_000 * UNIT - 1,
        ),
        Case(MISSING, Code.NO_MARKET_DATA, ("no price for X",), limits=PAID, before=unquoted),
        Case(LIMIT, limits=PAID, cash=10_000 * UNIT),
        Case(EXIT, held=-100, fields=CLOSE, limits=PAID, cash=-100_000 * UNIT),
    ],
}


@pytest.mark.parametrize(("gate", "case"), [(gate, case) for gate, cases in CASES.items() for case in cases])
def test_account_gate_row(gate: str, case: Case) -> None:
    check(gate, case)


def test_cash_holds_a_purchase_where_it_lets_an_exit_through() -> None:
    for case in CASES["cash"]:
        if case.kind is EXIT:
            check_entry_is_held("cash", case._replace(held=100, cash=0))
