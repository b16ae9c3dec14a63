"""Policy never enlarges; what it approves passes the re-check of the same moment; a re-check changes no quantity."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from tests.domain.core import MONEY_PER_NOTIONAL, Core, instrument, profile

from surefill.domain.events import IntentAccepted, IntentRefused, OrderCreated
from surefill.domain.gates import Question
from surefill.domain.inputs import DefineInstrument, SetProfile, SubmitIntent
from surefill.domain.instrument import Terms
from surefill.domain.intent import Action, ExitPlan
from surefill.domain.limits import Limits
from surefill.domain.profile import BASIC_GATES
from surefill.domain.sizing import SizingCaps
from surefill.intake.intents import PolicyEngine, PolicyRule, Shrink, Warn
from surefill.intake.intents.policy import Finding
from surefill.units import PPB

GATES = (*BASIC_GATES, "regime", "drawdown", "size_caps", "position")
SHARES = st.one_of(st.just(0), st.integers(1, 2 * PPB))
CAPS = st.builds(SizingCaps, SHARES, SHARES, st.just(0), SHARES, st.booleans())
QUANTITIES = st.integers(1, 40).map(lambda lots: lots * 10)
DRIFTS = st.integers(-4 * PPB, 4 * PPB)
FIGURES: st.SearchStrategy[dict[str, int]] = st.one_of(st.just({}), DRIFTS.map(lambda z: {"regime_z": z}))


@st.composite
def own_rules(draw: st.DrawFn) -> list[PolicyRule]:
    """Up to three rules that answer anything."""

    def rule(number: int) -> PolicyRule:
        answer: Finding = draw(
            st.one_of(
                st.none(),
                st.builds(Warn, st.text(max_size=5)),
                st.builds(Shrink, st.integers(-10, 500), st.text(max_size=5)),
            )
        )

        def check(question: Question) -> Finding:
            question.qty += 1_000  # whatever it does, nothing comes of it
            return answer

        return PolicyRule(f"r{number}", draw(st.integers(0, 100)), check)

    return [rule(number) for number in range(draw(st.integers(0, 3)))]


@given(
    caps=CAPS,
    held=st.integers(0, 10),
    px=st.integers(100, 400).map(lambda ticks: ticks * 5),
    qty=QUANTITIES,
    side=st.sampled_from([1, -1]),
    figures=FIGURES,
    rules=own_rules(),
    min_qty=st.sampled_from([0, 30]),
    stopped=st.booleans(),
)
def test_policy_never_enlarges_and_a_recheck_never_changes(
    caps: SizingCaps,
    held: int,
    px: int,
    qty: int,
    side: int,
    figures: dict[str, int],
    rules: list[PolicyRule],
    min_qty: int,
    stopped: bool,
) -> None:
    limits = Limits(regime_optional=True, allow_negative_cash=True)
    core = Core(profile(*GATES, limits=limits), cash=200_000 * MONEY_PER_NOTIONAL)
    if held:
        core.hold(1, held * 10)
    core.feed(SetProfile(core.now_ns, profile(*GATES, limits=limits, sizing_caps=caps), "config"))
    core.feed(DefineInstrument(core.now_ns, instrument("X", Terms(0, 5, 10, min_qty))))
    core.quote(px)
    engine = PolicyEngine(rules)
    plan = ExitPlan(stop_px=px - 5 * side) if stopped else None
    intent = core.intent(Action.TRADE, side, qty, figures=figures, plan=plan)

    question = Question(core.state, intent, core.now_ns)
    is_exit = question.is_exit
    decision = engine.evaluate(question)
    assert 0 < question.qty <= qty
    assert decision.quantity == (question.qty if decision.approved else 0)
    assert (decision.modified_quantity is not None) == (decision.approved and question.qty < qty)
    assert question.qty % 10 == 0
    if is_exit:
        assert question.qty == qty
        assert set(decision.evaluated) == {"order_terms"}

    own = {rule.name for rule in rules}
    core.feed(SubmitIntent(core.tick(), intent, policy=engine.recheck))
    accepted = core.all(IntentAccepted)
    if accepted:
        assert core.only(OrderCreated).request.order_qty == qty
        assert decision.approved
        assert decision.modified_quantity is None
    elif decision.approved:
        refused = core.only(IntentRefused)
        assert decision.modified_quantity is not None
        assert refused.rule == "sizing" or refused.rule in own
