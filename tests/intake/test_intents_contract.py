"""One test per row of the contract's table "Paper execution", named after the row. Policy, idempotency under load, bad
input, faults and `paper_full` have files of their own beside this one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime

import msgspec
import pytest
from tests.intake.intents_driving import NOON_NS, done, event_types, paper_broker, trade

from surefill.domain.inputs import ResetWorkspace
from surefill.engine.clock import VirtualClock
from surefill.errors import ConfigError, InputError, LocalError
from surefill.intake.intents import PaperBroker, TradeAction, TradeIntent
from surefill.intake.session import Session
from surefill.journal import MemoryJournal


@pytest.fixture
def broker() -> Iterator[PaperBroker]:
    with paper_broker() as made:
        yield made


def test_trade_intent_carries_every_field_of_the_contract(broker: PaperBroker) -> None:
    intent = TradeIntent(
        id="i-1",
        correlation_id="evaluation-1",
        workspace_id="main",
        action=TradeAction.OPEN_LONG,
        strategy_entity_id="entity-1",
        symbol="BTCUSDT",
        timeframe="1h",
        quantity=0.05,
        price=49_990.5,
        stop_loss=49_000.0,
        take_profit=52_000.0,
        signal_strength=0.75,
        reason="breakout",
        created_at=datetime(2025, 1, 2, tzinfo=UTC),
        metadata={"signal": "breakout_entry_triggered", "nested": {"a": [1, 2]}},
    )
    outcome = done(broker.execute(intent, 50_000.0))
    assert (outcome.correlation_id, outcome.intent_id) == ("evaluation-1", "i-1")
    emitted = outcome.events[0]
    assert emitted.payload == {
        "tf": "1h",
        "signal": "breakout_entry_triggered",
        "action": "OPEN_LONG",
        "signal_strength": "0.75",
        "price": "49990.5",
        "metadata": '{"nested":{"a":[1,2]},"signal":"breakout_entry_triggered"}',
    }
    position = broker.positions("main")["BTCUSDT"]
    assert (position.quantity, position.avg_price, position.strategy_entity_id) == (0.05, 50_000.0, "entity-1")
    assert (position.stop_loss, position.take_profit) == (49_000.0, 52_000.0)
    assert position.opened_at == datetime.fromtimestamp(NOON_NS // 10**9, UTC)


@pytest.mark.parametrize("action", ["OPEN_SHORT", "CLOSE_SHORT", "SCALE_IN", "SCALE_OUT", "CANCEL_ORDER"])
def test_actions_outside_long_only_are_400_unsupported_action(broker: PaperBroker, action: str) -> None:
    outcome = broker.execute(trade("a", action), 100.0)
    assert (outcome.http_status, outcome.code, outcome.success) == (400, "UNSUPPORTED_ACTION", False)
    assert "OPEN_LONG" in outcome.reason


def test_actions_open_long_and_close_long_are_executed(broker: PaperBroker) -> None:
    opened = done(broker.execute(trade("a", "OPEN_LONG", 2.0), 100.0))
    closed = done(broker.execute(trade("b", "CLOSE_LONG", 2.0), 110.0))
    assert (opened.side, closed.side) == ("BUY", "SELL")
    assert (opened.status, closed.status, opened.http_status) == ("FILLED", "FILLED", 200)
    assert re.fullmatch(r"order_[0-9a-f]{16}", opened.order_id)
    assert opened.order_id != closed.order_id
    assert broker.positions("main") == {}


def test_fill_price_is_required_in_long_only(broker: PaperBroker) -> None:
    outcome = broker.execute(trade("a"))
    assert (outcome.http_status, outcome.code) == (400, "INVALID_FILL_PRICE")
    assert "required" in outcome.reason


@pytest.mark.parametrize("price", [50_000.0, 0.0001, "50000.1234", 7, 123.4567])
def test_fill_price_of_the_caller_is_the_price_whatever_the_market_settings(price: str | float) -> None:
    execution = {"slippage_bps": 25, "fill_mode": "bid_ask", "spread_bps": 10, "latency_ms": 500}
    with paper_broker(execution=execution, workspace={"starting_equity": 100_000}) as broker:
        outcome = done(broker.execute(trade("a"), price))
    assert outcome.fill_price == float(price)


def test_fill_price_of_a_limit_order_is_refused_in_long_only(broker: PaperBroker) -> None:
    outcome = broker.execute(trade("a", price=90.0, metadata={"order_type": "LIMIT"}), 100.0)
    assert (outcome.http_status, outcome.code) == (400, "UNSUPPORTED_ORDER_TYPE")


def test_idempotency_repeat_is_409_with_the_first_correlation_id(broker: PaperBroker) -> None:
    first = done(broker.execute(trade("a", correlation_id="first"), 100.0))
    again = broker.execute(trade("a", correlation_id="second"), 100.0)
    assert (again.http_status, again.code, again.success) == (409, "ALREADY_EXECUTED", False)
    assert (again.correlation_id, again.order_id, again.fill_price) == ("first", first.order_id, 100.0)
    assert again.events == ()
    assert broker.state("main").positions["BTCUSDT"].quantity == 1.0


@pytest.mark.parametrize(
    ("intent", "price"),
    [
        (trade("a", quantity=2.0), 100.0),
        (trade("a", symbol="ETHUSDT"), 100.0),
        (trade("a", stop_loss=90.0), 100.0),
        (trade("a", metadata={"note": "other"}), 100.0),
        (trade("a"), 101.0),
    ],
    ids=["quantity", "symbol", "stop", "metadata", "fill price"],
)
def test_idempotency_same_id_with_other_content_is_a_conflict(
    broker: PaperBroker, intent: TradeIntent, price: float
) -> None:
    done(broker.execute(trade("a", correlation_id="first"), 100.0))
    outcome = broker.execute(intent, price)
    assert (outcome.http_status, outcome.code, outcome.correlation_id) == (409, "INTENT_CONFLICT", "first")
    assert broker.state("main").cash == 9_900.0


def test_idempotency_refused_intent_does_not_claim_its_id(broker: PaperBroker) -> None:
    assert broker.execute(trade("a", quantity=1_000.0), 100.0).code == "INSUFFICIENT_CASH"
    assert broker.execute(trade("a"), "nonsense").code == "INVALID_FILL_PRICE"
    done(broker.execute(trade("a"), 100.0))


def test_idempotency_key_holds_per_workspace(broker: PaperBroker) -> None:
    done(broker.execute(trade("a", workspace_id="one"), 100.0))
    done(broker.execute(trade("a", workspace_id="two"), 100.0))


def test_errors_unsupported_mode(broker: PaperBroker) -> None:
    outcome = broker.execute(trade("a"), 100.0, mode="live")
    assert (outcome.http_status, outcome.code) == (400, "UNSUPPORTED_MODE")


def test_errors_no_position(broker: PaperBroker) -> None:
    outcome = broker.execute(trade("a", "CLOSE_LONG"), 100.0)
    assert (outcome.http_status, outcome.code) == (400, "NO_POSITION")
    assert event_types(outcome) == ["INTENT_EMITTED", "POLICY_EVALUATED", "ORDER_REJECTED"]


@pytest.mark.parametrize("quantity", [0.5, 1.5, 0.99999999])
def test_errors_partial_close_not_supported(broker: PaperBroker, quantity: float) -> None:
    done(broker.execute(trade("a"), 100.0))
    outcome = broker.execute(trade("b", "CLOSE_LONG", quantity), 100.0)
    assert (outcome.http_status, outcome.code) == (400, "PARTIAL_CLOSE_NOT_SUPPORTED")
    assert broker.positions("main")["BTCUSDT"].quantity == 1.0


def test_errors_insufficient_cash(broker: PaperBroker) -> None:
    outcome = broker.execute(trade("a", quantity=100.0001), 100.0)
    assert (outcome.http_status, outcome.code) == (400, "INSUFFICIENT_CASH")
    assert "10000.01 USD needed, 10000 USD free" in outcome.reason
    done(broker.execute(trade("b", quantity=100.0), 100.0))
    assert broker.state("main").cash == 0.0


def test_errors_strategy_paused_is_200_and_lets_exits_through(broker: PaperBroker) -> None:
    done(broker.execute(trade("a"), 100.0))
    broker.pause("main", "s1", "under review", by="ada")
    outcome = broker.execute(trade("b"), 100.0)
    assert (outcome.http_status, outcome.code, outcome.success) == (200, "STRATEGY_PAUSED", False)
    assert event_types(outcome)[-1] == "POLICY_REJECTED"
    assert broker.state("main").paused == {"s1": "PAUSED: under review"}
    done(broker.execute(trade("c", symbol="ETHUSDT", strategy="s2"), 100.0))
    done(broker.execute(trade("d", "CLOSE_LONG"), 100.0))
    broker.resume("main", strategy_id="s1")
    done(broker.execute(trade("b"), 100.0))


def test_events_of_a_life_are_in_the_contracts_words_and_order(broker: PaperBroker) -> None:
    opened = done(broker.execute(trade("a"), 100.0))
    scaled = done(broker.execute(trade("b"), 200.0))
    closed = done(broker.execute(trade("c", "CLOSE_LONG", 2.0), 160.0))
    before = ["INTENT_EMITTED", "POLICY_EVALUATED", "INTENT_APPROVED", "ORDER_FILLED"]
    assert event_types(opened) == [*before, "POSITION_OPENED"]
    assert event_types(scaled) == [*before, "POSITION_SCALED"]
    assert event_types(closed) == [*before, "POSITION_CLOSED"]
    assert [event for outcome in (opened, scaled, closed) for event in outcome.events] == broker.events("main")
    fill = closed.events[3]
    assert (fill.order_id, fill.correlation_id, fill.intent_id) == (closed.order_id, "story-c", "c")
    assert {name: fill.payload[name] for name in ("side", "quantity", "fill_price", "realized_pnl", "cash")} == {
        "side": "SELL",
        "quantity": 2.0,
        "fill_price": 160.0,
        "realized_pnl": 20.0,
        "cash": 10_020.0,
    }


def test_ledger_begins_with_10000_and_nothing_else(broker: PaperBroker) -> None:
    state = broker.state("main")
    assert (state.starting_equity, state.cash, state.realized_pnl, state.fees) == (10_000.0, 10_000.0, 0.0, 0.0)
    assert state.positions == {}


def test_ledger_second_open_long_scales_by_the_average_formula(broker: PaperBroker) -> None:
    done(broker.execute(trade("a", quantity=0.3), 101.25))
    done(broker.execute(trade("b", quantity=0.45), 99.5))
    position = broker.positions("main")["BTCUSDT"]
    assert position.quantity == 0.75
    assert position.avg_price == pytest.approx((101.25 * 0.3 + 99.5 * 0.45) / 0.75, rel=1e-15)
    done(broker.execute(trade("c", "CLOSE_LONG", 0.75), 110.0))
    state = broker.state("main")
    assert state.realized_pnl == 7.35
    assert state.cash == 10_007.35


def test_ledger_cash_goes_negative_only_where_it_is_allowed() -> None:
    with paper_broker(execution={"allow_negative_cash": True}) as broker:
        done(broker.execute(trade("a", quantity=101.0), 100.0))
        assert broker.state("main").cash == -100.0


def test_ledger_cash_stays_above_zero_with_fees() -> None:
    fees = [{"kind": "per_notional", "rate_bps": 10}]
    with paper_broker(fees=fees) as broker:
        assert broker.execute(trade("a", quantity=100.0), 100.0).code == "INSUFFICIENT_CASH"
        outcome = done(broker.execute(trade("b", quantity=99.9), 100.0))
        assert outcome.fees == 9.99
        state = broker.state("main")
        assert (state.cash, state.fees) == (0.01, 9.99)


def test_reconcile_counts_fills_since_the_last_reset(broker: PaperBroker) -> None:
    done(broker.execute(trade("a"), 100.0))
    done(broker.execute(trade("b"), 101.0))
    report = broker.reconcile("main")
    assert (report.read, report.applied, report.skipped, report.matches, report.differences) == (2, 2, 0, True, ())
    assert report.state == broker.state("main")
    broker.reset("main")
    done(broker.execute(trade("c"), 100.0))
    again = broker.reconcile("main")
    assert (again.read, again.applied, again.matches) == (1, 1, True)
    assert again.from_seq > report.to_seq


def test_reset_is_journaled_and_begins_anew(broker: PaperBroker) -> None:
    first = done(broker.execute(trade("a"), 100.0))
    state = broker.reset("main", by="ada")
    assert (state.cash, state.realized_pnl, state.positions) == (10_000.0, 0.0, {})
    last = broker.events("main")[-1]
    assert (last.event_type, last.payload) == ("PAPER_RESET", {"starting_equity": 10_000.0, "by": "ada"})
    # What was executed stays executed, and ids go on where they were.
    assert broker.execute(trade("a"), 100.0).code == "ALREADY_EXECUTED"
    assert done(broker.execute(trade("b"), 100.0)).order_id != first.order_id
    assert broker.reset("main", starting_equity="250.5").cash == 250.5
    assert broker.state("main").starting_equity == 250.5


def test_reset_leaves_the_simulated_market_without_our_positions(broker: PaperBroker) -> None:
    done(broker.execute(trade("a"), 100.0))
    broker.reset("main")
    assert broker.session.reconcile() == {}
    assert broker.state("main").halted == ""


def test_workspaces_are_apart_in_one_engine_and_one_journal(broker: PaperBroker) -> None:
    for name, price in (("one", 100.0), ("two", 250.0)):
        done(broker.execute(trade("a", workspace_id=name), price))
    assert [broker.state(name).cash for name in ("main", "one", "two")] == [10_000.0, 9_900.0, 9_750.0]
    broker.reset("one")
    assert broker.state("two").cash == 9_750.0
    assert sorted(broker.session.journal.heads()) == ["main", "one", "two"]


def test_workspace_that_never_was_is_unknown(broker: PaperBroker) -> None:
    for ask in (broker.state, broker.positions, broker.reconcile, broker.reset, broker.events):
        with pytest.raises(InputError, match="no workspace") as raised:
            ask("nowhere")
        assert raised.value.code == "UNKNOWN_WORKSPACE"


def test_exit_plan_of_the_intent_guards_the_position(broker: PaperBroker) -> None:
    done(broker.execute(trade("a", stop_loss=95.0, take_profit=110.0), 100.0))
    done(broker.execute(trade("b", symbol="ETHUSDT"), 10.0))
    # A price that comes with any intent in the symbol is a price of the market: the stop goes first.
    outcome = broker.execute(trade("c", "CLOSE_LONG"), 94.5)
    assert outcome.code == "NO_POSITION"
    state = broker.state("main")
    assert state.realized_pnl == -5.5
    assert list(state.positions) == ["ETHUSDT"]
    fill = next(event for event in broker.events("main") if event.payload.get("exit_reason"))
    assert (fill.event_type, fill.payload["exit_reason"], fill.payload["fill_price"]) == ("ORDER_FILLED", "stop", 94.5)
    assert (fill.correlation_id, fill.intent_id) == ("story-a", "")


def test_second_broker_on_a_session_shares_engine_and_ledger() -> None:
    with paper_broker() as broker:
        done(broker.execute(trade("a"), 100.0))
        second = PaperBroker(broker.session)
        assert second.execute(trade("a"), 100.0).code == "ALREADY_EXECUTED"
        assert second.state("main") == broker.state("main")
        assert event_types(done(second.execute(trade("b"), 100.0)))[-1] == "POSITION_SCALED"


def test_broker_on_a_workspace_of_another_profile_refuses_it() -> None:
    with paper_broker("paper_full", journal=MemoryJournal()) as broker:
        settings = broker.session.settings
    v3 = settings.model_copy(update={"execution": settings.execution.model_copy(update={"engine": "v3"})})
    with Session.open(v3, clock=VirtualClock(NOON_NS), journal=MemoryJournal()) as session:
        with pytest.raises(ConfigError, match="paper_long_only"):
            PaperBroker(session)
        outcome = PaperBroker(session, profile="paper_full").execute(trade("a"), 100.0)
        assert (outcome.http_status, outcome.code) == (400, "UNSUPPORTED_WORKSPACE")


def test_broker_reset_is_the_engines_own_event(broker: PaperBroker) -> None:
    done(broker.execute(trade("a"), 100.0))
    broker.session.feed(ResetWorkspace(NOON_NS, 77 * 10**12, "somebody else"))
    assert broker.state("main").cash == 77.0
    assert broker.reconcile("main").matches


def test_outcome_and_state_are_json(broker: PaperBroker) -> None:
    outcome = done(broker.execute(trade("a"), 100.0))
    assert msgspec.json.decode(msgspec.json.encode(outcome))["order_id"] == outcome.order_id
    state = msgspec.json.decode(msgspec.json.encode(broker.state("main")))
    assert state["positions"]["BTCUSDT"]["avg_price"] == 100.0


def test_broker_that_is_closed_answers_503() -> None:
    broker = paper_broker()
    broker.execute(trade("a"), 100.0)
    broker.close()
    broker.close()
    outcome = broker.execute(trade("b"), 100.0)
    assert (outcome.http_status, outcome.code, outcome.status) == (503, "STOPPED", "REJECTED")


def test_blocking_call_on_the_engines_loop_is_refused(broker: PaperBroker) -> None:
    async def from_the_loop() -> None:
        broker.state("main")

    with pytest.raises(LocalError, match="would wait for itself"):
        broker.session.engine.run(from_the_loop())
