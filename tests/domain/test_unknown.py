"""Not knowing: how an order becomes UNKNOWN, what is asked, what counts as evidence, and who is called."""

from __future__ import annotations

import pytest
from tests.domain.core import Core, profile

from surefill.domain.decide.reports import QUERY_TIMER
from surefill.domain.effects import CancelOrder, Notify, QueryOrder, SetTimer, SubmitOrder
from surefill.domain.events import AnomalyNoted, OrderAbsent, OrderOutcomeUnknown, OrderRejected, OrderResolved
from surefill.domain.inputs import (
    OrderQueried,
    OutcomeUnknown,
    QueryFailed,
    RecoverOrders,
    RequestCancel,
    ResolveOrder,
    SendLapsed,
    TimerFired,
)
from surefill.domain.limits import Limits
from surefill.domain.orders import Order
from surefill.domain.reports import ExecType, VenueReport
from surefill.errors import InputError
from surefill.rules.codes import OrdStatus

SECOND = 10**9
SPACING, SEND_BY, HORIZON, PAGE = SECOND, 5 * SECOND, 10 * SECOND, 30 * SECOND
LIMITS = Limits(allow_negative_cash=True, absence_horizon_ns=HORIZON, absence_queries=3, unknown_page_ns=PAGE)
NEVER_BY_ITSELF = Limits(allow_negative_cash=True, unknown_page_ns=PAGE)


def _unknown(limits: Limits = LIMITS) -> tuple[Core, Order]:
    core = Core(profile(limits=limits))
    order = core.order(1, 100)
    core.feed(OutcomeUnknown(core.tick(), order.request.cl_ord_id, "timed out"))
    return core, order


def _timer(core: Core, order: Order, after_ns: int = SPACING) -> None:
    core.feed(TimerFired(core.tick(after_ns), QUERY_TIMER + order.request.cl_ord_id))


def test_outcome_unknown_makes_the_order_unknown_and_asks_after_a_pause() -> None:
    core, order = _unknown()
    assert (order.status, order.leaves_qty, order.text) == (OrdStatus.UNKNOWN, 100, "timed out")
    assert core.only(SetTimer).at_ns == core.now_ns + SPACING
    assert core.all(SubmitOrder) == []
    _timer(core, order)
    assert core.only(QueryOrder).request is order.request


@pytest.mark.parametrize("first", [ExecType.NEW, ExecType.TRADE, ExecType.CANCELED, ExecType.REJECTED])
def test_outcome_unknown_after_a_report_tells_nothing(first: ExecType) -> None:
    core = Core()
    order = core.order(1, 100)
    core.report(order, first, exec_id="a", last_px=1000, last_qty=10)
    status = order.status
    assert core.feed(OutcomeUnknown(core.tick(), order.request.cl_ord_id, "timed out")) == []
    assert order.status == status


@pytest.mark.parametrize(
    ("exec_type", "fields", "status"),
    [
        (ExecType.NEW, {}, OrdStatus.NEW),
        (ExecType.STATUS, {"cum_qty": 0}, OrdStatus.NEW),
        (ExecType.TRADE, {"exec_id": "a", "last_px": 1000, "last_qty": 10}, OrdStatus.PARTIALLY_FILLED),
        (ExecType.TRADE, {"exec_id": "a", "last_px": 1000, "last_qty": 100}, OrdStatus.FILLED),
        (ExecType.CANCELED, {}, OrdStatus.CANCELED),
        (ExecType.EXPIRED, {}, OrdStatus.EXPIRED),
        (ExecType.REJECTED, {}, OrdStatus.REJECTED),
    ],
)
@pytest.mark.parametrize("by_query", [True, False])
def test_unknown_ends_with_evidence(exec_type: ExecType, fields: dict, status: OrdStatus, by_query: bool) -> None:
    core, order = _unknown()
    report = VenueReport(order.request.cl_ord_id, exec_type, "o", **fields)
    if by_query:
        core.feed(OrderQueried(core.tick(), order.request.cl_ord_id, True, (report,)))
    else:
        core.report(order, exec_type, **fields)
    assert order.status == status
    assert core.all(AnomalyNoted) == []


def test_failed_query_is_no_answer_and_is_made_again() -> None:
    core, order = _unknown()
    for _ in range(5):
        core.feed(QueryFailed(core.tick(SPACING), order.request.cl_ord_id, "503"))
        assert core.events == []
        assert core.only(SetTimer).at_ns == core.now_ns + SPACING
    assert (order.status, order.absent_count) == (OrdStatus.UNKNOWN, 0)


