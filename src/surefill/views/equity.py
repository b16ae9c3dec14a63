"""What an account was worth at every close: its events, folded, and valued at the bars' closing prices.

At each time at which a bar ends, all events up to and including that time count, and every position is valued at the
last close of its instrument. Money is in money quanta, so that

    equity = starting cash + sum of every instrument's P&L

holds exactly, at each close.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from heapq import merge
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

from surefill.domain.events import Event
from surefill.domain.state import Book
from surefill.market.series import BarSeries
from surefill.rules.position import unrealised
from surefill.views.fold import Fold


class Curves(NamedTuple):
    """Parallel lists, one entry for each time at which some bar ended.

    `equity` is cash plus positions; `pnl` by instrument: realised, less fees, plus unrealised, since the beginning.
    `held` counts the closes at which something was held: under an instrument's id of its own `bars`, under "" of all.
    """

    times: list[int]
    equity: list[int]
    pnl: dict[str, list[int]]
    held: dict[str, int]
    bars: dict[str, int]


def equity_curves(
    events: Iterable[Event], series: Mapping[str, BarSeries], fold: Fold, apply: Callable[[Event], object]
) -> Curves:
    """Hand the events to `apply`, which folds them into `fold` (and may do more), and value the book at every close."""
    held, bars = dict.fromkeys(("", *series), 0), dict.fromkeys(series, 0)
    curves = Curves([], [], {symbol: [] for symbol in series}, held, bars)
    closes: dict[str, int] = {}
    waiting = iter(events)
    event = next(waiting, None)
    for ts_ns, ended in _closes(series):
        while event is not None and event.ts_ns <= ts_ns:
            apply(event)
            event = next(waiting, None)
        closes.update(ended)
        _mark(curves, fold.book, ts_ns, closes, ended)
    while event is not None:
        apply(event)
        event = next(waiting, None)
    return curves


def _closes(series: Mapping[str, BarSeries]) -> Iterator[tuple[int, dict[str, int]]]:
    """The times at which bars end, ascending, with the closes of those bars."""
    columns = (zip(bars.ts_ns, [symbol] * len(bars), bars.close_px, strict=True) for symbol, bars in series.items())
    for ts_ns, ended in groupby(merge(*columns), key=itemgetter(0)):
        yield ts_ns, {symbol: close_px for _, symbol, close_px in ended}


def _mark(curves: Curves, book: Book, ts_ns: int, closes: Mapping[str, int], ended: Mapping[str, int]) -> None:
    pnl = dict.fromkeys(curves.pnl, 0)
    held: dict[str, bool] = {}
    for position in book.positions.values():
        symbol = position.instrument_id
        money = position.realised - position.fees
        if position.qty:
            held[symbol] = True
            per_notional = book.instruments[symbol].money_per_notional
            money += unrealised(position.qty, position.cost, closes[symbol]) * per_notional
        pnl[symbol] += money
    curves.times.append(ts_ns)
    curves.equity.append(book.starting_cash + sum(pnl.values()))
    for symbol, money in pnl.items():
        curves.pnl[symbol].append(money)
    curves.held[""] += bool(held)
    for symbol in ended:
        curves.bars[symbol] += 1
        curves.held[symbol] += symbol in held
