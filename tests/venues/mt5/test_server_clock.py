"""The server's clock: how far it is off, also over a change to summer time and back."""

from __future__ import annotations

import time
from typing import Any

import pytest
from tests.venues.mt5.rig import Rig, request

from surefill.domain.market import Quote
from surefill.domain.reports import ExecType
from surefill.errors import VenueOutcomeUnknown
from surefill.testing.emulators import EmulatorProcess
from surefill.venues.mt5 import Mt5Venue
from surefill.venues.mt5.server_clock import ServerClock

NS = 10**9
NOW_NS = 1_700_000_000 * NS
HOUR_S = 3_600
WINTER_S, SUMMER_S = 2 * HOUR_S, 3 * HOUR_S


@pytest.mark.parametrize(
    ("off_s", "offset_s"),
    [
        (0, 0),
        (10_800, 10_800),
        (7_201, 7_200),
        (-18_000 - 90, -18_000),
        (20_700, 20_700),
        (10_800 - 300, None),
        (-200_000, None),
    ],
)
def test_server_clock_takes_its_offset_from_a_fresh_tick(off_s: int, offset_s: int | None) -> None:
    clock = ServerClock()

    clock.observe((NOW_NS + off_s * NS) // 1_000_000, NOW_NS)

    assert clock.offset_s == offset_s
    since, until = clock.window(NOW_NS, NOW_NS)
    assert since <= (NOW_NS // NS) + (offset_s or 0) <= until


def test_offset_that_was_given_holds_until_ticks_say_another() -> None:
    clock = ServerClock(WINTER_S)
    assert clock.ns(_msc(NOW_NS, WINTER_S)) == NOW_NS

    for tick_ns in (NOW_NS + NS, NOW_NS + 2 * NS):
        clock.observe(_msc(tick_ns, SUMMER_S) + 500, tick_ns)

    assert (clock.offset_s, clock.ahead_ns) == (SUMMER_S, NS // 2)


def _msc(utc_ns: int, offset_s: int) -> int:
    return (utc_ns + offset_s * NS) // 10**6


@pytest.mark.parametrize(("before_s", "after_s"), [(WINTER_S, SUMMER_S), (SUMMER_S, WINTER_S)])
def test_stamp_counts_by_the_offset_of_its_time_over_a_change(before_s: int, after_s: int) -> None:
    clock, changed_ns = ServerClock(), NOW_NS + 10 * HOUR_S * NS
    clock.observe(_msc(NOW_NS, before_s), NOW_NS)
    for later_ns in (changed_ns, changed_ns + 5 * NS):
        clock.observe(_msc(later_ns, after_s), later_ns)

    long_before_ns, after_ns = changed_ns - 2 * HOUR_S * NS, changed_ns + 60 * NS
    assert clock.offset_s == after_s
    assert clock.ns(_msc(long_before_ns, before_s)) == long_before_ns
    assert clock.ns(_msc(after_ns, after_s)) == after_ns


@pytest.mark.parametrize(("before_s", "after_s"), [(WINTER_S, SUMMER_S), (SUMMER_S, WINTER_S)])
@pytest.mark.parametrize("seen", [True, False])
def test_look_back_over_a_change_leaves_nothing_out(before_s: int, after_s: int, seen: bool) -> None:
    clock, now_ns = ServerClock(), NOW_NS + 600 * NS
    if seen:
        clock.observe(_msc(NOW_NS - 60 * NS, before_s), NOW_NS - 60 * NS)
    for tick_ns in (now_ns - NS, now_ns):
        clock.observe(_msc(tick_ns, after_s), tick_ns)

    since_s, until_s = clock.window(NOW_NS, now_ns)
    assert since_s * 1_000 <= _msc(NOW_NS, before_s)
    assert _msc(now_ns, after_s) <= until_s * 1_000


def test_hour_that_comes_twice_is_the_later_one() -> None:
    clock = ServerClock()
    clock.observe(_msc(NOW_NS, SUMMER_S), NOW_NS)
    for tick_ns in (NOW_NS + NS, NOW_NS + 2 * NS):
        clock.observe(_msc(tick_ns, WINTER_S), tick_ns)

    assert clock.ns(_msc(NOW_NS, SUMMER_S)) == NOW_NS + HOUR_S * NS


def test_one_tick_that_is_older_than_it_seems_changes_no_clock() -> None:
    clock = ServerClock()
    clock.observe(_msc(NOW_NS, WINTER_S), NOW_NS)
    clock.observe(_msc(NOW_NS, WINTER_S), NOW_NS + 900 * NS)  # the first after a lost connection
    assert (clock.offset_s, clock.ahead_ns) == (WINTER_S, 0)

    clock.observe(_msc(NOW_NS + 901 * NS, WINTER_S), NOW_NS + 901 * NS)
    clock.observe(_msc(NOW_NS, WINTER_S), NOW_NS + 900 * NS)

    assert clock.offset_s == WINTER_S


def test_deals_around_a_change_are_told_with_their_times(terminal: EmulatorProcess, way: str) -> None:
    rig = Rig(terminal, way, offset_s=WINTER_S)
    began_ns = time.time_ns()

    async def moved(venue: Mt5Venue, offset_s: int) -> None:
        def shown() -> bool:
            terminal.price("EURUSD", bid="1.10001", ask="1.10020")
            return venue._account.clock.offset_s == offset_s

        await rig.until(shown)

    async def story(venue: Mt5Venue) -> Any:
        await moved(venue, WINTER_S)
        await venue.submit(request())
        terminal.control("money", kind=2, amount="5")
        terminal.seed(offset_s=SUMMER_S)
        await moved(venue, SUMMER_S)
        order = request()
        await venue.submit(order)
        terminal.control("money", kind=2, amount="6")
        since_ns = began_ns - NS
        return await venue.executions(since_ns), await venue.moves(since_ns), await venue.query(order)

    executions, moves, answer = rig.run(story, server_offset_s=None)

    stamps = [each.transact_ns for each in (*executions, *moves)]
    assert (len(executions), len(moves)) == (2, 2)
    assert all(began_ns - 2 * NS <= stamp <= time.time_ns() + NS for stamp in stamps), stamps
    assert answer.reports[-1].exec_type == ExecType.TRADE


def test_price_that_stood_there_before_shows_no_clock_and_is_told_to_nobody(terminal: EmulatorProcess) -> None:
    rig, quotes = Rig(terminal, offset_s=WINTER_S), list[Quote]()

    async def story(venue: Mt5Venue) -> None:
        await venue.subscribe(("EURUSD",), quotes.append)
        for look in (venue.executions, venue.moves):
            with pytest.raises(VenueOutcomeUnknown, match="clock is off is not known"):
                await look(0)
        assert (await venue.positions(), quotes) == ({}, [])
        terminal.price("EURUSD", bid="1.10001", ask="1.10011")
        await rig.until(lambda: quotes)
        assert await venue.executions(0) == ()

    rig.run(story, server_offset_s=None)

    assert (quotes[0].bid_px, abs(quotes[0].ts_ns - time.time_ns()) < 30 * NS) == (110_001, True)
