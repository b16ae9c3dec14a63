"""Overrides: flat dotted paths into a base spec, each to a plain value."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

from pydantic import ValidationError

from surefill.errors import InputError
from surefill.strategy.decisions import Parameter
from surefill.strategy.registry import StrategyRegistry
from surefill.strategy.spec import ExecutionSpec, load_spec
from surefill.sweep.canonical import base_of, canonical_json

Scalar = bool | int | float | str

INVALID: Final = "INVALID_CONSTRAINTS"
PARAMS: Final = "entry.params."
#: Whether the values of these fields are whole numbers.
FIELDS: Final = {
    "entry.lookback_days": True,
    "entry.good_for_bars": True,
    "risk.dollars_per_trade": False,
    "risk.max_positions": True,
}
#: Of a spec whose exit is `stop_target`.
EXITS: Final = {
    "exit.stop_loss_pct": False,
    "exit.take_profit_pct": False,
    "exit.trailing_pct": False,
    "exit.time_stop_bars": True,
    "exit.stop_partial_pct": False,
}


class Sweepable:
    """What of a base spec may be swept: path -> the strategy's parameter, None where the spec itself says the range."""

    def __init__(self, base: ExecutionSpec, registry: StrategyRegistry) -> None:
        self._base = base
        self._registry = registry
        declared = registry.parameters(base.entry.type)
        if declared is None:  # the strategy takes anything: what the base sets may be set otherwise
            params: dict[str, Parameter | None] = {PARAMS + name: None for name in base.entry.params}
        else:
            params = {PARAMS + each.name: each for each in declared if each.sweepable}
        exits = EXITS if base.exit is not None and base.exit.type == "stop_target" else {}
        self.paths: dict[str, Parameter | None] = {**dict.fromkeys((*FIELDS, *exits)), **params}

    def is_whole(self, path: str) -> bool:
        """Whether the values of a path are whole numbers."""
        parameter = self.paths[path]
        if parameter is not None:
            return parameter.is_whole
        fields = {**FIELDS, **EXITS}
        return fields[path] if path in fields else isinstance(self._base.entry.params.get(path[len(PARAMS) :]), int)

    def check_path(self, path: object) -> None:
        """Raises InputError unless the path is one that may be swept."""
        if not isinstance(path, str) or not all(path.split(".")):
            raise _wrong(f"{path!r} is no dotted path such as entry.lookback_days", path)
        if path not in self.paths:
            raise _wrong(f"{path} cannot be swept; what can be is {', '.join(self.paths)}", path)

    def check_value(self, path: str, value: object) -> None:
        """Raises InputError unless the value is plain, and one that the path can have."""
        _check_plain(path, value)
        parameter = self.paths[path]
        try:
            if parameter is not None:
                parameter.check(value)
            else:
                load_spec(self._changed({path: value}))
        except InputError as error:
            raise _wrong(error.message, path) from error

    def spec(self, overrides: Mapping[str, object]) -> ExecutionSpec:
        """The base with the overrides. Raises InputError, also where they do not go together."""
        for path, value in overrides.items():
            self.check_path(path)
            _check_plain(path, value)
        try:
            made = load_spec(self._changed(overrides))
            self._registry.check(made)
        except InputError as error:
            raise _wrong(error.message, error.values.get("field", "overrides")) from error
        return made

    def draft(self, overrides: Mapping[str, object]) -> ExecutionSpec:
        """What `spec` gives in all that decides trades, at a tenth of the cost: `instance_id` stays the base's."""
        params = dict(self._base.entry.params)
        others: dict[str, dict[str, object]] = {}
        for path, value in overrides.items():
            if not isinstance(value, Scalar):
                return self.spec(overrides)
            if self.paths.get(path) is not None:  # a parameter that is declared: the registry checks it
                params[path[len(PARAMS) :]] = value
            else:
                part, _, name = path.partition(".")
                others.setdefault(part, {})[name] = value
        if "entry" in others or not others.keys() <= {"exit", "risk"}:
            return self.spec(overrides)
        try:
            update = {
                part: type(getattr(self._base, part)).model_validate(getattr(self._base, part).__dict__ | changed)
                for part, changed in others.items()
            }
            made = self._base.model_copy(
                update={"entry": self._base.entry.model_copy(update={"params": params}), **update}
            )
            self._registry.check(made)
        except (InputError, ValidationError):
            return self.spec(overrides)  # it says what is wrong
        return made

    def effective(self, spec: ExecutionSpec) -> str:
        """What a spec comes to, parameters that it leaves at their defaults included: equal text, the same run."""
        declared = self._registry.parameters(spec.entry.type) or ()
        params = {**spec.entry.params, **{each.name: each.of(spec) for each in declared}}
        return canonical_json(
            base_of(spec.model_copy(update={"entry": spec.entry.model_copy(update={"params": params})}))
        )

    def _changed(self, overrides: Mapping[str, object]) -> dict[str, Any]:
        data = self._base.model_dump(exclude={"instance_id"})
        for path, value in overrides.items():
            *parents, last = path.split(".", 2)
            inner = data
            for name in parents:
                inner = inner[name]
            inner[last] = value
        return data


def apply_overrides(
    base: ExecutionSpec, overrides: Mapping[str, object], registry: StrategyRegistry | None = None
) -> ExecutionSpec:
    """A variant's spec. Raises InputError (INVALID_CONSTRAINTS): unknown path, empty segment, not a plain value."""
    return Sweepable(base, registry or StrategyRegistry()).spec(overrides)


def _check_plain(path: str, value: object) -> None:
    if not isinstance(value, Scalar) or (isinstance(value, float) and not math.isfinite(value)):
        raise _wrong(f"{path} must be a plain value, not {value!r:.80}", path)


def _wrong(what: str, path: object) -> InputError:
    return InputError(what, code=INVALID, field=path)
