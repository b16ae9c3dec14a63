"""MetaTrader 5 through the package's face, a netting account."""

from __future__ import annotations

import random
from decimal import Decimal
from typing import ClassVar, Final

from surefill.testing.emulators.groundwork.faults import WireFault
from surefill.testing.emulators.mt5 import EmulatedMetaTrader5
from surefill.testing.fault_matrix.place import TIMEOUT_S, There
from surefill.testing.fault_matrix.places.emulated import EmulatedPlace
from surefill.testing.fault_matrix.steps import Step
from surefill.testing.remote_venue.faults import Fault
from surefill.venues.mt5 import Mt5Settings, Mt5Venue
from surefill.venues.mt5.comments import comment_of

_LOOKS: Final = ("open_orders", "history", "trades", "positions")
_NO_STREAM: Final = "it pushes nothing: its deals are looked at, and a look that fails is another fault"
_DONE_FLAGS: Final = 1


class Mt5Place(EmulatedPlace):
    """A pair of currencies; prices are looked at, as everything there."""

    kind, name, instrument_id, account, currency = "mt5", "MetaTrader 5", "EURUSD", "100001", "USD"
    px_one, qty_one = 100_000, 100
    px, gap, qty, part_qty = 110_000, 100, 10, 4
    stream, told_times = "trades", 8  # the deals are looked at again and again
    lists_when_connected = True
    ops: ClassVar = {
        Step.ENTRY: ("submit",),
        Step.QUERY: _LOOKS,
        Step.STOP: ("submit",),
        Step.MOVE: ("amend",),
        Step.QUOTES: ("symbol_info_tick",),
        Step.RECONCILE: ("open_orders", "trades", "positions"),
        Step.LOGIN: ("", "open_orders", "trades", "positions"),
        Step.CANCEL: ("cancel",),
        Step.EXIT: ("submit",),
    }
    hops: ClassVar = dict.fromkeys((Step.ENTRY, Step.STOP, Step.EXIT), ("received", "reported"))
    lacks: ClassVar = {WireFault.STREAM_LOST: _NO_STREAM}
    cannot: ClassVar = {
        **{
            (fault, Step.MOVE): "a stop is changed in place there: nothing is canceled"
            for fault in (Fault.CANCEL_FILL_RACE, Fault.END_BEFORE_FILLS, Fault.LATE_FILL)
        },
        **{
            (fault, step): "it refuses orders, not changes or cancels"
            for fault in (Fault.REFUSED,)
            for step in (Step.MOVE, Step.CANCEL)
        },
        **{
            (fault, step): "what is told of are deals, and none is made then"
            for fault in (Fault.LOSE_REPORT, Fault.DUPLICATE_REPORT, Fault.REORDER_REPORTS)
            for step in (Step.ENTRY, Step.MOVE, Step.CANCEL)
        },
        **{
            (fault, Step.QUOTES): "prices are asked for there, one at a time"
            for fault in (Fault.LOSE_REPORT, Fault.DUPLICATE_REPORT, Fault.REORDER_REPORTS)
        },
    }

    def venue(self) -> Mt5Venue:
        settings = Mt5Settings(
            symbols=(self.instrument_id,), poll_s=0.05, quote_poll_s=0.05, timeout_s=5.0, server_offset_s=0
        )
        return Mt5Venue(settings, package=EmulatedMetaTrader5(self.process.port, timeout_s=TIMEOUT_S))

    def name_of(self, cl_ord_id: str) -> str:
        return comment_of(cl_ord_id)

    def begin(self, chance: random.Random) -> None:
        self.process.reset()
        self.ruled()
        self.process.seed(account={"margin_mode": 0}, offset_s=chance.choice((0, 7_200, 10_800)))
        self.move(self.px)

    def move(self, px: int, qty: int = -1) -> None:
        shown = {} if qty < 0 else {"qty": self.counted(qty)}
        self.process.price(self.instrument_id, self.priced(px), **shown)

    def there(self) -> There:
        truth = self.process.truth()
        held = int(sum(Decimal(each["qty"]) * self.qty_one for each in truth.positions))
        return There(self.orders_there(truth.orders), held, truth.fired)

    def trade_by_hand(self, side: int, qty: int) -> None:
        self.process.control(
            "by_hand",
            action=1,
            symbol=self.instrument_id,
            volume=float(self.counted(qty)),
            type=0 if side > 0 else 1,
            price=0.0,
            type_filling=_DONE_FLAGS,
        )
