"""The checks of files find what they are for, and leave alone what looks like it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from tests.style import text_checks as checks

# With a ~ in each, taken out before use: this file is checked too.
TRACES = [
    "/wo~rk/main/src",
    "see '/ro~ot/.cache'",
    "cd /ho~me/someone/x",
    "(/Us~ers/someone)",
    "log=/t~mp/out.txt",
    "file:///wo~rk/x",
    "--find-links /opt/wh~eels",
    "C:\\Us~ers\\someone",
    "https://py~pi.org/simple",
    "https://files.python~hosted.org/packages",
    "https://registry.npm~js.org/react",
]
INNOCENT = [
    "https://example.com/home/page",
    "docs/work/plan.md",
    "${HOME}/tmp/x",
    "./tmp/x",
    "/usr/bin/env bash",
    "/api/v1/orders",
    "a tmp/ folder",
    "mktemp -d",
    "",
]


@pytest.mark.parametrize("text", TRACES)
def test_machine_traces_of_a_trace_finds_its_line(text: str) -> None:
    assert [line for line, _ in checks.machine_traces("first\n" + text.replace("~", ""))] == [2]


@pytest.mark.parametrize("text", INNOCENT)
def test_machine_traces_of_innocent_text_finds_nothing(text: str) -> None:
    assert list(checks.machine_traces(text)) == []


@pytest.mark.parametrize(("lines", "found"), [(0, 0), (799, 0), (800, 0), (801, 1)])
def test_too_long_counts_from_the_limit(lines: int, found: int) -> None:
    assert len(list(checks.too_long("x\n" * lines))) == found


@pytest.mark.parametrize("name", ["src/a/utils.py", "src/common/a.py", "tests/helpers.py", "misc.py"])
def test_banned_names_of_a_vague_name_finds_it(name: str) -> None:
    assert list(checks.banned_names([Path(name)]))


@pytest.mark.parametrize("name", ["src/a/position.py", "tests/conftest.py", "docs/base/x.svg", "database.py"])
def test_banned_names_of_a_telling_name_finds_nothing(name: str) -> None:
    assert list(checks.banned_names([Path(name)])) == []


def test_tracked_files_in_a_repository_are_those_that_git_knows(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    for name in ("known name.py", "unknown.py", "deleted.py"):
        (tmp_path / name).write_text("x = 1\n")
    subprocess.run(["git", "-C", str(tmp_path), "add", "known name.py", "deleted.py"], check=True)
    (tmp_path / "deleted.py").unlink()
    assert checks.tracked_files(tmp_path) == [tmp_path / "known name.py"]


def test_tracked_files_outside_a_repository_are_all_but_products(tmp_path: Path) -> None:
    for name in ("a.py", ".venv/b.py", "src/c.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x = 1\n")
    assert sorted(checks.tracked_files(tmp_path)) == [tmp_path / "a.py", tmp_path / "src" / "c.py"]
