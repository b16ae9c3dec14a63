from __future__ import annotations

import uuid
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

import surefill.strategy.spec
from surefill.errors import InputError
from surefill.strategy import EntrySpec, ExecutionSpec, ExitSpec, RiskSpec, load_spec

LEAST: dict[str, Any] = {
    "workspace_id": "w",
    "symbols": ["AAPL"],
    "entry": {"type": "breakout_52w_high"},
    "risk": {"dollars_per_trade": 1000},
}


def _changed(path: str, value: object) -> dict[str, Any]:
    data: dict[str, Any] = {**LEAST, "entry": dict(LEAST["entry"]), "risk": dict(LEAST["risk"])}
    *parents, last = path.split(".")
    target = data
    for parent in parents:
        target = target.setdefault(parent, {})
    target[last] = value
    return data


def test_spec_has_the_fields_and_defaults_of_the_contract() -> None:
    spec = load_spec(LEAST)
    assert set(ExecutionSpec.model_fields) == {
        *("strategy_id", "instance_id", "name", "workspace_id", "symbols", "timeframe"),
        *("entry", "exit", "risk", "enabled", "created_at"),
    }
    assert (spec.entry.lookback_days, spec.risk.max_positions, spec.enabled, spec.timeframe) == (252, 5, True, "1d")
    assert (spec.strategy_id, spec.name, spec.exit, spec.created_at) == ("breakout_52w_high",) * 2 + (None, None)


def test_spec_of_the_docstring_is_valid() -> None:
    text = (surefill.strategy.spec.__doc__ or "").partition("::\n")[2]
    spec = load_spec(yaml.safe_load(text))
    assert (spec.symbols, spec.exit) == (("AAPL", "MSFT"), ExitSpec(type="eod"))


def test_strategy_id_and_entry_type_stand_for_each_other() -> None:
    spec = ExecutionSpec(
        workspace_id="w", symbols=("A",), strategy_id="ema_cross", risk=RiskSpec(dollars_per_trade=1.0)
    )
    assert spec.entry.type == "ema_cross"
    both = load_spec({**LEAST, "strategy_id": "mine"})
    assert (both.strategy_id, both.entry.type) == ("mine", "breakout_52w_high")


def test_instance_id_is_made_from_the_content_alone() -> None:
    spec = load_spec(LEAST)
    assert uuid.UUID(spec.instance_id).version == 5
    assert spec.spec_id == spec.instance_id
    same = [("created_at", "2025-01-01T00:00:00Z"), ("enabled", False), ("name", "x"), ("timeframe", "daily")]
    for path, value in [*same, ("risk.dollars_per_trade", 1000.0), ("entry.lookback_days", 252)]:
        assert load_spec(_changed(path, value)).instance_id == spec.instance_id, path
    other = [("workspace_id", "v"), ("symbols", ["B"]), ("timeframe", "1h"), ("exit", {"type": "none"})]
    for path, value in [*other, ("risk.max_positions", 4), ("entry.params", {"x": 1}), ("strategy_id", "s")]:
        assert load_spec(_changed(path, value)).instance_id != spec.instance_id, path
    assert load_spec({**LEAST, "instance_id": "mine"}).instance_id == "mine"


def test_spec_written_and_read_again_is_the_same() -> None:
    spec = load_spec(_changed("exit", {"type": "stop_target", "stop_loss_pct": 2, "time_stop_bars": 3}))
    assert ExecutionSpec.model_validate_json(spec.model_dump_json()) == spec
    assert load_spec(spec.model_dump(mode="json")) == spec


BAD = [
    ("workspace_id", "", "workspace_id"),
    ("symbols", [], "symbols"),
    ("symbols", "AAPL", "symbols"),
    ("symbols", ["A", ""], "symbols.1"),
    ("symbols", ["A", "B", "A"], "symbols: A named twice"),
    ("timeframe", "3m", "timeframe '3m' is not one we know"),
    ("entry.lookback_days", 0, "entry.lookback_days"),
    ("entry.lookback_days", 1.5, "entry.lookback_days"),
    ("entry.lookback_days", True, "entry.lookback_days"),
    ("entry.lookback_days", "252", "entry.lookback_days"),
    ("entry.lookback_days", 100_001, "entry.lookback_days"),
    ("entry.fast", 20, "entry.fast: Extra inputs"),
    ("entry.params", {"x": float("nan")}, "entry.params.x"),
    ("entry.params", {"x": [1]}, "entry.params.x"),
    ("risk.dollars_per_trade", 0, "risk.dollars_per_trade"),
    ("risk.dollars_per_trade", -5, "got -5"),
    ("risk.dollars_per_trade", float("inf"), "risk.dollars_per_trade"),
    ("risk.dollars_per_trade", "1000", "risk.dollars_per_trade"),
    ("risk.max_positions", 0, "risk.max_positions"),
    ("risk.lot_size", 0, "risk.lot_size"),
    ("exit.type", "sometimes", "exit.type"),
    ("exit", {"type": "stop_target"}, "stop_target needs at least one of stop_loss_pct"),
    ("exit", {"type": "stop_target", "stop_loss_pct": 100}, "exit.stop_loss_pct"),
    ("exit", {"type": "stop_target", "take_profit_pct": 0}, "exit.take_profit_pct"),
    ("exit", {"type": "stop_target", "time_stop_bars": 0}, "exit.time_stop_bars"),
    ("exit", {"type": "eod", "stop_loss_pct": 2}, "stop_loss_pct would be ignored with type eod"),
    ("exit", {"type": "none", "end_of_day": True}, "end_of_day would be ignored"),
    ("created_at", "2025-01-01T00:00:00", "created_at"),
    ("enabled", "yes", "enabled"),
    ("entry", {}, "name the strategy: give entry.type or strategy_id"),
    ("risk", {}, "risk.dollars_per_trade"),
    ("leverage", 2, "leverage: Extra inputs"),
]


@pytest.mark.parametrize(("path", "value", "says"), BAD, ids=[f"{row[0]}={row[1]!r}" for row in BAD])
def test_spec_that_cannot_be_is_refused_by_its_path(path: str, value: object, says: str) -> None:
    with pytest.raises(InputError) as refused:
        load_spec(_changed(path, value))
    assert refused.value.code == "INVALID_SPEC"
    assert says in refused.value.message
    with pytest.raises(ValidationError):
        ExecutionSpec.model_validate(_changed(path, value))


def test_spec_with_several_faults_names_them_all_under_the_callers_code() -> None:
    data = {**LEAST, "symbols": [], "risk": {"dollars_per_trade": 0}}
    with pytest.raises(InputError) as refused:
        load_spec(data, code="INVALID_BASE_SPEC")
    assert refused.value.code == "INVALID_BASE_SPEC"
    assert refused.value.values["fields"] == ["symbols", "risk.dollars_per_trade"]


def test_spec_cannot_be_changed() -> None:
    spec = load_spec(LEAST)
    with pytest.raises(ValidationError, match="frozen"):
        spec.timeframe = "1h"
    with pytest.raises(ValidationError, match="frozen"):
        EntrySpec(type="x").lookback_days = 3
