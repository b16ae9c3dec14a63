"""What an engine does when something cannot be trusted any more: a commit, a workspace's memory, its right to write.

When the commit fails, nobody knows whether it happened: memory is discarded, the journal reopened and folded, every
workspace halted, and all callers are told to ask again under the same id. A workspace whose invariants are broken is
folded anew alone. One that somebody else writes now is left alone until a person says otherwise.
"""

from __future__ import annotations

from collections.abc import Callable

from surefill.domain.effects import Notify
from surefill.domain.inputs import Halt
from surefill.engine.clock import Clock
from surefill.engine.control_stream import ControlStream
from surefill.engine.desk import Desk
from surefill.errors import AppendFailed, InvariantBreach, JournalError, StaleWriter, SurefillError
from surefill.journal.protocol import Journal
from surefill.journal.refusals import stale_lease
from surefill.logs import logger
from surefill.plain import readable

Alarm = Callable[[str, Notify], None]

_log = logger("surefill.engine")


class Failures:
    """The desks of an engine, their journal, and who is called; `engine.turns` lets them take turns."""

    def __init__(self, journal: Journal, clock: Clock) -> None:
        self.journal = journal
        self.clock = clock
        self.desks: dict[str, Desk] = {}
        self.alarms: list[Alarm] = [_log_alarm]
        self.control = ControlStream(journal)

    def raise_alarm(self, workspace_id: str, notice: Notify) -> None:
        """Tell everybody who listens."""
        for alarm in self.alarms:
            try:
                alarm(workspace_id, notice)
            except Exception:  # an alarm that fails must not silence the others, nor stop the desk
                _log.exception("alarm_failed", workspace_id=workspace_id, code=notice.code, text=notice.text)

    def _settled(self, desk: Desk) -> None:
        desk.settled()
        try:
            desk.writer.publish()
        except Exception as error:  # a reader's own trouble: what it should have been told is durable all the same
            _log.exception("publish_failed", workspace_id=desk.writer.workspace_id)
            notice = Notify("PUBLISH_FAILED", f"a projection or snapshot fell behind: {error}", page=True)
            self.raise_alarm(desk.writer.workspace_id, notice)

    def look_for_other_writers(self) -> None:
        """Fence what somebody else has opened since: an engine with nothing to write would not find out itself."""
        try:
            heads = self.journal.heads()
        except JournalError as error:  # the next append finds the same, and acts on it
            _log.warning("heads_not_read", error=str(error))
            return
        for name, desk in self.desks.items():
            lease, head = desk.writer.lease, heads.get(name)
            if desk.broken is None and head is not None and head.epoch > lease.epoch:
                self._fence(desk, stale_lease(lease, head.epoch, head.seq + 1))

    def _fence(self, desk: Desk, refusal: JournalError) -> None:
        """Somebody else writes this workspace now: this engine must not, until a person says so (`revive`)."""
        desk.failed(outcome_unknown(refusal))
        desk.break_off(refusal)
        self.raise_alarm(desk.writer.workspace_id, Notify("FENCED", str(refusal), page=True))

    def _breach(self, desk: Desk, error: Exception) -> None:
        """One workspace's memory cannot be trusted: fold it again, halted."""
        workspace_id = desk.writer.workspace_id
        told = AppendFailed(
            f"workspace {workspace_id} halted before this was durable ({error}): ask again under the same id",
            code="OUTCOME_UNKNOWN",
            durable="no",
        )
        self._refold(desk, told, "INVARIANT_BREACH", str(error))

    def _collapse(self, error: Exception) -> None:
        """The journal failed: everything since the last commit is of unknown fate, in every workspace."""
        told = outcome_unknown(error)
        try:
            self.journal.reopen()
        except JournalError as again:
            for desk in self.desks.values():
                desk.failed(told)
                desk.break_off(again)
            self.raise_alarm("", Notify("JOURNAL_LOST", f"{again}", page=True))
            return
        self.control.reopen()
        for desk in self.desks.values():
            if not isinstance(desk.broken, StaleWriter):  # a fenced one stays out until a person says otherwise
                self._refold(desk, told, "APPEND_FAILED", str(error))

    def _refold(self, desk: Desk, told: SurefillError, code: str, reason: str) -> None:
        desk.failed(told)
        workspace_id = desk.writer.workspace_id
        self.raise_alarm(workspace_id, Notify(code, reason, page=True))
        try:
            desk.writer.discard()
            desk.broken = None
            desk.writer.feed(Halt(self.clock.now_ns(), code, readable(reason), "surefill"))
            desk.writer.recover(self.clock.now_ns())
            if desk.writer.dirty:
                refused = self.journal.append([desk.writer.take_batch()])[0]
                if refused is not None:
                    raise refused
            self._settled(desk)
        except SurefillError as error:
            desk.break_off(error)
        except Exception as error:  # the journal holds what this program cannot fold
            _log.exception("refold_failed", workspace_id=workspace_id)
            desk.break_off(InvariantBreach(f"{type(error).__name__}: {error}"))


def outcome_unknown(error: Exception) -> AppendFailed:
    """What callers are told whose turn may have been lost with the journal."""
    durable = error.values.get("durable", "unknown") if isinstance(error, SurefillError) else "unknown"
    return AppendFailed(
        f"the journal could not be written ({error}): the outcome is unknown, ask again under the same id",
        code="OUTCOME_UNKNOWN",
        durable=str(durable),
    )


def is_fenced(desk: Desk, refusal: JournalError) -> bool:
    """Whether the stream has a writer of a later epoch; a lease of ours that merely lapsed has none."""
    epoch = refusal.values.get("epoch")
    return isinstance(refusal, StaleWriter) and isinstance(epoch, int) and epoch > desk.writer.lease.epoch


def _log_alarm(workspace_id: str, notice: Notify) -> None:
    log = _log.error if notice.page else _log.warning
    log(notice.code, workspace_id=workspace_id, text=notice.text)
