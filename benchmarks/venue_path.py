"""What an order costs between the intent and the wire: engine, outbox and adapter, at an emulated Binance on loopback.

One caller, orders one after the other. With the journal in memory the time inside ccxt's request for the order, which
signs, sends, waits for the emulator and reads its answer, is taken out: what stays is ours, with what else the loop
does once the answer is there. Then the whole order with a durable journal, beside the least that a durable order could
be: one commit of the same size, and one signed HTTP request to the same emulator. (The engine commits twice before its
caller hears: the decision before the wire, the venue's answer before the receipt.) Every run has an emulator of its
own. Asserted: every order filled, and the venue has each id once.

    python benchmarks/venue_path.py [--orders 100] [--rounds 5]
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from durable_intents import Bare, Watched
from rows import Measured, Row, arguments, tell

from surefill.domain.inputs import OpenWorkspace
from surefill.domain.intent import Action, Intent
from surefill.domain.limits import Limits
from surefill.domain.market import Quote, Source
from surefill.domain.profile import V3
from surefill.engine.clock import LiveClock
from surefill.engine.engine import Engine
from surefill.journal import MemoryJournal
from surefill.rules.codes import OrdStatus
from surefill.secret import Secret
from surefill.testing.emulators.binance.venue import API_KEY, SECRET
from surefill.testing.emulators.groundwork.process import EmulatorProcess
from surefill.venues.ccxt import BinanceVenue, CcxtSettings, Keys

AIM = "venue path"
TARGET_US = 150
INSTRUMENT, QTY, PX = "BTC/USDT:USDT", 10, 600_000
#: What an order writes before it is sent: the intent's acceptance, and the order.
EVENTS = 2
#: Rates are out of the way; so is what a day may bring.
LIMITS = Limits(
    message_rate_max=10**9,
    order_rate_max=10**9,
    repeated_fills_max=10**9,
    trades_per_day_max=10**9,
    trades_per_strategy_max=10**9,
    loss_streak_max=10**9,
)


class Watch:
    """ccxt's request, with the moments at which an order's began and ended."""

    def __init__(self, request: Callable[..., Awaitable[Any]]) -> None:
        self._request = request
        self.began_s = self.ended_s = 0.0

    async def __call__(self, *asked: Any) -> Any:
        """Ask, on the watch."""
        path, _, method, _ = asked
        if (method, path) != ("POST", "order"):
            return await self._request(*asked)
        self.began_s = time.perf_counter()
        try:
            return await self._request(*asked)
        finally:
            self.ended_s = time.perf_counter()


class Spent(NamedTuple):
    """Microseconds of each order: in all, without ccxt's request, in the journal."""

    total: list[float]
    ours: list[float]
    journal: float


async def drive(process: EmulatorProcess, orders: int, journal: MemoryJournal | Watched) -> Spent:
    """Send orders, each when the one before has filled."""
    keys = Keys(Secret(API_KEY), Secret(SECRET))
    settings = CcxtSettings("binanceusdm", keys=keys, rest_url=process.url, stream_url=f"{process.ws_url}/fstream")
    engine, venue = Engine(journal, LiveClock()), BinanceVenue(settings)
    profile = msgspec.structs.replace(V3, limits=LIMITS)
    opening = OpenWorkspace(time.time_ns(), "w", "live", "binanceusdm", "main", "USDT", 8, 10**15, profile, "bench")
    known = [each for each in await venue.instruments() if each.instrument_id == INSTRUMENT]
    await engine.open(opening, venue, known)
    watch = Watch(venue._wire.client.request)
    venue._wire.client.request = watch
    total, ours, in_journal = [], [], []
    for number in range(orders):
        side = 1 if number % 2 == 0 else -1
        intent = Intent(f"i{number}", f"c{number}", "bench", "s", INSTRUMENT, Action.TRADE, side, QTY)
        quote = Quote(INSTRUMENT, time.time_ns(), PX, source=Source.CALLER)
        before_s = _spent(journal)
        watch.ended_s, begin = 0.0, time.perf_counter()
        receipt = await engine.submit("w", intent, quote)
        end = time.perf_counter()
        in_journal.append((_spent(journal) - before_s) * 1e6)
        total.append((end - begin) * 1e6)
        # A report of the stream may be faster than the answer: then the caller is answered by it.
        after_s = end - watch.ended_s if watch.ended_s else 0.0
        ours.append((watch.began_s - begin + after_s) * 1e6)
        while (order := await engine.read("w", lambda state, name=receipt.cl_ord_id: state.order(name))) is None or (
            order.status != OrdStatus.FILLED
        ):
            await asyncio.sleep(0.001)
    engine._stopped = True
    await venue.close()
    return Spent(total, ours, statistics.median(in_journal))


