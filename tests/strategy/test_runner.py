from __future__ import annotations

import uuid
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import msgspec
import numpy as np
import pytest
from tests.strategy.books import Book, Held, daily, spec_of

from surefill.errors import InputError, StrategyError
from surefill.strategy import (
    Decision,
    ExecutionSpec,
    MarketSnapshot,
    Position,
    StrategyEvaluation,
    StrategyRegistry,
    StrategyRunner,
    TradeAction,
    TradeIntent,
)


class Scripted:
    """Says what the test wants said."""

    name = "scripted"

    def __init__(self, *said: Any) -> None:
        self.said = said

    def evaluate(self, spec: ExecutionSpec, snapshot: MarketSnapshot, position: Position | None) -> Iterator[Any]:
        for what in self.said:
            if isinstance(what, BaseException):
                raise what
            yield what


SNAPSHOT = daily([90.0, 100.0], tick_size=0.01, is_eod=False)
BUY = Decision.open_long("because", signal="bought", strength=0.5)
SELL = Decision.close_long("enough")
SHORT = Decision.open_short("down it goes")
COVER = Decision.close_short("up again")


def _run(*said: Any, book: Book | None = None, snapshot: MarketSnapshot = SNAPSHOT, **spec: Any) -> StrategyEvaluation:
    registry = StrategyRegistry()
    registry.add(Scripted(*said))
    told = {name: spec.pop(name) for name in ("pending_entries", "order_working") if name in spec}
    return StrategyRunner(registry).evaluate(spec_of("scripted", **spec), snapshot, book or Book(), **told)


def _actions(evaluation: StrategyEvaluation) -> list[tuple[str, float]]:
    return [(intent.action.value, intent.quantity) for intent in evaluation.intents]


def test_intent_of_an_entry_has_every_field() -> None:
    evaluation = _run("noticed", BUY, risk={"dollars_per_trade": 1000, "lot_size": 3})
    spec = spec_of("scripted", risk={"dollars_per_trade": 1000, "lot_size": 3})
    (intent,) = evaluation.intents
    assert msgspec.to_builtins(intent) == {
        "id": intent.id,
        "correlation_id": evaluation.evaluation_id,
        "workspace_id": "w",
        "action": "OPEN_LONG",
        "strategy_entity_id": spec.instance_id,
        "symbol": "AAPL",
        "timeframe": "1d",
        "quantity": 9.0,
        "price": 100.0,
        "stop_loss": None,
        "take_profit": None,
        "signal_strength": 0.5,
        "reason": "because",
        "created_at": "2024-01-02T21:00:00Z",
        "metadata": {"strategy_id": "scripted", "signal": "bought"},
    }
    assert (evaluation.spec_id, evaluation.symbol, evaluation.ts) == (spec.instance_id, "AAPL", SNAPSHOT.ts)
    assert evaluation.signals == ("noticed", "bought")
    assert evaluation.metadata == {"strategy": "scripted", "bars": 2, "last_price": 100.0}
    assert evaluation.intents[0] == msgspec.json.decode(msgspec.json.encode(intent), type=TradeIntent)


def test_ids_are_the_same_for_the_same_moment_and_differ_otherwise() -> None:
    first, again = _run(BUY, SELL, book=Book(positions={"AAPL": Held(2)})), _run(BUY)
    assert [uuid.UUID(intent.id).version for intent in first.intents] == [5, 5]
    assert first.intents[0] == again.intents[0]
    assert len({intent.id for intent in first.intents}) == 2
    later = daily([90.0, 95.0, 100.0], is_eod=False)
    others = [
        _run(BUY, snapshot=later),
        _run(BUY, workspace_id="v"),
        _run(BUY, risk={"dollars_per_trade": 2000}),
        _run(SHORT),
    ]
    assert len({evaluation.intents[0].id for evaluation in [first, *others]}) == 5
    assert len({evaluation.evaluation_id for evaluation in [first, *others[:3]]}) == 4


BOOKS = {
    "empty": {},
    "holds it": {"AAPL": Held(2)},
    "holds two others": {"MSFT": Held(1), "IBM": Held(1)},
    "holds it and another": {"AAPL": Held(2), "MSFT": Held(1)},
    "held others": {"MSFT": Held(0), "IBM": Held(0)},
    "is short": {"AAPL": Held(-2)},
}

