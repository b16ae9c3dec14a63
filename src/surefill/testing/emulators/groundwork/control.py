"""A hand on an emulated venue while it runs: prices, faults, clock, truth. JSON over HTTP, from this machine only.

POST /_control/price, arm, heal, chance, rules, seed, reset, disconnect, listeners, and whatever the kind of venue adds;
GET /_control/truth.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from surefill.errors import InputError
from surefill.testing.emulators.groundwork.desk import Desk, Emulator, quote_of
from surefill.testing.emulators.groundwork.faults import fault_named
from surefill.testing.emulators.groundwork.wire import CONTROL

_HERE = ("127.0.0.1", "::1")


def truth_of(desk: Desk) -> dict[str, Any]:
    """What really happened, whatever was told."""
    store = desk.store
    return {
        "orders": [order._asdict() for order in store.orders()],
        "executions": [execution._asdict() for execution in store.executions()],
        "positions": [position._asdict() for position in store.positions() if position.qty],
        "balances": [balance._asdict() for balance in store.balances()],
        "fired": {fault.name: count for fault, count in desk.faults.fired.items()},
    }


class Control:
    """The commands."""

    def __init__(self, desk: Desk, venue: Emulator) -> None:
        self._desk, self._venue = desk, venue
        self.app = Starlette(
            routes=[
                Route(f"{CONTROL}/truth", self._shown, methods=["GET"]),
                Route(f"{CONTROL}/{{command}}", self._commanded, methods=["POST"]),
            ]
        )

    async def _shown(self, request: Request) -> Response:  # not in a thread: the truth belongs to the loop
        return _from_here(request) or _json(truth_of(self._desk))

    async def _commanded(self, request: Request) -> Response:
        refused = _from_here(request)
        if refused is not None:
            return refused
        body = json.loads(await request.body() or b"{}", parse_float=Decimal)
        try:
            result = self._do(request.path_params["command"], body)
        except (KeyError, LookupError, ValueError, ArithmeticError, InputError) as error:
            return _json({"error": f"{type(error).__name__}: {error}"}, 400)
        self._desk.streams.flush()
        return _json({"result": result})

    def _do(self, command: str, body: Mapping[str, Any]) -> Any:
        desk = self._desk
        match command:
            case "price":
                return self._venue.set_quote(quote_of(str(body["symbol"]), body))
            case "arm":
                fault, op = fault_named(str(body["fault"])), str(body.get("op", ""))
                return desk.faults.arm(
                    fault, times=int(body.get("times", 0)), rate_ppm=int(body.get("rate_ppm", 0)), op=op
                )
            case "heal":
                desk.skew_ms = 0
                return desk.faults.heal()
            case "chance":
                return desk.faults.seed(int(body["seed"]))
            case "rules":
                return self._rule(body)
            case "seed":
                return self._venue.seed(body)
            case "reset":
                desk.store.clear()
                desk.faults.heal()
                desk.faults.fired.clear()
                desk.skew_ms = 0
                desk.streams.break_off()
                return self._venue.restart()
            case "disconnect":
                return desk.streams.break_off(str(body.get("channel", "")))
            case "listeners":
                return desk.streams.listeners(str(body["channel"]))
            case _:
                return self._venue.control(command, body)

    def _rule(self, body: Mapping[str, Any]) -> None:
        desk = self._desk
        desk.skew_ms = int(body.get("skew_ms", desk.skew_ms))
        desk.delay_ms = int(body.get("delay_ms", desk.delay_ms))
        desk.short_ms = int(body.get("short_ms", desk.short_ms))
        desk.streams.delay_ms = int(body.get("report_delay_ms", desk.streams.delay_ms))


def _from_here(request: Request) -> Response | None:
    """A refusal for whoever is not on this machine."""
    host = request.client.host if request.client else ""
    return None if host in _HERE else _json({"error": "only from this machine"}, 403)


def _json(value: Any, status: int = 200) -> Response:
    return Response(json.dumps(value, default=str), status, media_type="application/json")
