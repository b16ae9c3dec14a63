"""The table of order transitions, cell by cell, and the page that shows it."""

import runpy
from pathlib import Path

import pytest

from surefill.rules.codes import Anomaly, OrdEvent, OrdStatus
from surefill.rules.transitions import TRANSITIONS, is_terminal, next_status

ROOT = Path(__file__).parents[2]
SUBMITTED, UNKNOWN, NEW, PARTIALLY_FILLED, FILLED, CANCELED, REJECTED, EXPIRED = OrdStatus
DUPLICATE, LATE_FILL, ILLEGAL = Anomaly

# ACCEPT, REJECT, OUTCOME_UNKNOWN, FILL, FILL_COMPLETE, CANCEL, EXPIRE
EXPECTED = {
    SUBMITTED: (NEW, REJECTED, UNKNOWN, PARTIALLY_FILLED, FILLED, CANCELED, EXPIRED),
    UNKNOWN: (NEW, REJECTED, DUPLICATE, PARTIALLY_FILLED, FILLED, CANCELED, EXPIRED),
    NEW: (DUPLICATE, REJECTED, DUPLICATE, PARTIALLY_FILLED, FILLED, CANCELED, EXPIRED),
    PARTIALLY_FILLED: (DUPLICATE, ILLEGAL, DUPLICATE, PARTIALLY_FILLED, FILLED, CANCELED, EXPIRED),
    FILLED: (DUPLICATE, ILLEGAL, DUPLICATE, LATE_FILL, LATE_FILL, ILLEGAL, ILLEGAL),
    CANCELED: (DUPLICATE, ILLEGAL, DUPLICATE, LATE_FILL, LATE_FILL, DUPLICATE, DUPLICATE),
    REJECTED: (DUPLICATE, DUPLICATE, DUPLICATE, LATE_FILL, LATE_FILL, ILLEGAL, ILLEGAL),
    EXPIRED: (DUPLICATE, ILLEGAL, DUPLICATE, LATE_FILL, LATE_FILL, DUPLICATE, DUPLICATE),
}
CELLS = [
    pytest.param(status, event, expected, id=f"{status.name}-{event.name}")
    for status, row in EXPECTED.items()
    for event, expected in zip(OrdEvent, row, strict=True)
]


@pytest.mark.parametrize(("status", "event", "expected"), CELLS)
def test_transition_each_cell_leads_where_expected(
    status: OrdStatus, event: OrdEvent, expected: OrdStatus | Anomaly
) -> None:
    assert TRANSITIONS[status][event] is expected
    assert next_status(status, event) == expected
    assert type(next_status(status, event)) is int


def test_transitions_table_is_total_and_holds_nothing_else() -> None:
    assert list(TRANSITIONS) == list(OrdStatus)
    assert all(list(row) == list(OrdEvent) for row in TRANSITIONS.values())


@pytest.mark.parametrize(("status", "event"), [(0, 1), (9, 1), (-1, 1), (1, 0), (1, 8), (1, -1), (8, 8), (99, 99)])
def test_next_status_outside_the_table_is_illegal(status: int, event: int) -> None:
    assert next_status(status, event) == ILLEGAL


@pytest.mark.parametrize("status", OrdStatus)
def test_is_terminal_each_status(status: OrdStatus) -> None:
    assert is_terminal(status) == (status in (FILLED, CANCELED, REJECTED, EXPIRED))


def test_transitions_page_shows_the_table_as_it_is() -> None:
    script = runpy.run_path(str(ROOT / "scripts" / "gen_transitions"))
    page = (ROOT / "docs" / "transitions.md").read_text(encoding="utf-8")
    assert page == script["render"](), "run scripts/in-venv scripts/gen_transitions"


def test_transitions_page_check_outdated_page_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    script = runpy.run_path(str(ROOT / "scripts" / "gen_transitions"))
    main = script["main"]
    main.__globals__["PAGE"] = tmp_path / "docs" / "transitions.md"
    assert main(["--check"]) == 1
    assert "gen_transitions" in capsys.readouterr().err
    assert main([]) == 0
    assert main(["--check"]) == 0
    assert main(["--unheard-of"]) == 2