@pytest.mark.parametrize("fills", [0, 40])
def test_failed_query_about_a_working_order_is_made_again_too(fills: int) -> None:
    core = Core()
    order = core.order(1, 100)
    core.accept(order)
    if fills:
        core.fill(order, fills)
    core.feed(QueryFailed(core.tick(), order.request.cl_ord_id, "503"))
    assert core.only(SetTimer).name == QUERY_TIMER + order.request.cl_ord_id
    _timer(core, order)
    assert core.only(QueryOrder).request is order.request


def test_query_about_a_finished_order_is_not_made() -> None:
    core = Core()
    order = core.order(1, 100)
    core.fill(order, 100)
    _timer(core, order)
    core.feed(QueryFailed(core.tick(), order.request.cl_ord_id, "503"))
    assert (core.events, core.effects) == ([], [])


# -- absence --------------------------------------------------------------------------------------------------


def test_absence_before_the_horizon_counts_for_nothing() -> None:
    core, order = _unknown()
    for _ in range(10):
        core.tick(SPACING)
        core.absent(order)
        assert core.only(OrderAbsent).count == 0
    assert order.status == OrdStatus.UNKNOWN


def test_absence_that_is_no_proof_is_asked_for_again_after_a_pause() -> None:
    core, order = _unknown()
    core.absent(order)
    assert core.only(SetTimer) == SetTimer(QUERY_TIMER + order.request.cl_ord_id, core.now_ns + SPACING)


def test_absence_at_the_horizon_to_the_nanosecond_counts_for_nothing() -> None:
    core, order = _unknown()
    core.now_ns = order.request.send_by_ns + HORIZON - 1
    core.absent(order)
    assert core.only(OrderAbsent).count == 0
    core.tick(SPACING - 1)
    core.absent(order)
    assert core.only(OrderAbsent).count == 1


def test_absence_past_the_horizon_is_proof_with_the_last_of_several_spaced_queries() -> None:
    core, order = _unknown()
    core.now_ns = order.request.send_by_ns + HORIZON + 1
    for count in (1, 2, 3):
        core.tick(SPACING)
        core.absent(order)
        assert core.all(OrderAbsent) == [core.events[0]]
        assert core.only(OrderAbsent).count == count
        assert order.status == (OrdStatus.REJECTED if count == 3 else OrdStatus.UNKNOWN)
    assert core.only(OrderRejected).code == "NEVER_ARRIVED"
    assert [notice.code for notice in core.all(Notify)] == ["NEVER_ARRIVED"]


def test_absence_in_a_burst_of_queries_counts_once() -> None:
    core, order = _unknown()
    core.now_ns = order.request.send_by_ns + HORIZON + 1
    for _ in range(10):
        core.absent(order)
    assert (order.status, order.absent_count) == (OrdStatus.UNKNOWN, 1)


def test_absence_without_a_horizon_is_never_proof() -> None:
    core, order = _unknown(NEVER_BY_ITSELF)
    for _ in range(50):
        core.tick(100 * SECOND)
        core.absent(order)
    assert (order.status, order.absent_count) == (OrdStatus.UNKNOWN, 50)


def test_absence_of_an_order_that_worked_ends_nothing_and_pages_once() -> None:
    core = Core()
    order = core.order(1, 100)
    core.accept(order)
    core.absent(order)
    assert core.only(Notify).page
    assert (order.status, order.paged) == (OrdStatus.NEW, True)
    core.absent(order)
    assert core.effects == []


# -- paging ---------------------------------------------------------------------------------------------------


def test_unresolved_order_pages_once_when_its_time_is_up() -> None:
    core, order = _unknown(NEVER_BY_ITSELF)
    pages = []
    for second in range(1, 61):
        _timer(core, order)
        assert core.only(QueryOrder).request is order.request
        pages += [second for notice in core.all(Notify) if notice.page]
    assert pages == [30]


def test_page_is_not_repeated_after_a_restart() -> None:
    core, order = _unknown(NEVER_BY_ITSELF)
    _timer(core, order, PAGE)
    assert len(core.all(Notify)) == 1
    core.state = type(core.state).restore(core.state.snapshot())
    core.feed(RecoverOrders(core.tick()))
    _timer(core, order, PAGE)
    assert core.all(Notify) == []


