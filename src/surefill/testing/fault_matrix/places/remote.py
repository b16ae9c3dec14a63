"""The remote venue: lines over TCP, in a process of its own."""

from __future__ import annotations

import random
import threading
from collections import Counter
from itertools import count
from pathlib import Path
from typing import ClassVar, Final

from surefill.domain.instrument import Instrument, Terms
from surefill.testing.emulators.groundwork.faults import WireFault
from surefill.testing.fault_matrix.place import DELAY_MS, TIMEOUT_S, OrderThere, Place, There, all_lacking
from surefill.testing.fault_matrix.steps import Step
from surefill.testing.remote_venue import RemoteVenue, Rules, VenueProcess, tcp
from surefill.testing.remote_venue.faults import Fault
from surefill.testing.remote_venue.truth import REFUSED, WORKING

_LOOKS: Final = ("open_orders", "history", "trades")


class RemotePlace(Place):
    """An account and an instrument of its own for every story."""

    name = "remote"
    currency = "USD"
    px, gap, qty, part_qty = 10_000, 100, 10, 4
    ops: ClassVar = {
        Step.ENTRY: ("submit",),
        Step.QUERY: _LOOKS,
        Step.STOP: ("submit",),
        Step.MOVE: ("amend",),
        Step.RECONCILE: ("open_orders", "executions", "positions"),
        Step.LOGIN: ("open_orders", "history", "executions", "positions"),
        Step.CANCEL: ("cancel",),
        Step.EXIT: ("submit",),
    }
    hops: ClassVar = dict.fromkeys((Step.ENTRY, Step.STOP, Step.EXIT), ("received", "matched", "reported"))
    lacks: ClassVar = {
        **all_lacking(tuple(WireFault), "it speaks no HTTP and has no sessions: its protocol knows no such answer"),
    }
    cannot: ClassVar = {
        (Fault.REFUSED, Step.MOVE): "it refuses orders, not changes",
        (Fault.REFUSED, Step.CANCEL): "it refuses orders, not cancels: those come too late or in time",
        **{
            (fault, Step.MOVE): "a stop is changed in place there: nothing is canceled"
            for fault in (Fault.CANCEL_FILL_RACE, Fault.END_BEFORE_FILLS, Fault.LATE_FILL)
        },
        **{
            (fault, Step.MOVE): "a change is answered, and nothing is streamed of it"
            for fault in (Fault.LOSE_REPORT, Fault.DUPLICATE_REPORT, Fault.REORDER_REPORTS)
        },
    }
    _numbers: ClassVar = count(1)

    def __init__(self, directory: Path) -> None:
        self._process = VenueProcess(directory / f"remote-{next(self._numbers)}.db")
        self._rules = Rules()
        self._one_at_a_time = threading.Lock()  # the hand has one connection

    def venue(self) -> RemoteVenue:
        return RemoteVenue(tcp(self._process.port), account=self.account, timeout_s=TIMEOUT_S, heartbeat_s=0.6)

    def begin(self, chance: random.Random) -> None:
        number = next(self._numbers)
        self.account, self.instrument_id = f"account-{number}", f"SYM{number}"
        self.listed = Instrument(self.instrument_id, "USD", 2, 3, 1_000, (Terms(),))
        self._rules = Rules(delay_ms=DELAY_MS, slices=chance.choice((1, 1, 3)), fee=chance.choice((0, 7)))
        self._process.rules(self._rules)
        self._process.heal()
        self.move(self.px)

    def move(self, px: int, qty: int = -1) -> None:
        with self._one_at_a_time:
            self._process.price(self.instrument_id, px, qty)

    def arm(self, fault: Fault | WireFault, op: str, times: int) -> None:
        assert isinstance(fault, Fault)
        with self._one_at_a_time:
            self._process.arm(fault, times, op=op)

    def heal(self) -> None:
        with self._one_at_a_time:
            self._process.heal()

    def there(self) -> There:
        with self._one_at_a_time:
            truth = self._process.truth(self.account)
        orders = [
            OrderThere(
                each.cl_ord_id,
                each.side,
                each.order_qty,
                each.cum_qty,
                each.status == WORKING,
                each.stop_px,
                each.status == REFUSED,
            )
            for each in truth.orders
        ]
        held = truth.positions.get(self.account, {}).get(self.instrument_id, 0)
        return There(tuple(orders), held, Counter(truth.fired))

    def trade_by_hand(self, side: int, qty: int) -> None:
        with self._one_at_a_time:
            self._process.hand(self.account, self.instrument_id, side, qty)

    def died(self) -> int:
        code = self._process.wait()
        with self._one_at_a_time:
            self._process.start()
            self._process.rules(self._rules)
        return code

    def close(self) -> None:
        self._process.kill()
