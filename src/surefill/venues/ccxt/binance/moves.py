"""What moves a Binance account and is no trade of ours: USD-M's income history, spot's deposits, withdrawals,
distributions and conversions of small amounts.

1. USD-M: results and commissions belong to trades and are told with them; all other income is told here, once, by the
   venue's own number. It does not say which side a payment belongs to, so with a position per side, and for a symbol
   that is not traded here, it belongs to no position.
2. Spot: only what has arrived or has left for good is told. It is asked for from a week back, because it is listed by
   when it was begun.
3. What is in another asset than the account's currency is told where that asset is traded here: holdings that came or
   went, worth the price of now. Of any other asset the books know nothing.

Sources: USDⓈ-M futures, "Get Income History"; Wallet, "Deposit History", "Withdraw History", "Asset Dividend Record",
"DustLog" (2026).
"""

from __future__ import annotations

import calendar
import time
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from surefill.domain.account import AccountMove, MoveKind
from surefill.errors import InputError, VenueOutcomeUnknown
from surefill.units import MONEY_MAX, NS_PER_MS, NS_PER_S, QTY_MAX, to_quanta
from surefill.venues.ccxt.asking import Asking, Endpoint
from surefill.venues.ccxt.binance import terms, words
from surefill.venues.ccxt.binance.lookup import Lookup
from surefill.venues.ccxt.listing import Listing
from surefill.venues.ccxt.settings import CcxtSettings

INCOME: Endpoint = ("fapiPrivate", "GET", "income")
DEPOSITS: Endpoint = ("sapi", "GET", "capital/deposit/hisrec")
WITHDRAWALS: Endpoint = ("sapi", "GET", "capital/withdraw/history")
DIVIDENDS: Endpoint = ("sapi", "GET", "asset/assetDividend")
DUST: Endpoint = ("sapi", "GET", "asset/dribblet")
PAGE, DIVIDEND_PAGE = 1_000, 500
#: How far back spot is asked, and how much of USD-M's income one look may span (7 days; an hour below).
WEEK_MS = 7 * 24 * 3_600_000
SPAN_MS = WEEK_MS - 3_600_000
#: Income is listed under the time that it is for, which may be a while before it can be seen.
LATE_MS = 10 * 60_000
#: Income that trades bring along. What a delisted or delivered contract ends with is among them: its closing trade.
OF_TRADES = frozenset(("REALIZED_PNL", "COMMISSION", "DELIVERED_SETTELMENT"))
#: Income by which the owner pays in or takes out, or changes one asset into another.
OF_THE_OWNER = frozenset(
    (
        *("TRANSFER", "INTERNAL_TRANSFER", "CROSS_COLLATERAL_TRANSFER", "STRATEGY_UMFUTURES_TRANSFER"),
        *("COIN_SWAP_DEPOSIT", "COIN_SWAP_WITHDRAW", "AUTO_EXCHANGE"),
    )
)
OF_A_POSITION = {"FUNDING_FEE": MoveKind.FUNDING, "INSURANCE_CLEAR": MoveKind.SETTLEMENT}
#: Deposits that are in the balance: credited, and credited but not to be withdrawn yet. Withdrawals that are done.
_ARRIVED, _LEFT = (1, 6), 6