def test_order_whose_fills_do_not_come_pages_too() -> None:
    core = Core()
    order = core.order(1, 100)
    core.accept(order)
    core.tick(100 * PAGE)
    core.canceled(order, cum_qty=50)
    _timer(core, order)
    assert core.all(Notify) == []
    _timer(core, order, PAGE)
    assert core.only(Notify).page


# -- the operator ---------------------------------------------------------------------------------------------


def _resolve(core: Core, order: Order, status: OrdStatus, by: str = "ada", evidence: str = "call 12") -> None:
    core.feed(ResolveOrder(core.tick(), order.request.cl_ord_id, status, by, evidence))


@pytest.mark.parametrize("status", [OrdStatus.CANCELED, OrdStatus.REJECTED, OrdStatus.EXPIRED])
def test_operator_ends_an_unknown_order_by_name_and_on_evidence(status: OrdStatus) -> None:
    core, order = _unknown()
    _resolve(core, order, status)
    resolved = core.only(OrderResolved)
    assert (resolved.by, resolved.evidence) == ("ada", "call 12")
    assert (order.status, order.code) == (status, "RESOLVED_BY_OPERATOR")


@pytest.mark.parametrize(
    ("status", "by", "evidence", "code"),
    [
        (OrdStatus.FILLED, "ada", "call", "NOT_FINAL"),
        (OrdStatus.NEW, "ada", "call", "NOT_FINAL"),
        (99, "ada", "call", "NOT_FINAL"),
        (OrdStatus.CANCELED, "", "call", "EVIDENCE_REQUIRED"),
        (OrdStatus.CANCELED, "ada", "", "EVIDENCE_REQUIRED"),
    ],
)
def test_operator_is_refused(status: OrdStatus, by: str, evidence: str, code: str) -> None:
    core, order = _unknown()
    with pytest.raises(InputError) as refused:
        _resolve(core, order, status, by, evidence)
    assert refused.value.code == code
    assert order.status == OrdStatus.UNKNOWN


def test_operator_may_not_end_an_order_that_its_venue_knows() -> None:
    core = Core()
    order = core.order(1, 100)
    core.accept(order)
    with pytest.raises(InputError) as refused:
        _resolve(core, order, OrdStatus.CANCELED)
    assert refused.value.code == "NOT_UNKNOWN"
    with pytest.raises(InputError):
        core.feed(ResolveOrder(core.tick(), "nobody", OrdStatus.CANCELED, "ada", "call"))


def test_operator_ends_a_working_order_that_its_venue_does_not_find() -> None:
    core = Core()
    order = core.order(1, 100)
    core.fill(order, 40)
    core.absent(order)
    with pytest.raises(InputError):
        _resolve(core, order, OrdStatus.REJECTED)  # it has traded
    _resolve(core, order, OrdStatus.CANCELED)
    assert (order.status, order.cum_qty) == (OrdStatus.CANCELED, 40)


def test_fill_after_the_operator_was_wrong_is_booked_and_alarmed() -> None:
    core, order = _unknown()
    _resolve(core, order, OrdStatus.REJECTED)
    core.fill(order, 100)
    assert core.only(AnomalyNoted).kind == "LATE_FILL"
    assert core.position.qty == 100


# -- the deadline ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("unknown", [False, True])
def test_lapsed_sending_is_proof_that_nothing_left(unknown: bool) -> None:
    core = Core()
    order = core.order(1, 100)
    if unknown:  # the journal failed in between, and the order was asked for
        core.feed(RecoverOrders(core.tick()))
    core.feed(SendLapsed(core.tick(SEND_BY), order.request.cl_ord_id))
    assert (order.status, order.code) == (OrdStatus.REJECTED, "SEND_LAPSED")


def test_lapsed_sending_of_an_order_that_was_heard_of_changes_nothing() -> None:
    core = Core()
    order = core.order(1, 100)
    core.accept(order)
    assert core.feed(SendLapsed(core.tick(SEND_BY), order.request.cl_ord_id)) == []


def test_order_may_be_sent_until_its_deadline() -> None:
    core = Core(profile(limits=Limits(allow_negative_cash=True, send_by_ns=7)))
    order = core.order(1, 100)
    assert order.request.send_by_ns == order.request.transact_ns + 7


# -- starting again -------------------------------------------------------------------------------------------


