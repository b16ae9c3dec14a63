"""Policy before approval: what it says, what it makes smaller, and what a dry run leaves untouched."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.intake.intents_driving import done, paper_broker, trade

from surefill.errors import InputError, JournalError
from surefill.intake.intents import PaperBroker, TradeEvent
from surefill.journal import MemoryJournal
from surefill.testing.faulty_journal import FaultyJournal, JournalFault

ALL = ("kill_switch", "regime_drift_guard", "max_drawdown", "sizing", "order_terms")


@pytest.fixture
def broker() -> Iterator[PaperBroker]:
    with paper_broker() as made:
        yield made


def test_dry_run_says_what_execution_would_and_changes_nothing(broker: PaperBroker) -> None:
    done(broker.execute(trade("a", stop_loss=95.0), 100.0))
    before = broker.session.read(lambda state: (state.digest(), dict(state.quotes)))
    far: dict[str, object] = {"regime_distance_z": 3}
    cases = [
        (trade("b"), 100.0, "", ALL),
        (trade("b", symbol="NEWONE"), 100.0, "", ALL),
        (trade("b", quantity=1_000.0), 100.0, "INSUFFICIENT_CASH", ALL),
        (trade("b", metadata=far), 100.0, "REGIME_DRIFT", ALL[:2]),
        (trade("b", "CLOSE_LONG"), 100.0, "", ("order_terms",)),
        (trade("b", "CLOSE_LONG", 0.5), 100.0, "PARTIAL_CLOSE_NOT_SUPPORTED", ("order_terms",)),
        (trade("b", "CLOSE_LONG", symbol="NEWONE"), 100.0, "NO_POSITION", ("order_terms",)),
        (trade("b"), 50.0, "", ALL),
    ]
    for intent, price, code, evaluated in cases:
        decision = broker.evaluate(intent, price)
        assert (decision.approved, decision.code, decision.evaluated) == (not code, code, evaluated), intent
        assert decision.rule == ("" if not code else evaluated[-1])
        assert decision.intent == (None if code else intent)
        assert (decision.quantity, decision.modified_quantity) == (0.0 if code else intent.quantity, None)
    assert broker.session.read(lambda state: (state.digest(), dict(state.quotes))) == before
    assert "BTCUSDT" in broker.positions("main")  # 50 is below the stop, and was only thought of
    broker.halt("main", "stop")
    decision = broker.evaluate(trade("b"), 100.0)
    assert (decision.approved, decision.code, decision.rule) == (False, "HALTED", "kill_switch")
    assert decision.evaluated == ("kill_switch",)


def test_dry_run_judges_the_drawdown_at_the_price_that_comes(broker: PaperBroker) -> None:
    done(broker.execute(trade("a", quantity=10.0), 100.0))
    for price, code in [(50.0, ""), (49.99, "DRAWDOWN"), (100.0, "")]:
        assert broker.evaluate(trade("b", quantity=0.1), price).code == code


def test_rules_that_the_workspace_does_not_ask_are_named(broker: PaperBroker) -> None:
    assert broker.evaluate(trade("a"), 100.0).not_evaluated == ()
    with paper_broker(policy={"limit_drawdown": False}) as unlimited:
        decision = unlimited.evaluate(trade("a"), 100.0)
        assert (decision.approved, decision.not_evaluated) == (True, ("max_drawdown",))
        assert decision.evaluated == ("kill_switch", "regime_drift_guard", "sizing", "order_terms")


def test_quantity_is_made_smaller_before_approval_and_can_then_be_executed() -> None:
    with paper_broker(policy={"max_position_pct": 10}) as broker:
        asked = trade("a", quantity=25.0, metadata={"regime_distance_z": 2.5})
        decision = broker.evaluate(asked, 90.0)
        assert decision.approved
        assert decision.quantity == decision.modified_quantity == 11.11111111  # 1000 / 90, rounded down to the lot
        assert "11.11111111 instead of 25" in decision.modification
        assert "1000 USD (10 % of the equity 10000 USD)" in decision.modification
        assert decision.warnings == ("regime_drift_guard: the regime is 2.5 standard deviations away, refused from 3",)
        assert broker.execute(asked, 90.0).detail == "SIZE_ABOVE_CAP"
        assert decision.intent is not None
        assert decision.intent.id == "a"
        assert done(broker.execute(decision.intent, 90.0)).filled_quantity == 11.11111111
        none_left = broker.evaluate(trade("b", quantity=0.5), 90.0)
        assert (none_left.approved, none_left.code, none_left.rule) == (False, "SIZE_ZERO_LOTS", "sizing")


@pytest.mark.parametrize(("quantity", "modified"), [(9.99, None), (10.0, None), (10.00000001, 10.0), (99.0, 10.0)])
def test_quantity_at_the_cap_stays_and_beyond_it_becomes_the_cap(quantity: float, modified: float | None) -> None:
    with paper_broker(policy={"max_position_pct": 10}) as broker:
        decision = broker.evaluate(trade("a", quantity=quantity), 100.0)
        assert decision.approved
        assert decision.modified_quantity == modified
        assert decision.quantity == min(quantity, 10.0)
        assert bool(decision.modification) is (modified is not None)


def test_quantity_with_no_whole_lot_left_is_refused() -> None:
    lots = {"instruments": {"default": {"lot": 1}}, "policy": {"max_position_pct": 10}}
    with paper_broker(**lots) as broker:  # type: ignore[arg-type]
        assert broker.evaluate(trade("a", quantity=25.0), 90.0).modified_quantity == 11.0
        decision = broker.evaluate(trade("a"), 1_000.01)
        assert (decision.approved, decision.code, decision.rule) == (False, "SIZE_ZERO_LOTS", "sizing")
        off_lot = broker.evaluate(trade("a", quantity=1.5), 100.0)  # within the cap: not for policy to round
        assert (off_lot.approved, off_lot.code, off_lot.rule) == (False, "OFF_LOT", "order_terms")


def test_evaluate_without_dry_run_journals_and_binds_nothing() -> None:
    with paper_broker(policy={"max_position_pct": 10}) as broker:
        asked = trade("a", quantity=25.0, metadata={"regime_distance_z": 2})
        decision = broker.evaluate(asked, 100.0, dry_run=False)
        assert decision == broker.evaluate(asked, 100.0)
        emitted, evaluated, approved = broker.events("main")
        assert _names([emitted, evaluated, approved]) == ["INTENT_EMITTED", "POLICY_EVALUATED", "INTENT_APPROVED"]
        assert {event.correlation_id for event in (emitted, evaluated, approved)} == {"story-a"}
        assert {event.intent_id for event in (emitted, evaluated, approved)} == {"a"}
        assert evaluated.payload == {
            "stage": "evaluation",
            "approved": True,
            "warnings": list(decision.warnings),
            "modified_quantity": 10.0,
            "modification": decision.modification,
        }
        assert (approved.payload["quantity"], approved.payload["modified_quantity"]) == (10.0, 10.0)
        assert broker.positions("main") == {}
        # Between approval and execution things change: execution asks again.
        broker.halt("main", "news")
        assert decision.intent is not None
        assert broker.execute(decision.intent, 100.0).detail == "HALTED"
        broker.resume("main")
        outcome = done(broker.execute(decision.intent, 100.0))
        assert outcome.filled_quantity == 10.0
        assert outcome.events[1].payload["stage"] == "execution"


def test_evaluate_without_dry_run_journals_a_refusal_with_its_rule(broker: PaperBroker) -> None:
    far: dict[str, object] = {"regime_distance_z": 4}
    decision = broker.evaluate(trade("a", metadata=far), 100.0, dry_run=False)
    assert (decision.code, decision.rule) == ("REGIME_DRIFT", "regime_drift_guard")
    story = broker.events("main")
    assert _names(story) == ["INTENT_EMITTED", "POLICY_EVALUATED", "POLICY_REJECTED"]
    assert story[1].payload == {"stage": "evaluation", "approved": False, "rule": "regime_drift_guard"}
    poor = broker.evaluate(trade("b", quantity=101.0), 100.0, dry_run=False)
    assert (poor.code, poor.rule) == ("INSUFFICIENT_CASH", "order_terms")
    story = broker.events("main")[3:]
    assert _names(story) == ["INTENT_EMITTED", "POLICY_EVALUATED", "ORDER_REJECTED"]
    assert story[1].payload == {"stage": "evaluation", "approved": True}
    done(broker.execute(trade("a"), 100.0))  # neither has claimed its id
    done(broker.execute(trade("b"), 100.0))


def test_evaluate_without_dry_run_sets_off_no_exit_and_outlives_a_restart() -> None:
    journal = MemoryJournal()
    with paper_broker(journal=journal) as broker:
        done(broker.execute(trade("a", stop_loss=95.0), 100.0))
        assert broker.evaluate(trade("b"), 90.0, dry_run=False).approved
        assert "BTCUSDT" in broker.positions("main")
        story = broker.events("main")
    with paper_broker(journal=journal) as broker:
        assert broker.events("main") == story


def test_evaluate_without_dry_run_opens_a_workspace_and_a_dry_run_does_not(broker: PaperBroker) -> None:
    with pytest.raises(InputError) as raised:
        broker.evaluate(trade("a", workspace_id="new"), 100.0)
    assert raised.value.code == "UNKNOWN_WORKSPACE"
    assert broker.evaluate(trade("a", workspace_id="new"), 100.0, dry_run=False).approved
    assert broker.evaluate(trade("a", workspace_id="new"), 100.0).approved


def test_evaluate_while_the_journal_is_down_raises_and_approves_nothing() -> None:
    journal = FaultyJournal(MemoryJournal())
    with paper_broker(journal=journal) as broker:
        done(broker.execute(trade("a"), 100.0))
        journal.plan(JournalFault.REFUSED)
        with pytest.raises(JournalError):
            broker.evaluate(trade("b"), 100.0, dry_run=False)
        assert "b" not in {event.intent_id for event in broker.events("main")}


@pytest.mark.parametrize("dry_run", [True, False])
def test_evaluate_of_what_cannot_be_understood_raises(broker: PaperBroker, dry_run: bool) -> None:
    seq = broker.state("main").seq
    for intent, code in [
        (trade("a", "OPEN_SHORT"), "UNSUPPORTED_ACTION"),
        (trade("a", metadata={"regime_distance_z": "far"}), "INVALID_FIGURE"),
        (trade("a", quantity=-1.0), "INVALID_QUANTITY"),
    ]:
        with pytest.raises(InputError) as raised:
            broker.evaluate(intent, 100.0, dry_run=dry_run)
        assert raised.value.code == code
    assert broker.state("main").seq == seq


def test_evaluate_of_text_that_no_journal_can_hold_is_refused_and_halts_nothing(broker: PaperBroker) -> None:
    with pytest.raises(InputError) as raised:
        broker.evaluate(trade("\ud800"), 100.0, dry_run=False)
    assert raised.value.code == "NOT_UNICODE"
    done(broker.execute(trade("a"), 100.0))


def test_cancel_has_no_policy() -> None:
    with paper_broker("paper_full") as broker:
        cancel = trade("a", "CANCEL_ORDER", metadata={"order_id": "x"})
        assert broker.evaluate(cancel).intent == cancel


def _names(events: list[TradeEvent]) -> list[str]:
    return [event.event_type for event in events]
