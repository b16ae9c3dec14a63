"""The contracts in pyproject.toml refuse what they are for: tried on small trees that each break one."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
RINGS = ["engine", "venues", "journal", "domain", "rules", "views", "intake", "strategy", "cli", "testing"]
EMULATORS = "testing/emulators"

BROKEN = [
    ("domain/a.py", "import surefill.engine", "Every import points down the rings BROKEN"),
    ("engine/a.py", "import surefill.views", "Every import points down the rings BROKEN"),
    ("strategy/a.py", "import surefill.intake", "Every import points down the rings BROKEN"),
    ("journal/a.py", "import surefill.venues", "Every import points down the rings BROKEN"),
    ("stowaway/__init__.py", "", "Every import points down the rings BROKEN"),
    ("venues/kite.py", "import surefill.venues.paper", "No venue knows another BROKEN"),
    (
        f"{EMULATORS}/binance.py",
        "import surefill.venues.paper",
        "An emulated venue and its adapter share no mistake BROKEN",
    ),
    (f"{EMULATORS}/kite.py", "import surefill.testing.emulators.binance", "No emulated venue knows another BROKEN"),
    ("rules/a.py", "import time", "rules: integers in, integers out BROKEN"),
    ("rules/a.py", "from random import choice", "rules: integers in, integers out BROKEN"),
    ("domain/a.py", "import sqlite3", "domain: no clock, no chance, no I/O BROKEN"),
    ("engine/b.py", "import surefill.engine.a", "No cycles BROKEN"),
]

KEPT = [
    ("intake/a.py", "import surefill.strategy, surefill.engine, surefill.rules"),
    ("views/a.py", "import surefill.engine"),
    ("cli/a.py", "import surefill.intake, time, os"),
]


def _lint(tmp_path: Path, name: str, source: str) -> str:
    package = tmp_path / "surefill"
    for folder in ["", *RINGS, EMULATORS, f"{EMULATORS}/common"]:
        (package / folder).mkdir()
        (package / folder / "__init__.py").touch()
    (package / "venues" / "paper.py").touch()
    (package / EMULATORS / "binance.py").touch()
    (package / "engine" / "a.py").write_text("import surefill.engine.b\n")
    (package / "engine" / "b.py").touch()
    (package / name).parent.mkdir(exist_ok=True)
    (package / name).write_text(f"{source}\n")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    program = "import sys; from importlinter.cli import lint_imports_command; lint_imports_command()"
    command = [sys.executable, "-c", program, "--no-logo", "--no-cache"]
    environment = {**os.environ, "PYTHONPATH": str(tmp_path), "NO_COLOR": "1", "COLUMNS": "200"}
    return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True).stdout


@pytest.mark.parametrize(("name", "source", "verdict"), BROKEN)
def test_contract_of_a_forbidden_import_is_broken(tmp_path: Path, name: str, source: str, verdict: str) -> None:
    assert verdict in _lint(tmp_path, name, source)


@pytest.mark.parametrize(("name", "source"), KEPT)
def test_contracts_of_allowed_imports_are_kept(tmp_path: Path, name: str, source: str) -> None:
    assert "Contracts: 7 kept, 0 broken." in _lint(tmp_path, name, source)
