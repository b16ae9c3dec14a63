"""Calling somebody: each page becomes an alert in the journal, and leaves by a channel until one has taken it.

1. An alert is known by its code and what it is about. While it is open, its like is not called out again before a pause
   is over; a person closes it.
2. It is journaled before it is delivered, so a process that dies in between delivers it after its next start. A channel
   that fails is tried again, for as long as the engine runs.
3. Trouble with the journal is no reason for silence: what cannot be journaled is delivered all the same, once.
"""

from __future__ import annotations

import asyncio
from typing import Final

from surefill.domain.effects import Notify
from surefill.domain.inputs import ConfirmAlert, RaiseAlert
from surefill.engine.channels import Channel
from surefill.engine.engine import Engine
from surefill.errors import SurefillError
from surefill.logs import logger
from surefill.units import NS_PER_S

REPEAT_NS: Final = 900 * NS_PER_S
RETRY_S: Final = (1.0, 5.0, 30.0, 120.0)

_log = logger("surefill.pager")


class Pager:
    """Listens to an engine's alarms. Make it on the engine's loop, `start` it once its workspaces are open."""

    def __init__(
        self,
        engine: Engine,
        channel: Channel,
        *,
        repeat_ns: int = REPEAT_NS,
        retry_s: tuple[float, ...] = RETRY_S,
    ) -> None:
        self._engine = engine
        self._channel = channel
        self._repeat_ns = repeat_ns
        self._retry_s = retry_s
        self._at_work: dict[tuple[str, str], asyncio.Task[None]] = {}
        self._unjournaled: dict[tuple[str, str], int] = {}
        engine.alarms.append(self.take)

    def start(self) -> None:
        """Deliver what an earlier process raised and did not get rid of."""
        for workspace_id, desk in self._engine.desks.items():
            for key, alert in desk.writer.state.book.alerts.items():
                if alert.due:
                    self._begin(workspace_id, key, Notify(alert.code, alert.text, page=True))

    async def stop(self, timeout_s: float = 5.0) -> None:
        """Give what is on its way a moment; the rest stays in the journal, to be delivered after the next start."""
        tasks = set(self._at_work.values())
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=timeout_s)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        self._engine.alarms.remove(self.take)

    def take(self, workspace_id: str, notice: Notify) -> None:
        """An alarm of the engine's: pages are called out, the others are not for waking somebody."""
        if notice.page:
            self._begin(workspace_id, key_of(notice), notice)

    def _begin(self, workspace_id: str, key: str, notice: Notify) -> None:
        at = workspace_id, key
        if at not in self._at_work:
            task = asyncio.get_running_loop().create_task(self._call(workspace_id, key, notice))
            self._at_work[at] = task
            task.add_done_callback(lambda _task: self._at_work.pop(at, None))

    async def _call(self, workspace_id: str, key: str, notice: Notify) -> None:
        if await self._is_due(workspace_id, key, notice):
            await self._deliver(workspace_id, notice)
            try:
                await self._engine.feed(
                    workspace_id, ConfirmAlert(self._engine.clock.now_ns(), key, self._channel.name)
                )
            except SurefillError as error:
                _log.warning("alert_not_confirmed", workspace_id=workspace_id, key=key, error=str(error))

    async def _is_due(self, workspace_id: str, key: str, notice: Notify) -> bool:
        now_ns = self._engine.clock.now_ns()
        try:
            await self._engine.feed(workspace_id, RaiseAlert(now_ns, key, notice.code, notice.text, self._repeat_ns))
            due: bool = await self._engine.read(workspace_id, lambda state: state.book.alerts[key].due)
        except SurefillError as error:
            _log.warning("alert_not_journaled", workspace_id=workspace_id, key=key, error=str(error))
            before = self._unjournaled.get((workspace_id, key))
            due = before is None or now_ns - before >= self._repeat_ns
            if due:
                self._unjournaled[workspace_id, key] = now_ns
        return due

    async def _deliver(self, workspace_id: str, notice: Notify) -> None:
        title = f"surefill {workspace_id}: {notice.code}"
        tries = 0
        while True:
            try:
                await asyncio.to_thread(self._channel.deliver, title, notice.text)
                return
            except Exception as error:  # whatever a service's client raises: somebody still has to be called
                _log.error("alert_not_delivered", workspace_id=workspace_id, code=notice.code, error=str(error))
            await asyncio.sleep(self._retry_s[min(tries, len(self._retry_s) - 1)])
            tries += 1


def key_of(notice: Notify) -> str:
    """What an alert is about: its code, and the subject that its text begins with."""
    subject, colon, _ = notice.text.partition(": ")
    return f"{notice.code} {subject}" if colon else notice.code
