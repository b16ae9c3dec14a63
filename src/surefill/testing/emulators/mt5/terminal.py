"""The terminal: the package's functions over HTTP on this machine, an account, a market, and a hand on them.

`POST /call/FUNCTION/OP` takes `{"args": [...], "kwargs": {...}}` and answers `{"result": ..., "last_error": [code,
text]}`. OP is the name by which faults know the call. Times are the server's: UTC plus `offset_s`.

A fault that loses, garbles or delays an answer makes the package return None with an error of its channel. A fault
that answers (SERVER_ERROR, STATUS_UNKNOWN, UNAVAILABLE) makes it return 10011 or 10012. There is no push: reports that
are lost, repeated or out of order are deals that a look at the history leaves out, repeats or turns round.
"""

from __future__ import annotations

import fnmatch
import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse
from starlette.routing import Route

from surefill.testing.emulators.groundwork.desk import Answer, Desk
from surefill.testing.emulators.groundwork.faults import AnyFault, WireFault
from surefill.testing.emulators.groundwork.matching import Matcher
from surefill.testing.emulators.groundwork.records import Order, Quote
from surefill.testing.emulators.mt5.books import Ledger
from surefill.testing.emulators.mt5.constants import Constants as Mt5
from surefill.testing.emulators.mt5.dealing import TEXTS, trigger_px
from surefill.testing.emulators.mt5.orders import Orders
from surefill.testing.emulators.mt5.rates import bars
from surefill.testing.emulators.mt5.results import SYMBOLS, SymbolInfo, TerminalInfo, Tick
from surefill.testing.remote_venue.faults import Fault

OK = (Mt5.RES_S_OK, "Success")
_OPS = {
    "orders_get": "open_orders",
    "history_orders_get": "history",
    "history_deals_get": "trades",
    "positions_get": "positions",
}
_TRADING = ("submit", "cancel", "amend")
_CODES: dict[AnyFault, int] = {
    Fault.THROTTLED: Mt5.TRADE_RETCODE_TOO_MANY_REQUESTS,
    WireFault.BANNED: Mt5.TRADE_RETCODE_SERVER_DISABLES_AT,
    WireFault.OVERLOADED: Mt5.TRADE_RETCODE_TOO_MANY_REQUESTS,
    WireFault.UNAVAILABLE: Mt5.TRADE_RETCODE_CONNECTION,
    WireFault.STATUS_UNKNOWN: Mt5.TRADE_RETCODE_TIMEOUT,
    Fault.SERVER_ERROR: Mt5.TRADE_RETCODE_ERROR,
    Fault.REFUSED: Mt5.TRADE_RETCODE_REJECT,
}