# (book, what is said, spec and runner settings, intents, signals); at most two positions
CASES: list[tuple[str, Any, dict[str, Any], list[tuple[str, float]], list[str]]] = [
    ("empty", BUY, {}, [("OPEN_LONG", 10.0)], ["bought"]),
    ("empty", SHORT, {}, [("OPEN_SHORT", 10.0)], ["down it goes"]),
    ("held others", BUY, {}, [("OPEN_LONG", 10.0)], ["bought"]),
    ("holds it", BUY, {}, [("OPEN_LONG", 10.0)], ["bought"]),
    ("holds two others", BUY, {}, [], ["entry_skipped_max_positions"]),
    ("holds it and another", BUY, {}, [("OPEN_LONG", 10.0)], ["bought"]),  # adds, opens no further position
    ("empty", BUY, {"pending_entries": 1}, [("OPEN_LONG", 10.0)], ["bought"]),
    ("empty", BUY, {"pending_entries": 2}, [], ["entry_skipped_max_positions"]),
    ("empty", BUY, {"enabled": False}, [], ["entry_skipped_disabled"]),
    ("empty", BUY, {"risk": {"dollars_per_trade": 99, "lot_size": 1}}, [], ["entry_skipped_quantity_below_lot"]),
    ("empty", SELL, {}, [], ["exit_skipped_no_position"]),
    ("empty", COVER, {}, [], ["exit_skipped_no_position"]),
    ("is short", SELL, {}, [], ["exit_skipped_no_position"]),
    ("holds it", COVER, {}, [], ["exit_skipped_no_position"]),
    ("holds it", SELL, {}, [("CLOSE_LONG", 2.0)], ["enough"]),
    ("is short", COVER, {}, [("CLOSE_SHORT", 2.0)], ["up again"]),
    ("holds it and another", SELL, {"enabled": False, "pending_entries": 9}, [("CLOSE_LONG", 2.0)], ["enough"]),
    ("holds it", Decision(TradeAction.SCALE_IN, "more"), {}, [("SCALE_IN", 10.0)], ["more"]),
    ("holds it", Decision(TradeAction.SCALE_OUT, "less", quantity=1.5), {}, [("SCALE_OUT", 1.5)], ["less"]),
    ("holds it", Decision(TradeAction.SCALE_OUT, "less", quantity=9.0), {}, [("SCALE_OUT", 2.0)], ["less"]),
    ("empty", Decision(TradeAction.SCALE_OUT, "less", quantity=1.0), {}, [], ["exit_skipped_no_position"]),
    ("holds it", Decision(TradeAction.SCALE_OUT, "less", quantity=0.0), {}, [], ["exit_skipped_quantity_below_lot"]),
    ("empty", Decision(TradeAction.OPEN_LONG, "so many", quantity=2.5), {}, [("OPEN_LONG", 2.5)], ["so many"]),
    ("empty", BUY, {"order_working": True}, [], ["entry_skipped_order_working"]),
    ("holds it", SELL, {"order_working": True}, [("CLOSE_LONG", 2.0)], ["enough"]),
    ("empty", Decision.open_long("lower", px=50.0), {}, [("OPEN_LONG", 20.0)], ["lower"]),
    ("empty", Decision.open_long("lower", px=1e-9), {}, [], ["entry_skipped_price_below_tick"]),
]


@pytest.mark.parametrize(("book", "said", "settings", "intents", "signals"), CASES)
def test_decision_becomes_an_intent_or_the_reason_why_not(
    book: str, said: Any, settings: dict[str, Any], intents: list[tuple[str, float]], signals: list[str]
) -> None:
    settings = {"risk": {"dollars_per_trade": 1000, "max_positions": 2}, **settings}
    evaluation = _run(said, book=Book(positions=dict(BOOKS[book])), **settings)
    assert (_actions(evaluation), list(evaluation.signals)) == (intents, signals)


@pytest.mark.parametrize("kind", [np.float64, np.float32])
def test_intents_from_another_librarys_numbers_are_the_same(kind: Any) -> None:
    def evaluated(make: Any) -> StrategyEvaluation:
        snapshot = daily([make(90.1), make(100.3)], tick_size=make(0.01), is_eod=False)
        scaled = Decision(TradeAction.SCALE_IN, "more", strength=make(0.3), quantity=make(2.7), stop_loss=make(90.3))
        exit_ = {"type": "stop_target", "stop_loss_pct": 2.0}
        return _run(BUY, scaled, book=Book(positions={"AAPL": Held(1.0, 90.0)}), snapshot=snapshot, exit=exit_)

    ours, theirs = evaluated(float), evaluated(kind)
    assert len(ours.intents) == 2
    assert msgspec.json.encode(theirs.intents) == msgspec.json.encode(ours.intents)


