"""The grounds of the adapters that there are: each an emulated venue with a hand on it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.venues.ccxt.orders import BITCOIN, DOLLAR, INSTRUMENTS
from tests.venues.ccxt.orders import settings as binance_settings
from tests.venues.kite.hand import Kite
from tests.venues.kite.rig import INFY, settings_for
from tests.venues.kite.rig import PX as INFY_PX
from tests.venues.mt5.rig import IPC_S
from tests.venues.mt5.rig import settings as mt5_settings

from surefill.testing.emulators import EmulatorProcess
from surefill.testing.emulators.mt5 import EmulatedMetaTrader5
from surefill.testing.remote_venue import Fault, RemoteVenue, VenueProcess, tcp
from surefill.venues.ccxt import BinanceVenue
from surefill.venues.kite import KiteVenue
from surefill.venues.kite.tags import tag_of
from surefill.venues.mt5 import Mt5Venue
from surefill.venues.protocol import Venue


class RemoteGround:
    instrument_id, px, far_px, qty = "X", 1_000, 900, 10
    deviations: Mapping[int, str] = {
        14: "it sends what it does not claim, so that its venue's refusal is tried",
        18: "it lists no instruments: whoever uses it says what is traded",
        21: "the check needs the list of instruments",
        22: "it has no words but ours",
    }

    def __init__(self, process: VenueProcess) -> None:
        self._process = process

    def venue(self) -> Venue:
        return RemoteVenue(tcp(self._process.port), timeout_s=0.3, heartbeat_s=0.05)

    def begin(self) -> None:
        self._process.heal()
        self.move(self.px)

    def arm(self, fault: Fault, op: str) -> None:
        self._process.arm(fault, 3 if fault is Fault.QUERY_ERROR else 1, op=op)

    def move(self, px: int) -> None:
        self._process.price(self.instrument_id, px)

    def received(self, cl_ord_id: str) -> int:
        return self._process.truth("main").received("main").get(cl_ord_id, 0)


class BinanceGround:
    deviations: Mapping[int, str] = {}

    def __init__(self, process: EmulatorProcess, exchange: str) -> None:
        self._process, self._exchange = process, exchange
        self.instrument_id = INSTRUMENTS[exchange]
        self._dollar = DOLLAR[self.instrument_id]
        self.px, self.far_px = 60_000 * self._dollar, 58_000 * self._dollar
        self.qty = BITCOIN[self.instrument_id] // 100
        if exchange == "binance":
            self.deviations = {
                13: "the commission of a purchase is taken out of what is bought",
                21: "spot changes no price in place",
            }

    def venue(self) -> Venue:
        return BinanceVenue(
            binance_settings(self._exchange, self._process.url, self._process.ws_url, timeout_s=1.0, money_decimals=12)
        )

    def begin(self) -> None:
        self._process.heal()
        self.move(self.px)

    def arm(self, fault: Fault, op: str) -> None:
        self._process.arm(fault, 5 if fault is Fault.QUERY_ERROR else 1, op=op)

    def move(self, px: int) -> None:
        self._process.price("BTCUSDT", px / self._dollar)

    def received(self, cl_ord_id: str) -> int:
        return self._process.truth().orders_per_client_id().get(cl_ord_id, 0)


class KiteGround:
    instrument_id, px, far_px, qty = INFY, INFY_PX, INFY_PX - 2_000, 10
    deviations: Mapping[int, str] = {}

    def __init__(self, emulated: Kite) -> None:
        self._emulated = emulated

    def venue(self) -> Venue:
        return KiteVenue(settings_for(self._emulated, ticker=True))

    def begin(self) -> None:
        self._emulated.do("heal")
        self.move(self.px)

    def arm(self, fault: Fault, op: str) -> None:
        self._emulated.arm(fault, 5 if fault is Fault.QUERY_ERROR else 1, op=op)

    def move(self, px: int) -> None:
        self._emulated.price(INFY, px / 100)

    def received(self, cl_ord_id: str) -> int:
        orders: list[dict[str, Any]] = self._emulated.truth()["orders"]
        return sum(order["tag"] == tag_of(cl_ord_id) for order in orders)


class Mt5Ground:
    instrument_id, px, far_px, qty = "EURUSD", 110_010, 109_000, 10
    deviations: Mapping[int, str] = {}

    def __init__(self, process: EmulatorProcess) -> None:
        self._process = process
        process.reset()
        process.seed(account={"margin_mode": 0})

    def venue(self) -> Venue:
        return Mt5Venue(mt5_settings(), package=EmulatedMetaTrader5(self._process.port, timeout_s=IPC_S))

    def begin(self) -> None:
        self._process.heal()
        self.move(self.px)

    def arm(self, fault: Fault, op: str) -> None:
        self._process.arm(fault, 5 if fault is Fault.QUERY_ERROR else 1, op=op)

    def move(self, px: int) -> None:
        self._process.price("EURUSD", bid=f"{(px - 10) / 1e5:.5f}", ask=f"{px / 1e5:.5f}")

    def received(self, cl_ord_id: str) -> int:
        from surefill.venues.mt5.comments import comment_of

        return self._process.truth().orders_per_client_id().get(comment_of(cl_ord_id), 0)
