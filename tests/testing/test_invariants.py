"""The invariant checker finds nothing in good books and journals, and finds each kind of damage by its number."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest
from tests.domain.core import Core, profile

from surefill.domain import events as e
from surefill.domain.codec import encode
from surefill.domain.evolve import EVOLVE_VERSION
from surefill.domain.inputs import (
    ComparePositions,
    Halt,
    OutcomeUnknown,
    RequestCancel,
    ResetWorkspace,
    ResolveOrder,
    Resume,
    SetProfile,
)
from surefill.domain.intent import Action, ExitPlan
from surefill.domain.limits import Limits
from surefill.domain.position import Protection
from surefill.domain.reports import ExecType
from surefill.domain.state import State
from surefill.journal import Batch, MemoryJournal
from surefill.journal.chain import genesis, link
from surefill.journal.protocol import Record, Snapshot
from surefill.rules.codes import OrdStatus
from surefill.testing.invariants import INVARIANTS, Violation, check_book, check_journal

Events = list[e.Event]
HORIZON = 10**9
RULES = profile(limits=Limits(allow_negative_cash=True, absence_horizon_ns=HORIZON, absence_queries=2))


def _life() -> Core:
    """A life with a bit of everything; all of it as it should be."""
    core = Core(RULES, cash=10**12)
    core.hold(1, 100, plan=ExitPlan(stop_px=950))
    closing = core.order(0, 40, action=Action.CLOSE, px=1090)
    core.accept(closing)
    core.quote(950)
    core.canceled(closing, cum_qty=0)
    core.fill(core.exit_order(), 100, 945)
    unknown = core.order(1, 10)
    core.feed(OutcomeUnknown(core.tick(), unknown.request.cl_ord_id, "timed out"))
    core.fill(unknown, 10, 950)
    core.canceled(core.order(-1, 10, px=1200), cum_qty=0)
    lost = core.order(-1, 10, px=1200)
    core.feed(OutcomeUnknown(core.tick(), lost.request.cl_ord_id, "timed out"))
    core.now_ns = lost.request.send_by_ns + HORIZON
    for _ in range(2):
        core.tick(10**9)
        core.absent(lost)
    resolved = core.order(1, 10, px=500)
    core.feed(OutcomeUnknown(core.tick(), resolved.request.cl_ord_id, "timed out"))
    core.feed(ResolveOrder(core.tick(), resolved.request.cl_ord_id, OrdStatus.CANCELED, "ada", "call 12"))
    partly = core.order(1, 100, px=940)
    core.fill(partly, 30, 940)
    core.canceled(partly, cum_qty=60)
    core.fill(partly, 30, 940)
    core.feed(SetProfile(core.tick(), RULES, "c2"))
    core.feed(Halt(core.tick(), "KILL", "a person said so", "ada"))
    core.fill(core.order(0, 20, action=Action.CLOSE), 20, 960)
    core.feed(Resume(core.tick(), "ada"))
    core.feed(ComparePositions(core.tick(), {"X": 50}))
    late = core.order(1, 10)
    core.canceled(late, cum_qty=0)
    core.fill(late, 10, 940)
    core.feed(ComparePositions(core.tick(), {"X": 1}))
    core.feed(ResetWorkspace(core.tick(), 5, "ada"))
    return core


def _journal(events: Events) -> MemoryJournal:
    journal = MemoryJournal()
    lease = journal.open_stream("w")
    assert journal.append([Batch(lease, [encode(event) for event in events])]) == [None]
    return journal


def _found(events: Events) -> list[Violation]:
    return check_journal(_journal(events), "w")


# -- what is good ---------------------------------------------------------------------------------------------


def test_good_journal_has_no_violations() -> None:
    core = _life()
    assert _found(core.journal) == []
    assert check_book(core.state) == []
    kinds = {type(event) for event in core.journal}
    assert len(kinds) > 20, f"the life is too simple: {kinds}"


def test_good_journal_is_good_up_to_every_step() -> None:
    core = Core(RULES)
    core.hold(1, 100, plan=ExitPlan(stop_px=950))
    for px in (1000, 950):
        core.quote(px)
        assert _found(core.journal) == []


def test_empty_journal_has_no_violations() -> None:
    assert check_journal(MemoryJournal(), "w") == []


# -- what is not ----------------------------------------------------------------------------------------------


def _where(events: Events, kind: type[e.Event], nth: int = 0, /, **fields: Any) -> int:
    """The place of the nth event of this kind with these fields."""
    at = [
        n
        for n, event in enumerate(events)
        if isinstance(event, kind) and all(getattr(event, name) == value for name, value in fields.items())
    ]
    return at[nth]


def _changed(kind: type[e.Event], nth: int = 0, /, **changes: Any) -> Callable[[Events], int]:
    """Change fields of one event; a callable computes the new value from the old one."""

    def doctor(events: Events) -> int:
        at = _where(events, kind, nth)
        new = {name: value(getattr(events[at], name)) if callable(value) else value for name, value in changes.items()}
        events[at] = msgspec.structs.replace(events[at], **new)
        return at

    return doctor


def _requested(nth: int, **changes: Any) -> Callable[[Events], int]:
    return _changed(e.OrderCreated, nth, request=lambda request: msgspec.structs.replace(request, **changes))


def _without(kind: type[e.Event], nth: int = 0, /, **fields: Any) -> Callable[[Events], int]:
    def doctor(events: Events) -> int:
        at = _where(events, kind, nth, **fields)
        del events[at]
        return at

    return doctor


def _twice(kind: type[e.Event], nth: int = 0) -> Callable[[Events], int]:
    def doctor(events: Events) -> int:
        at = _where(events, kind, nth)
        events.insert(at + 1, events[at])
        return at + 1

    return doctor


def _before(kind: type[e.Event], event: e.Event, nth: int = 0) -> Callable[[Events], int]:
    def doctor(events: Events) -> int:
        at = _where(events, kind, nth)
        events.insert(at, event)
        return at

    return doctor


def _same_id(events: Events) -> int:
    first, second = _where(events, e.OrderCreated), _where(events, e.OrderCreated, 1)
    created = events[first]
    assert isinstance(created, e.OrderCreated)
    return _requested(1, cl_ord_id=created.request.cl_ord_id)(events) or second


def _same_execution(events: Events) -> int:
    filled = events[_where(events, e.OrderFilled)]
    assert isinstance(filled, e.OrderFilled)
    return _changed(e.OrderFilled, 1, exec_id=filled.exec_id)(events)


def _two_orders(events: Events) -> int:
    return _changed(e.OrderFilled, 3, order_id=lambda order_id: order_id + "x")(events)


def _ghost_protection(events: Events) -> int:
    at = _where(events, e.WorkspaceReset)
    events.append(e.ProtectionSet(1, "", 0, "X", 5))
    return at + 1


CLOSES_TOO_MUCH = 1  # the second order of the life closes 40 of 100
HALT = e.Halted(1, "", 0, "KILL", "why", "ada")

DAMAGE = {
    "order_never_decided_on": (1, _without(e.OrderCreated)),
    "id_used_again": (2, _same_id),
    "reference_used_again": (2, _requested(1, order_ref="PAPER-19700101000000-0001")),
    "id_of_no_origin": (2, _requested(0, cl_ord_id="f" * 20)),
    "exit_id_of_no_origin": (2, _requested(2, cl_ord_id="f" * 20)),
    "two_orders_at_the_venue": (2, _two_orders),
    "unknown_ends_without_a_report": (3, _changed(e.OrderFilled, 2, causation_seq=0)),
    "given_up_too_early": (3, _changed(e.OrderRejected, 0, ts_ns=5)),
    "given_up_after_too_few_queries": (3, _changed(e.OrderAbsent, 1, count=1)),
    "absences_jump": (3, _changed(e.OrderAbsent, 0, count=5)),
    "lapsed_before_its_deadline": (3, _changed(e.OrderRejected, 0, code="SEND_LAPSED", ts_ns=5)),
    "resolved_by_nobody": (3, _changed(e.OrderResolved, 0, by="")),
    "resolved_on_nothing": (3, _changed(e.OrderResolved, 0, evidence="")),
    "canceled_twice": (4, _twice(e.OrderCanceled)),
    "accepted_twice": (4, _twice(e.OrderAccepted)),
    "end_without_its_fills": (4, _without(e.OrderFilled, 4)),
    "late_fill_not_called_late": (4, _changed(e.OrderFilled, -1, late=False)),
    "late_fill_not_noted": (4, _without(e.AnomalyNoted, kind="LATE_FILL")),
    "late_fill_does_not_halt": (4, _without(e.Halted, code="LATE_FILL")),
    "wrong_status_after_a_fill": (4, _changed(e.OrderFilled, 0, status=OrdStatus.PARTIALLY_FILLED)),
    "live_order_retired": (4, _before(e.OrderFilled, e.OrdersRetired(1, "", 0, ("nobody",)))),
    "live_order_lost_by_a_reset": (4, _without(e.OrderCanceled)),
    "total_is_not_the_sum": (5, _changed(e.OrderFilled, 0, cum_qty=90)),
    "fill_of_nothing": (5, _changed(e.OrderFilled, 0, last_qty=0, cum_qty=0)),
    "execution_counts_twice": (6, _same_execution),
    "position_is_not_the_sum": (7, _changed(e.OrderFilled, 0, position_qty=99)),
    "cost_is_not_the_sum": (7, _changed(e.OrderFilled, 0, position_cost=lambda cost: cost + 1)),
    "money_made": (7, _changed(e.OrderFilled, 0, cash=lambda cash: cash + 1)),
    "profit_invented": (7, _changed(e.OrderFilled, 1, realised=lambda realised: realised + 1)),
    "fee_not_taken": (7, _changed(e.OrderFilled, 0, fee=1)),
    "fill_on_the_other_side": (7, _changed(e.OrderFilled, 0, side=-1)),
    "fill_of_another_position": (7, _changed(e.OrderFilled, 0, position="Y")),
    "difference_that_halts_nobody": (7, _without(e.Halted, code="POSITION_DRIFT")),
    "comparison_of_other_books": (7, _changed(e.PositionsCompared, 1, differences={"X": (7, 1)})),
    "limits_of_another_version": (9, _changed(e.IntentAccepted, 0, limits_version=2)),
    "profile_version_skipped": (9, _changed(e.ProfileSet, 0, version=3)),
    "order_without_an_intent": (9, _without(e.IntentAccepted, 1)),
    "order_that_cites_another_event": (9, _changed(e.OrderCreated, 1, causation_seq=1)),
    "order_of_another_instrument": (9, _requested(0, instrument_id="Y")),
    "exit_without_a_trigger": (9, _without(e.ExitTriggered)),
    "entry_while_halted": (10, _before(e.IntentAccepted, HALT, 2)),
    "entry_while_its_symbol_is_halted": (
        10,
        _before(e.IntentAccepted, msgspec.structs.replace(HALT, instrument_id="X"), 2),
    ),
    "entry_while_its_strategy_is_paused": (
        10,
        _before(e.IntentAccepted, msgspec.structs.replace(HALT, strategy_id="s"), 2),
    ),
    "resumed_by_nobody": (10, _changed(e.Resumed, 0, by="")),
    "more_than_was_asked_for": (11, _requested(0, order_qty=110)),
    "exit_of_more_than_there_is": (11, _requested(2, order_qty=110)),
    "protection_of_nothing": (20, _ghost_protection),
    "reduction_of_more_than_there_is": (22, _requested(1, order_qty=110)),
    "reduction_on_the_wrong_side": (22, _requested(1, side=1)),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_damage_is_found_under_its_number(name: str) -> None:
    number, doctor = DAMAGE[name]
    events = list(_life().journal)
    at = doctor(events)
    found = _found(events)
    mine = [violation for violation in found if violation.invariant == number]
    assert mine, f"{name} is not found; found {found}"
    assert all(violation.text for violation in found)
    assert mine[0].seq == 0 or mine[0].seq >= at, "it cannot be seen before it is there"


def test_reductions_not_taken_back_are_found() -> None:
    core = Core()
    selling = core.order(-1, 150, px=1050)
    core.hold(qty=100)
    core.order(0, 60, action=Action.CLOSE, px=1100)
    core.fill(selling, 80, 1050)
    assert _found(core.journal) == []
    events = [event for event in core.journal if not isinstance(event, e.CancelRequested)]
    assert [violation.invariant for violation in _found(events)] == [22]


def test_unknown_order_canceled_without_evidence_is_found_unless_the_workspace_is_reset() -> None:
    core = Core()
    order = core.order(1, 10)
    core.feed(OutcomeUnknown(core.tick(), order.request.cl_ord_id, "timed out"))
    end = e.OrderCanceled(core.tick(), "", 0, order.request.cl_ord_id)
    assert [violation.invariant for violation in _found([*core.journal, end])] == [3]
    core.feed(ResetWorkspace(core.tick(), 0, "ada"))
    assert _found(core.journal) == []


def test_triggered_order_may_have_one_name_more_at_its_venue() -> None:
    core = Core(profile(limits=Limits(allow_negative_cash=True, stops_at_venue=True)))
    core.hold(plan=ExitPlan(stop_px=950))
    stop = core.exit_order()
    core.report(stop, ExecType.NEW, order_id="waits")
    core.fill(stop, 40, 950, order_id="trades")
    assert _found(core.journal) == []
    core.fill(stop, 60, 950, order_id="another")
    assert [found.invariant for found in _found(core.journal)] == [2]


def test_every_number_is_shown_to_be_found() -> None:
    shown = {number for number, _ in DAMAGE.values()} | {8, 13, 14, 15}  # 8: test_invariants_elsewhere
    assert shown == set(INVARIANTS)


# -- the journal itself ---------------------------------------------------------------------------------------


class Shelf(MemoryJournal):
    """A journal whose records are what somebody has put there."""

    records: list[Record]

    def read(self, workspace_id: str, from_seq: int = 1, to_seq: int | None = None) -> Iterator[Record]:
        return iter(self.records)


def _shelf() -> Shelf:
    journal = _journal(_life().journal)
    shelf = Shelf()
    shelf.records = list(journal.read("w"))
    return shelf


def _numbers(journal: MemoryJournal) -> list[tuple[int, int]]:
    return [(violation.invariant, violation.seq) for violation in check_journal(journal, "w")][:1]


def test_gap_is_found() -> None:
    shelf = _shelf()
    del shelf.records[4]
    assert _numbers(shelf) == [(14, 6)]


def test_edited_event_is_found() -> None:
    shelf = _shelf()
    record = shelf.records[4]
    shelf.records[4] = record._replace(payload=record.payload.replace(b'"s"', b'"t"'))
    assert _numbers(shelf) == [(14, 5)]


def test_unreadable_event_is_found() -> None:
    journal = _journal(_life().journal)
    assert journal.append([Batch(journal.open_stream("w"), [b"garbage"])]) == [None]
    assert _numbers(journal) == [(14, len(list(journal.read("w"))))]


def test_falling_epoch_is_found() -> None:
    shelf, head = _shelf(), genesis("w")
    for n, record in enumerate(shelf.records):
        epoch = 2 if n < 5 else 1
        head = link(head, record.seq, epoch, record.payload)
        shelf.records[n] = record._replace(epoch=epoch, chain_hash=head)
    assert _numbers(shelf) == [(15, 6)]


def test_snapshot_of_another_state_is_found() -> None:
    core = Core()
    core.hold(1, 100)
    journal = _journal(core.journal)
    head = journal.heads()["w"]
    good = Snapshot("w", head.seq, head.chain_hash, EVOLVE_VERSION, 0, core.state.snapshot())
    journal.save_snapshot(good)
    assert check_journal(journal, "w") == []
    core.state.book.cash += 1
    journal.save_snapshot(good._replace(payload=core.state.snapshot()))
    assert _numbers(journal) == [(13, 0)]


# -- a state --------------------------------------------------------------------------------------------------


def _held() -> State:
    core = Core()
    core.hold(1, 100, plan=ExitPlan(stop_px=900))
    core.accept(core.order(0, 60, action=Action.CLOSE, px=1100))
    core.fill(core.order(1, 100, px=990), 40, 990)
    return core.state


def _set(path: str, value: Any) -> Callable[[State], None]:
    """Set what a path of names and keys leads to."""

    def doctor(state: State) -> None:
        *way, last = path.split(".")
        at: Any = state.book
        for name in way:
            at = list(at.values())[int(name)] if name.isdigit() else getattr(at, name)
        setattr(at, last, value)

    return doctor


def _unlisted(state: State) -> None:
    state.reducing.clear()


def _unknown_key(state: State) -> None:
    state.keys_of["X"].append("Y")


def _kept_live(state: State) -> None:
    (cl_ord_id, order) = next(iter(state.book.done.items()))
    state.book.orders[cl_ord_id] = order


BOOK_DAMAGE = {
    "cash": (7, _set("cash", 1)),
    "fees": (7, _set("fees", 1)),
    "realised": (7, _set("realised", 1)),
    "cost_of_nothing": (7, _set("positions.0.qty", 0)),
    "fee_of_the_position": (7, _set("positions.0.fees", 1)),
    "over_among_the_live": (4, _kept_live),
    "live_among_the_over": (4, _set("done.0.status", OrdStatus.NEW)),
    "filled_and_live": (5, _set("orders.0.cum_qty", 60)),
    "filled_below_zero": (5, _set("orders.0.cum_qty", -1)),
    "execution_twice": (6, _set("orders.1.exec_ids", ["e", "e"])),
    "index_of_reductions": (13, _unlisted),
    "index_of_positions": (13, _unknown_key),
    "protected_and_flat": (20, _set("positions.0.qty", 0)),
    "waits_for_no_order": (20, _set("positions.0.protection", Protection(exit_cl_ord_id="nobody"))),
    "reductions_beyond_the_position": (22, _set("positions.0.qty", 50)),
    "reductions_of_the_wrong_side": (22, _set("positions.0.qty", -140)),
}


@pytest.mark.parametrize("name", BOOK_DAMAGE)
def test_damaged_book_is_found_under_its_number(name: str) -> None:
    state = _held()
    assert check_book(state) == []
    number, doctor = BOOK_DAMAGE[name]
    doctor(state)
    assert number in {violation.invariant for violation in check_book(state)}


def test_reduction_that_is_being_taken_back_does_not_count() -> None:
    core = Core()
    core.hold(1, 100)
    closing = core.order(0, 60, action=Action.CLOSE, px=1100)
    core.accept(closing)
    core.feed(RequestCancel(core.tick(), closing.request.cl_ord_id, "ada"))
    core.state.book.positions["X"].qty = 50
    assert 22 not in {violation.invariant for violation in check_book(core.state)}
