"""Rounds: a live workspace laid beside its venue again and again, as long as the engine runs.

1. A look is made in parts: open orders and executions since the last look, and, less often, moves, positions and
   balances. Times between looks vary, so that workspaces do not ask together.
2. A failed look is no answer, and never an empty one: nothing is concluded from it. The next one comes later.
3. The history is asked for from before the last look that succeeded, and from before the oldest order that the venue
   has not named yet: an execution that may be that order's is not given to anybody else, and must not be lost either.
4. An answer may have left out what happened before the window of the next look. So while positions differ, the history
   is asked for from when the books agreed last.
5. One round makes the books agree, or halts. A second one finds nothing to do, and writes nothing.
6. A position whose exits wait for prices that do not come is blind: somebody is called, once for each time.
7. What moved an account before the workspace began is in the cash that it began with.
8. A venue that has not told for several looks is lost: somebody is called, once, and told when it is back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from decimal import ROUND_FLOOR, Decimal
from typing import cast

import msgspec

from surefill.domain.account import AccountMove, WorkingOrder
from surefill.domain.decide.balances import balance_state, expected
from surefill.domain.decide.operations import drift_band
from surefill.domain.effects import Notify
from surefill.domain.inputs import (
    CompareBalance,
    CompareExecutions,
    CompareOrders,
    ComparePositions,
    Input,
    MoveAccount,
)
from surefill.domain.state import Book, State
from surefill.engine.blindness import blind_positions
from surefill.engine.clock import Clock
from surefill.engine.desk import Desk
from surefill.engine.looking_back import last_agreed_ns, last_written_ns, written_ns
from surefill.engine.patience import look
from surefill.engine.reconciliation import Differences, compare, differences, pause, told
from surefill.errors import SurefillError, VenueOutcomeUnknown
from surefill.logs import logger
from surefill.rules.codes import DriftBand
from surefill.units import NS_PER_S, PCT_PPB, PPB
from surefill.venues.protocol import Balance, LiveVenue, OpenOrder, TellsMoves, Venue

_log = logger("surefill.engine")

SLOWER_MAX = 8
#: How often the money is looked at before a comparison that does not come to rest is left to the next round.
MONEY_LOOKS_MAX = 5
#: The least time between two looks at what moved the account, in pauses between two queries.
MOVES_SPACING = 5
#: `Capabilities.cash` of a margin account.
MARGIN = "margin"


class RoundTimes(msgspec.Struct, frozen=True):
    """How often to look. `jitter_ppb`: times vary by so much. `overlap_ns`: the history is read so far back again.

    `lost_after`: so many failed looks in a row, and the venue counts as lost. `blind_after_ns`: exits see nothing
    without a price for so long.
    """

    orders_every_ns: int = 5 * NS_PER_S
    positions_every_ns: int = 60 * NS_PER_S
    moves_every_ns: int = 60 * NS_PER_S
    jitter_ppb: int = 25 * PCT_PPB
    overlap_ns: int = 60 * NS_PER_S
    lost_after: int = 3
    blind_after_ns: int = 60 * NS_PER_S


class Rounds:
    """The rounds of one desk.

    `feed` hands an input in and returns when it is durable, `tell` does not wait; `alarm` calls somebody. `balances`:
    what the account held at the last look.
    """

    def __init__(
        self,
        desk: Desk,
        clock: Clock,
        feed: Callable[[Input], Awaitable[None]],
        tell: Callable[[Input], None],
        alarm: Callable[[Notify], None],
        times: RoundTimes,
    ) -> None:
        self._desk = desk
        self._clock = clock
        self._feed = feed
        self._tell = tell
        self._alarm = alarm
        self._times = times
        self._since_ns = self._moves_since_ns = last_written_ns(desk.writer, clock) - times.overlap_ns
        self._moves_asked_ns = self._moves_due_ns = self._moves_failures = 0
        self._began_ns = written_ns(desk.writer, clock, 1)
        self._agreed = 0, 0
        self._told: Differences = {}
        self._failures = 0
        self._lost = False
        self._blind: set[str] = set()
        self.balances: tuple[Balance, ...] = ()

    # -- life -------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Look for ever."""
        positions_due_ns = self._clock.now_ns() + self._vary(self._times.positions_every_ns)
        while True:
            await asyncio.sleep(self._vary(self._times.orders_every_ns) * self._slower() / NS_PER_S)
            if self._desk.broken is not None:
                continue
            self._watch_prices()
            if self._clock.now_ns() >= self._moves_due_ns:
                await self.look_at_moves()
            if await self._looked(self.orders) and self._clock.now_ns() >= positions_due_ns:
                positions_due_ns = self._clock.now_ns() + self._vary(self._times.positions_every_ns)
                await self._looked(self.positions)

    def _watch_prices(self) -> None:
        """Call somebody about positions that have gone blind; one that sees again is told of anew the next time."""
        found = blind_positions(self._desk.writer.state, self._clock.now_ns(), self._times.blind_after_ns)
        for key in found.keys() - self._blind:
            self._alarm(Notify("POSITION_BLIND", f"{key}: {found[key]}", page=True))
        self._blind = set(found)

    def _slower(self) -> int:
        return min(1 << min(self._failures, SLOWER_MAX), SLOWER_MAX)

    def _vary(self, time_ns: int) -> int:
        spread = self._times.jitter_ppb
        return time_ns + time_ns * self._desk.chance.randint(-spread, spread) // PPB

    async def _looked(self, part: Callable[[], Awaitable[None]]) -> bool:
        """Make one look; whether it succeeded."""
        try:
            await part()
        except Exception as error:  # whatever an adapter raises, it has told nothing
            if not isinstance(error, SurefillError):
                _log.exception("round_failed", workspace_id=self._desk.writer.workspace_id)
            self._failures += 1
            if self._failures == self._times.lost_after and not self._lost:
                self._lost = True
                text = f"{self._failures} looks in a row have told nothing: {told(error)}"
                self._alarm(Notify("VENUE_LOST", text, page=True))
            return False
        if self._lost:
            self._alarm(Notify("VENUE_REGAINED", "the venue tells again"))
        self._failures, self._lost = 0, False
        return True

    # -- the parts of a look ----------------------------------------------------------------------------------

    async def orders(self) -> None:
        """Open orders, and what has happened since the last look. Raises VenueOutcomeUnknown when the venue is silent.

        The list is taken first and fed last, so that what trades meanwhile is rather counted twice than not at all.
        """
        await self._looked_since(self._since_ns)

    async def recover(self) -> None:
        """All of the history from when the books agreed last, for a difference that must be explained now.

        Raises VenueOutcomeUnknown when the venue is silent, also where the moves were asked for a moment ago: looks at
        them are dear, and a difference may be younger.
        """
        seen_ns, seen_seq = self._agreed
        agreed_ns = last_agreed_ns(self._desk.writer, seen_seq) or seen_ns
        since_ns = agreed_ns - self._times.overlap_ns
        await self._looked_since(min(self._since_ns, since_ns))
        if tells_moves(self._desk.writer.venue) is None:
            return
        spacing_ns = self._desk.writer.state.book.profile.limits.query_spacing_ns
        if self._clock.now_ns() - self._moves_asked_ns < MOVES_SPACING * spacing_ns:
            raise VenueOutcomeUnknown("what moved the account was asked for a moment ago")
        await self._moved_since(min(self._moves_since_ns, since_ns))

    async def _looked_since(self, since_ns: int) -> None:
        venue, desk = live(self._desk.writer.venue), self._desk
        if venue is None:
            return
        asked_ns = self._clock.now_ns()
        listed = await look(desk, venue.open_orders)
        executions = await look(desk, lambda: venue.executions(since_ns))
        if executions:
            await self._feed(CompareExecutions(self._clock.now_ns(), executions))
        await self._feed(CompareOrders(self._clock.now_ns(), asked_ns, tuple(map(_working, listed))))
        self._since_ns = min(asked_ns, _oldest_unnamed_ns(desk.writer.state, asked_ns)) - self._times.overlap_ns

    def _is_since_then(self, move: AccountMove) -> bool:
        return not 0 < move.transact_ns < self._began_ns

    async def look_at_moves(self) -> None:
        """The same, and somebody is told when that has failed several times in a row: all else may go on as it does."""
        try:
            await self.moves()
        except Exception as error:  # whatever an adapter raises, it has told nothing
            self._moves_failures += 1
            _log.warning("moves_not_told", workspace_id=self._desk.writer.workspace_id, error=told(error))
            if self._moves_failures == self._times.lost_after:
                text = f"what moves the account and is no trade has not been told {self._moves_failures} times in a row"
                self._alarm(Notify("MOVES_NOT_TOLD", f"{text}: {told(error)}"))
        else:
            self._moves_failures = 0

    async def moves(self) -> None:
        """What moved the account and was no trade, since the last time that it was told."""
        await self._moved_since(self._moves_since_ns)

    async def _moved_since(self, since_ns: int) -> None:
        teller = tells_moves(self._desk.writer.venue)
        if teller is None:
            return
        asked_ns = self._clock.now_ns()
        self._moves_asked_ns, self._moves_due_ns = asked_ns, asked_ns + self._times.moves_every_ns
        moves = tuple(filter(self._is_since_then, await look(self._desk, lambda: teller.moves(since_ns))))
        if moves:
            await self._feed(MoveAccount(self._clock.now_ns(), moves))
        self._moves_since_ns = asked_ns - self._times.overlap_ns

    async def positions(self) -> None:
        """Positions, and what the account holds. What is not sure, or has been told already, is not told again."""
        asked_ns = self._clock.now_ns()
        theirs, sure = await compare(self._desk, self._clock, self._tell, self.recover)
        state = self._desk.writer.state
        found = differences(state, theirs)
        if not found:
            self._agreed = asked_ns, state.book.seq
        if sure and (found != self._told or _must_halt(state, found)):
            self._told = found
            await self._feed(ComparePositions(self._clock.now_ns(), theirs))
        await self.money()

    async def money(self) -> None:
        """What the account holds, laid beside our cash where that can be: twice the same way, with nothing between."""
        desk, venue = self._desk, live(self._desk.writer.venue)
        if venue is None:
            return
        before: int | None = None
        for _ in range(MONEY_LOOKS_MAX):
            seq = desk.writer.state.book.seq
            self.balances = await look(desk, venue.balances)
            await desk.quiet()
            kind, book = desk.writer.venue.capabilities.cash, desk.writer.state.book
            if not kind:
                return
            theirs, margin = _cash_of(self.balances, book), kind == MARGIN
            if book.balance is not None and book.balance.state == balance_state(book, theirs, margin=margin)[1]:
                return
            apart = theirs - expected(book, margin=margin)
            if apart == before and book.seq == seq:
                await self._feed(CompareBalance(self._clock.now_ns(), theirs, margin))
                return
            before = apart if book.seq == seq else None
            await pause(desk)


