"""Every way in which a request can fail on the wire, through ccxt's own client, and what is concluded from it."""

from __future__ import annotations

import asyncio
import socket

import pytest
from tests.venues.ccxt.orders import SPOT, USDM, order, settings
from tests.venues.ccxt.raw_server import CLOSE, RESET, SILENCE, RawServer, http, raw_server

from surefill.errors import VenueOutcomeUnknown
from surefill.units import NS_PER_S
from surefill.venues.ccxt import BinanceVenue
from surefill.venues.protocol import Accepted, Outcome, QueryAnswer, Rejected, Unknown

ORDER = "POST /api/v3/order"
TAKEN = {"symbol": "BTCUSDT", "orderId": 7, "clientOrderId": "a", "transactTime": 1, "status": "NEW", "side": "BUY"}
TAKEN |= {"executedQty": "0.00000000", "fills": []}
BUSY_503 = {"code": -1000, "msg": "Service Unavailable."}
UNKNOWN_503 = {"code": -1000, "msg": "Unknown error, please check your request or try again later."}


async def submitted(answer: bytes, exchange: str = "binance") -> tuple[Outcome, RawServer]:
    async with raw_server() as raw:
        raw.answers["POST /api/v3/order"] = raw.answers["POST /fapi/v1/order"] = answer
        venue = BinanceVenue(settings(exchange, raw.url, timeout_s=0.3))
        try:
            return await venue.submit(order("a", SPOT if exchange == "binance" else USDM, qty=1_000)), raw
        finally:
            await venue.close()


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (RESET, "reset"),
        (CLOSE, "disconnected"),
        (SILENCE, "timeout"),
        (http(200, "<html>hello</html>"), "html"),
        (http(200, {"hello": 1}), "unreadable"),
        (http(200, [TAKEN]), "unreadable"),
        (http(200, TAKEN)[:-20], "timeout"),
        (http(503, {"code": -1007, "msg": "Send status unknown"}), "-1007"),
        (http(502, "<html>bad gateway</html>"), "502"),
        (http(400, {"code": -2010, "msg": "Duplicate order sent."}), "Duplicate"),
        (http(400, {"code": -9999, "msg": "?"}), "-9999"),
        (http(307, "", {"Location": "/api/v3/order"}), "307"),
    ],
)
def test_order_without_a_clear_answer_is_unknown_and_was_sent_once(answer: bytes, reason: str) -> None:
    outcome, raw = asyncio.run(submitted(answer))

    assert isinstance(outcome, Unknown), outcome
    assert reason.lower() in f"{outcome.reason} {outcome.raw}".lower()
    assert raw.count(ORDER) == 1


@pytest.mark.parametrize(
    ("answer", "code", "undelivered", "wait_s"),
    [
        (http(400, {"code": -1013, "msg": "Filter failure: NOTIONAL"}), "-1013", False, 0),
        (http(400, {"code": -1021, "msg": "Timestamp for this request is outside"}), "-1021", True, 0),
        (http(429, {"code": -1003, "msg": "Too many"}, {"Retry-After": "3"}), "HTTP_429", True, 3),
        (http(418, {"code": -1003, "msg": "banned"}, {"Retry-After": "60"}), "HTTP_418", True, 60),
        (http(401, {"code": -2015, "msg": "Invalid API-key"}), "-2015", False, 0),
    ],
)
def test_order_that_is_refused_is_rejected_with_the_raw_code(
    answer: bytes, code: str, undelivered: bool, wait_s: int
) -> None:
    outcome, raw = asyncio.run(submitted(answer))

    assert isinstance(outcome, Rejected), outcome
    assert (outcome.code, outcome.undelivered) == (code, undelivered)
    assert outcome.retry_after_ns == wait_s * NS_PER_S
    assert outcome.raw
    assert raw.count(ORDER) == 1


@pytest.mark.parametrize(
    ("exchange", "body", "kind"),
    [
        ("binanceusdm", BUSY_503, Rejected),
        ("binanceusdm", UNKNOWN_503, Unknown),
        ("binance", BUSY_503, Unknown),
        ("binance", UNKNOWN_503, Unknown),
    ],
)
def test_503_means_what_its_market_and_text_say(exchange: str, body: dict[str, object], kind: type) -> None:
    outcome, _ = asyncio.run(submitted(http(503, body), exchange))

    assert isinstance(outcome, kind), outcome
    assert getattr(outcome, "undelivered", False) == (kind is Rejected)


