"""Idempotency keys: what one stands for, and which ones a journal's events claim."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import msgspec

from surefill.domain import codec
from surefill.domain.events import IntentAccepted, WorkspaceOpened
from surefill.domain.intent import Intent
from surefill.errors import InputError
from surefill.journal.protocol import KeyClaim, Record

_CONTENT = msgspec.json.Encoder()


def content_digest(intent: Intent, given_px: int) -> bytes:
    """What an idempotency key stands for: the intent without its story, and the price that came with it.

    Without a key it is b"". Raises InputError for text that is not valid Unicode: no journal could hold it.
    """
    try:
        intent.correlation_id.encode()
        if not intent.intent_id:
            _CONTENT.encode(intent)
            return b""
        content = msgspec.structs.replace(intent, correlation_id="")
        return hashlib.sha256(_CONTENT.encode((content, given_px))).digest()
    except UnicodeEncodeError as error:
        raise InputError(f"an intent's text is not valid Unicode: {error}", code="NOT_UNICODE") from error


class ClaimsReader:
    """Rebuilds claims from events, record by record: what `journal.verify` compares the stored ones with."""

    def __init__(self) -> None:
        self._modes: dict[str, str] = {}

    def __call__(self, record: Record) -> Iterator[KeyClaim]:
        """The keys that this event claims."""
        event = codec.decode(record.payload)
        if isinstance(event, WorkspaceOpened):
            self._modes[record.workspace_id] = event.mode
        elif isinstance(event, IntentAccepted) and event.intent.intent_id:
            digest = content_digest(event.intent, event.given_px)
            mode = self._modes[record.workspace_id]
            yield KeyClaim(mode, event.intent.intent_id, digest, record.seq, event.correlation_id)
