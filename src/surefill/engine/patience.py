"""How long a venue is waited for. An answer that does not come is an unknown outcome like any other."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from surefill.engine.desk import Desk
from surefill.errors import VenueOutcomeUnknown
from surefill.units import NS_PER_S

T = TypeVar("T")


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
