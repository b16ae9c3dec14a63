"""The generator: a base spec and constraints in, a plan of variants out.

In this order: the baseline; the combinations of the grid (or the samples); ablations, which are the first combination
with one swept parameter back at the base's value; without what has been there already; at most `max_variants`. A plan
that searches begins with its baseline alone, and grows while it runs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Final, Literal

import msgspec

from surefill.errors import InputError
from surefill.strategy.registry import StrategyRegistry
from surefill.strategy.spec import ExecutionSpec, load_spec
from surefill.sweep.axes import Axis, Sampling, Values, check_sampling, points
from surefill.sweep.canonical import base_of, plan_id_of, variant_ids_over
from surefill.sweep.objectives import Objective
from surefill.sweep.overrides import INVALID, Scalar, Sweepable
from surefill.sweep.split import Split

MAX_VARIANTS: Final = 25
#: What the HTTP door takes at most; nobody else has such a cap.
MAX_VARIANTS_HTTP: Final = 200
LEFT_OUT_LISTED: Final = 20
#: A plan that leaves out more than so many says only that.
BEYOND_COUNTED: Final = 1_000

Kind = Literal["baseline", "grid", "sample", "ablation", "trial"]


class Constraints(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What to try. `sweep`: by path a list of values, or a span {min, max, step}.

    `max_variants` counts the baseline; None: no cap. `samples` and `seed` are those of random sampling, and of a search
    (`bayes`) that asks for `batch` variants at a time and has no ablations.
    """

    sweep: dict[str, Axis] = {}
    max_variants: Annotated[int, msgspec.Meta(ge=1)] | None = MAX_VARIANTS
    ablations: bool = True
    sampling: Sampling = "grid"
    samples: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)] = 0
    seed: int = 0
    batch: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 8


class Variant(msgspec.Struct, frozen=True, gc=False):
    """One set of overrides. `index` is its place in the plan."""

    index: int
    variant_id: str
    kind: Kind
    overrides: dict[str, Scalar]


class LeftOut(msgspec.Struct, frozen=True):
    """A combination that the strategy itself refuses, and why."""

    overrides: dict[str, Scalar]
    reason: str


class RunPlan(msgspec.Struct, frozen=True, omit_defaults=True):
    """What to run. `base` is the spec's content; `conditions` say under which circumstances (bars, costs …).

    `run_plan_id` follows from all of it. `refused` counts the combinations that the strategy refuses, `left_out` has
    the first of them; `beyond_max` those that `max_variants` cut off, counted up to `BEYOND_COUNTED`. `asked` are the
    ids of the variants that a search tries, by segment of time: it is one of its own for each that choices are made on.
    """

    run_plan_id: str
    base: dict[str, Any]
    constraints: Constraints
    objective: Objective
    split: Split | None
    conditions: dict[str, str]
    variants: tuple[Variant, ...]
    refused: int
    left_out: tuple[LeftOut, ...]
    beyond_max: int
    asked: dict[str, tuple[str, ...]] = {}

    def variants_in(self, segment: str) -> Sequence[Variant]:
        """The variants that are tried over a segment, the baseline first."""
        if segment not in self.asked:
            return self.variants
        ids = {self.variants[0].variant_id, *self.asked[segment]}
        return [variant for variant in self.variants if variant.variant_id in ids]

    def grown(self, segment: str, variants: Sequence[Variant], left_out: Sequence[LeftOut]) -> RunPlan:
        """The plan with what a search tries next over a segment, and what the strategy refused of it."""
        known = {variant.variant_id for variant in self.variants}
        asked = self.asked.get(segment, ()) + tuple(variant.variant_id for variant in variants)
        return msgspec.structs.replace(
            self,
            variants=self.variants + tuple(variant for variant in variants if variant.variant_id not in known),
            refused=self.refused + len(left_out),
            left_out=(self.left_out + tuple(left_out))[:LEFT_OUT_LISTED],
            asked={**self.asked, segment: asked},
        )

    @property
    def spec(self) -> ExecutionSpec:
        """The base."""
        return load_spec(self.base)


def load_constraints(data: Mapping[str, object] | bytes) -> Constraints:
    """Constraints from JSON, decoded or not. Raises InputError (INVALID_JSON, INVALID_CONSTRAINTS)."""
    try:
        if isinstance(data, bytes):
            data = msgspec.json.decode(data)
        return msgspec.convert(data, Constraints)
    except msgspec.ValidationError as error:
        raise InputError(f"the constraints are not valid: {error}", code=INVALID) from error
    except msgspec.DecodeError as error:
        raise InputError(f"the constraints are no JSON: {error}", code="INVALID_JSON") from error


