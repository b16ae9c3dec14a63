"""The writer: one workspace, inputs in, durable events out, and nothing that is not durable told to anybody."""

from __future__ import annotations

import asyncio

import pytest
from tests.engine.workspaces import ScriptedVenue, intent, limit, opening, submit, writer

from surefill.domain.decide.reports import QUERY_TIMER
from surefill.domain.effects import CancelOrder, SubmitOrder
from surefill.domain.events import Event, OrderFilled
from surefill.domain.evolve import EVOLVE_VERSION
from surefill.domain.inputs import (
    Halt,
    OutcomeUnknown,
    RequestCancel,
    ResetWorkspace,
    SubmitIntent,
    VenueReports,
)
from surefill.domain.intent import ExitPlan
from surefill.domain.market import Bar, BarOpened, Quote, Source
from surefill.domain.orders import OrderRequest
from surefill.domain.refusals import Refusal, RefusalCode
from surefill.domain.reports import ExecType, VenueReport
from surefill.engine.answers import at_once
from surefill.engine.receipt import Verdict
from surefill.engine.recovery import fold_journal
from surefill.engine.writer import WorkspaceWriter
from surefill.errors import AppendFailed, InputError, InvariantBreach, JournalCorrupt, JournalError, KeyTaken
from surefill.journal import MemoryJournal
from surefill.journal.protocol import Record
from surefill.rules.codes import OrdStatus, OrdType, TimeInForce
from surefill.testing.faulty_journal import FaultyJournal, JournalFault
from surefill.testing.invariants import check_journal
from surefill.units import NS_PER_DAY
from surefill.venues.paper import PaperSettings, PaperVenue
from surefill.venues.protocol import Outcome

ACCEPTED, REFUSED, DUPLICATE, CONFLICT = Verdict


# -- receipts -------------------------------------------------------------------------------------------------


def test_receipt_tells_what_became_of_the_order() -> None:
    made = writer()
    receipt = submit(made, intent("k", 10))
    assert (receipt.verdict, receipt.intent_id, receipt.correlation_id) == (ACCEPTED, "k", "story k")
    assert (receipt.status, receipt.side, receipt.order_qty) == (OrdStatus.FILLED, 1, 10)
    assert (receipt.cum_qty, receipt.cum_notional, receipt.fees) == (10, 1000, 0)
    assert receipt.order_ref.startswith("PAPER-")


def test_receipt_of_a_refusal_tells_why() -> None:
    receipt = submit(writer(), intent("k", 0))
    assert (receipt.verdict, receipt.code) == (REFUSED, "INVALID_QUANTITY")
    assert receipt.reason
    assert receipt.order_ref


def test_ticket_has_no_receipt_before_the_commit() -> None:
    made = writer()
    ticket = made.submit(SubmitIntent(5, intent("k")))
    assert ticket.receipt is None
    assert made.flush() == [ticket]
    assert ticket.receipt is not None


def test_refusal_of_the_door_is_journaled_with_its_price() -> None:
    made = writer()
    refusal = Refusal(RefusalCode.INVALID_INPUT, "the price cannot be counted")
    ticket = made.submit(SubmitIntent(5, intent("k"), Quote("X", 5, 150), refusal))
    made.flush()
    assert ticket.receipt is not None
    assert (ticket.receipt.verdict, ticket.receipt.code) == (REFUSED, "INVALID_INPUT")


def test_every_ticket_of_a_large_batch_is_answered() -> None:
    made = writer()
    tickets = [made.submit(SubmitIntent(10 + n, intent(f"k{n}"))) for n in range(1500)]
    assert made.flush() == tickets
    assert {ticket.receipt.status for ticket in tickets if ticket.receipt} == {OrdStatus.FILLED}
    assert len({ticket.receipt.cl_ord_id for ticket in tickets if ticket.receipt}) == 1500
    assert len(made.state.book.done) < 1000  # most have left the state already


# -- idempotency ----------------------------------------------------------------------------------------------


