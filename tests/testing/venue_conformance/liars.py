"""Adapters that lie, each in a way that an adapter in earnest could."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Iterable
from itertools import count
from typing import Any

import msgspec
from examples.toy_venue.adapter import CAPABILITIES, ToyVenue

from surefill.domain.instrument import Instrument
from surefill.domain.market import Quote
from surefill.domain.orders import OrderRequest
from surefill.domain.reports import ExecType, VenueReport
from surefill.errors import VenueOutcomeUnknown
from surefill.rules.codes import OrdType, TimeInForce
from surefill.testing.remote_venue import RemoteVenue
from surefill.venues.protocol import (
    Accepted,
    Access,
    Balance,
    Capabilities,
    OpenOrder,
    Outcome,
    QueryAnswer,
    QuoteSink,
    Rejected,
    ReportSink,
    Unknown,
)

replaced = msgspec.structs.replace
_ids = count(1)
_NOTHING: dict[str, Any] = {
    "order": None,
    "orders": [],
    "fills": [],
    "head": 0,
    "cash": "0",
    "position": 0,
    "name": "",
    "time_ns": 0,
}


class Overclaiming(ToyVenue):
    """It says that it has stop orders and FOK."""

    @property
    def capabilities(self) -> Capabilities:
        times = frozenset({TimeInForce.GTC, TimeInForce.FOK})
        return replaced(CAPABILITIES, ord_types=frozenset({OrdType.MARKET, OrdType.STOP}), time_in_force=times)


class Underclaiming(ToyVenue):
    """It sends what it says that it has not."""

    @property
    def capabilities(self) -> Capabilities:
        return replaced(CAPABILITIES, ord_types=frozenset({OrdType.MARKET}), time_in_force=frozenset({TimeInForce.GTC}))


class Curt(ToyVenue):
    """It takes no ids of the engine's length."""

    @property
    def capabilities(self) -> Capabilities:
        return replaced(CAPABILITIES, cl_ord_id_max=12)


class Cutting(ToyVenue):
    """It claims longer ids than it sends."""

    @property
    def capabilities(self) -> Capabilities:
        return replaced(CAPABILITIES, cl_ord_id_max=60)

    async def submit(self, request: OrderRequest) -> Outcome:
        return await super().submit(replaced(request, cl_ord_id=request.cl_ord_id[:40]))


class Sure(ToyVenue):
    """What it does not know it takes for refused."""

    async def submit(self, request: OrderRequest) -> Outcome:
        return _sure(await super().submit(request))

    async def cancel(self, request: OrderRequest, order_id: str) -> Outcome:
        return _sure(await super().cancel(request, order_id))


class Resending(ToyVenue):
    """What it does not know it sends again."""

    async def submit(self, request: OrderRequest) -> Outcome:
        outcome = await super().submit(request)
        return await super().submit(request) if isinstance(outcome, Unknown) else outcome


class Hopeful(ToyVenue):
    """What it does not know it takes for done."""

    async def submit(self, request: OrderRequest) -> Outcome:
        outcome = await super().submit(request)
        return Accepted(()) if isinstance(outcome, Unknown) else outcome


class Obliging(ToyVenue):
    """Every cancel is told as done."""

    async def cancel(self, request: OrderRequest, order_id: str) -> Outcome:
        outcome = await super().cancel(request, order_id)
        done = VenueReport(request.cl_ord_id, ExecType.CANCELED, order_id)
        return outcome if isinstance(outcome, Accepted) else Accepted((done,))


class Confusing(ToyVenue):
    """It looks for orders by their terms: the first of the same is the one."""

    async def cancel(self, request: OrderRequest, order_id: str) -> Outcome:
        for each in await self.open_orders():
            if (each.side, each.px) == (request.side, request.px):
                request = replaced(request, cl_ord_id=each.cl_ord_id)
        return await super().cancel(request, order_id)


class Calm(ToyVenue):
    """A look that fails has found nothing."""

    async def _look(self, path: str) -> dict[str, Any]:
        try:
            return await super()._look(path)
        except VenueOutcomeUnknown:
            return dict(_NOTHING)


