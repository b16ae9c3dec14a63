"""The only door between text, floats, Decimals, datetimes and the integers that surefill counts in.

Inside, a price or a quantity is a number of *quanta*: 10**-decimals of its unit, decimals fixed per
instrument. Money is an integer at 10**-money_decimals of its currency, a rate is in parts per billion, a time
is nanoseconds since 1970 UTC. Conversions here are exact or they raise: nothing is ever rounded into the
system, except for figures that are only held against a limit (`figure_ppb`), and those outwards.

Bounds. They are enforced here, at the door, and they are what lets `surefill.rules` stay inside 64 bits:
prices and quantities up to 2**40 quanta, price times quantity up to 2**60, money up to 2**62.
"""

from __future__ import annotations

import operator
import re
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from functools import lru_cache
from typing import Final, NoReturn

from surefill.errors import ConfigError, InputError
from surefill.plain import shown

PRICE_MAX: Final = 2**40
QTY_MAX: Final = 2**40
NOTIONAL_MAX: Final = 2**60
MONEY_MAX: Final = 2**62
DECIMALS_MAX: Final = 18

PPB: Final = 10**9
PCT_PPB: Final = 10**7
BPS_PPB: Final = 100_000
RATE_MAX_PPB: Final = 1000 * PPB
FIGURE_MAX_PPB: Final = 10**9 * PPB

NS_PER_US: Final = 1_000
NS_PER_MS: Final = 1_000_000
NS_PER_S: Final = 10**9
NS_PER_MIN: Final = 60 * NS_PER_S
NS_PER_HOUR: Final = 3600 * NS_PER_S
NS_PER_DAY: Final = 86_400 * NS_PER_S
TIME_MAX_NS: Final = 2**62  # the year 2116; as much before 1970

_POW10: Final[tuple[int, ...]] = tuple(10**n for n in range(DECIMALS_MAX + 1))
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
# Two different decimals of up to 15 significant digits are never the same double, so below this a float that
# equals n / 10**d has no other short decimal text, and need not be printed and parsed to know what it says.
_FLOAT_SURE: Final = 10**15
_NUMBER: Final = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,6})?")
_NUMBER_CHARS_MAX: Final = 100
_DIGITS_MAX: Final = 1_000
_ISO: Final = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})"
    r"(?:[Tt ]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:[.,]([0-9]{1,9}))?)?"
    r"(?:([Zz])|([+-])([0-9]{2}):?([0-9]{2}))?)?"
)


# Numbers in


def to_quanta(
    value: str | int | float | Decimal,
    decimals: int,
    *,
    field: str,
    max_quanta: int = PRICE_MAX,
    allow_negative: bool = False,
) -> int:
    """`value` in units of 10**-decimals, exactly.

    A float stands for its shortest text (0.1 is one tenth). `field` names the value in the message. Raises
    InputError: NOT_A_NUMBER (also bool, None, and text with blanks or underscores), NOT_FINITE, NEGATIVE,
    TOO_FINE (more decimals than the instrument has) or OUT_OF_RANGE (beyond `max_quanta`).
    """
    # The hot path: an ordinary float, a whole number, plain text. Whatever does not fit falls through to the
    # exact way.
    if type(value) is float:
        if -1e15 < value < 1e15:
            n = round(value * _POW10[decimals])
            if n / _POW10[decimals] == value and 0 <= n <= max_quanta and n < _FLOAT_SURE:
                return n
    elif type(value) is int:
        n = value * _POW10[decimals]
        if 0 <= n <= max_quanta:
            return n
    elif type(value) is str and value.isascii() and len(value) <= 30:
        whole, _, rest = value.partition(".")
        if whole.isdigit() and (not rest or rest.isdigit()) and len(rest) <= decimals:
            n = int(whole + rest) * _POW10[decimals - len(rest)]
            if n <= max_quanta:
                return n
    return _exact_quanta(value, decimals, field, max_quanta, allow_negative)


def observed_quanta(
    value: str | int | float | Decimal, decimals: int, *, field: str, max_quanta: int = PRICE_MAX
) -> int:
    """An observed price in quanta, exactly, and above 0: inside, a price of 0 means "none".

    Observed prices are taken as they are: one finer than the instrument's decimals is not rounded but refused
    (TOO_FINE), because it proves that the decimals are wrong. Raises InputError as `to_quanta` does, and
    NOT_POSITIVE.
    """
    n = to_quanta(value, decimals, field=field, max_quanta=max_quanta, allow_negative=True)
    if n <= 0:
        _refuse("NOT_POSITIVE", field, value, "must be above 0")
    return n


def rate_ppb_from_bps(value: str | int | float | Decimal, field: str, *, allow_negative: bool = False) -> int:
    """A rate given in basis points, in parts per billion (1 bps = 100 000 ppb). Raises InputError."""
    return to_quanta(value, 5, field=field, max_quanta=RATE_MAX_PPB, allow_negative=allow_negative)


