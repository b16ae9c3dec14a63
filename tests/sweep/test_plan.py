"""The contract's table of run plans: ids, overrides, the generator, isolation, sampling."""

from __future__ import annotations

import hashlib
import json
import uuid
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surefill.errors import InputError
from surefill.strategy import Decision, EntrySpec, ExecutionSpec, Parameter, StrategyRegistry
from surefill.sweep import VARIANT_NS, apply_overrides, canonical_json, generate, load_constraints, workspace_of
from surefill.sweep.plan import MAX_VARIANTS, MAX_VARIANTS_HTTP, RunPlan

BREAKOUT: dict[str, Any] = {
    "workspace_id": "w",
    "symbols": ["AAPL"],
    "entry": {"type": "breakout_52w_high"},
    "risk": {"dollars_per_trade": 1000},
}
CROSS = {**BREAKOUT, "entry": {"type": "ema_cross"}}


def _tried(plan: RunPlan) -> list[tuple[str, dict[str, Any]]]:
    return [(variant.kind, variant.overrides) for variant in plan.variants]


def test_variant_id_is_the_hash_of_base_and_overrides() -> None:
    plan = generate(BREAKOUT, {"sweep": {"entry.lookback_days": [100]}})
    base = {
        "workspace_id": "w",
        "symbols": ["AAPL"],
        "strategy_id": "breakout_52w_high",
        "name": "breakout_52w_high",
        "entry": {"type": "breakout_52w_high"},
        "risk": {"dollars_per_trade": 1000},
    }
    text = json.dumps({"base": base, "overrides": {"entry.lookback_days": 100}}, sort_keys=True, separators=(",", ":"))
    assert plan.variants[1].variant_id == hashlib.sha256(text.encode()).hexdigest()[:16]


def test_variant_ids_of_this_version_are_those_of_every_version() -> None:
    plan = generate(BREAKOUT, {"sweep": {"entry.lookback_days": [100, 200], "risk.max_positions": [1]}})
    assert [variant.variant_id for variant in plan.variants] == [
        "592579d77ce3f24e",
        "914fcb917ccf0176",
        "b7003a7b437a068f",
        "e637c153197d4c51",
        "39eda502e4dbd1af",
    ]
    assert plan.run_plan_id == "4160ce16-fe72-57dc-838d-76bf05a17628"


@pytest.mark.parametrize(
    "same",
    [
        {"instance_id": "made-by-the-server"},
        {"created_at": "2026-01-01T00:00:00+00:00"},
        {"timeframe": "daily"},
        {"enabled": True},
        {"risk": {"dollars_per_trade": 1000.0, "max_positions": 5}},
        {"entry": {"type": "breakout_52w_high", "lookback_days": 252, "params": {}}},
    ],
)
def test_same_request_otherwise_written_gives_the_same_ids(same: dict[str, Any]) -> None:
    constraints = {"sweep": {"entry.lookback_days": [100]}}
    assert generate({**BREAKOUT, **same}, constraints) == generate(BREAKOUT, constraints)


@pytest.mark.parametrize("other", [{"symbols": ["IBM"]}, {"timeframe": "1h"}, {"exit": {"type": "none"}}])
def test_another_request_gives_other_ids(other: dict[str, Any]) -> None:
    first, second = generate(BREAKOUT), generate({**BREAKOUT, **other})
    assert first.variants[0].variant_id != second.variants[0].variant_id
    assert first.run_plan_id != second.run_plan_id


def test_conditions_make_another_plan_of_the_same_variants() -> None:
    first, second = generate(BREAKOUT), generate(BREAKOUT, conditions={"bars": "others"})
    assert (first.run_plan_id == second.run_plan_id, first.variants == second.variants) == (False, True)


def test_workspace_of_a_variant_is_its_uuid5() -> None:
    assert uuid.UUID("8f3c2a2e-9d9a-4b2e-9f6b-3c3a4c1e9a01") == VARIANT_NS
    assert workspace_of("plan", "variant") == str(uuid.uuid5(VARIANT_NS, "plan:variant"))
    assert workspace_of("plan", "variant", "test") != workspace_of("plan", "variant")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"b": 1, "a": [1.0, 2.5, True, None]}, '{"a":[1,2.5,true,null],"b":1}'),
        ({"é": 1e300}, '{"é":' + str(int(1e300)) + "}"),
        ((1, "1"), '[1,"1"]'),
    ],
)
def test_canonical_json_has_one_spelling(value: object, text: str) -> None:
    assert canonical_json(value) == text


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {1, 2}, b"x"])
def test_canonical_json_refuses_what_json_cannot_say(value: object) -> None:
    with pytest.raises(InputError, match="no place in JSON"):
        canonical_json(value)


