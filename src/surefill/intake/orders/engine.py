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
from surefill.errors import SurefillError
from surefill.intake.caller_feed import CallerFeed
from surefill.intake.caller_stores import CallerStores
from surefill.intake.caller_values import adopted, named
from surefill.intake.candles import bar_of
from surefill.intake.door_settings import Config, door_settings
from surefill.intake.open_door import OpenDoor
from surefill.intake.orders.answers import failure_of, rehearsed, result_of, result_of_order
from surefill.intake.orders.messages import ExecutionResult, OrderIntent
from surefill.intake.orders.modes import DRY_RUN, with_mode
from surefill.intake.orders.translation import BLANK, exchange_of, translate
from surefill.intake.real_venue import VenueChoice
from surefill.journal.protocol import Journal
from surefill.market.timeframes import duration_ns
from surefill.plain import shown
from surefill.views.positions import PositionRow

PROFILE: Final = "v2"


class ExecutionEngineV2:
    """The contract's engine. Its calls block until what they did is durable, and come from any thread.

    `config`: a dict (its `execution:` block as in the document) or a file's path. `market_data_engine` tells prices
    (see `caller_feed`). `state_store`, `journal_store` and `trade_recorder` are told what happened, and may be None.
    `mode` None is the configuration's (`workspace.mode`); "live" is a dry run unless the configuration says
    `execution.dry_run: false` (`modes`). `venue`: None trades where the configuration says; live needs
    `RealVenue(real_money=True)`. `clock` and `journal` are for tests and replays. Close it, or use it as a context
    manager. Raises ConfigError and JournalError when it cannot be opened.
    """

    def __init__(
        self,
        config: Config,
        state_store: Any = None,
        journal_store: Any = None,
        market_data_engine: Any = None,
        mode: str | None = None,
        logger_instance: logging.Logger | None = None,
        *,
        trade_recorder: Any = None,
        venue: VenueChoice = None,
        clock: Clock | None = None,
        journal: Journal | None = None,
    ) -> None:
        self._log = logger_instance or logging.getLogger("surefill.orders")
        settings = self._settings = with_mode(door_settings(config, PROFILE), mode)
        self._feed = CallerFeed(market_data_engine)
        self._stores = CallerStores(
            self._log, state_store=state_store, recorder=trade_recorder, journal_store=journal_store
        )
        self._door = OpenDoor(PROFILE, settings, clock, journal, venue=venue)
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
        """A broker's word that an order has moved: a hint. Nothing in it is believed, the venue is asked.

        What the venue says is booked when this returns. Where orders are simulated nothing happens.
        """
        self._log.debug("an order update came (%s): the venue is asked", type(update).__name__)
        self._door.hints.take()
        self._door.announce(self._stores)

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

    def position_qty(self, symbol: str, product: str = "MIS") -> float:
        """The signed quantity held in that product: what `execution_bridge` needs to flatten it."""
        row = self._door.position(symbol, product)
        return 0 if row is None else row.quantity

    # -- inside -----------------------------------------------------------------------------------------------

    def _execute(self, order: OrderIntent, unread: Refusal | None) -> ExecutionResult:
        if not self._priced:
            self._priced = True
            self._door.price_what_is_held(self._feed)
        known = self._door.instrument(order.symbol, exchange_of(order))
        translated = translate(order, known, self._settings, self._door.new_story(), unread)
        refusal, quote = translated.refusal, None
        if refusal is None:
            quote, refusal = self._door.look(self._feed, known.symbol, known.said)
        receipt = self._door.submit(translated.intent, quote, refusal)
        result = result_of(receipt, known.said, known.instrument)
        return rehearsed(result) if self._settings.workspace.mode == DRY_RUN else result


def _order_of(state: State, order_id: str) -> Order | None:
    for orders in (state.book.orders, state.book.done):
        for order in orders.values():
            if order.request.order_ref == order_id:
                return order
    return None


def _cl_ord_id_of(state: State, order_id: str) -> str:
    order = _order_of(state, order_id)
    return "" if order is None or not order.leaves_qty else order.request.cl_ord_id
