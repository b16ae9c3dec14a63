"""The safety case's invariants as a program: asked of a state in memory, and of a journal from end to end.

`check_book` looks at one moment. `check_journal` walks a workspace's events and keeps books of its own while it does
(`journal_audit`, `journal_checks`), so that it shares no arithmetic with what it checks beyond the rules. Both return
what they found wrong, each finding under the invariant's number in the safety case (`INVARIANTS`); an empty list is
good. What cannot be read off a journal (that nothing left before it was durable, exposure, message rates, secrets) is
for the engine's own tests.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from surefill.domain.codec import decode
from surefill.domain.orders import Order
from surefill.domain.state import Book, State
from surefill.engine.recovery import fold, fold_journal
from surefill.errors import SurefillError
from surefill.journal.chain import genesis, link
from surefill.journal.protocol import Journal, Record
from surefill.rules.codes import OrdStatus
from surefill.testing.journal_audit import Audit
from surefill.testing.journal_checks import CHECKS

INVARIANTS = {
    1: "an order is durable before anything happens to it",
    2: "one venue order for one cl_ord_id, which derives from its intent and is never used again",
    3: "UNKNOWN is left by venue evidence, by the horizon rule, or by a named operator",
    4: "only legal transitions; an end waits for its fills; fills beyond it are alarmed and halt the symbol",
    5: "cum_qty only grows, is the sum of the fills, and stays within the order",
    6: "one execution counts once",
    7: "position, cost, cash, fees and profit are the sum of the fills; a difference to the venue halts",
    8: "what works at the venue counts once: as an order of ours, or as one made elsewhere",
    9: "every order cites the decision that let it pass, and that one the limits in force",
    10: "while something is halted or tripped only cancels and reductions are decided on",
    11: "an order asks for what its intent asks for, a further one for no more than it left",
    13: "folding twice, or from a snapshot, gives the same state",
    14: "sequence numbers have no gaps and the chain verifies",
    15: "epochs never decrease",
    20: "what protects a position belongs to an open one",
    22: "live reducing orders sum to at most their position",
}


class Violation(NamedTuple):
    """A broken invariant: its number, the event it shows at (0: no single one), and what is wrong."""

    invariant: int
    seq: int
    text: str


def check_book(state: State) -> list[Violation]:
    """What is wrong with a state at rest (between two steps)."""
    found = [*_money(state.book), *_orders(state.book), *_held_back(state), *_protection(state), *_reductions(state)]
    return [Violation(invariant, 0, text) for invariant, text in found]


def check_journal(journal: Journal, workspace_id: str) -> list[Violation]:
    """What is wrong with a workspace's journal, in the order of its events."""
    records = list(journal.read(workspace_id))
    found = list(_chain(workspace_id, records))
    audit = Audit()
    for record in records:
        try:
            event = decode(record.payload)
        except SurefillError as error:
            return [*found, Violation(14, record.seq, str(error))]
        wrong = list(audit.owed(event))
        if type(event) in CHECKS:
            wrong += CHECKS[type(event)](audit, record.seq, event)
        found += [Violation(invariant, record.seq, text) for invariant, text in wrong]
    found += [Violation(invariant, 0, text) for invariant, text in audit.owed(None)]
    found.sort(key=lambda violation: violation.seq or len(records) + 1)
    return found or list(_folding(journal, workspace_id, records, audit))


def _chain(workspace_id: str, records: list[Record]) -> Iterator[Violation]:
    head, epoch = genesis(workspace_id), 0
    for seq, record in enumerate(records, 1):
        if record.seq != seq:
            yield Violation(14, record.seq, f"event {record.seq} stands where event {seq} should")
            return
        head = link(head, record.seq, record.epoch, record.payload)
        if head != record.chain_hash:
            yield Violation(14, seq, "the chain does not verify")
            return
        if record.epoch < epoch:
            yield Violation(15, seq, f"epoch {record.epoch} after epoch {epoch}")
        epoch = record.epoch


def _folding(journal: Journal, workspace_id: str, records: list[Record], audit: Audit) -> Iterator[Violation]:
    """Only asked of a journal that is good in itself."""
    states = [State(), State(), fold_journal(journal, workspace_id)[0]]
    for state in states[:2]:
        fold(state, iter(records))
    digests = [state.digest() for state in states]
    if digests[0] != digests[1]:
        yield Violation(13, 0, "folding twice gave two states")
    if digests[0] != digests[2]:
        yield Violation(13, 0, "a snapshot and the events after it give another state than all events")
    yield from check_book(states[0])
    for text in audit.differences(states[0].book):
        yield Violation(7, 0, text)


