"""The contract's states of an order, and which moves between them are legal.

They are a view of the order's status in the core: PENDING before the decision to send is durable, SUBMITTED until the
venue has said something (its outcome may be unknown meanwhile), FAILED when it is proven never to have arrived.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Final

from surefill.domain.orders import Order
from surefill.rules.codes import OrdStatus


class OrderState(enum.StrEnum):
    """Where an order stands."""

    PENDING = "PENDING"
    SUBMITTED = "SUBMITTED"
    ACTIVE = "ACTIVE"
    PARTIALLY_FILLED = "PARTIALLY_FILLED"
    FILLED = "FILLED"
    CANCELLED = "CANCELLED"
    REJECTED = "REJECTED"
    FAILED = "FAILED"

    @property
    def is_final(self) -> bool:
        """Whether nothing follows."""
        return not LEGAL_MOVES[self]


_S = OrderState
_OVER: Final[frozenset[OrderState]] = frozenset()

#: From each state, where an order may go next. From SUBMITTED nearly everywhere: reports overtake one another.
LEGAL_MOVES: Final[Mapping[OrderState, frozenset[OrderState]]] = {
    _S.PENDING: frozenset({_S.SUBMITTED, _S.REJECTED, _S.FAILED}),
    _S.SUBMITTED: frozenset({_S.ACTIVE, _S.PARTIALLY_FILLED, _S.FILLED, _S.CANCELLED, _S.REJECTED, _S.FAILED}),
    _S.ACTIVE: frozenset({_S.PARTIALLY_FILLED, _S.FILLED, _S.CANCELLED, _S.REJECTED}),
    _S.PARTIALLY_FILLED: frozenset({_S.FILLED, _S.CANCELLED}),
    _S.FILLED: _OVER,
    _S.CANCELLED: _OVER,
    _S.REJECTED: _OVER,
    _S.FAILED: _OVER,
}

_STATE_OF: Final = {
    OrdStatus.SUBMITTED: _S.SUBMITTED,
    OrdStatus.UNKNOWN: _S.SUBMITTED,
    OrdStatus.NEW: _S.ACTIVE,
    OrdStatus.PARTIALLY_FILLED: _S.PARTIALLY_FILLED,
    OrdStatus.FILLED: _S.FILLED,
    OrdStatus.CANCELED: _S.CANCELLED,
    OrdStatus.EXPIRED: _S.CANCELLED,
    OrdStatus.REJECTED: _S.REJECTED,
}

#: The core's own proof that the venue never had it: not sent, or absent past every horizon.
NOT_SENT: Final = frozenset({"NOT_SENT", "SEND_LAPSED", "NEVER_ARRIVED"})


def state_of(order: Order, *, undelivered: bool) -> OrderState:
    """The contract's word for where an order of the core stands. `undelivered`: its rejection proved just that."""
    state = _STATE_OF[OrdStatus(order.status)]
    failed = state is OrderState.REJECTED and (undelivered or order.code in NOT_SENT)
    return OrderState.FAILED if failed else state
