"""The engine: every workspace of this process, from its opening to its end, and what callers may ask of it.

How the workspaces take turns over one journal is told in `engine.turns`, what happens when that fails in
`engine.failures`.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import random
from collections.abc import Iterable, Iterator
from typing import Any, cast

from surefill.domain.effects import Notify
from surefill.domain.inputs import (
    ComparePositions,
    DefineInstrument,
    Halt,
    Input,
    OpenWorkspace,
    RecoverOrders,
    Resume,
    SubmitIntent,
    VenueReports,
)
from surefill.domain.instrument import Instrument
from surefill.domain.intent import Intent
from surefill.domain.market import Quote
from surefill.domain.policy import Policy
from surefill.domain.reports import VenueReport
from surefill.domain.state import State
from surefill.engine import reconciliation
from surefill.engine.budget import Budgets
from surefill.engine.clock import Clock
from surefill.engine.dead_man import DeadMan, check_dead_man, dead_man_of
from surefill.engine.desk import Desk, Reader
from surefill.engine.failures import outcome_unknown
from surefill.engine.fitting import fitted
from surefill.engine.receipt import Receipt
from surefill.engine.rounds import Rounds, RoundTimes
from surefill.engine.turns import Turns
from surefill.engine.writer import WorkspaceWriter
from surefill.errors import (
    AppendFailed,
    ConfigError,
    InputError,
    JournalClosed,
    JournalError,
    SurefillError,
    VenueOutcomeUnknown,
    WorkspaceHalted,
)
from surefill.journal.protocol import Journal
from surefill.logs import logger
from surefill.venues.protocol import Venue

_log = logger("surefill.engine")


class Engine(Turns):
    """Runs workspaces. All methods belong to the loop it was made in; `EngineThread` serves other threads.

    `disk_floor_bytes`: below it entries stop while exits go on (0: not watched). `times`: how often live workspaces are
    laid beside their venues. `seed` makes the chance in it (when to ask again) come out the same (None: it differs).
    """

    def __init__(
        self,
        journal: Journal,
        clock: Clock,
        *,
        disk_floor_bytes: int = 0,
        times: RoundTimes | None = None,
        seed: int | None = None,
    ) -> None:
        super().__init__(journal, clock, disk_floor_bytes)
        self.control.workspaces = self._workspaces
        self.budgets = Budgets()
        self.rounds: dict[str, Rounds] = {}
        self._rounds_made: dict[str, list[asyncio.Task[None]]] = {}
        self._dead_men: dict[str, DeadMan] = {}
        self._times = times or RoundTimes()
        self._chance = random.Random(seed)  # nosec B311: nobody must guess it

    # -- life -------------------------------------------------------------------------------------------------

    async def open(self, opening: OpenWorkspace, venue: Venue, instruments: Iterable[Instrument] = ()) -> Desk:
        """Begin or take up a workspace: fold, define, connect, ask for every order in flight, compare books.

        Intents are let in when this returns; exits are looked after before. It waits for a venue that does not tell
        its positions, and calls somebody when that takes long. Raises ConfigError where the workspace is another than
        asked for, VenueOutcomeUnknown where the venue cannot be reached.
        """
        if opening.workspace_id in self.desks:
            raise InputError(f"workspace {opening.workspace_id!r} is open already", code="ALREADY_OPEN")
        _keeps_stops(opening, venue)
        limits = opening.profile.limits
        check_dead_man(opening.workspace_id, venue, limits.dead_man_ns, stops_at_venue=limits.stops_at_venue)
        writer = self._writer(opening.workspace_id, venue)
        budget = self.budgets.of(venue.capabilities, opening.account)
        desk = self.desks[opening.workspace_id] = Desk(writer, self._loop, self.control, budget, self._chance)
        rounds = self.rounds[opening.workspace_id] = self._rounds_of(desk)
        try:
            await venue.connect(lambda report: self._reported(desk, report))
            await self.feed(opening.workspace_id, opening)
            for instrument in instruments:
                await self.feed(opening.workspace_id, DefineInstrument(self.clock.now_ns(), instrument))
            await self._tell_switches(opening.workspace_id)
            await self.feed(opening.workspace_id, RecoverOrders(self.clock.now_ns()))
            await self._compare_at_last(desk)
        except (Exception, asyncio.CancelledError):
            self.desks.pop(opening.workspace_id, None)
            self.rounds.pop(opening.workspace_id, None)
            await venue.close()
            raise
        desk.accepting = True
        if writer.in_process is None:
            self._rounds_made[opening.workspace_id] = [self._loop.create_task(rounds.run())]
            self._begin_dead_man(desk)
        return desk

    def _begin_dead_man(self, desk: Desk) -> None:
        name = desk.writer.workspace_id
        switch = dead_man_of(desk, lambda notice: self.raise_alarm(name, notice))
        if switch is not None:
            self._dead_men[name], desk.may_enter = switch, switch.ready
            self._rounds_made[name].append(self._loop.create_task(switch.run()))

    def _rounds_of(self, desk: Desk) -> Rounds:
        name = desk.writer.workspace_id
        return Rounds(
            desk,
            self.clock,
            lambda item: self.feed(name, item),
            lambda item: self.tell(name, item),
            lambda notice: self.raise_alarm(name, notice),
            self._times,
        )

    def _writer(self, workspace_id: str, venue: Venue) -> WorkspaceWriter:
        """A writer; for it a journal is reopened that stopped itself when nobody was there to see to it."""
        try:
            return WorkspaceWriter(self.journal, workspace_id, venue)
        except JournalClosed as error:
            self._collapse(error)
            self._schedule()
            return WorkspaceWriter(self.journal, workspace_id, venue)

    async def _compare_at_last(self, desk: Desk) -> None:
        """Reconcile, however long the venue takes to tell its orders, its executions and its positions."""
        began_ns, called = self.clock.now_ns(), False
        while not self._stopping:
            try:
                await self.rounds[desk.writer.workspace_id].orders()
                await self.reconcile(desk.writer.workspace_id)
                return
            except VenueOutcomeUnknown as error:
                waited_ns = self.clock.now_ns() - began_ns
                if not called and waited_ns >= desk.writer.state.book.profile.limits.unknown_page_ns:
                    called = True
                    text = f"the venue does not tell its orders and positions, so no intent is let in: {error}"
                    self.raise_alarm(desk.writer.workspace_id, Notify("BOOKS_NOT_COMPARED", text, page=True))
            await reconciliation.pause(desk)
        raise self._has_stopped()

    async def throw(self, item: Halt | Resume) -> None:
        """Throw or loosen a switch above the workspaces (`scope` engine or venue:NAME).

        When this returns it is durable, and so is what every open workspace did because of it. Raises AppendFailed
        where the journal could not be written; then every workspace is halted by that.
        """
        try:
            self.control.throw(item)
        except AppendFailed as error:
            self._collapse(error)
            self._schedule()
            raise
        for workspace_id, desk in list(self.desks.items()):
            if desk.broken is None:
                await self._tell_switches(workspace_id)

    async def _tell_switches(self, workspace_id: str) -> None:
        for item in list(self.control.unseen(self._desk(workspace_id).writer.state.book, self.clock.now_ns())):
            await self.feed(workspace_id, item)

    async def reconcile(self, workspace_id: str) -> reconciliation.Differences:
        """Compare positions with the venue; differences (ours, theirs) halt the workspace and are returned.

        Raises VenueOutcomeUnknown when the venue does not tell.
        """
        desk = self._desk(workspace_id)
        try:
            theirs, _ = await self._compared(desk)
        except SurefillError:
            raise
        except Exception as error:  # whatever an adapter raises, it has told nothing
            raise VenueOutcomeUnknown(reconciliation.told(error)) from error
        found = reconciliation.differences(desk.writer.state, theirs)
        await self.feed(workspace_id, ComparePositions(self.clock.now_ns(), theirs))
        return found

    async def _compared(self, desk: Desk) -> tuple[dict[str, int], bool]:
        name = desk.writer.workspace_id
        return await reconciliation.compare(
            desk, self.clock, lambda item: self.tell(name, item), self.rounds[name].recover
        )

    async def stop(self, timeout_s: float = 5.0) -> None:
        """Let no intent in, give what is on the wire time to answer, commit, snapshot, let go.

        Orders stay at their venues; the next start asks for them.
        """
        self._stopping = True
        for making in itertools.chain.from_iterable(self._rounds_made.values()):
            making.cancel()
        for desk in self.desks.values():
            desk.accepting = False
        try:
            async with asyncio.timeout(timeout_s):
                while any(desk.errands or desk.inbox for desk in self.desks.values() if desk.broken is None):
                    for desk in self.desks.values():
                        with contextlib.suppress(AppendFailed):
                            await desk.quiet()
        except TimeoutError:
            _log.warning("stopped_with_errands", count=sum(len(desk.errands) for desk in self.desks.values()))
        self._turn()
        self._stopped = True
        if self._wake is not None:
            self._wake.cancel()
        for desk in self.desks.values():
            await self._let_go(desk)

    async def _let_go(self, desk: Desk) -> None:
        made = self._rounds_made.pop(desk.writer.workspace_id, [])
        for errand in desk.errands:
            errand.cancel()
        ending = {*desk.errands, *made}
        if ending:  # one that has not begun must be told before the loop is gone
            await asyncio.wait(ending, timeout=1)
        switch = self._dead_men.pop(desk.writer.workspace_id, None)
        if switch is not None:
            await switch.clear()
        try:
            await desk.writer.venue.close()
        except Exception as error:  # the venue is left all the same
            _log.warning("venue_close_failed", workspace_id=desk.writer.workspace_id, error=reconciliation.told(error))
        if desk.broken is None and desk.writer.state.book.seq:
            try:
                desk.writer.save_snapshot()
            except JournalError as error:  # the next start folds more: that is all
                _log.warning("snapshot_failed", workspace_id=desk.writer.workspace_id, error=str(error))
        desk.failed(
            VenueOutcomeUnknown("the engine stopped before the venue had answered: ask again under the same id")
        )

    def _reported(self, desk: Desk, report: VenueReport) -> None:
        desk.tell(VenueReports(self.clock.now_ns(), (report,)))
        self._schedule()

    def _workspaces(self) -> Iterator[tuple[State, bool]]:
        return ((desk.writer.state, desk.broken is None) for desk in self.desks.values())

    # -- what callers use -------------------------------------------------------------------------------------

    async def submit(
        self, workspace_id: str, intent: Intent, quote: Quote | None = None, policy: Policy | None = None
    ) -> Receipt:
        """Execute an intent; returns when its outcome, as far as it is known, is durable.

        `policy` is asked in the step that decides, before the gates.
        """
        item = SubmitIntent(self.clock.now_ns(), intent, quote, policy=policy)
        return cast(Receipt, await self.enqueue(workspace_id, item))

    async def feed(self, workspace_id: str, item: Input) -> None:
        """Hand an input in; returns when what it did is durable."""
        await self.enqueue(workspace_id, item)

    def enqueue(self, workspace_id: str, item: Input) -> asyncio.Future[Any]:
        """Queue an input for the next turn."""
        if self._stopped:
            raise self._has_stopped()
        desk = self._desk(workspace_id)
        future = desk.put(fitted(item, desk.writer.venue))
        self._schedule()
        return future

    def tell(self, workspace_id: str, item: Input) -> None:
        """Queue market data or another input that nobody waits for."""
        self._desk(workspace_id).tell(item)
        self._schedule()

    async def read(self, workspace_id: str, reader: Reader) -> Any:
        """What `reader` makes of the state, at a moment when all of it is durable."""
        desk = self._desk(workspace_id)
        if desk.broken is not None:
            raise WorkspaceHalted(f"workspace {workspace_id} has no readable state: {desk.broken}", code="HALTED")
        future = desk.read(reader)
        self._schedule()
        return await future

    async def revive(self, workspace_id: str) -> None:
        """After trouble with the journal was mended: fold again, and stay halted until resumed.

        The journal is reopened, which every workspace feels, only if this workspace cannot be had without.
        """
        desk = self._desk(workspace_id)
        if desk.broken is not None:
            self._refold(desk, outcome_unknown(desk.broken), "APPEND_FAILED", str(desk.broken))
        if desk.broken is not None:
            self._collapse(desk.broken)
        self._schedule()
        if desk.broken is not None:
            raise AppendFailed(f"the journal still cannot be written: {desk.broken}", durable="no")

    @staticmethod
    def _has_stopped() -> WorkspaceHalted:
        return WorkspaceHalted("the engine has stopped: start it again", code="STOPPED")

    def _desk(self, workspace_id: str) -> Desk:
        try:
            return self.desks[workspace_id]
        except KeyError:
            known = ", ".join(sorted(self.desks)) or "none"
            raise InputError(
                f"there is no workspace {workspace_id!r} in this engine (open: {known})",
                code="UNKNOWN_WORKSPACE",
            ) from None


def _keeps_stops(opening: OpenWorkspace, venue: Venue) -> None:
    if opening.profile.limits.stops_at_venue and not venue.capabilities.native_stops:
        raise ConfigError(
            f"workspace {opening.workspace_id} wants its stops kept at the venue, and {venue.capabilities.name} keeps"
            " none: set execution.stops_at to engine"
        )
    if opening.profile.limits.targets_at_venue and not venue.capabilities.links:
        raise ConfigError(
            f"workspace {opening.workspace_id} wants its targets linked to its stops at the venue, and"
            f" {venue.capabilities.name} links none: set execution.targets_at to engine"
        )
