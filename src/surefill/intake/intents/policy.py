"""The policy engine: rules asked in order of priority, the first no ends it, and a rule that fails is a no.

====  ==================  ==========  ===============================================================================
prio  rule                its gate    says no
====  ==================  ==========  ===============================================================================
0     kill_switch         halted      the engine, venue, workspace or symbol is halted, the strategy is paused
10    regime_drift_guard  regime      `regime_distance_z` is 3 or further out (warns from 2); also where it is required
                                      and did not come
20    max_drawdown        drawdown    the equity fell by more than 5 % from its highest, and until a person re-arms it
50    sizing              size_caps   more than the caps leave
====  ==================  ==========  ===============================================================================

The rules are gates of the workspace's profile: the engine asks them with every intent, from whichever door it comes.
A rule whose gate the profile does not name is not asked here either. Rules of one's own stand beside them.

Policy speaks twice. Before approval (`evaluate`) the sizing rule may make the quantity smaller. At execution
(`recheck`, inside the engine's own step, so that nothing happens in between) a quantity is as it is: too much is a no.
What only reduces a position is never held up, by no rule.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

import msgspec

from surefill.domain.gates import GATES, Question, refusal_of
from surefill.domain.gates.sizes import cap_text, room, too_large
from surefill.domain.policy import Ruling
from surefill.domain.refusals import Refusal, RefusalCode
from surefill.errors import ConfigError
from surefill.rules.sizing import order_lots
from surefill.strategy.intents import TradeIntent
from surefill.units import quanta_float, quanta_text

KILL_SWITCH: Final = "kill_switch"
REGIME_DRIFT_GUARD: Final = "regime_drift_guard"
MAX_DRAWDOWN: Final = "max_drawdown"
SIZING: Final = "sizing"
ORDER_TERMS: Final = "order_terms"
_TEXT_MAX: Final = 1_000
_CODES: Final = frozenset(RefusalCode)


class Warn(msgspec.Struct, frozen=True):
    """A rule lets the intent pass, and says something against it."""

    text: str


class Shrink(msgspec.Struct, frozen=True):
    """A rule lets no more than `qty` pass, in quanta. Never more than was asked for: a larger one changes nothing."""

    qty: int
    reason: str


Finding = Refusal | Warn | Shrink | None
Check = Callable[[Question], Finding]


class PolicyRule(msgspec.Struct, frozen=True):
    """One rule; a lower `priority` is asked earlier, and of two the one that was named first.

    `check` gets the intent with its moment and answers None (let it pass), `Warn`, `Shrink`, or a `Refusal`, whose code
    for a rule of one's own is `RefusalCode.POLICY_RULE`. It runs inside the engine's step: it must be quick, and leave
    everything as it is. An exception in it is a no. It is asked about entries alone.
    `gate`: the core's own gate that the rule stands for; "" for a rule of one's own.
    """

    name: str
    priority: int
    check: Check
    gate: str = ""


class PolicyDecision(msgspec.Struct, frozen=True):
    """What policy says of one intent. Quantities in units.

    `code` and `reason` of a refusal, and the `rule` that said it. `evaluated`: the rules that were asked, in order;
    `not_evaluated`: those of the contract that this workspace does not ask. `warnings` begin with their rule's name.
    `quantity`: what is approved, 0 if nothing is. `modified_quantity`: the same where it is less than was asked for,
    and `modification` why. `intent`: what to execute now, with that quantity.
    """

    approved: bool
    code: str = ""
    reason: str = ""
    rule: str = ""
    evaluated: tuple[str, ...] = ()
    not_evaluated: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    quantity: float = 0.0
    modified_quantity: float | None = None
    modification: str = ""
    intent: TradeIntent | None = None

    def ruling(self, qty: int) -> Ruling:
        """The same for the core; `qty`: what is approved, in quanta."""
        if self.approved:
            return Ruling(warnings=self.warnings, qty=qty, resized=self.modification)
        return Ruling(Refusal(RefusalCode[self.code], self.reason), self.rule, self.warnings, 0, self.modification)

    def about(self, intent: TradeIntent) -> PolicyDecision:
        """With the intent as it may be executed; without one where it may not."""
        if not self.approved:
            return self
        if self.modified_quantity is not None:
            intent = msgspec.structs.replace(intent, quantity=self.modified_quantity)
        return msgspec.structs.replace(self, intent=intent)


def _regime(q: Question) -> Finding:
    """Refuse a regime that has drifted too far, and warn of one that is on its way."""
    refusal = GATES["regime"](q)
    distance, warn_from = q.intent.figures.get("regime_z"), q.profile.limits.regime_z_warn_ppb
    if refusal is not None or distance is None or abs(distance) < warn_from:
        return refusal
    return Warn(
        f"the regime is {quanta_text(abs(distance), 9)} standard deviations away, refused from"
        f" {quanta_text(q.profile.limits.regime_z_max_ppb, 9)}"
    )


def _sizing(q: Question) -> Finding:
    """No more than the caps leave."""
    ceiling = room(q)
    if ceiling is None or isinstance(ceiling, Refusal):
        return ceiling
    return Shrink(ceiling.qty, cap_text(q, ceiling))


RULES: Final = (
    PolicyRule(KILL_SWITCH, 0, GATES["halted"], "halted"),
    PolicyRule(REGIME_DRIFT_GUARD, 10, _regime, "regime"),
    PolicyRule(MAX_DRAWDOWN, 20, GATES["drawdown"], "drawdown"),
    PolicyRule(SIZING, 50, _sizing, "size_caps"),
)


class PolicyEngine:
    """Asks rules about one intent, resolved against the state of its moment. It keeps nothing between two of them.

    The contract's rules are always among them; `rules` come beside. Raises ConfigError for a name that is taken.
    """

    def __init__(self, rules: Iterable[PolicyRule] = ()) -> None:
        found = (*RULES, *rules)
        names = [rule.name for rule in found]
        for name in names:
            if names.count(name) > 1 or not name or name == ORDER_TERMS:
                raise ConfigError(f"a rule of policy cannot be called {name!r}: give it a name of its own", name=name)
        self.rules = tuple(sorted(found, key=lambda rule: rule.priority))

    def evaluate(self, question: Question) -> PolicyDecision:
        """Before approval: all rules, then the profile's gates. A quantity may become smaller, never larger."""
        decimals = question.instrument.qty_decimals
        asked = _Asked(question, may_shrink=True)
        refusal = asked.all(self.rules)
        if refusal is None:
            asked.evaluated.append(ORDER_TERMS)
            refusal = refusal_of(question)
        missing = tuple(rule.name for rule in RULES if rule.gate not in question.profile.gates)
        warnings = tuple(asked.warnings)
        if refusal is not None:
            code, rule = refusal.code.name, asked.evaluated[-1]
            return PolicyDecision(
                False, code, refusal.reason, rule, tuple(asked.evaluated), missing, warnings, modification=asked.resized
            )
        quantity = quanta_float(question.qty, decimals)
        return PolicyDecision(
            True,
            evaluated=tuple(asked.evaluated),
            not_evaluated=missing,
            warnings=warnings,
            quantity=quantity,
            modified_quantity=quantity if asked.resized else None,
            modification=asked.resized,
        )

    def recheck(self, question: Question) -> Ruling:
        """At execution: the rules again, and what one would make smaller is refused. The core asks the gates itself."""
        asked = _Asked(question, may_shrink=False)
        refusal = asked.all(self.rules)
        return Ruling(refusal, "" if refusal is None else asked.evaluated[-1], tuple(asked.warnings))


