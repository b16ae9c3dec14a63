"""Others' files turned into ours: every shape that is offered, exactly, whole or not at all."""

from __future__ import annotations

import gzip
import os
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from surefill.domain.market import Bar
from surefill.errors import ConfigError, InputError
from surefill.market.bar_files import write_bars
from surefill.market.bar_format import BarFormat
from surefill.market.csv_bars import load_csv_bars
from surefill.market.importing import Imported, Shape, import_bars
from surefill.market.parquet_bars import load_parquet_bars
from surefill.market.resample import resampled
from surefill.market.series import BarSeries
from surefill.market.sessions import ALWAYS_OPEN, calendar_named
from surefill.market.synthetic import SyntheticMarket

NSE = calendar_named("nse")
OURS = """ts,open,high,low,close,volume
2024-01-02T03:45:00Z,100.05,101,99.5,100.5,10
2024-01-02T03:50:00Z,100.5,100.75,100,100.1,20
2024-01-02T03:55:00Z,100.1,100.2,99,99.5,5
2024-01-02T09:55:00Z,99.5,100.25,99,99.75,7
"""


def imported(folder: Path, text: str, *, target: str = "X.csv", source: str = "source.csv", **how: Any) -> Imported:
    (folder / source).write_text(text)
    shape = {name: how.pop(name) for name in list(how) if name in Shape._fields}
    return import_bars(folder / source, folder / target, Shape(**shape), **how)


SHAPES: list[tuple[str, str, dict[str, Any]]] = [
    ("ours", OURS, {}),
    ("another delimiter", OURS.replace(",", ";"), {"delimiter": ";"}),
    ("epoch seconds", OURS, {}),
    ("epoch milliseconds", OURS, {}),
    (
        "own names, day first, local times, stamped at the close",
        "Date;Clock;O;H;L;C;Vol;More\n"
        "02/01/2024;09:20;100.05;101;99.5;100.5;10;x\n02/01/2024;09:25;100.5;100.75;100;100.1;20;x\n"
        "02/01/2024;09:30;100.1;100.2;99;99.5;5;x\n02/01/2024;15:30;99.5;100.25;99;99.75;7;x\n",
        {
            "delimiter": ";",
            "columns": {
                "ts": "Date",
                "clock": "Clock",
                "open": "O",
                "high": "H",
                "low": "L",
                "close": "C",
                "volume": "Vol",
            },
            "time_format": "%d/%m/%Y %H:%M",
            "zone": "Asia/Kolkata",
            "stamp": "close",
        },
    ),
    (
        "no header",
        OURS.partition("\n")[2].replace("-", "").replace("T", ",").replace("Z", ""),
        {"header": ("date", "time", "open", "high", "low", "close", "volume")},
    ),
]
EPOCHS = {"epoch seconds": "", "epoch milliseconds": "000"}


@pytest.mark.parametrize("target", ["X.csv", "X.csv.gz", "X.parquet"])
@pytest.mark.parametrize(("name", "text", "how"), SHAPES, ids=[shape[0] for shape in SHAPES])
def test_every_shape_comes_to_the_same_bars(
    name: str, text: str, how: dict[str, Any], target: str, tmp_path: Path
) -> None:
    if name in EPOCHS:
        for stamp, seconds in (("03:45", 0), ("03:50", 300), ("03:55", 600), ("09:55", 22_200)):
            text = text.replace(f"2024-01-02T{stamp}:00Z", f"{1_704_167_100 + seconds}{EPOCHS[name]}")
    made = imported(tmp_path, text, target=target, calendar="nse", **how)
    assert (made.timeframe, made.read, made.written) == ("5m", 4, 4)
    assert (made.first, made.last) == ("2024-01-02T03:45:00Z", "2024-01-02T09:55:00Z")
    fmt = BarFormat(instrument_id="X", timeframe="5m", calendar=NSE)
    expected = list(load_csv_bars(OURS.encode(), fmt))
    file = tmp_path / target
    assert list(load_parquet_bars(file, fmt) if target == "X.parquet" else load_csv_bars(file, fmt)) == expected
    if target == "X.csv":
        assert file.read_text() == OURS
    if target == "X.csv.gz":
        assert gzip.decompress(file.read_bytes()).decode() == OURS
    assert sorted(os.listdir(tmp_path)) == sorted(["source.csv", target])


def test_parquet_is_imported_too_and_daily_bars_keep_their_day(tmp_path: Path) -> None:
    daily = "ts,open,high,low,close,volume\n2024-01-02,1.5,2,1,1.25,7\n2024-01-03,1.5,2,1,1.25,0\n"
    assert imported(tmp_path, daily, target="X.parquet", calendar="us_equities").timeframe == "1d"
    import_bars(tmp_path / "X.parquet", tmp_path / "Y.csv", Shape(calendar="us_equities"))
    assert (tmp_path / "Y.csv").read_text() == daily


@pytest.mark.parametrize(
    ("resample", "expected"),
    [
        ("15m", ["03:45:00Z,100.05,101,99,99.5,35", "09:45:00Z,99.5,100.25,99,99.75,7"]),
        ("1h", ["03:45:00Z,100.05,101,99,99.5,35", "09:45:00Z,99.5,100.25,99,99.75,7"]),
        ("4h", ["03:45:00Z,100.05,101,99,99.5,35", "07:45:00Z,99.5,100.25,99,99.75,7"]),
        ("1d", ["100.05,101,99,99.75,42"]),
    ],
)
def test_bars_are_put_together_on_the_grid_of_their_session(resample: str, expected: list[str], tmp_path: Path) -> None:
    made = imported(tmp_path, OURS, calendar="nse", resample=resample)
    assert (made.timeframe, made.written) == (resample, len(expected))
    lines = (tmp_path / "X.csv").read_text().splitlines()[1:]
    day = "2024-01-02," if resample == "1d" else "2024-01-02T"
    assert lines == [day + line for line in expected]


