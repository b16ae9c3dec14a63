"""USD-M futures REST: /fapi/v1 to v3."""

from __future__ import annotations

import asyncio
from typing import Any

from surefill.testing.emulators.binance import market
from surefill.testing.emulators.binance import usdm_words as words
from surefill.testing.emulators.binance.errors import BinanceError, bad_symbol, missing, no_such_order, unknown_order
from surefill.testing.emulators.binance.floor import Floor
from surefill.testing.emulators.binance.listening import ListenKeys
from surefill.testing.emulators.binance.money import ALGO, LEVERAGE, USDM
from surefill.testing.emulators.binance.routes import Call, Route, Security
from surefill.testing.emulators.binance.spot import as_taken
from surefill.testing.emulators.binance.symbols import listed, traded, usdm_info
from surefill.testing.emulators.binance.terms import decimal_of
from surefill.testing.emulators.groundwork.records import ZERO, Order, Position, Quote
from surefill.testing.remote_venue.faults import Fault


class Usdm:
    """The endpoints."""

    def __init__(self, floor: Floor, listening: ListenKeys) -> None:
        self._floor, self._store, self._desk = floor, floor.store, floor.desk
        self._listening = listening
        self._countdowns: dict[tuple[str, str], asyncio.TimerHandle] = {}

    def routes(self) -> dict[tuple[str, str], Route]:
        """By method and path."""
        free, keyed, api = Security.OPEN, Security.KEYED, "/fapi/v1"
        table = {
            ("GET", f"{api}/ping"): Route("ping", lambda _: {}, free),
            ("GET", f"{api}/time"): Route("time", lambda _: {"serverTime": self._desk.now_ms()}, free),
            ("GET", f"{api}/exchangeInfo"): Route("info", self.info, free),
            ("GET", f"{api}/ticker/bookTicker"): Route("quotes", self.book_ticker, free, 2),
            ("GET", f"{api}/depth"): Route("quotes", self.depth, free, 5),
            ("POST", f"{api}/order"): Route("submit", self.new_order, weight=0, order=True),
            ("GET", f"{api}/order"): Route("order", self.order),
            ("PUT", f"{api}/order"): Route("amend", self.amend, order=True),
            ("DELETE", f"{api}/order"): Route("cancel", self.cancel),
            ("GET", f"{api}/openOrder"): Route("order", self.order),
            ("GET", f"{api}/openOrders"): Route("open_orders", self.open_orders),
            ("DELETE", f"{api}/allOpenOrders"): Route("cancel", self.cancel_all),
            ("GET", f"{api}/allOrders"): Route("orders", self.all_orders, weight=5),
            ("GET", f"{api}/userTrades"): Route("trades", self.trades, weight=5),
            ("POST", f"{api}/countdownCancelAll"): Route("countdown", self.countdown, weight=10),
            ("POST", f"{api}/algoOrder"): Route("submit", self.new_algo, order=True),
            ("GET", f"{api}/algoOrder"): Route("order", self.algo),
            ("DELETE", f"{api}/algoOrder"): Route("cancel", self.cancel_algo),
            ("GET", f"{api}/openAlgoOrders"): Route("open_orders", self.open_algos),
            ("GET", f"{api}/allAlgoOrders"): Route("orders", self.all_algos, weight=5),
            ("DELETE", f"{api}/algoOpenOrders"): Route("cancel", self.cancel_algos),
            ("GET", f"{api}/positionSide/dual"): Route("account", self.mode, weight=30),
            ("POST", f"{api}/positionSide/dual"): Route("account", self.set_mode),
            ("POST", f"{api}/leverage"): Route("account", self.leverage),
            ("GET", f"{api}/leverageBracket"): Route("info", self.brackets),
            ("POST", f"{api}/listenKey"): Route("listen_key", self._create_key, keyed),
            ("PUT", f"{api}/listenKey"): Route("listen_key", self._keep_key, keyed),
            ("DELETE", f"{api}/listenKey"): Route("listen_key", self._close_key, keyed),
        }
        for version in (1, 2):
            table["GET", f"/fapi/v{version}/ticker/price"] = Route("quotes", self.last_price, free)
        for version in (2, 3):
            table["GET", f"/fapi/v{version}/account"] = Route("account", self.account, weight=5)
            table["GET", f"/fapi/v{version}/balance"] = Route("account", self.balance, weight=5)
        table["GET", "/fapi/v2/positionRisk"] = Route("positions", lambda call: self.risk(call, 2), weight=5)
        table["GET", "/fapi/v3/positionRisk"] = Route("positions", lambda call: self.risk(call, 3), weight=5)
        return table

    # -- market -----------------------------------------------------------------------------------------------

    def info(self, call: Call) -> Any:
        """exchangeInfo."""
        limits = [
            {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": 2400},
            {"rateLimitType": "ORDERS", "interval": "MINUTE", "intervalNum": 1, "limit": 1200},
            {"rateLimitType": "ORDERS", "interval": "SECOND", "intervalNum": 10, "limit": 300},
        ]
        symbols = traded(self._store, USDM)
        return {
            "timezone": "UTC",
            "serverTime": self._desk.now_ms(),
            "futuresType": "U_MARGINED",
            "rateLimits": limits,
            "exchangeFilters": [],
            "assets": [{"asset": "USDT", "marginAvailable": True, "autoAssetExchange": "-10000"}],
            "symbols": [usdm_info(each) for each in symbols],
        }

    def _quotes(self, call: Call) -> list[Quote]:
        names = [call.symbol()] if call.symbol() else [each.name for each in traded(self._store, USDM)]
        found = [quote for name in names if (quote := self._store.quote(name)) is not None]
        if call.symbol() and not found:
            raise bad_symbol()
        return found

    def book_ticker(self, call: Call) -> Any:
        """ticker/bookTicker."""
        told = [market.book_ticker(each, USDM, self._desk.now_ms()) for each in self._quotes(call)]
        return told[0] if call.symbol() else told

    def last_price(self, call: Call) -> Any:
        """ticker/price."""
        told = [market.last_price(each, USDM, self._desk.now_ms()) for each in self._quotes(call)]
        return told[0] if call.symbol() else told

    def depth(self, call: Call) -> Any:
        """depth."""
        return market.depth(self._store.quote(call.symbol()), USDM, self._desk.now_ms())

    # -- orders -----------------------------------------------------------------------------------------------

    def new_order(self, call: Call) -> Any:
        """POST order. Conditional types belong to algoOrder: -4120."""
        if call.params.get("type") not in ("LIMIT", "MARKET", None):
            raise BinanceError(
                -4120, "Order type not supported for this endpoint. Please use the Algo Order API endpoints instead."
            )
        order = self._floor.submit(USDM, call.account, call.params)
        told = words.shown(order)
        told.pop("time")
        if call.params.get("newOrderRespType", "ACK") == "ACK":
            told |= {"status": "NEW", "executedQty": "0", "cumQty": "0", "cumQuote": "0", "avgPrice": "0.00"}
        return told

    def order(self, call: Call) -> Any:
        """GET order."""
        return words.shown(self._floor.find(USDM, call.account, call.params))

    def _to_cancel(self, call: Call) -> Order:
        try:
            return self._floor.find(USDM, call.account, call.params)
        except BinanceError as error:
            raise unknown_order() if error.code == -2013 else error from None

    def cancel(self, call: Call) -> Any:
        """DELETE order."""
        return words.shown(self._floor.cancel(self._to_cancel(call)))

    def cancel_all(self, call: Call) -> Any:
        """DELETE allOpenOrders."""
        if not call.symbol():
            raise missing("symbol")
        self._cancel_open(call.account, call.symbol())
        return {"code": 200, "msg": "The operation of cancel all open order is done."}

    def _cancel_open(self, account: str, symbol: str) -> None:
        for order in self._floor.orders(USDM, account, symbol):
            if order.is_open:
                self._floor.cancel(order)

    def amend(self, call: Call) -> Any:
        """PUT order: other price and quantity of a limit order."""
        order = self._floor.find(USDM, call.account, call.params)
        if not order.is_open:
            raise no_such_order()
        qty, px = decimal_of(call.params, "quantity"), decimal_of(call.params, "price")
        if (qty, px) == (order.qty, order.px):
            raise BinanceError(-5027, "No need to modify the order.")
        symbol = listed(self._store, order.symbol, USDM)
        if px % symbol.tick:
            raise BinanceError(-4014, "Price not increased by tick size.")
        return words.shown(self._floor.matcher.amend(order, qty=qty, px=px))

    def countdown(self, call: Call) -> Any:
        """POST countdownCancelAll: open orders of a symbol end unless it is asked again in time; 0 stops it."""
        symbol, wait_ms = call.symbol(), int(decimal_of(call.params, "countdownTime"))
        listed(self._store, symbol, USDM)
        running = self._countdowns.pop((call.account, symbol), None)
        if running is not None:
            running.cancel()
        if wait_ms:
            self._countdowns[call.account, symbol] = asyncio.get_running_loop().call_later(
                wait_ms / 1000, self._silent, call.account, symbol
            )
        return {"symbol": symbol, "countdownTime": str(wait_ms)}

    def countdowns(self) -> list[str]:
        """In which symbols one runs."""
        return sorted(symbol for _, symbol in self._countdowns)

    def _silent(self, account: str, symbol: str) -> None:
        """All orders of the symbol end; whether conditional ones are spared nobody says, so here they are not."""
        self._countdowns.pop((account, symbol), None)
        self._cancel_open(account, symbol)
        for order in self._floor.orders(ALGO, account, symbol):
            if order.is_open and not self._floor.triggered_ms(order):
                self._floor.cancel(order)
        self._desk.streams.flush()

    # -- conditional orders -----------------------------------------------------------------------------------

    def _algo(self, order: Order) -> dict[str, Any]:
        return words.algo_shown(order, self._floor.triggered_ms(order))

    def _find_algo(self, call: Call) -> Order:
        algo_id, client_id = call.params.get("algoId", ""), call.params.get("clientAlgoId", "")
        if not algo_id and not client_id:
            raise BinanceError(-1102, "Param 'algoId' or 'clientAlgoId' must be sent, but both were empty/null!")
        found = [
            each
            for each in self._floor.orders(ALGO, call.account)
            if (str(words.ALGO_FROM + each.number) == algo_id if algo_id else each.client_id == client_id)
        ]
        if not found:
            raise no_such_order()
        return found[-1]

    def new_algo(self, call: Call) -> Any:
        """POST algoOrder."""
        if call.params.get("algoType") != "CONDITIONAL":
            raise missing("algoType")
        return self._algo(self._floor.submit(ALGO, call.account, call.params))

    def algo(self, call: Call) -> Any:
        """GET algoOrder."""
        return self._algo(self._find_algo(call))

    def cancel_algo(self, call: Call) -> Any:
        """DELETE algoOrder."""
        try:
            order = self._find_algo(call)
        except BinanceError as error:
            raise unknown_order() if error.code == -2013 else error from None
        self._floor.cancel(order)
        told = {"algoId": words.ALGO_FROM + order.number, "clientAlgoId": order.client_id}
        return told | {"code": "200", "msg": "success"}

    def cancel_algos(self, call: Call) -> Any:
        """DELETE algoOpenOrders."""
        for order in self._floor.orders(ALGO, call.account, call.symbol()):
            if order.is_open:
                self._floor.cancel(order)
        return {"code": 200, "msg": "The operation of cancel all open order is done."}

    def open_algos(self, call: Call) -> Any:
        """GET openAlgoOrders."""
        empty, stale = self._stale("open_orders")
        orders = [] if empty else self._floor.orders(ALGO, call.account, call.symbol())
        waiting = [each for each in orders if stale or each.is_open]
        return [words.algo_shown(as_taken(each), 0) if stale else self._algo(each) for each in waiting]

    def all_algos(self, call: Call) -> Any:
        """GET allAlgoOrders."""
        return [self._algo(each) for each in self._floor.orders(ALGO, call.account, call.symbol())]

    # -- looks ------------------------------------------------------------------------------------------------

    def _stale(self, op: str) -> tuple[bool, bool]:
        strike = self._desk.faults.strike
        return strike(Fault.EMPTY_SNAPSHOT, op), strike(Fault.STALE_SNAPSHOT, op)

    def open_orders(self, call: Call) -> Any:
        """GET openOrders."""
        empty, stale = self._stale("open_orders")
        orders = [] if empty else self._floor.orders(USDM, call.account, call.symbol())
        return [words.shown(as_taken(each) if stale else each) for each in orders if stale or each.is_open]

    def all_orders(self, call: Call) -> Any:
        """GET allOrders."""
        empty, stale = self._stale("orders")
        orders = [] if empty else self._floor.orders(USDM, call.account, call.symbol())
        since, limit = int(call.params.get("startTime", 0)), int(call.params.get("limit", 500))
        orders = [each for each in orders if each.received_ms >= since]
        return [words.shown(as_taken(each) if stale else each) for each in orders][:limit]

    def trades(self, call: Call) -> Any:
        """GET userTrades."""
        empty, stale = self._stale("trades")
        equal = {"symbol": call.symbol()} if call.symbol() else {}
        found = [each for each in self._store.executions(account=call.account, **equal) if each.scope != "spot"]
        since, first = int(call.params.get("startTime", 0)), int(call.params.get("fromId", 0))
        number = int(call.params.get("orderId", 0))
        found = [each for each in found if each.ts_ms >= since and each.number >= first]
        found = [each for each in found if not number or each.order_number == number]
        found = [] if empty else found[:-1] if stale else found
        return [words.traded(each) for each in found[: int(call.params.get("limit", 500))]]

    def _positions(self, call: Call, *, all_buckets: bool) -> list[Position]:
        account = call.account
        equal = {"symbol": call.symbol()} if call.symbol() else {}
        known = {each[1:4]: each for each in self._store.positions(account=account, scope=USDM, **equal)}
        if all_buckets:
            hedged = self._store.noted("hedged", account) == "true"
            for symbol in [call.symbol()] if call.symbol() else [each.name for each in traded(self._store, USDM)]:
                for bucket in ("LONG", "SHORT") if hedged else ("BOTH",):
                    known.setdefault((USDM, symbol, bucket), Position(account, USDM, symbol, bucket))
        return list(known.values())

    def risk(self, call: Call, version: int) -> Any:
        """GET positionRisk: v2 shows flat symbols too, v3 only what is held."""
        empty, stale = self._stale("positions")
        positions = [] if empty else self._positions(call, all_buckets=version == 2)
        if stale:
            positions = [self._without_newest(each) for each in positions]
        mark, profit = self._floor.money.mark, self._floor.money.unrealized
        return [
            words.risk(each, mark(each.symbol), profit(each.symbol, each.qty, each.avg_px), LEVERAGE, version)
            for each in positions
            if version == 2 or each.qty
        ]

    def _without_newest(self, position: Position) -> Position:
        found = self._store.executions(account=position.account, symbol=position.symbol, bucket=position.bucket)
        newest = found[-1] if found else None
        return position if newest is None else position._replace(qty=position.qty - newest.side * newest.qty)

    def balance(self, call: Call) -> Any:
        """GET balance."""
        now_ms, money = self._desk.now_ms(), self._floor.money
        return [
            {
                "accountAlias": "SgsR",
                "asset": each.asset,
                "balance": f"{each.free:.8f}",
                "crossWalletBalance": f"{each.free:.8f}",
                "crossUnPnl": "0.00000000",
                "availableBalance": f"{money.available(call.account, each.asset):.8f}",
                "maxWithdrawAmount": f"{money.available(call.account, each.asset):.8f}",
                "marginAvailable": True,
                "updateTime": now_ms,
            }
            for each in self._store.balances(account=call.account, scope=USDM)
        ]

    def account(self, call: Call) -> Any:
        """GET account."""
        money = self._floor.money
        held = [each for each in self._positions(call, all_buckets=False) if each.qty]
        profit = sum((money.unrealized(each.symbol, each.qty, each.avg_px) for each in held), ZERO)
        wallet = self._store.balance(call.account, USDM, "USDT").free
        available = money.available(call.account)
        margin = wallet + profit - available
        totals = {
            "totalInitialMargin": margin,
            "totalMaintMargin": ZERO,
            "totalWalletBalance": wallet,
            "totalUnrealizedProfit": profit,
            "totalMarginBalance": wallet + profit,
            "totalPositionInitialMargin": margin,
            "totalOpenOrderInitialMargin": ZERO,
            "totalCrossWalletBalance": wallet,
            "totalCrossUnPnl": profit,
            "availableBalance": available,
            "maxWithdrawAmount": available,
        }
        per_asset = {
            "walletBalance": wallet,
            "unrealizedProfit": profit,
            "marginBalance": wallet + profit,
            "maintMargin": ZERO,
            "initialMargin": margin,
            "positionInitialMargin": margin,
            "openOrderInitialMargin": ZERO,
            "crossWalletBalance": wallet,
            "crossUnPnl": profit,
            "availableBalance": available,
            "maxWithdrawAmount": available,
        }
        told = {name: f"{amount:.8f}" for name, amount in per_asset.items()}
        mark = money.mark
        return {
            "feeTier": 0,
            "canTrade": True,
            "canDeposit": True,
            "canWithdraw": True,
            "updateTime": 0,
            "multiAssetsMargin": False,
            **{name: f"{amount:.8f}" for name, amount in totals.items()},
            "assets": [{"asset": "USDT", **told, "marginAvailable": True, "updateTime": self._desk.now_ms()}],
            "positions": [
                words.risk(each, mark(each.symbol), money.unrealized(each.symbol, each.qty, each.avg_px), LEVERAGE, 3)
                | {"leverage": str(LEVERAGE), "isolated": False}
                for each in held
            ],
        }

    # -- settings ---------------------------------------------------------------------------------------------

    def mode(self, call: Call) -> Any:
        """GET positionSide/dual: whether LONG and SHORT are kept apart."""
        return {"dualSidePosition": self._store.noted("hedged", call.account) == "true"}

    def set_mode(self, call: Call) -> Any:
        """POST positionSide/dual."""
        wanted = call.params.get("dualSidePosition", "").lower()
        if wanted == (self._store.noted("hedged", call.account) or "false"):
            raise BinanceError(-4059, "No need to change position side.")
        if any(each.qty for each in self._store.positions(account=call.account, scope=USDM)):
            raise BinanceError(-4068, "Position side cannot be changed if there exists position.")
        if any(each.is_open for each in self._floor.orders(USDM, call.account)):
            raise BinanceError(-4067, "Position side cannot be changed if there exists open orders.")
        self._store.note("hedged", call.account, wanted)
        return {"code": 200, "msg": "success"}

    def leverage(self, call: Call) -> Any:
        """POST leverage: told as it was asked; margins here are always those of 20."""
        return {
            "leverage": int(decimal_of(call.params, "leverage")),
            "maxNotionalValue": "10000000",
            "symbol": call.symbol(),
        }

    def brackets(self, call: Call) -> Any:
        """GET leverageBracket: one bracket for everything."""
        bracket = {
            "bracket": 1,
            "initialLeverage": LEVERAGE,
            "notionalCap": 10000000,
            "notionalFloor": 0,
            "maintMarginRatio": 0.0,
            "cum": 0.0,
        }
        return [{"symbol": each.name, "brackets": [bracket]} for each in traded(self._store, USDM)]

    def _create_key(self, call: Call) -> Any:
        return {"listenKey": self._listening.create(USDM, call.account, renewed=True)}

    def _keep_key(self, call: Call) -> Any:
        key = self._listening.key_for(USDM, call.account)
        self._listening.keep(key)
        return {"listenKey": key}

    def _close_key(self, call: Call) -> Any:
        self._listening.close(self._listening.key_for(USDM, call.account))
        return {}
