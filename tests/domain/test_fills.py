"""Executions: booked once, in any order, late or too many of them; money is conserved to the last quantum."""

from __future__ import annotations

import pytest
from tests.domain.core import MONEY_PER_NOTIONAL, Core, profile

from surefill.domain.effects import CancelOrder, Notify, QueryOrder
from surefill.domain.events import (
    AnomalyNoted,
    Halted,
    OrderAccepted,
    OrderCanceled,
    OrderEndReported,
    OrderExpired,
    OrderFilled,
    OrderRejected,
    OrdersRetired,
    ReportParked,
    VenueReported,
)
from surefill.domain.inputs import ResolveOrder, VenueReports
from surefill.domain.intent import Action, ExitPlan
from surefill.domain.limits import Limits
from surefill.domain.reports import ExecType, VenueReport
from surefill.rules.codes import OrdStatus, PositionEffect


def test_report_is_journaled_before_what_follows_from_it() -> None:
    core = Core()
    order = core.order(1, 100)
    assert [type(event) for event in core.fill(order, 100)] == [VenueReported, OrderFilled]
    reported, filled = core.events
    assert filled.causation_seq == core.state.book.seq - 1
    assert reported.correlation_id == filled.correlation_id == order.correlation_id


def test_fills_move_order_position_and_cash_together() -> None:
    core = Core(cash=10**12)
    order = core.order(1, 100)
    core.fill(order, 40, 990, fee=3)
    assert (order.status, order.cum_qty, order.cum_notional, order.fees) == (OrdStatus.PARTIALLY_FILLED, 40, 39_600, 3)
    core.fill(order, 60, 1010, fee=4)
    assert (order.status, order.cum_qty, order.leaves_qty) == (OrdStatus.FILLED, 100, 0)
    assert (core.position.qty, core.position.cost, core.position.fees) == (100, 100_200, 7)
    assert core.state.book.cash == 10**12 - 100_200 * MONEY_PER_NOTIONAL - 7


def test_fills_of_a_round_trip_realise_the_difference_less_fees() -> None:
    core = Core(cash=1000)
    core.hold(1, 100, 990)
    core.fill(core.order(-1, 100), 100, 1010, fee=11)
    book = core.state.book
    assert (book.realised, book.fees) == (2000 * MONEY_PER_NOTIONAL, 11)
    assert book.cash == 1000 + 2000 * MONEY_PER_NOTIONAL - 11
    assert (core.position.qty, core.position.cost, core.position.strategy_id) == (0, 0, "")


@pytest.mark.parametrize(
    ("held", "side", "qty", "expected"),
    [
        (0, 1, 50, PositionEffect.OPENED),
        (100, 1, 50, PositionEffect.SCALED),
        (100, -1, 50, PositionEffect.REDUCED),
        (100, -1, 100, PositionEffect.CLOSED),
        (100, -1, 150, PositionEffect.FLIPPED),
        (-100, -1, 50, PositionEffect.SCALED),
        (-100, 1, 150, PositionEffect.FLIPPED),
    ],
)
def test_fill_says_what_it_did_to_the_position(held: int, side: int, qty: int, expected: PositionEffect) -> None:
    core = Core()
    if held:
        core.hold(1 if held > 0 else -1, abs(held))
    core.fill(core.order(side, qty), qty)
    filled = core.only(OrderFilled)
    assert (filled.effect, filled.position_qty) == (expected, held + side * qty)


def test_fills_with_a_rebate_and_a_loss_conserve_money() -> None:
    core = Core(cash=5)
    for side, qty, px, fee in [(1, 30, 1000, 9), (1, 30, 7, -4), (-1, 20, 3, 1), (-1, 100, 999, 0), (1, 60, 1, 2)]:
        core.fill(core.order(side, qty), qty, px, fee=fee)  # Core checks conservation after every input
    assert core.position.qty == 0
    assert core.state.book.fees == 8
    assert core.state.book.cash == 5 + core.state.book.realised - 8


# -- order of arrival, repeats --------------------------------------------------------------------------------


def test_fill_before_the_acknowledgement_is_ordinary() -> None:
    core = Core()
    order = core.order(1, 100)
    core.fill(order, 40)
    assert core.accept(order) == [core.events[0]]
    assert core.all(AnomalyNoted) == []
    assert order.status == OrdStatus.PARTIALLY_FILLED


