"""A plan that runs: through the engine, into the journal, canceled, killed, gone on with, always to the same end."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from tests.sweep.sweeps import Backwards, base, crosses, market, mischief

from surefill.domain import codec
from surefill.domain.events import IntentRefused
from surefill.domain.refusals import RefusalCode
from surefill.engine.claims import ClaimsReader
from surefill.errors import ConfigError, InputError, JournalError, LocalError, StrategyError
from surefill.journal import Journal, MemoryJournal, SqliteJournal, verify
from surefill.sweep import (
    InProcess,
    Market,
    RunPlan,
    RunResult,
    TrainTest,
    WalkForward,
    executors,
    generate,
    orchestrator,
    workspace_of,
)
from surefill.sweep.events import VariantCompleted, VariantFailed, decode, stream_of
from surefill.sweep.orchestrator import Progress
from surefill.sweep.run_record import run_in, runs_in
from surefill.testing.faulty_journal import FaultyJournal, JournalFault
from surefill.views.performance import performance

MARKET = market()
PLAN = crosses(MARKET)
execute = partial(orchestrator.execute, path="engine")  # its journals are part of what is compared


def _after(outcomes: int) -> tuple[Callable[[], bool], Callable[[Progress], None]]:
    """What stops a run once so many outcomes are known."""
    seen = [0]

    def moved(progress: Progress) -> None:
        seen[0] = progress.done

    return (lambda: seen[0] >= outcomes), moved


@pytest.fixture(autouse=True)
def _commit_each_outcome(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(orchestrator, "COMMIT_AT_MOST", 1)
    monkeypatch.setattr(executors, "PORTION_MAX", 1)


@pytest.fixture(scope="module")
def undisturbed() -> RunResult:
    return execute(PLAN, MARKET, MemoryJournal())


def _types(journal: Journal, plan: RunPlan) -> list[str]:
    return [type(decode(each.payload)).__name__ for each in journal.read(stream_of(plan.run_plan_id))]


def test_run_is_told_by_events_of_its_own_stream(undisturbed: RunResult) -> None:
    journal = MemoryJournal()
    assert execute(PLAN, MARKET, journal) == undisturbed
    count = len(PLAN.variants)
    assert _types(journal, PLAN) == ["RunStarted", *["VariantCompleted"] * count, "RunCompleted"]
    assert list(journal.heads()) == [stream_of(PLAN.run_plan_id)]
    assert (undisturbed.completed, undisturbed.failed, undisturbed.status) == (count, 0, "completed")
    assert sum(row.outcome.metrics.trade_count for row in undisturbed.rows if isinstance(row.outcome, VariantCompleted))


def test_variant_goes_through_the_engine_into_a_journal_that_verifies() -> None:
    journal = MemoryJournal()
    result = execute(PLAN, MARKET, journal, keep_journals=True)
    assert verify(journal, claims_of=ClaimsReader()).ok
    for row in result.rows:
        outcome = row.outcome
        assert isinstance(outcome, VariantCompleted)
        workspace_id = workspace_of(PLAN.run_plan_id, row.variant.variant_id)
        head = journal.heads()[workspace_id]
        assert (head.seq, head.chain_hash.hex()) == (outcome.events, outcome.head)
        events = [codec.decode(record.payload) for record in journal.read(workspace_id)]
        names = {type(event).__name__ for event in events}
        assert {"WorkspaceOpened", "IntentAccepted", "OrderCreated", "OrderFilled"} <= names
        found, metrics = performance(events, MARKET.series), outcome.metrics
        assert metrics.trade_count == found.total.figures.trades > 0
        assert (metrics.starting_equity, metrics.ending_equity) == (found.curve.start, found.curve.end)
        assert metrics.fees == found.total.fees > 0
        assert metrics.profit_factor == found.total.figures.profit_factor
        assert metrics.exposure == found.total.exposure


def test_gates_hold_in_a_sweep() -> None:
    plan = generate({**base(MARKET, fast=2, slow=6), "risk": {"dollars_per_trade": 50_000}})
    journal = MemoryJournal()
    (row,) = execute(plan, MARKET, journal, keep_journals=True).rows
    payloads = journal.read(workspace_of(plan.run_plan_id, row.variant.variant_id))
    events = [codec.decode(record.payload) for record in payloads]
    refused = {RefusalCode(event.code).name for event in events if isinstance(event, IntentRefused)}
    assert refused == {"INSUFFICIENT_CASH"}
    assert isinstance(row.outcome, VariantCompleted)
    assert (row.outcome.metrics.trade_count, row.outcome.metrics.return_pct) == (0, 0.0)


@pytest.mark.parametrize("bars", [1, 2, 3])
def test_market_of_hardly_any_bars_gives_results_without_trades(bars: int) -> None:
    few = Market(MARKET.settings, {name: series[:bars] for name, series in MARKET.series.items()})
    result = execute(crosses(few), few, MemoryJournal())
    assert (result.completed, result.failed) == (len(PLAN.variants), 0)
    for row in result.rows:
        assert isinstance(row.outcome, VariantCompleted)
        found = row.outcome.metrics
        assert (found.trade_count, found.sharpe, found.daily.sharpe, found.exposure) == (0, None, None, 0.0)
    assert result.deflated_sharpe is None


def test_ending_equity_marks_open_positions_to_the_last_price() -> None:
    journal = MemoryJournal()
    result = execute(PLAN, MARKET, journal, keep_journals=True)
    still_open = 0
    for row in result.rows:
        assert isinstance(row.outcome, VariantCompleted)
        workspace_id = workspace_of(PLAN.run_plan_id, row.variant.variant_id)
        found = performance([codec.decode(each.payload) for each in journal.read(workspace_id)], MARKET.series)
        still_open += len(found.running)
        metrics = row.outcome.metrics
        assert metrics.ending_equity == metrics.starting_equity + found.total.figures.net + found.total.open_net
        assert metrics.return_pct == pytest.approx((metrics.ending_equity / metrics.starting_equity - 1) * 100)
    assert still_open


def test_results_have_the_plans_order_whatever_order_they_came_in(undisturbed: RunResult) -> None:
    assert execute(PLAN, MARKET, MemoryJournal(), executor=Backwards(InProcess(MARKET.series))) == undisturbed
    assert [row.variant for row in undisturbed.rows] == list(PLAN.variants)
    assert sorted(row.rank or 0 for row in undisturbed.rows) == list(range(1, len(PLAN.variants) + 1))
    assert undisturbed.best == next(row.variant.variant_id for row in undisturbed.rows if row.rank == 1)


@pytest.mark.parametrize("known", range(len(PLAN.variants) + 1))
def test_run_canceled_after_any_outcome_goes_on_to_the_same_results(known: int, undisturbed: RunResult) -> None:
    journal = MemoryJournal()
    stopping, moved = _after(known)
    stopped = execute(PLAN, MARKET, journal, stopping=stopping, on_progress=moved)
    assert (stopped.status, stopped.completed) == ("canceled", known)
    asked = Backwards(InProcess(MARKET.series))
    assert execute(PLAN, MARKET, journal, executor=asked) == undisturbed
    assert len(asked.asked) == len(PLAN.variants) - known
    assert _types(journal, PLAN)[known + 1 : known + 3] == ["RunCanceled", "RunResumed"]


@pytest.mark.parametrize("fault", [JournalFault.REFUSED, JournalFault.LOST, JournalFault.KEPT, JournalFault.STALE])
@pytest.mark.parametrize("commit", [1, 2, 5, len(PLAN.variants) + 2])
def test_run_whose_commit_fails_goes_on_to_the_same_results(
    fault: JournalFault, commit: int, undisturbed: RunResult
) -> None:
    inner = MemoryJournal()
    journal = FaultyJournal(inner)
    journal.plan(fault, commit)
    with pytest.raises(JournalError):
        execute(PLAN, MARKET, journal, keep_journals=True)
    assert journal.fired == {fault: 1}
    if fault is not JournalFault.STALE:
        journal.reopen()
    assert execute(PLAN, MARKET, journal, keep_journals=True) == undisturbed
    assert verify(inner).ok
    assert len(inner.heads()) == 1 + len(PLAN.variants)


def test_finished_run_is_not_run_again(undisturbed: RunResult) -> None:
    journal, asked = MemoryJournal(), Backwards(InProcess(MARKET.series))
    execute(PLAN, MARKET, journal)
    before = journal.heads()[stream_of(PLAN.run_plan_id)].seq
    assert execute(PLAN, MARKET, journal, executor=asked) == undisturbed
    assert (asked.asked, journal.heads()[stream_of(PLAN.run_plan_id)].seq) == ([], before)


@pytest.mark.parametrize("other", [market(61), market(symbols="AC")])
def test_run_on_other_bars_is_refused(other: Market) -> None:
    with pytest.raises(LocalError, match="other bars") as refused:
        execute(PLAN, other, MemoryJournal())
    assert refused.value.code == "RUN_CHANGED"


def test_run_with_other_settings_or_another_fill_is_refused() -> None:
    settings = MARKET.settings
    dearer = settings.model_copy(update={"fees": []})
    with pytest.raises(LocalError, match="other settings"):
        execute(PLAN, Market(dearer, MARKET.series), MemoryJournal())
    with pytest.raises(LocalError, match="other fill_at"):
        execute(PLAN, MARKET, MemoryJournal(), fill_at="close")


def test_run_is_gone_on_with_only_under_the_conditions_it_was_begun_with(tmp_path: Path) -> None:
    plan, files = mischief(MARKET, tmp_path, [2])  # the plan itself says nothing of conditions
    journal = MemoryJournal()
    result = execute(plan, MARKET, journal, strategies=files)
    with pytest.raises(LocalError, match="other bars"):
        execute(plan, market(61), journal, strategies=files)
    file = tmp_path / "mischief.py"
    file.write_text(file.read_text() + "\n")
    with pytest.raises(LocalError, match=r"other strategy mischief\.py") as refused:
        execute(plan, MARKET, journal, strategies=files, again=True)
    assert refused.value.code == "RUN_CHANGED"
    file.write_text(file.read_text()[:-1])
    assert execute(plan, MARKET, journal, strategies=files) == result


def test_run_without_bars_or_in_another_mode_is_refused() -> None:
    plan = generate(base(MARKET))
    empty = {**MARKET.series, "B": MARKET.series["B"][:0]}
    for series in ({"A": MARKET.series["A"]}, empty):
        with pytest.raises(InputError, match="no bars of B"):
            execute(plan, Market(MARKET.settings, series), MemoryJournal())
    workspace = MARKET.settings.workspace.model_copy(update={"mode": "paper"})
    paper = MARKET.settings.model_copy(update={"workspace": workspace})
    with pytest.raises(ConfigError, match="mode backtest"):
        execute(plan, Market(paper, MARKET.series), MemoryJournal())


def test_fill_at_close_is_another_run_than_at_the_next_open(undisturbed: RunResult) -> None:
    plan = generate(base(MARKET, fast=2, slow=6), {"sweep": {"entry.params.fast": [3]}})
    opens, closes = (execute(plan, MARKET, MemoryJournal(), fill_at=each) for each in ("next_open", "close"))
    for first, second in zip(opens.rows, closes.rows, strict=True):
        assert first.outcome != second.outcome


def test_strategy_that_raises_in_variant_317_fails_that_variant_alone(tmp_path: Path) -> None:
    small = market(6, "A")
    plan, files = mischief(small, tmp_path, range(2, 322))
    (tmp_path / "raise-318").touch()
    assert plan.variants[317].overrides == {"entry.params.n": 318}
    journal = MemoryJournal()
    result = execute(plan, small, journal, strategies=files)
    assert (result.completed, result.failed) == (320, 1)
    failed = result.rows[317].outcome
    assert isinstance(failed, VariantFailed)
    assert (failed.code, "ZeroDivisionError: variant 318 cannot be" in failed.reason) == ("STRATEGY_FAILED", True)
    assert result.rows[317].rank == 321
    (tmp_path / "raise-318").unlink()
    assert execute(plan, small, journal, strategies=files) == result  # what is known is known
    again = execute(plan, small, journal, strategies=files, again=True)
    assert (again.completed, again.failed) == (321, 0)


def test_variant_that_is_chosen_only_when_tried_again_gives_the_results_of_an_undisturbed_run(tmp_path: Path) -> None:
    plan, files = mischief(MARKET, tmp_path, range(2, 7), TrainTest(0.6))
    expected = execute(plan, MARKET, MemoryJournal(), strategies=files)
    best = next(variant for variant in plan.variants if variant.variant_id == expected.best)
    broken = tmp_path / f"raise-{best.overrides['entry.params.n']}"
    broken.touch()
    journal = MemoryJournal()
    other = execute(plan, MARKET, journal, strategies=files)
    assert other.best not in ("", expected.best, plan.variants[0].variant_id)
    broken.unlink()
    assert execute(plan, MARKET, journal, strategies=files, again=True) == expected


def test_job_that_cannot_be_at_all_fails_as_a_whole(tmp_path: Path) -> None:
    plan, _ = mischief(MARKET, tmp_path, [2])
    with pytest.raises(StrategyError, match="cannot be read"):
        execute(plan, MARKET, MemoryJournal(), strategies=(str(tmp_path / "gone.py:Mischief"),))


@pytest.mark.parametrize("split", [TrainTest(0.6), WalkForward(20, 15), WalkForward(20, 15, anchored=True)])
def test_variants_are_chosen_on_the_past_and_judged_by_what_came_next(split: Any) -> None:
    journal = MemoryJournal()
    plan = crosses(MARKET, split)
    result = execute(plan, MARKET, journal)
    windows = run_in(journal, plan.run_plan_id).begun.windows
    assert len(result.windows) == len(windows) > 0
    for judged, window in zip(result.windows, windows, strict=True):
        trained = [row for row in result.rows if row.segment == window.train.name]
        tested = {row.variant.variant_id: row for row in result.rows if row.segment == window.test.name}
        assert [row.variant for row in trained] == list(plan.variants)
        assert judged.chosen == next(row.variant.variant_id for row in trained if row.rank == 1)
        assert set(tested) == {judged.chosen, plan.variants[0].variant_id}
        outcome = tested[judged.chosen].outcome
        assert isinstance(outcome, VariantCompleted)
        assert judged.out_of_sample == outcome.metrics
        assert judged.out_of_sample.daily.days < judged.in_sample.daily.days + 5
    assert result.best == result.windows[-1].chosen
    assert result.out_of_sample is not None
    stitched = 1.0
    for judged in result.windows:
        assert judged.out_of_sample is not None
        stitched *= 1 + judged.out_of_sample.return_pct / 100
    found = result.out_of_sample
    assert found.cagr == pytest.approx(stitched ** (found.periods_per_year / found.days) - 1)


def test_choice_does_not_change_with_what_came_next() -> None:
    split = TrainTest(0.6)
    changed = {name: bars[:40] for name, bars in MARKET.series.items()}  # the last third is another one: it is missing
    results = []
    for series in (MARKET.series, changed):
        part = Market(MARKET.settings, series)
        fraction = 0.6 if series is MARKET.series else 36 / 40
        plan = generate(
            base(part, fast=2, slow=6), {"sweep": {"entry.params.fast": [2, 3, 4]}}, split=TrainTest(fraction)
        )
        results.append(execute(plan, part, MemoryJournal()))
    first, second = ([row.outcome for row in each.rows if row.segment == "train"] for each in results)
    assert [each.metrics for each in first if isinstance(each, VariantCompleted)] == [
        each.metrics for each in second if isinstance(each, VariantCompleted)
    ]
    assert results[0].windows[0].chosen == results[1].windows[0].chosen
    assert split.train == 0.6


@pytest.mark.parametrize("known", [0, 6, 7, 8])
def test_split_run_canceled_in_either_phase_goes_on_to_the_same_results(known: int) -> None:
    plan = crosses(MARKET, TrainTest(0.6))
    journal = MemoryJournal()
    stopping, moved = _after(known)
    assert execute(plan, MARKET, journal, stopping=stopping, on_progress=moved).completed == known
    assert execute(plan, MARKET, journal) == execute(plan, MARKET, MemoryJournal())


def test_progress_counts_up_to_all_of_it() -> None:
    told: list[Progress] = []
    execute(crosses(MARKET, TrainTest(0.6)), MARKET, MemoryJournal(), on_progress=told.append)
    assert [each.done for each in told] == list(range(1, len(told) + 1))
    assert (told[-1].done, told[-1].eta_s) == (told[-1].total, 0.0)
    assert all(each.per_s > 0 and each.failed == 0 for each in told)


@pytest.mark.parametrize(("path", "ran_on"), [("auto", "kernel"), ("kernel", "kernel"), ("engine", "engine")])
def test_result_says_which_path_ran(path: str, ran_on: str) -> None:
    result = execute(PLAN, MARKET, MemoryJournal(), path=path)
    outcomes = [row.outcome for row in result.rows]
    assert {(each.path, each.why_not) for each in outcomes if isinstance(each, VariantCompleted)} == {(ran_on, "")}


def test_runs_of_a_journal_are_found_by_their_ids(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "j")
    other = crosses(MARKET, max_variants=2)
    for plan in (PLAN, other):
        execute(plan, MARKET, journal)
    assert [name for name, _ in runs_in(journal)] == sorted([PLAN.run_plan_id, other.run_plan_id])
    assert run_in(journal, other.run_plan_id[:8]).begun.plan == other
    for wrong in ("", "zzz"):
        with pytest.raises(InputError) as unknown:
            run_in(journal, wrong)
        assert unknown.value.code == "UNKNOWN_RUN"
    journal.close()
