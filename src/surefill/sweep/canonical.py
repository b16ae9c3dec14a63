"""Ids that follow from what a thing is: the same request gives the same ids for ever, on every machine."""

from __future__ import annotations

import hashlib
import json
import math
import uuid
from collections.abc import Callable, Mapping
from typing import Final

from surefill.errors import InputError
from surefill.strategy.spec import ExecutionSpec

VARIANT_NS: Final = uuid.UUID("8f3c2a2e-9d9a-4b2e-9f6b-3c3a4c1e9a01")
PLAN_NS: Final = uuid.UUID("5d9c9a34-2f5b-4b7d-8a3e-0a9f4c1d7be2")
_ID_CHARS: Final = 16
#: Made when a spec is read, not asked for by whoever wrote it.
_SERVER_MADE: Final = {"instance_id", "created_at"}


def canonical_json(value: object) -> str:
    """One spelling of a JSON value: keys sorted, no spaces, 1000.0 written as 1000. Raises InputError for the rest."""
    return json.dumps(_plain(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def base_of(spec: ExecutionSpec) -> dict[str, object]:
    """What a spec asks for: without fields that the server makes and without what it leaves at its defaults.

    So a field that a later version adds changes no id.
    """
    return spec.model_dump(mode="json", exclude=_SERVER_MADE, exclude_defaults=True)


def variant_id_of(base: Mapping[str, object], overrides: Mapping[str, object]) -> str:
    """`sha256(canonical_json({base, overrides}))[:16]`."""
    return variant_ids_over(base)(overrides)


def variant_ids_over(base: Mapping[str, object]) -> Callable[[Mapping[str, object]], str]:
    """`variant_id_of` for many variants of one base, which is spelled once."""
    before = '{"base":' + canonical_json(base) + ',"overrides":'
    return lambda overrides: hashlib.sha256((before + canonical_json(overrides) + "}").encode()).hexdigest()[:_ID_CHARS]


def plan_id_of(content: Mapping[str, object]) -> str:
    """The id of a plan with that content."""
    return str(uuid.uuid5(PLAN_NS, canonical_json(content)))


def workspace_of(run_plan_id: str, variant_id: str, segment: str = "") -> str:
    """The workspace that a variant has to itself; each segment of time that it runs over has its own too."""
    name = f"{run_plan_id}:{variant_id}" + (f":{segment}" if segment else "")
    return str(uuid.uuid5(VARIANT_NS, name))


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if isinstance(value, float):
        if not math.isfinite(value):
            raise InputError(f"{value} has no place in JSON", code="INVALID_JSON", value=value)
        return int(value) if value.is_integer() else value
    if value is None or isinstance(value, bool | int | str):
        return value
    raise InputError(f"{value!r:.80} has no place in JSON", code="INVALID_JSON")
