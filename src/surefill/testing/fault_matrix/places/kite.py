"""Kite through the broker's own client library."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any, ClassVar, Final

from surefill.rules.codes import TimeInForce
from surefill.secret import Secret
from surefill.testing.fault_matrix.place import TIMEOUT_S, OrderThere, There
from surefill.testing.fault_matrix.places.emulated import EmulatedPlace
from surefill.testing.fault_matrix.steps import Step
from surefill.testing.remote_venue.faults import Fault
from surefill.venues.kite import KiteSettings, KiteVenue
from surefill.venues.kite.tags import tag_of
from surefill.venues.protocol import LiveVenue

_NO_LIMITS: Final = {"orders_per_s": 0, "orders_per_min": 0, "quotes_per_s": 0, "others_per_s": 0}
_OVER: Final = ("COMPLETE", "CANCELLED", "REJECTED")
_DOUBTS: Final = ("network_503", "general_500", "order_500", "data_502", "network_504", "timed_out_400")


class KitePlace(EmulatedPlace):
    """Shares, intraday."""

    kind, name, instrument_id, account, currency = "kite", "Kite", "NSE:INFY", "AB1234", "INR"
    money_decimals = 4
    time_in_force = TimeInForce.DAY
    px_one = 100
    px, gap, qty, part_qty = 150_000, 500, 10, 4
    ops: ClassVar = {
        Step.ENTRY: ("submit",),
        Step.QUERY: ("orders", "trades", "order_trades"),
        Step.STOP: ("submit",),
        Step.MOVE: ("amend",),
        Step.RECONCILE: ("orders", "trades", "positions"),
        Step.LOGIN: ("", "orders", "trades", "positions"),
        Step.CANCEL: ("cancel",),
        Step.EXIT: ("submit",),
    }
    hops: ClassVar = {
        **dict.fromkeys((Step.ENTRY, Step.STOP), ("received", "forwarded")),
        Step.EXIT: ("received", "forwarded", "matched"),
        Step.MOVE: ("modified",),
        Step.CANCEL: ("canceling",),
    }
    cannot: ClassVar = {
        (fault, Step.MOVE): "a stop is changed in place there: nothing is canceled"
        for fault in (Fault.CANCEL_FILL_RACE, Fault.END_BEFORE_FILLS, Fault.LATE_FILL)
    }

    def ruled(self) -> None:
        super().ruled()
        self.process.control("kite_rules", limits=_NO_LIMITS, heartbeat_ms=100, doubt=self._doubt)

    def venue(self) -> KiteVenue:
        return KiteVenue(
            KiteSettings(
                api_key="emulated_key",
                access_token=self._token(),
                root=self.process.url,
                ticker_url=self.process.ws_url,
                exchanges=("NSE",),
                product="MIS",
                timeout_s=TIMEOUT_S,
                poll_s=0.1,
                hint_spacing_s=0.01,
                settle_s=0.03,
                silence_s=1.0,
                reconnect_first_s=0.02,
                reconnect_max_s=0.1,
                orders_per_s=0,
                orders_per_min=0,
            )
        )

    def _token(self) -> Secret:
        return Secret(str(self.process.control("session")["access_token"]))

    async def renew(self, venue: LiveVenue) -> None:
        assert isinstance(venue, KiteVenue)
        venue.renew(self._token())

    def name_of(self, cl_ord_id: str) -> str:
        return tag_of(cl_ord_id)

    def begin(self, chance: random.Random) -> None:
        self.process.reset()
        self._doubt = chance.choice(_DOUBTS)
        self.ruled()
        self.move(self.px)

    def move(self, px: int, qty: int = -1) -> None:
        shown = {} if qty < 0 else {"qty": qty}
        self.process.price(self.instrument_id, self.priced(px), **shown)

    def heal(self) -> None:
        super().heal()
        self.process.control("release")

    def there(self) -> There:
        told: dict[str, Any] = self.process.control("books")
        orders = tuple(
            OrderThere(
                each["tag"] or "",
                _side(each),
                each["quantity"],
                each["filled_quantity"],
                each["status"] not in _OVER,
                round(each["trigger_price"] * self.px_one) if each["order_type"] in ("SL", "SL-M") else 0,
                each["status"] == "REJECTED",
            )
            for each in told["orders"]
        )
        held = sum(_side(each) * each["quantity"] for each in told["trades"])
        return There(orders, held, Counter(self.process.truth().fired))

    def trade_by_hand(self, side: int, qty: int) -> None:
        form = {
            "exchange": "NSE",
            "tradingsymbol": "INFY",
            "transaction_type": "BUY" if side > 0 else "SELL",
            "quantity": str(qty),
            "product": "MIS",
            "order_type": "MARKET",
            "market_protection": "-1",
        }
        self.process.control("trade", form=form)


def _side(row: dict[str, Any]) -> int:
    return 1 if row["transaction_type"] == "BUY" else -1
