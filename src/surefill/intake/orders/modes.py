"""The document's `mode` and `execution.dry_run`, as the mode of a workspace.

=============  ======================  ===========================
`mode`         `execution.dry_run`     `workspace.mode`
=============  ======================  ===========================
None           whatever                as configured
"paper"        whatever                paper (or backtest)
"dry_run"      whatever                dry_run
"live"         true                    dry_run
"live"         nothing said            dry_run, if not said: live
"live"         false                   live
=============  ======================  ===========================
"""

from __future__ import annotations

from typing import Final

from surefill.config import Settings
from surefill.config.core import SIMULATED
from surefill.errors import ConfigError

DRY_RUN: Final = "dry_run"


def with_mode(settings: Settings, mode: str | None) -> Settings:
    """The settings in the mode that the caller says. Raises ConfigError where the configuration says another."""
    workspace = settings.workspace
    if mode is None:
        return settings
    word, simulated = mode.strip().lower(), workspace.mode in SIMULATED
    if word == "paper":
        wanted = workspace.mode if simulated else ""
    elif word == "live" and (settings.execution.dry_run is False or workspace.mode == "live"):
        wanted = "" if simulated else "live"
    elif word in ("live", DRY_RUN):
        wanted = DRY_RUN if workspace.mode == DRY_RUN else ""
    else:
        raise ConfigError(f"mode {mode!r} is not one of paper, dry_run, live", code="UNKNOWN_MODE", key="mode")
    if not wanted:
        raise ConfigError(
            f"mode {mode!r} (execution.dry_run {settings.execution.dry_run}) and a workspace that is {workspace.mode}"
            f" at {workspace.venue} (from {settings.source_of('workspace', 'venue')}) contradict each other: paper"
            " needs workspace.venue paper, the others a real one; live needs execution.dry_run false",
            code="MODE_CONTRADICTED",
            key="mode",
        )
    return settings.model_copy(update={"workspace": workspace.model_copy(update={"mode": wanted})})
