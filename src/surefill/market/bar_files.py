"""Bars written as files that the readers take: CSV, plain or gzip, or Parquet. Whole, or not at all."""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, Final

from surefill.domain.market import Bar
from surefill.errors import InputError
from surefill.market.bar_format import BarFormat
from surefill.market.parquet_bars import pyarrow_or_refuse
from surefill.units import iso_from_ns, quanta_decimal, quanta_text

SUFFIXES: Final = (".csv", ".csv.gz", ".parquet")
HEADER: Final = "ts,open,high,low,close,volume\n"
_ROWS: Final = 16_384


def write_bars(path: Path, bars: Iterable[Bar], fmt: BarFormat, *, force: bool = False) -> int:
    """Write bars to a file whose name says how; how many they are. Memory does not grow with them.

    The file appears when it is complete; what fails leaves nothing, and an older file as it was. Daily bars are dated
    by their trading day, all others by the UTC time of their open. Raises InputError: FILE_EXISTS unless `force`,
    FILE_WRITE_ERROR, and whatever `bars` raises.
    """
    write = _writer_of(path)
    if path.exists() and not force:
        raise InputError(f"{path} exists; --force replaces it", code="FILE_EXISTS")
    with _replacing(path) as file:
        return write(file, bars, fmt)


def _writer_of(path: Path) -> Callable[[IO[bytes], Iterable[Bar], BarFormat], int]:
    if path.name.endswith(".parquet"):
        pyarrow_or_refuse()
        return _write_parquet
    if path.name.endswith(".csv.gz"):
        return _write_gzip
    if path.name.endswith(".csv"):
        return _write_csv
    raise InputError(f"{path} must end with {', '.join(SUFFIXES)}", code="UNKNOWN_FILE_TYPE")


@contextmanager
def _replacing(path: Path) -> Iterator[IO[bytes]]:
    """A file that takes the place of another when all of it is on the disk."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        with temporary.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error}", code="FILE_WRITE_ERROR") from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def _write_csv(file: IO[bytes], bars: Iterable[Bar], fmt: BarFormat) -> int:
    stamp = _stamp_of(fmt)
    prices, quantities = fmt.price_decimals, fmt.qty_decimals
    file.write(HEADER.encode())
    count = 0
    for batch in _chunks(bars):
        lines = [
            f"{stamp(bar)},{quanta_text(bar.open_px, prices)},{quanta_text(bar.high_px, prices)},"
            f"{quanta_text(bar.low_px, prices)},{quanta_text(bar.close_px, prices)},"
            f"{quanta_text(bar.volume, quantities)}\n"
            for bar in batch
        ]
        file.write("".join(lines).encode())
        count += len(lines)
    return count


def _write_gzip(file: IO[bytes], bars: Iterable[Bar], fmt: BarFormat) -> int:
    with gzip.GzipFile(filename="", fileobj=file, mode="wb", mtime=0) as packed:
        return _write_csv(packed, bars, fmt)  # type: ignore[arg-type]


def _write_parquet(file: IO[bytes], bars: Iterable[Bar], fmt: BarFormat) -> int:
    arrow = pyarrow_or_refuse()
    price = arrow.decimal128(18, fmt.price_decimals)
    is_daily = fmt.timeframe == "1d"
    schema = arrow.schema(
        [
            ("ts", arrow.string() if is_daily else arrow.timestamp("ns", tz="UTC")),
            *((name, price) for name in ("open", "high", "low", "close")),
            ("volume", arrow.decimal128(18, fmt.qty_decimals)),
        ]
    )
    stamp = _stamp_of(fmt)
    count = 0
    with arrow.parquet.ParquetWriter(file, schema) as writer:
        for batch in _chunks(bars):
            columns: list[list[Any]] = [
                [stamp(bar) if is_daily else bar.open_ns for bar in batch],
                *(
                    [quanta_decimal(px, fmt.price_decimals) for px in prices]
                    for prices in zip(*((b.open_px, b.high_px, b.low_px, b.close_px) for b in batch), strict=True)
                ),
                [quanta_decimal(bar.volume, fmt.qty_decimals) for bar in batch],
            ]
            arrays = [arrow.array(column, field.type) for column, field in zip(columns, schema, strict=True)]
            writer.write_batch(arrow.record_batch(arrays, schema=schema))
            count += len(batch)
    return count


def _chunks(bars: Iterable[Bar]) -> Iterator[list[Bar]]:
    chunk: list[Bar] = []
    for bar in bars:
        chunk.append(bar)
        if len(chunk) == _ROWS:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _stamp_of(fmt: BarFormat) -> Callable[[Bar], str]:
    if fmt.timeframe == "1d":
        return lambda bar: fmt.calendar.trading_day(bar.open_ns)
    return lambda bar: iso_from_ns(bar.open_ns)
