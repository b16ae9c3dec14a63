from __future__ import annotations

import csv
import gzip
import io
from importlib.resources import files

import pytest

from surefill.market.adjust import DEMO_SPLITS
from surefill.market.dataset import DEMO_FILE, load_demo_bars
from surefill.market.series import BarSeries
from surefill.units import iso_from_ns

DATA = files("surefill.market").joinpath("data")
# symbol -> (number of bars, first day, first close as adjusted, last close)
SHIPPED = {
    "AAPL": (3270, "2000-03-01", 32.5775, 430.47),
    "FB": (196, "2012-05-18", 38.2318, 27.78),
    "GOOG": (2148, "2004-08-19", 100.335, 806.19),
    "IBM": (3270, "2000-03-01", 100.25, 202.91),
    "MSFT": (3270, "2000-03-01", 45.405, 27.95),
}


@pytest.fixture(scope="module")
def adjusted() -> dict[str, BarSeries]:
    return load_demo_bars()


@pytest.fixture(scope="module")
def unadjusted() -> dict[str, BarSeries]:
    return load_demo_bars(adjusted=False)


def _rows() -> list[dict[str, str]]:
    text = gzip.decompress(DATA.joinpath(DEMO_FILE).read_bytes()).decode("ascii")
    return list(csv.DictReader(io.StringIO(text)))


def test_demo_bars_are_the_shipped_ones(adjusted: dict[str, BarSeries]) -> None:
    found = {
        symbol: (len(bars), iso_from_ns(bars[0].open_ns)[:10], bars.closes[0], bars.closes[-1])
        for symbol, bars in adjusted.items()
    }
    assert found == SHIPPED


def test_demo_bars_are_new_york_sessions(adjusted: dict[str, BarSeries]) -> None:
    last = adjusted["IBM"][-1]
    assert (iso_from_ns(last.open_ns), iso_from_ns(last.ts_ns)) == ("2013-03-01T14:30:00Z", "2013-03-01T21:00:00Z")
    assert all(set(bars.session_end) == {1} for bars in adjusted.values())


def test_demo_bars_are_the_figures_of_the_file_divided_exactly(
    adjusted: dict[str, BarSeries], unadjusted: dict[str, BarSeries]
) -> None:
    for symbol, bars in unadjusted.items():
        for before, after in zip(bars, adjusted[symbol], strict=True):
            day = iso_from_ns(before.open_ns)[:10]
            factor = 1
            for split in DEMO_SPLITS[symbol]:
                factor *= split.new if day < split.day else 1
            assert after.close_px * factor == before.close_px
            assert after.high_px * factor == before.high_px
            assert after.volume == before.volume * factor


def test_split_table_is_where_close_over_adjusted_close_halves() -> None:
    found: dict[str, list[str]] = {symbol: [] for symbol in DEMO_SPLITS}
    latest: dict[str, float] = {}
    for row in _rows():
        ratio = float(row["close"]) / float(row["adj_close"])
        if 1.9 < latest.get(row["symbol"], ratio) / ratio < 2.1:
            found[row["symbol"]].append(row["date"])
        latest[row["symbol"]] = ratio
    assert found == {symbol: [split.day for split in splits] for symbol, splits in DEMO_SPLITS.items()}


def test_adjusted_bars_have_no_jump_like_a_split(adjusted: dict[str, BarSeries]) -> None:
    falls = [
        (symbol, iso_from_ns(bars.open_ns[at])[:10])
        for symbol, bars in adjusted.items()
        for at in range(1, len(bars))
        if not 0.6 < bars.closes[at] / bars.closes[at - 1] < 1.6
    ]
    assert falls == [("AAPL", "2000-09-29")]  # a profit warning


def test_demo_bars_of_named_symbols_are_those_only() -> None:
    assert list(load_demo_bars(("MSFT", "FB"))) == ["MSFT", "FB"]
    with pytest.raises(KeyError):
        load_demo_bars(("TSLA",))


def test_shipped_file_is_small_and_says_where_it_is_from() -> None:
    packed = DATA.joinpath(DEMO_FILE).read_bytes()
    assert len(packed) < 300_000
    assert packed[4:8] == b"\0\0\0\0"  # no time of making: the same figures give the same bytes
    provenance = DATA.joinpath("PROVENANCE.md").read_text()
    assert "public domain" in provenance
    assert f"{len(_rows()):,} rows" in provenance
    for symbol, splits in DEMO_SPLITS.items():
        for split in splits:
            assert f"| {symbol} | {split.day} | {split.new} for {split.old} |" in provenance
