"""From the engine's words to the kernel's tables: bars, instruments, rules, costs; and what a variant makes of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np

from surefill.domain.costs.estimate import table_for
from surefill.domain.costs.tariff import Tariff
from surefill.domain.instrument import Instrument
from surefill.domain.profile import Profile
from surefill.market.series import BarSeries
from surefill.rules.codes import IntrabarPolicy
from surefill.strategy.forms import Signals
from surefill.strategy.sizing import exact, parts
from surefill.strategy.spec import PCT_DECIMALS, ExecutionSpec, ExitSpec
from surefill.sweep.kernels import tables as t
from surefill.units import NS_PER_DAY, to_quanta
from surefill.venues.paper.settings import PaperSettings

_NONE: Final = np.zeros(0, np.int64)


class Stage(NamedTuple):
    """What all variants over the same bars share. `names`: the instruments by their number."""

    names: tuple[str, ...]
    market: t.Market
    instruments: t.Ints
    rules: t.Ints
    costs: t.Costs
    lots: tuple[tuple[int, int], ...]


def stage_of(
    series: Mapping[str, BarSeries],
    instruments: Mapping[str, Instrument],
    profile: Profile,
    paper: PaperSettings,
    earlier: Mapping[str, int] | None = None,
) -> Stage:
    """The tables of a market and an account's rules. What they cannot hold, `coverage.uncovered` says.

    `earlier`: how many bars of each instrument are known before these: nobody is asked about the very first one.
    """
    names = tuple(sorted(series))
    ordered = [instruments[name] for name in names]
    return Stage(
        names,
        _market(names, series, earlier or {}),
        _instruments(ordered),
        _rules(profile, paper),
        _costs(ordered, paper),
        tuple((10 ** (each.price_decimals + each.qty_decimals), each.terms[0].lot) for each in ordered),
    )


def budgets_of(stage: Stage, dollars: float) -> list[int]:
    """By instrument: the number that, divided by a price in quanta, gives the lots that the money buys."""
    money = exact(dollars)
    return [money.numerator * scale // (money.denominator * lot) for scale, lot in stage.lots]


def variant_of(spec: ExecutionSpec, exit_spec: ExitSpec, *, at_close: bool) -> t.Ints:
    """A variant's row."""
    row = np.zeros(t.VARIANT_COLUMNS, np.int64)
    row[t.AT_CLOSE], row[t.ENABLED] = at_close, spec.enabled
    row[t.POSITIONS_MAX], row[t.GOOD_FOR_BARS] = spec.risk.max_positions, spec.entry.good_for_bars
    row[t.EXIT_AT_DAY_END] = exit_spec.type == "eod"
    row[t.TIME_STOP_BARS] = exit_spec.time_stop_bars or 0
    row[t.END_OF_DAY] = exit_spec.end_of_day
    for pct, away, of in (
        (exit_spec.stop_loss_pct, t.STOP_AWAY, t.STOP_OF),
        (exit_spec.take_profit_pct, t.TARGET_AWAY, t.TARGET_OF),
        (exit_spec.trailing_pct, t.TRAIL_AWAY, t.TRAIL_OF),
    ):
        row[away], row[of] = (0, 1) if pct is None else parts(pct)
    row[t.STOP_PARTIAL_PPB] = to_quanta(exit_spec.stop_partial_pct or 0, PCT_DECIMALS, field="stop_partial_pct")
    row[t.RUNGS] = len(exit_spec.ladder)
    for number, rung in enumerate(exit_spec.ladder):
        at = t.RUNG + number * t.RUNG_COLUMNS
        row[at + t.RUNG_AWAY], row[at + t.RUNG_OF] = parts(rung.profit_pct)
        row[at + t.RUNG_PPB] = to_quanta(rung.close_pct, PCT_DECIMALS, field="close_pct")
    return row


def signals_of(said: Sequence[Signals]) -> t.Signals:
    """A strategy's signals over all instruments, in their order."""
    entries = np.concatenate([each.entries for each in said])
    return t.Signals(
        entries,
        np.concatenate([each.exits for each in said]),
        _prices([each.px for each in said], said),
        _prices([each.stop_px for each in said], said),
    )


def _prices(columns: Sequence[t.Ints | None], said: Sequence[Signals]) -> t.Ints:
    if all(column is None for column in columns):
        return np.zeros(0, np.int64)
    pairs = zip(columns, said, strict=True)
    return np.concatenate(
        [np.zeros(len(each.entries), np.int64) if column is None else column for column, each in pairs]
    )


def stacked(rows: Sequence[t.Signals]) -> t.Signals:
    """Signals of many variants, a row for each; where some have no prices, theirs are 0."""
    if len(rows) == 1:  # nothing to copy
        (row,) = rows
        return t.Signals(row.enters[None], row.leaves[None], row.px[None], row.stop_px[None])

    def prices(columns: Sequence[t.Ints]) -> t.Ints:
        longest = max(map(len, columns))
        return np.stack([column if len(column) else np.zeros(longest, np.int64) for column in columns])

    return t.Signals(
        np.stack([row.enters for row in rows]),
        np.stack([row.leaves for row in rows]),
        prices([row.px for row in rows]),
        prices([row.stop_px for row in rows]),
    )


def books_for(stage: Stage, fills: int) -> t.Books:
    """Books with room for so many fills."""
    return t.Books(
        np.zeros((len(stage.names), t.POSITION_COLUMNS), np.int64),
        np.zeros((fills, t.FILL_COLUMNS), np.int64),
        np.zeros(len(stage.market.closes_ns), np.int64),
        np.zeros(t.RESULT_COLUMNS, np.int64),
        np.zeros(max(1, stage.costs.charges.shape[3]), np.int64),
    )


