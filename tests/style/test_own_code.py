"""Our own code keeps our own habits. The checks themselves are tested beside this file."""

from __future__ import annotations

import ast
import subprocess
import tomllib
from collections.abc import Callable, Iterable
from functools import cache, partial
from pathlib import Path

import pytest
from tests.style import syntax_checks, text_checks

ROOT = Path(__file__).resolve().parents[2]
SRC = ROOT / "src" / "surefill"

Check = Callable[[ast.Module], Iterable[tuple[int, str]]]


@cache
def _parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_bytes(), filename=str(path))


def _modules(*rings: str) -> list[Path]:
    return sorted(path for ring in rings or [""] for path in (SRC / ring).rglob("*.py"))


def _forbidden(contract_id: str) -> frozenset[str]:
    """The list that import-linter checks too; there for the whole graph, here for every single statement."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (names,) = [contract["forbidden_modules"] for contract in contracts if contract["id"] == contract_id]
    return frozenset(names)


PURE_RULES = partial(syntax_checks.impure_imports, forbidden=_forbidden("pure-rules"))
PURE_DOMAIN = partial(syntax_checks.impure_imports, forbidden=_forbidden("pure-domain"))
SCRIPTS = sorted(path for folder in ("scripts", ".ci") for path in (ROOT / folder).iterdir() if path.is_file())

CHECKS: list[tuple[str, Check, list[str]]] = [
    ("floats", syntax_checks.floats, ["rules", "domain"]),
    ("impure calls", syntax_checks.impure_calls, ["rules", "domain"]),
    ("set order", syntax_checks.set_order, ["rules", "domain"]),
    (
        "imports of rules",
        partial(syntax_checks.impure_imports, forbidden=_forbidden("pure-rules")),
        ["rules"],
    ),
    (
        "imports of domain",
        partial(syntax_checks.impure_imports, forbidden=_forbidden("pure-domain")),
        ["domain"],
    ),
    ("raises", syntax_checks.raises, ["rules"]),
    ("docstrings", syntax_checks.missing_docstrings, []),
    ("forgotten errors", syntax_checks.forgotten_errors, []),
    ("__all__", syntax_checks.unsorted_all, []),
]


@pytest.mark.parametrize(("check", "rings"), [row[1:] for row in CHECKS], ids=[row[0] for row in CHECKS])
def test_source_keeps_habit(check: Check, rings: list[str]) -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line}: {what}" for path in _modules(*rings) for line, what in check(_parsed(path))
    ]
    assert not found, "\n".join(["", *found])


def _python_files() -> list[Path]:
    return sorted(path for path in text_checks.tracked_files(ROOT) if path.suffix == ".py")


def test_python_files_are_short_enough_to_read() -> None:
    found = [
        f"{path.relative_to(ROOT)}: {what}"
        for path in _python_files()
        for _, what in text_checks.too_long(path.read_text())
    ]
    assert not found, "\n".join(["", *found])


def test_python_files_have_names_that_say_something() -> None:
    found = list(text_checks.banned_names(path.relative_to(ROOT) for path in _python_files()))
    assert not found, "\n".join(["", *found])


def test_tracked_files_hold_no_trace_of_a_machine() -> None:
    found = []
    for path in text_checks.tracked_files(ROOT):
        data = path.read_bytes()
        if b"\0" not in data:
            text = data.decode(errors="replace")
            found += [f"{path.relative_to(ROOT)}:{n}: {what}" for n, what in text_checks.machine_traces(text)]
    assert not found, "\n".join(["", *found])


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_script_parses_and_may_be_run(script: Path) -> None:
    text = script.read_text()
    assert script.stat().st_mode & 0o111, f"{script} is not executable: chmod +x"
    if "python" in text.partition("\n")[0]:
        ast.parse(text, filename=str(script))
    else:
        subprocess.run(["bash", "-n", str(script)], check=True)
        assert "\nset -euo pipefail\n" in text, f"{script} goes on after an error: set -euo pipefail"
