"""What came of a plan: every variant's figures in the plan's order, which is best, and how much of that is luck."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Final

import msgspec

from surefill.sweep.events import Outcome, VariantCompleted
from surefill.sweep.metrics import VariantMetrics
from surefill.sweep.objectives import ranked
from surefill.sweep.plan import RunPlan, Variant
from surefill.sweep.run_record import Key, RunRecord, Status
from surefill.sweep.significance import deflated_sharpe
from surefill.sweep.split import WHOLE, Window
from surefill.views.daily_figures import DailyFigures, daily_figures

_UNIT: Final = 10**12


class VariantResult(msgspec.Struct, frozen=True, gc=False):
    """One variant over one segment; `rank` counts from 1 within the segment, None until it is complete."""

    variant: Variant
    segment: str
    outcome: Outcome
    rank: int | None


class WindowResult(msgspec.Struct, frozen=True):
    """What was chosen on a stretch of time, and how that and the baseline did on the next one."""

    window: Window
    chosen: str
    in_sample: VariantMetrics
    out_of_sample: VariantMetrics | None
    baseline_out_of_sample: VariantMetrics | None


class RunResult(msgspec.Struct, frozen=True):
    """A run's results.

    `rows`: segment by segment, in the plan's order, whatever order they came in. `best`: the variant chosen, on the
    latest segment that choices are made on; `deflated_sharpe` is the chosen one's there, for all variants tried.
    `out_of_sample`: what the choices of all windows made together, one test segment after the other, as if the account
    had begun each with what the one before had left.
    """

    run_plan_id: str
    status: Status
    plan: RunPlan
    rows: tuple[VariantResult, ...]
    best: str
    deflated_sharpe: float | None
    windows: tuple[WindowResult, ...]
    out_of_sample: DailyFigures | None
    completed: int
    failed: int


def metrics_in(outcomes: Mapping[Key, Outcome], variant_id: str, segment: str) -> VariantMetrics | None:
    """The figures of a variant over a segment, if it has any."""
    found = outcomes.get((variant_id, segment))
    return found.metrics if isinstance(found, VariantCompleted) else None


def ranking(plan: RunPlan, outcomes: Mapping[Key, Outcome], segment: str) -> list[str]:
    """The ids of the plan's variants, best first by its objective over that segment."""
    ids = [variant.variant_id for variant in plan.variants_in(segment)]
    return ranked(plan.objective, ids, lambda each: (each, metrics_in(outcomes, each, segment)))


def chosen_in(plan: RunPlan, outcomes: Mapping[Key, Outcome], segment: str) -> str:
    """The best variant over a segment; "" where none has figures."""
    best = ranking(plan, outcomes, segment)[0]
    return best if metrics_in(outcomes, best, segment) is not None else ""


def tested(plan: RunPlan, outcomes: Mapping[Key, Outcome], window: Window) -> list[Variant]:
    """What is to be run on a window's test segment: the variant chosen on the one before it, and the baseline."""
    wanted = {chosen_in(plan, outcomes, window.train.name), plan.variants[0].variant_id}
    return [variant for variant in plan.variants if variant.variant_id in wanted]


def result_of(record: RunRecord) -> RunResult:
    """The results of a run so far."""
    plan, windows, outcomes = record.plan, record.begun.windows, record.outcomes
    segments = [window.train.name for window in windows] or [WHOLE.name]
    rows = [row for segment in segments for row in _rows(plan, outcomes, segment)]
    for window in windows:
        rows += [
            row for row in _rows(plan, outcomes, window.test.name) if row.variant in tested(plan, outcomes, window)
        ]
    best = chosen_in(plan, outcomes, segments[-1])
    judged = tuple(_judged(plan, outcomes, window) for window in windows if _is_complete(plan, outcomes, window))
    completed = sum(isinstance(row.outcome, VariantCompleted) for row in rows)
    return RunResult(
        plan.run_plan_id,
        record.status,
        plan,
        tuple(rows),
        best,
        _deflated(plan, outcomes, best, segments[-1]),
        judged,
        _stitched(outcomes, judged),
        completed,
        len(rows) - completed,
    )


def _rows(plan: RunPlan, outcomes: Mapping[Key, Outcome], segment: str) -> list[VariantResult]:
    there = [variant for variant in plan.variants if (variant.variant_id, segment) in outcomes]
    complete = len(there) == len(plan.variants_in(segment))
    order = {name: at for at, name in enumerate(ranking(plan, outcomes, segment), start=1)} if complete else {}
    return [
        VariantResult(each, segment, outcomes[each.variant_id, segment], order.get(each.variant_id)) for each in there
    ]


def _is_complete(plan: RunPlan, outcomes: Mapping[Key, Outcome], window: Window) -> bool:
    return bool(chosen_in(plan, outcomes, window.train.name)) and all(
        (variant.variant_id, window.train.name) in outcomes for variant in plan.variants_in(window.train.name)
    )


def _judged(plan: RunPlan, outcomes: Mapping[Key, Outcome], window: Window) -> WindowResult:
    chosen = chosen_in(plan, outcomes, window.train.name)
    in_sample = metrics_in(outcomes, chosen, window.train.name)
    assert in_sample is not None
    baseline = plan.variants[0].variant_id
    return WindowResult(
        window,
        chosen,
        in_sample,
        metrics_in(outcomes, chosen, window.test.name),
        metrics_in(outcomes, baseline, window.test.name),
    )


def _deflated(plan: RunPlan, outcomes: Mapping[Key, Outcome], best: str, segment: str) -> float | None:
    found = metrics_in(outcomes, best, segment)
    tried = (metrics_in(outcomes, variant.variant_id, segment) for variant in plan.variants_in(segment))
    return None if found is None else deflated_sharpe(found.daily, [each.daily for each in tried if each is not None])


def _stitched(outcomes: Mapping[Key, Outcome], judged: Sequence[WindowResult]) -> DailyFigures | None:
    """Returns of one test after the other, as one curve in parts of 10**12 (the accounts all began alike)."""
    worth = 1.0
    curve: list[int] = []
    per_year = 0
    for each in judged:
        outcome = outcomes.get((each.chosen, each.window.test.name))
        if not isinstance(outcome, VariantCompleted) or outcome.curve is None:
            return None
        per_year = outcome.metrics.daily.periods_per_year
        for before, now in pairwise((outcome.metrics.starting_equity, *outcome.curve.equity)):
            worth *= now / before if before > 0 else 1.0
            curve.append(round(worth * _UNIT))
    return daily_figures(_UNIT, curve, per_year) if curve else None
