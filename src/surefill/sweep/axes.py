"""The values that a swept parameter takes, and the points that a plan tries: all combinations, or some by a seed.

A search that learns from results (`bayes`) has no points beforehand: `sweep.search` asks for them as results come.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Final, Literal

import msgspec

from surefill.errors import InputError
from surefill.market.synthetic import SplitMix
from surefill.sweep.overrides import INVALID, Scalar

Sampling = Literal["grid", "random", "latin_hypercube", "bayes"]
_UNIT: Final = 2.0**-53
_VALUES_MAX: Final = 1_000_000


class Span(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """From `min` to `max`, both included, in multiples of `step` from `min`; without a step any value between.

    (Whole numbers without a step go by 1.)
    """

    min: int | float
    max: int | float
    step: int | float | None = None


Axis = list[Scalar] | Span


class Values:
    """One axis, ready to be listed or drawn from. Raises InputError where it has no values."""

    def __init__(self, path: str, axis: Axis, *, whole: bool) -> None:
        self.path = path
        self._listed = list(axis) if not isinstance(axis, Span) else []
        self.is_ordered = all(isinstance(each, int | float) and not isinstance(each, bool) for each in self._listed)
        self._ordered = sorted(self._listed) if self.is_ordered else self._listed
        self._span = axis if isinstance(axis, Span) else None
        self._step: Decimal | None = None
        if self._span is None:
            if not self._listed:
                raise InputError(f"{path} has no values to try", code=INVALID, field=path)
            return
        low, high, step = self._span.min, self._span.max, self._span.step
        if not (math.isfinite(low) and math.isfinite(high) and low <= high):
            raise InputError(f"{path} goes from {low} to {high}: the first must not be above", code=INVALID, field=path)
        if whole and not all(isinstance(each, int) for each in (low, high, step or 1)):
            raise InputError(f"{path} takes whole numbers: so must be {axis}", code=INVALID, field=path)
        if step is None and whole:
            step = 1
        if step is not None:
            if not (math.isfinite(step) and step > 0):
                raise InputError(f"{path} cannot go by steps of {step}", code=INVALID, field=path)
            self._step = Decimal(repr(step))
        self._low, self._whole = Decimal(repr(low)), whole
        self._count = int((Decimal(repr(high)) - self._low) / self._step) + 1 if self._step else 0
        if self._count > _VALUES_MAX:
            raise InputError(f"{path} would take {self._count:,} values; use a larger step", code=INVALID, field=path)

    def listed(self) -> list[Scalar]:
        """All values, in order. Raises InputError for a span that has no steps."""
        if self._span is None:
            return self._listed
        if self._step is None:
            raise InputError(f"{self.path} needs a step to be listed in a grid", code=INVALID, field=self.path)
        return [self._at(number) for number in range(self._count)]

    def ends(self) -> list[Scalar]:
        """The values by which the axis can be checked: all of a list, both ends of a span."""
        if self._span is None:
            return self._listed
        return [self._at(0), self._at(self._count - 1)] if self._step else [self._span.min, self._span.max]

    def drawn(self, share: float) -> Scalar:
        """The value at a share of the axis, from 0 (its beginning) to below 1."""
        if self._span is None:
            return self._listed[int(share * len(self._listed))]
        if self._step is not None:
            return self._at(int(share * self._count))
        return self._span.min + share * (self._span.max - self._span.min)

    @property
    def count(self) -> int:
        """How many values there are; 0: whatever lies between both ends."""
        return len(self._listed) if self._span is None else self._count

    def place_of(self, value: Scalar) -> int | float:
        """Where a value stands among all: its number in ascending order, or its share of an axis without steps."""
        if self._span is None:
            return self._ordered.index(value)
        assert isinstance(value, int | float)
        if self._step is not None:
            return int((Decimal(repr(value)) - self._low) / self._step)
        width = self._span.max - self._span.min
        return min(max((value - self._span.min) / width, 0.0), 1.0) if width else 0.0

    def at_place(self, place: int | float) -> Scalar:
        """The value that stands there."""
        if self._span is None:
            return self._ordered[int(place)]
        return self._at(int(place)) if self._step is not None else self.drawn(place)

    def _at(self, number: int) -> int | float:
        assert self._step is not None
        value = self._low + number * self._step
        return int(value) if self._whole else float(value)


def points(axes: Sequence[Values], sampling: Sampling, samples: int, seed: int) -> Iterator[dict[str, Scalar]]:
    """The combinations to try, each by path: of a grid all, the last axis fastest; otherwise `samples` of them."""
    names = [axis.path for axis in axes]
    if not names or sampling == "bayes":
        return
    if sampling == "grid":
        for combination in itertools.product(*(axis.listed() for axis in axes)):
            yield dict(zip(names, combination, strict=True))
        return
    chance = SplitMix(seed)
    shares = _strata(axes, samples, chance) if sampling == "latin_hypercube" else _uniform(axes, samples, chance)
    for row in shares:
        yield {axis.path: axis.drawn(share) for axis, share in zip(axes, row, strict=True)}


def check_sampling(sampling: Sampling, samples: int, sweep: Mapping[str, object]) -> None:
    """Raises InputError unless a number of samples goes with what is sampled."""
    if sampling == "grid" and samples:
        raise InputError("samples belong to random, latin_hypercube or bayes sampling", code=INVALID, field="samples")
    if sampling != "grid" and (samples < 1 or not sweep):
        raise InputError(f"{sampling} sampling needs samples and something to sweep", code=INVALID, field="samples")


def _uniform(axes: Sequence[Values], samples: int, chance: SplitMix) -> Iterator[list[float]]:
    for _ in range(samples):
        yield [_share(chance) for _ in axes]


def _strata(axes: Sequence[Values], samples: int, chance: SplitMix) -> Iterator[tuple[float, ...]]:
    """A Latin hypercube (McKay, Beckman, Conover 1979): of each axis one value from each of `samples` equal parts."""
    columns = []
    for _ in axes:
        parts = list(range(samples))
        for at in range(samples - 1, 0, -1):
            other = chance.below(at + 1)
            parts[at], parts[other] = parts[other], parts[at]
        # The largest share below 1: rounding must not lead out of the last part.
        columns.append([min((part + _share(chance)) / samples, 1.0 - _UNIT) for part in parts])
    return zip(*columns, strict=True)


def _share(chance: SplitMix) -> float:
    return (chance.bits() >> 11) * _UNIT
