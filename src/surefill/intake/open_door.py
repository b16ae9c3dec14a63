"""What stands behind a Python door: the session, the files kept from its journal, and what the door hears of orders.

Doors are synchronous and may be called from any thread. Whoever forgets to close one is closed for: when its object
goes, or when the program ends.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from typing import Protocol

from surefill.config import Settings
from surefill.domain import codec
from surefill.domain.events import Event
from surefill.domain.inputs import Input, SubmitIntent
from surefill.domain.intent import Intent
from surefill.domain.market import Quote
from surefill.domain.position import position_key
from surefill.domain.refusals import Refusal
from surefill.domain.state import State
from surefill.engine.clock import Clock
from surefill.engine.engine import Engine
from surefill.engine.receipt import Receipt
from surefill.errors import ConfigError, SurefillError
from surefill.intake.caller_feed import CallerFeed
from surefill.intake.caller_stores import CallerStores
from surefill.intake.door_settings import artifacts_dir, in_memory
from surefill.intake.following import JournalFollower
from surefill.intake.hints import Hints
from surefill.intake.real_venue import VenueChoice, place_of
from surefill.intake.seen_market import SeenMarket
from surefill.intake.session import Session
from surefill.intake.venue_names import bucket_of
from surefill.journal import MemoryJournal
from surefill.journal.protocol import Journal
from surefill.views.fold import Fold
from surefill.views.order_lines import OrderLine, order_line
from surefill.views.positions import PositionRow, position_rows
from surefill.views.projector import Projector

_log = logging.getLogger("surefill.doors")


class Follower(Protocol):
    """A projection of one workspace."""

    def catch_up(self) -> None:
        """Read what the journal has."""

    def follow(self, first_seq: int, events: Sequence[Event]) -> None:
        """Take events that have just become durable: quickly, and without raising."""


class OpenDoor(SeenMarket):
    """One open workspace, seen by a door. A `journal` that is given stays the caller's.

    `venue`: where it trades (`real_venue`). Raises ConfigError and JournalError when it cannot be opened, RemoteError
    where nobody can be called, VenueOutcomeUnknown where the real venue is silent.
    """

    def __init__(
        self,
        name: str,
        settings: Settings,
        clock: Clock | None = None,
        journal: Journal | None = None,
        *,
        venue: VenueChoice = None,
    ) -> None:
        self._memory: Journal | None = MemoryJournal() if journal is None and in_memory(settings) else None
        place = place_of(settings, venue)
        session = Session.open(settings, clock=clock, journal=journal or self._memory, **place._asdict())
        try:
            super().__init__(settings, session)
            self.hints = Hints(self.session)
            self._desk = self.session.engine.engine.desks[self.session.workspace_id]
            self._lines: deque[OrderLine] = deque()
            self._projector: Projector | None = None
            self.session.engine.run(self._attach())
            if journal is None and self._memory is None:
                self._let_people_operate_it()
        except BaseException:
            session.close()
            raise
        # A stream's epoch grows with every opening, so no story's name ever comes twice.
        self._story_prefix = f"{name}-{self._desk.writer.lease.epoch}"
        self._stories = 0
        self._counting = threading.Lock()

    def _let_people_operate_it(self) -> None:
        """`surefill status`, `halt` and `resume` reach the process that the door lives in."""
        try:
            self.session.serve_control()
        except (ConfigError, OSError) as error:
            _log.warning("this engine cannot be operated from outside: %s", error)

    async def _attach(self) -> None:
        """Catch up and subscribe in one go: on the engine's loop, nothing is committed in between."""
        folder = artifacts_dir(self.settings)
        writer = self._desk.writer
        if folder is None:
            follower = _Listener(self.session.journal, self.session.workspace_id, self._lines)
            writer.subscribers.append(follower.follow)
            return
        self._projector = Projector(folder, self.session.journal, self.session.workspace_id)
        self._projector.catch_up()
        self._projector.listeners.append(self._lines.append)
        writer.subscribers.append(self._projector.follow)

    def follow_with(self, follower: Follower) -> None:
        """Let a further projection catch up with the journal, and follow it from then on."""

        async def attach() -> None:
            follower.catch_up()
            self._desk.writer.subscribers.append(follower.follow)

        self.session.engine.run(attach())

    def close(self) -> None:
        """Stop the engine, finish the files. A second call does nothing."""
        self.session.close()
        if self._projector is not None:
            self._projector.close()
        if self._memory is not None:
            self._memory.close()

    def close_from_anywhere(self) -> None:
        """Close, also when the garbage collector asks on the engine's own thread."""
        if threading.current_thread() is threading.main_thread():
            self.close()
        else:
            threading.Thread(target=self.close, name="surefill-closing").start()

    # -- in ---------------------------------------------------------------------------------------------------

    def new_story(self) -> str:
        """A correlation id that never comes again in this workspace."""
        with self._counting:
            self._stories += 1
            return f"{self._story_prefix}-{self._stories}"

    def submit(self, intent: Intent, quote: Quote | None = None, refusal: Refusal | None = None) -> Receipt:
        """Show the market, then execute the intent, with nothing in between; durable when this returns.

        The market is not part of what the intent's key stands for: asked again, the feed may say another price.
        """
        return self.begin(intent, quote, refusal).result()

    def begin(self, intent: Intent, quote: Quote | None = None, refusal: Refusal | None = None) -> Future[Receipt]:
        """As `submit`, without waiting: for callers with a loop of their own."""
        engine, workspace_id = self.session.engine.engine, self.session.workspace_id
        item = SubmitIntent(engine.clock.now_ns(), intent, None, refusal)
        return self.session.engine.begin(_submit(engine, workspace_id, item, quote))

    def feed(self, items: Sequence[Input]) -> None:
        """Hand inputs in together; what they did is durable when this returns."""
        if items:
            self.session.engine.run(_feed(self.session.engine.engine, self.session.workspace_id, items))

    def price_what_is_held(self, feed: CallerFeed) -> None:
        """After a start: show the market of every position that has no price yet, as far as the caller's feed has it.

        Until then the account's worth is not known, and breakers that watch it let nothing in.
        """

        def unpriced(state: State) -> list[str]:
            held = {position.instrument_id for _, position in state.open_positions()}
            return sorted(held - state.quotes.keys())

        symbols = self.session.read(unpriced)
        if self.prices is not None:
            for symbol in symbols:
                self.prices.missing(symbol)  # waits for the first one
            return
        looks = [self.look(feed, symbol)[0] for symbol in symbols]
        self.feed([quote for quote in looks if quote is not None])

    # -- out --------------------------------------------------------------------------------------------------

    def positions(self) -> dict[str, PositionRow]:
        """Every position, valued at the last prices seen."""
        return self.session.read(lambda state: position_rows(state.book, _marks(state)))

    def held_qty(self, symbol: str) -> int:
        """The signed quantity of a position without a bucket, in quanta."""

        def held(state: State) -> int:
            position = state.book.positions.get(symbol)
            return 0 if position is None else position.qty

        return self.session.read(held)

    def position(self, symbol: str, product: str) -> PositionRow | None:
        """What is held of a symbol in that product; None where nothing ever was."""
        return self.positions().get(position_key(self._named(symbol), bucket_of(product, self.settings)))

    def announce(self, stores: CallerStores) -> None:
        """Tell the caller's stores what has happened since the last time; after an order's step, wait for the files."""
        try:
            positions = self.positions()  # and from here on, nothing of the calls before is still on its way
        except SurefillError as error:
            _log.error("positions cannot be read: %s", error)
            return
        lines = self._take_lines()
        stores.tell_orders(lines, self.settings.workspace.mode)
        if stores.wants_positions:
            stores.tell_positions(positions)
        if lines and self._projector is not None:
            self._projector.flush()

    def _take_lines(self) -> list[OrderLine]:
        taken = []
        while self._lines:
            taken.append(self._lines.popleft())
        return taken

    def events(self) -> Iterator[Event]:
        """The whole journal of the workspace."""
        return (codec.decode(record.payload) for record in self.session.journal.read(self.session.workspace_id))


