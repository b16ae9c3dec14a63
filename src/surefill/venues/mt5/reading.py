"""Orders and deals of the terminal as reports."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from surefill.domain.reports import ExecType, VenueReport
from surefill.rules.codes import OrdType
from surefill.units import quanta_text, to_quanta
from surefill.venues.mt5.records import DealRecord, OrderRecord, raw
from surefill.venues.mt5.server_clock import ServerClock
from surefill.venues.mt5.symbols import Scale, cleaned

_CANCELED, _PARTIAL, _FILLED, _REJECTED, _EXPIRED = 2, 3, 4, 5, 6
_ENDED = {_CANCELED: ExecType.CANCELED, _PARTIAL: ExecType.CANCELED, _EXPIRED: ExecType.EXPIRED}
_ORD_TYPES = (OrdType.MARKET, OrdType.LIMIT, OrdType.STOP, OrdType.STOP_LIMIT)
STATES = {
    0: "STARTED",
    1: "PLACED",
    2: "CANCELED",
    3: "PARTIAL",
    4: "FILLED",
    5: "REJECTED",
    6: "EXPIRED",
    7: "REQUEST_ADD",
    8: "REQUEST_MODIFY",
    9: "REQUEST_CANCEL",
}


def is_trade(deal: DealRecord) -> bool:
    """Whether a deal is an execution: not a deposit, a charge, a correction, a dividend."""
    return deal.type in (0, 1) and bool(deal.symbol)


def side_of(kind: int) -> int:
    """+1 or -1 of an order's, a deal's or a position's type: even ones buy."""
    return -1 if kind % 2 else 1


def ord_type_of(kind: int) -> OrdType:
    """MARKET, LIMIT, STOP or STOP_LIMIT of an order's type."""
    return _ORD_TYPES[kind // 2] if kind < 8 else OrdType.MARKET


def cum_qty_of(order: OrderRecord, scale: Scale) -> int:
    """What has traded by the order's own count."""
    return scale.qty(order.volume_initial) - scale.qty(order.volume_current)


def fee_of(deal: DealRecord) -> Decimal:
    """Commission and fee of a deal, positive where they cost. Swap is no fee: it is interest on what was held."""
    return -(Decimal(repr(cleaned(deal.commission))) + Decimal(repr(cleaned(deal.fee))))


class Reader:
    """`currency` is the account's: what fees are in."""

    def __init__(self, clock: ServerClock, money_decimals: int, currency: str) -> None:
        self._clock, self._money_decimals, self.currency = clock, money_decimals, currency

    def trade(self, deal: DealRecord, scale: Scale, cl_ord_id: str, bucket: str = "") -> VenueReport:
        """An execution. Its id is the deal's ticket, unique at the server."""
        fee = fee_of(deal)
        return VenueReport(
            cl_ord_id,
            ExecType.TRADE,
            order_id=str(deal.order),
            exec_id=str(deal.ticket),
            last_px=scale.px(deal.price),
            last_qty=scale.qty(deal.volume),
            fee=to_quanta(fee, self._money_decimals, field="fee", allow_negative=True),
            transact_ns=self._clock.ns(deal.time_msc),
            text=deal.comment,
            raw=raw(deal),
            instrument_id=deal.symbol,
            bucket=bucket,
            side=side_of(deal.type),
            fee_asset=self.currency if fee else "",
            fee_amount=str(fee) if fee else "",
        )

    def status(self, order: OrderRecord, scale: Scale, cl_ord_id: str, *, working: bool) -> VenueReport:
        """Where an order stands: what it says about itself, its end where it has one."""
        exec_type = ExecType.STATUS if working else _ENDED.get(order.state, ExecType.STATUS)
        cum_qty = cum_qty_of(order, scale)
        if not working and order.state == _REJECTED:
            exec_type = ExecType.CANCELED if cum_qty else ExecType.REJECTED
        state = STATES.get(order.state, str(order.state))
        filled, whole = (quanta_text(qty, scale.qty_decimals) for qty in (cum_qty, scale.qty(order.volume_initial)))
        return VenueReport(
            cl_ord_id,
            exec_type,
            order_id=str(order.ticket),
            cum_qty=cum_qty,
            transact_ns=self._clock.ns(order.time_setup_msc if working else order.time_done_msc),
            code=state,
            text=f"{state}, {filled} of {whole} lots",
            raw=raw(order),
            instrument_id=order.symbol,
            side=side_of(order.type),
        )

    def story(
        self, order: OrderRecord, deals: Sequence[DealRecord], scale: Scale, cl_ord_id: str, *, working: bool
    ) -> tuple[VenueReport, ...]:
        """All that is known of an order, oldest first: it is there, its executions, where it stands."""
        new = VenueReport(
            cl_ord_id,
            ExecType.NEW,
            order_id=str(order.ticket),
            transact_ns=self._clock.ns(order.time_setup_msc),
            raw=raw(order),
        )
        status = self.status(order, scale, cl_ord_id, working=working)
        trades = tuple(self.trade(deal, scale, cl_ord_id) for deal in unique(deals))
        if status.exec_type == ExecType.REJECTED:
            return (status,)
        known = sum(report.last_qty for report in trades)
        told = working or status.exec_type != ExecType.STATUS or status.cum_qty > known
        return (new, *trades, *((status,) if told else ()))


def unique(deals: Sequence[DealRecord]) -> list[DealRecord]:
    """Executions by ticket, once each."""
    return [deal for _, deal in sorted({deal.ticket: deal for deal in deals if is_trade(deal)}.items())]
