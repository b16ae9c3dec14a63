"""Spot REST: /api/v3 and what of /sapi/v1 tells about a key."""

from __future__ import annotations

import json
from typing import Any

from surefill.testing.emulators.binance import market
from surefill.testing.emulators.binance import spot_words as words
from surefill.testing.emulators.binance.errors import BinanceError, bad_symbol, missing, unknown_order
from surefill.testing.emulators.binance.floor import Floor
from surefill.testing.emulators.binance.listening import ListenKeys
from surefill.testing.emulators.binance.money import SPOT
from surefill.testing.emulators.binance.order_lists import OrderLists
from surefill.testing.emulators.binance.routes import Call, Route, Security
from surefill.testing.emulators.binance.symbols import spot_info, traded
from surefill.testing.emulators.binance.terms import decimal_of
from surefill.testing.emulators.groundwork.records import ZERO, Order, Quote, Status
from surefill.testing.remote_venue.faults import Fault


class Spot:
    """The endpoints."""

    def __init__(self, floor: Floor, listening: ListenKeys) -> None:
        self._floor, self._store, self._desk = floor, floor.store, floor.desk
        self._listening = listening

    def routes(self) -> dict[tuple[str, str], Route]:
        """By method and path."""
        free, keyed = Security.OPEN, Security.KEYED
        api, sapi = "/api/v3", "/sapi/v1"
        return {
            ("GET", f"{api}/ping"): Route("ping", lambda _: {}, free),
            ("GET", f"{api}/time"): Route("time", lambda _: {"serverTime": self._desk.now_ms()}, free),
            ("GET", f"{api}/exchangeInfo"): Route("info", self.info, free, 20),
            ("GET", f"{api}/ticker/bookTicker"): Route("quotes", self.book_ticker, free, 2),
            ("GET", f"{api}/ticker/price"): Route("quotes", self.last_price, free, 2),
            ("GET", f"{api}/depth"): Route("quotes", self.depth, free, 5),
            ("GET", f"{api}/account"): Route("account", self.account, weight=20),
            ("POST", f"{api}/order"): Route("submit", self.new_order, order=True),
            ("POST", f"{api}/order/test"): Route("test", self.test_order),
            ("GET", f"{api}/order"): Route("order", self.order, weight=4),
            ("DELETE", f"{api}/order"): Route("cancel", self.cancel),
            ("PUT", f"{api}/order/amend/keepPriority"): Route("amend", self.amend, weight=4),
            ("POST", f"{api}/order/cancelReplace"): Route("amend", self.cancel_replace, order=True),
            ("GET", f"{api}/openOrders"): Route("open_orders", self.open_orders, weight=6),
            ("DELETE", f"{api}/openOrders"): Route("cancel", self.cancel_all),
            ("GET", f"{api}/allOrders"): Route("orders", self.all_orders, weight=20),
            ("GET", f"{api}/myTrades"): Route("trades", self.trades, weight=20),
            **OrderLists(self._floor).routes(),
            ("POST", f"{api}/userDataStream"): Route("listen_key", self._create_key, keyed, 2),
            ("PUT", f"{api}/userDataStream"): Route("listen_key", self._keep_key, keyed, 2),
            ("DELETE", f"{api}/userDataStream"): Route("listen_key", self._close_key, keyed, 2),
            ("GET", f"{sapi}/account/apiRestrictions"): Route("permissions", self.permissions),
            ("GET", f"{sapi}/capital/config/getall"): Route("info", self.currencies, weight=10),
            ("GET", f"{sapi}/margin/allPairs"): Route("info", lambda _: []),  # no margin trading here
            ("GET", f"{sapi}/margin/isolated/allPairs"): Route("info", lambda _: []),
        }

    # -- market -----------------------------------------------------------------------------------------------

    def info(self, call: Call) -> Any:
        """exchangeInfo."""
        asked = call.params.get("symbols", "")
        names = json.loads(asked) if asked else [call.symbol()] if call.symbol() else []
        symbols = [each for each in traded(self._store, SPOT) if not names or each.name in names]
        if len(symbols) < len(names):
            raise bad_symbol()
        limits = [
            {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": 6000},
            {"rateLimitType": "ORDERS", "interval": "SECOND", "intervalNum": 10, "limit": 100},
            {"rateLimitType": "ORDERS", "interval": "DAY", "intervalNum": 1, "limit": 200000},
        ]
        return {
            "timezone": "UTC",
            "serverTime": self._desk.now_ms(),
            "rateLimits": limits,
            "exchangeFilters": [],
            "symbols": [spot_info(each) for each in symbols],
        }

    def _quotes(self, call: Call) -> list[Quote]:
        names = [call.symbol()] if call.symbol() else [each.name for each in traded(self._store, SPOT)]
        found = [quote for name in names if (quote := self._store.quote(name)) is not None]
        if call.symbol() and not found:
            raise bad_symbol()
        return found

    def book_ticker(self, call: Call) -> Any:
        """ticker/bookTicker."""
        told = [market.book_ticker(each, SPOT, self._desk.now_ms()) for each in self._quotes(call)]
        return told[0] if call.symbol() else told

    def last_price(self, call: Call) -> Any:
        """ticker/price."""
        told = [market.last_price(each, SPOT, self._desk.now_ms()) for each in self._quotes(call)]
        return told[0] if call.symbol() else told

    def depth(self, call: Call) -> Any:
        """depth."""
        return market.depth(self._store.quote(call.symbol()), SPOT, self._desk.now_ms())

    # -- orders -----------------------------------------------------------------------------------------------

    def new_order(self, call: Call) -> Any:
        """POST order."""
        order = self._floor.submit(SPOT, call.account, call.params)
        detail = "FULL" if call.params.get("type") in ("MARKET", "LIMIT") else "ACK"
        detail = call.params.get("newOrderRespType", detail)
        return words.acknowledged(order, self._store.executions(order_number=order.number), detail)

    def test_order(self, call: Call) -> Any:
        """POST order/test: every check, and no order."""
        self._floor.reader.check(self._floor.reader.read(SPOT, call.account, call.params, "test"))
        return {}

    def order(self, call: Call) -> Any:
        """GET order."""
        return words.queried(self._floor.find(SPOT, call.account, call.params))

    def cancel(self, call: Call) -> Any:
        """DELETE order."""
        return self._cancel(self._to_cancel(call), call)

    def _to_cancel(self, call: Call) -> Order:
        params = dict(call.params)
        if "cancelOrderId" in params or "cancelOrigClientOrderId" in params:
            params |= {
                "orderId": params.get("cancelOrderId", ""),
                "origClientOrderId": params.get("cancelOrigClientOrderId", ""),
            }
        try:
            return self._floor.find(SPOT, call.account, params)
        except BinanceError as error:
            raise unknown_order() if error.code == -2013 else error from None

    def _cancel(self, order: Order, call: Call) -> dict[str, Any]:
        cancel_id = call.params.get("newClientOrderId", "") or f"cancel_{order.number}"
        told = words.canceled(self._floor.cancel(order, cancel_id), cancel_id)
        for other in self._legs(order):
            self._floor.cancel(other)
        return told

    def _legs(self, order: Order) -> list[Order]:
        if not order.venue:
            return []
        return self._store.orders(account=order.account, scope=SPOT, venue=order.venue, open_only=True)

    def cancel_all(self, call: Call) -> Any:
        """DELETE openOrders."""
        if not call.symbol():
            raise missing("symbol")
        working = [each for each in self._floor.orders(SPOT, call.account, call.symbol()) if each.is_open]
        if not working:
            raise unknown_order()
        return [words.canceled(self._floor.cancel(each), f"cancel_{each.number}") for each in working]

    def amend(self, call: Call) -> Any:
        """PUT order/amend/keepPriority: less quantity, the same place in the queue, a new client id."""
        order, qty = self._floor.find(SPOT, call.account, call.params), decimal_of(call.params, "newQty")
        if not order.is_open:
            raise unknown_order()
        if qty >= order.qty or qty <= order.cum_qty:
            raise BinanceError(-2038, "Order amend (quantity increase) is not supported.")
        was_id, new_id = order.client_id, call.params.get("newClientOrderId", order.client_id)
        order = self._floor.matcher.amend(order._replace(client_id=new_id), qty=qty, px=order.px)
        return words.amended(order, was_id)

    def cancel_replace(self, call: Call) -> Any:
        """POST order/cancelReplace: two steps, of which one may fail."""
        failed: dict[str, Any] | None = None
        canceled: Any
        try:
            canceled, told = self._cancel(self._to_cancel(call), call), "SUCCESS"
        except BinanceError as error:
            told = "FAILURE"
            failed = canceled = {"code": error.code, "msg": error.msg}
            if call.params.get("cancelReplaceMode") != "ALLOW_FAILURE":
                data = _halves(told, "NOT_ATTEMPTED", canceled, None)
                raise BinanceError(-2022, "Order cancel-replace failed.", data=data) from None
        try:
            placed = self.new_order(call)
        except BinanceError as error:
            data = _halves(told, "FAILURE", canceled, {"code": error.code, "msg": error.msg})
            if failed is not None:
                raise BinanceError(-2022, "Order cancel-replace failed.", data=data) from None
            raise BinanceError(-2021, "Order cancel-replace partially failed.", 409, data) from None
        data = _halves(told, "SUCCESS", canceled, placed)
        if failed is not None:
            raise BinanceError(-2021, "Order cancel-replace partially failed.", 409, data)
        return data

    # -- looks ------------------------------------------------------------------------------------------------

    def _stale(self, op: str) -> tuple[bool, bool]:
        strike = self._desk.faults.strike
        return strike(Fault.EMPTY_SNAPSHOT, op), strike(Fault.STALE_SNAPSHOT, op)

    def open_orders(self, call: Call) -> Any:
        """GET openOrders."""
        empty, stale = self._stale("open_orders")
        orders = [] if empty else self._floor.orders(SPOT, call.account, call.symbol())
        return [words.queried(as_taken(each) if stale else each) for each in orders if stale or each.is_open]

    def all_orders(self, call: Call) -> Any:
        """GET allOrders."""
        empty, stale = self._stale("orders")
        orders = [] if empty else self._floor.orders(SPOT, call.account, call.symbol())
        since, limit = int(call.params.get("startTime", 0)), int(call.params.get("limit", 500))
        orders = [each for each in orders if each.received_ms >= since]
        return [words.queried(as_taken(each) if stale else each) for each in orders][:limit]

    def trades(self, call: Call) -> Any:
        """GET myTrades."""
        if not call.symbol():
            raise missing("symbol")
        empty, stale = self._stale("trades")
        found = self._store.executions(account=call.account, scope=SPOT, symbol=call.symbol())
        since, first = int(call.params.get("startTime", 0)), int(call.params.get("fromId", 0))
        number = int(call.params.get("orderId", 0))
        found = [each for each in found if each.ts_ms >= since and each.number >= first]
        found = [each for each in found if not number or each.order_number == number]
        found = [] if empty else found[:-1] if stale else found
        return [
            words.traded(each, self._list_of(each.order_number)) for each in found[: int(call.params.get("limit", 500))]
        ]

    def _list_of(self, number: int) -> int:
        order = self._store.order(number)
        return -1 if order is None else words.list_id_of(order)

    def account(self, call: Call) -> Any:
        """GET account."""
        assert call.key is not None
        told = []
        for each in self._store.balances(account=call.account, scope=SPOT):
            free, locked = self._floor.spot_balance(call.account, each.asset)
            told.append({"asset": each.asset, "free": words.eight(free), "locked": words.eight(locked)})
        return {
            "makerCommission": 10,
            "takerCommission": 10,
            "buyerCommission": 0,
            "sellerCommission": 0,
            "commissionRates": {
                "maker": "0.00100000",
                "taker": "0.00100000",
                "buyer": "0.00000000",
                "seller": "0.00000000",
            },
            "canTrade": call.key.trades,
            "canWithdraw": call.key.withdraws,
            "canDeposit": True,
            "brokered": False,
            "requireSelfTradePrevention": False,
            "preventSor": False,
            "updateTime": self._desk.now_ms(),
            "accountType": "SPOT",
            "balances": told,
            "permissions": ["SPOT"],
            "uid": 354937868,
        }

    def permissions(self, call: Call) -> Any:
        """GET account/apiRestrictions: what the key may do."""
        assert call.key is not None
        return {
            "ipRestrict": False,
            "createTime": 1698645219000,
            "enableReading": True,
            "enableWithdrawals": call.key.withdraws,
            "enableInternalTransfer": False,
            "enableMargin": False,
            "enableFutures": call.key.futures,
            "permitsUniversalTransfer": False,
            "enableVanillaOptions": False,
            "enableFixApiTrade": False,
            "enableFixReadOnly": False,
            "enableSpotAndMarginTrading": call.key.trades,
            "enablePortfolioMarginTrading": False,
        }

    def currencies(self, call: Call) -> Any:
        """GET capital/config/getall: the assets, without networks."""
        symbols = traded(self._store, SPOT)
        assets = {each.base for each in symbols} | {each.quote for each in symbols}
        return [
            {
                "coin": asset,
                "name": asset,
                "depositAllEnable": True,
                "withdrawAllEnable": True,
                "free": words.eight(self._floor.spot_balance(call.account, asset)[0]),
                "locked": words.eight(self._floor.spot_balance(call.account, asset)[1]),
                "freeze": "0",
                "withdrawing": "0",
                "ipoing": "0",
                "ipoable": "0",
                "storage": "0",
                "isLegalMoney": False,
                "trading": True,
                "networkList": [],
            }
            for asset in sorted(assets)
        ]

    def _create_key(self, call: Call) -> Any:
        return {"listenKey": self._listening.create(SPOT, call.account, renewed=False)}

    def _keep_key(self, call: Call) -> Any:
        self._listening.keep(call.params.get("listenKey", ""))
        return {}

    def _close_key(self, call: Call) -> Any:
        self._listening.close(call.params.get("listenKey", ""))
        return {}


def as_taken(order: Order) -> Order:
    """An order as it was when it had just been taken: what a stale look shows."""
    status = Status.PENDING if order.has_trigger else Status.NEW
    return order._replace(status=status, cum_qty=ZERO, cum_value=ZERO)


def _halves(cancel: str, placing: str, canceled: Any, placed: Any) -> dict[str, Any]:
    return {"cancelResult": cancel, "newOrderResult": placing, "cancelResponse": canceled, "newOrderResponse": placed}
