"""The parameters of the gates and breakers, and of what the core does by itself: typed, integers, one flat struct.

A gate is switched on by being in the profile, never by its parameter: a limit of 0 means 0. Where a limit has no
sensible default (money, lots) it is `UNSET`, and the gate that needs it refuses until it is configured.
"""

from __future__ import annotations

from typing import Final

import msgspec

from surefill.rules.codes import PartialFill, TimeInForce
from surefill.units import NS_PER_S, PCT_PPB, PPB

#: No limit was configured: whoever needs it says no.
UNSET: Final = -1

#: How a tripped breaker is re-armed: by a named person, or with the next trading day. Above 0: after so many ns.
REARM_HUMAN: Final = -1
REARM_DAY: Final = 0

REARM_DEFAULTS: Final = {
    "daily_drawdown": REARM_DAY,
    "daily_loss": REARM_DAY,
    "drawdown": REARM_HUMAN,
    "equity_drop": REARM_HUMAN,
    "loss_streak": REARM_DAY,
    "reject_streak": REARM_HUMAN,
    "slippage": REARM_HUMAN,
}


class Limits(msgspec.Struct, frozen=True, omit_defaults=True):
    """Names end in their unit: `_ns`, `_ppb` (parts per billion), `_mpip` (thousandths of a pip), `_value` (money).

    What the core does by itself:
    `send_by_ns`: how long after its decision an order may still be sent. `answer_by_ns`: how long a venue may take to
    answer a call; then its outcome is unknown. `query_spacing_ns`: the pause between two queries about an order, two
    attempts to cancel it, two attempts to leave a position. `absence_horizon_ns` and `absence_queries`: when a venue's
    "not found" becomes proof; 0: never by itself. `order_timeout_ns`: an entry that has not filled by then is canceled
    (0: never). `attempts_max`: submissions in all, after proof each time that the one before did not arrive; the
    n-th wait is `retry_base_ns` times `retry_factor` to the n-1, at most `retry_max_ns`, give or take
    `retry_jitter_ppb` of it. `partial_fill`: what becomes of the rest of an entry that ended half filled.
    `exit_waits_ns`: how long an exit waits for a stop of unknown fate that the venue does not find, before it goes
    beside it (0: until somebody resolves the stop).
    `stops_at_venue`: a position's stop is kept at the venue as an order of its own, good for `stop_time_in_force`;
    once its price is reached it has `stop_grace_ns` to fill before the position leaves from here; a position whose
    stop is not confirmed is naked, and after `naked_page_ns` somebody is called. `refused_stop_flattens`: a position
    whose stop the venue refuses is left at once, else its stop is watched from here. `targets_at_venue`: its target
    goes there with the stop, linked: the venue ends the one when the other fills.
    `shutdown_flattens`: a kill switch at SHUTDOWN sells what is held. `throttle_spacing_ns`: at THROTTLE, the least
    time between two entries.

    Gates that ask only where their parameter is above 0: `price_max_age_ns`, `duplicate_window_ns`.
    `regime_optional`: an entry without a regime figure passes the gate `regime`; from `regime_z_warn_ppb` on it is
    warned of, where somebody listens to warnings.
    `aggregate_value_max`: what all workspaces of the engine at one venue, in one mode and currency, may stand in for
    together; it holds for all of them, whatever gates they ask, and the smallest counts.
    `cost_cushion_ppb`: what a purchase may cost beyond its price (half spread, slippage, fees). `market_cost_ppb`: the
    part of it that nobody charges (half spread, slippage).
    `drift_bands_ppb`: a difference to the venue's position below the first is none, below the second is logged, below
    the third alerted, below the fourth corrected; anything else halts, and so does a position that only one side has.
    `eod_lead_ns`: how long before its session ends a position for the day leaves (0: with the last bar).
    `balance_drift_ppb`: the account's money at the venue may differ from the books' by so much of it before somebody is
    called; `balance_halts`: that halts too.
    `dead_man_ns`: what works is canceled by its venue when it has not heard from us for so long (0: never).
    `external_halts`: an execution that no order of ours made stops entries; it is booked either way.
    `equity_granularity_ppb`: a new high of the equity is journaled when it is this much higher.
    """

    price_max_age_ns: int = 0
    duplicate_window_ns: int = 0
    cost_cushion_ppb: int = 0
    market_cost_ppb: int = 0
    allow_negative_cash: bool = False
    send_by_ns: int = 5 * NS_PER_S
    answer_by_ns: int = 30 * NS_PER_S
    query_spacing_ns: int = NS_PER_S
    absence_horizon_ns: int = 0
    absence_queries: int = 3
    unknown_page_ns: int = 30 * NS_PER_S
    stop_granularity: int = 1
    target_first_on_bar: bool = False
    order_timeout_ns: int = 0
    attempts_max: int = 1
    retry_base_ns: int = NS_PER_S
    retry_factor: int = 2
    retry_max_ns: int = 30 * NS_PER_S
    retry_jitter_ppb: int = PPB // 4
    partial_fill: int = PartialFill.ACCEPT
    shutdown_flattens: bool = False
    throttle_spacing_ns: int = 60 * NS_PER_S
    # the order's own terms
    collar_ppb: int = 3 * PCT_PPB
    collar_illiquid_ppb: int = 10 * PCT_PPB
    order_value_max: int = UNSET
    basket_value_max: int = UNSET
    order_lots_max: int = 50
    reward_risk_min_ppb: int = 3 * PPB // 2
    stop_distance_max_ppb: int = 2 * PCT_PPB
    signal_strength_min_ppb: int = 0
    confluence_min_ppb: int = 3 * PPB
    edge_multiple_min_ppb: int = PPB
    # the market
    spread_max_mpip: int = 5_000
    spread_max_ppb: int = 0
    spread_widening_max_mpip: int = 2_000
    recheck_age_max_ns: int = 5 * NS_PER_S
    regime_z_warn_ppb: int = 2 * PPB
    regime_z_max_ppb: int = 3 * PPB
    regime_optional: bool = False
    # the account
    exposure_value_max: int = UNSET
    aggregate_value_max: int = UNSET
    position_value_max: int = UNSET
    concentration_max_ppb: int = 25 * PCT_PPB
    correlated_max_ppb: int = 50 * PCT_PPB
    margin_cushion_ppb: int = 3 * PPB // 2
    open_positions_max: int = 3
    # the flow
    message_rate_max: int = 8
    message_reserve_ppb: int = 20 * PCT_PPB
    order_rate_max: int = 5
    repeated_fills_max: int = 20
    repeated_fills_window_ns: int = 60 * NS_PER_S
    # the day and the breakers
    trades_per_day_max: int = 100
    trades_per_strategy_max: int = 50
    cap_total_max: int = 300
    cap_strategy_max: int = 80
    cap_symbol_max: int = 20
    daily_loss_max: int = UNSET
    daily_drawdown_max_ppb: int = 2 * PCT_PPB
    drawdown_max_ppb: int = 5 * PCT_PPB
    drawdown_value_max: int = UNSET
    equity_drop_max_ppb: int = 5 * PCT_PPB
    loss_streak_max: int = 5
    reject_streak_max: int = 5
    slippage_max_ppb: int = 2 * PCT_PPB
    equity_granularity_ppb: int = PPB // 1_000
    drift_bands_ppb: tuple[int, int, int, int] = (0, 0, 0, 0)
    rearm_ns: dict[str, int] = {}
    # stops at the venue
    stops_at_venue: bool = False
    targets_at_venue: bool = False
    stop_time_in_force: int = TimeInForce.GTC
    stop_grace_ns: int = 3 * NS_PER_S
    naked_page_ns: int = 2 * NS_PER_S
    exit_waits_ns: int = 60 * NS_PER_S
    refused_stop_flattens: bool = False
    external_halts: bool = True
    dead_man_ns: int = 0
    balance_drift_ppb: int = PCT_PPB // 10
    balance_halts: bool = False
    eod_lead_ns: int = 0

    def rearm_of(self, breaker: str) -> int:
        """How that breaker is re-armed: `REARM_HUMAN`, `REARM_DAY`, or nanoseconds."""
        return self.rearm_ns.get(breaker, REARM_DEFAULTS[breaker])
