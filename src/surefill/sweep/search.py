"""A search that learns: what to try next, by what came of what was tried. Needs the extra `surefill[search]`.

The sampler is Optuna's tree-structured Parzen estimator, over all swept parameters together.

1. A batch follows from the plan and from what is known of the batches before it over the same segment of time, and from
   nothing else: not from the number of workers, not from the order in which outcomes came, not from earlier batches of
   this process. A run that goes on in another process tells a new sampler what is known, and gets the same answer.
2. Every segment that choices are made on has a search of its own, which never sees what comes after it.
3. What the strategy refuses, and what failed or has no score, is told as pruned: worse than every score. A proposal
   that has been there is not run again.
4. What was asked is in the journal before it is run. (Another version of Optuna may ask otherwise; a run goes on all
   the same, with what the journal says.)
"""

from __future__ import annotations

import hashlib
import math
import warnings
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from surefill.errors import ConfigError, InputError
from surefill.sweep.axes import Values
from surefill.sweep.canonical import variant_id_of
from surefill.sweep.events import VariantsAsked
from surefill.sweep.objectives import score
from surefill.sweep.overrides import Sweepable
from surefill.sweep.plan import LeftOut, RunPlan, Variant, axes_of
from surefill.sweep.result import metrics_in
from surefill.sweep.run_record import RunRecord

if TYPE_CHECKING:
    from optuna import Study
    from optuna.distributions import BaseDistribution
    from optuna.trial import FrozenTrial

#: For each variant that is wanted, so many proposals at most: the others were refused, or had been there.
PROPOSALS_MAX: Final = 20


class Search:
    """The search of a plan, over the segments that it chooses on. Raises ConfigError (MISSING_EXTRA) without Optuna."""

    def __init__(self, plan: RunPlan, sweepable: Sweepable, segments: Sequence[str]) -> None:
        _check_there()
        self._sweepable = sweepable
        self._segments = segments
        self._constraints = plan.constraints
        self._axes = axes_of(plan.constraints, sweepable)
        self._baseline = sweepable.effective(plan.spec)
        self._trials = trials_of(plan)

    def next_round(self, record: RunRecord) -> list[VariantsAsked]:
        """The next batch of each segment whose search has not ended; all that was asked before must be known."""
        made = []
        plan = record.plan
        for segment in self._segments:
            wanted = self._wanted(record, segment)
            if wanted:
                asked = self._batch(record, plan, segment, wanted)
                plan = plan.grown(segment, asked.variants, asked.left_out)
                made.append(asked)
        return made

    def most(self, record: RunRecord) -> int:
        """How many variants run over all segments at most; no more than that once each search has ended."""
        known = sum(len(record.plan.variants_in(segment)) for segment in self._segments)
        rest = sum(
            self._trials - _count(record, segment) for segment in self._segments if self._wanted(record, segment)
        )
        return known + rest

    def _wanted(self, record: RunRecord, segment: str) -> int:
        asked = record.asked.get(segment)
        if asked and not asked[-1].variants:
            return 0
        return min(self._constraints.batch, self._trials - _count(record, segment))

    def _batch(self, record: RunRecord, plan: RunPlan, segment: str, wanted: int) -> VariantsAsked:
        from optuna.trial import TrialState

        study = self._study(record, segment)
        space = _space(self._axes)
        indexes = {variant.variant_id: variant.index for variant in plan.variants}
        before = record.asked.get(segment, ())
        seen = {variant.variant_id for each in before for variant in each.variants}
        seen |= {variant_id_of(plan.base, left.overrides) for each in before for left in each.left_out}
        fresh: list[Variant] = []
        left_out: list[LeftOut] = []
        for _ in range(PROPOSALS_MAX * wanted):
            if len(fresh) == wanted:
                break
            trial = study.ask(space)
            overrides = {axis.path: axis.at_place(trial.params[axis.path]) for axis in self._axes}
            variant_id = variant_id_of(plan.base, overrides)
            if variant_id in seen:  # it stays under way, which leads the sampler elsewhere
                continue
            seen.add(variant_id)
            try:
                effective = self._sweepable.effective(self._sweepable.spec(overrides))
            except InputError as error:
                left_out.append(LeftOut(overrides, error.message))
                study.tell(trial, state=TrialState.PRUNED)
                continue
            if effective != self._baseline:
                index = indexes.setdefault(variant_id, len(indexes))
                fresh.append(Variant(index, variant_id, "trial", overrides))
        return VariantsAsked(segment, tuple(fresh), tuple(left_out))

    def _study(self, record: RunRecord, segment: str) -> Study:
        """A study that knows what is known, in the order in which it was asked."""
        import optuna

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        number = len(record.asked.get(segment, ()))
        with warnings.catch_warnings():  # that these options may change, in some versions
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            sampler = optuna.samplers.TPESampler(
                seed=_seed(self._constraints.seed, segment, number), multivariate=True, constant_liar=True
            )
        study = optuna.create_study(direction="maximize", sampler=sampler)
        study.add_trials(self._told(record, segment))
        return study

    def _told(self, record: RunRecord, segment: str) -> Iterator[FrozenTrial]:
        from optuna.trial import TrialState, create_trial

        space = _space(self._axes)
        for asked in record.asked.get(segment, ()):
            tried = [(left.overrides, None) for left in asked.left_out] + [
                (variant.overrides, _score(record, variant, segment)) for variant in asked.variants
            ]
            for overrides, value in tried:
                yield create_trial(
                    params={axis.path: axis.place_of(overrides[axis.path]) for axis in self._axes},
                    distributions=space,
                    value=value,
                    state=TrialState.PRUNED if value is None else TrialState.COMPLETE,
                )


def trials_of(plan: RunPlan) -> int:
    """How many variants a search may try over each segment, besides the baseline."""
    cap, samples = plan.constraints.max_variants, plan.constraints.samples
    return samples if cap is None else min(samples, cap - 1)


def _count(record: RunRecord, segment: str) -> int:
    return sum(len(each.variants) for each in record.asked.get(segment, ()))


def _score(record: RunRecord, variant: Variant, segment: str) -> float | None:
    found = metrics_in(record.outcomes, variant.variant_id, segment)
    value = None if found is None else score(record.plan.objective, found)
    return value if value is not None and math.isfinite(value) else None


def _space(axes: Sequence[Values]) -> dict[str, BaseDistribution]:
    """Places on the axes: numbers in ascending order, so that neighbours resemble each other; text has no order."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    space: dict[str, BaseDistribution] = {}
    for axis in axes:
        if not axis.count:
            space[axis.path] = FloatDistribution(0.0, 1.0)
        elif axis.is_ordered:
            space[axis.path] = IntDistribution(0, axis.count - 1)
        else:
            space[axis.path] = CategoricalDistribution(range(axis.count))
    return space


def _seed(seed: int, segment: str, number: int) -> int:
    """Another chance for each batch, that follows from the plan's."""
    return int.from_bytes(hashlib.sha256(f"{seed}:{segment}:{number}".encode()).digest()[:4], "big")


def _check_there() -> None:
    try:
        import optuna  # noqa: F401
    except ImportError as error:
        raise ConfigError(
            "a search needs Optuna; install it with: pip install 'surefill[search]'", code="MISSING_EXTRA"
        ) from error
