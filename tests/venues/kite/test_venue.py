"""The adapter on the emulated Kite, without an engine: what it says of each look and each order."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.venues.kite.hand import Kite
from tests.venues.kite.rig import FUTURE, INFY, PX, kite, request_for, settings_for

from surefill.domain.reports import ExecType, VenueReport
from surefill.errors import VenueOutcomeUnknown
from surefill.rules.codes import OrdType, TimeInForce
from surefill.testing.remote_venue.faults import Fault
from surefill.units import NS_PER_S
from surefill.venues.kite import KiteVenue
from surefill.venues.kite.tags import tag_of
from surefill.venues.kite.venue import SQUARE_OFF
from surefill.venues.protocol import Accepted, QueryAnswer, Rejected, Unknown

RESTING = {"ord_type": OrdType.LIMIT, "px": PX - 2_000}


@pytest.fixture
def emulated() -> Iterator[Kite]:
    with kite() as venue:
        yield venue


class Told(list[VenueReport]):
    """The reports that the venue has streamed."""

    async def until(self, what: Callable[[VenueReport], bool]) -> VenueReport:
        end = time.monotonic() + 5
        while not (found := [each for each in self if what(each)]):
            assert time.monotonic() < end, list(self)
            await asyncio.sleep(0.005)
        return found[0]


def live(emulated: Kite, story: Callable[[KiteVenue, Told], Awaitable[None]], **changes: Any) -> None:
    async def run() -> None:
        venue, told = KiteVenue(settings_for(emulated, **changes)), Told()
        try:
            await venue.connect(told.append)
            await story(venue, told)
        finally:
            await venue.close()

    asyncio.run(run())


def last(answer: QueryAnswer) -> VenueReport:
    assert answer.found
    return answer.reports[-1]


def test_order_id_says_received_and_the_stream_says_the_rest(emulated: Kite) -> None:
    async def story(venue: KiteVenue, told: Told) -> None:
        outcome = await venue.submit(request_for("a"))
        assert isinstance(outcome, Accepted)
        (report,) = outcome.reports
        assert (report.exec_type, report.cum_qty) == (ExecType.NEW, -1)
        fill = await told.until(lambda each: each.exec_type == ExecType.TRADE)
        assert (fill.cl_ord_id, fill.last_px, fill.last_qty) == ("a", PX, 10)
        order = emulated.truth()["orders"][0]
        assert (order["market_protection"], order["tag"]) == (-1, "a")

    live(emulated, story)


def test_order_that_hangs_before_the_exchange_lives_until_it_trades(emulated: Kite) -> None:
    async def story(venue: KiteVenue, told: Told) -> None:
        emulated.arm(Fault.DELAY_REQUEST, op="exchange")
        await venue.submit(request_for("a"))
        report = last(await venue.query(request_for("a")))
        assert (report.exec_type, report.code) == (ExecType.STATUS, "OPEN PENDING")
        emulated.do("release")
        await told.until(lambda each: each.exec_type == ExecType.TRADE)

    live(emulated, story)


def test_complete_without_its_trades_yet_is_looked_at_until_they_are_there(emulated: Kite) -> None:
    async def story(venue: KiteVenue, told: Told) -> None:
        emulated.arm(Fault.EMPTY_SNAPSHOT, op="trades", times=3)
        await venue.submit(request_for("a"))
        complete = await told.until(lambda each: each.code == "COMPLETE")
        assert (complete.exec_type, complete.cum_qty, complete.last_qty) == (ExecType.STATUS, 10, 0)
        await told.until(lambda each: each.exec_type == ExecType.TRADE)
        assert sum(each.last_qty for each in told) == 10

    live(emulated, story)


@pytest.mark.parametrize("variety", ["amo", "iceberg"])
def test_order_of_another_variety_is_queried_and_canceled_as_such(emulated: Kite, variety: str) -> None:
    emulated.do("market", open=variety != "amo")

    async def story(venue: KiteVenue, told: Told) -> None:
        request = request_for("a", **RESTING)
        assert isinstance(await venue.submit(request), Accepted)
        assert last(await venue.query(request)).exec_type == ExecType.STATUS
        order_id = emulated.truth()["orders"][0]["order_id"]
        outcome = await venue.cancel(request, order_id)
        assert isinstance(outcome, Accepted)
        assert outcome.reports[-1].exec_type == ExecType.CANCELED

    live(emulated, story, variety=variety, iceberg_legs=2 if variety == "iceberg" else 0)


def test_iceberg_fills_leg_by_leg_as_one_order(emulated: Kite) -> None:
    async def story(venue: KiteVenue, told: Told) -> None:
        request = request_for("a", ord_type=OrdType.LIMIT, px=PX)
        await venue.submit(request)
        await told.until(lambda each: each.cum_qty == 10)
        assert {each.cl_ord_id for each in told} == {"a"}
        answer = await venue.query(request)
        assert [each.last_qty for each in answer.reports if each.exec_type == ExecType.TRADE] == [4, 4, 2]

    live(emulated, story, variety="iceberg", iceberg_legs=3)


def test_slices_are_canceled_together(emulated: Kite) -> None:
    emulated.rules(check_margin=False)

    async def story(venue: KiteVenue, told: Told) -> None:
        request = request_for("a", instrument_id=FUTURE, order_qty=4_500, ord_type=OrdType.LIMIT, px=2_300_000)
        outcome = await venue.submit(request)
        assert isinstance(outcome, Accepted)
        canceled = await venue.cancel(request, outcome.reports[0].order_id)
        assert isinstance(canceled, Accepted)
        assert (canceled.reports[-1].exec_type, canceled.reports[-1].cum_qty) == (ExecType.CANCELED, 0)
        amended = await venue.amend(request, outcome.reports[0].order_id)
        assert isinstance(amended, Rejected)

    live(emulated, story, product="NRML", freeze_quantities={"NFO:NIFTY": 1_800})
    assert [order["status"] for order in emulated.truth()["orders"]] == ["CANCELLED"] * 3


def test_change_is_confirmed_by_a_look(emulated: Kite) -> None:
    async def story(venue: KiteVenue, told: Told) -> None:
        request = request_for("a", **RESTING)
        await venue.submit(request)
        order_id = emulated.truth()["orders"][0]["order_id"]
        changed = request_for("a", ord_type=OrdType.LIMIT, px=PX - 1_000, order_qty=6, transact_ns=request.transact_ns)
        outcome = await venue.amend(changed, order_id)
        assert isinstance(outcome, Accepted)
        order = emulated.truth()["orders"][0]
        assert (order["price"], order["quantity"]) == (1490, 6)
        emulated.arm(Fault.REFUSED, op="amend")
        assert isinstance(await venue.amend(request, order_id), Rejected)
        emulated.arm(Fault.LOSE_ANSWER, op="amend")
        assert isinstance(await venue.amend(request, order_id), Unknown)
        spent = await venue.amend(request, order_id)
        assert isinstance(spent, Rejected)
        assert spent.code == "MODIFICATIONS_SPENT"

    live(emulated, story, modifications_max=3)


def test_cancel_without_the_venues_id_finds_the_order_by_its_tag(emulated: Kite) -> None:
    async def story(venue: KiteVenue, told: Told) -> None:
        request = request_for("a", **RESTING)
        nothing = await venue.cancel(request, "")
        assert isinstance(nothing, Unknown)
        await venue.submit(request)
        outcome = await venue.cancel(request, "")
        assert isinstance(outcome, Accepted)
        assert outcome.reports[-1].exec_type == ExecType.CANCELED

    live(emulated, story)
    assert [order["status"] for order in emulated.truth()["orders"]] == ["CANCELLED"]


def test_cancel_that_a_look_does_not_confirm_is_unknown(emulated: Kite) -> None:
    async def story(venue: KiteVenue, told: Told) -> None:
        request = request_for("a", **RESTING)
        await venue.submit(request)
        emulated.arm(Fault.QUERY_ERROR, op="orders", times=50)
        outcome = await venue.cancel(request, emulated.truth()["orders"][0]["order_id"])
        assert isinstance(outcome, Unknown)

    live(emulated, story, settle_looks=2)


def test_stop_order_tells_when_it_was_triggered(emulated: Kite) -> None:
    async def story(venue: KiteVenue, told: Told) -> None:
        request = request_for("a", ord_type=OrdType.STOP, side=-1, stop_px=PX - 2_000)
        assert isinstance(await venue.submit(request), Accepted)
        assert last(await venue.query(request)).code == "TRIGGER PENDING"
        emulated.price(INFY, (PX - 2_000) / 100)
        await told.until(lambda each: each.exec_type == ExecType.TRIGGERED)
        await told.until(lambda each: each.exec_type == ExecType.TRADE)

    live(emulated, story)


def test_rest_of_an_ioc_order_ends_canceled(emulated: Kite) -> None:
    async def story(venue: KiteVenue, told: Told) -> None:
        emulated.price(INFY, PX / 100, qty=4)
        request = request_for("a", time_in_force=TimeInForce.IOC, ord_type=OrdType.LIMIT, px=PX)
        await venue.submit(request)
        report = await told.until(lambda each: each.exec_type == ExecType.CANCELED)
        assert (report.cum_qty, sum(each.last_qty for each in told)) == (4, 4)

    live(emulated, story)


def test_own_refusals_cost_no_request(emulated: Kite) -> None:
    async def story(venue: KiteVenue, told: Told) -> None:
        for number, code in enumerate((None, "RATE_LIMIT")):
            outcome = await venue.submit(request_for(f"a{number}"))
            assert (outcome.code if isinstance(outcome, Rejected) else None) == code

    live(emulated, story, orders_per_min=1)
    assert len(emulated.truth()["orders"]) == 1


LOOKS: dict[str, Callable[[KiteVenue], Awaitable[object]]] = {
    "positions": lambda venue: venue.positions(),
    "open orders": lambda venue: venue.open_orders(),
    "balances": lambda venue: venue.balances(),
    "access": lambda venue: venue.access(),
    "instruments": lambda venue: venue.instruments(),
    "query": lambda venue: venue.query(request_for("a")),
    "executions": lambda venue: venue.executions(0),
}


def test_second_id_with_the_same_tag_is_refused_before_sending(emulated: Kite) -> None:
    long = "an-id-of-more-than-twenty-characters"

    async def story(venue: KiteVenue, told: Told) -> None:
        assert isinstance(await venue.submit(request_for(long)), Accepted)
        fill = await told.until(lambda each: each.exec_type == ExecType.TRADE)
        assert fill.cl_ord_id == long
        outcome = await venue.submit(request_for(tag_of(long)))
        assert isinstance(outcome, Rejected)
        assert outcome.code == "TAG_COLLISION"

    live(emulated, story)
    assert len(emulated.truth()["orders"]) == 1


def test_fill_of_one_of_two_orders_with_our_tag_is_nobodys_until_it_is_known_whose(emulated: Kite) -> None:
    form = {
        "exchange": "NSE", "tradingsymbol": "INFY", "transaction_type": "BUY", "quantity": "10", "product": "MIS",
        "order_type": "LIMIT", "price": "1480", "tag": "a",
    }  # fmt: skip

    async def story(venue: KiteVenue, told: Told) -> None:
        emulated.arm(Fault.LOSE_ANSWER, op="submit")
        assert isinstance(await venue.submit(request_for("a", **RESTING)), Unknown)
        emulated.do("trade", form=form)
        emulated.price(INFY, 1480)
        report = await told.until(lambda each: each.exec_type == ExecType.TRADE)
        assert report.cl_ord_id == ""
        assert {each.cl_ord_id for each in await venue.executions(0)} == {""}
        with pytest.raises(VenueOutcomeUnknown, match="more than one"):
            await venue.query(request_for("a"))

    live(emulated, story, poll_s=0.5)


@pytest.mark.parametrize("look", LOOKS)
def test_look_that_fails_is_no_answer(emulated: Kite, look: str) -> None:
    async def story(venue: KiteVenue, told: Told) -> None:
        emulated.do("expire")
        with pytest.raises(VenueOutcomeUnknown, match="TokenException"):
            await LOOKS[look](venue)

    live(emulated, story)


def test_order_that_the_venue_took_and_does_not_show_is_no_absence(emulated: Kite) -> None:
    async def story(venue: KiteVenue, told: Told) -> None:
        request = request_for("a", **RESTING)
        await venue.submit(request)
        emulated.arm(Fault.EMPTY_SNAPSHOT, op="orders", times=1)
        assert last(await venue.query(request)).code == "OPEN"  # its history shows it
        emulated.arm(Fault.EMPTY_SNAPSHOT, op="orders", times=1)
        emulated.arm(Fault.EMPTY_SNAPSHOT, op="history", times=1)
        with pytest.raises(VenueOutcomeUnknown, match="nowhere to be found"):
            await venue.query(request)
        assert not (await venue.query(request_for("b"))).found
        assert venue.capabilities.receive_window_ns == 0

    live(emulated, story, poll_s=30.0)


def test_what_is_held_is_holdings_and_positions_by_product(emulated: Kite) -> None:
    emulated.do("hold", key=INFY, product="CNC", qty=7, px=1400)
    emulated.do("hold", key=FUTURE, product="NRML", qty=-75, px=24_000)

    async def story(venue: KiteVenue, told: Told) -> None:
        await venue.submit(request_for("a"))
        await venue.submit(request_for("b", bucket="CNC", side=-1, order_qty=3))
        await told.until(lambda each: each.exec_type == ExecType.TRADE and each.bucket == "CNC")
        assert await venue.positions() == {INFY: 10, f"{INFY}|CNC": 4, f"{FUTURE}|NRML": -75}

    live(emulated, story)


def test_brokers_square_off_is_told_as_its_own(emulated: Kite) -> None:
    async def story(venue: KiteVenue, told: Told) -> None:
        await venue.submit(request_for("a"))
        await told.until(lambda each: each.exec_type == ExecType.TRADE)
        emulated.do("square_off")
        report = await told.until(lambda each: each.code == SQUARE_OFF)
        assert (report.cl_ord_id, report.side, report.last_qty, report.instrument_id) == ("", -1, 10, INFY)
        codes = [each.code for each in await venue.executions(0)]
        assert codes == ["", SQUARE_OFF]
        assert await venue.executions(time.time_ns() + 60 * NS_PER_S) == ()

    live(emulated, story)


def test_order_made_by_hand_is_shown_and_told_without_an_id_of_ours(emulated: Kite) -> None:
    form = {
        "exchange": "NSE", "tradingsymbol": "INFY", "transaction_type": "BUY", "quantity": "3", "product": "CNC",
        "order_type": "LIMIT", "price": "1480",
    }  # fmt: skip

    async def story(venue: KiteVenue, told: Told) -> None:
        await venue.submit(request_for("a", **RESTING))
        emulated.do("trade", form=form)
        ours, other = sorted(await venue.open_orders(), key=lambda each: each.cl_ord_id, reverse=True)
        assert (ours.cl_ord_id, ours.bucket, ours.px, ours.order_qty) == ("a", "", PX - 2_000, 10)
        assert (other.cl_ord_id, other.bucket, other.px, other.ord_type) == ("", "CNC", 148_000, OrdType.LIMIT)
        emulated.price(INFY, 1480)
        report = await told.until(lambda each: each.bucket == "CNC")
        assert (report.cl_ord_id, report.exec_type, report.code) == ("", ExecType.TRADE, "")

    live(emulated, story)


def test_money_and_access_are_the_accounts(emulated: Kite) -> None:
    async def story(venue: KiteVenue, told: Told) -> None:
        balance = (await venue.balances())[0]
        assert (balance.asset, balance.total, balance.available) == ("INR", Decimal(1_000_000), Decimal(1_000_000))
        access = await venue.access()
        assert (access.account, access.can_trade, access.can_withdraw) == ("AB1234", True, False)
        assert abs(access.clock_ahead_ns) < 2 * NS_PER_S
        assert "NSE" in access.detail

    live(emulated, story)


def test_instruments_are_read_once_a_day(emulated: Kite, tmp_path: Path) -> None:
    async def story(venue: KiteVenue, told: Told) -> None:
        emulated.arm(Fault.QUERY_ERROR, op="instruments", times=2)
        assert INFY in {each.instrument_id for each in await venue.instruments()}

    live(emulated, story, cache_dir=tmp_path)
    assert len(list(tmp_path.iterdir())) == 2


def test_venue_that_cannot_be_reached_is_not_connected(emulated: Kite) -> None:
    async def run() -> None:
        venue = KiteVenue(settings_for(emulated, root="http://127.0.0.1:9"))
        try:
            with pytest.raises(VenueOutcomeUnknown, match="NOT_SENT"):
                await venue.connect(lambda _report: None)
        finally:
            await venue.close()

    asyncio.run(run())
