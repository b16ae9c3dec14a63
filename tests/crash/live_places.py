"""The emulated venues that the engine is killed at: how an adapter gets there, and what is true there."""

from __future__ import annotations

import http.client
import json
from collections import Counter
from decimal import Decimal
from typing import Any, Final, NamedTuple

from surefill.secret import Secret
from surefill.testing.emulators import EmulatorProcess, Fault
from surefill.venues.ccxt import BinanceVenue, CcxtSettings, Keys
from surefill.venues.kite import KiteSettings, KiteVenue
from surefill.venues.mt5 import Mt5Settings, Mt5Venue
from surefill.venues.protocol import LiveVenue

TOKEN: Final = "a-token-of-the-tests-0123456789"
LATE_MS: Final = 300
NETTING, HEDGING = 0, 2
NO_LIMITS: Final = {"orders_per_s": 0, "orders_per_min": 0, "quotes_per_s": 0, "others_per_s": 0}


class Place(NamedTuple):
    """A venue, and the story's figures there, as people write them. `lot`: what is too little to leave is dust."""

    emulator: str
    venue: str
    instrument_id: str
    symbol: str
    currency: str
    qty: str
    lot: str
    px: str
    stop: str
    trail: str
    up: str
    down: str
    stops_at: str = "venue"
    window_ms: int = 0


_COIN: Final = ("0.01", "0.00001", "60000", "59000", "1000", "61000", "55000")
PLACES: Final = {
    "binance": Place("binance", "binance", "BTC/USDT", "BTCUSDT", "USDT", *_COIN, window_ms=600),
    "binanceusdm": Place("binance", "binanceusdm", "BTC/USDT:USDT", "BTCUSDT", "USDT", *_COIN, window_ms=600),
    "kite": Place("kite", "kite", "NSE:INFY", "NSE:INFY", "INR", "10", "1", "1500", "1480", "20", "1510", "1450"),
    "mt5": Place(
        "mt5", "mt5", "EURUSD", "EURUSD", "USD", "0.10", "0.01", "1.10000", "1.09500", "0.00500", "1.10500", "1.08000"
    ),
}
PLACES["mt5_hedging"] = PLACES["mt5"]._replace(stops_at="engine")


class Way(NamedTuple):
    """How a place is reached. `key`: Kite's access token, MT5's gateway."""

    url: str
    ws_url: str
    key: str = ""


def adapter_at(place: Place, way: Way) -> LiveVenue:
    """The product's adapter, before the emulated venue."""
    if place.emulator == "binance":
        return BinanceVenue(
            CcxtSettings(
                place.venue,
                keys=Keys(Secret("emulated-binance-key"), Secret("emulated-binance-secret")),
                rest_url=way.url,
                stream_url=way.ws_url + ("/fstream" if place.venue == "binanceusdm" else ""),
                money_decimals=12,
                instrument_ids=(place.instrument_id,),
                timeout_s=3.0,
                recv_window_ms=place.window_ms,
                back_off_s=0.02,
                back_off_max_s=0.1,
            )
        )
    if place.emulator == "kite":
        return KiteVenue(
            KiteSettings(
                api_key="emulated_key",
                access_token=Secret(way.key),
                root=way.url,
                ticker_url=way.ws_url,
                exchanges=("NSE",),
                product="MIS",
                timeout_s=3.0,
                poll_s=0.05,
                hint_spacing_s=0.01,
                settle_s=0.02,
                reconnect_first_s=0.02,
                orders_per_s=0,
                orders_per_min=0,
            )
        )
    return Mt5Venue(
        Mt5Settings(
            server_offset_s=0,  # nobody waits for a tick that shows it
            symbols=(place.symbol,),
            gateway_url=way.key,
            gateway_token=Secret(TOKEN),
            timeout_s=3.0,
            poll_s=0.03,
            quote_poll_s=0.5,
        )
    )


def hand(url: str, command: str, **body: object) -> Any:
    """A hand on the venue, for a process that did not start it."""
    return _asked(url, "POST", command, json.dumps(body))["result"]