@pytest.mark.parametrize(
    ("timeframe", "longer"), [("1m", "5m"), ("1m", "1h"), ("5m", "1d"), ("1h", "4h"), ("1d", "1w")]
)
@pytest.mark.parametrize("calendar", ["24x7", "us_equities", "forex"])
def test_longer_bars_hold_all_that_the_shorter_ones_do(timeframe: str, longer: str, calendar: str) -> None:
    known = calendar_named(calendar)
    series = SyntheticMarket(instrument_id="X", seed=3, start_px=10_000, tick=1).series(500, timeframe, calendar=known)
    made = BarSeries.from_bars(
        resampled(series, longer, known), instrument_id="X", timeframe=longer, price_decimals=2, qty_decimals=0
    )
    assert 1 <= len(made) < len(series)
    assert sum(bar.volume for bar in made) == sum(bar.volume for bar in series)
    assert (made[0].open_px, made[-1].close_px) == (series[0].open_px, series[-1].close_px)

    def week_of(bar: Bar) -> object:
        return date.fromisoformat(known.trading_day(bar.open_ns)).isocalendar()[:2]

    for bar in made:
        if longer == "1w":
            inside = [each for each in series if week_of(each) == week_of(bar)]
        else:
            inside = [each for each in series if bar.open_ns <= each.open_ns < bar.ts_ns]
        assert bar.high_px == max(each.high_px for each in inside)
        assert bar.low_px == min(each.low_px for each in inside)
        assert inside[-1].ts_ns <= bar.ts_ns
        assert (bar.open_px, bar.close_px) == (inside[0].open_px, inside[-1].close_px)


FAULTS: list[tuple[str, dict[str, Any], str]] = [
    (OURS.replace("100.25", "9"), {}, "line 5, column high"),
    (OURS + "2024-01-02T03:45:00Z,1,1,1,1,1\n", {}, "line 6, column ts"),
    (OURS.replace("03:50", "04:01"), {}, "line 4, column ts"),
    (OURS.replace("03:50:00Z", "03:52:00Z"), {"timeframe": "5m"}, "line 4, column ts"),
    (OURS, {"time_format": "%d.%m.%Y"}, "ts is not written as %d.%m.%Y says"),
    (OURS, {"columns": {"close": "last"}}, "no column close"),
    (OURS, {"resample": "1m"}, "cannot be put together to bars of 1m"),
    (OURS, {"resample": "1h", "zone": "UTC", "calendar": "us_equities"}, "outside of every session"),
    (OURS.replace("03:50", "04:15").replace("03:55", "04:45"), {}, "0:30:00 apart"),
    ("", {}, "the file is empty"),
    (OURS, {"decimals": 1}, "price_decimals"),
]


@pytest.mark.parametrize(("text", "how", "says"), FAULTS)
def test_source_that_is_wrong_leaves_no_file(text: str, how: dict[str, Any], says: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=says.replace(".", r"\.")):
        imported(tmp_path, text, **how)
    assert os.listdir(tmp_path) == ["source.csv"]


def test_file_that_is_there_is_kept_unless_it_may_be_replaced(tmp_path: Path) -> None:
    (tmp_path / "X.csv").write_text("mine")
    with pytest.raises(InputError, match="--force") as refused:
        imported(tmp_path, OURS)
    assert (refused.value.code, (tmp_path / "X.csv").read_text()) == ("FILE_EXISTS", "mine")
    with pytest.raises(InputError):
        imported(tmp_path, OURS.replace("100.25", "9"), force=True)
    assert (tmp_path / "X.csv").read_text() == "mine"
    imported(tmp_path, OURS, force=True)
    assert (tmp_path / "X.csv").read_text() == OURS
    with pytest.raises(InputError, match="the source itself"):
        import_bars(tmp_path / "X.csv", tmp_path / "X.csv", Shape(), force=True)


@pytest.mark.parametrize("target", ["X.csv", "X.csv.gz", "X.parquet"])
def test_disk_that_fills_leaves_no_half_file(target: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(fd: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(InputError, match="No space left") as failed:
        imported(tmp_path, OURS, target=target)
    assert failed.value.code == "FILE_WRITE_ERROR"
    assert os.listdir(tmp_path) == ["source.csv"]


def test_other_endings_and_folders_that_are_not_there_are_refused(tmp_path: Path) -> None:
    for target, code in (("X.xls", "UNKNOWN_FILE_TYPE"), ("none/X.csv", "FILE_WRITE_ERROR")):
        with pytest.raises(InputError) as refused:
            imported(tmp_path, OURS, target=target)
        assert refused.value.code == code
    with pytest.raises(ConfigError, match="not known"):
        imported(tmp_path, OURS, calendar="mars")


def test_writing_takes_bars_one_after_the_other(tmp_path: Path) -> None:
    fmt = BarFormat(instrument_id="X", timeframe="1m", calendar=ALWAYS_OPEN)
    series = SyntheticMarket(instrument_id="X", seed=3, start_px=10_000, tick=1).series(20_000, "1m")
    written: list[int] = []

    def watched() -> Iterator[Bar]:
        for number, bar in enumerate(series):
            if number % 9_000 == 0:
                (file,) = tmp_path.iterdir()
                written.append(file.stat().st_size)
            yield bar

    assert write_bars(tmp_path / "X.csv", watched(), fmt) == 20_000
    assert written == sorted(written)
    assert written[0] < written[2]  # what was read is on its way to the disk, not kept
    assert list(load_csv_bars(tmp_path / "X.csv", fmt)) == list(series)