def test_duplicate_fill_is_journaled_raw_and_booked_once() -> None:
    core = Core()
    order = core.order(1, 100)
    core.fill(order, 40, exec_id="a")
    assert core.names() == ["VenueReported", "OrderFilled"]
    core.fill(order, 40, exec_id="a")
    assert core.names() == ["VenueReported"]
    assert (order.cum_qty, core.position.qty) == (40, 40)


def test_duplicate_of_the_last_fill_after_the_order_is_done_is_no_late_fill() -> None:
    core = Core()
    order = core.order(1, 100)
    core.fill(order, 100, exec_id="a")
    core.fill(order, 100, exec_id="a")
    assert core.names() == ["VenueReported"]
    assert core.position.qty == 100


def test_reordered_reports_in_one_batch_end_like_ordered_ones() -> None:
    core = Core()
    order = core.order(1, 100)
    name = order.request.cl_ord_id
    reports = (
        VenueReport(name, ExecType.TRADE, "o", "b", 1000, 60),
        VenueReport(name, ExecType.NEW, "o"),
        VenueReport(name, ExecType.TRADE, "o", "a", 990, 40),
        VenueReport(name, ExecType.TRADE, "o", "b", 1000, 60),
    )
    core.feed(VenueReports(core.tick(), reports))
    assert (order.status, order.exec_ids, core.position.cost) == (OrdStatus.FILLED, ["b", "a"], 99_600)
    assert core.all(AnomalyNoted) == []


@pytest.mark.parametrize(
    "fields",
    [
        {"exec_id": "", "last_px": 1000, "last_qty": 10},
        {"exec_id": "a", "last_px": 0, "last_qty": 10},
        {"exec_id": "a", "last_px": 1000, "last_qty": 0},
        {"exec_id": "a", "last_px": -5, "last_qty": 10},
        {"exec_id": "a", "last_px": 1000, "last_qty": -10},
    ],
)
def test_trade_that_cannot_be_booked_is_parked_and_paged(fields: dict[str, object]) -> None:
    core = Core()
    order = core.order(1, 100)
    core.report(order, ExecType.TRADE, **fields)
    assert core.names() == ["VenueReported", "ReportParked", "AnomalyNoted"]
    assert core.only(Notify).page
    assert order.cum_qty == 0
    assert "X" not in core.state.book.positions


def test_report_of_no_known_order_is_parked_and_paged() -> None:
    core = Core()
    core.feed(VenueReports(core.tick(), (VenueReport("stranger", ExecType.TRADE, "o", "e", 10, 10),)))
    assert core.names() == ["VenueReported", "ReportParked"]
    assert core.only(Notify).page
    assert [report.cl_ord_id for report in core.state.book.parked] == ["stranger"]


def test_parked_reports_are_kept_up_to_a_thousand() -> None:
    core = Core()
    reports = tuple(VenueReport(f"s{n}", ExecType.NEW) for n in range(1100))
    core.feed(VenueReports(core.tick(), reports))
    assert [report.cl_ord_id for report in core.state.book.parked] == [f"s{n}" for n in range(100, 1100)]


# -- ends -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("exec_type", "kind", "status"),
    [
        (ExecType.CANCELED, OrderCanceled, OrdStatus.CANCELED),
        (ExecType.EXPIRED, OrderExpired, OrdStatus.EXPIRED),
    ],
)
@pytest.mark.parametrize("cum_qty", [40, -1])
def test_end_with_all_fills_there_is_final(exec_type: ExecType, kind: type, status: OrdStatus, cum_qty: int) -> None:
    core = Core()
    order = core.order(1, 100)
    core.fill(order, 40)
    core.report(order, exec_type, cum_qty=cum_qty)
    assert core.names() == ["VenueReported", kind.__name__]
    assert (order.status, order.cum_qty, order.leaves_qty) == (status, 40, 0)


def test_end_with_fills_missing_holds_the_order_open_until_they_arrive() -> None:
    core = Core()
    order = core.order(1, 100)
    core.fill(order, 40)
    core.canceled(order, cum_qty=70)
    assert core.names() == ["VenueReported", "OrderEndReported"]
    assert core.only(QueryOrder).request is order.request
    assert (order.status, order.leaves_qty) == (OrdStatus.PARTIALLY_FILLED, 60)
    core.fill(order, 20)
    assert core.names() == ["VenueReported", "OrderFilled"]
    core.fill(order, 10)
    assert core.names() == ["VenueReported", "OrderFilled", "OrderCanceled"]
    assert (order.status, order.cum_qty) == (OrdStatus.CANCELED, 70)
    assert core.all(Notify) == []


