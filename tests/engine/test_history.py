"""An order that has left the state is read off the journal, whatever became of it."""

from __future__ import annotations

import pytest
from tests.engine.workspaces import ScriptedVenue, intent, limit, submit, writer

from surefill.domain.effects import SubmitOrder
from surefill.domain.events import OrderCreated
from surefill.domain.inputs import OutcomeUnknown, RequestCancel, SubmitIntent, VenueReports
from surefill.domain.market import Quote
from surefill.domain.reports import ExecType, VenueReport
from surefill.engine.history import order_created_at
from surefill.engine.writer import WorkspaceWriter
from surefill.errors import InvariantBreach
from surefill.journal import MemoryJournal
from surefill.rules.codes import OrdStatus
from surefill.venues.paper import PaperSettings


def _created(made: WorkspaceWriter) -> list[int]:
    name = OrderCreated.__name__.encode()
    return [record.seq for record in made.journal.read("w") if b'"type":"' + name + b'"' in record.payload]


def test_order_from_the_journal_is_the_one_in_the_state() -> None:
    made = writer(settings=PaperSettings(partial_fills=True))
    made.feed(Quote("X", 5, 0, 99, 100, 4, 4))
    partly = submit(made, limit("a", 100))
    submit(made, limit("b", 50))
    canceled = submit(made, limit("c", 50))
    made.feed(RequestCancel(20, canceled.cl_ord_id, "ada"))
    made.feed(Quote("X", 21, 0, 99, 100, 4, 4))
    made.flush()
    orders = [order_created_at(made.journal, "w", seq) for seq in _created(made)]
    assert [(order.status, order.cum_qty) for order in orders] == [
        (OrdStatus.PARTIALLY_FILLED, 8),
        (OrdStatus.NEW, 0),
        (OrdStatus.CANCELED, 0),
    ]
    assert orders[0].request.cl_ord_id == partly.cl_ord_id
    for order in orders:
        assert order == made.state.order(order.request.cl_ord_id)


def test_order_that_was_unknown_and_partly_filled_is_told_as_it_ended() -> None:
    made = writer(MemoryJournal(), venue=ScriptedVenue())
    made.submit(SubmitIntent(10, intent("k")))
    made.flush()
    sent = made.released.popleft()
    assert isinstance(sent, SubmitOrder)
    name = sent.request.cl_ord_id
    made.feed(OutcomeUnknown(11, name, "timed out"))
    made.feed(VenueReports(12, (VenueReport(name, ExecType.TRADE, "v", "e", 100, 4, fee=3),)))
    made.feed(VenueReports(13, (VenueReport(name, ExecType.EXPIRED, "v", cum_qty=4),)))
    made.flush()
    (seq,) = _created(made)
    order = order_created_at(made.journal, "w", seq)
    assert (order.status, order.cum_qty, order.fees, order.exec_ids) == (OrdStatus.EXPIRED, 4, 3, ["e"])
    assert order == made.state.order(name)


def test_event_that_created_no_order_is_a_breach() -> None:
    made = writer()
    with pytest.raises(InvariantBreach, match="event 1 should have created an order"):
        order_created_at(made.journal, "w", 1)
