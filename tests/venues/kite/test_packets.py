from __future__ import annotations

import struct

import pytest

from surefill.domain.instrument import Instrument, Terms
from surefill.domain.market import Source
from surefill.errors import InputError
from surefill.venues.kite.packets import quote_of, tick_of, ticks_of


def instrument(decimals: int) -> Instrument:
    return Instrument("X:Y", "INR", decimals, 0, 1, (Terms(),))


def message(*packets: bytes) -> bytes:
    return struct.pack(">H", len(packets)) + b"".join(struct.pack(">H", len(each)) + each for each in packets)


@pytest.mark.parametrize(
    ("segment", "wire_px", "decimals", "last_px"),
    [
        (1, 157_315, 2, 157_315),
        (2, 2_410_000, 2, 2_410_000),
        (7, 16_105, 2, 16_105),
        (3, 727_550_000, 4, 727_550),
        (6, 727_550, 4, 727_550),
        (12, 727_550, 4, 727_550),
        (1, 157_315, 4, 15_731_500),
    ],
)
def test_price_has_the_scale_of_its_segment(segment: int, wire_px: int, decimals: int, last_px: int) -> None:
    tick = tick_of(struct.pack(">II", 256 + segment, wire_px))
    quote = quote_of(tick, instrument(decimals), 7)
    assert (tick.mode, quote.last_px, quote.ts_ns, quote.source) == ("ltp", last_px, 7, Source.LAST)


def test_price_finer_than_the_instrument_is_not_rounded() -> None:
    with pytest.raises(InputError, match="finer"):
        quote_of(tick_of(struct.pack(">II", 256 + 3, 727_550_001)), instrument(4), 0)


@pytest.mark.parametrize(("more", "mode", "exchange_s"), [([], "quote", 0), ([99], "full", 99)])
def test_index_tells_high_and_low_before_the_open(more: list[int], mode: str, exchange_s: int) -> None:
    tick = tick_of(struct.pack(f">{7 + len(more)}I", 256 + 9, 5, 4, 1, 2, 3, 6, *more))
    assert (tick.mode, tick.tradable, tick.exchange_s) == (mode, False, exchange_s)
    assert (tick.high, tick.low, tick.open, tick.close) == (4, 1, 2, 3)


def test_message_has_as_many_packets_as_it_says() -> None:
    one = struct.pack(">II", 257, 5)
    assert [tick.last for tick in ticks_of(message(one, one))] == [5, 5]
    assert list(ticks_of(b"\x00")) == []
    assert list(ticks_of(b"")) == []
    assert list(ticks_of(message())) == []


BROKEN = (
    message(struct.pack(">II", 257, 5))[:-1],
    message(struct.pack(">II", 257, 5)) + b"\x00",
    b"\x00\x02" + message(struct.pack(">II", 257, 5))[2:],
    message(b"123"),
    b"\x00\x01",
)


@pytest.mark.parametrize("broken", BROKEN, ids=range(len(BROKEN)))
def test_message_that_is_not_made_like_one_is_refused(broken: bytes) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        list(ticks_of(broken))
