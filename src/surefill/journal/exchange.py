"""A journal as lines of JSON, and back.

::

    {"kind":"header","format":"surefill-journal","version":1,"heads":{"main":{"seq":2,"epoch":1,"chain_hash":"…"}}}
    {"kind":"event","workspace":"main","seq":1,"epoch":1,"chain_hash":"…","payload":{…}}
    {"kind":"event_base64","workspace":"main","seq":2,"epoch":1,"chain_hash":"…","payload":"…"}
    {"kind":"key","workspace":"main","mode":"live","key":"…","digest":"…","seq":1,"correlation_id":"…"}
    {"kind":"end","events":2,"keys":1}

A payload that is JSON on one line stands in its line as it is, byte for byte, so that other tools can read it; any
other payload is in base64. Events come in order of position, keys after them. Importing checks every hash, ends at
the heads that the header promised, and either takes in everything or nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import BinaryIO, NamedTuple

import msgspec

from surefill.errors import InputError, JournalCorrupt
from surefill.journal.chain import HASH_SIZE, genesis, link, verified
from surefill.journal.protocol import Head, Journal, KeyClaim, Record

FORMAT = "surefill-journal"
VERSION = 1


class _Head(msgspec.Struct, frozen=True):
    seq: int
    epoch: int
    chain_hash: str


class _Header(msgspec.Struct, frozen=True, tag_field="kind", tag="header"):
    format: str
    version: int
    heads: dict[str, _Head]


class _Event(msgspec.Struct, frozen=True, tag_field="kind", tag="event"):
    workspace: str
    seq: int
    epoch: int
    chain_hash: str
    payload: msgspec.Raw


class _Bytes(msgspec.Struct, frozen=True, tag_field="kind", tag="event_base64"):
    workspace: str
    seq: int
    epoch: int
    chain_hash: str
    payload: bytes


class _Key(msgspec.Struct, frozen=True, tag_field="kind", tag="key"):
    workspace: str
    mode: str
    key: str
    digest: str
    seq: int
    correlation_id: str


class _End(msgspec.Struct, frozen=True, tag_field="kind", tag="end"):
    events: int
    keys: int


_Line = _Header | _Event | _Bytes | _Key | _End
_decode = msgspec.json.Decoder(_Line).decode
_encode = msgspec.json.Encoder().encode
_parse = msgspec.json.Decoder().decode


class Exchanged(NamedTuple):
    """How much was written or read."""

    events: int
    keys: int


def export_journal(journal: Journal, out: BinaryIO) -> Exchanged:
    """Write everything up to the present heads; a writer may go on writing meanwhile.

    Every event is checked against its chain. Raises `JournalCorrupt` at the first that does not continue it, or where
    a stream ends before its head: what was written by then is no copy, and has no end line.
    """
    heads = journal.heads()
    at = {name: Head(0, 0, genesis(name)) for name in heads}
    header = {name: _Head(head.seq, head.epoch, head.chain_hash.hex()) for name, head in heads.items()}
    events = keys = 0

    def put(line: _Line) -> None:
        out.write(_encode(line) + b"\n")

    put(_Header(FORMAT, VERSION, header))
    for record in journal.read_all():
        if record.workspace_id in heads and record.seq <= heads[record.workspace_id].seq:
            at[record.workspace_id] = _after(record, at[record.workspace_id])
            put(_event(record))
            events += 1
    _ends_at(heads, at)
    for name, head in heads.items():
        for mode, key, digest, seq, correlation_id in journal.read_keys(name):
            if seq <= head.seq:
                put(_Key(name, mode, key, digest.hex(), seq, correlation_id))
                keys += 1
    put(_End(events, keys))
    return Exchanged(events, keys)


def _after(record: Record, at: Head) -> Head:
    """The chain's point after the record, which is checked to be the next one."""
    for sound in verified((record,), at):
        at = Head(sound.seq, sound.epoch, sound.chain_hash)
    return at


def _ends_at(heads: dict[str, Head], at: dict[str, Head]) -> None:
    """Refuse a journal that lost the ends of its streams."""
    for name, head in heads.items():
        if (at[name].seq, at[name].chain_hash) != (head.seq, head.chain_hash):
            raise JournalCorrupt(
                f"journal of workspace {name!r} ends at event {at[name].seq}, but its head says {head.seq}: events were"
                " lost; run `surefill journal verify`, and restore from a copy that verifies",
                workspace_id=name,
                seq=at[name].seq,
            )


def import_journal(source: Iterable[bytes], journal: Journal) -> Exchanged:
    """Fill an empty journal from exported lines (an open binary file will do).

    Raises `InputError` for a line that cannot be read, `JournalCorrupt` for one that does not verify: both name the
    line. Then the journal is as empty as before.
    """
    reading = _Import(source)
    journal.restore(reading.heads, reading.records(), reading.claims())
    return Exchanged(reading.events, reading.keys)