class _Listener(JournalFollower):
    """Order lines without files."""

    def __init__(self, journal: Journal, workspace_id: str, lines: deque[OrderLine]) -> None:
        super().__init__(journal, workspace_id)
        self._fold = Fold()
        self._lines = lines
        self.catch_up()
        lines.clear()

    def take(self, event: Event) -> None:
        """Keep the line that it makes, if it makes one."""
        self._fold.apply(event)
        line = order_line(self._fold, event)
        if line is not None:
            self._lines.append(line)


async def _submit(engine: Engine, workspace_id: str, item: SubmitIntent, quote: Quote | None) -> Receipt:
    if quote is not None:
        engine.tell(workspace_id, quote)
    receipt: Receipt = await engine.enqueue(workspace_id, item)
    return receipt


async def _feed(engine: Engine, workspace_id: str, items: Sequence[Input]) -> None:
    answers = await asyncio.gather(*(engine.enqueue(workspace_id, item) for item in items), return_exceptions=True)
    for answer in answers:
        if isinstance(answer, BaseException):
            raise answer


def _marks(state: State) -> dict[str, int]:
    """The last price of each instrument; without one, what its position could be closed at."""
    marks = {}
    for position in state.book.positions.values():
        quote = state.quotes.get(position.instrument_id)
        if quote is not None:
            near_px = quote.bid_px if position.qty > 0 else quote.ask_px
            marks[position.instrument_id] = quote.last_px or near_px
    return marks
