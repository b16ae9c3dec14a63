"""An emulated terminal, the real adapter before it, directly or through the real gateway over HTTP."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

import uvicorn

from surefill.domain.orders import OrderRequest
from surefill.domain.reports import VenueReport
from surefill.rules.codes import OrdType, TimeInForce
from surefill.secret import Secret
from surefill.testing.emulators import EmulatorProcess
from surefill.testing.emulators.mt5 import EmulatedMetaTrader5
from surefill.venues.mt5 import Mt5Settings, Mt5Venue
from surefill.venues.mt5.gateway import Gateway
from surefill.venues.mt5.terminal import PackageTerminal

TOKEN = Secret("a-token-of-the-tests-0123456789")
NETTING, HEDGING = 0, 2
SYMBOLS = ("EURUSD", "GBPUSD")
IPC_S = 0.4
_numbers = count(1)


def settings(**changed: Any) -> Mt5Settings:
    given: dict[str, Any] = {
        "symbols": SYMBOLS,
        "server_offset_s": 0,
        "poll_s": 0.03,
        "quote_poll_s": 0.02,
        "timeout_s": 3.0,
    }
    return Mt5Settings(**{**given, **changed})


@contextmanager
def gateway(port: int) -> Iterator[str]:
    """The real gateway in a thread, before an emulated terminal; its address."""
    served = Gateway(PackageTerminal(Mt5Settings(), EmulatedMetaTrader5(port, timeout_s=IPC_S)), TOKEN)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        # asyncio does this only for sockets that name their protocol; without it every answer waits 40 ms.
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        config = uvicorn.Config(served.app(), log_level="error", access_log=False, lifespan="off")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()
            served.close()


class Rig:
    """A fresh account, and an adapter before it."""

    def __init__(self, process: EmulatorProcess, gateway_url: str = "", *, mode: int = NETTING, **seed: object) -> None:
        process.reset()
        process.seed(account={"margin_mode": mode}, **seed)
        process.price("EURUSD", bid="1.10000", ask="1.10010")
        process.price("GBPUSD", bid="1.25000", ask="1.25020")
        self.process, self.gateway_url = process, gateway_url
        self.reports: list[VenueReport] = []

    def venue(self, **changed: Any) -> Mt5Venue:
        if self.gateway_url:
            return Mt5Venue(settings(gateway_url=self.gateway_url, gateway_token=TOKEN, **changed))
        return Mt5Venue(settings(**changed), package=EmulatedMetaTrader5(self.process.port, timeout_s=IPC_S))

    def run(self, story: Callable[[Mt5Venue], Awaitable[Any]], **changed: Any) -> Any:
        async def told() -> Any:
            venue = self.venue(**changed)
            await venue.connect(self.reports.append)
            try:
                return await story(venue)
            finally:
                await venue.close()

        return asyncio.run(told())

    def taken(self) -> dict[str, int]:
        return dict(self.process.truth().orders_per_client_id())

    async def until(self, what: Callable[[], object], within_s: float = 5.0) -> None:
        end = time.monotonic() + within_s
        while not what():
            assert time.monotonic() < end, f"not so within {within_s} s; reports {self.reports}"
            await asyncio.sleep(0.005)


def request(side: int = 1, qty: int = 10, **changed: Any) -> OrderRequest:
    """A market order of 0.10 lots under an id of its own."""
    now_ns = time.time_ns()
    terms: dict[str, Any] = {
        "cl_ord_id": f"{next(_numbers):020x}",
        "order_ref": "ref",
        "instrument_id": "EURUSD",
        "bucket": "",
        "side": side,
        "ord_type": OrdType.MARKET,
        "order_qty": qty,
        "px": 0,
        "stop_px": 0,
        "time_in_force": TimeInForce.GTC,
        "reduce_only": False,
        "arrival_px": 110_010,
        "transact_ns": now_ns,
        "send_by_ns": now_ns + 10**10,
    }
    return OrderRequest(**{**terms, **changed})