def test_recovery_asks_for_every_order_in_flight_and_takes_silence_for_unknown() -> None:
    core = Core()
    silent, working, partly, done = (core.order(1, 10) for _ in range(4))
    core.accept(working)
    core.fill(partly, 4)
    core.fill(done, 10)
    core.feed(RecoverOrders(core.tick()))
    assert [effect.request for effect in core.all(QueryOrder)] == [each.request for each in (silent, working, partly)]
    assert core.only(OrderOutcomeUnknown).cl_ord_id == silent.request.cl_ord_id
    assert [each.status for each in (silent, working, partly, done)] == [
        OrdStatus.UNKNOWN,
        OrdStatus.NEW,
        OrdStatus.PARTIALLY_FILLED,
        OrdStatus.FILLED,
    ]
    assert core.all(SubmitOrder) == []


def test_recovery_twice_asks_twice_and_changes_once() -> None:
    core = Core()
    core.order(1, 10)
    core.feed(RecoverOrders(core.tick()))
    core.feed(RecoverOrders(core.tick()))
    assert core.events == []
    assert len(core.all(QueryOrder)) == 1


def test_recovery_sends_a_cancel_that_may_never_have_left() -> None:
    core = Core()
    order = core.order(1, 10, px=900)
    core.accept(order)
    core.feed(RequestCancel(core.tick(), order.request.cl_ord_id, "ada"))
    core.feed(RecoverOrders(core.tick()))
    assert core.only(CancelOrder).request is order.request
    assert core.events == []


# -- canceling ------------------------------------------------------------------------------------------------


def test_cancel_is_journaled_and_asked_once() -> None:
    core = Core()
    order = core.order(1, 10, px=900)
    core.accept(order)
    core.feed(RequestCancel(core.tick(), order.request.cl_ord_id, "ada"))
    assert core.names() == ["CancelRequested"]
    assert core.only(CancelOrder).order_id == order.order_id
    assert core.feed(RequestCancel(core.tick(), order.request.cl_ord_id, "bob")) == []


def test_cancel_of_a_finished_or_unheard_of_order_needs_nothing() -> None:
    core = Core()
    order = core.order(1, 10)
    core.fill(order, 10)
    assert core.feed(RequestCancel(core.tick(), order.request.cl_ord_id, "ada")) == []
    assert core.feed(RequestCancel(core.tick(), "nobody", "ada")) == []


def test_cancel_refused_asks_what_became_of_the_order_and_may_be_asked_again() -> None:
    core = Core()
    order = core.order(1, 10, px=900)
    core.accept(order)
    core.feed(RequestCancel(core.tick(), order.request.cl_ord_id, "ada"))
    core.report(order, ExecType.CANCEL_REJECTED, code="LATE")
    assert core.only(QueryOrder).request is order.request
    core.feed(RequestCancel(core.tick(), order.request.cl_ord_id, "ada"))
    assert core.names() == ["CancelRequested"]


def test_cancel_refused_by_an_order_that_works_on_is_asked_again_once_a_pause() -> None:
    core = Core()
    order = core.order(1, 10, px=900)
    core.accept(order)
    core.feed(RequestCancel(core.tick(), order.request.cl_ord_id, "ada"))
    core.report(order, ExecType.CANCEL_REJECTED, code="OUTCOME_UNKNOWN")
    core.report(order, ExecType.STATUS, cum_qty=0)
    assert core.all(CancelOrder) == []
    assert core.only(SetTimer).at_ns == core.now_ns + SPACING
    core.tick(SPACING)
    core.report(order, ExecType.STATUS, cum_qty=0)
    assert core.only(CancelOrder).request is order.request


def test_cancel_that_succeeded_is_not_asked_again_by_a_late_status() -> None:
    core = Core()
    order = core.order(1, 10, px=900)
    core.feed(RequestCancel(core.tick(), order.request.cl_ord_id, "ada"))
    core.canceled(order)
    core.tick(SPACING)
    core.report(order, ExecType.STATUS, cum_qty=0)
    assert core.effects == []


def test_status_that_counts_more_fills_than_arrived_asks_again_after_a_pause() -> None:
    core = Core()
    order = core.order(1, 100)
    core.report(order, ExecType.NEW, cum_qty=20)
    assert core.only(QueryOrder).request is order.request
    core.report(order, ExecType.STATUS, cum_qty=20)
    assert core.all(QueryOrder) == []
    assert core.only(SetTimer).at_ns == core.now_ns + SPACING
    assert order.cum_qty == 0
