"""Files of bars as others write them, turned into files as surefill reads them."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from itertools import islice
from pathlib import Path
from typing import Final, Literal, NamedTuple

import msgspec

from surefill.domain.market import Bar
from surefill.errors import InputError
from surefill.market.bar_files import write_bars
from surefill.market.bar_format import BarFormat
from surefill.market.checking.sniff import ROWS, sniff_bars
from surefill.market.csv_bars import csv_decimals, iter_csv_bars
from surefill.market.parquet_bars import iter_parquet_bars
from surefill.market.resample import resampled
from surefill.market.sessions import ALWAYS_OPEN, calendar_named
from surefill.market.timeframes import DURATION_NS, canonical_timeframe, duration_ns
from surefill.units import iso_from_ns

Progress = Callable[[int, int], None]
_TELL_EVERY: Final = 10_000
_PARQUET_DECIMALS: Final = 4


class Shape(NamedTuple):
    """How the source is written. `decimals` None: what its prices need; timeframe "": what its rows say.

    `header` names the columns of a file without a header line; `columns` says what the file calls ours.
    """

    delimiter: str = ","
    header: Sequence[str] = ()
    columns: Mapping[str, str] = {}
    time_format: str = ""
    zone: str = "UTC"
    stamp: Literal["open", "close"] = "open"
    timeframe: str = ""
    calendar: str = "24x7"
    decimals: int | None = None


class Imported(msgspec.Struct, frozen=True):
    """What was written."""

    file: str
    timeframe: str
    read: int
    written: int
    first: str
    last: str


def import_bars(
    source: Path,
    target: Path,
    shape: Shape,
    *,
    resample: str = "",
    force: bool = False,
    on_progress: Progress = lambda done, total: None,
) -> Imported:
    """Turn a file of bars into another, resampled to a longer timeframe where one is named.

    Every row passes the readers' checks, or nothing is written. Raises InputError, ConfigError.
    """
    if target.exists() and target.samefile(source):
        raise InputError(f"{target} is the source itself; name another file", code="FILE_EXISTS")
    fmt = _format_of(source, target, shape)
    reading = _Reading(_bars(source, shape, fmt, on_progress))
    written_fmt = fmt
    bars: Iterator[Bar] = iter(reading)
    if resample:
        longer = canonical_timeframe(resample)
        if duration_ns(longer) <= duration_ns(fmt.timeframe):
            raise InputError(
                f"bars of {fmt.timeframe} cannot be put together to bars of {longer}; name a longer timeframe",
                code="INVALID_TIMEFRAME",
                field="resample",
            )
        written_fmt = replace(fmt, timeframe=longer)
        bars = resampled(bars, longer, fmt.calendar)
    written = write_bars(target, bars, written_fmt, force=force)
    first, last = (iso_from_ns(ns) for ns in (reading.first_ns, reading.last_ns))
    return Imported(str(target), written_fmt.timeframe, reading.count, written, first, last)


class _Reading:
    """The source's bars, counted on their way."""

    def __init__(self, bars: Iterator[Bar]) -> None:
        self._bars = bars
        self.count = self.first_ns = self.last_ns = 0

    def __iter__(self) -> Iterator[Bar]:
        for bar in self._bars:
            if not self.count:
                self.first_ns = bar.open_ns
            self.count += 1
            self.last_ns = bar.open_ns
            yield bar


def _format_of(source: Path, target: Path, shape: Shape) -> BarFormat:
    """How the source's figures are counted, and how long its bars are."""
    prices, quantities = _PARQUET_DECIMALS, 0
    if not _is_parquet(source):
        prices, quantities = csv_decimals(source, delimiter=shape.delimiter, header=shape.header, columns=shape.columns)
    fmt = BarFormat(
        instrument_id=target.name.partition(".")[0] or "?",
        timeframe=shape.timeframe or "1m",
        price_decimals=prices if shape.decimals is None else shape.decimals,
        qty_decimals=quantities,
        calendar=calendar_named(shape.calendar),
        zone=shape.zone,
        stamp=shape.stamp,
        cap_volume=True,
        time_format=shape.time_format,
    )
    if shape.timeframe:
        return fmt
    with closing(_bars(source, shape, replace(fmt, calendar=ALWAYS_OPEN))) as bars:
        sniffed = sniff_bars([bar.open_ns for bar in islice(bars, ROWS)], has_volume=False)
    if sniffed.apart_ns and sniffed.apart_ns != DURATION_NS.get(sniffed.timeframe):
        apart = timedelta(microseconds=sniffed.apart_ns // 1_000)
        raise InputError(
            f"{source}: rows are {apart} apart, which is none of {', '.join(DURATION_NS)}: name the --timeframe that"
            " they shall be read as, or one to --resample to as well",
            code="UNKNOWN_TIMEFRAME",
        )
    return replace(fmt, timeframe=sniffed.timeframe or "1d")


def _bars(
    source: Path, shape: Shape, fmt: BarFormat, on_progress: Progress | None = None
) -> Generator[Bar, None, None]:
    if _is_parquet(source):
        yield from iter_parquet_bars(source, fmt)
        return
    try:
        file = source.open("rb")
    except OSError as error:
        raise InputError(f"{source} cannot be read: {error}", code="FILE_READ_ERROR") from error
    reading = iter_csv_bars(
        file, fmt, name=str(source), delimiter=shape.delimiter, header=shape.header, columns=shape.columns
    )
    with file, closing(reading) as bars:
        total = source.stat().st_size
        for number, bar in enumerate(bars, start=1):
            if on_progress is not None and number % _TELL_EVERY == 0:
                on_progress(file.tell(), total)
            yield bar


def _is_parquet(path: Path) -> bool:
    return path.name.endswith(".parquet")
