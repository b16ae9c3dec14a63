"""One simulated run: the real engine, a simulated venue, and everything that can go wrong, from one seed.

A run is a row of lives of the engine's process. In each, callers, the market and an operator act at random while
faults strike (`traffic`); it ends by a power cut at an arbitrary moment, or in good order. Then everything is healed,
and what must be true then is checked (`ending`). The journal is held against the invariants after every life.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter
from collections.abc import Awaitable, Callable

import msgspec

from surefill.domain.state import State
from surefill.engine.engine import Engine
from surefill.errors import JournalError, VenueOutcomeUnknown
from surefill.testing.simulator.ending import Ending
from surefill.testing.simulator.paths import paths
from surefill.testing.simulator.stage import Plan, Stage
from surefill.testing.simulator.traffic import Traffic
from surefill.testing.simulator.world import PowerCut, VirtualLoop

OPENING_TRIES = 200


class SimulationReport(msgspec.Struct, frozen=True):
    """What came of a run. `hash` covers every event of every workspace; `violations` is empty or the run has failed.

    `fired` counts by name: faults of the venue, of the journal, power cuts, alarms, what callers were told, and the
    ways that decisions took (`paths`).
    """

    seed: int
    hash: str
    events: int
    appends: int
    lives: int
    fired: dict[str, int]
    violations: tuple[str, ...]


class Simulation:
    """One run. `stage` can be looked at afterwards."""

    def __init__(self, seed: int, plan: Plan) -> None:
        self.stage = Stage(seed, plan)
        self.traffic = Traffic(self.stage)
        self.ending = Ending(self.stage, self.traffic)
        if plan.crash_append:
            self.stage.journal.crash_at[plan.crash_append] = plan.crash_when

    def run(self) -> SimulationReport:
        """Live until all steps are done, then heal and check."""
        stage, states = self.stage, dict[str, State]()

        async def finish() -> None:
            await self.ending.finish()
            states.update({workspace_id: stage.state(workspace_id) for workspace_id in stage.workspaces})

        while stage.steps_left > 0:
            self._live(self._work)
        self.ending.heal()
        self._live(finish)
        if not stage.violations:
            self.ending.compare(states)
        return self._report()

    async def _work(self) -> None:
        await self.traffic.flow()
        if self.stage.steps_left <= 0:
            self.ending.heal()
            await self.ending.come_to_rest()

    def _live(self, story: Callable[[], Awaitable[None]]) -> None:
        """One life of the process."""
        stage = self.stage
        stage.lives += 1
        stage.drifted.clear()
        stage.journal.deaf_reopenings = 0
        stage.journal.reopen()
        loop = VirtualLoop(stage.world)
        loop.set_exception_handler(stage.unhandled)
        try:
            loop.run_until_complete(self._process(story))
        except PowerCut as cut:
            stage.fired[f"power cut {cut}"] += 1
        except Exception as error:  # a run never ends by an error: it tells of it
            stage.steps_left = 0
            stage.violated(f"the process died of {error!r}")
        finally:
            loop.abandon()
            stage.host.hang_up()
        stage.audit()

    async def _process(self, story: Callable[[], Awaitable[None]]) -> None:
        engine = self.stage.engine = Engine(self.stage.journal, self.stage.clock, seed=self.stage.seed)
        engine.alarms[:] = [self.stage.alarmed]
        for workspace_id in self.stage.workspaces:
            await self._open(workspace_id)
        await story()
        await engine.stop()

    async def _open(self, workspace_id: str) -> None:
        """As a supervisor would: what fails for reasons outside is tried again."""
        for _ in range(OPENING_TRIES):
            try:
                await self.stage.engine.open(*self.stage.opening(workspace_id))
                return
            except (VenueOutcomeUnknown, JournalError):
                await asyncio.sleep(0.5)
        self.stage.violated(f"{workspace_id} could not be opened in {OPENING_TRIES} tries")

    def _report(self) -> SimulationReport:
        stage = self.stage
        heads = sorted(stage.journal.inner.heads().items())
        fired = Counter({fault.name: count for fault, count in stage.host.exchange.faults.fired.items()})
        fired.update({f"journal {fault.name}": count for fault, count in stage.journal.fired.items()})
        fired.update(stage.fired)
        fired.update(paths(stage.journal.inner))
        return SimulationReport(
            stage.seed,
            hashlib.sha256(repr(heads).encode()).hexdigest(),
            sum(head.seq for _, head in heads),
            stage.journal.appends,
            stage.lives,
            dict(sorted(fired.items())),
            tuple(stage.violations),
        )


def simulate(seed: int, steps: int = 60, plan: Plan | None = None) -> SimulationReport:
    """Run once: the same seed, steps and plan give the same journal, to the last byte, on every machine."""
    simulation = Simulation(seed, msgspec.structs.replace(plan or Plan(), steps=steps))
    try:
        return simulation.run()
    finally:
        simulation.stage.truth.close()
