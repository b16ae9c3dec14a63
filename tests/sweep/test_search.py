"""A search that learns: the same trials whoever runs them and however often it is stopped, and better than chance."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from functools import partial
from typing import Any

import msgspec
import pytest
from tests.sweep.sweeps import Backwards, base, market

from surefill.errors import ConfigError, InputError
from surefill.journal import Journal, MemoryJournal, verify
from surefill.market.series import BarSeries
from surefill.strategy import StrategyRegistry
from surefill.sweep import (
    InProcess,
    RunPlan,
    RunResult,
    WalkForward,
    WorkerProcesses,
    executors,
    generate,
    hand_out,
    orchestrator,
)
from surefill.sweep.axes import Span, Values
from surefill.sweep.events import VariantCompleted, VariantFailed, VariantsAsked, decode, stream_of
from surefill.sweep.orchestrator import Market, Progress
from surefill.sweep.run_record import RunStream, run_in
from surefill.sweep.workbench import Job

HILL = """
from surefill.errors import InputError
from surefill.strategy import Decision, Parameter


class Hill:
    '''Holds from a bar on that comes the sooner, the nearer x and y are to 37 and 11.'''

    name = "hill"
    default_exit = "none"
    parameters = (Parameter("x", 0, 0, 99), Parameter("y", 0, 0, 99))

    def check(self, spec):
        if spec.entry.params.get("x", 0) == 40:
            raise InputError("x cannot be 40", field="x")

    def evaluate(self, spec, snapshot, position):
        x, y = (spec.entry.params.get(name, 0) for name in "xy")
        if x == 36 and y % 2:
            raise ZeroDivisionError("x is 36")
        if position is None and snapshot.bar_count > 1 + abs(x - 37) + abs(y - 11):
            yield Decision.open_long("it is near enough")
