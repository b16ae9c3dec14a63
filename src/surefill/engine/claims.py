"""Idempotency keys: what one stands for, and which ones a journal's events claim."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Final

import msgspec

from surefill.domain import codec
from surefill.domain.events import IntentAccepted, WorkspaceOpened
from surefill.domain.intent import Intent
from surefill.journal.protocol import KeyClaim, Record

#: Streams of run plans begin with it: their events are not the domain's, and claim nothing.
RUN_PREFIX: Final = "~sweep:"
Content = tuple[Intent, int]
CONTENT = msgspec.json.Encoder()


def content_of(intent: Intent, given_px: int) -> Content:
    """What an idempotency key stands for: the intent without its story, and the price that came with it."""
    return msgspec.structs.replace(intent, correlation_id=""), given_px


def content_digest(intent: Intent, given_px: int) -> bytes:
    """The digest of what a key stands for."""
    return hashlib.sha256(CONTENT.encode(content_of(intent, given_px))).digest()


class ClaimsReader:
    """Rebuilds claims from events, record by record: what `journal.verify` compares the stored ones with."""

    def __init__(self) -> None:
        self._modes: dict[str, str] = {}

    def __call__(self, record: Record) -> Iterator[KeyClaim]:
        """The keys that this event claims."""
        if record.workspace_id.startswith(RUN_PREFIX):
            return
        event = codec.decode(record.payload)
        if isinstance(event, WorkspaceOpened):
            self._modes[record.workspace_id] = event.mode
        elif isinstance(event, IntentAccepted) and event.intent.intent_id:
            digest = content_digest(event.intent, event.given_px)
            mode = self._modes[record.workspace_id]
            yield KeyClaim(mode, event.intent.intent_id, digest, record.seq, event.correlation_id)
