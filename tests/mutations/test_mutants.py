"""The table of mutants fits the program, the page says what came of it, and the four that matter most are killed."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from tests.docs.test_named_tests import known_tests
from tests.mutations.mutants import MUTANTS, NAMED, Mutant
from tests.mutations.running import BEGIN, END, PAGE, ROOT, Unusable, failures, mutated, unnoticed

VENUES = {"Binance", "Kite", "MT5"}


def _unknown_tests(mutant: Mutant) -> Iterator[str]:
    by_file = known_tests()
    public = {name for file, names in by_file.items() if file.startswith("src/") for name in names}
    for test in mutant.tests:
        file, _, name = test.partition("::")
        if not (ROOT / file).is_file() or (name and name.rpartition("::")[2] not in by_file[file] | public):
            yield test


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.what)
def test_mutant_names_one_place_of_the_program_and_tests_that_exist(mutant: Mutant) -> None:
    text = (ROOT / "src" / "surefill" / mutant.file).read_text()

    assert mutated(mutant, text) != text
    assert mutant.tests
    assert list(_unknown_tests(mutant)) == []


def test_mutants_cover_every_invariant_and_every_venue_with_codes_of_its_own() -> None:
    assert {mutant.rule for mutant in MUTANTS} == {str(number) for number in range(1, 23)} | VENUES


def test_mutant_is_tried_once_and_the_page_tells_that_each_was_killed() -> None:
    told = PAGE.read_text().partition(BEGIN)[2].partition(END)[0]
    rows = re.findall(r"^\| (\w+) \| (.+?) \| .* \| (\w+) \|$", told, re.MULTILINE)

    assert len({mutant[:5] for mutant in MUTANTS}) == len(MUTANTS)
    assert rows[1:] == [(mutant.rule, mutant.what, "killed") for mutant in MUTANTS]


@pytest.mark.slow
@pytest.mark.parametrize("mutant", NAMED, ids=lambda mutant: mutant.what)
def test_program_without_its_first_promises_is_found_out(mutant: Mutant) -> None:
    assert unnoticed(mutant) == []


def test_mutant_that_changes_nothing_survives_and_one_without_a_place_cannot_be_tried() -> None:
    harmless = Mutant("1", "nothing", "secret.py", "class Secret:", "class Secret:  # still", ("tests/test_secret.py",))

    assert unnoticed(harmless) == ["tests/test_secret.py"]
    with pytest.raises(Unusable, match="stands 0 times"):
        unnoticed(harmless._replace(text="class Public:"))
    with pytest.raises(Unusable, match="pytest ended with"):
        failures(ROOT / "src", ["tests/test_secret.py::test_nothing"])
