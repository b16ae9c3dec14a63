"""Profile `paper_full`: shorts, scaling, limit orders, cancels, the simulator's own prices."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.intake.intents_driving import done, event_types, paper_broker, trade

from surefill.intake.intents import ExecutionOutcome, PaperBroker


@pytest.fixture
def broker() -> Iterator[PaperBroker]:
    with paper_broker("paper_full") as made:
        yield made


def _limit(broker: PaperBroker, intent_id: str, price: float, **terms: object) -> ExecutionOutcome:
    return broker.execute(trade(intent_id, price=price, metadata={"order_type": "LIMIT", **terms}))


def test_short_is_opened_and_closed(broker: PaperBroker) -> None:
    opened = done(broker.execute(trade("a", "OPEN_SHORT", 2.0), 100.0))
    assert (opened.side, broker.positions("main")["BTCUSDT"].quantity) == ("SELL", -2.0)
    assert broker.positions("main")["BTCUSDT"].avg_price == 100.0
    assert broker.execute(trade("b", "CLOSE_LONG", 2.0), 90.0).code == "NO_POSITION"
    assert broker.execute(trade("c", "OPEN_LONG", 1.0), 90.0).code == "OPENS_AGAINST_POSITION"
    closed = done(broker.execute(trade("d", "CLOSE_SHORT", 2.0), 90.0))
    assert (closed.side, event_types(closed)[-1]) == ("BUY", "POSITION_CLOSED")
    assert (broker.state("main").realized_pnl, broker.state("main").cash) == (20.0, 10_020.0)


@pytest.mark.parametrize(("action", "sides"), [("OPEN_LONG", ("BUY", "SELL")), ("OPEN_SHORT", ("SELL", "BUY"))])
def test_scale_in_and_out_take_the_side_of_the_position(
    broker: PaperBroker, action: str, sides: tuple[str, str]
) -> None:
    done(broker.execute(trade("a", action, 2.0), 100.0))
    added = done(broker.execute(trade("b", "SCALE_IN", 1.0), 100.0))
    taken = done(broker.execute(trade("c", "SCALE_OUT", 0.5), 100.0))
    assert (added.side, taken.side) == sides
    assert (event_types(added)[-1], event_types(taken)[-1]) == ("POSITION_SCALED", "POSITION_SCALED")
    assert abs(broker.positions("main")["BTCUSDT"].quantity) == 2.5
    assert broker.execute(trade("d", "SCALE_OUT", 2.6), 100.0).code == "REDUCTION_EXCEEDS_POSITION"


@pytest.mark.parametrize("action", ["SCALE_IN", "SCALE_OUT", "CLOSE_LONG", "CLOSE_SHORT"])
def test_scaling_or_closing_nothing_is_no_position(broker: PaperBroker, action: str) -> None:
    outcome = broker.execute(trade("a", action, stop_loss=95.0), 100.0)
    assert (outcome.http_status, outcome.code) == (400, "NO_POSITION")


def test_scale_in_with_a_target_alone_keeps_the_stop(broker: PaperBroker) -> None:
    done(broker.execute(trade("a", stop_loss=95.0), 100.0))
    done(broker.execute(trade("b", "SCALE_IN", take_profit=120.0), 100.0))
    assert broker.execute(trade("c", "SCALE_IN"), 94.0).code == "NO_POSITION"
    assert broker.positions("main") == {}


def test_scale_in_whose_price_sets_off_the_stop_does_not_open_anew(broker: PaperBroker) -> None:
    done(broker.execute(trade("a", stop_loss=95.0), 100.0))
    assert broker.execute(trade("b", "SCALE_IN"), 94.0).code == "NO_POSITION"
    assert broker.positions("main") == {}


def test_long_may_be_closed_in_parts(broker: PaperBroker) -> None:
    done(broker.execute(trade("a", quantity=2.0), 100.0))
    done(broker.execute(trade("b", "CLOSE_LONG", 0.5), 100.0))
    assert broker.positions("main")["BTCUSDT"].quantity == 1.5


def test_without_fill_price_the_simulators_price_is_taken() -> None:
    execution = {"fill_mode": "bid_ask", "slippage_bps": 10}
    with paper_broker("paper_full", execution=execution, instruments={"default": {"tick": "0.01"}}) as broker:
        assert broker.execute(trade("a")).code == "NO_MARKET_DATA"
        broker.session.quote("BTCUSDT", bid=99.0, ask=101.0)
        assert done(broker.execute(trade("a"))).fill_price == 101.11
        assert done(broker.execute(trade("b", "CLOSE_LONG"))).fill_price == 98.9


def test_limit_order_rests_fills_later_and_is_told_apart(broker: PaperBroker) -> None:
    broker.session.quote("BTCUSDT", last=100.0)
    resting = done(_limit(broker, "a", 95.0))
    assert (resting.status, resting.http_status, resting.filled_quantity) == ("SUBMITTED", 200, 0.0)
    assert resting.fill_price is None
    assert event_types(resting)[-1] == "ORDER_PLACED"
    assert broker.execute(trade("a", price=95.0, metadata={"order_type": "LIMIT"})).code == "ALREADY_EXECUTED"
    broker.session.quote("BTCUSDT", last=94.0)
    assert broker.positions("main")["BTCUSDT"].avg_price == 95.0
    fill = broker.events("main")[-2]
    assert (fill.event_type, fill.intent_id, fill.order_id) == ("ORDER_FILLED", "a", resting.order_id)
    repeat = broker.execute(trade("a", price=95.0, metadata={"order_type": "LIMIT"}))
    assert (repeat.http_status, repeat.status, repeat.fill_price) == (409, "FILLED", 95.0)


def test_limit_order_that_may_not_rest_is_canceled(broker: PaperBroker) -> None:
    broker.session.quote("BTCUSDT", last=100.0)
    outcome = _limit(broker, "a", 95.0, time_in_force="IOC")
    assert (outcome.success, outcome.status) == (True, "CANCELED")
    assert event_types(outcome)[-1] == "ORDER_CANCELED"


def _cancel(broker: PaperBroker, intent_id: str, order_id: object) -> ExecutionOutcome:
    return broker.execute(trade(intent_id, "CANCEL_ORDER", metadata={"order_id": order_id}))


def test_cancel_order_takes_a_resting_order_out(broker: PaperBroker) -> None:
    broker.session.quote("BTCUSDT", last=100.0)
    resting = done(_limit(broker, "a", 95.0))
    outcome = done(_cancel(broker, "b", resting.order_id))
    assert (outcome.status, outcome.order_id, outcome.correlation_id) == ("CANCELED", resting.order_id, "story-a")
    assert broker.events("main")[-1].event_type == "ORDER_CANCELED"
    assert done(_cancel(broker, "b", resting.order_id)).status == "CANCELED"
    broker.session.quote("BTCUSDT", last=90.0)
    assert broker.positions("main") == {}


def test_cancel_order_of_what_is_over_or_unknown_says_so(broker: PaperBroker) -> None:
    filled = done(broker.execute(trade("a"), 100.0))
    assert _cancel(broker, "b", filled.order_id).code == "ORDER_NOT_WORKING"
    for order_id in ("order_0000000000000000", "", 7, None):
        outcome = _cancel(broker, "c", order_id)
        assert (outcome.http_status, outcome.code) == (404, "UNKNOWN_ORDER")


def test_cancel_order_works_while_halted(broker: PaperBroker) -> None:
    broker.session.quote("BTCUSDT", last=100.0)
    resting = done(_limit(broker, "a", 95.0))
    broker.halt("main", "stop")
    done(_cancel(broker, "b", resting.order_id))


def test_reset_takes_resting_orders_with_it(broker: PaperBroker) -> None:
    broker.session.quote("BTCUSDT", last=100.0)
    done(_limit(broker, "a", 95.0))
    broker.reset("main")
    broker.session.quote("BTCUSDT", last=90.0)
    assert (broker.positions("main"), broker.state("main").cash) == ({}, 10_000.0)
    # The market itself is not forgotten.
    assert done(broker.execute(trade("b"))).fill_price == 90.0


def test_cash_is_promised_to_resting_orders(broker: PaperBroker) -> None:
    broker.session.quote("BTCUSDT", last=100.0)
    order = trade("a", quantity=100.0, price=95.0, metadata={"order_type": "LIMIT"})
    done(broker.execute(order))
    outcome = broker.execute(trade("b", quantity=6.0), 100.0)
    assert (outcome.code, "9500 USD promised" in outcome.reason) == ("INSUFFICIENT_CASH", True)


def test_stop_and_target_of_a_short_guard_it(broker: PaperBroker) -> None:
    done(broker.execute(trade("a", "OPEN_SHORT", stop_loss=105.0, take_profit=80.0), 100.0))
    broker.session.quote("BTCUSDT", last=79.0)
    assert broker.state("main").realized_pnl == 21.0
