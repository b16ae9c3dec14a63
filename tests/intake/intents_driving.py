"""Trade intents and brokers for the tests of the intents door."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from surefill.config import Settings
from surefill.engine.clock import Clock, VirtualClock
from surefill.intake.intents import ExecutionOutcome, PaperBroker, TradeAction, TradeIntent
from surefill.journal import Journal, MemoryJournal

NOON_NS = 1_700_000_000_000_000_000


def trade(
    intent_id: str,
    action: str = "OPEN_LONG",
    quantity: float = 1.0,
    *,
    symbol: str = "BTCUSDT",
    workspace_id: str = "main",
    correlation_id: str = "",
    strategy: str = "s1",
    price: float | None = None,
    stop_loss: float | None = None,
    take_profit: float | None = None,
    metadata: dict[str, object] | None = None,
) -> TradeIntent:
    return TradeIntent(
        id=intent_id,
        workspace_id=workspace_id,
        action=TradeAction(action),
        symbol=symbol,
        quantity=quantity,
        correlation_id=correlation_id or f"story-{intent_id}",
        strategy_entity_id=strategy,
        price=price,
        stop_loss=stop_loss,
        take_profit=take_profit,
        metadata=metadata or {},
    )


def paper_broker(
    profile: str = "paper_long_only",
    *,
    journal: Journal | None = None,
    clock: Clock | None = None,
    **sections: Mapping[str, object] | Sequence[Mapping[str, object]],
) -> PaperBroker:
    settings = Settings.model_validate(sections)
    return PaperBroker.open(
        settings, profile=profile, clock=clock or VirtualClock(NOON_NS), journal=journal or MemoryJournal()
    )


def done(outcome: ExecutionOutcome) -> ExecutionOutcome:
    """The outcome of an intent that must succeed."""
    assert outcome.success, (outcome.code, outcome.reason)
    return outcome


def event_types(outcome: ExecutionOutcome) -> list[str]:
    return [event.event_type for event in outcome.events]