@pytest.mark.parametrize(
    ("said", "order", "price", "stop_loss"),
    [
        (Decision.open_long("x"), {}, 100.0, 90.0),
        (Decision.open_long("x", px=90.04), {"order_type": "LIMIT"}, 90.0, 81.0),
        (Decision.open_short("x", px=110.02), {"order_type": "LIMIT"}, 110.05, 121.05),
        (Decision.open_long("x", stop_px=110.02), {"order_type": "STOP", "stop_px": 110.05}, 100.0, 99.05),
        (Decision.open_short("x", stop_px=90.04), {"order_type": "STOP", "stop_px": 90.0}, 100.0, 99.0),
        (
            Decision.open_long("x", px=111.0, stop_px=110.0),
            {"order_type": "STOP_LIMIT", "stop_px": 110.0},
            111.0,
            99.9,
        ),
    ],
)
def test_entry_that_waits_says_for_which_price_in_whole_ticks(
    said: Decision, order: dict[str, Any], price: float, stop_loss: float
) -> None:
    exit_ = {"type": "stop_target", "stop_loss_pct": 10.0}
    snapshot = daily([100.0, 100.0], tick_size=0.05, is_eod=False)
    (intent,) = _run(said, snapshot=snapshot, exit=exit_).intents
    told = {name: value for name, value in intent.metadata.items() if name in ("order_type", "stop_px")}
    assert (told, intent.price) == (order, price)
    assert intent.stop_loss == pytest.approx(stop_loss)
    assert intent.metadata.get("time_in_force") == ("GTC" if order else None)


def test_max_positions_counts_entries_of_the_same_evaluation() -> None:
    evaluation = _run(BUY, BUY, risk={"dollars_per_trade": 1000, "max_positions": 1})
    assert (len(evaluation.intents), evaluation.signals) == (1, ("bought", "entry_skipped_max_positions"))


@pytest.mark.parametrize(
    ("quantity", "expected"),
    [(Decimal("0.12345678"), 0.12345678), (3, 3.0), (0.1 + 0.2, 0.1 + 0.2)],
)
def test_closing_quantity_is_the_position_exactly(quantity: Any, expected: float) -> None:
    evaluation = _run(SELL, book=Book(positions={"AAPL": Held(quantity)}))
    assert _actions(evaluation) == [("CLOSE_LONG", expected)]
    assert isinstance(evaluation.intents[0].quantity, float)


@pytest.mark.parametrize(
    ("snapshot_lot", "spec_lot", "expected"),
    [(None, None, 8.88888888), (None, 0.5, 8.5), (1.0, 0.5, 8.0), (5.0, None, 5.0)],
)
def test_lot_is_the_snapshots_then_the_specs_then_eight_decimals(
    snapshot_lot: float | None, spec_lot: float | None, expected: float
) -> None:
    snapshot = daily([90.0, 112.5], lot_size=snapshot_lot, is_eod=False)
    evaluation = _run(BUY, snapshot=snapshot, risk={"dollars_per_trade": 1000, "lot_size": spec_lot})
    assert _actions(evaluation) == [("OPEN_LONG", expected)]


EOD = daily([90.0, 100.0], is_eod=True)


@pytest.mark.parametrize(
    ("position", "action", "quantity"), [(Held(2.5), "CLOSE_LONG", 2.5), (Held(-1), "CLOSE_SHORT", 1.0)]
)
def test_end_of_day_closes_before_the_strategy_is_asked(position: Position, action: str, quantity: float) -> None:
    evaluation = _run(
        RuntimeError("not asked"), snapshot=EOD, exit={"type": "eod"}, book=Book(positions={"AAPL": position})
    )
    (intent,) = evaluation.intents
    assert (intent.action, intent.quantity, evaluation.signals) == (action, quantity, ("eod_exit_triggered",))
    assert (intent.reason, intent.metadata["fill_at"]) == ("end of day", "close")


@pytest.mark.parametrize(
    ("exit_", "snapshot", "holds"),
    [
        ({"type": "eod"}, SNAPSHOT, True),
        ({"type": "eod"}, EOD, False),
        ({"type": "none"}, EOD, True),
        ({"type": "stop_target", "stop_loss_pct": 2}, EOD, True),
        (None, EOD, True),  # a strategy that names no default exit leaves by itself
    ],
)
def test_end_of_day_exit_needs_its_type_a_position_and_the_end_of_the_day(
    exit_: dict[str, Any] | None, snapshot: MarketSnapshot, holds: bool
) -> None:
    book = Book(positions={"AAPL": Held(1)} if holds else {})
    assert _run("asked", snapshot=snapshot, exit=exit_, book=book).signals == ("asked",)


