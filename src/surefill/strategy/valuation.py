"""What an account was worth at the closes of each moment of a run, told afterwards from what it held."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from surefill.domain.state import Book
from surefill.market.series import BarSeries
from surefill.strategy.timeline import moments


class EquityPoint(NamedTuple):
    """Cash and positions at the closes of one moment, in money quanta."""

    ts_ns: int
    equity: int


class _Holding(NamedTuple):
    """From the moment that opens at `open_ns` on. `worth`: money quanta per price quantum, by instrument."""

    open_ns: int
    cash: int
    worth: dict[str, int]


class Valuation:
    """Takes the book after each moment at which it may have changed.

    The first `skipped` moments from `from_ns` on are not told of.
    """

    def __init__(self, series: Mapping[str, BarSeries], from_ns: int, skipped: int) -> None:
        self._series = series
        self._from_ns = from_ns
        self._skipped = skipped
        self._holdings: list[_Holding] = []

    def take(self, open_ns: int, book: Book) -> None:
        """The book as it is after the moment that opens then."""
        worth = {
            symbol: held.qty * book.instruments[symbol].money_per_notional
            for symbol in self._series
            if (held := book.positions.get(symbol)) is not None and held.qty
        }
        last = self._holdings[-1] if self._holdings else None
        if last is None or last.cash != book.cash or last.worth != worth:
            self._holdings.append(_Holding(open_ns, book.cash, worth))

    def points(self) -> Iterator[EquityPoint]:
        """The equity at each moment, with every position at its instrument's last close."""
        closes: dict[str, int] = {}
        after = iter(self._holdings)
        holding, coming = None, next(after, None)
        left = self._skipped
        for moment in moments(self._series):
            last_ns = moment.open_ns
            for symbol, at in moment.bars:
                closes[symbol] = self._series[symbol].close_px[at]
                last_ns = max(last_ns, self._series[symbol].ts_ns[at])
            if moment.open_ns < self._from_ns or left:
                left -= moment.open_ns >= self._from_ns
                continue
            while coming is not None and coming.open_ns <= moment.open_ns:
                holding, coming = coming, next(after, None)
            assert holding is not None  # the first moment is always taken
            worth = sum(each * closes[symbol] for symbol, each in holding.worth.items())
            yield EquityPoint(last_ns, holding.cash + worth)
