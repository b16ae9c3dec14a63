"""Budgets of requests: no window ever holds more than its limit, and the reserve is for exits and cancels alone."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from surefill.engine.budget import ORDER, QUERY, Budgets, VenueBudget, Window
from surefill.testing.simulator.world import VirtualLoop, World
from surefill.units import NS_PER_MS, NS_PER_S, PCT_PPB
from surefill.venues.protocol import Capabilities, RateLimit

PER_SECOND = RateLimit(ORDER, 5, NS_PER_S)
TWENTY_PCT = 20 * PCT_PPB


def _virtually(story: Coroutine[Any, Any, None]) -> None:
    """Run in time that jumps."""
    loop = VirtualLoop(World(1))
    try:
        loop.run_until_complete(story)
    finally:
        loop.abandon()


def _now_ns() -> int:
    return round(asyncio.get_running_loop().time() * NS_PER_S)


def _budget(*limits: RateLimit, account: str = "a", budgets: Budgets | None = None) -> VenueBudget:
    return (budgets or Budgets()).of(Capabilities("v", frozenset(), frozenset(), rate_limits=limits), account)


asks = st.tuples(
    st.integers(0, 900),  # ms after the one before
    st.booleans(),  # urgent
    st.sampled_from([ORDER, ORDER, QUERY]),
    st.sampled_from([None, 0, 300 * NS_PER_MS, 3 * NS_PER_S]),
)


@settings(deadline=None)
@given(
    st.lists(asks, max_size=60),
    st.integers(1, 6),
    st.integers(50, 1_500),
    st.sampled_from([0, TWENTY_PCT, 50 * PCT_PPB]),
)
def test_no_window_holds_more_than_its_limit_and_entries_leave_the_reserve(
    wanted: list[Any], count: int, window_ms: int, reserve_ppb: int
) -> None:
    window_ns = window_ms * NS_PER_MS
    limits = (RateLimit(ORDER, count, window_ns), RateLimit("weight", 2 * count, 3 * window_ns, "address"))
    sent: list[tuple[int, str, bool]] = []

    async def one(budget: VenueBudget, urgent: bool, kind: str, within_ns: int | None) -> None:
        asked_ns = _now_ns()
        if await budget.admit(kind, urgent=urgent, within_ns=within_ns):
            sent.append((_now_ns(), kind, urgent))
            assert within_ns is None or _now_ns() <= asked_ns + within_ns + 1

    async def story() -> None:
        budget = _budget(*limits, budgets=Budgets(_now_ns, reserve_ppb=reserve_ppb))
        tasks = []
        for pause_ms, urgent, kind, within_ns in wanted:
            await asyncio.sleep(pause_ms / 1_000)
            within_ns = 10**12 if within_ns is None and not urgent else within_ns
            tasks.append(asyncio.create_task(one(budget, urgent, kind, within_ns)))
        await asyncio.gather(*tasks)

    _virtually(story())
    for limit in limits:
        counted = [(at_ns, urgent) for at_ns, kind, urgent in sent if limit.kind in (kind, "weight")]
        reserve = -(-limit.count * reserve_ppb // 10**9) if limit.count > 1 else 0
        for n, (at_ns, urgent) in enumerate(counted):
            before = [earlier_ns for earlier_ns, _ in counted[: n + 1] if at_ns - earlier_ns <= limit.window_ns]
            assert len(before) <= (limit.count if urgent else limit.count - reserve)


def test_window_has_room_again_right_after_its_length() -> None:
    window = Window(2, 100, 0)
    for now_ns in (0, 10):
        assert window.wait_ns(now_ns, urgent=False) == 0
        window.take(now_ns)
    assert window.wait_ns(50, urgent=False) == 51
    assert window.wait_ns(100, urgent=False) == 1
    assert window.wait_ns(101, urgent=False) == 0


def test_reserve_lets_an_exit_out_where_an_entry_must_wait() -> None:
    async def story() -> None:
        budget = _budget(PER_SECOND)
        admitted = [await budget.admit(ORDER, within_ns=0) for _ in range(6)]
        assert admitted == [True] * 4 + [False] * 2
        assert await budget.admit(ORDER, urgent=True, within_ns=0)
        assert not await budget.admit(ORDER, urgent=True, within_ns=0)

    _virtually(story())


def test_entry_waits_no_longer_than_it_may() -> None:
    async def story() -> None:
        budget = _budget(PER_SECOND)
        for _ in range(4):
            await budget.admit(ORDER)
        assert not await budget.admit(ORDER, within_ns=NS_PER_S)  # a moment too short
        assert _now_ns() == 0
        assert await budget.admit(ORDER, within_ns=NS_PER_S + 2)
        assert _now_ns() >= NS_PER_S

    _virtually(story())


def test_venue_without_limits_gets_eight_orders_a_second() -> None:
    async def story() -> None:
        budget = _budget()
        admitted = [await budget.admit(ORDER, urgent=True, within_ns=0) for _ in range(9)]
        assert admitted == [True] * 8 + [False]
        assert all([await budget.admit(QUERY, within_ns=0) for _ in range(50)])

    _virtually(story())


def test_accounts_have_windows_of_their_own_and_addresses_share_theirs() -> None:
    async def story() -> None:
        budgets = Budgets(reserve_ppb=0)
        mine = RateLimit(ORDER, 1, NS_PER_S)
        first, second = (_budget(mine, account=name, budgets=budgets) for name in ("a", "b"))
        assert await first.admit(ORDER, within_ns=0)
        assert await second.admit(ORDER, within_ns=0)
        shared = RateLimit(ORDER, 1, NS_PER_S, "address")
        first, second = (_budget(shared, account=name, budgets=budgets) for name in ("a", "b"))
        assert await first.admit(ORDER, within_ns=0)
        assert not await second.admit(ORDER, within_ns=0)

    _virtually(story())


def test_venue_that_wants_to_be_left_alone_is_asked_by_nobody_until_then() -> None:
    async def story() -> None:
        budgets = Budgets()
        first, second = (_budget(account=name, budgets=budgets) for name in ("a", "b"))
        first.throttled(3 * NS_PER_S)
        first.throttled(NS_PER_S)  # a shorter wish takes nothing back
        assert not await second.admit(ORDER, urgent=True, within_ns=2 * NS_PER_S)
        assert await second.admit(QUERY)
        assert _now_ns() == 3 * NS_PER_S

    _virtually(story())
