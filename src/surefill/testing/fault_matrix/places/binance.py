"""Binance through ccxt, both markets."""

from __future__ import annotations

import random
from abc import abstractmethod
from decimal import Decimal
from typing import Any, ClassVar, Final

from surefill.secret import Secret
from surefill.testing.fault_matrix.place import TIMEOUT_S, There
from surefill.testing.fault_matrix.places.emulated import EmulatedPlace
from surefill.testing.fault_matrix.steps import Step
from surefill.testing.remote_venue.faults import Fault
from surefill.venues.ccxt import BinanceVenue, CcxtSettings, Keys

_ORDERS: Final = {
    Step.ENTRY: ("submit",),
    Step.STOP: ("submit",),
    Step.MOVE: ("cancel", "submit"),  # a stop is not changed in place there: another takes its place
    Step.CANCEL: ("cancel",),
    Step.EXIT: ("submit",),
}
_HOPS: Final = dict.fromkeys((Step.ENTRY, Step.STOP, Step.EXIT), ("received", "matched"))


class BinancePlace(EmulatedPlace):
    """`exchange` is ccxt's name of the market."""

    kind = "binance"
    by_hand = "web_"
    exchange: ClassVar[str] = ""
    currency = "USDT"
    money_decimals = 12
    hops: ClassVar = _HOPS
    cannot: ClassVar = {
        (Fault.REFUSED, Step.MOVE): "it refuses orders, not cancels; the new stop is an order like the first",
        (Fault.REFUSED, Step.CANCEL): "it refuses orders, not cancels",
    }

    def venue(self) -> BinanceVenue:
        suffix = "/fstream" if self.exchange == "binanceusdm" else ""
        from surefill.testing.emulators.binance.venue import API_KEY, SECRET

        return BinanceVenue(
            CcxtSettings(
                self.exchange,
                keys=Keys(Secret(API_KEY), Secret(SECRET)),
                rest_url=self.process.url,
                stream_url=self.process.ws_url + suffix,
                money_decimals=self.money_decimals,
                instrument_ids=(self.instrument_id,),
                timeout_s=TIMEOUT_S,
                back_off_s=0.02,
                back_off_max_s=0.1,
            )
        )

    def begin(self, chance: random.Random) -> None:
        self.process.reset()
        self.ruled()
        self.process.seed(commission_in=chance.choice(("quote", "quote", "base")), spot={"BTC": 0})
        self.move(self.px)

    def move(self, px: int, qty: int = -1) -> None:
        shown = {} if qty < 0 else {"qty": self.counted(qty)}
        self.process.price("BTCUSDT", self.priced(px), **shown)

    def there(self) -> There:
        truth = self.process.truth()
        return There(self.orders_there(truth.orders), self.held(truth), truth.fired)

    @abstractmethod
    def held(self, truth: Any) -> int:
        """What the account holds, in quanta."""

    def trade_by_hand(self, side: int, qty: int) -> None:
        self.process.control(
            "order",
            scope="spot" if self.exchange == "binance" else "usdm",
            symbol="BTCUSDT",
            side="BUY" if side > 0 else "SELL",
            type="MARKET",
            quantity=self.counted(qty),
        )


class SpotPlace(BinancePlace):
    """What is held are coins: nobody is short of them."""

    name, exchange, instrument_id = "Binance spot", "binance", "BTC/USDT"
    px_one, qty_one = 100, 100_000_000
    px, gap, qty, part_qty = 6_000_000, 10_000, 1_000_000, 400_000
    shorts = False
    lot: ClassVar[int] = 1_000
    ops: ClassVar = {
        **_ORDERS,
        Step.QUERY: ("order", "trades"),
        Step.RECONCILE: ("open_orders", "trades", "account"),
        Step.LOGIN: ("", "open_orders", "trades", "account"),
    }

    def trade_by_hand(self, side: int, qty: int) -> None:
        super().trade_by_hand(1, qty)  # what is guarded by a stop is locked, and not to be sold besides

    def guarded_qty(self, held: int) -> int:
        return held // self.lot * self.lot

    def held(self, truth: Any) -> int:
        rows = [each for each in truth.balances if (each["scope"], each["asset"]) == ("spot", "BTC")]
        return int(sum((Decimal(each["free"]) + Decimal(each["locked"])) * self.qty_one for each in rows))


class UsdmPlace(BinancePlace):
    """One position per symbol, either way round."""

    name, exchange, instrument_id = "Binance USD-M", "binanceusdm", "BTC/USDT:USDT"
    px_one, qty_one = 10, 1_000
    px, gap, qty, part_qty = 600_000, 1_000, 10, 4
    cannot: ClassVar = {
        **BinancePlace.cannot,
        **{
            (fault, step): "a stop that is taken back waits there, apart from the market: nothing of it can trade then"
            for fault in (Fault.END_BEFORE_FILLS, Fault.LATE_FILL)
            for step in (Step.MOVE, Step.CANCEL)
        },
    }
    ops: ClassVar = {
        **_ORDERS,
        Step.QUERY: ("order", "trades"),
        Step.RECONCILE: ("open_orders", "trades", "account"),
        Step.LOGIN: ("", "open_orders", "trades", "account"),
    }

    def held(self, truth: Any) -> int:
        return int(sum(Decimal(each["qty"]) * self.qty_one for each in truth.positions))
