"""Executions and orders that were made elsewhere, and moves that are no trade: booked once, counted, never drift."""

from __future__ import annotations

from typing import Any

import pytest
from tests.domain.core import MONEY_PER_NOTIONAL, Core, profile

from surefill.domain.account import AccountMove, MoveKind, WorkingOrder
from surefill.domain.effects import CancelOrder, Notify, QueryOrder
from surefill.domain.events import (
    AccountMoved,
    CancelRequested,
    ExternalOrdersSeen,
    ExternalTraded,
    Halted,
    IntentRefused,
    OrderFilled,
    ReportParked,
)
from surefill.domain.inputs import (
    CompareExecutions,
    CompareOrders,
    ComparePositions,
    MoveAccount,
    OutcomeUnknown,
    SubmitIntent,
    VenueReports,
)
from surefill.domain.intent import Action, ExitPlan
from surefill.domain.limits import Limits
from surefill.domain.reports import ExecType, VenueReport
from surefill.domain.valuation import exposures
from surefill.rules.codes import OrdStatus

GO_ON = profile(limits=Limits(allow_negative_cash=True, external_halts=False))


def _trade(exec_id: str = "h1", side: int = -1, qty: int = 40, **fields: Any) -> VenueReport:
    known = {"cl_ord_id": "", "order_id": "by-hand", "last_px": 1010, "instrument_id": "X", "transact_ns": 5}
    return VenueReport(exec_type=ExecType.TRADE, exec_id=exec_id, side=side, last_qty=qty, **{**known, **fields})


def _told(core: Core, *reports: VenueReport) -> list[Any]:
    return core.feed(VenueReports(core.tick(), reports))


def _history(core: Core, *reports: VenueReport) -> list[Any]:
    return core.feed(CompareExecutions(core.tick(), reports))


def _listed(core: Core, *orders: WorkingOrder) -> list[Any]:
    return core.feed(CompareOrders(core.tick(), core.now_ns, orders))


def _moved(core: Core, kind: MoveKind, move_id: str = "m", **fields: Any) -> list[Any]:
    known = {"instrument_id": "X"} if kind not in (MoveKind.DEPOSIT, MoveKind.WITHDRAWAL) else {}
    return core.feed(MoveAccount(core.tick(), (AccountMove(kind, move_id, **{**known, **fields}),)))


def _codes(core: Core) -> list[str]:
    return [notice.code for notice in core.all(Notify)]


# -- executions -----------------------------------------------------------------------------------------------


def test_execution_made_elsewhere_is_booked_pages_and_halts_entries() -> None:
    core = Core()
    core.hold(1, 100)
    _told(core, _trade())
    assert core.position.qty == 60
    assert core.only(ExternalTraded).realised == 400 * MONEY_PER_NOTIONAL
    assert core.only(Halted).code == "EXTERNAL_TRADE"
    assert [(notice.code, notice.page) for notice in core.all(Notify)] == [("EXTERNAL_TRADE", True)]
    core.submit(core.intent(Action.TRADE, 1, 10))
    assert core.only(IntentRefused).reason.startswith("EXTERNAL_TRADE") or core.only(IntentRefused).code == 401


def test_execution_made_elsewhere_lets_entries_go_on_where_policy_says_so() -> None:
    core = Core(GO_ON)
    _told(core, _trade(side=1))
    assert core.all(Halted) == []
    assert core.position.qty == 40
    assert core.order(1, 10).status == OrdStatus.SUBMITTED


@pytest.mark.parametrize("again", [_told, _history])
def test_execution_made_elsewhere_counts_once(again: Any) -> None:
    core = Core(GO_ON)
    _told(core, _trade())
    again(core, _trade())
    assert core.position.qty == -40
    assert core.all(ExternalTraded) == []


