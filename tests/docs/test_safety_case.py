"""The safety case names every invariant and every fault, and functions and tests that exist."""

from __future__ import annotations

import importlib
import re
from operator import attrgetter

import pytest
from tests.docs.pages import ROOT

PAGE = (ROOT / "docs" / "safety.md").read_text()
INVARIANTS = 22
FAULTS = (
    "crash before or after the commit",
    "request lost",
    "response lost",
    "accept arriving during a retry's back-off",
    "fill before the acknowledgement",
    "filled before the query and absent from open orders",
    "request delayed beyond its deadline",
    "duplicate, reordered and late fills",
    "cancel/fill race",
    "stale or empty snapshot",
    "429, 418, 503 of each meaning",
    "clock jumps",
    "ENOSPC, EIO, failed fsync",
    "journal lost with positions open",
    "torn and lost unsynced writes",
    "two writers, a paused writer",
    "token expiry mid-order",
    "orders made by the venue or by hand",
    "writer queue full",
)
_FUNCTION = re.compile(r"`(surefill[\w.]*):([\w.]+)`")
_TEST = re.compile(r"`[\w/]+\.py::test_\w+`")


def rows(heading: str) -> list[list[str]]:
    """The cells of the rows below a heading."""
    section = PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("| ")]
    return [re.split(r"\s*\|\s*", line)[1:-1] for line in lines[1:]]


ROWS = [*rows("Invariants"), *rows("Faults")]


def test_case_has_a_row_for_every_invariant_and_every_fault() -> None:
    assert [row[0] for row in rows("Invariants")] == [str(number) for number in range(1, INVARIANTS + 1)]
    assert tuple(row[0] for row in rows("Faults")) == FAULTS


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_case_row_says_how_and_by_which_test_or_that_it_is_not_there(row: list[str]) -> None:
    state, how, shown = row[-3:]
    nothing = state.startswith("not there yet (")

    assert nothing or state.startswith(("holds", "in part: "))
    assert bool(_FUNCTION.search(how)) != nothing
    assert bool(_TEST.search(shown)) != nothing


def test_case_names_functions_that_exist() -> None:
    named = _FUNCTION.findall(PAGE)

    assert len(named) > 50
    assert [f"{module}:{path}" for module, path in named if not _exists(module, path)] == []


def _exists(module: str, path: str) -> bool:
    try:
        attrgetter(path)(importlib.import_module(module))
    except (ImportError, AttributeError):
        return False
    return True


def test_case_with_a_name_that_does_not_exist_is_found() -> None:
    assert _exists("surefill.units", "to_quanta")
    assert not _exists("surefill.units", "to_quantum")
    assert not _exists("surefill.nowhere", "to_quanta")
