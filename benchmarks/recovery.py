"""How fast a journal becomes the state again: read, verify every hash, decode, fold.

A million events of real order flow on SQLite; then the start from a snapshot near the end of the journal. Each is
done by a process of its own, whose peak memory counts. The floor reads the same rows with bare apsw, hashes each one
and parses it as JSON of no particular shape. Asserted: the state is the one that was written.

    python benchmarks/recovery.py [--events 1000000] [--rounds 5]
    python benchmarks/recovery.py --large      # besides, a journal of 10 million: minutes, and 8 GB of disk
"""

from __future__ import annotations

import json
import resource
import statistics
import subprocess
import sys
import tempfile
from functools import partial
from hashlib import sha256
from pathlib import Path

import apsw
import msgspec
from rows import Measured, Row, arguments, tell
from setting import market_intent, open_writer, seconds

from surefill.engine.recovery import fold_journal
from surefill.journal import SqliteJournal

AIM = "recovery"
LARGE = 10_000_000
BATCH = 500
FOLD, START, FLOOR = "fold", "start", "floor"


def fill(path: Path, events: int) -> str:
    """Write the journal; a snapshot is taken some commits before its end. Returns the state's digest."""
    journal = SqliteJournal(path)
    writer = open_writer(journal)
    writer.snapshot_every = 10**12
    number, saved = 0, False
    while writer.state.book.seq < events:
        for _ in range(BATCH):
            writer.submit(market_intent(number))
            number += 1
        writer.flush()
        if not saved and writer.state.book.seq > events - 8 * BATCH:
            writer.save_snapshot()
            saved = True
    digest = writer.state.digest()
    journal.close()
    return digest


def bare(path: Path) -> None:
    """Read, hash, parse: nothing kept, nothing compared."""
    conn = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    head = b""
    for seq, payload in conn.execute("SELECT seq, payload FROM events WHERE stream = 1 ORDER BY seq"):
        head = sha256(b"%d" % seq + head + payload).digest()
        msgspec.json.decode(payload)
    conn.close()


def child(work: str, path: Path) -> dict[str, object]:
    """What a process of its own does, and what it tells."""
    if work == FLOOR:
        return {"seconds": seconds(partial(bare, path))}
    states = []

    def begin() -> None:
        """Open the journal and fold it, all of it or from its snapshot on."""
        journal = SqliteJournal(path)
        to_seq = journal.heads()["w1"].seq if work == FOLD else None
        states.append(fold_journal(journal, "w1", to_seq)[0])
        journal.close()

    took = seconds(begin)
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    state = states[0]
    return {"seconds": took, "events": state.book.seq, "peak_mb": peak_mb, "digest": state.digest()}


def apart(work: str, path: Path) -> dict[str, float]:
    """`child` in a process of its own."""
    command = [sys.executable, __file__, "--child", work, str(path)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    told: dict[str, float] = json.loads(done.stdout)
    return told


def fold_rows(path: Path, digest: str, rounds: int) -> list[Row]:
    """The fold of the whole journal beside its floor."""
    rates, ratios, peaks, floors = [], [], [], []
    for _ in range(rounds):
        folded, floor = apart(FOLD, path), apart(FLOOR, path)
        assert folded["digest"] == digest
        count = folded["events"]
        rates.append(count / folded["seconds"])
        floors.append(count / floor["seconds"])
        ratios.append(rates[-1] / floors[-1])
        peaks.append(folded["peak_mb"])
    rate, peak = statistics.median(rates), max(peaks)
    return [
        Row(
            AIM,
            f"fold of {count:,} events, every hash checked",
            f"{rate:,.0f}/s",
            f"bare read, hash, parse: {statistics.median(floors):,.0f}/s",
            f"{statistics.median(ratios):.2f}",
            "≥ 300,000/s",
            rate >= 300_000,
        ),
        Row(AIM, "its memory, at most", f"{peak:.0f} MB", target="≤ 200 MB", met=peak <= 200),
    ]


def start_rows(path: Path, digest: str, rounds: int) -> list[Row]:
    """The start from the snapshot."""
    told = [apart(START, path) for _ in range(rounds)]
    assert all(each["digest"] == digest for each in told)
    took, peak = statistics.median(each["seconds"] for each in told), max(each["peak_mb"] for each in told)
    what = f"start of {told[0]['events']:,} events from the snapshot"
    return [
        Row(AIM, what, f"{took * 1e3:.0f} ms", target="≤ 1 s", met=took <= 1),
        Row(AIM, "its memory, at most", f"{peak:.0f} MB", target="≤ 200 MB", met=peak <= 200),
    ]


def measure(events: int, rounds: int, *, large: bool) -> Measured:
    """All rows."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "journal.db"
        digest = fill(path, events)
        rows = fold_rows(path, digest, rounds) + start_rows(path, digest, rounds)
    if large:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "journal.db"
            rows += start_rows(path, fill(path, LARGE), rounds)
    return Measured(rows)


def main() -> None:
    """Measure and print."""
    parser = arguments(__doc__)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--large", action="store_true", help="the start of 10 million events as well")
    parser.add_argument("--child", nargs=2, metavar=("WORK", "PATH"), help="used by this program itself")
    options = parser.parse_args()
    if options.child:
        print(json.dumps(child(options.child[0], Path(options.child[1]))))
        return
    tell(measure(options.events, options.rounds, large=options.large), as_json=options.json)


if __name__ == "__main__":
    main()
