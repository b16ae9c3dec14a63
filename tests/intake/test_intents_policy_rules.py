"""Rules of one's own beside the contract's: priorities, warnings, smaller quantities, and rules that fail."""

from __future__ import annotations

from typing import Any

import pytest
from tests.intake.intents_driving import NOON_NS, done, trade

from surefill.config import Settings
from surefill.domain.gates import Question
from surefill.domain.refusals import Refusal, RefusalCode
from surefill.engine.clock import VirtualClock
from surefill.errors import ConfigError
from surefill.intake.intents import PaperBroker, PolicyEngine, PolicyRule, Shrink, Warn
from surefill.intake.intents.policy import Check, Finding
from surefill.journal import MemoryJournal

NO = Refusal(RefusalCode.POLICY_RULE, "not on a Friday")


def _broker(*rules: PolicyRule, **sections: Any) -> PaperBroker:
    return PaperBroker.open(
        Settings.model_validate(sections),
        profile="paper_long_only",
        clock=VirtualClock(NOON_NS),
        journal=MemoryJournal(),
        rules=rules,
    )


def _rule(name: str, priority: int, finding: Finding, asked: list[str]) -> PolicyRule:
    def check(_question: Question) -> Finding:
        asked.append(name)
        return finding

    return PolicyRule(name, priority, check)


def test_own_rules_are_asked_by_priority_between_the_contracts_and_the_first_no_ends_it() -> None:
    asked: list[str] = []
    rules = [_rule("last", 60, NO, asked), _rule("second", 15, NO, asked), _rule("first", 5, None, asked)]
    with _broker(*rules) as broker:
        outcome = broker.execute(trade("a"), 100.0)
        assert asked == ["first", "second"]
        assert (outcome.http_status, outcome.code, outcome.detail) == (200, "POLICY_REJECTED", "POLICY_RULE")
        assert outcome.reason == "not on a Friday"
        assert outcome.events[1].payload["rule"] == "second"
        decision = broker.evaluate(trade("a"), 100.0)
        assert decision.evaluated == ("kill_switch", "first", "regime_drift_guard", "second")
        assert (decision.approved, decision.rule, decision.code) == (False, "second", "POLICY_RULE")


def test_own_rule_is_not_asked_where_an_earlier_one_of_the_contract_says_no() -> None:
    asked: list[str] = []
    with _broker(_rule("mine", 11, NO, asked)) as broker:
        outcome = broker.execute(trade("a", metadata={"regime_distance_z": 3}), 100.0)
        assert outcome.detail == "REGIME_DRIFT"
        assert asked == []


