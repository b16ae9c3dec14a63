"""The engine on an emulated Kite, through the real client library, under faults: one order per tag, and books agree."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from tests.venues.kite.hand import Kite
from tests.venues.kite.rig import INFY, LIMITS, NO_LIMITS, PX, Rig, kite, settings_for

from surefill.rules.codes import OrdStatus
from surefill.testing.remote_venue.faults import Fault

RESTING_PX = PX - 2_000


@pytest.fixture
def emulated() -> Iterator[Kite]:
    """A venue whose books begin anew."""
    with kite() as fresh:
        yield fresh


DOUBTS = ("general_500", "order_500", "data_502", "network_503", "network_504", "timed_out_400")


@pytest.mark.parametrize("doubt", DOUBTS)
def test_order_done_behind_an_error_answer_is_found_by_its_tag(emulated: Kite, doubt: str) -> None:
    async def story(rig: Rig) -> None:
        emulated.rules(doubt=doubt)
        emulated.arm(Fault.SERVER_ERROR, op="submit")
        receipt = await rig.submit("a")
        assert receipt.status == OrdStatus.UNKNOWN
        await rig.settled()
        assert (await rig.order(receipt.cl_ord_id)).status == OrdStatus.FILLED

    Rig(emulated).run(story)
    assert emulated.truth()["fired"]["SERVER_ERROR"] == 1


LOST = (
    (Fault.LOSE_ANSWER, "submit"),
    (Fault.DISCONNECT_AFTER, "submit"),
    (Fault.GARBLE_ANSWER, "submit"),
    (Fault.DELAY_ANSWER, "submit"),
    (Fault.DELAY_REQUEST, "submit"),
    (Fault.FILLED_UNSEEN, "submit"),
    (Fault.FILL_BEFORE_ACK, "submit"),
    (Fault.DELAY_REQUEST, "exchange"),
    (Fault.QUERY_ERROR, "orders"),
    (Fault.QUERY_ERROR, "order_trades"),
    (Fault.EMPTY_SNAPSHOT, "orders"),
    (Fault.STALE_SNAPSHOT, "orders"),
    (Fault.EMPTY_SNAPSHOT, "order_trades"),
    (Fault.STALE_SNAPSHOT, "trades"),
    (Fault.EMPTY_SNAPSHOT, "positions"),
)


@pytest.mark.parametrize(("fault", "op"), LOST, ids=lambda part: part if isinstance(part, str) else part.name)
def test_order_under_a_fault_ends_once_and_known(emulated: Kite, fault: Fault, op: str) -> None:
    async def story(rig: Rig) -> None:
        emulated.arm(fault, op=op)
        if "submit" not in op and op != "exchange":
            emulated.arm(Fault.LOSE_ANSWER, op="submit")  # so that somebody has to look
        receipt = await rig.submit("a")
        await rig.until(lambda state: state.order(receipt.cl_ord_id).status not in (1, 2))  # type: ignore[union-attr]
        emulated.do("release")
        if op == "positions":
            await rig.engine.reconcile("w")
        await rig.settled()
        assert (await rig.order(receipt.cl_ord_id)).status == OrdStatus.FILLED

    Rig(emulated, poll_s=30.0 if op == "order_trades" else 0.05).run(story)  # else the watch is quicker than a query
    assert emulated.truth()["fired"][fault.name] >= 1


@pytest.mark.parametrize("fault", [Fault.LOSE_REQUEST, Fault.DISCONNECT])
def test_order_that_never_arrived_is_paged_and_not_sent_again(emulated: Kite, fault: Fault) -> None:
    async def story(rig: Rig) -> None:
        emulated.arm(fault, op="submit")
        receipt = await rig.submit("a")
        await rig.until(lambda state: state.book.orders[receipt.cl_ord_id].paged)
        assert (await rig.order(receipt.cl_ord_id)).status == OrdStatus.UNKNOWN
        assert any(alarm.page for alarm in rig.alarms)
        await rig.settled()

    Rig(emulated).run(story)
    assert emulated.truth()["orders"] == []


def test_order_that_was_throttled_is_proved_not_done_and_sent_again(emulated: Kite) -> None:
    async def story(rig: Rig) -> None:
        emulated.arm(Fault.THROTTLED, op="submit")
        receipt = await rig.submit("a")
        await rig.until(lambda state: state.order(receipt.cl_ord_id).status == OrdStatus.FILLED)  # type: ignore[union-attr]
        await rig.settled()
        assert (await rig.order(receipt.cl_ord_id)).attempts == 2

    Rig(emulated, limits=msgspec.structs.replace(LIMITS, attempts_max=3)).run(story)
    assert emulated.truth()["fired"]["THROTTLED"] == 1


def test_token_that_ends_while_an_order_works_invents_no_state(emulated: Kite) -> None:
    async def story(rig: Rig) -> None:
        emulated.arm(Fault.LOSE_ANSWER, op="submit")
        receipt = await rig.submit("a", px=RESTING_PX)
        emulated.do("expire")
        await rig.until(lambda state: state.book.orders[receipt.cl_ord_id].paged)
        assert (await rig.order(receipt.cl_ord_id)).status == OrdStatus.UNKNOWN
        emulated.price(INFY, RESTING_PX / 100)  # it fills while nobody may look
        rig.venue.renew(settings_for(emulated).access_token)
        await rig.settled()
        assert (await rig.order(receipt.cl_ord_id)).status == OrdStatus.FILLED

    Rig(emulated).run(story)


def test_order_sent_with_an_ended_token_is_refused_with_proof(emulated: Kite) -> None:
    async def story(rig: Rig) -> None:
        emulated.do("expire")
        receipt = await rig.submit("a")
        await rig.until(lambda state: receipt.cl_ord_id in state.book.done)
        order = await rig.order(receipt.cl_ord_id)
        assert (order.status, order.code) == (OrdStatus.REJECTED, "TokenException")

    Rig(emulated).run(story)
    assert emulated.truth()["orders"] == []


@pytest.mark.parametrize("op", ["rms", "exchange"])
def test_order_refused_after_it_was_taken_ends_rejected(emulated: Kite, op: str) -> None:
    async def story(rig: Rig) -> None:
        emulated.arm(Fault.REFUSED, op=op)
        receipt = await rig.submit("a")
        await rig.until(lambda state: receipt.cl_ord_id in state.book.done)
        assert (await rig.order(receipt.cl_ord_id)).status == OrdStatus.REJECTED
        await rig.settled()

    Rig(emulated).run(story)


CANCELS = (
    None,
    Fault.LOSE_REQUEST,
    Fault.LOSE_ANSWER,
    Fault.SERVER_ERROR,
    Fault.REFUSED,
    Fault.CANCEL_FILL_RACE,
    Fault.END_BEFORE_FILLS,
    Fault.THROTTLED,
)


@pytest.mark.parametrize("fault", CANCELS, ids=lambda fault: fault.name if fault else "none")
def test_cancel_under_a_fault_ends_the_order_as_the_venue_has_it(emulated: Kite, fault: Fault | None) -> None:
    async def story(rig: Rig) -> None:
        receipt = await rig.submit("a", px=RESTING_PX)
        if fault is not None:
            emulated.arm(fault, op="cancel")
        await rig.cancel(receipt.cl_ord_id)
        await rig.until(lambda state: receipt.cl_ord_id in state.book.done)
        await rig.settled()
        truth = emulated.truth()["orders"][0]
        order = await rig.order(receipt.cl_ord_id)
        assert order.cum_qty == truth["filled_quantity"]
        wanted = OrdStatus.FILLED if fault is Fault.CANCEL_FILL_RACE else OrdStatus.CANCELED
        assert order.status == wanted

    Rig(emulated).run(story)


def test_postback_told_thrice_is_looked_into_and_told_once(emulated: Kite) -> None:
    async def story(rig: Rig) -> None:
        receipt = await rig.submit("a", px=RESTING_PX)
        emulated.price(INFY, RESTING_PX / 100)
        order = emulated.truth()["orders"][0]
        checksum = hashlib.sha256(f"{order['order_id']}{order['order_timestamp']}emulated_secret".encode()).hexdigest()
        body = json.dumps({**order, "checksum": checksum})
        for _ in range(3):
            assert rig.venue.postback(body)
        assert not rig.venue.postback(json.dumps({**order, "checksum": "0" * 64}))
        await rig.settled()
        assert (await rig.order(receipt.cl_ord_id)).cum_qty == 10

    Rig(emulated, poll_s=30.0).run(story)  # only a hint brings the fill within the test's patience


def test_order_update_on_the_ticker_brings_the_fill(emulated: Kite) -> None:
    async def story(rig: Rig) -> None:
        receipt = await rig.submit("a", px=RESTING_PX)
        emulated.arm(Fault.DUPLICATE_REPORT, op="stream")
        emulated.price(INFY, RESTING_PX / 100)
        await rig.settled()
        assert (await rig.order(receipt.cl_ord_id)).status == OrdStatus.FILLED

    Rig(emulated, poll_s=30.0, ticker=True).run(story)


def test_order_in_slices_is_one_order_of_ours() -> None:
    future, freeze = "NFO:NIFTY26DECFUT", {"NFO:NIFTY": 1_800}

    async def story(rig: Rig) -> None:
        receipt = await rig.submit("a", qty=4_500, instrument_id=future)
        await rig.until(lambda state: receipt.cl_ord_id in state.book.done)
        order = await rig.order(receipt.cl_ord_id)
        assert (order.status, order.cum_qty) == (OrdStatus.FILLED, 4_500)

    with kite() as emulated:
        emulated.rules(check_margin=False)
        Rig(emulated, product="NRML", freeze_quantities=freeze).run(story)
        quantities = [order["quantity"] for order in emulated.truth()["orders"]]
    assert quantities == [1_800, 1_800, 900]


def test_fill_after_a_confirmed_cancel_is_booked_and_halts(emulated: Kite) -> None:
    async def story(rig: Rig) -> None:
        receipt = await rig.submit("a", px=RESTING_PX)
        emulated.arm(Fault.LATE_FILL, op="cancel")
        await rig.cancel(receipt.cl_ord_id)
        await rig.until(lambda state: "NSE:INFY" in dict(state.open_positions()))
        await rig.settled()
        assert (await rig.order(receipt.cl_ord_id)).cum_qty == 5
        assert any(alarm.code == "LATE_FILL" for alarm in rig.alarms)

    Rig(emulated).run(story)


@pytest.mark.parametrize("hop", ["received", "forwarded", "matched"])
def test_venue_that_dies_between_two_hops_is_asked_when_it_is_back(tmp_path: Path, hop: str) -> None:
    with Kite(tmp_path / "kite.db") as emulated:
        emulated.rules(limits=NO_LIMITS)
        emulated.price(INFY, PX / 100)

        async def story(rig: Rig) -> None:
            emulated.arm(Fault.CRASH, op=hop)
            receipt = await rig.submit("a")
            assert receipt.status == OrdStatus.UNKNOWN
            emulated.back_after_its_crash()
            await rig.settled()
            assert (await rig.order(receipt.cl_ord_id)).status == OrdStatus.FILLED

        Rig(emulated).run(story)


def test_second_order_with_our_tag_is_never_guessed_at(emulated: Kite) -> None:
    form = {
        "exchange": "NSE", "tradingsymbol": "INFY", "transaction_type": "BUY", "quantity": "10", "product": "MIS",
        "order_type": "LIMIT", "price": str(RESTING_PX / 100),
    }  # fmt: skip

    async def story(rig: Rig) -> None:
        emulated.arm(Fault.LOSE_ANSWER, op="submit")
        emulated.arm(Fault.QUERY_ERROR, op="orders", times=3)
        receipt = await rig.submit("a", px=RESTING_PX)
        emulated.do("trade", form={**form, "tag": receipt.cl_ord_id})
        await rig.until(lambda state: state.book.orders[receipt.cl_ord_id].paged)
        assert (await rig.order(receipt.cl_ord_id)).status == OrdStatus.UNKNOWN

    Rig(emulated, poll_s=30.0).run(story)
