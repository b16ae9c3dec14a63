from __future__ import annotations

from pathlib import Path

import pytest
from tests.docs.pages import ROOT, anchors, links, name_of, pages


def broken(page: Path, root: Path = ROOT) -> list[str]:
    """The internal links of a page that lead nowhere."""
    found = []
    for target in links(page):
        if target.startswith(("https://", "http://", "mailto:")):
            continue
        path, _, anchor = target.partition("#")
        there = (page.parent / path).resolve() if path else page
        if not there.exists() or not there.is_relative_to(root) or (anchor and anchor not in anchors(there)):
            found.append(target)
    return found


@pytest.mark.parametrize("page", pages(), ids=name_of)
def test_links_of_a_page_lead_somewhere(page: Path) -> None:
    assert broken(page) == []


def test_links_that_lead_nowhere_are_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# A heading\n[a](#a-heading) [b](#other) [c](missing.md) `[d](code.md)` [e](https://example.org/x)\n"
        "```text\n[f](code.md)\n```\n![g](missing.svg)\n"
    )

    assert broken(page, tmp_path) == ["#other", "missing.md", "missing.svg"]


def test_every_page_of_the_folder_is_in_its_index() -> None:
    index = ROOT / "docs" / "README.md"

    listed = {(index.parent / target.partition("#")[0]).resolve() for target in links(index)}

    assert [name_of(page) for page in sorted(ROOT.glob("docs/**/*.md")) if page != index and page not in listed] == []
