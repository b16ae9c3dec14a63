"""What the terminal shows, from inside the worker: lists that are complete, or VenueOutcomeUnknown.

Orders are found in working orders, then in ended orders, then in deals, then in positions: they move in that
direction, so none slips through between two looks. An answer of None is a failed look, never an empty one.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

import msgspec

from surefill.domain.orders import OrderRequest
from surefill.errors import InputError, VenueOutcomeUnknown
from surefill.units import NS_PER_S
from surefill.venues.mt5.comments import Likeness, likeness
from surefill.venues.mt5.reading import side_of
from surefill.venues.mt5.records import (
    AccountRecord,
    DealRecord,
    OrderRecord,
    PositionRecord,
    SymbolRecord,
    TerminalRecord,
    TickRecord,
    read,
    read_all,
)
from surefill.venues.mt5.server_clock import CHANGE_S, ServerClock
from surefill.venues.mt5.symbols import Scale
from surefill.venues.mt5.terminal import NotAsked, Terminal

_EARLY_NS = (90 + CHANGE_S) * NS_PER_S  # how far clocks may be apart, with a change of the server's offset


class Found(msgspec.Struct):
    """An order of ours, as far as the terminal shows it."""

    ticket: int
    order: OrderRecord | None = None
    working: bool = False
    deals: list[DealRecord] = []
    position: PositionRecord | None = None


#: `last_error()` where what was asked for does not exist.
RES_E_NOT_FOUND = -4


class NotFound(VenueOutcomeUnknown):
    """The terminal says that there is no such thing."""


class Looks:
    """Looks at one terminal; all of it runs in the worker."""

    def __init__(self, terminal: Terminal, clock: ServerClock, magic: int, history_s: int) -> None:
        self._terminal, self._clock, self._magic, self._history_s = terminal, clock, magic, history_s

    def ask(self, function: str, *args: Any, **kwargs: Any) -> Any:
        """A function's result. Raises VenueOutcomeUnknown where it failed, and where it was not asked."""
        try:
            reply = self._terminal.call(function, *args, **kwargs)
        except NotAsked as error:
            raise VenueOutcomeUnknown(f"{function} was not asked: {error}") from error
        if reply.result is None:
            kind = NotFound if reply.code == RES_E_NOT_FOUND else VenueOutcomeUnknown
            raise kind(f"{function} failed: {reply.code} {reply.text}")
        return reply.result

    def account(self) -> AccountRecord:
        """The account."""
        return read(AccountRecord, self.ask("account_info"))

    def terminal(self) -> TerminalRecord:
        """The terminal."""
        return read(TerminalRecord, self.ask("terminal_info"))

    def symbols(self) -> list[SymbolRecord]:
        """All symbols."""
        return read_all(SymbolRecord, self.ask("symbols_get"))

    def symbol(self, name: str) -> SymbolRecord:
        """One symbol."""
        try:
            return read(SymbolRecord, self.ask("symbol_info", name))
        except NotFound as error:
            raise InputError(f"{name} is no symbol of this terminal", code="UNKNOWN_SYMBOL") from error

    def tick(self, name: str) -> TickRecord:
        """Its price now."""
        return read(TickRecord, self.ask("symbol_info_tick", name))

    def margin(self, action: int, name: str, volume: float, price: float) -> float | None:
        """What such a trade would bind, in the account's money; None where the terminal cannot tell."""
        return cast("float | None", self._terminal.call("order_calc_margin", action, name, volume, price).result)

    def working(self, **by: Any) -> list[OrderRecord]:
        """Orders that work."""
        return read_all(OrderRecord, self.ask("orders_get", **by))

    def positions(self, **by: Any) -> list[PositionRecord]:
        """Open positions."""
        return read_all(PositionRecord, self.ask("positions_get", **by))

    def ended(self, *span: int, **by: Any) -> list[OrderRecord]:
        """Orders of the history."""
        return read_all(OrderRecord, self.ask("history_orders_get", *span, **by))

    def deals(self, *span: int, **by: Any) -> list[DealRecord]:
        """Deals, each once, oldest first."""
        found = read_all(DealRecord, self.ask("history_deals_get", *span, **by))
        return [deal for _, deal in sorted({deal.ticket: deal for deal in found}.items())]

    def by_ticket(self, ticket: int) -> Found | None:
        """One order and its deals."""
        working = self.working(ticket=ticket)
        ended = [] if working else self.ended(ticket=ticket)
        deals = [deal for deal in self.deals(ticket=ticket) if deal.order == ticket]
        order = next((each for each in (*working, *ended) if each.ticket == ticket), None)
        return None if order is None and not deals else Found(ticket, order, bool(working), deals)

    def by_terms(self, request: OrderRequest, scale: Scale, now_ns: int) -> list[Found]:
        """Orders that are this one, by magic, comment, symbol, side, volume and time.

        Raises VenueOutcomeUnknown where one may be it and its comment does not say.
        """
        since_ns = min(request.transact_ns or now_ns, now_ns) - self._history_s * NS_PER_S
        span = self._clock.window(since_ns, now_ns)
        symbol = scale.symbol.name
        working = self.working(symbol=symbol)
        ended = self.ended(*span, group=symbol)
        deals = self.deals(*span, group=symbol)
        held = self.positions(symbol=symbol)
        doubtful: list[int] = []
        found: dict[int, Found] = {}
        for order in (*ended, *working):
            like = self._order_likeness(order, request, scale)
            if like is Likeness.YES:
                found[order.ticket] = Found(order.ticket, order, order in working)
            elif like is Likeness.PERHAPS:
                doubtful.append(order.ticket)
        for deal in deals:
            if deal.order in found:
                found[deal.order].deals.append(deal)
            elif self._marks(deal.magic, deal.comment, request) and side_of(deal.type) == request.side:
                found[deal.order] = Found(deal.order, deals=[deal])
        for position in held:
            if position.identifier not in found and self._marks(position.magic, position.comment, request):
                found[position.identifier] = Found(position.identifier, position=position)
        if not found and doubtful:
            raise VenueOutcomeUnknown(
                f"order {', '.join(map(str, doubtful))} has the terms of {request.cl_ord_id}, but its comment was cut"
                " too short to tell: look at the terminal, then resolve it by hand"
            )
        return list(found.values())

    def _order_likeness(self, order: OrderRecord, request: OrderRequest, scale: Scale) -> Likeness:
        same = (
            order.magic == self._magic
            and order.symbol == scale.symbol.name
            and side_of(order.type) == request.side
            and scale.qty(order.volume_initial) == request.order_qty
        )
        set_ns = self._clock.ns(order.time_setup_msc)
        if not same or (set_ns and set_ns + _EARLY_NS < request.transact_ns):
            return Likeness.NO
        return likeness(order.comment, request.cl_ord_id)

    def _marks(self, magic: int, comment: str, request: OrderRequest) -> bool:
        return magic == self._magic and likeness(comment, request.cl_ord_id) is Likeness.YES

    def to_close(self, request: OrderRequest, scale: Scale) -> int:
        """The ticket that an order which is to reduce closes on a hedging account (0: none is large enough).

        A bucket names it; else it is the oldest of ours that is large enough.
        """
        if request.bucket:
            return int(request.bucket)
        ours = [each for each in self.positions(symbol=scale.symbol.name) if each.magic == self._magic]
        fit = (
            each
            for each in sorted(ours, key=lambda each: each.ticket)
            if side_of(each.type) != request.side and scale.qty(each.volume) >= request.order_qty
        )
        return next((each.ticket for each in fit), 0)


def netted(positions: Iterable[PositionRecord], scale_of: dict[str, Scale], key_of: Any) -> dict[str, int]:
    """Signed quantity by key."""
    held: dict[str, int] = {}
    for each in positions:
        key = key_of(each)
        held[key] = held.get(key, 0) + side_of(each.type) * scale_of[each.symbol].qty(each.volume)
    return {key: qty for key, qty in held.items() if qty}
