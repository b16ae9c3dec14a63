"""The remote venue tells the truth, and its adapter claims no more than it knows."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from itertools import count
from pathlib import Path

import pytest
from tests.faults.rig import DELAY_MS, PX, TIMEOUT_S

from surefill.domain.orders import OrderRequest
from surefill.domain.reports import ExecType, VenueReport
from surefill.errors import VenueOutcomeUnknown
from surefill.rules.codes import OrdType, TimeInForce
from surefill.testing.remote_venue import Fault, RemoteVenue, Rules, VenueProcess, tcp
from surefill.testing.remote_venue.server import CRASHED
from surefill.venues.protocol import Accepted, Outcome, Rejected, Unknown

_numbers = count(1)


class Client:
    """An adapter on an account of its own, and what it heard."""

    def __init__(self, process: VenueProcess, *, heartbeat_s: float = 60.0, timeout_s: float = TIMEOUT_S) -> None:
        self.account = f"client-{next(_numbers)}"
        self.symbol = self.account
        self.process = process
        self.heard: list[VenueReport] = []
        self.venue = RemoteVenue(tcp(process.port), account=self.account, timeout_s=timeout_s, heartbeat_s=heartbeat_s)
        process.price(self.symbol, PX)

    def order(self, cl_ord_id: str, qty: int = 10, px: int = 0, **changes: int) -> OrderRequest:
        terms = {"side": 1, "time_in_force": TimeInForce.DAY, "send_by_ns": time.time_ns() + 10**10}
        kind = {"ord_type": OrdType.LIMIT if px else OrdType.MARKET, "stop_px": 0}
        return OrderRequest(
            cl_ord_id=cl_ord_id,
            order_ref=cl_ord_id,
            instrument_id=self.symbol,
            bucket="",
            order_qty=qty,
            px=px,
            reduce_only=False,
            arrival_px=PX,
            transact_ns=time.time_ns(),
            **{**terms, **kind, **changes},
        )

    async def hears(self, exec_type: ExecType, times: int = 1) -> None:
        end = time.monotonic() + 2.0
        while sum(report.exec_type == exec_type for report in self.heard) < times:
            assert time.monotonic() < end, f"{times} {exec_type.name} not in {self.heard}"
            await asyncio.sleep(0.002)

    def received(self) -> dict[str, int]:
        return self.process.truth(self.account).received(self.account)


def run(client: Client, story: Callable[[RemoteVenue], Awaitable[None]]) -> None:
    async def life() -> None:
        await client.venue.connect(client.heard.append)
        try:
            await story(client.venue)
        finally:
            await client.venue.close()

    asyncio.run(life())


def outcome_of_submit(client: Client, **changes: int) -> Outcome:
    outcomes: list[Outcome] = []

    async def story(venue: RemoteVenue) -> None:
        outcomes.append(await venue.submit(client.order("one", **changes)))

    run(client, story)
    return outcomes[0]


@pytest.mark.parametrize(
    ("fault", "kind", "words", "received"),
    [
        (None, Accepted, "", 1),
        (Fault.REFUSED, Rejected, "REFUSED", 1),
        (Fault.THROTTLED, Rejected, "THROTTLED", 0),
        (Fault.LOSE_REQUEST, Unknown, "no answer", 0),
        (Fault.LOSE_ANSWER, Unknown, "no answer", 1),
        (Fault.DELAY_ANSWER, Unknown, "no answer", 1),
        (Fault.GARBLE_ANSWER, Unknown, "unreadable", 1),
        (Fault.SERVER_ERROR, Unknown, "SERVER_ERROR", 1),
        (Fault.DISCONNECT, Unknown, "", 0),
        (Fault.DISCONNECT_AFTER, Unknown, "", 1),
    ],
)
def test_submit_outcome_claims_no_more_than_is_known(
    process: VenueProcess, fault: Fault | None, kind: type[Outcome], words: str, received: int
) -> None:
    if fault is not None:
        process.arm(fault, op="submit")
    client = Client(process)
    outcome = outcome_of_submit(client)
    assert isinstance(outcome, kind)
    assert words in str(outcome)
    assert sum(client.received().values()) == received


def test_submit_past_its_deadline_is_not_sent(process: VenueProcess) -> None:
    client = Client(process)
    outcome = outcome_of_submit(client, send_by_ns=time.time_ns() - 1)
    assert isinstance(outcome, Rejected)
    assert outcome.code == "NOT_SENT"
    assert client.received() == {}


@pytest.mark.parametrize(("dedupe", "received", "held"), [(False, 2, 20), (True, 1, 10)])
def test_blind_resend_doubles_unless_the_venue_dedupes(
    process: VenueProcess, dedupe: bool, received: int, held: int
) -> None:
    process.rules(Rules(dedupe=dedupe))
    client = Client(process)

    async def story(venue: RemoteVenue) -> None:
        for _ in range(2):
            await venue.submit(client.order("one"))

    run(client, story)
    assert client.received() == {"one": received}
    assert process.truth(client.account).positions == {client.account: {client.symbol: held}}


def test_request_outside_the_receive_window_is_proved_undone(process: VenueProcess) -> None:
    process.rules(Rules(receive_window_ns=20_000_000, delay_ms=50))
    process.arm(Fault.DELAY_REQUEST, op="submit")
    client = Client(process, timeout_s=1.0)
    outcome = outcome_of_submit(client)
    assert isinstance(outcome, Rejected)
    assert outcome.code == "TOO_LATE"
    assert client.received() == {}


def test_limit_order_rests_until_the_price_crosses_and_fills_in_slices(process: VenueProcess) -> None:
    process.rules(Rules(slices=3, fee=7))
    client = Client(process)

    async def story(venue: RemoteVenue) -> None:
        await venue.submit(client.order("one", px=PX - 5))
        process.price(client.symbol, PX - 4)
        found = await venue.query(client.order("one"))
        assert [report.exec_type for report in found.reports] == [ExecType.STATUS]
        process.price(client.symbol, PX - 6)
        await client.hears(ExecType.TRADE, 3)

    run(client, story)
    trades = [report for report in client.heard if report.exec_type == ExecType.TRADE]
    assert [(trade.last_px, trade.last_qty, trade.fee) for trade in trades] == [
        (PX - 6, 3, 7),
        (PX - 6, 3, 7),
        (PX - 6, 4, 7),
    ]


@pytest.mark.parametrize("side", [1, -1])
def test_stop_order_rests_until_the_price_reaches_its_trigger_and_trades_at_the_market(
    process: VenueProcess, side: int
) -> None:
    client = Client(process)
    stop = {"side": side, "ord_type": OrdType.STOP}

    async def story(venue: RemoteVenue) -> None:
        await venue.submit(client.order("one", stop_px=PX + side * 5, **stop))
        process.price(client.symbol, PX + side * 6, 0)
        await client.hears(ExecType.CANCELED)  # nothing trades there: what a triggered stop finds is all it gets
        await venue.submit(client.order("two", stop_px=PX + side * 9, **stop))
        process.price(client.symbol, PX + side * 7)
        assert isinstance(await venue.amend(client.order("two", 8, stop_px=PX + side * 8, **stop), ""), Accepted)
        (order,) = await venue.open_orders()
        assert (order.ord_type, order.stop_px, order.order_qty) == (OrdType.STOP, PX + side * 8, 8)
        process.price(client.symbol, PX + side * 8)
        await client.hears(ExecType.TRADE)

    run(client, story)
    heard = [(report.cl_ord_id, report.exec_type, report.last_px, report.last_qty) for report in client.heard]
    assert heard == [
        ("one", ExecType.NEW, 0, 0),
        ("one", ExecType.TRIGGERED, 0, 0),
        ("one", ExecType.CANCELED, 0, 0),
        ("two", ExecType.NEW, 0, 0),
        ("two", ExecType.TRIGGERED, 0, 0),
        ("two", ExecType.TRADE, PX + side * 8, 8),
    ]


@pytest.mark.parametrize(
    ("time_in_force", "shown", "filled", "ends"),
    [
        (TimeInForce.IOC, 4, 4, ExecType.CANCELED),
        (TimeInForce.FOK, 4, 0, ExecType.CANCELED),
        (TimeInForce.FOK, 10, 10, None),
        (TimeInForce.DAY, 4, 4, None),
    ],
)
def test_thin_price_fills_what_it_shows(
    process: VenueProcess, time_in_force: TimeInForce, shown: int, filled: int, ends: ExecType | None
) -> None:
    client = Client(process)
    process.price(client.symbol, PX, shown)

    async def story(venue: RemoteVenue) -> None:
        await venue.submit(client.order("one", px=PX, time_in_force=time_in_force))
        if filled:
            await client.hears(ExecType.TRADE)
        if ends is not None:
            await client.hears(ends)

    run(client, story)
    (order,) = process.truth(client.account).orders
    assert order.cum_qty == filled
    ended = [report for report in client.heard if report.exec_type == ExecType.CANCELED]
    assert [report.cum_qty for report in ended] == ([filled] if ends else [])


def test_lost_report_is_fetched_at_the_next_heartbeat(process: VenueProcess) -> None:
    process.arm(Fault.LOSE_REPORT, 2)
    client = Client(process, heartbeat_s=0.02)

    async def story(venue: RemoteVenue) -> None:
        await venue.submit(client.order("one"))
        await client.hears(ExecType.TRADE)

    run(client, story)


def test_reports_made_while_the_line_was_down_come_after_reconnecting(process: VenueProcess) -> None:
    client = Client(process, heartbeat_s=0.02)

    async def story(venue: RemoteVenue) -> None:
        await venue.submit(client.order("one", px=PX - 5))
        await client.hears(ExecType.NEW)
        process.arm(Fault.DISCONNECT, op="cancel")
        assert isinstance(await venue.cancel(client.order("one"), ""), Unknown)
        process.price(client.symbol, PX - 5)
        await client.hears(ExecType.TRADE)

    run(client, story)


def test_venue_that_is_gone_is_proof_that_nothing_was_sent(tmp_path: Path) -> None:
    with VenueProcess(tmp_path / "truth.db") as process:
        client = Client(process, heartbeat_s=0.02)

        async def story(venue: RemoteVenue) -> None:
            process.kill()
            await asyncio.sleep(0.02)
            outcome = await venue.submit(client.order("one"))
            assert isinstance(outcome, Rejected)
            assert outcome.code == "NOT_SENT"
            with pytest.raises(VenueOutcomeUnknown, match="not asked"):
                await venue.positions()
            process.start()
            assert isinstance(await venue.submit(client.order("two")), Accepted)

        run(client, story)
        assert client.received() == {"two": 1}
        process.kill()
        with pytest.raises(VenueOutcomeUnknown, match="cannot be reached"):
            run(client, story)


@pytest.mark.parametrize("hop", ["received", "matched", "reported"])
def test_venue_that_dies_between_two_hops_goes_on_where_it_was(tmp_path: Path, hop: str) -> None:
    with VenueProcess(tmp_path / "truth.db") as process:
        client = Client(process, heartbeat_s=0.02)

        async def story(venue: RemoteVenue) -> None:
            process.arm(Fault.CRASH, op=hop)
            assert isinstance(await venue.submit(client.order("one")), Unknown)
            assert process.wait() == CRASHED
            process.start()
            await client.hears(ExecType.TRADE)
            found = await venue.query(client.order("one"))
            assert [report.last_qty for report in found.reports if report.exec_type == ExecType.TRADE] == [10]

        run(client, story)
        assert client.received() == {"one": 1}
        assert process.truth(client.account).positions == {client.account: {client.symbol: 10}}


def test_answer_that_comes_too_late_is_still_heard(process: VenueProcess) -> None:
    process.rules(Rules(delay_ms=DELAY_MS))
    process.arm(Fault.DELAY_ANSWER, op="submit")
    process.arm(Fault.LOSE_REPORT, 1)
    client = Client(process)

    async def story(venue: RemoteVenue) -> None:
        assert isinstance(await venue.submit(client.order("one", px=PX - 5)), Unknown)
        assert not client.heard
        await client.hears(ExecType.NEW)

    run(client, story)


# -- the account as a whole -----------------------------------------------------------------------------------


def test_account_tells_orders_executions_and_access_of_everybody(process: VenueProcess) -> None:
    client = Client(process)

    async def story() -> None:
        venue = client.venue
        await venue.connect(client.heard.append)
        ours = client.order("ours", 10, PX - 10)
        await venue.submit(ours)
        process.hand(client.account, client.symbol, -1, 4)
        process.hand(client.account, client.symbol, -1, 5, PX + 10)
        listed = await venue.open_orders()
        assert [(o.cl_ord_id, o.side, o.order_qty, o.px) for o in listed] == [
            ("ours", 1, 10, PX - 10),
            ("", -1, 5, PX + 10),
        ]
        (execution,) = await venue.executions(0)
        assert (execution.cl_ord_id, execution.side, execution.last_qty) == ("", -1, 4)
        assert execution.instrument_id == client.symbol
        assert await venue.executions(execution.transact_ns + 1) == ()
        assert (await venue.access()).can_trade
        assert await venue.instruments() == ()
        await venue.close()

    asyncio.run(story())


def test_working_order_is_amended_in_place_and_not_below_what_it_has_filled(process: VenueProcess) -> None:
    client = Client(process)

    async def story() -> None:
        venue = client.venue
        await venue.connect(client.heard.append)
        await venue.submit(client.order("a", 10, PX - 10))
        outcome = await venue.amend(client.order("a", 20, PX - 5), "")
        assert isinstance(outcome, Accepted)
        (order,) = await venue.open_orders()
        assert (order.order_qty, order.px) == (20, PX - 5)
        process.price(client.symbol, PX - 5, 3)
        await client.hears(ExecType.TRADE)
        assert isinstance(await venue.amend(client.order("a", 3, PX), ""), Rejected)
        await venue.close()

    asyncio.run(story())


def test_prices_are_handed_on_over_a_lost_connection(process: VenueProcess) -> None:
    client = Client(process, heartbeat_s=0.02)
    prices: list[int] = []

    async def until(px: int) -> None:
        end = time.monotonic() + 2.0
        while px not in prices:
            process.price(client.symbol, px)
            assert time.monotonic() < end, f"no {px} in {prices}"
            await asyncio.sleep(0.01)

    async def story() -> None:
        venue = client.venue
        await venue.connect(client.heard.append)
        await venue.subscribe([client.symbol], lambda quote: prices.append(quote.last_px))
        await until(PX + 1)
        process.arm(Fault.DISCONNECT, 1, op="positions")
        with pytest.raises(VenueOutcomeUnknown):
            await venue.positions()
        await until(PX + 2)
        await venue.close()

    asyncio.run(story())
