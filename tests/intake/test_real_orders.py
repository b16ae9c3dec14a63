"""Door 2 at real venues: every row of its contract that speaks of live, at an emulated Kite and an emulated Binance."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.intake.real_grounds import Ground, KiteGround, until
from tests.venues.kite.hand import Kite

from surefill.errors import ConfigError
from surefill.intake.orders import ExecutionEngineV2, ExecutionResult, OrderIntent, execution_bridge
from surefill.intake.real_venue import RealVenue
from surefill.testing.remote_venue.faults import Fault


class Door:
    """Door 2, open at a venue. It has no feed: the market is the venue's."""

    def __init__(self, ground: Ground, engine: ExecutionEngineV2) -> None:
        self.ground, self.engine = ground, engine

    def intent(self, side: str = "BUY", **terms: Any) -> OrderIntent:
        given = {"qty": self.ground.qty, "metadata": {"exchange": self.ground.exchange}}
        return OrderIntent(**{"symbol": self.ground.symbol, "strategy_code": "EMA", "side": side, **given, **terms})

    def send(self, side: str = "BUY", **terms: Any) -> ExecutionResult:
        return self.engine.execute_intent(self.intent(side, **terms))

    def limit(self, share: float = 0.99, **terms: Any) -> ExecutionResult:
        """A purchase below the market, which rests; or above it, which trades."""
        return self.send(order_type="LIMIT", price=round(self.ground.px * share), **terms)

    def status(self, order: ExecutionResult) -> str:
        return self.now(order).status

    def now(self, order: ExecutionResult) -> ExecutionResult:
        found = self.engine.order_status(order.order_id or "")
        assert found is not None
        return found

    def held(self) -> float:
        return self.engine.position_qty(self.ground.symbol)

    def holds(self, share: float = 1) -> bool:
        """That much of an order's quantity, but for what Binance kept as its commission."""
        return abs(self.held() - share * self.ground.qty) < self.ground.qty / 100


@contextmanager
def open_door(ground: Ground, folder: Path, mode: str = "live", **sections: Any) -> Iterator[Door]:
    venue = ground.real() if mode == "live" else RealVenue(market=ground.adapter())
    with ExecutionEngineV2(ground.config(folder, mode, **sections), venue=venue) as engine:
        yield Door(ground, engine)


def test_market_order_is_filled_at_the_venue_and_an_exit_flattens_it(ground: Ground, tmp_path: Path) -> None:
    with open_door(ground, tmp_path) as door:
        order = door.send()
        assert order.status in ("PLACED", "FILLED"), order
        assert (order.symbol, order.side, order.qty) == (ground.symbol, "BUY", ground.qty)
        until(lambda: door.status(order) == "FILLED" and door.holds())
        assert (door.now(order).qty, door.now(order).avg_price) == (ground.qty, ground.px)
        assert (door.now(order).raw or {})["venue_order_id"]
        where = {"exchange": ground.exchange}
        leave = execution_bridge.to_order_intent("EXIT", ground.symbol, "EMA", position_qty=door.held(), metadata=where)
        assert door.engine.execute_intent(leave).status in ("PLACED", "FILLED")
        until(lambda: door.holds(0))
    assert sorted(ground.sent().values()) == [1, 1]


def test_ids_of_live_orders_say_so_and_never_come_again(ground: Ground, tmp_path: Path) -> None:
    ids = []
    for round_ in range(2):
        with open_door(ground, tmp_path) as door:
            ids += [door.limit(intent_id=f"k{round_}").order_id or "", door.send(qty=0).order_id or ""]
    assert all(each.startswith("LIVE-") for each in ids)
    numbers = [each.rpartition("-")[2] for each in ids]
    assert numbers == sorted(set(numbers))
    assert list(ground.sent().values()) == [1, 1]


def test_limit_order_rests_fills_when_the_market_comes_and_can_be_cancelled(ground: Ground, tmp_path: Path) -> None:
    with open_door(ground, tmp_path) as door:
        order, other = door.limit(), door.limit(0.98)
        assert (order.status, order.avg_price) == ("PLACED", None)
        door.engine.cancel_order(other.order_id or "")
        until(lambda: door.status(other) == "CANCELLED")
        ground.price(round(ground.px * 0.985))
        until(lambda: door.status(order) == "FILLED" and door.holds())


def test_stop_order_waits_for_its_trigger_at_the_venue(ground: Ground, tmp_path: Path) -> None:
    with open_door(ground, tmp_path) as door:
        order = door.send(order_type="SL-M", trigger_price=round(ground.px * 1.01))
        if ground.name == "binance" and order.status == "REJECTED":
            pytest.fail(f"binance spot keeps stops: {order.message}")
        assert order.status == "PLACED", order
        assert door.holds(0)
        ground.price(round(ground.px * 1.02))
        until(lambda: door.status(order) == "FILLED" and door.holds())


