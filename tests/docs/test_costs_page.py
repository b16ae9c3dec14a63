"""The tables of the page on costs are the data's, and what is said above them is so."""

from __future__ import annotations

import re
import runpy

import pytest
from tests.docs.pages import ROOT

from surefill.domain.costs import SCHEDULES, priced_segments

PAGE = ROOT / "docs" / "costs.md"
SCRIPT = runpy.run_path(str(ROOT / "scripts" / "gen_costs"))


def test_tables_are_those_of_the_data() -> None:
    assert PAGE.read_text() == SCRIPT["render"](PAGE.read_text()), "run scripts/in-venv scripts/gen_costs"


def test_tables_have_a_row_for_every_rate_and_a_number_for_every_source() -> None:
    text = PAGE.read_text()
    components = [component for schedule in SCHEDULES.values() for component in schedule.components]
    rows = re.findall(r"^\| \w+ \| \w+ \| (?:both|purchases|sales) \| .* \| (\d+) \|$", text, re.MULTILINE)
    assert len(rows) == sum(len(component.rates) for component in components)
    sources = re.findall(r"^(\d+)\. ", text.partition("### Sources")[2], re.MULTILINE)
    assert set(rows) <= set(sources)
    assert len(sources) == len(set(sources)) > 10


def test_segments_in_the_text_are_those_of_the_schedules() -> None:
    for name, schedule in SCHEDULES.items():
        (row,) = re.findall(rf"^\| `{name}` \| .* \| (.*) \|$", PAGE.read_text(), re.MULTILINE)
        assert set(re.findall(r"`(\w+)`", row)) == set(priced_segments(schedule))


def test_script_says_when_the_page_is_old(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert SCRIPT["main"](["--check"]) == 0
    monkeypatch.setitem(SCRIPT["SIDES"], 0, "each")
    assert SCRIPT["main"](["--check"]) == 1
    assert "gen_costs" in capsys.readouterr().err
    assert SCRIPT["main"](["--wrong"]) == 2
