"""Bars from CSV: `ts,open,high,low,close,volume`, checked row by row.

Columns are found by name, in any order and case, among any others; `volume` may be missing (it then counts 0: unknown).
`ts` may also be called timestamp, datetime, date, time or open_time; a file with both date and time has them put
together. Timestamps are ISO 8601, dates, or seconds, milli-, micro- or nanoseconds since 1970, and strictly ascending;
text without an offset is UTC unless the format names a zone. Prices become integers exactly, or the row is an error
that names line, column, value, and what to do.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from operator import itemgetter
from typing import Final, NoReturn

from surefill.domain.market import Bar
from surefill.errors import InputError
from surefill.market.bar_format import BarChecks, BarFormat, faults_of_row, located, volume_quanta
from surefill.market.csv_rows import INVALID_CSV, CsvRows, CsvSource, OnFault, column_indexes
from surefill.market.series import BarSeries
from surefill.market.timestamps import TimestampReader
from surefill.units import QTY_MAX, observed_quanta, to_quanta

TIME_NAMES: Final = ("ts", "timestamp", "datetime", "date", "time", "open_time")
_PRICES: Final = ("open", "high", "low", "close")
_SURE: Final = 16  # a double holds every decimal of fewer digits than this: float() loses nothing
_KNOWN_MAX: Final = 50_000


def iter_csv_bars(
    source: CsvSource,
    fmt: BarFormat,
    *,
    name: str = "",
    delimiter: str = ",",
    header: Sequence[str] = (),
    columns: Mapping[str, str] | None = None,
) -> Generator[Bar, None, None]:
    """The bars of a CSV file (plain or gzip; a path, bytes or an open binary file), one at a time.

    `name` is what errors call the file; `header` names the columns of a file that has no header line, `columns` says
    what the file calls ours (ts, clock, open, high, low, close, volume). Raises InputError: INVALID_CSV,
    FILE_READ_ERROR.
    """
    rows = CsvRows(source, name=name, delimiter=delimiter, header=header)
    row_to_bar: Callable[[list[str]], Bar] | None = None
    for row in rows:
        if row_to_bar is None:
            row_to_bar = _Rows(rows, fmt, columns).bar
        yield row_to_bar(row)
    if row_to_bar is None:
        _refuse_no_bar(rows, columns)


def sound_csv_bars(rows: CsvRows, fmt: BarFormat, on_fault: OnFault) -> Generator[tuple[int, Bar], None, None]:
    """The bars that rows make, with their line numbers; every fault of the others is told to `on_fault`.

    Raises InputError where nothing more can be read.
    """
    reading: _Rows | None = None
    for row in rows:
        if reading is None:
            reading = _Rows(rows, fmt)
        try:
            bar = reading.bar(row)
        except InputError:
            for fault in reading.faults(row):
                on_fault(fault)
        else:
            yield rows.line, bar
    if reading is None:
        _refuse_no_bar(rows)


def load_csv_bars(source: CsvSource, fmt: BarFormat, *, name: str = "", delimiter: str = ",") -> BarSeries:
    """All bars of a CSV file as a series. Raises InputError: INVALID_CSV, FILE_READ_ERROR."""
    return BarSeries.from_bars(
        iter_csv_bars(source, fmt, name=name, delimiter=delimiter),
        instrument_id=fmt.instrument_id,
        timeframe=fmt.timeframe,
        price_decimals=fmt.price_decimals,
        qty_decimals=fmt.qty_decimals,
    )


def csv_decimals(
    source: CsvSource,
    *,
    name: str = "",
    delimiter: str = ",",
    header: Sequence[str] = (),
    columns: Mapping[str, str] | None = None,
) -> tuple[int, int]:
    """The fewest (price_decimals, qty_decimals) that hold every figure of the file: for files that come without terms.

    Reads the whole file; checks nothing else. Raises InputError.
    """
    rows = CsvRows(source, name=name, delimiter=delimiter, header=header)
    prices: list[int] = []
    volume = -1
    most = [0, 0]
    for row in rows:
        if not prices:
            at = csv_columns(rows, columns)
            prices = [at[price] for price in _PRICES]
            volume = at.get("volume", -1)
        for price in prices:
            most[0] = max(most[0], decimals_of(row[price]))
        if volume >= 0:
            most[1] = max(most[1], decimals_of(row[volume]))
    return most[0], most[1]


class _Rows:
    """Turns cells into bars; `rows` tells the line and the names when one will not."""

    def __init__(self, rows: CsvRows, fmt: BarFormat, named: Mapping[str, str] | None = None) -> None:
        self._rows = rows
        self._fmt = fmt
        self._checks = BarChecks(fmt)
        self._times = TimestampReader(fmt.zone, fmt.time_format)
        self._columns = columns = csv_columns(rows, named)
        self._clock_at = columns.get("clock", -1)
        self._volume_at = columns.get("volume", -1)
        self._qty_decimals = fmt.qty_decimals
        self._known: dict[str, int] = {}
        self._cells = itemgetter(columns["ts"], *(columns[price] for price in _PRICES))

    def bar(self, row: list[str]) -> Bar:
        """The bar of one row. Raises InputError with its place."""
        if not self._rows.is_plain:
            return self._bar_exactly(row)
        ts, open_, high, low, close = self._cells(row)
        volume = row[self._volume_at] if self._volume_at >= 0 else "0"
        if self._clock_at >= 0:
            ts = f"{ts} {row[self._clock_at]}"
        known = self._known.get
        price = self._price
        try:
            return self._checks.bar(
                self._times.ns_from_text(ts, "ts"),
                known(open_) or price(open_),
                known(high) or price(high),
                known(low) or price(low),
                known(close) or price(close),
                to_quanta(
                    float(volume) if len(volume) < _SURE else volume,
                    self._qty_decimals,
                    field="volume",
                    max_quanta=QTY_MAX,
                ),
            )
        except (ValueError, InputError):
            return self._bar_exactly(row)

    def _price(self, text: str) -> int:
        """A price in quanta, remembered: the same few thousand texts come again and again."""
        if len(self._known) > _KNOWN_MAX:
            self._known.clear()
        px = to_quanta(float(text) if len(text) < _SURE else text, self._fmt.price_decimals, field="price")
        self._known[text] = px
        return px

    def _bar_exactly(self, row: list[str]) -> Bar:
        """The same without the short cut through float: what is wrong is said about the text itself."""
        fmt = self._fmt
        text = self._text(row)
        try:
            stamp_ns = self._stamp(text)
            open_px, high_px, low_px, close_px = (
                observed_quanta(text[price], fmt.price_decimals, field=price) for price in _PRICES
            )
            volume = volume_quanta(text.get("volume", "0"), fmt)
            return self._checks.bar(stamp_ns, open_px, high_px, low_px, close_px, volume)
        except InputError as error:
            raise self._located(error) from None

    def faults(self, row: list[str]) -> Iterator[InputError]:
        """All that is wrong with a row that makes no bar."""
        text = self._text(row)
        prices = {price: text[price] for price in _PRICES}
        volume = text.get("volume", "0")
        for error in faults_of_row(self._checks, self._fmt, lambda: self._stamp(text), prices, volume):
            yield self._located(error)

    def _text(self, row: list[str]) -> dict[str, str]:
        return {column: row[at].strip() for column, at in self._columns.items()}

    def _stamp(self, text: Mapping[str, str]) -> int:
        return self._times.ns_from_text(" ".join((text["ts"], text.get("clock", ""))).strip(), "ts")

    def _located(self, error: InputError) -> InputError:
        header = {column: self._rows.header[at] for column, at in self._columns.items()}
        return located(error, INVALID_CSV, f"{self._rows.name}, line", self._rows.line, header)


def _refuse_no_bar(rows: CsvRows, named: Mapping[str, str] | None = None) -> NoReturn:
    csv_columns(rows, named)
    rows.refuse("there is a header but no bar; add rows")


def csv_columns(rows: CsvRows, named: Mapping[str, str] | None = None) -> dict[str, int]:
    """Where each column is; "clock" is the time of day where date and time are apart. `named`: as the file calls it.

    Raises InputError (INVALID_CSV).
    """
    header = {cell.lower() for cell in rows.header}
    times = [name for name in TIME_NAMES if name in header]
    wanted: dict[str, tuple[str, ...]] = {price: (price,) for price in (*_PRICES, "volume")}
    if times == ["date", "time"]:
        wanted |= {"ts": ("date",), "clock": ("time",)}
    else:
        wanted["ts"] = tuple(times[:1]) or TIME_NAMES
    if named:
        if "ts" in named:
            wanted.pop("clock", None)
        wanted |= {column: (theirs.lower(),) for column, theirs in named.items()}
    return column_indexes(rows, wanted, optional=frozenset({"volume"}))


def decimals_of(cell: str) -> int:
    """How many decimals a figure needs; 0 for what is no plain figure (reading the bars will say so)."""
    return len(cell.strip().partition(".")[2].rstrip("0"))
