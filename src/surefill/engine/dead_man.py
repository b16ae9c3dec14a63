"""The venue's own dead man's switch: it cancels what works in a symbol when it has not heard from us for a while.

1. It is armed before the first entry in an instrument leaves, told again three times in its length for as long as
   anything works there, and switched off when nothing does and at a clean stop. An engine that is killed tells nothing.
2. It takes every order of the symbol away, whoever placed it, and no documentation says that stops are spared: it is
   never switched on together with stops that are kept at the venue.
3. An entry whose switch cannot be armed stays here. One that cannot be told any more is the case it is made for: what
   works ends at the venue, somebody is called.
4. What a process before has armed may still run: the first round tells every instrument.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import cast

from surefill.domain.effects import Notify
from surefill.domain.state import State
from surefill.engine.desk import Desk
from surefill.engine.patience import answered
from surefill.errors import ConfigError
from surefill.logs import logger
from surefill.units import NS_PER_MS, NS_PER_S
from surefill.venues.protocol import Accepted, CancelsWhenSilent, Venue

TOLD_AGAIN = 3
CLEARED_WITHIN_S = 5

_log = logger("surefill.engine")


class DeadMan:
    """The switch of one desk. `alarm` calls somebody."""

    def __init__(self, desk: Desk, venue: CancelsWhenSilent, alarm: Callable[[Notify], None]) -> None:
        self._desk, self._venue, self._alarm = desk, venue, alarm
        self._armed: set[str] = set()
        self._doubtful = set(desk.writer.state.book.instruments)
        self._silent: set[str] = set()

    @property
    def _length_ns(self) -> int:
        limits = self._desk.writer.state.book.profile.limits
        return 0 if limits.stops_at_venue else limits.dead_man_ns

    async def run(self) -> None:
        """Tell the venue for ever."""
        while True:
            length_ns = self._length_ns
            await self.beat()
            await asyncio.sleep((length_ns or NS_PER_S) / TOLD_AGAIN / NS_PER_S)

    async def beat(self) -> None:
        """Tell it of every instrument in which anything works, and switch it off in the others."""
        working = _working(self._desk.writer.state) if self._length_ns else set()
        for instrument_id in sorted(working | self._armed | self._doubtful):
            await self._tell(instrument_id, self._length_ns if instrument_id in working else 0)

    async def ready(self, instrument_id: str) -> bool:
        """Whether an entry in it may leave: the switch runs, or is not wanted."""
        return not self._length_ns or instrument_id in self._armed or await self._tell(instrument_id, self._length_ns)

    async def clear(self) -> None:
        """Switch it off: orders stay at the venue. One that does not hear it in time does what it is there for."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CLEARED_WITHIN_S):
                for instrument_id in sorted(self._armed):
                    await self._tell(instrument_id, 0)

    async def _tell(self, instrument_id: str, length_ns: int) -> bool:
        try:
            outcome = await answered(self._desk, self._venue.cancel_all_after(instrument_id, length_ns // NS_PER_MS))
        except Exception as error:  # whatever an adapter raises, it has told nothing
            outcome = None
            _log.warning("dead_man_not_told", instrument_id=instrument_id, error=repr(error))
        if not isinstance(outcome, Accepted):
            self._not_told(instrument_id, length_ns, outcome)
            return False
        self._silent.discard(instrument_id)
        self._doubtful.discard(instrument_id)
        (self._armed.add if length_ns else self._armed.discard)(instrument_id)
        return True

    def _not_told(self, instrument_id: str, length_ns: int, outcome: object) -> None:
        """Call somebody, once for each time that it falls silent."""
        if length_ns and instrument_id not in self._silent:
            self._silent.add(instrument_id)
            within_s = f"{length_ns / NS_PER_S:g} s"
            text = f"{instrument_id}: what works there ends at the venue unless it is told again within {within_s}"
            self._alarm(Notify("DEAD_MAN_NOT_TOLD", f"{text} ({outcome or 'no answer'})", page=True))


def _working(state: State) -> set[str]:
    return {order.request.instrument_id for order in state.book.orders.values()}


def dead_man_of(desk: Desk, alarm: Callable[[Notify], None]) -> DeadMan | None:
    """The switch of a desk whose venue has one and whose profile wants it."""
    if not desk.writer.state.book.profile.limits.dead_man_ns:
        return None
    return DeadMan(desk, cast(CancelsWhenSilent, desk.writer.venue), alarm)


def check_dead_man(workspace_id: str, venue: Venue, dead_man_ns: int, *, stops_at_venue: bool) -> None:
    """Raises ConfigError where the switch is wanted and cannot be had, or would take the stops away."""
    if dead_man_ns and stops_at_venue:
        raise ConfigError(
            f"workspace {workspace_id} keeps its stops at the venue, and the venue's dead man's switch may cancel them:"
            " set execution.dead_man_s to 0, or execution.stops_at to engine",
            key="execution.dead_man_s",
        )
    if dead_man_ns and not venue.capabilities.dead_man:
        raise ConfigError(
            f"{venue.capabilities.name} has no dead man's switch: set execution.dead_man_s to 0",
            key="execution.dead_man_s",
        )
