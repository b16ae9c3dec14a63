"""A live run: strategies on prices as they come, through a session at a real venue (or beside one, in a dry run).

Every price goes to the engine at once, so that exits never wait for a strategy; a thread of the caller's makes bars of
them and asks the strategies when one ends. What a strategy decides on a bar is sent at once: the next price is the next
bar's open. Bars that ended before the run began come from `history`, or are waited for.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Final, NamedTuple, cast

from surefill.domain.effects import Notify
from surefill.domain.inputs import Halt, SubmitIntent
from surefill.domain.instrument import Instrument
from surefill.domain.market import Bar, Quote
from surefill.domain.state import Book
from surefill.engine.receipt import Receipt, Verdict
from surefill.errors import SurefillError
from surefill.intake.session import Session
from surefill.intake.trading import ledger_of, spec_by_symbol
from surefill.logs import logger
from surefill.market.live_bars import BarBuilder
from surefill.market.series import BarSeries
from surefill.market.sessions import calendar_named
from surefill.strategy.resting import overdue, resting_entries
from surefill.strategy.runner import StrategyRunner
from surefill.strategy.snapshot import MarketSnapshot
from surefill.strategy.spec import ExecutionSpec
from surefill.strategy.translate import submission_of
from surefill.units import NS_PER_S, quanta_float
from surefill.venues.protocol import LiveVenue

BARS_KEPT: Final = 2_000
LOOK_S: Final = 0.25

_log = logger("surefill.live_run")


class LiveSummary(NamedTuple):
    """How a run went. `failed`: strategies that were paused for an error of theirs, and which."""

    prices: int
    bars: int
    intents: int
    last_ns: int
    failed: dict[str, str]


class LiveRun:
    """`market` gives the prices; orders go where the session's venue is. `stop` ends the run."""

    def __init__(
        self,
        session: Session,
        market: LiveVenue,
        specs: Sequence[ExecutionSpec],
        timeframe: str,
        *,
        history: Mapping[str, BarSeries] | None = None,
        runner: StrategyRunner | None = None,
        stop: threading.Event | None = None,
        on_bar: Callable[[Bar], None] | None = None,
    ) -> None:
        self._session = session
        self._market = market
        self._spec_of = spec_by_symbol(specs)
        self._timeframe = timeframe
        self._runner = runner or StrategyRunner()
        self._stop = stop or threading.Event()
        self._on_bar = on_bar
        self._queue: queue.SimpleQueue[Quote] = queue.SimpleQueue()
        self._bars: dict[str, list[Bar]] = {symbol: list(bars)[-BARS_KEPT:] for symbol, bars in (history or {}).items()}
        self._builders: dict[str, BarBuilder] = {}
        self._failed: dict[str, str] = {}
        self._counts = {"prices": 0, "bars": 0, "intents": 0, "last_ns": 0}

    def run(self) -> LiveSummary:
        """Trade until it is stopped. Raises what the engine raises where the workspace cannot go on."""
        for symbol in self._spec_of:
            instrument = self._session.ensure_instrument(symbol)
            self._builders[symbol] = BarBuilder(symbol, self._timeframe, calendar_named(instrument.calendar))
        self._session.engine.run(self._market.subscribe(tuple(self._spec_of), self._take))
        while not self._stop.is_set():
            try:
                quote = self._queue.get(timeout=LOOK_S)
            except queue.Empty:
                self._finish_bars()
                continue
            self._counts["prices"] += 1
            self._counts["last_ns"] = max(self._counts["last_ns"], quote.ts_ns)
            self._end(self._builders[quote.instrument_id].take(_price(quote), quote.ts_ns))
        return LiveSummary(**self._counts, failed=self._failed)

    def _now_ns(self) -> int:
        return self._session.engine.clock.now_ns()

    def _take(self, quote: Quote) -> None:
        """On the engine's loop: exits first, strategies when they have time."""
        self._session.engine.engine.tell(self._session.workspace_id, quote)
        if quote.instrument_id in self._builders:
            self._queue.put(quote)

    def _finish_bars(self) -> None:
        """No price came for a while: bars end all the same."""
        for builder in self._builders.values():
            self._end(builder.finish(self._now_ns() - NS_PER_S))  # a price of the bar's last moment may be on its way

    def _end(self, bar: Bar | None) -> None:
        if bar is None:
            return
        self._counts["bars"] += 1
        bars = self._bars.setdefault(bar.instrument_id, [])
        if bars and bar.open_ns < bars[-1].ts_ns:
            return  # the history has it already
        bars.append(bar)
        del bars[:-BARS_KEPT]
        # Its range has been acted on, price by price: what is left to tell is that a bar, or the session, has ended.
        px = bar.close_px
        self._session.feed(Bar(bar.instrument_id, bar.open_ns, bar.ts_ns, px, px, px, px, 0, bar.is_session_end))
        if self._on_bar is not None:
            self._on_bar(bar)
        self._decide(bar)

    def _decide(self, bar: Bar) -> None:
        """Ask the strategy about the bar, and send what it wants."""
        symbol, instrument = bar.instrument_id, self._session.ensure_instrument(bar.instrument_id)
        spec, series = self._spec_of[symbol], _series(self._bars[symbol], instrument, self._timeframe)
        if len(series) < 2:
            return
        terms = instrument.terms_at(bar.ts_ns)
        snapshot = MarketSnapshot.of_series(
            series,
            len(series) - 1,
            lot_size=quanta_float(terms.lot, instrument.qty_decimals),
            tick_size=quanta_float(terms.tick, instrument.price_decimals),
        )
        books = self._session.read(ledger_of)
        own = books._replace(positions={name: held for name, held in books.positions.items() if name in spec.symbols})
        for request in self._session.read(
            lambda state: overdue(state.book, symbol, spec, series.ts_ns, len(series), self._now_ns())
        ):
            self._session.feed(request)
        pending, resting = self._session.read(
            lambda state: (_entries(state.book, spec.symbols), resting_entries(state.book, (symbol,), spec.strategy_id))
        )
        try:
            evaluation = self._runner.evaluate(
                spec, snapshot, own, pending_entries=pending, order_working=bool(resting)
            )
        except SurefillError as error:  # positions are guarded on: the process must not end for a strategy's sake
            self._give_up(spec.strategy_id, str(error))
            return
        for trade in evaluation.intents:
            item = submission_of(trade, instrument, self._now_ns())
            self._counts["intents"] += 1
            receipt = self._send(item)
            _log.info(
                "intent", symbol=symbol, verdict=Verdict(receipt.verdict).name, code=receipt.code, reason=receipt.reason
            )

    def _give_up(self, strategy_id: str, why: str) -> None:
        """A strategy that fails is paused, and somebody is called; `surefill resume --strategy` lets it go on."""
        self._failed[strategy_id] = why
        self._session.feed(Halt(self._now_ns(), "STRATEGY_FAILED", why, "surefill", strategy_id=strategy_id))
        notice = Notify("STRATEGY_FAILED", f"{strategy_id}: {why}", page=True)
        engine = self._session.engine.engine

        async def call() -> None:
            engine.raise_alarm(self._session.workspace_id, notice)

        self._session.engine.run(call())

    def _send(self, item: SubmitIntent) -> Receipt:
        engine, workspace_id = self._session.engine, self._session.workspace_id

        async def send() -> Receipt:
            return cast(Receipt, await engine.engine.enqueue(workspace_id, item))

        return engine.run(send())


def _entries(book: Book, symbols: Collection[str]) -> int:
    """Entries that are on their way and have not begun to fill."""
    orders = (order for order in book.orders.values() if order.request.instrument_id in symbols)
    return sum(not order.request.reduce_only and not order.cum_qty for order in orders)


def _price(quote: Quote) -> int:
    """What a bar is made of: the last trade; of a market that quotes only, the middle."""
    if quote.last_px:
        return quote.last_px
    return (quote.bid_px + quote.ask_px) // 2 if quote.bid_px and quote.ask_px else 0


def _series(bars: Iterable[Bar], instrument: Instrument, timeframe: str) -> BarSeries:
    return BarSeries.from_bars(
        bars,
        instrument_id=instrument.instrument_id,
        timeframe=timeframe,
        price_decimals=instrument.price_decimals,
        qty_decimals=instrument.qty_decimals,
    )
