"""An account that others use too: what is done there by hand, or lost on the way, is found in rounds."""

from __future__ import annotations

import asyncio
import time

from tests.faults.rig import PX, WORKSPACE, Rig

from surefill.domain.account import AccountMove, MoveKind
from surefill.domain.inputs import Resume
from surefill.domain.state import State
from surefill.domain.valuation import exposures
from surefill.engine.rounds import RoundTimes
from surefill.testing.invariants import check_journal
from surefill.testing.remote_venue import Fault, VenueProcess
from surefill.units import NS_PER_MS, NS_PER_S

TIMES = RoundTimes(20 * NS_PER_MS, 40 * NS_PER_MS, overlap_ns=5 * NS_PER_S)
DEAF_S = 60.0  # a stream that nobody repairs within the test


def _rig(process: VenueProcess, heartbeat_s: float = DEAF_S) -> Rig:
    return Rig(process, heartbeat_s=heartbeat_s, times=TIMES)


def _codes(rig: Rig) -> list[str]:
    return [notice.code for notice in rig.alarms]


def _sound(rig: Rig) -> None:
    assert check_journal(rig.journal, WORKSPACE) == []


async def _alarm(rig: Rig, code: str) -> None:
    end = time.monotonic() + 3
    while code not in _codes(rig):
        assert time.monotonic() < end, f"no {code} in {_codes(rig)}"
        await asyncio.sleep(0.005)


def _qty(rig: Rig, state: State) -> int:
    position = state.book.positions.get(rig.symbol)
    return 0 if position is None else position.qty


def test_trade_by_hand_is_booked_and_halts_entries(process: VenueProcess) -> None:
    rig = _rig(process)

    async def story(rig: Rig) -> None:
        await rig.submit("a", qty=10)
        process.hand(rig.account, rig.symbol, -1, 4)
        await rig.until(lambda state: _qty(rig, state) == 6)
        assert (await rig.submit("b")).code == "HALTED"

    rig.run(story)
    assert _codes(rig) == ["EXTERNAL_TRADE"]
    _sound(rig)


def test_trade_by_hand_whose_report_is_lost_is_found_in_the_history(process: VenueProcess) -> None:
    rig = _rig(process)

    async def story(rig: Rig) -> None:
        process.arm(Fault.LOSE_REPORT, 2)  # the order, its execution
        process.hand(rig.account, rig.symbol, 1, 4)
        await rig.until(lambda state: _qty(rig, state) == 4)

    rig.run(story)
    assert _codes(rig) == ["EXTERNAL_TRADE"]
    _sound(rig)


def test_fill_of_ours_whose_report_is_lost_is_found_in_the_history(process: VenueProcess) -> None:
    rig = _rig(process)

    async def story(rig: Rig) -> None:
        resting = await rig.submit("a", px=PX - 10)
        process.arm(Fault.LOSE_REPORT, 1)
        process.price(rig.symbol, PX - 20)
        await rig.until(lambda state: _qty(rig, state) == 10)
        assert (await rig.order(resting.cl_ord_id)).leaves_qty == 0

    rig.run(story)
    assert set(_codes(rig)) <= {"FILL_RECOVERED"}  # the list of open orders may have sent the engine asking before
    _sound(rig)


def test_order_by_hand_counts_until_it_is_withdrawn(process: VenueProcess) -> None:
    rig = _rig(process)

    async def story(rig: Rig) -> None:
        process.hand(rig.account, rig.symbol, 1, 7, PX - 10)
        await rig.until(lambda state: exposures(state) == {rig.symbol: 7 * (PX - 10) * 1_000})
        (made,) = process.truth(rig.account).orders
        process.withdraw(rig.account, made.order_id)
        await rig.until(lambda state: exposures(state) == {})
        events = await rig.read(lambda state: state.book.seq)
        await asyncio.sleep(6 * TIMES.orders_every_ns / NS_PER_S)
        assert await rig.read(lambda state: state.book.seq) == events  # rounds that find nothing write nothing

    rig.run(story)
    assert _codes(rig) == ["EXTERNAL_ORDER"]
    _sound(rig)


