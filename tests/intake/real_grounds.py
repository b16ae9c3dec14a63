"""Real venues for the doors to trade at: emulated ones, over real sockets, with the brokers' own client libraries."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any, Final

import msgspec
from tests.venues.ccxt.orders import KEYS
from tests.venues.ccxt.orders import settings as binance_settings
from tests.venues.kite.hand import Kite
from tests.venues.kite.rig import DELAY_MS, NO_LIMITS, settings_for

from surefill.intake.real_venue import RealVenue
from surefill.testing.emulators import AnyFault
from surefill.testing.emulators.kite import API_KEY
from surefill.testing.emulators.thread import EmulatorThread
from surefill.testing.remote_venue.faults import Fault
from surefill.venues.ccxt import BinanceVenue
from surefill.venues.kite import KiteVenue
from surefill.venues.kite.sessions import Session, load, store
from surefill.venues.protocol import LiveVenue

PATIENCE_S: Final = 10.0
TIMEOUT_S: Final = 0.6
SECRET: Final = "secret-of-a-door"


class Ground(ABC):
    """One venue with an account of its own. Prices are numbers of its currency.

    `symbol` is what a caller says, `exchange` what belongs to it in the doors' documents, `held_as` the key of its
    position in the engine's books.
    """

    name: str
    symbol: str
    held_as: str
    exchange: str = ""
    px: int
    qty: float

    @abstractmethod
    def adapter(self, *, deaf: bool = False) -> LiveVenue:
        """A new adapter for the account, quick enough for a test; a deaf one hears no reports."""

    @abstractmethod
    def configured(self, folder: Path) -> dict[str, Any]:
        """The sections `workspace` and `venues`: enough to make the adapter from, with its keys in `folder`."""

    def secret(self, folder: Path) -> str:
        """What must stand nowhere but where it was put."""
        return SECRET

    @abstractmethod
    def price(self, px: float, qty: float = -1) -> None:
        """The market moves; at most `qty` trades at it (-1: any)."""

    @abstractmethod
    def arm(self, fault: AnyFault, times: int = 1, *, op: str = "") -> None:
        """Let something go wrong."""

    def refuse_next(self) -> None:
        """Let the venue refuse the next order, with proof, in its answer."""
        self.arm(Fault.REFUSED, op="submit")

    def blind(self) -> None:
        """Let no report be streamed of what happens next."""
        self.arm(Fault.LOSE_REPORT, 5)

    @abstractmethod
    def sent(self) -> Counter[str]:
        """How many orders were taken under each client order id."""

    @abstractmethod
    def held(self) -> float:
        """What the account really holds of the symbol."""

    def config(self, folder: Path, mode: str, **sections: Any) -> dict[str, Any]:
        """A caller's configuration for a workspace in that mode."""
        ours = self.configured(folder)
        ours["workspace"] |= {"mode": mode, "id": f"{self.name}-{mode}"}
        files = {"journal": {"path": str(folder / f"{mode}.journal")}, "artifacts": {"dir": str(folder / mode)}}
        return {**ours, **files, **sections}

    def real(self, **said: Any) -> RealVenue:
        """Yes to real money."""
        market = said.pop("market", None) or self.adapter()
        return RealVenue(**{"market": market, "real_money": True, "without_alerts": True, **said})


