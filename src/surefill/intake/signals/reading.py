"""Reading a signal's word."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Final


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


def read_word(signal: object) -> Word:
    """The word in `.signal`, else `.action`, else `.side` (attributes or keys), else in the object's text.

    Upper-cased and stripped; LONG is BUY, SHORT is SELL; whatever is not one of these is HOLD.
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