def sums_for(stage: Stage, fills: int) -> t.Sums:
    """What figures of so many fills are made in."""
    return t.Sums(
        np.zeros((len(stage.names), t.TRIP_COLUMNS), np.int64),
        np.zeros(fills, np.int64),
        np.zeros(len(stage.market.day_ends), np.int64),
    )


def _market(names: Sequence[str], series: Mapping[str, BarSeries], earlier: Mapping[str, int]) -> t.Market:
    counts = [len(series[name]) for name in names]
    begins = np.concatenate(([0], np.cumsum(counts)))

    def column(name: str) -> t.Ints:
        return np.concatenate([np.asarray(getattr(series[each], name), np.int64) for each in names])

    opens, number = column("open_ns"), np.repeat(np.arange(len(names)), counts)
    order = np.lexsort((number, opens))
    moment_ns, moment_from = np.unique(opens[order], return_index=True)
    ends = np.concatenate([np.asarray(series[each].session_end, np.int64) * t.ENDS_SESSION for each in names])
    for name, begin, count in zip(names, begins, counts, strict=False):
        if count:
            ends[begin] |= 0 if earlier.get(name) else t.IS_FIRST
            ends[begin + count - 1] |= t.IS_LAST
    ts_ns, open_px, high_px, low_px, close_px = map(column, ("ts_ns", "open_px", "high_px", "low_px", "close_px"))
    moment = np.empty(len(opens), np.int64)
    moment[order] = np.repeat(np.arange(len(moment_ns)), np.diff(np.append(moment_from, len(opens))))
    closes_ns = np.maximum.reduceat(ts_ns[order], moment_from) if len(moment_ns) else moment_ns
    closes_ns = np.maximum(closes_ns, moment_ns)
    return t.Market(
        np.append(moment_from, len(opens)) if len(names) > 1 else _NONE,
        order if len(names) > 1 else _NONE,
        np.stack([number, opens, ts_ns, open_px, high_px, low_px, close_px, ends, moment], axis=1),
        high_px,
        low_px,
        close_px,
        closes_ns,
        _day_ends(closes_ns),
    )


def _day_ends(closes_ns: t.Ints) -> t.Ints:
    """The last moment of each day, as `views.daily_figures.daily_equity` has it."""
    days = (closes_ns - 1) // NS_PER_DAY
    if (days[1:] < days[:-1]).any():  # bars of unequal length
        return np.array(list({day: at for at, day in enumerate(days.tolist())}.values()), np.int64)
    return np.flatnonzero(np.append(days[1:] != days[:-1], len(days) > 0))


def _instruments(instruments: Sequence[Instrument]) -> t.Ints:
    rows = np.zeros((len(instruments), t.INSTRUMENT_COLUMNS), np.int64)
    for row, instrument in zip(rows, instruments, strict=True):
        terms = instrument.terms[0]
        row[t.TICK], row[t.LOT], row[t.PER_NOTIONAL] = terms.tick, terms.lot, instrument.money_per_notional
        row[t.MIN_QTY], row[t.MAX_QTY] = terms.min_qty, terms.max_qty
    return rows


def _rules(profile: Profile, paper: PaperSettings) -> t.Ints:
    limits, row = profile.limits, np.zeros(t.RULE_COLUMNS, np.int64)
    row[t.FILL_MODE], row[t.SPREAD_PPB], row[t.SLIPPAGE_PPB] = paper.fill_mode, paper.spread_ppb, paper.slippage_ppb
    row[t.INTRABAR] = IntrabarPolicy.BEST_CASE if limits.target_first_on_bar else IntrabarPolicy.WORST_CASE
    row[t.STOP_GRANULARITY] = max(limits.stop_granularity, 1)
    row[t.CUSHION_PPB] = limits.cost_cushion_ppb
    row[t.NEGATIVE_CASH] = limits.allow_negative_cash or "cash" not in profile.gates
    row[t.ORD_TYPES] = sum(1 << ord_type for ord_type in profile.ord_types)
    row[t.ALLOW_SHORT] = profile.allow_short or "position" not in profile.gates
    return row


def _costs(instruments: Sequence[Instrument], paper: PaperSettings) -> t.Costs:
    fees = np.array([(fee.kind, fee.rate_ppb, fee.per_unit, fee.per_order) for fee in paper.fees], np.int64).reshape(
        -1, t.FEE_COLUMNS
    )
    if paper.costs is None:
        return t.Costs(fees, np.zeros((len(instruments), 1, 4, 0, t.CHARGE_COLUMNS), np.int64), np.zeros(0, np.int64))
    tariff = Tariff(paper.costs, paper.money_decimals)
    changes = [ns for ns in tariff.changes_ns if ns >= tariff.since_ns]
    found = [
        [
            [table_for(tariff, each, side, ns, maker=maker).rules for maker in (False, True) for side in (-1, 1)]
            for ns in changes
        ]
        for each in instruments
    ]
    longest = max(len(rules) for tables in found for sides in tables for rules in sides)
    charges = np.zeros((len(instruments), len(changes) + 1, 4, longest, t.CHARGE_COLUMNS), np.int64)
    for number, tables in enumerate(found):
        for table, sides in enumerate(tables, 1):
            for side, rules in enumerate(sides):
                for row, rule in enumerate(rules):
                    charges[number, table, side, row] = (
                        rule.kind,
                        rule.rate_ppb,
                        rule.per_order,
                        rule.min_money,
                        rule.max_money,
                        rule.step,
                        rule.base,
                    )
    return t.Costs(fees, charges, np.array(changes, np.int64))