def _event(record: Record) -> _Event | _Bytes:
    """The record's line; the payload stands in it as it is when that is safe."""
    _, name, seq, epoch, payload, chain_hash = record
    if _is_one_line_of_json(payload):
        return _Event(name, seq, epoch, chain_hash.hex(), msgspec.Raw(payload))
    return _Bytes(name, seq, epoch, chain_hash.hex(), payload)


def _is_one_line_of_json(payload: bytes) -> bool:
    if b"\n" in payload or b"\r" in payload or payload.strip() != payload:
        return False
    try:
        _parse(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return True


class _Import:
    """The lines of one file, read once, in order."""

    def __init__(self, source: Iterable[bytes]) -> None:
        self.number = 0
        self.events = 0
        self.keys = 0
        self._lines = self._decoded(source)
        header = next(self._lines)
        if not isinstance(header, _Header) or header.format != FORMAT:
            raise self.unreadable("it is not the header of a surefill journal")
        if header.version != VERSION:
            raise self.unreadable(f"version {header.version} is not known (this surefill knows {VERSION}): upgrade it")
        self.heads = {name: Head(h.seq, h.epoch, self.unhex(h.chain_hash)) for name, h in header.heads.items()}
        self._at = {name: Head(0, 0, genesis(name)) for name in self.heads}
        self._next: _Line = next(self._lines)

    def records(self) -> Iterator[Record]:
        """All events, each one verified."""
        while isinstance(self._next, _Event | _Bytes):
            line = self._next
            yield self.checked(line, bytes(line.payload))
            self.events += 1
            self._next = next(self._lines)

    def claims(self) -> Iterator[tuple[str, KeyClaim]]:
        """All keys, then the end line and its counts."""
        while isinstance(self._next, _Key):
            yield self.claim(self._next)
            self.keys += 1
            self._next = next(self._lines)
        if not isinstance(self._next, _End):
            raise self.unreadable("it is out of place: the header, events, keys and the end come in this order")
        if (self._next.events, self._next.keys) != (self.events, self.keys):
            raise self.unreadable(
                f"it counts {self._next.events} events and {self._next.keys} keys, but {self.events} and {self.keys} "
                "came before it: lines were lost or added"
            )
        if next(self._lines, None) is not None:
            raise self.unreadable("there should be nothing after the end line")

    def checked(self, line: _Event | _Bytes, payload: bytes) -> Record:
        """The line's record, if it continues its chain."""
        at = self._at.get(line.workspace)
        if at is None:
            raise self.unreadable(f"workspace {line.workspace!r} is not in the header")
        chain_hash = self.unhex(line.chain_hash)
        place_holds = line.seq == at.seq + 1 and at.epoch <= line.epoch <= self.heads[line.workspace].epoch
        if not place_holds or chain_hash != link(at.chain_hash, line.seq, line.epoch, payload):
            raise JournalCorrupt(
                f"line {self.number}: event {line.seq} of workspace {line.workspace!r} does not continue the chain "
                f"after event {at.seq}: it, or one before it, was edited, lost, added or moved; nothing was imported",
                line=self.number,
                workspace_id=line.workspace,
                seq=line.seq,
            )
        self._at[line.workspace] = Head(line.seq, line.epoch, chain_hash)
        return Record(0, line.workspace, line.seq, line.epoch, payload, chain_hash)

    def claim(self, line: _Key) -> tuple[str, KeyClaim]:
        """The line's claim, if its event is there."""
        at = self._at.get(line.workspace)
        if at is None or not 1 <= line.seq <= at.seq:
            raise self.unreadable(f"key {line.key!r} points at event {line.seq} of {line.workspace!r}, not there")
        try:
            digest = bytes.fromhex(line.digest)
        except ValueError as error:
            raise self.unreadable(f"digest {line.digest!r} is not hexadecimal") from error
        return line.workspace, KeyClaim(line.mode, line.key, digest, line.seq, line.correlation_id)

    def unhex(self, text: str) -> bytes:
        """A hash from its hexadecimal form."""
        try:
            found = bytes.fromhex(text)
        except ValueError:
            found = b""
        if len(found) != HASH_SIZE:
            raise self.unreadable(f"{text!r} is not a hash")
        return found

    def unreadable(self, why: str) -> InputError:
        """An error that names the present line."""
        return InputError(
            f"line {self.number}: {why}; nothing was imported", code="IMPORT_UNREADABLE", line=self.number
        )

    def _decoded(self, source: Iterable[bytes]) -> Iterator[_Line]:
        ended = False
        for text in source:
            self.number += 1
            try:
                line = _decode(text)
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                cut = "" if text.endswith(b"\n") else " (the file seems to be cut off here)"
                raise self.unreadable(f"{error}{cut}") from error
            ended = isinstance(line, _End)
            yield line
        if not ended:
            raise self.unreadable("the file ends here, without its end line: it was cut off")
