"""What a strategy's intent hands in, and what becomes of one whose figures cannot be counted."""

from __future__ import annotations

import msgspec
import pytest

from surefill.domain.instrument import Instrument, Terms
from surefill.domain.refusals import RefusalCode
from surefill.errors import InputError
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


REFUSED = [
    ({"quantity": 1e12}, RefusalCode.INVALID_QUANTITY, "instruments.X.qty_decimals below 4"),
    ({"quantity": 0.00001}, RefusalCode.INVALID_QUANTITY, "whole multiples of the lot"),
    ({"stop_loss": 99.123}, RefusalCode.INVALID_PLAN, "round it to the tick (instruments.X.tick"),
    ({"take_profit": 1e12}, RefusalCode.INVALID_PLAN, "is beyond"),
    ({"metadata": {"strategy_id": "mine", "trail_distance": 0.001}}, RefusalCode.INVALID_PLAN, "trail_distance"),
    ({"metadata": {"strategy_id": "mine", "time_stop_bars": -1}}, RefusalCode.INVALID_PLAN, "mend the strategy"),
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
