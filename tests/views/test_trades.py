"""Round trips: from flat to flat, nothing lost between fills, trades and the book."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.views.trading import FEES, RUPEE, Trading, at_random

from surefill.domain.events import OrderFilled, WorkspaceReset
from surefill.domain.intent import Action, ExitPlan
from surefill.venues.paper import PaperSettings
from surefill.views.trades import TradeLog, closed_trades

# (price in rupees, side, quantity) fills; then per trade: side, quantity, entry, exit, realised
TRIPS: list[tuple[list[tuple[int, int, int]], list[tuple[str, float, float, float, float]]]] = [
    ([(100, 1, 1)], []),
    ([(100, 1, 2), (110, -1, 2)], [("LONG", 2.0, 100.0, 110.0, 20.0)]),
    ([(100, -1, 2), (110, 1, 2)], [("SHORT", 2.0, 100.0, 110.0, -20.0)]),
    ([(100, 1, 1), (110, 1, 1), (120, -1, 2)], [("LONG", 2.0, 105.0, 120.0, 30.0)]),
    ([(100, 1, 2), (110, -1, 1), (120, -1, 1)], [("LONG", 2.0, 100.0, 115.0, 30.0)]),
    ([(100, 1, 1), (110, -1, 3)], [("LONG", 1.0, 100.0, 110.0, 10.0)]),
    (
        [(100, 1, 1), (110, -1, 3), (90, 1, 2)],
        [("LONG", 1.0, 100.0, 110.0, 10.0), ("SHORT", 2.0, 110.0, 90.0, 40.0)],
    ),
]


@pytest.mark.parametrize(("fills", "expected"), TRIPS)
def test_closed_trades_of_fills_are_the_round_trips(
    fills: list[tuple[int, int, int]], expected: list[tuple[str, float, float, float, float]]
) -> None:
    trading = Trading()
    for rupees, side, qty in fills:
        trading.price(rupees * 100)
        trading.trade(side, qty)
    rows = closed_trades(trading.events())
    assert [(row.side, row.qty, row.entry_price, row.exit_price, row.realised) for row in rows] == expected
    assert all(row.entry_ns < row.exit_ns and row.strategy == "EMA_20_50" for row in rows)


def test_closed_trade_carries_its_exits_reason_and_the_fees_of_all_its_fills() -> None:
    trading = Trading(settings=PaperSettings(fees=FEES))
    trading.price(10_000)
    story = trading.trade(1, 10, plan=ExitPlan(stop_px=9_000))
    trading.price(8_995)
    (row,) = closed_trades(trading.events())
    assert (row.exit_reason, row.correlation_id) == ("stop", story)
    # 3 bps of 1000 and of 899.50, and 20 an order
    assert (row.fees, row.realised, row.net) == (40.56985, -100.5, -141.06985)


def test_closed_trade_of_upstreams_close_says_signal() -> None:
    trading = Trading()
    trading.price(10_000)
    trading.trade(1, 1)
    trading.trade(0, 0, action=Action.CLOSE)
    assert [row.exit_reason for row in closed_trades(trading.events())] == ["signal"]


def test_flipping_fill_shares_its_fee_between_both_trades() -> None:
    trading = Trading(settings=PaperSettings(fees=FEES))
    trading.price(10_000)
    trading.trade(1, 1)
    trading.trade(-1, 4)
    log = TradeLog()
    for event in trading.events():
        log.apply(event)
    fees = [event.fee for event in trading.events() if isinstance(event, OrderFilled)]
    assert log.closed[0].fees == fees[0] + fees[1] // 4
    assert log.running["NIFTY24DECFUT"].fees == fees[1] - fees[1] // 4


@given(st.integers(0, 2**32))
@settings(max_examples=30)
def test_trades_of_random_trading_add_up_to_the_book(seed: int) -> None:
    trading = at_random(random.Random(seed), 60)
    log = TradeLog()
    for event in trading.events():
        if isinstance(event, WorkspaceReset):
            log.closed.clear()
        log.apply(event)
    book = trading.writer.state.book
    trades = [*log.closed, *log.running.values()]
    assert sum(trade.realised for trade in trades) == book.realised
    assert sum(trade.fees for trade in trades) == book.fees
    assert all(trade.entry_qty == trade.exit_qty for trade in log.closed)
    open_qty = {key: trade.side * (trade.entry_qty - trade.exit_qty) for key, trade in log.running.items()}
    assert open_qty == {key: position.qty for key, position in trading.writer.state.open_positions()}
    # What went in and came out of the closed ones is what they realised.
    per_notional = RUPEE // 100
    made = sum(trade.side * (trade.exit_notional - trade.entry_notional) for trade in log.closed) * per_notional
    assert made == sum(trade.realised for trade in log.closed)
