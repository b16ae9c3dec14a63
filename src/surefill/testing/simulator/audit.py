"""What must be true of a journal, whatever happened: read off its events, without the code that wrote them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from surefill.domain import codec
from surefill.domain import events as e
from surefill.domain.state import State
from surefill.engine.recovery import fold, fold_journal
from surefill.journal import Journal, verify
from surefill.rules.codes import OrdEvent, OrdStatus
from surefill.rules.transitions import next_status

_RESOLVED: dict[int, OrdEvent] = {
    OrdStatus.CANCELED: OrdEvent.CANCEL,
    OrdStatus.REJECTED: OrdEvent.REJECT,
    OrdStatus.EXPIRED: OrdEvent.EXPIRE,
}


def audit(journal: Journal, workspace_id: str) -> Iterator[str]:
    """Everything that is wrong with one workspace's stream."""
    yield from _audit_folds(journal, workspace_id)
    ledger = _Ledger()
    for record in journal.read(workspace_id):
        yield from ledger.take(record.seq, codec.decode(record.payload))
    state, _ = fold_journal(journal, workspace_id)
    yield from ledger.compare(state)


def audit_chain(journal: Journal) -> Iterator[str]:
    """Everything that is wrong with the journal as such."""
    verification = verify(journal)
    if not verification.ok:
        yield verification.text()


def _audit_folds(journal: Journal, workspace_id: str) -> Iterator[str]:
    """A snapshot and what came after it give the same state as all events do."""
    short, snapshot_seq = fold_journal(journal, workspace_id)
    whole = State()
    fold(whole, journal.read(workspace_id))
    if whole.digest() != short.digest():
        yield f"the snapshot at {snapshot_seq} and the events after it give another state than all events"


class _Ledger:
    """Orders, positions and cash, kept a second time and more simply."""

    def __init__(self) -> None:
        self.status: dict[str, int] = {}
        self.side_qty: dict[str, tuple[int, int]] = {}
        self.filled: Counter[str] = Counter()
        self.execs: set[tuple[str, str]] = set()
        self.intents: set[str] = set()
        self.held: Counter[str] = Counter()
        self.per_notional: dict[str, int] = {}
        self.instrument_of: dict[str, str] = {}
        self.cash = 0

    def take(self, seq: int, event: e.Event) -> Iterator[str]:
        match event:
            case e.WorkspaceOpened():
                self.cash = event.starting_cash
            case e.InstrumentDefined():
                self.per_notional[event.instrument.instrument_id] = event.instrument.money_per_notional
            case e.IntentAccepted():
                if event.intent.intent_id in self.intents:
                    yield f"{seq}: intent {event.intent.intent_id} was accepted twice"
                self.intents.add(event.intent.intent_id)
            case e.OrderCreated():
                yield from self._created(seq, event)
            case e.OrderFilled():
                yield from self._filled(seq, event)
            case e.OrderAccepted():
                yield from self._moved(seq, event.cl_ord_id, OrdEvent.ACCEPT)
            case e.OrderRejected():
                yield from self._moved(seq, event.cl_ord_id, OrdEvent.REJECT)
            case e.OrderOutcomeUnknown():
                yield from self._moved(seq, event.cl_ord_id, OrdEvent.OUTCOME_UNKNOWN)
            case e.OrderCanceled():
                yield from self._moved(seq, event.cl_ord_id, OrdEvent.CANCEL)
            case e.OrderExpired():
                yield from self._moved(seq, event.cl_ord_id, OrdEvent.EXPIRE)
            case e.OrderResolved():
                yield from self._moved(seq, event.cl_ord_id, _RESOLVED[event.status])
            case _:
                pass

    def _created(self, seq: int, event: e.OrderCreated) -> Iterator[str]:
        request = event.request
        if request.cl_ord_id in self.status:
            yield f"{seq}: client order id {request.cl_ord_id} is used twice"
        self.status[request.cl_ord_id] = OrdStatus.SUBMITTED
        self.side_qty[request.cl_ord_id] = request.side, request.order_qty
        self.instrument_of[request.cl_ord_id] = request.instrument_id

    def _filled(self, seq: int, event: e.OrderFilled) -> Iterator[str]:
        cl_ord_id = event.cl_ord_id
        if (cl_ord_id, event.exec_id) in self.execs:
            yield f"{seq}: execution {event.exec_id} of {cl_ord_id} is booked twice"
        self.execs.add((cl_ord_id, event.exec_id))
        self.filled[cl_ord_id] += event.last_qty
        side, order_qty = self.side_qty[cl_ord_id]
        if self.filled[cl_ord_id] != event.cum_qty:
            yield f"{seq}: {cl_ord_id} counts {event.cum_qty} filled, its executions add up to {self.filled[cl_ord_id]}"
        self.held[event.position] += side * event.last_qty
        if self.held[event.position] != event.position_qty:
            yield f"{seq}: position {event.position} is {event.position_qty}, fills make {self.held[event.position]}"
        notional = side * event.last_px * event.last_qty
        self.cash -= notional * self.per_notional[self.instrument_of[cl_ord_id]] + event.fee
        if self.cash != event.cash:
            yield f"{seq}: cash is {event.cash}, fills and fees make {self.cash}"
        if not event.late:
            yield from self._moved(
                seq, cl_ord_id, OrdEvent.FILL if event.cum_qty < order_qty else OrdEvent.FILL_COMPLETE
            )

    def _moved(self, seq: int, cl_ord_id: str, event: OrdEvent) -> Iterator[str]:
        status = next_status(self.status[cl_ord_id], event)
        if status < 0:
            yield f"{seq}: {event.name} of {cl_ord_id}, which is {OrdStatus(self.status[cl_ord_id]).name}"
        else:
            self.status[cl_ord_id] = status

    def compare(self, state: State) -> Iterator[str]:
        """What the state says against what the events add up to."""
        book = state.book
        if book.cash != self.cash:
            yield f"the state's cash is {book.cash}, the events make {self.cash}"
        held = {key: qty for key, qty in self.held.items() if qty}
        ours = {key: position.qty for key, position in state.open_positions()}
        if held != ours:
            yield f"the state holds {ours}, the events make {held}"
        for cl_ord_id, order in [*book.orders.items(), *book.done.items()]:
            if order.status != self.status[cl_ord_id] or order.cum_qty != self.filled[cl_ord_id]:
                mine = f"{OrdStatus(self.status[cl_ord_id]).name} {self.filled[cl_ord_id]}"
                yield f"{cl_ord_id} is {OrdStatus(order.status).name} {order.cum_qty}, {mine} by its events"
