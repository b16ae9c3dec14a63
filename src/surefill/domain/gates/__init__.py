"""Pre-trade gates: small pure functions that a profile names in order. None of them can be walked around.

A gate answers None (let it pass) or a `Refusal` with a code and a sentence with figures. A gate that cannot see
what it needs refuses. Entry limits never hold up what only reduces.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

from surefill.domain.gates import account, caps, flow, market, signal, sizes, terms, value
from surefill.domain.gates.breakers import BREAKERS, asked, latched
from surefill.domain.gates.question import Question
from surefill.domain.gates.recheck import RECHECKS, first_objection
from surefill.domain.gates.shared_limit import aggregate, aggregate_now
from surefill.domain.refusals import Refusal

Gate = Callable[[Question], Refusal | None]

GATES: dict[str, Gate] = {
    "action": terms.action,
    "algo_id": terms.algo_id,
    "basket": value.basket,
    "cap_strategy": caps.cap_strategy,
    "cap_symbol": caps.cap_symbol,
    "cap_total": caps.cap_total,
    "cash": account.cash,
    "collar": terms.collar,
    "concentration": value.concentration,
    "confluence": signal.confluence,
    "correlation": value.correlation,
    "duplicate": flow.duplicate,
    "edge": signal.edge,
    "exposure": value.exposure,
    "halted": flow.halted,
    "instrument": terms.instrument,
    "liquidity": market.liquidity,
    "lots": terms.lots,
    "margin": value.margin,
    "market_data": market.data_present,
    "market_hours": market.market_hours,
    "message_rate": flow.message_rate,
    "notional": terms.notional,
    "open_positions": value.open_positions,
    "order_rate": flow.order_rate,
    "order_type": terms.order_type,
    "order_value": value.value_of_order,
    "owner": account.owner,
    "plan": terms.plan,
    "position": account.position,
    "position_limit": value.position_limit,
    "quantity": terms.quantity,
    "regime": signal.regime,
    "repeated_fills": flow.repeated_fills,
    "reward_risk": signal.reward_risk,
    "sane": market.sane,
    "signal_strength": signal.signal_strength,
    "size_caps": sizes.size_caps,
    "spread": market.spread,
    "stale": market.stale,
    "stop_distance": signal.stop_distance,
    "tick": terms.tick,
    "tradable": market.tradable,
    "trades_per_day": caps.trades_per_day,
    "trades_per_strategy": caps.trades_per_strategy,
    **{name: asked(breaker) for name, breaker in BREAKERS.items()},
}

__all__ = [
    "BREAKERS",
    "GATES",
    "RECHECKS",
    "Gate",
    "Question",
    "aggregate_now",
    "first_objection",
    "first_refusal",
    "refusal_of",
]


def refusal_of(question: Question) -> Refusal | None:
    """What the profile's gates say; and what holds whatever they are.

    An open breaker is open, the limit over all workspaces is kept, and an exit is one.
    """
    named = first_refusal(question, question.profile.gates)
    return named or latched(question) or aggregate(question) or _unsound_exit(question)


def _unsound_exit(question: Question) -> Refusal | None:
    """What passes as an exit is one, whatever the profile asks: no close that opens gets past kills and breakers."""
    if not question.is_exit or (question.reduces and "position" in question.profile.gates):
        return None
    return account.position(question) or (None if question.reduces else terms.quantity(question))


@functools.cache
def _named(names: tuple[str, ...]) -> tuple[Gate, ...]:
    return tuple(GATES[name] for name in names)


def first_refusal(question: Question, names: tuple[str, ...]) -> Refusal | None:
    """Ask the gates in order and stop at the first no."""
    for gate in _named(names):
        refusal = gate(question)
        if refusal is not None:
            return refusal
    return None
