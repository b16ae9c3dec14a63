"""What upstream wants, translated by a door into integers; and how the position is to be guarded."""

from __future__ import annotations

import enum
from typing import Final

import msgspec

from surefill.domain.sizing.spec import SizingSpec
from surefill.rules.codes import OrdType, TimeInForce
from surefill.units import NS_PER_DAY


class Action(enum.IntEnum):
    """What an intent may do to the position."""

    TRADE = 1  # a plain order: may open, add, reduce or flip the net position
    OPEN = 2  # opens or adds; never reduces
    CLOSE = 3  # reduces only; quantity 0 means all of it, the side is the one that flattens
    ADD = 4  # adds to what is held, on its side; never opens


#: The longest time limit of a position: ten years, so that no moment is beyond what is counted.
HOLD_MAX_NS: Final = 3_650 * NS_PER_DAY


class LadderStep(msgspec.Struct, frozen=True, gc=False):
    """Close `fraction_ppb` of the position when the price reaches `px` in its favour."""

    px: int
    fraction_ppb: int


class ExitPlan(msgspec.Struct, frozen=True, omit_defaults=True):
    """How a position leaves, decided with the entry; 0 or empty means "not used".

    `trail_distance` trails in price quanta, `trail_step_ppb` in parts per billion of the initial risk (the
    distance from the fill to the first stop, fixed at entry). `stop_partial_ppb`: the first breach of the stop
    closes that part only, the second one the rest. `max_hold_ns` closes the position so long after it was opened.
    """

    stop_px: int = 0
    target_px: int = 0
    trail_distance: int = 0
    trail_step_ppb: int = 0
    stop_partial_ppb: int = 0
    ladder: tuple[LadderStep, ...] = ()
    time_stop_bars: int = 0
    end_of_day: bool = False
    max_hold_ns: int = 0

    def is_empty(self) -> bool:
        """Whether nothing would ever close the position by itself."""
        return self == NO_PLAN


NO_PLAN = ExitPlan()


class Intent(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """One wish of upstream, normalised.

    `intent_id` is the idempotency key ("" where the door's caller gave none). `context` holds the door's own
    labels (exchange, product, timeframe …) for its projections; the core never reads it.
    `figures` are what the caller gives gates to judge by, in parts per billion unless the gate says otherwise.
    `basket_id` names orders whose values are added up. `timeout_ns` and `max_spread` (price quanta) overrule the
    profile's limits for this intent (0: they do not); an exit has no time-out. `sizing`: with no quantity, the core
    sizes it, once, before the gates.
    """

    intent_id: str
    correlation_id: str
    door: str
    strategy_id: str
    instrument_id: str
    action: int
    side: int
    order_qty: int
    ord_type: int = OrdType.MARKET
    time_in_force: int = TimeInForce.DAY
    px: int = 0
    stop_px: int = 0
    bucket: str = ""
    plan: ExitPlan | None = None
    reason: str = ""
    context: dict[str, str] = {}
    basket_id: str = ""
    figures: dict[str, int] = {}
    timeout_ns: int = 0
    max_spread: int = 0
    sizing: SizingSpec | None = None

    def likeness(self) -> str:
        """What makes two intents without a key look like one sent twice."""
        terms = (self.strategy_id, self.instrument_id, self.bucket, self.action, self.side, self.order_qty)
        return "|".join(map(str, (*terms, self.ord_type, self.px, self.stop_px)))
