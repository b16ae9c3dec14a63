"""The process that is killed: an engine at USD-M whose order rests, under the venue's dead man's switch."""

from __future__ import annotations

import asyncio
import sys
import time

import msgspec
from tests.venues.ccxt.orders import DOLLAR, USDM, settings

from surefill.domain.inputs import OpenWorkspace
from surefill.domain.intent import Action, Intent
from surefill.domain.market import Quote, Source
from surefill.domain.profile import V3
from surefill.engine.clock import LiveClock
from surefill.engine.engine import Engine
from surefill.journal import MemoryJournal
from surefill.rules.codes import OrdType, TimeInForce
from surefill.units import NS_PER_MS
from surefill.venues.ccxt import BinanceVenue


async def rest_for_ever(rest_url: str, stream_url: str, length_ms: int) -> None:
    """Say "resting" when the order works; never end."""
    known = msgspec.structs.replace(settings("binanceusdm", rest_url, stream_url), instrument_ids=(USDM,))
    venue = BinanceVenue(msgspec.structs.replace(known, money_decimals=12))
    rules = msgspec.structs.replace(V3, limits=msgspec.structs.replace(V3.limits, dead_man_ns=length_ms * NS_PER_MS))
    opening = OpenWorkspace(time.time_ns(), "w", "live", "binanceusdm", "main", "USDT", 12, 10**17, rules, "hash")
    engine = Engine(MemoryJournal(), LiveClock())
    await engine.open(opening, venue, [each for each in await venue.instruments() if each.instrument_id == USDM])
    dollar = DOLLAR[USDM]
    wish = Intent("i", "c", "test", "s", USDM, Action.TRADE, 1, 10, ord_type=OrdType.LIMIT, px=59_000 * dollar)
    wish = msgspec.structs.replace(wish, time_in_force=TimeInForce.GTC)
    await engine.submit("w", wish, Quote(USDM, time.time_ns(), 60_000 * dollar, source=Source.CALLER))
    print("resting", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(rest_for_ever(sys.argv[1], sys.argv[2], int(sys.argv[3])))
