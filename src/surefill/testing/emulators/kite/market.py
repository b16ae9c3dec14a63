"""Prices: what an instrument last traded at, what is offered on either side, and the day's figures."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from surefill.testing.emulators.kite.instruments import Instrument


class Price(msgspec.Struct, frozen=True, kw_only=True):
    """The state of one instrument; prices in ten-thousandths of a rupee.

    `bid`/`ask` with `bid_qty`/`ask_qty` are what an order meets (-1: any quantity).
    """

    last: int
    bid: int
    ask: int
    bid_qty: int = -1
    ask_qty: int = -1
    open: int = 0
    high: int = 0
    low: int = 0
    close: int = 0
    volume: int = 0
    turnover: int = 0
    last_qty: int = 0
    oi: int = 0
    ts_ns: int = 0
    trade_ns: int = 0

    def offered(self, side: int) -> tuple[int, int]:
        """Price and quantity (-1: any) that an order of this side meets."""
        return (self.ask, self.ask_qty) if side > 0 else (self.bid, self.bid_qty)

    def moved(self, last: int, bid: int, ask: int, bid_qty: int, ask_qty: int, ts_ns: int) -> Price:
        """The price moves."""
        return msgspec.structs.replace(
            self,
            last=last,
            bid=bid,
            ask=ask,
            bid_qty=bid_qty,
            ask_qty=ask_qty,
            high=max(self.high, last),
            low=min(self.low, last),
            ts_ns=ts_ns,
        )

    def traded(self, side: int, px: int, qty: int, ts_ns: int) -> Price:
        """An order took `qty` out of what was offered."""
        price = msgspec.structs.replace(
            self, last_qty=qty, volume=self.volume + qty, turnover=self.turnover + px * qty, trade_ns=ts_ns
        )
        if side > 0 and self.ask_qty > 0:
            return msgspec.structs.replace(price, ask_qty=max(self.ask_qty - qty, 0))
        if side < 0 and self.bid_qty > 0:
            return msgspec.structs.replace(price, bid_qty=max(self.bid_qty - qty, 0))
        return price


class Band(NamedTuple):
    """The lowest and highest price that an order may have."""

    low: int
    high: int


def first_price(instrument: Instrument, ts_ns: int) -> Price:
    """What it starts the day with: at the previous close."""
    px = instrument.last_px
    return Price(last=px, bid=px, ask=px, open=px, high=px, low=px, close=px, ts_ns=ts_ns)


def band(instrument: Instrument, price: Price) -> Band:
    """The day's circuit limits, whole ticks inside `band_pct` of the previous close."""
    away, tick = price.close * instrument.band_pct // 100, max(instrument.tick, 1)
    return Band(-((away - price.close) // tick) * tick or tick, (price.close + away) // tick * tick)