def told_by(place: Place, url: str) -> dict[str, Any]:
    """All that the venue has, in its own words."""
    if place.emulator == "kite":
        books: dict[str, Any] = hand(url, "books")
        return books
    return _asked(url, "GET", "truth")


def fired(url: str, fault: Fault) -> int:
    """How often a fault has struck there."""
    return int(_asked(url, "GET", "truth")["fired"].get(fault.name, 0))


def _asked(url: str, method: str, command: str, body: str | None = None) -> dict[str, Any]:
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=10)
    try:
        connection.request(method, f"/_control/{command}", body)
        told: dict[str, Any] = json.loads(connection.getresponse().read())
    finally:
        connection.close()
    return told


class TrueOrder(NamedTuple):
    """An order as the venue has it."""

    name: str
    side: int
    rests: bool
    qty: Decimal
    cum_qty: Decimal
    works: bool

    @property
    def leaves(self) -> Decimal:
        """What it may still trade."""
        return self.qty - self.cum_qty if self.works else Decimal(0)


class Truth(NamedTuple):
    """What is true at the venue: its orders that were taken, and what is held."""

    orders: list[TrueOrder]
    held: Decimal

    def holds(self) -> str:
        """What there is by role, for the table."""
        kinds = {
            "entry": any(each.side > 0 for each in self.orders),
            "stop": any(each.rests and each.works for each in self.orders),
            "exit": any(each.side < 0 and not each.rests for each in self.orders),
        }
        return " ".join(kind for kind, there in kinds.items() if there)

    def guarded(self) -> Decimal:
        """What the stops that work there would sell."""
        return sum((each.leaves for each in self.orders if each.rests), Decimal(0))


def truth_of(place: Place, told: dict[str, Any]) -> Truth:
    """What is true at the venue, in words that all venues share."""
    if place.emulator == "kite":
        return _kite(told)
    orders = [
        TrueOrder(
            f"{each['scope']} {each['client_id'] or each['tag']}",
            each["side"],
            "STOP" in each["ord_type"],
            Decimal(each["qty"]),
            Decimal(each["cum_qty"]),
            each["status"] in ("NEW", "PARTIALLY_FILLED", "PENDING"),
        )
        for each in told["orders"]
        if each["status"] != "REJECTED"
    ]
    if place.venue == "binance":
        coins = [each for each in told["balances"] if (each["scope"], each["asset"]) == ("spot", "BTC")]
        return Truth(orders, sum((Decimal(each["free"]) + Decimal(each["locked"]) for each in coins), Decimal(0)))
    return Truth(orders, sum((Decimal(each["qty"]) for each in told["positions"]), Decimal(0)))


def _kite(books: dict[str, Any]) -> Truth:
    sides = {"BUY": 1, "SELL": -1}
    orders = [
        TrueOrder(
            each["tag"],
            sides[each["transaction_type"]],
            each["order_type"].startswith("SL"),
            Decimal(each["quantity"]),
            Decimal(each["filled_quantity"]),
            each["status"] not in ("COMPLETE", "CANCELLED"),
        )
        for each in books["orders"]
        if each["status"] != "REJECTED"
    ]
    held: Counter[str] = Counter()
    for trade in books["trades"]:
        held["all"] += sides[trade["transaction_type"]] * trade["quantity"]
    return Truth(orders, Decimal(held["all"]))


def emptied(place: Place, process: EmulatorProcess) -> str:
    """Let the venue begin anew; the key of the session there, if there are any."""
    process.reset()
    process.heal()
    process.rules(delay_ms=LATE_MS)
    if place.emulator == "kite":
        process.control("kite_rules", limits=NO_LIMITS, heartbeat_ms=50)
        return str(process.control("session")["access_token"])
    if place.emulator == "mt5":
        process.seed(account={"margin_mode": NETTING if place.stops_at == "venue" else HEDGING})
    if place.venue == "binance":
        process.seed(spot={"BTC": "0"})
    return ""
