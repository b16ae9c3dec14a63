"""Pre-trade gates: small pure functions that a profile names in order. None of them can be walked around.

A gate answers None (let it pass) or a `Refusal` with a code and a sentence with figures. A gate that cannot see
what it needs refuses.
"""

from __future__ import annotations

from collections.abc import Callable

from surefill.domain.gates import account, flow, market, terms
from surefill.domain.gates.question import Question
from surefill.domain.refusals import Refusal

Gate = Callable[[Question], Refusal | None]

GATES: dict[str, Gate] = {
    "action": terms.action,
    "cash": account.cash,
    "duplicate": flow.duplicate,
    "halted": flow.halted,
    "instrument": terms.instrument,
    "market_data": market.data_present,
    "notional": terms.notional,
    "order_type": terms.order_type,
    "owner": account.owner,
    "plan": terms.plan,
    "position": account.position,
    "quantity": terms.quantity,
    "sane": market.sane,
    "stale": market.stale,
    "tick": terms.tick,
}

__all__ = ["GATES", "Gate", "Question", "first_refusal"]


def first_refusal(question: Question, names: tuple[str, ...]) -> Refusal | None:
    """Ask the gates in order and stop at the first no."""
    for name in names:
        refusal = GATES[name](question)
        if refusal is not None:
            return refusal
    return None
