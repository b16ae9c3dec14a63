"""The blotter: one row per order or refusal, as it stands now."""

from __future__ import annotations

import random

import pytest
from tests.views.trading import Trading, at_random

from surefill.domain.inputs import OutcomeUnknown, RequestCancel
from surefill.domain.intent import Action, ExitPlan
from surefill.domain.market import Quote
from surefill.rules.codes import OrdType, TimeInForce
from surefill.venues.paper import PaperSettings
from surefill.views.blotter import BlotterRow, blotter


def last_row(trading: Trading) -> BlotterRow:
    return blotter(trading.events())[-1]


def figures(row: BlotterRow) -> tuple[object, ...]:
    return row.side, row.ord_type, row.qty, row.cum_qty, row.avg_px, row.status


def test_blotter_row_of_a_filled_order_has_its_figures_and_times() -> None:
    trading = Trading()
    trading.price(1_950_000)
    story = trading.trade(1, 2, reason="ema cross")
    row = last_row(trading)
    assert figures(row) == ("BUY", "MARKET", 2, 2, 19500.0, "FILLED")
    assert (row.order_ref, row.correlation_id, row.symbol) == ("V3-20251119092002-0001", story, "NIFTY24DECFUT")
    assert (row.underlying, row.strategy, row.reason, row.message) == ("NIFTY", "EMA_20_50", "ema cross", "")
    assert row.created == row.updated == "2025-11-19T09:20:02Z"
    assert len(row.cl_ord_id) == 20


def test_blotter_row_of_a_refused_intent_tells_why() -> None:
    trading = Trading()
    trading.trade(1, 2)
    row = last_row(trading)
    assert figures(row) == ("BUY", "MARKET", 2, 0, 0.0, "REJECTED")
    assert row.message.startswith("NO_MARKET_DATA: no price for NIFTY24DECFUT")
    assert row.cl_ord_id == ""


@pytest.mark.parametrize(
    ("held", "expected"), [(0, ("EXIT", "MARKET", 0, 0)), (3, ("SELL", "MARKET", 3, 0)), (-3, ("BUY", "MARKET", 3, 0))]
)
def test_blotter_row_of_a_refused_close_names_what_would_have_flattened(
    held: int, expected: tuple[object, ...]
) -> None:
    trading = Trading()
    trading.price(10_000)
    if held:
        trading.trade(1 if held > 0 else -1, abs(held))
    trading.feed(Quote("NIFTY24DECFUT", trading.tick()))  # the market goes dark
    trading.trade(0, 0, action=Action.CLOSE)
    assert figures(last_row(trading))[:4] == expected


def test_blotter_row_of_a_resting_order_is_placed_then_cancelled() -> None:
    trading = Trading()
    trading.price(10_000)
    trading.trade(1, 2, ord_type=OrdType.LIMIT, px=9_000)
    assert figures(last_row(trading)) == ("BUY", "LIMIT", 2, 0, 0.0, "PLACED")
    (cl_ord_id,) = trading.writer.state.book.orders
    trading.feed(RequestCancel(trading.tick(), cl_ord_id, "somebody"))
    row = last_row(trading)
    assert figures(row) == ("BUY", "LIMIT", 2, 0, 0.0, "CANCELLED")
    assert row.message == "canceled on request"
    assert row.created < row.updated


def test_blotter_row_of_an_order_partly_filled_and_then_cancelled_stays_partial() -> None:
    trading = Trading(settings=PaperSettings(partial_fills=True))
    trading.feed(Quote("NIFTY24DECFUT", trading.tick(), 10_000, 9_995, 10_000, 5, 3))
    trading.trade(1, 5, ord_type=OrdType.LIMIT, px=10_000, time_in_force=TimeInForce.IOC)
    assert figures(last_row(trading)) == ("BUY", "LIMIT", 5, 3, 100.0, "PARTIAL")


def test_blotter_row_of_an_exit_says_which_and_belongs_to_the_entrys_story() -> None:
    trading = Trading()
    trading.price(10_000)
    story = trading.trade(1, 2, plan=ExitPlan(stop_px=9_000), reason="cross")
    trading.price(8_990)
    row = last_row(trading)
    assert figures(row) == ("SELL", "MARKET", 2, 2, 89.9, "FILLED")
    assert (row.reason, row.correlation_id) == ("stop", story)


def test_blotter_row_of_an_unknown_outcome_is_placed_and_says_so() -> None:
    trading = Trading()
    trading.writer.in_process = None  # a venue that is elsewhere, and does not answer
    trading.price(10_000)
    trading.trade(1, 2, ord_type=OrdType.LIMIT, px=9_000)
    (cl_ord_id,) = trading.writer.state.book.orders
    trading.feed(OutcomeUnknown(trading.tick(), cl_ord_id, "timed out"))
    row = last_row(trading)
    assert (row.status, row.message) == ("PLACED", "OUTCOME_UNKNOWN: timed out")


@pytest.mark.parametrize("seed", range(8))
def test_blotter_of_random_trading_agrees_with_the_state(seed: int) -> None:
    trading = at_random(random.Random(seed), 80)
    rows = {row.cl_ord_id: row for row in blotter(trading.events()) if row.cl_ord_id}
    book = trading.writer.state.book
    for cl_ord_id, order in (*book.orders.items(), *book.done.items()):
        row = rows[cl_ord_id]
        assert (row.qty, row.cum_qty) == (order.request.order_qty, order.cum_qty)
        assert (row.status == "PLACED") == (cl_ord_id in book.orders and not order.cum_qty)
    refs = [row.order_ref for row in blotter(trading.events())]
    assert len(refs) == len(set(refs)) == book.number