def test_order_with_nobody_listening_is_proven_unsent() -> None:
    async def story() -> Outcome:
        async with raw_server() as raw:
            venue = BinanceVenue(settings("binance", raw.url))
            await venue.instruments()
            raw.hang_up()
        try:
            with pytest.raises(VenueOutcomeUnknown):
                await venue.open_orders()  # the kept connection is found out to be dead
            return await venue.submit(order("a"))
        finally:
            await venue.close()

    outcome = asyncio.run(story())

    assert isinstance(outcome, Rejected), outcome
    assert (outcome.code, outcome.undelivered) == ("NOT_SENT", True)


def test_first_request_with_nobody_listening_is_proven_unsent() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, and not listening: connections are refused
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"

        async def story() -> Outcome:
            venue = BinanceVenue(settings("binance", url))
            try:
                return await venue.submit(order("a"))
            finally:
                await venue.close()

        outcome = asyncio.run(story())

    assert isinstance(outcome, Rejected)
    assert outcome.undelivered


def test_kept_connection_that_was_closed_is_no_proof_and_no_reason_to_send_again() -> None:
    """aiohttp would send a DELETE again by itself."""

    async def story() -> tuple[Outcome, int]:
        async with raw_server() as raw:
            raw.answers["DELETE /api/v3/order"] = CLOSE
            venue = BinanceVenue(settings("binance", raw.url))
            try:
                await venue.instruments()
                return await venue.cancel(order("a"), "7"), raw.count("DELETE")
            finally:
                await venue.close()

    outcome, count = asyncio.run(story())

    assert isinstance(outcome, Unknown), outcome
    assert count == 1


def test_order_past_its_time_is_not_sent() -> None:
    async def story() -> tuple[Outcome, int]:
        async with raw_server() as raw:
            venue = BinanceVenue(settings("binance", raw.url), now_ns=lambda: 2**61)
            try:
                return await venue.submit(order("a")), raw.count("POST")
            finally:
                await venue.close()

    outcome, count = asyncio.run(story())

    assert isinstance(outcome, Rejected)
    assert (outcome.undelivered, count) == (True, 0)


def test_banned_address_sends_nothing_until_the_ban_is_over() -> None:
    clock = [1]

    async def story() -> list[object]:
        async with raw_server() as raw:
            raw.answers[ORDER] = http(418, {"code": -1003, "msg": "banned"}, {"Retry-After": "60"})
            venue = BinanceVenue(settings("binance", raw.url), now_ns=lambda: clock[0])
            try:
                await venue.submit(order("a"))
                second = await venue.submit(order("b"))
                with pytest.raises(VenueOutcomeUnknown, match="TOLD_TO_WAIT"):
                    await venue.open_orders()
                before = raw.count(ORDER)
                raw.answers[ORDER] = http(200, TAKEN)
                clock[0] += 60 * NS_PER_S
                return [second, before, await venue.submit(order("c"))]
            finally:
                await venue.close()

    second, before, third = asyncio.run(story())

    assert isinstance(second, Rejected)
    assert (second.undelivered, second.retry_after_ns) == (True, 60 * NS_PER_S)
    assert before == 1
    assert isinstance(third, Accepted)


def test_clock_that_the_venue_does_not_like_is_measured_again_and_used() -> None:
    async def story() -> tuple[RawServer, Outcome]:
        async with raw_server() as raw:
            raw.answers[ORDER] = http(400, {"code": -1021, "msg": "Timestamp for this request is outside"})
            venue = BinanceVenue(settings("binance", raw.url))
            try:
                await venue.submit(order("a"))
                raw.answers[ORDER] = http(200, TAKEN)
                return raw, await venue.submit(order("a"))
            finally:
                await venue.close()

    raw, outcome = asyncio.run(story())

    assert isinstance(outcome, Accepted)
    assert raw.count("GET /api/v3/time") > 0
    stamps = [int(body.partition("timestamp=")[2].partition("&")[0]) for body in raw.bodies if "timestamp=" in body]
    assert abs(stamps[0] - 1_700_000_000_000) > 10**9
    assert 0 <= stamps[1] - 1_700_000_000_000 < 1_000


