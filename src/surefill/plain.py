"""What a value from outside stands for: plain text, or a plain number.

Libraries hand out text and numbers of classes of their own (numpy's `str_` and `float64`, enumerations). Inside there
is only Python's own: whatever else is let in cannot be journaled, or does not come back as it went in. A value is not
trusted: it may raise when it is looked at.
"""

from __future__ import annotations

import enum
import numbers
from decimal import Decimal
from typing import Final

from surefill.errors import InputError

SHOWN_MAX: Final = 80
_PLAIN: Final = (float, int, bool, Decimal)


def plain_text(value: object, field: str) -> str:
    """`value` as text; a class derived from text stands for the text that it holds.

    `field` names the value in the message. Raises InputError: NOT_TEXT, or NOT_UNICODE for what no journal can hold.
    """
    if not isinstance(value, str):
        raise InputError(f"{field} must be text, not {shown(value)}", code="NOT_TEXT", field=field)
    text = str.__str__(value)
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InputError(f"{field} is not valid Unicode: {error}", code="NOT_UNICODE", field=field) from error
    return text


def label_text(value: object, field: str) -> str:
    """The text of a label: text, a number, an enumeration's member; None is "". Raises InputError as `plain_text`."""
    if value is None:
        return ""
    if isinstance(value, enum.Enum) and not isinstance(value, str):
        value = value.value if isinstance(value.value, str) else value.name
    elif type(value) is not bool and isinstance(value, numbers.Number):
        value = str(plain_number(value, field))
        if "nan" in value.lower():  # a table's word for "nothing there", and no name for anything
            raise InputError(f"{field} is NaN; leave it out when there is none", code="NOT_TEXT", field=field)
    return plain_text(value, field)


def plain_number(value: object, field: str) -> int | float | Decimal:
    """A number as Python's own; a float of any width stands for its shortest text.

    Truth values pass: whoever counts refuses them. Raises InputError (NOT_A_NUMBER).
    """
    if isinstance(value, _PLAIN) and type(value) in _PLAIN:
        return value
    try:
        if isinstance(value, numbers.Integral):
            return int(value)
        if isinstance(value, numbers.Real):
            return float(str(value))
    except (TypeError, ValueError, ArithmeticError):
        pass
    raise InputError(f"{field} must be a number, not {shown(value)}", code="NOT_A_NUMBER", field=field)


def shown(value: object) -> str:
    """`value` for a message: short, valid Unicode, whatever its own `repr` does."""
    try:
        text = readable(repr(value))
    except Exception as error:  # the value's own code: it must not get in the way of saying what is wrong with it
        text = f"something of class {type(value).__name__} ({type(error).__name__} when it is shown)"
    return text if len(text) <= SHOWN_MAX else text[: SHOWN_MAX - 3] + "..."


def readable(text: str) -> str:
    """`text` with whatever is not valid Unicode written out."""
    return str.encode(text, "utf-8", "backslashreplace").decode()
