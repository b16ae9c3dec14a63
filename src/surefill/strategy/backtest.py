"""A backtest: bars through a strategy into the same engine, on the paper venue, into an ordinary journal.

At each moment, in this order, with instruments sorted by id:

1. the bars open: gaps reach standing stops, resting orders meet the open;
2. the intents made on the bars before are executed, exits before entries (`fill_at="next_open"`);
3. the bars run and close: resting orders, stops, targets, trailing, time stops, the end of the day; then entries that
   have waited for their price long enough are taken back (`strategy.resting`);
4. the strategy sees the closed bars and makes its intents (with `fill_at="close"` they are executed at once);
5. everything of the moment is committed together.

So a decision never sees a price that it is filled at. And because a moment is committed whole, a run that was killed
goes on where its journal ends: its last moments are rehearsed (`strategy.rehearsal`), which gives the intents that were
waiting for the next open, and proves on the way that the journal is this run's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import Final, Literal

from surefill.domain.inputs import SubmitIntent
from surefill.domain.intent import Action, Intent
from surefill.domain.market import BarOpened, closing_quote
from surefill.engine.writer import WorkspaceWriter
from surefill.errors import InvariantBreach
from surefill.market.series import BarSeries
from surefill.strategy.advice import Advice, advice_of, wishes
from surefill.strategy.intents import TradeIntent
from surefill.strategy.ledger import PaperLedger, held_of
from surefill.strategy.quiet import Quiet
from surefill.strategy.rehearsal import Rehearsal, last_event_ns, start_of_rehearsal
from surefill.strategy.resting import overdue, resting_entries
from surefill.strategy.runner import StrategyRunner
from surefill.strategy.snapshot import MarketSnapshot
from surefill.strategy.spec import ExecutionSpec
from surefill.strategy.timeline import Moment, Timeline, moments
from surefill.strategy.translate import submission_of
from surefill.strategy.valuation import EquityPoint, Valuation
from surefill.units import quanta_float

FillAt = Literal["next_open", "close"]
TIME_MIN_NS: Final = -(2**63)
Progress = Callable[[int, int], None]


class BacktestResult:
    """What the journal does not say: how many bars it went over, and what the account was worth on the way."""

    def __init__(self, bars: int, valuation: Valuation) -> None:
        self.bars = bars
        self._valuation = valuation

    @cached_property
    def equity(self) -> tuple[EquityPoint, ...]:
        """Cash and positions at the closes of each moment from where the run began (or went on)."""
        return tuple(self._valuation.points())


class Backtest:
    """One strategy over its instruments' bars, through one workspace.

    `writer`'s workspace is open and its instruments defined, all before the first bar begins.
    Bars that open before `from_ns` are known to the strategy and not traded. `on_progress(done, all)` is told of bars.
    Refusals are in the journal; an exception of the strategy stops the run.
    `advice` is the strategy in one of its forms (the quickest, where none is given). Where it can look ahead, bars at
    which nothing can happen are stepped over; the journal is the same.
    """

    def __init__(
        self,
        writer: WorkspaceWriter,
        spec: ExecutionSpec,
        series: Mapping[str, BarSeries],
        *,
        runner: StrategyRunner | None = None,
        fill_at: FillAt = "next_open",
        flush_every: int = 1,
        from_ns: int = TIME_MIN_NS,
        on_progress: Progress | None = None,
        advice: Advice | None = None,
    ) -> None:
        self._writer = writer
        self._spec = spec
        self._series = {symbol: series[symbol] for symbol in spec.symbols}
        self._runner = runner or StrategyRunner()
        self._at_close = fill_at == "close"
        self._flush_every = flush_every
        self._from_ns = from_ns
        self._on_progress = on_progress
        self._pending: dict[str, list[Intent]] = {}
        self._leaves_at_day_end = self._runner.exit_of(spec).type == "eod"
        self._advice = advice or advice_of(self._runner, spec, self._series)
        self._quiet = Quiet(self._series, self._advice, leaves_at_day_end=self._leaves_at_day_end)

    def run(self) -> BacktestResult:
        """Run to the last bar, from the first one or from where the journal ends.

        Raises LocalError (RUN_CHANGED) if the journal holds a run over other bars, or with other settings.
        """
        writer = self._writer
        done = self._take_up()
        valuation, timeline = Valuation(self._series, self._from_ns, done), Timeline(self._series)
        timeline.skip(self._from_ns)
        before = sum(timeline.at.values())
        total = sum(len(series) for series in self._series.values()) - before
        for _ in range(done):
            timeline.next()
        count = 0
        while True:
            still = count > 0 and self._skip_quiet(timeline)  # the first moment opens the session
            moment = timeline.next()
            if moment is None:
                break
            self._step(writer, moment, still=still)
            valuation.take(moment.open_ns, writer.state.book)
            count += 1
            if count % self._flush_every == 0:
                writer.flush()
            if self._on_progress is not None:
                self._on_progress(sum(timeline.at.values()) - before, total)
        writer.flush()
        return BacktestResult(total, valuation)

    def _skip_quiet(self, timeline: Timeline) -> bool:
        """Step over what nobody need see; the last prices of it are told, as if the engine had.

        Whether the moment that is next is one for the strategy alone.
        """
        before, writer = dict(timeline.at), self._writer
        ahead = self._quiet.ahead(writer.state, timeline.at, self._pending, writer.sessions_until_ns)
        timeline.skip(ahead.open_ns)
        for symbol, at in timeline.at.items():
            if at > before[symbol]:
                writer.show(closing_quote(self._series[symbol][at - 1]))
        return ahead.still

    def _take_up(self) -> int:
        """How many moments the journal holds; rehearse the last of them, to know what they left waiting."""
        writer = self._writer
        last_seq = writer.state.book.seq
        first = next(self._moments(), None)
        if first is None or last_event_ns(writer.journal, writer.workspace_id, last_seq) < first.open_ns:
            return 0
        start = start_of_rehearsal(writer.journal, writer.workspace_id, last_seq, self._series, self._moments())
        rehearsal = Rehearsal(writer.journal, writer.workspace_id, start.seq)
        again = WorkspaceWriter(rehearsal, writer.workspace_id, writer.venue)
        done = 0
        for number, moment in enumerate(self._moments()):
            if number < start.moment:
                for symbol, at in moment.bars:  # what the run had seen by then, and no journal keeps
                    again.state.quotes[symbol] = closing_quote(self._series[symbol][at])
            elif rehearsal.seq < last_seq:
                self._step(again, moment)
                again.flush()
            else:
                break
            done = number + 1
        if again.state.digest() != writer.state.digest():
            raise InvariantBreach(f"workspace {writer.workspace_id}: folded and rehearsed, the state is not the same")
        writer.state = again.state  # the same books, and the quotes, which no journal keeps
        return done

    def _moments(self) -> Iterator[Moment]:
        return (moment for moment in moments(self._series) if moment.open_ns >= self._from_ns)

    def _step(self, writer: WorkspaceWriter, moment: Moment, *, still: bool = False) -> None:
        if not still:
            for symbol, at in moment.bars:
                writer.feed(BarOpened(symbol, moment.open_ns, self._series[symbol].open_px[at]))
            if self._pending:
                _execute(writer, self._due(moment), moment.open_ns)
        last_ns = moment.open_ns
        for symbol, at in moment.bars:
            bar = self._series[symbol][at]
            if still:
                writer.show(closing_quote(bar))
            else:
                writer.feed(bar)
            last_ns = max(last_ns, bar.ts_ns)
        if writer.state.book.orders:
            self._take_back(writer, moment, last_ns)
        for symbol, at in moment.bars:
            self._decide(writer, symbol, at, last_ns)

    def _take_back(self, writer: WorkspaceWriter, moment: Moment, ts_ns: int) -> None:
        for symbol, at in moment.bars:
            closes_ns = self._series[symbol].ts_ns
            for request in overdue(writer.state.book, symbol, self._spec, closes_ns, at + 1, ts_ns):
                writer.feed(request)

    def _due(self, moment: Moment) -> list[Intent]:
        """The intents whose instruments open now: exits, then entries, in instrument order."""
        due = [intent for symbol, _ in moment.bars for intent in self._pending.pop(symbol, ())]
        return sorted(due, key=lambda intent: intent.action != Action.CLOSE)

    def _decide(self, writer: WorkspaceWriter, symbol: str, at: int, ts_ns: int) -> None:
        """Ask the strategy; execute what wants this close, keep the rest for the next open (if there is one)."""
        for trade in self._ask(writer, symbol, at):
            item = submission_of(trade, writer.state.book.instruments[symbol], ts_ns)
            if item.refusal is not None or self._at_close or trade.metadata.get("fill_at") == "close":
                writer.submit(item)
            elif at + 1 < len(self._series[symbol]):
                self._pending.setdefault(symbol, []).append(item.intent)

    def _ask(self, writer: WorkspaceWriter, symbol: str, at: int) -> tuple[TradeIntent, ...]:
        """What the strategy makes of the bars up to `at`; it needs two."""
        book, series = writer.state.book, self._series[symbol]
        position = held_of(book, symbol)
        said = self._advice.said(symbol, at, position)
        day_is_over = self._leaves_at_day_end and position is not None and series.session_end[at]
        if at < 1 or not (day_is_over or wishes(said)):
            return ()
        instrument = book.instruments[symbol]
        terms = instrument.terms_at(series.ts_ns[at])
        snapshot = MarketSnapshot.of_series(
            series,
            at,
            lot_size=quanta_float(terms.lot, instrument.qty_decimals),
            tick_size=quanta_float(terms.tick, instrument.price_decimals),
        )
        waiting = sum(intent.action == Action.OPEN for intents in self._pending.values() for intent in intents)
        ledger, resting = PaperLedger(book), resting_entries(book, self._series, self._spec.strategy_id)
        evaluation = self._runner.evaluate(
            self._spec,
            snapshot,
            ledger,
            pending_entries=waiting + len(resting),
            order_working=any(order.request.instrument_id == symbol for order in resting),
            said=said,
        )
        return evaluation.intents


def _execute(writer: WorkspaceWriter, intents: list[Intent], ts_ns: int) -> None:
    for intent in intents:
        writer.submit(SubmitIntent(ts_ns, intent))
