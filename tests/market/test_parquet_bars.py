from __future__ import annotations

import sys
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from surefill.domain.market import Bar
from surefill.errors import ConfigError, InputError
from surefill.market.bar_format import BarFormat
from surefill.market.parquet_bars import iter_parquet_bars, load_parquet_bars
from surefill.units import NS_PER_DAY, iso_from_ns, ns_from_iso

DAILY = BarFormat(instrument_id="X", timeframe="1d")
DAY_1 = ns_from_iso("2024-01-01")
EXPECTED = [
    Bar("X", DAY_1, DAY_1 + NS_PER_DAY, 1000, 1150, 925, 1075, 100, True),
    Bar("X", DAY_1 + NS_PER_DAY, DAY_1 + 2 * NS_PER_DAY, 1075, 1200, 1050, 1100, 200, True),
]
PRICES: dict[str, list[Any]] = {
    "open": [10.0, 10.75],
    "high": [11.5, 12.0],
    "low": [9.25, 10.5],
    "close": [10.75, 11.0],
    "volume": [100, 200],
}
STAMPS = {
    "dates": [date(2024, 1, 1), date(2024, 1, 2)],
    "datetimes": [datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 1, 2, tzinfo=UTC)],
    "naive datetimes": [datetime(2024, 1, 1), datetime(2024, 1, 2)],
    "text": ["2024-01-01", "2024-01-02"],
    "milliseconds": [1704067200000, 1704153600000],
}


def _file(tmp_path: Path, columns: dict[str, Any]) -> Path:
    parquet = pytest.importorskip("pyarrow.parquet", reason="needs the extra surefill[parquet]")
    arrow = sys.modules["pyarrow"]
    path = tmp_path / "bars.parquet"
    parquet.write_table(arrow.table(columns), path)
    return path


@pytest.mark.parametrize("stamps", STAMPS.values(), ids=STAMPS)
def test_bars_of_a_good_file_are_exact(tmp_path: Path, stamps: list[Any]) -> None:
    path = _file(tmp_path, {"Date": stamps, **PRICES})
    assert list(iter_parquet_bars(path, DAILY)) == EXPECTED
    assert list(load_parquet_bars(path, DAILY)) == EXPECTED


def test_prices_as_decimals_or_text_are_exact(tmp_path: Path) -> None:
    columns = {"ts": STAMPS["dates"], **PRICES}
    columns["open"] = [Decimal("10.00"), Decimal("10.75")]
    columns["close"] = ["10.75", "11.00"]
    assert list(iter_parquet_bars(_file(tmp_path, columns), DAILY)) == EXPECTED


@pytest.mark.parametrize(
    ("zone", "tz", "expected"),
    [
        ("UTC", None, "2024-01-01T09:15:00.000000001Z"),
        ("Asia/Kolkata", None, "2024-01-01T03:45:00.000000001Z"),
        ("Asia/Kolkata", "America/New_York", "2024-01-01T09:15:00.000000001Z"),
    ],
)
def test_timestamps_keep_their_nanoseconds_and_their_zone(
    tmp_path: Path, zone: str, tz: str | None, expected: str
) -> None:
    arrow = pytest.importorskip("pyarrow", reason="needs the extra surefill[parquet]")
    stamps = arrow.array([ns_from_iso("2024-01-01T09:15:00.000000001Z")], arrow.timestamp("ns", tz))
    path = _file(tmp_path, {"ts": stamps, **{name: values[:1] for name, values in PRICES.items()}})
    (bar,) = iter_parquet_bars(path, BarFormat(instrument_id="X", timeframe="1m", zone=zone))
    assert iso_from_ns(bar.open_ns) == expected


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"open": [10.0, 10.751]}, "row 2, column open: .*'?10.751'?.*price_decimals"),
        ({"open": [10.0, float("nan")]}, "row 2, column open: .*finite"),
        ({"open": [10.0, None]}, "row 2, column open: .*not a number"),
        ({"high": [11.5, 9.0]}, "row 2, column high: high 9 is below open 10.75"),
        ({"volume": [100, -1]}, "row 2, column volume: .*negative"),
        ({"ts": [date(2024, 1, 1)] * 2}, "row 2, column ts: .*appears twice"),
        ({"ts": [date(2024, 1, 1), None]}, "row 2, column ts: .*not a time"),
        ({"close": None}, "no column close; the columns are ts, open, high, low, volume"),
        ({name: [] for name in ("ts", *PRICES)}, "no bar"),
    ],
)
def test_bars_of_a_bad_file_are_refused_with_their_place(
    tmp_path: Path, changed: dict[str, list[Any] | None], says: str
) -> None:
    columns = {"ts": STAMPS["dates"], **PRICES, **changed}
    path = _file(tmp_path, {name: values for name, values in columns.items() if values is not None})
    with pytest.raises(InputError, match=f"bars.parquet.*{says}") as refused:
        list(iter_parquet_bars(path, DAILY))
    assert refused.value.code == "INVALID_PARQUET"


def test_file_that_is_no_parquet_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow", reason="needs the extra surefill[parquet]")
    path = tmp_path / "bars.parquet"
    path.write_bytes(b"ts,open\n")
    with pytest.raises(InputError, match="cannot be read as Parquet") as refused:
        list(iter_parquet_bars(path, DAILY))
    assert refused.value.code == "FILE_READ_ERROR"
    with pytest.raises(InputError, match="does not exist"):
        list(iter_parquet_bars(tmp_path / "other.parquet", DAILY))


def test_parquet_without_pyarrow_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ConfigError, match=r"pip install 'surefill\[parquet\]'") as refused:
        list(iter_parquet_bars("bars.parquet", DAILY))
    assert refused.value.code == "MISSING_EXTRA"
