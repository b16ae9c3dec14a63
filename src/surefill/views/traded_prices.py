"""Bars for a journal: those that are given, where they fit, else the prices that the workspace itself has traded at.

Market data is not journaled. Without bars an account can be valued only when it trades, so nothing can be said by the
day: whoever uses these prices must say so (`performance`, `by_day`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from surefill.domain.events import Event, ExternalTraded, OrderFilled
from surefill.domain.market import Bar
from surefill.domain.state import Book
from surefill.errors import InputError
from surefill.market.series import BarSeries
from surefill.units import iso_from_ns, quanta_text
from surefill.views.fold import Fold

#: A fill this far outside its bar, as a part of the price, is another market's (or another adjustment's).
FAR: Final = 0.05
_TIMEFRAME: Final = "1m"


class Traded(NamedTuple):
    """A workspace's book at the end of its events, and its fills: by instrument, time and price in order of time."""

    book: Book
    fills: Mapping[str, list[tuple[int, int]]]


def traded_in(events: Iterable[Event]) -> Traded:
    """Fold a workspace's events, from the first one on."""
    fold = Fold()
    fills: dict[str, list[tuple[int, int]]] = {}
    for event in events:
        fold.apply(event)
        if isinstance(event, OrderFilled | ExternalTraded):
            symbol = fold.book.positions[event.position].instrument_id
            fills.setdefault(symbol, []).append((event.ts_ns, event.last_px))
    return Traded(fold.book, fills)


def bars_for(traded: Traded, given: Mapping[str, BarSeries]) -> tuple[dict[str, BarSeries], list[str]]:
    """Bars of everything that the workspace traded, and for which of it there were only its own prices.

    Raises InputError (BARS_DO_NOT_FIT) where bars that were given cannot be those of the market it traded in.
    """
    instruments = traded.book.instruments
    found = {
        symbol: _in_quanta(bars, instruments[symbol].price_decimals)
        for symbol, bars in given.items()
        if symbol in instruments
    }
    for symbol, bars in found.items():
        _check(symbol, bars, traded.fills.get(symbol, ()))
    own = sorted(traded.fills.keys() - found.keys())
    for symbol in own:
        instrument = instruments[symbol]
        found[symbol] = BarSeries.from_bars(
            _own_bars(symbol, traded.fills[symbol]),
            instrument_id=symbol,
            timeframe=_TIMEFRAME,
            price_decimals=instrument.price_decimals,
            qty_decimals=instrument.qty_decimals,
        )
    return found, own


def _own_bars(symbol: str, fills: Iterable[tuple[int, int]]) -> Iterable[Bar]:
    """A bar for each time at which something traded."""
    by_time: dict[int, list[int]] = {}
    for ts_ns, px in fills:
        by_time.setdefault(ts_ns, []).append(px)
    for ts_ns, prices in sorted(by_time.items()):
        yield Bar(symbol, ts_ns - 1, ts_ns, prices[0], max(prices), min(prices), prices[-1])


def _in_quanta(bars: BarSeries, decimals: int) -> BarSeries:
    """The bars in the instrument's quanta."""
    if bars.price_decimals == decimals:
        return bars
    finer = decimals - bars.price_decimals
    if finer < 0:
        raise _misfit(bars.symbol, f"the bars have {bars.price_decimals} decimals, the workspace counts in {decimals}")
    scale = 10**finer
    return BarSeries.from_bars(
        (
            Bar(
                bar.instrument_id,
                bar.open_ns,
                bar.ts_ns,
                bar.open_px * scale,
                bar.high_px * scale,
                bar.low_px * scale,
                bar.close_px * scale,
                bar.volume,
                bar.is_session_end,
            )
            for bar in bars
        ),
        instrument_id=bars.symbol,
        timeframe=bars.timeframe,
        price_decimals=decimals,
        qty_decimals=bars.qty_decimals,
    )


def _check(symbol: str, bars: BarSeries, fills: Iterable[tuple[int, int]]) -> None:
    """Bars must cover every fill, and be near its price."""
    at, count = 0, len(bars)
    for ts_ns, px in fills:
        if not count or ts_ns < bars.open_ns[0] or ts_ns > bars.ts_ns[-1]:
            raise _misfit(symbol, f"it traded at {iso_from_ns(ts_ns)}, and the bars do not reach there")
        while bars.ts_ns[at] < ts_ns:
            at += 1
        low, high = bars.low_px[at], bars.high_px[at]
        if not low * (1 - FAR) <= px <= high * (1 + FAR):
            said = [quanta_text(each, bars.price_decimals) for each in (px, low, high)]
            raise _misfit(
                symbol, f"it traded at {said[0]} at {iso_from_ns(ts_ns)}, in a bar from {said[1]} to {said[2]}"
            )


def _misfit(symbol: str, why: str) -> InputError:
    return InputError(
        f"the bars of {symbol} are not those of the market that was traded: {why}; give the right ones with --data",
        code="BARS_DO_NOT_FIT",
        symbol=symbol,
    )
