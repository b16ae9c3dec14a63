"""One open workspace, ready for doors: journal, engine, venue and settings held together.

A session belongs to nobody's loop: its calls block, and come from any thread. Several doors may share one.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import TypeVar

import msgspec

from surefill.config import Settings, instrument_of, opening_of, paper_settings_of
from surefill.config.core import money_decimals_of
from surefill.config.venues import CRYPTO
from surefill.domain import codec
from surefill.domain.events import WorkspaceOpened, WorkspaceReset
from surefill.domain.inputs import DefineInstrument, Input, OpenWorkspace
from surefill.domain.instrument import Instrument
from surefill.domain.intent import Intent
from surefill.domain.market import Quote, Source
from surefill.domain.state import State
from surefill.engine.channels import AppriseChannel
from surefill.engine.clock import Clock, LiveClock
from surefill.engine.control import ControlServer
from surefill.engine.control_path import make_place
from surefill.engine.halt_note import HaltNote
from surefill.engine.heartbeat import Pulse, beat_of
from surefill.engine.pager import Pager
from surefill.engine.receipt import Receipt
from surefill.engine.thread import EngineThread
from surefill.engine.writer import Subscriber
from surefill.errors import ConfigError, LocalError
from surefill.intake.arrival import arrive, fitted
from surefill.journal.protocol import Journal
from surefill.journal.sqlite import SqliteJournal
from surefill.plain import plain_text
from surefill.units import NS_PER_S, observed_quanta, quanta_text, to_quanta
from surefill.venues.paper import PaperVenue
from surefill.venues.protocol import LiveVenue, Venue

T = TypeVar("T")
Number = str | int | float

_MB = 1_000_000


class Session:
    """Open one with `Session.open`; close it, or use it as a context manager."""

    def __init__(self, settings: Settings, engine: EngineThread, journal: Journal, *, owns_journal: bool) -> None:
        self.settings = settings
        self.workspace_id = settings.workspace.id
        self.journal = journal
        self.engine = engine
        self._owns_journal = owns_journal
        self._instruments: dict[str, Instrument] = {}
        self._listed: dict[str, Instrument] = {}
        self._looked_at: LiveVenue | None = None
        self._defining = threading.Lock()
        self._control: ControlServer | None = None
        self._pager: Pager | None = None
        self._pulse: Future[None] | None = None
        self._closed = False

    # -- life -------------------------------------------------------------------------------------------------

    @classmethod
    def open(
        cls,
        settings: Settings,
        *,
        clock: Clock | None = None,
        journal: Journal | None = None,
        venue: Venue | None = None,
        market: LiveVenue | None = None,
        accept_changes: bool = False,
    ) -> Session:
        """Open or take up the workspace; when this returns it has compared its books and takes intents.

        `market` is the real venue of a live workspace, which its orders go to, or of a dry run, which only looks. It is
        asked first what the keys may do and what is traded there (`surefill.intake.arrival`). `accept_changes`: a live
        workspace may go on under another configuration or build than it stopped with.
        Without `journal` the configured file is opened, and closed with the session; a journal that is given stays
        the caller's. Raises ConfigError, JournalError (JournalLocked while another process has it).
        """
        clock = clock or LiveClock()
        opening = opening_of(settings, clock.now_ns(), accept_changes=accept_changes)
        live = opening.mode == "live"
        if market is not None and opening.mode not in ("live", "dry_run"):
            raise ConfigError(f"workspace {opening.workspace_id} is {opening.mode}: it meets no real venue")
        if venue is None and live and market is None:
            raise ConfigError(f"workspace {opening.workspace_id} is live: give the venue that its orders go to")
        venue = venue or (market if live else None) or PaperVenue(paper_settings_of(settings))
        owned = journal is None
        journal = journal or open_journal(settings)
        try:
            thread = EngineThread(journal, clock, disk_floor_bytes=settings.journal.disk_floor_mb * _MB)
        except BaseException:
            _let_go(journal, owned)
            raise
        session = cls(settings, thread, journal, owns_journal=owned)
        try:
            if market is not None:
                opening = session._arrived(market, opening)
            if live:
                opening = fitted(opening, venue.capabilities)
            else:
                _same_equity(settings, opening, journal)
            thread.open(opening, venue)
            session._keep_halts()
            session._call_somebody()
            session._prepare()
        except BaseException:
            session.close()
            raise
        return session

    def _arrived(self, market: LiveVenue, opening: OpenWorkspace) -> OpenWorkspace:
        """Ask the real venue before anything begins; a live workspace starts with the cash that is there."""
        self._looked_at = market
        found = self.engine.run(arrive(market, self.settings, opening.currency, opening.money_decimals))
        self._listed = found.listed
        if opening.mode == "live":
            self._looked_at = None  # the engine's from here on
            return msgspec.structs.replace(opening, starting_cash=found.cash)
        self.engine.run(market.connect(lambda _report: None))  # what happens to others' orders there is not ours
        return opening

    @property
    def is_simulated(self) -> bool:
        """Whether orders trade against the prices that are shown here, and nowhere else."""
        return self.engine.engine.desks[self.workspace_id].writer.in_process is not None

    def _keep_halts(self) -> None:
        """Journal a halt that the process before could not, and see to it that none of this one is lost so."""
        if not isinstance(self.journal, SqliteJournal):
            return
        note = HaltNote(self.journal.path, self.workspace_id)
        self.subscribe(note.follow)
        self.engine.engine.alarms.append(note.take_alarm)
        owed = note.owed(self.engine.engine.desks[self.workspace_id].writer, self.engine.clock.now_ns())
        if owed is not None:
            self.feed(owed)

    def _call_somebody(self) -> None:
        """Have pages delivered, and the dead man's switch told that all is well, where the settings say how."""
        alerts = self.settings.alerts
        if alerts.urls:
            channel = AppriseChannel(alerts.urls)

            async def begin() -> Pager:
                repeat_ns = int(alerts.repeat_minutes * 60 * NS_PER_S)
                pager = Pager(self.engine.engine, channel, repeat_ns=repeat_ns)
                pager.start()
                return pager

            self._pager = self.engine.run(begin())
        if alerts.heartbeat_url:
            pulse = Pulse(self.engine.engine, beat_of(alerts.heartbeat_url), float(alerts.heartbeat_s))
            self._pulse = self.engine.begin(pulse.run())

    def _prepare(self) -> None:
        """Take over the instruments that the journal knows; let the writer snapshot as configured."""
        writer = self.engine.engine.desks[self.workspace_id].writer
        writer.snapshot_every = self.settings.journal.snapshot_every
        for symbol in self.settings.instruments:
            if symbol != "default":
                self.ensure_instrument(symbol)

    def serve_control(self, *, on_stop: Callable[[], None] | None = None) -> Path:
        """Let other processes operate this workspace through the journal's control socket; where that is.

        `on_stop` is called, on the engine's thread, when one of them asks this process to end.
        """
        self._check_open()
        path = make_place(self.settings.journal_path)
        self._control = ControlServer(self.engine.engine, path, on_stop=on_stop)
        self.engine.run(self._control.start())
        return path

    def close(self) -> None:
        """Stop the engine and let go of the journal. Orders stay at their venue. A second call does nothing."""
        if self._closed:
            return
        self._closed = True
        try:
            if self._control is not None:
                self.engine.run(self._control.stop())
            if self._looked_at is not None:
                self.engine.run(self._looked_at.close())
            if self._pulse is not None:
                self._pulse.cancel()
            if self._pager is not None:
                self.engine.run(self._pager.stop())
            self.engine.close()
        finally:
            _let_go(self.journal, self._owns_journal)

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _check_open(self) -> None:
        if self._closed:
            raise LocalError(f"the session of workspace {self.workspace_id} is closed: open another", code="CLOSED")

    # -- instruments and prices -------------------------------------------------------------------------------

    def ensure_instrument(self, symbol: str) -> Instrument:
        """The instrument of that symbol, defined in the workspace when it is met for the first time.

        Raises InputError for what is no symbol and where the configuration contradicts the journal (its quanta are
        fixed for ever), ConfigError where it is unknown and must not be guessed.
        """
        symbol = plain_text(symbol, "symbol")
        found = self._instruments.get(symbol)
        if found is not None:
            return found
        self._check_open()
        with self._defining:
            instrument = self._listed.get(symbol) or self._configured(symbol)
            self.feed(DefineInstrument(self.engine.clock.now_ns(), instrument))
            self._instruments[symbol] = instrument
        return instrument

    def _configured(self, symbol: str) -> Instrument:
        """An instrument in the configuration's words; not where a crypto exchange counts it in its own."""
        workspace = self.settings.workspace
        if self._listed and workspace.venue in CRYPTO:
            decimals = money_decimals_of(self.settings)
            raise ConfigError(
                f"{symbol} is not traded at {workspace.venue}, or its money does not come out whole at {decimals}"
                " decimals: check the symbol, or open a new workspace with more workspace.money_decimals",
                code="UNKNOWN_INSTRUMENT",
                symbol=symbol,
            )
        return instrument_of(self.settings, symbol)

    def make_quote(
        self,
        symbol: str,
        *,
        last: Number | None = None,
        bid: Number | None = None,
        ask: Number | None = None,
        bid_size: Number | None = None,
        ask_size: Number | None = None,
        ts_ns: int | None = None,
        source: int | None = None,
    ) -> Quote:
        """A quote in quanta from prices as people write them; None means that the feed has none.

        Prices are taken exactly as they are. Raises InputError: not a number, not above 0, or finer than the
        instrument's decimals. Without `ts_ns` it is of now.
        """
        instrument = self.ensure_instrument(symbol)
        prices = {"last": last, "bid": bid, "ask": ask}
        sizes = {"bid_size": bid_size, "ask_size": ask_size}
        px = {
            name: 0 if value is None else observed_quanta(value, instrument.price_decimals, field=name)
            for name, value in prices.items()
        }
        qty = {
            name: 0 if value is None else to_quanta(value, instrument.qty_decimals, field=name)
            for name, value in sizes.items()
        }
        if source is None:
            source = Source.QUOTE if bid is not None or ask is not None else Source.LAST
        return Quote(
            instrument.instrument_id,
            self.engine.clock.now_ns() if ts_ns is None else ts_ns,
            px["last"],
            px["bid"],
            px["ask"],
            qty["bid_size"],
            qty["ask_size"],
            source,
        )

    def quote(
        self,
        symbol: str,
        *,
        last: Number | None = None,
        bid: Number | None = None,
        ask: Number | None = None,
        bid_size: Number | None = None,
        ask_size: Number | None = None,
        ts_ns: int | None = None,
    ) -> Quote:
        """Show the workspace a price: it moves exits, resting orders and marks. Returns when what it did is durable."""
        made = self.make_quote(symbol, last=last, bid=bid, ask=ask, bid_size=bid_size, ask_size=ask_size, ts_ns=ts_ns)
        self.feed(made)
        return made

    # -- work -------------------------------------------------------------------------------------------------

    def submit(self, intent: Intent, quote: Quote | None = None) -> Receipt:
        """Execute an intent; its instrument is defined if need be. Returns when the outcome is durable."""
        self._check_open()
        if intent.instrument_id:
            self.ensure_instrument(intent.instrument_id)
        return self.engine.submit(self.workspace_id, intent, quote)

    def feed(self, item: Input) -> None:
        """Hand any input in; returns when what it did is durable."""
        self._check_open()
        self.engine.feed(self.workspace_id, item)

    def tell(self, item: Input) -> None:
        """Hand market data in without waiting."""
        self._check_open()
        self.engine.tell(self.workspace_id, item)

    def read(self, reader: Callable[[State], T]) -> T:
        """What `reader` makes of the state, at a moment when all of it is durable. Copy; keep nothing of the state."""
        self._check_open()
        return self.engine.read(self.workspace_id, reader)

    def reconcile(self) -> dict[str, tuple[int, int]]:
        """Compare positions with the venue; differences (ours, theirs) halt the workspace."""
        self._check_open()
        return self.engine.run(self.engine.engine.reconcile(self.workspace_id))

    def check_writing(self) -> None:
        """Raise what keeps this workspace from its journal, if anything does: StaleWriter where another process writes
        it now, another JournalError where it cannot be written at all.
        """
        self._check_open()
        self.engine.run(self._check_writing())

    async def _check_writing(self) -> None:
        self.engine.engine.look_for_other_writers()
        broken = self.engine.engine.desks[self.workspace_id].broken
        if broken is not None:
            raise broken

    def subscribe(self, subscriber: Subscriber) -> None:
        """Call `subscriber(first_seq, events)` after every commit, on the engine's thread: be quick, do not block."""
        self._check_open()
        self.engine.engine.desks[self.workspace_id].writer.subscribers.append(subscriber)


