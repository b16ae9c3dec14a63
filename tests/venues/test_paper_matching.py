"""The simulated market: every order type with every time in force, on ticks, quotes, bars and callers' prices."""

from __future__ import annotations

from typing import Any

import pytest
from tests.venues.paper import BUY, SELL, Paper

from surefill.domain.market import Quote, Source
from surefill.rules.codes import FeeKind, FillMode, OrdType, TimeInForce
from surefill.venues.paper import FeeRule, PaperSettings

MARKET, LIMIT, STOP, STOP_LIMIT = OrdType.MARKET, OrdType.LIMIT, OrdType.STOP, OrdType.STOP_LIMIT
DAY, GTC, IOC, FOK = TimeInForce.DAY, TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK
LTP, MID, BID_ASK = FillMode.LTP, FillMode.MID, FillMode.BID_ASK
LIMIT_99 = {"kind": LIMIT, "px": 990}
STOP_105 = {"kind": STOP, "stop_px": 1050}
STOP_LIMIT_105 = {"kind": STOP_LIMIT, "stop_px": 1050, "px": 1060}

# Order, then its first answer at a last price of 1000, then what a last price of 1055 and one of 980 do to it.
TICKS = [
    (BUY, {}, ["o1 100@1000"], [], []),
    (SELL, {}, ["o1 100@1000"], [], []),
    (BUY, LIMIT_99, ["o1 new"], [], ["o1 100@990"]),
    (BUY, {"kind": LIMIT, "px": 1000}, ["o1 100@1000"], [], []),
    (BUY, {"kind": LIMIT, "px": 1010}, ["o1 100@1010"], [], []),  # without a book: its own limit
    (SELL, {"kind": LIMIT, "px": 1050}, ["o1 new"], ["o1 100@1050"], []),
    (BUY, STOP_105, ["o1 new"], ["o1 100@1055"], []),
    (BUY, {"kind": STOP, "stop_px": 1000}, ["o1 100@1000"], [], []),
    (SELL, {"kind": STOP, "stop_px": 985}, ["o1 new"], [], ["o1 100@980"]),
    (BUY, STOP_LIMIT_105, ["o1 new"], ["o1 100@1060"], []),
    (BUY, {**STOP_LIMIT_105, "px": 1050}, ["o1 new"], ["o1 triggered"], ["o1 100@1050"]),
    (SELL, {"kind": STOP_LIMIT, "stop_px": 1000, "px": 1040}, ["o1 new", "o1 triggered"], ["o1 100@1040"], []),
]


@pytest.mark.parametrize("tif", [DAY, GTC])
@pytest.mark.parametrize(("side", "fields", "first", "up", "down"), TICKS)
def test_tick_row(
    side: int, fields: dict[str, Any], first: list[str], up: list[str], down: list[str], tif: TimeInForce
) -> None:
    paper = Paper()
    paper.quote(1000)
    assert paper.submit(side, 100, **fields, tif=tif) == first
    assert paper.quote(1055) == up
    assert paper.quote(980) == down
    assert paper.quote(1) == paper.quote(5000) == [], "an order trades once"


@pytest.mark.parametrize("tif", [IOC, FOK])
@pytest.mark.parametrize(("side", "fields", "first", "up", "down"), TICKS)
def test_tick_row_that_must_trade_at_once_does_or_is_gone(
    side: int, fields: dict[str, Any], first: list[str], up: list[str], down: list[str], tif: TimeInForce
) -> None:
    paper = Paper()
    paper.quote(1000)
    expected = first if "@" in first[0] else ["o1 canceled 0"]
    assert paper.submit(side, 100, **fields, tif=tif) == expected
    assert paper.quote(1055) == paper.quote(980) == []


def test_market_order_without_a_price_is_rejected_and_any_other_rests() -> None:
    paper = Paper()
    assert paper.submit(BUY, 100) == ["rejected NO_PRICE"]
    assert paper.submit(BUY, 100, **LIMIT_99) == ["o2 new"]
    assert paper.quote(1000) == []
    assert paper.quote(990) == ["o2 100@990"]


def test_plain_orders_ignore_a_trigger_that_is_not_theirs() -> None:
    paper = Paper()
    paper.quote(1000)
    assert paper.submit(BUY, 100, MARKET, stop_px=5000) == ["o1 100@1000"]
    assert paper.submit(BUY, 100, LIMIT, px=1000, stop_px=5000) == ["o2 100@1000"]


