"""What each profile assumes where the configuration says nothing.

v3 and v2 come from Indian futures and options, the paper profiles from fractional spot: hence their currencies,
scales, ticks and hours. rpm comes from currencies in lots: a hundredth of 100000 units, a pip, and margin (30 to 1).
"""

from __future__ import annotations

from typing import Final

import msgspec

from surefill.domain.profile import PROFILES


class Preset(msgspec.Struct, frozen=True):
    """Defaults of one profile; `tick` and `lot` as decimal text, "" meaning one quantum."""

    currency: str
    money_decimals: int
    price_decimals: int
    qty_decimals: int
    tick: str
    lot: str
    calendar: str
    slippage_bps: str
    pip: str = "0"
    margin_pct: str = "0"


_INDIAN: Final = Preset("INR", 8, 4, 0, "0.05", "1", "nse", "0")
_SPOT: Final = Preset("USD", 12, 4, 8, "", "", "24x7", "0")
_FX: Final = Preset("USD", 8, 5, 0, "", "1000", "forex", "0", pip="0.0001", margin_pct="3.33")

PRESETS: Final = {
    "v3": _INDIAN,
    "v2": msgspec.structs.replace(_INDIAN, slippage_bps="5.0"),
    "pipeline": msgspec.structs.replace(_SPOT, currency="USDT"),
    "rpm": _FX,
    "paper_long_only": _SPOT,
    "paper_full": _SPOT,
}


def preset_of(profile: str) -> Preset:
    """The defaults of a profile; of one that has none of its own, those of spot."""
    return PRESETS.get(profile, _SPOT)


def known_profiles() -> list[str]:
    """What `execution.engine` may be."""
    return sorted(PROFILES)
