"""Bars made of the ticks that were set."""

from __future__ import annotations

from typing import Any

from surefill.testing.emulators.mt5.results import SymbolInfo

_MINUTE_S = 60


def bars(ticks: list[list[float]], info: SymbolInfo, function: str, args: list[Any]) -> list[list[float]]:
    """Rows as `copy_rates_*` returns them: time, open, high, low, close, ticks, spread, volume; of the bid."""
    span_s = _span_s(int(args[0]))
    made: dict[int, list[float]] = {}
    for time_s, bid, ask in ticks:
        begin = int(time_s) // span_s * span_s
        row = made.setdefault(begin, [begin, bid, bid, bid, bid, 0, 0, 0])
        spread = round((ask - bid) / info.point)
        row[2:7] = [max(row[2], bid), min(row[3], bid), bid, row[5] + 1, spread]
    rows = [made[begin] for begin in sorted(made)]
    if function == "copy_rates_from":
        return [row for row in rows if row[0] <= args[1]][-int(args[2]) :]
    if function == "copy_rates_range":
        return [row for row in rows if args[1] <= row[0] <= args[2]]
    first, count = int(args[1]), int(args[2])
    return rows[: len(rows) - first][-count:]


def _span_s(timeframe: int) -> int:
    """How long a bar of a TIMEFRAME constant is; a month counts 30 days."""
    if timeframe & 0xC000 == 0xC000:
        return 30 * 1440 * _MINUTE_S
    if timeframe & 0x8000:
        return 7 * 1440 * _MINUTE_S
    return (timeframe & 0x3FFF) * (60 if timeframe & 0x4000 else 1) * _MINUTE_S
