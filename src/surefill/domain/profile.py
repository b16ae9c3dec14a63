"""A profile: the rules a workspace trades under, journaled when they take effect."""

from __future__ import annotations

import msgspec

from surefill.domain.ids import IdStyle
from surefill.domain.intent import Action
from surefill.rules.codes import OrdType

NS_PER_S = 1_000_000_000


class Limits(msgspec.Struct, frozen=True):
    """Parameters of the gates; 0 switches a limit off where it says so.

    `price_max_age_ns`: how old a market price may be (0: not asked; caller-given and bar prices are of their
    own moment). `duplicate_window_ns`: a like intent without a key within it is refused (0: off).
    `cost_cushion_ppb`: what a purchase may cost beyond its price (half spread, slippage, fees).
    `send_by_ns`: how long after its decision an order may still be sent. `answer_by_ns`: how long a venue may take to
    answer a call; then its outcome is unknown.
    `query_spacing_ns`: the pause between two queries about an order, two attempts to cancel it, two attempts to leave
    a position.
    `absence_horizon_ns` and `absence_queries`: when a venue's "not found" becomes proof; 0: never by itself.
    """

    price_max_age_ns: int = 0
    duplicate_window_ns: int = 0
    cost_cushion_ppb: int = 0
    allow_negative_cash: bool = False
    send_by_ns: int = 5 * NS_PER_S
    answer_by_ns: int = 30 * NS_PER_S
    query_spacing_ns: int = NS_PER_S
    absence_horizon_ns: int = 0
    absence_queries: int = 3
    unknown_page_ns: int = 30 * NS_PER_S
    stop_granularity: int = 1
    target_first_on_bar: bool = False


class Profile(msgspec.Struct, frozen=True):
    """Named, ordered gates with their limits, what a door may ask for, and how it writes ids."""

    name: str
    gates: tuple[str, ...]
    actions: tuple[int, ...] = (Action.TRADE, Action.OPEN, Action.CLOSE, Action.ADD)
    ord_types: tuple[int, ...] = (OrdType.MARKET, OrdType.LIMIT, OrdType.STOP, OrdType.STOP_LIMIT)
    allow_short: bool = True
    full_close_only: bool = False
    id_style: int = IdStyle.STAMPED
    id_prefix: str = "PAPER"
    limits: Limits = Limits()


#: Before a workspace is opened: nothing passes, because no instrument is known.
NO_PROFILE = Profile("", ("instrument",))

BASIC_GATES = (
    "halted",
    "instrument",
    "action",
    "order_type",
    "quantity",
    "tick",
    "market_data",
    "stale",
    "sane",
)

V3 = Profile("v3", (*BASIC_GATES, "plan", "owner", "position", "duplicate", "notional"), id_prefix="V3")
V2 = Profile("v2", (*BASIC_GATES, "plan", "owner", "position", "duplicate", "notional"), id_prefix="PAPER")
PAPER_LONG_ONLY = Profile(
    "paper_long_only",
    (*BASIC_GATES, "plan", "owner", "position", "duplicate", "notional", "cash"),
    actions=(Action.OPEN, Action.CLOSE),
    ord_types=(OrdType.MARKET,),
    allow_short=False,
    full_close_only=True,
    id_style=IdStyle.HEX,
    id_prefix="order",
)
PAPER_FULL = Profile(
    "paper_full",
    (*BASIC_GATES, "plan", "owner", "position", "duplicate", "notional", "cash"),
    id_style=IdStyle.HEX,
    id_prefix="order",
)
PROFILES = {profile.name: profile for profile in (V3, V2, PAPER_LONG_ONLY, PAPER_FULL)}
