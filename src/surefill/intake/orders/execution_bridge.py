"""From a strategy's action to an order intent. An action that is unknown or missing is an error, never a BUY."""

from __future__ import annotations

from typing import Any, Final

from surefill.errors import InputError
from surefill.intake.orders.messages import OrderIntent

_SIDES: Final = {
    "BUY": "BUY",
    "LONG": "BUY",
    "ENTRY_LONG": "BUY",
    "SELL": "SELL",
    "SHORT": "SELL",
    "ENTRY_SHORT": "SELL",
}
_CLOSING: Final = frozenset({"EXIT", "CLOSE"})


def side_of(action: object, position_qty: float) -> str:
    """BUY or SELL. EXIT and CLOSE take the side that flattens `position_qty`, the actual signed position.

    Raises InputError: UNKNOWN_ACTION, or NO_POSITION for an exit that has nothing to close.
    """
    word = _word(action)
    if word not in _CLOSING:
        return _SIDES[word]
    if not position_qty:
        raise InputError(f"{word} with no position: there is nothing to close", code="NO_POSITION")
    return "SELL" if position_qty > 0 else "BUY"


def to_order_intent(
    action: object,
    symbol: str,
    strategy_code: str,
    *,
    position_qty: float,
    qty: int | None = None,
    **terms: Any,
) -> OrderIntent:
    """The order intent of an action.

    An entry needs `qty`; an exit closes the whole position, or `qty` of it, and can only reduce it. `terms` are other
    fields of `OrderIntent`. Raises InputError: UNKNOWN_ACTION, NO_POSITION, QUANTITY_REQUIRED.
    """
    side = side_of(action, position_qty)
    if _word(action) in _CLOSING:
        terms["metadata"] = {**terms.get("metadata", {}), "reduce_only": True}
        qty = _whole(abs(position_qty)) if qty is None else qty
    if qty is None:
        raise InputError(f"{_word(action)} {symbol} needs a quantity", code="QUANTITY_REQUIRED")
    return OrderIntent(symbol, strategy_code, side, qty, **terms)


def _word(action: object) -> str:
    word = str(getattr(action, "value", action)).strip().upper() if action is not None else ""
    if word not in _SIDES and word not in _CLOSING:
        known = ", ".join([*_SIDES, *sorted(_CLOSING)])
        raise InputError(f"action {action!r} is not known: use one of {known}", code="UNKNOWN_ACTION")
    return word


def _whole(qty: float) -> Any:
    return int(qty) if qty == int(qty) else qty