def _money(book: Book) -> Iterator[tuple[int, str]]:
    worth = sum(
        position.cost * book.instruments[position.instrument_id].money_per_notional
        for position in book.positions.values()
    )
    left, right = book.cash + worth, book.starting_cash + book.outside + book.realised - book.fees
    if left != right:
        yield 7, f"cash and cost are {left}, what came in, profit and fees {right}: money was made or lost"
    for name in ("realised", "fees"):
        total = sum(getattr(position, name) for position in book.positions.values())
        if total != getattr(book, name):
            yield 7, f"{name} of the positions sum to {total}, the book says {getattr(book, name)}"
    for key, position in book.positions.items():
        if (position.cost > 0) != (position.qty > 0) or (position.cost < 0) != (position.qty < 0):
            yield 7, f"{key} holds {position.qty} at a cost of {position.cost}"


def _orders(book: Book) -> Iterator[tuple[int, str]]:
    for cl_ord_id, order in book.orders.items():
        if order.status >= OrdStatus.FILLED:
            yield 4, f"{cl_ord_id} is over and still among the live orders"
        if not 0 <= order.cum_qty < order.request.order_qty:
            yield 5, f"{cl_ord_id} is live with {order.cum_qty} filled of {order.request.order_qty}"
    for cl_ord_id, order in book.done.items():
        if order.status < OrdStatus.FILLED:
            yield 4, f"{cl_ord_id} is live among the finished orders"
    for order in (*book.orders.values(), *book.done.values()):
        elsewhere = book.external_execs.get(order.request.instrument_id)
        if elsewhere is not None and not elsewhere.times_ns.keys().isdisjoint(order.exec_ids):
            yield 6, f"{order.request.cl_ord_id} counts an execution that is booked as made elsewhere as well"
        if len(set(order.exec_ids)) != len(order.exec_ids):
            yield 6, f"{order.request.cl_ord_id} counts an execution twice: {order.exec_ids}"


def _held_back(state: State) -> Iterator[tuple[int, str]]:
    book = state.book
    tripped = [name for name in book.tripped if name in book.profile.gates]
    for cl_ord_id, order in book.orders.items():
        request = order.request
        if request.reduce_only or order.cancel_ns:
            continue
        why = book.suspended_by(request.instrument_id, order.strategy_id) or "".join(tripped[:1])
        if why:
            yield 10, f"{cl_ord_id} is an entry and works on, though {why} holds entries back"


def _protection(state: State) -> Iterator[tuple[int, str]]:
    for key, position in state.book.positions.items():
        protection = position.protection
        if protection is None:
            continue
        if not position.qty or position.dust:
            yield 20, f"{key} is {'dust' if position.qty else 'flat'} and still protected"
        exit_order = state.book.orders.get(protection.exit_cl_ord_id)
        if protection.exit_cl_ord_id and (exit_order is None or exit_order.position != key):
            yield 20, f"{key} waits for an exit order that does not work: {protection.exit_cl_ord_id}"
        stop = state.book.orders.get(protection.stop_cl_ord_id)
        if protection.stop_cl_ord_id and (stop is None or not stop.rests or stop.position != key):
            yield 20, f"{key} relies on a stop at the venue that does not work: {protection.stop_cl_ord_id}"
        confirmed = stop is not None and stop.order_id and not stop.lost_stop
        wanted = state.book.profile.limits.stops_at_venue and protection.belongs_at_venue
        if wanted and not (confirmed or protection.naked_ns):
            yield 20, f"{key} has no stop confirmed at its venue, and its naked time is not counted"


def _reductions(state: State) -> Iterator[tuple[int, str]]:
    derived = State(state.book)
    if {key: ids for key, ids in state.reducing.items() if ids} != derived.reducing:
        yield 13, "the index of reducing orders is not what the orders say"
    if state.keys_of != derived.keys_of:
        yield 13, "the index of positions is not what the positions say"
    for key, cl_ord_ids in derived.reducing.items():
        position = state.book.positions.get(key)
        qty = 0 if position is None else position.qty
        orders = [state.book.orders[cl_ord_id] for cl_ord_id in cl_ord_ids]
        text = _excess(qty, [order for order in orders if not order.cancel_ns])  # those are asked back, for ever
        if text:
            yield 22, f"{key}: {text}"


def _excess(qty: int, reducing: list[Order]) -> str:
    """Why these orders do more than reduce a position of `qty`; "" when they do not."""
    there = sum(order.leaves_qty for order in reducing if not order.withheld)
    total = max(there, sum(order.leaves_qty for order in reducing if not order.rests))
    if any(order.request.side * qty >= 0 for order in reducing) or total > abs(qty):
        return f"reducing orders for {total} of a position of {qty}"
    return ""
