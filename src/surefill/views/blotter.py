"""The order blotter: every order and every refused intent, as it stands."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from surefill.domain.events import Event, OrderCreated
from surefill.units import iso_from_ns
from surefill.views.fold import Fold
from surefill.views.order_lines import OrderLine, created_line, order_line
from surefill.views.wording import avg_px, ord_type_word, side_word, underlying_of


class BlotterRow(msgspec.Struct):
    """One order. Quantities in the instrument's quanta, `avg_px` in its price unit, times as ISO text.

    `status` is the documents' word for where the order stands, `reason` upstream's or the exit plan's, `message`
    the venue's or the gate's. A refused intent has an `order_ref` and no `cl_ord_id`.
    """

    order_ref: str
    cl_ord_id: str
    correlation_id: str
    symbol: str
    underlying: str
    strategy: str
    side: str
    ord_type: str
    qty: int
    cum_qty: int
    avg_px: float
    status: str
    reason: str
    message: str
    created: str
    updated: str


class Blotter:
    """Folds events into rows, in the order in which orders were created or refused. `fold`: the state behind them."""

    def __init__(self) -> None:
        self.rows: dict[str, BlotterRow] = {}
        self.fold = Fold()

    def apply(self, event: Event) -> None:
        """Fold one event."""
        fold = self.fold
        fold.apply(event)
        if isinstance(event, OrderCreated):
            line, cl_ord_id = created_line(fold, event), event.request.cl_ord_id
        else:
            line, cl_ord_id = order_line(fold, event), ""
        if line is None:
            return
        row = self.rows.get(line.order_ref)
        if row is None:
            self.rows[line.order_ref] = _new_row(line, cl_ord_id, event.correlation_id)
        else:
            _moved(row, line)


def blotter(events: Iterable[Event]) -> list[BlotterRow]:
    """The blotter of a whole stream."""
    view = Blotter()
    for event in events:
        view.apply(event)
    return list(view.rows.values())


def _new_row(line: OrderLine, cl_ord_id: str, correlation_id: str) -> BlotterRow:
    when = iso_from_ns(line.ts_ns)
    return BlotterRow(
        line.order_ref,
        cl_ord_id,
        correlation_id,
        line.instrument_id,
        (line.instrument.underlying if line.instrument else "") or underlying_of(line.instrument_id),
        line.strategy_id,
        side_word(line.side),
        ord_type_word(line.ord_type),
        line.order_qty,
        line.cum_qty,
        0.0,
        line.status,
        line.reason,
        line.message,
        when,
        when,
    )


def _moved(row: BlotterRow, line: OrderLine) -> None:
    decimals = line.instrument.price_decimals if line.instrument else 0
    row.cum_qty, row.avg_px = line.cum_qty, avg_px(line.cum_notional, line.cum_qty, decimals)
    row.updated = iso_from_ns(line.ts_ns)
    row.message = line.message or row.message
    # An order that ended after some of it had traded stays PARTIAL: the fills are the news.
    row.status = "PARTIAL" if 0 < line.cum_qty < line.order_qty else line.status
