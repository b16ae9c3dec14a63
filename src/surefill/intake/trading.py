"""A trading run: strategies on a replayed market, through a session whose engine can be operated meanwhile.

At each moment: the bars that end are shown and the strategies asked about them; then the bars that open are shown
together with the intents that wait for their open, exits before entries, in instrument order. So a decision never sees
the price that it is filled at; what a strategy wants at the close itself (an end-of-day exit) is executed there.

The run's clock is the market's. A run that was stopped goes on where the journal ends: later moments are replayed, and
strategies are asked again about bars that had closed while the next one had not opened yet, with the books as they were
then. (A process that is killed within a moment does not make up for that moment's decisions.)
"""

from __future__ import annotations

import asyncio
import threading
import time
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Final, NamedTuple

from surefill.domain import codec
from surefill.domain.events import (
    AlertAcknowledged,
    AlertDelivered,
    AlertRaised,
    BalanceCompared,
    BuildChanged,
    Event,
    Halted,
    InstrumentDefined,
    IntentAccepted,
    IntentRefused,
    PositionsCompared,
    ProfileSet,
    Resumed,
    SessionSet,
    WorkspaceOpened,
    WorkspaceReset,
)
from surefill.domain.evolve import evolve
from surefill.domain.inputs import RequestCancel, SubmitIntent
from surefill.domain.intent import Action, Intent
from surefill.domain.market import Bar, BarOpened
from surefill.domain.state import State
from surefill.engine.clock import VirtualClock
from surefill.errors import ConfigError
from surefill.intake.session import Session
from surefill.journal.protocol import Journal
from surefill.market.replay import MarketEvent, bar_events, merged
from surefill.market.series import BarSeries
from surefill.strategy.ledger import HeldPosition, PaperLedger
from surefill.strategy.resting import overdue, resting_entries
from surefill.strategy.runner import StrategyRunner
from surefill.strategy.snapshot import MarketSnapshot
from surefill.strategy.spec import ExecutionSpec
from surefill.strategy.translate import submission_of
from surefill.units import NS_PER_S, quanta_float

Progress = Callable[[int, int], None]
_READ_BACK: Final = 256
# What people and the shell write: it says nothing of how far the market had come.
_NOT_OF_THE_MARKET: Final = (
    AlertAcknowledged,
    AlertDelivered,
    AlertRaised,
    WorkspaceOpened,
    BuildChanged,
    ProfileSet,
    InstrumentDefined,
    Halted,
    Resumed,
    PositionsCompared,
    BalanceCompared,
    WorkspaceReset,
)


class TradingSummary(NamedTuple):
    """How a run went; `finished` is false when it was stopped before the market's end."""

    moments: int
    bars: int
    intents: int
    finished: bool
    last_ns: int


class Ledger(NamedTuple):
    """A strategy's view of the account, copied at one moment."""

    cash: float
    positions: dict[str, HeldPosition]