def generate(
    base: ExecutionSpec | Mapping[str, object],
    constraints: Constraints | Mapping[str, object] | None = None,
    *,
    objective: Objective = "sharpe",
    split: Split | None = None,
    conditions: Mapping[str, str] | None = None,
    registry: StrategyRegistry | None = None,
) -> RunPlan:
    """A plan. Raises InputError: INVALID_BASE_SPEC, INVALID_CONSTRAINTS.

    A combination that the strategy refuses (fast not below slow) is left out and counted.
    """
    registry = registry or StrategyRegistry()
    spec = base if isinstance(base, ExecutionSpec) else load_spec(base, code="INVALID_BASE_SPEC")
    try:
        registry.check(spec)
    except InputError as error:
        raise InputError(error.message, code="INVALID_BASE_SPEC", **error.values) from error
    if constraints is None:
        constraints = Constraints()
    elif not isinstance(constraints, Constraints):
        constraints = load_constraints(constraints)
    content = base_of(spec)
    told = dict(conditions or {})
    making = _Making(spec, content, constraints, registry)
    variants = tuple(making.variants())
    return RunPlan(
        plan_id_of(
            {
                "base": content,
                "constraints": msgspec.to_builtins(constraints),
                "objective": objective,
                "split": msgspec.to_builtins(split),
                "conditions": told,
            }
        ),
        content,
        constraints,
        objective,
        split,
        told,
        variants,
        making.refused,
        tuple(making.left_out),
        making.beyond_max,
    )


def axes_of(constraints: Constraints, sweepable: Sweepable) -> list[Values]:
    """The axes of what is swept. Raises InputError for what cannot be."""
    check_sampling(constraints.sampling, constraints.samples, constraints.sweep)
    axes = []
    for path, axis in constraints.sweep.items():
        sweepable.check_path(path)
        values = Values(path, axis, whole=sweepable.is_whole(path))
        for value in values.ends():
            sweepable.check_value(path, value)
        axes.append(values)
    return axes


class _Making:
    """One plan while it is made."""

    def __init__(
        self,
        spec: ExecutionSpec,
        content: Mapping[str, object],
        constraints: Constraints,
        registry: StrategyRegistry,
    ) -> None:
        self._sweepable = Sweepable(spec, registry)
        self._id_of = variant_ids_over(content)
        self._constraints = constraints
        self._axes = axes_of(constraints, self._sweepable)
        self.refused = self.beyond_max = 0
        self.left_out: list[LeftOut] = []

    def variants(self) -> Iterator[Variant]:
        """Baseline, combinations, ablations; each effective spec once; up to the cap."""
        cap = self._constraints.max_variants
        if self._constraints.sampling == "bayes" and cap is not None:
            self.beyond_max = max(self._constraints.samples - (cap - 1), 0)
        seen: set[str] = set()
        for kind, overrides in self._offered():
            try:
                spec = self._sweepable.draft(overrides)
            except InputError as error:
                self._leave_out(overrides, error.message)
                continue
            effective = self._sweepable.effective(spec)
            if effective in seen:
                continue
            if len(seen) == cap:
                self.beyond_max += 1
                if self.beyond_max == BEYOND_COUNTED:
                    return
                continue
            yield Variant(len(seen), self._id_of(overrides), kind, overrides)
            seen.add(effective)

    def _offered(self) -> Iterator[tuple[Kind, dict[str, Scalar]]]:
        yield "baseline", {}
        constraints = self._constraints
        kind: Kind = "grid" if constraints.sampling == "grid" else "sample"
        first: dict[str, Scalar] = {}
        for overrides in points(self._axes, constraints.sampling, constraints.samples, constraints.seed):
            first = first or (overrides if self._goes_together(overrides) else first)
            yield kind, overrides
        if constraints.ablations and constraints.sampling != "bayes":
            for path in first:
                yield "ablation", {name: value for name, value in first.items() if name != path}

    def _goes_together(self, overrides: Mapping[str, Scalar]) -> bool:
        try:
            self._sweepable.draft(overrides)
        except InputError:
            return False
        return True

    def _leave_out(self, overrides: dict[str, Scalar], reason: str) -> None:
        self.refused += 1
        if self.refused <= LEFT_OUT_LISTED:
            self.left_out.append(LeftOut(overrides, reason))
