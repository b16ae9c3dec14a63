"""The package as a package: its version, and what importing it costs."""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys
import tomllib
from pathlib import Path

import surefill

PROJECT = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text())["project"]
HEAVY = ["numba", "numpy", "pyarrow", "pydantic", "rich", "typer"]


def test_import_in_a_fresh_process_loads_nothing_heavy() -> None:
    program = f"import sys, surefill; print(*[name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_version_is_the_same_wherever_it_is_asked() -> None:
    assert surefill.__version__ == PROJECT["version"]
    assert importlib.metadata.version("surefill") == PROJECT["version"]


def test_package_tells_type_checkers_that_it_is_typed() -> None:
    assert (Path(surefill.__file__).parent / "py.typed").is_file()
