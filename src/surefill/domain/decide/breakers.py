"""Deciding that a breaker opens, and that it closes again; and what the account has been worth at its highest."""

from __future__ import annotations

from surefill.domain.decide.cancels import cancel_entries
from surefill.domain.decide.step import Step
from surefill.domain.effects import Notify, SetTimer
from surefill.domain.events import BreakerRearmed, BreakerTripped, EquityMarked
from surefill.domain.gates.breakers import BREAKERS
from surefill.domain.inputs import Rearm
from surefill.domain.limits import REARM_DAY, REARM_HUMAN
from surefill.domain.valuation import equity
from surefill.errors import InputError
from surefill.units import PPB

REARM_TIMER = "rearm:"


def watch(this: Step) -> None:
    """Something has moved what breakers watch: a new high is journaled, and a breaker whose limit is passed opens."""
    state = this.state
    if not state.breakers:
        return
    now = equity(state) if state.watches_equity else None
    if now is not None:
        _mark_equity(this, now)
    for name in state.breakers:
        if name not in this.book.tripped:
            breaker = BREAKERS[name]
            refusal = breaker.condition(state, now)
            if refusal is not None and refusal.code == breaker.code:
                _trip(this, name, refusal.code, refusal.reason)


def _mark_equity(this: Step, now: int) -> None:
    day, streaks, limits = this.book.day, this.book.streaks, this.book.profile.limits
    if not day.day:
        return
    start, high, peak = day.start_equity, day.high_equity, streaks.peak_equity
    if start is not None and high is not None and peak is not None:
        step = max(start * limits.equity_granularity_ppb // PPB, 1)
        if now < min(high, peak) + step:
            return
    this.emit(EquityMarked(this.ts_ns, "", 0, now))


def _trip(this: Step, name: str, code: int, reason: str) -> None:
    rearm = this.book.profile.limits.rearm_of(name)
    until_ns = this.ts_ns + rearm if rearm > 0 else rearm
    this.emit(BreakerTripped(this.ts_ns, "", 0, name, code, reason, until_ns))
    this.ask(Notify("BREAKER_TRIPPED", f"{name}: {reason}; no entries until it is re-armed", page=rearm == REARM_HUMAN))
    if until_ns > 0:
        this.ask(SetTimer(REARM_TIMER + name, until_ns))
    cancel_entries(this, name)


def cooled_off(this: Step, name: str) -> None:
    """Its time is over: the breaker closes, in the journal too."""
    trip = this.book.tripped.get(name)
    if trip is not None and 0 < trip.until_ns <= this.ts_ns:
        this.emit(BreakerRearmed(this.ts_ns, "", 0, name, "cooling-off", equity(this.state)))


def set_timers_again(this: Step) -> None:
    """After a start: cooling-off goes on."""
    for name, trip in this.book.tripped.items():
        if trip.until_ns > REARM_DAY:
            this.ask(SetTimer(REARM_TIMER + name, trip.until_ns))


def rearm(this: Step, item: Rearm) -> None:
    """A person lets it count anew. Raises InputError where nothing has tripped, or nobody is named."""
    if not item.by:
        raise InputError("say who re-arms it", code="NAME_REQUIRED")
    if item.breaker not in this.book.tripped:
        tripped = ", ".join(sorted(this.book.tripped)) or "none"
        raise InputError(f"breaker {item.breaker!r} has not tripped (tripped: {tripped})", code="NOT_TRIPPED")
    this.emit(BreakerRearmed(item.ts_ns, "", 0, item.breaker, item.by, equity(this.state)))
