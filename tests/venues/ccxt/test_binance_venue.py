"""The adapter against the emulated Binance: ccxt's real client, real HTTP, real WebSockets."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable

import msgspec
import pytest
from tests.venues.ccxt.orders import BITCOIN, DOLLAR, INSTRUMENTS, SPOT, USDM, order, settings

from surefill.domain.market import Quote
from surefill.domain.orders import OrderRequest
from surefill.domain.reports import ExecType, VenueReport
from surefill.errors import ConfigError, VenueOutcomeUnknown
from surefill.rules.codes import OrdType, TimeInForce
from surefill.testing.emulators.groundwork.faults import WireFault
from surefill.testing.emulators.groundwork.process import EmulatorProcess
from surefill.testing.remote_venue.faults import Fault
from surefill.units import NS_PER_MS, NS_PER_S
from surefill.venues.ccxt import BinanceVenue
from surefill.venues.protocol import Accepted, Rejected, Unknown

LOST = [
    Fault.LOSE_ANSWER,
    Fault.GARBLE_ANSWER,
    Fault.SERVER_ERROR,
    Fault.DISCONNECT_AFTER,
    WireFault.STATUS_UNKNOWN,
]
BOTH = pytest.mark.parametrize("exchange", ["binance", "binanceusdm"])


class Story:
    """A venue that is connected, and what its stream told."""

    def __init__(self, binance: EmulatorProcess, exchange: str, **others: object) -> None:
        self.binance, self.exchange = binance, exchange
        self.venue = BinanceVenue(settings(exchange, binance.url, binance.ws_url, **others))
        self.instrument_id = INSTRUMENTS[exchange]
        self.reports: list[VenueReport] = []
        self.quotes: list[Quote] = []

    def order(self, cl_ord_id: str, side: int = 1, **terms: object) -> OrderRequest:
        return order(cl_ord_id, self.instrument_id, side, **terms)  # type: ignore[arg-type]

    def told(self, *kinds: ExecType) -> list[VenueReport]:
        return [report for report in self.reports if report.exec_type in kinds]

    async def until(self, what: Callable[[], bool], within_s: float = 5.0) -> None:
        end = time.monotonic() + within_s
        while not what():
            assert time.monotonic() < end, self.reports
            await asyncio.sleep(0.01)

    def run(self, story: Callable[[], Awaitable[None]]) -> None:
        async def live() -> None:
            await self.venue.connect(self.reports.append)
            try:
                await story()
            finally:
                await self.venue.close()

        asyncio.run(asyncio.wait_for(live(), 60))  # one that hangs fails


def kinds(reports: tuple[VenueReport, ...]) -> list[str]:
    return [ExecType(report.exec_type).name for report in reports]


@BOTH
def test_market_order_fills_and_is_told_by_the_stream_and_by_a_query_alike(
    binance: EmulatorProcess, exchange: str
) -> None:
    at = Story(binance, exchange)
    request = at.order("m1")

    async def story() -> None:
        outcome = await at.venue.submit(request)
        await at.until(lambda: len(at.told(ExecType.TRADE)) == 1)
        asked = await at.venue.query(request)

        assert isinstance(outcome, Accepted)
        [told] = at.told(ExecType.TRADE)
        [found] = [report for report in asked.reports if report.exec_type == ExecType.TRADE]
        assert msgspec.structs.replace(told, raw="") == msgspec.structs.replace(found, raw="")
        assert (told.last_px, told.last_qty) == (60_000 * DOLLAR[at.instrument_id], request.order_qty)
        assert (told.cl_ord_id, told.instrument_id, told.side) == ("m1", at.instrument_id, 1)
        assert json.loads(told.raw)
        assert kinds(asked.reports) == ["TRADE", "STATUS"]
        assert asked.reports[-1].cum_qty == request.order_qty
        assert [each.exec_id for each in await at.venue.executions(request.transact_ns - NS_PER_S)] == [told.exec_id]

    at.run(story)
    assert binance.truth().orders_per_client_id() == {"m1": 1}


def test_fee_out_of_what_was_bought_is_a_quantity_and_positions_agree(binance: EmulatorProcess) -> None:
    at = Story(binance, "binance")

    async def story() -> None:
        before = await at.venue.positions()
        await at.venue.submit(at.order("buy"))
        assert (await at.venue.positions())[SPOT] == before[SPOT] + 1_000_000 - 1_000
        await at.venue.submit(at.order("sell", -1))
        await at.until(lambda: len(at.told(ExecType.TRADE)) == 2)

    at.run(story)
    bought, sold = at.told(ExecType.TRADE)
    assert (bought.fee, bought.fee_qty, bought.fee_asset) == (0, 1_000, "")
    assert (sold.fee, sold.fee_qty, sold.fee_asset) == (60_000_000, 0, "")


@pytest.mark.parametrize(("paid_in", "told"), [("quote", (60_000_000, 0, "")), ("bnb", (0, 0, "BNB"))])
def test_fee_of_a_purchase_is_told_in_what_it_is_paid_in(
    binance: EmulatorProcess, paid_in: str, told: tuple[int, int, str]
) -> None:
    at = Story(binance, "binance")
    binance.seed(commission_in=paid_in)

    async def story() -> None:
        await at.venue.submit(at.order("buy"))
        await at.until(lambda: len(at.told(ExecType.TRADE)) == 1)

    at.run(story)
    [bought] = at.told(ExecType.TRADE)
    assert (bought.fee, bought.fee_qty, bought.fee_asset) == told


@pytest.mark.parametrize(("fees_in_bnb", "let_through"), [(False, False), (True, True)])
def test_purchase_whose_commission_cannot_be_counted_is_not_sent(
    binance: EmulatorProcess, fees_in_bnb: bool, let_through: bool
) -> None:
    at = Story(binance, "binance", fees_in_bnb=fees_in_bnb)

    async def story() -> None:
        listing = await at.venue._lookup.listing(SPOT)
        at.venue._lookup._listings[SPOT] = msgspec.structs.replace(listing, counts_fees=False)
        outcome = await at.venue.submit(at.order("buy"))
        assert isinstance(outcome, Accepted) is let_through
        if isinstance(outcome, Rejected):
            assert outcome.code == "COMMISSION_NOT_COUNTED"
        assert isinstance(await at.venue.submit(at.order("sell", -1)), Accepted)

    at.run(story)


@BOTH
def test_limit_order_rests_is_amended_in_place_and_canceled(binance: EmulatorProcess, exchange: str) -> None:
    at = Story(binance, exchange)
    request = at.order("l1", px=50_000)

    async def story() -> None:
        assert isinstance(await at.venue.submit(request), Accepted)
        [working] = await at.venue.open_orders()
        assert (working.cl_ord_id, working.px, working.order_qty) == ("l1", request.px, request.order_qty)

        less = msgspec.structs.replace(request, order_qty=request.order_qty // 2)
        assert isinstance(await at.venue.amend(less, working.order_id), Accepted)
        [working] = await at.venue.open_orders()
        assert (working.cl_ord_id, working.order_qty) == ("l1", less.order_qty)

        outcome = await at.venue.cancel(request, working.order_id)
        assert isinstance(outcome, Accepted)
        assert kinds(outcome.reports) == ["CANCELED"]
        assert await at.venue.open_orders() == ()
        await at.until(lambda: len(at.told(ExecType.CANCELED)) == 1)
        assert at.told(ExecType.CANCELED)[0].cl_ord_id == "l1"  # on spot the cancel has an id of its own

    at.run(story)


def test_amendment_of_a_price_on_spot_is_not_supported_and_nothing_is_sent(binance: EmulatorProcess) -> None:
    at = Story(binance, "binance")
    request = at.order("l1", px=50_000)

    async def story() -> None:
        await at.venue.submit(request)
        other_px = msgspec.structs.replace(request, px=request.px + 100, order_qty=request.order_qty // 2)
        more = msgspec.structs.replace(request, order_qty=request.order_qty * 2)
        for wanted in (other_px, more):
            outcome = await at.venue.amend(wanted, "")
            assert isinstance(outcome, Rejected)
            assert outcome.code == "NOT_SUPPORTED"

    at.run(story)
    [truth] = binance.truth().orders
    assert truth["client_id"] == "l1"


def test_amendment_of_a_price_at_usdm_is_done(binance: EmulatorProcess) -> None:
    at = Story(binance, "binanceusdm")
    request = at.order("l1", px=50_000)

    async def story() -> None:
        await at.venue.submit(request)
        wanted = msgspec.structs.replace(request, px=request.px + 100)
        assert isinstance(await at.venue.amend(wanted, ""), Accepted)
        [working] = await at.venue.open_orders()
        assert working.px == wanted.px

    at.run(story)


@BOTH
def test_cancel_of_a_filled_order_is_refused_and_its_fills_are_told(binance: EmulatorProcess, exchange: str) -> None:
    at = Story(binance, exchange)
    request = at.order("m1")

    async def story() -> None:
        await at.venue.submit(request)
        at.reports.clear()
        outcome = await at.venue.cancel(request, "")
        assert isinstance(outcome, Rejected)
        assert "FILLED" in outcome.text
        assert len(at.told(ExecType.TRADE)) >= 1

    at.run(story)


@BOTH
def test_cancel_of_an_order_that_never_was_is_unknown(binance: EmulatorProcess, exchange: str) -> None:
    at = Story(binance, exchange)

    async def story() -> None:
        outcome = await at.venue.cancel(at.order("never"), "")
        assert isinstance(outcome, Unknown)

    at.run(story)


@BOTH
def test_query_of_an_order_that_never_was_finds_nothing(binance: EmulatorProcess, exchange: str) -> None:
    at = Story(binance, exchange)

    async def story() -> None:
        for request in (at.order("never"), at.order("never", -1, stop=50_000)):
            assert not (await at.venue.query(request)).found

    at.run(story)


@BOTH
def test_stop_order_triggers_and_trades_under_its_own_id(binance: EmulatorProcess, exchange: str) -> None:
    at = Story(binance, exchange)
    stop = at.order("s1", -1, stop=59_000, reduce_only=exchange == "binanceusdm")

    async def story() -> None:
        await at.venue.submit(at.order("m1"))
        assert isinstance(await at.venue.submit(stop), Accepted)
        [working] = await at.venue.open_orders()
        assert (working.cl_ord_id, working.ord_type, working.stop_px) == ("s1", OrdType.STOP, stop.stop_px)
        await asyncio.to_thread(binance.price, "BTCUSDT", 58_000)
        await at.until(lambda: any(report.cl_ord_id == "s1" for report in at.told(ExecType.TRADE)))
        assert [report.cl_ord_id for report in at.told(ExecType.TRIGGERED)][:1] == ["s1"]
        asked = await at.venue.query(stop)
        assert {"TRIGGERED", "TRADE"} <= set(kinds(asked.reports))
        assert {report.cl_ord_id for report in asked.reports} == {"s1"}

    at.run(story)


@BOTH
def test_stop_order_is_canceled(binance: EmulatorProcess, exchange: str) -> None:
    at = Story(binance, exchange)
    stop = at.order("s1", -1, stop=50_000)

    async def story() -> None:
        outcome = await at.venue.submit(stop)
        assert isinstance(outcome, Accepted)
        ended = await at.venue.cancel(stop, outcome.reports[0].order_id)
        assert isinstance(ended, Accepted)
        assert kinds(ended.reports) == ["CANCELED"]
        assert await at.venue.open_orders() == ()
        assert kinds((await at.venue.query(stop)).reports) == ["CANCELED"]

    at.run(story)


def test_orders_in_hedge_mode_go_to_their_side(binance: EmulatorProcess) -> None:
    switch = BinanceVenue(settings("binanceusdm", binance.url))

    async def hedged() -> None:
        await switch._asking.look(("fapiPrivate", "POST", "positionSide/dual"), {"dualSidePosition": "true"})
        await switch.close()

    asyncio.run(hedged())
    at = Story(binance, "binanceusdm", hedge=True)

    async def story() -> None:
        assert isinstance(await at.venue.submit(at.order("a", bucket="LONG")), Accepted)
        assert isinstance(await at.venue.submit(at.order("b", -1, bucket="SHORT")), Accepted)
        held = BITCOIN[USDM] // 100
        assert await at.venue.positions() == {f"{USDM}|LONG": held, f"{USDM}|SHORT": -held}
        await at.until(lambda: len(at.told(ExecType.TRADE)) == 2)
        assert [report.bucket for report in at.told(ExecType.TRADE)] == ["LONG", "SHORT"]
        refused = await at.venue.submit(at.order("c"))
        assert isinstance(refused, Rejected)
        assert refused.code == "POSITION_SIDE"
        assert isinstance(await at.venue.submit(at.order("d", -1, bucket="LONG", reduce_only=True)), Accepted)
        assert await at.venue.positions() == {f"{USDM}|SHORT": -held}

    at.run(story)


def test_account_in_another_position_mode_does_not_connect(binance: EmulatorProcess) -> None:
    at = Story(binance, "binanceusdm", hedge=True)

    async def story() -> None:
        raise AssertionError("it must not come this far")

    with pytest.raises(ConfigError, match="hedge"):
        at.run(story)


@BOTH
def test_order_that_a_filter_refuses_is_not_sent(binance: EmulatorProcess, exchange: str) -> None:
    at = Story(binance, exchange)
    tiny = at.order("tiny", qty=BITCOIN[at.instrument_id] // (100_000 if exchange == "binance" else 1_000), px=50_000)

    async def story() -> None:
        refused = await at.venue.submit(msgspec.structs.replace(tiny, px=1))
        assert isinstance(refused, Rejected)
        assert refused.code == "FILTER_NOTIONAL"
        assert not refused.undelivered
        bad_id = await at.venue.submit(at.order("with blanks"))
        assert isinstance(bad_id, Rejected)
        assert bad_id.code == "CLIENT_ID"

    at.run(story)
    assert binance.truth().orders == []


@BOTH
def test_instruments_have_the_venues_ticks_and_lots(binance: EmulatorProcess, exchange: str) -> None:
    at = Story(binance, exchange, money_decimals=12)

    async def story() -> None:
        found = {each.instrument_id: each for each in await at.venue.instruments()}[at.instrument_id]
        decimals = {"binance": (2, 8), "binanceusdm": (1, 3)}[exchange]
        assert (found.price_decimals, found.qty_decimals) == decimals
        assert found.money_per_notional == 10 ** (12 - sum(decimals))
        assert (found.currency, found.underlying) == ("USDT", "BTC")
        [terms] = found.terms
        step = 1_000 if exchange == "binance" else 1
        assert (terms.tick, terms.lot, terms.min_qty, terms.tradable) == (1, step, step, True)
        assert terms.odd_lots is (exchange != "binance")

    at.run(story)


@BOTH
def test_quotes_come_over_a_lost_stream(binance: EmulatorProcess, exchange: str) -> None:
    at = Story(binance, exchange)

    async def story() -> None:
        await at.venue.subscribe([at.instrument_id], at.quotes.append)
        dollar = DOLLAR[at.instrument_id]
        await at.until(lambda: len(at.quotes) > 0)  # as it stands, though nothing happens
        assert (at.quotes[-1].bid_px, at.quotes[-1].ask_px) == (60_000 * dollar, 60_000 * dollar)
        await asyncio.to_thread(binance.price, "BTCUSDT", None, bid=60_100, ask=60_101)
        await at.until(lambda: at.quotes[-1].bid_px != 60_000 * dollar)
        assert (at.quotes[-1].bid_px, at.quotes[-1].ask_px) == (60_100 * dollar, 60_101 * dollar)
        await asyncio.to_thread(binance.kill)
        await asyncio.to_thread(binance.start)
        at.quotes.clear()
        end = time.monotonic() + 5
        while not at.quotes or at.quotes[-1].bid_px == 60_100 * dollar:
            assert time.monotonic() < end
            await asyncio.to_thread(binance.price, "BTCUSDT", None, bid=60_200, ask=60_201)
        assert at.quotes[-1].bid_px == 60_200 * dollar

    at.run(story)


@BOTH
def test_fills_missed_while_the_stream_was_down_are_fetched(binance: EmulatorProcess, exchange: str) -> None:
    at = Story(binance, exchange)
    request = at.order("l1", px=50_000)

    async def story() -> None:
        await at.venue.submit(request)
        await at.until(lambda: len(at.told(ExecType.NEW)) == 1)
        at.reports.clear()
        await asyncio.to_thread(binance.arm, WireFault.STREAM_LOST)
        await asyncio.to_thread(binance.price, "BTCUSDT", 49_000)
        await at.until(lambda: len(at.told(ExecType.TRADE)) > 0)
        assert at.told(ExecType.TRADE)[0].cl_ord_id == "l1"

    at.run(story)
    assert binance.truth().fired["STREAM_LOST"] == 1


def test_listen_key_that_ends_is_replaced(binance: EmulatorProcess) -> None:
    at = Story(binance, "binanceusdm")

    async def story() -> None:
        await asyncio.to_thread(binance.control, "expire_listen_keys")
        await at.until(lambda: at.venue._streams.openings == 2)
        await at.venue.submit(at.order("m1"))
        await at.until(lambda: len(at.told(ExecType.TRADE)) == 1)

    at.run(story)


def test_listen_key_is_renewed_and_an_ended_one_found_out(binance: EmulatorProcess) -> None:
    at = Story(binance, "binanceusdm", keep_alive_s=0.05)

    async def story() -> None:
        await asyncio.to_thread(binance.arm, WireFault.EXPIRE_TOKEN, 1, op="listen_key")
        await at.until(lambda: at.venue._streams.openings == 2)

    at.run(story)


@BOTH
@pytest.mark.parametrize("fault", LOST)
def test_order_whose_answer_is_lost_is_unknown_and_found_by_its_id(
    binance: EmulatorProcess, exchange: str, fault: Fault | WireFault
) -> None:
    at = Story(binance, exchange, timeout_s=0.5)
    request = at.order("m1")

    async def story() -> None:
        await asyncio.to_thread(binance.arm, fault, 1, op="submit")
        outcome = await at.venue.submit(request)
        assert isinstance(outcome, Unknown), outcome
        asked = await at.venue.query(request)
        assert asked.found
        assert "TRADE" in kinds(asked.reports)

    at.run(story)
    assert binance.truth().orders_per_client_id() == {"m1": 1}
    assert binance.truth().fired[fault.name] == 1


@BOTH
def test_clock_of_the_venue_is_measured_and_used(binance: EmulatorProcess, exchange: str) -> None:
    binance.rules(skew_ms=30_000)
    at = Story(binance, exchange)

    async def story() -> None:
        access = await at.venue.access()
        assert abs(access.clock_ahead_ns - 30_000 * NS_PER_MS) < 2_000 * NS_PER_MS
        assert isinstance(await at.venue.submit(at.order("m1")), Accepted)

    at.run(story)


@BOTH
def test_key_that_can_withdraw_is_told(binance: EmulatorProcess, exchange: str) -> None:
    key = {"api_key": "rich", "secret": "s", "account": "main", "withdraws": True, "futures": False}
    binance.seed(keys=[key])
    keys = settings(exchange, "").keys
    rich = msgspec.structs.replace(keys, api_key=type(keys.api_key)("rich"), secret=type(keys.secret)("s"))
    at = Story(binance, exchange, keys=rich)

    async def story() -> None:
        access = await at.venue.access()
        assert access.can_withdraw is True
        assert access.can_trade is (exchange == "binance")

    at.run(story)


@BOTH
def test_key_of_the_test_system_is_tried_for_it_tells_no_permissions(binance: EmulatorProcess, exchange: str) -> None:
    at = Story(binance, exchange, sandbox=True)
    keys = at.venue._settings.keys
    wrong = msgspec.structs.replace(keys, api_key=type(keys.api_key)("nobody's"))

    async def story() -> None:
        access = await at.venue.access()
        assert (access.can_trade, access.can_withdraw) == (True, None)
        stranger = Story(binance, exchange, sandbox=True, keys=wrong).venue
        with pytest.raises(VenueOutcomeUnknown):
            await stranger.access()
        await stranger.close()

    at.run(story)


@BOTH
def test_fill_or_kill_that_finds_too_little_expires(binance: EmulatorProcess, exchange: str) -> None:
    at = Story(binance, exchange)

    async def story() -> None:
        outcome = await at.venue.submit(at.order("f1", px=50_000, tif=TimeInForce.FOK))
        assert isinstance(outcome, Accepted)
        assert kinds(outcome.reports)[-1] == "EXPIRED"

    at.run(story)


def test_countdown_at_usdm_is_set_and_on_spot_not_supported(binance: EmulatorProcess) -> None:
    usdm, spot = Story(binance, "binanceusdm"), Story(binance, "binance")

    async def at_usdm() -> None:
        assert isinstance(await usdm.venue.cancel_all_after(USDM, 30_000), Accepted)

    async def on_spot() -> None:
        assert isinstance(await spot.venue.cancel_all_after("BTC/USDT", 30_000), Rejected)

    usdm.run(at_usdm)
    spot.run(on_spot)


def test_venue_that_cannot_be_reached_does_not_connect(binance: EmulatorProcess) -> None:
    at = Story(binance, "binance", timeout_s=0.3)
    binance.kill()
    try:
        with pytest.raises(VenueOutcomeUnknown):
            at.run(lambda: asyncio.sleep(0))
    finally:
        binance.start()


def test_secrets_are_not_shown() -> None:
    shown = repr(settings("binance", "http://127.0.0.1"))

    assert "emulated-binance" not in shown
    assert "***" in shown


@BOTH
def test_execution_of_an_order_never_seen_here_has_its_client_id(binance: EmulatorProcess, exchange: str) -> None:
    before, after = Story(binance, exchange), Story(binance, exchange, instrument_ids=(INSTRUMENTS[exchange],))
    request = before.order("m1")

    async def story() -> None:
        await before.venue.submit(request)

    async def later() -> None:
        [execution] = await after.venue.executions(request.transact_ns - NS_PER_S)
        assert (execution.cl_ord_id, execution.instrument_id, execution.side) == ("m1", request.instrument_id, 1)

    before.run(story)
    after.run(later)
