"""A stop and a target that Binance spot links, through ccxt's real client at the emulated venue."""

from __future__ import annotations

import asyncio

import msgspec
import pytest
from tests.venues.ccxt.orders import BITCOIN, DOLLAR, SPOT, order, settings
from tests.venues.ccxt.raw_server import http, raw_server
from tests.venues.ccxt.test_binance_venue import LOST, Story, kinds

from surefill.domain.orders import OrderRequest
from surefill.domain.reports import ExecType
from surefill.errors import VenueOutcomeUnknown
from surefill.testing.emulators.groundwork.process import EmulatorProcess
from surefill.testing.remote_venue.faults import Fault
from surefill.venues.ccxt import BinanceVenue
from surefill.venues.ccxt.binance.pairs import pair_params
from surefill.venues.protocol import Accepted, Outcome, Rejected, Unknown

WHOLE = BITCOIN[SPOT] // 100


class Paired(Story):
    """The account has ten bitcoins, at 60,000 dollars."""

    def __init__(self, binance: EmulatorProcess) -> None:
        super().__init__(binance, "binance")

    def pair(self, cl_ord_id: str, side: int = -1, *, stop: int = 59_000, target: int = 62_000) -> OrderRequest:
        request = self.order(cl_ord_id, side, stop=stop, reduce_only=True)
        return msgspec.structs.replace(request, target_px=target * DOLLAR[SPOT])

    async def placed(self, cl_ord_id: str) -> OrderRequest:
        request = self.pair(cl_ord_id)
        assert isinstance(await self.venue.submit(request), Accepted)
        await self.until(lambda: len(self.told(ExecType.NEW)) == 2)
        return request

    async def price(self, px: int, **terms: object) -> None:
        await asyncio.to_thread(self.binance.price, "BTCUSDT", px, **terms)

    def at_venue(self) -> dict[str, tuple[str, str]]:
        return {each["client_id"]: (each["status"], each["cum_qty"]) for each in self.binance.truth().orders}

    def statuses(self) -> list[str]:
        return [status for status, _ in self.at_venue().values()]


@pytest.mark.parametrize(("side", "stop", "target"), [(-1, 59_000, 62_000), (1, 62_000, 59_000)])
def test_pair_is_placed_as_one_list_with_ids_of_ours_and_reports_one_order(
    binance: EmulatorProcess, side: int, stop: int, target: int
) -> None:
    at = Paired(binance)

    async def story() -> None:
        request = at.pair("p1", side, stop=stop, target=target)
        outcome = await at.venue.submit(request)
        assert isinstance(outcome, Accepted)
        assert kinds(outcome.reports) == ["NEW"]
        assert set(at.at_venue()) == {"p1", "p1.target"}
        await at.until(lambda: len(at.told(ExecType.NEW)) == 2)
        assert {report.cl_ord_id for report in at.reports} == {"p1"}
        answer = await at.venue.query(request)
        assert (answer.found, kinds(answer.reports)) == (True, ["STATUS"])
        assert {each.cl_ord_id for each in await at.venue.open_orders()} == {"p1"}

    at.run(story)


@pytest.mark.parametrize("which", ["stop", "target"])
def test_either_leg_fills_the_order_and_the_venue_ends_the_other(binance: EmulatorProcess, which: str) -> None:
    at = Paired(binance)

    async def story() -> None:
        request = await at.placed("p1")
        await at.price(58_900 if which == "stop" else 62_100)
        await at.until(lambda: bool(at.told(ExecType.TRADE)))
        fill = at.told(ExecType.TRADE)[0]  # it may be told again with the end of the other leg
        assert (fill.cl_ord_id, fill.last_qty) == ("p1", WHOLE)
        assert bool(at.told(ExecType.TRIGGERED)) == (which == "stop")
        assert sorted(at.statuses()) == ["EXPIRED", "FILLED"]
        answer = await at.venue.query(request)
        assert [each.exec_id for each in answer.reports if each.exec_type == ExecType.TRADE] == [fill.exec_id]
        assert answer.reports[-1].cum_qty == WHOLE
        assert (answer.reports[0].exec_type == ExecType.TRIGGERED) == (which == "stop")
        assert at.told(ExecType.EXPIRED, ExecType.CANCELED) == [], "the end of a leg is none of the order's"
        (told,) = await at.venue.executions(request.transact_ns)
        assert (told.cl_ord_id, told.exec_id) == ("p1", fill.exec_id)

    at.run(story)


