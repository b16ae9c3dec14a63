"""The benchmarks run, tell rows, and assert what they time. Their figures are nobody's business here."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BENCHMARKS = ROOT / "benchmarks"
NOT_THERE = {"SUREFILL_PEERS": "/nowhere"}  # peers are not measured in tests, wherever they may be installed


def run(script: str, *options: str, **variables: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(BENCHMARKS / script), *options]
    environment = {**os.environ, **NOT_THERE, **variables}
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120)


BACKTESTS = ["event-driven backtest", "event-driven backtest", "kernel backtest"] * 3 + ["event-driven backtest"]
CASES: dict[str, tuple[tuple[str, ...], list[str]]] = {
    "backtest.py": (("--bars", "3000", "--rounds", "1"), BACKTESTS),
    "gate_chain.py": (("--intents", "20", "--rounds", "1"), ["gate chain"] * 5),
    "order_path.py": (("--intents", "100", "--rounds", "1", "--paired", "200"), ["order path"] * 4),
    "durable_intents.py": (("--per-caller", "2", "--rounds", "1"), ["journal"] * 3),
    "journal_floor.py": (("--events", "1280", "--rounds", "1"), ["journal"] * 6),
    "recovery.py": (("--events", "5000", "--rounds", "1"), ["recovery"] * 4),
    "sweep.py": (("--variants", "20", "--bars", "500", "--rounds", "1"), ["sweep"] * 5),
    "venue_path.py": (("--orders", "6", "--rounds", "1"), ["venue path"] * 2),
    "quotes_to_exit.py": (
        ("--positions", "4", "--rate", "400", "--seconds", "0.5", "--rounds", "1"),
        ["venue path"] * 2,
    ),
    "start.py": (("--rounds", "1"), ["start"] * 3),
}


@pytest.mark.parametrize("script", CASES)
def test_benchmark_of_tiny_size_tells_its_rows(script: str) -> None:
    options, aims = CASES[script]
    done = run(script, "--json", *options)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert [row[0] for row in told["rows"]] == aims
    for _, what, figure, _, _, target, met in told["rows"]:
        assert what
        assert re.search(r"\d", figure)
        assert isinstance(met, bool) == bool(target)
    if script == "order_path.py":
        assert "Peers were not measured" in told["notes"][0]


def test_every_benchmark_is_in_the_table_and_in_these_tests() -> None:
    done = run("table.py", "--help")
    listed = re.search(r"--only \{([a-z_,]+)\}", done.stdout)
    assert listed is not None
    shared = {"setting.py", "rows.py", "table.py", "peer_programs.py"}
    there = {path.name for path in BENCHMARKS.glob("*.py")} - shared
    assert {f"{name}.py" for name in listed[1].split(",")} == there == set(CASES)


def test_table_of_one_benchmark_is_printed_and_the_page_left_alone() -> None:
    page = ROOT / "docs" / "benchmarks.md"
    before = page.read_bytes()
    done = run("table.py", "--quick", "--only", "start")
    assert done.returncode == 0, done.stderr
    assert "| start | `import surefill` |" in done.stdout
    assert re.search(r"\d of 3 targets were met", done.stdout)
    assert page.read_bytes() == before


def test_figures_page_has_one_place_for_the_table() -> None:
    text = (ROOT / "docs" / "benchmarks.md").read_text()
    begin, end = (text.index(f"<!-- measured: {word} -->") for word in ("begin", "end"))
    assert begin < end


def test_peers_setup_without_a_new_python_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "python3").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "python3").chmod(0o755)
    for tool in ("bash", "dirname", "cmp", "sed", "ls"):
        (tmp_path / tool).symlink_to(subprocess.check_output(["which", tool], text=True).strip())
    environment = {"PATH": str(tmp_path), "SUREFILL_PEERS": str(tmp_path / "peers")}
    done = subprocess.run(
        [str(tmp_path / "bash"), str(BENCHMARKS / "peers" / "setup")], capture_output=True, text=True, env=environment
    )
    assert done.returncode == 1
    assert "name it in SUREFILL_PEERS_PYTHON" in done.stderr
    assert not (tmp_path / "peers").exists()


@pytest.mark.parametrize("program", sorted(path.name for path in (BENCHMARKS / "peers").glob("*.py")))
def test_peer_program_is_sound_python(program: str) -> None:
    path = BENCHMARKS / "peers" / program
    compile(path.read_text(), program, "exec")
