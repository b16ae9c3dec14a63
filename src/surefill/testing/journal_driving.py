"""Driving a journal in tests: short ways to claim, append, compare and fill at random."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import groupby

from surefill.journal import Batch, Head, Journal, KeyClaim, Lease, Record

AWKWARD_PAYLOADS = [b"", b"\0", b"\0\xff" * 300, b'{"a":1}', b' {"a" : 1} ', b"line\nline", b"x" * 100_000]
AWKWARD_NAMES = ["main", "", "wörk 空", "a'b\"c;--", "x" * 300, "a\0b"]


def claim(seq: int, key: str, mode: str = "paper", digest: bytes = b"digest") -> KeyClaim:
    """An idempotency claim."""
    return KeyClaim(mode, key, digest, seq, f"correlation-{key}")


def add(journal: Journal, lease: Lease, *payloads: bytes, keys: tuple[KeyClaim, ...] = ()) -> None:
    """Append one batch that must be accepted."""
    assert journal.append([Batch(lease, payloads, keys)]) == [None]


@contextmanager
def raises(kind: type[BaseException], *words: str) -> Iterator[None]:
    """The block must raise `kind`, with these words in its message."""
    raised: BaseException | None = None
    try:
        yield
    except kind as error:
        raised = error
    assert raised is not None, f"{kind.__name__} was not raised"
    missing = [word for word in words if word not in str(raised)]
    assert not missing, f"{missing} not in {raised}"


def contents(journal: Journal) -> tuple[dict[str, Head], list[Record], dict[str, list[KeyClaim]]]:
    """All that a journal holds."""
    heads = journal.heads()
    return heads, list(journal.read_all()), {name: list(journal.read_keys(name)) for name in heads}


def filled_at_random(journal: Journal, seed: int, calls: int = 150) -> Journal:
    """The same calls for the same seed: appends large and small, refused and accepted, takeovers, reopenings."""
    chance = random.Random(seed)  # nosec B311: reproducible chance for tests
    names = [f"w{n}" for n in range(4)]
    leases = {name: [journal.open_stream(name)] for name in names}
    for _ in range(calls):
        match chance.choices(["append", "takeover", "reopen"], [90, 8, 2])[0]:
            case "append":
                _append_at_random(journal, chance, leases)
            case "takeover":
                name = chance.choice(names)
                leases[name].append(journal.open_stream(name))
            case _:
                journal.reopen()
                leases = {name: [journal.open_stream(name)] for name in names}
    return journal


def _append_at_random(journal: Journal, chance: random.Random, leases: dict[str, list[Lease]]) -> None:
    batches: list[Batch] = []
    offsets: dict[Lease, int] = {}
    for _ in range(chance.randint(0, 5)):
        lease = chance.choice(leases[chance.choice(sorted(leases))][-2:])
        payloads = [b'{"n":%d}' % chance.randint(0, 9) for _ in range(chance.choice([0, 1, 1, 2, 5]))]
        first = lease.next_seq + offsets.get(lease, 0)
        keys = [claim(first + n, f"k{chance.randint(0, 60)}") for n in range(len(payloads)) if chance.random() < 0.2]
        offsets[lease] = offsets.get(lease, 0) + len(payloads)
        batches.append(Batch(lease, payloads, keys))
    before = {name: head.seq for name, head in journal.heads().items()}
    results = journal.append(batches)
    kept = [batch for batch, result in zip(batches, results, strict=True) if result is None]
    for name, group in groupby(sorted(kept, key=_name), key=_name):
        assert journal.heads()[name].seq == before[name] + sum(len(batch.payloads) for batch in group)


def _name(batch: Batch) -> str:
    return batch.lease.workspace_id
