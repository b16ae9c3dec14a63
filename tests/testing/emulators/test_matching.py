"""The small matching engine that emulated venues share."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from surefill.testing.emulators.common.matching import Event, Matcher
from surefill.testing.emulators.common.records import Execution, Order, OrdType, Position, Quote, Status, Tif, booked
from surefill.testing.emulators.common.store import Store


class Plain:
    """Books that charge nothing and remember what they were told."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def price(self, execution: Execution) -> Execution:
        return execution

    def allowed_qty(self, order: Order) -> Decimal:
        return order.leaves_qty

    def told(self, event: Event) -> None:
        self.events.append(event)


def _engine(path: str = ":memory:") -> tuple[Matcher, Plain]:
    books = Plain()
    return Matcher(Store(path), books, lambda: 1_000), books


def _order(**terms: Any) -> Order:
    """A buy of 5 at a limit of 100."""
    defaults = Order("main", "spot", "XYZ", 1, OrdType.LIMIT, Decimal(5), Decimal(100))
    return defaults._replace(**terms)


def _quote(bid: int, ask: int, shown: Decimal | None = None) -> Quote:
    return Quote("XYZ", Decimal(bid), Decimal(ask), Decimal(bid), shown, shown)


TAKING: list[tuple[str, Order, Quote, Status, int, int]] = [
    ("market takes the ask", _order(ord_type=OrdType.MARKET, px=Decimal(0)), _quote(99, 101), Status.FILLED, 5, 505),
    ("market sells at the bid", _order(side=-1, ord_type=OrdType.MARKET), _quote(99, 101), Status.FILLED, 5, 495),
    ("limit below rests", _order(), _quote(99, 101), Status.NEW, 0, 0),
    ("limit takes a better ask", _order(), _quote(97, 98), Status.FILLED, 5, 490),
    ("limit takes what is shown", _order(), _quote(97, 98, Decimal(2)), Status.PARTIALLY_FILLED, 2, 196),
    ("market ends with the rest", _order(ord_type=OrdType.MARKET), _quote(97, 98, Decimal(2)), Status.EXPIRED, 2, 196),
    ("IOC ends with the rest", _order(tif=Tif.IOC), _quote(97, 98, Decimal(2)), Status.EXPIRED, 2, 196),
    ("IOC that finds nothing ends", _order(tif=Tif.IOC), _quote(99, 101), Status.EXPIRED, 0, 0),
    ("FOK takes all or nothing", _order(tif=Tif.FOK), _quote(97, 98, Decimal(4)), Status.EXPIRED, 0, 0),
    ("FOK that finds all takes it", _order(tif=Tif.FOK), _quote(97, 98, Decimal(5)), Status.FILLED, 5, 490),
    ("post-only that would take ends", _order(tif=Tif.POST_ONLY), _quote(97, 98), Status.EXPIRED, 0, 0),
    ("post-only that would not rests", _order(tif=Tif.POST_ONLY), _quote(99, 101), Status.NEW, 0, 0),
]


@pytest.mark.parametrize(
    ("order", "quote", "status", "cum_qty", "value"), [r[1:] for r in TAKING], ids=[r[0] for r in TAKING]
)
def test_order_on_arrival_takes_what_it_may(
    order: Order, quote: Quote, status: Status, cum_qty: int, value: int
) -> None:
    matcher, _ = _engine()
    matcher.set_quote(quote)
    found = matcher.match(matcher.receive(order))
    assert found.status == status
    assert [found.cum_qty, found.cum_value] == [Decimal(cum_qty), Decimal(value)]
    assert matcher.store.order(found.number) == found


def test_resting_limit_trades_at_its_own_price_as_maker() -> None:
    matcher, _ = _engine()
    matcher.set_quote(_quote(99, 101))
    matcher.match(matcher.receive(_order()))
    matcher.set_quote(_quote(90, 91))
    (execution,) = matcher.store.executions()
    assert (execution.px, execution.qty, execution.maker) == (Decimal(100), Decimal(5), True)


