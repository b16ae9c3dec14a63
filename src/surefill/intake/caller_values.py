"""What callers hand to a Python door, read without trusting it: it may be anything, and raise when it is looked at.

The doors' messages are dataclasses, and nobody holds a caller to their types. What cannot be read becomes a refusal
with a code; what can be read is Python's own text and numbers from here on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from surefill.domain.instrument import Instrument
from surefill.domain.refusals import Refusal, RefusalCode
from surefill.errors import InputError
from surefill.plain import label_text, readable, shown

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    M = TypeVar("M", bound=DataclassInstance)
T = TypeVar("T")


class Known(NamedTuple):
    """The instrument id of the symbol that a caller named (`said`); its instrument, or why there is none."""

    symbol: str
    instrument: Instrument | None
    refusal: Refusal | None
    said: str = ""


class CallerReader:
    """Reads a caller's values and remembers the first that could not be read, as the refusal."""

    def __init__(self, instrument: Instrument | None, refusal: Refusal | None = None) -> None:
        self.refusal = refusal
        self.price_decimals = instrument.price_decimals if instrument else 0
        self.qty_decimals = instrument.qty_decimals if instrument else 0

    def refuse(self, code: RefusalCode, reason: str) -> None:
        """Note what is wrong, unless something was wrong before."""
        if self.refusal is None:
            self.refusal = Refusal(code, readable(reason))

    def read(self, code: RefusalCode, field: str, convert: Callable[[], T], instead: T) -> T:
        """What `convert` gives; `instead` beside a refusal when it raises."""
        try:
            return convert()
        except InputError as error:
            self.refuse(code, error.message)
        except Exception as error:  # the caller's own object raised: it has told nothing
            self.refuse(code, f"{field} cannot be read: {failure_text(error)}")
        return instead

    def text(self, value: object, field: str) -> str:
        """The text of a name; "" beside a refusal for what is none."""
        return self.read(RefusalCode.INVALID_INPUT, field, lambda: label_text(value, field), "")

    def label(self, value: object, field: str) -> str:
        """The text of something that may be left out: whatever counts as false is ""."""
        return self.read(RefusalCode.INVALID_INPUT, field, lambda: label_text(value or None, field), "")


def adopted(blank: M, message: object) -> tuple[M, Refusal | None]:
    """A caller's message as ours, field by field: its class may be its own, and know only the document's fields.

    `blank` has the fields for one that cannot be read, or misses a field that has no default; with it comes a refusal.
    """
    kind = type(blank)
    if type(message) is kind:
        return message, None
    name = kind.__name__
    try:
        known = {field.name: getattr(message, field.name) for field in fields(kind) if hasattr(message, field.name)}
        return kind(**known), None
    except TypeError:
        return blank, Refusal(RefusalCode.INVALID_INPUT, f"{shown(message)} has not the fields of an {name}")
    except Exception as error:  # the caller's own object raised: it has told nothing
        return blank, Refusal(RefusalCode.INVALID_INPUT, f"the {name} cannot be read: {failure_text(error)}")


def named(symbol: object) -> str:
    """A symbol as far as it is text, for an answer."""
    return readable(symbol) if isinstance(symbol, str) else ""


def scalar(value: Any) -> Any:
    """A numpy scalar's own value; anything else as it is. May raise whatever `value` raises."""
    if isinstance(value, bool | int | float | str) or getattr(value, "ndim", None) != 0:
        return value
    return value.item()


def failure_text(error: Exception) -> str:
    """An error of the caller's own object, for a message."""
    try:
        return readable(f"{type(error).__name__}: {error}")
    except Exception:  # even its text raises
        return type(error).__name__