def _same(made: WorkspaceWriter, first: object, wish: object = None) -> None:
    again = submit(made, wish or intent("k", 10))  # type: ignore[arg-type]
    assert again.verdict == DUPLICATE
    for name in ("correlation_id", "order_ref", "cl_ord_id", "cum_qty", "cum_notional", "status"):
        assert getattr(again, name) == getattr(first, name)


def test_key_again_before_the_commit_is_a_duplicate() -> None:
    made = writer()
    tickets = [made.submit(SubmitIntent(10, intent("k", 10, correlation_id=f"c{n}"))) for n in range(5)]
    made.flush()
    receipts = [ticket.receipt for ticket in tickets if ticket.receipt]
    assert [receipt.verdict for receipt in receipts] == [ACCEPTED, *[DUPLICATE] * 4]
    assert {(receipt.correlation_id, receipt.cl_ord_id) for receipt in receipts} == {("c0", receipts[0].cl_ord_id)}
    assert made.state.book.positions["X"].qty == 10


def test_key_again_after_the_commit_after_a_restart_and_after_the_order_has_left_the_state() -> None:
    journal = MemoryJournal()
    made = writer(journal)
    first = submit(made, intent("k", 10))
    _same(made, first)
    made = WorkspaceWriter(journal, "w", PaperVenue())
    _same(made, first, intent("k", 10, correlation_id="another story"))
    made.feed(Quote("X", 20, 100))
    for n in range(600):
        made.submit(SubmitIntent(30 + n, intent(f"other{n}")))
    made.flush()
    assert made.state.order(first.cl_ord_id) is None
    _same(made, first)
    made.save_snapshot()
    _same(WorkspaceWriter(journal, "w", PaperVenue()), first)


def test_key_again_in_the_very_batch_whose_orders_have_left_the_state() -> None:
    made = writer()
    first = made.submit(SubmitIntent(5, intent("k", 10)))
    for n in range(600):
        made.submit(SubmitIntent(30 + n, intent(f"other{n}")))
    again = made.submit(SubmitIntent(1000, intent("k", 10)))
    made.flush()
    assert first.receipt is not None
    assert again.receipt is not None
    assert (again.receipt.verdict, again.receipt.cl_ord_id) == (DUPLICATE, first.receipt.cl_ord_id)


def test_key_with_another_content_is_a_conflict_that_names_the_first_order() -> None:
    made = writer()
    first = submit(made, intent("k", 10))
    for other in (intent("k", 20), intent("k", 10, side=-1), limit("k"), intent("k", 10, reason="other")):
        receipt = submit(made, other)
        assert (receipt.verdict, receipt.code) == (CONFLICT, "KEY_CONFLICT")
        assert (receipt.correlation_id, receipt.order_ref) == (first.correlation_id, first.order_ref)
    assert made.state.book.positions["X"].qty == 10


def test_key_with_another_price_is_a_conflict() -> None:
    made = writer()
    submit(made, intent("k", 10), Quote("X", 5, 100, source=Source.CALLER))
    assert submit(made, intent("k", 10), Quote("X", 6, 100, source=Source.CALLER)).verdict == DUPLICATE
    assert submit(made, intent("k", 10), Quote("X", 6, 101, source=Source.CALLER)).verdict == CONFLICT


def test_key_repeated_does_not_take_its_price_in() -> None:
    made = writer()
    submit(made, intent("k", 10), Quote("X", 5, 100))
    submit(made, intent("k", 10), Quote("X", 6, 500))
    assert made.state.quotes["X"].last_px == 100


def test_key_of_a_refused_intent_is_free() -> None:
    made = writer()
    assert submit(made, intent("k", 0)).verdict == REFUSED
    assert submit(made, intent("k", 10)).verdict == ACCEPTED


def test_intents_without_a_key_are_never_duplicates() -> None:
    made = writer()
    assert [submit(made, intent("", 10)).verdict for _ in range(3)] == [ACCEPTED] * 3


def test_key_from_before_a_reset_is_still_taken() -> None:
    made = writer()
    first = submit(made, intent("k", 10))
    working = submit(made, limit("rests"))
    made.feed(ResetWorkspace(20, 500, "ada"))
    made.flush()
    _same(made, first)
    again = submit(made, limit("rests"))
    assert (again.verdict, again.status) == (DUPLICATE, OrdStatus.CANCELED)
    assert again.cl_ord_id == working.cl_ord_id