def test_two_answers_that_cross_are_kept_apart() -> None:
    """ccxt keeps the last answer of whatever request; ours must be judged by its own."""

    async def story() -> list[Outcome]:
        async with raw_server() as raw:
            raw.answers[ORDER] = http(200, TAKEN)
            raw.answers["DELETE /api/v3/order"] = http(400, {"code": -1100, "msg": "Illegal characters found"})
            venue = BinanceVenue(settings("binance", raw.url))
            try:
                await venue.instruments()
                asked = [(venue.submit(order("a")), venue.cancel(order("b"), "9")) for _ in range(20)]
                return list(await asyncio.gather(*(each for pair in asked for each in pair)))
            finally:
                await venue.close()

    outcomes = asyncio.run(story())

    assert [type(each) for each in outcomes] == [Accepted, Rejected] * 20


@pytest.mark.parametrize("answer", [RESET, SILENCE, http(500, {}), http(200, "garbage"), http(200, {"no": "list"})])
def test_look_that_fails_is_no_empty_answer(answer: bytes) -> None:
    async def story() -> None:
        async with raw_server() as raw:
            raw.answers["GET /api/v3/openOrders"] = raw.answers["GET /api/v3/account"] = answer
            venue = BinanceVenue(settings("binance", raw.url, timeout_s=0.2))
            try:
                for look in (venue.open_orders, venue.positions, lambda: venue.query(order("a"))):
                    with pytest.raises(VenueOutcomeUnknown):
                        await look()
            finally:
                await venue.close()

    asyncio.run(story())


def test_market_order_that_ends_expired_is_booked_with_its_fills() -> None:
    fill = {"price": "60000.00", "qty": "0.00400", "commission": "0.00000400", "commissionAsset": "BTC", "tradeId": 3}
    body = {**TAKEN, "status": "EXPIRED", "executedQty": "0.00400000", "fills": [fill], "type": "MARKET"}

    outcome, _ = asyncio.run(submitted(http(200, body)))

    assert isinstance(outcome, Accepted)
    assert [report.exec_type.name for report in outcome.reports] == ["NEW", "TRADE", "EXPIRED"]  # type: ignore[attr-defined]
    assert [report.cum_qty for report in outcome.reports] == [-1, -1, 400_000]
    assert (outcome.reports[1].fee, outcome.reports[1].fee_qty, outcome.reports[1].fee_asset) == (0, 400, "")


PLACES = ("GET /api/v3/openOrders", "GET /api/v3/order", "GET /api/v3/allOrders", "GET /api/v3/myTrades")
FOUND = {**TAKEN, "clientOrderId": "a", "status": "FILLED", "executedQty": "0.01", "type": "MARKET", "updateTime": 5}
TRADE = {"id": 3, "orderId": 7, "price": "60000.00", "qty": "0.01", "commission": "0", "time": 5, "isBuyer": True}
NOWHERE = {
    PLACES[0]: http(200, []),
    PLACES[1]: http(400, {"code": -2013, "msg": "Order does not exist."}),
    PLACES[2]: http(200, []),
    PLACES[3]: http(200, [TRADE]),
}


def queried(answers: dict[str, bytes]) -> QueryAnswer:
    async def story() -> QueryAnswer:
        async with raw_server() as raw:
            raw.answers |= NOWHERE | answers
            venue = BinanceVenue(settings("binance", raw.url, timeout_s=0.3))
            try:
                return await venue.query(order("a"))
            finally:
                await venue.close()

    return asyncio.run(story())


@pytest.mark.parametrize(
    ("place", "answer"), [(PLACES[0], [FOUND]), (PLACES[1], FOUND), (PLACES[2], [FOUND])], ids=PLACES[:3]
)
def test_order_is_found_wherever_it_is(place: str, answer: object) -> None:
    told = queried({place: http(200, answer)})

    assert [report.exec_id for report in told.reports] == ["3", ""]


@pytest.mark.parametrize("broken", [http(500, {}), http(503, {"code": -1007, "msg": "?"}), RESET, http(200, "no json")])
@pytest.mark.parametrize("place", PLACES)
def test_query_with_one_place_that_does_not_tell_fails_as_a_whole(place: str, broken: bytes) -> None:
    others = {PLACES[1]: http(200, FOUND)} if place == PLACES[3] else {}

    with pytest.raises(VenueOutcomeUnknown):
        queried(others | {place: broken})


def test_query_that_finds_it_nowhere_says_so() -> None:
    assert not queried({}).found


def test_query_that_finds_another_order_under_the_id_fails() -> None:
    with pytest.raises(VenueOutcomeUnknown, match="not that order"):
        queried({PLACES[1]: http(200, FOUND | {"side": "SELL"})})
