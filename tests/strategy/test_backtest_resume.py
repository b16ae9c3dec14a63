"""A backtest that was killed after any commit goes on to the very same bytes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import pytest
from tests.strategy import runs
from tests.strategy.runs import Span, days, minutes

from surefill.errors import LocalError
from surefill.journal import Journal, MemoryJournal
from surefill.market.series import BarSeries
from surefill.strategy.backtest import TIME_MIN_NS, Backtest, FillAt
from surefill.strategy.rehearsal import start_of_rehearsal
from surefill.strategy.timeline import moments
from surefill.units import NS_PER_MIN


class Case(NamedTuple):
    """Bars and settings of one run."""

    timeframe: str
    spans: Mapping[str, Span]
    exit: Mapping[str, object] | None = None
    at_close: bool = False
    fill_at: FillAt = "next_open"
    flush_every: int = 1
    from_ns: int = TIME_MIN_NS
    entry: Mapping[str, object] | None = None


CASES = {
    "minutes_that_touch": Case("1m", {"B": minutes(), "A": minutes()}),
    "symbols_out_of_order": Case("1m", {"C": minutes(), "A": minutes(), "B": minutes()}),
    "missing_bars": Case("1m", {"C": minutes(missing_every=3), "A": minutes(missing_every=4), "B": minutes(5, 20)}),
    "one_symbol_ends_early": Case("1m", {"A": minutes(count=12), "B": minutes(), "C": minutes(10, 15)}),
    "end_of_day_exit": Case("1m", {"B": minutes(), "A": minutes()}, exit={"type": "eod"}),
    "some_at_the_close": Case("1m", {"B": minutes(), "A": minutes(missing_every=5)}, at_close=True),
    "all_at_the_close": Case("1m", {"B": minutes(), "A": minutes()}, fill_at="close"),
    "daily": Case("1d", {"B": days(14, 7), "A": days(14, 7)}),
    "daily_end_of_day_exit": Case("1d", {"B": days(14, 7), "A": days(14, 7)}, exit={"type": "eod"}),
    "sessions_overlap": Case("1d", {"US": days(14, 7), "EU": days(8, 9)}),
    "sessions_touch": Case("1d", {"US": days(14, 7), "EU": days(7, 7)}),
    "from_the_middle": Case(
        "1m", {"B": minutes(missing_every=4), "A": minutes()}, from_ns=runs.START_NS + 17 * NS_PER_MIN
    ),
    "strategy_bar_by_bar": Case(
        "1m",
        {"B": minutes(missing_every=4), "A": minutes()},
        exit={"type": "none"},
        entry={"type": "sma_cross", "params": {"fast": 1, "slow": 2}},
    ),
    "orders_that_wait": Case(
        "1m", {"B": minutes(missing_every=4), "A": minutes()}, entry={"type": "waiting", "good_for_bars": 3}
    ),
    "orders_that_wait_from_the_close": Case(
        "1m",
        {"B": minutes(missing_every=4), "A": minutes()},
        entry={"type": "waiting", "good_for_bars": 2},
        fill_at="close",
    ),
    "several_moments_a_commit": Case("1m", {"B": minutes(), "A": minutes()}, flush_every=7),
}


def _series(case: Case) -> dict[str, BarSeries]:
    return {symbol: runs.series_of(symbol, span, 1, case.timeframe) for symbol, span in case.spans.items()}


def _backtest(case: Case, journal: Journal, series: Mapping[str, BarSeries]) -> tuple[Backtest, list[int]]:
    given = {"exit": case.exit, "entry": case.entry}
    changed = {name: value for name, value in given.items() if value is not None}
    writer = runs.opened(journal, sorted(series))
    ends = runs.commits_of(writer)
    backtest = Backtest(
        writer,
        runs.spec_for(series, **changed),
        series,
        runner=runs.dice_runner(at_close=case.at_close),
        fill_at=case.fill_at,
        flush_every=case.flush_every,
        from_ns=case.from_ns,
    )
    return backtest, ends


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_backtest_killed_after_any_commit_goes_on_to_the_same_bytes(case: Case) -> None:
    series = _series(case)
    whole = MemoryJournal()
    backtest, ends = _backtest(case, whole, series)
    opening = len(runs.payloads_of(whole))
    backtest.run()
    expected = runs.payloads_of(whole)
    assert len(ends) > (4 if case.flush_every > 1 else 15), "the case does too little to be cut"
    for end in [opening, *ends]:
        journal = runs.cut(whole, end)
        again, _ = _backtest(case, journal, series)
        again.run()
        assert runs.payloads_of(journal) == expected, f"cut after event {end} of {len(expected)}"


def test_backtest_that_was_complete_adds_nothing() -> None:
    case = CASES["daily"]
    series, journal = _series(case), MemoryJournal()
    first, _ = _backtest(case, journal, series)
    equity = first.run().equity
    expected = runs.payloads_of(journal)
    result = first.run()
    assert runs.payloads_of(journal) == expected
    assert result.equity == equity[len(equity) - len(result.equity) :]
    assert len(result.equity) < 10


def test_rehearsal_begins_near_the_end() -> None:
    case = CASES["daily"]._replace(spans={"B": days(14, 7, 300), "A": days(14, 7, 300)})
    series, journal = _series(case), MemoryJournal()
    _backtest(case, journal, series)[0].run()
    seq = len(runs.payloads_of(journal))
    start = start_of_rehearsal(journal, runs.WORKSPACE, seq, series, moments(series))
    assert 280 < start.moment < 300
    assert seq - 60 < start.seq < seq


@pytest.mark.parametrize("what", ["other_bars", "other_settings"])
def test_backtest_on_the_journal_of_another_run_is_refused(what: str) -> None:
    case = CASES["daily"]
    series, journal = _series(case), MemoryJournal()
    _backtest(case, journal, series)[0].run()
    expected = runs.payloads_of(journal)
    if what == "other_bars":
        series = {name: runs.series_of(name, span, 2, case.timeframe) for name, span in case.spans.items()}
    else:
        case = case._replace(exit={"type": "stop_target", "stop_loss_pct": 5.0})
    other, _ = _backtest(case, journal, series)
    with pytest.raises(LocalError, match=r"holds another run: .* event \d+ would be .* use a new workspace") as raised:
        other.run()
    assert raised.value.code == "RUN_CHANGED"
    assert runs.payloads_of(journal) == expected
