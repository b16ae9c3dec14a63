"""A stop and a target that Binance spot links (an OCO order list): one order of ours, two of the venue's.

1. The stop's leg has our client order id, the target's the same with `TARGET`, the list with `LIST`: both legs can be
   found and told apart whoever remembers what. The list's number is the order's.
2. One leg at work ends the other. The end of one leg is no end of ours: that is when neither is open any more.
3. A cancel of the list takes both. Where the list is over, what its target has left may still rest: that is canceled
   by its own id.

Source: binance-spot-api-docs, rest-api.md, "New Order list - OCO", "Cancel Order list".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from surefill.domain.orders import OrderRequest
from surefill.domain.reports import ExecType, VenueReport
from surefill.errors import VenueOutcomeUnknown
from surefill.rules.codes import OrdType
from surefill.venues.ccxt.asking import Asking, Endpoint
from surefill.venues.ccxt.binance import words
from surefill.venues.ccxt.binance.lookup import Lookup
from surefill.venues.ccxt.filters import Breach, breach_of
from surefill.venues.ccxt.listing import Listing
from surefill.venues.ccxt.verdict import Meaning, Verdict
from surefill.venues.ccxt.wire import Answer
from surefill.venues.protocol import QueryAnswer

LIST = ".list"
SUBMIT: Endpoint = ("private", "POST", "orderList/oco")
CANCEL: Endpoint = ("private", "DELETE", "orderList")
CANCEL_LEG: Endpoint = ("private", "DELETE", "order")
ORDER: Endpoint = ("private", "GET", "order")
#: The longest client order id that leaves room for the marks of the legs.
CLIENT_ID_MAX = 36 - max(len(words.TARGET), len(LIST))


def breach_of_pair(listing: Listing, request: OrderRequest) -> Breach | None:
    """The filter that one of the legs would break."""
    return breach_of(listing.filters, request) or breach_of(listing.filters, _target(request))


def pair_params(listing: Listing, request: OrderRequest) -> dict[str, Any]:
    """The parameters of a new pair: the target above the market where it sells, below where it buys."""
    stop, target = ("below", "above") if request.side < 0 else ("above", "below")
    return {
        "symbol": listing.name,
        "side": "BUY" if request.side > 0 else "SELL",
        "quantity": listing.qty_text(request.order_qty),
        "listClientOrderId": request.cl_ord_id + LIST,
        f"{stop}Type": "STOP_LOSS",
        f"{stop}StopPrice": listing.px_text(request.stop_px),
        f"{stop}ClientOrderId": request.cl_ord_id,
        f"{target}Type": "LIMIT_MAKER",
        f"{target}Price": listing.px_text(request.target_px),
        f"{target}ClientOrderId": request.cl_ord_id + words.TARGET,
        "newOrderRespType": "RESULT",
    }


def pair_report(listing: Listing, rows: Sequence[Mapping[str, Any]], cl_ord_id: str, raw: str = "") -> VenueReport:
    """Where a pair stands, by both of its legs. Raises KeyError, ValueError for what is none."""
    stop, target = sorted(rows, key=lambda row: row["type"] not in words.STOPS)
    # It is open while a leg is; then a fill or a cancel of one says more than the end of the other through it.
    says = min((stop, target), key=lambda row: _RANK.get(str(row["status"]), len(_RANK)))
    report = words.state_report(listing, says, cl_ord_id, raw or words.raw_of(list(rows)))
    filled = listing.qty(stop.get("executedQty")) + listing.qty(target.get("executedQty"))
    return msgspec.structs.replace(report, cum_qty=filled)


_RANK = {
    name: rank
    for rank, name in enumerate(("NEW", "PENDING_NEW", "PARTIALLY_FILLED", "PENDING_CANCEL", "FILLED", "CANCELED"))
}


class Pairs:
    """The pairs of one account."""

    def __init__(self, asking: Asking, lookup: Lookup) -> None:
        self._asking, self._lookup = asking, lookup

    async def submit(self, listing: Listing, request: OrderRequest) -> Answer | Verdict:
        """Send it once."""
        return await self._asking.put(SUBMIT, pair_params(listing, request), request.send_by_ns)

    def accepted(self, listing: Listing, request: OrderRequest, answer: Answer) -> tuple[VenueReport, ...]:
        """What a good answer to a new pair tells."""
        rows = answer.data["orderReports"]
        for row in rows:
            self._lookup.remember(listing, row["orderId"], request.cl_ord_id)
        stop = next(row for row in rows if row["type"] in words.STOPS)
        return (words.new_report(listing, stop, request.cl_ord_id, answer.body),)

    async def cancel(self, listing: Listing, request: OrderRequest) -> Answer | Verdict:
        """Ask for the end of both; where the list is over, of what its target has left."""
        named = {"symbol": listing.name, "listClientOrderId": request.cl_ord_id + LIST}
        answer = await self._asking.put(CANCEL, named)
        if isinstance(answer, Answer) or answer.meaning is not Meaning.ABSENT:
            return answer
        target = {"symbol": listing.name, "origClientOrderId": request.cl_ord_id + words.TARGET}
        left = await self._asking.put(CANCEL_LEG, target)
        return answer if isinstance(left, Answer) else left  # which of the two it was, a query tells

    def canceled(self, listing: Listing, request: OrderRequest, answer: Answer) -> VenueReport:
        """What a good answer to the cancel tells."""
        return pair_report(listing, answer.data["orderReports"], request.cl_ord_id, answer.body)

    async def query(self, listing: Listing, request: OrderRequest) -> QueryAnswer:
        """What became of it. Raises VenueOutcomeUnknown."""
        stop = await self._lookup.order(listing, request)
        target = await self._lookup.order(listing, _target(request))
        if stop is None and target is None:
            return QueryAnswer(found=False)
        if stop is None or target is None:
            raise VenueOutcomeUnknown(f"only one leg of {request.cl_ord_id} is to be seen now")
        return QueryAnswer(found=True, reports=await self._told(listing, (stop, target), request.cl_ord_id))

    async def legs_told(self, listing: Listing, cl_ord_id: str) -> tuple[VenueReport, ...]:
        """The same by the id alone, for a leg that has ended; nothing where it is no pair of ours."""
        rows = []
        for client_id in (cl_ord_id, cl_ord_id + words.TARGET):
            row = await self._asking.find(ORDER, {"symbol": listing.name, "origClientOrderId": client_id})
            if row is None:
                return ()
            rows.append(row)
        return await self._told(listing, rows, cl_ord_id)

    async def _told(
        self, listing: Listing, rows: Sequence[Mapping[str, Any]], cl_ord_id: str
    ) -> tuple[VenueReport, ...]:
        """That the stop was triggered, if it was, then the trades of both legs, then where the pair stands."""
        state = pair_report(listing, rows, cl_ord_id)
        reports: list[VenueReport] = []
        for row in rows:
            if listing.qty(row.get("executedQty")):
                if row["type"] in words.STOPS:
                    reports.append(msgspec.structs.replace(state, exec_type=ExecType.TRIGGERED, cum_qty=-1))
                reports += await self._lookup.fills(listing, row["orderId"], cl_ord_id)
        return (*reports, state)


def _target(request: OrderRequest) -> OrderRequest:
    """The target's leg as an order of its own."""
    return msgspec.structs.replace(
        request,
        cl_ord_id=request.cl_ord_id + words.TARGET,
        ord_type=int(OrdType.LIMIT),
        px=request.target_px,
        stop_px=0,
        target_px=0,
    )
