"""The request body: {"intent": TradeIntent, "fill_price": number, "mode": "paper"}, nothing else in it."""

from __future__ import annotations

import msgspec

from surefill.errors import InputError
from surefill.intake.intents.translation import MODE
from surefill.strategy.intents import TradeAction, TradeIntent

BODY_MAX = 64 * 1024


class ExecuteRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a caller asks for. Numbers stand for their shortest decimal text."""

    intent: TradeIntent
    fill_price: float | None = None
    mode: str = MODE


_DECODER = msgspec.json.Decoder(ExecuteRequest)
_ACTIONS = frozenset(TradeAction)


def decode_request(body: bytes | str | dict[str, object]) -> ExecuteRequest:
    """The request, checked for its shape. Raises InputError: INVALID_REQUEST, or UNSUPPORTED_ACTION for an action that
    does not exist; `values` holds the intent's id and workspace as far as they can be read.
    """
    if isinstance(body, bytes | str) and len(body) > BODY_MAX:
        raise InputError(f"the request is larger than {BODY_MAX} bytes", code="INVALID_REQUEST")
    try:
        if isinstance(body, dict):
            return msgspec.convert(body, ExecuteRequest)
        return _DECODER.decode(body)
    except Exception as error:  # msgspec's own, or what an object in a decoded body raises
        raise _refusal(body, error) from error


def _refusal(body: bytes | str | dict[str, object], error: Exception) -> InputError:
    intent = _intent_of(body)
    known = {name: value for name in ("id", "workspace_id") if isinstance(value := intent.get(name), str)}
    values = {"intent_id": known.get("id", ""), "workspace_id": known.get("workspace_id", "")}
    action = intent.get("action")
    if isinstance(action, str) and action not in _ACTIONS:
        return InputError(f"there is no action {action!r}", code="UNSUPPORTED_ACTION", **values)
    return InputError(f"the request is not valid: {error}", code="INVALID_REQUEST", **values)


def _intent_of(body: bytes | str | dict[str, object]) -> dict[str, object]:
    """The intent as far as it is JSON at all, to name it in the answer."""
    if not isinstance(body, dict):
        try:
            body = msgspec.json.decode(body)
        except (msgspec.DecodeError, RecursionError, TypeError, ValueError):
            return {}
    intent = body.get("intent") if isinstance(body, dict) else None
    return intent if isinstance(intent, dict) else {}
