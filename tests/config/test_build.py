"""The build: the same for the same source, another for any other."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import surefill
from surefill.config import Settings, build_of_this, opening_of
from surefill.config.build import build_of


def _package(folder: Path) -> Path:
    (folder / "inner").mkdir(parents=True)
    (folder / "__init__.py").write_text("ONE = 1\n")
    (folder / "inner" / "rule.py").write_text("TWO = 2\n")
    (folder / "notes.txt").write_text("nothing that runs\n")
    return folder


def test_build_is_the_same_wherever_the_source_lies(tmp_path: Path) -> None:
    first, second = _package(tmp_path / "a"), _package(tmp_path / "elsewhere" / "b")
    (second / "notes.txt").write_text("other notes\n")
    assert build_of(first, "1.2") == build_of(second, "1.2")
    assert build_of(first, "1.2").startswith("1.2+")


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: (folder / "inner" / "rule.py").write_text("TWO = 3\n"),
        lambda folder: (folder / "inner" / "rule.py").rename(folder / "inner" / "rules.py"),
        lambda folder: (folder / "inner" / "more.py").write_text(""),
        lambda folder: (folder / "__init__.py").unlink(),
    ],
)
def test_build_is_another_for_any_other_source(tmp_path: Path, change: Callable[[Path], object]) -> None:
    folder = _package(tmp_path / "a")
    before = build_of(folder, "1")
    change(folder)
    assert build_of(folder, "1") != before
    assert build_of(_package(tmp_path / "b"), "2") != before


def test_build_of_this_program_is_journaled_with_every_opening() -> None:
    opening = opening_of(Settings(), 1)
    assert opening.build == build_of_this() == build_of(Path(surefill.__file__).parent, surefill.__version__)
    assert not opening.accept_changes
    assert opening_of(Settings(), 1, accept_changes=True).accept_changes