def test_order_filled_in_part_is_partial_and_its_rest_works(ground: Ground, tmp_path: Path) -> None:
    with open_door(ground, tmp_path) as door:
        order = door.limit()
        ground.price(round(ground.px * 0.985), qty=ground.qty / 2)
        until(lambda: door.status(order) == "PARTIAL" and door.holds(0.5))
        told = door.now(order)
        assert (told.qty, told.message) == (
            ground.qty / 2,
            f"{told.qty} of {ground.qty} did not trade: the rest works",
        )
        door.engine.cancel_order(order.order_id or "")
        until(lambda: "the rest is gone" in (door.now(order).message or ""))
        assert door.holds(0.5)


def test_order_that_the_venue_refuses_is_rejected_with_its_code(ground: Ground, tmp_path: Path) -> None:
    with open_door(ground, tmp_path) as door:
        ground.refuse_next()
        order = door.send()
        assert order.status == "REJECTED"
        assert order.order_id
        code, _, text = (order.message or "").partition(": ")
        assert code
        assert text
        assert door.holds(0)
    assert ground.sent() == {}


@pytest.mark.parametrize("fault", [Fault.LOSE_ANSWER, Fault.SERVER_ERROR])
def test_order_whose_answer_says_nothing_is_placed_and_found_by_asking(
    ground: Ground, tmp_path: Path, fault: Fault
) -> None:
    with open_door(ground, tmp_path) as door:
        ground.arm(fault, op="submit")
        ground.blind()
        order = door.send()
        assert order.status == "PLACED"
        assert (order.message or "").startswith("OUTCOME_UNKNOWN: ")
        until(lambda: door.status(order) == "FILLED" and door.holds())
    assert list(ground.sent().values()) == [1]


def test_order_that_never_arrived_stays_unknown_and_is_not_sent_again(ground: Ground, tmp_path: Path) -> None:
    with open_door(ground, tmp_path) as door:
        ground.arm(Fault.LOSE_REQUEST, op="submit")
        order = door.send(intent_id="once")
        door.engine.on_order_update({"status": "COMPLETE", "order_id": order.order_id})
        assert door.send(intent_id="once").order_id == order.order_id
        assert (door.now(order).message or "").startswith("OUTCOME_UNKNOWN: ")
    assert ground.sent() == {}


def test_order_that_was_throttled_is_rejected_with_proof(ground: Ground, tmp_path: Path) -> None:
    with open_door(ground, tmp_path) as door:
        ground.arm(Fault.THROTTLED, op="submit")
        assert door.send().status == "REJECTED"
    assert ground.sent() == {}


def test_order_update_is_a_hint_that_is_looked_into_and_never_believed(ground: Ground, tmp_path: Path) -> None:
    feed, venue = {ground.symbol: ground.px}, ground.real(market=ground.adapter(deaf=True))
    with ExecutionEngineV2(ground.config(tmp_path, "live"), market_data_engine=feed, venue=venue) as engine:
        door = Door(ground, engine)
        order = door.limit()
        lie = {"order_id": order.order_id, "status": "COMPLETE", "filled_quantity": 10, "average_price": 1.0}
        for update in (lie, None, "junk", object()):
            engine.on_order_update(update)
            assert door.status(order) == "PLACED"
        assert door.holds(0)
        ground.price(round(ground.px * 0.985))
        assert door.status(order) == "PLACED"
        engine.on_order_update({"anything": True})
        assert door.status(order) == "FILLED"
        assert door.holds()


def test_order_update_while_the_venue_is_silent_raises_nothing(ground: Ground, tmp_path: Path) -> None:
    with open_door(ground, tmp_path) as door:
        order = door.limit()
        ground.arm(Fault.QUERY_ERROR, 3)
        door.engine.on_order_update({})
        assert door.status(order) == "PLACED"


def test_breakers_and_bad_input_stand_before_the_venue(ground: Ground, tmp_path: Path) -> None:
    breakers = {"circuit_breakers": {"max_trades_per_day": 1}}
    with open_door(ground, tmp_path, execution=breakers) as door:
        order = door.send()
        until(lambda: door.status(order) == "FILLED")
        blocked = door.send(intent_id="second")
        assert (blocked.status, (blocked.message or "").partition(":")[0]) == ("REJECTED", "TRADES_PER_DAY")
        assert door.send(qty=-1).status == door.send(order_type="LIMIT").status == "REJECTED"
        leave = door.send("SELL", metadata={"exchange": ground.exchange, "reduce_only": True}, qty=ground.qty / 2)
        assert leave.status in ("PLACED", "FILLED")
        until(lambda: door.holds(0.5))
    assert len(ground.sent()) == 2


