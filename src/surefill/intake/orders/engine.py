"""Door 2: order intents. One normalised order in, an `ExecutionResult` out."""

from __future__ import annotations

import logging
import weakref
from collections.abc import Mapping
from typing import Any, Final

from surefill.domain.inputs import RequestCancel
from surefill.domain.orders import Order
from surefill.domain.refusals import Refusal
from surefill.domain.state import State
from surefill.engine.clock import Clock
from surefill.errors import ConfigError, LocalError, SurefillError
from surefill.intake.caller_feed import CallerFeed
from surefill.intake.caller_stores import CallerStores
from surefill.intake.caller_values import adopted, named
from surefill.intake.candles import bar_of
from surefill.intake.door_settings import Config, door_settings
from surefill.intake.open_door import OpenDoor
from surefill.intake.orders.answers import failure_of, result_of, result_of_order
from surefill.intake.orders.messages import ExecutionResult, OrderIntent
from surefill.intake.orders.translation import BLANK, translate
from surefill.journal.protocol import Journal
from surefill.market.timeframes import duration_ns
from surefill.plain import shown
from surefill.views.positions import PositionRow

PROFILE: Final = "v2"


class ExecutionEngineV2:
    """The contract's engine on the simulated market. Its calls block until what they did is durable; any thread.

    `config`: a dict (its `execution:` block as in the document) or a file's path. `market_data_engine` tells prices
    (see `caller_feed`). `state_store`, `journal_store` and `trade_recorder` are told what happened, and may be None.
    `mode` is paper; live and its dry run are not there yet, and asking for them raises ConfigError.
    `clock` and `journal` are for tests and replays. Close it, or use it as a context manager. Raises ConfigError and
    JournalError when it cannot be opened.
    """

    def __init__(
        self,
        config: Config,
        state_store: Any = None,
        journal_store: Any = None,
        market_data_engine: Any = None,
        mode: str = "paper",
        logger_instance: logging.Logger | None = None,
        *,
        trade_recorder: Any = None,
        clock: Clock | None = None,
        journal: Journal | None = None,
    ) -> None:
        self._log = logger_instance or logging.getLogger("surefill.orders")
        if mode.strip().lower() != "paper":
            raise ConfigError(
                f"mode {mode!r} is not there yet: this door reaches no real venue, nor a dry run at one (`surefill"
                " trade` does); use paper",
                code="MODE_NOT_THERE_YET",
                key="mode",
            )
        settings = door_settings(config, PROFILE)
        self._feed = CallerFeed(market_data_engine)
        self._stores = CallerStores(
            self._log, state_store=state_store, recorder=trade_recorder, journal_store=journal_store
        )
        self._door = OpenDoor(PROFILE, settings, clock, journal)
        self._priced = False
        self._closing = weakref.finalize(self, self._door.close_from_anywhere)

    def close(self) -> None:
        """Stop, and let go of the journal. A second call does nothing."""
        if self._closing.detach() is not None:
            self._door.close()

    def __enter__(self) -> ExecutionEngineV2:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- the contract -----------------------------------------------------------------------------------------

    def execute_intent(self, intent: OrderIntent) -> ExecutionResult:
        """Execute an order. Whatever is wrong with it is a REJECTED result, and nothing is sent."""
        order, unread = adopted(BLANK, intent)
        try:
            result = self._execute(order, unread)
        except SurefillError as error:
            result = failure_of(error, named(order.symbol), shown(order.side), order.qty, self._door.now_ns())
        if result.status == "REJECTED":
            told = shown(order.side), shown(order.qty), result.symbol, result.message
            self._log.warning("%s %s %s rejected: %s", *told)
        self._door.announce(self._stores)
        return result

    def on_order_update(self, update: Any) -> None:
        """A live broker's update. Not there yet: raises LocalError."""
        raise LocalError(
            f"order updates of a broker are not there yet (got {type(update).__name__}): this door is paper only",
            code="MODE_NOT_THERE_YET",
        )

    # -- beside the contract ----------------------------------------------------------------------------------

    def update_positions(self, tick_prices: Mapping[str, Any]) -> None:
        """Show last prices: resting orders are matched, positions valued. Unknown symbols and bad prices are skipped.

        Raises AppendFailed when the journal cannot be written.
        """
        quotes, skipped = self._door.ticks(tick_prices.items())
        if skipped:
            self._log.debug("ticks skipped: %s", "; ".join(skipped))
        self._door.feed(quotes)
        self._door.announce(self._stores)

    def on_candle_close(self, symbol: str, candle: Any, timeframe: str = "") -> None:
        """Show a finished candle: resting orders are matched, and DAY orders end with their session.

        `candle` as in door 1. An unknown symbol is skipped. Raises InputError for what is not a candle.
        """
        instrument = self._door.known(symbol)
        if instrument is None:
            self._log.debug("candle skipped: %s is not known here", shown(symbol))
            return
        length_ns = duration_ns(timeframe) if timeframe else 0
        self._door.feed([bar_of(instrument, candle, now_ns=self._door.now_ns(), duration_ns=length_ns)])
        self._door.announce(self._stores)

    def order_status(self, order_id: str) -> ExecutionResult | None:
        """Where a live or lately finished order stands; None for one that is not known (any more)."""

        def look(state: State) -> ExecutionResult | None:
            order = _order_of(state, order_id)
            if order is None:
                return None
            return result_of_order(order, state.book.instruments[order.request.instrument_id])

        return self._door.session.read(look)

    def cancel_order(self, order_id: str, by: str = "upstream") -> ExecutionResult | None:
        """Ask for an order's end; where it stands then. None for one that is not known."""
        cl_ord_id = self._door.session.read(lambda state: _cl_ord_id_of(state, order_id))
        if cl_ord_id:
            self._door.feed([RequestCancel(self._door.now_ns(), cl_ord_id, by)])
            self._door.announce(self._stores)
        return self.order_status(order_id)

    def positions(self) -> dict[str, PositionRow]:
        """Every position, valued at the last prices shown."""
        return self._door.positions()

    def position_qty(self, symbol: str) -> float:
        """The signed quantity held: what `execution_bridge` needs to flatten it."""
        row = self._door.positions().get(symbol)
        return 0 if row is None else row.quantity

    # -- inside -----------------------------------------------------------------------------------------------

    def _execute(self, order: OrderIntent, unread: Refusal | None) -> ExecutionResult:
        if not self._priced:
            self._priced = True
            self._door.price_what_is_held(self._feed)
        known = self._door.instrument(order.symbol)
        translated = translate(order, known, self._door.new_story(), unread)
        refusal, quote = translated.refusal, None
        if refusal is None:
            quote, refusal = self._door.look(self._feed, known.symbol)
        receipt = self._door.submit(translated.intent, quote, refusal)
        return result_of(receipt, known.symbol, known.instrument)


def _order_of(state: State, order_id: str) -> Order | None:
    for orders in (state.book.orders, state.book.done):
        for order in orders.values():
            if order.request.order_ref == order_id:
                return order
    return None


def _cl_ord_id_of(state: State, order_id: str) -> str:
    order = _order_of(state, order_id)
    return "" if order is None or not order.leaves_qty else order.request.cl_ord_id
