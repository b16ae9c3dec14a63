"""What one MARKET intent costs on the paper venue: gates, order, fill, ledger, every event encoded and chained.

Profile v2 with all its gates, memory journal, one commit per intent. The floor is the least Python that could fill
an order: price with slippage, position and cash as integers, one object kept. Asserted: every order filled, the money
conserved to the last integer, the replayed state equal.

    python benchmarks/order_path.py [--intents 100000] [--rounds 5]
"""

from __future__ import annotations

import argparse
import gc
import statistics
import time

from setting import NIFTY, interleaved, market_intent, open_writer, where

from surefill.engine.recovery import fold_journal
from surefill.engine.writer import WorkspaceWriter
from surefill.journal import MemoryJournal
from surefill.rules.codes import OrdStatus

US = 1e6


def drive(writer: WorkspaceWriter, first: int, count: int, latencies: list[float]) -> float:
    """Microseconds per intent, submitted and committed one by one."""
    clock = time.perf_counter
    begin = clock()
    for number in range(first, first + count):
        before = clock()
        writer.submit(market_intent(number))
        (ticket,) = writer.flush()
        latencies.append(clock() - before)
        assert ticket.receipt is not None
        assert ticket.receipt.status == OrdStatus.FILLED
    return (clock() - begin) / count * US


def floor(count: int) -> float:
    """Microseconds per order of the bare loop."""
    kept: list[tuple[int, int, int, int]] = []
    position = cost = cash = 0
    begin = time.perf_counter()
    for number in range(count):
        side = 1 if number % 2 == 0 else -1
        px = 1_950_000 + side * 975
        position += side
        cost += side * px
        cash -= side * px
        kept.append((number, side, px, cash))
    assert (len(kept), position, cost) == (count, count % 2, -cash)
    return (time.perf_counter() - begin) / count * US


def check(writer: WorkspaceWriter) -> None:
    """The money adds up and the journal gives the state back."""
    book = writer.state.book
    position = book.positions[NIFTY.instrument_id]
    open_cost = position.cost * NIFTY.money_per_notional
    assert book.cash + open_cost == book.starting_cash + book.realised - book.fees
    folded, _ = fold_journal(writer.journal, writer.workspace_id)
    assert folded.digest() == writer.state.digest()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--intents", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    print(where())
    writer = open_writer(MemoryJournal())
    latencies: list[float] = []
    part = options.intents // 10
    parts = [drive(writer, n * part, part, latencies) for n in range(10)]
    check(writer)
    p50 = statistics.median(latencies) * US
    print(f"{options.intents:,} intents: {statistics.median(parts):.1f} µs each, p50 {p50:.1f} µs")
    print(f"last tenth / first tenth: {parts[-1] / parts[0]:.2f}")
    del writer
    gc.collect()

    def one_round() -> float:
        fresh = open_writer(MemoryJournal())
        return drive(fresh, 0, 5_000, [])

    ours, bare = interleaved(options.rounds, [one_round, lambda: floor(5_000)])
    print(f"surefill {ours:.1f} µs, bare loop {bare:.2f} µs: {ours / bare:.0f} x the floor")


if __name__ == "__main__":
    main()