def test_execution_made_elsewhere_takes_back_what_would_reduce_too_much_in_the_same_step() -> None:
    core = Core(GO_ON)
    core.hold(1, 100)
    closing = core.order(0, 80, action=Action.CLOSE, px=1100)
    core.accept(closing)
    _told(core, _trade())
    names = core.names()
    assert names.index("CancelRequested") > names.index("ExternalTraded")
    assert core.only(CancelRequested).cl_ord_id == closing.request.cl_ord_id
    assert [effect.order_id for effect in core.all(CancelOrder)] == [closing.order_id]


def test_position_closed_elsewhere_is_guarded_no_more() -> None:
    core = Core(GO_ON)
    core.hold(1, 100, plan=ExitPlan(stop_px=950))
    _told(core, _trade(qty=100))
    assert (core.position.qty, core.position.protection) == (0, None)
    core.quote(900)
    assert core.live == []


def test_execution_of_ours_without_our_id_is_found_by_the_venues_order_id() -> None:
    core = Core()
    order = core.order(1, 100)
    core.accept(order)
    _told(core, _trade(side=1, qty=100, order_id=order.order_id))
    assert core.only(OrderFilled).cl_ord_id == order.request.cl_ord_id
    assert core.all(ExternalTraded) == []


@pytest.mark.parametrize(
    ("report", "reason"),
    [
        (_trade(side=1, cl_ord_id="0123456789abcdef0123"), "no such order here"),
        (_trade(side=1, instrument_id=""), "no such order here"),
        (_trade(side=0), "no such order here"),
        (_trade(exec_id=""), "without an execution id"),
        (_trade(qty=0), "without an execution id"),
        (_trade(instrument_id="Z"), "not an instrument of this workspace"),
    ],
)
def test_report_that_is_not_surely_made_elsewhere_is_parked(report: VenueReport, reason: str) -> None:
    core = Core()
    _told(core, report)
    assert reason in core.only(ReportParked).reason
    assert _codes(core) == ["UNCORRELATED_REPORT"]
    assert core.all(ExternalTraded) == []


def test_life_of_an_order_made_elsewhere_is_kept_and_calls_nobody() -> None:
    core = Core()
    _told(core, VenueReport("manual", ExecType.NEW, "by-hand", instrument_id="X", side=1))
    assert core.names() == ["VenueReported", "ReportParked"]
    assert core.effects == []


def test_history_recovers_what_the_stream_lost_and_a_second_look_changes_nothing() -> None:
    core = Core(GO_ON)
    order = core.order(1, 100)
    core.accept(order)
    lost = _trade("e1", 1, 60, cl_ord_id=order.request.cl_ord_id, order_id=order.order_id)
    _history(core, lost, _trade("h1"))
    assert (order.cum_qty, core.position.qty) == (60, 20)
    assert "FILL_RECOVERED" in _codes(core)
    assert _history(core, lost, _trade("h1")) == []


def test_order_that_waits_for_its_stop_to_be_gone_keeps_no_execution_from_being_booked() -> None:
    core = Core(profile(limits=Limits(allow_negative_cash=True, stops_at_venue=True)))
    core.hold(1, 100, plan=ExitPlan(stop_px=950))
    stop = core.live[0]
    core.feed(OutcomeUnknown(core.tick(), stop.request.cl_ord_id, "no answer"))
    stop.paged = core.replayed.book.orders[stop.request.cl_ord_id].paged = True  # somebody has been called
    close = core.order(-1, 0, action=Action.CLOSE)
    assert close.withheld
    _told(core, _trade())
    assert core.position.qty == 60


def test_history_waits_with_what_may_be_of_an_order_in_doubt() -> None:
    core = Core(GO_ON)
    unknown = core.order(1, 40)
    core.feed(OutcomeUnknown(core.tick(), unknown.request.cl_ord_id, "timed out"))
    report = _trade(side=1, order_id="R-1")
    _told(core, report)
    assert (core.names(), core.effects) == (["VenueReported", "ReportParked"], [])
    assert _history(core, report) == []
    core.report(unknown, ExecType.STATUS, order_id="R-1")
    _history(core, report)
    assert core.only(OrderFilled).cl_ord_id == unknown.request.cl_ord_id


