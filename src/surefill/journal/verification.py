"""Prove what can be proved about a journal, and say what cannot.

The chain alone proves that nobody changed one thing and left the rest: an edit, a deletion, an insertion or a
reordering breaks it at that event. It cannot prove that nobody wrote the whole end anew, or cut it off. An anchor
can (`journal.anchors`): what it saw must still be there, hash for hash; what came after the latest one is the
unanchored window.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import msgspec

from surefill.journal.anchors import Anchor, AnchoredHead
from surefill.journal.chain import genesis, link
from surefill.journal.protocol import Head, Journal, KeyClaim, Record

FAULTS_LISTED_MAX = 20

ClaimsOf = Callable[[Record], Iterable[KeyClaim]]


class StreamVerification(msgspec.Struct, frozen=True):
    """What is known of one stream.

    `first_bad_seq` is the first event that does not verify, None if all do. `anchored_seq` is the last event that an
    anchor vouches for, 0 if none: events after it form the unanchored window.
    """

    workspace_id: str
    events: int
    first_seq: int
    last_seq: int
    head_hash: str
    epoch: int
    keys: int
    anchored_seq: int
    first_bad_seq: int | None
    faults: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Nothing was found wrong."""
        return not self.faults

    @property
    def unanchored(self) -> int:
        """How many events at the end no anchor vouches for."""
        return max(self.last_seq - self.anchored_seq, 0)


class Verification(msgspec.Struct, frozen=True):
    """What is known of a journal: its streams, and what the storage itself found wrong."""

    streams: tuple[StreamVerification, ...]
    storage_faults: tuple[str, ...]
    keys_rebuilt: bool

    @property
    def ok(self) -> bool:
        """Nothing was found wrong."""
        return not self.storage_faults and all(stream.ok for stream in self.streams)

    @property
    def events(self) -> int:
        """Events of all streams."""
        return sum(stream.events for stream in self.streams)

    def text(self) -> str:
        """The findings for a person: what is proved, what is wrong, what nobody can know."""
        lines = [f"storage: {fault}" for fault in self.storage_faults]
        for stream in self.streams:
            lines += _describe(stream)
        if not self.keys_rebuilt:
            lines.append("keys: each points at an event that is there; that none is missing was not checked")
        lines.append("the journal verifies" if self.ok else "THE JOURNAL DOES NOT VERIFY")
        return "\n".join(lines)


def verify(journal: Journal, anchors: Iterable[Anchor] = (), claims_of: ClaimsOf | None = None) -> Verification:
    """Walk the whole journal; a writer may go on writing meanwhile.

    With `claims_of`, which says which keys an event claims, the keys are rebuilt from the events and compared;
    without, each claim must only point at an event that is there.
    """
    before = journal.heads()
    promised: dict[str, list[tuple[AnchoredHead, int]]] = {}
    for made in anchors:
        for name, head in made.heads.items():
            promised.setdefault(name, []).append((head, made.ts_ns))
    walks = []
    for name in [*before, *sorted(promised.keys() - before.keys())]:
        walk = _Walk(name, before.get(name), promised.get(name, []), claims_of)
        walk.events_of(journal.read(name))
        walk.keys_of(journal.read_keys(name))
        walks.append(walk)
    after = journal.heads()
    return Verification(
        tuple(walk.verdict(after.get(walk.workspace_id)) for walk in walks),
        tuple(journal.self_check()),
        claims_of is not None,
    )


