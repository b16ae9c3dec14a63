"""The adapter of the toy exchange through the numbered suite: python -m pytest examples/toy_venue"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import ClassVar

import pytest
from examples.toy_venue.adapter import ToySettings, ToyVenue
from examples.toy_venue.exchange import ToyExchange

from surefill.testing.remote_venue.faults import Fault
from surefill.testing.venue_conformance import WIRE_FAULTS, Ground, TrueOrder, VenueConformance


class ToyGround(Ground):
    """Prices in cents."""

    name: ClassVar[str] = "toy"
    instrument_id, px, far_px, stop_px, qty, part_qty = "TOY", 1_000, 900, 1_100, 10, 4
    faults = WIRE_FAULTS
    not_applicable: ClassVar[Mapping[int, str]] = {
        **dict.fromkeys((12, 13), "the toy exchange has no stop orders, and the adapter claims none"),
        **dict.fromkeys((42, 43, 44), "nothing is streamed: executions are asked for by their number"),
    }

    def __init__(self, exchange: ToyExchange) -> None:
        self._exchange = exchange

    def venue(self) -> ToyVenue:
        return ToyVenue(ToySettings(self._exchange.port, timeout_s=0.15, poll_s=0.02))

    def begin(self) -> None:
        self._exchange.reset()

    def move(self, px: int, qty: int = -1) -> None:
        self._exchange.move(Decimal(px) / 100, qty)

    def arm(self, fault: Fault, op: str, times: int) -> None:
        self._exchange.faults.arm(fault, op=op, times=times)

    def heal(self) -> None:
        self._exchange.faults.heal()

    def struck(self, fault: Fault) -> int:
        return self._exchange.faults.fired[fault]

    def truth(self, cl_ord_id: str) -> TrueOrder:
        order = self._exchange.orders.get(cl_ord_id)
        return TrueOrder(1, order["done"], order["status"] == "open") if order else TrueOrder()

    def held(self) -> int:
        return sum(each["side"] * each["qty"] for each in self._exchange.fills)

    def hang_up(self) -> None:
        self._exchange.faults.arm(Fault.DISCONNECT, times=3)  # it keeps no connection: the next ones break


class TestToyVenue(VenueConformance):
    """Every check is a test of this class."""

    @pytest.fixture(scope="class")
    @classmethod
    def ground(cls) -> Iterator[Ground]:
        with ToyExchange() as exchange:
            yield ToyGround(exchange)