def rate_ppb_from_pct(value: str | int | float | Decimal, field: str, *, allow_negative: bool = False) -> int:
    """A rate given in percent, in parts per billion (1 % = 10 000 000 ppb). Raises InputError."""
    return to_quanta(value, 7, field=field, max_quanta=RATE_MAX_PPB, allow_negative=allow_negative)


def rate_ppb_from_fraction(value: str | int | float | Decimal, field: str, *, allow_negative: bool = False) -> int:
    """A rate given as a fraction of one, in parts per billion (0.02 = 20 000 000 ppb). Raises InputError."""
    return to_quanta(value, 9, field=field, max_quanta=RATE_MAX_PPB, allow_negative=allow_negative)


def figure_ppb(value: str | int | float | Decimal, field: str) -> int:
    """A plain number that limits are held against (a z-score), in parts per billion, rounded away from zero.

    It may have more decimals than that, as statistics do; rounded outwards it never slips under a limit. Raises
    InputError: NOT_A_NUMBER, NOT_FINITE, or OUT_OF_RANGE beyond a thousand million.
    """
    digits, exponent = _digits_and_exponent(value, field)
    exponent += 9
    magnitude = len(str(abs(digits))) + exponent
    if digits and magnitude > 25:
        _refuse_range(field, value, 9, FIGURE_MAX_PPB)
    if exponent >= 0 or not digits:
        n = digits * 10**exponent if digits else 0
    else:
        outward = -(-abs(digits) // 10**-exponent) if magnitude > 0 else 1
        n = outward if digits > 0 else -outward
    if abs(n) > FIGURE_MAX_PPB:
        _refuse_range(field, value, 9, FIGURE_MAX_PPB)
    return n


def _exact_quanta(value: object, decimals: int, field: str, max_quanta: int, allow_negative: bool) -> int:
    digits, exponent = _digits_and_exponent(value, field)
    if digits < 0 and not allow_negative:
        _refuse("NEGATIVE", field, value, "must not be negative")
    exponent += decimals
    magnitude = len(str(abs(digits))) + exponent  # decimal places before the point of the result
    if digits and magnitude > 25:
        _refuse_range(field, value, decimals, max_quanta)
    if exponent >= 0 or digits == 0:
        n = digits * 10**exponent if digits else 0
    else:
        divisor = 10**-exponent if magnitude > 0 else 0
        if divisor == 0 or digits % divisor:
            _refuse("TOO_FINE", field, value, f"is finer than the {decimals} decimals it may have")
        n = digits // divisor
    if abs(n) > max_quanta:
        _refuse_range(field, value, decimals, max_quanta)
    return n


def _digits_and_exponent(value: object, field: str) -> tuple[int, int]:
    """`value` = digits * 10**exponent, without any rounding and without trusting the size of the exponent."""
    if isinstance(value, bool):
        _refuse("NOT_A_NUMBER", field, value, "is a truth value; give a number")
    if isinstance(value, float):
        value = Decimal(float.__repr__(value))
    elif isinstance(value, str):
        if len(value) > _NUMBER_CHARS_MAX or _NUMBER.fullmatch(value) is None:
            if value.strip().lstrip("+-").lower() in ("nan", "inf", "infinity"):
                _refuse("NOT_FINITE", field, value, "must be a finite number")
            _refuse("NOT_A_NUMBER", field, value, "is not a number; write it like 19500.05")
        value = Decimal(value)
    if isinstance(value, Decimal):
        sign, digits, exponent = value.as_tuple()
        if not isinstance(exponent, int):
            _refuse("NOT_FINITE", field, value, "must be a finite number")
        if len(digits) > _DIGITS_MAX:
            _refuse("OUT_OF_RANGE", field, value, f"has more than {_DIGITS_MAX} digits")
        n = int("".join(map(str, digits)))
        return (-n if sign else n), exponent
    try:
        n = operator.index(value)  # type: ignore[arg-type]
    except Exception:  # whatever a caller's object raises, it has told no number
        _refuse("NOT_A_NUMBER", field, value, "is not a number; give text, an int, a float or a Decimal")
    if n.bit_length() > 4 * _DIGITS_MAX:  # Python would not even write it down
        _refuse("OUT_OF_RANGE", field, value, f"has more than {_DIGITS_MAX} digits")
    return n, 0


def _refuse_range(field: str, value: object, decimals: int, max_quanta: int) -> NoReturn:
    largest = quanta_text(max_quanta, decimals)
    _refuse("OUT_OF_RANGE", field, value, f"is beyond {largest}, the largest with {decimals} decimals")


def _refuse(code: str, field: str, value: object, what: str) -> NoReturn:
    told = str(value) if isinstance(value, Decimal) else shown(value)
    raise InputError(f"{field} {what} (got {told})", code=code, field=field, value=told)


# Numbers out


def quanta_text(n: int, decimals: int) -> str:
    """`n` quanta as plain decimal text: no exponent, no trailing zeros ("19500.05", "19500", "-0.1", "0")."""
    whole, rest = divmod(abs(n), _POW10[decimals])
    sign = "-" if n < 0 else ""
    if rest == 0:
        return f"{sign}{whole}"
    return f"{sign}{whole}.{rest:0{decimals}d}".rstrip("0")


def quanta_float(n: int, decimals: int) -> float:
    """`n` quanta as the nearest float, for doors that promise floats; nothing is computed from it."""
    return n / _POW10[decimals]


def quanta_decimal(n: int, decimals: int) -> Decimal:
    """`n` quanta as an exact Decimal with `decimals` places, whatever the current decimal context."""
    return Decimal(f"{n}E-{decimals}")


# Money


def money_per_notional(
    multiplier: Decimal | str | int, price_decimals: int, qty_decimals: int, money_decimals: int
) -> int:
    """How much money (at `money_decimals`) one notional quantum is worth: multiplier * 10**(m - p - q).

    An integer of at least 1, so that notional becomes money exactly; ConfigError otherwise, which says how to
    mend it. `multiplier` is the contract's value per unit of price and quantity (1 for shares and spot).
    """
    try:
        digits, exponent = _digits_and_exponent(multiplier, "multiplier")
    except InputError as error:
        raise ConfigError(error.message, code="INVALID_MULTIPLIER", **error.values) from error
    if digits <= 0:
        raise ConfigError(f"multiplier must be above 0 (got {multiplier})", code="INVALID_MULTIPLIER")
    exponent += money_decimals - price_decimals - qty_decimals
    if -40 < exponent < 0 and digits % 10**-exponent == 0:
        digits, exponent = digits // 10**-exponent, 0
    if exponent < 0:
        raise ConfigError(
            f"multiplier {multiplier}, {price_decimals} price decimals and {qty_decimals} quantity decimals"
            f" do not come out in whole money units at {money_decimals} money decimals;"
            " raise money_decimals or lower the instrument's decimals",
            code="MONEY_TOO_COARSE",
        )
    if exponent + len(str(digits)) > 19 or digits * 10**exponent > MONEY_MAX:
        raise ConfigError(
            f"multiplier {multiplier} is too large at {money_decimals} money decimals; lower money_decimals",
            code="INVALID_MULTIPLIER",
        )
    return int(digits * 10**exponent)


# Time


def ns_from_datetime(moment: datetime) -> int:
    """Nanoseconds since 1970 UTC, exactly. A naive datetime is UTC."""
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    since = moment - _EPOCH
    return (since.days * 86_400 + since.seconds) * NS_PER_S + since.microseconds * NS_PER_US


def datetime_from_ns(ns: int) -> datetime:
    """An aware UTC datetime; what is finer than a microsecond is cut off (downwards)."""
    return _EPOCH + timedelta(microseconds=ns // NS_PER_US)


def iso_from_ns(ns: int) -> str:
    """ISO 8601, UTC: "2025-11-19T20:00:00Z"; with 3, 6 or 9 digits of a second when they are needed."""
    second, rest = divmod(ns, NS_PER_S)
    text = _iso_second(second)
    if rest == 0:
        return f"{text}Z"
    if rest % NS_PER_MS == 0:
        return f"{text}.{rest // NS_PER_MS:03d}Z"
    if rest % NS_PER_US == 0:
        return f"{text}.{rest // NS_PER_US:06d}Z"
    return f"{text}.{rest:09d}Z"


def ns_from_iso(text: str, *, field: str = "time") -> int:
    """Nanoseconds since 1970 UTC from ISO 8601 text: a date, or date and time with up to 9 decimals.

    Without an offset it is UTC; without a time, midnight. Raises InputError (INVALID_TIME).
    """
    found = _ISO.fullmatch(text)
    if found is None:
        _refuse("INVALID_TIME", field, text, "is not an ISO 8601 time; write it like 2025-11-19T20:00:00Z")
    year, month, day, hour, minute, second, fraction, _, sign, offset_hour, offset_minute = found.groups()
    try:
        zone = UTC
        if sign:
            offset = timedelta(hours=int(offset_hour), minutes=int(offset_minute))
            zone = timezone(offset if sign == "+" else -offset)
        clock = int(hour or 0), int(minute or 0), int(second or 0)
        moment = datetime(int(year), int(month), int(day), *clock, tzinfo=zone)
    except ValueError as error:
        _refuse("INVALID_TIME", field, text, f"is not a time that exists: {error}")
    ns = ns_from_datetime(moment) + int((fraction or "").ljust(9, "0"))
    if abs(ns) > TIME_MAX_NS:
        _refuse("INVALID_TIME", field, text, "is beyond the years that surefill counts (1824 to 2116)")
    return ns


def stamp_from_ns(ns: int) -> str:
    """The UTC second as "YYYYMMDDHHMMSS": the time in public order ids."""
    return _stamp_second(ns // NS_PER_S)


@lru_cache(maxsize=4096)
def _iso_second(second: int) -> str:
    return (_EPOCH + timedelta(seconds=second)).strftime("%Y-%m-%dT%H:%M:%S")


@lru_cache(maxsize=4096)
def _stamp_second(second: int) -> str:
    return (_EPOCH + timedelta(seconds=second)).strftime("%Y%m%d%H%M%S")
