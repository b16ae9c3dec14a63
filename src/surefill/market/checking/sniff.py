"""What a file seems to hold, by its first rows: which columns, how they are separated, how far apart rows are."""

from __future__ import annotations

import gzip
from collections import Counter
from itertools import islice, pairwise
from pathlib import Path
from typing import Final, NamedTuple

from surefill.errors import InputError
from surefill.market.checking.watch import is_saturday
from surefill.market.csv_bars import csv_columns, decimals_of
from surefill.market.csv_rows import CsvRows
from surefill.market.timeframes import DURATION_NS
from surefill.market.timestamps import TimestampReader

ROWS: Final = 5_000
_PRICES: Final = ("open", "high", "low", "close")
_DELIMITERS: Final = (",", ";", "\t", "|")
#: Decimals beyond these are noise of binary fractions, and are told as faults.
SENSIBLE_DECIMALS: Final = 8


class Sniffed(NamedTuple):
    """`timeframe` "" and `apart_ns` 0: no telling. `is_naive`: times of day without an offset."""

    is_quotes: bool
    has_volume: bool
    timeframe: str
    apart_ns: int
    is_naive: bool
    has_weekends: bool
    price_decimals: int
    qty_decimals: int


def delimiter_of(path: Path) -> str:
    """What separates the columns of the first line; a comma where there is no telling."""
    try:
        with path.open("rb") as binary:
            is_gzip = binary.read(2) == b"\x1f\x8b"
        with gzip.open(path, "rb") if is_gzip else path.open("rb") as file:
            line = file.readline(1 << 16).decode("utf-8-sig", "replace")
    except (OSError, EOFError):
        return ","
    counts = {delimiter: line.count(delimiter) for delimiter in _DELIMITERS}
    best = max(_DELIMITERS, key=lambda delimiter: counts[delimiter])
    return best if counts[best] and not counts[","] else ","


def sniff_csv(path: Path, delimiter: str, zone: str) -> Sniffed:
    """Of a CSV file. Raises InputError where the file cannot be read, or has no header."""
    rows = CsvRows(path, name=path.name, delimiter=delimiter, on_fault=lambda error: None)
    first = list(islice(rows, ROWS))
    header = {cell.lower() for cell in rows.header}
    if "open" not in header and header & {"bid", "bid_price", "bid_px", "ltp", "last", "last_price"}:
        prices = [at for at, name in enumerate(rows.header) if name.lower().startswith(("bid", "ask", "last", "ltp"))]
        return Sniffed(True, False, "", 0, False, False, _decimals(first, prices), SENSIBLE_DECIMALS)
    columns = csv_columns(rows)
    texts = [
        " ".join((row[columns["ts"]].strip(), row[columns["clock"]].strip() if "clock" in columns else "")).strip()
        for row in first
    ]
    stamps = _stamps(texts, zone)
    volumes = [columns["volume"]] if "volume" in columns else []
    prices = [columns[name] for name in _PRICES]
    is_naive = any(":" in text and not _has_offset(text) for text in texts)
    return _sniffed(stamps, is_naive, bool(volumes), _decimals(first, prices), _decimals(first, volumes))


def sniff_bars(stamps: list[int], has_volume: bool) -> Sniffed:
    """Of bars whose times are known."""
    return _sniffed(stamps, False, has_volume, 2, 0)


def _sniffed(stamps: list[int], is_naive: bool, has_volume: bool, price_decimals: int, qty_decimals: int) -> Sniffed:
    apart = Counter(after - before for before, after in pairwise(stamps) if after > before)
    apart_ns = apart.most_common(1)[0][0] if apart else 0
    fitting = [name for name, duration in DURATION_NS.items() if duration <= apart_ns]
    weekends = 10 * sum(map(is_saturday, stamps)) > len(stamps)
    return Sniffed(
        False, has_volume, fitting[-1] if fitting else "", apart_ns, is_naive, weekends, price_decimals, qty_decimals
    )


def _stamps(texts: list[str], zone: str) -> list[int]:
    reader = TimestampReader(zone)
    stamps = []
    for text in texts:
        try:
            stamps.append(reader.ns_from_text(text, "ts"))
        except InputError:
            continue
    return stamps


def _has_offset(text: str) -> bool:
    clock = text[10:]
    return clock.endswith(("Z", "z")) or "+" in clock or "-" in clock


def _decimals(rows: list[list[str]], columns: list[int]) -> int:
    found = 0
    for row in rows:
        for at in columns:
            found = max(found, decimals_of(row[at]))
    return min(found, SENSIBLE_DECIMALS)
