"""Real processes: one trades, others look, halt, resume and stop it; two on one journal; signals."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.cli.running import SYNTHETIC, configured, start, surefill

from surefill.journal import SqliteJournal

LONG = SYNTHETIC.replace("bars: 60", "bars: 4000, speed: 3000")  # a bar each 20 ms, for more than a minute


class Trader:
    """A process that trades."""

    def __init__(self, folder: Path) -> None:
        self.config = configured(folder, LONG)
        self.process = start(folder, "trade", "--json")
        self.wait_for(lambda status: status["engine"] is not None and status["events"] > 20)

    def ask(self, *words: str) -> Any:
        ran = surefill(*words, "-c", self.config, "--json")
        assert ran.code == 0, ran.err
        return ran.json()

    def wait_for(self, done: Any) -> Any:
        for _ in range(200):
            ran = surefill("status", "-c", self.config, "--json")
            if ran.code == 0 and done(ran.json()):
                return ran.json()
            assert self.process.poll() is None, self.process.communicate()[1]
            time.sleep(0.05)
        raise AssertionError("not within ten seconds")

    def end(self) -> tuple[int, Any]:
        """Its exit code and what it printed."""
        out, err = self.process.communicate(timeout=20)
        return self.process.returncode, json.loads(out) if out else err


@pytest.fixture
def trader(tmp_path: Path) -> Iterator[Trader]:
    made = Trader(tmp_path)
    try:
        yield made
    finally:
        made.process.kill()
        made.process.communicate()


def test_running_engine_is_halted_resumed_looked_at_and_stopped_from_outside(trader: Trader) -> None:
    assert trader.ask("halt", "news", "--by", "ann")["halted_reason"] == "news"
    halted = trader.ask("status")
    assert (halted["halted"], halted["engine"]["pid"]) == ("OPERATOR", trader.process.pid)

    def bought() -> int:
        orders = trader.ask("orders", "--all")
        return sum(order["side"] == "BUY" and order["status"] == "FILLED" for order in orders)

    before = bought()
    trader.wait_for(lambda status: status["events"] > halted["events"] + 10)  # refusals and exits go on
    assert bought() == before
    assert trader.ask("resume", "--by", "ann")["halted"] == ""
    trader.wait_for(lambda status: bought() > before)
    assert {line["symbol"] for line in trader.ask("positions", "--all")} == {"A", "B"}
    assert trader.ask("reconcile") == {"differences": {}}

    second = start(trader.config.parent, "trade")
    _, told = second.communicate(timeout=20)
    assert (second.returncode, f"process {trader.process.pid}" in told) == (5, True)
    assert "Traceback" not in told

    assert trader.ask("stop", "--by", "ann") == {"stopping": True}
    code, summary = trader.end()
    assert (code, summary["finished"]) == (0, False)
    assert surefill("replay", "-c", trader.config, "--json").json()["state_hash"] == summary["status"]["state_hash"]
    assert not (trader.config.parent / "surefill.journal.sock").exists()


def test_second_engine_by_a_link_to_the_journal_is_refused_and_leaves_the_first_its_socket(trader: Trader) -> None:
    folder = trader.config.parent
    (folder / "link.journal").symlink_to("surefill.journal")
    (folder / "hard.journal").hardlink_to(folder / "surefill.journal")
    for name, told in (("link.journal", "2 names"), ("hard.journal", "2 names")):
        ran = surefill("trade", "-c", trader.config, "-j", folder / name, "--no-artefacts")
        assert (ran.code, told in ran.err) == (5, True), ran.err
    (folder / "hard.journal").unlink()
    ran = surefill("trade", "-c", trader.config, "-j", folder / "link.journal", "--no-artefacts")
    assert (ran.code, f"process {trader.process.pid}" in ran.err) == (5, True), ran.err
    halted = surefill("halt", "why", "-c", trader.config, "-j", folder / "link.journal", "--json")
    assert halted.json()["engine"]["pid"] == trader.process.pid
    assert trader.ask("status")["halted"] == "OPERATOR"


def test_engine_whose_journal_was_taken_over_ends_with_5_and_no_summary(tmp_path: Path) -> None:
    configured(tmp_path, LONG.replace("speed: 3000", "speed: 0.001"))  # it waits for hours between two bars
    process = start(tmp_path, "trade", "--json")
    assert process.stderr is not None
    try:
        assert "Trading in workspace" in process.stderr.readline()
        (tmp_path / "surefill.journal.lock").unlink()  # as a lock is on a disk that keeps none
        taken = SqliteJournal(tmp_path / "surefill.journal")
        taken.open_stream("main")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
    finally:
        process.kill()
    assert (process.returncode, out) == (5, "")
    assert "FENCED" in err
    assert "has another writer" in err.splitlines()[-1]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_stops_gracefully_and_the_next_run_goes_on(trader: Trader, number: int) -> None:
    trader.process.send_signal(number)
    code, summary = trader.end()
    assert (code, summary["finished"]) == (0, False)
    more = surefill("trade", "-c", trader.config, "-s", "feed.bars=600", "--speed", "0", "--json")
    assert (more.code, more.json()["finished"], more.json()["bars"]) == (0, True, 1200)
    assert surefill("journal", "verify", "-c", trader.config).code == 0


def test_killed_engine_leaves_a_journal_that_goes_on(trader: Trader) -> None:
    trader.process.kill()
    trader.process.wait()
    assert surefill("status", "-c", trader.config, "--json").json()["engine"] is None
    assert surefill("halt", "found dead", "-c", trader.config).code == 0  # its socket and lock are in nobody's way
    assert surefill("resume", "-c", trader.config).code == 0
    more = surefill("trade", "-c", trader.config, "-s", "feed.bars=600", "--speed", "0", "--json")
    assert (more.code, more.json()["finished"]) == (0, True)
    assert surefill("replay", "-c", trader.config).code == 0


def test_journal_followed_prints_events_as_they_come(trader: Trader) -> None:
    tail = start(trader.config.parent, "journal", "tail", "-f", "-n", "0", "--json")
    assert tail.stdout is not None
    try:
        seqs = [json.loads(tail.stdout.readline())["seq"] for _ in range(3)]
    finally:
        tail.send_signal(signal.SIGINT)
        tail.communicate(timeout=10)
    assert seqs == list(range(seqs[0], seqs[0] + 3))
    assert tail.returncode == 0


def test_results_are_alone_on_standard_output(tmp_path: Path) -> None:
    configured(tmp_path)
    ran = start(tmp_path, "trade", "--json")
    out, err = ran.communicate(timeout=30)
    assert (ran.returncode, json.loads(out)["finished"]) == (0, True)
    assert "operated at" in err


def test_help_is_quick_and_imports_no_engine() -> None:
    program = (
        "import sys, surefill.cli.app\n"
        "print(sorted(name for name in sys.modules if name.split('.')[0] in {'pydantic', 'apsw', 'numpy', 'numba',"
        " 'structlog', 'msgspec', 'yaml', 'asyncio'} or name in {'surefill.engine', 'surefill.config'}))"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
