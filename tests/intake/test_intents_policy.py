"""The policy re-check: what is there (kill switch, pauses, fail closed) and that the rest is named as missing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.intake.intents_driving import NOON_NS, done, event_types, paper_broker, trade

from surefill.domain.gates import Question
from surefill.domain.inputs import Halt
from surefill.domain.refusals import Refusal, RefusalCode
from surefill.domain.state import State
from surefill.errors import InputError
from surefill.intake.intents import PaperBroker, PolicyEngine, PolicyRule
from surefill.strategy.translate import to_intent


@pytest.fixture
def broker() -> Iterator[PaperBroker]:
    with paper_broker() as made:
        yield made


def test_kill_switch_is_200_policy_rejected_journaled_and_lets_exits_through(broker: PaperBroker) -> None:
    done(broker.execute(trade("a"), 100.0))
    broker.halt("main", "fat finger", by="ada")
    outcome = broker.execute(trade("b"), 100.0)
    assert (outcome.http_status, outcome.success, outcome.code) == (200, False, "POLICY_REJECTED")
    assert (outcome.detail, outcome.status, outcome.order_id) == ("HALTED", "REJECTED", "")
    assert "fat finger" in outcome.reason
    assert event_types(outcome) == ["INTENT_EMITTED", "POLICY_EVALUATED", "POLICY_REJECTED"]
    assert outcome.events[1].payload == {"approved": False}
    assert broker.events("main")[-1] == outcome.events[-1]
    assert broker.state("main").halted == "KILL_SWITCH: fat finger"
    done(broker.execute(trade("c", "CLOSE_LONG"), 100.0))
    broker.resume("main", by="ada")
    done(broker.execute(trade("b"), 100.0))


def test_halted_symbol_is_policy_rejected_and_others_trade(broker: PaperBroker) -> None:
    broker.session.feed(Halt(NOON_NS, "NEWS", "split today", "ada", instrument_id="BTCUSDT"))
    outcome = broker.execute(trade("a"), 100.0)
    assert (outcome.code, outcome.detail) == ("POLICY_REJECTED", "SYMBOL_HALTED")
    done(broker.execute(trade("b", symbol="ETHUSDT"), 100.0))


def test_kill_switch_holds_in_its_own_workspace_only(broker: PaperBroker) -> None:
    done(broker.execute(trade("a", workspace_id="one"), 100.0))
    broker.halt("one", "stop")
    assert broker.execute(trade("b", workspace_id="one"), 100.0).code == "POLICY_REJECTED"
    done(broker.execute(trade("b", workspace_id="two"), 100.0))


def test_evaluate_says_what_execution_would_and_changes_nothing(broker: PaperBroker) -> None:
    done(broker.execute(trade("a", stop_loss=95.0), 100.0))
    seq = broker.state("main").seq
    cases = [
        (trade("b"), 100.0, True, ""),
        (trade("b", symbol="NEWONE"), 100.0, True, ""),
        (trade("b", quantity=1_000.0), 100.0, False, "INSUFFICIENT_CASH"),
        (trade("b", "CLOSE_LONG", 0.5), 100.0, False, "PARTIAL_CLOSE_NOT_SUPPORTED"),
        (trade("b", "CLOSE_LONG", symbol="NEWONE"), 100.0, False, "NO_POSITION"),
        (trade("b"), 50.0, True, ""),
    ]
    for intent, price, approved, code in cases:
        decision = broker.evaluate(intent, price)
        assert (decision.approved, decision.code) == (approved, code), intent
        assert decision.evaluated == ("kill_switch", "order_terms")
    assert broker.state("main").seq == seq
    assert "BTCUSDT" in broker.positions("main")
    broker.halt("main", "stop")
    decision = broker.evaluate(trade("b"), 100.0)
    assert (decision.approved, decision.code, decision.rule) == (False, "HALTED", "kill_switch")
    assert decision.evaluated == ("kill_switch",)


def test_evaluate_names_the_rules_that_do_not_exist_yet(broker: PaperBroker) -> None:
    decision = broker.evaluate(trade("a"), 100.0)
    assert decision.approved
    assert decision.not_evaluated == ("regime_drift_guard", "max_drawdown", "sizing")


def test_evaluate_of_what_cannot_be_understood_raises(broker: PaperBroker) -> None:
    with pytest.raises(InputError) as raised:
        broker.evaluate(trade("a", "OPEN_SHORT"), 100.0)
    assert raised.value.code == "UNSUPPORTED_ACTION"


def _question(broker: PaperBroker) -> Question:
    done(broker.execute(trade("a"), 100.0))
    instrument = broker.session.read(lambda state: state.book.instruments["BTCUSDT"])

    def ask(state: State) -> Question:
        return Question(state, to_intent(trade("q"), instrument), NOON_NS)

    return broker.session.read(ask)


def test_policy_rules_are_asked_by_priority_and_the_first_no_ends_it(broker: PaperBroker) -> None:
    asked: list[str] = []

    def rule(name: str, priority: int, refusal: Refusal | None) -> PolicyRule:
        def check(_question: Question) -> Refusal | None:
            asked.append(name)
            return refusal

        return PolicyRule(name, priority, check)

    no = Refusal(RefusalCode.HALTED, "no")
    engine = PolicyEngine([rule("last", 50, no), rule("second", 10, no), rule("first", 0, None)])
    decision = engine.evaluate(_question(broker))
    assert asked == ["first", "second"]
    assert (decision.approved, decision.rule, decision.evaluated) == (False, "second", ("first", "second"))


def test_policy_rule_that_fails_rejects(broker: PaperBroker) -> None:
    def broken(_question: Question) -> Refusal | None:
        raise ZeroDivisionError("no equity")

    decision = PolicyEngine([PolicyRule("drawdown", 20, broken)]).evaluate(_question(broker))
    assert (decision.approved, decision.code, decision.rule) == (False, "POLICY_ERROR", "drawdown")
    assert "ZeroDivisionError: no equity" in decision.reason
