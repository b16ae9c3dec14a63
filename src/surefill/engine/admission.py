"""What may enter the core: values that come back from the journal exactly as they went in.

Python does not hold anybody to the types of a message. A text that is None, bytes, half a Unicode character or of a
class derived from text would be journaled as something that cannot be read again, or could not be journaled at all,
in the middle of a step. So whatever comes from outside is written and read back here, before the core has seen it.
"""

from __future__ import annotations

import functools
import hashlib
from typing import Any

import msgspec

from surefill.domain.inputs import EvaluateIntent, Input, SubmitIntent
from surefill.domain.instrument import Instrument
from surefill.engine.claims import CONTENT, Content, content_of
from surefill.errors import InputError
from surefill.plain import plain_text, readable

_CONTENT_DECODER: msgspec.json.Decoder[Content] = msgspec.json.Decoder(Content)


def admit_intent(item: SubmitIntent, given_px: int) -> bytes:
    """The digest of an intent's content (b"" without a key). Raises InputError; nothing has happened then."""
    intent = item.intent
    if item.refusal is not None:
        plain_text(item.refusal.reason, "the reason of a refusal")
    if not intent.intent_id:
        _round_trip((intent, given_px), _CONTENT_DECODER)
        return b""
    # The story is no part of what a key stands for: it is looked at alone.
    story = plain_text(intent.correlation_id, "correlation_id")
    if story is not intent.correlation_id:
        raise _not_plain(intent, "correlation_id is of a class derived from text")
    return hashlib.sha256(_round_trip(content_of(intent, given_px), _CONTENT_DECODER)).digest()


def admit(item: Input) -> None:
    """Any other input. Raises InputError."""
    if isinstance(item, EvaluateIntent):  # its policy is code, and never journaled
        _round_trip((item.intent, 0), _CONTENT_DECODER)
        if item.instrument is not None:
            _round_trip(item.instrument, _decoder(Instrument))
        return
    _round_trip(item, _decoder(type(item)))


@functools.cache
def _decoder(kind: type[Any]) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(kind)


def _round_trip(value: Any, decoder: msgspec.json.Decoder[Any]) -> bytes:
    """`value` in canonical bytes, if they stand for exactly that value."""
    try:
        encoded = CONTENT.encode(value)
        back = decoder.decode(encoded)
    except UnicodeEncodeError as error:
        raise InputError(f"text is not valid Unicode: {error}", code="NOT_UNICODE") from error
    except (TypeError, ValueError, RecursionError) as error:  # msgspec's own are ValueErrors
        raise _not_plain(value, str(error)) from error
    if back != value:
        raise _not_plain(value, "it reads back as another value")
    return encoded


def _not_plain(value: object, why: str) -> InputError:
    kind = "an intent" if isinstance(value, tuple) else type(value).__name__
    return InputError(f"{kind} holds a value of a type that is not its field's: {readable(why)}", code="WRONG_TYPE")
