"""The fold behind the execution log: from the journal's events to the versions of each execution's row.

Only intents of the RPM door begin an execution, and everything its row says is in the journal: what upstream said
travels in the intent, the rest is what gates and venues said. Exits of the position are not part of it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

import msgspec

from surefill.domain import events as e
from surefill.domain import ids
from surefill.domain.orders import Order
from surefill.views.execution_rows import Cell, cells_of, details_of
from surefill.views.execution_standing import Execution, Piece
from surefill.views.fold import Fold

LOG_VERSION: Final = 1
DOOR: Final = "rpm"
GROUP_ID: Final = "group_id"

_JSON = msgspec.json.Encoder(order="deterministic")


class RowVersion(NamedTuple):
    """A row as one event left it. `details` is JSON: what the table has no column for. `group_id`: see groups."""

    seq: int
    cells: dict[str, Cell]
    details: str
    group_id: str

    @property
    def execution_id(self) -> str:
        """Whose row it is."""
        return str(self.cells["execution_id"])


class Saved(msgspec.Struct, frozen=True):
    """A fold at rest."""

    version: int
    fold: str
    executions: dict[str, Execution]


_DECODER = msgspec.json.Decoder(Saved)


class ExecutionLogFold:
    """Feed it every event of a workspace, in order. `executions`: those of which more may come, by correlation id."""

    def __init__(self) -> None:
        self.fold = Fold()
        self.executions: dict[str, Execution] = {}

    def apply(self, event: e.Event) -> list[RowVersion]:
        """Fold one event; the new versions of the rows that it changed."""
        self.fold.apply(event)
        take = _TAKE.get(type(event))
        touched = () if take is None else take(self, event)
        rows = [self._row(event, execution) for execution in touched]
        if isinstance(event, e.OrdersRetired | e.WorkspaceReset):
            self._forget()
        return rows

    def _row(self, event: e.Event, execution: Execution) -> RowVersion:
        execution.updated_ns = event.ts_ns
        details = _JSON.encode(details_of(execution)).decode()
        return RowVersion(self.fold.book.seq, cells_of(execution), details, execution.context.get(GROUP_ID, ""))

    # -- what events do ---------------------------------------------------------------------------------------

    def _begun(self, event: e.IntentAccepted | e.IntentRefused) -> Execution:
        intent, book, profile = event.intent, self.fold.book, self.fold.book.profile
        return Execution(
            ids.order_ref(profile.id_style, profile.id_prefix, book.workspace_id, event.ts_ns, event.number),
            intent.intent_id or intent.context.get("decision_id", ""),
            intent.instrument_id,
            intent.side,
            intent.context,
            event.limits_version,
            event.ts_ns,
            event.ts_ns,
            intent.order_qty,
            book.money_decimals,
            self.fold.instrument(intent.instrument_id),
        )

    def _accepted(self, event: e.IntentAccepted) -> tuple[Execution, ...]:
        if event.intent.door != DOOR:
            return ()
        execution = self.executions[event.correlation_id] = self._begun(event)
        return (execution,)

    def _refused(self, event: e.IntentRefused) -> tuple[Execution, ...]:
        if event.intent.door != DOOR:
            return ()
        execution = self._begun(event)
        execution.refused, execution.refused_why = event.code, event.reason
        return (execution,)

    def _created(self, event: e.OrderCreated) -> tuple[Execution, ...]:
        execution = self.executions.get(event.correlation_id)
        if execution is None or event.exit_reason:
            return ()
        request = event.request
        if not execution.pieces:
            execution.order_qty = request.order_qty
            execution.submitted_ns = event.ts_ns
            execution.mid_px2 = 2 * request.arrival_px - request.side * event.arrival_spread
        execution.pieces[request.cl_ord_id] = Piece(request.order_qty)
        return (execution,)

    def _moved(self, event: Any) -> tuple[Execution, ...]:
        """An order's step: its row, if it is an entry of an execution that is still known."""
        order: Order | None = self.fold.order(event.cl_ord_id)
        execution = None if order is None else self.executions.get(order.correlation_id)
        if order is None or execution is None or event.cl_ord_id not in execution.pieces:
            return ()
        piece = execution.pieces[event.cl_ord_id]
        piece.take(order)
        if isinstance(event, e.OrderFilled):
            execution.filled_ns = event.ts_ns
        elif isinstance(event, e.CancelRequested):
            piece.canceled_by = event.by
        return (execution,)

    def _forget(self) -> None:
        """Let executions go whose orders have all left the state: no event can name them any more."""
        self.executions = {
            name: execution
            for name, execution in self.executions.items()
            if any(self.fold.order(cl_ord_id) is not None for cl_ord_id in execution.pieces)
        }

    # -- at rest ----------------------------------------------------------------------------------------------

    def save(self) -> bytes:
        """This fold in bytes, to begin from another time."""
        return _JSON.encode(Saved(LOG_VERSION, self.fold.save().decode(), self.executions))

    @classmethod
    def restore(cls, payload: bytes) -> ExecutionLogFold | None:
        """The fold of `save`; None where it was saved by another version, or is not readable."""
        try:
            saved = _DECODER.decode(payload)
        except msgspec.DecodeError:
            return None
        fold = Fold.restore(saved.fold.encode()) if saved.version == LOG_VERSION else None
        if fold is None:
            return None
        made = cls()
        made.fold, made.executions = fold, saved.executions
        return made


_TAKE: dict[type[e.Event], Callable[[ExecutionLogFold, Any], tuple[Execution, ...]]] = {
    e.IntentAccepted: ExecutionLogFold._accepted,
    e.IntentRefused: ExecutionLogFold._refused,
    e.OrderCreated: ExecutionLogFold._created,
    e.OrderAccepted: ExecutionLogFold._moved,
    e.OrderRejected: ExecutionLogFold._moved,
    e.OrderOutcomeUnknown: ExecutionLogFold._moved,
    e.OrderFilled: ExecutionLogFold._moved,
    e.OrderCanceled: ExecutionLogFold._moved,
    e.OrderExpired: ExecutionLogFold._moved,
    e.OrderResolved: ExecutionLogFold._moved,
    e.OrderResendScheduled: ExecutionLogFold._moved,
    e.OrderResent: ExecutionLogFold._moved,
    e.CancelRequested: ExecutionLogFold._moved,
}