"""
SPACE = {"entry.params.x": {"min": 0, "max": 60}, "entry.params.y": {"min": 0, "max": 30}}
GRID = 61 * 31
execute = partial(orchestrator.execute, path="engine")


def rising_market(bars: int = 110) -> Market:
    """A market that rises with every bar."""
    made = market(bars, "A")
    series = made.series["A"]

    def lifted(at: int, bar: Any) -> Any:
        px = 1_000_000 + at * 1_000
        return msgspec.structs.replace(bar, open_px=px, high_px=px + 1_000, low_px=px, close_px=px + 1_000)

    rising = BarSeries.from_bars(
        (lifted(at, bar) for at, bar in enumerate(series)),
        instrument_id="A",
        timeframe=series.timeframe,
        price_decimals=series.price_decimals,
        qty_decimals=series.qty_decimals,
    )
    return Market(made.settings, {"A": rising})


MARKET = rising_market()


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, ...]:
    file = tmp_path_factory.mktemp("strategies") / "hill.py"
    file.write_text(HILL)
    return (f"{file}:Hill",)


def plan_of(files: tuple[str, ...], trials: int = 24, split: Any = None, **more: Any) -> RunPlan:
    constraints = {"sampling": "bayes", "samples": trials, "sweep": SPACE, "seed": 1, "max_variants": None, **more}
    registry = StrategyRegistry.knowing(files)
    return generate(base(MARKET, "hill"), constraints, objective="return", split=split, registry=registry)


def asked_in(journal: Journal, plan: RunPlan) -> list[VariantsAsked]:
    events = (decode(each.payload) for each in journal.read(stream_of(plan.run_plan_id)))
    return [event for event in events if isinstance(event, VariantsAsked)]


def best_return(result: RunResult) -> float:
    found = [row.outcome.metrics.return_pct for row in result.rows if isinstance(row.outcome, VariantCompleted)]
    return max(found)


def tried(result: RunResult) -> list[Mapping[str, object]]:
    return [row.variant.overrides for row in result.rows]


def test_search_asks_in_batches_that_are_journaled_before_they_run(files: tuple[str, ...]) -> None:
    plan, journal = plan_of(files, trials=20), MemoryJournal()
    assert [variant.kind for variant in plan.variants] == ["baseline"]
    result = execute(plan, MARKET, journal, strategies=files)
    assert (result.status, len(result.rows), len(result.plan.variants)) == ("completed", 21, 21)
    assert [len(each.variants) for each in asked_in(journal, plan)] == [8, 8, 4]
    assert [row.variant.index for row in result.rows] == list(range(21))
    assert {row.variant.kind for row in result.rows[1:]} == {"trial"}
    assert len({row.variant.variant_id for row in result.rows}) == 21
    known = {plan.variants[0].variant_id}
    for record in journal.read(stream_of(plan.run_plan_id)):
        event = decode(record.payload)
        if isinstance(event, VariantsAsked):
            known |= {variant.variant_id for variant in event.variants}
        elif isinstance(event, VariantCompleted | VariantFailed):
            assert event.variant_id in known
    assert verify(journal).ok


def test_search_gives_the_same_twice_and_another_by_another_seed(files: tuple[str, ...]) -> None:
    first, again, other = (
        execute(plan_of(files, seed=seed), MARKET, MemoryJournal(), strategies=files) for seed in (1, 1, 2)
    )
    assert first == again
    assert tried(first) != tried(other)


def test_search_does_not_depend_on_who_runs_it_and_in_which_order(
    files: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    crews: list[int] = []
    made = executors._Crew.__init__

    def counted(crew: executors._Crew, job: Job, series: Mapping[str, BarSeries], workers: int) -> None:
        crews.append(workers)
        made(crew, job, series, workers)

    monkeypatch.setattr(executors._Crew, "__init__", counted)
    expected = execute(plan_of(files, 12), MARKET, MemoryJournal(), strategies=files)
    for executor in (
        Backwards(InProcess(MARKET.series)),
        WorkerProcesses(MARKET.series, 1),
        WorkerProcesses(MARKET.series, 2),
    ):
        assert execute(plan_of(files, 12), MARKET, MemoryJournal(), executor=executor, strategies=files) == expected
    assert crews == [1, 2]  # the processes are kept from batch to batch


@pytest.mark.parametrize("split", [None, WalkForward(60, 25)])
def test_search_canceled_after_any_outcome_goes_on_to_the_same_results(
    split: Any, files: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(orchestrator, "COMMIT_AT_MOST", 1)
    monkeypatch.setattr(hand_out, "PORTION_MAX", 1)
    plan = plan_of(files, 5, split, batch=2)
    expected = execute(plan, MARKET, MemoryJournal(), strategies=files)
    assert expected.status == "completed"
    for known in range(len(expected.rows) + 1):
        journal, seen = MemoryJournal(), [0]

        def moved(progress: Progress, seen: list[int] = seen) -> None:
            seen[0] = progress.done

        def stopping(seen: list[int] = seen, known: int = known) -> bool:
            return seen[0] >= known

        stopped = execute(plan, MARKET, journal, strategies=files, stopping=stopping, on_progress=moved)
        assert (stopped.status, stopped.completed + stopped.failed) == ("canceled", known)
        assert execute(plan, MARKET, journal, strategies=files) == expected
        assert run_in(journal, plan.run_plan_id).plan == expected.plan


def test_search_killed_between_asking_and_running_goes_on_with_what_it_asked(files: tuple[str, ...]) -> None:
    plan, whole, cut = plan_of(files, 12), MemoryJournal(), MemoryJournal()
    expected = execute(plan, MARKET, whole, strategies=files)
    stream = RunStream(cut, plan.run_plan_id)
    events = [decode(each.payload) for each in whole.read(stream_of(plan.run_plan_id))]
    first_asked = next(at for at, event in enumerate(events) if isinstance(event, VariantsAsked))
    stream.append(events[: first_asked + 1])
    assert execute(plan, MARKET, cut, strategies=files) == expected
    assert asked_in(cut, plan) == asked_in(whole, plan)


def test_search_finds_the_top_with_fewer_trials_than_the_grid_and_better_than_chance(files: tuple[str, ...]) -> None:
    trials = 60
    found = execute(plan_of(files, trials), MARKET, MemoryJournal(), strategies=files)
    chance = generate(
        base(MARKET, "hill"),
        {"sampling": "random", "samples": trials, "sweep": SPACE, "seed": 1, "max_variants": None, "ablations": False},
        objective="return",
        registry=StrategyRegistry.knowing(files),
    )
    drawn = execute(chance, MARKET, MemoryJournal(), strategies=files)
    top = {"entry.params.x": [37], "entry.params.y": [11]}
    peak = generate(base(MARKET, "hill"), {"sweep": top}, registry=StrategyRegistry.knowing(files))
    highest = best_return(execute(peak, MARKET, MemoryJournal(), strategies=files))
    assert len(found.rows) == trials + 1 < GRID / 30
    assert best_return(drawn) < best_return(found)
    assert best_return(found) == highest > 0


def test_refused_and_failed_combinations_are_told_and_counted(files: tuple[str, ...]) -> None:
    narrow = {"entry.params.x": [35, 36, 38, 40], "entry.params.y": {"min": 9, "max": 12}}
    plan, journal = plan_of(files, 16, sweep=narrow), MemoryJournal()
    result = execute(plan, MARKET, journal, strategies=files)
    left_out = [left for each in asked_in(journal, plan) for left in each.left_out]
    assert result.plan.refused == len(left_out) == 4
    assert {left.overrides["entry.params.x"] for left in left_out} == {40}
    assert result.plan.left_out[0].reason == "x cannot be 40"
    assert len(result.rows) == 1 + 12  # all that there is, though 16 were wanted
    assert result.status == "completed"
    assert (result.failed, result.completed) == (2, 11)
    assert [len(each.variants) for each in asked_in(journal, plan)][-1] == 0
    told: list[Progress] = []
    execute(plan, MARKET, MemoryJournal(), strategies=files, on_progress=told.append)
    assert (told[-1].done, told[-1].failed) == (13, 2)


def test_search_counts_all_that_it_tried_into_the_deflated_sharpe(files: tuple[str, ...]) -> None:
    few, many = (
        execute(plan_of(files, trials), MARKET, MemoryJournal(), strategies=files).deflated_sharpe for trials in (4, 40)
    )
    assert few is not None
    assert many is not None
    assert few != many


def test_each_window_is_searched_by_what_was_known_in_it(files: tuple[str, ...]) -> None:
    narrow = {"entry.params.x": {"min": 20, "max": 25}, "entry.params.y": {"min": 9, "max": 13}}
    plan, journal = plan_of(files, 20, WalkForward(60, 25), sweep=narrow, batch=4), MemoryJournal()
    result = execute(plan, MARKET, journal, strategies=files)
    assert {each.segment for each in asked_in(journal, plan)} == {"train-1", "train-2"}
    for segment in ("train-1", "train-2"):
        assert len(result.plan.variants_in(segment)) == 21
        trained = [row for row in result.rows if row.segment == segment]
        assert sorted(row.rank or 0 for row in trained) == list(range(1, 22))
    assert [each.window.test.name for each in result.windows] == ["test-1", "test-2"]
    shorter = Market(MARKET.settings, {"A": MARKET.series["A"][:85]})  # without all that comes after the first window
    alone = MemoryJournal()
    execute(plan, shorter, alone, strategies=files)
    firsts = ([each for each in asked_in(found, plan) if each.segment == "train-1"] for found in (journal, alone))
    first, expected = ([[variant.variant_id for variant in each.variants] for each in found] for found in firsts)
    assert first == expected


def test_progress_of_a_search_counts_up_to_all_of_it(files: tuple[str, ...]) -> None:
    told: list[Progress] = []
    plan = plan_of(files, 5, WalkForward(60, 25), batch=2)
    execute(plan, MARKET, MemoryJournal(), strategies=files, on_progress=told.append)
    assert told[-1].done == told[-1].total


@pytest.mark.parametrize(
    ("axis", "values"),
    [
        ([20, 5, 10], {5, 10, 20}),
        ({"min": 2.5, "max": 7.5, "step": 2.5}, {2.5, 5.0, 7.5}),
        ({"min": 1.0, "max": 1.0}, {1.0}),
    ],
)
def test_search_stays_on_the_axes(axis: Any, values: set[float], files: tuple[str, ...]) -> None:
    sweep = {"exit.stop_loss_pct": axis, "entry.params.x": {"min": 30, "max": 39}}
    spec = {**base(MARKET, "hill"), "exit": {"type": "stop_target", "stop_loss_pct": 3.0}}
    constraints = {"sampling": "bayes", "samples": 12, "sweep": sweep}
    plan = generate(spec, constraints, objective="return", registry=StrategyRegistry.knowing(files))
    result = execute(plan, MARKET, MemoryJournal(), strategies=files)
    assert {each["exit.stop_loss_pct"] for each in tried(result)[1:]} == values


def test_search_takes_whatever_lies_between_where_an_axis_has_no_steps(files: tuple[str, ...]) -> None:
    spec = {**base(MARKET, "hill"), "exit": {"type": "stop_target", "stop_loss_pct": 3.0}}
    sweep = {"exit.stop_loss_pct": {"min": 2.0, "max": 4.0}}
    plan = generate(
        spec, {"sampling": "bayes", "samples": 20, "sweep": sweep}, registry=StrategyRegistry.knowing(files)
    )
    result = execute(plan, MARKET, MemoryJournal(), strategies=files)
    found = [float(str(each["exit.stop_loss_pct"])) for each in tried(result)[1:]]
    assert len(set(found)) == 20
    assert 2.0 <= min(found) < 2.7 < 3.3 < max(found) <= 4.0
    assert execute(plan, MARKET, MemoryJournal(), strategies=files) == result


AXES: list[tuple[Any, bool, list[Any]]] = [
    ([20, 5, 10], True, [5, 10, 20]),
    (["b", "a", True], False, ["b", "a", True]),
    (Span(1, 4), True, [1, 2, 3, 4]),
    (Span(0.1, 0.7, 0.2), True, [0.1, 0.3, 0.5, 0.7]),
]


@pytest.mark.parametrize(("axis", "is_ordered", "values"), AXES)
def test_every_value_has_a_place_and_the_place_the_value(axis: Any, is_ordered: bool, values: list[Any]) -> None:
    known = Values("p", axis, whole=axis == Span(1, 4))
    assert (known.is_ordered, known.count) == (is_ordered, len(values))
    assert [known.at_place(place) for place in range(len(values))] == values
    assert [known.place_of(value) for value in values] == list(range(len(values)))


def test_max_variants_caps_a_search_and_says_what_it_cuts_off(files: tuple[str, ...]) -> None:
    plan = plan_of(files, 30, max_variants=6)
    assert plan.beyond_max == 25
    assert len(execute(plan, MARKET, MemoryJournal(), strategies=files).rows) == 6


def test_search_without_trials_or_anything_to_sweep_is_refused(files: tuple[str, ...]) -> None:
    for trials, sweep in ((0, SPACE), (5, {})):
        with pytest.raises(InputError, match="bayes sampling needs samples and something to sweep"):
            plan_of(files, trials, sweep=sweep)


def test_search_without_optuna_names_the_extra_before_anything_is_written(
    files: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    journal = MemoryJournal()
    with pytest.raises(ConfigError, match=r"surefill\[search\]") as missing:
        execute(plan_of(files), MARKET, journal, strategies=files)
    assert (missing.value.code, list(journal.heads())) == ("MISSING_EXTRA", [])
