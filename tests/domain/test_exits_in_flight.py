"""One exit at a time: exits that wait for other reductions, that come to nothing, that find the position changed."""

from __future__ import annotations

import pytest
from tests.domain.core import Core, profile

from surefill.domain.effects import CancelOrder, Notify, SubmitOrder
from surefill.domain.events import CancelRequested, ExitTriggered, OrderCreated, OrderRejected, ProtectionSet
from surefill.domain.inputs import OutcomeUnknown, RecoverOrders, RequestCancel, ResolveOrder, SendLapsed
from surefill.domain.intent import Action, ExitPlan, LadderStep
from surefill.domain.limits import Limits
from surefill.domain.orders import Order
from surefill.domain.profile import Profile
from surefill.domain.reports import ExecType
from surefill.rules.codes import ExitReason, OrdStatus

HALF = 500_000_000
SECOND = 10**9
PLAN = ExitPlan(stop_px=950, target_px=1100)
EAGER = profile(limits=Limits(allow_negative_cash=True, query_spacing_ns=0))  # no pauses


def _leaving(plan: ExitPlan = PLAN, px: int = 950) -> tuple[Core, Order]:
    """A position of 100 whose exit is on its way."""
    core = Core(EAGER)
    core.hold(plan=plan)
    core.quote(px)
    return core, core.exit_order()


def _made(core: Core) -> list[tuple[ExitReason, int]]:
    """Reason and quantity of the exit orders that the last input made."""
    made = [(ExitReason(created.exit_reason), created.request.order_qty) for created in core.all(OrderCreated)]
    assert [effect.request for effect in core.all(SubmitOrder)] == [each.request for each in core.all(OrderCreated)]
    return made


def test_exit_in_flight_is_the_only_one_whatever_the_price_does() -> None:
    core, leaving = _leaving()
    for px in (940, 1200, 1):
        core.quote(px)
        assert core.events == []
    core.bar(1000, 5000, 1, 1000, session_end=True)
    assert core.events == []
    assert core.live == [leaving]


def test_partial_exit_in_flight_is_awaited_before_the_stop_is_asked_again() -> None:
    core, leaving = _leaving(ExitPlan(stop_px=900, ladder=(LadderStep(1100, HALF),)), px=1100)
    core.quote(890)
    assert core.events == []
    core.fill(leaving, 50, 1100)
    assert _made(core) == []
    core.quote(890)
    assert _made(core) == [(ExitReason.STOP, 50)]


def test_exit_partly_filled_is_still_the_only_one() -> None:
    core, leaving = _leaving()
    core.fill(leaving, 60, 950)
    core.quote(900)
    assert core.events == []
    assert core.state.reducing_qty("X") == 40


def test_exit_unknown_blocks_another_until_there_is_evidence() -> None:
    core, leaving = _leaving()
    core.feed(OutcomeUnknown(core.tick(), leaving.request.cl_ord_id, "timed out"))
    core.quote(900)
    assert core.events == []
    core.feed(ResolveOrder(core.tick(), leaving.request.cl_ord_id, OrdStatus.REJECTED, "ada", "call"))
    assert _made(core) == [(ExitReason.STOP, 100)]


# -- an exit that comes to nothing ------------------------------------------------------------------------------


def test_exit_refused_is_sent_anew_at_the_next_price_not_at_once() -> None:
    core, leaving = _leaving()
    core.rejected(leaving)
    assert core.only(Notify).code == "EXIT_REJECTED"
    assert _made(core) == []
    core.quote(990)  # the price is back above the stop: the decision stands
    assert _made(core) == [(ExitReason.STOP, 100)]
    triggered, created = core.only(ExitTriggered), core.only(OrderCreated)
    assert (triggered.px, created.request.arrival_px) == (990, 990)
    assert created.request.cl_ord_id != leaving.request.cl_ord_id


