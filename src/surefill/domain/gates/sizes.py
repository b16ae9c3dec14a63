"""The caps on the size of a position, held against an entry however its quantity came about.

Sizing keeps within them by itself. A quantity that upstream has chosen is not made smaller here: it is refused.
"""

from __future__ import annotations

from surefill.domain.costs.estimate import order_rate_ppb
from surefill.domain.gates.account import promised_cash
from surefill.domain.gates.question import NOWHERE, Question
from surefill.domain.gates.signal import unpriced
from surefill.domain.refusals import Refusal, RefusalCode
from surefill.domain.sizing import NO_CAPS, SizingMoment, correlations_of
from surefill.domain.sizing.caps import Ceiling, ceilings, invalid
from surefill.domain.valuation import open_risk, signed_exposures
from surefill.rules.arithmetic import rate_ceil
from surefill.units import PPB


def moment_of(q: Question) -> SizingMoment:
    """All that sizing is asked with, as things stand."""
    return SizingMoment(
        side=q.side,
        entry_px=q.limit_px,
        instrument=q.instrument,
        terms=q.terms,
        money_decimals=q.book.money_decimals,
        stop_px=q.intent.plan.stop_px if q.intent.plan is not None else 0,
        equity=q.equity,
        cash=q.book.cash - promised_cash(q),
        exposures=signed_exposures(q.state),
        open_risk=open_risk(q.state),
        correlations=correlations_of(q.profile.correlations, q.intent.instrument_id),
        cost_ppb=_cost_ppb(q),
        caps=q.profile.sizing_caps,
    )


def _cost_ppb(q: Question) -> int:
    """What one order costs beyond its price: by the schedule's rates for this very instrument, where there is one.

    Where it cannot be priced the dearest rate of the schedule stands in; the venue refuses the order anyway.
    """
    limits, tariff = q.profile.limits, q.state.tariff
    if tariff is None or unpriced(q, tariff):
        return limits.cost_cushion_ppb
    charged_ppb = order_rate_ppb(tariff, q.instrument, q.ts_ns, bucket=q.intent.bucket)
    return limits.market_cost_ppb + rate_ceil(PPB + limits.market_cost_ppb, charged_ppb)


def room(q: Question) -> Ceiling | Refusal | None:
    """What the tightest of the workspace's caps leaves; None without caps, a refusal where one of them is blind."""
    caps = q.profile.sizing_caps
    if q.is_exit or caps == NO_CAPS or q.instrument is NOWHERE:
        return None
    found = invalid(caps) or ceilings(caps, moment_of(q))
    if isinstance(found, Refusal):
        return found
    own = [ceiling for ceiling in found if ceiling.name != "max_qty"]  # the venue's: gate `quantity` asks for it
    return min(own, key=lambda ceiling: ceiling.qty, default=None)


def size_caps(q: Question) -> Refusal | None:
    """An entry leaves every position, and all of them together, within the caps on sizes."""
    ceiling = room(q)
    if ceiling is None or isinstance(ceiling, Refusal):
        return ceiling
    return None if q.qty <= ceiling.qty else too_large(q, cap_text(q, ceiling))


def cap_text(q: Question, ceiling: Ceiling) -> str:
    """What the cap leaves, and why."""
    return f"cap {ceiling.name} leaves {q.qty_text(ceiling.qty)} ({ceiling.figures})"


def too_large(q: Question, why: str) -> Refusal:
    """More than may be bought; nothing is made smaller any more."""
    return Refusal(RefusalCode.SIZE_ABOVE_CAP, f"{q.qty_text(q.qty)} is too much: {why}; ask for less")
