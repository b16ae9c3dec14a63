"""From lines of the order book and of the trade book to reports.

1. Executions come from trades alone, by their ids, never from an average price or a count.
2. An end is told with the venue's count, so that an order that ended before its trades were told is asked for again.
   COMPLETE is no execution: the trades are.
3. Where the broker cut one order into several, the end of one of them is no end: the order ends when all pieces have,
   and when they come to what was asked for, or the broker has told that it made no more of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from surefill.domain.reports import ExecType, VenueReport
from surefill.errors import InputError, VenueOutcomeUnknown
from surefill.rules.codes import OrdType
from surefill.units import to_quanta
from surefill.venues.kite.codes import TRIGGERED, Phase
from surefill.venues.kite.rows import OrderRow, TradeRow, ns_from_stamp
from surefill.venues.kite.tags import Ours

_STOPS = (OrdType.STOP, OrdType.STOP_LIMIT)


def trade_report(trade: TradeRow, cl_ord_id: str, decimals: int, bucket: str) -> VenueReport:
    """One execution. Raises VenueOutcomeUnknown where its price is none."""
    try:
        last_px = to_quanta(trade.average_price, decimals, field="average_price")
    except InputError as error:
        raise VenueOutcomeUnknown(f"execution {trade.trade_id} cannot be read: {error.message}") from error
    return VenueReport(
        cl_ord_id,
        ExecType.TRADE,
        order_id=trade.order_id,
        exec_id=trade.exec_id,
        last_px=last_px,
        last_qty=trade.quantity,
        transact_ns=trade.transact_ns,
        raw=_raw(trade),
        instrument_id=trade.instrument_id,
        bucket=bucket,
        side=trade.side,
    )


def order_reports(
    ours: Ours, rows: Sequence[OrderRow], trades: Iterable[TradeRow], decimals: int
) -> tuple[VenueReport, ...]:
    """What the lines of one order of ours say: executions first, then where it stands.

    Raises VenueOutcomeUnknown where that cannot be told.
    """
    request = ours.request
    fills = tuple(trade_report(trade, request.cl_ord_id, decimals, request.bucket) for trade in trades)
    stands = _standing(ours, rows)
    if request.ord_type in _STOPS and any(row.status in TRIGGERED for row in rows):
        triggered = _report(ours, rows, ExecType.TRIGGERED, cum_qty=-1)
        return (triggered, *fills, stands)
    return (*fills, stands)


def _standing(ours: Ours, rows: Sequence[OrderRow]) -> VenueReport:
    filled = sum(row.filled_quantity for row in rows)
    if any(row.phase is Phase.LIVE for row in rows):
        return _report(ours, rows, ExecType.STATUS, filled)
    if filled >= ours.request.order_qty:
        return _report(ours, rows, ExecType.STATUS, filled)  # the executions end it
    _check_whole(ours, rows)
    if not filled and all(row.phase is Phase.REJECTED for row in rows):
        return _report(ours, rows, ExecType.REJECTED, filled)
    return _report(ours, rows, ExecType.CANCELED, filled)


def _check_whole(ours: Ours, rows: Sequence[OrderRow]) -> None:
    """Whether more pieces may come. Raises VenueOutcomeUnknown where they may."""
    if not ours.pieces_max_qty:
        return
    asked, seen = ours.request.order_qty, sum(row.quantity for row in rows)
    told_all = ours.told_all and {row.order_id for row in rows}.issuperset(ours.order_ids)
    # An iceberg's next leg follows a complete one only.
    cut_off = any(row.variety == "iceberg" and row.phase is not Phase.COMPLETE for row in rows)
    if seen < asked and not told_all and not cut_off:
        raise VenueOutcomeUnknown(f"pieces of {seen} are over, of an order of {asked}: the rest is not accounted for")


def _report(ours: Ours, rows: Sequence[OrderRow], exec_type: int, cum_qty: int) -> VenueReport:
    newest = max(rows, key=lambda row: row.exchange_update_timestamp or row.order_timestamp or "")
    request = ours.request
    return VenueReport(
        request.cl_ord_id,
        exec_type,
        order_id=rows[0].order_id,
        cum_qty=cum_qty,
        transact_ns=ns_from_stamp(newest.exchange_update_timestamp or newest.order_timestamp),
        code=newest.status,
        text=newest.status_message or "",
        raw=_raw(list(rows)),
        instrument_id=request.instrument_id,
        bucket=request.bucket,
        side=request.side,
    )


def _raw(told: object) -> str:
    return msgspec.json.encode(told).decode()
