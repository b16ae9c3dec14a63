"""Gates on the flow of intents: kill switches, repeats, rates."""

from __future__ import annotations

from surefill.domain.gates.question import Question
from surefill.domain.refusals import Refusal, RefusalCode
from surefill.domain.risk import ENGINE, SYMBOL, VENUE, WORKSPACE, Kill, fills_key, kill_scopes
from surefill.units import NS_PER_S, PPB, quanta_text


def halted(q: Question) -> Refusal | None:
    """No kill switch holds the entry: the engine's, the venue's, the workspace's, the symbol's, the strategy's.

    What only reduces is always let through.
    """
    kills = q.book.kills
    if not kills or q.is_exit:
        return None
    scopes = kill_scopes(q.intent.instrument_id, q.intent.strategy_id)
    thrown = [(scope, kills[scope]) for scope in scopes if scope in kills]
    for scope, kill in thrown:
        if kill.suspends:
            return _suspended(q, scope, kill)
    return _throttled(q) if thrown else None


def _suspended(q: Question, scope: str, kill: Kill) -> Refusal:
    why = kill.text()
    if scope == ENGINE:
        return Refusal(RefusalCode.ENGINE_HALTED, f"the engine is halted ({why}): find the cause, then resume it")
    if scope == VENUE:
        return Refusal(
            RefusalCode.VENUE_HALTED, f"venue {q.book.venue} is halted ({why}): find the cause, then resume it"
        )
    if scope == WORKSPACE:
        return Refusal(
            RefusalCode.HALTED,
            f"workspace {q.book.workspace_id} is halted ({why}): find the cause, then resume it",
        )
    if scope.startswith(SYMBOL):
        return Refusal(RefusalCode.SYMBOL_HALTED, f"{q.intent.instrument_id} is halted ({why}): resume it when mended")
    return Refusal(RefusalCode.STRATEGY_PAUSED, f"strategy {q.intent.strategy_id} is paused ({why}): resume it first")


def _throttled(q: Question) -> Refusal | None:
    since_ns, spacing_ns = q.ts_ns - q.book.flow.last_entry_ns, q.profile.limits.throttle_spacing_ns
    if since_ns >= spacing_ns:
        return None
    return Refusal(
        RefusalCode.THROTTLED,
        f"throttled: the last entry was {quanta_text(since_ns, 9)} s ago, one every {quanta_text(spacing_ns, 9)} s is"
        " let through",
    )


def duplicate(q: Question) -> Refusal | None:
    """Without a key, the like of an intent within the window is taken for a repeat.

    A close never is, nor what flattens: repeated, it closes no more than there is. A plain order that only happens to
    reduce is compared like any other.
    """
    window_ns = q.profile.limits.duplicate_window_ns
    if not window_ns or q.intent.intent_id or q.closes or q.flattens:
        return None
    seen_ns = q.book.recent_intents.get(q.intent.likeness())
    if seen_ns is None or q.ts_ns - seen_ns >= window_ns:
        return None
    return Refusal(
        RefusalCode.DUPLICATE_INTENT,
        f"the same intent came {quanta_text(q.ts_ns - seen_ns, 9)} s ago (window {quanta_text(window_ns, 9)} s):"
        " give it an intent_id of its own if it is meant",
    )


def order_rate(q: Question) -> Refusal | None:
    """Fewer orders than the limit went out in the last second. Exits are not held up."""
    if q.is_exit:
        return None
    limit = q.profile.limits.order_rate_max
    return _rate(q, RefusalCode.ORDER_RATE, "orders", q.book.flow.orders, limit)


def message_rate(q: Question) -> Refusal | None:
    """Fewer orders and cancels than entries may use went out in the last second; the rest is kept for exits."""
    if q.is_exit:
        return None
    limits = q.profile.limits
    limit = limits.message_rate_max * (PPB - limits.message_reserve_ppb) // PPB
    return _rate(q, RefusalCode.MESSAGE_RATE, "orders and cancels", q.book.flow.messages, limit)


def _rate(q: Question, code: RefusalCode, what: str, times: list[int], limit: int) -> Refusal | None:
    count = sum(1 for ts_ns in times if ts_ns > q.ts_ns - NS_PER_S)
    if count < limit:
        return None
    return Refusal(code, f"{count} {what} in the last second, entries may use {limit}: send more slowly")


def repeated_fills(q: Question) -> Refusal | None:
    """The strategy has not been filled in this instrument again and again within the window."""
    if q.is_exit:
        return None
    limits = q.profile.limits
    times = q.book.flow.fills.get(fills_key(q.intent.strategy_id, q.intent.instrument_id), ())
    count = sum(1 for ts_ns in times if ts_ns > q.ts_ns - limits.repeated_fills_window_ns)
    if count < limits.repeated_fills_max:
        return None
    return Refusal(
        RefusalCode.REPEATED_FILLS,
        f"{count} fills of strategy {q.intent.strategy_id} in {q.intent.instrument_id} within"
        f" {quanta_text(limits.repeated_fills_window_ns, 9)} s, {limits.repeated_fills_max} are the limit:"
        " see whether it repeats itself",
    )