class _Walk:
    """One stream on its way through the verifier. After a fault it goes on from what is stored, to find the next."""

    def __init__(
        self,
        workspace_id: str,
        head: Head | None,
        promised: list[tuple[AnchoredHead, int]],
        claims_of: ClaimsOf | None,
    ) -> None:
        self.workspace_id = workspace_id
        self.head = head
        self.promised = promised
        self.claims_of = claims_of
        self.events = self.keys = self.first_seq = self.last_seq = self.last_epoch = self.anchored_seq = 0
        self.last_hash = genesis(workspace_id)
        self.first_bad_seq: int | None = None
        self.faults: list[str] = []
        self.unlisted = 0
        self.claims: dict[tuple[str, str], KeyClaim] = {}
        self.strays: list[KeyClaim] = []  # of events beyond those read: fine only if they came since
        self.wanted = {head.seq for head, _ in promised} | ({head.seq} if head else set())
        self.hashes: dict[int, bytes] = {0: self.last_hash}

    def fault(self, seq: int, text: str) -> None:
        if self.first_bad_seq is None or seq < self.first_bad_seq:
            self.first_bad_seq = seq
        if len(self.faults) < FAULTS_LISTED_MAX:
            self.faults.append(text)
        else:
            self.unlisted += 1

    def events_of(self, records: Iterator[Record]) -> None:
        """Check order, epochs and hashes; remember the hashes that were promised elsewhere."""
        for record in records:
            _, _, seq, epoch, payload, chain_hash = record
            if seq != self.last_seq + 1:
                self.out_of_place(seq)
            if epoch < self.last_epoch:
                self.fault(seq, f"event {seq}: its epoch {epoch} is below {self.last_epoch}, that of the one before")
            if chain_hash != link(self.last_hash, seq, epoch, payload):
                self.fault(seq, f"event {seq}: its hash is not that of its content and of the event before")
            self.first_seq = self.first_seq or seq
            self.events += 1
            self.last_seq, self.last_epoch, self.last_hash = seq, epoch, chain_hash
            if seq in self.wanted:
                self.hashes[seq] = chain_hash
            if self.claims_of is not None:
                self.claims.update(((c.mode, c.key), c) for c in self.claims_of(record))

    def out_of_place(self, seq: int) -> None:
        expected = self.last_seq + 1
        if seq < expected:
            self.fault(seq, f"event {seq}: it is there more than once")
        elif seq == expected + 1:
            self.fault(expected, f"event {expected} is missing")
        else:
            self.fault(expected, f"events {expected} to {seq - 1} are missing")

    def keys_of(self, claims: Iterator[KeyClaim]) -> None:
        """Check each claim against the events, or against the claims rebuilt from them."""
        for claim in claims:
            self.keys += 1
            name = f"key {claim.key!r} of mode {claim.mode!r}"
            if not 1 <= claim.seq <= self.last_seq:
                self.strays.append(claim)
            elif self.claims_of is not None and self.claims.pop((claim.mode, claim.key), None) != claim:
                self.fault(claim.seq, f"{name} is not what event {claim.seq} claims")
        for claim in self.claims.values():
            self.fault(claim.seq, f"key {claim.key!r} of mode {claim.mode!r}, claimed by event {claim.seq}, is missing")

    def verdict(self, after: Head | None) -> StreamVerification:
        """Compare with the head before and after the walk, and with the anchors."""
        if self.head is not None:
            self.check_head(self.head, after or self.head)
        for claim in self.strays:
            if not self.last_seq < claim.seq <= (after.seq if after else 0):
                where = f"points at event {claim.seq}, which is not there"
                self.fault(claim.seq, f"key {claim.key!r} of mode {claim.mode!r} {where}")
        for head, ts_ns in self.promised:
            self.check_anchor(head, ts_ns, after)
        if self.unlisted:
            self.faults.append(f"and {self.unlisted} more")
        return StreamVerification(
            workspace_id=self.workspace_id,
            events=self.events,
            first_seq=self.first_seq,
            last_seq=self.last_seq,
            head_hash=self.last_hash.hex(),
            epoch=after.epoch if after else 0,
            keys=self.keys,
            anchored_seq=self.anchored_seq,
            first_bad_seq=self.first_bad_seq,
            faults=tuple(self.faults),
        )

    def check_head(self, before: Head, after: Head) -> None:
        if self.last_seq < before.seq:
            self.fault(
                self.last_seq + 1,
                f"the end was cut off: the head says {before.seq} events, the last is {self.last_seq}",
            )
        elif before.seq in self.hashes and self.hashes[before.seq] != before.chain_hash:
            self.fault(before.seq, f"event {before.seq}: its hash is not that of the stream's head")
        if self.last_seq > after.seq:
            self.fault(after.seq + 1, f"events after {after.seq} stand beyond the stream's head")
        if self.last_epoch > after.epoch:
            self.fault(
                self.last_seq, f"event {self.last_seq}: its epoch {self.last_epoch} is above the stream's {after.epoch}"
            )

    def check_anchor(self, head: AnchoredHead, ts_ns: int, after: Head | None) -> None:
        which = f"the anchor at event {head.seq}" + (f" (made at {ts_ns} ns)" if ts_ns else "")
        if after is None:
            self.fault(1, f"the whole stream is gone: {which} saw it")
        elif head.seq > self.last_seq:
            self.fault(self.last_seq + 1, f"the end was cut off: {which} saw more than the {self.last_seq} events left")
        elif self.hashes.get(head.seq, b"").hex() != head.chain_hash:
            self.fault(head.seq, f"event {head.seq} or one before it was written anew: {which} saw another hash")
        elif head.epoch > after.epoch:
            self.fault(head.seq, f"the epoch went back: {which} saw {head.epoch}, it is {after.epoch}")
        else:
            self.anchored_seq = max(self.anchored_seq, head.seq)


def _describe(stream: StreamVerification) -> list[str]:
    """One stream in words."""
    name = f"workspace {stream.workspace_id}"
    span = f"events {stream.first_seq} to {stream.last_seq}" if stream.events else "no events"
    lines = [f"{name}: {span} ({stream.events}), epoch {stream.epoch}, {stream.keys} keys, head {stream.head_hash}"]
    lines += [f"  WRONG {fault}" for fault in stream.faults]
    if stream.ok:
        lines.append("  proved: no event was edited, deleted, inserted or reordered between the first and the last")
    if stream.anchored_seq:
        lines.append(f"  proved: events up to {stream.anchored_seq} are those that an anchor saw")
    if stream.unanchored:
        lines.append(
            f"  not anchored: the last {stream.unanchored} events; whoever can write the journal could have replaced "
            "them all, or cut some off, unseen"
        )
    return lines
