"""The package MetaTrader5 as an object, before the emulated terminal.

The real package is a compiled module that talks to a terminal of its own kind over an undocumented channel of
Windows; that channel cannot be emulated. What can be is the package's face: the same functions, arguments, constants
and named tuples. As the package does, it never raises for trouble with the terminal: it returns None, and
`last_error()` says why.
"""

from __future__ import annotations

import http.client
import json
from datetime import datetime
from importlib import import_module
from typing import Any

from surefill.testing.emulators.mt5.constants import Constants
from surefill.testing.emulators.mt5.results import RESULTS, TradeRequest

_OP_OF = {1: "submit", 5: "submit", 6: "amend", 7: "amend", 8: "cancel", 10: "submit"}
_RATES = [
    ("time", "i8"),
    ("open", "f8"),
    ("high", "f8"),
    ("low", "f8"),
    ("close", "f8"),
    ("tick_volume", "u8"),
    ("spread", "i4"),
    ("real_volume", "u8"),
]


class EmulatedMetaTrader5(Constants):
    """The functions of the package. `timeout_s`: how long the terminal may take to answer a call."""

    def __init__(self, port: int, *, timeout_s: float = 60.0) -> None:
        self._port, self._timeout_s = port, timeout_s
        self._error: tuple[int, str] = (self.RES_S_OK, "Success")
        self._up = False

    # -- the connection ---------------------------------------------------------------------------------------

    def initialize(self, path: str = "", **credentials: Any) -> bool:
        """Connect to the terminal; `login`, `password`, `server`, `timeout`, `portable` as documented."""
        del path
        self._up = True
        self._up = bool(self._call("initialize", kwargs=_known(credentials)))
        return self._up

    def login(self, login: int, **credentials: Any) -> bool:
        """Log in to an account."""
        return bool(self._call("login", kwargs={"login": login, **_known(credentials)}))

    def shutdown(self) -> None:
        """Disconnect."""
        self._up = False

    def last_error(self) -> tuple[int, str]:
        """What the last call came to."""
        return self._error

    def version(self) -> tuple[int, int, str] | None:
        """Version, build and date of the terminal."""
        found = self._call("version")
        return None if found is None else (found[0], found[1], found[2])

    def terminal_info(self) -> Any:
        """The terminal."""
        return self._call("terminal_info")

    def account_info(self) -> Any:
        """The account."""
        return self._call("account_info")

    # -- symbols and prices -----------------------------------------------------------------------------------

    def symbols_total(self) -> int:
        """How many symbols there are."""
        return int(self._call("symbols_total") or 0)

    def symbols_get(self, group: str = "") -> Any:
        """All symbols, or those of a group."""
        return self._call("symbols_get", kwargs={"group": group} if group else {})

    def symbol_info(self, symbol: str) -> Any:
        """One symbol."""
        return self._call("symbol_info", symbol)

    def symbol_info_tick(self, symbol: str) -> Any:
        """Its last tick."""
        return self._call("symbol_info_tick", symbol)

    def symbol_select(self, symbol: str, enable: bool = True) -> bool:
        """Show it in the market watch, or not."""
        return bool(self._call("symbol_select", symbol, enable))

    def copy_rates_from(self, symbol: str, timeframe: int, date_from: datetime | float, count: int) -> Any:
        """Bars up to a time. A numpy array, as of the package; numpy must be there."""
        return self._rates("copy_rates_from", symbol, timeframe, date_from, count)

    def copy_rates_from_pos(self, symbol: str, timeframe: int, start_pos: int, count: int) -> Any:
        """Bars from the newest backwards."""
        return self._rates("copy_rates_from_pos", symbol, timeframe, start_pos, count)

    def copy_rates_range(
        self, symbol: str, timeframe: int, date_from: datetime | float, date_to: datetime | float
    ) -> Any:
        """Bars between two times."""
        return self._rates("copy_rates_range", symbol, timeframe, date_from, date_to)

    def _rates(self, function: str, *args: Any) -> Any:
        rows = self._call(function, *args)
        return None if rows is None else import_module("numpy").array([tuple(row) for row in rows], dtype=_RATES)

    # -- trading ----------------------------------------------------------------------------------------------

    def order_calc_margin(self, action: int, symbol: str, volume: float, price: float) -> float | None:
        """The margin that an order would bind."""
        found: float | None = self._call("order_calc_margin", action, symbol, volume, price)
        return found

    def order_calc_profit(
        self, action: int, symbol: str, volume: float, price_open: float, price_close: float
    ) -> float | None:
        """The profit of a trade."""
        found: float | None = self._call("order_calc_profit", action, symbol, volume, price_open, price_close)
        return found

    def order_check(self, request: dict[str, Any]) -> Any:
        """Whether the funds suffice for a request; it promises nothing."""
        return self._call("order_check", request)

    def order_send(self, request: dict[str, Any]) -> Any:
        """Send a request."""
        unknown = sorted(set(request) - set(TradeRequest._fields))
        if unknown or not isinstance(request.get("comment", ""), str):
            self._error = (self.RES_E_INVALID_PARAMS, f'Invalid "{(unknown or ["comment"])[0]}" argument')
            return None
        return self._call("order_send", request)

    def orders_total(self) -> int:
        """How many orders work."""
        return int(self._call("orders_total") or 0)

    def orders_get(self, **by: Any) -> Any:
        """Working orders, by `symbol`, `group` or `ticket`."""
        return self._call("orders_get", kwargs=by)

    def positions_total(self) -> int:
        """How many positions are open."""
        return int(self._call("positions_total") or 0)

    def positions_get(self, **by: Any) -> Any:
        """Open positions, by `symbol`, `group` or `ticket`."""
        return self._call("positions_get", kwargs=by)

    def history_orders_total(self, date_from: datetime | float, date_to: datetime | float) -> int:
        """How many orders ended between two times."""
        return int(self._call("history_orders_total", date_from, date_to) or 0)

    def history_orders_get(self, *span: datetime | float, **by: Any) -> Any:
        """Ended orders between two times (with `group`), or by `ticket` or `position`."""
        return self._call("history_orders_get", *span, kwargs=by)

    def history_deals_total(self, date_from: datetime | float, date_to: datetime | float) -> int:
        """How many deals there were between two times."""
        return int(self._call("history_deals_total", date_from, date_to) or 0)

    def history_deals_get(self, *span: datetime | float, **by: Any) -> Any:
        """Deals between two times (with `group`), of the order `ticket`, or of the `position`."""
        return self._call("history_deals_get", *span, kwargs=by)

    # -- the wire ---------------------------------------------------------------------------------------------

    def _call(self, function: str, *args: Any, kwargs: dict[str, Any] | None = None) -> Any:
        if not self._up:
            self._error = (self.RES_E_INTERNAL_FAIL_CONNECT, "No IPC connection")
            return None
        op = _OP_OF.get(int(args[0].get("action", 0)), function) if function == "order_send" else function
        body = json.dumps({"args": [_seconds(each) for each in args], "kwargs": kwargs or {}})
        try:
            answer = json.loads(self._asked(f"/call/{function}/{op}", body))
            result, (code, text) = answer["result"], answer["last_error"]
        except TimeoutError:
            result, code, text = None, self.RES_E_INTERNAL_FAIL_TIMEOUT, "IPC timeout"
        except ConnectionRefusedError:
            result, code, text = None, self.RES_E_INTERNAL_FAIL_CONNECT, "No IPC connection"
        except (OSError, http.client.HTTPException, ValueError, KeyError):
            result, code, text = None, self.RES_E_INTERNAL_FAIL_RECEIVE, "IPC recv failed"
        self._error = (code, text)
        return _shaped(function, result)

    def _asked(self, path: str, body: str) -> bytes:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=self._timeout_s)
        try:
            connection.request("POST", path, body)
            return connection.getresponse().read()
        finally:
            connection.close()


def _known(credentials: dict[str, Any]) -> dict[str, Any]:
    return {name: credentials[name] for name in ("login", "password", "server") if credentials.get(name)}


def _seconds(value: Any) -> Any:
    return value.timestamp() if isinstance(value, datetime) else value


def _shaped(function: str, result: Any) -> Any:
    """The named tuples that the package would return."""
    kind = RESULTS.get(function)
    if kind is None or result is None:
        return result
    if isinstance(result, list):
        return tuple(kind(**each) for each in result)
    if "request" in result:
        result = {**result, "request": TradeRequest(**result["request"])}
    return kind(**result)
