from __future__ import annotations

import gzip
import io
import itertools
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefill.domain.market import Bar
from surefill.errors import InputError
from surefill.market.bar_format import BarFormat
from surefill.market.csv_bars import csv_decimals, iter_csv_bars, load_csv_bars
from surefill.market.sessions import calendar_named
from surefill.units import NS_PER_DAY, QTY_MAX, iso_from_ns, ns_from_iso, quanta_text

DAILY = BarFormat(instrument_id="X", timeframe="1d")
MINUTES = BarFormat(instrument_id="X", timeframe="1m")
HEADER = "ts,open,high,low,close,volume\n"
GOOD = HEADER + "2024-01-01,10,11.5,9.25,10.75,100\n2024-01-02,10.75,12,10.5,11,200\n"
DAY_1 = ns_from_iso("2024-01-01")
EXPECTED = [
    Bar("X", DAY_1, DAY_1 + NS_PER_DAY, 1000, 1150, 925, 1075, 100, True),
    Bar("X", DAY_1 + NS_PER_DAY, DAY_1 + 2 * NS_PER_DAY, 1075, 1200, 1050, 1100, 200, True),
]


def _bars(text: str | bytes, fmt: BarFormat = DAILY) -> list[Bar]:
    return list(iter_csv_bars(text.encode() if isinstance(text, str) else text, fmt, name="prices.csv"))


SAME_BARS = {
    "as in the contract": GOOD,
    "byte order mark": "\ufeff" + GOOD,
    "windows line ends": GOOD.replace("\n", "\r\n"),
    "no last line end": GOOD.rstrip("\n"),
    "blank lines": GOOD.replace("\n", "\n\n") + "\n\n",
    "capital names": GOOD.replace(HEADER, HEADER.title()),
    "blanks after commas": GOOD.replace(",", ", "),
    "quotes": GOOD.replace("10.75", '"10.75"'),
    "trailing zeros": GOOD.replace("10.75", "10.7500000000000000000"),
    "another order": "volume,close,Date,high,note,low,open\n100,10.75,2024-01-01,11.5,x,9.25,10\n"
    "200,11,2024-01-02,12,über,10.5,10.75\n",
    "seconds": GOOD.replace("2024-01-01", "1704067200").replace("2024-01-02", "1704153600"),
    "date and time apart": "Date,Time,Open,High,Low,Close,Volume\n20240101,00:00,10,11.5,9.25,10.75,100\n"
    "20240102,00:00,10.75,12,10.5,11,200\n",
    "underscored note": GOOD.replace(HEADER, "ts,open,high,low,close,volume,a_note\n")
    .replace(",100\n", ",100,x_y\n")
    .replace(",200\n", ",200,z\n"),
    "two lines in a cell": GOOD.replace("volume\n", "volume,note\n")
    .replace(",100\n", ',100,"a\nb"\n')
    .replace(",200\n", ",200,z\n"),
    "exponents": GOOD.replace("10.75", "1075e-2"),
}


@pytest.mark.parametrize("text", SAME_BARS.values(), ids=SAME_BARS)
def test_bars_of_a_good_file_are_exact(text: str) -> None:
    assert _bars(text) == EXPECTED


def test_bars_of_a_compressed_file_are_the_same(tmp_path: Path) -> None:
    path = tmp_path / "prices.csv.gz"
    path.write_bytes(gzip.compress(GOOD.encode()))
    assert list(iter_csv_bars(path, DAILY)) == EXPECTED
    assert list(iter_csv_bars(str(path), DAILY)) == EXPECTED


def test_bars_of_an_open_file_are_the_same_and_it_stays_open() -> None:
    source = io.BytesIO(GOOD.encode())
    assert list(iter_csv_bars(source, DAILY)) == EXPECTED
    assert not source.closed


def test_bars_without_a_volume_column_count_none() -> None:
    text = "ts,open,high,low,close\n2024-01-01,1,1,1,1\n"
    assert [bar.volume for bar in _bars(text)] == [0]


def test_bars_with_another_delimiter_are_read_if_it_is_named() -> None:
    assert list(iter_csv_bars(GOOD.replace(",", ";").encode(), DAILY, delimiter=";")) == EXPECTED


def _row(row: str, before: str = "2024-01-01,10,11,9,10,100") -> str:
    return f"{HEADER}{before}\n{row}\n"


