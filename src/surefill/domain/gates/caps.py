"""Gates on how much is traded in a day. An entry that works and has not filled yet counts: it may become a trade."""

from __future__ import annotations

from collections.abc import Callable

from surefill.domain.gates.question import Question
from surefill.domain.orders import Order
from surefill.domain.refusals import Refusal, RefusalCode


def trades_per_day(q: Question) -> Refusal | None:
    """Fewer trades today than the breaker's limit."""
    return _whole_day(q, RefusalCode.TRADES_PER_DAY, q.profile.limits.trades_per_day_max)


def cap_total(q: Question) -> Refusal | None:
    """Fewer trades today than the throttler's cap."""
    return _whole_day(q, RefusalCode.CAP_TOTAL, q.profile.limits.cap_total_max)


def trades_per_strategy(q: Question) -> Refusal | None:
    """Fewer trades of this strategy today than the breaker's limit."""
    return _of_strategy(q, RefusalCode.TRADES_PER_STRATEGY, q.profile.limits.trades_per_strategy_max)


def cap_strategy(q: Question) -> Refusal | None:
    """Fewer trades of this strategy today than the throttler's cap."""
    return _of_strategy(q, RefusalCode.CAP_STRATEGY, q.profile.limits.cap_strategy_max)


def cap_symbol(q: Question) -> Refusal | None:
    """Fewer trades of this symbol today than the throttler's cap."""
    name = q.intent.instrument_id
    done = q.book.day.trades_by_symbol.get(name, 0)
    limit = q.profile.limits.cap_symbol_max
    return _count(q, RefusalCode.CAP_SYMBOL, f" of {name}", done, limit, lambda o: o.request.instrument_id == name)


def _whole_day(q: Question, code: RefusalCode, limit: int) -> Refusal | None:
    return _count(q, code, "", q.book.day.trades, limit, lambda _: True)


def _of_strategy(q: Question, code: RefusalCode, limit: int) -> Refusal | None:
    name = q.intent.strategy_id
    done = q.book.day.trades_by_strategy.get(name, 0)
    return _count(q, code, f" of strategy {name}", done, limit, lambda order: order.strategy_id == name)


def _count(
    q: Question, code: RefusalCode, whose: str, done: int, limit: int, mine: Callable[[Order], bool]
) -> Refusal | None:
    if q.is_exit:
        return None
    if not q.book.day.day:
        return Refusal(
            RefusalCode.DAY_UNKNOWN,
            "the trading day is not known, so its trades cannot be counted: give the workspace a calendar that knows"
            " this year",
        )
    if done + len(q.book.orders) < limit:
        return None  # even if every live order becomes a trade
    if done < limit:
        waiting = sum(1 for order in q.book.orders.values() if _may_become_one(order) and mine(order))
        if done + waiting < limit:
            return None
        done_text = f"{done} trades{whose} today and {waiting} orders that may become one"
    else:
        done_text = f"{done} trades{whose} today"
    return Refusal(code, f"{done_text}, {limit} are the limit: wait for the next trading day ({q.book.day.day} is on)")


def _may_become_one(order: Order) -> bool:
    return not (order.exec_ids or order.exit_reason or order.parent)