# -- quotes and fill modes ------------------------------------------------------------------------------------

BOOK = {"bid_px": 995, "ask_px": 1006}
MODES = [
    (LTP, BUY, {"last_px": 1000, **BOOK}, 1000),
    (LTP, BUY, BOOK, 1006),
    (LTP, SELL, BOOK, 995),
    (MID, BUY, {"last_px": 900, **BOOK}, 1001),  # 1000.5, rounded against us
    (MID, SELL, {"last_px": 900, **BOOK}, 1000),
    (MID, BUY, {"last_px": 900, "ask_px": 1006}, 900),
    (BID_ASK, BUY, {"last_px": 900, **BOOK}, 1006),
    (BID_ASK, SELL, {"last_px": 900, **BOOK}, 995),
    (BID_ASK, BUY, {"last_px": 1000, "bid_px": 995}, 1000),
]


@pytest.mark.parametrize(("mode", "side", "quote", "expected"), MODES)
def test_mode_row(mode: FillMode, side: int, quote: dict[str, int], expected: int) -> None:
    paper = Paper(fill_mode=mode)
    paper.quote(**quote)
    assert paper.submit(side, 100) == [f"o1 100@{expected}"]


@pytest.mark.parametrize(("side", "expected"), [(BUY, 1010), (SELL, 990)])
def test_spread_stands_in_for_a_missing_quote(side: int, expected: int) -> None:
    paper = Paper(fill_mode=BID_ASK, spread_ppb=20_000_000)  # 2 %, half of it on each side
    paper.quote(1000)
    assert paper.submit(side, 100) == [f"o1 100@{expected}"]


SLIPPAGE = 1_000_000  # 0.1 %


@pytest.mark.parametrize(
    ("side", "fields", "quote", "expected"),
    [
        (BUY, {}, {"last_px": 1000}, "o1 100@1005"),  # 1001, up to the tick
        (SELL, {}, {"last_px": 1000}, "o1 100@995"),
        (BUY, {"kind": STOP, "stop_px": 900}, {"last_px": 1000}, "o1 100@1005"),
        (BUY, {"kind": LIMIT, "px": 1000}, {"last_px": 1000}, "o1 100@1000"),  # never worse than its limit
        (BUY, {"kind": LIMIT, "px": 1010}, {"last_px": 1000, "ask_px": 1000}, "o1 100@1005"),
        (BUY, {"kind": LIMIT, "px": 1000}, {"last_px": 1000, "ask_px": 1000}, "o1 100@1000"),
    ],
)
def test_slippage_is_against_us_and_on_the_tick(
    side: int, fields: dict[str, Any], quote: dict[str, int], expected: str
) -> None:
    paper = Paper(slippage_ppb=SLIPPAGE)
    paper.quote(**quote)
    assert paper.submit(side, 100, **fields) == [expected]


def test_limit_with_a_book_trades_at_the_far_side_when_that_is_better() -> None:
    paper = Paper(fill_mode=BID_ASK)
    paper.quote(**BOOK)
    assert paper.submit(BUY, 100, LIMIT, px=1050) == ["o1 100@1006"]
    assert paper.submit(SELL, 100, LIMIT, px=900) == ["o2 100@995"]
    assert paper.submit(BUY, 100, LIMIT, px=1005) == ["o3 new"]
    assert paper.quote(bid_px=990, ask_px=1005) == ["o3 100@1005"]


# -- bars -----------------------------------------------------------------------------------------------------

