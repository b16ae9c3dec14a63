"""The settings of gates, breakers and retries, and what the core is told of them.

Each key is a field of `domain.limits.Limits` in a unit for people; `_KEYS` says which and how. What is left empty is
the profile's own.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Annotated, Any, Final, Literal

import msgspec
from pydantic import Field

from surefill.config.fields import Blank, Count, NotNegative, Positive, Section
from surefill.domain.gates import GATES, RECHECKS
from surefill.domain.limits import REARM_DAY, REARM_DEFAULTS, REARM_HUMAN, Limits
from surefill.domain.profile import Profile
from surefill.domain.sizing import Correlation, SizingCaps
from surefill.domain.sizing.caps import tightest
from surefill.errors import ConfigError
from surefill.rules.codes import PartialFill
from surefill.units import MONEY_MAX, NS_PER_S, PCT_PPB, rate_ppb_from_pct, to_quanta

_Amount = Annotated[NotNegative | None, Blank]
_Number = Annotated[Count | None, Blank]
Share = Annotated[Decimal, Field(ge=-1, le=1, allow_inf_nan=False)]


class RiskSettings(Section):
    """Gates, breakers, retries. A gate is switched on by its name; [the gates](gates.md) says what each asks."""

    gates: list[str] | None = Field(
        default=None, description="The gates in their order, instead of the profile's; an unknown name is an error"
    )
    throttler: bool = Field(
        default=False, description="Ask cap_total, cap_symbol, cap_strategy and edge before everything else"
    )
    guardian: bool = Field(
        default=False,
        description="Ask order_rate, lots, slippage, drawdown (3 %) and equity_drop as well; prices no older than 3 s",
    )
    enable: list[str] = Field(default=[], description="Gates to ask as well, after the profile's")
    disable: list[str] = Field(default=[], description="Gates of the profile not to ask")
    rechecks: list[str] | None = Field(
        default=None, description="What is asked again right before sending, instead of the profile's"
    )
    price_collar_pct: _Amount = Field(default=None, description="Order prices this near the last price (3)")
    price_collar_illiquid_pct: _Amount = Field(default=None, description="The same for instruments not liquid (10)")
    order_value_max: _Amount = Field(default=None, description="Money of one order")
    basket_value_max: _Amount = Field(default=None, description="Money of all orders of one basket and day")
    order_lots_max: _Number = Field(default=None, description="Lots of one order (50)")
    reward_risk_min: _Amount = Field(default=None, description="Target distance over stop distance (1.5)")
    stop_distance_max_pct: _Amount = Field(default=None, description="Stop this near the entry (2)")
    signal_strength_min: _Amount = Field(default=None, description="Of the signal (0)")
    confluence_min: _Amount = Field(default=None, description="Of the signal's score (3)")
    edge_multiple_min: _Amount = Field(default=None, description="Expected gain over the cost of going in and out (1)")
    spread_max_pips: _Amount = Field(default=None, description="Bid to ask, for instruments with a pip (5)")
    spread_max_pct: _Amount = Field(default=None, description="Bid to ask, for all others (0)")
    spread_widening_max_pips: _Amount = Field(default=None, description="Wider since the decision (2)")
    recheck_age_max_s: _Amount = Field(default=None, description="Age of the last tick right before sending (5)")
    regime_z_max: _Amount = Field(default=None, description="Standard deviations of regime drift that are too many (3)")
    exposure_value_max: _Amount = Field(default=None, description="Money of everything held and on its way")
    aggregate_value_max: _Amount = Field(
        default=None,
        description="The same of all workspaces of the engine at the venue, in the mode and currency, together",
    )
    position_value_max: _Amount = Field(default=None, description="Money of one instrument held and on its way")
    concentration_max_pct: _Amount = Field(default=None, description="Share of the equity in one instrument (25)")
    correlated_max_pct: _Amount = Field(default=None, description="Share of the equity in what moves together (50)")
    margin_cushion: _Amount = Field(default=None, description="Free margin over the margin needed (1.5)")
    open_positions_max: _Number = Field(default=None, description="Positions at once (3)")
    message_rate_max: _Number = Field(default=None, description="Orders and cancels in a second (8)")
    message_reserve_pct: _Amount = Field(default=None, description="Share of them kept for exits (20)")
    order_rate_max: _Number = Field(default=None, description="Orders in a second (5)")
    repeated_fills_max: _Number = Field(default=None, description="Fills of a strategy in a symbol in the window (20)")
    repeated_fills_window_s: _Amount = Field(default=None, description="That window (60)")
    cap_total_max: _Number = Field(default=None, description="The throttler's trades of a day (300)")
    cap_strategy_max: _Number = Field(default=None, description="The same of one strategy (80)")
    cap_symbol_max: _Number = Field(default=None, description="The same of one symbol (20)")
    drawdown_max_pct: _Amount = Field(default=None, description="Fall from the highest equity (5)")
    drawdown_value_max: _Amount = Field(default=None, description="The same in money")
    equity_drop_max_pct: _Amount = Field(default=None, description="Fall from the day's first equity (5)")
    reject_streak_max: _Number = Field(default=None, description="Orders in a row refused by the venue (5)")
    slippage_max_pct: _Amount = Field(default=None, description="An entry filled so much worse than decided (2)")
    rearm: dict[str, Literal["human", "day"] | Positive] = Field(
        default={}, description="By breaker: human, day (the next trading day), or seconds of cooling-off"
    )
    drift_bands_pct: Annotated[list[NotNegative], Field(min_length=4, max_length=4)] | None = Field(
        default=None,
        description="A difference to the venue's position below the first is none, below the second logged, below the"
        " third alerted, below the fourth corrected; else it halts",
    )
    balance_drift_pct: _Amount = Field(
        default=None,
        description="The account's money at the venue may differ from the books' by so much of it before somebody is"
        " called (0.1); less is noted",
    )
    balance_drift_halts: bool | None = Field(default=None, description="That halts too (false)")
    throttle_spacing_s: _Amount = Field(default=None, description="Kill switch at throttle: between two entries (60)")
    shutdown_flattens: bool | None = Field(default=None, description="Kill switch at shutdown: sell what is held")
    order_timeout_s: _Amount = Field(default=None, description="Cancel an entry that has not filled by then; 0 never")
    partial_fill: Annotated[Literal["accept", "retry"] | None, Blank] = Field(
        default=None, description="What an entry left unfilled: accept, or retry with a further order"
    )
    attempts_max: Annotated[Annotated[int, Field(ge=1, le=100)] | None, Blank] = Field(
        default=None, description="Submissions in all, each after proof that the one before did not arrive (1)"
    )
    retry_base_s: _Amount = Field(default=None, description="The first wait between two submissions (1)")
    retry_factor: Annotated[Annotated[int, Field(ge=1, le=100)] | None, Blank] = Field(
        default=None, description="Each further wait is so many times longer (2)"
    )
    retry_max_s: _Amount = Field(default=None, description="The longest wait (30)")
    retry_jitter_pct: _Amount = Field(default=None, description="Waits vary by so much (25)")
    external_trades: Annotated[Literal["halt", "continue"] | None, Blank] = Field(
        default=None,
        description="An execution at the account that no order of ours made is booked, and stops entries: halt, or"
        " continue (halt)",
    )
    end_of_day_lead_s: _Amount = Field(
        default=None,
        description="How long before its session ends a position leaves whose plan ends with the day: set it so that it"
        " is before the broker's own square-off; 0 with the last bar (0)",
    )
    sized_position_max_pct: _Amount = Field(
        default=None,
        description="Where surefill sizes, and for gate size_caps: equity share of one position; empty: no cap",
    )
    sized_total_max_pct: _Amount = Field(default=None, description="The same for all positions together")
    sized_correlated_max_pct: _Amount = Field(default=None, description="The same for what moves together")
    sized_risk_max_pct: _Amount = Field(default=None, description="Share of the equity lost when every stop is hit")
    algo_ids: dict[str, str] = Field(default={}, description="By strategy: the id it is registered under")
    correlations: dict[str, Share] = Field(
        default={}, description="By pair, written ONE,OTHER: how they move together, -1 to 1"
    )


#: Setting -> field of Limits, decimals of its quantum ("money": the workspace's).
_KEYS: Final[dict[str, tuple[str, int | str]]] = {
    "price_collar_pct": ("collar_ppb", 7),
    "price_collar_illiquid_pct": ("collar_illiquid_ppb", 7),
    "order_value_max": ("order_value_max", "money"),
    "basket_value_max": ("basket_value_max", "money"),
    "order_lots_max": ("order_lots_max", 0),
    "reward_risk_min": ("reward_risk_min_ppb", 9),
    "stop_distance_max_pct": ("stop_distance_max_ppb", 7),
    "signal_strength_min": ("signal_strength_min_ppb", 9),
    "confluence_min": ("confluence_min_ppb", 9),
    "edge_multiple_min": ("edge_multiple_min_ppb", 9),
    "spread_max_pips": ("spread_max_mpip", 3),
    "spread_max_pct": ("spread_max_ppb", 7),
    "spread_widening_max_pips": ("spread_widening_max_mpip", 3),
    "recheck_age_max_s": ("recheck_age_max_ns", 9),
    "regime_z_max": ("regime_z_max_ppb", 9),
    "exposure_value_max": ("exposure_value_max", "money"),
    "aggregate_value_max": ("aggregate_value_max", "money"),
    "position_value_max": ("position_value_max", "money"),
    "concentration_max_pct": ("concentration_max_ppb", 7),
    "correlated_max_pct": ("correlated_max_ppb", 7),
    "margin_cushion": ("margin_cushion_ppb", 9),
    "open_positions_max": ("open_positions_max", 0),
    "message_rate_max": ("message_rate_max", 0),
    "message_reserve_pct": ("message_reserve_ppb", 7),
    "order_rate_max": ("order_rate_max", 0),
    "repeated_fills_max": ("repeated_fills_max", 0),
    "repeated_fills_window_s": ("repeated_fills_window_ns", 9),
    "cap_total_max": ("cap_total_max", 0),
    "cap_strategy_max": ("cap_strategy_max", 0),
    "cap_symbol_max": ("cap_symbol_max", 0),
    "drawdown_max_pct": ("drawdown_max_ppb", 7),
    "drawdown_value_max": ("drawdown_value_max", "money"),
    "equity_drop_max_pct": ("equity_drop_max_ppb", 7),
    "reject_streak_max": ("reject_streak_max", 0),
    "slippage_max_pct": ("slippage_max_ppb", 7),
    "balance_drift_pct": ("balance_drift_ppb", 7),
    "balance_drift_halts": ("balance_halts", 0),
    "throttle_spacing_s": ("throttle_spacing_ns", 9),
    "shutdown_flattens": ("shutdown_flattens", 0),
    "order_timeout_s": ("order_timeout_ns", 9),
    "attempts_max": ("attempts_max", 0),
    "retry_base_s": ("retry_base_ns", 9),
    "retry_factor": ("retry_factor", 0),
    "retry_max_s": ("retry_max_ns", 9),
    "retry_jitter_pct": ("retry_jitter_ppb", 7),
    "end_of_day_lead_s": ("eod_lead_ns", 9),
}

THROTTLER: Final = ("cap_total", "cap_symbol", "cap_strategy", "edge")
GUARDIAN: Final = ("order_rate", "lots", "slippage", "drawdown", "equity_drop")
_GUARDIANS_OWN: Final = {"price_max_age_ns": 3 * NS_PER_S, "drawdown_max_ppb": 3 * PCT_PPB}

#: Gates without which an order is not one that the books can hold.
NEEDED: Final = ("halted", "instrument", "action", "order_type", "quantity", "position", "notional")

#: Says what is wrong with a setting: path, value, what is allowed.
Complaint = Callable[[tuple[str, ...], object, str], ConfigError]


def with_risk(profile: Profile, risk: RiskSettings, money_decimals: int, complain: Complaint) -> Profile:
    """The profile with the gates and the limits that the settings give it."""
    return msgspec.structs.replace(
        profile,
        gates=_gates(profile, risk, complain),
        rechecks=profile.rechecks
        if risk.rechecks is None
        else _known(("risk", "rechecks"), risk.rechecks, RECHECKS, complain),
        limits=_limits(profile.limits, risk, money_decimals, complain),
        algo_ids=dict(risk.algo_ids),
        correlations=_correlations(risk, complain),
        sizing_caps=tightest(
            profile.sizing_caps,
            SizingCaps(
                max_position_ppb=_share(risk.sized_position_max_pct),
                max_total_ppb=_share(risk.sized_total_max_pct),
                max_correlated_ppb=_share(risk.sized_correlated_max_pct),
                max_risk_ppb=_share(risk.sized_risk_max_pct),
            ),
        ),
    )


def _share(pct: Decimal | None) -> int:
    return 0 if pct is None else rate_ppb_from_pct(pct, "pct")


def _correlations(risk: RiskSettings, complain: Complaint) -> tuple[Correlation, ...]:
    found: dict[frozenset[str], Correlation] = {}
    for text, value in risk.correlations.items():
        first, _, second = (name.strip() for name in text.partition(","))
        pair = frozenset((first, second))
        if pair in found or len(pair) < 2 or "" in pair:
            raise complain(("risk", "correlations"), text, "write each pair of two instruments once, as ONE,OTHER")
        found[pair] = Correlation(first, second, to_quanta(value, 9, field="correlation", allow_negative=True))
    return tuple(found.values())


def _known(path: tuple[str, ...], names: list[str] | None, known: Any, complain: Complaint) -> tuple[str, ...]:
    for name in names or ():
        if name not in known:
            raise complain(path, name, f"there is none of that name; use {', '.join(sorted(known))}")
    return tuple(names or ())


def _gates(profile: Profile, risk: RiskSettings, complain: Complaint) -> tuple[str, ...]:
    gates = _known(("risk", "gates"), risk.gates, GATES, complain) if risk.gates is not None else profile.gates
    for name in _known(("risk", "disable"), risk.disable, GATES, complain):
        if name not in gates:
            raise complain(("risk", "disable"), name, f"profile {profile.name} does not ask it anyway")
        if name in NEEDED:
            raise complain(("risk", "disable"), name, "no order can do without it")
    first = THROTTLER if risk.throttler else ()
    kept = first + tuple(name for name in gates if name not in (*risk.disable, *first))
    added = (*(GUARDIAN if risk.guardian else ()), *_known(("risk", "enable"), risk.enable, GATES, complain))
    for name in NEEDED:
        if name not in kept:
            raise complain(("risk", "gates"), ", ".join(kept), f"no order can do without {name}: put it in")
    return tuple(dict.fromkeys((*kept, *added)))


def _limits(limits: Limits, risk: RiskSettings, money_decimals: int, complain: Complaint) -> Limits:
    changes: dict[str, Any] = {}
    if risk.guardian:
        changes = {field: value for field, value in _GUARDIANS_OWN.items() if field != "price_max_age_ns"}
        changes["price_max_age_ns"] = limits.price_max_age_ns or _GUARDIANS_OWN["price_max_age_ns"]
    for key, (field, unit) in _KEYS.items():
        value = getattr(risk, key)
        if value is None:
            continue
        decimals = money_decimals if isinstance(unit, str) else unit
        try:
            changes[field] = value if unit == 0 else to_quanta(value, decimals, field=key, max_quanta=MONEY_MAX)
        except ConfigError:
            raise
        except Exception as error:
            raise complain(("risk", key), value, f"it may have at most {decimals} decimals ({error})") from error
    if risk.drift_bands_pct is not None:
        if risk.drift_bands_pct != sorted(risk.drift_bands_pct):
            raise complain(("risk", "drift_bands_pct"), risk.drift_bands_pct, "write them in ascending order")
        changes["drift_bands_ppb"] = tuple(rate_ppb_from_pct(each, "drift_bands_pct") for each in risk.drift_bands_pct)
    if risk.partial_fill is not None:
        changes["partial_fill"] = int(PartialFill[risk.partial_fill.upper()])
    if risk.external_trades is not None:
        changes["external_halts"] = risk.external_trades == "halt"
    changes["rearm_ns"] = limits.rearm_ns | {name: _rearm(name, how, complain) for name, how in risk.rearm.items()}
    return msgspec.structs.replace(limits, **changes)


def _rearm(name: str, how: object, complain: Complaint) -> int:
    if name not in REARM_DEFAULTS:
        raise complain(("risk", "rearm", name), how, f"there is no such breaker; use {', '.join(REARM_DEFAULTS)}")
    if how == "human":
        return REARM_HUMAN
    return REARM_DAY if how == "day" else to_quanta(str(how), 9, field=f"rearm.{name}", max_quanta=MONEY_MAX)
