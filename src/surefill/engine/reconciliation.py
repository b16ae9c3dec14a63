"""Laying our books beside the venue's, at a moment when they can be compared.

1. What is in flight comes first: every open question is answered, or somebody has been called about it.
2. A failed look is no answer: it is made again.
3. A difference is looked into: the venue is asked for the orders that made the position, live and lately ended, and
   for its history of executions. One of which we never heard, even after an order's end, is found that way.
4. A difference counts when all of that was answered and a second look, a pause later, finds the very same: until then
   a report may be on its way. While an order behind it is of unknown fate and nobody was called, it does not count. A
   venue that goes on not to answer is believed in the end: that halts, and is safe.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

from surefill.domain.decide.reports import QUERY_TIMER
from surefill.domain.inputs import Input, OrderQueried
from surefill.domain.state import State
from surefill.engine.clock import Clock
from surefill.engine.desk import Desk
from surefill.engine.patience import look
from surefill.errors import VenueOutcomeUnknown
from surefill.rules.codes import OrdStatus
from surefill.units import NS_PER_S

Differences = dict[str, tuple[int, int]]

LOOKS_MAX = 20
UNHEARD = (OrdStatus.SUBMITTED, OrdStatus.UNKNOWN)
ASKED_MAX = 64


def differences(state: State, theirs: dict[str, int]) -> Differences:
    """Where the books differ: (ours, theirs) by position key."""
    ours = {key: position.qty for key, position in state.open_positions()}
    keys = sorted(ours.keys() | {key for key, qty in theirs.items() if qty})
    pairs = {key: (ours.get(key, 0), theirs.get(key, 0)) for key in keys}
    return {key: pair for key, pair in pairs.items() if pair[0] != pair[1]}


async def settle(desk: Desk, clock: Clock) -> None:
    """Wait for what is in flight, though no longer than an order may stay unresolved without a page."""
    limits = desk.writer.state.book.profile.limits
    until_ns = clock.now_ns() + limits.unknown_page_ns
    while True:
        await desk.quiet()
        if not _open_questions(desk) or clock.now_ns() >= until_ns:
            return
        await pause(desk)


async def compare(
    desk: Desk, clock: Clock, tell: Callable[[Input], None], recover: Callable[[], Awaitable[None]]
) -> tuple[dict[str, int], bool]:
    """The venue's positions, looked at again while they differ from ours in a new way. Nothing waits at the desk then.

    And whether they are sure: they agree with ours, or differ twice in the same way. `tell` takes what is learned on
    the way, `recover` reads the history of executions. Raises VenueOutcomeUnknown when the venue does not tell.
    """
    await settle(desk, clock)
    before: Differences | None = None
    theirs: dict[str, int] = {}
    looks = 0
    while looks < LOOKS_MAX:
        theirs = await look(desk, desk.writer.venue.positions)
        await desk.quiet()
        found = differences(desk.writer.state, theirs)
        doubtful = _in_doubt(desk, found)
        if not found or (found == before and not doubtful) or desk.writer.in_process is not None:
            return theirs, True
        looks += not doubtful
        complete = await _looked_into(desk, clock, found, tell, recover)
        before = found if complete and not doubtful else None  # what an order in doubt may have done is nobody's yet
        await pause(desk)
    return theirs, False


async def _looked_into(
    desk: Desk,
    clock: Clock,
    found: Differences,
    tell: Callable[[Input], None],
    recover: Callable[[], Awaitable[None]],
) -> bool:
    """Ask what became of the orders behind a difference, the newest first, and for executions of nobody's.

    False where an answer did not come.
    """
    complete = True
    try:
        await recover()
    except VenueOutcomeUnknown:
        complete = False
    book = desk.writer.state.book
    orders = [order for order in (*book.done.values(), *book.orders.values()) if order.position in found]
    for order in orders[: -ASKED_MAX - 1 : -1]:
        try:
            answer = await look(desk, partial(desk.writer.venue.query, order.request))
        except VenueOutcomeUnknown:
            complete = False
            continue
        if answer.found:
            tell(OrderQueried(clock.now_ns(), order.request.cl_ord_id, found=True, reports=answer.reports))
    return complete


def _in_doubt(desk: Desk, found: Differences) -> bool:
    """Whether an order behind a difference may still turn out to have made it; nobody has been called about it yet.

    One that waits to be sent, or to be sent again, has made nothing.
    """
    orders = (each for each in desk.writer.state.book.orders.values() if not each.waits)
    return any(order.position in found and order.status in UNHEARD and not order.paged for order in orders)


async def pause(desk: Desk) -> None:
    """As long as between two queries."""
    await asyncio.sleep(desk.writer.state.book.profile.limits.query_spacing_ns / NS_PER_S)


def _open_questions(desk: Desk) -> bool:
    orders = desk.writer.state.book.orders
    asked = (orders.get(name.removeprefix(QUERY_TIMER)) for name in desk.writer.timers)
    return any(order is not None and not order.paged for order in asked)


def told(error: Exception) -> str:
    """An adapter's error in a few words."""
    return str(error) if isinstance(error, VenueOutcomeUnknown) else f"{type(error).__name__}: {error}"
