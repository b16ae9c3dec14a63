"""The settings of policy: what the paper profiles ask of every entry, and what the core is told of it.

Its rules are gates like any other; they stand right after the kill switch, in the order of their priorities.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Annotated, Any, Final

import msgspec
from pydantic import Field

from surefill.config.fields import Blank, NotNegative, Positive, Section
from surefill.config.risk import Complaint, RiskSettings
from surefill.domain.profile import Profile
from surefill.errors import InputError
from surefill.units import figure_ppb, rate_ppb_from_pct

_Amount = Annotated[NotNegative | None, Blank]
_Cap = Annotated[Positive | None, Blank]  # in the core 0 is no cap at all

#: Profiles whose workspaces have a policy, and the gates that are its rules.
PROFILES: Final = ("paper_long_only", "paper_full")
GATES: Final = ("regime", "drawdown", "size_caps")


class PolicySettings(Section):
    """What the profiles paper_long_only and paper_full ask of every entry, right after the kill switch."""

    regime_warn_z: _Amount = Field(
        default=None, description="Warn of an entry whose regime_distance_z is so far out (2)"
    )
    regime_reject_z: _Amount = Field(default=None, description="Refuse it from here on (3)")
    require_regime: bool = Field(default=False, description="Refuse entries that bring no regime_distance_z")
    limit_drawdown: bool | None = Field(
        default=None,
        description="Ask how far the equity has fallen; empty: the intents door does, others where the next key is set",
    )
    max_drawdown_pct: _Amount = Field(default=None, description="How far it may fall from its highest (5)")
    max_position_pct: _Cap = Field(
        default=None, description="Share of the equity in one position; empty is no cap, as with the next three"
    )
    max_total_pct: _Cap = Field(default=None, description="The same for all positions together")
    max_correlated_pct: _Cap = Field(default=None, description="The same for what moves together")
    max_risk_pct: _Cap = Field(default=None, description="Share of the equity lost when every stop is hit")


#: Setting -> field of Limits, how it is read, the setting under `risk` that says the same.
_LIMITS: Final[dict[str, tuple[str, Callable[[Any, str], int], str]]] = {
    "regime_warn_z": ("regime_z_warn_ppb", figure_ppb, ""),
    "regime_reject_z": ("regime_z_max_ppb", figure_ppb, "regime_z_max"),
    "max_drawdown_pct": ("drawdown_max_ppb", rate_ppb_from_pct, "drawdown_max_pct"),
}
#: The same for the caps.
_CAPS: Final = {
    "max_position_pct": ("max_position_ppb", "sized_position_max_pct"),
    "max_total_pct": ("max_total_ppb", "sized_total_max_pct"),
    "max_correlated_pct": ("max_correlated_ppb", "sized_correlated_max_pct"),
    "max_risk_pct": ("max_risk_ppb", "sized_risk_max_pct"),
}


def with_policy(profile: Profile, policy: PolicySettings, risk: RiskSettings, complain: Complaint) -> Profile:
    """A paper profile with its policy; any other as it is.

    A regime figure that does not come is let through unless policy requires it, or `risk` names the gate itself.
    """
    if profile.name not in PROFILES:
        return profile
    named = "regime" in risk.enable or "regime" in (risk.gates or ())
    limits: dict[str, Any] = {"regime_optional": not (policy.require_regime or named)}
    for key, (field, read, same) in _LIMITS.items():
        if getattr(policy, key) is not None:
            limits[field] = _read(policy, key, read, risk, same, complain)
    caps: dict[str, Any] = {
        field: _read(policy, key, rate_ppb_from_pct, risk, same, complain)
        for key, (field, same) in _CAPS.items()
        if getattr(policy, key) is not None
    }
    asks_drawdown = policy.max_drawdown_pct is not None if policy.limit_drawdown is None else policy.limit_drawdown
    gates = GATES if asks_drawdown else tuple(gate for gate in GATES if gate != "drawdown")
    first = profile.gates.index("halted") + 1
    return msgspec.structs.replace(
        profile,
        gates=(*profile.gates[:first], *gates, *profile.gates[first:]),
        limits=msgspec.structs.replace(profile.limits, **limits),
        sizing_caps=msgspec.structs.replace(profile.sizing_caps, **caps),
    )


def _read(
    policy: PolicySettings,
    key: str,
    read: Callable[[Any, str], int],
    risk: RiskSettings,
    same: str,
    complain: Complaint,
) -> int:
    value: Decimal = getattr(policy, key)
    if same and getattr(risk, same) is not None:
        raise complain(("policy", key), value, f"risk.{same} says the same thing: leave one of them out")
    if key == "max_drawdown_pct" and risk.guardian:
        raise complain(("policy", key), value, "risk.guardian brings its own: set risk.drawdown_max_pct")
    try:
        return read(value, key)
    except InputError as error:
        raise complain(("policy", key), value, f"it cannot be counted ({error.message})") from error
