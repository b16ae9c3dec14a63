"""Reading a signal's word."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Final, NamedTuple

from surefill.errors import InputError
from surefill.intake.caller_values import failure_text
from surefill.plain import plain_text


class Word(enum.Enum):
    """What a signal asks for."""

    BUY = "BUY"
    SELL = "SELL"
    EXIT = "EXIT"
    HOLD = "HOLD"


_WORDS: Final = {
    "BUY": Word.BUY,
    "LONG": Word.BUY,
    "SELL": Word.SELL,
    "SHORT": Word.SELL,
    "EXIT": Word.EXIT,
}
_FIELDS: Final = ("signal", "action", "side")


class Signal(NamedTuple):
    """A signal as far as it could be read: `word` is None where `problem` says why not."""

    word: Word | None
    reason: str = ""
    problem: str = ""


def read_signal(signal: object) -> Signal:
    """The word and the reason of a signal. Never raises: what the caller's own object raises is its `problem`."""
    try:
        return Signal(read_word(signal), _reason_of(signal))
    except InputError as error:
        return Signal(None, problem=error.message)
    except Exception as error:  # the caller's own object raised
        return Signal(None, problem=f"the signal cannot be read: {failure_text(error)}")


def read_word(signal: object) -> Word:
    """The word in `.signal`, else `.action`, else `.side` (attributes or keys), else in the object's text.

    Upper-cased and stripped; LONG is BUY, SHORT is SELL; whatever is not one of these is HOLD. May raise whatever the
    signal raises.
    """
    for name in _FIELDS:
        value = signal.get(name) if isinstance(signal, Mapping) else getattr(signal, name, None)
        if value is not None and not callable(value):
            return _word_of(value)
    return _word_of(signal)


def _word_of(value: object) -> Word:
    if isinstance(value, enum.Enum):
        value = value.value if isinstance(value.value, str) else value.name
    return _WORDS.get(str(value).strip().upper(), Word.HOLD)


def _reason_of(signal: object) -> str:
    """A signal object's own reason; a bare word has none."""
    reason = None if isinstance(signal, str) else getattr(signal, "reason", None)
    return plain_text(reason, "the signal's reason") if isinstance(reason, str) else ""
