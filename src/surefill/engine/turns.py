"""Turns: every workspace of an engine does what it has to do, on one loop, over one journal.

A turn takes what waits at each desk, steps it, commits all of it in one durable transaction (a savepoint each, so
one workspace's violation is its own), and only then answers callers, lets readers look and sends to venues.
Callers that come while a turn runs share the next one: that is the group commit.
"""

from __future__ import annotations

import asyncio

from surefill.domain.effects import Effect, Notify
from surefill.domain.inputs import Halt, TimerFired
from surefill.engine.clock import Clock
from surefill.engine.desk import Desk
from surefill.engine.failures import Failures, is_fenced
from surefill.engine.outbox import run_errand
from surefill.journal.protocol import Journal
from surefill.logs import logger

#: Timers are due by the machine's clock, which may be set while they wait: it is looked at this often at least.
LOOK_AGAIN_S = 1.0

_log = logger("surefill.engine")


class Turns(Failures):
    """Belongs to the loop it was made in. `disk_floor_bytes`: below it entries stop while exits go on."""

    def __init__(self, journal: Journal, clock: Clock, disk_floor_bytes: int) -> None:
        super().__init__(journal, clock)
        self.disk_floor_bytes = disk_floor_bytes
        self._loop = asyncio.get_running_loop()
        self._turn_due = False
        self._wake: asyncio.TimerHandle | None = None
        self._wake_ns = 0
        self._stopping = False
        self._stopped = False

    def _schedule(self) -> None:
        if not self._turn_due:
            self._turn_due = True
            self._loop.call_soon(self._turn)

    def _turn(self) -> None:
        self._turn_due = False
        if self._stopped:
            return
        self._watch_disk()
        dirty: list[Desk] = []
        for desk in self.desks.values():
            if desk.broken is None and desk.inbox:
                self._take(desk)
            if desk.broken is None and desk.writer.dirty:
                dirty.append(desk)
            elif desk.broken is None:
                self._settled(desk)  # nothing happened: whoever asked hears so at once
        if dirty:
            self._commit(dirty)
        for desk in self.desks.values():
            if desk.broken is None:
                desk.serve_readers()
                self._run_errands(desk)
                if desk.inbox:
                    self._schedule()
        self._wake_for_timers()

    def _take(self, desk: Desk) -> None:
        try:
            desk.take()
        except Exception as error:  # a broken invariant, whatever its class: this workspace's memory is worthless
            _log.exception("workspace_breach", workspace_id=desk.writer.workspace_id)
            self._breach(desk, error)

    def _commit(self, dirty: list[Desk]) -> None:
        try:
            refusals = self.journal.append([desk.writer.take_batch() for desk in dirty])
        except Exception as error:  # whatever its class: nobody knows what has become of the turn
            self._collapse(error)
            return
        for desk, refusal in zip(dirty, refusals, strict=True):
            if refusal is None:
                self._settled(desk)
            elif is_fenced(desk, refusal):
                self._fence(desk, refusal)
            else:
                self._breach(desk, refusal)

    def _watch_disk(self) -> None:
        if not self.disk_floor_bytes:
            return
        working = [desk for desk in self.desks.values() if desk.broken is None]
        if working and self.journal.free_bytes() < self.disk_floor_bytes:
            for desk in working:
                if not desk.writer.state.book.halted_code:
                    reason = f"less than {self.disk_floor_bytes} bytes are left for the journal"
                    desk.tell(Halt(self.clock.now_ns(), "DISK_LOW", reason, "surefill"))

    # -- effects ----------------------------------------------------------------------------------------------

    def _run_errands(self, desk: Desk) -> None:
        released = desk.writer.released
        while released:
            effect = released.popleft()
            if isinstance(effect, Notify):
                self.raise_alarm(desk.writer.workspace_id, effect)
            else:
                errand = self._loop.create_task(self._errand(desk, effect))
                desk.errands.add(errand)
                errand.add_done_callback(desk.errands.discard)

    async def _errand(self, desk: Desk, effect: Effect) -> None:
        answer = await run_errand(desk, effect, self.clock)
        if answer is not None:
            desk.tell(answer)
            self._schedule()

    # -- timers -----------------------------------------------------------------------------------------------

    def fire_timers(self) -> None:
        """Feed every timer whose time has come. A simulation calls this itself."""
        now_ns = self.clock.now_ns()
        for desk in self.desks.values():
            for name in desk.writer.timers.take_due(now_ns):
                desk.tell(TimerFired(now_ns, name))
                self._schedule()
        self._wake_for_timers()

    def next_timer_ns(self) -> int | None:
        """When the next timer is due."""
        times = (desk.writer.timers.next_ns() for desk in self.desks.values())
        return min((at_ns for at_ns in times if at_ns is not None), default=None)

    def _wake_for_timers(self) -> None:
        at_ns = self.next_timer_ns()
        if self._wake is not None:
            if at_ns == self._wake_ns:
                return
            self._wake.cancel()
            self._wake = None
        if at_ns is not None and not self._stopping:
            delay_s = max(0.0, (at_ns - self.clock.now_ns()) / 1e9)
            self._wake, self._wake_ns = self._loop.call_later(min(delay_s, LOOK_AGAIN_S), self._woken), at_ns

    def _woken(self) -> None:
        """The clock is looked at: it may not be so late yet, or the machine's clock may have been set."""
        self._wake = None
        self.fire_timers()