class Impatient(ToyVenue):
    """It mixes up what may be sent again."""

    async def submit(self, request: OrderRequest) -> Outcome:
        return _swapped(await super().submit(request))

    async def cancel(self, request: OrderRequest, order_id: str) -> Outcome:
        return _swapped(await super().cancel(request, order_id))


class Blocking(ToyVenue):
    """It waits for the exchange on the loop."""

    async def _in_thread(self, job: Callable[[], Any]) -> Any:
        return job()


class Late(ToyVenue):
    """It never looks at the clock."""

    async def submit(self, request: OrderRequest) -> Outcome:
        return await super().submit(replaced(request, send_by_ns=0))


class Retelling(ToyVenue):
    """Each telling of an execution has an id of its own."""

    async def query(self, request: OrderRequest) -> QueryAnswer:
        return _changed(await super().query(request), lambda each: replaced(each, exec_id=f"{next(_ids)}"))


class Halving(ToyVenue):
    """Of what traded it tells one less."""

    async def query(self, request: OrderRequest) -> QueryAnswer:
        return _changed(await super().query(request), lambda each: replaced(each, last_qty=each.last_qty - 1))


class Silent(ToyVenue):
    """It tells nothing by itself."""

    async def connect(self, sink: ReportSink) -> None:
        await super().connect(lambda _report: None)


class Terse(ToyVenue):
    """It names neither instrument nor side, counts milliseconds, and keeps no payload."""

    async def connect(self, sink: ReportSink) -> None:
        await super().connect(lambda each: sink(_terse(each)))

    async def submit(self, request: OrderRequest) -> Outcome:
        outcome = await super().submit(request)
        return Accepted(tuple(map(_terse, outcome.reports))) if isinstance(outcome, Accepted) else outcome

    async def query(self, request: OrderRequest) -> QueryAnswer:
        return _changed(await super().query(request), _terse)


class Forgetful(ToyVenue):
    """An order that was canceled is not found any more."""

    async def query(self, request: OrderRequest) -> QueryAnswer:
        found = await super().query(request)
        return QueryAnswer(False) if any(each.exec_type == ExecType.CANCELED for each in found.reports) else found


class Newborn(ToyVenue):
    """It knows only what it has sent itself."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self._sent: set[str] = set()

    async def submit(self, request: OrderRequest) -> Outcome:
        self._sent.add(request.cl_ord_id)
        return await super().submit(request)

    async def query(self, request: OrderRequest) -> QueryAnswer:
        return await super().query(request) if request.cl_ord_id in self._sent else QueryAnswer(False)


class Inventive(ToyVenue):
    """Every order is found."""

    async def query(self, request: OrderRequest) -> QueryAnswer:
        return QueryAnswer(True, (await super().query(request)).reports)


class Fragile(ToyVenue):
    """Once a round has failed it asks no more; and it can be closed only once, and only connected."""

    async def _look(self, path: str) -> dict[str, Any]:
        status, raw, _ = await self._in_thread(lambda: self._ask("GET", path, None))
        if status != 200:
            raise ConnectionError(path)
        told: dict[str, Any] = json.loads(raw)
        return told

    async def close(self) -> None:
        assert self._polling is not None
        assert not self._polling.cancelled()
        await super().close()


class Leaking(ToyVenue):
    """It leaves a task behind."""

    async def close(self) -> None:
        self._left = asyncio.create_task(asyncio.sleep(60))
        await super().close()


class Sloppy(ToyVenue):
    """Its lists are nearly right."""

    async def open_orders(self) -> tuple[OpenOrder, ...]:
        return tuple(replaced(each, px=each.px + 1) for each in await super().open_orders())

    async def executions(self, since_ns: int) -> tuple[VenueReport, ...]:
        return tuple(reversed(await super().executions(since_ns)))

    async def balances(self) -> tuple[Balance, ...]:
        return 2 * await super().balances()

    async def instruments(self) -> tuple[Instrument, ...]:
        return 2 * await super().instruments()

    async def positions(self) -> dict[str, int]:
        return {"TOY": 7}

    async def subscribe(self, instrument_ids: Iterable[str], sink: QuoteSink) -> None:
        def spoiled(quote: Quote) -> None:
            sink(replaced(quote, last_px=quote.last_px + 1))

        await super().subscribe(instrument_ids, spoiled)

    async def amend(self, request: OrderRequest, order_id: str) -> Outcome:
        return Accepted(())


class Numbering(ToyVenue):
    """It sends every order under an id that was never used."""

    async def submit(self, request: OrderRequest) -> Outcome:
        return await super().submit(replaced(request, cl_ord_id=f"{request.cl_ord_id}-{next(_ids)}"))


class Skewed(ToyVenue):
    """It takes the venue's milliseconds for nanoseconds."""

    async def access(self) -> Access:
        access = await super().access()
        return replaced(access, clock_ahead_ns=access.clock_ahead_ns - time.time_ns())


