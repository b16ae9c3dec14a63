"""The variants that a page draws, run once more: a run keeps their figures, not their curves and trades.

The best one goes through the engine, into a journal that is verified; the others take whichever path they may. What
comes of them is compared with what the run has recorded.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import msgspec

from surefill.domain import codec
from surefill.journal import Batch, MemoryJournal, StreamVerification, verify
from surefill.market.series import BarSeries
from surefill.sweep.events import Curve, Outcome, VariantCompleted
from surefill.sweep.executors import InProcess
from surefill.sweep.orchestrator import Market, compare, conditions_of
from surefill.sweep.result import RunResult
from surefill.sweep.run_record import Key, RunRecord
from surefill.sweep.split import WHOLE, Segment, inside
from surefill.sweep.workbench import Job, Ran, Task
from surefill.views.performance import Performance, performance


class Told(NamedTuple):
    """The best variant over one segment of time, and what its journal vouches for.

    Daily figures, turnover and mean excursions are the run's own, to the last bit. A journal alone cannot tell a fill
    at a bar's close from one at the open of a bar that begins at that very moment: the curve of its closes counts both.
    """

    segment: Segment
    performance: Performance
    proof: StreamVerification


class Rerun(NamedTuple):
    """What was run once more.

    `segments`: what was chosen on, and what it was judged by, if anything. `curves`: daily equity, `starts` what each
    began with; `best`: in order of time. `differs`: what came out otherwise than the run has recorded: nothing must.
    """

    segments: tuple[Segment, ...]
    series: Mapping[str, BarSeries]
    curves: Mapping[Key, Curve]
    starts: Mapping[Key, int]
    best: tuple[Told, ...]
    differs: tuple[str, ...]


def rerun(record: RunRecord, result: RunResult, market: Market, top: int) -> Rerun:
    """The `top` best variants and the baseline over the latest segment that was chosen on; best and baseline after it.

    Raises LocalError (RUN_CHANGED) where the market is not the one of the run.
    """
    begun, plan = record.begun, record.begun.plan
    now = conditions_of(market, fill_at=begun.fill_at, strategies=begun.strategies)
    compare(plan.run_plan_id, begun.conditions, now)
    segments = (begun.windows[-1].train, begun.windows[-1].test) if begun.windows else (WHOLE,)
    series = {symbol: market.series[symbol] for symbol in plan.spec.symbols}
    job = Job(plan.run_plan_id, plan.base, market.settings, begun.strategies, begun.fill_at, begun.path)
    curves: dict[Key, Curve] = {}
    starts: dict[Key, int] = {}
    best, differs = [], []
    tasks = list(_tasks(record, result, segments, top))
    for ran in InProcess(series).run(job, tasks, lambda: False):
        outcome = ran.outcome
        key = outcome.variant_id, outcome.segment
        if not _is_same(outcome, record.outcomes[key]):
            differs.append(" ".join(key).rstrip())
        if isinstance(outcome, VariantCompleted) and outcome.curve is not None:
            curves[key], starts[key] = outcome.curve, outcome.metrics.starting_equity
            if ran.payloads:
                (segment,) = (each for each in segments if each.name == outcome.segment)
                best.append(_told(ran, outcome, segment, series))
    return Rerun(segments, series, curves, starts, tuple(best), tuple(differs))


def _tasks(record: RunRecord, result: RunResult, segments: tuple[Segment, ...], top: int) -> Iterator[Task]:
    """What has run over a segment before, and is to be drawn: of the best its journal is wanted."""
    baseline = result.plan.variants[0].variant_id
    ranks = {row.variant.variant_id: row.rank for row in result.rows if row.segment == segments[0].name}
    variants = {variant.variant_id: variant for variant in result.plan.variants}
    for segment in segments:
        for name, variant in variants.items():
            shown = name in (result.best, baseline)
            if segment is segments[0]:
                shown = shown or (ranks.get(name) or top + 1) <= top
            if shown and isinstance(record.outcomes.get((name, segment.name)), VariantCompleted):
                yield Task(variant, segment, with_curve=True, with_journal=name == result.best)


def _is_same(outcome: Outcome, before: Outcome) -> bool:
    """Whether the figures are those from before, and the journal too, where both went through the engine."""
    if not (isinstance(outcome, VariantCompleted) and isinstance(before, VariantCompleted)):
        return False
    heads = {outcome.head, before.head} - {""}
    return outcome.metrics == before.metrics and len(heads) <= 1


def _told(ran: Ran, outcome: VariantCompleted, segment: Segment, series: Mapping[str, BarSeries]) -> Told:
    journal = MemoryJournal()
    journal.append([Batch(journal.open_stream(ran.workspace_id), ran.payloads, ran.claims)])
    events = (codec.decode(record.payload) for record in journal.read(ran.workspace_id))
    found, own = performance(events, inside(series, segment)), outcome.metrics
    found = msgspec.structs.replace(
        found, daily=own.daily, turnover=own.turnover, mae_pct=own.mae_pct, mfe_pct=own.mfe_pct
    )
    (proof,) = verify(journal).streams
    return Told(segment, found, proof)
