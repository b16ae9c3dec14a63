"""A few words on bars that have been read: what a backtest on them should know before it is believed."""

from __future__ import annotations

from itertools import islice

from surefill.errors import InputError
from surefill.market.checking.findings import LONG_DAYS
from surefill.market.checking.holes import WEEKDAYS, Expected
from surefill.market.checking.watch import SAMPLE_MAX, is_saturday
from surefill.market.checking.zones import better_reading
from surefill.market.series import BarSeries
from surefill.market.sessions import AlwaysOpen, Calendar
from surefill.market.timeframes import DURATION_NS
from surefill.units import iso_from_ns

_OUTSIDE_MAX = 0.2


def doubts_of(series: BarSeries, calendar: Calendar) -> str:
    """What is odd by the calendar: bars outside of sessions, or that are missing; "" where nothing is.

    Where the calendar never closes but the bars rest on weekends, it is taken for one that nobody named: then only
    long holes are told.
    """
    opens = series.open_ns
    step = len(opens) // SAMPLE_MAX + 1
    sample = [opens[at] for at in range(0, len(opens), step)]
    if isinstance(calendar, AlwaysOpen) and 20 * sum(map(is_saturday, sample)) < len(sample):
        expected = Expected(WEEKDAYS, series.timeframe, only_days=True)
    else:
        expected = Expected(calendar, series.timeframe)
    try:
        text = _outside(series, sample, expected) or _holes(series, expected)
    except InputError:  # a year that the calendar does not know: whoever trades by it says so
        return ""
    return text


def _holes(series: BarSeries, expected: Expected) -> str:
    bars = sessions = first = 0
    for at, (ended, opened) in enumerate(zip(series.ts_ns, islice(series.open_ns, 1, None), strict=False), start=1):
        if opened > ended:
            hole = expected.hole(series[at - 1], series[at])
            if expected.only_days and len(hole.days) < LONG_DAYS:
                continue
            bars += hole.bars
            sessions += len(hole.days)
            if not first and (hole.bars or hole.days):
                first = opened
    if not first:
        return ""
    what = [
        f"{bars:,} bars" if bars and series.timeframe != "1d" else "",
        f"{sessions:,} whole sessions" if sessions else "",
    ]
    return f"missing are {' and '.join(filter(None, what))}, the first before {iso_from_ns(first)}"


def _outside(series: BarSeries, sample: list[int], expected: Expected) -> str:
    outside = sum(not expected.has(ns) for ns in sample)
    if outside <= _OUTSIDE_MAX * len(sample):
        return ""
    # Files are read as UTC here: a zone that fits is told as if the file had no offsets, which it may have.
    hint = better_reading(sample, expected.has, zone="UTC", is_naive=True, duration_ns=DURATION_NS[series.timeframe])
    return f"{outside / len(sample):.0%} of the bars lie outside of sessions" + (f"; {hint}" if hint else "")
