"""The caps: how much of a new position the account still has room for. They only ever make it smaller."""

from __future__ import annotations

import msgspec

from surefill.domain.refusals import Refusal, RefusalCode
from surefill.domain.sizing.methods import no_equity, no_price, stop_loss_px
from surefill.domain.sizing.spec import SizingCaps, SizingMoment
from surefill.domain.sizing.wording import missing, money_text, pct_text, qty_text
from surefill.rules.sizing import before_costs, overlap_money, qty_within, share_floor
from surefill.units import PPB, RATE_MAX_PPB


class Ceiling(msgspec.Struct, frozen=True):
    """The largest quantity that one cap lets through, in quanta, and the figures behind it."""

    name: str
    qty: int
    figures: str


def tightest(one: SizingCaps, other: SizingCaps) -> SizingCaps:
    """Both sets of caps as one: the smaller share counts, and a cap that either has."""
    return SizingCaps(
        _smaller(one.max_position_ppb, other.max_position_ppb),
        _smaller(one.max_total_ppb, other.max_total_ppb),
        _smaller(one.max_correlated_ppb, other.max_correlated_ppb),
        _smaller(one.max_risk_ppb, other.max_risk_ppb),
        one.within_cash or other.within_cash,
    )


def _smaller(one: int, other: int) -> int:
    return min(one, other) if one and other else one or other


def invalid(caps: SizingCaps) -> Refusal | None:
    """A share below 0 would switch nothing off and nothing on: it is a mistake, not a cap."""
    for name, value in caps.shares():
        if not 0 <= value <= RATE_MAX_PPB:
            return Refusal(RefusalCode.INVALID_INPUT, f"cap {name} {value} is outside 0 to {RATE_MAX_PPB}: correct it")
    return None


def ceilings(caps: SizingCaps, moment: SizingMoment) -> list[Ceiling] | Refusal:
    """Every cap that is switched on, and the venue's largest order; a refusal where one cannot see what it needs."""
    found = [Ceiling("max_qty", moment.terms.max_qty, f"one order is at most {qty_text(moment, moment.terms.max_qty)}")]
    for ceiling in (_cash(caps, moment), *_values(caps, moment), _risk(caps, moment)):
        if isinstance(ceiling, Refusal):
            return ceiling
        if ceiling is not None:
            found.append(ceiling)
    return found


def _cash(caps: SizingCaps, moment: SizingMoment) -> Ceiling | Refusal | None:
    if not caps.within_cash or moment.side < 0:
        return None
    if moment.cash is None:
        return missing("the free cash is not known", "wait until the account has been read")
    if moment.entry_px <= 0:
        return no_price(moment)
    value_money = before_costs(max(0, moment.cash), moment.cost_ppb)
    qty = qty_within(value_money, moment.entry_px, moment.instrument.money_per_notional)
    return Ceiling("within_cash", qty, f"{money_text(moment, moment.cash)} of cash are free")


def _values(caps: SizingCaps, moment: SizingMoment) -> list[Ceiling | Refusal]:
    """The three caps on value, each with what already counts against it."""
    if not (caps.max_position_ppb or caps.max_total_ppb or caps.max_correlated_ppb):
        return []
    if moment.exposures is None:
        return [missing("what is held is not known", "wait until positions and their prices are known")]
    if moment.entry_px <= 0:
        return [no_price(moment)]
    found: list[Ceiling | Refusal] = []
    if caps.max_position_ppb:
        held = max(0, moment.side * moment.exposures.get(moment.instrument.instrument_id, 0))
        found.append(_room("max_position", caps.max_position_ppb, held, moment.entry_px, moment))
    if caps.max_total_ppb:
        total = sum(map(abs, moment.exposures.values()))
        found.append(_room("max_total", caps.max_total_ppb, total, moment.entry_px, moment))
    if caps.max_correlated_ppb:
        overlap = _overlap(moment)
        if isinstance(overlap, Refusal):
            found.append(overlap)
        else:
            found.append(_room("max_correlated", caps.max_correlated_ppb, overlap, moment.entry_px, moment))
    return found


def _overlap(moment: SizingMoment) -> int | Refusal:
    """What is held, each position weighted by how far it moves with the new one; the instrument itself counts whole."""
    own = moment.instrument.instrument_id
    total = 0
    for instrument_id, exposure in (moment.exposures or {}).items():
        if not exposure:
            continue
        correlation_ppb = PPB if instrument_id == own else moment.correlations.get(instrument_id)
        if correlation_ppb is None:
            return missing(f"no correlation of {own} with {instrument_id}, which is held", "add the pair to the table")
        if abs(correlation_ppb) > PPB:
            return Refusal(
                RefusalCode.INVALID_INPUT,
                f"correlation {pct_text(correlation_ppb)} of {own} with {instrument_id} is outside -100 % to 100 %:"
                " correct the table",
            )
        total += overlap_money(moment.side, exposure, correlation_ppb)
    return total


def _risk(caps: SizingCaps, moment: SizingMoment) -> Ceiling | Refusal | None:
    if not caps.max_risk_ppb:
        return None
    if moment.open_risk is None:
        return missing("what the open positions risk is not known", "give every position a stop")
    distance = stop_loss_px(moment)
    if isinstance(distance, Refusal):
        return distance
    return _room("max_risk", caps.max_risk_ppb, max(0, moment.open_risk), distance, moment)


def _room(name: str, share_ppb: int, used_money: int, unit_px: int, moment: SizingMoment) -> Ceiling | Refusal:
    """What is left between a share of the equity and what is in use, as a quantity at `unit_px` per unit."""
    if moment.equity is None:
        return no_equity()
    limit = share_floor(moment.equity, share_ppb)
    qty = qty_within(max(0, limit - used_money), unit_px, moment.instrument.money_per_notional)
    figures = (
        f"{money_text(moment, used_money)} of {money_text(moment, limit)}"
        f" ({pct_text(share_ppb)} of the equity {money_text(moment, moment.equity)}) in use"
    )
    return Ceiling(name, qty, figures)
