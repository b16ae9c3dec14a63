"""The simulated book: canceling, asking, holding positions, and being rebuilt from the journal in mid-life."""

from __future__ import annotations

import pytest
from tests.venues.paper import BUY, SELL, Paper, X, told

from surefill.domain.market import Quote
from surefill.domain.orders import Order
from surefill.domain.position import Position
from surefill.domain.reports import VenueReport
from surefill.domain.state import Book
from surefill.engine.answers import at_once
from surefill.rules.codes import FeeKind, OrdStatus, OrdType, TimeInForce
from surefill.venues.paper import FeeRule, PaperSettings, PaperVenue
from surefill.venues.paper.venue import ENDED_MAX

LIMIT, STOP_LIMIT = OrdType.LIMIT, OrdType.STOP_LIMIT


def test_cancel_takes_a_resting_order_out_for_good() -> None:
    paper = Paper()
    request = paper.request(BUY, 100, LIMIT, px=990)
    paper.send(request)
    assert paper.cancel(request) == ["o1 canceled 0"]
    assert paper.cancel(request) == ["rejected UNKNOWN_ORDER"]
    assert paper.quote(900) == []


def test_cancel_of_a_partly_filled_order_tells_what_it_filled() -> None:
    paper = Paper(partial_fills=True)
    paper.quote(bid_px=990, ask_px=1000, ask_qty=40)
    request = paper.request(BUY, 100)
    paper.send(request)
    assert paper.cancel(request) == ["o1 canceled 40"]


def test_cancel_of_a_filled_or_unheard_of_order_is_rejected() -> None:
    paper = Paper()
    paper.quote(1000)
    request = paper.request(BUY, 100)
    paper.send(request)
    assert paper.cancel(request) == ["rejected UNKNOWN_ORDER"]
    assert paper.cancel(paper.request(BUY, 100)) == ["rejected UNKNOWN_ORDER"]


def test_query_tells_working_ended_and_absent_apart() -> None:
    paper = Paper()
    resting, filled, canceled, unsent = (paper.request(BUY, 100, LIMIT, px=px) for px in (900, 1000, 900, 900))
    paper.quote(1000)
    for request in (resting, filled, canceled):
        paper.send(request)
    paper.cancel(canceled)
    answers = [at_once(paper.venue.query(each)) for each in (resting, filled, canceled, unsent)]
    assert [(answer.found, told(answer.reports)) for answer in answers] == [
        (True, ["o1 status 0"]),
        (True, ["o2 100@1000"]),
        (True, ["o3 canceled 0"]),
        (False, []),
    ]


def test_ended_orders_are_forgotten_in_time() -> None:
    paper = Paper()
    paper.quote(1000)
    first = paper.request(BUY, 10)
    paper.send(first)
    for _ in range(ENDED_MAX):
        paper.submit(BUY, 10)
    assert not at_once(paper.venue.query(first)).found


def test_positions_are_the_net_of_what_traded() -> None:
    paper = Paper()
    paper.quote(1000)
    paper.submit(BUY, 100)
    paper.submit(SELL, 130)
    assert at_once(paper.venue.positions()) == {"X": -30}
    paper.submit(BUY, 30)
    assert at_once(paper.venue.positions()) == {}


def test_reports_carry_distinct_execution_ids_and_the_time_of_the_market() -> None:
    paper = Paper(partial_fills=True)
    paper.submit(BUY, 100, LIMIT, px=1000)
    reports: list[VenueReport] = []
    for _ in range(3):
        quote = Quote("X", paper.tick(), 0, 990, 1000, 10, 40)
        reports += paper.venue.observe(quote)
        assert reports[-1].transact_ns == quote.ts_ns
    assert [report.exec_id for report in reports] == ["o1.1", "o1.2", "o1.3"]


# -- rebuilt from the journal ---------------------------------------------------------------------------------


def _book(*orders: Order) -> Book:
    book = Book(instruments={"X": X}, positions={"X": Position("X", qty=70, cost=70_000)})
    book.orders = {order.request.cl_ord_id: order for order in orders}
    return book


def _order(paper: Paper, kind: OrdType = LIMIT, cum_qty: int = 0, fills: int = 0, **fields: object) -> Order:
    request = paper.request(BUY, 100, kind, px=1000, stop_px=1050 if kind == STOP_LIMIT else 0)
    order = Order(request, "X", "", "", "", request.transact_ns, status=OrdStatus.NEW, cum_qty=cum_qty)
    order.exec_ids = [f"{request.order_ref}.{n}" for n in range(1, fills + 1)]
    order.triggered = bool(fields.get("triggered"))
    return order


def test_restored_order_goes_on_where_it_was() -> None:
    fees = (FeeRule(FeeKind.PER_ORDER, per_order=50),)
    paper = Paper(PaperSettings(partial_fills=True, fees=fees))
    paper.venue.restore(_book(_order(paper, cum_qty=70, fills=2), _order(paper)), {})
    reports = paper.venue.observe(Quote("X", paper.tick(), 0, 990, 1000, 10, 50))
    assert told(reports) == ["o1 30@1000", "o2 20@1000 fee 50"]  # its own fee was paid with its first fill
    assert [report.exec_id for report in reports] == ["o1.3", "o2.1"]


@pytest.mark.parametrize(("triggered", "expected"), [(True, ["o1 100@1000"]), (False, [])])
def test_restored_stop_limit_knows_whether_it_was_triggered(triggered: bool, expected: list[str]) -> None:
    paper = Paper()
    paper.venue.restore(_book(_order(paper, STOP_LIMIT, triggered=triggered)), {})
    assert paper.quote(1000) == expected


def test_restored_orders_keep_their_place_in_the_queue() -> None:
    paper = Paper(partial_fills=True)
    orders = [_order(paper) for _ in range(12)]
    paper.venue.restore(_book(*orders), {})
    assert paper.quote(bid_px=990, ask_px=1000, ask_qty=150) == ["o1 100@1000", "o2 50@1000"]


def test_restored_book_forgets_what_it_had_and_takes_over_the_positions() -> None:
    paper = Paper()
    paper.quote(1000)
    ended = paper.request(BUY, 100)
    paper.send(ended)
    paper.submit(BUY, 100, LIMIT, px=900)
    paper.venue.restore(_book(), {})
    assert at_once(paper.venue.positions()) == {"X": 70}
    assert not at_once(paper.venue.query(ended)).found
    assert paper.submit(BUY, 10) == ["rejected NO_PRICE"]
    assert paper.quote(900) == []


def test_restored_market_is_there_for_new_orders_and_does_not_trade_with_old_ones() -> None:
    paper = Paper()
    quote = Quote("X", 5, 1000)
    paper.venue.restore(_book(_order(paper)), {"X": quote})
    assert paper.submit(BUY, 10) == ["o2 10@1000"]
    assert paper.quote(1000) == ["o1 100@1000"]


def test_capabilities_say_that_everything_is_in_this_process() -> None:
    capabilities = PaperVenue().capabilities
    assert capabilities.in_process
    assert capabilities.ord_types == frozenset(OrdType)
    assert capabilities.time_in_force == frozenset(TimeInForce)
