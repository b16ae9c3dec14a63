"""Settings from what a caller of a Python door has: a plain dict, a file's path, or settings already read.

The dict is the caller's whole configuration, and ours only in part: sections that are not ours are left alone, unless
they look like one of ours misspelt. Inside our sections nothing unknown is let through.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from surefill.config import Settings, load_settings
from surefill.errors import ConfigError

Config = Mapping[str, Any] | str | os.PathLike[str] | Settings | None

#: A section that callers share with us: they keep settings of their own in it.
_SHARED: Final = {"trading": frozenset({"default_quantity"})}
_MEMORY: Final = ":memory:"


def door_settings(config: Config, profile: str) -> Settings:
    """The settings of a door that trades under `profile`.

    The class that was chosen is the toggle: `execution.engine` must be that profile or empty, and empty with
    `use_execution_engine_v2` means v2. Raises ConfigError.
    """
    if isinstance(config, Settings):
        settings = config
    elif config is None or isinstance(config, Mapping):
        settings = load_settings(overrides=_ours(config or {}))
    else:
        settings = load_settings(config)
    _check_toggle(settings, profile)
    execution = settings.execution.model_copy(update={"engine": profile})
    return settings.model_copy(update={"execution": execution})


def in_memory(settings: Settings) -> bool:
    """Whether the journal is to be kept in memory, for tests: `journal.path` is ":memory:"."""
    return str(settings.journal.path) == _MEMORY


def artifacts_dir(settings: Settings) -> Path | None:
    """Where files go; None for a journal in memory with no folder configured: nothing is left behind then."""
    if in_memory(settings) and settings.source_of("artifacts", "dir") == "default":
        return None
    return settings.artifacts_dir


def _ours(config: Mapping[str, Any]) -> dict[str, Any]:
    sections = set(Settings.model_fields)
    found: dict[str, Any] = {}
    for name, value in config.items():
        if name in sections:
            shared = _SHARED.get(name)
            if shared is not None and isinstance(value, Mapping):
                value = {key: inner for key, inner in value.items() if key in shared}
            found[name] = value
        else:
            near = difflib.get_close_matches(str(name), sections, 1, 0.8)
            if near:
                raise ConfigError(
                    f"{name!r} is not a section of ours: did you mean {near[0]!r}? (or give your own another name)",
                    key=str(name),
                )
    return found


def _check_toggle(settings: Settings, profile: str) -> None:
    engine, key, instead = settings.execution.engine, "engine", f"{profile} or null"
    if engine is None and settings.execution.use_execution_engine_v2:
        engine, key, instead = "v2", "use_execution_engine_v2", "false"
    if engine not in (None, profile):
        said = repr(engine) if key == "engine" else "true and the engine null, which means v2"
        raise ConfigError(
            f"execution.{key} is {said} (from {settings.source_of('execution', key)}), and this door is"
            f" {profile}: open the other door, or set it to {instead}",
            key=f"execution.{key}",
        )
