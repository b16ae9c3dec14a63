"""The grounds of the adapters that there are: each an emulated venue with a hand on it."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from decimal import Decimal
from itertools import count
from typing import Any, ClassVar, Final

from examples.toy_venue.test_toy_venue import ToyGround
from tests.venues.ccxt.orders import BITCOIN, DOLLAR, INSTRUMENTS
from tests.venues.ccxt.orders import settings as binance_settings
from tests.venues.kite.hand import Kite
from tests.venues.kite.rig import DELAY_MS, INFY, NO_LIMITS, positions_of, settings_for
from tests.venues.kite.rig import PX as INFY_PX
from tests.venues.mt5.rig import IPC_S
from tests.venues.mt5.rig import settings as mt5_settings

from surefill.domain.instrument import Instrument, Terms
from surefill.domain.market import Bar, BarOpened, Quote
from surefill.domain.orders import OrderRequest
from surefill.domain.reports import VenueReport
from surefill.testing.emulators import EmulatorProcess
from surefill.testing.emulators.mt5 import EmulatedMetaTrader5
from surefill.testing.remote_venue import Fault, RemoteVenue, Rules, VenueProcess, tcp
from surefill.testing.venue_conformance import CHECKS, Ground, TrueOrder
from surefill.venues.ccxt import BinanceVenue
from surefill.venues.kite import KiteVenue
from surefill.venues.kite.tags import tag_of
from surefill.venues.mt5 import Mt5Venue
from surefill.venues.mt5.comments import comment_of
from surefill.venues.paper import PaperSettings, PaperVenue
from surefill.venues.protocol import Accepted, Outcome, ReportSink

_OPEN = ("NEW", "PARTIALLY_FILLED", "PENDING")


TWICE: Final = "its venue takes an id twice: nothing but the engine keeps an order from being sent again"


class StreamingPaper(PaperVenue):
    """The paper venue. Its engine hands it prices and takes what these did: here that is its stream."""

    def __init__(self, settings: PaperSettings, instruments: Mapping[str, Instrument]) -> None:
        super().__init__(settings, instruments)
        self.sink: ReportSink = lambda _report: None
        self.taken: Counter[str] = Counter()
        self.traded: Counter[str] = Counter()

    async def connect(self, sink: ReportSink) -> None:
        self.sink = sink

    async def submit(self, request: OrderRequest) -> Outcome:
        outcome = await super().submit(request)
        if isinstance(outcome, Accepted):
            self.taken[request.cl_ord_id] += 1
            self._count(outcome.reports)
        return outcome

    def observe(self, item: Quote | BarOpened | Bar) -> tuple[VenueReport, ...]:
        reports = super().observe(item)
        self._count(reports)
        for each in reports:
            self.sink(each)
        return reports

    def works(self, cl_ord_id: str) -> bool:
        return any(cl_ord_id in resting for resting in self._working.values())

    def _count(self, reports: tuple[VenueReport, ...]) -> None:
        for each in reports:
            self.traded[each.cl_ord_id] += each.last_qty


class PaperGround(Ground):
    name: ClassVar[str] = "paper"
    instrument_id, px, far_px, stop_px, qty, part_qty = "X", 1_000, 900, 1_100, 10, 4
    faults = frozenset()
    deviations: ClassVar[Mapping[int, str]] = {
        23: "of a working order a query tells how much has traded, but not again each execution: the journal has them",
        38: "what it is given it takes: the engine's journal keeps an id from being used twice",
        39: "nothing is sent that could be late: an order meets the market in the commit that decides it",
        41: "its reports name the order only: no order is there that the engine does not know",
        46: "it has no words but ours",
    }
    not_applicable: ClassVar[Mapping[int, str]] = {
        **{number: "nothing lies between it and the engine" for number, each in CHECKS.items() if each.faults},
        **{number: "it is no venue behind a wire" for number, each in CHECKS.items() if each.part == "account"},
        **dict.fromkeys((47, 48), "its truth is the engine's journal, out of which the engine restores it"),
        51: "there is no connection that could break",
        52: "one engine has it for itself",
    }

    def __init__(self) -> None:
        self.begin()

    def venue(self) -> StreamingPaper:
        return self._venue

    def begin(self) -> None:
        instrument = Instrument("X", "EUR", 0, 0, 100, (Terms(),))
        self._venue = StreamingPaper(PaperSettings(partial_fills=True), {"X": instrument})
        self.move(self.px)

    def move(self, px: int, qty: int = -1) -> None:
        shown = max(qty, 0)
        self._venue.observe(Quote("X", time.time_ns(), px, px, px, shown, shown))

    def truth(self, cl_ord_id: str) -> TrueOrder:
        venue = self._venue
        return TrueOrder(venue.taken[cl_ord_id], venue.traded[cl_ord_id], venue.works(cl_ord_id))

    def held(self) -> int:
        return self._venue._holdings.get("X", 0)


class RemoteGround(Ground):
    name: ClassVar[str] = "remote"
    px, far_px, stop_px, qty, part_qty = 1_000, 900, 1_100, 10, 4
    deviations: ClassVar[Mapping[int, str]] = {
        36: "its venue does not say how long to wait",
        38: TWICE,
        46: "it has no words but ours",
        56: "it lists no instruments: it trades whatever it is given a price for",
    }
    not_applicable: ClassVar[Mapping[int, str]] = {63: "it reads nothing there that its venue could fail to tell"}

    def __init__(self, process: VenueProcess) -> None:
        self._process, self._numbers = process, count(1)
        self._process.rules(Rules(delay_ms=450))

    def venue(self) -> RemoteVenue:
        return RemoteVenue(tcp(self._process.port), account=self._account, timeout_s=0.25, heartbeat_s=0.05)

    def begin(self) -> None:
        self._account = self.instrument_id = f"X{next(self._numbers)}"
        self.heal()
        self.move(self.px)

    def move(self, px: int, qty: int = -1) -> None:
        self._process.price(self.instrument_id, px, qty)

    def arm(self, fault: Fault, op: str, times: int) -> None:
        self._process.arm(fault, times, op=op)

    def heal(self) -> None:
        self._process.heal()

    def struck(self, fault: Fault) -> int:
        return self._process.truth(self._account).fired.get(fault.name, 0)

    def truth(self, cl_ord_id: str) -> TrueOrder:
        ours = [each for each in self._process.truth(self._account).orders if each.cl_ord_id == cl_ord_id]
        taken = [each for each in ours if each.status != "refused"]
        return TrueOrder(
            len(taken), sum(each.cum_qty for each in taken), any(each.status == "working" for each in taken)
        )

    def held(self) -> int:
        return self._process.truth(self._account).positions.get(self._account, {}).get(self.instrument_id, 0)

    def hang_up(self) -> None:
        self._process.kill()
        self._process.start()
        self._process.rules(Rules(delay_ms=450))


class _Emulated(Ground):
    """What the emulators have in common; quanta as decimals of their own."""

    def __init__(self, process: EmulatorProcess) -> None:
        self._process = process

    def arm(self, fault: Fault, op: str, times: int) -> None:
        self._process.arm(fault, times, op=op)

    def heal(self) -> None:
        self._process.heal()

    def struck(self, fault: Fault) -> int:
        return self._process.truth().fired[fault.name]

    def hang_up(self) -> None:
        self._process.control("disconnect")

    def _orders(self, name: str) -> list[dict[str, Any]]:
        orders = [each for each in self._process.truth().orders if name in (each["client_id"], each["tag"])]
        return [each for each in orders if each["status"] != "REJECTED"]

    def _true(self, name: str, unit: int) -> TrueOrder:
        orders = self._orders(name)
        traded = sum(Decimal(each["cum_qty"]) * unit for each in orders)
        return TrueOrder(len(orders), int(traded), any(each["status"] in _OPEN for each in orders))


class BinanceGround(_Emulated):
    exchange: ClassVar[str] = ""

    def __init__(self, process: EmulatorProcess) -> None:
        super().__init__(process)
        self.instrument_id = INSTRUMENTS[self.exchange]
        self.tick = 1
        self._dollar, self._bitcoin = DOLLAR[self.instrument_id], BITCOIN[self.instrument_id]
        self.px, self.far_px, self.stop_px = (px * self._dollar for px in (60_000, 58_000, 61_000))
        self.qty, self.part_qty = self._bitcoin // 100, self._bitcoin // 250

    def venue(self) -> BinanceVenue:
        return BinanceVenue(
            binance_settings(
                self.exchange,
                self._process.url,
                self._process.ws_url,
                timeout_s=0.4,
                money_decimals=10,
                instrument_ids=(self.instrument_id,),
            )
        )

    def begin(self) -> None:
        self._process.reset()
        self._process.rules(delay_ms=700)
        self.move(self.px)

    def move(self, px: int, qty: int = -1) -> None:
        shown = {} if qty < 0 else {"qty": str(Decimal(qty) / self._bitcoin)}
        self._process.price("BTCUSDT", str(Decimal(px) / self._dollar), **shown)

    def truth(self, cl_ord_id: str) -> TrueOrder:
        return self._true(cl_ord_id, self._bitcoin)


class SpotGround(BinanceGround):
    name: ClassVar[str] = "Binance spot"
    exchange: ClassVar[str] = "binance"

    def begin(self) -> None:
        super().begin()
        self._process.seed(spot={"BTC": 0})

    def held(self) -> int:
        rows = [each for each in self._process.truth().balances if (each["scope"], each["asset"]) == ("spot", "BTC")]
        return int(sum((Decimal(each["free"]) + Decimal(each["locked"])) * self._bitcoin for each in rows))


class UsdmGround(BinanceGround):
    name: ClassVar[str] = "Binance USD-M"
    exchange: ClassVar[str] = "binanceusdm"

    def held(self) -> int:
        return int(sum(Decimal(each["qty"]) * self._bitcoin for each in self._process.truth().positions))


class KiteGround(Ground):
    name: ClassVar[str] = "Kite"
    instrument_id, px, far_px, stop_px, qty, part_qty = INFY, INFY_PX, INFY_PX - 2_000, INFY_PX + 2_000, 10, 4
    tick = 5
    deviations: ClassVar[Mapping[int, str]] = {38: TWICE}

    def __init__(self, emulated: Kite) -> None:
        self._emulated = emulated
        self._settings = settings_for(emulated)

    def venue(self) -> KiteVenue:
        return KiteVenue(self._settings)

    def begin(self) -> None:
        self._emulated.do("reset")
        self._emulated.rules(limits=NO_LIMITS, delay_ms=DELAY_MS, heartbeat_ms=50)
        self._settings = settings_for(self._emulated, ticker=True)
        self.move(self.px)

    def move(self, px: int, qty: int = -1) -> None:
        self._emulated.price(INFY, px / 100, qty=qty)

    def arm(self, fault: Fault, op: str, times: int) -> None:
        self._emulated.arm(fault, times, op=op)

    def heal(self) -> None:
        self._emulated.do("heal")

    def struck(self, fault: Fault) -> int:
        return int(self._emulated.truth()["fired"].get(fault.name, 0))

    def truth(self, cl_ord_id: str) -> TrueOrder:
        orders = [each for each in self._emulated.truth()["orders"] if each["tag"] == tag_of(cl_ord_id)]
        taken = [each for each in orders if each["status"] != "REJECTED"]
        over = ("COMPLETE", "CANCELLED")
        return TrueOrder(
            len(taken),
            sum(each["filled_quantity"] for each in taken),
            any(each["status"] not in over for each in taken),
        )

    def held(self) -> int:
        return positions_of(self._emulated.truth()).get(INFY, 0)

    def hang_up(self) -> None:
        self._emulated.do("disconnect")


class Mt5Ground(_Emulated):
    name: ClassVar[str] = "MetaTrader 5"
    instrument_id, px, far_px, stop_px, qty, part_qty = "EURUSD", 110_010, 109_000, 111_010, 10, 4
    deviations: ClassVar[Mapping[int, str]] = {
        38: TWICE,
    }

    def venue(self) -> Mt5Venue:
        package = EmulatedMetaTrader5(self._process.port, timeout_s=IPC_S)
        return Mt5Venue(mt5_settings(symbols=("EURUSD",)), package=package)

    def begin(self) -> None:
        self._process.reset()
        self._process.seed(account={"margin_mode": 0})
        self._process.rules(delay_ms=700)
        self.move(self.px)

    def move(self, px: int, qty: int = -1) -> None:
        shown = {} if qty < 0 else {"qty": str(Decimal(qty) / 100)}
        self._process.price(
            "EURUSD", bid=f"{(px - 10) / 1e5:.5f}", ask=f"{px / 1e5:.5f}", last=f"{px / 1e5:.5f}", **shown
        )

    def truth(self, cl_ord_id: str) -> TrueOrder:
        return self._true(comment_of(cl_ord_id), 100)

    def held(self) -> int:
        return int(sum(Decimal(each["qty"]) * 100 for each in self._process.truth().positions))

    def hang_up(self) -> None:
        self._process.kill()
        self._process.start()


#: In the order in which the page on conformance shows them.
GROUNDS: tuple[type[Ground], ...] = (
    PaperGround,
    RemoteGround,
    SpotGround,
    UsdmGround,
    KiteGround,
    Mt5Ground,
    ToyGround,
)
