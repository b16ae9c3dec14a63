"""Durable intents per second through the engine on SQLite (WAL, FULL), and what one caller waits.

64 callers, each with the next intent as soon as its receipt is there; the floor commits the very same payloads in the
same batches with bare apsw. Then one caller alone, each of its intents followed by a bare commit of the same events, so
that both meet the same disk. At last, in runs of their own, where the time of an intent goes.

    python benchmarks/durable_intents.py [--per-caller 200] [--rounds 5]
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import apsw
from rows import Measured, Row, arguments, tell
from setting import MARKET, NIFTY, T0_NS, market_intent, opening, paper

from surefill.engine.clock import VirtualClock
from surefill.engine.engine import Engine
from surefill.errors import JournalError
from surefill.journal import Batch, KeyClaim, SqliteJournal
from surefill.rules.codes import OrdStatus

CALLERS = 64
AIM = "journal"
Spent = dict[str, float]


class Recorded(SqliteJournal):
    """The journal, remembering what it committed together."""

    commits: list[list[bytes]]

    def append(self, batches: Sequence[Batch]) -> list[JournalError | None]:
        """Commit, and keep a copy."""
        self.commits.append([payload for batch in batches for payload in batch.payloads])
        return super().append(batches)


class Watched(SqliteJournal):
    """The journal, noting the time spent in it."""

    spent: Spent

    def append(self, batches: Sequence[Batch]) -> list[JournalError | None]:
        """Commit, on the watch."""
        return timed(super().append, self.spent, "append")(batches)

    def find_key(self, workspace_id: str, mode: str, key: str) -> KeyClaim | None:
        """Look a key up, on the watch."""
        return timed(super().find_key, self.spent, "find_key")(workspace_id, mode, key)

    def find_keys(self, workspace_id: str, mode: str, keys: Sequence[str]) -> dict[str, KeyClaim]:
        """Look many keys up, on the watch."""
        return timed(super().find_keys, self.spent, "find_keys")(workspace_id, mode, keys)


def timed(work: Callable[..., Any], spent: Spent, name: str) -> Callable[..., Any]:
    """The same, adding the seconds it takes to `spent`."""

    def watched(*arguments: Any) -> Any:
        begin = time.perf_counter()
        try:
            return work(*arguments)
        finally:
            spent[name] += time.perf_counter() - begin

    return watched


async def run_engine(path: Path, callers: int, per_caller: int) -> tuple[float, list[list[bytes]]]:
    """Intents per second, and the commits."""
    journal = Recorded(path)
    journal.commits = []
    engine = await opened(journal)
    journal.commits.clear()
    rate = await drive(engine, callers, per_caller)
    commits = list(journal.commits)
    await engine.stop()
    journal.close()
    return rate, commits


async def watch_engine(path: Path, callers: int, per_caller: int) -> Spent:
    """Microseconds per intent, by what they were spent on."""
    journal = Watched(path)
    journal.spent = defaultdict(float)
    engine = await opened(journal)
    writer = engine.desks["w1"].writer
    vars(writer)["submit"] = timed(writer.submit, journal.spent, "submit")
    journal.spent.clear()
    rate = await drive(engine, callers, per_caller)
    spent = {name: total / callers / per_caller * 1e6 for name, total in journal.spent.items()}
    await engine.stop()
    journal.close()
    return spent | {"all": 1e6 / rate}


async def opened(journal: SqliteJournal) -> Engine:
    """An engine whose workspace knows its market."""
    engine = Engine(journal, VirtualClock(T0_NS))
    await engine.open(opening("w1"), paper(), [NIFTY])
    await engine.feed("w1", MARKET)
    return engine


async def drive(engine: Engine, callers: int, per_caller: int) -> float:
    """Intents per second of all callers together."""

    async def caller(mine: int) -> None:
        for number in range(per_caller):
            receipt = await engine.submit("w1", market_intent(number, f"{mine}-{number}").intent)
            assert receipt.status == OrdStatus.FILLED

    begin = time.perf_counter()
    await asyncio.gather(*(caller(mine) for mine in range(callers)))
    return callers * per_caller / (time.perf_counter() - begin)


async def run_single(folder: Path, count: int) -> tuple[float, float]:
    """Median seconds of one caller's intents, and of bare commits of what each of them wrote."""
    journal = Recorded(folder / "single.db")
    journal.commits = []
    engine = await opened(journal)
    bare = Bare(folder / "bare.db")
    waits, commits = [], []
    for number in range(count):
        begin = time.perf_counter()
        receipt = await engine.submit("w1", market_intent(number, f"{number}").intent)
        waits.append(time.perf_counter() - begin)
        assert receipt.status == OrdStatus.FILLED
        commits.append(bare.commit(journal.commits[-1]))
    await engine.stop()
    journal.close()
    bare.close()
    return statistics.median(waits), statistics.median(commits)