def test_text_that_no_journal_can_hold_is_refused_before_anything_happens() -> None:
    made = writer()
    digest = made.state.digest()
    for wish in (
        intent("k", reason="\ud800"),
        intent("", reason="\ud800"),
        intent("\ud800"),
        intent("k", correlation_id="\ud800"),
        intent("", context={"a": "\udfff"}),
    ):
        with pytest.raises(InputError) as refused:
            made.submit(SubmitIntent(5, wish))
        assert refused.value.code == "NOT_UNICODE"
    assert (made.state.digest(), made.dirty) == (digest, False)


# -- effects --------------------------------------------------------------------------------------------------


def test_effects_for_the_wire_are_released_by_the_commit_alone() -> None:
    made = writer(venue=ScriptedVenue())
    ticket = made.submit(SubmitIntent(10, intent("k")))
    assert list(made.released) == []
    assert made.flush() == []  # nobody has heard from the venue yet
    (sent,) = made.released
    assert isinstance(sent, SubmitOrder)
    made.feed(VenueReports(11, (VenueReport(sent.request.cl_ord_id, ExecType.NEW, "v"),)))
    assert made.flush() == [ticket]


def test_ticket_of_an_unknown_order_is_answered_with_unknown() -> None:
    made = writer(venue=ScriptedVenue())
    ticket = made.submit(SubmitIntent(10, intent("k")))
    made.flush()
    (sent,) = made.released
    assert isinstance(sent, SubmitOrder)
    made.feed(OutcomeUnknown(11, sent.request.cl_ord_id, "timed out"))
    assert made.flush() == [ticket]
    assert ticket.receipt is not None
    assert (ticket.receipt.status, ticket.receipt.reason) == (OrdStatus.UNKNOWN, "timed out")
    assert made.timers.pending == {QUERY_TIMER + sent.request.cl_ord_id: 11 + 10**6}
    assert made.timers.take_due(10**6) == []
    assert made.timers.take_due(11 + 10**6) == [QUERY_TIMER + sent.request.cl_ord_id]
    assert made.timers.pending == {}


def test_exit_set_off_by_the_price_that_came_with_an_intent_is_not_taken_for_the_intents_order() -> None:
    venue = ScriptedVenue()
    made = writer(venue=venue)
    made.submit(SubmitIntent(10, intent("first", plan=ExitPlan(stop_px=95))))
    made.flush()
    bought = made.released.popleft()
    assert isinstance(bought, SubmitOrder)
    trade = VenueReport(bought.request.cl_ord_id, ExecType.TRADE, "v", "e", 100, 10)
    made.feed(VenueReports(11, (trade,)))
    made.flush()
    ticket = made.submit(SubmitIntent(12, intent("k", 3), Quote("X", 12, 95)))
    made.flush()
    leaving, wanted = made.released
    assert isinstance(leaving, SubmitOrder)
    assert isinstance(wanted, SubmitOrder)
    assert (leaving.request.reduce_only, wanted.request.order_qty) == (True, 3)
    assert ticket.order is not None
    assert ticket.order.request is wanted.request
    again = submit(made, intent("k", 3), Quote("X", 12, 95))
    assert (again.verdict, again.cl_ord_id) == (DUPLICATE, wanted.request.cl_ord_id)


def test_market_meets_resting_orders_before_it_meets_exits() -> None:
    made = writer()
    submit(made, limit("k", 95, plan=ExitPlan(stop_px=92)))
    made.feed(Bar("X", 20, 30, 100, 100, 90, 91))
    made.flush()
    position = made.state.book.positions["X"]
    assert (position.qty, position.realised) == (0, (92 - 95) * 10 * 100)


