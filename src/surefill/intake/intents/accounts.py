"""The workspaces of this door: each one account with its own ledger, all in one engine and one journal."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import TYPE_CHECKING, Final, TypeVar

import msgspec

from surefill.config import (
    Settings,
    config_hash,
    instrument_of,
    opening_of,
    paper_settings_of,
    profile_name,
    profile_of,
)
from surefill.domain.events import Event, IntentAccepted, IntentRefused
from surefill.domain.inputs import DefineInstrument, Input, SetProfile
from surefill.domain.instrument import Instrument
from surefill.domain.intent import Intent
from surefill.domain.state import State
from surefill.engine.thread import EngineThread
from surefill.errors import ConfigError, InputError
from surefill.intake.intents.event_view import EventView, TradeEvent
from surefill.intake.intents.translation import ACTIONS, LONG_ONLY
from surefill.venues.paper import PaperVenue

if TYPE_CHECKING:
    from surefill.engine.desk import Desk
    from surefill.engine.writer import WorkspaceWriter

T = TypeVar("T")

SIMULATED: Final = ("paper", "backtest")
_ID: Final = re.compile(r"[A-Za-z0-9._:-]{1,100}")


class Account:
    """One open workspace, as this door needs it."""

    def __init__(self, settings: Settings, engine: EngineThread, workspace_id: str) -> None:
        self.workspace_id = workspace_id
        self.engine = engine
        self._settings = settings
        self._instruments: dict[str, Instrument] = {}
        self._defining = threading.Lock()
        self.profile, self.money_decimals = self._begin()

    def _begin(self) -> tuple[str, int]:
        """Look at the book and listen to what follows, in one go between two commits."""

        def look(state: State) -> tuple[str, str, int]:
            book = state.book
            writer = self.engine.engine.desks[self.workspace_id].writer
            self._heard = Listener(writer)
            if book.profile.name in ACTIONS:
                writer.subscribers.append(self._heard)
            return book.profile.name, book.mode, book.money_decimals

        profile, mode, money_decimals = self.read(look)
        if profile not in ACTIONS or mode not in SIMULATED:
            raise InputError(
                f"workspace {self.workspace_id} is {mode} with profile {profile}: this door serves paper workspaces"
                f" with profile {' or '.join(sorted(ACTIONS))}",
                code="UNSUPPORTED_WORKSPACE",
            )
        self._have_policy(profile)
        return profile, money_decimals

    def _have_policy(self, profile: str) -> None:
        """A workspace that was opened by somebody else has this door's policy from here on."""
        settings = door_settings(self._settings, profile)
        ours = profile_of(settings)
        if self.read(lambda state: state.book.profile != ours):
            self.feed(SetProfile(self.engine.clock.now_ns(), ours, config_hash(settings)))

    def read(self, reader: Callable[[State], T]) -> T:
        """What `reader` makes of the state, at a moment when all of it is durable."""
        result: T = self.engine.read(self.workspace_id, reader)
        return result

    def feed(self, item: Input) -> None:
        """Hand an input in; returns when what it did is durable."""
        self.engine.feed(self.workspace_id, item)

    def instrument(self, symbol: str) -> Instrument:
        """The instrument of that symbol as configured. Raises InputError, ConfigError."""
        return self._instruments.get(symbol) or instrument_of(self._settings, symbol)

    def define(self, instrument: Instrument) -> None:
        """Make the instrument known in the workspace when it is met for the first time."""
        if instrument.instrument_id not in self._instruments:
            with self._defining:
                self.feed(DefineInstrument(self.engine.clock.now_ns(), instrument))
                self._instruments[instrument.instrument_id] = instrument

    @contextmanager
    def listening(self, intent: Intent) -> Iterator[list[TradeEvent]]:
        """Collect what this very intent leads to while it is executed."""
        with self._heard.watch(intent) as events:
            yield events


