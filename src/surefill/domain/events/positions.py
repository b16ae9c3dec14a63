"""What guards positions, and their comparison with the venue."""

from __future__ import annotations

import msgspec

from surefill.domain.events.event import Event
from surefill.domain.intent import LadderStep


class ProtectionSet(Event, frozen=True):
    """All that guards a position from here on: of its first plan, or of that joined with an addition's.

    `initial_risk` is fixed with the first stop. `bars_held`, `trailed`: how far the position had come.
    """

    position: str
    stop_px: int = 0
    target_px: int = 0
    initial_risk: int = 0
    trail_distance: int = 0
    stop_partial_ppb: int = 0
    ladder: tuple[LadderStep, ...] = ()
    time_stop_bars: int = 0
    end_of_day: bool = False
    max_hold_ns: int = 0
    bars_held: int = 0
    trailed: bool = False


class StopMoved(Event, frozen=True):
    """The trailing stop followed the price, towards profit."""

    position: str
    stop_px: int
    px: int
    source: int


class BarCounted(Event, frozen=True):
    """A bar closed on a position with a time stop."""

    position: str
    bars_held: int


class ExitTriggered(Event, frozen=True):
    """The plan says out: why, at which price, from which source, for how much."""

    position: str
    reason: int
    px: int
    source: int
    px_ns: int
    qty: int
    ladder_left: tuple[LadderStep, ...] = ()
    stop_partial_used: bool = False


class DustLeft(Event, frozen=True):
    """What is left of a position cannot leave: its plan and its trade end, the holding stays in the books."""

    position: str
    qty: int


class PositionsCompared(Event, frozen=True):
    """Our book and the venue's were laid side by side; `differences` is empty where they agree.

    `bands`: how far apart each is (`DriftBand`); one that is not there halts.
    """

    differences: dict[str, tuple[int, int]]
    bands: dict[str, int] = msgspec.field(default_factory=dict)


class PositionAdjusted(Event, frozen=True):
    """Our book follows the venue's: a declared adjustment, at the average cost. Figures are those after it.

    No cash has moved; what the quantity was worth at cost is realised, so that money stays conserved.
    """

    position: str
    qty: int
    cost: int
    realised: int
    reason: str
