"""What Binance knows of orders, executions and holdings: the looks, each of which raises or answers whole."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from surefill.domain.orders import OrderRequest
from surefill.domain.position import position_key
from surefill.domain.reports import VenueReport
from surefill.errors import VenueOutcomeUnknown
from surefill.units import NS_PER_MS
from surefill.venues.ccxt.asking import Asking
from surefill.venues.ccxt.binance import terms, words
from surefill.venues.ccxt.binance.instruments import listings_of, rate_limits_of
from surefill.venues.ccxt.binance.terms import Market
from surefill.venues.ccxt.listing import Listing
from surefill.venues.ccxt.settings import CcxtSettings
from surefill.venues.protocol import Balance, OpenOrder, QueryAnswer, RateLimit

#: The most that one look at trades or orders brings, and how far before its decision an order is looked for.
PAGE, EARLIER_MS = 1_000, 60_000
#: The most time between `startTime` and `endTime`: spot 24 hours; USD-M 7 days. An hour below, for clocks apart.
SPAN_MS = {False: 23 * 3_600_000, True: 7 * 24 * 3_600_000 - 3_600_000}
_OVER = ("FILLED", "CANCELED", "EXPIRED", "EXPIRED_IN_MATCH", "REJECTED")


class Lookup:
    """Looks at one account. It remembers the symbols it has seen and whose order a number is."""

    def __init__(self, market: Market, settings: CcxtSettings, asking: Asking, now_ns: Callable[[], int]) -> None:
        self._market, self._settings, self._asking, self._now_ns = market, settings, asking, now_ns
        self._listings: dict[str, Listing] = {}
        self._by_name: dict[str, Listing] = {}
        self._client_ids: dict[str, str] = {}
        self._seen: set[str] = set(settings.instrument_ids)
        self.money = words.Money(settings.currency, settings.money_decimals)
        self.rate_limits: tuple[RateLimit, ...] = ()

    # -- what is listed ---------------------------------------------------------------------------------------

    async def load(self) -> None:
        """Read exchangeInfo. Raises VenueOutcomeUnknown."""
        info = await self._asking.look(self._market.info)
        self._listings = listings_of(info)
        self._by_name = {each.name: each for each in self._listings.values()}
        self.rate_limits = rate_limits_of(info)

    def listings(self) -> tuple[Listing, ...]:
        """All that is listed; nothing before it has been read."""
        return tuple(self._listings.values())

    async def listing(self, instrument_id: str) -> Listing:
        """The listing of an instrument. Raises VenueOutcomeUnknown, KeyError where there is no such instrument."""
        if not self._listings:
            await self.load()
        listing = self._listings[instrument_id]
        self._seen.add(instrument_id)
        return listing

    def named(self, name: str) -> Listing:
        """The listing of a symbol of the exchange. Raises VenueOutcomeUnknown where it is not known."""
        if name not in self._by_name:
            raise VenueOutcomeUnknown(f"{name} is in the account and not in exchangeInfo as it was last read")
        listing = self._by_name[name]
        self._seen.add(listing.instrument_id)
        return listing

    # -- whose order it is ------------------------------------------------------------------------------------

    def remember(self, listing: Listing, order_id: object, cl_ord_id: str) -> None:
        """That the order of that number is ours, or whose else."""
        self._client_ids[f"{listing.name}:{order_id}"] = words.own_id(cl_ord_id)

    def client_id(self, listing: Listing, order_id: object) -> str | None:
        """The client order id of that number, None where it has not been seen."""
        return self._client_ids.get(f"{listing.name}:{order_id}")

    async def _client_id(self, listing: Listing, order_id: object) -> str:
        known = self.client_id(listing, order_id)
        if known is None:
            found = await self._asking.find(self._market.order, {"symbol": listing.name, "orderId": order_id})
            known = words.own_id(str((found or {}).get("clientOrderId", "")))
            self.remember(listing, order_id, known)
        return known

    # -- one order --------------------------------------------------------------------------------------------

    async def query(self, request: OrderRequest) -> QueryAnswer:
        """Everything about an order of ours. Raises VenueOutcomeUnknown."""
        listing = await self.listed(request.instrument_id)
        if self._market.usdm and terms.is_conditional(request):
            return await self._query_algo(listing, request)
        found = await self.order(listing, request)
        if found is None:
            return QueryAnswer(found=False)
        return QueryAnswer(found=True, reports=await self._told(listing, request, found))

    async def order(self, listing: Listing, request: OrderRequest, order_id: str = "") -> dict[str, Any] | None:
        """The order as the venue has it: open, by its id, or in the history. None: no trace of it now.

        It moves from the open ones into the history, and is looked for in that order.
        """
        name, cl_ord_id = listing.name, request.cl_ord_id
        rows = await self._asking.rows(self._market.open_orders, {"symbol": name})
        found = _match(rows, cl_ord_id, order_id)
        if found is None:
            by: dict[str, Any] = {"orderId": order_id} if order_id else {"origClientOrderId": cl_ord_id}
            found = await self._asking.find(self._market.order, {"symbol": name, **by})
        if found is None:
            since_ms = request.transact_ns // NS_PER_MS - EARLIER_MS
            history = await self._asking.rows(
                self._market.history, {"symbol": name, "startTime": since_ms, "limit": PAGE}
            )
            found = _match(history, cl_ord_id, order_id)
        if found is None:
            return None
        if "orderId" not in found or words.side_of(found) != request.side:
            raise VenueOutcomeUnknown(f"what {cl_ord_id} found is not that order: {words.raw_of(found)[:200]}")
        self.remember(listing, found["orderId"], cl_ord_id)
        return found

    async def _told(self, listing: Listing, request: OrderRequest, found: Mapping[str, Any]) -> tuple[VenueReport, ...]:
        """Its trades, then its state: whoever takes them in this order never sees an end before its fills."""
        fills = await self.fills(listing, found["orderId"], request.cl_ord_id) if _has_traded(found) else []
        return (*fills, words.state_report(listing, found, request.cl_ord_id))

    async def fills(self, listing: Listing, order_id: object, cl_ord_id: str) -> list[VenueReport]:
        """All trades of an order. Raises VenueOutcomeUnknown."""
        rows = await self._asking.rows(
            self._market.trades, {"symbol": listing.name, "orderId": order_id, "limit": PAGE}
        )
        return [words.trade_report(listing, self.money, row, cl_ord_id) for row in rows]

    async def _query_algo(self, listing: Listing, request: OrderRequest) -> QueryAnswer:
        algo = await self.algo(request)
        if algo is None:
            return QueryAnswer(found=False)
        reports = [words.algo_report(listing, algo, request.cl_ord_id)]
        actual = str(algo.get("actualOrderId") or "")
        if actual:
            self.remember(listing, actual, request.cl_ord_id)
            found = await self.order(listing, request, actual)
            if found is not None:
                reports += await self._told(listing, request, found)
        return QueryAnswer(found=True, reports=tuple(reports))

    async def algo(self, request: OrderRequest) -> dict[str, Any] | None:
        """A conditional order of USD-M as the venue has it; None: no trace of it now."""
        name, cl_ord_id = (await self.listed(request.instrument_id)).name, request.cl_ord_id
        found = _match(await self._asking.rows(terms.ALGO_OPEN, {"symbol": name}), cl_ord_id)
        if found is None:
            found = await self._asking.find(terms.ALGO_ORDER, {"clientAlgoId": cl_ord_id})
        if found is None:
            since_ms = request.transact_ns // NS_PER_MS - EARLIER_MS
            rows = await self._asking.rows(terms.ALGO_HISTORY, {"symbol": name, "startTime": since_ms, "limit": PAGE})
            found = _match(rows, cl_ord_id)
        if found is not None and "algoId" not in found:
            raise VenueOutcomeUnknown(f"unreadable: {words.raw_of(found)[:200]}")
        return found

    async def listed(self, instrument_id: str) -> Listing:
        """The same of what an order of ours is in. Raises VenueOutcomeUnknown also where there is none such."""
        try:
            return await self.listing(instrument_id)
        except KeyError:
            raise VenueOutcomeUnknown(f"{instrument_id} is not listed") from None

    # -- the account ------------------------------------------------------------------------------------------

    async def open_orders(self) -> tuple[OpenOrder, ...]:
        """All that works. Raises VenueOutcomeUnknown."""
        found = []
        for row in await self._asking.rows(self._market.open_orders):
            listing = self.named(row["symbol"])
            self.remember(listing, row["orderId"], str(row.get("clientOrderId", "")))
            found.append(words.open_order(listing, row))
        if self._market.usdm:
            algos = await self._asking.rows(terms.ALGO_OPEN)
            found += [words.open_algo(self.named(row["symbol"]), row) for row in algos]
        return tuple(found)

    async def executions(self, since_ns: int) -> tuple[VenueReport, ...]:
        """Every fill since then in every symbol that this account is known to trade, oldest first."""
        if not self._listings:
            await self.load()
        found: list[VenueReport] = []
        for instrument_id in sorted(self._seen & self._listings.keys()):
            found += await self._executions_in(self._listings[instrument_id], since_ns // NS_PER_MS)
        return tuple(sorted(found, key=lambda report: (report.transact_ns, report.exec_id)))

    async def _executions_in(self, listing: Listing, since_ms: int) -> list[VenueReport]:
        """Span by span, since the venue takes no longer ones; within a span by the numbers of the trades."""
        rows: dict[Any, dict[str, Any]] = {}
        now_ms, span_ms = self._now_ns() // NS_PER_MS, SPAN_MS[self._market.usdm]
        start_ms = since_ms
        while start_ms <= now_ms:
            within = {"startTime": start_ms, "endTime": start_ms + span_ms}
            page = await self._trades(listing, within)
            while page:
                rows |= {row["id"]: row for row in page}
                if len(page) < PAGE:
                    break
                page = await self._trades(listing, {"fromId": max(row["id"] for row in page) + 1})
            start_ms += span_ms + 1
        return [
            words.trade_report(listing, self.money, row, await self._client_id(listing, row["orderId"]))
            for row in rows.values()
            if row["time"] >= since_ms
        ]

    async def _trades(self, listing: Listing, within: Mapping[str, Any]) -> list[dict[str, Any]]:
        return await self._asking.rows(self._market.trades, {"symbol": listing.name, "limit": PAGE, **within})

    async def positions(self) -> dict[str, int]:
        """Signed holdings by position key. Spot: what is held of the base asset, quoted in the account's currency."""
        if not self._listings:
            await self.load()
        if self._market.usdm:
            rows = await self._asking.rows(terms.POSITIONS)
            held = [(self.named(row["symbol"]), row) for row in rows if row["positionAmt"].strip("-0.")]
            return {
                position_key(listing.instrument_id, words.bucket_of(row["positionSide"])): listing.whole_qty(
                    row["positionAmt"]
                )
                for listing, row in held
            }
        held_of = {each.asset: each.total for each in await self.balances()}
        wanted = [each for each in self._spot_positions() if each.base in held_of]
        found = {each.instrument_id: each.whole_qty(str(held_of[each.base])) for each in wanted}
        return {key: qty for key, qty in found.items() if qty}

    def _spot_positions(self) -> list[Listing]:
        wanted = self._settings.instrument_ids
        if wanted:
            return [self._listings[each] for each in wanted if each in self._listings]
        return [each for each in self._listings.values() if each.currency == self._settings.currency]

    async def balances(self) -> tuple[Balance, ...]:
        """What the account holds. Raises VenueOutcomeUnknown."""
        if self._market.usdm:
            rows = await self._asking.rows(self._market.balances)
            return tuple(
                Balance(row["asset"], words.decimal_of(row["balance"]), words.decimal_of(row["availableBalance"]))
                for row in rows
            )
        account = await self._asking.look(self._market.balances, {"omitZeroBalances": "true"})
        return tuple(
            Balance(
                row["asset"],
                words.decimal_of(row["free"]) + words.decimal_of(row["locked"]),
                words.decimal_of(row["free"]),
            )
            for row in account["balances"]
        )


def _match(rows: list[dict[str, Any]], cl_ord_id: str, order_id: str = "") -> dict[str, Any] | None:
    """The newest of that id."""
    if order_id:
        found = [row for row in rows if str(row.get("orderId")) == order_id]
    else:
        found = [row for row in rows if cl_ord_id in (row.get("clientOrderId"), row.get("clientAlgoId"))]
    return found[-1] if found else None


def _has_traded(row: Mapping[str, Any]) -> bool:
    """Whether to look for trades: not where it still works and has traded nothing."""
    return row["status"] in _OVER or bool(str(row["executedQty"]).strip("0."))
