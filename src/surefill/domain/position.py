"""A position and what protects it."""

from __future__ import annotations

import msgspec

from surefill.domain.intent import LadderStep
from surefill.rules.codes import ExitReason


class ExitDue(msgspec.Struct, frozen=True, gc=False):
    """An exit that has been decided, with the price that it was decided at."""

    reason: int
    px: int
    source: int
    px_ns: int
    qty: int

    @property
    def whole(self) -> bool:
        """Whether all that is held is to leave, however much that is when the order is made."""
        return self.reason != ExitReason.PARTIAL


class Protection(msgspec.Struct, omit_defaults=True):
    """The live exit plan of an open position; it dies with the position.

    It has no quantity of its own: it always guards what the position holds, so it follows every fill.
    `exit_cl_ord_id` names the exit order in flight: while one is, no other is made. `due` is an exit that has been
    decided: a partial one until its order is made, one of the whole position until the position is flat.
    `stop_cl_ord_id` names the stop that is kept at the venue. `naked_ns`: since when there should be one and none is
    confirmed (0: all is well). `stop_refused`: the venue would not have it; the stop is watched from here.
    `target_refused`: it would not have the two linked; the stop goes there alone, the target is watched from here.
    """

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
    exit_cl_ord_id: str = ""
    due: ExitDue | None = None
    stop_cl_ord_id: str = ""
    naked_ns: int = 0
    stop_refused: bool = False
    target_refused: bool = False

    @property
    def belongs_at_venue(self) -> bool:
        """Whether its stop is one that a venue can keep: one that takes the whole position."""
        return self.stop_px > 0 and not self.stop_partial_ppb


class Position(msgspec.Struct, omit_defaults=True):
    """Signed net quantity and cost of one (instrument, bucket).

    `qty` in quantity quanta, `cost` in notional quanta with the sign of `qty`; `realised` and `fees` in money.
    `result_before`: realised less fees of what was closed before the present holding.
    `strategy_id` owns it while it is open; its exits belong to the story (`correlation_id`) that opened it.
    `dust`: it is what a trade has left over and the venue would not take back: nobody's, and open to nobody.
    """

    instrument_id: str
    bucket: str = ""
    qty: int = 0
    cost: int = 0
    realised: int = 0
    fees: int = 0
    strategy_id: str = ""
    correlation_id: str = ""
    opened_ns: int = 0
    result_before: int = 0
    protection: Protection | None = None
    dust: bool = False


def position_key(instrument_id: str, bucket: str) -> str:
    """The key of a position in the state."""
    return f"{instrument_id}|{bucket}" if bucket else instrument_id
