"""Trade bars as Lean keeps them, turned into our CSV.

A zip holds one file without a header: time, open, high, low, close, volume. Minutes are dated by the name of the zip
and timed in milliseconds since midnight; hours and days carry `yyyymmdd hh:mm`. Times are the exchange's local ones.
Prices of equities count ten-thousandths, those of crypto are plain decimals.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

EQUITY_SCALE = 10_000


def lean_csv(zipped: Path, *, scale: int = 1) -> bytes:
    """The bars of one zip as CSV that `load_csv_bars` takes."""
    with zipfile.ZipFile(zipped) as archive:
        (name,) = archive.namelist()
        lines = archive.read(name).decode("ascii").splitlines()
    return "\n".join(["ts,open,high,low,close,volume", *_rows(lines, zipped.stem[:8], scale)]).encode()


def _rows(lines: list[str], day: str, scale: int) -> Iterator[str]:
    for line in lines:
        time, *prices, volume = line.split(",")
        if time.isdecimal():
            time = f"{day} {_clock(int(time))}"
        yield ",".join((time, *(str(Decimal(price) / scale) for price in prices), volume))


def _clock(ms: int) -> str:
    seconds = ms // 1_000
    return f"{seconds // 3_600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{ms % 1_000:03}"