def test_journal_row_of_a_live_order_says_live(ground: Ground, tmp_path: Path) -> None:
    with open_door(ground, tmp_path) as door:
        order = door.send()
        until(lambda: door.status(order) == "FILLED")
    (file,) = (tmp_path / "live" / "journal").rglob("orders.csv")
    with file.open(newline="") as opened:
        rows = [row for row in csv.DictReader(opened) if row["order_id"] == order.order_id]
    assert rows[-1]["status"] == "FILLED"
    assert {row["mode"] for row in rows} == {"live"}


def test_dry_run_goes_the_whole_way_and_the_venue_is_not_touched(ground: Ground, tmp_path: Path) -> None:
    breakers = {"circuit_breakers": {"max_trades_per_day": 1}}
    with open_door(ground, tmp_path, "dry_run", execution=breakers) as door:
        order = door.send()
        assert order.status == "PLACED"
        assert (order.order_id or "").startswith("DRY-RUN-")
        assert (order.message or "").startswith("dry run, nothing was sent; simulated: FILLED")
        assert door.status(order) == "FILLED"
        assert door.holds()
        assert door.send(intent_id="another").status == "REJECTED"
        door.engine.on_order_update({"status": "COMPLETE"})
    assert ground.sent() == {}


def test_phases_are_one_key_each(ground: Ground, tmp_path: Path) -> None:
    """mode="live" is the caller's for good; the configuration says whether it is the real thing."""
    for dry_run, prefix, folder in ((True, "DRY-RUN-", "a"), (False, "LIVE-", "b")):
        config = ground.config(tmp_path / folder, "dry_run", execution={"dry_run": dry_run})
        with ExecutionEngineV2(config, mode="live", venue=ground.real()) as engine:
            assert (Door(ground, engine).limit().order_id or "").startswith(prefix)
    assert list(ground.sent().values()) == [1]
    with pytest.raises(ConfigError) as refused:
        ExecutionEngineV2(ground.config(tmp_path / "c", "dry_run"), mode="paper", venue=ground.real())
    assert refused.value.code == "MODE_CONTRADICTED"


# -- Kite's own: products and exchanges ---------------------------------------------------------------------------


def test_product_is_where_kite_keeps_the_position(kite: Kite, tmp_path: Path) -> None:
    ground = KiteGround(kite)
    with open_door(ground, tmp_path) as door:
        door.send(product="MIS", qty=10)
        door.send(product="CNC", qty=5)
        engine = door.engine
        until(lambda: (engine.position_qty("INFY"), engine.position_qty("INFY", "CNC")) == (10, 5))
        assert sorted(engine.positions()) == ["NSE:INFY", "NSE:INFY|CNC"]
        assert door.send("SELL", product="NRML", qty=1, metadata={"reduce_only": True}).message is not None
        door.send("SELL", product="CNC", qty=5, metadata={"reduce_only": True})
        until(lambda: engine.position_qty("INFY", "CNC") == 0)
    products = [(order["product"], order["transaction_type"]) for order in kite.truth()["orders"]]
    assert products == [("MIS", "BUY"), ("CNC", "BUY"), ("CNC", "SELL")]


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"product": "MTF"}, "INVALID_INPUT: product 'MTF' is not one of MIS, NRML, CNC"),
    ({"metadata": {"exchange": "NFO"}}, "UNKNOWN_INSTRUMENT: NFO:INFY is not in the day's list of NSE, NFO"),
    ({"symbol": "NSE:NOBODY", "metadata": {}}, "UNKNOWN_INSTRUMENT: NSE:NOBODY is not under `instruments`"),
    ({"symbol": "NOBODY", "metadata": {}}, "UNKNOWN_INSTRUMENT: NOBODY is not under `instruments`"),
]


def test_order_that_the_broker_could_not_mean_is_refused_with_a_code(kite: Kite, tmp_path: Path) -> None:
    ground = KiteGround(kite)
    with open_door(ground, tmp_path) as door:
        for terms, message in WRONG:
            order = door.send(**terms)
            assert order.status == "REJECTED"
            assert (order.message or "").startswith(message)
        for qty, terms in ((1, {"symbol": "NSE:INFY", "metadata": {}}), (2, {"metadata": {}})):  # both are plain
            assert door.limit(qty=qty, **terms).status == "PLACED"
    assert len(ground.sent()) == 2