@pytest.mark.parametrize(
    ("overrides", "what"),
    [
        ({"entry.lookback": 3}, "cannot be swept"),
        ({"symbols": "AAPL"}, "cannot be swept"),
        ({"entry.params.fast": 3}, "cannot be swept"),  # a breakout has no such parameter
        ({"exit.stop_loss_pct": 3.0}, "cannot be swept"),  # its exit is no stop_target
        ({"entry..lookback_days": 3}, "no dotted path"),
        ({"": 3}, "no dotted path"),
        ({".entry": 3}, "no dotted path"),
        ({"entry": {"lookback_days": 3}}, "cannot be swept"),
        ({"entry.lookback_days": [3]}, "must be a plain value"),
        ({"entry.lookback_days": {"a": 1}}, "must be a plain value"),
        ({"entry.lookback_days": None}, "must be a plain value"),
        ({"risk.dollars_per_trade": float("nan")}, "must be a plain value"),
        ({"entry.lookback_days": 0}, "greater than or equal to 1"),
        ({"entry.lookback_days": 2.5}, "valid integer"),
        ({"risk.max_positions": "many"}, "valid integer"),
    ],
)
def test_override_that_cannot_be_is_refused(overrides: dict[str, Any], what: str) -> None:
    base = generate(BREAKOUT).spec
    with pytest.raises(InputError, match=what) as refused:
        apply_overrides(base, overrides)
    assert refused.value.code == "INVALID_CONSTRAINTS"


def test_overrides_reach_every_sweepable_path() -> None:
    base = generate({**CROSS, "exit": {"type": "stop_target", "stop_loss_pct": 5.0}}).spec
    overrides = {
        "entry.lookback_days": 7,
        "risk.dollars_per_trade": 500,
        "risk.max_positions": 2,
        "entry.params.fast": 3,
        "exit.stop_loss_pct": 2.5,
        "exit.time_stop_bars": 4,
    }
    made = apply_overrides(base, overrides)
    assert (made.entry.lookback_days, made.risk.dollars_per_trade, made.risk.max_positions) == (7, 500.0, 2)
    assert made.exit is not None
    assert (made.entry.params, made.exit.stop_loss_pct, made.exit.time_stop_bars) == ({"fast": 3}, 2.5, 4)
    assert (base.entry.params, made.instance_id != base.instance_id) == ({}, True)


class _Undeclared:
    name = "undeclared"

    def evaluate(self, spec: ExecutionSpec, snapshot: object, position: object) -> list[Decision]:
        return []


class _Declared(_Undeclared):
    name = "declared"
    parameters = (Parameter("n", 3, 1, 9), Parameter("seed", 1, 0, 99, sweepable=False))


@pytest.mark.parametrize(("name", "paths"), [("undeclared", {"free"}), ("declared", {"n"})])
def test_own_strategy_is_swept_by_what_it_declares(name: str, paths: set[str]) -> None:
    registry = StrategyRegistry()
    registry.add(_Undeclared)
    registry.add(_Declared)
    params = {"free": 1} if name == "undeclared" else {"seed": 5}
    base = {**BREAKOUT, "entry": {"type": name, "params": params}}
    for path in ("n", "seed", "free"):
        constraints = {"sweep": {f"entry.params.{path}": [2]}}
        if path in paths:
            assert len(generate(base, constraints, registry=registry).variants) == 2
        else:
            with pytest.raises(InputError, match="cannot be swept"):
                generate(base, constraints, registry=registry)


def test_generator_gives_baseline_then_grid_then_ablations() -> None:
    plan = generate(BREAKOUT, {"sweep": {"entry.lookback_days": [10, 20], "risk.max_positions": [1, 2]}})
    grid = [{"entry.lookback_days": days, "risk.max_positions": most} for days in (10, 20) for most in (1, 2)]
    assert _tried(plan) == [
        ("baseline", {}),
        *(("grid", overrides) for overrides in grid),
        ("ablation", {"risk.max_positions": 1}),
        ("ablation", {"entry.lookback_days": 10}),
    ]
    assert [variant.index for variant in plan.variants] == list(range(7))


