"""What the crash is to prove: that nobody can tell from its journal that it happened."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import zip_longest

import msgspec

from surefill.domain import codec
from surefill.domain.events import IntentAccepted, OrderCreated, OrderFilled
from surefill.domain.state import Book
from surefill.engine.claims import ClaimsReader
from surefill.engine.recovery import fold_journal
from surefill.journal import Journal, Record, Verification, verify


class Finding(msgspec.Struct, frozen=True):
    """One statement about the journals, and whether it holds."""

    ok: bool
    text: str


class Proof(msgspec.Struct, frozen=True):
    """All findings. `digest` is the SHA-256 of all payloads of the run that was never disturbed."""

    ok: bool
    digest: str
    findings: tuple[Finding, ...]


class _Seen:
    """What a journal's events say about intents, orders and executions."""

    def __init__(self) -> None:
        self.intents: Counter[str] = Counter()
        self.orders: Counter[str] = Counter()
        self.executions: Counter[str] = Counter()

    def take(self, record: Record) -> None:
        event = codec.decode(record.payload)
        if isinstance(event, IntentAccepted):
            self.intents[f"{record.workspace_id}|{event.intent.intent_id}"] += 1
        elif isinstance(event, OrderCreated) and event.intent_id:
            self.orders[f"{record.workspace_id}|{event.intent_id}"] += 1
        elif isinstance(event, OrderFilled):
            self.executions[f"{record.workspace_id}|{event.exec_id}"] += 1


def prove(undisturbed: Journal, killed: Journal, workspaces: Iterable[str]) -> Proof:
    """Compare the journal of the undisturbed run with that of the killed one."""
    names = list(workspaces)
    findings: list[Finding] = []
    digest = hashlib.sha256()
    seen = _Seen()
    for name in names:
        findings += _compared(name, undisturbed, killed, digest, seen)
    findings.append(_once(seen))
    findings += [
        _verified("undisturbed", verify(undisturbed, claims_of=ClaimsReader())),
        _verified("killed", verify(killed, claims_of=ClaimsReader())),
    ]
    return Proof(all(finding.ok for finding in findings), digest.hexdigest(), tuple(findings))


def _compared(
    name: str, undisturbed: Journal, killed: Journal, digest: hashlib._Hash, seen: _Seen
) -> Iterator[Finding]:
    count = differs_at = 0
    for mine, theirs in zip_longest(undisturbed.read(name), killed.read(name)):
        count += 1
        if mine is not None:
            digest.update(mine.payload)
        if theirs is not None:
            seen.take(theirs)
        if not differs_at and (mine is None or theirs is None or mine.payload != theirs.payload):
            differs_at = count
    same = f"{name}: all {count:,} events are the same, byte for byte"
    yield Finding(not differs_at, same if not differs_at else f"{name}: the runs differ at event {differs_at:,}")
    state, _ = fold_journal(undisturbed, name)
    other, _ = fold_journal(killed, name)
    same = f"{name}: folded, both give the same state, {state.digest()[:16]}…"
    differs = f"{name}: the folded states differ, {state.digest()[:16]}… and {other.digest()[:16]}…"
    yield Finding(state.digest() == other.digest(), same if state.digest() == other.digest() else differs)
    yield _conserved(name, other.book)


def _conserved(name: str, book: Book) -> Finding:
    """Cash is what there was, plus what was realised, less fees, less what the open positions cost: to the quantum."""
    tied_up = sum(
        position.cost * book.instruments[position.instrument_id].money_per_notional
        for position in book.positions.values()
    )
    off = book.starting_cash + book.realised - book.fees - tied_up - book.cash
    working = f"{len(book.orders)} orders are still open"
    text = f"{name}: money is conserved to the last 10^-{book.money_decimals} {book.currency}, no order is left open"
    return Finding(
        off == 0 and not book.orders, text if off == 0 and not book.orders else f"{name}: {off} quanta off, {working}"
    )


def _once(seen: _Seen) -> Finding:
    """Each accepted intent became one order, once; each execution was booked once."""
    counters = (seen.intents, seen.orders, seen.executions)
    twice = sum(count > 1 for counter in counters for count in counter.values())
    lost = len(seen.intents.keys() ^ seen.orders.keys())
    figures = f"{len(seen.intents):,} intents, {len(seen.executions):,} executions"
    text = f"nothing was done twice and nothing was lost: {figures}, each exactly once"
    return Finding(not twice and not lost, text if not twice and not lost else f"{twice} done twice, {lost} lost")


def _verified(which: str, verification: Verification) -> Finding:
    keys = sum(stream.keys for stream in verification.streams)
    epochs = ", ".join(str(stream.epoch) for stream in verification.streams)
    text = (
        f"the {which} journal verifies: {verification.events:,} hashes in {len(verification.streams)} chains,"
        f" {keys:,} idempotency keys rebuilt from the events, writers' epochs {epochs}"
    )
    return Finding(verification.ok, text if verification.ok else verification.text())
