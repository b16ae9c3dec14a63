"""Bars for a journal: those that fit, the workspace's own prices where there are none, and a refusal of others."""

from __future__ import annotations

import re
from array import array
from typing import Any

import pytest
from tests.strategy import runs
from tests.views import reports

from surefill.domain import codec
from surefill.domain.events import OrderFilled
from surefill.errors import InputError
from surefill.market.series import BarSeries
from surefill.views.performance import performance
from surefill.views.traded_prices import bars_for, traded_in


def _month() -> tuple[list[Any], dict[str, BarSeries]]:
    journal, series = reports.small_journal()
    return [codec.decode(payload) for payload in runs.payloads_of(journal)], series


def _scaled(bars: BarSeries, decimals: int, numerator: int, denominator: int = 1) -> BarSeries:
    """The same bars in other quanta."""
    columns = [
        memoryview(bars.open_ns),
        memoryview(bars.ts_ns),
        *(
            memoryview(array("q", [px * numerator // denominator for px in prices]))
            for prices in (bars.open_px, bars.high_px, bars.low_px, bars.close_px)
        ),
        memoryview(bars.volume),
    ]
    return BarSeries.over(
        columns,
        bytes(bars.session_end),
        instrument_id=bars.symbol,
        timeframe=bars.timeframe,
        price_decimals=decimals,
    )


def test_bars_that_fit_are_taken() -> None:
    events, series = _month()
    found, own = bars_for(traded_in(events), {**series, "Z": series["A"]})
    assert (own, found) == ([], series)


def test_coarser_bars_come_in_the_instruments_quanta() -> None:
    events, series = _month()
    coarse = {symbol: _scaled(bars, 0, 1, 100) for symbol, bars in series.items()}
    found, own = bars_for(traded_in(events), coarse)
    assert own == []
    for symbol, bars in found.items():
        assert bars.price_decimals == 2
        assert list(bars.close_px) == [px * 100 for px in coarse[symbol].close_px]


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda bars: _scaled(bars, 2, 2), "it traded at .* in a bar from"),
        (lambda bars: _scaled(bars, 2, 1, 2), "it traded at .* in a bar from"),
        (lambda bars: _scaled(bars, 3, 10), "the bars have 3 decimals, the workspace counts in 2"),
        (lambda bars: bars[len(bars) // 2 :], "the bars do not reach there"),
        (lambda bars: bars[: len(bars) // 2], "the bars do not reach there"),
        (lambda bars: bars[:0], "the bars do not reach there"),
    ],
)
def test_bars_of_another_market_are_refused(make: Any, why: str) -> None:
    events, series = _month()
    with pytest.raises(InputError) as caught:
        bars_for(traded_in(events), {**series, "A": make(series["A"])})
    assert caught.value.code == "BARS_DO_NOT_FIT"
    assert re.search(why, caught.value.message)


def test_without_bars_an_instrument_has_the_prices_it_traded_at() -> None:
    events, series = _month()
    found, own = bars_for(traded_in(events), {"B": series["B"]})
    assert own == ["A"]
    book_fills = [event for event in events if isinstance(event, OrderFilled)]
    assert sum(len(bars) for bars in found.values()) - len(series["B"]) <= len(book_fills)
    told = performance(events, found, by_day=False)
    whole = performance(events, series)
    assert told.total.figures == whole.total.figures, "what trades made does not depend on bars"
    assert (told.daily.days, told.daily.sharpe, told.turnover, told.mae_pct, told.went) == (0, None, None, None, [])
    assert {line.exposure for line in (*told.lines, told.total)} == {None}


def test_fills_at_one_time_make_one_bar() -> None:
    events, _ = _month()
    traded = traded_in(events)
    at = 10**18
    found, _ = bars_for(traded._replace(fills={"A": [(at, 100), (at, 120), (at, 90), (at + 5, 95)]}), {})
    bars = found["A"]
    first = bars[0]
    assert len(bars) == 2
    assert (first.open_px, first.high_px, first.low_px, first.close_px, first.ts_ns) == (100, 120, 90, 90, at)
