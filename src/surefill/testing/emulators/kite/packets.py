"""The ticker's binary messages.

A message is a count and, for each packet, its length and its bytes, all big-endian; a heartbeat is one byte. Lengths:
8 (ltp), 44 (quote), 184 (full), and for indices 28 (quote) and 32 (full). Prices are in paise, at currency segments in
10**-7 (CDS) and 10**-4 (BCD, NCO) of a rupee: the client library 5.2.2, `ticker.py`, and
https://kite.trade/docs/connect/v3/websocket/.
"""

from __future__ import annotations

import struct
from typing import Final

from surefill.testing.emulators.kite.instruments import Instrument
from surefill.testing.emulators.kite.market import Price
from surefill.testing.emulators.kite.quotes import DEPTH, depth_qty
from surefill.units import NS_PER_S

HEARTBEAT: Final = b"\x00"
MODES: Final = ("ltp", "quote", "full")
#: Units of the wire in ten-thousandths of a rupee, as multiplier and divisor, by segment (the token's lowest byte).
_CURRENCY: Final = {3: (1000, 1), 6: (1, 1), 12: (1, 1)}
_LEVEL: Final = ">IIHxx"


def message(packets: list[bytes]) -> bytes:
    """Several packets as one message."""
    return struct.pack(">H", len(packets)) + b"".join(struct.pack(">H", len(each)) + each for each in packets)


def packet(instrument: Instrument, price: Price, mode: str) -> bytes:
    """One instrument's price in one mode."""
    times, over = _CURRENCY.get(instrument.instrument_token & 0xFF, (1, 100))

    def wire(px: int) -> int:
        return px * times // over

    head = struct.pack(">II", instrument.instrument_token, wire(price.last))
    if mode == "ltp":
        return head
    if not instrument.tradable:
        return head + _index(price, mode, wire(price.last) - wire(price.close), [wire(px) for px in _day(price)])
    quote = struct.pack(
        ">IIIII",
        price.last_qty,
        wire(price.turnover // price.volume) if price.volume else 0,
        price.volume,
        depth_qty(price.bid_qty),
        depth_qty(price.ask_qty),
    )
    head += quote + struct.pack(">IIII", *(wire(px) for px in (price.open, price.high, price.low, price.close)))
    if mode == "quote":
        return head
    times_s = (price.trade_ns or price.ts_ns) // NS_PER_S, price.ts_ns // NS_PER_S
    head += struct.pack(">IIIII", times_s[0], price.oi, price.oi, price.oi, times_s[1])
    return head + _side(wire(price.bid), price.bid_qty) + _side(wire(price.ask), price.ask_qty)


def _day(price: Price) -> tuple[int, int, int, int]:
    """An index tells the high and the low before the open."""
    return price.high, price.low, price.open, price.close


def _index(price: Price, mode: str, change: int, day: list[int]) -> bytes:
    body = struct.pack(">IIIIi", *day, change)
    return body if mode == "quote" else body + struct.pack(">I", price.ts_ns // NS_PER_S)


def _side(px: int, qty: int) -> bytes:
    best = struct.pack(_LEVEL, depth_qty(qty), px, 1) if qty else struct.pack(_LEVEL, 0, 0, 0)
    return best + struct.pack(_LEVEL, 0, 0, 0) * (DEPTH - 1)
