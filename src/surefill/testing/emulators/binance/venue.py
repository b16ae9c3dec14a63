"""The emulated Binance as a whole: one application for spot and USD-M, REST and WebSockets."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route as Path
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket

from surefill.testing.emulators.binance import errors
from surefill.testing.emulators.binance.admission import (
    Key,
    Limits,
    check_signature,
    check_time,
    key_of,
    parameters,
    put_key,
)
from surefill.testing.emulators.binance.errors import BinanceError
from surefill.testing.emulators.binance.floor import Floor
from surefill.testing.emulators.binance.listening import ListenKeys
from surefill.testing.emulators.binance.money import COMMISSION_IN, SPOT, USDM
from surefill.testing.emulators.binance.moves import Moves
from surefill.testing.emulators.binance.routes import Call, Route, Security
from surefill.testing.emulators.binance.sockets import Sockets
from surefill.testing.emulators.binance.spot import Spot
from surefill.testing.emulators.binance.usdm import Usdm
from surefill.testing.emulators.groundwork.desk import Answer, Desk
from surefill.testing.emulators.groundwork.faults import AnyFault, WireFault
from surefill.testing.emulators.groundwork.records import Quote
from surefill.testing.remote_venue.faults import Fault

#: The key of a fresh emulator. It opens nothing but this.
API_KEY = "emulated-binance-key"
SECRET = "emulated-binance-secret"  # nosec B105: of an emulator
_FIRST_BALANCES = {SPOT: {"USDT": "100000", "BTC": "10"}, USDM: {"USDT": "100000"}}


class Binance:
    """`Emulator`."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._floor = Floor(desk)
        self._listening = ListenKeys(desk)
        self._limits: dict[str, Limits] = {}
        self._usdm = Usdm(self._floor, self._listening)
        self._moves = Moves(self._floor)
        self._routes = {
            **Spot(self._floor, self._listening).routes(),
            **self._usdm.routes(),
            **self._moves.routes(),
        }
        sockets = Sockets(desk, self._listening)

        async def streams(socket: WebSocket) -> None:
            await sockets.streams(socket)

        async def api(socket: WebSocket) -> None:
            await sockets.api(socket)

        self.app = Starlette(
            routes=[
                Path("/{path:path}", self._request, methods=["GET", "POST", "PUT", "DELETE"]),
                WebSocketRoute("/ws-api/v3", api),
                WebSocketRoute("/{path:path}", streams),
            ]
        )

    # -- Emulator ---------------------------------------------------------------------------------------------

    def op_of(self, method: str, path: str) -> str:
        """See `Emulator.op_of`."""
        route = self._routes.get((method, path))
        return route.op if route else ""

    def answer_of(self, fault: AnyFault, op: str) -> Answer:
        """See `Emulator.answer_of`."""
        error = _FAULTS.get(fault, errors.INTERNAL)
        headers = {"content-type": "application/json"}
        if error.retry_after_s:
            headers["retry-after"] = str(error.retry_after_s)
        return Answer(error.status, error.body(), headers)

    def set_quote(self, quote: Quote) -> None:
        """See `Emulator.set_quote`."""
        self._floor.set_quote(quote)

    def seed(self, body: Mapping[str, Any]) -> None:
        """`keys`: list of a key's fields; `spot`, `usdm`: balances to be by asset; `account`: whose ("main").

        `commission_in`: "base", "quote" or "bnb", what the account's spot commissions are taken out of.
        """
        store, account = self._desk.store, str(body.get("account", "main"))
        for key in body.get("keys", ()):
            put_key(store, Key(**key))
        if COMMISSION_IN in body:
            if body[COMMISSION_IN] not in ("base", "quote", "bnb"):
                raise ValueError(f"commission_in must be base, quote or bnb (got {body[COMMISSION_IN]!r})")
            store.note(COMMISSION_IN, account, str(body[COMMISSION_IN]))
        for scope in (SPOT, USDM):
            for asset, amount in body.get(scope, {}).items():
                was = store.balance(account, scope, asset).free
                store.add_balance(account, scope, asset, Decimal(str(amount)) - was)

    def control(self, command: str, body: Mapping[str, Any]) -> Any:
        """`limits` (market, weight, orders), `expire_listen_keys`, `order` and `cancel` of somebody else's hand, and
        `countdowns`: the symbols whose dead man's switch runs. `move`: a payment, deposit, … of an account (`Moves`).
        """
        match command:
            case "limits":
                limits = self._limits[str(body.get("market", SPOT))]
                limits.forget()
                limits.weight = int(body.get("weight", limits.weight))
                limits.orders.update({name: (int(n), int(s)) for name, (n, s) in body.get("orders", {}).items()})
                return None
            case "expire_listen_keys":
                return self._listening.expire_all()
            case "move":
                return self._moves.happen(body)
            case "countdowns":
                return self._usdm.countdowns()
            case "order":
                return self._by_hand(body)
            case "cancel":
                order = self._desk.store.order(int(body["number"]))
                if order is None:
                    raise LookupError(f"no order {body['number']}")
                self._floor.cancel(order)
                return None
            case _:
                raise LookupError(f"no command {command}")

    def _by_hand(self, body: Mapping[str, Any]) -> int:
        """An order that the account's owner places elsewhere: its parameters as text, and `scope`."""
        params = {name: str(value) for name, value in body.items() if name not in ("scope", "account")}
        try:
            order = self._floor.submit(str(body.get("scope", SPOT)), str(body.get("account", "main")), params)
        except BinanceError as error:
            raise ValueError(f"{error.code}: {error.msg}") from None
        return order.number

    def restart(self) -> None:
        """See `Emulator.restart`: the first start makes a key and an account."""
        now_ms = self._desk.now_ms
        self._limits = {
            SPOT: Limits(6000, {"10S": (100, 10), "1D": (200_000, 86_400)}, now_ms),
            USDM: Limits(2400, {"10S": (300, 10), "1M": (1200, 60)}, now_ms),
        }
        if not self._desk.store.notes("keys"):
            put_key(self._desk.store, Key(API_KEY, SECRET, "main"))
            self.seed(_FIRST_BALANCES)
        self._floor.matcher.resume()

    # -- requests ---------------------------------------------------------------------------------------------

    async def _request(self, request: Request) -> Response:
        route = self._routes.get((request.method, request.url.path))
        if route is None:
            return Response("<html>404</html>", 404, media_type="text/html")
        scope = USDM if request.url.path.startswith("/fapi") else SPOT
        limits, account = self._limits[scope], ""
        try:
            call = self._let_in(route, request, (await request.body()).decode(), limits)
            account = call.key.account if call.key and route.order else ""
            told = route.answer(call)
        except BinanceError as error:
            headers = limits.headers(account)
            if error.retry_after_s:
                headers["Retry-After"] = str(error.retry_after_s)
            return Response(error.body(), error.status, headers, "application/json")
        return Response(json.dumps(told), 200, limits.headers(account), "application/json")

    def _let_in(self, route: Route, request: Request, body: str, limits: Limits) -> Call:
        query = request.url.query
        params = parameters(query, body)
        key = None
        if route.security is not Security.OPEN:
            key = key_of(self._desk.store, request.headers.get("X-MBX-APIKEY", ""))
            if self._desk.faults.strike(WireFault.EXPIRE_TOKEN, route.op):
                raise errors.bad_key()
        limits.take(route.weight, key.account if key and route.order else "", route.orders)
        if key is not None and route.security is Security.SIGNED:
            check_time(params, self._desk.now_ms())
            check_signature(key.secret, query, body)
            if route.order and not key.trades:
                raise errors.bad_key()
        return Call(params, key)


_FAULTS: dict[AnyFault, BinanceError] = {
    Fault.THROTTLED: errors.too_many(6000, 1),
    WireFault.BANNED: errors.too_many(6000, 2, banned_until_ms=4_102_444_800_000),
    WireFault.OVERLOADED: errors.OVERLOADED,
    WireFault.UNAVAILABLE: BinanceError(-1000, "Service Unavailable.", 503),
    WireFault.STATUS_UNKNOWN: BinanceError(-1000, "Unknown error, please check your request or try again later.", 503),
    Fault.SERVER_ERROR: errors.UNKNOWN_STATUS,
    Fault.QUERY_ERROR: errors.INTERNAL,
}
