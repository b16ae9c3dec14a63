"""The configured market: bars by symbol, and the settings completed with what the data says of its instruments.

Where the configuration is silent, the data speaks: a file's prices say how many decimals they have, the shipped
shares trade in New York in cents. What the configuration says, holds.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Final, NamedTuple

from surefill.config import Settings, instrument_of
from surefill.config.core import money_decimals_of
from surefill.config.tree import InstrumentSettings
from surefill.domain.instrument import Instrument
from surefill.errors import ConfigError, InputError
from surefill.logs import logger
from surefill.market.bar_format import BarFormat
from surefill.market.series import BarSeries
from surefill.market.sessions import calendar_named
from surefill.market.timeframes import DURATION_NS, canonical_timeframe

_log = logger("surefill.feed")

SYNTHETIC_SYMBOL: Final = "SYNTH"
SYNTHETIC_START: Final = 1_000  # units of price
_SHARES: Final = {"qty_decimals": 0, "tick": "0.01", "lot": "1", "calendar": "us_equities"}
_SUFFIXES: Final = {"csv": (".csv", ".csv.gz"), "parquet": (".parquet",)}


class Market(NamedTuple):
    """Bars by symbol, and settings whose instruments have their prices' decimals."""

    settings: Settings
    series: dict[str, BarSeries]


def load_market(settings: Settings) -> Market:
    """The market of the `feed` section. Raises ConfigError, and InputError where a file is wrong."""
    source = settings.feed.source
    if source == "demo":
        return _demo(settings)
    if source == "synthetic":
        return _synthetic(settings)
    return _files(settings)


def _demo(settings: Settings) -> Market:
    from surefill.market.dataset import DEMO_PRICE_DECIMALS, load_demo_bars

    try:
        series = load_demo_bars(tuple(settings.feed.symbols))
    except KeyError as error:
        raise _wrong(
            settings, "symbols", f"{error} is not among the shipped prices: AAPL, FB, GOOG, IBM, MSFT"
        ) from None
    for symbol in series:
        settings = _completed(settings, symbol, {"price_decimals": DEMO_PRICE_DECIMALS, **_SHARES})
    _check_decimals(settings, series)
    return Market(settings, series)


def _synthetic(settings: Settings) -> Market:
    from surefill.market.synthetic import SyntheticMarket

    feed, series = settings.feed, {}
    for symbol in feed.symbols or [SYNTHETIC_SYMBOL]:
        instrument = instrument_of(settings, symbol)
        made = SyntheticMarket(
            instrument_id=symbol,
            seed=feed.seed,
            start_px=SYNTHETIC_START * 10**instrument.price_decimals,
            tick=instrument.terms[0].tick,
        )
        series[symbol] = made.series(
            feed.bars,
            canonical_timeframe(feed.timeframe),
            price_decimals=instrument.price_decimals,
            calendar=calendar_named(instrument.calendar),
        )
    return Market(settings, series)


def _files(settings: Settings) -> Market:
    from surefill.market.checking import doubts_of
    from surefill.market.csv_bars import csv_decimals, load_csv_bars
    from surefill.market.parquet_bars import load_parquet_bars

    series = {}
    for symbol, path in _paths(settings):
        volume_decimals = 0
        if settings.feed.source == "csv":
            price_decimals, volume_decimals = csv_decimals(path)
            settings = _completed(settings, symbol, {"price_decimals": price_decimals}, at_least=True)
        instrument = instrument_of(settings, symbol)
        fmt = BarFormat(
            instrument_id=symbol,
            timeframe=settings.feed.timeframe,
            price_decimals=instrument.price_decimals,
            qty_decimals=volume_decimals,
            calendar=calendar_named(instrument.calendar),
            cap_volume=True,
        )
        bars = load_csv_bars(path, fmt) if settings.feed.source == "csv" else load_parquet_bars(path, fmt)
        _doubt_timeframe(settings, path, bars)
        doubts = doubts_of(bars, fmt.calendar)
        if doubts:
            _log.warning("bars_in_doubt", file=str(path), text=f"{path}: {doubts}; 'surefill data check' shows where")
        series[symbol] = bars
    return Market(settings, series)


