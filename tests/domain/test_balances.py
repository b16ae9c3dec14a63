"""The account's money at its venue beside the books': what was there from the start, what is noted, what calls."""

from __future__ import annotations

from typing import Any

import pytest
from tests.domain.core import MONEY_PER_NOTIONAL, Core, profile

from surefill.domain.account import AccountMove, BalanceState, MoveKind
from surefill.domain.effects import Notify
from surefill.domain.events import BalanceCompared, Halted
from surefill.domain.inputs import CompareBalance, MoveAccount
from surefill.domain.limits import Limits

CASH = 10_000 * MONEY_PER_NOTIONAL
BAND = CASH // 1_000


def _core(**limits: Any) -> Core:
    return Core(profile(limits=Limits(allow_negative_cash=True, **limits)), cash=CASH)


def _look(core: Core, theirs: int, *, margin: bool = False) -> None:
    core.feed(CompareBalance(core.tick(), theirs, margin))


def _begun(**limits: Any) -> Core:
    core = _core(**limits)
    _look(core, CASH)
    return core


def test_what_is_there_beside_the_books_from_the_start_stays_between_them() -> None:
    core = _core()
    _look(core, CASH + 777)
    assert core.only(BalanceCompared).offset == 777
    _look(core, CASH + 777)
    assert core.events == []
    _look(core, CASH + 778)
    assert core.only(BalanceCompared).state == BalanceState.NOTED


@pytest.mark.parametrize(
    ("drift", "state"),
    [(1, BalanceState.NOTED), (-BAND, BalanceState.NOTED), (BAND + BAND // 100, BalanceState.DRIFTED)],
)
@pytest.mark.parametrize("halts", [False, True])
def test_difference_in_the_band_is_noted_and_one_beyond_calls_and_halts_if_it_is_to(
    drift: int, state: BalanceState, halts: bool
) -> None:
    core = _begun(balance_halts=halts)
    _look(core, CASH + drift)
    assert core.only(BalanceCompared).state == state
    drifted = state == BalanceState.DRIFTED
    assert [notice.code for notice in core.all(Notify) if notice.page] == (["BALANCE_DRIFT"] if drifted else [])
    assert bool(core.all(Halted)) == (drifted and halts)
    _look(core, CASH + drift)
    assert core.events == [], "it is told once"
    _look(core, CASH)
    assert core.only(BalanceCompared).state == BalanceState.AGREES


@pytest.mark.parametrize(("margin", "paid"), [(False, 100 * 1_000), (True, 0)])
def test_what_is_held_was_paid_for_or_not_as_the_venue_has_it(margin: bool, paid: int) -> None:
    core = _core()
    _look(core, CASH, margin=margin)
    core.hold(1, 100, 1_000)
    _look(core, CASH - paid * MONEY_PER_NOTIONAL, margin=margin)
    assert core.events == []
    core.fill(core.order(-1, 100), 100, 1_010)
    _look(core, CASH + 1_000 * MONEY_PER_NOTIONAL, margin=margin)
    assert core.events == []
    _look(core, CASH, margin=margin)
    assert core.only(BalanceCompared).state == BalanceState.DRIFTED


def test_money_that_is_paid_in_and_booked_is_no_drift_and_holdings_taken_over_begin_the_count_anew() -> None:
    core = _begun()
    core.feed(MoveAccount(core.tick(), (AccountMove(MoveKind.DEPOSIT, "d", amount=5 * BAND),)))
    _look(core, CASH + 5 * BAND)
    assert core.events == []
    core.feed(MoveAccount(core.tick(), (AccountMove(MoveKind.TRANSFER, "t", "X", qty=10, px=1_000),)))
    _look(core, CASH + 5 * BAND, margin=True)
    told = core.only(BalanceCompared)
    assert (told.state, told.offset) == (BalanceState.AGREES, -10 * 1_000 * MONEY_PER_NOTIONAL)
