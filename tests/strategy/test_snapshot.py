from __future__ import annotations

import json
from array import array
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from surefill.domain.market import Bar
from surefill.errors import InputError
from surefill.market.series import BarSeries
from surefill.strategy import MarketSnapshot, Ohlcv, snapshots
from surefill.strategy.snapshot import Columns, load_snapshot
from surefill.units import NS_PER_MIN, datetime_from_ns

T0 = datetime(2024, 1, 1, 9, 16, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
LISTED = [
    Ohlcv(T0, 10.0, 11.5, 9.25, 10.75, 5.0),
    Ohlcv(T0 + MINUTE, 10.75, 12.0, 10.5, 11.0, 6.0),
    Ohlcv(T0 + 2 * MINUTE, 11.0, 11.0, 10.0, 10.125, 0.5),
]
T0_NS = int(T0.timestamp()) * 10**9


def _quanta(at: int, bar: Ohlcv) -> Bar:
    end = T0_NS + at * NS_PER_MIN
    open_px, high_px, low_px, close_px = (round(px * 1000) for px in (bar.open, bar.high, bar.low, bar.close))
    volume = round(bar.volume * 10)
    return Bar("X", end - NS_PER_MIN, end, open_px, high_px, low_px, close_px, volume, at == 2)


SERIES = BarSeries.from_bars(
    (_quanta(at, bar) for at, bar in enumerate(LISTED)),
    instrument_id="X",
    timeframe="1m",
    price_decimals=3,
    qty_decimals=1,
)


def _listed(**changed: Any) -> MarketSnapshot:
    data: dict[str, Any] = {"symbol": "X", "ts": LISTED[-1].ts, "timeframe": "1m", "bars": LISTED}
    return MarketSnapshot(**{**data, **changed})


BOTH = {
    "listed": _listed(is_eod=True),
    "series": MarketSnapshot("X", LISTED[-1].ts, "1m", SERIES),
    "bar of a series": MarketSnapshot.of_series(SERIES, 2),
    "last of all": list(snapshots(SERIES))[-1],
}


@pytest.mark.parametrize("snapshot", BOTH.values(), ids=BOTH)
def test_snapshot_shows_the_same_however_it_was_made(snapshot: MarketSnapshot) -> None:
    assert (snapshot.symbol, snapshot.ts, snapshot.timeframe) == ("X", LISTED[-1].ts, "1m")
    assert (snapshot.last_price, snapshot.is_eod, snapshot.bar_count) == (10.125, True, 3)
    assert list(snapshot.bars) == LISTED
    assert [snapshot.bars[-1], *snapshot.bars[:2]] == [LISTED[2], *LISTED[:2]]
    assert list(snapshot.opens) == [10.0, 10.75, 11.0]
    assert list(snapshot.highs) == [11.5, 12.0, 11.0]
    assert list(snapshot.lows) == [9.25, 10.5, 10.0]
    assert list(snapshot.closes) == [10.75, 11.0, 10.125]
    assert list(snapshot.volumes) == [5.0, 6.0, 0.5]
    assert list(snapshot.columns.close_px) == [10750, 11000, 10125]
    assert snapshot.price_step == snapshot.price_step.__class__("0.001")


@pytest.mark.parametrize("kind", [np.float64, np.float32])
def test_snapshot_of_another_librarys_numbers_is_that_of_their_texts(kind: Any) -> None:
    def bars(make: Any) -> list[Ohlcv]:
        rows = ((9.9, 10.3, 9.7, 10.1, 5.0), (10.1, 10.7, 10.1, 10.7, 6.0))
        return [Ohlcv(T0 + at * MINUTE, *map(make, row)) for at, row in enumerate(rows)]

    ours, theirs = (
        MarketSnapshot("X", T0 + MINUTE, "1m", bars(make), make(10.7), lot_size=make(0.1), tick_size=make(0.1))
        for make in (float, kind)
    )
    for name in ("opens", "highs", "lows", "closes", "volumes"):
        assert list(getattr(theirs, name)) == list(getattr(ours, name))
        assert {type(value) for value in getattr(theirs, name)} == {float}
    assert (theirs.last_price, theirs.lot_size, theirs.tick_size) == (10.7, 0.1, 0.1)
    assert theirs.price_step == Decimal("0.1")
    untold = MarketSnapshot("X", T0 + MINUTE, "1m", bars(kind), kind(10.7))
    assert untold.price_step == Decimal("0.1")
    assert list(untold.columns.close_px) == [101, 107]


def test_snapshots_of_a_series_show_only_what_was_known() -> None:
    seen = [(snapshot.bar_count, snapshot.last_price, snapshot.is_eod) for snapshot in snapshots(SERIES)]
    assert seen == [(2, 11.0, False), (3, 10.125, True)]
    assert [max(snapshot.highs) for snapshot in snapshots(SERIES[1:])] == [12.0]


def test_indicator_over_snapshots_of_a_series_is_computed_once() -> None:
    lengths: list[int] = []

    def doubled(columns: Columns) -> array[float]:
        lengths.append(len(columns))
        return array("d", [2 * close for close in columns.closes])

    for snapshot in snapshots(SERIES[0:3]):
        assert list(snapshot.causal("doubled", doubled)) == [2 * close for close in snapshot.closes]
    assert lengths == [3]
    assert list(_listed().causal("doubled", doubled)) == [21.5, 22.0, 20.25]


@pytest.mark.parametrize(
    ("timeframe", "given", "expected"),
    [("1m", None, False), ("1d", None, True), ("daily", None, True), ("1d", False, False), ("1m", True, True)],
)
def test_listed_daily_bar_is_its_own_end_of_day(timeframe: str, given: bool | None, expected: bool) -> None:
    assert _listed(timeframe=timeframe, is_eod=given).is_eod is expected


def test_last_price_may_be_later_than_the_last_bar() -> None:
    snapshot = _listed(ts=LISTED[-1].ts + MINUTE, last_price=10.2)
    assert (snapshot.last_price, snapshot.closes[-1]) == (10.2, 10.125)
    assert snapshot.price_step == snapshot.price_step.__class__("0.001")
    assert _listed(tick_size=0.05).price_step == snapshot.price_step.__class__("0.05")


def test_time_in_another_zone_is_the_same_moment() -> None:
    india = timezone(timedelta(hours=5, minutes=30))
    assert _listed(ts=LISTED[-1].ts.astimezone(india)).ts_ns == _listed().ts_ns


def _bar(**changed: Any) -> list[Ohlcv]:
    data = {"ts": LISTED[-1].ts, "open": 11.0, "high": 11.0, "low": 10.0, "close": 10.5, "volume": 1.0, **changed}
    return [*LISTED[:2], Ohlcv(**data)]


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"symbol": ""}, "symbol must not be empty"),
        ({"ts": datetime(2024, 1, 1, 9, 18)}, "ts must have a time zone"),
        ({"ts": LISTED[1].ts}, "is after ts"),
        ({"ts": LISTED[1].ts, "bars": SERIES}, "is after ts"),
        ({"bars": []}, r"at least 2 bars are needed, the current one last \(got 0\)"),
        ({"bars": LISTED[:1]}, "at least 2 bars"),
        ({"bars": SERIES[:1]}, "at least 2 bars"),
        ({"bars": [LISTED[1], LISTED[0]]}, "bar 1 .* is not after the one before it; sort the bars"),
        ({"bars": [LISTED[0], LISTED[0]]}, "is not after"),
        ({"bars": _bar(ts=datetime(2024, 1, 1))}, "ts of bar 2 must have a time zone"),
        ({"bars": _bar(low=0.0)}, "bar 2 .* prices that cannot be"),
        ({"bars": _bar(high=float("inf"))}, "prices that cannot be"),
        ({"bars": _bar(close=float("nan"))}, "prices that cannot be"),
        ({"bars": _bar(high=10.9)}, "prices that cannot be"),
        ({"bars": _bar(close=9.0)}, "prices that cannot be"),
        ({"bars": _bar(volume=-1.0)}, "has the volume -1.0"),
        ({"last_price": 0.0}, "last_price must be a finite number above 0"),
        ({"last_price": float("nan")}, "last_price"),
        ({"lot_size": 0}, "lot_size"),
        ({"tick_size": float("inf")}, "tick_size"),
    ],
)
def test_snapshot_that_cannot_be_is_refused(changed: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError, match=says) as refused:
        _listed(**changed)
    assert refused.value.code == "INVALID_SNAPSHOT"


