"""What a door's policy can do to an intent inside the core's step, and the gates that are its rules."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from tests.domain.core import MONEY_PER_NOTIONAL, Core, instrument, profile

from surefill.domain.events import IntentAccepted, IntentEvaluated, IntentRefused, OrderCreated
from surefill.domain.gates import Question
from surefill.domain.inputs import EvaluateIntent, Halt, SubmitIntent
from surefill.domain.intent import Action, ExitPlan
from surefill.domain.limits import Limits
from surefill.domain.market import Quote
from surefill.domain.policy import Policy, Ruling
from surefill.domain.profile import BASIC_GATES
from surefill.domain.refusals import Refusal, RefusalCode
from surefill.domain.sizing import SizeMethod, SizingCaps, SizingSpec
from surefill.units import PCT_PPB, PPB

NO = Refusal(RefusalCode.POLICY_RULE, "not today")


def _submit(core: Core, policy: Policy, qty: int = 10, **fields: Any) -> None:
    core.feed(SubmitIntent(core.tick(), core.intent(Action.TRADE, 1, qty, **fields), policy=policy))


def test_policy_that_refuses_is_journaled_with_rule_and_warnings() -> None:
    core = Core()
    _submit(core, lambda _question: Ruling(NO, "mine", ("thin",)))
    refused = core.only(IntentRefused)
    assert (refused.code, refused.reason, refused.rule, refused.warnings) == (420, "not today", "mine", ("thin",))
    assert core.effects == []


def test_policy_that_passes_leaves_its_warnings_and_the_gates_still_speak() -> None:
    core = Core()
    _submit(core, lambda _question: Ruling(warnings=("thin",)))
    assert core.only(IntentAccepted).warnings == ("thin",)
    core.feed(Halt(core.tick(), "STOP", "x", "ada"))
    _submit(core, lambda _question: Ruling(warnings=("thin",)))
    refused = core.only(IntentRefused)
    assert (refused.code, refused.rule, refused.warnings) == (RefusalCode.HALTED, "", ("thin",))


def test_policy_sees_what_the_core_sized_and_changes_nothing_of_the_order() -> None:
    seen: list[int] = []

    def meddle(question: Question) -> Ruling:
        seen.append(question.qty)
        question.qty, question.side = 10, -1
        return Ruling(qty=10, resized="no such thing")

    core = Core(cash=100_000 * MONEY_PER_NOTIONAL)
    _submit(core, meddle, 0, sizing=SizingSpec(SizeMethod.FIXED_QTY, qty=70))
    _submit(core, meddle, 50)
    assert seen == [70, 50]
    request = core.only(OrderCreated).request
    assert (request.order_qty, request.side) == (50, 1)


def test_policy_is_not_asked_about_what_the_door_has_refused() -> None:
    core = Core()

    def never(_question: Question) -> Ruling:
        raise AssertionError("asked")

    core.feed(SubmitIntent(core.tick(), core.intent(Action.TRADE, 1, 10), None, NO, policy=never))
    assert core.only(IntentRefused).rule == ""


def test_evaluation_is_kept_and_moves_nothing() -> None:
    core = Core()
    core.hold(1, 100, plan=ExitPlan(stop_px=950))
    intent, quote = core.intent(Action.TRADE, 1, 30), Quote("X", core.now_ns, 900)
    before = msgspec.json.decode(core.state.snapshot())
    seen: list[int] = []

    def policy(question: Question) -> Ruling:
        seen.append(question.arrival_px)
        return Ruling(warnings=("thin",), qty=20, resized="cap")

    core.feed(EvaluateIntent(core.tick(), intent, policy, quote))
    event = core.only(IntentEvaluated)
    assert (event.qty, event.code, event.warnings, event.resized, event.given_px) == (20, 0, ("thin",), "cap", 900)
    assert core.names() == ["IntentEvaluated"]
    assert seen == [900]
    assert core.state.quotes["X"].last_px == 1000
    after = msgspec.json.decode(core.state.snapshot())
    assert after.pop("seq") == before.pop("seq") + 1
    assert after == before


def test_evaluation_of_an_instrument_not_known_yet_uses_the_terms_that_come_with_it() -> None:
    core, seen = Core(), []

    def policy(question: Question) -> Ruling:
        seen.append((question.instrument.instrument_id, question.terms.lot))
        return Ruling(NO, "mine")

    core.feed(
        EvaluateIntent(core.tick(), core.intent(Action.TRADE, 1, 10, instrument_id="Z"), policy, None, instrument("Z"))
    )
    assert seen == [("Z", 10)]
    event = core.only(IntentEvaluated)
    assert (event.qty, event.code, event.reason, event.rule) == (0, NO.code, "not today", "mine")


def test_evaluation_that_raises_leaves_the_market_as_it_was() -> None:
    core = Core()

    def broken(_question: Question) -> Ruling:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        core.feed(EvaluateIntent(core.tick(), core.intent(Action.TRADE, 1, 10), broken, Quote("X", 1, 5)))
    assert core.state.quotes["X"].last_px == 1000


# -- the gates of policy --------------------------------------------------------------------------------------


def _asked(core: Core, qty: int = 10, side: int = 1, **fields: Any) -> RefusalCode | None:
    core.submit(core.intent(Action.TRADE, side, qty, **fields))
    refused = core.all(IntentRefused)
    return RefusalCode(refused[0].code) if refused else None


@pytest.mark.parametrize(
    ("optional", "figures", "expected"),
    [
        (False, {}, RefusalCode.FIGURE_MISSING),
        (True, {}, None),
        (True, {"regime_z": 3 * PPB - 1}, None),
        (True, {"regime_z": 3 * PPB}, RefusalCode.REGIME_DRIFT),
        (True, {"regime_z": -3 * PPB}, RefusalCode.REGIME_DRIFT),
    ],
)
def test_regime_gate_may_do_without_a_figure_only_where_that_is_said(
    optional: bool, figures: dict[str, int], expected: RefusalCode | None
) -> None:
    core = Core(profile(*BASIC_GATES, "regime", limits=Limits(regime_optional=optional)))
    assert _asked(core, figures=figures) == expected


def _capped(caps: SizingCaps, *, px: int = 1000) -> Core:
    """Equity of 100 000, X at 1000: ten percent are ten units."""
    rules = profile(*BASIC_GATES, "size_caps", sizing_caps=caps)
    return Core(rules, cash=100_000 * MONEY_PER_NOTIONAL, px=px)


TEN = SizingCaps(max_position_ppb=10 * PCT_PPB)


def test_size_caps_gate_at_the_cap_and_beyond() -> None:
    assert _asked(_capped(TEN), 10) is None
    core = _capped(TEN)
    assert _asked(core, 20) == RefusalCode.SIZE_ABOVE_CAP
    assert "cap max_position leaves 10" in core.only(IntentRefused).reason
    assert _asked(_capped(SizingCaps(max_position_ppb=10 * PCT_PPB - 1)), 10) == RefusalCode.SIZE_ABOVE_CAP


def test_size_caps_gate_counts_what_is_held_and_lets_exits_through() -> None:
    for caps in (TEN, SizingCaps(max_total_ppb=10 * PCT_PPB)):
        core = _capped(caps)
        core.hold(1, 10)
        assert _asked(core, 10) == RefusalCode.SIZE_ABOVE_CAP
        assert _asked(core, 10, -1) is None


def test_size_caps_gate_without_what_it_needs_says_no() -> None:
    assert _asked(_capped(SizingCaps(max_risk_ppb=PCT_PPB))) == RefusalCode.SIZE_INPUT_MISSING
    core = Core(profile("instrument", "size_caps", sizing_caps=TEN), cash=10**12, px=0)
    assert _asked(core) == RefusalCode.SIZE_INPUT_MISSING
    assert _asked(_capped(SizingCaps(max_total_ppb=-1))) == RefusalCode.INVALID_INPUT


def test_size_caps_gate_without_caps_or_with_those_of_the_other_side_passes() -> None:
    assert _asked(_capped(SizingCaps()), 10_000) is None
    assert _asked(_capped(SizingCaps(within_cash=True)), 10_000, -1) is None
    assert _asked(_capped(SizingCaps(within_cash=True)), 110) == RefusalCode.SIZE_ABOVE_CAP
    assert _asked(_capped(SizingCaps(within_cash=True)), 100) is None


def test_size_caps_gate_passes_what_the_core_has_sized_under_the_same_caps() -> None:
    core = _capped(TEN)
    assert _asked(core, 0, sizing=SizingSpec(SizeMethod.FIXED_QTY, qty=500)) is None
    assert core.only(OrderCreated).request.order_qty == 10