class CallFailed(Exception):
    """The function returns None; why."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code, self.text = code, text


class Terminal:
    """An `Emulator`."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.ledger = Ledger(desk.store, self.server_ms)
        matcher = Matcher(desk.store, self.ledger, desk.now_ms, desk.hop, self._trigger_px)
        self.orders = Orders(desk, self.ledger, matcher)
        self.app = Starlette(routes=[Route("/call/{function}/{op}", self._called, methods=["POST"])])

    def server_ms(self) -> int:
        """The server's clock."""
        return self._desk.now_ms() + int(self.ledger.setting("offset_s", 0)) * 1000

    def _trigger_px(self, order: Order, quote: Quote) -> Decimal:
        info = self.ledger.symbol(order.symbol) or SymbolInfo(name=order.symbol)
        return trigger_px(info, quote, order.side)

    # -- Emulator ---------------------------------------------------------------------------------------------

    def op_of(self, method: str, path: str) -> str:
        """The last part of the path."""
        del method
        op = path.rpartition("/")[2]
        return _OPS.get(op, op)

    def answer_of(self, fault: AnyFault, op: str) -> Answer:
        """A return code for what trades, None for what looks."""
        result, error = None, (Mt5.RES_E_FAIL, "Terminal: Call failed")
        if op in _TRADING:
            retcode = _CODES.get(fault, Mt5.TRADE_RETCODE_ERROR)
            result, error = {"retcode": retcode, "comment": TEXTS[retcode]}, OK
        return Answer(200, json.dumps({"result": result, "last_error": error}).encode())

    def set_quote(self, quote: Quote) -> None:
        """A tick."""
        now = self.server_ms()
        self._desk.store.note("tick", quote.symbol, str(now))
        ticks = json.loads(self._desk.store.noted("ticks", quote.symbol) or "[]")
        ticks.append([now // 1000, float(quote.bid), float(quote.ask)])
        self._desk.store.note("ticks", quote.symbol, json.dumps(ticks[-10_000:]))
        self.orders.set_quote(quote)

    def seed(self, body: Mapping[str, Any]) -> None:
        """`account`, `symbols`, `deposit`, and any setting: offset_s, comment_max, commission_per_lot, slow, …"""
        ledger = self.ledger
        for name, value in _plain(body).items():
            if name == "account":
                ledger.set("account", {**ledger.setting("account", {}), **value})
            elif name == "symbols":
                for each in value:
                    known = ledger.symbol(each["name"]) or SymbolInfo(name=each["name"])
                    ledger.put_symbol(known._replace(**each))
            elif name == "deposit":
                ledger.money(Mt5.DEAL_TYPE_BALANCE, Decimal(str(value)), "deposit")
            else:
                ledger.set(name, value)

    def control(self, command: str, body: Mapping[str, Any]) -> Any:
        """`retcode`: what the next requests are answered; `rollover`: nights pass; `money`: a deal that is no trade;
        `close_day`; `by_hand`: a request of somebody else's."""
        match command:
            case "retcode":
                planned = self.ledger.setting("retcodes", [])
                planned += [[int(body["retcode"]), bool(body.get("done"))]] * int(body.get("times", 1))
                return self.ledger.set("retcodes", planned)
            case "rollover":
                per_lot = Decimal(str(body["per_lot"])) if "per_lot" in body else None
                return self.ledger.pass_night(int(body.get("nights", 1)), per_lot)
            case "money":
                words = str(body.get("comment", "")), str(body.get("symbol", ""))
                return self.ledger.money(int(body["kind"]), Decimal(str(body["amount"])), *words)
            case "close_day":
                return self.orders.end_day()
            case "by_hand":
                return self.orders.send({**_plain(body), "reason": Mt5.ORDER_REASON_CLIENT})
            case _:
                raise LookupError(f"no command {command!r}")

    def restart(self) -> None:
        """List the usual symbols where there are none, and go on with what was under way."""
        if not self._desk.store.notes("symbol"):
            for info in SYMBOLS:
                self.ledger.put_symbol(info)
            self.ledger.set("account", {"login": 100_001, "currency": "USD", "leverage": 100, "margin_mode": 2})
            self.ledger.money(Mt5.DEAL_TYPE_BALANCE, Decimal(100_000), "deposit")
        self.orders.matcher.resume()

    # -- the package's functions ------------------------------------------------------------------------------

    async def _called(self, request: HttpRequest) -> JSONResponse:
        function, body = request.path_params["function"], json.loads(await request.body())
        try:
            if self._desk.faults.strike(WireFault.EXPIRE_TOKEN, self.op_of("POST", request.url.path)):
                raise CallFailed(Mt5.RES_E_AUTH_FAILED, "Terminal: Authorization failed")
            result = self._call(function, body["args"], body["kwargs"])
            error = OK
        except CallFailed as failed:
            result, error = None, (failed.code, failed.text)
        except (TypeError, ValueError, ArithmeticError, KeyError) as wrong:
            result, error = None, (Mt5.RES_E_INVALID_PARAMS, f"Invalid arguments: {wrong}")
        return JSONResponse({"result": result, "last_error": error})

    def _call(self, function: str, args: list[Any], kwargs: dict[str, Any]) -> Any:
        match function:
            case "initialize" | "login":
                return self._login(kwargs)
            case "version":
                return [500, 5000, "28 Nov 2026"]
            case "terminal_info":
                allowed, connected = (self.ledger.setting(name, True) for name in ("trade_allowed", "connected"))
                return TerminalInfo(trade_allowed=allowed, connected=connected)._asdict()
            case "account_info":
                return self.ledger.account()._asdict()
            case "order_send":
                return self.orders.answered(args[0])
            case "order_check":
                return self.orders.check(args[0])
            case "order_calc_margin":
                return float(self.ledger.margin(args[1], Decimal(repr(args[2])), Decimal(repr(args[3]))))
            case "order_calc_profit":
                side, (volume, opened, closed) = (-1 if args[0] % 2 else 1), (Decimal(repr(each)) for each in args[2:5])
                return float(self.ledger.profit(args[1], side, volume, opened, closed))
            case _ if function.startswith(("symbol", "copy_")):
                return self._market(function, args, kwargs)
            case _:
                return self._look(function, args, kwargs)

    def _login(self, kwargs: dict[str, Any]) -> bool:
        account = self.ledger.setting("account", {})
        wrong_login = kwargs.get("login", account["login"]) != account["login"]
        wanted = self.ledger.setting("password", "")
        if wrong_login or (wanted and kwargs.get("password", wanted) != wanted):
            raise CallFailed(Mt5.RES_E_AUTH_FAILED, "Terminal: Authorization failed")
        return True

    def _market(self, function: str, args: list[Any], kwargs: dict[str, Any]) -> Any:
        names = sorted(self._desk.store.notes("symbol"))
        if function == "symbols_total":
            return len(names)
        if function == "symbols_get":
            found = [self.ledger.symbol(name) for name in names if _in_group(name, kwargs.get("group", "*"))]
            return [info._asdict() for info in found if info is not None]
        info = self.ledger.symbol(str(args[0]))
        if info is None:
            raise CallFailed(Mt5.RES_E_NOT_FOUND, "Terminal: Not found")
        if function == "symbol_info":
            return info._asdict()
        if function == "symbol_select":
            self.ledger.put_symbol(info._replace(select=bool(args[1]), visible=bool(args[1])))
            return True
        if function == "symbol_info_tick":
            return self._tick(info)
        return bars(json.loads(self._desk.store.noted("ticks", info.name) or "[]"), info, function, args[1:])

    def _tick(self, info: SymbolInfo) -> dict[str, Any]:
        quote, ms = self._desk.store.quote(info.name), self.ledger.tick_ms(info.name)
        if quote is None:
            return Tick(0, 0.0, 0.0, 0.0, 0, 0, 0, 0.0)._asdict()
        flags = Mt5.TICK_FLAG_BID | Mt5.TICK_FLAG_ASK
        return Tick(ms // 1000, float(quote.bid), float(quote.ask), 0.0, 0, ms, flags, 0.0)._asdict()

    def _look(self, function: str, args: list[Any], kwargs: dict[str, Any]) -> Any:
        kind, _, what = function.rpartition("_")
        lists = self.orders.lists
        listed = {
            "orders": lists.working,
            "positions": lists.positions,
            "history_orders": lists.ended,
            "history_deals": lists.deals,
        }.get(kind)
        if listed is None:
            raise CallFailed(Mt5.RES_E_UNSUPPORTED, "Terminal: Unsupported function")
        span = (float(args[0]), float(args[1])) if len(args) > 1 else None
        if what == "total":
            return len(_chosen(listed(), span, kwargs))
        return self._seen(_OPS[function], _chosen(listed(), span, kwargs))

    def _seen(self, op: str, found: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """What a look shows of it, when faults touch it."""
        strike = self._desk.faults.strike
        if found and strike(Fault.EMPTY_SNAPSHOT, op):
            return []
        if found and strike(Fault.STALE_SNAPSHOT, op):
            return found[:-1]
        if op == "trades":
            if found and strike(Fault.LOSE_REPORT, op):
                return found[:-1]
            if len(found) > 1 and strike(Fault.REORDER_REPORTS, op):
                return found[::-1]
            if found and strike(Fault.DUPLICATE_REPORT, op):
                return [each for each in found for _ in range(2)]
        return found


def _plain(body: Mapping[str, Any]) -> dict[str, Any]:
    """A control request with floats, as the package's functions take them."""
    plain: dict[str, Any] = json.loads(json.dumps(body, default=float))
    return plain


def _chosen(rows: list[dict[str, Any]], span: tuple[float, float] | None, by: dict[str, Any]) -> list[dict[str, Any]]:
    """The rows between two times, of a symbol, a group, a position or a ticket."""
    if span is not None:
        rows = [row for row in rows if span[0] <= row.get("time_done", row.get("time", 0)) <= span[1]]
    if "symbol" in by:
        rows = [row for row in rows if row["symbol"] == by["symbol"]]
    if "group" in by:
        rows = [row for row in rows if _in_group(row["symbol"], by["group"])]
    if "position" in by:
        rows = [row for row in rows if row["position_id"] == by["position"]]
    if "ticket" in by:
        rows = [row for row in rows if row.get("order", row["ticket"]) == by["ticket"]]
    return rows


def _in_group(name: str, group: str) -> bool:
    """Whether a name is in a group: masks with *, separated by commas, ! for what is not to be."""
    masks = [mask.strip() for mask in group.split(",")]
    wanted = [mask for mask in masks if not mask.startswith("!")]
    unwanted = [mask[1:] for mask in masks if mask.startswith("!")]
    return any(fnmatch.fnmatchcase(name, mask) for mask in wanted) and not any(
        fnmatch.fnmatchcase(name, mask) for mask in unwanted
    )