@pytest.mark.parametrize(
    ("settings", "said", "stop", "target", "plan"),
    [
        ({"stop_loss_pct": 2, "take_profit_pct": 4.5}, BUY, 98.0, 104.5, {}),
        ({"stop_loss_pct": 2, "take_profit_pct": 4.5}, SHORT, 102.0, 95.5, {}),
        ({"trailing_pct": 1.5}, BUY, None, None, {"trail_distance": 1.5}),
        ({"time_stop_bars": 7, "end_of_day": True}, BUY, None, None, {"time_stop_bars": 7, "end_of_day": True}),
        (
            {"stop_loss_pct": 2, "take_profit_pct": 4},
            Decision(TradeAction.OPEN_LONG, "own", stop_loss=91.0),
            91.0,
            104.0,
            {},
        ),
    ],
)
def test_stop_target_exit_is_written_on_the_entry(
    settings: dict[str, Any], said: Decision, stop: float | None, target: float | None, plan: dict[str, Any]
) -> None:
    evaluation = _run(said, exit={"type": "stop_target", **settings})
    (intent,) = evaluation.intents
    assert (intent.stop_loss, intent.take_profit) == (stop, target)
    assert {key: value for key, value in intent.metadata.items() if key not in ("strategy_id", "signal")} == plan


def test_adding_to_a_short_is_protected_from_above() -> None:
    add = Decision(TradeAction.SCALE_IN, "more")
    book = Book(positions={"AAPL": Held(-2)})
    (intent,) = _run(add, book=book, exit={"type": "stop_target", "stop_loss_pct": 2}).intents
    assert intent.stop_loss == 102.0


def test_exits_carry_no_plan() -> None:
    book = Book(positions={"AAPL": Held(2)})
    (intent,) = _run(SELL, book=book, exit={"type": "stop_target", "stop_loss_pct": 2}).intents
    assert (intent.stop_loss, intent.take_profit) == (None, None)
    assert intent.metadata == {"strategy_id": "scripted", "signal": "enough"}


@pytest.mark.parametrize(
    ("said", "says"),
    [
        (ZeroDivisionError("by zero"), "ZeroDivisionError: by zero"),
        (InputError("bad value"), "InputError: bad value"),
        (42, "it gave 42, which is neither a Decision nor text"),
        (Decision(TradeAction.CANCEL_ORDER, "x"), "cannot decide CANCEL_ORDER"),
        (Decision(TradeAction.SCALE_OUT, "x"), "cannot decide SCALE_OUT"),
        (Decision.open_long("x", px=-1.0), "px of an entry must be above 0"),
        (Decision.open_short("x", stop_px=float("nan")), "stop_px of an entry must be above 0"),
        (Decision.open_long("x", strength=2.0), "signal_strength of an intent must be 0 to 1"),
    ],
)
def test_failing_strategy_is_named_with_its_spec_symbol_and_moment(said: Any, says: str) -> None:
    with pytest.raises(StrategyError, match=says) as failed:
        _run("before", said, name="my spec")
    error = failed.value
    assert "'scripted' of spec 'my spec'" in error.message
    assert "on AAPL at 2024-01-02T21:00:00Z" in error.message
    assert error.values["symbol"] == "AAPL"
    assert error.code == "STRATEGY_FAILED"
    if isinstance(said, Exception):
        assert error.__cause__ is said


def test_strategy_that_is_interrupted_is_not_a_failure() -> None:
    with pytest.raises(KeyboardInterrupt):
        _run(KeyboardInterrupt())


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ({"symbols": ["MSFT"]}, "AAPL is not among its symbols MSFT"),
        ({"timeframe": "1h"}, "bars are 1d, the spec's timeframe is 1h"),
    ],
)
def test_snapshot_that_does_not_fit_the_spec_is_refused(spec: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError, match=says) as refused:
        _run(BUY, **spec)
    assert refused.value.code == "SNAPSHOT_MISFIT"


def test_runner_takes_any_book_with_cash_and_positions() -> None:
    class Theirs:
        cash = Decimal("5")
        positions: dict[str, Any] = {"AAPL": Held(Decimal("1.5"))}  # type: ignore[arg-type]  # noqa: RUF012

    registry = StrategyRegistry()
    registry.add(Scripted(SELL))
    evaluation = StrategyRunner(registry).evaluate(spec_of("scripted"), SNAPSHOT, Theirs())  # type: ignore[arg-type]
    assert _actions(evaluation) == [("CLOSE_LONG", 1.5)]


def test_runner_keeps_nothing_between_evaluations() -> None:
    runner = StrategyRunner()
    spec = spec_of({"type": "breakout_52w_high", "lookback_days": 2})
    rising, falling = daily([10, 11, 12], is_eod=False), daily([12, 11, 10], is_eod=False)
    first = runner.evaluate(spec, rising, Book())
    runner.evaluate(spec, falling, Book())
    assert runner.evaluate(spec, rising, Book()) == first == StrategyRunner().evaluate(spec, rising, Book())
