"""The configured market, and what it says of its instruments."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
import structlog

from surefill.config import Settings, instrument_of, load_settings, opening_of
from surefill.errors import ConfigError, InputError
from surefill.intake.feed import load_market

BARS = "ts,open,high,low,close,volume\n2024-01-02,1.25,1.5,1.0,1.125,10.5\n2024-01-03,1.125,2,1,1.5,20\n"


def _settings(**flags: object) -> Settings:
    return load_settings(None, {key.replace("__", "."): value for key, value in flags.items()}, {})


def test_demo_feed_has_five_shares_that_trade_in_cents_in_new_york() -> None:
    market = load_market(_settings())
    assert sorted(market.series) == ["AAPL", "FB", "GOOG", "IBM", "MSFT"]
    found = instrument_of(market.settings, "IBM")
    assert (found.price_decimals, found.qty_decimals, found.calendar) == (5, 0, "us_equities")
    assert found.terms[0].tick == 1_000


def test_demo_feed_leaves_what_the_configuration_says() -> None:
    market = load_market(_settings(instruments={"default": {"lot": 10}, "IBM": {"tick": "0.05"}}))
    terms = instrument_of(market.settings, "IBM").terms[0]
    assert (terms.tick, terms.lot) == (5_000, 10)
    assert instrument_of(market.settings, "MSFT").terms[0].tick == 1_000


def test_demo_feed_with_other_decimals_is_refused() -> None:
    with pytest.raises(InputError, match=r"leave instruments\.AAPL\.price_decimals out"):
        load_market(_settings(instruments={"AAPL": {"price_decimals": 4}}))


def test_file_says_how_fine_its_prices_are(tmp_path: Path) -> None:
    (tmp_path / "EURUSD.csv").write_text(BARS.replace("1.125", "1.12345"))
    market = load_market(_settings(feed__source="csv", feed__path=str(tmp_path / "EURUSD.csv")))
    assert instrument_of(market.settings, "EURUSD").price_decimals == 5
    assert market.series["EURUSD"].close_px[0] == 112_345
    assert opening_of(market.settings, 0).money_decimals == 13  # 5 of the price and 8 of the quantity: exactly


def test_file_with_coarser_prices_keeps_the_profiles_decimals(tmp_path: Path) -> None:
    (tmp_path / "X.csv").write_text(BARS)
    market = load_market(_settings(feed__source="csv", feed__path=str(tmp_path / "X.csv"), execution__engine="v3"))
    assert (market.series["X"].price_decimals, market.series["X"].qty_decimals) == (4, 1)
    assert market.settings == _settings(feed__source="csv", feed__path=str(tmp_path / "X.csv"), execution__engine="v3")


def test_file_finer_than_the_configuration_says_is_refused(tmp_path: Path) -> None:
    (tmp_path / "X.csv").write_text(BARS)
    flags = {"feed__source": "csv", "feed__path": str(tmp_path / "X.csv"), "instruments": {"X": {"price_decimals": 2}}}
    with pytest.raises(InputError, match="finer"):
        load_market(_settings(**flags))


def test_folder_gives_a_symbol_for_each_file(tmp_path: Path) -> None:
    (tmp_path / "A.csv").write_text(BARS)
    (tmp_path / "B.csv.gz").write_bytes(gzip.compress(BARS.encode()))
    (tmp_path / "notes.txt").write_text("x")
    both = load_market(_settings(feed__source="csv", feed__path=str(tmp_path)))
    one = load_market(_settings(feed__source="csv", feed__path=str(tmp_path), feed__symbols=["B"]))
    assert (sorted(both.series), list(one.series)) == (["A", "B"], ["B"])


def test_synthetic_feed_is_the_same_for_the_same_seed() -> None:
    flags: dict[str, object] = {"feed__source": "synthetic", "feed__bars": 50, "feed__symbols": ["A", "B"]}
    first, again, other = (load_market(_settings(**flags, feed__seed=seed)) for seed in (1, 1, 2))
    assert list(first.series["A"]) == list(again.series["A"])
    assert list(first.series["A"]) != list(other.series["A"])
    assert len(first.series["B"]) == 50


WRONG = [
    ({"feed__symbols": ["TSLA"]}, "feed.symbols: 'TSLA' is not among the shipped prices"),
    ({"feed__source": "csv"}, "feed.path: a csv feed needs the file"),
    ({"feed__source": "csv", "feed__path": "DIR"}, "feed.path: DIR has no file for any symbol: name them <symbol>.csv"),
    ({"feed__source": "parquet", "feed__path": "DIR", "feed__symbols": ["Q"]}, "no file for Q"),
    ({"feed__source": "csv", "feed__path": "DIR/A.csv", "feed__symbols": ["A", "B"]}, "is one file"),
]


@pytest.mark.parametrize(("flags", "told"), WRONG)
def test_feed_that_cannot_be_is_refused(tmp_path: Path, flags: dict[str, object], told: str) -> None:
    placed = {
        key: value.replace("DIR", str(tmp_path)) if isinstance(value, str) else value for key, value in flags.items()
    }
    with pytest.raises(ConfigError) as caught:
        load_market(_settings(**placed))
    assert told.replace("DIR", str(tmp_path)) in caught.value.message


def test_file_that_does_not_exist_is_told() -> None:
    with pytest.raises(InputError, match=r"none\.csv"):
        load_market(_settings(feed__source="csv", feed__path="/none.csv"))


@pytest.mark.parametrize(("timeframe", "doubted"), [("1d", False), ("4h", True), ("1h", True), ("5m", True)])
def test_bars_all_further_apart_than_they_are_long_are_doubted(tmp_path: Path, timeframe: str, doubted: bool) -> None:
    (tmp_path / "X.csv").write_text(BARS)
    flags = {"feed.source": "csv", "feed.path": str(tmp_path / "X.csv"), "feed.timeframe": timeframe}
    with structlog.testing.capture_logs() as logged:
        load_market(load_settings(None, flags, {}))
    told = [each["text"] for each in logged if each["event"] == "timeframe_in_doubt"]
    assert len(told) == doubted
    assert all("closer together than 1 day" in text and f"read as {timeframe} long" in text for text in told)
