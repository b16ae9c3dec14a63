"""The sentences that gates share."""

from __future__ import annotations

from surefill.domain.refusals import Refusal, RefusalCode
from surefill.units import quanta_text


def pct_text(ppb: int) -> str:
    """A share as percent: 20000000 is "2 %"."""
    return f"{quanta_text(ppb, 7)} %"


def share_text(part: int, whole: int) -> str:
    """`part` of `whole` as percent, with two decimals, rounded up."""
    return f"{quanta_text(-(-part * 10_000 // whole), 2)} %" if whole > 0 else "all of it"


def limit_missing(gate: str, setting: str) -> Refusal:
    """A gate that is switched on and has no limit to hold anything against."""
    return Refusal(
        RefusalCode.LIMIT_MISSING,
        f"gate {gate} is switched on and risk.{setting} is not configured: set it, or leave the gate out",
    )


def figure_missing(gate: str, figure: str) -> Refusal:
    """A gate that judges by a figure of the caller's, which did not come."""
    return Refusal(
        RefusalCode.FIGURE_MISSING, f"gate {gate} needs {figure}, and the intent brings none: send it with the intent"
    )
