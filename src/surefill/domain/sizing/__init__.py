"""How much: sizing, once, before approval. A quantity, or the reason why there is none.

The method of a `SizingSpec` asks for a quantity; the caps, the workspace's and the spec's own, only make it smaller;
what is left is rounded down to the lot. What is not known refuses (SIZE_INPUT_MISSING), no whole lot refuses
(SIZE_ZERO_LOTS). An approved quantity is never sized again.

From decimals to a `SizingSpec`: percentages through `surefill.units.rate_ppb_from_pct`, fractions through
`rate_ppb_from_fraction`, amounts and quantities and the ATR through `to_quanta` with the decimals of the money, the
quantity and the price. The names in a configuration are those of the methods in lower case (`fixed_risk`) and of the
fields without their unit (`fraction`, `max_position`). Formulas: docs/sizing.md.
"""

from __future__ import annotations

from surefill.domain.refusals import Refusal, RefusalCode
from surefill.domain.sizing.caps import Ceiling, ceilings, invalid, tightest
from surefill.domain.sizing.methods import Wish, wanted
from surefill.domain.sizing.spec import (
    NO_CAPS,
    Correlation,
    Sized,
    SizeMethod,
    SizingCaps,
    SizingMoment,
    SizingSpec,
    correlations_of,
)
from surefill.domain.sizing.wording import pct_text, qty_text
from surefill.rules.arithmetic import ceil_to
from surefill.rules.sizing import order_lots
from surefill.units import PPB

__all__ = [
    "NO_CAPS",
    "Correlation",
    "SizeMethod",
    "Sized",
    "SizingCaps",
    "SizingMoment",
    "SizingSpec",
    "correlations_of",
    "size",
]


def size(spec: SizingSpec, moment: SizingMoment) -> Sized | Refusal:
    """The quantity of an order that opens or adds, in whole lots of its instrument, with its figures.

    Never more than the method or any cap allows, and never 0: that is a refusal. Pure: the same arguments give the same
    answer.
    """
    if moment.side not in (1, -1):
        return Refusal(RefusalCode.INVALID_INPUT, f"the side must be +1 or -1, not {moment.side}")
    if not 0 <= moment.cost_ppb <= PPB:
        return Refusal(RefusalCode.INVALID_INPUT, f"costs of {pct_text(moment.cost_ppb)} are outside 0 to 100 %")
    refusal = invalid(spec.caps) or invalid(moment.caps)
    if refusal is not None:
        return refusal
    wish = wanted(spec, moment)
    if isinstance(wish, Refusal):
        return wish
    limits = ceilings(tightest(spec.caps, moment.caps), moment)
    if isinstance(limits, Refusal):
        return limits
    return _in_lots(wish, min(limits, key=lambda limit: limit.qty), moment)


def _in_lots(wish: Wish, lowest: Ceiling, moment: SizingMoment) -> Sized | Refusal:
    terms = moment.terms
    uncapped_qty = order_lots(wish.qty, terms.lot, terms.min_qty)
    qty = order_lots(min(wish.qty, lowest.qty), terms.lot, terms.min_qty)
    bound_by = lowest.name if qty < uncapped_qty else ""
    figures = wish.figures
    if bound_by:
        figures += f"; {bound_by} leaves {qty_text(moment, lowest.qty)}: {lowest.figures}"
    if qty:
        return Sized(qty, uncapped_qty, bound_by, f"{figures}; in whole lots {qty_text(moment, qty)}")
    smallest = ceil_to(max(terms.min_qty, terms.lot), terms.lot)
    remedy = _REMEDIES.get(bound_by, "size larger, or trade something with a smaller lot")
    return Refusal(
        RefusalCode.SIZE_ZERO_LOTS,
        f"{figures}; that is less than the smallest order of {qty_text(moment, smallest)}: {remedy}",
    )


_REMEDIES = {
    "max_qty": "the terms of the instrument contradict themselves, correct them",
    "within_cash": "free some cash first",
    "max_position": "reduce the position, or raise the cap",
    "max_total": "close something first, or raise the cap",
    "max_correlated": "close what moves with it first, or raise the cap",
    "max_risk": "close something or tighten a stop first, or raise the cap",
}
