"""Going on with a run: find a moment from which the journal can be played again, and see that it gives what it holds.

Nothing in a journal says where a moment of the run ended: an event at a bar's close and one at the next bar's open may
have the same time. So the last moments are rehearsed, from one that begins beyond doubt: the strategy is asked again,
the engine works again, and every event must be, byte for byte, the one that is there. Where they end, the run goes on;
and a journal that was made with other bars or settings is found out.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import NamedTuple

import msgspec

from surefill.errors import JournalError, LocalError
from surefill.journal.protocol import Batch, Head, Journal, KeyClaim, Lease, Record, Snapshot
from surefill.market.series import BarSeries
from surefill.strategy.timeline import Moment

_CHUNK = 512
_SESSION = b'{"type":"SessionSet"'


class Start(NamedTuple):
    """A moment before which nothing was waiting, and the last event before it."""

    moment: int
    seq: int


class _When(msgspec.Struct):
    ts_ns: int


_WHEN = msgspec.json.Decoder(_When)


def last_event_ns(journal: Journal, workspace_id: str, last_seq: int) -> int:
    """The time of a workspace's last event."""
    return next(_times_backwards(journal, workspace_id, last_seq))[1]


def start_of_rehearsal(
    journal: Journal,
    workspace_id: str,
    last_seq: int,
    series: Mapping[str, BarSeries],
    moments: Iterable[Moment],
) -> Start:
    """The latest moment of which it is certain where its events begin, and that no intent was waiting for it.

    All instruments that trade must have a bar in it, so that whatever waited was executed; and at the time of its
    open there must be no event, so that nothing did (a session that begins there is the moment's own). If there is
    none, the run is rehearsed from its first moment.
    """
    times = _times_backwards(journal, workspace_id, last_seq)
    seq, ts_ns, begins = next(times)
    numbers, opens = array("q"), array("q")
    first_ns = ts_ns
    for number, moment in enumerate(moments):
        first_ns = min(first_ns, moment.open_ns)
        if moment.open_ns < ts_ns and _is_certain(moment, series):
            numbers.append(number)
            opens.append(moment.open_ns)
    for number, open_ns in zip(reversed(numbers), reversed(opens), strict=True):
        while ts_ns > open_ns or (ts_ns == open_ns and begins):
            seq, ts_ns, begins = next(times)
        if ts_ns < open_ns:
            return Start(number, seq)
    while ts_ns >= first_ns:
        seq, ts_ns, _ = next(times)
    return Start(0, seq)


def _is_certain(moment: Moment, series: Mapping[str, BarSeries]) -> bool:
    """Whether every instrument has a bar here, or has had its last one, or has had none yet."""
    here = {symbol for symbol, _ in moment.bars}
    return all(
        symbol in here or not len(bars) or bars.ts_ns[-1] <= moment.open_ns or bars.open_ns[0] > moment.open_ns
        for symbol, bars in series.items()
    )


def _times_backwards(journal: Journal, workspace_id: str, last_seq: int) -> Iterator[tuple[int, int, bool]]:
    """Sequence number and time of the events, and whether a session begins, the last one first.

    At the end event 0, before all time.
    """
    end = last_seq
    while end > 0:
        first = max(end - _CHUNK + 1, 1)
        records = list(journal.read(workspace_id, first, end))
        for record in reversed(records):
            yield record.seq, _WHEN.decode(record.payload).ts_ns, record.payload.startswith(_SESSION)
        end = first - 1
    yield 0, -(2**63), False


