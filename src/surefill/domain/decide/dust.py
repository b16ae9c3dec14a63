"""What is held and cannot leave: less than one lot, or than the venue takes in one order.

Where a venue takes its fee out of what was bought, a holding is no whole number of lots, and where it refuses odd lots
a rest stays. That is in both books, so nothing differs; it only must not keep a plan, an exit or an owner alive.
"""

from __future__ import annotations

from surefill.domain.decide.step import Step
from surefill.domain.effects import Notify
from surefill.domain.events import DustLeft
from surefill.domain.position import Position
from surefill.units import quanta_text


def leaving_qty(this: Step, position: Position, px: int = 0) -> int:
    """The most of the position that can leave in one order at `px` (0: not known); 0 when it is dust."""
    return this.book.instruments[position.instrument_id].terms_at(this.ts_ns).leaving_qty(abs(position.qty), px)


def settle(this: Step, key: str) -> None:
    """Nothing works for the position any more: if what is left of it is dust, its trade is over."""
    position = this.book.positions.get(key)
    if position is None or not position.qty or position.dust or leaving_qty(this, position):
        return
    if not any(order.position == key for order in this.book.orders.values()):
        leave(this, key, position)


def leave(this: Step, key: str, position: Position) -> None:
    """End the position's plan and say so, once and quietly: nothing is wrong."""
    instrument = this.book.instruments[position.instrument_id]
    this.emit(DustLeft(this.ts_ns, position.correlation_id, this.cause, key, position.qty))
    left = quanta_text(position.qty, instrument.qty_decimals)
    text = f"{left} of {key} is left, too little for an order at its venue: it stays there, and nothing guards it"
    this.ask(Notify("DUST_LEFT", text))
