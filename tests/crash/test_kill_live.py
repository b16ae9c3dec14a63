"""kill -9 between any two steps of a live order at the emulated venues, and what the next start makes of it.

Every row of `live_steps.STEPS` at every venue that has it: a real engine with the real client library kills itself
there; the venue's own truth says what reached it. The start after it asks again for all that was asked for, and
must come to what the table promises: at most one order for an id, both books the same, and the position either flat
or guarded in full, which a fall of the price then proves. SUREFILL_KILL_SEEDS: how many lives of chance besides.
"""

from __future__ import annotations

import os
import random
import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest
from tests.crash.live_child import WORKSPACE, Found, Spec
from tests.crash.live_places import PLACES, Truth, Way, emptied, told_by, truth_of
from tests.crash.live_steps import KEEPING, ONCE, REPLACING, STEPS, Kill, Step, end_of
from tests.crash.zygote import Zygote
from tests.venues.mt5.rig import gateway

from surefill.journal import SqliteJournal, verify
from surefill.testing.emulators import EmulatorProcess
from surefill.testing.invariants import check_journal

SEEDS = int(os.environ.get("SUREFILL_KILL_SEEDS", "1"))
CASES = [
    pytest.param(name, step, id=f"{name}: {step.name}") for name in PLACES for step in STEPS if name in step.venues
]
#: Steps at which the stop is there, whether the engine knows it or not.
WITH_STOP = ("stop-sent", "move-committed", "close-committed")
#: A life comes to about so many moments: before and after every commit, and every call.
MOMENTS = 46
#: What may be asked of a person besides what the table says: the time without a stop is short here.
HARMLESS = {"POSITION_NAKED"}


class Ground:
    """The emulated venues, each in a process of its own that outlives every engine, and children to be killed there."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self._folder, self._stack = folder, stack
        self._running: dict[str, tuple[EmulatorProcess, str]] = {}
        self._zygote = Zygote("tests.crash.live_child")
        stack.callback(self._zygote.close)

    def venue(self, name: str) -> tuple[EmulatorProcess, Way]:
        """The venue with nothing on its books, and how to get there."""
        place = PLACES[name]
        if place.emulator not in self._running:
            process = self._stack.enter_context(EmulatorProcess(place.emulator, self._folder / f"{place.emulator}.db"))
            gate = self._stack.enter_context(gateway(process.port)) if place.emulator == "mt5" else ""
            self._running[place.emulator] = process, gate
        process, gate = self._running[place.emulator]
        return process, Way(process.url, process.ws_url, emptied(place, process) or gate)

    def run(self, spec: Spec) -> int:
        """A child's end."""
        return self._zygote.run(spec)


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    with ExitStack() as stack:
        yield Ground(tmp_path_factory.mktemp("venues"), stack)


class Case:
    """One account at one venue, and the lives of the engine there."""

    def __init__(self, ground: Ground, folder: Path, name: str) -> None:
        self.ground, self.folder, self.place = ground, folder, PLACES[name]
        self.process, self.way = ground.venue(name)
        self._spec = Spec(str(folder), name, self.way)

    def life(self, *, recovers: bool = False, kill: Kill | None = None, nth: int = 0) -> int:
        """A life of the engine: how it ended."""
        code = self.ground.run(msgspec.structs.replace(self._spec, recovers=recovers, kill=kill, nth=nth))
        self.process.heal()
        return code

    def fall(self) -> None:
        """The price falls through every stop while nobody is awake, and stays there."""
        self.process.price(self.place.symbol, self.place.down)
        with (self.folder / "told").open("a") as told:
            told.write(f"px {self.place.down}\n")

    def truth(self) -> Truth:
        """What is true at the venue now."""
        return truth_of(self.place, told_by(self.place, self.way.url))

    def found(self) -> Found:
        """What the last start wrote down."""
        return msgspec.json.decode((self.folder / "found.json").read_bytes(), type=Found)