class KiteGround(Ground):
    """Ten shares of Infosys, in the product MIS, which is what the account's orders are unless they say otherwise."""

    name, symbol, exchange, held_as, px, qty = "kite", "INFY", "NSE", "NSE:INFY", 1_500, 10

    def __init__(self, kite: Kite) -> None:
        self.kite = kite
        kite.do("reset")
        kite.do("kite_rules", limits=NO_LIMITS, heartbeat_ms=50, check_margin=False)
        kite.rules(delay_ms=DELAY_MS)
        self.price(self.px)

    def adapter(self, *, deaf: bool = False) -> LiveVenue:
        poll_s = 60.0 if deaf else 0.05
        return KiteVenue(settings_for(self.kite, ticker=not deaf, poll_s=poll_s, timeout_s=TIMEOUT_S, money_decimals=8))

    def configured(self, folder: Path) -> dict[str, Any]:
        account = {"api_key": API_KEY, "token_file": str(folder / "session.json"), "product": "MIS"}
        place = {"root": self.kite.url, "ticker_url": self.kite.ws_url, "exchanges": ["NSE", "NFO"]}
        return {
            "workspace": {"venue": "kite", "account": "AB1234", "currency": "INR"},
            "venues": {"kite": {**account, **place}},
        }

    def secret(self, folder: Path) -> str:
        return load(folder / "session.json", API_KEY, time.time_ns()).token

    def log_in(self, folder: Path) -> None:
        """What a person does each morning before a door is opened by its configuration alone."""
        store(Session("AB1234", API_KEY, self.kite.access_token(), time.time_ns() + 10**13), folder / "session.json")

    def price(self, px: float, qty: float = -1) -> None:
        self.kite.price("NSE:INFY", px, qty=int(qty))

    def arm(self, fault: AnyFault, times: int = 1, *, op: str = "") -> None:
        self.kite.arm(fault, times, op=op)

    def sent(self) -> Counter[str]:
        return Counter(order["tag"] for order in self.kite.truth()["orders"] if order["status"] != "REJECTED")

    def held(self) -> float:
        signs = {"BUY": 1, "SELL": -1}
        return float(sum(signs[each["transaction_type"]] * each["quantity"] for each in self.kite.truth()["trades"]))


class BinanceGround(Ground):
    """A hundredth of a bitcoin, on spot or in USD-M futures."""

    px, qty = 60_000, 0.01
    _numbers = count(1)

    def __init__(self, binance: EmulatorThread, exchange: str) -> None:
        self.binance, self.name = binance, exchange
        self.symbol = "BTC/USDT" if exchange == "binance" else "BTC/USDT:USDT"
        self.held_as = self.symbol
        self.account = f"door-{next(self._numbers)}"
        binance.heal()
        key = {"api_key": self.account, "secret": SECRET, "account": self.account}
        binance.seed(keys=[key], account=self.account, spot={"USDT": "100000"}, usdm={"USDT": "100000"})
        self.price(self.px)

    def adapter(self, *, deaf: bool = False) -> LiveVenue:
        if deaf:
            self.arm(Fault.LOSE_REPORT, 50)
        secret = type(KEYS.secret)
        keys = msgspec.structs.replace(KEYS, api_key=secret(self.account), secret=secret(SECRET))
        return BinanceVenue(
            binance_settings(
                self.name,
                self.binance.url,
                self.binance.ws_url,
                timeout_s=TIMEOUT_S,
                keys=keys,
                account=self.account,
                instrument_ids=(self.symbol,),
                money_decimals=12,
            )
        )

    def configured(self, folder: Path) -> dict[str, Any]:
        suffix = "/fstream" if self.name == "binanceusdm" else ""
        return {
            "workspace": {"venue": self.name, "account": self.account, "currency": "USDT", "money_decimals": 12},
            "venues": {
                "crypto": {
                    "api_key": self.account,
                    "api_secret": SECRET,
                    "rest_url": self.binance.url,
                    "stream_url": self.binance.ws_url + suffix,
                }
            },
        }

    def price(self, px: float, qty: float = -1) -> None:
        self.binance.price("BTCUSDT", px, **({} if qty < 0 else {"qty": qty}))

    def arm(self, fault: AnyFault, times: int = 1, *, op: str = "") -> None:
        self.binance.arm(fault, times, op=op)

    def _ours(self) -> list[dict[str, Any]]:
        return [each for each in self.binance.truth().orders if each["account"] == self.account]

    def sent(self) -> Counter[str]:
        return Counter(each["client_id"] for each in self._ours() if each["status"] != "REJECTED")

    def held(self) -> float:
        told = [each for each in self.binance.truth().executions if each["account"] == self.account]
        return float(sum(Decimal(each["side"]) * Decimal(each["qty"]) for each in told))


def until(what: Callable[[], object], within_s: float = PATIENCE_S) -> None:
    """Wait until it is so."""
    end = time.monotonic() + within_s
    while not what():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.01)