# -- orders ---------------------------------------------------------------------------------------------------

THEIRS = WorkingOrder("by-hand", "manual", "X", "", 1, 50, 10, 900)


def test_order_made_elsewhere_counts_until_it_is_gone_and_pages_once() -> None:
    core = Core()
    _listed(core, THEIRS)
    assert exposures(core.state) == {"X": 40 * 900 * MONEY_PER_NOTIONAL}
    assert _codes(core) == ["EXTERNAL_ORDER"]
    assert _listed(core, THEIRS) == []
    assert core.effects == []
    _listed(core)
    assert exposures(core.state) == {}
    assert _codes(core) == []


def test_purchase_made_elsewhere_keeps_its_cash_promised() -> None:
    core = Core(profile(limits=Limits()), cash=100_000 * MONEY_PER_NOTIONAL)
    _listed(core, WorkingOrder("by-hand", "", "X", "", 1, 100, 0, 990))
    core.feed(SubmitIntent(core.tick(), core.intent(Action.TRADE, 1, 10)))
    assert "promised to working orders" in core.only(IntentRefused).reason


def test_execution_made_elsewhere_leaves_less_of_its_order() -> None:
    core = Core(GO_ON)
    _listed(core, THEIRS)
    _told(core, _trade("h1", 1, 30))
    assert core.state.book.external_orders["by-hand"].leaves_qty == 10
    _told(core, _trade("h2", 1, 10))
    assert core.state.book.external_orders == {}


def _ours(order: Any, cum_qty: int = 0) -> WorkingOrder:
    request = order.request
    return WorkingOrder(
        order.order_id, request.cl_ord_id, "X", "", request.side, request.order_qty, cum_qty, request.px
    )


def test_own_order_on_the_list_is_no_exposure_twice_and_its_absence_is_asked_about() -> None:
    core = Core()
    order = core.order(1, 100, px=900)
    core.accept(order)
    _listed(core, _ours(order))
    assert (core.events, core.effects) == ([], [])
    _listed(core, _ours(order, cum_qty=10))
    assert core.only(QueryOrder).request == order.request
    _listed(core)
    assert core.only(QueryOrder).request == order.request
    assert order.status == OrdStatus.NEW


def test_own_order_that_has_just_ended_is_not_taken_for_another() -> None:
    core = Core()
    order = core.order(1, 100, px=900)
    core.accept(order)
    core.canceled(order, cum_qty=0)
    assert _listed(core, _ours(order)) == []


def test_own_order_that_works_long_after_its_end_counts_as_exposure() -> None:
    core = Core()
    order = core.order(1, 100, px=900)
    core.accept(order)
    core.canceled(order, cum_qty=0)
    core.tick(core.state.book.profile.limits.unknown_page_ns)
    _listed(core, _ours(order))
    assert core.only(ExternalOrdersSeen).orders == (_ours(order),)


