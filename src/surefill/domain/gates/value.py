"""Gates on size in money: of the order, its basket, the position, the whole account. Everything sent counts in full."""

from __future__ import annotations

from surefill.domain.gates.question import Question
from surefill.domain.gates.wording import limit_missing, pct_text, share_text
from surefill.domain.limits import UNSET
from surefill.domain.position import position_key
from surefill.domain.refusals import Refusal, RefusalCode
from surefill.domain.sizing import correlations_of
from surefill.domain.state import State
from surefill.domain.valuation import equity, exposures, signed_exposures
from surefill.rules.arithmetic import rate_ceil
from surefill.units import PPB, quanta_text


def value_of_order(q: Question) -> Refusal | None:
    """One order is worth no more than the limit."""
    return _value(q, "order_value", q.profile.limits.order_value_max, RefusalCode.ORDER_VALUE_EXCEEDED, "order", 0)


def basket(q: Question) -> Refusal | None:
    """The orders of one basket together, this one included, are worth no more than the limit."""
    limit = q.profile.limits.basket_value_max
    sent = q.book.day.baskets.get(q.intent.basket_id, 0) if q.intent.basket_id else 0
    name = f"basket {q.intent.basket_id}" if q.intent.basket_id else "order without a basket"
    return _value(q, "basket", limit, RefusalCode.BASKET_VALUE_EXCEEDED, name, sent)


def position_limit(q: Question) -> Refusal | None:
    """What is held of the instrument and on its way, this order included, is worth no more than the limit."""
    limit = q.profile.limits.position_value_max
    held = 0 if q.is_exit else q.exposures.get(q.intent.instrument_id, 0)
    what = f"position in {q.intent.instrument_id}"
    return _value(q, "position_limit", limit, RefusalCode.POSITION_LIMIT_EXCEEDED, what, held)


def exposure(q: Question) -> Refusal | None:
    """All that is held and on its way in this account, this order included, is worth no more than the limit."""
    limit = q.profile.limits.exposure_value_max
    held = 0 if q.is_exit else sum(q.exposures.values())
    return _value(q, "exposure", limit, RefusalCode.EXPOSURE_EXCEEDED, "exposure", held)


def _value(q: Question, gate: str, limit: int, code: RefusalCode, what: str, before: int) -> Refusal | None:
    if q.is_exit:
        return None
    if limit == UNSET:
        return limit_missing(gate, _SETTING[gate])
    if q.limit_px <= 0:
        return _no_price(q)
    total = before + q.value
    if total <= limit:
        return None
    already = f" ({q.money_text(before)} of it is there already)" if before else ""
    return Refusal(code, f"{what} of {q.money_text(total)}{already}, at most {q.money_text(limit)}: ask for less")


_SETTING = {
    "order_value": "order_value_max",
    "basket": "basket_value_max",
    "position_limit": "position_value_max",
    "exposure": "exposure_value_max",
}


def _no_price(q: Question) -> Refusal:
    return Refusal(RefusalCode.NO_MARKET_DATA, f"no price for {q.intent.instrument_id} to value the order with")


def _no_equity() -> Refusal:
    return Refusal(
        RefusalCode.EQUITY_UNKNOWN, "an open position has no price, so the equity is not known: connect its feed"
    )


def concentration(q: Question) -> Refusal | None:
    """One instrument takes up no more of the equity than the limit."""
    if q.is_exit:
        return None
    worth, limit = q.equity, q.profile.limits.concentration_max_ppb
    if q.limit_px <= 0:
        return _no_price(q)
    if worth is None:
        return _no_equity()
    total = q.exposures.get(q.intent.instrument_id, 0) + q.value
    if total * PPB <= limit * worth:
        return None
    return Refusal(
        RefusalCode.CONCENTRATION_EXCEEDED,
        f"{q.intent.instrument_id} would be {q.money_text(total)}, {share_text(total, worth)} of the equity"
        f" {q.money_text(worth)}; at most {pct_text(limit)}",
    )


def correlation(q: Question) -> Refusal | None:
    """What moves with the instrument takes up no more of the equity than the limit.

    Each other holding counts with its value times its correlation, less where the two are on opposite sides. Where a
    correlation is not known, nobody can say.
    """
    if q.is_exit:
        return None
    name, worth, limit = q.intent.instrument_id, q.equity, q.profile.limits.correlated_max_ppb
    if q.limit_px <= 0:
        return _no_price(q)
    if worth is None:
        return _no_equity()
    known = correlations_of(q.profile.correlations, name)
    total = q.value * PPB
    for other, value in signed_exposures(q.state).items():
        ppb = PPB if other == name else known.get(other)
        if ppb is None:
            return Refusal(
                RefusalCode.CORRELATION_BREACH,
                f"how {name} moves with {other}, which is held, is not known: add the pair to risk.correlations",
            )
        total += value * q.side * ppb
    if total <= limit * worth:
        return None
    together = total // PPB
    return Refusal(
        RefusalCode.CORRELATION_BREACH,
        f"with what moves alongside, {name} would be {q.money_text(together)}, {share_text(together, worth)} of the"
        f" equity {q.money_text(worth)}; at most {pct_text(limit)}",
    )


def margin(q: Question) -> Refusal | None:
    """The free margin covers what the order binds, with the cushion. All that is held and on its way binds margin."""
    if q.is_exit:
        return None
    if q.limit_px <= 0:
        return _no_price(q)
    return margin_of(q.state, q.intent.instrument_id, q.value, RefusalCode.MARGIN_INSUFFICIENT)


def margin_of(state: State, instrument_id: str, value: int, code: RefusalCode, counted: int = 0) -> Refusal | None:
    """What is missing of the margin for `value` more; `counted` of it is among what is on its way already."""
    book, cushion = state.book, state.book.profile.limits.margin_cushion_ppb
    worth = equity(state)
    if worth is None:
        return _no_equity()
    held = exposures(state)
    held[instrument_id] = held.get(instrument_id, 0) - counted
    bound = 0
    for name, held_value in held.items():
        rate = book.instruments[name].margin_ppb
        if rate <= 0:
            return Refusal(
                code,
                f"the margin that {name} binds is not known: set instruments.{name}.margin_pct, or leave the gate out",
            )
        bound += rate_ceil(held_value, rate)
    needed = rate_ceil(value, book.instruments[instrument_id].margin_ppb)
    wanted, free = rate_ceil(needed, cushion), worth - bound
    if wanted <= free:
        return None

    def money(amount: int) -> str:
        return f"{quanta_text(amount, book.money_decimals)} {book.currency}"

    return Refusal(
        code,
        f"{money(needed)} of margin needed, {money(wanted)} with its cushion of {quanta_text(cushion, 9)};"
        f" {money(free)} is free of {money(worth)}: pay in, or ask for less",
    )


def open_positions(q: Question) -> Refusal | None:
    """With this one, no more positions are open or on their way than the limit. One that is there counts not twice.

    The figure `positions_elsewhere`, where the caller gives it, counts positions that are not in these books.
    """
    if q.is_exit:
        return None
    others = {key for key, held in q.state.open_positions() if not held.dust}
    others |= {order.position for order in q.book.orders.values() if not order.request.reduce_only}
    others |= {position_key(each.instrument_id, each.bucket) for each in q.book.external_orders.values()}
    others.discard(q.key)
    count = len(others) + max(0, q.intent.figures.get("positions_elsewhere", 0))
    limit = q.profile.limits.open_positions_max
    if count < limit:
        return None
    return Refusal(
        RefusalCode.MAX_OPEN_POSITIONS,
        f"{count} other positions are open or on their way, {limit} are the limit: close one first",
    )