def test_exit_refused_again_and_again_is_sent_once_a_pause() -> None:
    core = Core()
    core.hold(plan=PLAN)
    core.quote(950)
    sent = 1
    for _ in range(30):
        for leaving in core.live:
            core.rejected(leaving)
        core.tick(SECOND // 10)
        core.quote(950)
        sent += len(_made(core))
    assert sent == 1 + 3


@pytest.mark.parametrize("exec_type", [ExecType.CANCELED, ExecType.EXPIRED])
def test_exit_ended_by_the_venue_with_a_part_filled_is_sent_anew_for_the_rest(exec_type: ExecType) -> None:
    core, leaving = _leaving()
    core.fill(leaving, 60, 950)
    core.report(leaving, exec_type, cum_qty=60)
    assert _made(core) == []
    core.bar(1000, 1010, 990, 1000)
    assert _made(core) == [(ExitReason.STOP, 40)]


def test_exit_not_sent_in_time_is_sent_anew() -> None:
    core, leaving = _leaving()
    core.feed(SendLapsed(core.tick(), leaving.request.cl_ord_id))
    assert core.only(OrderRejected).code == "SEND_LAPSED"
    core.quote(1000)
    assert _made(core) == [(ExitReason.STOP, 100)]


def test_exit_at_the_end_of_the_day_that_expired_goes_out_with_the_next_open() -> None:
    core = Core(EAGER)
    core.hold(plan=ExitPlan(end_of_day=True))
    core.bar(1000, 1010, 990, 1000, session_end=True)
    core.report(core.exit_order(), ExecType.EXPIRED, cum_qty=0)
    assert _made(core) == []
    core.bar(1020, 1030, 1010, 1020)
    assert _made(core) == [(ExitReason.END_OF_DAY, 100)]
    assert core.exit_order().request.arrival_px == 1020


def test_partial_exit_that_came_to_nothing_is_not_tried_again() -> None:
    core, leaving = _leaving(ExitPlan(stop_px=900, ladder=(LadderStep(1100, HALF),)), px=1100)
    core.rejected(leaving)
    core.quote(1150)
    assert core.events == []
    core.quote(900)
    assert _made(core) == [(ExitReason.STOP, 100)]


# -- waiting for other reductions -------------------------------------------------------------------------------


def _waiting(rules: Profile = EAGER) -> tuple[Core, Order]:
    """A stop breached while an order of the user's, to close 40 at a better price, works."""
    core = Core(rules)
    core.hold(plan=PLAN)
    closing = core.order(0, 40, action=Action.CLOSE, px=1090)
    core.accept(closing)
    core.quote(950)
    return core, closing


def test_exit_takes_back_other_reductions_and_waits_for_them() -> None:
    core, closing = _waiting()
    assert core.names() == ["ExitTriggered", "CancelRequested"]
    assert core.only(CancelOrder).request is closing.request
    core.quote(945)
    assert core.events == []
    core.canceled(closing, cum_qty=0)
    assert _made(core) == [(ExitReason.STOP, 100)]
    assert core.exit_order().request.arrival_px == 950


def test_exit_that_waited_closes_what_is_left_when_the_other_filled_instead() -> None:
    core, closing = _waiting()
    core.fill(closing, 40, 1090)
    assert _made(core) == [(ExitReason.STOP, 60)]


def test_exit_that_waited_closes_what_was_added_meanwhile_too() -> None:
    core = Core()
    adding = core.order(1, 50, px=940)
    core.hold(plan=PLAN)
    closing = core.order(0, 40, action=Action.CLOSE, px=1090)
    core.quote(950)
    core.fill(adding, 50, 940)
    core.canceled(closing, cum_qty=0)
    assert _made(core) == [(ExitReason.STOP, 150)]


def test_exit_that_waited_finds_nothing_left_to_do() -> None:
    core = Core()
    core.hold(plan=PLAN)
    closing = core.order(0, 100, action=Action.CLOSE, px=1090)
    core.quote(950)
    core.fill(closing, 100, 1090)
    assert core.all(OrderCreated) == []
    assert core.position.protection is None


def test_exit_that_waits_asks_again_when_the_cancel_was_refused() -> None:
    core, closing = _waiting()
    core.report(closing, ExecType.CANCEL_REJECTED, code="OUTCOME_UNKNOWN")
    core.quote(945)
    assert core.only(CancelOrder).request is closing.request


def test_exit_that_waits_does_not_flood_the_venue_with_cancels() -> None:
    core, closing = _waiting(profile())
    core.report(closing, ExecType.CANCEL_REJECTED, code="OUTCOME_UNKNOWN")
    for px in range(900, 940):
        core.quote(px)
        assert core.effects == []
    core.tick(SECOND)
    core.quote(945)
    assert core.only(CancelOrder).request is closing.request


def test_exit_takes_back_plain_orders_that_only_reduce_as_well() -> None:
    core = Core()
    core.hold(plan=PLAN)
    selling = core.order(-1, 100, px=1090)  # a plain sale of what is held
    assert selling.request.reduce_only
    core.quote(950)
    assert core.only(CancelOrder).request is selling.request


def test_exit_that_waits_survives_a_restart() -> None:
    core, closing = _waiting()
    core.state = type(core.state).restore(core.state.snapshot())
    core.feed(RecoverOrders(core.tick()))
    assert core.only(CancelOrder).request == closing.request  # decided; nobody knows whether it was sent
    core.canceled(closing, cum_qty=0)
    assert _made(core) == [(ExitReason.STOP, 100)]


def test_exit_that_was_due_when_the_engine_died_is_sent_at_the_start() -> None:
    core, leaving = _leaving()
    core.rejected(leaving)
    core.feed(RecoverOrders(core.tick()))
    assert _made(core) == [(ExitReason.STOP, 100)]


def test_exit_of_a_part_waits_and_grows_into_the_whole_when_the_stop_is_hit() -> None:
    core = Core(EAGER)
    core.hold(plan=ExitPlan(stop_px=950, ladder=(LadderStep(1080, HALF),)))
    closing = core.order(0, 40, action=Action.CLOSE, px=1090)
    core.quote(1080)
    assert core.only(ExitTriggered).reason == ExitReason.PARTIAL
    core.quote(940)
    assert core.only(ExitTriggered).reason == ExitReason.STOP
    core.canceled(closing, cum_qty=0)
    assert _made(core) == [(ExitReason.STOP, 100)]


def test_exit_of_a_part_that_waits_keeps_asking() -> None:
    core = Core(EAGER)
    core.hold(plan=ExitPlan(stop_px=900, ladder=(LadderStep(1080, HALF),)))
    closing = core.order(0, 40, action=Action.CLOSE, px=1090)
    core.quote(1080)
    core.report(closing, ExecType.CANCEL_REJECTED, code="OUTCOME_UNKNOWN")
    core.quote(1000)
    assert core.only(CancelOrder).request is closing.request
    core.canceled(closing, cum_qty=0)
    assert _made(core) == [(ExitReason.PARTIAL, 50)]


# -- two exits of one bar ---------------------------------------------------------------------------------------


def test_end_of_day_closes_what_a_partial_exit_of_the_same_bar_leaves() -> None:
    core = Core()
    core.hold(plan=ExitPlan(end_of_day=True, ladder=(LadderStep(1100, HALF),)))
    core.bar(1000, 1100, 990, 1050, session_end=True)
    assert [triggered.reason for triggered in core.all(ExitTriggered)] == [
        ExitReason.PARTIAL,
        ExitReason.END_OF_DAY,
    ]
    assert _made(core) == [(ExitReason.PARTIAL, 50)]
    core.fill(core.exit_order(), 50, 1100)
    assert _made(core) == [(ExitReason.END_OF_DAY, 50)]
    assert core.exit_order().request.arrival_px == 1050


def test_end_of_day_closes_everything_when_the_partial_exit_came_to_nothing() -> None:
    core = Core(EAGER)
    core.hold(plan=ExitPlan(end_of_day=True, ladder=(LadderStep(1100, HALF),)))
    core.bar(1000, 1100, 990, 1050, session_end=True)
    core.rejected(core.exit_order())
    core.quote(1040)
    assert _made(core) == [(ExitReason.END_OF_DAY, 100)]


def test_end_of_day_adds_nothing_to_a_stop_that_closes_everything() -> None:
    core = Core()
    core.hold(plan=ExitPlan(stop_px=950, end_of_day=True))
    core.bar(1000, 1010, 940, 1000, session_end=True)
    assert _made(core) == [(ExitReason.STOP, 100)]
    core.fill(core.exit_order(), 100, 950)
    assert core.all(OrderCreated) == []


# -- positions that change meanwhile ----------------------------------------------------------------------------


def test_position_that_grew_while_it_was_leaving_leaves_altogether() -> None:
    core = Core()
    core.hold(plan=PLAN)
    adding = core.order(1, 50)
    core.quote(950)
    leaving = core.exit_order()
    assert leaving.request.order_qty == 100
    core.fill(adding, 50)
    core.fill(leaving, 100, 950)
    assert _made(core) == [(ExitReason.STOP, 50)]
    core.fill(core.exit_order(), 50, 950)
    assert (core.position.qty, core.live) == (0, [])


def test_new_plan_does_not_forget_that_the_position_is_leaving() -> None:
    core = Core()
    core.hold(plan=PLAN)
    adding = core.order(1, 50, plan=ExitPlan(stop_px=960))
    core.quote(950)
    core.fill(adding, 50)
    assert core.only(ProtectionSet).stop_px == 960
    core.fill(core.exit_order(), 100, 950)
    assert _made(core) == [(ExitReason.STOP, 50)]


def test_entry_that_still_works_is_taken_back_by_its_exit() -> None:
    core = Core()
    entry = core.order(1, 100, px=1000, plan=PLAN)
    core.fill(entry, 40)
    resting = core.order(1, 100, px=600, plan=ExitPlan(stop_px=500))
    core.quote(950)
    assert core.only(CancelRequested).cl_ord_id == entry.request.cl_ord_id
    assert not resting.cancel_pending  # a trade of its own, with a plan of its own
    core.fill(core.exit_order(), 40, 950)
    core.fill(entry, 10, 1000)  # the fill won the race against the cancel
    assert core.only(ProtectionSet).stop_px == 950
    core.quote(945)
    assert _made(core) == [(ExitReason.STOP, 10)]


def test_partial_exit_leaves_the_entry_working() -> None:
    core = Core()
    entry = core.order(1, 100, px=1000, plan=ExitPlan(ladder=(LadderStep(1100, HALF),)))
    core.fill(entry, 40)
    core.quote(1100)
    assert not entry.cancel_pending


def test_reductions_that_exceed_a_shrunken_position_are_taken_back() -> None:
    core = Core()
    selling = core.order(-1, 150, px=1050)  # decided on while flat: an entry
    core.hold(qty=100)
    first = core.order(0, 60, action=Action.CLOSE, px=1100)
    second = core.order(0, 40, action=Action.CLOSE, px=1200)
    core.fill(selling, 30, 1050)
    assert [effect.request for effect in core.all(CancelOrder)] == [first.request, second.request]
    assert core.position.qty == 70


def test_reductions_are_taken_back_when_the_position_has_turned_even_if_it_is_larger() -> None:
    core = Core()
    selling = core.order(-1, 300, px=1050)
    core.hold(qty=100)
    closing = core.order(0, 60, action=Action.CLOSE, px=1100)
    core.fill(selling, 300, 1050)
    assert core.position.qty == -200
    assert core.only(CancelOrder).request is closing.request


def test_reductions_that_still_fit_keep_working() -> None:
    core = Core()
    selling = core.order(-1, 300, px=1050)
    core.hold(qty=100)
    core.order(0, 60, action=Action.CLOSE, px=1100)
    core.fill(selling, 40, 1050)
    assert core.all(CancelOrder) == []


def test_exit_that_is_too_large_for_a_shrunken_position_is_replaced() -> None:
    core = Core(EAGER)
    selling = core.order(-1, 150, px=1500)
    core.hold(plan=PLAN)
    core.quote(950)
    leaving = core.exit_order()
    core.fill(selling, 50, 1500)
    assert core.only(CancelOrder).request is leaving.request
    core.canceled(leaving, cum_qty=0)
    core.quote(930)
    assert _made(core) == [(ExitReason.STOP, 50)]


def test_overfilled_exit_leaves_a_position_that_is_alarmed_and_not_protected_by_the_old_plan() -> None:
    core, leaving = _leaving()
    core.fill(leaving, 120, 950)
    assert (core.position.qty, core.position.protection) == (-20, None)
    assert "X" in core.state.book.halted_instruments
    core.quote(1)
    assert core.events == []


def test_user_may_cancel_an_exit_in_flight_and_the_next_price_makes_another() -> None:
    core, leaving = _leaving()
    core.feed(RequestCancel(core.tick(), leaving.request.cl_ord_id, "ada"))
    core.canceled(leaving, cum_qty=0)
    assert _made(core) == []
    core.quote(1000)
    assert _made(core) == [(ExitReason.STOP, 100)]