def test_target_that_fills_in_part_rests_without_its_stop_and_its_rest_can_be_canceled(
    binance: EmulatorProcess,
) -> None:
    at = Paired(binance)

    async def story() -> None:
        request = await at.placed("p1")
        await at.price(62_100, qty="0.004")
        await at.until(lambda: bool(at.told(ExecType.TRADE)))
        assert sorted(at.at_venue().values()) == [("EXPIRED", "0"), ("PARTIALLY_FILLED", "0.004")]
        answer = await at.venue.query(request)
        assert (kinds(answer.reports), answer.reports[-1].cum_qty) == (["TRADE", "STATUS"], WHOLE * 4 // 10)
        outcome = await at.venue.cancel(request, "")
        assert isinstance(outcome, Accepted)
        assert (outcome.reports[-1].exec_type, outcome.reports[-1].cum_qty) == (ExecType.CANCELED, WHOLE * 4 // 10)
        assert sorted(at.statuses()) == ["CANCELED", "EXPIRED"]

    at.run(story)


def test_rest_of_a_target_whose_list_is_over_is_canceled_by_its_own_id() -> None:
    """Whether a list with a half filled target still counts as one is not documented: either way the rest ends."""
    leg = {"symbol": "BTCUSDT", "orderId": 8, "orderListId": 3, "clientOrderId": "p1.target", "type": "LIMIT_MAKER"}
    leg |= {"status": "CANCELED", "side": "SELL", "executedQty": "0.00400000", "updateTime": 1}
    stop = {**leg, "orderId": 7, "clientOrderId": "p1", "type": "STOP_LOSS", "status": "EXPIRED", "executedQty": "0.0"}
    trade = {"symbol": "BTCUSDT", "id": 5, "orderId": 8, "orderListId": 3, "price": "62000", "qty": "0.004", "time": 1}
    trade |= {"commission": "0", "commissionAsset": "USDT", "isBuyer": False}

    async def story() -> tuple[Outcome, list[str]]:
        async with raw_server() as raw:
            raw.answers |= {
                "DELETE /api/v3/orderList": http(400, {"code": -2011, "msg": "Unknown order sent."}),
                "DELETE /api/v3/order": http(200, leg),
                "GET /api/v3/openOrders": http(200, [stop, leg]),
                "GET /api/v3/myTrades": http(200, [trade]),
            }
            venue = BinanceVenue(settings("binance", raw.url))
            request = order("p1", SPOT, -1, qty=1_000, stop=59_000)
            try:
                outcome = await venue.cancel(msgspec.structs.replace(request, target_px=6_200_000), "list-3")
            finally:
                await venue.close()
            return outcome, raw.seen

    outcome, seen = asyncio.run(story())
    assert isinstance(outcome, Accepted), outcome
    assert kinds(outcome.reports) == ["TRADE", "CANCELED"]
    assert {report.order_id for report in outcome.reports} == {"list-3"}
    asked = [line for line in seen if line.startswith("DELETE /api/v3/order?")]
    assert len(asked) == 1
    assert "origClientOrderId=p1.target" in asked[0]


def test_cancel_takes_both_legs(binance: EmulatorProcess) -> None:
    at = Paired(binance)

    async def story() -> None:
        request = await at.placed("p1")
        outcome = await at.venue.cancel(request, "")
        assert isinstance(outcome, Accepted)
        assert (kinds(outcome.reports), outcome.reports[0].cum_qty) == (["CANCELED"], 0)
        assert at.statuses() == ["CANCELED", "CANCELED"]
        await at.until(lambda: bool(at.told(ExecType.CANCELED)))
        assert (await at.venue.query(request)).reports[-1].exec_type == ExecType.CANCELED

    at.run(story)


def test_leg_that_somebody_cancels_by_hand_ends_the_order(binance: EmulatorProcess) -> None:
    at = Paired(binance)

    async def story() -> None:
        await at.placed("p1")
        numbers = [each["number"] for each in binance.truth().orders]
        for number in numbers:
            await asyncio.to_thread(binance.control, "cancel", number=number)
        await at.until(lambda: bool(at.told(ExecType.CANCELED)))
        assert {report.cl_ord_id for report in at.told(ExecType.CANCELED)} == {"p1"}

    at.run(story)


@pytest.mark.parametrize(("stop", "target"), [(60_500, 62_000), (59_000, 59_500), (62_000, 59_000)])
def test_pair_with_prices_on_the_wrong_side_of_the_market_is_refused_with_proof(
    binance: EmulatorProcess, stop: int, target: int
) -> None:
    at = Paired(binance)

    async def story() -> None:
        outcome = await at.venue.submit(at.pair("p1", stop=stop, target=target))
        assert isinstance(outcome, Rejected)
        assert (outcome.code, "relationship of the prices" in outcome.text) == ("-2010", True)
        assert at.at_venue() == {}

    at.run(story)


def test_leg_that_breaks_a_filter_is_not_sent(binance: EmulatorProcess) -> None:
    at = Paired(binance)

    async def story() -> None:
        odd = msgspec.structs.replace(at.pair("p1"), target_px=10**13)
        outcome = await at.venue.submit(odd)
        assert isinstance(outcome, Rejected)
        assert outcome.code == "FILTER_PRICE_FILTER"
        assert isinstance(await at.venue.submit(at.pair("p" * 30)), Rejected)
        assert at.at_venue() == {}

    at.run(story)


@pytest.mark.parametrize("fault", LOST)
def test_pair_whose_answer_is_lost_is_unknown_and_found_whole(binance: EmulatorProcess, fault: Fault) -> None:
    at = Paired(binance)

    async def story() -> None:
        await asyncio.to_thread(binance.arm, fault, op="submit")
        request = at.pair("p1")
        assert isinstance(await at.venue.submit(request), Unknown)
        answer = await at.venue.query(request)
        assert (answer.found, len(at.at_venue())) == (True, 2)

    at.run(story)


def test_pair_that_never_arrived_is_absent_and_one_that_cannot_be_looked_up_is_neither(
    binance: EmulatorProcess,
) -> None:
    at = Paired(binance)

    async def story() -> None:
        request = at.pair("p1")
        assert not (await at.venue.query(request)).found
        await asyncio.to_thread(binance.arm, Fault.QUERY_ERROR, 1)
        with pytest.raises(VenueOutcomeUnknown):
            await at.venue.query(request)

    at.run(story)


def test_usdm_links_nothing(binance: EmulatorProcess) -> None:
    at = Story(binance, "binanceusdm")
    assert not at.venue.capabilities.links
    request = msgspec.structs.replace(at.order("p1", -1, stop=59_000), target_px=620_000)

    async def story() -> None:
        outcome = await at.venue.submit(request)
        assert isinstance(outcome, Rejected)
        assert outcome.code == "NOT_SUPPORTED"
        assert binance.truth().orders == []

    at.run(story)


def test_ids_of_a_pair_fit_what_the_venue_takes() -> None:
    class Named:
        name = "X"

        def px_text(self, px: int) -> str:
            return str(px)

        qty_text = px_text

    params = pair_params(Named(), msgspec.structs.replace(REQUEST, cl_ord_id="a" * 20))  # type: ignore[arg-type]
    ids = [params[f"{part}ClientOrderId"] for part in ("list", "above", "below")]
    assert len(set(ids)) == 3
    assert max(map(len, ids)) <= 36


REQUEST = OrderRequest("c", "r", SPOT, "", -1, 3, 1, 0, 9, 1, True, 10, 0, 0, 11)
