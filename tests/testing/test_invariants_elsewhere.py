"""Damage to what a journal tells of executions, orders and moves made elsewhere is found under its number."""

from __future__ import annotations

import msgspec
import pytest
from tests.domain.core import Core, profile
from tests.testing.test_invariants import _changed, _found, _twice, _without

from surefill.domain import events as e
from surefill.domain.account import AccountMove, MoveKind, WorkingOrder
from surefill.domain.inputs import CompareOrders, MoveAccount, VenueReports
from surefill.domain.intent import Action
from surefill.domain.limits import Limits
from surefill.domain.reports import ExecType, VenueReport
from surefill.domain.state import Remembered
from surefill.testing.invariants import check_book

RULES = profile(limits=Limits(allow_negative_cash=True, external_halts=False))


def _life() -> Core:
    """Trades, orders and moves that no order of ours made, beside one of ours."""
    core = Core(RULES, cash=10**12)
    core.hold(1, 100)
    resting = core.order(0, 80, action=Action.CLOSE, px=1090)
    core.accept(resting)
    sold = VenueReport("", ExecType.TRADE, "H-1", "h1", 1010, 40, fee=3, transact_ns=5, instrument_id="X", side=-1)
    core.feed(VenueReports(core.tick(), (sold,)))
    core.feed(CompareOrders(core.tick(), core.now_ns, (WorkingOrder("H-2", "", "X", "", 1, 5, 0, 900),)))
    moves = (
        AccountMove(MoveKind.DIVIDEND, "m1", "X", amount=7),
        AccountMove(MoveKind.DEPOSIT, "m2", amount=50),
        AccountMove(MoveKind.SETTLEMENT, "m3", "X", qty=-10, px=1000),
    )
    core.feed(MoveAccount(core.tick(), moves))
    return core


def test_good_life_has_no_violations() -> None:
    assert _found(_life().journal) == []


def _other_move(**changes: object) -> object:
    return lambda move: msgspec.structs.replace(move, **changes)


@pytest.mark.parametrize(
    ("number", "doctor"),
    [
        (6, _twice(e.ExternalTraded)),
        (6, _twice(e.AccountMoved)),
        (7, _without(e.VenueReported, 2)),
        (7, _changed(e.ExternalTraded, position_qty=61)),
        (7, _changed(e.ExternalTraded, realised=0)),
        (7, _changed(e.ExternalTraded, cash=0)),
        (7, _without(e.ExternalTraded)),
        (7, _changed(e.AccountMoved, realised=0)),
        (7, _changed(e.AccountMoved, 1, outside=0)),
        (7, _changed(e.AccountMoved, 1, cash=lambda cash: cash + 1, outside=51)),
        (7, _changed(e.AccountMoved, 2, position_qty=51)),
        (7, _changed(e.AccountMoved, 2, move=_other_move(qty=10))),
        (8, _changed(e.ExternalOrdersSeen, orders=lambda orders: orders * 2)),
        (22, _without(e.CancelRequested)),
    ],
)
def test_damage_to_what_was_made_elsewhere_is_found_under_its_number(number: int, doctor: object) -> None:
    core = _life()
    events = list(core.journal)
    doctor(events)  # type: ignore[operator]
    assert number in {violation.invariant for violation in _found(events)}


def test_order_of_ours_that_counts_as_made_elsewhere_too_is_found() -> None:
    core = _life()
    events = list(core.journal)
    ours = WorkingOrder(core.live[0].order_id, "", "X", "", -1, 80, 0, 1090)
    assert _changed(e.ExternalOrdersSeen, orders=(ours,))(events) > 0
    assert {violation.invariant for violation in _found(events)} >= {8}


def test_execution_of_an_order_of_ours_that_is_booked_as_made_elsewhere_is_found() -> None:
    core = _life()
    events = list(core.journal)
    _changed(e.ExternalTraded, order_id=core.live[0].order_id)(events)
    assert {violation.invariant for violation in _found(events)} >= {6}


def test_book_that_counts_an_execution_twice_or_made_money_is_found() -> None:
    core = _life()
    core.state.book.external_execs["X"] = Remembered({"e1": 1})
    core.state.book.outside += 1
    assert {violation.invariant for violation in check_book(core.state)} >= {6, 7}
