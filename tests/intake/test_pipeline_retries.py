"""Door 3's executor: it retries what is proven not to have arrived, nothing else, and never makes a duplicate."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest
from tests.intake.pipeline_driving import Rig, signal

from surefill.domain.events import OrderResendScheduled
from surefill.domain.orders import OrderRequest
from surefill.domain.reports import ExecType, VenueReport
from surefill.intake.pipeline import OrderFailed, OrderFilled, OrderPlaced, OrderState, PipelineResult, SystemError
from surefill.rules.codes import OrdType, TimeInForce
from surefill.testing.remote_venue import Fault, RemoteVenue, Rules, VenueProcess, tcp
from surefill.units import NS_PER_S
from surefill.venues.protocol import Accepted, Capabilities, Outcome, QueryAnswer, Rejected, ReportSink, Unknown

PX = 1_000_000  # 100.0000
TIMEOUT_S = 0.05
QUICK = {"base_delay": 0.02, "max_delay": 0.05, "max_wait_time": 0.5, "poll_interval": 0.02}
_numbers = count(1)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VenueProcess]:
    with VenueProcess(tmp_path_factory.mktemp("venue") / "truth.db") as process:
        yield process


@pytest.fixture
def process(running: VenueProcess) -> Iterator[VenueProcess]:
    running.rules(Rules(delay_ms=80))
    yield running
    running.heal()


class Remote:
    """A rig on an account and a symbol of its own at the remote venue."""

    def __init__(self, process: VenueProcess, *, heartbeat_s: float = 0.03, **pipeline: Any) -> None:
        number = next(_numbers)
        self.process = process
        self.account, self.symbol = f"pipeline-{number}", f"S{number}/USDT"
        process.price(self.symbol, PX)
        venue = RemoteVenue(tcp(process.port), account=self.account, timeout_s=TIMEOUT_S, heartbeat_s=heartbeat_s)
        self.rig = Rig(venue=venue, live=True, pipeline={**QUICK, **pipeline})

    def send(self) -> PipelineResult:
        async def story(rig: Rig) -> PipelineResult:
            return await rig.send(signal(self.symbol))

        return self.rig.run(story)

    def received(self) -> list[int]:
        """How often each client order id came there."""
        return list(self.process.truth(self.account).received(self.account).values())


def test_executor_sends_again_after_throttling_under_the_same_id(process: VenueProcess) -> None:
    remote = Remote(process)
    process.arm(Fault.THROTTLED, times=2, op="submit")
    result = remote.send()
    assert (result.success, result.state, result.retry_count) == (True, OrderState.FILLED, 2)
    assert remote.received() == [1]


def test_executor_gives_up_after_3_retries_and_says_that_it_may_be_tried_anew(process: VenueProcess) -> None:
    remote = Remote(process)
    process.arm(Fault.THROTTLED, times=9, op="submit")
    result = remote.send()
    assert (result.success, result.state, result.error_code) == (False, OrderState.FAILED, "THROTTLED")
    assert result.retry_count == 3
    assert process.truth().fired["THROTTLED"] >= 4
    failed = remote.rig.of(OrderFailed)
    assert [(event.error_code, event.retry_count, event.is_retriable) for event in failed] == [("THROTTLED", 3, True)]
    assert remote.received() == []


def test_executor_never_retries_what_the_venue_refused(process: VenueProcess) -> None:
    remote = Remote(process)
    process.arm(Fault.REFUSED, times=1, op="submit")
    result = remote.send()
    assert (result.success, result.state, result.retry_count) == (False, OrderState.REJECTED, 0)
    assert [(event.retry_count, event.is_retriable) for event in remote.rig.of(OrderFailed)] == [(0, False)]
    assert remote.received() == [1]


@pytest.mark.parametrize(
    "fault",
    [Fault.LOSE_ANSWER, Fault.DELAY_ANSWER, Fault.GARBLE_ANSWER, Fault.SERVER_ERROR, Fault.DISCONNECT_AFTER],
)
def test_executor_asks_after_an_unknown_outcome_and_finds_the_one_order(process: VenueProcess, fault: Fault) -> None:
    remote = Remote(process)
    process.arm(fault, times=1, op="submit")
    result = remote.send()
    assert (result.success, result.state, result.filled_quantity) == (True, OrderState.FILLED, 2.0)
    assert result.retry_count == 0
    assert remote.received() == [1]
    assert len(remote.rig.of(OrderFilled)) == 1


def test_executor_never_resends_what_may_have_arrived(process: VenueProcess) -> None:
    remote = Remote(process, max_wait_time=0.2)
    process.arm(Fault.LOSE_REQUEST, times=1, op="submit")
    result = remote.send()
    assert (result.success, result.state, result.error_code) == (True, OrderState.SUBMITTED, "OUTCOME_UNKNOWN")
    assert remote.received() == []
    assert (remote.rig.of(OrderFailed), remote.rig.of(OrderPlaced)) == ([], [])
    assert [event.error_type for event in remote.rig.of(SystemError)] == ["OUTCOME_UNKNOWN"]


def test_executor_reaches_a_venue_that_comes_back_during_the_back_off(tmp_path: Any) -> None:
    with VenueProcess(tmp_path / "truth.db") as process:
        remote = Remote(process, base_delay=0.1, max_delay=0.1, max_retries=90, max_wait_time=10)
        scheduled = threading.Event()

        def look(_first_seq: int, events: list[Any]) -> None:
            if any(isinstance(event, OrderResendScheduled) for event in events):
                scheduled.set()

        remote.rig.engine.pipeline.door.door.session.subscribe(look)

        async def story(rig: Rig) -> PipelineResult:
            process.kill()
            sending = asyncio.ensure_future(rig.send(signal(remote.symbol)))
            await asyncio.to_thread(scheduled.wait)
            await asyncio.to_thread(process.start)
            return await sending

        result = remote.rig.run(story)
        assert (result.success, result.state) == (True, OrderState.FILLED)
        assert result.retry_count >= 1
        assert remote.received() == [1]


# -- what the remote venue cannot be made to say -------------------------------------------------------------------


class Scripted:
    """A venue that answers submissions as it was told to, and counts them."""

    capabilities = Capabilities("scripted", frozenset(OrdType), frozenset(TimeInForce), pretended=True)

    def __init__(self, *outcomes: Outcome) -> None:
        self.outcomes = list(outcomes)
        self.ids: list[str] = []

    async def connect(self, sink: ReportSink) -> None:
        """Reports come with the answers."""

    async def submit(self, request: OrderRequest) -> Outcome:
        self.ids.append(request.cl_ord_id)
        if self.outcomes:
            return self.outcomes.pop(0)
        fill = VenueReport(request.cl_ord_id, ExecType.TRADE, "x1", "e1", PX, request.order_qty)
        return Accepted((fill,))

    async def cancel(self, request: OrderRequest, order_id: str) -> Outcome:
        return Unknown("not scripted")

    async def query(self, request: OrderRequest) -> QueryAnswer:
        return QueryAnswer(False)

    async def positions(self) -> dict[str, int]:
        return {}

    async def close(self) -> None:
        """Nothing to let go of."""


def not_now(code: str = "UNAVAILABLE", retry_after_s: float = 0) -> Rejected:
    return Rejected(code, "come later", undelivered=True, retry_after_ns=round(retry_after_s * NS_PER_S))


def driven(venue: Scripted, **pipeline: Any) -> tuple[PipelineResult, list[float], Rig]:
    """The result, and the waits that were scheduled, on a clock that jumps from wait to wait."""
    rig = Rig(venue=venue, pipeline={"max_wait_time": 100, **pipeline})
    waits: list[float] = []

    def look(_first_seq: int, events: list[Any]) -> None:
        resent = (event for event in events if isinstance(event, OrderResendScheduled))
        waits.extend((event.at_ns - event.ts_ns) / NS_PER_S for event in resent)

    session = rig.engine.pipeline.door.door.session
    session.subscribe(look)
    for desk in session.engine.engine.desks.values():  # the pause of the whole venue would be of real seconds
        desk.budget.throttled = lambda retry_after_ns: None  # type: ignore[method-assign]

    async def story(rig: Rig) -> PipelineResult:
        sending = asyncio.ensure_future(rig.send(signal()))
        seen = 0
        while not sending.done():
            if len(waits) > seen:
                await rig.wait(waits[seen])
                seen += 1
            await asyncio.sleep(0)
        return await sending

    return rig.run(story), waits, rig


def test_executor_backs_off_1_2_4_seconds_give_or_take_a_quarter() -> None:
    venue = Scripted(not_now(), not_now(), not_now())
    result, waits, _ = driven(venue)
    assert (result.success, result.retry_count, len(set(venue.ids))) == (True, 3, 1)
    for wait, base in zip(waits, (1.0, 2.0, 4.0), strict=True):
        assert 0.75 * base <= wait <= 1.25 * base
    assert waits != [1.0, 2.0, 4.0]


def test_executor_without_jitter_backs_off_exactly_and_at_most_max_delay() -> None:
    venue = Scripted(*[not_now()] * 5)
    result, waits, _ = driven(venue, jitter=False, max_retries=5, max_delay=5)
    assert (result.success, waits) == (True, [1.0, 2.0, 4.0, 5.0, 5.0])


def test_executor_honours_retry_after() -> None:
    result, waits, _ = driven(Scripted(not_now("RATE_LIMIT", 17.5)))
    assert (result.success, waits) == (True, [17.5])


@pytest.mark.parametrize("code", ["INSUFFICIENT_BALANCE", "INVALID_ORDER", "UNAUTHORIZED", "ORDER_NOT_FOUND"])
def test_executor_does_not_retry_what_will_not_change(code: str) -> None:
    venue = Scripted(Rejected(code, "no"))
    result, waits, rig = driven(venue)
    assert (result.success, result.state, result.error_code) == (False, OrderState.REJECTED, code)
    assert (waits, len(venue.ids)) == ([], 1)
    assert [event.is_retriable for event in rig.of(OrderFailed)] == [False]


def test_executor_that_may_not_retry_fails_at_once() -> None:
    result, waits, rig = driven(Scripted(not_now()), max_retries=0)
    assert (result.success, result.state, waits) == (False, OrderState.FAILED, [])
    assert [event.is_retriable for event in rig.of(OrderFailed)] == [True]
    assert rig.engine.order_manager.get_statistics()["failed"] == 1


class Silent(Scripted):
    """It takes the order and never says another word unless it is asked, for the third time."""

    def __init__(self) -> None:
        super().__init__()
        self.queries = 0

    async def submit(self, request: OrderRequest) -> Outcome:
        return Accepted((VenueReport(request.cl_ord_id, ExecType.NEW, "x1"),))

    async def query(self, request: OrderRequest) -> QueryAnswer:
        self.queries += 1
        if self.queries < 3:
            return QueryAnswer(True, (VenueReport(request.cl_ord_id, ExecType.STATUS, "x1", cum_qty=0),))
        fill = VenueReport(request.cl_ord_id, ExecType.TRADE, "x1", "e1", PX, request.order_qty)
        return QueryAnswer(True, (fill,))


def test_reconciler_polls_a_venue_whose_reports_do_not_come() -> None:
    venue = Silent()
    rig = Rig(venue=venue, pipeline={"poll_interval": 0.01})

    async def story(rig: Rig) -> PipelineResult:
        return await rig.send(signal())

    result = rig.run(story)
    assert (result.success, result.state, venue.queries) == (True, OrderState.FILLED, 3)
