"""One file looked through from its first row to its last, in memory that does not grow with it."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from surefill.domain.market import Bar
from surefill.errors import InputError
from surefill.market.bar_format import BarFormat
from surefill.market.checking.findings import LISTED_PER_CODE, Finding, Findings
from surefill.market.checking.holes import WEEKDAYS, Expected
from surefill.market.checking.quotes import QuoteWatch
from surefill.market.checking.sniff import SENSIBLE_DECIMALS, Sniffed, delimiter_of, sniff_bars, sniff_csv
from surefill.market.checking.watch import BarWatch, NeverCloses
from surefill.market.checking.zones import better_reading
from surefill.market.csv_bars import decimals_of, sound_csv_bars
from surefill.market.csv_quotes import QuoteFormat, sound_csv_quotes
from surefill.market.csv_rows import CsvRows
from surefill.market.parquet_bars import first_stamps, sound_parquet_bars
from surefill.market.sessions import ALWAYS_OPEN, AlwaysOpen, calendar_named
from surefill.market.timeframes import DURATION_NS, canonical_timeframe
from surefill.units import iso_from_ns, observed_quanta, to_quanta

Progress = Callable[[int, int], None]
_TELL_EVERY: Final = 10_000


class Asked(NamedTuple):
    """What is known of files beforehand; "": found out from the file, or not checked."""

    timeframe: str = ""
    calendar: str = ""
    zone: str = ""
    delimiter: str = ""
    tick: str = ""
    listed: int = LISTED_PER_CODE


class FileReport(msgspec.Struct, frozen=True):
    """What a file holds and what is wrong with it. `rows` are sound ones; `counts` by the findings' codes.

    `missing_bars` and `missing_sessions` go by the calendar; `calendar` "weekdays" is a guess that knows no holidays.
    """

    file: str
    bytes: int
    kind: str
    symbol: str
    timeframe: str
    calendar: str
    rows: int
    first: str
    last: str
    missing_bars: int
    missing_sessions: int
    jumps: int
    errors: int
    warnings: int
    counts: dict[str, int]
    findings: tuple[Finding, ...]
    seconds: float


def check_file(path: Path, asked: Asked, on_progress: Progress = lambda done, total: None) -> FileReport:
    """Look a file through. `on_progress` is told (bytes read, bytes in all).

    Whatever is wrong with the file is in the report; raises InputError and ConfigError for what is wrong with `asked`.
    """
    began = time.monotonic()
    check = _Check(path, asked, on_progress)
    try:
        check.run()
    except InputError as error:
        check.findings.fault(error)
    except OSError as error:
        check.findings.fault(InputError(f"{path} cannot be read: {error}", code="FILE_READ_ERROR"))
    return check.report(time.monotonic() - began)


class _Finer(Exception):
    """A figure has more decimals than were seen so far: the file is read again with so many."""

    def __init__(self, field: str, decimals: int) -> None:
        self.field = field
        self.decimals = decimals


class _Check:
    """One file while it is looked through."""

    def __init__(self, path: Path, asked: Asked, on_progress: Progress) -> None:
        self._path = path
        self._asked = asked
        self._on_progress = on_progress
        self._zone = asked.zone or "UTC"
        self._calendar = calendar_named(asked.calendar) if asked.calendar else None
        self._timeframe = canonical_timeframe(asked.timeframe) if asked.timeframe else ""
        self._calendar_name = asked.calendar
        if asked.tick:
            observed_quanta(asked.tick, SENSIBLE_DECIMALS, field="tick")
        self._kind = ""
        self._watch: BarWatch | QuoteWatch | None = None
        self.findings = Findings(asked.listed)

    def run(self) -> None:
        """Raises InputError where nothing more can be read."""
        if self._path.name.endswith(".parquet"):
            self._run_bars(sniff_bars(*first_stamps(self._path, self._zone)), "parquet")
            return
        delimiter = self._asked.delimiter or self._sniff_delimiter()
        with self._path.open("rb") as file:
            if file.read(3) == b"\xef\xbb\xbf":
                self.findings.warn("BYTE_ORDER_MARK", "the file begins with a byte order mark; it is skipped", 1)
        sniffed = sniff_csv(self._path, delimiter, self._zone)
        if sniffed.is_quotes:
            self._run_quotes(sniffed, delimiter)
        else:
            self._run_bars(sniffed, delimiter)

    def report(self, seconds: float) -> FileReport:
        """What was found."""
        watch = self._watch
        bars = watch if isinstance(watch, BarWatch) else None
        first, last = (watch.first_ns, watch.last_ns) if watch is not None else (None, None)
        found = self.findings
        return FileReport(
            str(self._path),
            self._path.stat().st_size if self._path.is_file() else 0,
            self._kind,
            self._path.name.partition(".")[0],
            self._timeframe,
            self._calendar_name,
            0 if watch is None else watch.rows,
            "" if first is None else iso_from_ns(first),
            "" if last is None else iso_from_ns(last),
            0 if bars is None else bars.missing_bars,
            0 if bars is None else bars.missing_sessions,
            0 if watch is None else watch.jumps,
            found.errors,
            found.warnings,
            found.counts,
            tuple(found.kept),
            seconds,
        )

    def _sniff_delimiter(self) -> str:
        delimiter = delimiter_of(self._path)
        if delimiter != ",":
            what = f"the columns are separated by {delimiter!r}, not by ',': surefill data import writes it anew"
            error = InputError(f"{self._path.name}, line 1: {what}", line=1, reason="WRONG_DELIMITER")
            self.findings.fault(error)
        return delimiter

    def _run_bars(self, sniffed: Sniffed, how: str) -> None:
        self._kind = "bars"
        only_days = self._calendar is None and not sniffed.has_weekends
        self._find_timeframe(sniffed)
        if sniffed.is_naive and not self._asked.zone:
            self.findings.warn(
                "NAIVE_TIMES", "the times have no offset and are taken to be UTC; say what they are with --tz ZONE"
            )
        prices = max(sniffed.price_decimals, decimals_of(self._asked.tick))
        quantities = sniffed.qty_decimals
        before = self.findings
        while True:
            self._calendar_name = self._asked.calendar or ("weekdays" if only_days else "24x7")
            self.findings = Findings(self._asked.listed)
            for finding in before.kept:
                self.findings.add(finding)
            try:
                self._read_bars(sniffed, how, prices, quantities, only_days=only_days)
                return
            except NeverCloses:
                only_days = False
            except _Finer as finer:
                if finer.field == "volume":
                    quantities = finer.decimals
                else:
                    prices = finer.decimals

    def _read_bars(self, sniffed: Sniffed, how: str, prices: int, quantities: int, *, only_days: bool) -> None:
        calendar = self._calendar or (WEEKDAYS if only_days else ALWAYS_OPEN)
        fmt = BarFormat(
            instrument_id=self._path.name.partition(".")[0] or "?",
            timeframe=self._timeframe,
            price_decimals=prices,
            qty_decimals=quantities,
            calendar=self._calendar or ALWAYS_OPEN,
            zone=self._zone,
            cap_volume=True,
        )
        tick = to_quanta(self._asked.tick, prices, field="tick") if self._asked.tick else 0
        expected = Expected(calendar, self._timeframe, only_days=only_days)
        watch = self._watch = BarWatch(self.findings, expected, prices, tick)

        def on_fault(error: InputError) -> None:
            self._restart_if_finer(error, prices, quantities)
            self.findings.fault(error)

        if how == "parquet":
            bars = sound_parquet_bars(self._path, fmt, on_fault)
            self._each(bars, watch)
        else:
            with self._path.open("rb") as file:
                rows = CsvRows(file, name=self._path.name, delimiter=how, on_fault=on_fault)
                self._each(sound_csv_bars(rows, fmt, on_fault), watch, file.tell)
                self._check_end(rows)
        watch.done(has_volume=sniffed.has_volume)
        self._look_at_zone(watch, expected, calendar, is_naive=sniffed.is_naive)

    def _run_quotes(self, sniffed: Sniffed, delimiter: str) -> None:
        self._kind = "quotes"
        watch = self._watch = QuoteWatch(self.findings, sniffed.price_decimals)
        fmt = QuoteFormat(
            instrument_id=self._path.name.partition(".")[0] or "?",
            price_decimals=sniffed.price_decimals,
            qty_decimals=sniffed.qty_decimals,
            zone=self._zone,
        )
        with self._path.open("rb") as file:
            rows = CsvRows(file, name=self._path.name, delimiter=delimiter, on_fault=self.findings.fault)
            for line, quote in sound_csv_quotes(rows, fmt, self.findings.fault):
                watch.quote(line, quote)
                if watch.rows % _TELL_EVERY == 0:
                    self._tell(file.tell())
            self._check_end(rows)

    def _each(
        self, bars: Generator[tuple[int, Bar], None, None], watch: BarWatch, tell: Callable[[], int] | None = None
    ) -> None:
        look = watch.bar
        with closing(bars):  # before the file: a restart leaves them in the middle
            for line, bar in bars:
                look(line, bar)
                if watch.rows % _TELL_EVERY == 0 and tell is not None:
                    self._tell(tell())

    def _tell(self, done: int) -> None:
        self._on_progress(done, self._path.stat().st_size)

    def _check_end(self, rows: CsvRows) -> None:
        if not rows.ends_with_line:
            self.findings.warn(
                "NO_LINE_END", f"line {rows.line} does not end: its last figure may have been cut off", rows.line
            )

    def _find_timeframe(self, sniffed: Sniffed) -> None:
        if self._timeframe:
            return
        self._timeframe = sniffed.timeframe or "1d"
        if sniffed.apart_ns and sniffed.apart_ns != DURATION_NS[self._timeframe]:
            self.findings.warn(
                "UNKNOWN_TIMEFRAME",
                f"rows are {timedelta(microseconds=sniffed.apart_ns // 1_000)} apart, which is none of"
                f" {', '.join(DURATION_NS)}; they are taken as {self._timeframe} (--timeframe says otherwise)",
            )

    def _look_at_zone(self, watch: BarWatch, expected: Expected, calendar: object, *, is_naive: bool) -> None:
        if not watch.outside or isinstance(calendar, AlwaysOpen):
            return
        duration_ns = DURATION_NS[self._timeframe]
        hint = better_reading(watch.sample, expected.has, zone=self._zone, is_naive=is_naive, duration_ns=duration_ns)
        if hint:
            share = f"{watch.outside:,} of {watch.rows:,} bars lie outside of sessions"
            self.findings.warn("WRONG_TIME_ZONE", f"{share}; {hint}")

    def _restart_if_finer(self, error: InputError, prices: int, quantities: int) -> None:
        if error.values.get("reason") != "TOO_FINE":
            return
        is_volume = str(error.values.get("column", "")).lower() == "volume"
        needed = decimals_of(str(error.values.get("value")).strip("'"))
        if (quantities if is_volume else prices) < needed <= SENSIBLE_DECIMALS:
            raise _Finer("volume" if is_volume else "price", needed)