def _spent(journal: MemoryJournal | Watched) -> float:
    return journal.spent["append"] if isinstance(journal, Watched) else 0.0


async def least(process: EmulatorProcess, orders: int, folder: Path) -> list[float]:
    """Microseconds of one commit and one signed request, nothing else: no check, no stream, no state."""
    import aiohttp

    bare, took = Bare(folder / "bare.db"), []
    async with aiohttp.ClientSession(headers={"X-MBX-APIKEY": API_KEY}) as session:
        for number in range(orders):
            begin = time.perf_counter()
            bare.commit([b"x" * 400] * EVENTS)
            side, stamp_ms = ("BUY", "SELL")[number % 2], time.time_ns() // 1_000_000
            body = f"symbol=BTCUSDT&side={side}&type=MARKET&quantity=0.010&timestamp={stamp_ms}"
            signature = hmac.new(SECRET.encode(), body.encode(), hashlib.sha256).hexdigest()
            form = {"content-type": "application/x-www-form-urlencoded"}
            async with session.post(
                f"{process.url}/fapi/v1/order", data=f"{body}&signature={signature}", headers=form
            ) as answer:
                assert (await answer.json())["symbol"] == "BTCUSDT"
            took.append((time.perf_counter() - begin) * 1e6)
    bare.close()
    return took


def run(orders: int, *, durable: bool) -> tuple[Spent, list[float]]:
    """One run at a fresh emulator; with a durable journal the least work after it."""
    with tempfile.TemporaryDirectory() as place, EmulatorProcess("binance", Path(place) / "truth.db") as process:
        folder = Path(place)
        process.price("BTCUSDT", 60_000)
        process.control("limits", market="usdm", weight=10**9, orders={"10S": (10**9, 10), "1M": (10**9, 60)})
        journal: MemoryJournal | Watched = MemoryJournal()
        if durable:
            journal = Watched(folder / "journal.db")
            journal.spent = defaultdict(float)
        spent = asyncio.run(drive(process, orders, journal))
        journal.close()
        counts = process.truth().orders_per_client_id()
        floor = asyncio.run(least(process, orders, folder)) if durable else []
    assert len(counts) == orders
    assert set(counts.values()) == {1}
    return spent, floor


def measure(orders: int, rounds: int) -> Measured:
    """Rounds in which they take turns."""
    ours, quick_totals, shares, totals, floors, ratios, journals, requests = (list[float]() for _ in range(8))
    for _ in range(rounds):
        (quick, _), (durable, floor) = run(orders, durable=False), run(orders, durable=True)
        ours.append(statistics.median(quick.ours))
        quick_totals.append(statistics.median(quick.total))
        shares.append(ours[-1] / quick_totals[-1])
        totals.append(statistics.median(durable.total))
        floors.append(statistics.median(floor))
        ratios.append(totals[-1] / floors[-1])
        journals.append(durable.journal)
        requests.append(statistics.median(all_ - own for all_, own in zip(durable.total, durable.ours, strict=True)))
    figure, total, journal, request = map(statistics.median, (ours, totals, journals, requests))
    rows = [
        Row(
            AIM,
            "one order through outbox and adapter, without ccxt's request",
            f"{figure:.0f} µs",
            f"{statistics.median(quick_totals):.0f} µs in all",
            f"{statistics.median(shares):.2f}",
            f"≤ {TARGET_US} µs",
            figure <= TARGET_US,
        ),
        Row(
            AIM,
            "one order from the caller to its durable receipt",
            f"{total:.0f} µs",
            f"one bare commit and one bare request: {statistics.median(floors):.0f} µs",
            f"{statistics.median(ratios):.1f}",
        ),
    ]
    note = (
        f"Where the {total:.0f} µs of a durable order go: its commits {journal:.0f}, ccxt's request {request:.0f},"
        f" all else {total - journal - request:.0f}; medians of {orders} orders in {rounds} rounds."
    )
    return Measured(rows, [note])


def main() -> None:
    """Measure and print."""
    parser = arguments(__doc__)
    parser.add_argument("--orders", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    tell(measure(options.orders, options.rounds), as_json=options.json)


if __name__ == "__main__":
    main()
