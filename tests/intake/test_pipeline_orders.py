"""Door 3's order manager: the core's orders in the contract's states, by either id, with counts and times."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.intake.pipeline_driving import BTC, ETH, Feed, Rig, signal

from surefill.domain.orders import Order, OrderRequest
from surefill.errors import LocalError
from surefill.intake.pipeline import ManagedOrder, OrderCancelled, OrderFilled, OrderManager, OrderPlaced, OrderState
from surefill.intake.pipeline.order_states import LEGAL_MOVES, state_of
from surefill.intake.pipeline.order_view import moved
from surefill.rules.codes import OrdEvent, OrdStatus
from surefill.rules.transitions import next_status
from surefill.units import datetime_from_ns

MOMENT = datetime_from_ns(0)
S = OrderState


def an_order(state: OrderState) -> ManagedOrder:
    return ManagedOrder("c1", "x1", BTC, "BUY", "MARKET", 2.0, None, None, state, timestamps={S.PENDING: MOMENT})


@pytest.mark.parametrize(
    ("before", "after", "legal"),
    [
        (S.PENDING, S.SUBMITTED, True),
        (S.PENDING, S.REJECTED, True),
        (S.PENDING, S.FILLED, False),
        (S.SUBMITTED, S.ACTIVE, True),
        (S.SUBMITTED, S.FAILED, True),
        (S.SUBMITTED, S.FILLED, True),
        (S.SUBMITTED, S.PENDING, False),
        (S.ACTIVE, S.PARTIALLY_FILLED, True),
        (S.ACTIVE, S.FILLED, True),
        (S.ACTIVE, S.CANCELLED, True),
        (S.ACTIVE, S.REJECTED, True),
        (S.ACTIVE, S.SUBMITTED, False),
        (S.PARTIALLY_FILLED, S.FILLED, True),
        (S.PARTIALLY_FILLED, S.CANCELLED, True),
        (S.PARTIALLY_FILLED, S.REJECTED, False),
        (S.FILLED, S.CANCELLED, False),
        (S.CANCELLED, S.FILLED, False),
        (S.REJECTED, S.ACTIVE, False),
        (S.FAILED, S.SUBMITTED, False),
    ],
)
def test_order_state_moves_are_those_of_the_table(before: OrderState, after: OrderState, legal: bool) -> None:
    if legal:
        assert moved(an_order(before), an_order(after), MOMENT).timestamps[after] == MOMENT
    else:
        with pytest.raises(LocalError, match="cannot go from"):
            moved(an_order(before), an_order(after), MOMENT)


def test_order_states_have_a_row_each_and_four_ends() -> None:
    assert set(LEGAL_MOVES) == set(OrderState)
    assert {state for state in OrderState if state.is_final} == {S.FILLED, S.CANCELLED, S.REJECTED, S.FAILED}


@given(st.lists(st.sampled_from(list(OrdEvent)), max_size=12), st.booleans())
def test_order_state_moves_of_every_life_that_the_core_allows_are_legal(
    life: list[OrdEvent], undelivered: bool
) -> None:
    request = OrderRequest("c1", "r1", BTC, "", 1, 1, 2, 0, 0, 0, False, 0, 0, 0)
    order = Order(request, BTC, "", "", "", 0)
    before = state_of(order, undelivered=False)
    for event in life:
        status = next_status(order.status, event)
        proof = undelivered and order.status in (OrdStatus.SUBMITTED, OrdStatus.UNKNOWN)
        if status > 0:
            order.status = OrdStatus(status)
        after = before if before.is_final else state_of(order, undelivered=proof)
        assert after is before or after in LEGAL_MOVES[before]
        before = after


def test_order_manager_finds_orders_by_client_and_by_exchange_id_with_the_times_of_their_moves() -> None:
    rig = Rig(market_data=Feed(100.0, bid=100.0, ask=100.0, ask_size=1.0), execution={"partial_fills": True})
    orders = rig.engine.order_manager

    async def story(rig: Rig) -> None:
        sending = asyncio.ensure_future(rig.send(signal()))
        await rig.until(OrderFilled)
        placed = rig.of(OrderPlaced)[0]
        found = orders.get_order(placed.client_order_id)
        assert found is not None
        assert found == orders.get_order_by_exchange_id(placed.exchange_order_id)
        assert (found.state, found.filled_quantity, found.remaining_quantity) == (S.PARTIALLY_FILLED, 1.0, 1.0)
        assert orders.get_active_orders() == orders.get_active_orders(BTC) == [found]
        assert (orders.get_active_orders(ETH), orders.get_order_history()) == ([], [])
        await rig.wait(10)
        await sending
        over = orders.get_order(placed.client_order_id)
        assert over is not None
        assert list(over.timestamps) == [S.PENDING, S.SUBMITTED, S.PARTIALLY_FILLED, S.CANCELLED]
        assert (over.updated_at - over.created_at).total_seconds() == 10
        assert over.timed_out
        assert (orders.get_active_orders(), orders.get_order_history()) == ([], [over])
        assert found.state is S.PARTIALLY_FILLED, "what was handed out has changed"

    rig.run(story)


def test_order_manager_counts_and_keeps_what_was_refused() -> None:
    rig = Rig(fees=[{"kind": "per_order", "amount": 0.5}])
    orders = rig.engine.order_manager

    async def story(rig: Rig) -> None:
        await rig.send(signal(confluence_score=1.0))
        await rig.send(signal())
        await rig.send(signal(ETH))
        await rig.price(90.0)  # the stop of the first
        refused, *_ = orders.get_order_history()
        assert (refused.state, refused.error_code) == (S.REJECTED, "CONFLUENCE_TOO_LOW")
        assert list(refused.timestamps) == [S.PENDING, S.REJECTED]
        assert [order.reduce_only for order in orders.get_order_history(2)] == [False, True]
        assert orders.get_order_history(1)[0].exit_reason == "stop"
        assert orders.get_statistics() == {
            "total": 4,
            "active": 0,
            "filled": 3,
            "cancelled": 0,
            "rejected": 1,
            "failed": 0,
            "retries": 0,
            "commission": 1.5,
            "fill_rate": 0.75,
        }

    rig.run(story)


def test_order_manager_is_the_same_after_a_restart(tmp_path: Path) -> None:
    first = Rig(folder=tmp_path)

    async def trade(rig: Rig) -> None:
        await rig.send(signal())
        await rig.send(signal(confluence_score=0.0))
        await rig.price(104.0)

    first.run(trade)
    again = Rig(folder=tmp_path)
    try:
        assert again.engine.order_manager.get_statistics() == first.engine.order_manager.get_statistics()
        assert again.engine.order_manager.get_order_history() == first.engine.order_manager.get_order_history()
        assert again.heard == []
    finally:
        again.engine.close()


def test_order_manager_keeps_the_last_of_its_history_and_all_counts() -> None:
    rig = Rig()
    rig.engine.order_manager._history_max = 3

    async def story(rig: Rig) -> None:
        results = [await rig.send(signal(confluence_score=0.0)) for _ in range(5)]
        kept = rig.engine.order_manager.get_order_history()
        assert [order.client_order_id for order in kept] == [result.client_order_id for result in results[2:]]
        assert rig.engine.order_manager.get_order(results[0].client_order_id) is None
        assert rig.engine.order_manager.get_statistics()["rejected"] == 5

    assert OrderManager()._history_max == 1_000
    rig.run(story)


def test_order_manager_tells_when_an_order_is_over() -> None:
    rig = Rig(execution={"latency_ms": 3_600_000})
    orders = rig.engine.order_manager

    async def story(rig: Rig) -> None:
        sending = asyncio.ensure_future(rig.send(signal()))
        await rig.until(OrderPlaced)
        client_order_id = rig.of(OrderPlaced)[0].client_order_id
        future: Future[ManagedOrder] = orders.when_final(client_order_id)
        given_up = orders.when_final(client_order_id)
        given_up.cancel()
        assert not future.done()
        await rig.wait(10)
        await sending
        assert future.result().state is S.CANCELLED
        assert orders.when_final(client_order_id).result().state is S.CANCELLED
        assert len(rig.of(OrderCancelled)) == 1
        with pytest.raises(LocalError, match="there is no order"):
            orders.when_final("nobody").result()

    rig.run(story)