# (file, line, column or None, what the message must hold)
BAD = {
    "empty": ("", 0, None, ["prices.csv", "empty"]),
    "header only": (HEADER, 1, None, ["no bar"]),
    "semicolons": (GOOD.replace(",", ";"), 1, None, ["separated by ';'", "write the file with ','", "delimiter=';'"]),
    "tabs": (GOOD.replace(",", "\t"), 1, None, ["separated by '\\t'"]),
    "no header": ("2024-01-01,10,11,9,10,100\n", 1, None, ["no column open", "no header line"]),
    "no close": (GOOD.replace("close", "last"), 1, None, ["no column close", "the header is"]),
    "close twice": (GOOD.replace("volume", "Close"), 1, None, ["column close is there twice"]),
    "cut off": (_row("2024-01-02,10,11"), 3, None, ["3 columns", "6", "ends in the middle", "fetch"]),
    "row too short": (_row("2024-01-02,10,11\n2024-01-03,1,1,1,1,1"), 3, None, ["3 columns", "mend the line"]),
    "decimal comma": (_row("2024-01-02,10,5,11,9,10,1"), 3, None, ["7 columns", "decimal comma"]),
    "twice": (_row("2024-01-01,10,11,9,10,1"), 3, "ts", ["2024-01-01T00:00:00Z appears twice", "remove"]),
    "backwards": (_row("2023-12-31,10,11,9,10,1"), 3, "ts", ["2023-12-31", "after 2024-01-01", "sort"]),
    "wrong timeframe": (_row("2024-01-01T12:00,10,11,9,10,1"), 3, "ts", ["timeframe 1d", "before the one of"]),
    "no time": (_row("soon,10,11,9,10,1"), 3, "ts", ["'soon'", "2025-11-19"]),
    "nan": (_row("2024-01-02,NaN,11,9,10,1"), 3, "open", ["finite", "'NaN'"]),
    "inf": (_row("2024-01-02,10,inf,9,10,1"), 3, "high", ["finite", "'inf'"]),
    "negative": (_row("2024-01-02,10,11,-9,10,1"), 3, "low", ["above 0", "'-9'", "remove the row or mend the price"]),
    "zero": (_row("2024-01-02,10,11,9,0,1"), 3, "close", ["above 0", "'0'"]),
    "all zero": (_row("2024-01-02,0,0,0,0,1"), 3, "open", ["above 0"]),
    "text": (_row("2024-01-02,ten,11,9,10,1"), 3, "open", ["not a number", "'ten'"]),
    "nothing": (_row("2024-01-02,,11,9,10,1"), 3, "open", ["not a number", "''"]),
    "underscores": (_row("2024-01-02,1_0,11,9,10,1"), 3, "open", ["not a number", "'1_0'"]),
    "other digits": (_row("2024-01-02,１０,11,9,10,1"), 3, "open", ["not a number"]),
    "too fine": (
        _row("2024-01-02,10.001,11,9,10,1"),
        3,
        "open",
        ["2 decimals", "'10.001'", "price_decimals"],
    ),
    "a little too fine": (
        _row("2024-01-02,10.0000000000000000001,11,9,10,1"),
        3,
        "open",
        ["2 decimals", "'10.0000000000000000001'"],
    ),
    "too large": (
        _row("2024-01-02,10,1e12,9,10,1"),
        3,
        "high",
        ["beyond", "'1e12'", "smaller price_decimals (the setting instruments.SYMBOL.price_decimals)"],
    ),
    "high below open": (_row("2024-01-02,10,9.5,9,9,1"), 3, "high", ["high 9.5 is below open 10"]),
    "high below close": (_row("2024-01-02,9,9.5,9,10,1"), 3, "high", ["high 9.5 is below close 10"]),
    "high below low": (_row("2024-01-02,9,9,10,9,1"), 3, "high", ["high 9 is below low 10"]),
    "low above open": (_row("2024-01-02,9,11,9.5,10,1"), 3, "low", ["low 9.5 is above open 9"]),
    "low above close": (_row("2024-01-02,10,11,9.5,9,1"), 3, "low", ["low 9.5 is above close 9"]),
    "negative volume": (_row("2024-01-02,10,11,9,10,-1"), 3, "volume", ["negative", "'-1'"]),
    "no volume": (_row("2024-01-02,10,11,9,10,nan"), 3, "volume", ["finite", "'nan'"]),
    "volume too fine": (_row("2024-01-02,10,11,9,10,1.5"), 3, "volume", ["0 decimals", "'1.5'", "qty_decimals"]),
    "volume too large": (_row("2024-01-02,10,11,9,10,2e12"), 3, "volume", ["beyond", "smaller qty_decimals"]),
    "after a blank line": (_row("\n2024-01-02,x,11,9,10,1"), 4, "open", ["'x'"]),
}


