"""The tables of kills on the page about testing are those that the test is told."""

from __future__ import annotations

import runpy

import pytest
from tests.crash.live_steps import STEPS, TITLES
from tests.docs.pages import ROOT

PAGE = ROOT / "docs" / "testing.md"
SCRIPT = runpy.run_path(str(ROOT / "scripts" / "gen_kills"))


def test_tables_are_those_of_the_test() -> None:
    assert PAGE.read_text() == SCRIPT["render"](PAGE.read_text()), "run scripts/in-venv scripts/gen_kills"


def test_script_says_when_the_page_is_old(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert SCRIPT["main"](["--check"]) == 0
    monkeypatch.setitem(SCRIPT["TITLES"], "kite", "another")
    assert SCRIPT["main"](["--check"]) == 1
    assert "gen_kills" in capsys.readouterr().err
    assert SCRIPT["main"](["--unheard-of"]) == 2


def test_steps_have_names_of_their_own_and_say_what_they_are() -> None:
    assert len({step.name for step in STEPS}) == len({step.says for step in STEPS}) == len(STEPS)
    assert all(set(step.venues) <= TITLES.keys() for step in STEPS)