# Order, sent before the bar; open, high, low, close; what the opening alone does, what the whole bar does then.
BARS = [
    (BUY, LIMIT_99, (1000, 1010, 990, 1000), [], ["o1 100@990"]),
    (BUY, LIMIT_99, (1000, 1010, 991, 1000), [], []),
    (BUY, LIMIT_99, (980, 1010, 970, 1000), ["o1 100@980"], []),  # a gap: better than its limit
    (SELL, {"kind": LIMIT, "px": 1050}, (1000, 1050, 990, 1000), [], ["o1 100@1050"]),
    (SELL, {"kind": LIMIT, "px": 1050}, (1070, 1080, 1060, 1060), ["o1 100@1070"], []),
    (BUY, STOP_105, (1000, 1050, 990, 1000), [], ["o1 100@1050"]),
    (BUY, STOP_105, (1000, 1049, 990, 1000), [], []),
    (BUY, STOP_105, (1080, 1090, 1000, 1000), ["o1 100@1080"], []),  # a gap: worse than its stop
    (SELL, {"kind": STOP, "stop_px": 950}, (930, 960, 900, 940), ["o1 100@930"], []),
    (BUY, STOP_LIMIT_105, (1000, 1055, 990, 1000), [], ["o1 100@1050"]),
    (BUY, STOP_LIMIT_105, (1100, 1110, 1055, 1060), ["o1 triggered"], ["o1 100@1060"]),
    (BUY, {**STOP_LIMIT_105, "px": 1040}, (1000, 1055, 990, 1050), [], ["o1 triggered"]),
    (BUY, {**STOP_LIMIT_105, "px": 1040}, (1000, 1055, 990, 1030), [], ["o1 100@1040"]),
]


@pytest.mark.parametrize(("side", "fields", "bar", "opened", "closed"), BARS)
def test_bar_row(
    side: int, fields: dict[str, Any], bar: tuple[int, int, int, int], opened: list[str], closed: list[str]
) -> None:
    paper = Paper()
    paper.quote(1000)
    assert paper.submit(side, 100, **fields) == ["o1 new"]
    assert paper.opened(bar[0]) == opened
    assert paper.bar(*bar, began=1) == closed


@pytest.mark.parametrize(("side", "fields", "bar", "opened", "closed"), BARS)
def test_bar_row_without_its_opening_fed_is_the_same(
    side: int, fields: dict[str, Any], bar: tuple[int, int, int, int], opened: list[str], closed: list[str]
) -> None:
    paper = Paper()
    paper.quote(1000)
    paper.submit(side, 100, **fields)
    both = [each for each in (*opened, *closed) if not (each.endswith("triggered") and len(opened + closed) == 2)]
    assert paper.bar(*bar) == both


def test_triggered_stop_limit_is_a_limit_order_from_the_next_bar_on() -> None:
    paper = Paper()
    paper.submit(BUY, 100, STOP_LIMIT, stop_px=1050, px=1040)
    assert paper.bar(1000, 1055, 990, 1050) == ["o1 triggered"]
    assert paper.bar(1045, 1049, 1041, 1045) == []
    assert paper.bar(1045, 1049, 1040, 1045) == ["o1 100@1040"]


def test_bar_slips_a_stop_and_not_a_limit() -> None:
    paper = Paper(slippage_ppb=SLIPPAGE)
    paper.submit(BUY, 100, **STOP_105)
    paper.submit(SELL, 100, LIMIT, px=1050)
    assert paper.bar(1000, 1050, 990, 1000) == ["o1 100@1055", "o2 100@1050"]


def test_stop_on_a_bar_pays_half_the_spread_in_bid_ask_mode() -> None:
    paper = Paper(fill_mode=BID_ASK, spread_ppb=20_000_000)
    paper.submit(SELL, 100, STOP, stop_px=1000)
    assert paper.bar(1010, 1010, 1000, 1005) == ["o1 100@990"]


@pytest.mark.parametrize(
    ("side", "fields", "bar", "expected"),
    [
        (BUY, LIMIT_99, (1000, 1010, 980, 1000), []),  # the low was before the order, for all that is known
        (BUY, LIMIT_99, (980, 1010, 980, 1000), []),
        (BUY, LIMIT_99, (1000, 1010, 980, 985), ["o1 100@985"]),
        (SELL, {"kind": STOP, "stop_px": 950}, (1000, 1010, 940, 1000), ["o1 100@950"]),  # the worst is believed
        (SELL, {"kind": STOP, "stop_px": 950}, (900, 1010, 900, 1000), ["o1 100@950"]),
        (SELL, {"kind": STOP, "stop_px": 950}, (1000, 1010, 951, 1000), []),
    ],
)
def test_bar_that_was_under_way_when_the_order_came(
    side: int, fields: dict[str, Any], bar: tuple[int, int, int, int], expected: list[str]
) -> None:
    paper = Paper()
    paper.quote(1000)
    paper.submit(side, 100, **fields)
    assert paper.bar(*bar, began=5) == expected


def test_order_sent_with_the_opening_belongs_to_the_whole_bar() -> None:
    paper = Paper()
    paper.opened(1000)
    request = paper.request(BUY, 100, LIMIT, px=990)
    assert paper.send(request) == ["o1 new"]
    paper.now_ns = request.transact_ns
    assert paper.bar(1000, 1010, 980, 1000, began=0) == ["o1 100@990"]