class Rehearsal:
    """A `Journal` as it stood after event `seq` of one workspace, which accepts only the events that follow there."""

    def __init__(self, journal: Journal, workspace_id: str, seq: int) -> None:
        self._journal = journal
        self._workspace_id = workspace_id
        self.seq = seq

    def open_stream(self, workspace_id: str) -> Lease:
        """A lease that is good here alone; the stream's writer stays what it is."""
        last = next(self._journal.read(workspace_id, self.seq, self.seq))
        return Lease(workspace_id, last.epoch, last.seq + 1, last.chain_hash)

    def append(self, batches: Sequence[Batch]) -> list[JournalError | None]:
        """Compare with what is there. Raises LocalError (RUN_CHANGED) at the first event that differs."""
        for lease, payloads, _ in batches:
            there = self._journal.read(self._workspace_id, self.seq + 1, self.seq + len(payloads))
            for payload, record in zip_longest(payloads, there):
                if record is None or payload != record.payload:
                    raise self._changed(payload, record)
                self.seq += 1
                lease.next_seq, lease.head_hash = record.seq + 1, record.chain_hash
        return [None] * len(batches)

    def _changed(self, payload: bytes, record: Record | None) -> LocalError:
        there = "missing" if record is None else _shown(record.payload)
        return LocalError(
            f"workspace {self._workspace_id} holds another run: with these bars and settings event {self.seq + 1} would"
            f" be {_shown(payload)}, but it is {there}; go on with what it was begun with, or use a new workspace",
            code="RUN_CHANGED",
            workspace_id=self._workspace_id,
            seq=self.seq + 1,
        )

    def read(self, workspace_id: str, from_seq: int = 1, to_seq: int | None = None) -> Iterator[Record]:
        """What has been rehearsed, or was there before."""
        return self._journal.read(workspace_id, from_seq, self.seq if to_seq is None else min(to_seq, self.seq))

    def read_all(self, after_position: int = 0) -> Iterator[Record]:
        """See `Journal.read_all`."""
        return self._journal.read_all(after_position)

    def find_key(self, workspace_id: str, mode: str, key: str) -> KeyClaim | None:
        """A claim, unless it is still to be rehearsed."""
        claim = self._journal.find_key(workspace_id, mode, key)
        return claim if claim is not None and claim.seq <= self.seq else None

    def find_keys(self, workspace_id: str, mode: str, keys: Sequence[str]) -> dict[str, KeyClaim]:
        """Claims, unless they are still to be rehearsed."""
        found = self._journal.find_keys(workspace_id, mode, keys)
        return {key: claim for key, claim in found.items() if claim.seq <= self.seq}

    def read_keys(self, workspace_id: str) -> Iterator[KeyClaim]:
        """See `Journal.read_keys`."""
        return (claim for claim in self._journal.read_keys(workspace_id) if claim.seq <= self.seq)

    def save_snapshot(self, snapshot: Snapshot) -> None:
        """Nothing: the journal has its own."""

    def load_snapshot(
        self, workspace_id: str, evolve_version: int, ignored: list[str] | None = None
    ) -> Snapshot | None:
        """The journal's, unless it was made later."""
        snapshot = self._journal.load_snapshot(workspace_id, evolve_version, ignored)
        return snapshot if snapshot is not None and snapshot.seq <= self.seq else None

    def heads(self) -> dict[str, Head]:
        """See `Journal.heads`; this workspace ends where it has been rehearsed to."""
        heads = self._journal.heads()
        here = next(self._journal.read(self._workspace_id, self.seq, self.seq))
        return {**heads, self._workspace_id: Head(here.seq, here.epoch, here.chain_hash)}

    def restore(
        self, heads: Mapping[str, Head], records: Iterable[Record], claims: Iterable[tuple[str, KeyClaim]]
    ) -> None:
        """Not here."""
        raise LocalError("a rehearsal takes in nothing but the events that it rehearses")

    def self_check(self) -> list[str]:
        """See `Journal.self_check`."""
        return self._journal.self_check()

    def free_bytes(self) -> int:
        """See `Journal.free_bytes`."""
        return self._journal.free_bytes()

    def reopen(self) -> None:
        """Nothing to reopen."""

    def close(self) -> None:
        """Nothing: the journal is another's."""


def _shown(payload: bytes | None) -> str:
    if payload is None:
        return "missing"
    text = payload.decode(errors="replace")
    return text if len(text) <= 120 else f"{text[:117]}..."
