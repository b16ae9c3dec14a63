"""Deciding on kill switches. By itself one only tightens; a named person loosens it."""

from __future__ import annotations

from surefill.domain.decide import exits
from surefill.domain.decide.cancels import cancel_entries
from surefill.domain.decide.step import Step
from surefill.domain.events import Halted, Resumed
from surefill.domain.evolve import kill_scope
from surefill.domain.inputs import Halt, Resume
from surefill.errors import InputError
from surefill.rules.codes import ExitReason, KillLevel


def halt(this: Step, item: Halt) -> None:
    """Throw a switch. One that is there already, as far or further, stays as it is."""
    if not item.code:
        raise InputError("a halt needs a code", code="CODE_REQUIRED")
    if not KillLevel.NORMAL < item.level <= KillLevel.SHUTDOWN:
        raise InputError(f"{item.level} is not a level of a kill switch: 1, 2 or 3", code="INVALID_LEVEL")
    before = this.book.kills.get(kill_scope(item))
    if before is not None and before.level >= item.level:
        return
    this.emit(
        Halted(
            item.ts_ns,
            "",
            0,
            item.code,
            item.reason,
            item.by,
            item.instrument_id,
            item.strategy_id,
            item.level,
            item.scope,
        )
    )
    if item.level >= KillLevel.SUSPEND:
        cancel_entries(this, item.code, item.instrument_id, item.strategy_id)
    if item.level >= KillLevel.SHUTDOWN and this.book.profile.limits.shutdown_flattens:
        exits.flatten(this, ExitReason.SHUTDOWN, item.instrument_id, item.strategy_id)


def resume(this: Step, item: Resume) -> None:
    """A person loosens a switch; what is at that level already stays."""
    before = this.book.kills.get(kill_scope(item))
    if before is not None and item.level < before.level:
        this.emit(Resumed(item.ts_ns, "", 0, item.by, item.instrument_id, item.strategy_id, item.level, item.scope))
