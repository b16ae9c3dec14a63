"""The demonstration, as a whole and in its parts."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
from contextlib import closing, redirect_stdout
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

import surefill.demo
from surefill.demo import crash
from surefill.demo.plan import SPECS
from surefill.errors import JournalLocked, LocalError
from surefill.journal import SqliteJournal

REPORT_BYTES_MAX = 1_500_000

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> tuple[surefill.demo.DemoResult, str]:
    """A demonstration, and what it printed."""
    out = io.StringIO()
    folder = tmp_path_factory.mktemp("demo")
    (folder / "mine.txt").write_text("of the user")
    return surefill.demo.run(folder, console=Console(file=out, width=80), json=False), out.getvalue()


#: The most bytes that a process has held. On Linux not `ru_maxrss`: a new program begins there with its parent's peak.
PEAK = (
    "status = open('/proc/self/status').read() if sys.platform == 'linux' else '';"
    "peak = int(status.partition('VmHWM:')[2].split()[0]) * 1024 if status"
    " else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss"
)


def test_demo_kills_the_second_run_in_the_middle(shown: tuple[surefill.demo.DemoResult, str]) -> None:
    result, _ = shown
    events = result.undisturbed.events
    assert events > 4_000
    assert events // 2 <= result.crash.killed_at < events * 0.8
    assert result.crash.after.found == result.crash.killed_at
    assert result.crash.after.events == events
    assert 0 < result.crash.after.resume_s < 10
    assert 0 < result.crash.after.commits < result.undisturbed.commits


def test_demo_proves_that_the_crash_shows_nowhere(shown: tuple[surefill.demo.DemoResult, str]) -> None:
    result, _ = shown
    assert result.ok
    assert result.proof.ok
    assert [finding.text for finding in result.proof.findings if not finding.ok] == []
    with (
        closing(SqliteJournal(result.journal, readonly=True)) as one,
        closing(SqliteJournal(result.killed_journal, readonly=True)) as other,
    ):
        for spec in SPECS:
            mine = [record.payload for record in one.read(spec.workspace_id)]
            assert mine == [record.payload for record in other.read(spec.workspace_id)]
        assert sum(head.epoch for head in other.heads().values()) > len(SPECS), "nobody opened it a second time"


def test_demo_results_add_up(shown: tuple[surefill.demo.DemoResult, str]) -> None:
    result, printed = shown
    for spec in SPECS:
        *lines, total = [line for line in result.results if line.workspace_id == spec.workspace_id]
        assert [line.symbol for line in lines] == list(spec.symbols)
        assert sum(line.trades for line in lines) == total.trades > 50
        for amount in ("net", "open_net", "fees"):
            parts = sum(Decimal(getattr(line, amount)) for line in lines)
            assert abs(parts - Decimal(getattr(total, amount))) <= Decimal("0.03"), "more than rounding to cents"
        end = Decimal(100_000) + Decimal(total.net) + Decimal(total.open_net)
        assert f"100,000.00 USD became {end:,.2f}" in printed


def test_demo_says_what_it_did_in_lines_that_fit(shown: tuple[surefill.demo.DemoResult, str]) -> None:
    result, printed = shown
    for said in (
        f"{result.undisturbed.events:,} events",
        f"got SIGKILL when {result.crash.killed_at:,} of",
        "nothing was done twice and nothing was lost",
        "the same, byte for byte",
        str(result.report),
        f"journal verify --journal {result.journal}",
    ):
        assert said in printed
    assert "…" not in printed.replace("…\n", ""), "a table was cut"
    assert "NOT SO" not in printed


def test_demo_leaves_one_small_report_and_touches_nothing_else(shown: tuple[surefill.demo.DemoResult, str]) -> None:
    result, _ = shown
    assert result.report.stat().st_size < REPORT_BYTES_MAX
    assert (result.report.parent / "mine.txt").read_text() == "of the user"


def test_demo_with_json_prints_one_document_and_replaces_the_former(
    shown: tuple[surefill.demo.DemoResult, str],
) -> None:
    before, _ = shown
    out, console = io.StringIO(), io.StringIO()
    with redirect_stdout(out):
        result = surefill.demo.run(before.report.parent, console=Console(file=console), json=True)
    printed = json.loads(out.getvalue())
    assert printed["ok"] is True
    assert printed["report"] == str(result.report)
    assert printed["proof"]["digest"] == before.proof.digest == result.proof.digest
    assert printed["crash"]["killed_at"] == result.crash.killed_at
    assert console.getvalue() == ""


def test_demo_in_a_folder_where_another_runs_is_refused(tmp_path: Path) -> None:
    with closing(SqliteJournal(tmp_path / "journal.db")), pytest.raises(JournalLocked):
        surefill.demo.run(tmp_path, console=Console(quiet=True), json=False)
    assert (tmp_path / "journal.db").exists()


def test_journal_of_another_process_with_another_hash_seed_is_the_same_and_takes_little_memory(tmp_path: Path) -> None:
    heads = []
    program = (
        "import resource, sys; from surefill.demo.child import main; code = main(sys.argv[1:]);"
        f"{PEAK};"
        "sys.exit(code or peak > 300 * 2**20)"
    )
    for seed in ("0", "4711"):
        path = tmp_path / f"{seed}.db"
        command = [sys.executable, "-c", program, str(path)]
        subprocess.run(command, check=True, env=os.environ | {"PYTHONHASHSEED": seed}, capture_output=True)
        with closing(SqliteJournal(path, readonly=True)) as journal:
            heads.append(journal.heads())
    assert heads[0] == heads[1], "the hash chains of two equal runs end differently"
    assert set(heads[0]) == {spec.workspace_id for spec in SPECS}


def test_demo_takes_little_memory_itself(tmp_path: Path) -> None:
    program = (
        "import io, resource, sys; import surefill.demo; from rich.console import Console; from pathlib import Path;"
        "result = surefill.demo.run(Path(sys.argv[1]), console=Console(file=io.StringIO()), json=False);"
        f"{PEAK};"
        "sys.exit(not result.proof.ok or peak > 300 * 2**20)"
    )
    subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=True, capture_output=True)


def test_child_that_fails_is_told(tmp_path: Path) -> None:
    with pytest.raises(
        LocalError, match=r"^the process .* failed by itself: journal .*no/such/journal.db, while opening"
    ) as raised:
        crash.run_killed(tmp_path / "no/such/journal.db", 10)
    assert raised.value.code == "DEMO_FAILED"


def test_child_does_not_outlive_a_watcher_that_fails(tmp_path: Path) -> None:
    began: list[subprocess.Popen[str]] = []

    def stop(events: int) -> None:
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        popen = subprocess.Popen

        def remembered(*arguments: Any, **options: Any) -> subprocess.Popen[str]:
            began.append(popen(*arguments, **options))
            return began[0]

        patch.setattr(subprocess, "Popen", remembered)
        with pytest.raises(KeyboardInterrupt):
            crash.run_killed(tmp_path / "journal.db", 10, stop)
    assert [child.returncode for child in began] == [-signal.SIGKILL]


def test_child_that_is_always_quicker_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[str] = []

    def quick(command: list[str], **options: Any) -> subprocess.Popen[str]:
        started.append(command[-1])
        return popen([sys.executable, "-c", ""], **options)

    popen = subprocess.Popen
    monkeypatch.setattr(subprocess, "Popen", quick)
    with pytest.raises(LocalError, match=r"done 3 times before it could be killed"):
        crash.run_killed(tmp_path / "journal.db", 10)
    assert len(started) == crash.TRIES
