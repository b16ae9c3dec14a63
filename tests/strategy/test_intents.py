from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from surefill.strategy import TradeAction, TradeIntent

LEAST: dict[str, Any] = {"id": "i1", "workspace_id": "w", "action": "OPEN_LONG", "symbol": "AAPL", "quantity": 2}
FULL: dict[str, Any] = {
    **LEAST,
    "correlation_id": "c1",
    "strategy_entity_id": "s1",
    "timeframe": "5m",
    "price": 187.25,
    "stop_loss": 180.0,
    "take_profit": 200.5,
    "signal_strength": 0.5,
    "reason": "because",
    "created_at": "2025-11-19T20:00:00Z",
    "metadata": {"any": ["thing", {"nested": 1}]},
}


def test_intent_has_the_fields_of_the_contract() -> None:
    assert set(TradeIntent.__struct_fields__) == set(FULL)
    assert {action.value for action in TradeAction} == {
        "OPEN_LONG",
        "CLOSE_LONG",
        "OPEN_SHORT",
        "CLOSE_SHORT",
        "SCALE_IN",
        "SCALE_OUT",
        "CANCEL_ORDER",
    }


def test_intent_written_and_read_again_is_the_same() -> None:
    intent = msgspec.convert(FULL, TradeIntent)
    assert intent.action is TradeAction.OPEN_LONG
    assert intent.created_at == datetime(2025, 11, 19, 20, tzinfo=UTC)
    encoded = msgspec.json.encode(intent)
    assert msgspec.json.decode(encoded, type=TradeIntent) == intent
    assert msgspec.json.decode(encoded) == {**FULL, "quantity": 2.0}


def test_intent_without_a_correlation_is_its_own_story() -> None:
    assert msgspec.convert(LEAST, TradeIntent).correlation_id == "i1"


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"id": ""}, "id of an intent must not be empty"),
        ({"workspace_id": ""}, "workspace_id of an intent must not be empty"),
        ({"symbol": ""}, "symbol of an intent must not be empty"),
        ({"action": "BUY"}, "Invalid enum value 'BUY'"),
        ({"quantity": "2"}, "Expected `float`"),
        ({"quantity": float("nan")}, "quantity of an intent must be a finite number"),
        ({"stop_loss": float("inf")}, "stop_loss of an intent must be a finite number"),
        ({"signal_strength": 1.01}, "<= 1"),
        ({"signal_strength": -0.01}, ">= 0"),
        ({"created_at": "2025-11-19T20:00:00"}, "timezone"),
        ({"fill_price": 1.0}, "unknown field `fill_price`"),
    ],
)
def test_intent_that_cannot_be_is_refused(changed: dict[str, Any], says: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=says):
        msgspec.convert({**FULL, **changed}, TradeIntent)


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"signal_strength": 2.0}, "0 to 1"),
        ({"signal_strength": float("nan")}, "signal_strength of an intent must be a finite number"),
        ({"created_at": datetime(2025, 1, 1)}, "time zone"),
        ({"price": float("inf")}, "finite"),
        ({"price": 10**400}, "finite"),
        ({"symbol": 5}, "symbol of an intent must be text"),
        ({"id": 5}, "id of an intent must be text"),
        ({"correlation_id": 5}, "correlation_id of an intent must be text"),
        ({"strategy_entity_id": None}, "strategy_entity_id of an intent must be text"),
        ({"timeframe": None}, "timeframe of an intent must be text"),
        ({"reason": None}, "reason of an intent must be text"),
        ({"metadata": None}, "metadata of an intent must be a dict"),
        ({"quantity": "0.1"}, "quantity of an intent must be a number"),
        ({"quantity": None}, "quantity of an intent must be a number"),
        ({"created_at": "2025-01-01"}, "created_at of an intent must be a datetime"),
        ({"action": "YOLO"}, "not a valid TradeAction"),
    ],
)
def test_intent_built_by_hand_is_checked_too(changed: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        TradeIntent(**{**LEAST, **changed})


@pytest.mark.parametrize("quantity", [0, -1])
def test_intent_of_a_quantity_that_the_door_refuses_is_still_an_intent(quantity: float) -> None:
    assert msgspec.convert({**LEAST, "quantity": quantity}, TradeIntent).quantity == quantity


def test_intents_alone_load_nothing_heavy() -> None:
    program = "import sys, surefill.strategy.intents; print([n for n in ('pydantic', 'numpy') if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
