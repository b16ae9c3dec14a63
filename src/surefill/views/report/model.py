"""What a report shows, as data: everything is computed here, the page only draws and sorts."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from decimal import Decimal
from itertools import zip_longest

import msgspec

from surefill.journal.verification import StreamVerification
from surefill.market.series import BarSeries
from surefill.units import NS_PER_S, quanta_decimal, quanta_float
from surefill.views.excursions import Excursion
from surefill.views.metrics import Month, net
from surefill.views.performance import Line, Performance
from surefill.views.report.columns import BarColumns, Steps, bar_columns, steps_of
from surefill.views.report.figures import (
    FigureGroup,
    conventions,
    figure_groups,
    money,
    percent,
    ratio,
    sign_of,
    span,
)
from surefill.views.trade_stories import TradeStory
from surefill.views.wording import avg_px

_CENT = Decimal("0.01")


class Tile(msgspec.Struct, frozen=True):
    """A figure at the top. `tone`: 1 good, -1 bad, 0 neither."""

    label: str
    value: str
    hint: str = ""
    tone: int = 0


class Row(msgspec.Struct, frozen=True):
    """One instrument's figures; None where there is nothing to divide by. Money in the workspace's currency."""

    name: str
    trades: int
    win_rate: float | None
    profit_factor: float | None
    net: float
    open_net: float
    max_drawdown: float
    exposure: float | None
    fees: float


class TradeMark(msgspec.Struct, frozen=True):
    """A trade. `entry_at`, `exit_at`: indexes of bars (-1: still open); times in seconds UTC; prices and money floats.

    `made`: the net as a fraction of what was entered for. `mae`, `mfe`: how far the price went against it and in its
    favour, as fractions of the entry price; None of one that is open.
    `stops`: pairs of a bar's index and the price at which the stop stood from there on.
    """

    symbol: str
    side: int
    qty: float
    entry_at: int
    entry_time: int
    entry_px: float
    entry_why: str
    entry_ref: str
    exit_at: int
    exit_time: int
    exit_px: float
    exit_reason: str
    exit_why: str
    exit_ref: str
    net: float
    fees: float
    change: float
    made: float
    mae: float | None
    mfe: float | None
    target: float
    stops: list[tuple[int, float]]


class Count(msgspec.Struct, frozen=True):
    """How often something happened, what it made, what it said."""

    name: str
    count: int
    net: float = 0.0
    example: str = ""


class Seal(msgspec.Struct, frozen=True):
    """What the journal vouches for."""

    ok: bool
    events: int
    head_hash: str
    epoch: int
    keys: int
    faults: tuple[str, ...]


class RunModel(msgspec.Struct, frozen=True):
    """One run. `equity` in hundredths of the currency at `times` (seconds UTC), beginning with `start`.

    `remark` is what a reader has to know before he believes the figures.
    """

    workspace_id: str
    name: str
    currency: str
    about: list[tuple[str, str]]
    remark: str
    tiles: list[Tile]
    figures: list[FigureGroup]
    conventions: str
    start: int
    times: Steps
    equity: Steps
    rows: list[Row]
    months: list[Month]
    trades: list[TradeMark]
    exits: list[Count]
    refused: list[Count]
    events: list[Count]
    seal: Seal | None


class ReportModel(msgspec.Struct, frozen=True):
    """All of it."""

    title: str
    version: str
    bars: list[BarColumns]
    runs: list[RunModel]


def bars_model(series: Mapping[str, BarSeries]) -> list[BarColumns]:
    """The bars that all runs share, by name."""
    return [bar_columns(series[symbol]) for symbol in sorted(series)]


def run_model(
    name: str,
    about: Mapping[str, str],
    found: Performance,
    series: Mapping[str, BarSeries],
    proof: StreamVerification | None,
    remark: str = "",
) -> RunModel:
    """One run as data."""
    decimals, curves = found.money_decimals, found.curves
    return RunModel(
        found.workspace_id,
        name,
        found.currency,
        list(about.items()),
        remark,
        _tiles(found),
        figure_groups(found),
        conventions(found),
        _cents(found.curve.start, decimals),
        steps_of([ns // NS_PER_S for ns in curves.times]),
        steps_of([_cents(value, decimals) for value in curves.equity]),
        [_row(line, found) for line in (*found.lines, found.total)],
        found.months,
        [
            _mark(story, series[story.trade.instrument_id], found, went)
            for story, went in zip_longest((*found.stories, *found.running), found.went)
        ],
        [Count(reason, exits.count, quanta_float(exits.net, decimals)) for reason, exits in found.exits.items()],
        [Count(code, refused.count, example=refused.example) for code, refused in found.refused.items()],
        [Count(kind, count) for kind, count in found.events.items()],
        None if proof is None else _seal(proof),
    )


def _seal(proof: StreamVerification) -> Seal:
    return Seal(proof.ok, proof.events, proof.head_hash, proof.epoch, proof.keys, proof.faults)


def _cents(money: int, decimals: int) -> int:
    """Money in hundredths, half to even: for drawing alone."""
    return int(quanta_decimal(money, decimals).quantize(_CENT).scaleb(2))


def _row(line: Line, found: Performance) -> Row:
    figures, decimals = line.figures, found.money_decimals
    return Row(
        line.name,
        figures.trades,
        figures.win_rate,
        figures.profit_factor,
        quanta_float(figures.net, decimals),
        quanta_float(line.open_net, decimals),
        quanta_float(line.max_drawdown, decimals),
        line.exposure,
        quanta_float(line.fees, decimals),
    )


def _mark(story: TradeStory, bars: BarSeries, found: Performance, went: Excursion | None) -> TradeMark:
    trade, decimals, money_decimals = story.trade, bars.price_decimals, found.money_decimals
    entry_value = trade.entry_notional * found.per_notional[trade.instrument_id]
    closed = trade.exit_ns > 0
    entry_px = avg_px(trade.entry_notional, trade.entry_qty, decimals)
    exit_px = avg_px(trade.exit_notional, trade.exit_qty, decimals)
    return TradeMark(
        trade.instrument_id,
        trade.side,
        quanta_float(trade.entry_qty, bars.qty_decimals),
        _bar_at(bars, trade.entry_ns),
        trade.entry_ns // NS_PER_S,
        entry_px,
        story.entry_why,
        story.entry_ref,
        _bar_at(bars, trade.exit_ns) if closed else -1,
        trade.exit_ns // NS_PER_S,
        exit_px,
        trade.exit_reason,
        story.exit_why,
        story.exit_ref,
        quanta_float(net(trade), money_decimals),
        quanta_float(trade.fees, money_decimals),
        trade.side * (exit_px / entry_px - 1) if closed and entry_px else 0.0,
        net(trade) / entry_value if entry_value else 0.0,
        went.adverse if went is not None else None,
        went.favourable if went is not None else None,
        quanta_float(story.target_px, decimals),
        [(_bar_at(bars, level.ts_ns), quanta_float(level.px, decimals)) for level in story.stops],
    )


def _bar_at(bars: BarSeries, ts_ns: int) -> int:
    """The bar in which something happened: one that begins or ends then, else the one that is running."""
    begins = bisect_right(bars.open_ns, ts_ns) - 1
    if begins >= 0 and bars.open_ns[begins] == ts_ns:
        return begins
    return min(bisect_left(bars.ts_ns, ts_ns), len(bars) - 1)


def _tiles(found: Performance) -> list[Tile]:
    curve, total, currency, decimals = found.curve, found.total, found.currency, found.money_decimals
    figures = total.figures
    made = curve.end - curve.start
    held = f"{span(figures.held_ns / figures.trades, 0)} each" if figures.trades else "none closed"
    open_text = f"{money(total.open_net, decimals, sign=True)} of it still open" if found.running else "nothing open"
    return [
        Tile(
            f"Net P&L, {currency}",
            money(made, decimals, sign=True),
            f"{percent(made / curve.start, sign=True)} · {open_text}" if curve.start else open_text,
            sign_of(made),
        ),
        Tile("CAGR", percent(found.daily.cagr), "per year", sign_of(found.daily.cagr)),
        Tile("Drawdown", f"−{curve.max_drawdown_pct:.1f} %", money(-curve.max_drawdown, decimals, sign=True), -1),
        Tile("Sharpe", ratio(found.daily.sharpe), f"Sortino {ratio(found.daily.sortino)}"),
        Tile("Profit factor", ratio(figures.profit_factor), f"payoff {ratio(figures.payoff)}"),
        Tile("Win rate", percent(figures.win_rate), f"{figures.wins} of {figures.trades}"),
        Tile("Trades", f"{figures.trades:,}", held),
        Tile("Exposure", percent(total.exposure), "of all closes"),
        Tile(f"Fees, {currency}", money(total.fees, decimals), "deducted"),
    ]
