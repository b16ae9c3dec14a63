"""Costs of simulated fills: by the order, by the day, by who gave liquidity."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from tests.venues.paper import BUY, SELL, Paper, told
from tests.venues.paper import X as PLAIN

from surefill.domain.costs import SCHEDULES, CostSchedule, fx_schedule
from surefill.domain.instrument import Instrument
from surefill.domain.market import Quote
from surefill.domain.orders import Order
from surefill.domain.state import Book
from surefill.rules.codes import FeeKind, OrdStatus, OrdType, TimeInForce
from surefill.units import ns_from_iso
from surefill.venues.paper import FeeRule, PaperSettings

LIMIT, STOP_LIMIT = OrdType.LIMIT, OrdType.STOP_LIMIT
DAY = "2025-06-02T12:00:00+05:30"


def _paper(schedule: str | CostSchedule = "zerodha", segment: str = "futures", day: str = DAY, **fields: Any) -> Paper:
    """Prices in rupees, money in paise: 100 for each price quantum and unit."""
    costs = SCHEDULES[schedule] if isinstance(schedule, str) else schedule
    paper = Paper(PaperSettings(costs=costs, money_decimals=2, **fields))
    _define(paper, segment)
    paper.now_ns = ns_from_iso(day)
    return paper


def _define(paper: Paper, segment: str) -> dict[str, Instrument]:
    known = {"X": msgspec.structs.replace(PLAIN, segment=segment)}
    paper.venue.restore(Book(instruments=known), {})
    return known


def test_fill_pays_the_whole_schedule() -> None:
    """400 at 1000: brokerage 20, exchange 6.92, IPFT 0.40, SEBI 0.40, stamp 8, GST 4.99 (18 % of 27.72)."""
    paper = _paper()
    paper.quote(1000)
    assert paper.submit(BUY, 400) == ["o1 400@1000 fee 4071"]


def test_sale_pays_stt_and_no_stamp_duty() -> None:
    """400 at 1100: brokerage 20, STT 88, exchange 7.62, IPFT 0.44, SEBI 0.44, GST 5.13."""
    paper = _paper()
    paper.quote(1100)
    assert paper.submit(SELL, 400) == ["o1 400@1100 fee 12163"]


def test_fills_of_an_order_pay_together_what_one_fill_pays() -> None:
    """150 of 400 at 1000 pay: brokerage 20, exchange 2.60, IPFT 0.15, SEBI 0.15, stamp 3, GST 4.13 (of 22.90)."""
    paper = _paper(partial_fills=True)
    paper.quote(bid_px=990, ask_px=1000, ask_qty=150)
    assert paper.submit(BUY, 400) == ["o1 150@1000 fee 3003"]
    assert paper.quote(bid_px=990, ask_px=1000, ask_qty=500) == [f"o1 250@1000 fee {4071 - 3003}"]


def test_order_taken_over_after_a_restart_goes_on_paying_what_is_left() -> None:
    paper = _paper(partial_fills=True)
    request = paper.request(BUY, 400, LIMIT, px=1000)
    order = Order(request, "X", "", "", "", request.transact_ns, status=OrdStatus.NEW)
    order.cum_qty, order.cum_notional, order.exec_ids = 150, 150 * 1000, ["o1.1"]
    book = Book(instruments={"X": msgspec.structs.replace(PLAIN, segment="futures")}, orders={"c1": order})
    paper.venue.restore(book, {})
    assert paper.quote(1000) == [f"o1 250@1000 fee {4071 - 3003}"]


@pytest.mark.parametrize(("day", "stt"), [("2026-03-31T23:59:59+05:30", 88_00), ("2026-04-01T00:00:00+05:30", 220_00)])
def test_fill_pays_the_rates_of_its_own_moment(day: str, stt: int) -> None:
    paper = _paper(day=day)
    paper.quote(1100)
    assert paper.submit(SELL, 400) == [f"o1 400@1100 fee {12163 - 8800 + stt}"]


def test_order_of_a_day_before_the_schedule_is_rejected() -> None:
    paper = _paper(day="2021-03-31T12:00:00+05:30")
    paper.quote(1000)
    assert paper.submit(BUY, 400) == ["rejected NO_COST_RATES"]


def test_order_of_an_instrument_without_a_segment_is_rejected() -> None:
    paper = _paper(segment="")
    paper.quote(1000)
    assert paper.submit(BUY, 400) == ["rejected NO_COST_RATES"]


def test_resting_order_that_can_no_longer_be_priced_is_canceled_and_the_others_trade() -> None:
    paper = _paper()
    known = _define(paper, "futures")
    assert paper.submit(BUY, 400, LIMIT, px=1000) == ["o1 new"]
    known["X"] = PLAIN
    (report,) = paper.venue.observe(Quote("X", paper.tick(), 1000))
    assert told((report,)) == ["o1 canceled 0"]
    assert report.text.startswith("X: the cost schedule zerodha has no segment ''")
    assert paper.quote(1000) == []


def test_fees_of_their_own_come_on_top() -> None:
    paper = _paper(fees=(FeeRule(FeeKind.PER_ORDER, per_order=50),))
    paper.quote(1000)
    assert paper.submit(BUY, 400) == ["o1 400@1000 fee 4121"]


@pytest.mark.parametrize(("bucket", "fee"), [("MIS", 50_57), ("CNC", 474_97), ("", 474_97)])
def test_product_in_the_bucket_decides_between_intraday_and_delivery(bucket: str, fee: int) -> None:
    paper = _paper(segment="equity")
    paper.quote(1000)
    request = msgspec.structs.replace(paper.request(BUY, 400), bucket=bucket)
    assert paper.send(request) == [f"o1 400@1000 fee {fee}"]


def test_commission_by_the_lot_is_paid_on_each_side() -> None:
    paper = _paper(fx_schedule(per_lot="3.5", lot_units="100"), "fx")
    paper.quote(1000)
    assert paper.submit(BUY, 400) == ["o1 400@1000 fee 1400"]
    assert paper.submit(SELL, 400) == ["o2 400@1000 fee 1400"]


# -- maker and taker: 100 at 1000 are 10,000,000 cents; takers pay 5000, makers 2000 -----------------------------


def _binance(**fields: Any) -> Paper:
    return _paper("binance_usdm", **fields)


def test_order_that_trades_at_once_takes() -> None:
    paper = _binance()
    paper.quote(1000)
    assert paper.submit(BUY, 100) == ["o1 100@1000 fee 5000"]
    assert paper.submit(BUY, 100, LIMIT, px=1010) == ["o2 100@1010 fee 5050"]  # at the limit: there is no quote


def test_limit_that_rested_makes() -> None:
    paper = _binance()
    paper.quote(1050)
    assert paper.submit(BUY, 100, LIMIT, px=1000) == ["o1 new"]
    assert paper.quote(1000) == ["o1 100@1000 fee 2000"]


def test_limit_inside_a_bar_makes() -> None:
    paper = _binance()
    paper.quote(1050)
    paper.submit(BUY, 100, LIMIT, px=1000)
    assert paper.bar(1040, 1045, 995, 1005) == ["o1 100@1000 fee 2000"]


def test_stop_takes_however_long_it_rested() -> None:
    paper = _binance()
    paper.quote(1000)
    paper.submit(SELL, 100, OrdType.STOP, stop_px=950)
    assert paper.quote(950) == ["o1 100@950 fee 4750"]


def test_stop_limit_takes_at_its_trigger_and_makes_once_it_rests() -> None:
    paper = _binance()
    paper.quote(1000)
    paper.submit(BUY, 100, STOP_LIMIT, px=1060, stop_px=1050)
    assert paper.quote(1055) == ["o1 100@1060 fee 5300"]
    paper.submit(BUY, 100, STOP_LIMIT, px=1060, stop_px=1058)
    assert paper.quote(1070) == ["o2 triggered"]
    assert paper.quote(1060) == ["o2 100@1060 fee 2120"]


def test_limit_that_took_a_part_makes_with_the_rest() -> None:
    paper = _binance(partial_fills=True)
    paper.quote(bid_px=990, ask_px=1000, ask_qty=40)
    assert paper.submit(BUY, 100, LIMIT, px=1000) == ["o1 40@1000 fee 2000"]
    assert paper.quote(bid_px=990, ask_px=1000, ask_qty=100) == ["o1 60@1000 fee 1200"]


def test_market_order_that_waits_for_sizes_takes_to_the_end() -> None:
    paper = _binance(partial_fills=True)
    paper.quote(bid_px=990, ask_px=1000, ask_qty=40)
    assert paper.submit(BUY, 100) == ["o1 40@1000 fee 2000"]
    assert paper.quote(bid_px=990, ask_px=1000, ask_qty=100) == ["o1 60@1000 fee 3000"]


def test_order_on_its_way_takes_what_it_meets_first() -> None:
    paper = _binance(latency_ns=5)
    paper.quote(1000)
    assert paper.submit(BUY, 100, LIMIT, px=1000) == ["o1 new"]
    paper.tick(5)
    assert paper.quote(1000) == ["o1 100@1000 fee 5000"]


@pytest.mark.parametrize("latency_ns", [0, 5])
@pytest.mark.parametrize("restart", [False, True])
def test_restart_changes_nothing_about_who_makes(latency_ns: int, restart: bool) -> None:
    """With a latency the first fill counts as taking, whether the book was taken over in between or not."""
    paper = _binance(latency_ns=latency_ns)
    paper.quote(1050)
    request = paper.request(BUY, 100, LIMIT, px=1000, tif=TimeInForce.GTC)
    paper.send(request)
    paper.tick(5)
    paper.quote(1050)
    if restart:
        order = Order(request, "X", "", "", "", request.transact_ns, status=OrdStatus.NEW)
        known = {"X": msgspec.structs.replace(PLAIN, segment="futures")}
        paper.venue.restore(Book(instruments=known, orders={request.cl_ord_id: order}), {})
    assert paper.quote(1000) == [f"o1 100@1000 fee {5000 if latency_ns else 2000}"]
