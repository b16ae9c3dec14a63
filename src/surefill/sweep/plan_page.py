"""The page of a run: what was asked, which did best and how far to believe it, every variant, the best one's trades.

::

    html = plan_page(record, rerun(record, result_of(record), market, top=5), proof)

A projection like the other report, and one file like it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from surefill import __version__
from surefill.errors import SurefillError
from surefill.journal import StreamVerification
from surefill.strategy.registry import StrategyRegistry
from surefill.sweep.events import VariantCompleted, VariantFailed
from surefill.sweep.metrics import VariantMetrics
from surefill.sweep.overrides import PARAMS, Scalar
from surefill.sweep.plan import RunPlan
from surefill.sweep.plan_figures import figure_columns
from surefill.sweep.plan_model import CurveLine, Failure, PlanModel, PlanReport, Variants, WindowLine
from surefill.sweep.rerun import Rerun, Told
from surefill.sweep.result import RunResult, WindowResult, result_of
from surefill.sweep.run_record import RunRecord
from surefill.sweep.split import WHOLE
from surefill.units import NS_PER_S, iso_from_ns
from surefill.views.report.columns import Steps, steps_of
from surefill.views.report.model import RunModel, bars_model, run_model
from surefill.views.report.page import page

SCRIPTS: Final = ("heatmap.js", "overlay.js", "variants.js", "plan.js")
PARTS: Final = 100_000
FAILURES_LISTED: Final = 500


def plan_page(record: RunRecord, again: Rerun | str, proof: StreamVerification) -> str:
    """The page. `again`: what was run once more, or why nothing could be; `proof`: what its stream vouches for."""
    result = result_of(record)
    plan = result.plan
    title = f"Run {plan.run_plan_id[:8]}: {plan.base['entry']['type']} on {', '.join(plan.spec.symbols)}"
    bars, runs = [], []
    if not isinstance(again, str):
        bars = bars_model(again.series)
        runs = [_run_model(result, told, again) for told in again.best]
    return page(title, PlanReport(title, __version__, bars, runs, _plan_model(record, result, again, proof)), SCRIPTS)


def _run_model(result: RunResult, told: Told, again: Rerun) -> RunModel:
    segment = told.segment.name
    name = f"Best variant{', ' + segment if segment else ''}"
    about = {
        "variant": result.best,
        "settings": _text(_settings(result.plan, result.best)),
        "over": segment,
        "journal": "made anew by the engine, for this page",
    }
    return run_model(
        name, {key: text for key, text in about.items() if text}, told.performance, again.series, told.proof
    )


def _plan_model(record: RunRecord, result: RunResult, again: Rerun | str, proof: StreamVerification) -> PlanModel:
    plan, begun = result.plan, record.begun
    segment = begun.windows[-1].train.name if begun.windows else WHOLE.name
    shown = [row for row in result.rows if row.segment == segment and isinstance(row.outcome, VariantCompleted)]
    completed = [row.outcome for row in shown if isinstance(row.outcome, VariantCompleted)]
    paths = list(plan.constraints.sweep)
    own = _base_values(record, paths)
    variants = Variants(
        [row.variant.variant_id for row in shown],
        [row.variant.kind for row in shown],
        [row.rank for row in shown],
        [outcome.path for outcome in completed],
        [[row.variant.overrides.get(path, own[path]) for row in shown] for path in paths],
        figure_columns(plan.objective, [outcome.metrics for outcome in completed]),
    )
    failed = [row for row in result.rows if isinstance(row.outcome, VariantFailed)]
    failures = [
        Failure(row.variant.variant_id, row.segment, _text(row.variant.overrides), row.outcome.code, row.outcome.reason)
        for row in failed[:FAILURES_LISTED]
        if isinstance(row.outcome, VariantFailed)
    ]
    together = result.out_of_sample
    times, unseen_at, lines = _curves(result, again, variants.ids)
    return PlanModel(
        plan.run_plan_id,
        result.status,
        plan.objective,
        segment,
        _about(record, completed),
        paths,
        variants,
        result.best,
        _text(_settings(plan, result.best)),
        plan.variants[0].variant_id,
        result.deflated_sharpe,
        [_window_line(plan, window) for window in result.windows],
        None if together is None else (together.sharpe, together.cagr, together.max_drawdown_pct),
        len(failed),
        failures,
        _remarks(result, again),
        proof.ok,
        proof.events,
        proof.head_hash,
        () if isinstance(again, str) else again.differs,
        times,
        unseen_at,
        lines,
    )


def _about(record: RunRecord, completed: list[VariantCompleted]) -> list[tuple[str, str]]:
    begun, plan = record.begun, record.begun.plan
    told = {
        "run": plan.run_plan_id,
        "status": record.status,
        "begun": iso_from_ns(begun.ts_ns)[:19] + "Z",
        "strategy": str(plan.base["entry"]["type"]),
        "instruments": ", ".join(plan.spec.symbols),
        "bars": plan.spec.timeframe,
        "objective": plan.objective,
        "sampling": plan.constraints.sampling,
        "fills at": begun.fill_at.replace("_", " "),
        "build": begun.build,
    }
    routes = sorted({outcome.path for outcome in completed})
    told["ran by"] = ", ".join(f"{name} ({sum(each.path == name for each in completed):,})" for name in routes)
    if completed:
        daily = completed[0].metrics.daily
        told["per year"] = (
            f"{daily.periods_per_year} periods, riskless rate {daily.rf:g}, deviations over n − {daily.ddof}"
        )
    return [(name, text) for name, text in told.items() if text]


def _remarks(result: RunResult, again: Rerun | str) -> list[str]:
    """What a reader has to know before he believes the page."""
    plan, remarks = result.plan, []
    if plan.split is None:
        remarks.append(
            "Every figure is of bars that the variants were chosen by: nothing was held back to judge them"
            " (--train, --walk-forward)."
        )
    if result.status != "completed":
        remarks.append(f"The run is not complete ({result.status}): ranks, the best and what is beside it may change.")
    if plan.refused:
        remarks.append(f"{plan.refused:,} combinations were left out: the strategy refuses them.")
    if plan.beyond_max:
        remarks.append(f"{plan.beyond_max:,} combinations or more were cut off by the most that were allowed.")
    if isinstance(again, str):
        remarks.append(f"Without curves and trades: {again}")
    elif again.differs:
        remarks.append(f"Run again, these came out otherwise than recorded: {', '.join(again.differs)}.")
    return remarks


def _window_line(plan: RunPlan, window: WindowResult) -> WindowLine:
    test = window.window.test
    return WindowLine(
        window.window.train.name,
        test.name,
        iso_from_ns(test.from_ns)[:10],
        window.chosen,
        _text(_settings(plan, window.chosen)),
        _pair(window.in_sample),
        _pair(window.out_of_sample),
        _pair(window.baseline_out_of_sample),
    )


def _pair(found: VariantMetrics | None) -> tuple[float | None, float | None]:
    return (None, None) if found is None else (found.return_pct, found.daily.sharpe)


def _curves(result: RunResult, again: Rerun | str, ids: list[str]) -> tuple[Steps, int, list[CurveLine]]:
    """The first segment's curves; where one goes on in the second, it begins there with what it had reached."""
    if isinstance(again, str):
        return steps_of([]), 0, []
    baseline = result.plan.variants[0].variant_id
    first = again.segments[0].name
    times: list[int] = []
    unseen_at, lines = 0, []
    for variant_id in (name for name, segment in again.curves if segment == first):
        worth, parts = 1.0, []
        stamps: list[int] = []
        for segment in again.segments:
            curve = again.curves.get((variant_id, segment.name))
            if curve is None:
                break
            start = again.starts[variant_id, segment.name]
            parts += [worth * value / start for value in curve.equity]
            stamps += curve.ts_ns
            worth = parts[-1] if parts else worth
            unseen_at = unseen_at or len(parts)
        times = max(times, stamps, key=len)
        role = "best" if variant_id == result.best else "baseline" if variant_id == baseline else "other"
        lines.append(CurveLine(ids.index(variant_id), role, steps_of([round(PARTS * part) for part in parts])))
    return steps_of([ns // NS_PER_S for ns in times]), unseen_at, lines


def _settings(plan: RunPlan, variant_id: str) -> Mapping[str, Scalar]:
    return next((each.overrides for each in plan.variants if each.variant_id == variant_id), {})


def _text(overrides: Mapping[str, Any]) -> str:
    shown = {path: f"{value:.6g}" if isinstance(value, float) else value for path, value in overrides.items()}
    return ", ".join(f"{path.rpartition('.')[2]} {value}" for path, value in shown.items()) or "the base"


def _base_values(record: RunRecord, paths: list[str]) -> dict[str, Scalar | None]:
    """What the base has for each swept path, defaults included; None where its strategy cannot be found any more."""
    spec = record.begun.plan.spec
    declared = {}
    try:
        registry = StrategyRegistry()
        for strategy in record.begun.strategies:
            registry.load(strategy)
        declared = {PARAMS + each.name: each.of(spec) for each in registry.parameters(spec.entry.type) or ()}
    except SurefillError:
        pass
    found: dict[str, Scalar | None] = {}
    for path in paths:
        value: Any = spec.model_dump()
        for name in path.split(".", 2):
            value = value.get(name) if isinstance(value, dict) else None
        found[path] = declared.get(path, value)
    return found
