"""The terminal's books: positions, deals and money, netting or hedging.

1. A position's ticket is the ticket of the order that opened it. On a netting account a symbol has one position; on a
   hedging account an order without `position` opens another.
2. A deal is kept for every execution and for money that comes and goes; balance is the sum of all deals, but for
   credit, which is a purse of its own. A position's swap becomes money with the deals that close it.
3. Profit in another currency than the account's is converted at the closing price where the account's currency is the
   pair's base, else over another symbol's price. Money has the account's digits.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from surefill.testing.emulators.groundwork.matching import Event, Happened
from surefill.testing.emulators.groundwork.records import ZERO, Execution, Order, Position, Quote
from surefill.testing.emulators.groundwork.store import Store
from surefill.testing.emulators.mt5.constants import Constants as Mt5
from surefill.testing.emulators.mt5.results import AccountInfo, SymbolInfo

ORDER_BASE = 394_540_000
DEAL_BASE = 285_100_000
FOREX_MODES = (Mt5.SYMBOL_CALC_MODE_FOREX, Mt5.SYMBOL_CALC_MODE_FOREX_NO_LEVERAGE)


def ticket_of(order: Order) -> int:
    """The ticket that the terminal shows."""
    return ORDER_BASE + order.number


class Ledger:
    """What only this venue keeps, as JSON notes in the store; and the `Books` of its matching engine."""

    def __init__(self, store: Store, server_ms: Callable[[], int]) -> None:
        self.store = store
        self.server_ms = server_ms

    # -- notes ------------------------------------------------------------------------------------------------

    def setting(self, name: str, default: Any = None) -> Any:
        """A setting of the terminal."""
        found = self.store.noted("setting", name)
        return default if found is None else json.loads(found)

    def set(self, name: str, value: Any) -> None:
        """Change a setting."""
        self.store.note("setting", name, json.dumps(value, default=str))

    def account(self) -> AccountInfo:
        """The account as it stands."""
        info = AccountInfo(**self.setting("account", {}))
        profit = sum((self.floating(each) + Decimal(each["swap"]) for each in self.positions()), ZERO)
        balance, credit = (Decimal(str(self.setting(name, "0"))) for name in ("balance", "credit"))
        margin = sum((self.margin(each["symbol"], Decimal(each["volume"]), None) for each in self.positions()), ZERO)
        equity = balance + credit + profit
        return info._replace(
            balance=float(balance),
            credit=float(credit),
            profit=float(profit),
            equity=float(equity),
            margin=float(margin),
            margin_free=float(equity - margin),
            margin_level=float(equity / margin * 100) if margin else 0.0,
        )

    def symbol(self, name: str) -> SymbolInfo | None:
        """A symbol with its prices."""
        found = self.store.noted("symbol", name)
        if found is None:
            return None
        info, quote = SymbolInfo(**json.loads(found)), self.store.quote(name)
        if quote is None:
            return info
        spread = round((quote.ask - quote.bid) / Decimal(repr(info.point)))
        return info._replace(
            bid=float(quote.bid), ask=float(quote.ask), spread=spread, time=int(self.tick_ms(name)) // 1000
        )

    def put_symbol(self, info: SymbolInfo) -> None:
        """A symbol from now on."""
        self.store.note("symbol", info.name, json.dumps(info._asdict()))

    def tick_ms(self, symbol: str) -> int:
        """When the last price came, by the server's clock."""
        return int(self.store.noted("tick", symbol) or 0)

    def positions(self) -> list[dict[str, Any]]:
        """Open positions, oldest first."""
        return [json.loads(body) for body in self.store.notes("position").values()]

    def position(self, ticket: int) -> dict[str, Any] | None:
        """One position."""
        found = self.store.noted("position", str(ticket))
        return None if found is None else json.loads(found)

    def deals(self) -> list[dict[str, Any]]:
        """All deals, oldest first."""
        return [json.loads(body) for body in self.store.notes("deal").values()]

    @property
    def hedging(self) -> bool:
        """Whether the account holds several positions of a symbol."""
        return bool(self.setting("account", {}).get("margin_mode", 2) == Mt5.ACCOUNT_MARGIN_MODE_RETAIL_HEDGING)

    # -- money ------------------------------------------------------------------------------------------------

    def rate(self, currency: str, symbol: SymbolInfo, close: Decimal) -> Decimal:
        """What one unit of a currency is in the account's."""
        own = str(self.setting("account", {}).get("currency", "USD"))
        if currency == own:
            return Decimal(1)
        if symbol.currency_base == own and symbol.currency_profit == currency:
            return 1 / close
        if symbol.currency_base == currency and symbol.currency_profit == own:
            return close
        direct, inverse = self.store.quote(currency + own), self.store.quote(own + currency)
        if direct is not None:
            return direct.bid
        return 1 / inverse.bid if inverse is not None else Decimal(1)

    def profit(self, name: str, side: int, volume: Decimal, opened: Decimal, closed: Decimal) -> Decimal:
        """The profit of a trade in the account's money."""
        info = self.symbol(name) or SymbolInfo(name=name)
        raw = (closed - opened) * side * volume * Decimal(repr(info.trade_contract_size))
        return _cents(raw * self.rate(info.currency_profit, info, closed))

    def floating(self, position: dict[str, Any]) -> Decimal:
        """The profit of an open position at the present price."""
        quote, side = self.store.quote(position["symbol"]), int(position["side"])
        if quote is None:
            return ZERO
        volume, opened = Decimal(position["volume"]), Decimal(position["price_open"])
        return self.profit(position["symbol"], side, volume, opened, quote.px(-side))

    def margin(self, name: str, volume: Decimal, px: Decimal | None) -> Decimal:
        """The margin that a volume binds: its value in the account's money over the leverage."""
        info, quote = self.symbol(name) or SymbolInfo(name=name), self.store.quote(name)
        px = px or (quote.ask if quote is not None else Decimal(1))
        units = volume * Decimal(repr(info.trade_contract_size))
        if info.trade_calc_mode in FOREX_MODES:
            value = units * self.rate(info.currency_base, info, px)
        else:
            value = units * px * self.rate(info.currency_profit, info, px)
        return _cents(value / int(self.setting("account", {}).get("leverage", 100)))

    def money(self, kind: int, amount: Decimal, comment: str = "", symbol: str = "") -> int:
        """Money comes or goes: a deal that is no trade."""
        with self.store.step():
            return self._deal(type=kind, profit=float(amount), comment=comment, symbol=symbol)

    def pass_night(self, nights: int, per_lot: Decimal | None) -> None:
        """Swap comes up on every position: so much per lot, or what the symbol says in points. No money moves yet."""
        for held in self.positions():
            info = self.symbol(held["symbol"]) or SymbolInfo(name=held["symbol"])
            a_lot = self._swap_of(info, int(held["side"])) if per_lot is None else per_lot
            swap = Decimal(held["swap"]) + _cents(nights * a_lot * Decimal(held["volume"]))
            self.amend_position(int(held["ticket"]), swap=str(swap))

    def _swap_of(self, info: SymbolInfo, side: int) -> Decimal:
        """A night's swap of a lot in the account's money."""
        if info.swap_mode != Mt5.SYMBOL_SWAP_MODE_POINTS:
            return ZERO
        count, quote = Decimal(repr(info.swap_long if side > 0 else info.swap_short)), self.store.quote(info.name)
        raw = count * Decimal(repr(info.point)) * Decimal(repr(info.trade_contract_size))
        return raw * self.rate(info.currency_profit, info, quote.px(-side) if quote is not None else Decimal(1))

    # -- Books ------------------------------------------------------------------------------------------------

    def price(self, execution: Execution) -> Execution:
        """Book the position and keep the deal."""
        order = self.store.order(execution.order_number)
        assert order is not None
        terms = json.loads(order.venue)
        commission = -_cents(Decimal(str(self.setting("commission_per_lot", "0"))) * execution.qty)
        entry, position_id, profit, swap = self._book(order, terms, execution)
        self._deal(
            order=ticket_of(order),
            type=Mt5.DEAL_TYPE_BUY if order.side > 0 else Mt5.DEAL_TYPE_SELL,
            entry=entry,
            magic=terms["magic"],
            position_id=position_id,
            reason=terms["reason"],
            volume=float(execution.qty),
            price=float(execution.px),
            commission=float(commission),
            swap=float(swap),
            profit=float(profit),
            symbol=order.symbol,
            comment=terms["comment"],
        )
        return execution._replace(fee=-commission, realized=profit)

    def allowed_qty(self, order: Order) -> Decimal:
        """All of it."""
        return order.leaves_qty

    def told(self, event: Event) -> None:
        """Keep by which clock an order ended, and that it was triggered."""
        self.store.note("offset", str(event.order.number), str(self.setting("offset_s", 0)))
        if event.happened == Happened.TRIGGERED:
            self.store.note("triggered", str(event.order.number), "1")

    def offset_of(self, order: Order) -> int:
        """How far the server's clock was off when the order changed last, in seconds."""
        return int(self.store.noted("offset", str(order.number)) or 0)

    def _book(self, order: Order, terms: dict[str, Any], execution: Execution) -> tuple[int, int, Decimal, Decimal]:
        """Entry, position ticket, profit and swap of an execution."""
        held = self._held(order, terms)
        now = self.server_ms()
        if held is None:
            held = {
                "ticket": ticket_of(order),
                "symbol": order.symbol,
                "side": order.side,
                "volume": "0",
                "price_open": "0",
                "magic": terms["magic"],
                "comment": terms["comment"],
                "reason": terms["reason"],
                "sl": terms["sl"],
                "tp": terms["tp"],
                "swap": "0",
                "time_msc": now,
            }
        volume, opened, side = Decimal(held["volume"]), Decimal(held["price_open"]), int(held["side"])
        held["time_update_msc"] = now
        if side == order.side:
            total = volume + execution.qty
            self._keep(
                {
                    **held,
                    "volume": str(total),
                    "price_open": str((opened * volume + execution.px * execution.qty) / total),
                }
            )
            return Mt5.DEAL_ENTRY_IN, int(held["ticket"]), ZERO, ZERO
        closed = min(volume, execution.qty)
        profit = self.profit(order.symbol, side, closed, opened, execution.px)
        swap = _cents(Decimal(held["swap"]) * closed / volume)
        held["swap"] = str(Decimal(held["swap"]) - swap)
        rest = execution.qty - volume
        if rest > 0:
            self._keep({**held, "side": order.side, "volume": str(rest), "price_open": str(execution.px)})
        else:
            self._keep({**held, "volume": str(-rest)})
        return (Mt5.DEAL_ENTRY_INOUT if rest > 0 else Mt5.DEAL_ENTRY_OUT), int(held["ticket"]), profit, swap

    def _held(self, order: Order, terms: dict[str, Any]) -> dict[str, Any] | None:
        if self.hedging:
            return self.position(int(terms["position"]) or ticket_of(order))
        return next((each for each in self.positions() if each["symbol"] == order.symbol), None)

    def _keep(self, held: dict[str, Any]) -> None:
        volume, ticket = Decimal(held["volume"]), str(held["ticket"])
        self.store.note("position", ticket, json.dumps(held) if volume else None)
        bucket = ticket if self.hedging else ""
        qty, opened = volume * int(held["side"]), Decimal(held["price_open"])
        self.store.put_position(Position("main", "mt5", held["symbol"], bucket, qty, opened))

    def amend_position(self, ticket: int, **terms: Any) -> None:
        """Other stops, or swap that has come up."""
        held = self.position(ticket)
        assert held is not None
        self.store.note("position", str(ticket), json.dumps({**held, **terms}))

    def _deal(self, **values: Any) -> int:
        number = int(self.setting("deals", 0)) + 1
        self.set("deals", number)
        now = self.server_ms()
        deal = {
            "ticket": DEAL_BASE + number,
            "order": 0,
            "time": now // 1000,
            "time_msc": now,
            "type": 0,
            "entry": 0,
            "magic": 0,
            "position_id": 0,
            "reason": 0,
            "volume": 0.0,
            "price": 0.0,
            "commission": 0.0,
            "swap": 0.0,
            "profit": 0.0,
            "fee": 0.0,
            "symbol": "",
            "comment": "",
            "external_id": "",
            **values,
        }
        self.store.note("deal", str(deal["ticket"]), json.dumps(deal))
        gained = sum((Decimal(repr(deal[part])) for part in ("profit", "commission", "swap", "fee")), ZERO)
        purse = "credit" if deal["type"] == Mt5.DEAL_TYPE_CREDIT else "balance"
        self.set(purse, str(Decimal(str(self.setting(purse, "0"))) + gained))
        return int(deal["ticket"])


def quoted(store: Store, symbol: str) -> Quote | None:
    """The prices of a symbol, where both sides are there."""
    quote = store.quote(symbol)
    return quote if quote is not None and quote.bid and quote.ask else None


def _cents(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("0.01"), rounding="ROUND_HALF_EVEN") if amount else ZERO
