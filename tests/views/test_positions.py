"""The position maths of the documents, seen through the view: exact inside, floats at the edge."""

from __future__ import annotations

import pytest
from tests.views.trading import Trading

from surefill.domain.inputs import ResetWorkspace
from surefill.views.fold import Fold
from surefill.views.positions import PositionRow, position_rows, totals

SYMBOL = "NIFTY24DECFUT"

# fills (rupees, side, quantity), then the mark; quantity, average, realised, unrealised
MATHS: list[tuple[list[tuple[float, int, int]], float, tuple[int, float, float, float]]] = [
    ([(100, 1, 1)], 100, (1, 100.0, 0.0, 0.0)),
    ([(100, 1, 1)], 103.5, (1, 100.0, 0.0, 3.5)),
    ([(100, -1, 2)], 103.5, (-2, 100.0, 0.0, -7.0)),
    ([(100, 1, 1), (110, 1, 3)], 110, (4, 107.5, 0.0, 10.0)),  # adding: weighted average
    ([(100, 1, 1), (101, 1, 1), (101, 1, 1)], 101, (3, 302 / 3, 0.0, 1.0)),
    ([(100, 1, 3), (110, -1, 1)], 110, (2, 100.0, 10.0, 20.0)),  # reducing keeps the average
    ([(100, -1, 3), (90, 1, 1)], 90, (-2, 100.0, 10.0, 20.0)),  # mirrored for shorts
    ([(100, 1, 2), (90, -1, 2)], 95, (0, 0.0, -20.0, 0.0)),  # flat: average 0
    ([(100, 1, 1), (110, -1, 3)], 105, (-2, 110.0, 10.0, 10.0)),  # a flip closes, then opens at the fill price
]


@pytest.mark.parametrize(("fills", "mark", "expected"), MATHS)
def test_position_row_after_fills_has_the_documents_figures(
    fills: list[tuple[float, int, int]], mark: float, expected: tuple[int, float, float, float]
) -> None:
    trading = Trading()
    for rupees, side, qty in fills:
        trading.price(round(rupees * 100))
        trading.trade(side, qty)
    rows = position_rows(trading.writer.state.book, {SYMBOL: round(mark * 100)})
    assert rows == {SYMBOL: PositionRow(*expected)}


def test_position_row_without_a_mark_shows_nothing_unrealised() -> None:
    trading = Trading()
    trading.price(10_000)
    trading.trade(1, 1)
    assert position_rows(trading.writer.state.book, {})[SYMBOL].unrealized_pnl == 0.0


def test_totals_add_up_positions_and_count_orders() -> None:
    trading = Trading()
    for symbol, px in ((SYMBOL, 10_000), ("RELIANCE", 20_000)):
        trading.price(px, symbol)
        trading.trade(1, 2, symbol)
    trading.price(11_000)
    trading.trade(-1, 1)
    trading.trade(1, 0)  # refused: no order
    fold = Fold()
    for event in trading.events():
        fold.apply(event)
    result = totals(fold.book, {SYMBOL: 10_500, "RELIANCE": 19_000}, fold.orders)
    assert (result.total_orders, result.active_positions) == (3, 2)
    assert (result.realized_pnl, result.unrealized_pnl, result.total_pnl) == (10.0, 5.0 - 20.0, -5.0)


def test_totals_after_a_reset_begin_anew() -> None:
    trading = Trading()
    trading.price(10_000)
    trading.trade(1, 2)
    trading.feed(ResetWorkspace(trading.tick(), 0, "somebody"))
    fold = Fold()
    for event in trading.events():
        fold.apply(event)
    assert totals(fold.book, fold.marks, fold.orders).total_orders == 0
    assert position_rows(fold.book, fold.marks) == {}