class Hasty(RemoteVenue):
    """It makes a stop order a market order."""

    async def submit(self, request: OrderRequest) -> Outcome:
        return await super().submit(replaced(request, ord_type=OrdType.MARKET, stop_px=0))


class Counting(RemoteVenue):
    """It numbers executions as they come."""

    async def connect(self, sink: ReportSink) -> None:
        await super().connect(lambda each: sink(replaced(each, exec_id=f"{next(_ids)}" if each.exec_id else "")))


class Inattentive(RemoteVenue):
    """It tells the first execution that is streamed, and no query tells any."""

    async def connect(self, sink: ReportSink) -> None:
        told: list[VenueReport] = []

        def first(report: VenueReport) -> None:
            if report.exec_type != ExecType.TRADE or not told:
                told.extend([report] if report.exec_type == ExecType.TRADE else [])
                sink(report)

        await super().connect(first)

    async def query(self, request: OrderRequest) -> QueryAnswer:
        found = await super().query(request)
        return QueryAnswer(found.found, tuple(each for each in found.reports if each.exec_type != ExecType.TRADE))


#: Which checks each of them has to fail.
LIARS: dict[type[ToyVenue], tuple[int, ...]] = {
    Overclaiming: (2, 3),
    Underclaiming: (4, 5),
    Curt: (1,),
    Cutting: (7,),
    Sure: (19, 20, 29, 30, 31, 32, 33, 34, 35),
    Resending: (30, 33),
    Hopeful: (29, 30, 31, 32, 33, 34, 35),
    Obliging: (16, 17),
    Confusing: (28,),
    Calm: (24, 25, 62, 63),
    Impatient: (6, 21, 36, 37, 39),
    Blocking: (40,),
    Late: (39,),
    Retelling: (8, 14, 45),
    Halving: (8, 14, 15, 23),
    Silent: (11, 41, 51, 52),
    Terse: (9, 41, 46),
    Forgetful: (10, 18, 23),
    Newborn: (47, 48),
    Inventive: (22, 30),
    Fragile: (24, 49, 50, 51, 59),
    Leaking: (49,),
    Sloppy: (26, 27, 53, 54, 55, 56, 58, 60, 61),
    Numbering: (38,),
    Skewed: (57,),
}
#: The same at the remote venue, which has stop orders and streams reports.
REMOTE_LIARS: dict[type[RemoteVenue], tuple[int, ...]] = {Hasty: (12, 13), Counting: (42,), Inattentive: (43, 44)}


def _sure(outcome: Outcome) -> Outcome:
    return Rejected("FAILED", outcome.reason) if isinstance(outcome, Unknown) else outcome


def _swapped(outcome: Outcome) -> Outcome:
    return replaced(outcome, undelivered=not outcome.undelivered) if isinstance(outcome, Rejected) else outcome


def _terse(report: VenueReport) -> VenueReport:
    return replaced(report, instrument_id="", side=0, raw="", transact_ns=report.transact_ns // 10**6)


def _changed(found: QueryAnswer, change: Callable[[VenueReport], VenueReport]) -> QueryAnswer:
    """With its executions changed."""
    reports = tuple(change(each) if each.exec_type == ExecType.TRADE else each for each in found.reports)
    return QueryAnswer(found.found, reports)
