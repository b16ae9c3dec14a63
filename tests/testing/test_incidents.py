"""The disasters on the page are those that the program replays."""

from __future__ import annotations

from pathlib import Path

import pytest

from surefill.testing.incidents import INCIDENTS, Outcome, markdown, replay

PAGE = Path(__file__).resolve().parents[2] / "docs" / "incidents.md"


@pytest.fixture(scope="module")
def outcomes() -> list[Outcome]:
    return [replay(incident) for incident in INCIDENTS]


@pytest.mark.slow
def test_page_shows_what_a_run_gives(outcomes: list[Outcome]) -> None:
    assert markdown(outcomes) in PAGE.read_text()


@pytest.mark.slow
def test_every_incident_is_stopped_and_everything_is_accounted_for(outcomes: list[Outcome]) -> None:
    for outcome in outcomes:
        assert outcome.traded_value <= outcome.came_value // 100
        assert outcome.traded + sum(count for _, count in outcome.stopped_by) == outcome.came
