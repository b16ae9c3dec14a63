"""From the engine's receipt, or its failure, to the result that the contract promises."""

from __future__ import annotations

from typing import Final

from surefill.domain.instrument import Instrument
from surefill.domain.refusals import RefusalCode
from surefill.engine.receipt import Receipt, Verdict
from surefill.errors import SurefillError
from surefill.intake.door_failures import OUTCOME_UNKNOWN, failure_from
from surefill.intake.signals.messages import ExecutionResult
from surefill.rules.codes import OrdStatus
from surefill.units import datetime_from_ns, quanta_float
from surefill.views.wording import avg_px, side_word

LTP_MISSING: Final = "ltp_missing"
_NO_PRICE: Final = frozenset({RefusalCode.NO_MARKET_DATA.name, RefusalCode.STALE_PRICE.name})


def result_of(receipt: Receipt, symbol: str, instrument: Instrument | None) -> ExecutionResult:
    """The result of an intent that the engine has answered."""
    price_decimals, qty_decimals = (instrument.price_decimals, instrument.qty_decimals) if instrument else (0, 0)
    status, qty, reason = _outcome(receipt, qty_decimals)
    return ExecutionResult(
        order_id=receipt.order_ref,
        symbol=symbol,
        side=side_word(receipt.side),
        qty=_quantity(qty, qty_decimals),
        price=avg_px(receipt.cum_notional, receipt.cum_qty, price_decimals) if status != "REJECTED" else 0.0,
        status=status,
        reason=reason,
        timestamp=datetime_from_ns(receipt.ts_ns),
    )


def failure_of(error: SurefillError, symbol: str, side: str, now_ns: int) -> ExecutionResult:
    """The result of an intent whose answer never came."""
    unknown, code, reason = failure_from(error)
    status, told = ("PLACED", OUTCOME_UNKNOWN) if unknown else ("REJECTED", f"{code.lower()}: {reason}")
    return ExecutionResult("", symbol, side, 0, 0.0, status, told, datetime_from_ns(now_ns))


def _outcome(receipt: Receipt, qty_decimals: int) -> tuple[str, int, str]:
    """Status, quantity and reason."""
    asked, filled = receipt.order_qty, receipt.cum_qty
    if receipt.verdict == Verdict.REFUSED and receipt.code in _NO_PRICE:
        return "REJECTED", asked, LTP_MISSING
    if receipt.verdict in (Verdict.REFUSED, Verdict.CONFLICT):
        return "REJECTED", asked, _told(receipt)
    if receipt.status == OrdStatus.FILLED:
        return "FILLED", filled, ""
    over = receipt.status in (OrdStatus.CANCELED, OrdStatus.REJECTED, OrdStatus.EXPIRED)
    if over and not filled:
        return "REJECTED", asked, _told(receipt)
    if receipt.status == OrdStatus.UNKNOWN:
        return "PLACED", asked, OUTCOME_UNKNOWN
    if not filled:
        return "PLACED", asked, ""
    part = f"{_quantity(filled, qty_decimals)} of {_quantity(asked, qty_decimals)}"
    if over:
        return "FILLED", filled, f"partially_filled: {part}, the rest is gone"
    return "PLACED", asked, f"partially_filled: {part} so far"


def _told(receipt: Receipt) -> str:
    code = receipt.code or OrdStatus(receipt.status or OrdStatus.REJECTED).name
    return f"{code.lower()}: {receipt.reason}" if receipt.reason else code.lower()


def _quantity(qty: int, decimals: int) -> int | float:
    return quanta_float(qty, decimals) if decimals else qty