class Bare:
    """The floor: one table, one transaction for each batch, as durable as the journal, nothing else."""

    def __init__(self, path: Path) -> None:
        self._conn = apsw.Connection(str(path))
        self._conn.execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL")
        self._conn.execute(
            "CREATE TABLE events (position INTEGER PRIMARY KEY, stream INTEGER, seq INTEGER, payload BLOB,"
            " UNIQUE (stream, seq))"
        )
        self._seq = 0
        self.close = self._conn.close

    def commit(self, payloads: list[bytes]) -> float:
        """Seconds of one commit."""
        begin = time.perf_counter()
        self._conn.execute("BEGIN IMMEDIATE")
        rows = list(enumerate(payloads, self._seq))
        self._conn.executemany("INSERT INTO events (stream, seq, payload) VALUES (1, ?, ?)", rows)
        self._conn.execute("COMMIT")
        self._seq += len(payloads)
        return time.perf_counter() - begin


def run_floor(path: Path, commits: list[list[bytes]]) -> float:
    """Seconds for the same bytes in the same batches."""
    bare = Bare(path)
    took = sum(map(bare.commit, commits))
    bare.close()
    return took


def where_it_goes(folder: Path, callers: int, per_caller: int) -> str:
    """One sentence on the time of an intent."""
    spent = asyncio.run(watch_engine(folder / f"w{callers}.db", callers, per_caller))
    singly, append = spent.get("find_key", 0.0), spent["append"]
    key = singly + spent.get("find_keys", 0.0)
    core = spent["submit"] - singly  # many keys at once are looked up before the intents are taken
    rest = spent["all"] - core - key - append
    return (
        f"Where the {spent['all']:.0f} µs of an intent go with {callers} callers: gates, order, fill and encoding"
        f" {core:.0f}, looking its key up {key:.0f}, hashing, inserting and syncing {append:.0f}, loop, receipt and"
        f" caller {rest:.0f}."
    )


def measure(per_caller: int, rounds: int) -> Measured:
    """Rounds in which engine and floor take turns."""
    rates, floors, ratios, singles, commit_us = [], [], [], [], []
    with tempfile.TemporaryDirectory() as folder:
        at = Path(folder)
        for turn in range(rounds):
            rate, commits = asyncio.run(run_engine(at / f"e{turn}.db", CALLERS, per_caller))
            bare = CALLERS * per_caller / run_floor(at / f"f{turn}.db", commits)
            rates.append(rate)
            floors.append(bare)
            ratios.append(rate / bare)
            (at / f"s{turn}").mkdir()
            wait, commit = asyncio.run(run_single(at / f"s{turn}", 2 * per_caller))
            singles.append((wait - commit) * 1e6)
            commit_us.append(commit * 1e6)
        notes = [where_it_goes(at, CALLERS, per_caller), where_it_goes(at, 1, 2 * per_caller)]
    rate, bare, ratio = map(statistics.median, (rates, floors, ratios))
    above = statistics.median(singles)
    rows = [
        Row(
            AIM,
            f"durable intents, {CALLERS} callers",
            f"{rate:,.0f}/s",
            f"bare commits of the same bytes: {bare:,.0f}/s",
            f"{ratio:.2f}",
            "≥ 0.60",
            ratio >= 0.6,
        ),
        Row(AIM, f"durable intents, {CALLERS} callers", f"{rate:,.0f}/s", target="≥ 10,000/s", met=rate >= 10_000),
        Row(
            AIM,
            "one caller, p50 above a bare commit",
            f"{above:.0f} µs",
            f"the bare commit: {statistics.median(commit_us):.0f} µs",
            target="≤ 100 µs",
            met=above <= 100,
        ),
    ]
    return Measured(rows, notes)


def main() -> None:
    """Measure and print."""
    parser = arguments(__doc__)
    parser.add_argument("--per-caller", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    tell(measure(options.per_caller, options.rounds), as_json=options.json)


if __name__ == "__main__":
    main()
