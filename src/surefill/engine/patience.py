"""How long a venue is waited for, and how often it is asked.

An answer that does not come is an unknown outcome like any other. A look that told nothing is made again after a pause
that grows with every failure and is never the same twice, so that nobody hammers a venue that is in trouble.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from surefill.engine.budget import QUERY
from surefill.engine.desk import Desk
from surefill.errors import SurefillError, VenueOutcomeUnknown
from surefill.units import NS_PER_S

T = TypeVar("T")

#: The longest pause before a look, in pauses between two queries, is 2 to this.
DOUBLINGS_MAX = 3


async def answered(desk: Desk, call: Coroutine[Any, Any, T]) -> T:
    """What the venue answers; VenueOutcomeUnknown when that takes longer than the profile allows (`answer_by_ns`)."""
    limit_s = desk.writer.state.book.profile.limits.answer_by_ns / NS_PER_S
    patience = asyncio.timeout(limit_s)
    try:
        async with patience:
            return await call
    except TimeoutError as error:
        if not patience.expired():
            raise  # the adapter's own
        raise VenueOutcomeUnknown(f"no answer within {limit_s:g} s") from error


async def look(desk: Desk, ask: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """What the venue tells when it is asked within its budget, after looks that failed not at once."""
    if desk.failed_looks:
        await asyncio.sleep(_back_off_ns(desk) / NS_PER_S)
    await desk.budget.admit(QUERY)
    try:
        told = await answered(desk, ask())
    except Exception as error:
        desk.failed_looks += 1
        wait_ns = error.values.get("retry_after_ns") if isinstance(error, SurefillError) else None
        if isinstance(wait_ns, int) and wait_ns > 0:
            desk.budget.throttled(wait_ns)
        raise
    desk.failed_looks = 0
    return told


def _back_off_ns(desk: Desk) -> int:
    spacing_ns = desk.writer.state.book.profile.limits.query_spacing_ns
    wait_ns = spacing_ns << min(desk.failed_looks - 1, DOUBLINGS_MAX)
    return wait_ns * desk.chance.randint(50, 100) // 100
