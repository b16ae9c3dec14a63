"""Gates on the market that the decision rests on: there, fresh, sane."""

from __future__ import annotations

from surefill.domain.gates.question import Question
from surefill.domain.refusals import Refusal, RefusalCode
from surefill.units import PRICE_MAX, quanta_text


def data_present(q: Question) -> Refusal | None:
    """There is a price for the side we trade."""
    if q.arrival_px > 0:
        return None
    return Refusal(
        RefusalCode.NO_MARKET_DATA,
        f"no price for {q.intent.instrument_id}: connect its feed or send a price first",
    )


def stale(q: Question) -> Refusal | None:
    """The price is young enough, and not of the future."""
    max_age_ns = q.profile.limits.price_max_age_ns
    if not max_age_ns:
        return None
    if q.quote is None:
        return data_present(q)
    age_ns = q.ts_ns - q.quote.ts_ns
    if 0 <= age_ns <= max_age_ns:
        return None
    return Refusal(
        RefusalCode.STALE_PRICE,
        f"the price of {q.intent.instrument_id} is {quanta_text(age_ns, 9)} s old, at most"
        f" {quanta_text(max_age_ns, 9)} s is allowed",
    )


def sane(q: Question) -> Refusal | None:
    """Bid below or at ask, every price within what integers hold."""
    quote = q.quote
    if quote is None:
        return None
    if quote.bid_px and quote.ask_px and quote.bid_px > quote.ask_px:
        return Refusal(
            RefusalCode.CROSSED_MARKET,
            f"bid {q.px_text(quote.bid_px)} is above ask {q.px_text(quote.ask_px)} for {q.intent.instrument_id}",
        )
    if min(quote.bid_px, quote.ask_px, quote.last_px) < 0 or q.arrival_px > PRICE_MAX:
        return Refusal(RefusalCode.CROSSED_MARKET, f"the market of {q.intent.instrument_id} has an impossible price")
    return None
