"""Durable intents per second through the engine on SQLite (WAL, FULL), and what one caller waits.

64 callers, each with the next intent as soon as its receipt is there; the floor commits the very same payloads in the
same batches with bare apsw. Then one caller alone against bare commits of one intent's events.

    python benchmarks/durable_intents.py [--per-caller 200] [--rounds 5]
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import apsw
from setting import MARKET, NIFTY, T0_NS, market_intent, opening, paper, where

from surefill.engine.clock import VirtualClock
from surefill.engine.engine import Engine
from surefill.errors import JournalError
from surefill.journal import Batch, SqliteJournal
from surefill.rules.codes import OrdStatus

CALLERS = 64


class Recorded(SqliteJournal):
    """The journal, remembering what it committed together."""

    commits: list[list[bytes]]

    def append(self, batches: Sequence[Batch]) -> list[JournalError | None]:
        """Commit, and keep a copy."""
        self.commits.append([payload for batch in batches for payload in batch.payloads])
        return super().append(batches)


async def run_engine(path: Path, callers: int, per_caller: int) -> tuple[float, list[float], list[list[bytes]]]:
    """Intents per second, each caller's waits, and the commits."""
    journal = Recorded(path)
    journal.commits = []
    engine = Engine(journal, VirtualClock(T0_NS))
    await engine.open(opening("w1"), paper(), [NIFTY])
    await engine.feed("w1", MARKET)
    journal.commits.clear()
    waits: list[float] = []

    async def caller(mine: int) -> None:
        for number in range(per_caller):
            before = time.perf_counter()
            intent = market_intent(number, f"{mine}-{number}").intent
            receipt = await engine.submit("w1", intent)
            waits.append(time.perf_counter() - before)
            assert receipt.status == OrdStatus.FILLED

    begin = time.perf_counter()
    await asyncio.gather(*(caller(mine) for mine in range(callers)))
    rate = callers * per_caller / (time.perf_counter() - begin)
    commits = list(journal.commits)
    await engine.stop()
    journal.close()
    return rate, waits, commits


def run_floor(path: Path, commits: list[list[bytes]]) -> list[float]:
    """Seconds per commit of the same bytes in the same batches."""
    conn = apsw.Connection(str(path))
    conn.execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL")
    conn.execute(
        "CREATE TABLE events (position INTEGER PRIMARY KEY, stream INTEGER, seq INTEGER, payload BLOB,"
        " UNIQUE (stream, seq))"
    )
    seq, took = 0, []
    for payloads in commits:
        begin = time.perf_counter()
        conn.execute("BEGIN IMMEDIATE")
        conn.executemany("INSERT INTO events (stream, seq, payload) VALUES (1, ?, ?)", list(enumerate(payloads, seq)))
        conn.execute("COMMIT")
        took.append(time.perf_counter() - begin)
        seq += len(payloads)
    conn.close()
    return took


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--per-caller", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    print(where())
    rates, floors, ratios, singles = [], [], [], []
    with tempfile.TemporaryDirectory() as folder:
        for turn in range(options.rounds):
            at = Path(folder)
            rate, _, commits = asyncio.run(run_engine(at / f"e{turn}.db", CALLERS, options.per_caller))
            bare = CALLERS * options.per_caller / sum(run_floor(at / f"f{turn}.db", commits))
            _, waits, alone = asyncio.run(run_engine(at / f"s{turn}.db", 1, 300))
            commit = statistics.median(run_floor(at / f"g{turn}.db", alone))
            rates.append(rate)
            floors.append(bare)
            ratios.append(rate / bare)
            singles.append((statistics.median(waits) - commit) * 1e6)
    print(
        f"{CALLERS} callers: {statistics.median(rates):,.0f} intents/s; bare commits of the same batches"
        f" {statistics.median(floors):,.0f}; ratio {statistics.median(ratios):.2f}"
    )
    print(f"one caller: p50 {statistics.median(singles):.0f} µs above a bare commit of the same events")


if __name__ == "__main__":
    main()
