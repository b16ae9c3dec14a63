"""Every event goes to bytes and back; older shapes are brought up to date; what cannot be read is told apart."""

from __future__ import annotations

import enum
import types
import typing
from typing import Any

import msgspec
import pytest

from surefill.domain import codec
from surefill.domain.events import EVENT_TYPES, Event, Resumed, StopMoved
from surefill.errors import JournalCorrupt, JournalNewer

BIG = 2**70 + 1


def _example(kind: Any, full: bool) -> Any:
    """A value of a field's type: the least there is, or one with everything in it."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (types.UnionType, typing.Union):
        return _example(arguments[0], full) if full else None
    if origin is tuple:
        members = arguments[:1] if arguments[-1] is ... else arguments
        return tuple(_example(member, full) for member in members) if full or arguments[-1] is not ... else ()
    if origin is dict:
        return {"k": _example(arguments[1], full)} if full else {}
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return _filled(kind, full)
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return list(kind)[-1 if full else 0]
    return {int: BIG if full else 0, str: 'ä"\n空' if full else "", bool: full}[kind]


def _filled(kind: type[msgspec.Struct], full: bool) -> Any:
    hints = typing.get_type_hints(kind)
    fields = {field.name: _example(hints[field.name], full) for field in msgspec.structs.fields(kind)}
    return kind(**fields)


@pytest.mark.parametrize("full", [True, False])
@pytest.mark.parametrize("kind", EVENT_TYPES)
def test_event_through_bytes_is_the_same(kind: type[Event], full: bool) -> None:
    event = _filled(kind, full)
    payload = codec.encode(event)
    assert codec.decode(payload) == event
    assert type(codec.decode(payload)) is kind
    assert codec.encode(codec.decode(payload)) == payload
    assert msgspec.json.decode(payload)["type"] == kind.__name__


def test_events_names_are_distinct_and_all_known() -> None:
    names = [kind.__name__ for kind in EVENT_TYPES]
    assert len(set(names)) == len(names)
    assert set(Event.__subclasses__()) == set(EVENT_TYPES)


# A made-up history of StopMoved: at first it was called StopShifted and told its price as text, then StopMovedV2.
UPCASTERS = {
    "StopShifted": lambda fields: {**fields, "type": "StopMovedV2", "px": int(fields["px"])},
    "StopMovedV2": lambda fields: {
        **{name: value for name, value in fields.items() if name != "level"},
        "type": "StopMoved",
        "stop_px": fields["level"],
    },
}
OLD = {
    "type": "StopShifted",
    "ts_ns": 7,
    "correlation_id": "c",
    "causation_seq": 3,
    "position": "X",
    "level": 95,
    "px": "100",
    "source": 2,
}


def test_old_event_is_brought_up_to_date_step_by_step() -> None:
    expected = StopMoved(7, "c", 3, "X", 95, 100, 2)
    assert codec.decode(msgspec.json.encode(OLD), UPCASTERS) == expected
    newer = {**OLD, "type": "StopMovedV2", "px": 100}
    assert codec.decode(msgspec.json.encode(newer), UPCASTERS) == expected


def test_old_event_without_its_upcaster_is_newer_not_corrupt() -> None:
    with pytest.raises(JournalNewer, match="StopShifted"):
        codec.decode(msgspec.json.encode(OLD))


def test_old_event_whose_upcast_does_not_fit_is_corrupt() -> None:
    broken = {"StopShifted": lambda fields: {**fields, "type": "StopMoved", "px": "much"}}
    with pytest.raises(JournalCorrupt, match="StopMoved"):
        codec.decode(msgspec.json.encode(OLD), broken)


def test_unknown_event_is_newer() -> None:
    with pytest.raises(JournalNewer, match="OrderTeleported"):
        codec.decode(b'{"type":"OrderTeleported","ts_ns":1}')


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"not json",
        b"null",
        b'"Resumed"',
        b"[1]",
        b"{}",
        b'{"ts_ns":1}',
        b'{"type":7}',
        b'{"type":["Resumed"]}',
        b'{"type":null}',
        b'{"type":"Resumed"}',
        b'{"type":"Resumed","ts_ns":"late","correlation_id":"","causation_seq":0,"by":"me"}',
        b'{"type":"Resumed","ts_ns":1.5,"correlation_id":"","causation_seq":0,"by":"me"}',
        b'{"type":"Resumed","ts_ns":1,"correlation_id":"","causation_seq":0,"by":"\xff"}',
        b'{"type":"Resumed","ts_ns":1,"correlation_id":"","causation_seq":0,"by":"me"',
        b'{"type":"Resumed","ts_ns":1,"correlation_id":"","causation_seq":0,"by":"me"}x',
        b"\xff\xfe",
        b"[" * 100_000,
    ],
)
def test_garbage_is_corrupt(payload: bytes) -> None:
    with pytest.raises(JournalCorrupt):
        codec.decode(payload)


def test_event_without_optional_fields_takes_their_defaults() -> None:
    payload = b'{"type":"Resumed","ts_ns":1,"correlation_id":"","causation_seq":0,"by":"me"}'
    assert codec.decode(payload) == Resumed(1, "", 0, "me", "", "")