@pytest.mark.parametrize(
    ("base", "sweep", "kinds"),
    [
        (BREAKOUT, {}, "b"),
        (BREAKOUT, {"entry.lookback_days": [10]}, "bg"),  # its ablation is the baseline
        (BREAKOUT, {"entry.lookback_days": [252, 10]}, "bg"),  # so is the base's own value
        (BREAKOUT, {"entry.lookback_days": [10, 10]}, "bg"),
        (CROSS, {"entry.params.fast": [20, 10]}, "bg"),  # the default, which the base does not name
        (BREAKOUT, {"entry.lookback_days": [10], "risk.max_positions": [5, 1]}, "bgg"),  # and the ablation a grid's
        (BREAKOUT, {"risk.dollars_per_trade": [1000.0, 1]}, "bg"),
    ],
)
def test_what_was_there_already_is_left_out(base: dict[str, Any], sweep: dict[str, Any], kinds: str) -> None:
    assert "".join(variant.kind[0] for variant in generate(base, {"sweep": sweep}).variants) == kinds


@pytest.mark.parametrize(("cap", "made", "beyond"), [(1, 1, 11), (5, 5, 7), (12, 12, 0), (13, 12, 0), (None, 12, 0)])
def test_max_variants_counts_the_baseline_and_says_what_it_cuts_off(cap: int | None, made: int, beyond: int) -> None:
    sweep = {"entry.lookback_days": list(range(1, 4)), "risk.max_positions": [1, 2, 3]}
    plan = generate(BREAKOUT, {"sweep": sweep, "max_variants": cap})
    assert (len(plan.variants), plan.beyond_max) == (made, beyond)


def test_max_variants_is_25_and_200_for_the_http_door() -> None:
    assert (MAX_VARIANTS, MAX_VARIANTS_HTTP) == (25, 200)
    plan = generate(BREAKOUT, {"sweep": {"entry.lookback_days": {"min": 1, "max": 100_000}}})
    assert (len(plan.variants), plan.beyond_max) == (25, 1_000)


def test_combination_that_the_strategy_refuses_is_left_out_and_counted() -> None:
    plan = generate(CROSS, {"sweep": {"entry.params.fast": [30, 10], "entry.params.slow": [20, 40]}})
    assert _tried(plan)[1:] == [
        ("grid", {"entry.params.fast": 30, "entry.params.slow": 40}),
        ("grid", {"entry.params.fast": 10, "entry.params.slow": 20}),
        ("grid", {"entry.params.fast": 10, "entry.params.slow": 40}),
        ("ablation", {"entry.params.slow": 40}),  # of the first combination that can be
        ("ablation", {"entry.params.fast": 30}),
    ]
    assert plan.refused == 1
    assert plan.left_out[0].overrides == {"entry.params.fast": 30, "entry.params.slow": 20}
    assert "must be below" in plan.left_out[0].reason


@pytest.mark.parametrize(
    ("span", "values"),
    [
        ({"min": 1, "max": 4}, [1, 2, 3, 4]),
        ({"min": 10, "max": 25, "step": 7}, [10, 17, 24]),
        ({"min": 3, "max": 3}, [3]),
    ],
)
def test_span_of_whole_numbers_is_listed(span: dict[str, Any], values: list[int]) -> None:
    plan = generate(BREAKOUT, {"sweep": {"entry.lookback_days": span}})
    assert [variant.overrides.get("entry.lookback_days") for variant in plan.variants[1:]] == values


def test_span_of_fractions_is_listed_in_decimals() -> None:
    base = {**BREAKOUT, "entry": {"type": "rsi_reversal"}}
    plan = generate(base, {"sweep": {"entry.params.lower": {"min": 0.1, "max": 0.7, "step": 0.2}}})
    assert [variant.overrides["entry.params.lower"] for variant in plan.variants[1:]] == [0.1, 0.3, 0.5, 0.7]