@pytest.mark.parametrize(("name", "step"), CASES)
def test_engine_killed_at_a_step_comes_to_what_the_table_promises(
    ground: Ground, tmp_path: Path, name: str, step: Step
) -> None:
    case = Case(ground, tmp_path, name)
    assert case.life(kill=step.kill) == -signal.SIGKILL, "it must die of the kill, at its step"
    if step.holds is not None:
        assert case.truth().holds() == step.holds, "it died somewhere else"
    if step.then is not None:
        assert case.life(recovers=True, kill=step.then) == -signal.SIGKILL, "the start must die of the kill too"
    assert case.life(recovers=True) == 0
    found, end = case.found(), end_of(step, name)
    _check(case, found)
    assert bool(found.watched) == end.held
    pages = set(found.pages) - HARMLESS
    assert bool(found.doubted) == end.person == ("UNKNOWN_UNRESOLVED" in pages)
    # A start that is killed may have had the time to decide on a stop, where the history told it of the entry first:
    # that one never left, and the horizon says so.
    assert ("NEVER_ARRIVED" in pages) in ({end.horizon, True} if step.then and name in REPLACING else {end.horizon})
    assert pages <= {"UNKNOWN_UNRESOLVED", "NEVER_ARRIVED", "EXIT_REJECTED"}


@pytest.mark.parametrize("step", [step for step in ONCE if step.name in WITH_STOP], ids=lambda step: step.name)
@pytest.mark.parametrize("name", KEEPING)
def test_stop_at_the_venue_sells_while_the_engine_is_dead_and_the_start_finds_it_sold(
    ground: Ground, tmp_path: Path, name: str, step: Step
) -> None:
    case = Case(ground, tmp_path, name)
    assert case.life(kill=step.kill) == -signal.SIGKILL
    case.fall()
    assert case.truth().held < Decimal(case.place.lot), "nobody is awake but the venue"
    assert case.life(recovers=True) == 0
    found = case.found()
    _check(case, found)
    assert (found.watched, found.doubted) == ([], [])


@pytest.mark.parametrize("name", PLACES)
@pytest.mark.parametrize("seed", range(SEEDS))
def test_engine_killed_at_any_moment_again_and_again_comes_to_rest(
    ground: Ground, tmp_path: Path, name: str, seed: int
) -> None:
    chance = random.Random(f"{name} {seed}")
    case = Case(ground, tmp_path, name)
    ends = [case.life(nth=chance.randint(1, MOMENTS))]
    ends += [case.life(recovers=True, nth=chance.randint(1, MOMENTS // 2)) for _ in range(chance.randint(0, 3))]
    if chance.random() < 0.5:
        case.fall()
    assert set(ends) <= {0, -signal.SIGKILL}
    assert case.life(recovers=True) == 0
    _check(case, case.found())


def _check(case: Case, found: Found) -> None:
    """What holds after every start, by the venue's own truth."""
    truth, lot = truth_of(case.place, found.truth), Decimal(case.place.lot)
    _once(truth)
    assert sum(found.positions.values()) == truth.held * found.unit
    assert 0 <= truth.held <= Decimal(case.place.qty)
    working = [order for order in truth.orders if order.works]
    if truth.held < lot:
        assert (working, found.watched) == ([], [])
    else:
        assert found.watched == [case.place.instrument_id]
        kept = truth.held // lot * lot if case.place.stops_at == "venue" else Decimal(0)
        assert truth.guarded() == kept
        assert all(order.rests and order.side < 0 for order in working)
    assert (found.differences, found.halted) == ({}, "")
    assert set(found.written) <= {"PositionsCompared", "VenueReported"}, "a second look found something to do"
    after = case.truth()  # the price has fallen through every stop
    _once(after)
    assert 0 <= after.held < lot
    assert not [order for order in after.orders if order.works]
    assert sum(found.fallen.values()) == after.held * found.unit
    journal = SqliteJournal(case.folder / "journal.db")
    assert verify(journal).ok
    assert check_journal(journal, WORKSPACE) == []
    journal.close()


def _once(truth: Truth) -> None:
    """No id has more than one order, and no more was bought than was asked for."""
    counts = Counter(order.name for order in truth.orders)
    assert max(counts.values(), default=1) == 1, counts
    assert sum(order.side > 0 for order in truth.orders) <= 1, truth.orders
