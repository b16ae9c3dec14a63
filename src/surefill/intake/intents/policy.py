"""The policy engine: rules asked in order of priority, the first no ends it, and a rule that fails is a no.

Of the contract's rules only the kill switch is here (halted workspace, halted symbol, paused strategy). It is asked
inside the engine's own step when an intent is executed, so nothing can happen in between; `PolicyEngine` asks the
same function beforehand. NOT THERE YET, and so not enforced: the regime drift guard (priority 10), the drawdown limit
(20), policy sizing (50). `NOT_BUILT` says so to programs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

import msgspec

from surefill.domain.gates import Question, first_refusal, flow
from surefill.domain.refusals import Refusal

Check = Callable[[Question], Refusal | None]

KILL_SWITCH: Final = "kill_switch"
#: Rules of the contract that nothing asks yet, with the priority they will have.
NOT_BUILT: Final = {"regime_drift_guard": 10, "max_drawdown": 20, "sizing": 50}


class PolicyRule(msgspec.Struct, frozen=True):
    """One rule; a lower `priority` is asked earlier."""

    name: str
    priority: int
    check: Check


class PolicyDecision(msgspec.Struct, frozen=True):
    """What policy says. `rule` is the one that said no, `evaluated` those asked, in order.

    `not_evaluated` names the contract's rules that do not exist yet: an approval says nothing about them.
    """

    approved: bool
    code: str = ""
    reason: str = ""
    rule: str = ""
    evaluated: tuple[str, ...] = ()
    not_evaluated: tuple[str, ...] = tuple(NOT_BUILT)


RULES: Final = (PolicyRule(KILL_SWITCH, 0, flow.halted),)
ORDER_TERMS: Final = "order_terms"


class PolicyEngine:
    """Asks rules about one intent, resolved against the state of its moment. Pure: it changes and keeps nothing."""

    def __init__(self, rules: Iterable[PolicyRule] = RULES) -> None:
        self.rules = tuple(sorted(rules, key=lambda rule: rule.priority))

    def evaluate(self, question: Question) -> PolicyDecision:
        """The first no, or approval by all."""
        asked: list[str] = []
        for rule in self.rules:
            asked.append(rule.name)
            try:
                refusal = rule.check(question)
            except Exception as error:  # fail closed: a rule that cannot answer has not said yes
                reason = f"rule {rule.name} failed: {type(error).__name__}: {error}"
                return PolicyDecision(False, "POLICY_ERROR", reason, rule.name, tuple(asked))
            if refusal is not None:
                return PolicyDecision(False, refusal.code.name, refusal.reason, rule.name, tuple(asked))
        return PolicyDecision(True, evaluated=tuple(asked))


def order_terms(question: Question) -> Refusal | None:
    """The profile's gates: what the engine would refuse at execution as things stand."""
    return first_refusal(question, question.profile.gates)
