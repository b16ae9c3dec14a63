"""The one way in which an order leaves a position: made of the position, reducing only, sent when it is durable."""

from __future__ import annotations

from surefill.domain import ids
from surefill.domain.decide.step import Step
from surefill.domain.effects import SubmitOrder
from surefill.domain.events import OrderCreated
from surefill.domain.market import Quote
from surefill.domain.orders import OrderRequest
from surefill.domain.position import ExitDue, Position
from surefill.rules.codes import OrdType, TimeInForce


def leave_at_market(this: Step, key: str, position: Position, due: ExitDue, qty: int) -> None:
    """The exit that is due."""
    terms = (int(OrdType.MARKET), qty, 0, int(TimeInForce.DAY))
    _send(this, key, position, terms, due.reason, (due.px, due.source, due.px_ns))


def leave_at_stop(
    this: Step, key: str, position: Position, stop_px: int, target_px: int, qty: int, reason: int
) -> None:
    """A stop that rests at the venue, with a target linked to it (0: alone)."""
    quote: Quote | None = this.state.quotes.get(position.instrument_id)
    seen = (0, 0, 0) if quote is None else (quote.last_px, quote.source, quote.ts_ns)
    terms = (int(OrdType.STOP), qty, stop_px, this.book.profile.limits.stop_time_in_force)
    _send(this, key, position, terms, reason, seen, target_px)


def _send(
    this: Step,
    key: str,
    position: Position,
    terms: tuple[int, int, int, int],
    reason: int,
    seen: tuple[int, int, int],
    target_px: int = 0,
) -> None:
    """`terms`: type, quantity, trigger, time in force. `seen`: price of the decision, its source and time."""
    book, profile = this.book, this.book.profile
    number = book.number + 1
    ord_type, qty, stop_px, time_in_force = terms
    request = OrderRequest(
        ids.cl_ord_id(book.workspace_id, f"exit|{key}|{number}", number),
        ids.order_ref(profile.id_style, profile.id_prefix, book.workspace_id, this.ts_ns, number),
        position.instrument_id,
        position.bucket,
        -1 if position.qty > 0 else 1,
        ord_type,
        qty,
        0,
        stop_px,
        time_in_force,
        True,
        seen[0],
        this.ts_ns,
        this.ts_ns + profile.limits.send_by_ns,
        target_px,
    )
    this.emit(
        OrderCreated(
            this.ts_ns,
            position.correlation_id,
            book.seq,
            request,
            number,
            "",
            position.strategy_id,
            reason,
            key,
            seen[1],
            seen[2],
        )
    )
    this.ask(SubmitOrder(request))
