"""Gates on the market that the decision rests on: there, fresh, sane, open, tight and deep enough.

None of them holds up an exit: a venue trades what is to leave at its own price, whether or not we can see it.
"""

from __future__ import annotations

from surefill.domain.gates.question import Question
from surefill.domain.gates.wording import pct_text
from surefill.domain.refusals import Refusal, RefusalCode
from surefill.units import PPB, PRICE_MAX, iso_from_ns, quanta_text

MPIP = 1_000  # thousandths of a pip


def data_present(q: Question) -> Refusal | None:
    """There is a price for the side we trade. An exit goes out without one: only a simulated venue needs ours."""
    if q.is_exit or q.arrival_px > 0:
        return None
    return Refusal(
        RefusalCode.NO_MARKET_DATA,
        f"no price for {q.intent.instrument_id}: connect its feed or send a price first",
    )


def stale(q: Question) -> Refusal | None:
    """The price is young enough, and not of the future. An exit does not wait for a fresh one."""
    max_age_ns = q.profile.limits.price_max_age_ns
    if q.is_exit or not max_age_ns:
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
    """Bid below or at ask, every price within what integers hold. An exit does not wait for a sane market."""
    quote = q.quote
    if q.is_exit or quote is None:
        return None
    if quote.bid_px and quote.ask_px and quote.bid_px > quote.ask_px:
        return Refusal(
            RefusalCode.CROSSED_MARKET,
            f"bid {q.px_text(quote.bid_px)} is above ask {q.px_text(quote.ask_px)} for {q.intent.instrument_id}",
        )
    if min(quote.bid_px, quote.ask_px, quote.last_px) < 0 or q.arrival_px > PRICE_MAX:
        return Refusal(RefusalCode.CROSSED_MARKET, f"the market of {q.intent.instrument_id} has an impossible price")
    return None


def market_hours(q: Question) -> Refusal | None:
    """The instrument's session is on. A calendar that does not know this moment is no open market."""
    if q.is_exit:
        return None
    name, symbol = q.instrument.calendar, q.intent.instrument_id
    session = q.book.sessions.get(name)
    if session is None or q.ts_ns >= session.end_ns:
        return Refusal(
            RefusalCode.CALENDAR_UNKNOWN,
            f"calendar {name} does not tell whether {symbol} trades at {iso_from_ns(q.ts_ns)}: add the year to it",
        )
    if q.ts_ns >= session.open_ns:
        return None
    return Refusal(
        RefusalCode.MARKET_CLOSED,
        f"{symbol} is closed at {iso_from_ns(q.ts_ns)}; calendar {name} opens next at {iso_from_ns(session.open_ns)}",
    )


def tradable(q: Question) -> Refusal | None:
    """The venue takes orders in the instrument. An exit is for the venue itself to refuse."""
    if q.is_exit or q.terms.tradable:
        return None
    return Refusal(
        RefusalCode.SYMBOL_NOT_TRADABLE,
        f"{q.intent.instrument_id} is not tradable now: its venue takes no orders in it",
    )


def spread(q: Question) -> Refusal | None:
    """Bid and ask are no further apart than the intent, else the profile, allows. The limit itself passes."""
    if q.is_exit:
        return None
    quote, limits = q.quote, q.profile.limits
    if quote is None or not quote.bid_px or not quote.ask_px:
        return Refusal(
            RefusalCode.NO_MARKET_DATA, f"no bid and ask for {q.intent.instrument_id}: its spread is not known"
        )
    width = quote.ask_px - quote.bid_px
    pip = q.instrument.pip
    if q.intent.max_spread:
        limit, unit = q.intent.max_spread, q.px_text(q.intent.max_spread)
    elif pip:
        limit = limits.spread_max_mpip * pip // MPIP
        unit = f"{quanta_text(limits.spread_max_mpip, 3)} pips"
    else:
        limit = limits.spread_max_ppb * (quote.bid_px + quote.ask_px) // (2 * PPB)
        unit = pct_text(limits.spread_max_ppb)
    if width <= limit:
        return None
    pips = f" ({quanta_text(-(-width * 10 // pip), 1)} pips)" if pip else ""
    return Refusal(
        RefusalCode.SPREAD_TOO_WIDE,
        f"bid {q.px_text(quote.bid_px)}, ask {q.px_text(quote.ask_px)}: {q.px_text(width)}{pips} apart, at most {unit}"
        " is allowed; the market may improve",
    )


def liquidity(q: Question) -> Refusal | None:
    """The far side shows as much as the order wants. Where a venue shows no sizes, its volume limits stand in."""
    quote = q.quote
    if q.is_exit or quote is None:
        return None if q.is_exit else data_present(q)
    shown = quote.ask_qty if q.side > 0 else quote.bid_qty
    if not quote.bid_qty and not quote.ask_qty:
        shown, where = q.terms.max_qty, "one order may be (no book is shown)"
    else:
        where = "the book shows"
    if q.qty <= shown:
        return None
    return Refusal(
        RefusalCode.INSUFFICIENT_LIQUIDITY,
        f"{q.qty_text(q.qty)} wanted of {q.intent.instrument_id}, {q.qty_text(shown)} is what {where}: ask for less",
    )
