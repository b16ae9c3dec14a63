"""The page on conformance shows the suite as it is, and the guide quotes the worked example word by word."""

from __future__ import annotations

import re
import runpy
import textwrap
from pathlib import Path

import pytest
from tests.docs.pages import ROOT, Block, blocks

from surefill.testing.venue_conformance import CHECKS

SCRIPT = ROOT / "scripts" / "gen_conformance"
GUIDE = ROOT / "docs" / "venues" / "write-a-venue.md"
EXAMPLE = "\n".join(path.read_text() for path in sorted((ROOT / "examples" / "toy_venue").glob("*.py")))


def _quotes() -> list[Block]:
    return [*blocks(GUIDE, "py"), *_indented()]


def _indented() -> list[Block]:
    """Blocks within a list stand further in than a fence may."""
    found = re.findall(r"^   ```py\n(.*?)^   ```$", GUIDE.read_text(), re.MULTILINE | re.DOTALL)
    return [Block("py", 0, textwrap.dedent(each)) for each in found]


def test_conformance_page_shows_the_suite_as_it_is() -> None:
    script = runpy.run_path(str(SCRIPT))
    page = (ROOT / "docs" / "venues" / "conformance.md").read_text(encoding="utf-8")
    assert page == script["render"](), "run scripts/in-venv scripts/gen_conformance"


def test_conformance_page_check_outdated_page_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main = runpy.run_path(str(SCRIPT))["main"]
    main.__globals__["PAGE"] = tmp_path / "venues" / "conformance.md"
    assert main(["--check"]) == 1
    assert "gen_conformance" in capsys.readouterr().err
    assert main([]) == 0
    assert main(["--check"]) == 0
    assert main(["--unheard-of"]) == 2


def test_guide_quotes_the_example_word_by_word() -> None:
    quotes = _quotes()
    assert len(quotes) >= 9
    plain = textwrap.dedent(EXAMPLE).replace(" ", "")
    missing = [each.text for each in quotes if each.text.replace(" ", "").strip() not in plain]
    assert missing == []


def test_guide_names_checks_that_exist() -> None:
    named = {int(number) for number in re.findall(r"EX-(\d+)", GUIDE.read_text())}
    assert named
    assert named <= CHECKS.keys()
