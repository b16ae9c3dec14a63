"""Closed round trips: what was opened, how it left, and what it made.

A trade begins with the fill that opens a position and ends with the one that leaves it flat, or with no more of it than
its venue would take (dust: the next trade begins with it, at its cost); what is added or taken off in between belongs
to it. What a venue takes of the traded thing itself as its fee counts as traded at the same price, to pay the fee. A
fill that turns a position round ends one trade and begins the next: its quantity is split at zero, its fee in
proportion.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from surefill.domain.account import MoveKind
from surefill.domain.events import AccountMoved, DustLeft, Event, ExternalTraded, OrderFilled, WorkspaceReset
from surefill.units import quanta_float
from surefill.views.fold import Fold
from surefill.views.wording import avg_px, exit_word

_Fill = OrderFilled | ExternalTraded


class Trade(msgspec.Struct):
    """A round trip, in integers. Money in money quanta; `entry_qty` equals `exit_qty` once it is closed, but for dust.

    `side` is the position's. `realised` is gross; `fees` are those of all its fills. `exit_reason` is the last
    exit's: the exit plan's word, "signal" where upstream closed, "external" where it was closed elsewhere.
    """

    position: str
    instrument_id: str
    strategy_id: str
    correlation_id: str
    side: int
    entry_ns: int
    exit_ns: int = 0
    entry_qty: int = 0
    entry_notional: int = 0
    exit_qty: int = 0
    exit_notional: int = 0
    realised: int = 0
    fees: int = 0
    fills: int = 0
    exit_reason: str = ""


def _moved_like_a_trade(event: AccountMoved) -> ExternalTraded | None:
    """Holdings that a move took out or brought in at a price: for a round trip that is an execution like any other."""
    move = event.move
    if event.refused or not move.qty or move.kind == MoveKind.SPLIT:
        return None
    return ExternalTraded(
        event.ts_ns,
        event.correlation_id,
        event.causation_seq,
        move.instrument_id,
        move.bucket,
        "",
        "",
        move.move_id,
        1 if move.qty > 0 else -1,
        move.px,
        abs(move.qty),
        0,
        event.position,
        event.effect,
        event.position_qty,
        event.position_cost,
        event.realised,
        event.cash,
    )


class TradeLog:
    """Folds events into trades. `closed` in the order in which they ended, `running` by position key.

    `fold` is the state behind it: the instruments' scales, the currency.
    """

    def __init__(self) -> None:
        self.closed: list[Trade] = []
        self.running: dict[str, Trade] = {}
        self.fold = Fold()

    def apply(self, event: Event) -> Trade | None:
        """Fold one event; return the trade that it has closed, if any."""
        traded = _moved_like_a_trade(event) if isinstance(event, AccountMoved) else event
        before = cost = 0
        if isinstance(traded, OrderFilled | ExternalTraded):
            held = self.fold.book.positions.get(traded.position)
            before, cost = (held.qty, held.cost) if held is not None else (0, 0)
        self.fold.apply(event)
        if isinstance(event, WorkspaceReset):
            self.running.clear()
        if isinstance(traded, OrderFilled | ExternalTraded):
            return self._filled(traded, before, cost)
        if isinstance(event, DustLeft):
            return self._dusted(event)
        if isinstance(event, AccountMoved):
            self._moved(event)
        return None

    def _moved(self, event: AccountMoved) -> None:
        """What a holding brought or cost, and a split: no fill of its trade."""
        trade = self.running.get(event.position)
        if trade is not None and not event.refused:
            trade.realised += event.realised
            trade.entry_qty += event.move.qty * trade.side

    def _dusted(self, event: DustLeft) -> Trade | None:
        trade = self.running.pop(event.position, None)
        if trade is not None:
            trade.exit_ns = event.ts_ns
            trade.exit_reason = trade.exit_reason or "dust"
            self.closed.append(trade)
        return trade

    def _filled(self, event: _Fill, before: int, cost: int) -> Trade | None:
        traded = event.net_qty
        reducing = min(traded, abs(before)) if before * event.side < 0 else 0
        fee_of_reduction = event.fee * reducing // traded
        ended = None
        if reducing and event.position in self.running:  # else it takes from dust
            ended = self._reduced(event, reducing, fee_of_reduction)
        if reducing < traded:
            self._grown(event, traded - reducing, event.fee - fee_of_reduction)
            if not reducing and self.running[event.position].fills == 1:
                self._begun_on(event.position, before, cost)
        return ended

    def _begun_on(self, position: str, dust: int, cost: int) -> None:
        self.running[position].entry_qty += abs(dust)
        self.running[position].entry_notional += abs(cost)

    def _reduced(self, event: _Fill, qty: int, fee: int) -> Trade | None:
        trade = self.running[event.position]
        trade.exit_qty += qty
        trade.exit_notional += qty * event.last_px
        trade.realised += event.realised
        trade.fees += fee
        trade.fills += 1
        order = self.fold.order(event.cl_ord_id)
        plan_word = exit_word(order.request.reason_at(event.last_px, order.exit_reason)) if order is not None else ""
        trade.exit_reason = plan_word or ("signal" if isinstance(event, OrderFilled) else "external")
        if trade.exit_qty < trade.entry_qty:
            return None
        trade.exit_ns = event.ts_ns
        self.closed.append(self.running.pop(event.position))
        return trade

    def _grown(self, event: _Fill, qty: int, fee: int) -> None:
        trade = self.running.get(event.position)
        if trade is None:
            position = self.fold.book.positions[event.position]
            trade = self.running[event.position] = Trade(
                event.position,
                position.instrument_id,
                position.strategy_id,
                event.correlation_id,
                event.side,
                event.ts_ns,
            )
        trade.entry_qty += qty
        trade.entry_notional += qty * event.last_px
        trade.fees += fee
        trade.fills += 1


class TradeRow(msgspec.Struct, frozen=True):
    """A trade as people read it: floats, times in nanoseconds UTC, money in the workspace's currency."""

    symbol: str
    strategy: str
    side: str
    qty: float
    entry_ns: int
    entry_price: float
    exit_ns: int
    exit_price: float
    realised: float
    fees: float
    net: float
    exit_reason: str
    correlation_id: str


def trade_row(fold: Fold, trade: Trade) -> TradeRow:
    """A closed trade for a report."""
    book = fold.book
    instrument = book.instruments[trade.instrument_id]
    decimals = instrument.price_decimals
    return TradeRow(
        trade.instrument_id,
        trade.strategy_id,
        "LONG" if trade.side > 0 else "SHORT",
        quanta_float(trade.exit_qty, instrument.qty_decimals),
        trade.entry_ns,
        avg_px(trade.entry_notional, trade.entry_qty, decimals),
        trade.exit_ns,
        avg_px(trade.exit_notional, trade.exit_qty, decimals),
        quanta_float(trade.realised, book.money_decimals),
        quanta_float(trade.fees, book.money_decimals),
        quanta_float(trade.realised - trade.fees, book.money_decimals),
        trade.exit_reason,
        trade.correlation_id,
    )


def closed_trades(events: Iterable[Event]) -> list[TradeRow]:
    """Every round trip that a stream has closed."""
    log = TradeLog()
    for event in events:
        log.apply(event)
    return [trade_row(log.fold, trade) for trade in log.closed]