def live(venue: Venue) -> LiveVenue | None:
    """The venue, if it tells what a `LiveVenue` tells."""
    told_by = hasattr(venue, "open_orders") and not venue.capabilities.in_process
    return cast(LiveVenue, venue) if told_by else None


def tells_moves(venue: Venue) -> TellsMoves | None:
    """The venue, if it tells of moves that are no trades."""
    return cast(TellsMoves, venue) if hasattr(venue, "moves") else None


def _cash_of(balances: tuple[Balance, ...], book: Book) -> int:
    """The account's money, as finely as it is counted here."""
    total = sum((each.total for each in balances if each.asset == book.currency), Decimal(0))
    return int((total * 10**book.money_decimals).to_integral_value(ROUND_FLOOR))


def _oldest_unnamed_ns(state: State, now_ns: int) -> int:
    times = (order.created_ns for order in state.book.orders.values() if not (order.order_id or order.waits))
    return min(times, default=now_ns)


def _must_halt(state: State, found: Differences) -> bool:
    """Whether a difference that was told before holds entries back no more, and should."""
    bands = state.book.profile.limits.drift_bands_ppb
    grave = any(drift_band(ours, theirs, bands) == DriftBand.HALT for ours, theirs in found.values())
    return grave and not state.book.halted_code


def _working(order: OpenOrder) -> WorkingOrder:
    return WorkingOrder(
        order.order_id,
        order.cl_ord_id,
        order.instrument_id,
        order.bucket,
        order.side,
        order.order_qty,
        order.cum_qty,
        order.px,
        order.stop_px,
    )
