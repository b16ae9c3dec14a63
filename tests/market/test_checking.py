"""Files looked through: every fault by line and column, everything odd by its kind, in memory that stays flat."""

from __future__ import annotations

import gzip
import tracemalloc
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from surefill.market.bar_format import BarFormat
from surefill.market.checking import Asked, FileReport, check_file, sniff
from surefill.market.csv_bars import load_csv_bars

HEADER = "ts,open,high,low,close,volume"
START = datetime(2024, 1, 2, 9, 15)


def rows(count: int, minutes: int = 1, start: datetime = START) -> list[str]:
    """So many sound rows, without an offset."""
    made = []
    for number in range(count):
        px = 100 + number % 7
        made.append(f"{start + timedelta(minutes=minutes * number):%Y-%m-%dT%H:%M:%S},{px},{px + 2},{px - 1},{px},10")
    return made


def checked(folder: Path, lines: list[str], *, name: str = "X.csv", end: str = "\n", **asked: Any) -> FileReport:
    text = "\n".join([HEADER, *lines]) + end
    (folder / name).write_text(text)
    return check_file(folder / name, Asked(**asked))


def found(report: FileReport, level: str = "error") -> list[tuple[str, int, str]]:
    return [(each.code, each.line, each.column) for each in report.findings if each.level == level]


def changed(at: int, cell: int, value: str) -> list[str]:
    lines = rows(6)
    cells = lines[at].split(",")
    cells[cell] = value
    lines[at] = ",".join(cells)
    return lines


SOUND = rows(6)
ROWS: list[tuple[str, list[str], list[tuple[str, int, str]]]] = [
    ("nothing", SOUND, []),
    ("unsorted", [SOUND[1], SOUND[0], *SOUND[2:]], [("UNSORTED_BARS", 3, "ts")]),
    ("twice", [SOUND[0], SOUND[0], *SOUND[1:]], [("DUPLICATE_BAR", 3, "ts")]),
    ("nan", changed(2, 2, "nan"), [("NOT_FINITE", 4, "high")]),
    ("no number", changed(2, 4, "n/a"), [("NOT_A_NUMBER", 4, "close")]),
    ("zero", changed(2, 3, "0"), [("NOT_POSITIVE", 4, "low")]),
    ("negative", changed(2, 1, "-100"), [("NOT_POSITIVE", 4, "open")]),
    ("high below low", changed(2, 2, "50"), [("HIGH_TOO_LOW", 4, "high")]),
    ("low above close", changed(2, 3, "103.5"), [("LOW_TOO_HIGH", 4, "low")]),
    ("negative volume", changed(2, 5, "-4"), [("NEGATIVE", 4, "volume")]),
    ("no time", changed(2, 0, "yesterday"), [("INVALID_TIME", 4, "ts")]),
    ("a cell less", [*SOUND[:2], "2024-01-02T09:17:00,1", *SOUND[3:]], [("WRONG_WIDTH", 4, "")]),
    ("cut off", [*SOUND, "2024-01-02T09:21:00,1"], [("CUT_OFF", 8, "")]),
    (
        "all at once",
        [SOUND[0], "nan?,x,-1,0,5,-2", SOUND[2], SOUND[1], SOUND[3]],
        [
            ("INVALID_TIME", 3, "ts"),
            ("NOT_A_NUMBER", 3, "open"),
            ("NOT_POSITIVE", 3, "high"),
            ("NOT_POSITIVE", 3, "low"),
            ("NEGATIVE", 3, "volume"),
            ("UNSORTED_BARS", 5, "ts"),
        ],
    ),
]


