"""The group data: files looked through, and others' files turned into ours."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.cli.running import on_a_full_disk, surefill

SOUND = "ts,open,high,low,close,volume\n" + "".join(
    f"2024-01-0{day},10{day}.5,11{day},100,10{day},7\n" for day in range(2, 6)
)


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "A.csv").write_text(SOUND)


def test_check_shows_what_a_file_holds_and_that_nothing_is_wrong() -> None:
    ran = surefill("data", "check", "A.csv", "--calendar", "us_equities")
    assert ran.code == 0, ran.err
    (row,) = (line.split() for line in ran.out.splitlines() if line.strip().startswith("A.csv "))
    assert row[:5] == ["A.csv", "bars", "1d", "us_equities", "4"]
    assert "A.csv: nothing is wrong" in ran.out
    assert "4 rows" in ran.err
    assert "rows/s" in ran.err


def test_check_tells_all_faults_of_all_files_and_ends_with_4(tmp_path: Path) -> None:
    (tmp_path / "B.csv").write_text(SOUND.replace("103.5", "nan").replace(",104,7", ",104,-7"))
    (tmp_path / "C.csv").write_text("")
    ran = surefill("data", "check", ".", "--calendar", "us_equities")
    assert ran.code == 4
    for says in (
        "error NOT_FINITE\n  B.csv, line 3, column open: open must be a finite number (got 'nan'); remove the row",
        "error NEGATIVE\n  B.csv, line 4, column volume",
        "C.csv: the file is empty",
        "A.csv: nothing is wrong",
    ):
        assert says in ran.out
    told = surefill("data", "check", "A.csv", "B.csv", "--json")
    assert (told.code, told.err) == (4, "")
    found = told.json()
    assert found["errors"] == 2
    assert [file["errors"] for file in found["files"]] == [0, 2]
    assert found["files"][1]["findings"][0] == {
        "level": "error",
        "code": "NOT_FINITE",
        "text": found["files"][1]["findings"][0]["text"],
        "line": 3,
        "column": "open",
        "value": "nan",
    }


def test_check_of_what_is_only_odd_ends_with_0(tmp_path: Path) -> None:
    (tmp_path / "B.csv").write_text(SOUND.replace("2024-01-03,103.5,113,100,103,7\n", "").replace(",7\n", ",0\n"))
    ran = surefill("data", "check", "B.csv", "--calendar", "us_equities", "--tick", "1", "--list", "1")
    assert ran.code == 0
    assert "warning MISSING_SESSIONS\n  line 3: before it there is no bar of 2024-01-03" in ran.out
    assert "warning OFF_TICK (3)\n  line 2, column open: 102.5 is no multiple of 1\n  … and 2 more" in ran.out
    assert "warning ZERO_VOLUME" in ran.out


def test_import_writes_what_backtests_read(tmp_path: Path) -> None:
    (tmp_path / "other.txt").write_text("Day\tO\tH\tL\tC\n02.01.2024\t1\t2\t0.5\t1.25\n03.01.2024\t1\t2\t0.5\t1\n")
    flags = ("--columns", "ts=Day,open=O,high=H,low=L,close=C", "--time-format", "%d.%m.%Y", "--delimiter", "tab")
    made = surefill("data", "import", "other.txt", "X.parquet", *flags, "--json")
    assert made.code == 0, made.err
    assert made.json()["written"] == 2
    assert surefill("data", "check", "X.parquet").code == 0
    assert surefill("data", "import", "X.parquet", "X.csv", "--calendar", "us_equities").code == 0
    assert (tmp_path / "X.csv").read_text().splitlines()[1] == "2024-01-02,1,2,0.5,1.25,0"
    ran = surefill("backtest", "sma_cross", "-p", "fast=1", "-p", "slow=2", "--data", "X.csv", "--json")
    assert ran.code == 0, ran.err


FAILURES = [
    (("import", "A.csv", "A2.csv", "--columns", "when=Date"), 2, "OURS=THEIRS"),
    (("import", "A.csv", "A2.csv", "--stamp", "middle"), 2, "must be open or close"),
    (("import", "A.csv", "A2.csv", "--delimiter", "tabs"), 2, "one character"),
    (("import", "A.csv", "A2.csv", "--tz", "Mars/North"), 3, "Mars/North"),
    (("import", "A.csv", "A2.csv", "--calendar", "mars"), 3, "calendar 'mars'"),
    (("import", "A.csv", "A2.csv", "--timeframe", "7m"), 4, "timeframe '7m'"),
    (("import", "none.csv", "A2.csv"), 4, "does not exist"),
    (("import", "A.csv", "A.csv"), 4, "itself"),
    (("import", "A.csv", "B.csv"), 4, "--force"),
    (("check", "none.csv"), 4, "FILE_READ_ERROR"),
    (("check", "empty"), 2, "no file whose name"),
    (("check", "A.csv", "--timeframe", "7m"), 4, "timeframe '7m'"),
    (("check", "A.csv", "--calendar", "mars"), 3, "calendar 'mars'"),
    (("check", "A.csv", "--tz", "Mars/North"), 3, "Mars/North"),
    (("check", "A.csv", "--tick", "fine"), 4, "tick"),
]


@pytest.mark.parametrize(("words", "code", "says"), FAILURES)
def test_what_is_wrong_is_told_with_its_exit_code(words: tuple[str, ...], code: int, says: str, tmp_path: Path) -> None:
    (tmp_path / "B.csv").write_text("mine")
    (tmp_path / "empty").mkdir()
    ran = surefill("data", *words)
    assert (ran.code, says in ran.out + ran.err) == (code, True), ran.out + ran.err
    assert not (tmp_path / "A2.csv").exists()
    assert (tmp_path / "B.csv").read_text() == "mine"


@pytest.mark.parametrize("target", ["X.csv", "X.parquet"])
def test_import_onto_a_full_disk_leaves_no_half_file(target: str, tmp_path: Path) -> None:
    days = (f"20{year:02d}-{month:02d}-01,1,1,1,1,1\n" for year in range(25) for month in range(1, 13))
    (tmp_path / "long.csv").write_text(SOUND.partition("\n")[0] + "\n" + "".join(days))
    ran = on_a_full_disk(tmp_path, "data", "import", "long.csv", target, "--timeframe", "1d", bytes_max=1_000)
    assert (ran.code, "cannot be written" in ran.err) == (4, True), ran.err
    assert sorted(os.listdir(tmp_path)) == ["A.csv", "long.csv"]