@pytest.mark.parametrize(("text", "line", "column", "says"), BAD.values(), ids=BAD)
def test_bars_of_a_bad_file_are_refused_with_their_place(
    text: str, line: int, column: str | None, says: list[str]
) -> None:
    with pytest.raises(InputError) as refused:
        _bars(text)
    error = refused.value
    assert error.code == "INVALID_CSV"
    assert error.values["line"] == line
    assert error.values.get("column") == column
    if line:
        assert f"prices.csv, line {line}" in error.message
    if column:
        assert f"column {column}:" in error.message
    for part in says:
        assert part in error.message


def test_error_names_the_column_as_the_file_does() -> None:
    with pytest.raises(InputError, match="line 2, column HIGH: high "):
        _bars("Date,open,HIGH ,low,close\n2024-01-01,1,x,1,1\n")


def test_line_in_an_error_counts_lines_within_cells() -> None:
    text = 'ts,open,high,low,close,note\n2024-01-01,1,1,1,1,"a\nb\nc"\n2024-01-02,x,1,1,1,\n'
    with pytest.raises(InputError) as refused:
        _bars(text)
    assert refused.value.values["line"] == 5


@pytest.mark.parametrize(
    ("source", "code", "says"),
    [
        ("/nowhere/prices.csv", "FILE_READ_ERROR", "does not exist"),
        (".", "FILE_READ_ERROR", "cannot be read"),
        (GOOD.encode("utf-16"), "INVALID_CSV", "not UTF-8"),
        (gzip.compress(GOOD.encode(), mtime=0)[:-12], "INVALID_CSV", "cut off"),
        (b"\x1f\x8bnot gzip", "INVALID_CSV", "damaged"),
        (HEADER.encode() + b"x" * 200_000 + b"\n", "INVALID_CSV", "not CSV"),
    ],
)
def test_file_that_cannot_be_read_is_refused(source: str | bytes, code: str, says: str) -> None:
    with pytest.raises(InputError, match=says) as refused:
        list(iter_csv_bars(source, DAILY))
    assert refused.value.code == code


def test_volume_beyond_the_largest_quantity_is_capped_only_on_request() -> None:
    text = HEADER + "2024-01-01,1,1,1,1,2e12\n"
    fmt = BarFormat(instrument_id="X", cap_volume=True)
    assert [bar.volume for bar in _bars(text, fmt)] == [QTY_MAX]


def test_session_ends_where_the_calendar_says_not_where_the_file_ends() -> None:
    times = ["15:58", "15:59", "16:00", "09:30"]
    days = ["2024-03-08", "2024-03-08", "2024-03-08", "2024-03-11"]
    text = HEADER + "".join(f"{day} {time},1,1,1,1,1\n" for day, time in zip(days, times, strict=True))
    fmt = BarFormat(instrument_id="X", timeframe="1m", zone="America/New_York", calendar=calendar_named("us_equities"))
    assert [bar.is_session_end for bar in _bars(text, fmt)] == [False, True, False, False]


def test_bar_that_outlasts_its_session_ends_with_it() -> None:
    fmt = BarFormat(instrument_id="X", timeframe="1h", zone="Asia/Kolkata", calendar=calendar_named("nse"))
    (bar,) = _bars(HEADER + "2024-01-05 15:15,1,1,1,1,1\n", fmt)
    assert (iso_from_ns(bar.ts_ns), bar.is_session_end) == ("2024-01-05T10:00:00Z", True)


