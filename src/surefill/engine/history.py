"""What became of an intent whose order has left the state: read off the journal."""

from __future__ import annotations

from surefill.domain import codec
from surefill.domain.events import OrderCreated
from surefill.domain.evolve import evolve
from surefill.domain.orders import Order
from surefill.domain.state import State
from surefill.errors import InvariantBreach
from surefill.journal.protocol import Journal


def order_created_at(journal: Journal, workspace_id: str, seq: int) -> Order:
    """The order that event `seq` created, folded from its own events up to its end."""
    scratch = State()
    records = journal.read(workspace_id, seq)
    created = codec.decode(next(records).payload)
    if not isinstance(created, OrderCreated):
        raise InvariantBreach(f"workspace {workspace_id}: event {seq} should have created an order")
    evolve(scratch, created)
    cl_ord_id = created.request.cl_ord_id
    for record in records:
        event = codec.decode(record.payload)
        if getattr(event, "cl_ord_id", "") == cl_ord_id:
            evolve(scratch, event)
            if cl_ord_id in scratch.book.done:
                return scratch.book.done[cl_ord_id]
    return scratch.book.orders[cl_ord_id]
