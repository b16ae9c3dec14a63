"""Fees, balances and positions: what an execution changes, and what an account may still do."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from surefill.testing.emulators.binance.symbols import symbol_of
from surefill.testing.emulators.groundwork.matching import Event
from surefill.testing.emulators.groundwork.records import ZERO, Execution, Order, booked
from surefill.testing.emulators.groundwork.store import Store

SPOT, USDM, ALGO = "spot", "usdm", "algo"
#: Of a new account without discounts: binance.com/en/fee/trading and /fee/futureFee, seen for 2025.
SPOT_FEE, MAKER_FEE, TAKER_FEE = Decimal("0.001"), Decimal("0.0002"), Decimal("0.0005")
LEVERAGE = 20
#: Paid in BNB a quarter less is taken, at BNB's price, or this where it has none: binance.com/en/fee/trading, 2025.
BNB_FEE, BNB_PX = SPOT_FEE * Decimal("0.75"), Decimal(600)
QUANTUM = Decimal("0.00000001")
#: What a spot account's commissions are taken out of: "base" (what was received: the base asset of a purchase, the
#: quote asset of a sale; Binance's own way), "quote" or "bnb".
COMMISSION_IN = "commission_in"


class Money:
    """`Books` of a matcher. A balance's `free` is the whole balance; what is held back follows from open orders."""

    def __init__(self, store: Store, tell: Callable[[Event], None]) -> None:
        self._store, self._tell = store, tell

    # -- Books ------------------------------------------------------------------------------------------------

    def price(self, execution: Execution) -> Execution:
        """See `Books.price`."""
        return self._spot(execution) if execution.scope == SPOT else self._usdm(execution)

    def allowed_qty(self, order: Order) -> Decimal:
        """See `Books.allowed_qty`."""
        if not order.reduce_only:
            return order.leaves_qty
        held = self._store.position(order.account, USDM, order.symbol, order.bucket).qty
        return min(order.leaves_qty, max(-held * order.side, ZERO))

    def told(self, event: Event) -> None:
        """See `Books.told`."""
        self._tell(event)

    def _spot(self, execution: Execution) -> Execution:
        symbol = symbol_of(execution.symbol, SPOT)
        value, account, add = execution.px * execution.qty, execution.account, self._store.add_balance
        add(account, SPOT, symbol.base, execution.qty * execution.side)
        add(account, SPOT, symbol.quote, -value * execution.side)
        match self._store.noted(COMMISSION_IN, account):
            case "bnb":
                fee, asset = (value * BNB_FEE / (self.mark("BNBUSDT") or BNB_PX)).quantize(QUANTUM), "BNB"
            case "quote":
                fee, asset = value * SPOT_FEE, symbol.quote
            case _:
                fee, asset = (
                    (execution.qty * SPOT_FEE, symbol.base) if execution.side > 0 else (value * SPOT_FEE, symbol.quote)
                )
        add(account, SPOT, asset, -fee)
        return execution._replace(fee=fee, fee_asset=asset)

    def _usdm(self, execution: Execution) -> Execution:
        symbol = symbol_of(execution.symbol, USDM)
        fee = execution.px * execution.qty * (MAKER_FEE if execution.maker else TAKER_FEE)
        was = self._store.position(execution.account, USDM, execution.symbol, execution.bucket)
        now, realized = booked(was, execution.side, execution.px, execution.qty, execution.ts_ms)
        self._store.put_position(now)
        self._store.add_balance(execution.account, USDM, symbol.quote, realized - fee)
        return execution._replace(fee=fee, fee_asset=symbol.quote, realized=realized)

    # -- looks ------------------------------------------------------------------------------------------------

    def locked(self, account: str) -> dict[str, Decimal]:
        """What open spot orders hold back, by asset; of an order list only the dearer leg."""
        held: dict[tuple[str, str], Decimal] = {}
        for order in self._store.orders(account=account, scope=SPOT, open_only=True):
            symbol = symbol_of(order.symbol, SPOT)
            asset = symbol.quote if order.side > 0 else symbol.base
            group = order.venue or f"order {order.number}"
            held[asset, group] = max(held.get((asset, group), ZERO), self._needs(order))
        total: dict[str, Decimal] = {}
        for (asset, _), amount in held.items():
            total[asset] = total.get(asset, ZERO) + amount
        return total

    def affords(self, order: Order) -> bool:
        """Whether the balance covers a new spot order; of an order list, what the other leg holds back already."""
        symbol = symbol_of(order.symbol, SPOT)
        asset = symbol.quote if order.side > 0 else symbol.base
        free = self._store.balance(order.account, SPOT, asset).free - self.locked(order.account).get(asset, ZERO)
        held = self._store.orders(account=order.account, scope=SPOT, venue=order.venue) if order.venue else []
        return self._needs(order) <= free + max(map(self._needs, held), default=ZERO)

    def has_margin(self, order: Order) -> bool:
        """Whether the margin covers a new futures order."""
        quote = self._store.quote(order.symbol)
        px = order.px or order.stop_px or (quote.px(order.side) if quote else ZERO)
        asset = symbol_of(order.symbol, USDM).quote
        return order.reduce_only or px * order.qty / LEVERAGE <= self.available(order.account, asset)

    def available(self, account: str, asset: str = "USDT") -> Decimal:
        """Wallet and unrealised profit, less the margin of positions."""
        positions = [each for each in self._store.positions(account=account, scope=USDM) if each.qty]
        wallet = self._store.balance(account, USDM, asset).free
        margin = sum((abs(each.qty) * each.avg_px / LEVERAGE for each in positions), ZERO)
        return wallet + sum((self.unrealized(each.symbol, each.qty, each.avg_px) for each in positions), ZERO) - margin

    def unrealized(self, symbol: str, qty: Decimal, avg_px: Decimal) -> Decimal:
        """Profit of a position at the last price."""
        return (self.mark(symbol) - avg_px) * qty if qty else ZERO

    def mark(self, symbol: str) -> Decimal:
        """The last price, which is the mark price here too."""
        quote = self._store.quote(symbol)
        return quote.last if quote else ZERO

    def _needs(self, order: Order) -> Decimal:
        if order.side < 0:
            return order.leaves_qty
        quote = self._store.quote(order.symbol)
        return order.leaves_qty * (order.px or (quote.ask if quote else ZERO))
