"""A profile: the rules a workspace trades under, journaled when they take effect."""

from __future__ import annotations

import msgspec

from surefill.domain.costs.schedule import CostSchedule
from surefill.domain.ids import IdStyle
from surefill.domain.intent import Action
from surefill.domain.limits import Limits
from surefill.domain.sizing.spec import NO_CAPS, Correlation, SizingCaps
from surefill.rules.codes import OrdType
from surefill.units import NS_PER_S, PCT_PPB


class Profile(msgspec.Struct, frozen=True):
    """Named, ordered gates with their limits, what a door may ask for, and how it writes ids.

    `rechecks` are gates that are asked once more right before the wire. `calendar` says when the workspace's trading
    day rolls. `algo_ids`: the registered id of each strategy. `correlations` are what the gate of that name
    and sizing know, `sizing_caps` what no sized position exceeds. `costs`: the schedule that says what trading is
    charged (None: there is none).
    """

    name: str
    gates: tuple[str, ...]
    actions: tuple[int, ...] = (Action.TRADE, Action.OPEN, Action.CLOSE, Action.ADD)
    ord_types: tuple[int, ...] = (OrdType.MARKET, OrdType.LIMIT, OrdType.STOP, OrdType.STOP_LIMIT)
    allow_short: bool = True
    full_close_only: bool = False
    id_style: int = IdStyle.STAMPED
    id_prefix: str = "PAPER"
    limits: Limits = Limits()
    rechecks: tuple[str, ...] = ()
    calendar: str = "24x7"
    algo_ids: dict[str, str] = {}
    correlations: tuple[Correlation, ...] = ()
    sizing_caps: SizingCaps = NO_CAPS
    costs: CostSchedule | None = None


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

#: The five breakers of the order intents' document, in its order.
FIVE_BREAKERS = ("daily_loss", "daily_drawdown", "trades_per_day", "trades_per_strategy", "loss_streak")

V3 = Profile("v3", (*BASIC_GATES, "plan", "owner", "position", "duplicate", "notional"), id_prefix="V3")
V2 = Profile(
    "v2", (*FIVE_BREAKERS, *BASIC_GATES, "plan", "owner", "position", "duplicate", "notional"), id_prefix="PAPER"
)
PIPELINE = Profile(
    "pipeline",
    (
        *("signal_strength", "confluence"),
        *BASIC_GATES,
        *(
            "plan",
            "open_positions",
            "reward_risk",
            "stop_distance",
            "owner",
            "position",
            "duplicate",
            "notional",
            "cash",
        ),
    ),
    id_style=IdStyle.HEX,
    id_prefix="order",
    limits=Limits(attempts_max=4, order_timeout_ns=10 * NS_PER_S),
)
RPM = Profile(
    "rpm",
    (
        *("halted", "instrument", "market_hours", "tradable", "market_data", "stale", "sane"),
        *("spread", "margin", "liquidity"),
        *("action", "order_type", "quantity", "tick", "plan", "position", "duplicate", "notional"),
    ),
    id_style=IdStyle.HEX,
    id_prefix="exec",
    limits=Limits(
        attempts_max=3,
        retry_jitter_ppb=0,
        order_timeout_ns=60 * NS_PER_S,
        drift_bands_ppb=(PCT_PPB // 2, PCT_PPB, 2 * PCT_PPB, 5 * PCT_PPB),
    ),
    rechecks=("tick_age", "spread_widening", "margin_left"),
    calendar="forex",
)
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
PROFILES = {profile.name: profile for profile in (V3, V2, PIPELINE, RPM, PAPER_LONG_ONLY, PAPER_FULL)}