# -- which price a market order meets -------------------------------------------------------------------------


def test_market_order_inside_a_bar_trades_at_the_price_of_its_decision() -> None:
    paper = Paper(slippage_ppb=SLIPPAGE)
    paper.bar(1000, 1100, 900, 1050)
    assert paper.submit(SELL, 100, arrival_px=950) == ["o1 100@945"]  # a stop at 950, made worse
    assert paper.submit(SELL, 100) == ["o2 100@1045"]  # without one: the close


@pytest.mark.parametrize("source", [Source.QUOTE, Source.LAST, Source.CALLER])
def test_market_order_outside_a_bar_trades_at_the_market_whatever_it_was_decided_at(source: Source) -> None:
    paper = Paper()
    paper.venue.observe(Quote("X", paper.tick(), 1000, source=source))
    assert paper.submit(SELL, 100, arrival_px=950) == ["o1 100@1000"]


def test_last_market_data_counts_whichever_kind_it_is() -> None:
    paper = Paper()
    paper.bar(1000, 1100, 900, 1050)
    paper.quote(1234)
    assert paper.submit(SELL, 100, arrival_px=950) == ["o1 100@1234"]
    paper.opened(1111)
    assert paper.submit(SELL, 100) == ["o2 100@1111"]


# -- sizes ----------------------------------------------------------------------------------------------------


def _sized(ask_qty: int, bid_qty: int = 0) -> dict[str, int]:
    return {"bid_px": 995, "ask_px": 1000, "bid_qty": bid_qty, "ask_qty": ask_qty}


def test_partial_fills_take_what_the_quote_shows_in_whole_lots() -> None:
    paper = Paper(partial_fills=True)
    paper.quote(**_sized(45))
    assert paper.submit(BUY, 100) == ["o1 40@1000"]
    assert paper.quote(**_sized(25)) == ["o1 20@1000"]
    assert paper.quote(**_sized(5)) == []
    assert paper.quote(**_sized(1000)) == ["o1 40@1000"]
    assert paper.quote(**_sized(1000)) == []


def test_partial_fills_share_one_quote_among_orders_oldest_first() -> None:
    paper = Paper(partial_fills=True)
    paper.quote(995)
    for _ in range(3):
        paper.submit(BUY, 100, LIMIT, px=990)
    book = {"bid_px": 980, "ask_px": 990, "ask_qty": 150}
    assert paper.quote(**book) == ["o1 100@990", "o2 50@990"]
    assert paper.quote(**book) == ["o2 50@990", "o3 100@990"]


def test_partial_fills_keep_their_place_in_the_queue() -> None:
    paper = Paper(partial_fills=True)
    paper.quote(995)
    paper.submit(BUY, 100, LIMIT, px=990)
    book = {"bid_px": 980, "ask_px": 990, "ask_qty": 40}
    paper.quote(**book)
    paper.submit(BUY, 40, LIMIT, px=985)
    assert paper.quote(bid_px=980, ask_px=985, ask_qty=70) == ["o1 60@985", "o2 10@985"]


def test_partial_fills_of_the_two_sides_do_not_compete() -> None:
    paper = Paper(partial_fills=True)
    paper.quote(**_sized(50, 50))
    assert paper.submit(BUY, 50) == ["o1 50@1000"]
    assert paper.submit(SELL, 50) == ["o2 50@995"]
    assert paper.submit(BUY, 50) == ["o3 new"]


@pytest.mark.parametrize(
    ("tif", "shown", "expected"),
    [
        (IOC, 40, ["o1 40@1000", "o1 canceled 40"]),
        (IOC, 5, ["o1 canceled 0"]),
        (FOK, 90, ["o1 canceled 0"]),
        (FOK, 100, ["o1 100@1000"]),
        (IOC, 0, ["o1 100@1000"]),  # a feed without sizes limits nothing
        (FOK, 0, ["o1 100@1000"]),
    ],
)
def test_partial_fills_of_orders_that_may_not_rest(tif: TimeInForce, shown: int, expected: list[str]) -> None:
    paper = Paper(partial_fills=True)
    paper.quote(**_sized(shown))
    assert paper.submit(BUY, 100, tif=tif) == expected
    assert paper.quote(**_sized(1000)) == []


