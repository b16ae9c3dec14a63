"""The account as a strategy sees it: cash and positions in units, read off the engine's book on demand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from surefill.domain.state import Book
from surefill.units import quanta_float


class HeldPosition(NamedTuple):
    """A position in units. `quantity` is signed; `avg_price` is the float nearest to cost over quantity."""

    symbol: str
    quantity: float
    avg_price: float


class _Held(Mapping[str, HeldPosition]):
    """Open positions by symbol, converted when asked for. Dust is none: nobody can trade it."""

    def __init__(self, book: Book) -> None:
        self._book = book

    def __getitem__(self, symbol: str) -> HeldPosition:
        found = held_of(self._book, symbol)
        if found is None:
            raise KeyError(symbol)
        return found

    def __iter__(self) -> Iterator[str]:
        return (key for key, position in self._book.positions.items() if position.qty and not position.dust)

    def __len__(self) -> int:
        return sum(1 for _ in self)


class PaperLedger:
    """What `StrategyRunner.evaluate` takes as `paper_state`: a view of the book, always current, never a copy."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self.positions: Mapping[str, HeldPosition] = _Held(book)

    @property
    def cash(self) -> float:
        """Cash in units of the workspace's currency."""
        return quanta_float(self._book.cash, self._book.money_decimals)


def held_of(book: Book, symbol: str) -> HeldPosition | None:
    """The open position in one symbol, if there is one."""
    position = book.positions.get(symbol)
    if position is None or not position.qty or position.dust:
        return None
    instrument = book.instruments[symbol]
    average = position.cost / position.qty / 10**instrument.price_decimals
    return HeldPosition(position.instrument_id, quanta_float(position.qty, instrument.qty_decimals), average)