# -- failures of the journal ----------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", [JournalFault.REFUSED, JournalFault.LOST, JournalFault.KEPT])
def test_failed_commit_discards_memory_and_the_same_key_gives_one_execution(fault: JournalFault) -> None:
    journal = FaultyJournal(MemoryJournal())
    made = writer(journal)
    journal.plan(fault)
    made.submit(SubmitIntent(10, intent("k", 10)))
    with pytest.raises(AppendFailed):
        made.flush()
    kept = fault is JournalFault.KEPT
    assert made.state.digest() == fold_journal(journal, "w")[0].digest()
    assert ("X" in made.state.book.positions) is kept
    assert submit(made, intent("k", 10)).verdict == (DUPLICATE if kept else ACCEPTED)
    assert made.state.book.positions["X"].qty == 10
    assert at_once(made.venue.positions()) == {"X": 10}
    assert check_journal(journal, "w") == []


def test_refused_commit_discards_memory_and_is_raised() -> None:
    journal = FaultyJournal(MemoryJournal())
    made = writer(journal)
    journal.plan(JournalFault.KEYS_TAKEN)
    made.submit(SubmitIntent(10, intent("k", 10)))
    with pytest.raises(KeyTaken):
        made.flush()
    assert made.state.book.positions == {}
    assert not made.dirty


def test_discarded_memory_does_not_trade_with_the_same_quote_twice() -> None:
    journal = FaultyJournal(MemoryJournal())
    made = writer(journal, PaperSettings(partial_fills=True))
    made.feed(Quote("X", 10, 0, 99, 100, 5, 4))
    submit(made, limit("k", 100))
    assert made.state.book.positions["X"].qty == 4
    journal.plan(JournalFault.REFUSED)
    made.feed(Halt(11, "KILL", "to have something to commit", "ada", strategy_id="other"))
    with pytest.raises(AppendFailed):
        made.flush()
    assert at_once(made.venue.positions()) == {"X": 4}
    made.feed(Quote("X", 12, 0, 99, 100, 5, 6))
    made.flush()
    assert made.state.book.positions["X"].qty == 10
    assert at_once(made.venue.positions()) == {"X": 10}


def test_discarded_memory_forgets_timers_effects_and_tickets() -> None:
    journal = FaultyJournal(MemoryJournal())
    made = writer(journal, venue=ScriptedVenue())
    made.submit(SubmitIntent(10, intent("k", 10)))
    journal.plan(JournalFault.LOST)
    with pytest.raises(AppendFailed):
        made.flush()
    assert (list(made.released), made.timers.pending, made.flush()) == ([], {}, [])


# -- whoever reads along --------------------------------------------------------------------------------------


def test_subscriber_is_told_after_the_commit_with_the_first_sequence_number() -> None:
    made = writer()
    told: list[tuple[int, list[Event], int]] = []
    head = made.journal.heads
    made.subscribers.append(lambda first, events: told.append((first, events, head()["w"].seq)))
    before = made.state.book.seq
    made.feed(Quote("X", 5, 100))
    made.flush()
    assert told == []
    made.submit(SubmitIntent(10, intent("k")))
    made.flush()
    ((first, events, durable),) = told
    assert (first, first + len(events) - 1) == (before + 1, durable)
    assert [type(event) for event in events][-1] is OrderFilled


def test_subscriber_that_fails_does_not_keep_the_others_from_hearing() -> None:
    made = writer()
    heard: list[int] = []

    def fails(first: int, events: list[Event]) -> None:
        raise ZeroDivisionError("of its own")

    made.subscribers += [fails, lambda first, events: heard.append(first)]
    made.submit(SubmitIntent(10, intent("k")))
    with pytest.raises(ZeroDivisionError):
        made.flush()
    assert len(heard) == 1
    assert made.state.book.positions["X"].qty == 10
    assert made.journal.heads()["w"].seq == made.state.book.seq


def test_subscriber_hears_nothing_of_what_was_lost() -> None:
    journal = FaultyJournal(MemoryJournal())
    made = writer(journal)
    heard: list[int] = []
    made.subscribers.append(lambda first, events: heard.append(first))
    journal.plan(JournalFault.LOST)
    made.submit(SubmitIntent(10, intent("k")))
    with pytest.raises(AppendFailed):
        made.flush()
    assert heard == []


# -- snapshots and recovery -----------------------------------------------------------------------------------