@pytest.mark.parametrize(
    ("constraints", "what"),
    [
        ({"sweep": {"entry.lookback_days": []}}, "has no values"),
        ({"sweep": {"entry.lookback_days": {"min": 5, "max": 1}}}, "must not be above"),
        ({"sweep": {"entry.lookback_days": {"min": 1, "max": 5, "step": 0}}}, "steps of 0"),
        ({"sweep": {"entry.lookback_days": {"min": 1, "max": 5, "step": 0.5}}}, "takes whole numbers"),
        ({"sweep": {"risk.dollars_per_trade": {"min": 1, "max": 5}}}, "needs a step"),
        ({"sweep": {"risk.dollars_per_trade": {"min": 1, "max": 5e9, "step": 1}}}, "use a larger step"),
        ({"sweep": {"entry.lookback_days": [1, [2]]}}, "not valid"),
        ({"sweep": {"entry.lookback_days": 5}}, "not valid"),
        ({"sweep": {"entry.lookback_days": [0]}}, "greater than or equal"),
        ({"max_variants": 0}, "not valid"),
        ({"max_variant": 5}, "not valid"),
        ({"sampling": "random"}, "needs samples"),
        ({"samples": 5}, "belong to random"),
        ({"sampling": "halton"}, "not valid"),
    ],
)
def test_constraints_that_cannot_be_are_refused(constraints: dict[str, Any], what: str) -> None:
    with pytest.raises(InputError, match=what) as refused:
        generate(BREAKOUT, constraints)
    assert refused.value.code == "INVALID_CONSTRAINTS"


def test_constraints_and_base_that_are_wrong_have_codes_of_their_own() -> None:
    with pytest.raises(InputError) as no_json:
        load_constraints(b"{")
    with pytest.raises(InputError) as no_base:
        generate({**BREAKOUT, "risk": {}})
    with pytest.raises(InputError) as unknown:
        generate({**BREAKOUT, "entry": {"type": "guess"}})
    assert [each.value.code for each in (no_json, no_base, unknown)] == [
        "INVALID_JSON",
        "INVALID_BASE_SPEC",
        "INVALID_BASE_SPEC",
    ]


SPANS = {"entry.params.fast": {"min": 1, "max": 40}, "entry.params.slow": {"min": 41, "max": 140, "step": 1}}


def _sampled(how: str, samples: int, seed: int, **more: Any) -> RunPlan:
    constraints = {"sweep": SPANS, "sampling": how, "samples": samples, "seed": seed, "max_variants": None, **more}
    return generate(CROSS, constraints)


@pytest.mark.parametrize("how", ["random", "latin_hypercube"])
def test_samples_follow_from_the_seed(how: str) -> None:
    assert _sampled(how, 12, 7) == _sampled(how, 12, 7)
    assert _tried(_sampled(how, 12, 7)) != _tried(_sampled(how, 12, 8))
    kinds = [variant.kind for variant in _sampled(how, 12, 7).variants]
    assert (kinds[0], set(kinds[1:13])) == ("baseline", {"sample"})


@settings(max_examples=30)
@given(st.integers(1, 40), st.integers(0, 2**64))
def test_latin_hypercube_has_one_value_in_every_part_of_every_axis(samples: int, seed: int) -> None:
    plan = _sampled("latin_hypercube", samples, seed, ablations=False)
    drawn = [variant.overrides for variant in plan.variants if variant.kind == "sample"]
    if len(drawn) == samples:  # else two samples met
        for path, span in SPANS.items():
            width = span["max"] - span["min"] + 1
            shares = sorted(int(point[path]) - span["min"] for point in drawn)
            for part, value in enumerate(shares):
                assert part * width // samples <= value <= (part + 1) * width // samples


@settings(max_examples=30)
@given(st.integers(0, 2**64))
def test_samples_stay_within_their_axes(seed: int) -> None:
    sweep: dict[str, Any] = {"risk.dollars_per_trade": {"min": 10, "max": 11}, "risk.max_positions": [1, 3]}
    constraints = {"sweep": sweep, "sampling": "random", "samples": 8, "seed": seed, "ablations": False}
    for variant in generate(BREAKOUT, constraints).variants[1:]:
        assert 10 <= float(variant.overrides["risk.dollars_per_trade"]) <= 11
        assert variant.overrides["risk.max_positions"] in (1, 3)


def test_base_may_be_a_spec() -> None:
    spec = ExecutionSpec.model_validate(BREAKOUT)
    assert generate(spec) == generate(BREAKOUT)
    assert generate(spec).spec.model_dump(exclude={"instance_id"}) == spec.model_dump(exclude={"instance_id"})
    assert EntrySpec(type="breakout_52w_high") == generate(spec).spec.entry
