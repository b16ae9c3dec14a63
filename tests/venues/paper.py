"""A paper venue on its own: orders and market data in, reports out."""

from __future__ import annotations

from typing import Any

from surefill.domain.instrument import Instrument, Terms
from surefill.domain.market import Bar, BarOpened, Quote
from surefill.domain.orders import OrderRequest
from surefill.domain.reports import ExecType, VenueReport
from surefill.engine.answers import at_once
from surefill.rules.codes import OrdType, TimeInForce
from surefill.venues.paper import PaperSettings, PaperVenue
from surefill.venues.protocol import Accepted, Rejected

BUY, SELL = 1, -1
X = Instrument("X", "EUR", 0, 0, 100, (Terms(0, 5, 10),))


class Paper:
    """What a test does with a venue; time moves by one with everything that happens."""

    def __init__(self, settings: PaperSettings | None = None, **fields: Any) -> None:
        self.venue = PaperVenue(settings or PaperSettings(**fields), {"X": X})
        self.now_ns = 0
        self.count = 0

    def tick(self, step_ns: int = 1) -> int:
        self.now_ns += step_ns
        return self.now_ns

    def request(
        self,
        side: int = BUY,
        qty: int = 100,
        kind: OrdType = OrdType.MARKET,
        *,
        px: int = 0,
        stop_px: int = 0,
        tif: TimeInForce = TimeInForce.GTC,
        arrival_px: int = 0,
    ) -> OrderRequest:
        self.count += 1
        now_ns, name = self.tick(), f"o{self.count}"
        return OrderRequest(
            f"c{self.count}",
            name,
            "X",
            "",
            side,
            kind,
            qty,
            px,
            stop_px,
            tif,
            False,
            arrival_px,
            now_ns,
            now_ns + 1000,
        )

    def submit(self, *args: Any, **fields: Any) -> list[str]:
        """What the venue answers, as short text."""
        return self.send(self.request(*args, **fields))

    def send(self, request: OrderRequest) -> list[str]:
        outcome = at_once(self.venue.submit(request))
        if isinstance(outcome, Rejected):
            return [f"rejected {outcome.code}"]
        assert isinstance(outcome, Accepted)
        return told(outcome.reports)

    def quote(self, last_px: int = 0, **fields: int) -> list[str]:
        return told(self.venue.observe(Quote("X", self.tick(), last_px, **fields)))

    def opened(self, px: int) -> list[str]:
        return told(self.venue.observe(BarOpened("X", self.tick(), px)))

    def bar(
        self, open_px: int, high_px: int, low_px: int, close_px: int, *, end: bool = False, began: int = 0
    ) -> list[str]:
        """A bar that began `began` moments ago, by default after everything that has happened so far."""
        open_ns = self.now_ns - began if began else self.tick()
        bar = Bar("X", open_ns, self.tick(), open_px, high_px, low_px, close_px, is_session_end=end)
        return told(self.venue.observe(bar))

    def cancel(self, request: OrderRequest) -> list[str]:
        outcome = at_once(self.venue.cancel(request, request.order_ref))
        return [f"rejected {outcome.code}"] if isinstance(outcome, Rejected) else told(outcome.reports)  # type: ignore[union-attr]


def told(reports: tuple[VenueReport, ...]) -> list[str]:
    """Reports as a person would note them: `o1 100@1000`, with a fee if there is one; `o1 canceled 40`."""
    return [_told(report) for report in reports]


def _told(report: VenueReport) -> str:
    if report.exec_type == ExecType.TRADE:
        fee = f" fee {report.fee}" if report.fee else ""
        return f"{report.order_id} {report.last_qty}@{report.last_px}{fee}"
    name = ExecType(report.exec_type).name.lower()
    return f"{report.order_id} {name}" + (f" {report.cum_qty}" if report.cum_qty >= 0 else "")
