"""An open workspace as the contract's exchange: the venue, seen through the core.

Orders that are placed here are intents like any other: they meet every gate of the profile and stand in the journal.
An adapter that went to the venue past the core would be a way round the risk, so there is none.
"""

from __future__ import annotations

from typing import Any, Final

from surefill.config.core import currency_of
from surefill.domain.inputs import RequestCancel
from surefill.domain.instrument import Instrument
from surefill.domain.intent import Action, ExitPlan, Intent
from surefill.domain.market import Quote
from surefill.domain.state import State
from surefill.domain.valuation import equity
from surefill.engine.receipt import Receipt, Verdict
from surefill.errors import InputError
from surefill.intake.door_failures import OUTCOME_UNKNOWN
from surefill.intake.pipeline.exchange import (
    Balance,
    ExchangeAdapter,
    ExchangeError,
    ExchangePosition,
    InvalidOrderError,
    OrderNotFoundError,
    SymbolInfo,
    Ticker,
)
from surefill.intake.pipeline.exchange_failures import failure_of
from surefill.intake.pipeline.order_states import OrderState
from surefill.intake.pipeline.order_view import ManagedOrder
from surefill.intake.pipeline.pipeline import ExecutionPipeline
from surefill.intake.pipeline.translation import DOOR, STRATEGY, symbol_refusal
from surefill.rules.codes import OrdStatus, OrdType
from surefill.units import PRICE_MAX, QTY_MAX, datetime_from_ns, quanta_float, to_quanta

_SIDES: Final = {"BUY": 1, "SELL": -1}


