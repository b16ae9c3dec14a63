"""Orders and positions of a state, as lines for a person: exact decimal text, words instead of codes.

They show what the state holds: live orders and those that ended lately, and every position ever held. The whole
history is in the journal (`surefill.views`).
"""

from __future__ import annotations

import msgspec

from surefill.domain.instrument import Instrument
from surefill.domain.orders import Order
from surefill.domain.position import Position
from surefill.domain.state import State
from surefill.rules.codes import ExitReason, OrdStatus, OrdType, Side, TimeInForce
from surefill.rules.position import unrealised
from surefill.units import iso_from_ns, quanta_text

AVERAGE_DECIMALS = 4  # an average is shown so much finer than the instrument's prices


class OrderLine(msgspec.Struct, frozen=True):
    """One order. `exit` says why, where the engine itself closed something; `message` is the venue's or the gate's."""

    order_ref: str
    cl_ord_id: str
    symbol: str
    strategy: str
    side: str
    ord_type: str
    time_in_force: str
    order_qty: str
    cum_qty: str
    leaves_qty: str
    px: str
    avg_px: str
    fees: str
    status: str
    live: bool
    exit: str
    message: str
    created: str


class PositionLine(msgspec.Struct, frozen=True):
    """One position. `mark` and `unrealised` are empty where no price has been seen since the start."""

    symbol: str
    bucket: str
    strategy: str
    qty: str
    avg_px: str
    mark: str
    unrealised: str
    realised: str
    fees: str
    stop_px: str
    target_px: str
    opened: str


def order_lines(state: State) -> list[OrderLine]:
    """Live orders, then those that ended lately; each group in order of creation."""
    book = state.book
    groups = ((True, book.orders), (False, book.done))
    return [
        _order_line(order, book.instruments[order.request.instrument_id], book.money_decimals, live)
        for live, orders in groups
        for order in orders.values()
    ]


def position_lines(state: State) -> list[PositionLine]:
    """Every position by its key, flat ones too."""
    positions = state.book.positions
    return [_position_line(state, positions[key]) for key in sorted(positions)]


class AlertLine(msgspec.Struct, frozen=True):
    """One alert that nobody has acknowledged. `delivered` is empty while no channel has taken it."""

    key: str
    code: str
    text: str
    count: int
    first: str
    raised: str
    delivered: str


def alert_lines(state: State) -> list[AlertLine]:
    """The open alerts, the oldest first."""
    return [
        AlertLine(
            key,
            alert.code,
            alert.text,
            alert.count,
            iso_from_ns(alert.first_ns),
            iso_from_ns(alert.raised_ns),
            iso_from_ns(alert.delivered_ns) if alert.delivered_ns else "",
        )
        for key, alert in state.book.alerts.items()
    ]


def _order_line(order: Order, instrument: Instrument, money_decimals: int, live: bool) -> OrderLine:
    request = order.request

    def qty(quanta: int) -> str:
        return quanta_text(quanta, instrument.qty_decimals)

    return OrderLine(
        order_ref=request.order_ref,
        cl_ord_id=request.cl_ord_id,
        symbol=request.instrument_id,
        strategy=order.strategy_id,
        side=Side(request.side).name,
        ord_type=OrdType(request.ord_type).name,
        time_in_force=TimeInForce(request.time_in_force).name,
        order_qty=qty(request.order_qty),
        cum_qty=qty(order.cum_qty),
        leaves_qty=qty(order.leaves_qty),
        px=_price(request.px or request.stop_px, instrument),
        avg_px=_average(order.cum_notional, order.cum_qty, instrument),
        fees=quanta_text(order.fees, money_decimals),
        status=OrdStatus(order.status).name,
        live=live,
        exit="" if order.exit_reason == ExitReason.NONE else ExitReason(order.exit_reason).name,
        message=order.text,
        created=iso_from_ns(order.created_ns),
    )


def _position_line(state: State, position: Position) -> PositionLine:
    book = state.book
    instrument = book.instruments[position.instrument_id]
    quote = state.quotes.get(position.instrument_id)
    mark = 0 if quote is None else _mark(quote.last_px, quote.bid_px, quote.ask_px, position.qty)
    guard = position.protection if position.qty else None
    gain = unrealised(position.qty, position.cost, mark) * instrument.money_per_notional
    return PositionLine(
        symbol=position.instrument_id,
        bucket=position.bucket,
        strategy=position.strategy_id,
        qty=quanta_text(position.qty, instrument.qty_decimals),
        avg_px=_average(position.cost, position.qty, instrument),
        mark=_price(mark, instrument),
        unrealised=quanta_text(gain, book.money_decimals) if mark and position.qty else "",
        realised=quanta_text(position.realised, book.money_decimals),
        fees=quanta_text(position.fees, book.money_decimals),
        stop_px=_price(guard.stop_px, instrument) if guard else "",
        target_px=_price(guard.target_px, instrument) if guard else "",
        opened=iso_from_ns(position.opened_ns) if position.qty else "",
    )


def _mark(last_px: int, bid_px: int, ask_px: int, qty: int) -> int:
    """The last price; without one, what the position could be closed at."""
    return last_px or (bid_px if qty > 0 else ask_px)


def _price(px: int, instrument: Instrument) -> str:
    return quanta_text(px, instrument.price_decimals) if px else ""


def _average(cost: int, qty: int, instrument: Instrument) -> str:
    """cost / qty, half away from zero: both have the same sign."""
    if not qty:
        return ""
    scaled, divisor = abs(cost) * 10**AVERAGE_DECIMALS, abs(qty)
    return quanta_text((2 * scaled + divisor) // (2 * divisor), instrument.price_decimals + AVERAGE_DECIMALS)
