"""In-sample and out-of-sample: the times on which variants are chosen, and the later ones on which they are judged.

A segment is a stretch of time. A strategy that trades in it knows the bars before it (an average needs its history),
but begins flat and with its whole cash when the segment begins.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from typing import Annotated, Final

import msgspec

from surefill.errors import InputError
from surefill.market.series import BarSeries
from surefill.strategy.timeline import moments

INVALID: Final = "INVALID_CONSTRAINTS"


class TrainTest(msgspec.Struct, frozen=True, tag="train_test", omit_defaults=True):
    """The first `train` (a fraction) of the moments to choose on, the rest to judge by."""

    train: Annotated[float, msgspec.Meta(gt=0, lt=1)] = 0.7


class WalkForward(msgspec.Struct, frozen=True, tag="walk_forward", omit_defaults=True):
    """Choose on `train` moments, judge by the `test` moments after them, move on by `test`, again to the end.

    `anchored`: every choice is made on all that there was before, not on the last `train` moments only.
    """

    train: Annotated[int, msgspec.Meta(ge=2)]
    test: Annotated[int, msgspec.Meta(ge=1)]
    anchored: bool = False


Split = TrainTest | WalkForward


class Segment(msgspec.Struct, frozen=True):
    """Bars that open at or after `from_ns` and before `until_ns`. The whole series has no name."""

    name: str
    from_ns: int
    until_ns: int


class Window(msgspec.Struct, frozen=True):
    """One choice and what it is judged by."""

    train: Segment
    test: Segment


WHOLE: Final = Segment("", -(2**63), 2**63 - 1)


def windows(split: Split, series: Mapping[str, BarSeries]) -> tuple[Window, ...]:
    """The windows of a split over these bars, in order of time. Raises InputError where there are too few bars."""
    opens = [moment.open_ns for moment in moments(series)]
    if isinstance(split, TrainTest):
        at = round(len(opens) * split.train)
        if not 0 < at < len(opens):
            raise _too_few(f"{split.train} of {len(opens)} moments leaves nothing to train or to test on")
        return (Window(_segment("train", opens, 0, at), _segment("test", opens, at, len(opens))),)
    made = []
    for number, at in enumerate(range(split.train, len(opens), split.test), start=1):
        begin = 0 if split.anchored else at - split.train
        end = min(at + split.test, len(opens))
        made.append(Window(_segment(f"train-{number}", opens, begin, at), _segment(f"test-{number}", opens, at, end)))
    if not made:
        raise _too_few(f"{len(opens)} moments are no more than the {split.train} to train on")
    return tuple(made)


def cut(series: Mapping[str, BarSeries], segment: Segment) -> dict[str, BarSeries]:
    """The series up to a segment's end, what is before it included: what is known in it."""
    return {symbol: bars.until(bisect_left(bars.open_ns, segment.until_ns)) for symbol, bars in series.items()}


def inside(series: Mapping[str, BarSeries], segment: Segment) -> dict[str, BarSeries]:
    """The bars of a segment alone: what it is measured by."""
    return {
        symbol: bars[bisect_left(bars.open_ns, segment.from_ns) : bisect_left(bars.open_ns, segment.until_ns)]
        for symbol, bars in series.items()
    }


def _segment(name: str, opens: list[int], begin: int, end: int) -> Segment:
    until_ns = opens[end] if end < len(opens) else WHOLE.until_ns
    return Segment(name, opens[begin] if begin else WHOLE.from_ns, until_ns)


def _too_few(what: str) -> InputError:
    return InputError(what, code=INVALID, field="split")