def test_what_was_done_while_the_engine_was_down_is_known_before_anything_is_accepted(process: VenueProcess) -> None:
    rig = _rig(process)

    async def before(rig: Rig) -> None:
        await rig.submit("a", qty=10)
        await rig.until(lambda state: _qty(rig, state) == 10)

    async def after(rig: Rig) -> None:
        assert await rig.read(lambda state: _qty(rig, state)) == 6
        assert await rig.read(lambda state: list(state.book.external_orders)) != []
        assert await rig.read(lambda state: state.book.halted_code) == "EXTERNAL_TRADE"

    rig.run(before)
    process.hand(rig.account, rig.symbol, -1, 4)
    process.hand(rig.account, rig.symbol, 1, 3, PX - 50)
    rig.run(after)
    assert _codes(rig) == ["EXTERNAL_TRADE", "EXTERNAL_ORDER"]
    rig.alarms.clear()
    rig.run(after)  # a second start finds nothing new
    assert _codes(rig) == []
    _sound(rig)


def test_moves_are_booked_once_over_rounds_and_starts(process: VenueProcess) -> None:
    rig = _rig(process)
    cash: list[int] = []

    async def before(rig: Rig) -> None:
        await rig.submit("a", qty=10)
        await rig.until(lambda state: _qty(rig, state) == 10)
        cash.append(await rig.read(lambda state: state.book.cash))
        process.move(rig.account, AccountMove(MoveKind.DIVIDEND, "d1", rig.symbol, amount=50))
        process.move(rig.account, AccountMove(MoveKind.DEPOSIT, "p1", amount=500))
        process.move(rig.account, AccountMove(MoveKind.EXPIRY, "x1", rig.symbol, qty=-10))
        await rig.until(lambda state: _qty(rig, state) == 0)

    async def after(rig: Rig) -> None:
        book = await rig.read(lambda state: state.book)
        assert (book.cash, book.outside) == (cash[0] + 550, 500)
        assert book.halted_code == ""

    rig.run(before)
    rig.run(after)
    assert _codes(rig) == []
    _sound(rig)


def test_venue_that_is_lost_pages_once_and_is_told_when_it_is_back(process: VenueProcess) -> None:
    rig = _rig(process, heartbeat_s=0.03)

    async def story(rig: Rig) -> None:
        process.arm(Fault.QUERY_ERROR, rate_ppm=1_000_000)
        await _alarm(rig, "VENUE_LOST")
        await asyncio.sleep(0.2)
        process.heal()
        await _alarm(rig, "VENUE_REGAINED")

    rig.run(story)
    assert _codes(rig) == ["VENUE_LOST", "VENUE_REGAINED"]


def test_nothing_is_accepted_before_the_history_was_told(process: VenueProcess) -> None:
    rig = _rig(process)

    async def story() -> None:
        process.arm(Fault.QUERY_ERROR, rate_ppm=1_000_000, op="executions")
        starting = asyncio.create_task(rig.live(_nothing))
        await _alarm(rig, "BOOKS_NOT_COMPARED")
        assert not rig.engine.desks[WORKSPACE].accepting
        process.heal()
        await starting

    async def _nothing(rig: Rig) -> None:
        assert rig.engine.desks[WORKSPACE].accepting

    asyncio.run(story())


def test_look_that_finds_nothing_by_mistake_ends_no_order(process: VenueProcess) -> None:
    rig = _rig(process)

    async def story(rig: Rig) -> None:
        resting = await rig.submit("a", px=PX - 10)
        process.arm(Fault.EMPTY_SNAPSHOT, rate_ppm=1_000_000, op="executions")
        process.arm(Fault.EMPTY_SNAPSHOT, 3, op="open_orders")
        await asyncio.sleep(0.2)
        assert (await rig.order(resting.cl_ord_id)).leaves_qty == 10
        process.heal()
        await rig.settled()

    rig.run(story)
    assert process.truth(rig.account).fired["EMPTY_SNAPSHOT"] > 0


def test_drift_that_a_person_waved_through_halts_again(process: VenueProcess) -> None:
    rig = _rig(process)

    async def story(rig: Rig) -> None:
        process.arm(Fault.EMPTY_SNAPSHOT, rate_ppm=1_000_000, op="positions")
        await rig.submit("a", qty=10)
        await rig.until(lambda state: state.book.halted_code == "POSITION_DRIFT", 5)
        await rig.engine.feed(WORKSPACE, Resume(time.time_ns(), "ada"))
        await rig.until(lambda state: state.book.halted_code == "POSITION_DRIFT", 5)

    rig.run(story)
    assert _codes(rig) == ["POSITION_DRIFT", "POSITION_DRIFT"]
