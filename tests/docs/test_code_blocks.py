"""The Python of the pages runs: all blocks of a page, in order, as one program."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.docs.pages import blocks, name_of, pages

PAGES = [page for page in pages() if blocks(page, "python")]


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_python_of_a_page_runs(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"__name__": "__page__"}
    for block in blocks(page, "python"):
        # As many empty lines before it as the page has: a traceback then names the page's own line.
        program = "\n" * (block.line - 1) + block.text
        exec(compile(program, name_of(page), "exec", dont_inherit=True), names)
