"""Door 3's events have the contract's names and fields, and cannot be changed."""

from __future__ import annotations

import copy
import dataclasses
import json
import pickle
from typing import Any

import pytest

from surefill.intake.pipeline import events
from surefill.intake.pipeline.events import EVENT_TYPES, PipelineEvent, TradingSignalGenerated

SIGNAL = TradingSignalGenerated(
    "BTC/USDT", "BUY", 0.8, 4.0, 100.0, 98.0, 104.0, primary_signals=["ema"], filter_scores={"trend": 1.0}
)


def test_trading_signal_generated_has_the_contracts_fields_in_order_with_its_defaults() -> None:
    fields = [field for field in dataclasses.fields(TradingSignalGenerated) if not field.kw_only]
    assert [field.name for field in fields][:13] == [
        "symbol",
        "side",
        "signal_strength",
        "confluence_score",
        "entry_price",
        "stop_loss",
        "take_profit",
        "position_size_pct",
        "primary_signals",
        "filter_scores",
        "exchange",
        "market_type",
        "timeframe",
    ]
    plain = TradingSignalGenerated("BTC/USDT", "BUY", 0.8, 4.0, 100.0)
    assert (plain.position_size_pct, plain.exchange, plain.market_type, plain.timeframe) == (
        2.0,
        "binance",
        "spot",
        "1m",
    )


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("OrderPlaced", ()),
        ("OrderFilled", ("commission", "commission_asset")),
        ("OrderFailed", ("error_code", "error_message", "retry_count", "is_retriable")),
        ("OrderCancelled", ("reason",)),
        ("PositionOpened", ()),
        ("PositionClosed", ("exit_reason", "realized_pnl", "realized_pnl_pct", "hold_duration_seconds")),
        ("SystemError", ("component", "error_type", "traceback", "is_critical")),
    ],
)
def test_events_have_the_contracts_names_and_fields(name: str, fields: tuple[str, ...]) -> None:
    kind = getattr(events, name)
    assert EVENT_TYPES[name] is kind
    assert set(fields) <= {field.name for field in dataclasses.fields(kind)}


def _change_field() -> None:
    SIGNAL.symbol = "ETH/USDT"  # type: ignore[misc]


def _change_score() -> None:
    SIGNAL.filter_scores["trend"] = 9.0  # type: ignore[index]


CHANGES: list[Any] = [
    _change_field,
    _change_score,
    lambda: SIGNAL.filter_scores.update(x=1.0),  # type: ignore[attr-defined]
    lambda: SIGNAL.filter_scores.pop("trend"),  # type: ignore[attr-defined]
    lambda: SIGNAL.primary_signals.append("x"),  # type: ignore[attr-defined]
]


@pytest.mark.parametrize("change", CHANGES)
def test_events_cannot_be_changed(change: Any) -> None:
    with pytest.raises((dataclasses.FrozenInstanceError, TypeError, AttributeError)):
        change()


def test_events_keep_copies_of_what_their_maker_may_change() -> None:
    names, scores = ["ema"], {"trend": 1.0}
    made = TradingSignalGenerated("BTC/USDT", "BUY", 0.8, 4.0, 100.0, primary_signals=names, filter_scores=scores)
    names.append("rsi")
    scores["trend"] = 0.0
    assert (made.primary_signals, made.filter_scores) == (("ema",), {"trend": 1.0})


def test_events_can_be_copied_pickled_hashed_and_written_as_json() -> None:
    assert copy.deepcopy(SIGNAL) == pickle.loads(pickle.dumps(SIGNAL)) == SIGNAL
    assert hash(copy.deepcopy(SIGNAL)) == hash(SIGNAL)
    assert json.loads(json.dumps(dataclasses.asdict(SIGNAL)))["filter_scores"] == {"trend": 1.0}
    assert isinstance(SIGNAL, PipelineEvent)
