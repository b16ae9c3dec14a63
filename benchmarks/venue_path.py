"""What an order costs between the intent and the wire: engine, outbox and adapter, at an emulated Binance on loopback.

One caller, orders one after the other, memory journal. The time inside ccxt's request for the order, which signs,
sends, waits for the emulator and reads its answer, is taken out: what stays is ours, with what else the loop does
once the answer is there. Asserted: every order filled, and the venue has each id once.

    python benchmarks/venue_path.py [--orders 200]
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
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


async def drive(process: EmulatorProcess, orders: int) -> tuple[list[float], list[float]]:
    """Microseconds per order in all, and without ccxt's request."""
    keys = Keys(Secret(API_KEY), Secret(SECRET))
    settings = CcxtSettings("binanceusdm", keys=keys, rest_url=process.url, stream_url=f"{process.ws_url}/fstream")
    engine, venue = Engine(MemoryJournal(), LiveClock()), BinanceVenue(settings)
    profile = msgspec.structs.replace(V3, limits=LIMITS)
    opening = OpenWorkspace(time.time_ns(), "w", "live", "binanceusdm", "main", "USDT", 8, 10**15, profile, "bench")
    known = [each for each in await venue.instruments() if each.instrument_id == INSTRUMENT]
    await engine.open(opening, venue, known)
    watch = Watch(venue._wire.client.request)
    venue._wire.client.request = watch
    total, ours = [], []
    for number in range(orders):
        side = 1 if number % 2 == 0 else -1
        intent = Intent(f"i{number}", f"c{number}", "bench", "s", INSTRUMENT, Action.TRADE, side, QTY)
        quote = Quote(INSTRUMENT, time.time_ns(), PX, source=Source.CALLER)
        watch.ended_s, begin = 0.0, time.perf_counter()
        receipt = await engine.submit("w", intent, quote)
        end = time.perf_counter()
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
    return total, ours


def measure(orders: int) -> Measured:
    """Run it once against a fresh emulator."""
    with tempfile.TemporaryDirectory() as folder, EmulatorProcess("binance", Path(folder) / "truth.db") as process:
        process.price("BTCUSDT", 60_000)
        process.control("limits", market="usdm", weight=10**9, orders={"10S": (10**9, 10), "1M": (10**9, 60)})
        total, ours = asyncio.run(drive(process, orders))
        counts = process.truth().orders_per_client_id()
    assert len(counts) == orders
    assert set(counts.values()) == {1}
    figure = statistics.median(ours)
    row = Row(
        AIM,
        "one order through outbox and adapter, without ccxt's request",
        f"{figure:.0f} µs",
        f"{statistics.median(total):.0f} µs in all",
        f"{figure / statistics.median(total):.2f}",
        f"≤ {TARGET_US} µs",
        figure <= TARGET_US,
    )
    return Measured(
        [row], [f"median of {orders} orders; the slowest twentieth from {sorted(ours)[-orders // 20]:.0f} µs on"]
    )


def main() -> None:
    """Measure and print."""
    parser = arguments(__doc__)
    parser.add_argument("--orders", type=int, default=200)
    options = parser.parse_args()
    tell(measure(options.orders), as_json=options.json)


if __name__ == "__main__":
    main()
