"""From a quote to the exit order: 5,000 quotes a second into an engine that guards 200 positions.

The quotes come over a WebSocket from a process of their own, as Binance writes them; the orders go to an emulated
Binance in a third one. Each position has a stop that the engine watches, and one quote in the course of the run is
beyond it. The time goes from the moment at which that quote was given to the sender's socket, so that waiting in ours
counts, to the moment at which ccxt has signed the exit order and hands it to its HTTP client. The decision is durable
by then: the journal is SQLite, `synchronous=FULL`.

The floor takes the same quotes in rounds of its own: a bare WebSocket client that parses each, compares its price
with one stop, and commits one row before it would send. Asserted: every quote is heard and none is merged with
another, every position leaves once and for the quote that was beyond its stop, and the venue has each order once.

    python benchmarks/quotes_to_exit.py [--positions 200] [--rate 5000] [--seconds 4] [--rounds 5]
"""

from __future__ import annotations

import asyncio
import json
import operator
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qs

import msgspec
from durable_intents import Bare
from rows import Measured, Row, arguments, tell
from venue_path import LIMITS
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve

from surefill.domain.inputs import OpenWorkspace
from surefill.domain.intent import Action, ExitPlan, Intent
from surefill.domain.market import Quote, Source
from surefill.domain.profile import V3
from surefill.domain.state import State
from surefill.engine.clock import LiveClock
from surefill.engine.engine import Engine
from surefill.journal import SqliteJournal
from surefill.rules.codes import OrdStatus
from surefill.secret import Secret
from surefill.testing.emulators.binance.venue import API_KEY, SECRET
from surefill.testing.emulators.groundwork.process import EmulatorProcess
from surefill.venues.ccxt import BinanceVenue, CcxtSettings, Keys

AIM = "venue path"
TARGET_MS = 5
#: Binance USD-M takes 300 orders in ten seconds.
ORDERS_AT_ONCE, ORDERS_WINDOW_S = 150, 10.5
#: Prices in quanta of 0.0001: where a position is opened, its stop, and the quote beyond it.
PX, STOP_PX, BEYOND_PX = 1_000_000, 950_000, 940_000


class Load(NamedTuple):
    """How much comes: so many positions, quotes a second, seconds."""

    positions: int
    rate: int
    seconds: float

    @property
    def quotes(self) -> int:
        """All that come."""
        return round(self.rate * self.seconds)

    def beyond(self) -> dict[int, int]:
        """The numbers of the quotes that are beyond a stop, and of the position each hits: evenly over the run."""
        spacing = self.quotes // (self.positions + 1)
        return {spacing * (position + 1): position for position in range(self.positions)}


class Heard(NamedTuple):
    """What a round tells: milliseconds of each exit and of a commit, and the processor's time for a quote."""

    exits_ms: list[float]
    quote_us: float
    commit_ms: float = 0.0


def symbol(position: int) -> str:
    """Its name at the exchange."""
    return f"S{position:03d}USDT"


def message(number: int, position: int, px: int) -> str:
    """A quote as the stream writes it; `u` is its number."""
    name, bid, ask = symbol(position), f"{px / 10_000:.4f}", f"{px / 10_000 + 0.01:.4f}"
    now_ms = time.time_ns() // 1_000_000
    return (
        f'{{"stream":"{name.lower()}@bookTicker","data":{{"e":"bookTicker","u":{number},"s":"{name}","b":"{bid}",'
        f'"B":"31.210","a":"{ask}","A":"40.660","T":{now_ms},"E":{now_ms}}}}}'
    )


# -- the sender -------------------------------------------------------------------------------------------------


