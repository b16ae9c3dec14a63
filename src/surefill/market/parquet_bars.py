"""Bars from Parquet: the same columns, the same checks as `csv_bars`. Needs the extra `surefill[parquet]`."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from surefill.domain.market import Bar
from surefill.errors import ConfigError, InputError
from surefill.market.bar_format import BarChecks, BarFormat, faults_of_row, located, volume_quanta
from surefill.market.csv_bars import TIME_NAMES
from surefill.market.csv_rows import OnFault
from surefill.market.series import BarSeries
from surefill.market.timestamps import TimestampReader
from surefill.units import observed_quanta

INVALID_PARQUET: Final = "INVALID_PARQUET"
_PRICES: Final = ("open", "high", "low", "close")
_BATCH_ROWS: Final = 16_384


def iter_parquet_bars(path: str | Path, fmt: BarFormat) -> Iterator[Bar]:
    """The bars of a Parquet file, one batch in memory at a time. A row number in an error counts from 1.

    Timestamps may be of a timestamp or date type, text, or numbers; prices floats, decimals or text. Raises InputError:
    INVALID_PARQUET, FILE_READ_ERROR; ConfigError (MISSING_EXTRA) without pyarrow.
    """
    for _, bar in _read(path, fmt, None):
        yield bar


def sound_parquet_bars(path: str | Path, fmt: BarFormat, on_fault: OnFault) -> Generator[tuple[int, Bar], None, None]:
    """The bars that rows make, with their numbers; every fault of the others is told to `on_fault`.

    Raises like `iter_parquet_bars` where nothing more can be read.
    """
    return _read(path, fmt, on_fault)


def first_stamps(path: str | Path, zone: str) -> tuple[list[int], bool]:
    """When the first rows are stamped, as far as they can be read, and whether there are volumes. Raises InputError."""
    times, stamps = TimestampReader(zone), []
    with _opened(path) as file:
        columns = _columns(str(path), file.schema_arrow.names)
        for batch in file.iter_batches(batch_size=_BATCH_ROWS, columns=[columns["ts"]]):
            for stamp in _stamps(batch.column(0), times):
                with suppress(InputError):
                    stamps.append(_ns(times, stamp))
            break
    return stamps, "volume" in columns


def load_parquet_bars(path: str | Path, fmt: BarFormat) -> BarSeries:
    """All bars of a Parquet file as a series. Raises like `iter_parquet_bars`."""
    return BarSeries.from_bars(
        iter_parquet_bars(path, fmt),
        instrument_id=fmt.instrument_id,
        timeframe=fmt.timeframe,
        price_decimals=fmt.price_decimals,
        qty_decimals=fmt.qty_decimals,
    )


def pyarrow_or_refuse() -> ModuleType:
    """The library. Raises ConfigError (MISSING_EXTRA)."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise ConfigError(
            "Parquet needs pyarrow; install it with: pip install 'surefill[parquet]'", code="MISSING_EXTRA"
        ) from error
    module: ModuleType = pyarrow
    return module


def _read(path: str | Path, fmt: BarFormat, on_fault: OnFault | None) -> Generator[tuple[int, Bar], None, None]:
    with _opened(path) as file:
        yield from _bars(file, _columns(str(path), file.schema_arrow.names), fmt, str(path), on_fault)


@contextmanager
def _opened(path: str | Path) -> Iterator[Any]:
    arrow = pyarrow_or_refuse()
    name = str(path)
    try:
        with arrow.parquet.ParquetFile(name) as file:
            yield file
    except FileNotFoundError:
        raise InputError(f"{name} does not exist; check the path", code="FILE_READ_ERROR") from None
    except (arrow.ArrowException, OSError) as error:
        raise InputError(f"{name} cannot be read as Parquet: {error}", code="FILE_READ_ERROR") from error


def _columns(name: str, header: list[str]) -> dict[str, str]:
    """The file's own name of each column."""
    by_lower = {cell.lower(): cell for cell in header}
    time_name = next((known for known in TIME_NAMES if known in by_lower), None)
    columns: dict[str, str] = {column: by_lower[column] for column in (*_PRICES, "volume") if column in by_lower}
    if time_name is not None:
        columns["ts"] = by_lower[time_name]
    for column in ("ts", *_PRICES):
        if column not in columns:
            raise InputError(
                f"{name}: there is no column {column}; the columns are {', '.join(header)}", code=INVALID_PARQUET
            )
    return columns


def _bars(
    file: Any, columns: dict[str, str], fmt: BarFormat, name: str, on_fault: OnFault | None
) -> Iterator[tuple[int, Bar]]:
    checks = BarChecks(fmt)
    times = TimestampReader(fmt.zone, fmt.time_format)
    decimals = fmt.price_decimals
    row = 0
    for batch in file.iter_batches(batch_size=_BATCH_ROWS, columns=list(columns.values())):
        stamps = _stamps(batch.column(columns["ts"]), times)
        prices = (batch.column(columns[price]).to_pylist() for price in _PRICES)
        volumes = batch.column(columns["volume"]).to_pylist() if "volume" in columns else [0] * batch.num_rows
        for stamp, open_, high, low, close, volume in zip(stamps, *prices, volumes, strict=True):
            row += 1
            try:
                bar = checks.bar(
                    _ns(times, stamp),
                    observed_quanta(open_, decimals, field="open"),
                    observed_quanta(high, decimals, field="high"),
                    observed_quanta(low, decimals, field="low"),
                    observed_quanta(close, decimals, field="close"),
                    volume_quanta(volume, fmt),
                )
            except InputError as error:
                if on_fault is None:
                    raise located(error, INVALID_PARQUET, f"{name}, row", row, columns) from None
                named = dict(zip(_PRICES, (open_, high, low, close), strict=True))
                for fault in faults_of_row(checks, fmt, partial(_ns, times, stamp), named, volume):
                    on_fault(located(fault, INVALID_PARQUET, f"{name}, row", row, columns))
                continue
            yield row, bar
    if row == 0:
        raise InputError(f"{name}: there are columns but no bar", code=INVALID_PARQUET)


def _stamps(column: Any, times: TimestampReader) -> list[Any]:
    """Values that `TimestampReader.ns` reads; of a timestamp type already as nanoseconds, exactly."""
    unit_ns = _UNIT_NS.get(str(getattr(column.type, "unit", ""))) if str(column.type).startswith("timestamp") else None
    if unit_ns is None:
        values: list[Any] = column.to_pylist()
        return values
    to_utc = times.ns_from_local if column.type.tz is None else int
    return [None if n is None else _Ns(to_utc(n * unit_ns)) for n in column.cast("int64").to_pylist()]


def _ns(times: TimestampReader, stamp: Any) -> int:
    return stamp if type(stamp) is _Ns else times.ns(stamp, "ts")


class _Ns(int):
    """Nanoseconds UTC: needs no reading any more."""


_UNIT_NS: Final = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}
