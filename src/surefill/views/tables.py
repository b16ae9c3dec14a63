"""A workspace's trades, orders, fills and equity as tables, exact, with documented columns (docs/reports.md).

Money is in the workspace's currency, prices and quantities in the instrument's units. An average price is rounded to
`AVERAGE_DECIMALS` where it does not come out; the values beside it are exact.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal, localcontext
from itertools import zip_longest
from typing import Final

from surefill.domain.events import Event, ExternalTraded, OrderCreated, OrderFilled, OrderReplaced
from surefill.domain.instrument import Instrument
from surefill.units import ns_from_iso, quanta_text
from surefill.views.blotter import Blotter, BlotterRow
from surefill.views.excursions import Excursion
from surefill.views.metrics import net, underwater
from surefill.views.performance import Performance
from surefill.views.table_files import Column, Table, Value
from surefill.views.trade_stories import TradeStory
from surefill.views.wording import side_word

AVERAGE_DECIMALS: Final = 12

TRADES: Final = (
    Column("symbol", "text", "the instrument"),
    Column("strategy", "text", "who asked for it"),
    Column("side", "text", "LONG or SHORT"),
    Column("entry_time", "time", "its first fill"),
    Column("entry_qty", "exact", "all that was bought (sold) to open it, units"),
    Column("entry_price", "exact", "average, per unit"),
    Column("entry_value", "exact", "price × quantity × multiplier, money"),
    Column("exit_time", "time", "the fill that closed it; empty: still open"),
    Column("exit_qty", "exact", "what has left so far, units"),
    Column("exit_price", "exact", "average, per unit; empty: nothing has left"),
    Column("exit_value", "exact", "as entry_value, money"),
    Column("realised", "exact", "before fees, money"),
    Column("fees", "exact", "of all its fills, money"),
    Column("net", "exact", "realised less fees, money"),
    Column("mae", "share", "largest move against the entry price, a fraction of it; empty: still open"),
    Column("mfe", "share", "largest move in favour of it, a fraction of it; empty: still open"),
    Column("entry_reason", "text", "why it was entered, in upstream's words"),
    Column("exit_reason", "text", "signal, stop_loss, target, time_stop …, external"),
    Column("entry_order", "text", "order_ref of the first order"),
    Column("exit_order", "text", "order_ref of the last order"),
    Column("correlation_id", "text", "of the intent that began it"),
)
ORDERS: Final = (
    Column("order_ref", "text", "the order's public id; a refused intent has one too"),
    Column("cl_ord_id", "text", "FIX 11; empty: the intent was refused"),
    Column("correlation_id", "text", "of the intent that it came from"),
    Column("symbol", "text", "the instrument"),
    Column("strategy", "text", "who asked for it"),
    Column("side", "text", "BUY, SELL; EXIT: a close of nothing"),
    Column("ord_type", "text", "MARKET, LIMIT, SL (stop-limit), SL-M (stop)"),
    Column("order_qty", "exact", "units"),
    Column("cum_qty", "exact", "filled so far, units"),
    Column("price", "exact", "its limit, per unit; empty: none"),
    Column("stop_price", "exact", "its trigger, per unit; empty: none"),
    Column("avg_price", "exact", "of its fills, per unit; empty: none"),
    Column("fees", "exact", "of its fills, money"),
    Column("status", "text", "PLACED, PARTIAL, FILLED, CANCELLED, REJECTED"),
    Column("reason", "text", "upstream's, or the exit plan's"),
    Column("message", "text", "the venue's or the gate's"),
    Column("created", "time", "when it was decided"),
    Column("updated", "time", "its last event"),
)
FILLS: Final = (
    Column("time", "time", "when it was booked"),
    Column("symbol", "text", "the instrument"),
    Column("strategy", "text", "whose position it moved"),
    Column("side", "text", "BUY, SELL"),
    Column("qty", "exact", "FIX 32, units"),
    Column("price", "exact", "FIX 31, per unit"),
    Column("value", "exact", "price × quantity × multiplier, money"),
    Column("fee", "exact", "money; what was taken in kind is in it, at this price"),
    Column("fee_qty", "exact", "taken of the traded thing itself, units"),
    Column("realised", "exact", "by what it closed, before fees, money"),
    Column("position_qty", "exact", "held after it, units; short is negative"),
    Column("cash", "exact", "after it, money"),
    Column("order_ref", "text", "the order; empty: none of ours"),
    Column("cl_ord_id", "text", "FIX 11; empty: none of ours"),
    Column("order_id", "text", "FIX 37, the venue's"),
    Column("exec_id", "text", "FIX 17"),
)
EQUITY: Final = (
    Column("time", "time", "when a bar ended"),
    Column("equity", "exact", "cash and positions at their last close, money"),
    Column("drawdown", "share", "how far below the highest until then, a fraction of that"),
)


def tables_of(events: Iterable[Event], found: Performance) -> list[Table]:
    """All four. `events` are those that `found` was made from."""
    orders = _Orders()
    for event in events:
        orders.apply(event)
    instruments, money = orders.instruments, found.money_decimals
    trades = zip_longest((*found.stories, *found.running), found.went)
    curve = zip(
        found.curves.times, found.curves.equity, underwater(found.curve.start, found.curves.equity), strict=True
    )
    return [
        Table("trades", TRADES, [_trade(story, went, instruments, money) for story, went in trades]),
        Table("orders", ORDERS, list(orders.rows(money))),
        Table("fills", FILLS, orders.fills),
        Table("equity", EQUITY, [(ts_ns, _exact(equity, money), depth) for ts_ns, equity, depth in curve]),
    ]


class _Orders:
    """Folds events into orders and fills."""

    def __init__(self) -> None:
        self.fills: list[tuple[Value, ...]] = []
        self._blotter = Blotter()
        self._terms: dict[str, tuple[int, int]] = {}
        self._traded: dict[str, tuple[int, int]] = {}

    @property
    def instruments(self) -> dict[str, Instrument]:
        """Those of the workspace."""
        return self._blotter.fold.book.instruments

    def apply(self, event: Event) -> None:
        self._blotter.apply(event)
        if isinstance(event, OrderCreated):
            self._terms[event.request.cl_ord_id] = event.request.px, event.request.stop_px
        elif isinstance(event, OrderReplaced) and (order := self._blotter.fold.order(event.cl_ord_id)) is not None:
            self._terms[event.cl_ord_id] = order.request.px, order.request.stop_px
        elif isinstance(event, OrderFilled | ExternalTraded):
            notional, fees = self._traded.get(event.cl_ord_id, (0, 0))
            self._traded[event.cl_ord_id] = notional + event.last_px * event.last_qty, fees + event.fee
            self.fills.append(self._fill(event))

    def _fill(self, event: OrderFilled | ExternalTraded) -> tuple[Value, ...]:
        fold = self._blotter.fold
        position, money = fold.book.positions[event.position], fold.book.money_decimals
        instrument = fold.book.instruments[position.instrument_id]
        order = fold.order(event.cl_ord_id)
        qty = instrument.qty_decimals
        return (
            event.ts_ns,
            instrument.instrument_id,
            position.strategy_id,
            side_word(event.side),
            _exact(event.last_qty, qty),
            _exact(event.last_px, instrument.price_decimals),
            _exact(event.last_px * event.last_qty * instrument.money_per_notional, money),
            _exact(event.fee, money),
            _exact(event.fee_qty, qty),
            _exact(event.realised, money),
            _exact(event.position_qty, qty),
            _exact(event.cash, money),
            order.request.order_ref if order is not None else "",
            event.cl_ord_id,
            event.order_id,
            event.exec_id,
        )

    def rows(self, money: int) -> Iterator[tuple[Value, ...]]:
        return (self._row(row, money) for row in self._blotter.rows.values())

    def _row(self, row: BlotterRow, money: int) -> tuple[Value, ...]:
        instrument = self.instruments.get(row.symbol)
        price, qty = (instrument.price_decimals, instrument.qty_decimals) if instrument is not None else (0, 0)
        px, stop_px = self._terms.get(row.cl_ord_id, (0, 0))
        notional, fees = self._traded.get(row.cl_ord_id, (0, 0)) if row.cl_ord_id else (0, 0)
        return (
            row.order_ref,
            row.cl_ord_id,
            row.correlation_id,
            row.symbol,
            row.strategy,
            row.side,
            row.ord_type,
            _exact(row.qty, qty),
            _exact(row.cum_qty, qty),
            _exact(px, price) if px else None,
            _exact(stop_px, price) if stop_px else None,
            _average(notional, row.cum_qty, price),
            _exact(fees, money),
            row.status,
            row.reason,
            row.message,
            ns_from_iso(row.created),
            ns_from_iso(row.updated),
        )


def _trade(
    story: TradeStory, went: Excursion | None, instruments: dict[str, Instrument], money: int
) -> tuple[Value, ...]:
    trade = story.trade
    instrument = instruments[trade.instrument_id]
    price, qty, worth = instrument.price_decimals, instrument.qty_decimals, instrument.money_per_notional
    return (
        trade.instrument_id,
        trade.strategy_id,
        "LONG" if trade.side > 0 else "SHORT",
        trade.entry_ns,
        _exact(trade.entry_qty, qty),
        _average(trade.entry_notional, trade.entry_qty, price),
        _exact(trade.entry_notional * worth, money),
        trade.exit_ns or None,
        _exact(trade.exit_qty, qty),
        _average(trade.exit_notional, trade.exit_qty, price),
        _exact(trade.exit_notional * worth, money),
        _exact(trade.realised, money),
        _exact(trade.fees, money),
        _exact(net(trade), money),
        None if went is None else went.adverse,
        None if went is None else went.favourable,
        story.entry_why,
        trade.exit_reason,
        story.entry_ref,
        story.exit_ref,
        trade.correlation_id,
    )


def _exact(quanta: int, decimals: int) -> Decimal:
    return Decimal(quanta_text(quanta, decimals))


def _average(notional: int, qty: int, decimals: int) -> Decimal | None:
    """What a unit cost on average, half to even; None of nothing."""
    if not qty:
        return None
    with localcontext(prec=60):
        average = (Decimal(notional) / Decimal(qty)).scaleb(-decimals)
        rounded = average.quantize(Decimal(1).scaleb(-AVERAGE_DECIMALS))
    return Decimal(format(rounded, "f").rstrip("0").rstrip("."))