class Listener:
    """A subscriber of the workspace's commits: reads them in this door's words, for those who wait.

    It is called on the engine's thread, in the turn that commits: whoever waits is woken after it.
    Commits whose fate was unknown and that turned out durable are not shown to subscribers: after such a gap it takes
    the book as it stands.
    """

    def __init__(self, writer: WorkspaceWriter) -> None:
        self._writer = writer
        self._next_seq = 0
        self._view = EventView()
        self._waiting: dict[int, list[TradeEvent]] = {}

    @contextmanager
    def watch(self, intent: Intent) -> Iterator[list[TradeEvent]]:
        """Collect the events of one intent: of this object, since its id may be sent by several callers at once."""
        events: list[TradeEvent] = []
        self._waiting[id(intent)] = events
        try:
            yield events
        finally:
            del self._waiting[id(intent)]

    def __call__(self, first_seq: int, events: list[Event]) -> None:
        """Take a commit. What an accepted intent leads to at once names its intent until the next one begins."""
        if first_seq != self._next_seq:
            self._view = EventView(self._writer.workspace_id, self._writer.state.book)
        self._next_seq = first_seq + len(events)
        mine: list[TradeEvent] | None = None
        intent_id = ""
        for seq, event in enumerate(events, first_seq):
            if isinstance(event, IntentAccepted | IntentRefused):
                mine, intent_id = self._waiting.get(id(event.intent)), event.intent.intent_id
            said = self._view.apply(seq, event)
            if mine is not None:
                mine += [line for line in said if line.intent_id == intent_id]


class Accounts:
    """Opens workspaces when they are first needed; a workspace belongs to one process."""

    def __init__(self, settings: Settings, engine: EngineThread) -> None:
        self.settings = settings
        self.engine = engine
        self._accounts: dict[str, Account] = {}
        self._opening = threading.Lock()

    def take(self, workspace_id: str) -> Account:
        """The account; a new one is opened with the configured starting equity. Raises InputError, ConfigError."""
        found = self._accounts.get(workspace_id)
        if found is not None:
            return found
        if not _ID.fullmatch(workspace_id):
            raise InputError(
                f"{workspace_id!r} is not a workspace id: letters, digits and . _ : - only",
                code="INVALID_REQUEST",
                field="workspace_id",
            )
        with self._opening:
            found = self._accounts.get(workspace_id)
            if found is None:
                if not self._is_open(workspace_id):
                    self._open(workspace_id)
                found = self._accounts[workspace_id] = Account(self.settings, self.engine, workspace_id)
        return found

    def find(self, workspace_id: str) -> Account:
        """The account, if it has ever been opened. Raises InputError (UNKNOWN_WORKSPACE)."""
        if workspace_id not in self._accounts and workspace_id not in self.engine.journal.heads():
            raise InputError(
                f"there is no workspace {workspace_id!r}: its first intent opens it", code="UNKNOWN_WORKSPACE"
            )
        return self.take(workspace_id)

    def _is_open(self, workspace_id: str) -> bool:
        desk: Desk | None = self.engine.engine.desks.get(workspace_id)
        return desk is not None and desk.accepting

    def _open(self, workspace_id: str) -> None:
        settings = self.settings
        opening = opening_of(settings, self.engine.clock.now_ns())
        opening = msgspec.structs.replace(opening, workspace_id=workspace_id)
        self.engine.open(opening, PaperVenue(paper_settings_of(settings)))
        self.engine.engine.desks[workspace_id].writer.snapshot_every = settings.journal.snapshot_every


def door_settings(settings: Settings, profile: str | None = None) -> Settings:
    """The settings as this door reads them: its profile, and in `paper_long_only` a market that adds nothing but fees.

    There the caller's price is the price, so what is configured of slippage, spread, latency and sizes is set aside.
    The drawdown is limited unless `policy.limit_drawdown` says no.
    `profile` takes the place of `execution.engine`. Raises ConfigError where neither is a profile of this door.
    """
    name = profile or profile_name(settings)
    if name not in ACTIONS:
        raise ConfigError(
            f"execution.engine picks profile {name}: the intents door needs {' or '.join(sorted(ACTIONS))}"
            f" (from {settings.source_of('execution', 'engine')})",
            key="execution.engine",
        )
    changes: dict[str, object] = {"engine": name}
    if name == LONG_ONLY:
        changes |= _PLAIN_MARKET
    update: dict[str, object] = {"execution": settings.execution.model_copy(update=changes)}
    if settings.policy.limit_drawdown is None:
        update["policy"] = settings.policy.model_copy(update={"limit_drawdown": True})
    return settings.model_copy(update=update)


_PLAIN_MARKET: Final = {
    "slippage_bps": None,
    "use_bid_ask_spread": False,
    "fill_mode": None,
    "spread_bps": Decimal(0),
    "partial_fills": False,
    "latency_ms": 0,
}