def _doubt_timeframe(settings: Settings, path: Path, bars: BarSeries) -> None:
    """Warn of bars that are all further apart than they are long: daily ones read as minutes, say."""
    opens = bars.open_ns
    apart_ns = min((after - before for before, after in pairwise(opens)), default=0)
    if apart_ns >= 2 * DURATION_NS[canonical_timeframe(settings.feed.timeframe)]:
        _log.warning(
            "timeframe_in_doubt",
            file=str(path),
            text=f"no two bars of {path} are closer together than {timedelta(microseconds=apart_ns // 1_000)}, but each"
            f" is read as {settings.feed.timeframe} long (from {settings.source_of('feed', 'timeframe')}): give"
            " the timeframe of the file",
        )


def _paths(settings: Settings) -> Iterator[tuple[str, Path]]:
    """The files of the feed by symbol: of a folder those of the symbols, one file is one symbol's."""
    feed = settings.feed
    if feed.path is None:
        raise _wrong(settings, "path", f"a {feed.source} feed needs the file, or the folder of its files")
    path = settings.base_dir / feed.path
    if not path.is_dir():
        if len(feed.symbols) > 1:
            raise _wrong(settings, "symbols", f"{path} is one file, so it holds one symbol; give a folder for several")
        yield (feed.symbols or [path.name.partition(".")[0]])[0], path
        return
    found = {
        file.name.removesuffix(suffix): file
        for suffix in _SUFFIXES[feed.source]
        for file in sorted(path.iterdir())
        if file.name.endswith(suffix)
    }
    missing = [symbol for symbol in feed.symbols if symbol not in found]
    if missing or not found:
        raise _wrong(
            settings,
            "path",
            f"{path} has no file for {', '.join(missing) or 'any symbol'}:"
            f" name them <symbol>{_SUFFIXES[feed.source][0]}",
        )
    for symbol in feed.symbols or sorted(found):
        yield symbol, found[symbol]


def _completed(settings: Settings, symbol: str, known: dict[str, object], *, at_least: bool = False) -> Settings:
    """The settings with what is known of a symbol, where they say nothing; with money fine enough for it.

    `at_least`: decimals that are known are the fewest, the profile's own are kept where they are more.
    """
    template = settings.instruments.get("default", InstrumentSettings())
    own = settings.instruments.get(symbol, InstrumentSettings())
    preset = instrument_of(_plain(settings), symbol)
    added = {}
    for key, value in known.items():
        if getattr(own, key) is not None or getattr(template, key) is not None:
            continue
        if at_least and isinstance(value, int) and value <= getattr(preset, key):
            continue
        added[key] = value
    if not added:
        return settings
    merged = InstrumentSettings.model_validate({**own.model_dump(), **added})
    return _with(settings, symbol, merged)


def _with(settings: Settings, symbol: str, own: InstrumentSettings) -> Settings:
    made = settings.model_copy(update={"instruments": {**settings.instruments, symbol: own}})
    if made.workspace.money_decimals is None:
        template = settings.instruments.get("default", InstrumentSettings())
        preset = instrument_of(_plain(settings), symbol)
        needed = sum(
            next(
                found
                for found in (getattr(own, key), getattr(template, key), getattr(preset, key))
                if found is not None
            )
            for key in ("price_decimals", "qty_decimals")
        )
        if needed > money_decimals_of(made):
            workspace = made.workspace.model_copy(update={"money_decimals": needed})
            made = made.model_copy(update={"workspace": workspace})
    return made


def _plain(settings: Settings) -> Settings:
    """The settings without any instrument: what the profile alone says."""
    return settings.model_copy(update={"instruments": {}})


def _check_decimals(settings: Settings, series: dict[str, BarSeries]) -> None:
    """A series that was read before its instrument was known must count in the instrument's quanta."""
    for symbol, bars in series.items():
        instrument: Instrument = instrument_of(settings, symbol)
        if instrument.price_decimals != bars.price_decimals:
            raise InputError(
                f"{symbol}: the shipped prices have {bars.price_decimals} decimals, the configuration says"
                f" {instrument.price_decimals}: leave instruments.{symbol}.price_decimals out"
                " (and instruments.default.price_decimals)",
                code="QUANTA_MISMATCH",
            )


def _wrong(settings: Settings, key: str, why: str) -> ConfigError:
    return ConfigError(f"feed.{key}: {why} (from {settings.source_of('feed', key)})", key=f"feed.{key}")