@pytest.mark.parametrize("second", [0, -1])
def test_end_that_is_told_differently_waits_for_the_larger_count(second: int) -> None:
    core = Core()
    order = core.order(1, 100)
    core.canceled(order, cum_qty=30)
    core.canceled(order, cum_qty=second)
    assert order.status == OrdStatus.SUBMITTED
    core.canceled(order, cum_qty=40)
    assert core.only(OrderEndReported).cum_qty == 40
    core.fill(order, 40)
    assert order.status == OrdStatus.CANCELED
    assert core.all(AnomalyNoted) == []


def test_end_whose_fills_never_come_may_be_resolved_by_hand() -> None:
    core = Core()
    order = core.order(1, 100)
    core.canceled(order, cum_qty=30)
    core.feed(ResolveOrder(core.tick(), order.request.cl_ord_id, OrdStatus.CANCELED, "ada", "call 12"))
    assert order.status == OrdStatus.CANCELED


def test_end_repeated_while_its_fills_are_missing_asks_after_a_pause_not_in_a_loop() -> None:
    core = Core()
    order = core.order(1, 100)
    core.canceled(order, cum_qty=70)
    assert len(core.all(QueryOrder)) == 1
    core.canceled(order, cum_qty=70)
    assert core.all(QueryOrder) == []
    assert core.all(OrderEndReported) == []
    assert [type(effect).__name__ for effect in core.effects] == ["SetTimer"]


def test_fill_that_goes_beyond_the_reported_end_is_booked_alarmed_and_halts_the_symbol() -> None:
    core = Core()
    order = core.order(1, 100)
    core.canceled(order, cum_qty=30)
    core.fill(order, 50)
    assert core.names() == ["VenueReported", "OrderFilled", "OrderCanceled", "AnomalyNoted", "Halted"]
    assert core.only(AnomalyNoted).kind == "FILLS_BEYOND_END"
    assert core.only(Halted).instrument_id == "X"
    assert core.position.qty == 50


def test_end_with_fewer_fills_than_are_booked_is_alarmed_and_halts_the_symbol() -> None:
    core = Core()
    order = core.order(1, 100)
    core.fill(order, 50)
    core.canceled(order, cum_qty=30)
    assert core.names() == ["VenueReported", "OrderCanceled", "AnomalyNoted", "Halted"]
    assert core.only(Notify).page


def test_late_fill_is_booked_alarmed_and_halts_the_symbol_alone() -> None:
    core = Core()
    order = core.order(1, 100)
    core.canceled(order)
    core.fill(order, 40)
    filled = core.only(OrderFilled)
    assert (filled.late, filled.status, filled.cum_qty) == (True, OrdStatus.CANCELED, 40)
    assert core.only(AnomalyNoted).kind == "LATE_FILL"
    assert core.only(Notify).page
    assert (core.position.qty, order.status, order.cum_qty) == (40, OrdStatus.CANCELED, 40)
    assert core.state.book.halted_instruments.keys() == {"X"}
    assert core.state.book.halted_code == ""


def test_late_fill_of_a_rejected_order_is_booked_all_the_same() -> None:
    core = Core()
    order = core.order(1, 100)
    core.rejected(order)
    core.fill(order, 100)
    assert core.only(OrderFilled).late
    assert core.position.qty == 100


def test_overfill_is_booked_alarmed_and_halts_the_symbol() -> None:
    core = Core()
    order = core.order(1, 100)
    core.fill(order, 130)
    filled = core.only(OrderFilled)
    assert (filled.late, filled.status, filled.cum_qty) == (False, OrdStatus.FILLED, 130)
    assert core.only(AnomalyNoted).kind == "OVERFILL"
    assert (core.position.qty, order.leaves_qty) == (130, 0)
    assert "X" in core.state.book.halted_instruments


def test_complete_fill_of_an_order_that_was_ended_before_is_alarmed() -> None:
    core = Core()
    order = core.order(1, 100)
    core.canceled(order, cum_qty=30)
    core.fill(order, 100)
    assert core.names() == ["VenueReported", "OrderFilled", "AnomalyNoted", "Halted"]
    assert (order.status, core.only(AnomalyNoted).kind) == (OrdStatus.FILLED, "FILLS_BEYOND_END")


