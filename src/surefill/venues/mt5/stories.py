"""What became of an order of ours: found by ticket or by its terms, told from orders, deals and positions."""

from __future__ import annotations

from surefill.domain.orders import OrderRequest
from surefill.domain.reports import ExecType, VenueReport
from surefill.venues.mt5.account import Account
from surefill.venues.mt5.looking import Found
from surefill.venues.mt5.reading import cum_qty_of, is_trade
from surefill.venues.mt5.records import DealRecord, raw
from surefill.venues.mt5.symbols import Scale
from surefill.venues.protocol import QueryAnswer


class Stories:
    """`watched`: orders of ours whose end is not known yet, ticket by ticket."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self.watched: dict[int, str] = {}

    def query(self, request: OrderRequest) -> QueryAnswer:
        """By ticket where it is known, else by magic, comment and terms."""
        account = self._account
        account.names.expect(request.cl_ord_id)
        scale, found = account.scale(request.instrument_id), self.found(request)
        for each in found:
            account.names.keep(each.ticket, request.cl_ord_id)
        reports = tuple(report for each in found for report in self.told(each, scale, request.cl_ord_id))
        return QueryAnswer(bool(found), reports)

    def found(self, request: OrderRequest) -> list[Found]:
        """The orders that are this one: one, none, or more where a server took it twice."""
        account = self._account
        known = account.names.tickets_of(request.cl_ord_id)
        found = [each for each in map(account.looks.by_ticket, known) if each is not None]
        return found or account.looks.by_terms(request, account.scale(request.instrument_id), account.now_ns())

    def told(self, found: Found, scale: Scale, cl_ord_id: str) -> tuple[VenueReport, ...]:
        """An order's story. One that has not ended, or whose deals are not all there, goes on being watched."""
        reader = self._account.reader
        if found.order is not None:
            reports = reader.story(found.order, found.deals, scale, cl_ord_id, working=found.working)
            dealt = sum(scale.qty(deal.volume) for deal in found.deals if is_trade(deal))
            if found.working or dealt < cum_qty_of(found.order, scale):
                self.watched[found.ticket] = cl_ord_id
            else:
                self.watched.pop(found.ticket, None)
            return reports
        new = VenueReport(cl_ord_id, ExecType.NEW, str(found.ticket), raw=raw(found.position))
        self.watched[found.ticket] = cl_ord_id
        return (new, *(reader.trade(deal, scale, cl_ord_id) for deal in found.deals))

    def execution(self, deal: DealRecord) -> VenueReport:
        """A deal as an execution, whoever made it."""
        account = self._account
        name = account.names.of(deal.order, deal.magic, deal.comment)
        return account.reader.trade(deal, account.scale(deal.symbol), name, account.bucket_of(deal))