class _Asked:
    """One intent on its way through the rules."""

    def __init__(self, question: Question, *, may_shrink: bool) -> None:
        self.question = question
        self.may_shrink = may_shrink
        self.evaluated: list[str] = []
        self.warnings: list[str] = []
        self.resized = ""

    def all(self, rules: Iterable[PolicyRule]) -> Refusal | None:
        """The first no of a rule, or None."""
        if self.question.is_exit:
            return None
        for rule in rules:
            if rule.gate and rule.gate not in self.question.profile.gates:
                continue
            self.evaluated.append(rule.name)
            refusal = self._one(rule)
            if refusal is not None:
                return refusal
        return None

    def _one(self, rule: PolicyRule) -> Refusal | None:
        qty = self.question.qty
        try:
            finding = rule.check(self.question)
        except Exception as error:  # fail closed: a rule that cannot answer has not said yes
            return _failed(rule, f"failed: {type(error).__name__}: {error}")
        finally:
            self.question.qty = qty
        if finding is None:
            return None
        if isinstance(finding, Refusal) and finding.code in _CODES:
            return Refusal(RefusalCode(finding.code), _told(finding.reason))
        if isinstance(finding, Warn):
            self.warnings.append(_told(f"{rule.name}: {finding.text}"))
            return None
        if isinstance(finding, Shrink) and type(finding.qty) is int:
            return self._shrink(rule, finding) if finding.qty < qty else None
        return _failed(rule, f"answered {finding!r}: None, Warn, Shrink (whole quanta) or Refusal is wanted")

    def _shrink(self, rule: PolicyRule, wanted: Shrink) -> Refusal | None:
        q, reason = self.question, _told(wanted.reason)
        if not self.may_shrink:
            return too_large(q, reason)
        lots_qty = order_lots(wanted.qty, q.terms.lot, q.terms.min_qty)
        if not lots_qty:
            return Refusal(RefusalCode.SIZE_ZERO_LOTS, f"{reason}; that is less than the smallest order")
        said = f"{rule.name}: {q.qty_text(lots_qty)} instead of {q.qty_text(q.qty)}, {reason}"
        self.resized = f"{self.resized}; {said}" if self.resized else said
        q.qty = lots_qty
        return None


def _failed(rule: PolicyRule, what: str) -> Refusal:
    return Refusal(RefusalCode.POLICY_ERROR, _told(f"rule {rule.name} {what}"))


def _told(text: object) -> str:
    """What a rule says, as the journal can hold it: whatever it is, however long."""
    return str(text)[:_TEXT_MAX].encode("utf-8", "replace").decode()
