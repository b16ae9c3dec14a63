"""Products and quotients that stay inside 64 bits.

Plain Python would not need these: its integers grow. A compiled kernel's do not, so every product that could
leave 64 bits is taken apart here, once, and the same steps run in both.
"""

from __future__ import annotations

from surefill.units import PPB

_HALF_BITS = 20
_HALF = 1 << _HALF_BITS
_DIRECT = 1 << 31


def mul_div_floor(a: int, b: int, c: int) -> int:
    """floor(a * b / c), exact.

    Bounds: -c <= a <= c, 1 <= c <= 2**40, 0 <= b <= 2**62. The result is at most b in size.
    """
    if c <= _DIRECT and b <= _DIRECT:
        return a * b // c
    # b = whole * c + rest, so a * b / c = a * whole + a * rest / c, and |a| <= c keeps a * whole within b.
    whole = b // c
    rest = b % c
    # rest < 2**40 is split into two halves of 20 bits, so that no product reaches 2**61.
    high = a * (rest >> _HALF_BITS)
    low = a * (rest & (_HALF - 1))
    return a * whole + ((high // c) << _HALF_BITS) + (((high % c) << _HALF_BITS) + low) // c


def mul_div_ceil(a: int, b: int, c: int) -> int:
    """ceil(a * b / c), exact; bounds as for `mul_div_floor`."""
    return -mul_div_floor(-a, b, c)


def rate_floor(amount: int, rate_ppb: int) -> int:
    """floor(amount * rate), exact; `rate_ppb` in parts per billion; either may be negative.

    Bounds: abs(amount) <= 2**62 and abs(amount * rate) <= 2**62.
    """
    whole = rate_ppb // PPB
    rest = rate_ppb % PPB
    return amount * whole + (amount // PPB) * rest + (amount % PPB) * rest // PPB


def rate_ceil(amount: int, rate_ppb: int) -> int:
    """ceil(amount * rate), exact; bounds as for `rate_floor`."""
    return -rate_floor(-amount, rate_ppb)


def floor_to(x: int, step: int) -> int:
    """The greatest multiple of `step` that is not above `x`. A step of 1 or less changes nothing."""
    if step <= 1:
        return x
    return x - x % step


def ceil_to(x: int, step: int) -> int:
    """The smallest multiple of `step` that is not below `x`. A step of 1 or less changes nothing."""
    if step <= 1:
        return x
    return x + -x % step