def test_fill_after_the_order_is_filled_is_late() -> None:
    core = Core()
    order = core.order(1, 100)
    core.fill(order, 100)
    core.fill(order, 10)
    assert core.only(OrderFilled).late
    assert core.position.qty == 110


def test_alarmed_symbol_takes_back_its_working_entries() -> None:
    core = Core()
    core.quote(10, "Y")
    resting, elsewhere = core.order(1, 10, px=900), core.order(1, 10, instrument_id="Y", px=5)
    core.hold(1, 20)
    reducing = core.order(-1, 20, px=1100)
    core.fill(core.order(1, 10), 15)
    assert [effect.request for effect in core.all(CancelOrder)] == [resting.request]
    assert not elsewhere.cancel_pending
    assert not reducing.cancel_pending


def test_cancel_and_fill_race_ends_with_the_fill_booked_once() -> None:
    core = Core()
    order = core.order(1, 100)
    core.accept(order)
    core.fill(order, 100, exec_id="a")
    core.report(order, ExecType.CANCEL_REJECTED, code="FILLED")
    assert core.names() == ["VenueReported", "CancelRefused"]
    assert core.all(QueryOrder) == []
    core.canceled(order, cum_qty=100)
    assert core.only(AnomalyNoted).kind == "ILLEGAL_END"  # of what remainder?
    assert (order.status, core.position.qty) == (OrdStatus.FILLED, 100)


def test_end_repeated_after_the_end_is_ignored() -> None:
    core = Core()
    order = core.order(1, 100)
    core.canceled(order)
    for exec_type in (ExecType.CANCELED, ExecType.EXPIRED, ExecType.NEW):
        core.report(order, exec_type)
        assert core.names() == ["VenueReported"]
    assert core.effects == []


# -- rejections -----------------------------------------------------------------------------------------------


def test_reject_after_the_acknowledgement_is_legal() -> None:
    core = Core()
    order = core.order(1, 100)
    assert core.accept(order)[-1] == core.only(OrderAccepted)
    core.rejected(order)
    assert core.only(OrderRejected).code == "NO"
    assert (order.status, order.code, order.text) == (OrdStatus.REJECTED, "NO", "no")
    assert core.all(Notify) == []


def test_reject_repeated_is_ignored() -> None:
    core = Core()
    order = core.order(1, 100)
    core.rejected(order)
    core.rejected(order)
    assert core.names() == ["VenueReported"]
    assert core.effects == []


@pytest.mark.parametrize("filled_qty", [40, 100])
def test_reject_after_a_fill_is_an_anomaly_and_changes_nothing(filled_qty: int) -> None:
    core = Core()
    order = core.order(1, 100)
    core.fill(order, filled_qty)
    status = order.status
    core.rejected(order)
    assert core.names() == ["VenueReported", "AnomalyNoted"]
    assert core.only(Notify).page
    assert order.status == status


def test_reject_of_a_reduction_pages() -> None:
    core = Core()
    core.hold()
    core.rejected(core.order(0, 0, action=Action.CLOSE))
    assert core.only(Notify).code == "EXIT_REJECTED"


# -- what leaves the state ------------------------------------------------------------------------------------


def test_finished_orders_leave_the_state_oldest_first_also_after_a_restart() -> None:
    core = Core(profile("instrument", "action", limits=Limits(allow_negative_cash=True)))
    finished = []
    for _ in range(512):
        order = core.order(1, 10)
        core.rejected(order)
        finished.append(order.request.cl_ord_id)
    assert list(core.state.book.done) == finished
    core.state = type(core.state).restore(core.state.snapshot())
    last = core.order(1, 10)
    core.rejected(last)
    assert core.only(OrdersRetired).cl_ord_ids == tuple(finished[:257])
    assert list(core.state.book.done) == [*finished[257:], last.request.cl_ord_id]


def test_fill_of_an_order_that_has_left_the_state_is_parked_not_booked() -> None:
    core = Core()
    order = core.order(1, 100)
    core.fill(order, 100)
    core.feed(VenueReports(core.tick(), ()))
    del core.state.book.done[order.request.cl_ord_id], core.replayed.book.done[order.request.cl_ord_id]
    core.fill(order, 100)
    assert core.only(ReportParked).report.last_qty == 100
    assert core.position.qty == 100


def test_plan_of_an_order_that_only_reduces_is_dropped() -> None:
    core = Core()
    core.hold(1, 100)
    order = core.order(-1, 50, plan=ExitPlan(time_stop_bars=3))
    assert order.request.reduce_only
    assert order.plan is None
