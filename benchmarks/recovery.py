"""How fast a journal becomes the state again: read, verify every hash, decode, fold.

A million events of real order flow on SQLite; then the start from a snapshot near the end of the journal.

    python benchmarks/recovery.py [--events 1000000]
"""

from __future__ import annotations

import argparse
import resource
import tempfile
from pathlib import Path

from setting import market_intent, open_writer, seconds, where

from surefill.domain.evolve import EVOLVE_VERSION
from surefill.engine.recovery import fold_journal
from surefill.journal import SqliteJournal

BATCH = 500


def fill(path: Path, events: int) -> str:
    """Write the journal; a snapshot is taken 1,000 events before its end. Returns the state's digest."""
    journal = SqliteJournal(path)
    writer = open_writer(journal)
    writer.snapshot_every = 10**12
    number = saved = 0
    while writer.state.book.seq < events:
        for _ in range(BATCH):
            writer.submit(market_intent(number))
            number += 1
        writer.flush()
        if not saved and writer.state.book.seq > events - 4 * BATCH:
            writer.save_snapshot()
            saved = writer.state.book.seq
    digest = writer.state.digest()
    journal.close()
    return digest


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000)
    options = parser.parse_args()
    print(where())
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "journal.db"
        digest = fill(path, options.events)
        journal = SqliteJournal(path)
        count = journal.heads()["w1"].seq
        states = []
        took = seconds(lambda: states.append(fold_journal(journal, "w1", count)[0]))
        assert states[0].digest() == digest
        print(f"folded {count:,} events with every hash checked: {count / took:,.0f} events/s ({took:.2f} s)")
        assert journal.load_snapshot("w1", EVOLVE_VERSION) is not None
        took = seconds(lambda: states.append(fold_journal(journal, "w1")[0]))
        assert states[1].digest() == digest
        print(f"start from the snapshot: {took * 1e3:.1f} ms")
        journal.close()
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"peak memory of this process (writing and folding): {peak_mb:.0f} MB")


if __name__ == "__main__":
    main()
