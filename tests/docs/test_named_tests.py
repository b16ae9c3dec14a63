"""A page that names a test, a file of the repository or a benchmark names one that exists."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest
from tests.docs.pages import ROOT, name_of, pages

_TEST = re.compile(r"`(?:(?P<file>[\w/]+\.py)::)?(?P<name>test_\w*[a-z0-9])`")
_FILE = re.compile(r"`((?:src|tests|docs|benchmarks|examples|scripts)/[\w./-]+)`")


@cache
def known_tests() -> dict[str, set[str]]:
    """The names of all tests, by file; those of the public suites in `surefill.testing` too."""
    files = [*ROOT.glob("tests/**/*.py"), *ROOT.glob("src/surefill/testing/**/*.py")]
    return {name_of(file): set(re.findall(r"def (test_\w+)\(", file.read_text())) for file in files}


def missing(page: str) -> list[str]:
    """The tests and files that a page's text names and that are not there."""
    by_file = known_tests()
    everywhere = set().union(*by_file.values())
    absent = [
        found[0]
        for found in _TEST.finditer(page)
        if found["name"] not in (by_file.get(found["file"], set()) if found["file"] else everywhere)
    ]
    return absent + [path for path in _FILE.findall(page) if not (ROOT / path).exists()]


@pytest.mark.parametrize("page", pages(), ids=name_of)
def test_names_of_tests_and_files_on_a_page_exist(page: Path) -> None:
    assert missing(page.read_text()) == []


def test_names_that_do_not_exist_are_found() -> None:
    here = "tests/docs/test_named_tests.py"
    good = f"`{here}::test_names_that_do_not_exist_are_found` `test_names_that_do_not_exist_are_found` `{here}`"
    bad = [f"`{here}::test_links_of_a_page_lead_somewhere`", "`test_of_nothing`", "docs/nothing.md"]

    assert missing(f"{good} {bad[0]} {bad[1]} `{bad[2]}`") == bad