@pytest.mark.parametrize(
    ("calendar", "zone", "stamp", "ts", "span"),
    [
        ("24x7", "UTC", "open", "2024-03-11", ("2024-03-11T00:00:00Z", "2024-03-12T00:00:00Z")),
        ("24x7", "UTC", "close", "2024-03-12", ("2024-03-11T00:00:00Z", "2024-03-12T00:00:00Z")),
        ("us_equities", "UTC", "open", "2024-03-11", ("2024-03-11T13:30:00Z", "2024-03-11T20:00:00Z")),
        ("us_equities", "America/New_York", "open", "2024-03-11", ("2024-03-11T13:30:00Z", "2024-03-11T20:00:00Z")),
        ("us_equities", "UTC", "close", "2024-03-11T20:00Z", ("2024-03-11T13:30:00Z", "2024-03-11T20:00:00Z")),
        ("nse", "Asia/Kolkata", "open", "2024-01-05", ("2024-01-05T03:45:00Z", "2024-01-05T10:00:00Z")),
        ("forex", "UTC", "open", "2024-01-08", ("2024-01-07T22:00:00Z", "2024-01-08T22:00:00Z")),
        # An extra session on a Saturday, in two parts: one bar.
        ("nse", "Asia/Kolkata", "open", "2024-03-02", ("2024-03-02T03:45:00Z", "2024-03-02T07:00:00Z")),
        ("us_equities", "America/New_York", "open", "2024-07-03", ("2024-07-03T13:30:00Z", "2024-07-03T17:00:00Z")),
        # The calendar has the day closed: the bar keeps it.
        ("nse", "UTC", "open", "2024-01-27", ("2024-01-27T00:00:00Z", "2024-01-28T00:00:00Z")),
    ],
)
def test_daily_bar_lasts_as_long_as_its_session(
    calendar: str, zone: str, stamp: str, ts: str, span: tuple[str, str]
) -> None:
    fmt = BarFormat(instrument_id="X", zone=zone, calendar=calendar_named(calendar), stamp=stamp)  # type: ignore[arg-type]
    (bar,) = _bars(f"{HEADER}{ts},1,1,1,1,1\n", fmt)
    assert (iso_from_ns(bar.open_ns), iso_from_ns(bar.ts_ns), bar.is_session_end) == (*span, True)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"instrument_id": ""}, "instrument_id"),
        ({"instrument_id": "X", "price_decimals": 19}, "price_decimals must be 0 to 18"),
        ({"instrument_id": "X", "qty_decimals": -1}, "qty_decimals"),
        ({"instrument_id": "X", "stamp": "middle"}, "stamp must be open or close"),
        ({"instrument_id": "X", "timeframe": "7m"}, "timeframe '7m'"),
    ],
)
def test_format_that_cannot_be_is_refused(options: dict, says: str) -> None:
    with pytest.raises(InputError, match=says):
        BarFormat(**options)


def test_load_gives_a_series_of_the_same_bars() -> None:
    series = load_csv_bars(GOOD.encode(), BarFormat(instrument_id="X", timeframe="daily"))
    assert list(series) == EXPECTED
    assert (series.symbol, series.timeframe, series.price_decimals, series.qty_decimals) == ("X", "1d", 2, 0)


@pytest.mark.parametrize(
    ("text", "decimals"),
    [
        (GOOD, (2, 0)),
        (HEADER + "2024-01-01,1.00,1.5000,1,1.125,0.00100\n", (3, 3)),
        ("ts,open,high,low,close\n2024-01-01,1,1,1,1\n", (0, 0)),
    ],
)
def test_csv_decimals_are_the_fewest_that_hold_all_figures(text: str, decimals: tuple[int, int]) -> None:
    assert csv_decimals(text.encode()) == decimals


class _Endless(io.RawIOBase):
    """A file of one-minute bars that is made while it is read."""

    def __init__(self, rows: int) -> None:
        times = (iso_from_ns(DAY_1 + minute * 60 * 10**9) for minute in range(rows))
        self._parts: Iterator[bytes] = (f"{ts},1.25,1.5,1,1.25,7\n".encode() for ts in times)
        self._rest = HEADER.encode()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        while len(self._rest) < len(buffer) and (part := b"".join(itertools.islice(self._parts, 100))):
            self._rest += part
        taken, self._rest = self._rest[: len(buffer)], self._rest[len(buffer) :]
        buffer[: len(taken)] = taken
        return len(taken)


def test_memory_while_iterating_does_not_grow_with_the_file() -> None:
    peaks = []
    for rows in (2_000, 20_000):
        tracemalloc.start()
        source = cast(BinaryIO, _Endless(rows))
        assert sum(bar.volume for bar in iter_csv_bars(source, MINUTES)) == 7 * rows
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.5 * peaks[0] + 500_000


@given(
    st.lists(
        st.tuples(st.lists(st.integers(1, 2**40), min_size=4, max_size=4).map(sorted), st.integers(0, 2**40)),
        min_size=1,
        max_size=5,
    ),
    st.integers(0, 12),
    st.integers(0, 12),
)
def test_bars_written_and_read_again_are_the_same(
    rows: list[tuple[list[int], int]], price_decimals: int, qty_decimals: int
) -> None:
    text = HEADER
    for day, ((low, open_, close, high), volume) in enumerate(rows):
        prices = ",".join(quanta_text(px, price_decimals) for px in (open_, high, low, close))
        text += f"{iso_from_ns(DAY_1 + day * NS_PER_DAY)},{prices},{quanta_text(volume, qty_decimals)}\n"
    fmt = BarFormat(instrument_id="X", price_decimals=price_decimals, qty_decimals=qty_decimals)
    read = [([bar.low_px, bar.open_px, bar.close_px, bar.high_px], bar.volume) for bar in _bars(text, fmt)]
    assert read == rows
