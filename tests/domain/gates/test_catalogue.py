"""The catalogue says of every gate what cannot be read off it."""

from __future__ import annotations

from surefill.domain.gates import GATES, RECHECKS
from surefill.domain.gates.catalogue import ORIGINS, OVER_ALL
from surefill.domain.refusals import RefusalCode


def test_catalogue_holds_every_gate_and_recheck_and_nothing_else() -> None:
    assert ORIGINS.keys() == GATES.keys() | RECHECKS.keys()


def test_codes_of_gates_are_named_by_one_of_them() -> None:
    named = {code for origin in (*ORIGINS.values(), OVER_ALL) for code in origin.codes}
    doors_own = {
        RefusalCode.UPSTREAM_HALTED,
        RefusalCode.UPSTREAM_REJECTED,
        RefusalCode.GROUP_FAILED,
        RefusalCode.SIZE_ZERO_LOTS,
        RefusalCode.SIZE_INPUT_MISSING,
        RefusalCode.POLICY_RULE,
        RefusalCode.POLICY_ERROR,
    }
    assert set(RefusalCode) == named | doors_own
    assert not named & doors_own
