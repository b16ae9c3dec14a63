"""Asked once more right before the wire, for what may have changed since the decision. Exits are never held.

They judge an order as it was decided against the market of now: how old its last tick is, how far the spread has
opened since, whether its margin is still there. None of them changes it: it goes out as it is, or not at all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from surefill.domain.gates.market import MPIP
from surefill.domain.gates.value import margin_of
from surefill.domain.orders import Order
from surefill.domain.refusals import Refusal, RefusalCode
from surefill.domain.state import State
from surefill.domain.valuation import order_value
from surefill.units import quanta_text

Recheck = Callable[[State, Order, int], Refusal | None]


def first_objection(state: State, order: Order, ts_ns: int) -> Refusal | None:
    """The profile's rechecks in their order; the first no."""
    if order.request.reduce_only:
        return None
    for name in state.book.profile.rechecks:
        refusal = RECHECKS[name](state, order, ts_ns)
        if refusal is not None:
            return refusal
    return None


def _tick_age(state: State, order: Order, ts_ns: int) -> Refusal | None:
    """The last tick is young enough."""
    name, most_ns = order.request.instrument_id, state.book.profile.limits.recheck_age_max_ns
    quote = state.quotes.get(name)
    if quote is None:
        return Refusal(RefusalCode.STALE_TICK, f"no tick of {name} since the start")
    age_ns = ts_ns - quote.ts_ns
    if age_ns <= most_ns:
        return None
    return Refusal(
        RefusalCode.STALE_TICK,
        f"the last tick of {name} is {quanta_text(age_ns, 9)} s old, at most {quanta_text(most_ns, 9)} s is allowed"
        " right before sending",
    )


def _spread_widening(state: State, order: Order, ts_ns: int) -> Refusal | None:
    """The spread has not opened further than so many pips since the decision."""
    name = order.request.instrument_id
    quote, pip = state.quotes.get(name), state.book.instruments[name].pip
    if quote is None or not quote.bid_px or not quote.ask_px or not pip or not order.arrival_spread:
        return Refusal(RefusalCode.SPREAD_WIDENED, f"no bid, ask or pip of {name}: its spread is not known")
    most = state.book.profile.limits.spread_widening_max_mpip
    wider = quote.ask_px - quote.bid_px - order.arrival_spread
    if wider * MPIP <= most * pip:
        return None
    return Refusal(
        RefusalCode.SPREAD_WIDENED,
        f"the spread of {name} has opened by {quanta_text(-(-wider * 10 // pip), 1)} pips since the decision, at most"
        f" {quanta_text(most, 3)} is allowed",
    )


def _margin_left(state: State, order: Order, ts_ns: int) -> Refusal | None:
    """The margin that the order binds is still free."""
    value = order_value(state.book, order)
    return margin_of(state, order.request.instrument_id, value, RefusalCode.MARGIN_DEPLETED, counted=value)


RECHECKS: Final[Mapping[str, Recheck]] = {
    "margin_left": _margin_left,
    "spread_widening": _spread_widening,
    "tick_age": _tick_age,
}
