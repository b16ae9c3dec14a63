"""What the tests of the documentation share: the pages, their code blocks, their links, the commands they show."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
_FENCE = re.compile(r"^(?P<fence>`{3,})(?P<info>[^\n`]*)\n(?P<text>.*?)^(?P=fence)[ \t]*$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"!?\[[^\]\n]*\]\((?P<target>[^()\s]+)(?: \"[^\"]*\")?\)")


class Block(NamedTuple):
    """A fenced block: what it says it is, the line its text begins at, and the text."""

    info: str
    line: int
    text: str


def pages() -> list[Path]:
    """Every Markdown page of the repository that a reader sees."""
    return sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("src/**/*.md")])


def name_of(page: Path) -> str:
    """How a page is called: its path in the repository."""
    return page.relative_to(ROOT).as_posix()


def blocks(page: Path, info: str) -> list[Block]:
    """The fenced blocks of a page that say they are `info`, such as python."""
    text = page.read_text()
    return [
        Block(info, text.count("\n", 0, found.start("text")) + 1, found["text"])
        for found in _FENCE.finditer(text)
        if found["info"].strip() == info
    ]


def prose(page: Path) -> str:
    """A page without its fenced blocks and without code in a line."""
    return re.sub(r"`[^`\n]+`", "", _FENCE.sub("", page.read_text()))


def links(page: Path) -> Iterator[str]:
    """The targets of a page's links and pictures."""
    return (found["target"] for found in _LINK.finditer(prose(page)))


def anchors(page: Path) -> set[str]:
    """The names by which a page's headings can be linked to, as the usual viewers make them."""
    headings = re.findall(r"^#{1,6} +(.+?) *$", _FENCE.sub("", page.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