def _busy(journal: MemoryJournal, snapshot_every: int = 10**6) -> WorkspaceWriter:
    made = writer(journal, PaperSettings(partial_fills=True), snapshot_every=snapshot_every)
    for n in range(40):
        made.feed(Quote("X", 100 + n, 0, 99 + n % 3, 100 + n % 3, 7, 9))
        wish = limit(f"k{n}", 97 + n % 6, side=1 if n % 3 else -1, qty=5 + n)
        made.submit(SubmitIntent(100 + n, wish))
        made.flush()
    return made


def test_snapshot_is_saved_by_itself_and_the_next_start_begins_from_it() -> None:
    journal = MemoryJournal()
    made = _busy(journal, snapshot_every=50)
    snapshot = journal.load_snapshot("w", EVOLVE_VERSION)
    assert snapshot is not None
    assert made.state.book.seq - snapshot.seq < 50
    state, seq = fold_journal(journal, "w")
    assert (seq, state.digest()) == (snapshot.seq, made.state.digest())
    assert check_journal(journal, "w") == []


def test_restarted_writer_is_the_old_one_down_to_the_resting_orders() -> None:
    first, second = MemoryJournal(), MemoryJournal()
    old, cut = _busy(first), _busy(second)
    cut.save_snapshot()
    new = WorkspaceWriter(second, "w", PaperVenue(PaperSettings(partial_fills=True)))
    assert new.state.digest() == old.state.digest()
    for made in (old, new):
        for n in range(20):
            made.feed(Quote("X", 1000 + n, 0, 98, 100 - n % 4, 30, 40))
            made.flush()
    assert new.state.digest() == old.state.digest()
    assert [record.payload for record in first.read("w")] == [record.payload for record in second.read("w")]


def test_snapshot_that_cannot_be_saved_is_raised_after_everything_else_is_done() -> None:
    class NoSnapshots(MemoryJournal):
        def save_snapshot(self, snapshot: object) -> None:
            raise JournalError("no room for it")

    made = writer(NoSnapshots(), snapshot_every=5)
    ticket = made.submit(SubmitIntent(10, intent("k")))
    with pytest.raises(JournalError, match="no room"):
        made.flush()
    assert ticket.receipt is not None
    submit(made, intent("", 0))  # not tried again at once


class Altered(MemoryJournal):
    """A journal whose disk has changed one event behind its back."""

    at = 0

    def read(self, workspace_id: str, from_seq: int = 1, to_seq: int | None = None):  # type: ignore[no-untyped-def]
        for record in super().read(workspace_id, from_seq, to_seq):
            changed = record.payload.replace(b'"last_qty":10', b'"last_qty":11') if record.seq == self.at else None
            yield record if changed is None else Record(*record[:4], changed, record.chain_hash)


def test_recovery_refuses_a_journal_whose_chain_does_not_verify() -> None:
    journal = Altered()
    made = writer(journal)
    submit(made, intent("k", 10))
    filled = made.state.book.seq
    fold_journal(journal, "w")
    journal.at = filled
    with pytest.raises(JournalCorrupt) as found:
        WorkspaceWriter(journal, "w", PaperVenue())
    assert found.value.values["seq"] == filled


def test_recovery_up_to_an_event_is_the_state_of_that_moment() -> None:
    journal = MemoryJournal()
    made = _busy(journal)
    made.save_snapshot()
    state, _ = fold_journal(journal, "w", 20)
    assert state.book.seq == 20


def test_writer_recovers_what_was_in_flight() -> None:
    journal, venue = MemoryJournal(), ScriptedVenue()
    made = writer(journal, venue=venue)
    made.submit(SubmitIntent(10, limit("k")))
    made.flush()
    made.released.clear()  # the engine dies before it is sent
    again = WorkspaceWriter(journal, "w", venue)
    again.recover(20)
    again.flush()
    (order,) = again.state.book.orders.values()
    assert order.status == OrdStatus.UNKNOWN
    assert [type(effect).__name__ for effect in again.released] == ["QueryOrder"]


# -- resetting, venues in this process -------------------------------------------------------------------------


