"""What moves an account and is no trade: USD-M's income history; deposits, withdrawals and gifts of spot.

Sources: USDⓈ-M futures, "Get Income History"; Wallet, "Deposit History", "Withdraw History", "Asset Dividend Record",
"DustLog" (2026). Their windows and pages are kept to.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from surefill.testing.emulators.binance.errors import BinanceError
from surefill.testing.emulators.binance.floor import Floor
from surefill.testing.emulators.binance.money import SPOT, USDM
from surefill.testing.emulators.binance.routes import Call, Route
from surefill.testing.emulators.binance.spot_words import eight
from surefill.testing.emulators.groundwork.records import Execution

NOTES = "moves"
_DAY_MS = 24 * 3_600_000


class Moves:
    """The endpoints, and a hand to make something happen."""

    def __init__(self, floor: Floor) -> None:
        self._floor, self._store, self._desk = floor, floor.store, floor.desk

    def routes(self) -> dict[tuple[str, str], Route]:
        """By method and path."""
        sapi = "/sapi/v1"
        return {
            ("GET", "/fapi/v1/income"): Route("moves", self.income, weight=30),
            ("GET", f"{sapi}/capital/deposit/hisrec"): Route("moves", self.deposits),
            ("GET", f"{sapi}/capital/withdraw/history"): Route("moves", self.withdrawals),
            ("GET", f"{sapi}/asset/assetDividend"): Route("moves", self.dividends, weight=10),
            ("GET", f"{sapi}/asset/dribblet"): Route("moves", self.dust),
        }

    # -- a hand on it -----------------------------------------------------------------------------------------

    def happen(self, body: Mapping[str, Any]) -> int:
        """`kind`: an income type, or deposit, withdrawal, dividend, dust; `asset`, `amount` with its sign, `symbol`,
        `account`; `status` where it is not done yet: then the balance does not move.
        """
        kind, account = str(body["kind"]), str(body.get("account", "main"))
        kept = {name: str(value) for name, value in body.items()} | {"time": str(self._desk.now_ms())}
        number = len(self._store.notes(NOTES)) + 1
        scope = SPOT if kind.islower() else USDM
        with self._store.step():
            self._store.note(NOTES, str(number), json.dumps(kept | {"account": account, "number": str(number)}))
            if "status" not in body:
                self._store.add_balance(account, scope, str(body["asset"]), Decimal(str(body["amount"])))
        return number

    def _kept(self, call: Call, *kinds: str) -> list[dict[str, str]]:
        """Within the times that were asked for, oldest first."""
        start, end = int(call.params.get("startTime", 0)), int(call.params.get("endTime", 1 << 60))
        rows = sorted((json.loads(each) for each in self._store.notes(NOTES).values()), key=lambda r: int(r["number"]))
        mine = [row for row in rows if row["account"] == call.account and (not kinds or row["kind"] in kinds)]
        return [row for row in mine if start <= int(row["time"]) <= end]

    def _within(self, call: Call, days: int) -> None:
        start, end = call.params.get("startTime"), call.params.get("endTime", self._desk.now_ms())
        if start is not None and int(end) - int(start) > days * _DAY_MS:
            raise BinanceError(-4047, f"Time interval must be within 0-{days} days")

    # -- USD-M ------------------------------------------------------------------------------------------------

    def income(self, call: Call) -> Any:
        """GET income: what trades brought, and all else, by page."""
        self._within(call, 7)
        rows = [_of_note(row) for row in self._kept(call) if not row["kind"].islower()]
        start, end = int(call.params.get("startTime", 0)), int(call.params.get("endTime", 1 << 60))
        for each in self._store.executions(account=call.account):
            if each.scope != SPOT and start <= each.ts_ms <= end:
                rows += _of_trade(each)
        rows = [row for row in rows if call.params.get("incomeType", row["incomeType"]) == row["incomeType"]]
        rows.sort(key=lambda row: (row["time"], row["tranId"]))
        limit, page = int(call.params.get("limit", 100)), int(call.params.get("page", 1))
        return rows[(page - 1) * limit : page * limit]

    # -- the wallet -------------------------------------------------------------------------------------------

    def deposits(self, call: Call) -> Any:
        """GET capital/deposit/hisrec."""
        self._within(call, 90)
        return [
            {
                "id": f"d{row['number']}",
                "amount": row["amount"],
                "coin": row["asset"],
                "network": "ETH",
                "status": int(row.get("status", 1)),
                "address": "0x0",
                "addressTag": "",
                "txId": f"0x{row['number']}",
                "insertTime": int(row["time"]),
                "transferType": 0,
                "confirmTimes": "12/12",
            }
            for row in reversed(self._kept(call, "deposit"))
        ]

    def withdrawals(self, call: Call) -> Any:
        """GET capital/withdraw/history: the fee comes beside the amount."""
        self._within(call, 90)
        found = []
        for row in reversed(self._kept(call, "withdrawal")):
            fee = Decimal(row.get("fee", "0"))
            found.append(
                {
                    "id": f"w{row['number']}",
                    "amount": f"{-Decimal(row['amount']) - fee:f}",
                    "transactionFee": f"{fee:f}",
                    "coin": row["asset"],
                    "status": int(row.get("status", 6)),
                    "address": "0x0",
                    "txId": f"0x{row['number']}",
                    "applyTime": _text(int(row["time"])),
                    "completeTime": _text(int(row["time"])),
                    "network": "ETH",
                    "transferType": 0,
                }
            )
        return found

    def dividends(self, call: Call) -> Any:
        """GET asset/assetDividend."""
        rows = [
            {
                "id": int(row["number"]),
                "amount": row["amount"],
                "asset": row["asset"],
                "divTime": int(row["time"]),
                "enInfo": "Distribution",
                "tranId": int(row["number"]),
            }
            for row in reversed(self._kept(call, "dividend"))
        ]
        return {"rows": rows[: int(call.params.get("limit", 20))], "total": len(rows)}

    def dust(self, call: Call) -> Any:
        """GET asset/dribblet."""
        found = []
        for row in reversed(self._kept(call, "dust")):
            detail = {
                "transId": int(row["number"]),
                "serviceChargeAmount": "0.0",
                "amount": f"{-Decimal(row['amount']):f}",
                "operateTime": int(row["time"]),
                "transferedAmount": "0.0",
                "fromAsset": row["asset"],
            }
            found.append(
                {
                    "operateTime": int(row["time"]),
                    "totalTransferedAmount": "0.0",
                    "totalServiceChargeAmount": "0.0",
                    "transId": int(row["number"]),
                    "userAssetDribbletDetails": [detail],
                }
            )
        return {"total": len(found), "userAssetDribblets": found}


def _of_note(row: Mapping[str, str]) -> dict[str, Any]:
    return _income(row["kind"], row.get("symbol", ""), Decimal(row["amount"]), row["asset"], int(row["time"]), row)


def _of_trade(each: Execution) -> list[dict[str, Any]]:
    named = {"number": f"{each.number}", "trade": f"{each.number}"}
    told = [_income("COMMISSION", each.symbol, -each.fee, each.fee_asset, each.ts_ms, named)]
    if each.realized:
        told.append(_income("REALIZED_PNL", each.symbol, each.realized, each.fee_asset, each.ts_ms, named))
    return told


def _income(
    kind: str, symbol: str, amount: Decimal, asset: str, ts_ms: int, named: Mapping[str, str]
) -> dict[str, Any]:
    return {
        "symbol": symbol,
        "incomeType": kind,
        "income": eight(amount),
        "asset": asset,
        "info": named.get("trade", kind),
        "time": ts_ms,
        "tranId": int(named["number"]),
        "tradeId": named.get("trade", ""),
    }


def _text(ts_ms: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(ts_ms // 1000))
