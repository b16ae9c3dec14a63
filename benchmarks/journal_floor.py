"""How close does the journal come to the least work that stores the same bytes as durably?

The floor is bare apsw: the same payloads into one table with the same unique index, one transaction of the same
size, `synchronous=FULL`, no hash, no head, no checks; where the journal claims keys, so does the floor. Journal and
floor take turns within one run, and the medians' ratio is what counts; absolute figures depend on the disk.

    python benchmarks/journal_floor.py [--events 40000] [--rounds 5]
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import apsw
from rows import Measured, Row, arguments, tell

from surefill.journal import Batch, Head, Journal, KeyClaim, SqliteJournal, genesis, verified

PAYLOAD = (b'{"type":"OrderAccepted","cl_ord_id":"a1b2c3","px":101250,"qty":5,"note":"' + b"x" * 400)[:398] + b'"}'
WORKSPACES = 64
AIM = "journal"


def payloads(count: int, start: int) -> list[bytes]:
    """Distinct payloads of 400 bytes."""
    return [b"%012d" % (start + n) + PAYLOAD[12:] for n in range(count)]


def floor_file(directory: Path) -> apsw.Connection:
    """The bare table."""
    conn = apsw.Connection(str(directory / "floor.db"))
    conn.execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 1000")
    conn.execute(
        "CREATE TABLE events (position INTEGER PRIMARY KEY, stream INTEGER, seq INTEGER, payload BLOB, "
        "UNIQUE (stream, seq))"
    )
    conn.execute(
        "CREATE TABLE keys (stream INTEGER, mode TEXT, key TEXT, digest BLOB, seq INTEGER, correlation_id TEXT, "
        "PRIMARY KEY (stream, mode, key)) WITHOUT ROWID"
    )
    return conn


def run_floor(conn: apsw.Connection, commits: list[list[bytes]], streams: int, seq: int) -> None:
    """Commit each list of payloads, spread over the streams; with several streams, each claims a key."""
    for commit in commits:
        share = len(commit) // streams
        rows = [(n // share, seq + n % share, payload) for n, payload in enumerate(commit)]
        conn.execute("BEGIN IMMEDIATE")
        conn.executemany("INSERT INTO events (stream, seq, payload) VALUES (?, ?, ?)", rows)
        if streams > 1:
            keys = [(n, "paper", f"1-{seq}", b"d" * 32, seq, "c") for n in range(streams)]
            conn.executemany("INSERT INTO keys VALUES (?, ?, ?, ?, ?, ?)", keys)
        conn.execute("COMMIT")
        seq += share


def run_one_stream(journal: Journal, commits: list[list[bytes]]) -> None:
    """One workspace, one batch per commit."""
    lease = journal.open_stream("one")
    for commit in commits:
        assert journal.append([Batch(lease, commit)]) == [None]


def run_many_streams(journal: Journal, commits: list[list[bytes]]) -> None:
    """Sixty-four callers in one commit, each with its share of the events and one idempotency key."""
    leases = [journal.open_stream(f"w{n}") for n in range(WORKSPACES)]
    for commit in commits:
        share = max(len(commit) // WORKSPACES, 1)
        batches = []
        for n, lease in enumerate(leases):
            part = commit[n * share : (n + 1) * share]
            claim = KeyClaim("paper", f"{lease.epoch}-{lease.next_seq}", b"d" * 32, lease.next_seq, "c")
            batches.append(Batch(lease, part, [claim]))
        assert journal.append(batches) == [None] * WORKSPACES


def seconds(work: Callable[[], object]) -> float:
    """Wall time of one call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def compare(directory: Path, per_commit: int, events: int, rounds: int, many: bool) -> Row:
    """Events per second of the journal and of the floor, and their ratio."""
    floor, streams = floor_file(directory), WORKSPACES if many else 1
    journal = SqliteJournal(directory / "journal.db")
    run = run_many_streams if many else run_one_stream
    of_floor, of_journal = [], []
    for turn in range(rounds):
        data = payloads(events, turn * events)
        commits = [data[n : n + per_commit] for n in range(0, events, per_commit)]
        of_floor.append(seconds(partial(run_floor, floor, commits, streams, 1 + turn * events // streams)))
        of_journal.append(seconds(partial(run, journal, commits)))
    ratio = statistics.median(f / j for f, j in zip(of_floor, of_journal, strict=True))
    mine, bare = events / statistics.median(of_journal), events / statistics.median(of_floor)
    label = f"events of 400 bytes, {per_commit} per commit" + (", 64 streams with a key each" if many else "")
    journal.close()
    floor.close()
    return Row(AIM, label, f"{mine:,.0f}/s", f"bare apsw: {bare:,.0f}/s", f"{ratio:.2f}")


def reading(directory: Path, events: int) -> list[Row]:
    """How fast a stream is read, bare and verified, and how long a key takes to find."""
    with_keys = SqliteJournal(directory / "read.db")
    lease = with_keys.open_stream("one")
    keys = [KeyClaim("paper", f"key-{n}", b"d" * 32, n + 1, "c") for n in range(events)]
    with_keys.append([Batch(lease, payloads(events, 0), keys)])
    bare = seconds(lambda: [None for _ in with_keys.read("one")])
    start = Head(0, 0, genesis("one"))
    checked = seconds(lambda: [None for _ in verified(with_keys.read("one"), start)])
    looks = min(events, 10_000)
    there = seconds(lambda: [with_keys.find_key("one", "paper", f"key-{n}") for n in range(looks)])
    absent = seconds(lambda: [with_keys.find_key("one", "paper", f"none-{n}") for n in range(looks)])
    with_keys.close()
    return [
        Row(AIM, "reading, each hash checked", f"{events / checked:,.0f}/s", f"unchecked: {events / bare:,.0f}/s"),
        Row(AIM, "a key looked up", f"{there / looks * 1e6:.1f} µs", f"one not there: {absent / looks * 1e6:.1f} µs"),
    ]


def measure(events: int, rounds: int, where: Path | None) -> Measured:
    """All rows."""
    rows = []
    for per_commit, many in ((1, False), (10, False), (1_024, False), (640, True)):
        with tempfile.TemporaryDirectory(dir=where) as directory:
            size = events if per_commit > 10 else max(events // 20, 1) * per_commit
            rows.append(compare(Path(directory), per_commit, size - size % per_commit, rounds, many))
    with tempfile.TemporaryDirectory(dir=where) as directory:
        rows += reading(Path(directory), events)
    return Measured(rows)


def main() -> None:
    """Measure and print."""
    parser = arguments(__doc__)
    parser.add_argument("--events", type=int, default=40_960)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--directory", type=Path, default=None, help="where to put the files (its disk is measured)")
    options = parser.parse_args()
    tell(measure(options.events, options.rounds, options.directory), as_json=options.json)


if __name__ == "__main__":
    main()
