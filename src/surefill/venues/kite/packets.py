"""The ticker's binary messages.

A message is the number of its packets (two bytes), then for each its length (two bytes) and its bytes, big-endian. One
byte alone is a heartbeat. A packet's length tells its kind: 8 ltp, 44 quote, 184 full (with depth), and of indices 28
and 32. Prices are in paise, but at currency segments in 10**-7 (CDS) and 10**-4 (BCD, NCO) of a rupee; the segment is
the token's lowest byte. Sources: https://kite.trade/docs/connect/v3/websocket/ and the client library 5.2.2.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final

import msgspec

from surefill.domain.instrument import Instrument
from surefill.domain.market import Quote, Source
from surefill.errors import InputError
from surefill.units import NS_PER_S

LTP, INDEX_QUOTE, INDEX_FULL, QUOTE, FULL = 8, 28, 32, 44, 184
KINDS: Final = {LTP: "ltp", INDEX_QUOTE: "quote", INDEX_FULL: "full", QUOTE: "quote", FULL: "full"}
INDICES_SEGMENT: Final = 9
_DECIMALS: Final = {3: 7, 6: 4, 12: 4}
_DEPTH: Final = struct.Struct(">IIHxx")
_DEPTH_AT: Final = 64
_LEVELS: Final = 5


class Level(msgspec.Struct, frozen=True, gc=False):
    """One step of the depth; the price in units of the wire."""

    qty: int
    px: int
    orders: int


class Tick(msgspec.Struct, frozen=True, gc=False):
    """One packet. Prices in units of the wire, 10**-`decimals` of a rupee; times in seconds since 1970 UTC."""

    token: int
    mode: str
    decimals: int
    last: int
    last_qty: int = 0
    average: int = 0
    volume: int = 0
    buy_qty: int = 0
    sell_qty: int = 0
    open: int = 0
    high: int = 0
    low: int = 0
    close: int = 0
    last_trade_s: int = 0
    oi: int = 0
    oi_day_high: int = 0
    oi_day_low: int = 0
    exchange_s: int = 0
    bids: tuple[Level, ...] = ()
    asks: tuple[Level, ...] = ()

    @property
    def tradable(self) -> bool:
        """Indices are not."""
        return self.token & 0xFF != INDICES_SEGMENT


def ticks_of(message: bytes) -> Iterator[Tick]:
    """The packets of a message; none of a heartbeat. Raises InputError where it is not made like one."""
    if len(message) < 2:
        return
    (count,) = struct.unpack_from(">H", message)
    at = 2
    for _ in range(count):
        if at + 2 > len(message):
            raise _broken(f"{count} packets announced, and the message ends at byte {at}")
        (length,) = struct.unpack_from(">H", message, at)
        packet = message[at + 2 : at + 2 + length]
        if len(packet) < length:
            raise _broken(f"a packet of {length} bytes announced at byte {at}, and only {len(packet)} are there")
        at += 2 + length
        yield tick_of(packet)
    if at < len(message):
        raise _broken(f"{len(message) - at} bytes after the last packet")


def tick_of(packet: bytes) -> Tick:
    """One packet. Raises InputError where its length is none of the known ones."""
    mode = KINDS.get(len(packet))
    if mode is None:
        raise _broken(f"a packet of {len(packet)} bytes")
    words = struct.unpack_from(f">{min(len(packet), _DEPTH_AT) // 4}I", packet)
    token, last = words[:2]
    decimals = _DECIMALS.get(token & 0xFF, 2)
    if len(packet) in (INDEX_QUOTE, INDEX_FULL):
        high, low, open_, close = words[2:6]
        exchange_s = words[7] if len(packet) == INDEX_FULL else 0
        return Tick(token, mode, decimals, last, high=high, low=low, open=open_, close=close, exchange_s=exchange_s)
    tick = Tick(token, mode, decimals, last, *words[2:])
    if len(packet) < FULL:
        return tick
    levels = tuple(Level(*each) for each in _DEPTH.iter_unpack(packet[_DEPTH_AT:]))
    return msgspec.structs.replace(tick, bids=levels[:_LEVELS], asks=levels[_LEVELS:])


def quote_of(tick: Tick, instrument: Instrument, now_ns: int) -> Quote:
    """The tick as a quote: the exchange's time where it tells one, else `now_ns`.

    Raises InputError where a price is finer than the instrument's.
    """
    bid = tick.bids[0] if tick.bids else Level(0, 0, 0)
    ask = tick.asks[0] if tick.asks else Level(0, 0, 0)
    decimals = instrument.price_decimals
    return Quote(
        instrument.instrument_id,
        tick.exchange_s * NS_PER_S or now_ns,
        _quanta(tick.last, tick.decimals, decimals),
        _quanta(bid.px, tick.decimals, decimals),
        _quanta(ask.px, tick.decimals, decimals),
        bid.qty if bid.px else 0,
        ask.qty if ask.px else 0,
        Source.QUOTE if bid.px and ask.px else Source.LAST,
    )


def _quanta(px: int, wire_decimals: int, decimals: int) -> int:
    scaled, rest = divmod(px * 10**decimals, 10**wire_decimals)
    if rest:
        raise InputError(f"a price of {px} at {wire_decimals} decimals is finer than {decimals}", code="TOO_FINE")
    return int(scaled)


def _broken(text: str) -> InputError:
    return InputError(f"the ticker's message cannot be read: {text}", code="BROKEN_PACKET")
