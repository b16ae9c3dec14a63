"""A run over a Dask cluster: the same results as in one process, whatever dies, and clear words where it cannot be."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.cli.running import surefill
from tests.cli.test_sweeping import CROSS, GRID
from tests.sweep.clusters import RunningCluster
from tests.sweep.sweeps import Backwards, crosses, market, mischief

import surefill as package
from surefill.errors import ConfigError, JournalError, RemoteError, StrategyError
from surefill.journal import MemoryJournal
from surefill.sweep import (
    ClusterWorkers,
    InProcess,
    Progress,
    RunPlan,
    RunResult,
    TrainTest,
    cluster,
    execute,
    generate,
)
from surefill.sweep.events import VariantFailed
from surefill.testing.faulty_journal import FaultyJournal, JournalFault

pytestmark = pytest.mark.slow
MARKET = market()
SMALL = market(20, "A")
NOBODY = "tcp://127.0.0.1:9"


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningCluster]:
    started = RunningCluster(tmp_path_factory.mktemp("cluster"))
    try:
        yield started
    finally:
        started.kill()


@pytest.fixture
def running(shared: RunningCluster) -> RunningCluster:
    shared.wait()
    return shared


def _mischief(folder: Path, last: int) -> tuple[RunPlan, tuple[str, ...]]:
    """Variants that misbehave as files of this folder tell them, wherever their own file lies."""
    plan, files = mischief(SMALL, folder, range(2, last))
    file = folder / "mischief.py"
    file.write_text(file.read_text().replace("Path(__file__).parent", f"Path({str(folder)!r})"))
    return plan, files


def _failures(result: RunResult) -> dict[object, str]:
    return {
        row.variant.overrides["entry.params.n"]: row.outcome.code
        for row in result.rows
        if isinstance(row.outcome, VariantFailed)
    }


def test_cluster_gives_what_one_process_gives_to_two_clients_at_once(running: RunningCluster) -> None:
    plans = [crosses(MARKET, TrainTest(0.6)), crosses(MARKET, ablations=False)]
    alone, journals = [MemoryJournal(), MemoryJournal()], [MemoryJournal(), MemoryJournal()]
    expected = [execute(plan, MARKET, each, keep_journals=True) for plan, each in zip(plans, alone, strict=True)]
    found: dict[int, RunResult] = {}

    def run(number: int) -> None:
        executor = ClusterWorkers(MARKET.series, running.address)
        found[number] = execute(plans[number], MARKET, journals[number], executor=executor, keep_journals=True)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [found[number] for number in range(2)] == expected
    for mine, theirs in zip(journals, alone, strict=True):
        variants = {name: head for name, head in theirs.heads().items() if not name.startswith("~")}
        assert variants
        assert variants.items() <= mine.heads().items()
    assert running.tasks() == 0


def test_variant_that_raises_or_kills_its_workers_fails_and_the_others_finish(
    running: RunningCluster, tmp_path: Path
) -> None:
    plan, files = _mischief(tmp_path, 330)
    (tmp_path / "raise-317").touch()
    alone = execute(plan, SMALL, MemoryJournal(), strategies=files)
    assert _failures(alone) == {317: "STRATEGY_FAILED"}
    (tmp_path / "die-once-50").touch()
    (tmp_path / "die-4").touch()
    journal = MemoryJournal()
    result = execute(plan, SMALL, journal, executor=ClusterWorkers(SMALL.series, running.address), strategies=files)
    assert not (tmp_path / "die-once-50").exists(), "nobody was killed"
    assert _failures(result) == {4: "WORKER_DIED", 317: "STRATEGY_FAILED"}
    (tmp_path / "die-4").unlink()
    assert execute(plan, SMALL, journal, strategies=files, again=True) == alone


def test_run_that_is_canceled_or_cannot_be_kept_leaves_nothing_at_the_cluster(
    running: RunningCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan, files = _mischief(tmp_path, 60)
    undisturbed = execute(plan, SMALL, MemoryJournal(), strategies=files)
    monkeypatch.setattr("surefill.sweep.hand_out.PORTION_MAX", 1)
    monkeypatch.setattr("surefill.sweep.orchestrator.COMMIT_AT_MOST", 1)
    executor, inner = ClusterWorkers(SMALL.series, running.address), MemoryJournal()
    journal, known = FaultyJournal(inner), [0]
    journal.plan(JournalFault.REFUSED, 4)
    with pytest.raises(JournalError) as full:
        execute(plan, SMALL, journal, executor=executor, strategies=files)
    assert running.tasks() == 0, f"{full.value} has left work behind"
    journal.reopen()
    stopped = execute(
        plan,
        SMALL,
        journal,
        executor=executor,
        strategies=files,
        stopping=lambda: known[-1] >= 10,
        on_progress=lambda progress: known.append(progress.done),
    )
    assert stopped.status == "canceled"
    assert 10 <= stopped.completed < len(plan.variants)
    assert running.tasks() == 0
    assert execute(plan, SMALL, journal, executor=executor, strategies=files) == undisturbed


def test_cluster_by_command_gives_what_the_command_gives_here(
    running: RunningCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    words = ("sweep", "run", *CROSS, *GRID, "--path", "engine", "--json")
    here = surefill(*words, "--workers", "0", "-j", "here.journal")
    there = surefill(*words, "--cluster", running.address, "-j", "there.journal")
    assert there.json() == here.json()
    assert there.json()["completed"] == 7
    resumed = surefill(
        "sweep", "resume", there.json()["run_plan_id"], "--cluster", running.address, "-j", "there.journal"
    )
    assert resumed.code == 0


def test_client_of_another_version_is_refused(running: RunningCluster, tmp_path: Path) -> None:
    shutil.copytree(Path(package.__file__).parent, tmp_path / "surefill")
    with (tmp_path / "surefill" / "units.py").open("a") as source:
        source.write("# another version\n")
    words = ["sweep", "run", "sma_cross", "-S", "fast=2,3", "--cluster", running.address, "--json"]
    done = subprocess.run(
        [sys.executable, "-m", "surefill", *words],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 4
    assert '"VERSIONS_DIFFER"' in done.stderr
    assert "surefill 0.1.0+" in done.stderr


@pytest.mark.parametrize(
    ("address", "kind", "code"),
    [(NOBODY, RemoteError, "CLUSTER_UNREACHABLE"), ("somewhere", ConfigError, "INVALID_CONFIG")],
)
def test_address_without_a_scheduler_is_told(
    address: str, kind: type[Exception], code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "_ANSWER_S", 0.2)
    with pytest.raises(kind, match=address) as told:
        execute(crosses(MARKET), MARKET, MemoryJournal(), executor=ClusterWorkers(MARKET.series, address))
    assert told.value.code == code  # type: ignore[attr-defined]


def test_cluster_and_workers_of_this_machine_exclude_each_other() -> None:
    ran = surefill("sweep", "run", "sma_cross", "--cluster", NOBODY, "--workers", "2")
    assert (ran.code, "leave it out with --cluster" in ran.err) == (2, True)


def test_cluster_without_its_extra_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ConfigError, match=r"surefill\[cluster\]"):
        ClusterWorkers(MARKET.series, NOBODY)


def test_strategy_that_cannot_be_sent_is_refused() -> None:
    class Locked:
        name = "locked"

        def __init__(self) -> None:
            self.lock = threading.Lock()

        def evaluate(self, *_: object) -> tuple[()]:
            return ()

    executor = ClusterWorkers(MARKET.series, NOBODY)
    with pytest.raises(StrategyError, match="cannot be sent to a cluster"):
        execute(crosses(MARKET), MARKET, MemoryJournal(), executor=executor, strategies=(Locked(),))
    plan = generate(crosses(MARKET).base)
    with pytest.raises(StrategyError, match="cannot be read"):
        execute(plan, MARKET, MemoryJournal(), executor=executor, strategies=("gone.py:Gone",))


def test_scheduler_that_is_killed_and_started_again_costs_only_time_and_without_it_the_run_can_go_on_elsewhere(
    running: RunningCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan, files = _mischief(tmp_path, 30)
    undisturbed = execute(plan, SMALL, MemoryJournal(), strategies=files)
    monkeypatch.setattr("surefill.sweep.hand_out.PORTION_MAX", 1)
    monkeypatch.setattr("surefill.sweep.orchestrator.COMMIT_AT_MOST", 1)
    monkeypatch.setattr(cluster, "_ANSWER_S", 1.0)
    killed: list[int] = []

    def killing(known: int, *, again: bool) -> Callable[[Progress], None]:
        def moved(progress: Progress) -> None:
            if progress.done >= known and (not again or not killed):
                killed.append(progress.done)
                running.kill()
                if again:
                    running.start()

        return moved

    executor = ClusterWorkers(SMALL.series, running.address)
    moved = killing(5, again=True)
    found = execute(plan, SMALL, MemoryJournal(), executor=executor, strategies=files, on_progress=moved)
    assert found == undisturbed
    assert 5 <= killed[0] < len(plan.variants)
    journal, impatient = MemoryJournal(), ClusterWorkers(SMALL.series, running.address, patience_s=0.1)
    try:
        with pytest.raises(RemoteError, match="go on with 'surefill sweep resume") as lost:
            execute(plan, SMALL, journal, executor=impatient, strategies=files, on_progress=killing(8, again=False))
    finally:
        running.start()
    assert lost.value.code == "CLUSTER_LOST"
    asked = Backwards(InProcess(SMALL.series))
    assert execute(plan, SMALL, journal, executor=asked, strategies=files) == undisturbed
    assert 0 < len(asked.asked) <= len(plan.variants) - 8