@pytest.mark.parametrize(("lines", "faults"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_all_faults_of_all_rows_are_told_with_their_place(
    lines: list[str], faults: list[tuple[str, int, str]], tmp_path: Path
) -> None:
    report = checked(tmp_path, lines, zone="UTC")
    assert found(report) == faults
    assert report.errors == len(faults)
    assert report.rows == len(lines) - len({line for _, line, _ in faults})


@pytest.mark.parametrize(("lines", "faults"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_what_has_errors_is_what_the_reader_refuses_at_the_first(
    lines: list[str], faults: list[tuple[str, int, str]], tmp_path: Path
) -> None:
    report = checked(tmp_path, lines, zone="UTC")
    fmt = BarFormat(instrument_id="X", timeframe="1m")
    if not faults:
        assert len(load_csv_bars(tmp_path / "X.csv", fmt)) == report.rows
        return
    with pytest.raises(Exception, match=f"line {faults[0][1]}"):
        load_csv_bars(tmp_path / "X.csv", fmt)


FILES: list[tuple[str, bytes, str, str]] = [
    ("empty", b"", "INVALID_CSV", "empty"),
    ("only a header", HEADER.encode(), "INVALID_CSV", "no bar"),
    ("no header", "\n".join(SOUND).encode(), "INVALID_CSV", "no header line"),
    ("no price", b"ts,open,high,low\n2024-01-02,1,2,1\n", "INVALID_CSV", "no column close"),
    ("another code", HEADER.encode() + b"\n\xff\xfe\x00", "INVALID_CSV", "not UTF-8"),
    ("a damaged gzip", gzip.compress(HEADER.encode() * 99)[:-12], "INVALID_CSV", "cut off or damaged"),
    ("no Parquet", b"PAR1", "FILE_READ_ERROR", "cannot be read as Parquet"),
]


@pytest.mark.parametrize(("content", "code", "says"), [row[1:] for row in FILES], ids=[row[0] for row in FILES])
def test_file_that_cannot_be_read_says_why(content: bytes, code: str, says: str, tmp_path: Path) -> None:
    file = tmp_path / ("X.parquet" if content == b"PAR1" else "X.csv")
    file.write_bytes(content)
    (error,) = (each for each in check_file(file, Asked()).findings if each.level == "error")
    assert (error.code, says in error.text) == (code, True), error.text


def test_file_that_is_not_there_and_a_folder_are_errors(tmp_path: Path) -> None:
    for path in (tmp_path / "none.csv", tmp_path):
        assert [each.code for each in check_file(path, Asked()).findings] == ["FILE_READ_ERROR"]


def with_holes() -> list[str]:
    lines = rows(4 * 375, start=START)
    days = [START + timedelta(days=day) for day in (0, 1, 3, 6)]  # not on the 4th, nor on the weekend
    made = [row for day in days for row in rows(375, start=day)]
    assert len(made) == len(lines)
    return made[:100] + made[103:]


ODD: list[tuple[str, list[str], dict[str, Any], str, str]] = [
    ("naive", SOUND, {}, "NAIVE_TIMES", "taken to be UTC"),
    ("bars missing", with_holes(), {"calendar": "nse", "zone": "Asia/Kolkata"}, "MISSING_BARS", "line 102: 3 bars are"),
    (
        "a session missing",
        with_holes(),
        {"calendar": "nse", "zone": "Asia/Kolkata"},
        "MISSING_SESSIONS",
        "no bar of 2024-01-04",
    ),
    ("another zone", with_holes(), {"calendar": "nse"}, "WRONG_TIME_ZONE", "import --tz Asia/Kolkata"),
    (
        "stamped at the close",
        rows(75, 5, START + timedelta(minutes=5)),
        {"calendar": "nse", "zone": "Asia/Kolkata", "timeframe": "5m"},
        "OUTSIDE_SESSION",
        "closed at 2024-01-02T10:00:00Z",
    ),
    ("off the tick", changed(2, 4, "102.03"), {"tick": "0.05"}, "OFF_TICK", "line 4, column close: 102.03"),
    ("off a tick that is finer than the prices", rows(3), {"tick": "0.3"}, "OFF_TICK", "line 2, column open: 100"),
    (
        "a split",
        [*rows(3), "2024-01-02T09:18:00,51,52,50,51,10"],
        {},
        "JUMP",
        "line 5: the price goes from 102 to 51 between two bars: it looks like a split of 2 for 1",
    ),
    ("no volume", changed(3, 5, "0"), {}, "ZERO_VOLUME", "1 of 6 bars have no volume, the first in line 5"),
    (
        "a price that stands still",
        [f"{START + timedelta(minutes=n):%Y-%m-%dT%H:%M:%S},7,7,7,7,1" for n in range(30)],
        {},
        "CONSTANT_PRICE",
        "line 3: from here 29 bars",
    ),
    ("half an hour", rows(20, 30), {}, "UNKNOWN_TIMEFRAME", "0:30:00 apart"),
    ("weekdays missing", rows(2, 24 * 60) + rows(2, 24 * 60, START + timedelta(days=30)), {}, "CALENDAR_NOT_NAMED", ""),
]


@pytest.mark.parametrize(("lines", "asked", "code", "says"), [row[1:] for row in ODD], ids=[row[0] for row in ODD])
def test_what_is_odd_is_a_warning_that_names_it(
    lines: list[str], asked: dict[str, Any], code: str, says: str, tmp_path: Path
) -> None:
    report = checked(tmp_path, lines, **asked)
    assert report.errors == 0
    texts = [each.text for each in report.findings if (each.level, each.code) == ("warning", code)]
    assert texts, [each.code for each in report.findings]
    assert says in texts[0]


def test_bars_without_anything_odd_have_no_warnings(tmp_path: Path) -> None:
    lines = [row for day in (0, 1, 2, 3, 6) for row in rows(375, start=START + timedelta(days=day))]
    report = checked(tmp_path, lines, calendar="nse", zone="Asia/Kolkata")
    assert (report.findings, report.rows) == ((), 5 * 375)
    assert (report.kind, report.symbol, report.timeframe, report.calendar) == ("bars", "X", "1m", "nse")
    assert (report.first, report.last) == ("2024-01-02T03:45:00Z", "2024-01-08T09:59:00Z")


def test_missing_bars_and_sessions_are_counted_by_the_calendar(tmp_path: Path) -> None:
    report = checked(tmp_path, with_holes(), calendar="nse", zone="Asia/Kolkata")
    assert (report.missing_bars, report.missing_sessions) == (3 + 375, 1)


def test_hole_without_a_calendar_is_told_where_the_market_never_closes(tmp_path: Path) -> None:
    begun = datetime(2024, 1, 5, 23, 0)  # a Friday
    lines = rows(200, start=begun)
    report = checked(tmp_path, lines[:150] + lines[160:])
    assert (report.calendar, report.missing_bars) == ("24x7", 10)


@pytest.mark.parametrize("minutes", [1, 24 * 60])
def test_a_session_on_one_saturday_makes_no_market_that_never_closes(minutes: int, tmp_path: Path) -> None:
    days = [datetime(2024, 1, day, 9, 15) for day in (*range(8, 13), *range(15, 21), *range(22, 27))]  # a Saturday: 20
    count = 60 if minutes == 1 else 1
    report = checked(tmp_path, [row for day in days for row in rows(count, start=day)], zone="UTC")
    assert (report.calendar, report.missing_bars, report.warnings) == ("weekdays", 0, 0)


def test_end_of_the_file_marks_and_delimiters_are_told(tmp_path: Path) -> None:
    report = checked(tmp_path, SOUND, end="", zone="UTC")
    assert found(report, "warning") == [("NO_LINE_END", 7, "")]
    (tmp_path / "X.csv").write_bytes(b"\xef\xbb\xbf" + "\n".join([HEADER, *SOUND, ""]).encode())
    assert found(check_file(tmp_path / "X.csv", Asked(zone="UTC")), "warning") == [("BYTE_ORDER_MARK", 1, "")]
    (tmp_path / "X.csv").write_text("\n".join([HEADER, *SOUND, ""]).replace(",", ";"))
    report = check_file(tmp_path / "X.csv", Asked(zone="UTC"))
    assert (found(report), report.rows) == ([("WRONG_DELIMITER", 1, "")], 6)
    assert found(check_file(tmp_path / "X.csv", Asked(zone="UTC", delimiter=";"))) == []


def test_figure_with_more_decimals_far_down_is_no_fault(tmp_path: Path) -> None:
    lines = rows(6_000)
    lines[5_900] = lines[5_900].replace(",10", ",10.125")
    report = checked(tmp_path, lines)
    assert (report.errors, report.rows) == (0, 6_000)


def test_of_each_kind_so_many_are_kept_and_all_are_counted(tmp_path: Path) -> None:
    report = checked(tmp_path, [rows(1)[0]] * 50, listed=3)
    assert report.counts["DUPLICATE_BAR"] == report.errors == 49
    assert len([each for each in report.findings if each.code == "DUPLICATE_BAR"]) == 3


def test_quotes_are_told_by_their_columns_and_looked_through(tmp_path: Path) -> None:
    lines = ["2024-01-02T09:15:00Z,99,101", "2024-01-02T09:15:01Z,102,101", "2024-01-02T09:15:00Z,99,x"]
    lines += ["2024-01-02T09:15:03Z,nan,101", "2024-01-02T09:15:04Z,50,51"]
    (tmp_path / "Q.csv").write_text("\n".join(["ts,bid,ask", *lines, ""]))
    report = check_file(tmp_path / "Q.csv", Asked())
    assert (report.kind, report.rows, report.jumps) == ("quotes", 3, 1)
    assert found(report) == [("NOT_A_NUMBER", 4, "ask"), ("NOT_FINITE", 5, "bid")]
    assert found(report, "warning") == [("CROSSED", 3, ""), ("JUMP", 6, "")]


def test_parquet_is_looked_through_by_row(tmp_path: Path) -> None:
    arrow = pytest.importorskip("pyarrow")
    import pyarrow.parquet

    times = [datetime(2024, 1, day, tzinfo=UTC) for day in (2, 3, 3, 4, 5)]
    columns = {"ts": times, "open": [10.0, 10.5, 10.0, None, 10.0], "high": [11.0, 9.0, 11.0, 11.0, 11.0]}
    columns |= {"low": [9.0] * 5, "close": [10.0] * 5}
    pyarrow.parquet.write_table(arrow.table(columns), tmp_path / "X.parquet")
    report = check_file(tmp_path / "X.parquet", Asked(calendar="us_equities"))
    assert found(report) == [
        ("HIGH_TOO_LOW", 2, "high"),
        ("DUPLICATE_BAR", 3, "ts"),
        ("NOT_A_NUMBER", 4, "open"),
    ]
    assert (report.rows, report.timeframe) == (2, "1d")


def test_memory_stays_flat_however_long_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sniff, "ROWS", 100)

    def peak(count: int) -> int:
        (tmp_path / "X.csv").write_text("\n".join([HEADER, *rows(count), ""]))
        tracemalloc.start()
        try:
            assert check_file(tmp_path / "X.csv", Asked(zone="UTC", calendar="24x7")).rows == count
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(6_000)  # what is imported and kept for good
    assert peak(20_000) < 1.2 * peak(6_000)


def test_progress_goes_up_to_the_size_of_the_file(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    (tmp_path / "X.csv").write_text("\n".join([HEADER, *rows(25_000), ""]))
    check_file(tmp_path / "X.csv", Asked(zone="UTC"), lambda done, total: told.append((done, total)))
    size = (tmp_path / "X.csv").stat().st_size
    assert len(told) == 2
    assert all(0 < done <= size == total for done, total in told)


ZONES = [("America/New_York", "us_equities", datetime(2024, 1, 10, 9, 30)), ("Asia/Kolkata", "nse", START)]


@pytest.mark.parametrize(("zone", "calendar", "opens"), ZONES)
def test_zone_that_would_fit_is_named_in_winter_and_summer_alike(
    zone: str, calendar: str, opens: datetime, tmp_path: Path
) -> None:
    days = [opens + timedelta(weeks=weeks) for weeks in (0, 13, 26, 40)]
    lines = [row for day in days for row in rows(375, start=day)]
    report = checked(tmp_path, lines, calendar=calendar, timeframe="1m")
    (text,) = (each.text for each in report.findings if each.code == "WRONG_TIME_ZONE")
    assert f"import --tz {zone}" in text


def test_shift_that_would_fit_is_named_where_times_have_an_offset(tmp_path: Path) -> None:
    lines = [row.replace(",", "Z,", 1) for day in (0, 1, 2) for row in rows(375, start=START + timedelta(days=day))]
    (text,) = (
        each.text for each in checked(tmp_path, lines, calendar="nse").findings if each.code == "WRONG_TIME_ZONE"
    )
    assert "100% of them would fit 5:30 hours earlier" in text