def test_reset_takes_the_venue_along() -> None:
    made = writer()
    submit(made, intent("a", 10))
    submit(made, limit("b", 90))
    made.feed(ResetWorkspace(20, 500, "ada"))
    made.flush()
    assert at_once(made.venue.positions()) == {}
    made.feed(Quote("X", 21, 80))
    assert not made.dirty
    assert submit(made, intent("c", 10)).cum_notional == 800  # the market was not forgotten
    assert check_journal(made.journal, "w") == []


def test_cancel_of_a_resting_order_is_answered_in_the_same_commit() -> None:
    made = writer()
    receipt = submit(made, limit("b", 90))
    made.feed(RequestCancel(20, receipt.cl_ord_id, "ada"))
    order = made.state.order(receipt.cl_ord_id)
    assert order is not None
    assert order.status == OrdStatus.CANCELED
    made.flush()
    assert list(made.released) == []


def test_cancel_in_a_venue_behind_a_wire_waits_for_the_commit() -> None:
    made = writer(venue=ScriptedVenue())
    made.submit(SubmitIntent(10, limit("b", 90)))
    made.flush()
    sent = made.released.popleft()
    assert isinstance(sent, SubmitOrder)
    made.feed(RequestCancel(20, sent.request.cl_ord_id, "ada"))
    assert list(made.released) == []
    made.flush()
    assert isinstance(made.released.popleft(), CancelOrder)


def test_venue_that_claims_to_be_in_process_and_waits_is_a_breach() -> None:
    class Sleepy(PaperVenue):
        async def submit(self, request: OrderRequest) -> Outcome:
            await asyncio.sleep(0)
            return await super().submit(request)

    made = writer(venue=Sleepy())
    with pytest.raises(InvariantBreach, match="in this process"):
        made.submit(SubmitIntent(10, intent("k")))


def test_workspace_of_another_name_is_not_folded_into_this_one() -> None:
    journal = MemoryJournal()
    writer(journal)
    other = WorkspaceWriter(journal, "v", PaperVenue())
    other.feed(opening("v"))
    other.flush()
    assert (other.state.book.workspace_id, other.state.book.seq, other.state.book.instruments) == ("v", 1, {})


# -- orders for the day ---------------------------------------------------------------------------------------

MIDNIGHT = NS_PER_DAY


@pytest.mark.parametrize("first", [Quote("X", MIDNIGHT, 90), BarOpened("X", MIDNIGHT, 90)])
@pytest.mark.parametrize(("time_in_force", "fills"), [(TimeInForce.DAY, False), (TimeInForce.GTC, True)])
def test_order_for_the_day_of_a_market_that_never_closes_ends_at_midnight_before_it_meets_the_next_day(
    first: Quote | BarOpened, time_in_force: TimeInForce, fills: bool
) -> None:
    made = writer()
    made.feed(Quote("X", MIDNIGHT - 10, 100))
    receipt = submit(made, intent("k", ord_type=OrdType.LIMIT, px=95, time_in_force=time_in_force), ts_ns=MIDNIGHT - 5)
    made.feed(Quote("X", MIDNIGHT - 1, 96))
    made.feed(first)
    made.flush()
    order = made.state.book.done[receipt.cl_ord_id]
    assert order.status == (OrdStatus.FILLED if fills else OrdStatus.EXPIRED)


@pytest.mark.parametrize(("low_px", "fills"), [(96, False), (94, True)])
def test_order_for_the_day_meets_the_bar_that_ends_at_midnight(low_px: int, fills: bool) -> None:
    made = writer()
    made.feed(Quote("X", MIDNIGHT - 100, 100))
    receipt = submit(
        made, intent("k", ord_type=OrdType.LIMIT, px=95, time_in_force=TimeInForce.DAY), ts_ns=MIDNIGHT - 90
    )
    made.feed(Bar("X", MIDNIGHT - 60, MIDNIGHT, 100, 100, low_px, 98, is_session_end=True))
    made.flush()
    order = made.state.book.done[receipt.cl_ord_id]
    assert order.status == (OrdStatus.FILLED if fills else OrdStatus.EXPIRED)
