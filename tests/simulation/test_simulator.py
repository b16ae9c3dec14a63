"""Hundreds of simulated runs: whatever strikes, nothing is lost, doubled, invented or left in the dark."""

from __future__ import annotations

from collections import Counter

import msgspec
import pytest

from surefill.rules.codes import KillLevel
from surefill.testing.remote_venue import Fault
from surefill.testing.simulator import Plan, SimulationReport, simulate
from surefill.testing.simulator.stage import BREAKERS

CHUNKS, SEEDS = 10, 24
POWER_CUTS = {"after_commit", "after_snapshot", "anywhere", "before_commit", "before_snapshot"}
SCOPES = ("venue", "workspace", "symbol", "strategy")
PATHS = {
    *("resent", "rest taken up", "timed out", "exit withheld", "exit released", "shutdown exit"),
    *("stop placed", "stop triggered", "stop to be changed", "stop changed", "stop not changed"),
    *(f"{what} {name}" for what in ("tripped", "re-armed") for name in BREAKERS),
    *(f"{level.name} {scope}" for level in list(KillLevel)[1:] for scope in SCOPES),
    *(f"loosened {scope}" for scope in SCOPES),
}
LONELY = Plan(workspaces=1, venue_fault_ppm=0, journal_fault_ppm=0, crash_ppm=0)
QUIET = Plan(workspaces=2, venue_fault_ppm=0, journal_fault_ppm=0, crash_ppm=0, by_hand=False, breakers=False)
BUSY = Plan(workspaces=3, venue_fault_ppm=8_000, journal_fault_ppm=2_000, crash_ppm=2_000)


def _assert_good(report: SimulationReport) -> None:
    assert not report.violations, f"scripts/simulate 1 {report.seed}: " + "\n".join(report.violations[:5])


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_simulated_runs_violate_nothing(chunk: int) -> None:
    fired: Counter[str] = Counter()
    for seed in range(chunk * SEEDS, (chunk + 1) * SEEDS):
        report = simulate(seed)
        _assert_good(report)
        fired.update(report.fired)
    missing = {fault.name for fault in Fault} - fired.keys()
    assert len(missing) <= 3, f"in {SEEDS} runs these never struck: {missing}"
    assert len({f"power cut {where}" for where in POWER_CUTS} - fired.keys()) <= 1
    assert len({"journal REFUSED", "journal LOST", "journal KEPT", "journal STALE"} - fired.keys()) <= 1
    assert "clock jump" in fired
    assert {"order by hand", "alarm EXTERNAL_TRADE", "alarm FILL_RECOVERED"} <= fired.keys()
    taken = sum(f"path {name}" in fired for name in PATHS)
    assert taken > len(PATHS) * 3 // 4, f"only {taken} of {len(PATHS)} paths"
    assert {"verdict ACCEPTED", "verdict DUPLICATE", "verdict REFUSED"} <= fired.keys()


def test_every_way_a_decision_can_take_is_taken() -> None:
    """Sent again, given up, tripped, switched off, guarded at the venue: with the faults, and without a violation."""
    fired: Counter[str] = Counter()
    for seed in range(12):
        report = simulate(seed, 150, BUSY)
        _assert_good(report)
        fired.update(report.fired)
    assert {f"path {name}" for name in PATHS} <= fired.keys(), PATHS - {name.removeprefix("path ") for name in fired}


#: What a quiet market and requests that wait for their budget bring about in some seeds, without any fault.
_OF_ITSELF = {"alarm POSITION_BLIND", "alarm POSITION_NAKED"}


def test_run_without_faults_has_no_alarm_and_one_life_before_the_last() -> None:
    accepted = 0
    for seed in range(8):
        report = simulate(seed, plan=QUIET)
        _assert_good(report)
        assert report.lives == 2
        struck = [name for name in report.fired if name.startswith(("alarm", "journal", "power"))]
        assert set(struck) <= _OF_ITSELF
        accepted += report.fired["verdict ACCEPTED"]
    assert accepted > 50


def test_close_that_waits_for_a_stop_of_unknown_fate_keeps_no_workspace_from_opening() -> None:
    """One that is not at the venue explains no difference: this run never ended while it was taken for a reason."""
    _assert_good(simulate(6, 150, msgspec.structs.replace(BUSY, venue_fault_ppm=25_000)))


def test_longer_run_violates_nothing_either() -> None:
    _assert_good(simulate(1, steps=600))


@pytest.mark.parametrize("when", ["before", "after"])
def test_death_at_every_append_of_a_run_loses_nothing(when: str) -> None:
    """Power cuts at every journal position, one run each."""
    appends = simulate(3, steps=40, plan=LONELY).appends
    assert appends > 60, "the run must be long enough to mean something"
    died = 0
    for at in range(1, appends + 1):
        report = simulate(3, 40, msgspec.structs.replace(LONELY, crash_append=at, crash_when=when))
        assert not report.violations, f"append {at}, {when}: {report.violations[:3]}"
        died += report.fired.get(f"power cut {when}_commit", 0)
    assert died > appends / 2, "too many appends lay in the healed end, where nothing dies"
