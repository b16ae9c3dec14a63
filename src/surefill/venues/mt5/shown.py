"""The account beside our books: what it holds, what works there, what happened, whoever did it."""

from __future__ import annotations

from decimal import Decimal

from surefill.domain.account import AccountMove
from surefill.domain.instrument import Instrument
from surefill.domain.position import position_key
from surefill.domain.reports import VenueReport
from surefill.errors import ConfigError, VenueOutcomeUnknown
from surefill.logs import logger
from surefill.rules.codes import OrdType
from surefill.units import NS_PER_S, quanta_decimal
from surefill.venues.mt5.account import Account
from surefill.venues.mt5.looking import netted
from surefill.venues.mt5.moves import move_of
from surefill.venues.mt5.reading import cum_qty_of, is_trade, ord_type_of, side_of
from surefill.venues.mt5.records import DealRecord, OrderRecord, PositionRecord, SymbolRecord, raw
from surefill.venues.mt5.server_clock import CHANGE_S
from surefill.venues.mt5.stories import Stories
from surefill.venues.mt5.symbols import instrument_of, margin_ppb_of
from surefill.venues.protocol import Access, Balance, OpenOrder

_BUY = 0
_log = logger("surefill.venues.mt5")


class Shown:
    """Complete looks at one account; all of it runs in the worker."""

    def __init__(self, account: Account, stories: Stories) -> None:
        self._account, self._stories = account, stories

    def positions(self) -> dict[str, int]:
        """Signed quantity by position key."""
        account = self._account
        held = account.looks.positions()
        for each in held:
            account.own(each.identifier, each.magic)
            account.scale(each.symbol)
        return netted(held, account.scales, self._key_of)

    def _key_of(self, position: PositionRecord) -> str:
        return position_key(position.symbol, self._account.bucket(position.identifier, position.magic))

    def open_orders(self) -> tuple[OpenOrder, ...]:
        """All pending orders, made by whomever."""
        return tuple(map(self._open_order, self._account.looks.working()))

    def _open_order(self, order: OrderRecord) -> OpenOrder:
        account = self._account
        scale, ord_type = account.scale(order.symbol), ord_type_of(order.type)
        stop = ord_type in (OrdType.STOP, OrdType.STOP_LIMIT)
        limit = {OrdType.LIMIT: order.price_open, OrdType.STOP_LIMIT: order.price_stoplimit}.get(ord_type, 0.0)
        return OpenOrder(
            str(order.ticket),
            account.names.of(order.ticket, order.magic, order.comment),
            order.symbol,
            str(order.position_id) if account.hedging and order.position_id else "",
            side_of(order.type),
            ord_type,
            scale.qty(order.volume_initial),
            cum_qty_of(order, scale),
            px=scale.px(limit),
            stop_px=scale.px(order.price_open) if stop else 0,
            raw=raw(order),
        )

    def executions(self, since_ns: int) -> tuple[VenueReport, ...]:
        """Every deal since then that is an execution, oldest first. Raises VenueOutcomeUnknown (see `_deals`)."""
        told = (self._stories.execution(deal) for deal in self._deals(since_ns) if is_trade(deal))
        return tuple(report for report in told if report.transact_ns >= since_ns)

    def moves(self, since_ns: int) -> tuple[AccountMove, ...]:
        """What moved money since then and is no trade, oldest first; some from an hour before (see `server_clock`).

        Raises VenueOutcomeUnknown (see `_deals`).
        """
        moves = (move for deal in self._deals(since_ns) if (move := self._move(deal)) is not None)
        return tuple(move for move in moves if move.transact_ns >= since_ns - CHANGE_S * NS_PER_S)

    def _move(self, deal: DealRecord) -> AccountMove | None:
        account, reader = self._account, self._account.reader
        if deal.symbol:
            account.scale(deal.symbol)
        bucket = account.bucket_of(deal)
        return move_of(deal, account.settings.money_decimals, reader.currency, bucket, account.clock.ns(deal.time_msc))

    def _deals(self, since_ns: int) -> list[DealRecord]:
        """Nobody can say what was since then while the server's clock is not known."""
        account = self._account
        if account.clock.offset_s is None:
            raise VenueOutcomeUnknown(
                "how far the server's clock is off is not known: no price has come yet to tell it by (is the market"
                " closed? venues.mt5.server_offset_s says it)"
            )
        return account.looks.deals(*account.clock.window(since_ns, account.now_ns()))

    def balances(self) -> tuple[Balance, ...]:
        """The account's money: balance and credit (its equity but for open positions), and the margin that is free."""
        account = self._account.looks.account()
        total = _money(account.balance) + _money(account.credit)
        return (Balance(account.currency, total, _money(account.margin_free)),)

    def instruments(self) -> tuple[Instrument, ...]:
        """The symbols that can be traded here, with today's ticks, lots, bounds and margins.

        Raises ConfigError for one that the settings name and whose money does not come out whole; others are left out.
        """
        currency = self._account.learn().currency
        wanted = (symbol for symbol in self._account.looks.symbols() if self._account.wanted(symbol))
        made = (self._instrument(symbol, currency) for symbol in wanted)
        return tuple(instrument for instrument in made if instrument is not None)

    def _instrument(self, symbol: SymbolRecord, currency: str) -> Instrument | None:
        settings = self._account.settings
        margin_ppb = self._margin_ppb(symbol) if symbol.currency_profit == currency else 0
        try:
            return instrument_of(symbol, settings.money_decimals, settings.calendar, margin_ppb)
        except ConfigError as error:
            if symbol.name in settings.symbols:
                raise
            _log.warning("mt5.symbol_left_out", symbol=symbol.name, error=error.message)
            return None

    def _margin_ppb(self, symbol: SymbolRecord) -> int:
        """The share that a purchase binds, as the terminal reckons; 0 where it cannot tell, as without a price."""
        volume = min(max(1.0, symbol.volume_min), symbol.volume_max)
        try:
            price = self._account.tick(symbol.name).ask
            margin = self._account.looks.margin(_BUY, symbol.name, volume, price) if price > 0 else None
        except VenueOutcomeUnknown as error:
            _log.warning("mt5.margin_not_known", symbol=symbol.name, error=str(error))
            return 0
        return 0 if margin is None else margin_ppb_of(symbol, volume, price, margin)

    def access(self) -> Access:
        """Whether terminal and account let a program trade. Nobody can withdraw through a terminal."""
        account, terminal = self._account.learn(), self._account.looks.terminal()
        against = [
            text
            for wrong, text in (
                (not terminal.connected, "the terminal has no connection to its server"),
                (not terminal.trade_allowed, "the terminal's Algo Trading button is off"),
                (terminal.tradeapi_disabled, "the terminal does not let Python trade"),
                (not account.trade_allowed, "the account may not trade"),
                (not account.trade_expert, "the server does not let programs trade"),
            )
            if wrong
        ]
        kind = "hedging" if self._account.hedging else "netting"
        ahead_ns = self._account.clock.ahead_ns
        return Access(str(account.login), not against, False, ahead_ns, "; ".join(against) or kind)


def _money(amount: float) -> Decimal:
    return quanta_decimal(round(amount * 100_000_000), 8).normalize()