def test_own_rule_is_never_asked_about_an_exit() -> None:
    asked: list[str] = []
    with _broker(_rule("mine", 0, None, asked)) as broker:
        done(broker.execute(trade("a"), 100.0))
        assert asked == ["mine"]
    broken = PolicyRule("broken", 0, lambda question: 1 // 0 if question.position_qty else None)  # type: ignore[arg-type, return-value]
    with _broker(broken) as broker:
        done(broker.execute(trade("a"), 100.0))
        assert broker.execute(trade("b"), 100.0).detail == "POLICY_ERROR"
        done(broker.execute(trade("c", "CLOSE_LONG"), 100.0))


def _raises(_question: Question) -> Finding:
    raise ZeroDivisionError("no equity \ud800" + "." * 5_000)


WRONG: list[Any] = [
    _raises,
    lambda _question: True,
    lambda _question: "no",
    lambda _question: Shrink("5", "text"),  # type: ignore[arg-type]
    lambda _question: Shrink(0.5, "half"),  # type: ignore[arg-type]
    lambda _question: Refusal(999, "a code that is none"),  # type: ignore[arg-type]
    lambda _question, _more: None,
]


@pytest.mark.parametrize("check", WRONG)
def test_own_rule_that_fails_or_answers_nonsense_rejects_and_halts_nothing(check: Check) -> None:
    with _broker(PolicyRule("mine", 20, check)) as broker:
        outcome = broker.execute(trade("a"), 100.0)
        assert (outcome.http_status, outcome.code, outcome.detail) == (200, "POLICY_REJECTED", "POLICY_ERROR")
        assert outcome.reason.startswith("rule mine ")
        assert len(outcome.reason) <= 1_000
        assert broker.events("main")[-1].payload == {"code": "POLICY_ERROR", "reason": outcome.reason, "rule": "mine"}
        assert broker.state("main").halted == ""
        for dry_run in (True, False):
            decision = broker.evaluate(trade("a"), 100.0, dry_run=dry_run)
            assert (decision.approved, decision.code, decision.rule) == (False, "POLICY_ERROR", "mine")


def test_own_rule_warns_and_the_warning_is_journaled_with_approval_and_refusal() -> None:
    with _broker(PolicyRule("mine", 5, lambda _question: Warn("thin market"))) as broker:
        outcome = done(broker.execute(trade("a"), 100.0))
        assert outcome.events[1].payload == {"stage": "execution", "approved": True, "warnings": ["mine: thin market"]}
        refused = broker.execute(trade("b", metadata={"regime_distance_z": 3}), 100.0)
        assert refused.events[1].payload["warnings"] == ["mine: thin market"]
        assert broker.evaluate(trade("b"), 100.0).warnings == ("mine: thin market",)


def test_own_rule_shrinks_before_approval_and_refuses_at_execution() -> None:
    half = PolicyRule(
        "half", 60, lambda question: Shrink(question.qty // 2, "half of it") if question.qty > 1 else None
    )
    with _broker(half, policy={"max_position_pct": 10}) as broker:
        decision = broker.evaluate(trade("a", quantity=40.0), 100.0)
        assert decision.modified_quantity == 5.0  # 10 by the cap, then half
        assert decision.modification.count("instead of") == 2
        outcome = broker.execute(trade("a", quantity=8.0), 100.0)
        assert (outcome.detail, outcome.events[1].payload["rule"]) == ("SIZE_ABOVE_CAP", "half")
        assert broker.positions("main") == {}


@pytest.mark.parametrize("qty", [10**8, 10**8 + 1, 10**15])
def test_own_rule_never_enlarges(qty: int) -> None:
    with _broker(PolicyRule("mine", 60, lambda _question: Shrink(qty, "more"))) as broker:
        decision = broker.evaluate(trade("a"), 100.0)
        assert (decision.quantity, decision.modified_quantity) == (1.0, None)
        assert done(broker.execute(trade("a"), 100.0)).filled_quantity == 1.0


@pytest.mark.parametrize("qty", [0, -5])
def test_own_rule_that_leaves_nothing_is_a_refusal(qty: int) -> None:
    with _broker(PolicyRule("mine", 60, lambda _question: Shrink(qty, "nothing today"))) as broker:
        decision = broker.evaluate(trade("a"), 100.0)
        assert (decision.approved, decision.code, decision.rule) == (False, "SIZE_ZERO_LOTS", "mine")


def test_own_rule_that_meddles_with_the_question_changes_no_order() -> None:
    def meddle(question: Question) -> Finding:
        question.qty, question.side = question.qty * 3, -question.side
        return None

    with _broker(PolicyRule("mine", 60, meddle)) as broker:
        outcome = done(broker.execute(trade("a"), 100.0))
        assert (outcome.side, outcome.filled_quantity) == ("BUY", 1.0)


@pytest.mark.parametrize("name", ["kill_switch", "max_drawdown", "order_terms", ""])
def test_rule_cannot_take_the_name_of_another(name: str) -> None:
    with pytest.raises(ConfigError, match="name of its own"):
        PolicyEngine([PolicyRule(name, 1, lambda _question: None)])
    with pytest.raises(ConfigError):
        _broker(PolicyRule("x", 1, lambda _question: None), PolicyRule("x", 2, lambda _question: None))