async def send_quotes(load: Load) -> None:
    """Serve one listener; tell the port, wait for a line, send, tell when the quotes beyond a stop were sent."""
    here: asyncio.Queue[ServerConnection] = asyncio.Queue()
    over = asyncio.Event()

    async def hold(socket: ServerConnection) -> None:
        here.put_nowait(socket)
        await over.wait()

    async with serve(hold, "127.0.0.1", 0) as server:
        print(server.sockets[0].getsockname()[1], flush=True)
        socket = await here.get()
        await asyncio.to_thread(sys.stdin.readline)
        print(json.dumps(await _paced(socket, load)), flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        over.set()


async def _paced(socket: ServerConnection, load: Load) -> dict[str, int]:
    """What is due is sent every millisecond; a position that was hit stays beyond its stop."""
    beyond, sent_ns, hit = load.beyond(), {}, set[int]()
    begin, number = time.perf_counter(), 0
    while number < load.quotes:
        due = min(round((time.perf_counter() - begin) * load.rate), load.quotes)
        while number < due:
            position = beyond.get(number, number % load.positions)
            if number in beyond:
                hit.add(position)
            text = message(number, position, BEYOND_PX if position in hit else PX + number % 7)
            if number in beyond:
                sent_ns[symbol(position)] = time.perf_counter_ns()
            await socket.send(text)
            number += 1
        await asyncio.sleep(0.001)
    return sent_ns


class Sender:
    """The sender's process."""

    def __init__(self, load: Load) -> None:
        words = [sys.executable, __file__, "--send", *map(str, load)]
        self._process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.url = f"ws://127.0.0.1:{int(self._line())}"

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline()

    def _say(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()

    async def run(self) -> dict[str, int]:
        """Have it send everything; by symbol, when the quote beyond its stop left."""
        self._say()
        told: dict[str, int] = json.loads(await asyncio.to_thread(self._line))
        return told

    def close(self) -> None:
        """Let it go."""
        self._say()
        self._process.communicate()


# -- the engine -------------------------------------------------------------------------------------------------


class Timed(SqliteJournal):
    """The journal, noting how long each commit took."""

    spent: list[float]

    def append(self, batches: Any) -> Any:
        """Commit, on the watch."""
        begin = time.perf_counter()
        try:
            return super().append(batches)
        finally:
            self.spent.append(time.perf_counter() - begin)


class Wire:
    """ccxt's way to its HTTP client, with the moment at which each symbol's exit came there."""

    def __init__(self, fetch: Callable[..., Any]) -> None:
        self._fetch = fetch
        self.at_ns: dict[str, int] = {}

    async def __call__(self, url: str, method: str = "GET", headers: Any = None, body: Any = None) -> Any:
        """Note it, and pass it on."""
        if method == "POST" and url.partition("?")[0].endswith("/order"):
            (name,) = parse_qs(f"{url.partition('?')[2]}&{body or ''}")["symbol"]
            self.at_ns.setdefault(name, time.perf_counter_ns())
        return await self._fetch(url, method, headers, body)


async def drive(exchange: EmulatorProcess, sender: Sender, load: Load, folder: Path) -> Heard:
    """One round with the engine."""
    keys = Keys(Secret(API_KEY), Secret(SECRET))
    settings = CcxtSettings("binanceusdm", keys=keys, rest_url=exchange.url, stream_url=f"{exchange.ws_url}/fstream")
    venue, market = BinanceVenue(settings), BinanceVenue(msgspec.structs.replace(settings, stream_url=sender.url))
    journal = Timed(folder / "journal.db")
    journal.spent = []
    engine = Engine(journal, LiveClock())
    profile = msgspec.structs.replace(V3, limits=LIMITS)
    opening = OpenWorkspace(time.time_ns(), "w", "live", "binanceusdm", "main", "USDT", 8, 10**15, profile, "bench")
    names = [f"S{position:03d}/USDT:USDT" for position in range(load.positions)]
    known = [each for each in await venue.instruments() if each.instrument_id in set(names)]
    await engine.open(opening, venue, known)
    for start in range(0, load.positions, 10):
        await asyncio.gather(*(_open(engine, name) for name in names[start : start + 10]))
    async with asyncio.timeout(10):
        while await engine.read("w", _held) < load.positions:
            await asyncio.sleep(0.05)
    if load.positions > ORDERS_AT_ONCE:  # the venue takes so many in a window, entries and exits together
        await asyncio.sleep(ORDERS_WINDOW_S)
    heard: list[Quote] = []

    def take(quote: Quote) -> None:
        heard.append(quote)
        engine.tell("w", quote)

    await market.subscribe(names, take)
    while len(heard) < load.positions:  # each is asked for once, when the stream is open
        await asyncio.sleep(0.01)
    wire = Wire(venue._wire.client.fetch)
    venue._wire.client.fetch = wire
    journal.spent.clear()
    busy_s = time.process_time()
    sent_ns = await sender.run()
    async with asyncio.timeout(60):
        while len(wire.at_ns) < load.positions or len(heard) < load.positions + load.quotes:
            await asyncio.sleep(0.005)
        busy_s = time.process_time() - busy_s
        commits = statistics.median(journal.spent)
        while await engine.read("w", _held):
            await asyncio.sleep(0.05)
    assert len(heard) == load.positions + load.quotes
    await engine.read("w", _check)
    await market.close()
    await engine.stop()
    journal.close()
    exits_ms = [(wire.at_ns[name] - left_ns) / 1e6 for name, left_ns in sent_ns.items()]
    return Heard(exits_ms, busy_s / load.quotes * 1e6, commits * 1e3)


async def _open(engine: Engine, name: str) -> None:
    """Buy, with a stop."""
    plan = ExitPlan(stop_px=STOP_PX)
    intent = Intent(name, name, "bench", name, name, Action.TRADE, 1, 1_000, plan=plan)
    receipt = await engine.submit("w", intent, Quote(name, time.time_ns(), PX, source=Source.CALLER))
    assert receipt.status in (OrdStatus.NEW, OrdStatus.FILLED), receipt


def _held(state: State) -> int:
    return sum(1 for each in state.book.positions.values() if each.qty)


def _check(state: State) -> None:
    """Each exit was decided at the price of the quote that was beyond the stop."""
    exits = [order for order in state.book.done.values() if order.exit_reason]
    assert len(exits) == len(state.book.positions)
    assert {order.request.arrival_px for order in exits} == {BEYOND_PX}


# -- the floor --------------------------------------------------------------------------------------------------


async def bare(sender: Sender, load: Load, folder: Path) -> Heard:
    """One round of the least work: read, parse, compare, commit one row."""
    journal, stop, at_ns = Bare(folder / "bare.db"), STOP_PX / 10_000, dict[str, int]()
    async with connect(f"{sender.url}/stream", compression=None) as socket:
        sending, busy_s = asyncio.ensure_future(sender.run()), time.process_time()
        for _ in range(load.quotes):
            row = json.loads(await socket.recv())["data"]
            if float(row["b"]) <= stop and row["s"] not in at_ns:
                journal.commit([b"x" * 400])
                at_ns[row["s"]] = time.perf_counter_ns()
        sent_ns = await sending
    journal.close()
    busy_s = time.process_time() - busy_s
    return Heard([(at_ns[name] - left_ns) / 1e6 for name, left_ns in sent_ns.items()], busy_s / load.quotes * 1e6)


def round_of(load: Load, *, engine: bool) -> Heard:
    """One round, everything new."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        sender = Sender(load)
        try:
            if not engine:
                return asyncio.run(bare(sender, load, folder))
            with EmulatorProcess("binance", folder / "truth.db") as exchange:
                exchange.control("limits", market="usdm", weight=10**9, orders={"10S": (10**9, 10), "1M": (10**9, 60)})
                exchange.seed(usdm={"USDT": 10**7})
                for position in range(load.positions):
                    exchange.price(symbol(position), PX // 10_000)
                heard = asyncio.run(drive(exchange, sender, load, folder))
                counts = exchange.truth().orders_per_client_id()
            assert len(counts) == 2 * load.positions
            assert set(counts.values()) == {1}
            return heard
        finally:
            sender.close()


def p99(figures: list[float]) -> float:
    """The figure that one of a hundred is above."""
    return sorted(figures)[max(len(figures) * 99 // 100 - 1, 0)]


def measure(load: Load, rounds: int) -> Measured:
    """Rounds in which engine and floor take turns."""
    heard, floor = [], []
    for _ in range(rounds):
        heard.append(round_of(load, engine=True))
        floor.append(round_of(load, engine=False))
    ours, theirs = [p99(each.exits_ms) for each in heard], [p99(each.exits_ms) for each in floor]
    figure, all_ms = statistics.median(ours), [ms for each in heard for ms in each.exits_ms]
    quote_us, bare_us = (statistics.median(each.quote_us for each in told) for told in (heard, floor))
    rows = [
        Row(
            AIM,
            f"{load.rate:,} quotes/s into exits of {load.positions} positions, p99",
            f"{figure:.1f} ms",
            f"a bare client with one commit: {statistics.median(theirs):.1f} ms",
            f"{statistics.median(map(operator.truediv, ours, theirs)):.1f}",
            f"≤ {TARGET_MS} ms",
            figure <= TARGET_MS,
        ),
        Row(
            AIM,
            "processor time of a quote, with its share of the exits",
            f"{quote_us:.0f} µs",
            f"the bare client: {bare_us:.0f} µs",
            f"{quote_us / bare_us:.1f}",
        ),
    ]
    commit_ms = statistics.median(each.commit_ms for each in heard)
    note = (
        f"From a quote to its exit order: median {statistics.median(all_ms):.1f} ms, slowest {max(all_ms):.1f} ms over"
        f" {rounds} rounds; a commit took {commit_ms:.1f} ms. Of {rounds * load.quotes:,} quotes none was merged with"
        " another, and none was lost."
    )
    return Measured(rows, [note])


def main() -> None:
    """Measure and print."""
    parser = arguments(__doc__)
    parser.add_argument("--positions", type=int, default=200)
    parser.add_argument("--rate", type=int, default=5_000, help="quotes per second")
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--send", nargs=3, metavar=("POSITIONS", "RATE", "SECONDS"), help="used by this program itself")
    options = parser.parse_args()
    if options.send:
        positions, rate, seconds = options.send
        asyncio.run(send_quotes(Load(int(positions), int(rate), float(seconds))))
        return
    tell(measure(Load(options.positions, options.rate, options.seconds), options.rounds), as_json=options.json)


if __name__ == "__main__":
    main()