class WorkspaceExchange(ExchangeAdapter):
    """`owns`: closing it closes the pipeline too."""

    def __init__(
        self,
        pipeline: ExecutionPipeline,
        *,
        name: str = "",
        market_type: str = "spot",
        testnet: bool = False,
        owns: bool = False,
    ) -> None:
        self.pipeline = pipeline
        self.name = name or pipeline.settings.workspace.venue
        self.market_type = market_type
        self.testnet = testnet
        self._owns = owns

    # -- orders -----------------------------------------------------------------------------------------------

    async def place_order(
        self,
        symbol: str,
        side: str,
        order_type: str,
        quantity: float,
        price: float | None = None,
        stop_price: float | None = None,
        *,
        client_order_id: str | None = None,
        reduce_only: bool = False,
        stop_loss: float | None = None,
        take_profit: float | None = None,
        signal_strength: float | None = None,
        confluence_score: float | None = None,
    ) -> ManagedOrder:
        """As the contract's: an entry needs the figures and levels that the profile's gates ask for."""
        instrument = await self._instrument(symbol)
        try:
            intent = Intent(
                intent_id=client_order_id or "",
                correlation_id=self.pipeline.door.door.new_story(),
                door=DOOR,
                strategy_id=STRATEGY,
                instrument_id=symbol,
                action=Action.CLOSE if reduce_only else Action.TRADE,
                side=_word(side, _SIDES, "side"),
                order_qty=to_quanta(quantity, instrument.qty_decimals, field="quantity", max_quanta=QTY_MAX),
                ord_type=_word(order_type, OrdType.__members__, "order type"),
                px=_px(price, instrument, "price"),
                stop_px=_px(stop_price, instrument, "stop_price"),
                plan=None
                if reduce_only
                else ExitPlan(_px(stop_loss, instrument, "stop_loss"), _px(take_profit, instrument, "take_profit")),
                figures=_figures(signal_strength=signal_strength, confluence=confluence_score),
            )
        except InputError as error:
            raise InvalidOrderError(error.message, code=error.code) from error
        unseen = await self.pipeline.door.run(self.pipeline.door.door.shown, symbol)
        receipt = await self.pipeline.door.submit(intent, None, unseen)
        await self.pipeline.door.settle()
        return self._placed(receipt)

    def _placed(self, receipt: Receipt) -> ManagedOrder:
        if receipt.verdict in (Verdict.REFUSED, Verdict.CONFLICT):
            raise failure_of(receipt.code, receipt.reason)
        if receipt.status == OrdStatus.REJECTED:
            undelivered = self._found(receipt.cl_ord_id).state is OrderState.FAILED
            raise failure_of(receipt.code, receipt.reason, undelivered=undelivered)
        if receipt.status == OrdStatus.UNKNOWN:
            raise ExchangeError(
                f"nobody knows what became of order {receipt.cl_ord_id} ({receipt.reason}): ask for it, do not place it"
                " again",
                code=OUTCOME_UNKNOWN,
            )
        return self._found(receipt.cl_ord_id)

    async def cancel_order(self, order_id: str, symbol: str | None = None) -> ManagedOrder:
        """As the contract's; an order that is over stays as it is."""
        order = self._found(order_id, symbol)
        if not order.state.is_final:
            door = self.pipeline.door
            await door.feed([RequestCancel(door.door.now_ns(), order.client_order_id, "exchange adapter")])
            await door.settle()
        return self._found(order.client_order_id)

    async def get_order(self, order_id: str, symbol: str | None = None) -> ManagedOrder:
        """As the contract's."""
        await self.pipeline.door.settle()
        return self._found(order_id, symbol)

    def _found(self, order_id: str, symbol: str | None = None) -> ManagedOrder:
        orders = self.pipeline.orders
        order = orders.get_order(order_id) or orders.get_order_by_exchange_id(order_id)
        if order is None or symbol not in (None, order.symbol):
            of_symbol = "" if symbol is None else f" of {symbol}"
            raise OrderNotFoundError(f"there is no order {order_id!r}{of_symbol} that works or has ended lately")
        return order

    # -- the account ------------------------------------------------------------------------------------------

    async def get_balance(self, currency: str | None = None) -> Balance:
        """Cash, and with it what is held at the last prices seen."""
        ours = currency_of(self.pipeline.settings)
        if currency not in (None, ours):
            raise ExchangeError(f"this account counts in {ours}, not in {currency}", code="UNKNOWN_CURRENCY")

        def look(state: State) -> Balance:
            worth, decimals = equity(state), state.book.money_decimals
            total = None if worth is None else quanta_float(worth, decimals)
            return Balance(ours, quanta_float(state.book.cash, decimals), total)

        return await self.pipeline.door.read(look)

    async def get_positions(self, symbol: str | None = None) -> list[ExchangePosition]:
        """What is held."""
        rows = await self.pipeline.door.run(self.pipeline.door.door.positions)
        return [
            ExchangePosition(
                key, "LONG" if row.quantity > 0 else "SHORT", abs(row.quantity), row.avg_price, row.unrealized_pnl
            )
            for key, row in rows.items()
            if row.quantity and symbol in (None, key)
        ]

    # -- the market -------------------------------------------------------------------------------------------

    async def get_ticker(self, symbol: str) -> Ticker:
        """The last market shown."""
        instrument = await self._instrument(symbol)
        await self.pipeline.door.run(self.pipeline.door.door.shown, symbol)
        quote = await self.pipeline.door.read(lambda state: state.quotes.get(symbol))
        if quote is None:
            raise ExchangeError(f"no price of {symbol} has been seen: connect its feed", code="NO_MARKET_DATA")
        return _ticker(quote, instrument)

    async def get_symbol_info(self, symbol: str) -> SymbolInfo:
        """The terms in force now."""
        instrument = await self._instrument(symbol)
        terms = instrument.terms_at(self.pipeline.door.door.now_ns())
        return SymbolInfo(
            symbol,
            instrument.currency,
            instrument.price_decimals,
            instrument.qty_decimals,
            quanta_float(terms.tick, instrument.price_decimals),
            quanta_float(terms.lot, instrument.qty_decimals),
            quanta_float(terms.min_qty, instrument.qty_decimals),
            quanta_float(terms.max_qty, instrument.qty_decimals),
        )

    async def close(self) -> None:
        """Let go of the workspace if it is this adapter's own."""
        if self._owns:
            await self.pipeline.door.run(self.pipeline.close)

    async def _instrument(self, symbol: str) -> Instrument:
        refusal = symbol_refusal(symbol, self.pipeline.settings)
        instrument: Instrument | None = None
        if refusal is None:
            instrument, refusal = await self.pipeline.door.instrument(symbol)
        if instrument is None or refusal is not None:
            raise InvalidOrderError(refusal.reason if refusal else f"{symbol} is not known", code="UNKNOWN_SYMBOL")
        return instrument


def _word(value: str, known: Any, name: str) -> int:
    found = known.get(str(value).strip().upper())
    if found is None:
        raise InputError(f"{name} {value!r} is not one of {', '.join(known)}")
    return int(found)


def _px(value: float | None, instrument: Instrument, name: str) -> int:
    return 0 if value is None else to_quanta(value, instrument.price_decimals, field=name, max_quanta=PRICE_MAX)


def _figures(**values: float | None) -> dict[str, int]:
    return {
        name: to_quanta(value, 9, field=name, max_quanta=PRICE_MAX)
        for name, value in values.items()
        if value is not None
    }


def _ticker(quote: Quote, instrument: Instrument) -> Ticker:
    def price(px: int) -> float | None:
        return quanta_float(px, instrument.price_decimals) if px else None

    moment = datetime_from_ns(quote.ts_ns)
    return Ticker(quote.instrument_id, price(quote.last_px), price(quote.bid_px), price(quote.ask_px), moment)
