"""A run in figures: each instrument, the whole, and where its trades and its refusals came from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from surefill.domain.events import Event
from surefill.market.series import BarSeries
from surefill.views.daily_figures import DailyFigures, daily_equity, daily_figures, periods_per_year
from surefill.views.equity import Curves, equity_curves
from surefill.views.excursions import Excursion, excursion, mean_pct
from surefill.views.metrics import (
    CurveFigures,
    Month,
    TradeFigures,
    curve_figures,
    max_drawdown,
    monthly,
    net,
    trade_figures,
    turnover,
)
from surefill.views.trade_stories import Refused, TradeStories, TradeStory
from surefill.views.trades import Trade


class Line(msgspec.Struct, frozen=True):
    """One instrument, or all ("total"). Money in money quanta.

    `fees` are all that were paid. `open_net` is what the positions that are still open have made so far, after their
    fees, valued at the last close;
    `max_drawdown` is that of the P&L since the beginning. `exposure` is None where it is not known.
    """

    name: str
    figures: TradeFigures
    open_net: int
    fees: int
    max_drawdown: int
    exposure: float | None


class Exits(msgspec.Struct):
    """Trades that ended for one reason."""

    count: int = 0
    net: int = 0


class Performance(msgspec.Struct, frozen=True):
    """A run. `lines` in the order of the instruments' names; `exits` and `refused` by reason, most frequent first.

    `went`: how far each of the closed trades (`stories`) went against it and in its favour, where that is known;
    `mae_pct`, `mfe_pct` are the means. `per_notional` by instrument: money for one quantum of price and quantity.
    """

    workspace_id: str
    currency: str
    money_decimals: int
    per_notional: dict[str, int]
    lines: tuple[Line, ...]
    total: Line
    curve: CurveFigures
    daily: DailyFigures
    turnover: float | None
    mae_pct: float | None
    mfe_pct: float | None
    months: list[Month]
    curves: Curves
    exits: dict[str, Exits]
    refused: dict[str, Refused]
    stories: list[TradeStory]
    went: list[Excursion]
    running: list[TradeStory]
    events: dict[str, int]


def performance(events: Iterable[Event], series: Mapping[str, BarSeries], *, by_day: bool = True) -> Performance:
    """Fold a workspace's events, from the first one on, over the bars that it traded.

    Without `by_day` nothing is told that needs the bars between trades (daily figures, exposure, turnover, excursions):
    for prices that are not all there were.
    """
    log = TradeStories()
    curves = equity_curves(events, series, log.fold, log.apply)
    book = log.fold.book
    trades = [story.trade for story in log.closed]
    curve = curve_figures(book.starting_cash, curves.equity)
    calendars = {instrument.calendar for name, instrument in book.instruments.items() if name in series}
    per_year = periods_per_year(calendars, next((bars.timeframe for bars in series.values()), "1d"))
    figures = trade_figures(trades)
    fees = {position.instrument_id: position.fees for position in book.positions.values()}
    went = [excursion(trade, series[trade.instrument_id]) for trade in trades] if by_day else []
    days = daily_equity(curves.times, curves.equity)[1] if by_day else []
    daily = daily_figures(book.starting_cash, days, per_year)
    per_notional = {name: instrument.money_per_notional for name, instrument in book.instruments.items()}
    moments = len(curves.times)
    total = Line(
        "total",
        figures,
        curve.end - curve.start - figures.net,
        book.fees,
        curve.max_drawdown,
        _exposure(curves.held[""], moments, by_day=by_day),
    )
    return Performance(
        book.workspace_id,
        book.currency,
        book.money_decimals,
        per_notional,
        tuple(_line(symbol, trades, curves, fees.get(symbol, 0), by_day=by_day) for symbol in sorted(series)),
        total,
        curve,
        daily,
        _turnover(log, curves, daily, per_notional),
        mean_pct([each.adverse for each in went]),
        mean_pct([each.favourable for each in went]),
        monthly(book.starting_cash, curves.times, curves.equity),
        curves,
        _exits(trades),
        dict(sorted(log.refused.items(), key=lambda item: -item[1].count)),
        log.closed,
        went,
        list(log.running.values()),
        dict(sorted(log.events.items(), key=lambda item: -item[1])),
    )


def _line(symbol: str, trades: Sequence[Trade], curves: Curves, fees: int, *, by_day: bool) -> Line:
    figures = trade_figures([trade for trade in trades if trade.instrument_id == symbol])
    pnl = curves.pnl[symbol]
    made = pnl[-1] if pnl else 0
    return Line(
        symbol,
        figures,
        made - figures.net,
        fees,
        max_drawdown([0, *pnl]).depth,
        _exposure(curves.held[symbol], curves.bars[symbol], by_day=by_day),
    )


def _turnover(log: TradeStories, curves: Curves, daily: DailyFigures, per_notional: Mapping[str, int]) -> float | None:
    traded = sum(
        (trade.entry_notional + trade.exit_notional) * per_notional[trade.instrument_id]
        for trade in (story.trade for story in (*log.closed, *log.running.values()))
    )
    return turnover(traded, len(curves.times), sum(curves.equity), daily.days, daily.periods_per_year)


def _exposure(held: int, closes: int, *, by_day: bool) -> float | None:
    if not by_day:
        return None
    return held / closes if closes else 0.0


def _exits(trades: Iterable[Trade]) -> dict[str, Exits]:
    found: dict[str, Exits] = {}
    for trade in trades:
        exits = found.setdefault(trade.exit_reason, Exits())
        exits.count += 1
        exits.net += net(trade)
    return dict(sorted(found.items(), key=lambda item: -item[1].count))
