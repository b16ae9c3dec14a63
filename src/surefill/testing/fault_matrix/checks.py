"""What must be true when a fault is over: asked of our state and of the venue's truth, in words ("": all is well)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from surefill.domain.orders import Order
from surefill.domain.state import State
from surefill.rules.codes import OrdStatus
from surefill.testing.fault_matrix.place import OrderThere, Place, There
from surefill.testing.fault_matrix.session import IN_DOUBT


class Checks:
    """`called`: the codes that somebody was woken for, as they come."""

    def __init__(self, place: Place, called: list[str]) -> None:
        self._place = place
        self._called = called

    def settled(self, state: State, there: There) -> str:
        """Nothing is in doubt without a page, both books are the same, and what is held is guarded or paged."""
        return next(self._wrong(state, there), "")

    def _wrong(self, state: State, there: There) -> Iterator[str]:
        yield from self.twice(there)
        yield from self._doubtful(state, there)
        yield from self._orders(state, there)
        held = {key: position.qty for key, position in state.open_positions()}
        if sum(held.values()) != there.held:
            yield f"the venue holds {there.held}, the book {held}"
        yield from self._naked(state, there)

    @staticmethod
    def twice(there: There) -> Iterator[str]:
        """At most one order for a client id."""
        names = Counter(each.name for each in there.orders if each.name and not each.refused)
        yield from (f"{name} is {number} orders at the venue" for name, number in names.items() if number > 1)

    def _doubtful(self, state: State, there: There) -> Iterator[str]:
        """Every UNKNOWN ends resolved, or paged where the venue has nothing to resolve it by."""
        for name, order in state.book.orders.items():
            known = bool(there.of(self._place.name_of(name)))
            if order.status in IN_DOUBT and (known or not order.paged):
                at = "the venue has it" if known else "nobody was called"
                yield f"{name} is {OrdStatus(order.status).name}, and {at}"
            if order.end_status and not order.paged:
                yield f"{name} is over, and its fills are missing"
            if order.replacing is not None or order.cancel_pending:
                yield f"{name} is being changed or canceled still"

    def _orders(self, state: State, there: There) -> Iterator[str]:
        """Order by order: the same quantities, the same terms, working here and there."""
        ours = {self._place.name_of(name): order for name, order in _all(state)}
        for theirs in there.orders:
            order = ours.get(theirs.name)
            if not theirs.name or theirs.refused:
                continue
            if order is None:
                yield f"the venue has {theirs}, and we know nothing of it"
            else:
                yield from _differing(order, theirs)
        known = {each.name for each in there.orders if not each.refused}
        for name, order in ours.items():
            if order.cum_qty and name not in known:
                yield f"{name} has traded {order.cum_qty} here, and is not at the venue"
            if order.status in (OrdStatus.NEW, OrdStatus.PARTIALLY_FILLED) and name not in known:
                yield f"{name} works here, and is not at the venue"

    def _naked(self, state: State, there: There) -> Iterator[str]:
        """What is held has a stop at the venue over all of it, or somebody was called."""
        for key, position in state.open_positions():
            protection = position.protection
            if position.dust or protection is None or not protection.belongs_at_venue:
                continue
            side = -1 if position.qty > 0 else 1
            stops = [each for each in there.orders if each.works and each.side == side and each.stop_px and each.name]
            guarded = sum(each.qty - each.cum_qty for each in stops)
            if guarded > abs(position.qty):
                yield f"stops for {guarded} guard a position of {position.qty}"
            if protection.naked_ns or guarded < self._place.guarded_qty(abs(position.qty)):
                if "POSITION_NAKED" not in self._called:
                    yield f"{key} is naked ({guarded} of {position.qty} guarded), and nobody was called"
            elif protection.due is None and {each.stop_px for each in stops} != {protection.stop_px}:
                yield f"{key} is to be guarded at {protection.stop_px}, and the venue guards it by {stops}"

    def flat(self, state: State, there: There) -> str:
        """Nothing works, nothing is held but dust, and all is settled."""
        open_there = [each for each in there.orders if each.works]
        held = {key: position.qty for key, position in state.open_positions() if not position.dust}
        if open_there or state.book.orders or held:
            return f"orders {open_there} work there, {list(state.book.orders)} here, and {held} is held"
        return self.settled(state, there)


def _all(state: State) -> Iterator[tuple[str, Order]]:
    yield from state.book.done.items()
    yield from state.book.orders.items()


def _differing(order: Order, theirs: OrderThere) -> Iterator[str]:
    works = order.status < OrdStatus.FILLED
    if order.cum_qty != theirs.cum_qty:
        yield f"{theirs.name} has traded {theirs.cum_qty} there, {order.cum_qty} here"
    if works != theirs.works:
        at = "works" if theirs.works else "is over"
        yield f"{theirs.name} {at} there, and is {OrdStatus(order.status).name} here"
    if works and theirs.stop_px and order.request.stop_px != theirs.stop_px:
        yield f"{theirs.name} is triggered at {theirs.stop_px} there, at {order.request.stop_px} here"
    if works and order.request.order_qty != theirs.qty:
        yield f"{theirs.name} is for {theirs.qty} there, for {order.request.order_qty} here"
