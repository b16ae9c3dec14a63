"""The limit over all workspaces of the engine at one venue. It holds whatever gates a profile asks; exits pass it.

Each workspace counts what it holds and what is on its way, UNKNOWN orders in full; the shell hands in what the others
count (`State.elsewhere`), right before it hands in the intent, and again right before the wire.
"""

from __future__ import annotations

from surefill.domain.gates.question import Question
from surefill.domain.refusals import Refusal, RefusalCode
from surefill.domain.state import Elsewhere, State
from surefill.domain.valuation import exposures
from surefill.units import quanta_text


def aggregate(q: Question) -> Refusal | None:
    """With this order, all workspaces together stay within the limit that they share."""
    elsewhere = q.state.elsewhere
    if elsewhere is None or q.is_exit:
        return None
    if q.limit_px <= 0:
        return Refusal(RefusalCode.NO_MARKET_DATA, f"no price for {q.intent.instrument_id} to value the order with")
    return _beyond(q.state, elsewhere, sum(q.exposures.values()) + q.value)


def aggregate_now(state: State, elsewhere: Elsewhere) -> Refusal | None:
    """The same of an order that is decided and counted already: it may still be withheld."""
    return _beyond(state, elsewhere, sum(exposures(state).values()))


def _beyond(state: State, elsewhere: Elsewhere, own: int) -> Refusal | None:
    book = state.book
    if elsewhere.blind:
        return Refusal(
            RefusalCode.AGGREGATE_UNKNOWN,
            f"workspace {elsewhere.blind} shares a limit with {book.workspace_id}, and its books cannot be read now:"
            " mend that first",
        )
    total = own + elsewhere.value
    if total <= elsewhere.limit:
        return None

    def money(amount: int) -> str:
        return f"{quanta_text(amount, book.money_decimals)} {book.currency}"

    return Refusal(
        RefusalCode.AGGREGATE_EXCEEDED,
        f"all workspaces at {book.venue} would stand in for {money(total)} ({money(elsewhere.value)} of it the others),"
        f" at most {money(elsewhere.limit)} together: close something, or ask for less",
    )
