"""Breakers: gates that, once they have said no, say no until they are re-armed. Profits never trip one.

A trip stands until it is re-armed, whatever the profile names later: leaving a gate out re-arms nothing (`latched`).

A breaker looks at what the journal adds up to (`surefill.domain.risk`) and, where it watches the equity, at the
prices of now. It is asked with every entry, and again whenever a fill or a price has moved what it watches
(`decide.breakers`); its trip is an event, so a restart changes nothing. What only reduces is never asked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from surefill.domain.gates.question import Question
from surefill.domain.gates.wording import limit_missing, pct_text, share_text
from surefill.domain.limits import UNSET
from surefill.domain.refusals import Refusal, RefusalCode
from surefill.domain.risk import Trip
from surefill.domain.state import EQUITY_BREAKERS, State
from surefill.units import PPB, quanta_text

#: What has happened beyond the limit, with figures; None: within it. The equity (None: not known) comes along, so that
#: it is reckoned once for all that ask.
Condition = Callable[[State, int | None], Refusal | None]


class Breaker(msgspec.Struct, frozen=True):
    """One breaker: its name in profiles, the code it refuses with, and when it trips."""

    name: str
    code: RefusalCode
    condition: Condition


def asked(breaker: Breaker) -> Callable[[Question], Refusal | None]:
    """The gate of a breaker."""

    name, condition, watches_equity = breaker.name, breaker.condition, breaker.name in EQUITY_BREAKERS

    def gate(q: Question) -> Refusal | None:
        if q.is_exit:
            return None
        tripped = q.book.tripped
        if name in tripped:
            return _open(breaker, tripped[name])
        return condition(q.state, q.equity if watches_equity else None)

    gate.__doc__ = breaker.condition.__doc__
    return gate


def latched(q: Question) -> Refusal | None:
    """No breaker is open, also none that the profile has dropped since it tripped."""
    if not q.book.tripped or q.is_exit:
        return None
    name, trip = next(iter(q.book.tripped.items()))
    return _open(BREAKERS[name], trip)


def _open(breaker: Breaker, trip: Trip) -> Refusal:
    return Refusal(breaker.code, f"{trip.reason} ({_rearming(trip.until_ns)})")


def _rearming(until_ns: int) -> str:
    if until_ns < 0:
        return "find the cause, then re-arm it"
    return "re-armed with the next trading day" if not until_ns else "re-armed after its cooling-off"


def _money(state: State, money: int) -> str:
    return f"{quanta_text(money, state.book.money_decimals)} {state.book.currency}"


def _daily_loss(state: State, _now: int | None) -> Refusal | None:
    """The realised result of the trading day, net of fees, is a loss beyond the limit."""
    limit = state.book.profile.limits.daily_loss_max
    if limit == UNSET:
        return limit_missing("daily_loss", "daily_loss_max")
    if not state.book.day.day:
        return _no_day()
    loss = state.book.streaks.loss_floor - state.book.day.realised
    if loss <= limit:
        return None
    return Refusal(RefusalCode.DAILY_LOSS, f"daily loss {_money(state, loss)} of {_money(state, limit)}")


def _no_day() -> Refusal:
    return Refusal(
        RefusalCode.DAY_UNKNOWN,
        "the trading day is not known, so nothing can be counted by it: give the workspace a calendar that knows this"
        " year",
    )


def _no_equity() -> Refusal:
    return Refusal(
        RefusalCode.EQUITY_UNKNOWN, "an open position has no price, so the equity is not known: connect its feed"
    )


def _daily_drawdown(state: State, now: int | None) -> Refusal | None:
    """The equity has fallen from the day's high by more than the limit, a share of the equity the day began with."""
    day, limit = state.book.day, state.book.profile.limits.daily_drawdown_max_ppb
    if not day.day:
        return _no_day()
    if now is None or day.start_equity is None or day.high_equity is None:
        return _no_equity()
    fall = day.high_equity - now
    if fall <= 0 or fall * PPB <= limit * day.start_equity:
        return None
    return Refusal(
        RefusalCode.DAILY_DRAWDOWN,
        f"{_money(state, fall)} below the day's high, {share_text(fall, day.start_equity)} of the day's start;"
        f" at most {pct_text(limit)}",
    )


def _drawdown(state: State, now: int | None) -> Refusal | None:
    """The equity has fallen from its highest by more than the limit: a share of the highest, or money if configured."""
    limits, peak = state.book.profile.limits, state.book.streaks.peak_equity
    if now is None or peak is None:
        return _no_equity()
    fall = peak - now
    if fall <= 0:
        return None
    most = f"{_money(state, fall)} below its highest ({_money(state, peak)}), {share_text(fall, peak)}"
    if fall * PPB > limits.drawdown_max_ppb * peak:
        return Refusal(RefusalCode.DRAWDOWN, f"{most}; at most {pct_text(limits.drawdown_max_ppb)}")
    if limits.drawdown_value_max != UNSET and fall > limits.drawdown_value_max:
        return Refusal(RefusalCode.DRAWDOWN, f"{most}; at most {_money(state, limits.drawdown_value_max)}")
    return None


def _equity_drop(state: State, now: int | None) -> Refusal | None:
    """The equity is lower than the day began with by more than the limit."""
    day, limit = state.book.day, state.book.profile.limits.equity_drop_max_ppb
    if not day.day:
        return _no_day()
    if now is None or day.start_equity is None:
        return _no_equity()
    fall = day.start_equity - now
    if fall <= 0 or fall * PPB <= limit * day.start_equity:
        return None
    return Refusal(
        RefusalCode.EQUITY_DROP,
        f"{_money(state, fall)} below the day's start, {share_text(fall, day.start_equity)}; at most {pct_text(limit)}",
    )


def _loss_streak(state: State, _now: int | None) -> Refusal | None:
    """So many positions in a row were closed with a loss."""
    count, limit = state.book.streaks.losses, state.book.profile.limits.loss_streak_max
    if count < limit:
        return None
    return Refusal(RefusalCode.LOSS_STREAK, f"{count} losing positions in a row, {limit} are the limit")


def _reject_streak(state: State, _now: int | None) -> Refusal | None:
    """The venue has refused so many orders in a row."""
    count, limit = state.book.streaks.rejects, state.book.profile.limits.reject_streak_max
    if count < limit:
        return None
    return Refusal(RefusalCode.REJECT_STREAK, f"{count} orders in a row refused by the venue, {limit} are the limit")


def _slippage(state: State, _now: int | None) -> Refusal | None:
    """An entry has filled further from the price it was decided at than the limit."""
    worst, limit = state.book.streaks.worst_slippage_ppb, state.book.profile.limits.slippage_max_ppb
    if worst <= limit:
        return None
    return Refusal(
        RefusalCode.SLIPPAGE,
        f"an entry filled {pct_text(worst)} worse than its price; at most {pct_text(limit)}",
    )


BREAKERS: Final[Mapping[str, Breaker]] = {
    breaker.name: breaker
    for breaker in (
        Breaker("daily_loss", RefusalCode.DAILY_LOSS, _daily_loss),
        Breaker("daily_drawdown", RefusalCode.DAILY_DRAWDOWN, _daily_drawdown),
        Breaker("drawdown", RefusalCode.DRAWDOWN, _drawdown),
        Breaker("equity_drop", RefusalCode.EQUITY_DROP, _equity_drop),
        Breaker("loss_streak", RefusalCode.LOSS_STREAK, _loss_streak),
        Breaker("reject_streak", RefusalCode.REJECT_STREAK, _reject_streak),
        Breaker("slippage", RefusalCode.SLIPPAGE, _slippage),
    )
}
