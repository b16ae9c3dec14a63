"""Deciding on kill switches. By itself one only tightens; a named person loosens it."""

from __future__ import annotations

from surefill.domain.decide import exits
from surefill.domain.decide.cancels import cancel_entries
from surefill.domain.decide.step import Step
from surefill.domain.events import Halted, Resumed
from surefill.domain.evolve import kill_scope
from surefill.domain.inputs import Halt, Resume
from surefill.domain.risk import WIDE_SCOPES
from surefill.errors import InputError
from surefill.rules.codes import ExitReason, KillLevel


def halt(this: Step, item: Halt) -> None:
    """Throw a switch. One that is there already, as far or further, stays as it is.

    Raises InputError for a halt without a code, or of a level or a scope that there is not.
    """
    if not item.code:
        raise InputError("a halt needs a code", code="CODE_REQUIRED")
    if not KillLevel.NORMAL < item.level <= KillLevel.SHUTDOWN:
        raise InputError(f"{item.level} is not a level of a kill switch: 1, 2 or 3", code="INVALID_LEVEL")
    kind = item.scope.partition(":")[0]  # in the control stream a venue has its name
    if kind not in ("", *WIDE_SCOPES) or (item.scope and (item.instrument_id or item.strategy_id)):
        raise InputError(
            f"{item.scope!r} is not the scope of a switch: {', '.join(WIDE_SCOPES)}, or none and an instrument or a"
            " strategy",
            code="INVALID_SCOPE",
        )
    before = this.book.kills.get(kill_scope(item))
    if before is not None and before.level >= item.level:
        return
    # Where both are named, the switch is the instrument's: so is what it takes back.
    instrument_id, strategy_id = item.instrument_id, "" if item.instrument_id else item.strategy_id
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
            int(item.level),
            item.scope,
        )
    )
    if item.level >= KillLevel.SUSPEND:
        cancel_entries(this, item.code, instrument_id, strategy_id)
    if item.level >= KillLevel.SHUTDOWN and this.book.profile.limits.shutdown_flattens:
        exits.flatten(this, ExitReason.SHUTDOWN, instrument_id, strategy_id)


def resume(this: Step, item: Resume) -> None:
    """A person loosens a switch; what is at that level already stays. Raises InputError where nobody is named."""
    if not item.by:
        raise InputError("say who resumes", code="NAME_REQUIRED")
    before = this.book.kills.get(kill_scope(item))
    if before is not None and item.level < before.level:
        level = int(item.level)
        this.emit(Resumed(item.ts_ns, "", 0, item.by, item.instrument_id, item.strategy_id, level, item.scope))