class TradingRun:
    """`session` was opened with `clock`. `speed` as in `market.replay`: 0 does not wait. `stop` ends it gracefully."""

    def __init__(
        self,
        session: Session,
        clock: VirtualClock,
        specs: Sequence[ExecutionSpec],
        series: Mapping[str, BarSeries],
        *,
        runner: StrategyRunner | None = None,
        speed: float = 0.0,
        stop: threading.Event | None = None,
        on_progress: Progress | None = None,
    ) -> None:
        self._session = session
        self._clock = clock
        self._runner = runner or StrategyRunner()
        self._spec_of = spec_by_symbol(specs)
        self._series = {symbol: series[symbol] for symbol in self._spec_of}
        self._speed = speed
        self._stop = stop or threading.Event()
        self._on_progress = on_progress
        self._pending: dict[str, list[Intent]] = {}
        self._at = dict.fromkeys(self._series, -1)
        self._intents = 0

    def run(self) -> TradingSummary:
        """Run to the market's end, or until it is stopped."""
        done_ns = market_time_of(self._session.journal, self._session.workspace_id)
        for symbol in self._series:
            self._session.ensure_instrument(symbol)
        self._take_up(done_ns)
        total = sum(len(bars) for bars in self._series.values())
        moments = 0
        last_ns = done_ns
        for ts_ns, events in self._paced(done_ns):
            self._clock.advance_to(ts_ns)
            self._moment(events)
            moments, last_ns = moments + 1, ts_ns
            if self._on_progress is not None:
                self._on_progress(self._bars(), total)
        return TradingSummary(moments, self._bars(), self._intents, not self._stop.is_set(), last_ns)

    def _bars(self) -> int:
        return sum(at + 1 for at in self._at.values())

    def _paced(self, done_ns: int) -> Iterator[tuple[int, list[MarketEvent]]]:
        """The moments after `done_ns`, each when its time has come."""
        began = time.monotonic()
        first_ns: int | None = None
        events = merged(*(bar_events(bars) for bars in self._series.values()))
        for ts_ns, group in groupby(events, key=lambda event: event.ts_ns):
            if ts_ns <= done_ns:
                continue
            first_ns = ts_ns if first_ns is None else first_ns
            due = began + (ts_ns - first_ns) / NS_PER_S / self._speed if self._speed else 0.0
            if self._stop.wait(max(0.0, due - time.monotonic())) if self._speed else self._stop.is_set():
                return
            yield ts_ns, list(group)

    def _moment(self, events: list[MarketEvent]) -> None:
        closed = [event for event in events if isinstance(event, Bar)]
        opened = [event for event in events if isinstance(event, BarOpened)]
        if closed:
            self._feed(closed, ())
            for bar in closed:
                self._at[bar.instrument_id] += 1
            self._take_back(closed)
            now = [item for bar in closed for item in self._decide(bar.instrument_id)]
            if now:
                self._feed((), now)
        if opened:
            due = [intent for event in opened for intent in self._pending.pop(event.instrument_id, ())]
            due.sort(key=lambda intent: intent.action != Action.CLOSE)
            now_ns = self._clock.now_ns()
            self._feed(opened, [SubmitIntent(now_ns, intent) for intent in due])

    def _take_back(self, closed: Sequence[Bar]) -> None:
        """Entries that have waited for their price for as many bars as their spec says."""

        def late(state: State) -> list[RequestCancel]:
            found = []
            for symbol, ts_ns in ((bar.instrument_id, bar.ts_ns) for bar in closed):
                spec, closes_ns = self._spec_of[symbol], self._series[symbol].ts_ns
                found += overdue(state.book, symbol, spec, closes_ns, self._at[symbol] + 1, ts_ns)
            return found

        requests = self._session.read(late)
        if requests:
            self._feed(requests, ())

    def _feed(self, events: Iterable[MarketEvent | RequestCancel], items: Iterable[SubmitIntent]) -> None:
        """Market data and intents in one turn of the engine, so in one commit."""
        engine, workspace_id = self._session.engine.engine, self._session.workspace_id

        async def hand_in() -> None:
            engine.fire_timers()
            for event in events:
                engine.tell(workspace_id, event)
            answers = [engine.enqueue(workspace_id, item) for item in items]
            done = engine.read(workspace_id, lambda state: None)
            for answer in await asyncio.gather(*answers, done, return_exceptions=True):  # every one is heard
                if isinstance(answer, BaseException):
                    raise answer
            self._intents += len(answers)

        self._session.engine.run(hand_in())

    def _decide(self, symbol: str, ledger: Ledger | None = None) -> list[SubmitIntent]:
        """Ask the strategy about the bar that closed last; what waits for the next open is kept, the rest (what wants
        this close, what cannot be at all) returned.

        `ledger`: the books at another time than now.
        """
        at, series = self._at[symbol], self._series[symbol]
        if at < 1:
            return []
        instrument = self._session.ensure_instrument(symbol)
        terms = instrument.terms_at(series.ts_ns[at])
        snapshot = MarketSnapshot.of_series(
            series,
            at,
            lot_size=quanta_float(terms.lot, instrument.qty_decimals),
            tick_size=quanta_float(terms.tick, instrument.price_decimals),
        )
        spec = self._spec_of[symbol]
        books = ledger or self._session.read(ledger_of)
        own = Ledger(books.cash, {name: held for name, held in books.positions.items() if name in spec.symbols})
        resting = self._session.read(lambda state: resting_entries(state.book, spec.symbols, spec.strategy_id))
        evaluation = self._runner.evaluate(
            spec,
            snapshot,
            own,
            pending_entries=self._waiting(spec) + len(resting),
            order_working=any(order.request.instrument_id == symbol for order in resting),
        )
        now = []
        for trade in evaluation.intents:
            item = submission_of(trade, instrument, series.ts_ns[at])
            if item.refusal is not None or trade.metadata.get("fill_at") == "close":
                now.append(item)
            else:
                self._pending.setdefault(symbol, []).append(item.intent)
        return now

    def _waiting(self, spec: ExecutionSpec) -> int:
        """Entries of this strategy that are decided and not yet executed."""
        waiting = (intent for symbol in spec.symbols for intent in self._pending.get(symbol, ()))
        return sum(intent.action == Action.OPEN for intent in waiting)

    def _take_up(self, done_ns: int) -> None:
        """Ask again about bars that closed before the run was stopped and whose next one had not opened yet."""
        waiting: list[tuple[int, str]] = []
        for symbol, series in self._series.items():
            self._at[symbol] = at = bisect_right(series.ts_ns, done_ns) - 1
            if at >= 0 and at + 1 < len(series) and series.open_ns[at + 1] > done_ns:
                waiting.append((series.ts_ns[at], symbol))
        if waiting:
            closes = {ts_ns for ts_ns, _ in waiting}
            books = books_at_closes(self._session.journal, self._session.workspace_id, closes)
            for ts_ns, symbol in sorted(waiting):
                self._decide(symbol, books[ts_ns])


