"""Bars that cannot be, given to a backtest and to a sweep: where, why, what to do; and nothing is written."""

from __future__ import annotations

import gzip
import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import pytest
from tests.cli.running import surefill

HEADER = "ts,open,high,low,close,volume\n"
BAR = "2024-01-01T0{}:00:00Z,10,11,9,10,1\n"
SOUND = HEADER + BAR.format(1) + BAR.format(2) + BAR.format(3)
COMMANDS = {
    "backtest": ("backtest", "sma_cross", "--journal", "kept"),
    "sweep": ("sweep", "run", "sma_cross", "-S", "fast=5,6", "--workers", "0", "--journal", "kept"),
    "search": (
        *("sweep", "run", "sma_cross", "-S", "fast=5:9", "--search", "bayes", "--trials", "3"),
        *("--workers", "0", "--journal", "kept"),
    ),
}


class Bad(NamedTuple):
    """What a file holds, and what must be said about it."""

    content: str | bytes
    where: str
    remedy: str
    code: str = "INVALID_CSV"


BAD = {
    "empty": Bad("", "X.csv: the file is empty", "must name the columns"),
    "without rows": Bad(HEADER, "X.csv, line 1", "add rows"),
    "without a header": Bad(BAR.format(1) + BAR.format(2), "X.csv, line 1", "no header line, add one"),
    "without a column": Bad("ts,open,high,low\n2024-01-01,1,1,1\n", "no column close", "the header is"),
    "unsorted": Bad(HEADER + BAR.format(2) + BAR.format(1), "line 3, column ts", "sort the rows by time"),
    "twice": Bad(HEADER + BAR.format(1) * 2, "line 3, column ts", "remove one of the two rows"),
    "not a number": Bad(SOUND.replace("11,9", "nan,9"), "line 2, column high", "remove the row or mend the value"),
    "infinite": Bad(SOUND.replace("11,9", "inf,9"), "line 2, column high", "remove the row or mend the value"),
    "words": Bad(SOUND.replace("11,9", "much,9"), "line 2, column high", "write it like"),
    "zero": Bad(SOUND.replace(",9,", ",0,"), "line 2, column low", "remove the row or mend the price"),
    "negative": Bad(SOUND.replace(",9,", ",-9,"), "line 2, column low", "remove the row or mend the price"),
    "high below low": Bad(SOUND.replace("11,9", "8,9"), "line 2, column high", "mend the row"),
    "no time": Bad(SOUND.replace("2024-01-01T01", "yesterday"), "line 2, column ts", "write it like"),
    "another delimiter": Bad(SOUND.replace(",", ";"), "line 1", "separated by ';'"),
    "cut off": Bad(SOUND[:-12], "line 4", "fetch it again"),
    "not UTF-8": Bad(SOUND.encode() + b"\xff\xfe", "after this line is not UTF-8", "save the file as UTF-8"),
    "a damaged gzip": Bad(gzip.compress(SOUND.encode())[:-9], "cut off or damaged", "fetch it again"),
    "not there": Bad(b"", "does not exist", "check the path", "FILE_READ_ERROR"),
}


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("what", BAD)
def test_bars_that_cannot_be_are_refused_with_code_place_and_remedy(what: str, command: str, tmp_path: Path) -> None:
    bad = BAD[what]
    if what != "not there":
        content = bad.content
        Path("X.csv").write_bytes(content if isinstance(content, bytes) else content.encode())
    there = set(tmp_path.iterdir())
    ran = surefill(*COMMANDS[command], "--data", "X.csv", "--timeframe", "1h", "--json")
    assert (ran.code, ran.out) == (4, "")
    error = json.loads(ran.err.splitlines()[-1])["error"]
    assert (error["code"], error["exit_code"]) == (bad.code, 4)
    assert bad.where in error["message"]
    assert bad.remedy in error["message"]
    assert "Traceback" not in ran.err
    assert set(tmp_path.iterdir()) == there


def with_days_left_out() -> str:
    begun = datetime(2024, 1, 1)
    days = [begun + timedelta(days=day) for day in range(60) if (begun + timedelta(days=day)).weekday() < 5]
    return HEADER + "".join(f"{day:%Y-%m-%d},10,11,9,10,1\n" for day in days[:10] + days[20:])


def in_local_times() -> str:
    days = (datetime(2024, 1, day, 9, 15) for day in (2, 3, 4))
    times = (day + timedelta(minutes=5 * number) for day in days for number in range(75))
    return HEADER + "".join(f"{time:%Y-%m-%dT%H:%M},10,11,9,10,1\n" for time in times)


ODD = {
    "gapped": (with_days_left_out(), "1d", "us_equities", "missing are 9 whole sessions, the first before 2024-01-29T"),
    "gapped, by nobody's calendar": (with_days_left_out(), "1d", "24x7", "10 whole sessions, the first before"),
    "another zone": (in_local_times(), "5m", "nse", "100% of them would fit as local times of Asia/Kolkata"),
}


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("what", ODD)
def test_bars_that_are_odd_are_taken_with_a_warning_that_names_them(what: str, command: str) -> None:
    content, timeframe, calendar, says = ODD[what]
    Path("X.csv").write_text(content)
    flags = ("--timeframe", timeframe, "--set", f"instruments.X.calendar={calendar}")
    ran = surefill(*COMMANDS[command], "--data", "X.csv", *flags, "--json")
    assert ran.code == 0, ran.err
    (told,) = (line for line in map(json.loads, ran.err.splitlines()) if line.get("event") == "bars_in_doubt")
    assert says in told["text"]
    assert "X.csv" in told["text"]


def test_a_holiday_raises_no_doubt() -> None:
    content = with_days_left_out().partition("2024-01-29")[0].replace("2024-01-10,10,11,9,10,1\n", "")
    Path("X.csv").write_text(content)
    ran = surefill(*COMMANDS["backtest"], "--data", "X.csv", "--json")
    assert (ran.code, "doubt" in ran.err) == (0, False)