def test_snapshot_of_an_unknown_timeframe_is_refused() -> None:
    with pytest.raises(InputError, match="timeframe '3m'"):
        _listed(timeframe="3m")


@pytest.mark.parametrize("at", [0, -1, 3])
def test_snapshot_of_a_bar_that_is_not_there_or_has_none_before_it_is_refused(at: int) -> None:
    with pytest.raises(InputError, match=f"bar {at} of 3 is not there, or has none before it"):
        MarketSnapshot.of_series(SERIES, at)


PAYLOAD: dict[str, Any] = {
    "symbol": "X",
    "ts": "2024-01-01T09:18:00Z",
    "timeframe": "1minute",
    "bars": [
        {"ts": "2024-01-01T09:16:00Z", "open": 10, "high": 11.5, "low": 9.25, "close": 10.75, "volume": 5},
        {"ts": "2024-01-01T14:47:00+05:30", "open": 10.75, "high": 12, "low": 10.5, "close": 11},
    ],
    "last_price": 11.25,
    "lot_size": 1,
}


def test_snapshot_from_json_is_the_same_decoded_or_not() -> None:
    for snapshot in (load_snapshot(PAYLOAD), load_snapshot(json.dumps(PAYLOAD).encode())):
        assert (snapshot.last_price, snapshot.is_eod, snapshot.timeframe, snapshot.lot_size) == (11.25, False, "1m", 1)
        assert list(snapshot.closes) == [10.75, 11.0]
        assert snapshot.bars[1].ts == datetime_from_ns(T0_NS + NS_PER_MIN)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ({**PAYLOAD, "fetch": True}, "unknown field `fetch`"),
        ({**PAYLOAD, "ts": "2024-01-01T09:18:00"}, r"timezone.*\$.ts"),
        ({**PAYLOAD, "bars": [{**PAYLOAD["bars"][0], "open": "10"}]}, r"\$.bars\[0\].open"),
        ({name: PAYLOAD[name] for name in ("symbol", "ts", "timeframe")}, "missing required field `bars`"),
        (b"{", "not valid"),
    ],
)
def test_snapshot_from_bad_json_is_refused(data: dict[str, Any] | bytes, says: str) -> None:
    with pytest.raises(InputError, match=says) as refused:
        load_snapshot(data)
    assert refused.value.code == "INVALID_SNAPSHOT"
