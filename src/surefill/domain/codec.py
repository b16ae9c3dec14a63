"""Events to bytes and back.

The payload is compact JSON with the event's name under `type`: readable, and canonical because one struct encodes
one way. What older programs wrote is brought up to date by name: an upcaster takes the old fields and returns
those of the newer event, until a name is reached that is current.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from surefill.domain.events import EVENT_TYPES, Event
from surefill.errors import JournalCorrupt, JournalNewer

Upcaster = Callable[[dict[str, Any]], dict[str, Any]]

#: Old event name -> function from its fields to those of the next shape (its new name under `type`).
UPCASTERS: Mapping[str, Upcaster] = {}

_ANY_EVENT: Any = functools.reduce(operator.or_, EVENT_TYPES)
_ENCODER = msgspec.json.Encoder()
_DECODER: msgspec.json.Decoder[Event] = msgspec.json.Decoder(_ANY_EVENT)
_CURRENT = frozenset(kind.__name__ for kind in EVENT_TYPES)

encode: Callable[[Event], bytes] = _ENCODER.encode


def decode(payload: bytes, upcasters: Mapping[str, Upcaster] = UPCASTERS) -> Event:
    """The event of a payload, brought up to date if an older program wrote it."""
    try:
        return _DECODER.decode(payload)
    except msgspec.ValidationError as error:
        return _upcast(payload, upcasters, error)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise JournalCorrupt(f"an event is not readable JSON: {error}") from error


def _parsed(payload: bytes) -> Any:
    try:
        return msgspec.json.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise JournalCorrupt(f"an event is not readable JSON: {error}") from error


def _upcast(payload: bytes, upcasters: Mapping[str, Upcaster], error: Exception) -> Event:
    fields = _parsed(payload)
    if not isinstance(fields, dict) or not isinstance(fields.get("type"), str):
        raise JournalCorrupt("an event is not a JSON object that says its type") from error
    while (name := fields["type"]) in upcasters:
        fields = upcasters[name](fields)
    if name not in _CURRENT:
        raise JournalNewer(f"event {name!r} is not known here: a newer surefill wrote it, use that one") from error
    try:
        event: Event = msgspec.convert(fields, _ANY_EVENT)
        return event
    except msgspec.ValidationError as again:
        raise JournalCorrupt(f"event {name!r} does not have the shape its name promises: {again}") from again