TRIGGERS: list[tuple[str, OrdType, int, int, int]] = [
    ("buy stop rises", OrdType.STOP, 1, 105, 106),
    ("sell stop falls", OrdType.STOP, -1, 95, 94),
    ("buy take-profit falls", OrdType.TAKE_PROFIT, 1, 95, 94),
    ("sell take-profit rises", OrdType.TAKE_PROFIT, -1, 105, 106),
]


@pytest.mark.parametrize(
    ("kind", "side", "stop_px", "reached"), [r[1:] for r in TRIGGERS], ids=[r[0] for r in TRIGGERS]
)
def test_trigger_waits_for_its_price_and_then_trades(kind: OrdType, side: int, stop_px: int, reached: int) -> None:
    matcher, books = _engine()
    matcher.set_quote(_quote(100, 100))
    order = matcher.match(matcher.receive(_order(ord_type=kind, side=side, px=Decimal(0), stop_px=Decimal(stop_px))))
    matcher.set_quote(_quote(200 - reached, 200 - reached))
    assert matcher.store.orders()[0].status == Status.PENDING
    matcher.set_quote(_quote(reached, reached))
    found = matcher.store.order(order.number)
    assert found is not None
    assert (found.status, found.avg_px) == (Status.FILLED, Decimal(reached))
    assert [event.happened for event in books.events] == ["NEW", "TRIGGERED", "TRADE"]


def test_stop_limit_rests_at_its_limit_after_the_trigger() -> None:
    matcher, _ = _engine()
    matcher.set_quote(_quote(100, 100))
    matcher.match(matcher.receive(_order(ord_type=OrdType.STOP_LIMIT, side=-1, px=Decimal(94), stop_px=Decimal(95))))
    matcher.set_quote(_quote(90, 91))
    assert matcher.store.orders()[0].status == Status.NEW
    matcher.set_quote(_quote(94, 95))
    assert matcher.store.orders()[0].status == Status.FILLED


def test_executions_come_in_as_many_pieces_as_asked_for() -> None:
    matcher, _ = _engine()
    matcher.slices = 3
    matcher.set_quote(_quote(99, 100))
    matcher.match(matcher.receive(_order(qty=Decimal("0.10"))))
    assert [execution.qty for execution in matcher.store.executions()] == [
        Decimal("0.03"),
        Decimal("0.03"),
        Decimal("0.04"),
    ]


def test_order_received_before_a_kill_is_matched_after_it(tmp_path: Path) -> None:
    matcher, _ = _engine(str(tmp_path / "truth"))
    matcher.set_quote(_quote(99, 100))
    matcher.receive(_order(client_id="one"))
    matcher.store.close()
    again, _ = _engine(str(tmp_path / "truth"))
    again.resume()
    assert [(order.client_id, order.status) for order in again.store.orders()] == [("one", Status.FILLED)]


def test_fill_after_the_end_books_and_leaves_the_end() -> None:
    matcher, _ = _engine()
    matcher.set_quote(_quote(99, 101))
    canceled = matcher.cancel(matcher.match(matcher.receive(_order())))
    late = matcher.fill(canceled, Decimal(2))
    assert (late.status, late.cum_qty) == (Status.CANCELED, Decimal(2))


BOOKED: list[tuple[str, int, int, int, tuple[int, int], int]] = [
    # (held at 10) side, price, quantity -> (quantity, average), realised
    ("more keeps a weighted average", 1, 13, 5, (15, 11), 0),
    ("less keeps the average", -1, 12, 4, (6, 10), 8),
    ("all realises all", -1, 12, 10, (0, 0), 20),
    ("crossing zero reopens at the price", -1, 12, 14, (-4, 12), 20),
]


@pytest.mark.parametrize(("side", "px", "qty", "left", "realized"), [r[1:] for r in BOOKED], ids=[r[0] for r in BOOKED])
def test_position_of_ten_at_ten_after(side: int, px: int, qty: int, left: tuple[int, int], realized: int) -> None:
    held = Position("main", "usdm", "XYZ", qty=Decimal(10), avg_px=Decimal(10))
    now, gained = booked(held, side, Decimal(px), Decimal(qty), 1)
    assert [now.qty, now.avg_px, gained] == [Decimal(each) for each in (*left, realized)]
