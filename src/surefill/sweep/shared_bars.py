"""Bars in files that every worker maps into its memory: written once, read by all, copied by none.

One `.npy` file of 64-bit integers for each symbol, a row for each column, and an index of what they are.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec

from surefill.errors import ConfigError
from surefill.market.series import BarSeries

INDEX: Final = "index.json"
_COLUMNS: Final = ("open_ns", "ts_ns", "open_px", "high_px", "low_px", "close_px", "volume")


class _Listed(msgspec.Struct, frozen=True):
    symbol: str
    timeframe: str
    price_decimals: int
    qty_decimals: int
    file: str


def write_bars(series: Mapping[str, BarSeries], folder: Path) -> None:
    """Write the bars into a folder. Raises ConfigError where numpy is missing."""
    try:
        import numpy as np
    except ModuleNotFoundError as error:
        raise ConfigError(
            "worker processes need numpy; install it with: pip install 'surefill[sweep]', or use one process",
            code="MISSING_EXTRA",
        ) from error
    listed = []
    for number, (symbol, bars) in enumerate(series.items()):
        table = np.empty((len(_COLUMNS) + 1, len(bars)), np.int64)
        for row, column in enumerate((*_columns(bars), bars.session_end)):
            table[row] = column
        np.save(folder / f"{number}.npy", table)
        listed.append(_Listed(symbol, bars.timeframe, bars.price_decimals, bars.qty_decimals, f"{number}.npy"))
    (folder / INDEX).write_bytes(msgspec.json.encode(listed))


def map_bars(folder: Path) -> dict[str, BarSeries]:
    """The bars of a folder, mapped read-only."""
    import numpy as np

    series = {}
    for each in msgspec.json.decode((folder / INDEX).read_bytes(), type=list[_Listed]):
        *columns, session_end = np.load(folder / each.file, mmap_mode="r")
        series[each.symbol] = BarSeries.over(
            [memoryview(column).cast("B").cast("q") for column in columns],
            session_end.astype(np.uint8).tobytes(),
            instrument_id=each.symbol,
            timeframe=each.timeframe,
            price_decimals=each.price_decimals,
            qty_decimals=each.qty_decimals,
        )
    return series


def digest_of_bars(series: Mapping[str, BarSeries]) -> str:
    """A hash of all bars: equal bars, equal hash, wherever they came from."""
    digest = hashlib.sha256()
    for symbol in sorted(series):
        bars = series[symbol]
        digest.update(f"{symbol}|{bars.timeframe}|{bars.price_decimals}|{bars.qty_decimals}|{len(bars)}|".encode())
        for column in (*_columns(bars), bars.session_end):
            digest.update(column)
    return digest.hexdigest()


def _columns(bars: BarSeries) -> Sequence[memoryview[int]]:
    return [getattr(bars, name) for name in _COLUMNS]