def test_sizes_are_ignored_unless_asked_for() -> None:
    paper = Paper()
    paper.quote(**_sized(10))
    assert paper.submit(BUY, 100) == ["o1 100@1000"]


def test_bars_have_no_sizes() -> None:
    paper = Paper(partial_fills=True)
    paper.submit(BUY, 100, **LIMIT_99)
    assert paper.bar(1000, 1000, 990, 1000) == ["o1 100@990"]


# -- latency --------------------------------------------------------------------------------------------------


def test_latency_lets_an_order_meet_the_first_price_that_is_late_enough() -> None:
    paper = Paper(latency_ns=10)
    paper.quote(1000)
    assert paper.submit(BUY, 100) == ["o1 new"]
    sent_ns = paper.now_ns
    paper.now_ns = sent_ns + 8
    assert paper.quote(1001) == []
    assert paper.quote(1002) == ["o1 100@1002"]
    assert paper.now_ns == sent_ns + 10


@pytest.mark.parametrize(("tif", "px", "expected"), [(IOC, 900, "o1 canceled 0"), (FOK, 1000, "o1 100@1000")])
def test_latency_of_orders_that_may_not_rest(tif: TimeInForce, px: int, expected: str) -> None:
    paper = Paper(latency_ns=2)
    paper.quote(1000)
    assert paper.submit(BUY, 100, LIMIT, px=px, tif=tif) == ["o1 new"]
    assert paper.quote(1000) == []
    assert paper.quote(1000) == [expected]
    assert paper.quote(1) == []


def test_latency_inside_a_bar_trades_at_its_close_not_at_its_past_open() -> None:
    paper = Paper(latency_ns=5)
    paper.opened(1000)
    assert paper.submit(BUY, 100) == ["o1 new"]
    paper.now_ns += 10
    assert paper.bar(1000, 1100, 900, 1070, began=11) == ["o1 100@1070"]


# -- the day --------------------------------------------------------------------------------------------------


def test_day_orders_expire_with_the_session_and_others_stay() -> None:
    paper = Paper()
    paper.submit(BUY, 100, LIMIT, px=900, tif=DAY)
    paper.submit(BUY, 100, LIMIT, px=900, tif=GTC)
    paper.submit(BUY, 100, LIMIT, px=990, tif=DAY)
    assert paper.bar(1000, 1000, 950, 1000) == ["o3 100@990"]
    assert paper.bar(1000, 1000, 950, 1000, end=True) == ["o1 expired 0"]
    assert paper.bar(1000, 1000, 900, 1000) == ["o2 100@900"]


def test_day_order_still_trades_in_the_last_bar() -> None:
    paper = Paper()
    paper.submit(BUY, 100, **LIMIT_99, tif=DAY)
    assert paper.bar(1000, 1000, 980, 1000, end=True) == ["o1 100@990"]


# -- fees -----------------------------------------------------------------------------------------------------


def test_fees_add_up_by_their_rules_and_the_fee_of_an_order_is_taken_once() -> None:
    fees = (
        FeeRule(FeeKind.PER_NOTIONAL, rate_ppb=1_000_000),
        FeeRule(FeeKind.PER_UNIT, per_unit=2),
        FeeRule(FeeKind.PER_ORDER, per_order=50),
    )
    paper = Paper(fees=fees, partial_fills=True)
    paper.quote(**_sized(40))
    assert paper.submit(BUY, 100) == [f"o1 40@1000 fee {4_000 + 80 + 50}"]  # money: 100 per notional quantum
    assert paper.quote(**_sized(100)) == [f"o1 60@1000 fee {6_000 + 120}"]


def test_fees_are_rounded_against_us_and_a_rebate_is_negative() -> None:
    paper = Paper(fees=(FeeRule(FeeKind.PER_NOTIONAL, rate_ppb=1),))
    paper.quote(1001)
    assert paper.submit(BUY, 10) == ["o1 10@1001 fee 1"]
    paper = Paper(fees=(FeeRule(FeeKind.PER_NOTIONAL, rate_ppb=-1_000_000),))
    paper.quote(1000)
    assert paper.submit(BUY, 10) == ["o1 10@1000 fee -1000"]


def test_settings_are_neutral_by_default() -> None:
    assert PaperSettings() == PaperSettings(FillMode.LTP, 0, 0, False, 0, ())
