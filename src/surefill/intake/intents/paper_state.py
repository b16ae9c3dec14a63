"""The cash ledger as this door shows it: floats, each made from the engine's exact integers in one step.

Nothing is computed from these floats. `StrategyRunner.evaluate` takes a `PaperState` as it is.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from surefill.domain.position import Position
from surefill.domain.state import Book, State
from surefill.units import datetime_from_ns, quanta_float
from surefill.views.wording import avg_px


class PaperPosition(msgspec.Struct, frozen=True):
    """An open position. `quantity` in units, below 0 when short; `avg_price` is cost over quantity.

    `realized_pnl` and `fees` are those of this symbol since the last reset, in money. `stop_loss` and `take_profit`
    are the ones in force now (None: none); `strategy_entity_id` owns the position.
    """

    symbol: str
    quantity: float
    avg_price: float
    realized_pnl: float
    fees: float
    opened_at: datetime
    strategy_entity_id: str = ""
    stop_loss: float | None = None
    take_profit: float | None = None

    @property
    def qty(self) -> float:
        """The document's other word for the quantity."""
        return self.quantity


class PaperState(msgspec.Struct, frozen=True):
    """The ledger of one workspace, at a moment when all of it was durable.

    Exactly, in the engine's integers: cash = starting_equity + realized_pnl - fees - the cost of what is held.
    `seq` is the journal's last event in it. `halted` says why no entries are taken (empty: they are), and
    `paused` the same by strategy.
    """

    workspace_id: str
    currency: str
    starting_equity: float
    cash: float
    realized_pnl: float
    fees: float
    positions: dict[str, PaperPosition]
    seq: int
    halted: str = ""
    paused: dict[str, str] = {}


def paper_state(state: State) -> PaperState:
    """A copy of the ledger; safe to keep."""
    book = state.book
    return PaperState(
        book.workspace_id,
        book.currency,
        quanta_float(book.starting_cash, book.money_decimals),
        quanta_float(book.cash, book.money_decimals),
        quanta_float(book.realised, book.money_decimals),
        quanta_float(book.fees, book.money_decimals),
        {position.instrument_id: _position(book, position) for _, position in state.open_positions()},
        book.seq,
        f"{book.halted_code}: {book.halted_reason}" if book.halted_code else "",
        dict(book.halted_strategies),
    )


def _position(book: Book, position: Position) -> PaperPosition:
    instrument = book.instruments[position.instrument_id]
    guard = position.protection

    def price(px: int) -> float | None:
        return quanta_float(px, instrument.price_decimals) if px else None

    return PaperPosition(
        position.instrument_id,
        quanta_float(position.qty, instrument.qty_decimals),
        avg_px(position.cost, position.qty, instrument.price_decimals),
        quanta_float(position.realised, book.money_decimals),
        quanta_float(position.fees, book.money_decimals),
        datetime_from_ns(position.opened_ns),
        position.strategy_id,
        price(guard.stop_px) if guard is not None else None,
        price(guard.target_px) if guard is not None else None,
    )
