"""Door 1: a strategy's signals. BUY, SELL, EXIT or HOLD per symbol in, an `ExecutionResult` out."""

from __future__ import annotations

import logging
import weakref
from collections.abc import Iterator, Mapping
from typing import Any, Final

from surefill.domain.events import Event
from surefill.engine.clock import Clock
from surefill.errors import InputError, SurefillError
from surefill.intake.caller_feed import CallerFeed
from surefill.intake.caller_stores import CallerStores
from surefill.intake.caller_values import named
from surefill.intake.candles import bar_of
from surefill.intake.door_settings import Config, door_settings
from surefill.intake.open_door import OpenDoor
from surefill.intake.real_venue import VenueChoice
from surefill.intake.signals.answers import failure_of, result_of
from surefill.intake.signals.messages import ExecutionContext, ExecutionResult
from surefill.intake.signals.reading import Signal, Word, read_signal
from surefill.intake.signals.translation import exchange_of, translate
from surefill.journal.protocol import Journal
from surefill.market.timeframes import duration_ns
from surefill.plain import shown
from surefill.views.lifecycle import Stage, lifecycle
from surefill.views.positions import PositionRow

PROFILE: Final = "v3"


class ExecutionEngineV3:
    """The contract's engine. Its calls block until what they did is durable, and come from any thread.

    `cfg`: the configuration, as a dict (its `execution:` block as in the document) or a file's path. `broker_feed`
    tells prices (see `caller_feed`). `state_store` and `trade_recorder` are told what happened, and may be None.
    `venue`: None trades where the configuration says: in the simulated market, or a dry run at the real
    `workspace.venue`; live needs `RealVenue(real_money=True)`. `clock` and `journal` are for tests and replays. Close
    it, or use it as a context manager. Raises ConfigError and JournalError when it cannot be opened.
    """

    def __init__(
        self,
        cfg: Config,
        state_store: Any = None,
        trade_recorder: Any = None,
        broker_feed: Any = None,
        logger_instance: logging.Logger | None = None,
        *,
        venue: VenueChoice = None,
        clock: Clock | None = None,
        journal: Journal | None = None,
    ) -> None:
        self._log = logger_instance or logging.getLogger("surefill.signals")
        self._settings = door_settings(cfg, PROFILE)
        self._feed = CallerFeed(broker_feed)
        self._stores = CallerStores(self._log, state_store=state_store, recorder=trade_recorder)
        self._bar_ns: dict[str, int] = {}
        self._door = OpenDoor(PROFILE, self._settings, clock, journal, venue=venue)
        self._closing = weakref.finalize(self, self._door.close_from_anywhere)

    def close(self) -> None:
        """Stop, and let go of the journal. A second call does nothing."""
        if self._closing.detach() is not None:
            self._door.close()

    def __enter__(self) -> ExecutionEngineV3:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- the contract -----------------------------------------------------------------------------------------

    def process_signal(self, symbol: str, signal_obj: Any, context: ExecutionContext) -> ExecutionResult | None:
        """Execute a signal; None for HOLD, which leaves no trace. Whatever is wrong with it is a REJECTED result."""
        signal = read_signal(signal_obj)
        if signal.word is Word.HOLD:
            return None
        side = "" if signal.word is None else signal.word.value
        try:
            result = self._execute(symbol, signal, context)
        except SurefillError as error:
            result = failure_of(error, named(symbol), side, self._door.now_ns())
        if result.status == "REJECTED":
            self._log.warning("%s %s rejected: %s", side or "signal", result.symbol, result.reason)
        self._door.announce(self._stores)
        return result

    def update_positions(self, tick_prices: Mapping[str, Any]) -> None:
        """Show last prices: positions are valued, then exits evaluated. Unknown symbols and bad prices are skipped.

        Raises AppendFailed when the journal cannot be written.
        """
        quotes, skipped = self._door.ticks(tick_prices.items())
        if skipped:
            self._log.debug("ticks skipped: %s", "; ".join(skipped))
        self._door.feed(quotes)
        self._door.announce(self._stores)

    def on_candle_close(self, symbol: str, candle: Any) -> None:
        """Show a finished candle: exits inside it, bars counted, resting orders matched. An unknown symbol is skipped.

        `candle` is a mapping or an object with close and, if it has them, open, high, low and when it began
        (`start`, `date` or `timestamp`). Raises InputError for what is not a candle.
        """
        instrument = self._door.known(symbol)
        if instrument is None:
            self._log.debug("candle skipped: %s is not known here", shown(symbol))
            return
        bar = bar_of(
            instrument, candle, now_ns=self._door.now_ns(), duration_ns=self._bar_ns.get(instrument.instrument_id, 0)
        )
        self._door.feed([bar])
        self._door.announce(self._stores)

    # -- beside the contract ----------------------------------------------------------------------------------

    def positions(self) -> dict[str, PositionRow]:
        """Every position, valued at the last prices shown."""
        return self._door.positions()

    def lifecycle(self, order_id: str) -> list[Stage]:
        """The stages that the trade of an entry order has gone through; folds the journal. Empty: no such order."""
        events = list(self._door.events())
        story = next((event.correlation_id for event in events if _order_ref(event) == order_id), "")
        return [move.after for move in lifecycle(events).moves.get(story, [])]

    def journal_events(self) -> Iterator[Event]:
        """Everything that happened, decoded: what the views fold."""
        return self._door.events()

    # -- inside -----------------------------------------------------------------------------------------------

    def _execute(self, symbol: object, signal: Signal, context: object) -> ExecutionResult:
        known = self._door.instrument(symbol, exchange_of(context))
        translated = translate(known, signal, context, settings=self._settings, story=self._door.new_story())
        refusal, quote = translated.refusal, None
        if refusal is None:
            self._remember_timeframe(known.symbol, translated.intent.context.get("tf", ""))
            quote, refusal = self._door.look(self._feed, known.symbol, known.said)
        receipt = self._door.submit(translated.intent, quote, refusal)
        return result_of(receipt, known.said, known.instrument)

    def _remember_timeframe(self, symbol: str, timeframe: str) -> None:
        """How long this symbol's candles are: they do not say it themselves."""
        try:
            self._bar_ns[symbol] = duration_ns(timeframe)
        except InputError:
            self._log.debug("timeframe %r of %s is not known here", timeframe, symbol)


def _order_ref(event: Event) -> str:
    request = getattr(event, "request", None)
    return getattr(event, "order_ref", "") or getattr(request, "order_ref", "")