class Moves:
    """The moves of one account."""

    def __init__(
        self, settings: CcxtSettings, asking: Asking, lookup: Lookup, now_ns: Callable[[], int], *, usdm: bool
    ) -> None:
        self._settings, self._asking, self._lookup, self._now_ns = settings, asking, lookup, now_ns
        self._usdm = usdm

    async def told(self, since_ns: int) -> tuple[AccountMove, ...]:
        """All moves since then, and some of before, oldest first. Raises VenueOutcomeUnknown, KeyError, ValueError."""
        if not self._lookup.listings():
            await self._lookup.load()
        if self._usdm:
            found = await self._income(since_ns // NS_PER_MS - LATE_MS)
        else:
            found = [] if self._settings.sandbox else await self._of_spot()  # the test net has no wallet
        return tuple(sorted(found, key=lambda each: (each.transact_ns, each.move_id)))

    # -- USD-M ------------------------------------------------------------------------------------------------

    async def _income(self, since_ms: int) -> list[AccountMove]:
        """Span by span; within a span page by page."""
        rows: list[dict[str, Any]] = []
        start_ms, now_ms = since_ms, self._now_ns() // NS_PER_MS
        while start_ms <= now_ms:
            page = 1
            while True:
                within = {"startTime": start_ms, "endTime": start_ms + SPAN_MS, "limit": PAGE, "page": page}
                told = await self._asking.rows(INCOME, within)
                rows += told
                if len(told) < PAGE:
                    break
                page += 1
            start_ms += SPAN_MS + 1
        return [self._income_move(row) for row in rows if self._counts(row)]

    def _counts(self, row: Mapping[str, Any]) -> bool:
        return row["incomeType"] not in OF_TRADES and row["asset"] == self._settings.currency

    def _income_move(self, row: Mapping[str, Any]) -> AccountMove:
        name, amount = str(row["incomeType"]), self._money(row["income"])
        kind = OF_A_POSITION.get(name, MoveKind.ADJUSTMENT)
        if name in OF_THE_OWNER:
            kind = MoveKind.DEPOSIT if amount > 0 else MoveKind.WITHDRAWAL
        return AccountMove(
            int(kind),
            f"{name}:{row.get('symbol', '')}:{row['tranId']}",
            self._position_of(str(row.get("symbol", ""))) if name in OF_A_POSITION else "",
            amount=amount,
            transact_ns=int(row["time"]) * NS_PER_MS,
            raw=words.raw_of(row),
        )

    def _position_of(self, symbol: str) -> str:
        """The instrument whose position a payment belongs to; "": none of ours, or nobody says on which side."""
        wanted = self._settings.instrument_ids
        found = next((each.instrument_id for each in self._lookup.listings() if each.name == symbol), "")
        return "" if self._settings.hedge or (wanted and found not in wanted) else found

    def _money(self, amount: Any) -> int:
        return to_quanta(
            str(amount), self._settings.money_decimals, field="amount", max_quanta=MONEY_MAX, allow_negative=True
        )

    # -- spot -------------------------------------------------------------------------------------------------

    async def _of_spot(self) -> list[AccountMove]:
        since_ms = self._now_ns() // NS_PER_MS - WEEK_MS
        within = {"startTime": since_ms, "limit": PAGE}
        found: list[AccountMove | None] = []
        for row in await self._asking.rows(DEPOSITS, within):
            if row["status"] in _ARRIVED:
                at_ns = int(row.get("completeTime") or row["insertTime"]) * NS_PER_MS
                move_id = str(row.get("id") or row["txId"])
                found.append(await self._moved(MoveKind.DEPOSIT, move_id, row["coin"], row["amount"], at_ns, row))
        for row in await self._asking.rows(WITHDRAWALS, within):
            if row["status"] == _LEFT:
                amount = -(Decimal(str(row["amount"])) + Decimal(str(row.get("transactionFee") or 0)))
                at_ns = _of_text(str(row.get("completeTime") or row["applyTime"]))
                found.append(await self._moved(MoveKind.WITHDRAWAL, str(row["id"]), row["coin"], amount, at_ns, row))
        for row in await self._named(DIVIDENDS, "rows", {"startTime": since_ms, "limit": DIVIDEND_PAGE}):
            at_ns = int(row["divTime"]) * NS_PER_MS
            move_id = f"{row['tranId']}:{row['asset']}"
            found.append(await self._moved(MoveKind.DIVIDEND, move_id, row["asset"], row["amount"], at_ns, row))
        for conversion in await self._named(DUST, "userAssetDribblets", {"startTime": since_ms}):
            for row in conversion["userAssetDribbletDetails"]:
                move_id, at_ns = f"dust:{row['transId']}:{row['fromAsset']}", int(row["operateTime"]) * NS_PER_MS
                amount = -Decimal(str(row["amount"]))
                found.append(await self._moved(MoveKind.WITHDRAWAL, move_id, row["fromAsset"], amount, at_ns, row))
        return [each for each in found if each is not None]

    async def _named(self, endpoint: Endpoint, name: str, params: Mapping[str, Any]) -> list[dict[str, Any]]:
        found = await self._asking.look(endpoint, params)
        rows = found.get(name) if isinstance(found, dict) else None
        if not isinstance(rows, list):
            raise VenueOutcomeUnknown(f"{endpoint[2]}: not a list: {str(found)[:100]}")
        return rows

    async def _moved(
        self, kind: MoveKind, move_id: str, asset: str, amount: Any, at_ns: int, row: Mapping[str, Any]
    ) -> AccountMove | None:
        """Cash, or holdings of what is traded here; None for an asset that the books know nothing of."""
        if asset == self._settings.currency:
            return AccountMove(int(kind), move_id, amount=self._money(amount), transact_ns=at_ns, raw=words.raw_of(row))
        listing = self._traded(asset)
        if listing is None:
            return None
        try:
            text = f"{Decimal(str(amount)).normalize():f}"
            qty = to_quanta(text, listing.qty_decimals, field="amount", max_quanta=QTY_MAX, allow_negative=True)
        except InputError:
            return None  # finer than it is counted in: the comparison of positions tells of it
        px = listing.px((await self._asking.look(terms.SPOT.best, {"symbol": listing.name}))["bidPrice"])
        move_id = f"{kind.name.lower()}:{move_id}"
        instrument_id = listing.instrument_id
        return AccountMove(
            int(MoveKind.TRANSFER), move_id, instrument_id, "", qty, px, transact_ns=at_ns, raw=words.raw_of(row)
        )

    def _traded(self, asset: str) -> Listing | None:
        wanted = self._settings.instrument_ids
        listed = (each for each in self._lookup.listings() if each.instrument_id in wanted)
        return next((each for each in listed if each.base == asset), None)


def _of_text(told: str) -> int:
    """A time as withdrawals have it, in UTC: "2026-11-28 12:43:45". Raises ValueError."""
    return calendar.timegm(time.strptime(told, "%Y-%m-%d %H:%M:%S")) * NS_PER_S