def open_journal(settings: Settings, *, readonly: bool = False) -> Journal:
    """The configured journal; its folder is made if need be (not for reading)."""
    path = settings.journal_path
    if not readonly:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(
                f"journal.path is {str(path)!r}, and its folder cannot be made: {error}"
                f" (from {settings.source_of('journal', 'path')})",
                key="journal.path",
            ) from error
    return SqliteJournal(path, readonly=readonly)


def _same_equity(settings: Settings, opening: OpenWorkspace, journal: Journal) -> None:
    """Refuse a starting equity that the workspace neither began with nor was reset to: it would change nothing.

    Asked before the engine opens the workspace, so that a refusal leaves the journal as it was.
    """
    if opening.workspace_id not in journal.heads():
        return
    begun: list[int] = []
    for record in journal.read(opening.workspace_id):
        if record.seq == 1 or b"WorkspaceReset" in record.payload:
            event = codec.decode(record.payload)
            if isinstance(event, WorkspaceOpened) and event.money_decimals != opening.money_decimals:
                return  # the figures do not compare, and the core refuses that itself
            if isinstance(event, WorkspaceOpened | WorkspaceReset):
                begun.append(event.starting_cash)
        if opening.starting_cash in begun:
            return
    if begun:
        raise ConfigError(
            f"workspace {opening.workspace_id} began with {quanta_text(begun[-1], opening.money_decimals)}"
            f" {opening.currency}, workspace.starting_equity is {settings.workspace.starting_equity}"
            f" (from {settings.source_of('workspace', 'starting_equity')}): put it back, or open a new workspace"
            " (workspace.id) for that",
            key="workspace.starting_equity",
        )


def _let_go(journal: Journal, owned: bool) -> None:
    if owned:
        journal.close()
