"""What the matrix finds wrong when our state and the venue's truth differ: each finding seen once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from surefill.domain.state import State
from surefill.rules.codes import OrdStatus
from surefill.testing.fault_matrix.checks import Checks
from surefill.testing.fault_matrix.place import OrderThere, Place, There
from surefill.testing.fault_matrix.runner import place_of
from surefill.testing.fault_matrix.session import NotStruck
from surefill.testing.fault_matrix.steps import Step
from surefill.testing.fault_matrix.story import Story
from surefill.testing.remote_venue.faults import Fault

Doctor = Callable[[State, There], There]


def _stop(there: There) -> OrderThere:
    return next(each for each in there.orders if each.works)


def _without(there: There, order: OrderThere) -> tuple[OrderThere, ...]:
    return tuple(each for each in there.orders if each != order)


def _with_stop(there: There, **changes: Any) -> There:
    stop = _stop(there)
    return there._replace(orders=(*_without(there, stop), stop._replace(**changes)))


def _twice(_state: State, there: There) -> There:
    return there._replace(orders=(*there.orders, _stop(there)))


def _unknown(state: State, there: There) -> There:
    order = state.book.orders[_stop(there).name]
    order.status = OrdStatus.UNKNOWN
    return there


def _unknown_and_nowhere(state: State, there: There) -> There:
    return _unknown(state, there)._replace(orders=_without(there, _stop(there)))


def _somebody_elses_position(_state: State, there: There) -> There:
    return there._replace(held=there.held + 1)


def _never_heard_of(_state: State, there: There) -> There:
    return there._replace(orders=(*there.orders, _stop(there)._replace(name="another", works=False)))


def _filled_there(_state: State, there: There) -> There:
    return _with_stop(there, cum_qty=3)


def _ended_there(_state: State, there: There) -> There:
    return _with_stop(there, works=False)


def _triggered_elsewhere(_state: State, there: There) -> There:
    return _with_stop(there, stop_px=1)


def _smaller_there(_state: State, there: There) -> There:
    return _with_stop(there, qty=3)


def _invented_here(_state: State, there: There) -> There:
    return there._replace(orders=tuple(each for each in there.orders if not each.cum_qty))


def _naked(state: State, there: There) -> There:
    next(state.open_positions())[1].protection.naked_ns = 1  # type: ignore[union-attr]
    return there


DIFFERENCES: list[tuple[Doctor, str]] = [
    (_twice, "is 2 orders at the venue"),
    (_unknown, "is UNKNOWN, and the venue has it"),
    (_unknown_and_nowhere, "is UNKNOWN, and nobody was called"),
    (_somebody_elses_position, "the venue holds 11"),
    (_never_heard_of, "we know nothing of it"),
    (_filled_there, "has traded 3 there, 0 here"),
    (_ended_there, "is over there, and is NEW here"),
    (_triggered_elsewhere, "is triggered at 1 there"),
    (_smaller_there, "is for 3 there, for 10 here"),
    (_invented_here, "has traded 10 here, and is not at the venue"),
    (_naked, "is naked (10 of 10 guarded), and nobody was called"),
]


def test_check_of_a_guarded_position_finds_each_difference_and_nothing_else(tmp_path: Path) -> None:
    place = place_of("remote")(tmp_path)
    seen: list[str] = []

    async def look() -> None:
        story = Story(place, None, (), 0)
        await asyncio.to_thread(place.begin, story.chance)
        await story.session.open()
        try:
            await story.come_to(Step.MOVE)
            there, checks = await story.session.there(), Checks(place, [])
            good = await story.session.read(lambda state: checks.settled(_copied(state), there))
            assert good == ""
            for doctor, _ in DIFFERENCES:

                def wrong(state: State, doctor: Doctor = doctor) -> str:
                    mine = _copied(state)
                    return checks.settled(mine, doctor(mine, there))

                seen.append(await story.session.read(wrong))
        finally:
            await story.session.close()

    try:
        asyncio.run(look())
    finally:
        place.close()
    assert [(doctor.__name__, said in found) for (doctor, said), found in zip(DIFFERENCES, seen, strict=True)] == [
        (doctor.__name__, True) for doctor, _ in DIFFERENCES
    ], seen


def _copied(state: State) -> State:
    return State.restore(state.snapshot())


def test_story_whose_fault_does_not_strike_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("surefill.testing.fault_matrix.story.STRIKE_WITHIN_S", 0.2)
    monkeypatch.setattr(Place, "ops_at", lambda *_: ("nowhere",))
    place = place_of("remote")(tmp_path)
    try:
        with pytest.raises(NotStruck, match="LOSE_ANSWER did not strike"):
            asyncio.run(Story(place, Fault.LOSE_ANSWER, (Step.ENTRY,), 0).tell())
    finally:
        place.close()
