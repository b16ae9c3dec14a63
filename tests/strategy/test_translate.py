"""What a strategy's intent hands in, and what becomes of one whose figures cannot be counted."""

from __future__ import annotations

import msgspec
import pytest

from surefill.domain.instrument import Instrument, Terms
from surefill.domain.intent import LadderStep
from surefill.domain.refusals import RefusalCode
from surefill.errors import InputError
from surefill.rules.codes import OrdType, TimeInForce
from surefill.strategy.intents import TradeAction, TradeIntent
from surefill.strategy.translate import submission_of

SHARE = Instrument("X", "USD", 2, 4, 1, (Terms(0, 5, 100),))
NOON_NS = 1_700_000_000_000_000_000


def trade(**changed: object) -> TradeIntent:
    fields: dict[str, object] = {"quantity": 10.0, "metadata": {"strategy_id": "mine"}, **changed}
    return TradeIntent(
        id="i",
        correlation_id="c",
        workspace_id="w",
        action=TradeAction.OPEN_LONG,
        strategy_entity_id="entity",
        symbol="X",
        timeframe="1d",
        price=100.0,
        signal_strength=1.0,
        reason="why",
        **fields,  # type: ignore[arg-type]
    )


def test_intent_whose_figures_fit_is_handed_in_as_it_is() -> None:
    item = submission_of(trade(stop_loss=99.5), SHARE, NOON_NS)
    assert (item.refusal, item.ts_ns, item.intent.order_qty) == (None, NOON_NS, 100_000)
    assert item.intent.plan is not None
    assert item.intent.plan.stop_px == 9_950


@pytest.mark.parametrize(
    ("metadata", "terms"),
    [
        ({}, (OrdType.MARKET, 0, 0, TimeInForce.DAY)),
        ({"order_type": "LIMIT"}, (OrdType.LIMIT, 10_000, 0, TimeInForce.GTC)),
        ({"order_type": "STOP", "stop_px": 101.5}, (OrdType.STOP, 0, 10_150, TimeInForce.GTC)),
        ({"order_type": "STOP_LIMIT", "stop_px": 99}, (OrdType.STOP_LIMIT, 10_000, 9_900, TimeInForce.GTC)),
    ],
)
def test_intent_that_waits_for_its_price_is_an_order_until_it_is_taken_back(
    metadata: dict[str, object], terms: tuple[int, ...]
) -> None:
    intent = submission_of(trade(metadata=metadata), SHARE, NOON_NS).intent
    assert (intent.ord_type, intent.px, intent.stop_px, intent.time_in_force) == terms


def test_close_of_a_strategy_takes_what_is_held_when_it_is_made() -> None:
    close = msgspec.structs.replace(trade(), action=TradeAction.CLOSE_LONG)
    assert submission_of(close, SHARE, NOON_NS).intent.order_qty == 0
    part = msgspec.structs.replace(trade(), action=TradeAction.SCALE_OUT)
    assert submission_of(part, SHARE, NOON_NS).intent.order_qty == 100_000


def test_plan_of_an_intent_has_its_partial_exits() -> None:
    told = {"ladder": [[101.0, 50], [102.5, 33.3]], "stop_partial_pct": 25.0}
    plan = submission_of(trade(stop_loss=99.0, metadata=told), SHARE, NOON_NS).intent.plan
    assert plan is not None
    assert plan.ladder == (LadderStep(10_100, 500_000_000), LadderStep(10_250, 333_000_000))
    assert plan.stop_partial_ppb == 250_000_000


REFUSED = [
    ({"quantity": 1e12}, RefusalCode.INVALID_QUANTITY, "instruments.X.qty_decimals below 4"),
    ({"quantity": 0.00001}, RefusalCode.INVALID_QUANTITY, "whole multiples of the lot"),
    ({"stop_loss": 99.123}, RefusalCode.INVALID_PLAN, "round it to the tick (instruments.X.tick"),
    ({"take_profit": 1e12}, RefusalCode.INVALID_PLAN, "is beyond"),
    ({"metadata": {"strategy_id": "mine", "trail_distance": 0.001}}, RefusalCode.INVALID_PLAN, "trail_distance"),
    ({"metadata": {"strategy_id": "mine", "time_stop_bars": -1}}, RefusalCode.INVALID_PLAN, "mend the strategy"),
    ({"metadata": {"strategy_id": "mine", "ladder": [101.0]}}, RefusalCode.INVALID_PLAN, "pairs of a price"),
    ({"metadata": {"strategy_id": "mine", "stop_partial_pct": True}}, RefusalCode.INVALID_PLAN, "stop_partial_pct"),
    ({"metadata": {"strategy_id": "mine", "order_type": "SOON"}}, RefusalCode.UNSUPPORTED_ORDER_TYPE, "SOON"),
    ({"metadata": {"strategy_id": "mine", "order_type": "STOP", "stop_px": 0.001}}, RefusalCode.OFF_TICK, "stop_px"),
    ({"metadata": {"strategy_id": "mine", "regime_distance_z": "x"}}, RefusalCode.INVALID_INPUT, "regime_distance_z"),
]


@pytest.mark.parametrize(("changed", "code", "told"), REFUSED)
def test_intent_with_a_figure_that_cannot_be_counted_is_a_refusal(
    changed: dict[str, object], code: RefusalCode, told: str
) -> None:
    item = submission_of(trade(**changed), SHARE, NOON_NS)
    assert item.refusal is not None
    assert (item.refusal.code, item.intent.order_qty, item.intent.plan) == (code, 0, None)
    assert item.refusal.reason.startswith("OPEN_LONG of X by mine, at 2023-11-14T22:13:20Z: ")
    assert told in item.refusal.reason


def test_intent_that_makes_no_order_raises() -> None:
    cancel = msgspec.structs.replace(trade(), action=TradeAction.CANCEL_ORDER)
    with pytest.raises(InputError, match="makes no order"):
        submission_of(cancel, SHARE, NOON_NS)