def ledger_of(state: State) -> Ledger:
    """A copy of the account as strategies see it."""
    book = PaperLedger(state.book)
    return Ledger(book.cash, dict(book.positions))


def spec_by_symbol(specs: Iterable[ExecutionSpec]) -> dict[str, ExecutionSpec]:
    """Which strategy trades which symbol: one each. Raises ConfigError."""
    found: dict[str, ExecutionSpec] = {}
    for spec in specs:
        for symbol in spec.symbols:
            if symbol in found:
                raise ConfigError(
                    f"{symbol} is traded by {found[symbol].strategy_id} and by {spec.strategy_id}: a symbol belongs to"
                    " one strategy of a workspace, use another workspace for the other",
                    key="strategies",
                )
            found[symbol] = spec
    if not found:
        raise ConfigError("no strategy is configured: add one under `strategies`", key="strategies")
    return found


def books_at_closes(journal: Journal, workspace_id: str, closes: Iterable[int]) -> dict[int, Ledger]:
    """The books at each of these moments as strategies saw them: the bars had closed, no intent was executed yet.

    Folds the whole journal.
    """
    found: dict[int, Ledger] = {}
    due = sorted(closes, reverse=True)
    state = State()
    for record in journal.read(workspace_id):
        event = codec.decode(record.payload)
        if not isinstance(event, _NOT_OF_THE_MARKET):
            is_intent = isinstance(event, IntentAccepted | IntentRefused)
            while due and (event.ts_ns > due[-1] or (event.ts_ns == due[-1] and is_intent)):
                found[due.pop()] = ledger_of(state)
        evolve(state, event)
    return {**dict.fromkeys(due, ledger_of(state)), **found}


def market_time_of(journal: Journal, workspace_id: str) -> int:
    """The latest time of the last events that the market or an intent caused: how far a replay has come (0: not begun).

    The latest, because what a start finds out about orders that rest is of the time that its clock begins with.
    """
    head = journal.heads().get(workspace_id)
    last = head.seq if head is not None else 0
    while last > 0:
        first = max(1, last - _READ_BACK + 1)
        events = [codec.decode(record.payload) for record in journal.read(workspace_id, first, last)]
        times = [event.ts_ns for event in events if not _by_people(event)]
        if times:
            return max(times)
        last = first - 1
    return 0


def _by_people(event: Event) -> bool:
    return isinstance(event, _NOT_OF_THE_MARKET) or (isinstance(event, SessionSet) and event.continues)
