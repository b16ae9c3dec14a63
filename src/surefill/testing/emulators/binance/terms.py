"""Reading a new order from its parameters, and the checks that Binance makes before it takes one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation

from surefill.testing.emulators.binance.errors import (
    DUPLICATE,
    INSUFFICIENT,
    BinanceError,
    filter_failure,
    missing,
    order_refused,
)
from surefill.testing.emulators.binance.money import ALGO, SPOT, USDM, Money
from surefill.testing.emulators.binance.symbols import Symbol, listed
from surefill.testing.emulators.groundwork.records import ZERO, Order, OrdType, Tif
from surefill.testing.emulators.groundwork.store import Store

_SPOT_TYPES = {
    "MARKET": OrdType.MARKET,
    "LIMIT": OrdType.LIMIT,
    "LIMIT_MAKER": OrdType.LIMIT,
    "STOP_LOSS": OrdType.STOP,
    "STOP_LOSS_LIMIT": OrdType.STOP_LIMIT,
    "TAKE_PROFIT": OrdType.TAKE_PROFIT,
    "TAKE_PROFIT_LIMIT": OrdType.TAKE_PROFIT_LIMIT,
}
_USDM_TYPES = {
    "MARKET": OrdType.MARKET,
    "LIMIT": OrdType.LIMIT,
    "STOP_MARKET": OrdType.STOP,
    "STOP": OrdType.STOP_LIMIT,
    "TAKE_PROFIT_MARKET": OrdType.TAKE_PROFIT,
    "TAKE_PROFIT": OrdType.TAKE_PROFIT_LIMIT,
}
SPOT_NAMES = {kind: name for name, kind in _SPOT_TYPES.items() if name != "LIMIT_MAKER"}
USDM_NAMES = {kind: name for name, kind in _USDM_TYPES.items()}
_CLIENT_ID = {SPOT: r"^[a-zA-Z0-9-_.~/:]{1,36}$", USDM: r"^[.A-Z:/a-z0-9_-]{1,36}$"}
_CLIENT_ID[ALGO] = _CLIENT_ID[USDM]
_TIFS = {SPOT: ("GTC", "IOC", "FOK"), USDM: ("GTC", "IOC", "FOK", "GTX"), ALGO: ("GTC", "IOC", "FOK", "GTX")}


def decimal_of(params: Mapping[str, str], name: str, default: Decimal | None = None) -> Decimal:
    """A decimal parameter; -1102 or -1100 where there is none to be read."""
    text = params.get(name, "")
    if not text:
        if default is None:
            raise missing(name)
        return default
    try:
        return Decimal(text)
    except InvalidOperation:
        legal = r"^([0-9]{1,20})(\.[0-9]{1,20})?$"
        raise BinanceError(
            -1100, f"Illegal characters found in parameter '{name}'; legal range is '{legal}'."
        ) from None


def side_of(params: Mapping[str, str]) -> int:
    """+1 for BUY, -1 for SELL."""
    side = params.get("side", "")
    if not side:
        raise missing("side")
    if side not in ("BUY", "SELL"):
        raise BinanceError(-1117, "Invalid side.")
    return 1 if side == "BUY" else -1


class Reader:
    """Reads and checks orders of all scopes."""

    def __init__(self, store: Store, money: Money) -> None:
        self._store, self._money = store, money

    def read(self, scope: str, account: str, params: Mapping[str, str], number_hint: str) -> Order:
        """The order as it is asked for, before any check against the account. `number_hint` names it if nobody did."""
        symbol = listed(self._store, params.get("symbol", ""), SPOT if scope == SPOT else USDM)
        side, kind = side_of(params), params.get("type", "")
        if not kind:
            raise missing("type")
        ord_type = (_SPOT_TYPES if scope == SPOT else _USDM_TYPES).get(kind)
        if ord_type is None or (scope == ALGO and ord_type in (OrdType.MARKET, OrdType.LIMIT)):
            raise BinanceError(-1116, "Invalid orderType.")
        order = Order(account, scope, symbol.name, side, ord_type, ZERO, tif=self._tif(scope, kind, params))
        order = order._replace(
            px=decimal_of(params, "price") if order.has_limit else ZERO,
            stop_px=decimal_of(params, "triggerPrice" if scope == ALGO else "stopPrice") if order.has_trigger else ZERO,
            client_id=self._client_id(scope, params) or number_hint,
            bucket="" if scope == SPOT else params.get("positionSide", "BOTH"),
            reduce_only=params.get("reduceOnly", "").lower() == "true",
        )
        return order._replace(qty=self._qty(order, symbol, params))

    def check(self, order: Order) -> None:
        """Filters, then what the matching engine asks; raises the refusal."""
        symbol = listed(self._store, order.symbol, SPOT if order.scope == SPOT else USDM)
        if order.scope == SPOT:
            self._spot_filters(order, symbol)
        else:
            self._usdm_filters(order, symbol)
        self._check_duplicate(order)
        self._check_price(order)
        if order.scope == SPOT and not self._money.affords(order):
            raise order_refused(INSUFFICIENT)
        if order.scope == USDM and not self._money.has_margin(order):
            raise BinanceError(-2019, "Margin is insufficient.")
        if order.scope == USDM and order.reduce_only and not self._money.allowed_qty(order):
            raise BinanceError(-2022, "ReduceOnly Order is rejected.")

    # -- reading ----------------------------------------------------------------------------------------------

    def _tif(self, scope: str, kind: str, params: Mapping[str, str]) -> Tif:
        if kind == "LIMIT_MAKER":
            return Tif.POST_ONLY
        text = params.get("timeInForce", "")
        if not text:
            if kind in ("LIMIT", "STOP_LOSS_LIMIT", "TAKE_PROFIT_LIMIT") and scope != ALGO:
                raise missing("timeInForce")
            return Tif.GTC
        if scope == SPOT and kind in ("MARKET", "STOP_LOSS", "TAKE_PROFIT"):
            raise BinanceError(-1106, "Parameter 'timeInForce' sent when not required.")
        if text not in _TIFS[scope]:
            raise BinanceError(-1115, "Invalid timeInForce.")
        return Tif.POST_ONLY if text == "GTX" else Tif(text)

    def _client_id(self, scope: str, params: Mapping[str, str]) -> str:
        name = "clientAlgoId" if scope == ALGO else "newClientOrderId"
        client_id, legal = params.get(name, ""), _CLIENT_ID[scope]
        if client_id and not re.match(legal, client_id):
            raise BinanceError(-1100, f"Illegal characters found in parameter '{name}'; legal range is '{legal}'.")
        return client_id

    def _qty(self, order: Order, symbol: Symbol, params: Mapping[str, str]) -> Decimal:
        if order.scope == SPOT and "quoteOrderQty" in params and order.ord_type == OrdType.MARKET:
            quote = self._store.quote(order.symbol)
            if quote is None:
                raise order_refused("Market is closed.")
            return decimal_of(params, "quoteOrderQty") / quote.px(order.side) // symbol.step * symbol.step
        if order.scope == ALGO and params.get("closePosition", "").lower() == "true":
            return abs(self._store.position(order.account, USDM, order.symbol, order.bucket).qty)
        return decimal_of(params, "quantity")

    # -- checking ---------------------------------------------------------------------------------------------

    def _spot_filters(self, order: Order, symbol: Symbol) -> None:
        for px in (order.px, order.stop_px):
            if px and px % symbol.tick:
                raise filter_failure("PRICE_FILTER")
        if (order.has_limit and order.px <= 0) or (order.has_trigger and order.stop_px <= 0):
            raise filter_failure("PRICE_FILTER")
        if order.qty < symbol.step or order.qty > symbol.max_qty or order.qty % symbol.step:
            raise filter_failure("LOT_SIZE")
        if order.ord_type == OrdType.MARKET and order.qty > symbol.max_qty / 100:
            raise filter_failure("MARKET_LOT_SIZE")
        mark = self._money.mark(order.symbol)
        if order.has_limit and mark and not mark / 5 <= order.px <= mark * 5:
            raise filter_failure("PERCENT_PRICE_BY_SIDE")
        if (order.px or order.stop_px or mark) * order.qty < symbol.min_notional:
            raise filter_failure("NOTIONAL")
        resting = self._store.orders(account=order.account, scope=SPOT, symbol=order.symbol, open_only=True)
        if len(resting) >= 200:
            raise filter_failure("MAX_NUM_ORDERS")
        if order.has_trigger and sum(each.has_trigger for each in resting) >= 5:
            raise filter_failure("MAX_NUM_ALGO_ORDERS")

    def _usdm_filters(self, order: Order, symbol: Symbol) -> None:
        if order.has_limit and order.px <= 0:
            raise BinanceError(-4001, "Price less than 0.")
        if order.px % symbol.tick or order.stop_px % symbol.tick:
            raise BinanceError(-4014, "Price not increased by tick size.")
        if order.qty <= 0:
            raise BinanceError(-4003, "Quantity less than or equal to zero.")
        if order.qty % symbol.step:
            raise BinanceError(-1111, "Precision is over the maximum defined for this asset.")
        if order.qty > symbol.max_qty:
            raise BinanceError(-4005, "Quantity greater than max quantity.")
        mark = self._money.mark(order.symbol)
        if order.has_limit and mark:
            if order.side > 0 and order.px > mark * Decimal("1.05"):
                raise BinanceError(-4016, f"Limit price can't be higher than {mark * Decimal('1.05'):f}.")
            if order.side < 0 and order.px < mark * Decimal("0.95"):
                raise BinanceError(-4024, f"Limit price can't be lower than {mark * Decimal('0.95'):f}.")
        if not order.reduce_only and (order.px or mark) * order.qty < symbol.min_notional:
            raise BinanceError(
                -4164,
                f"Order's notional must be no smaller than {symbol.min_notional} (unless you choose reduce only).",
            )
        hedged = self._store.noted("hedged", order.account) == "true"
        if hedged == (order.bucket == "BOTH"):
            raise BinanceError(-4061, "Order's position side does not match user's setting.")

    def _check_duplicate(self, order: Order) -> None:
        """Unique among open orders only: what has filled may be sent again, and fills again."""
        same = self._store.orders(account=order.account, scope=order.scope, client_id=order.client_id, open_only=True)
        if same and order.scope == SPOT:
            raise order_refused(DUPLICATE)
        if same:
            raise BinanceError(-4116, "ClientOrderId is duplicated.")

    def _check_price(self, order: Order) -> None:
        quote = self._store.quote(order.symbol)
        if quote is None:
            if order.ord_type == OrdType.MARKET:
                raise order_refused("Market is closed.")
            return
        if order.has_trigger:
            rising = (order.side > 0) == (order.ord_type in (OrdType.STOP, OrdType.STOP_LIMIT))
            if (quote.last >= order.stop_px) if rising else (quote.last <= order.stop_px):
                if order.scope == SPOT:
                    raise order_refused("Order would trigger immediately.")
                raise BinanceError(-2021, "Order would immediately trigger.")
        elif order.tif == Tif.POST_ONLY and (order.px - quote.px(order.side)) * order.side >= 0:
            if order.scope == SPOT:
                raise order_refused("Order would immediately match and take.")
            raise BinanceError(
                -5022,
                "Due to the order could not be executed as maker, the Post Only order will be rejected. "
                "The order will not be recorded in the order history",
            )