# -- moves ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "fields", "qty", "cash", "realised", "outside"),
    [
        (MoveKind.EXPIRY, {"qty": -100}, 0, -100_000, -100_000, 0),
        (MoveKind.EXPIRY, {"qty": -100, "px": 1020}, 0, 2_000, 2_000, 0),
        (MoveKind.SETTLEMENT, {"qty": -40, "px": 1020}, 60, -59_200, 800, 0),
        (MoveKind.SQUARE_OFF, {"qty": -100, "px": 990}, 0, -1_000, -1_000, 0),
        (MoveKind.FUNDING, {"amount": -7}, 100, -100_007, -7, 0),
        (MoveKind.SWAP, {"amount": 3}, 100, -99_997, 3, 0),
        (MoveKind.DIVIDEND, {"amount": 50}, 100, -99_950, 50, 0),
        (MoveKind.SPLIT, {"qty": 100}, 200, -100_000, 0, 0),
        (MoveKind.SPLIT, {"qty": -50, "amount": 9}, 50, -99_991, 9, 0),
        (MoveKind.DEPOSIT, {"amount": 500}, 100, -99_500, 0, 500),
        (MoveKind.WITHDRAWAL, {"amount": -500}, 100, -100_500, 0, -500),
        (MoveKind.TRANSFER, {"qty": 10, "px": 1100}, 110, -100_000, 0, 11_000),
        (MoveKind.TRANSFER, {"qty": -10, "px": 1100}, 90, -100_000, 1_000, -11_000),
    ],
)
def test_move_conserves_money_row(
    kind: MoveKind, fields: dict[str, Any], qty: int, cash: int, realised: int, outside: int
) -> None:
    core = Core()
    core.hold(1, 100)
    scaled: dict[str, Any] = {**fields, "amount": fields.get("amount", 0) * MONEY_PER_NOTIONAL}
    _moved(core, kind, **scaled)
    book = core.state.book
    found = [amount // MONEY_PER_NOTIONAL for amount in (book.cash, book.realised, book.outside)]
    assert (core.position.qty, *found) == (qty, cash, realised, outside)
    assert _moved(core, kind, **scaled) == []  # told again
    core.feed(ComparePositions(core.tick(), {"X": qty}))
    assert core.all(Halted) == []


@pytest.mark.parametrize(
    ("kind", "fields", "why"),
    [
        (MoveKind.EXPIRY, {"qty": 10}, "closes more than"),
        (MoveKind.SETTLEMENT, {"qty": -110, "px": 5}, "closes more than"),
        (MoveKind.SPLIT, {"qty": -100}, "leaves nothing"),
        (MoveKind.TRANSFER, {"qty": 5}, "need a price"),
        (MoveKind.FUNDING, {"qty": 5}, "moves no holdings"),
        (MoveKind.FUNDING, {"amount": 5, "asset": "BNB"}, "it is in BNB"),
        (MoveKind.DIVIDEND, {"amount": 5, "instrument_id": "Z"}, "not an instrument"),
        (MoveKind.DEPOSIT, {"amount": 5, "move_id": ""}, "no id"),
        (99, {"amount": 5}, "no kind"),
    ],
)
def test_move_that_cannot_be_booked_moves_nothing_and_pages_once(
    kind: MoveKind, fields: dict[str, Any], why: str
) -> None:
    core = Core()
    core.hold(1, 100)
    before = core.state.book.cash
    _moved(core, kind, **fields)
    assert why in core.only(AccountMoved).refused
    assert _codes(core) == ["UNUSABLE_MOVE"]
    assert (core.position.qty, core.state.book.cash) == (100, before)
    assert _moved(core, kind, **fields) == []


def test_split_moves_the_guard_and_takes_back_the_orders_of_before() -> None:
    core = Core()
    core.hold(1, 100, plan=ExitPlan(stop_px=950, target_px=1100))
    resting = core.order(0, 50, action=Action.CLOSE, px=1080)
    core.accept(resting)
    _moved(core, MoveKind.SPLIT, qty=100)
    guard = core.position.protection
    assert guard is not None
    assert (guard.stop_px, guard.target_px, guard.initial_risk) == (475, 550, 25)
    assert core.only(CancelRequested).cl_ord_id == resting.request.cl_ord_id
    assert core.state.quotes.get("X") is None
    core.quote(500)
    assert [order for order in core.live if order.exit_reason] == []


def test_settlement_shrinks_what_reduces_in_the_same_step() -> None:
    core = Core()
    core.hold(1, 100)
    closing = core.order(0, 80, action=Action.CLOSE, px=1100)
    core.accept(closing)
    _moved(core, MoveKind.SETTLEMENT, qty=-40, px=1000)
    assert core.only(CancelRequested).cl_ord_id == closing.request.cl_ord_id


def test_withdrawal_is_no_fall_of_the_equity() -> None:
    core = Core(cash=1_000)
    core.state.book.day.start_equity = core.replayed.book.day.start_equity = 1_000
    _moved(core, MoveKind.WITHDRAWAL, amount=-400)
    assert core.state.book.streaks.peak_equity == 600
    assert core.state.book.day.start_equity == 600
