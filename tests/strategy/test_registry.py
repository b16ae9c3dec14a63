from __future__ import annotations

import importlib.metadata
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest
from tests.strategy.books import Book, daily, spec_of

from surefill.errors import InputError, StrategyError
from surefill.strategy import StrategyRegistry, StrategyRunner
from surefill.strategy.registry import ENTRY_POINT_GROUP

BUILT_IN = ["breakout_52w_high", "donchian", "donchian_stop", "ema_cross", "rsi_reversal", "sma_cross"]
SOURCE = """
from surefill.strategy import Decision

class Always:
    name = "{name}"

    def evaluate(self, spec, snapshot, position):
        yield Decision.open_long("always")
"""


class Quiet:
    """Never does anything."""

    name = "quiet"

    def evaluate(self, spec: object, snapshot: object, position: object) -> Iterator[str]:
        yield from ()


class Loud(Quiet):
    """Has the same name."""


class Demanding(Quiet):
    """Cannot be made without an argument."""

    name = "demanding"

    def __init__(self, level: int) -> None:
        self.level = level


class Nameless(Quiet):
    """Has no name."""

    name = ""


class Idle:
    """Cannot be asked."""

    name = "idle"


def test_registry_lists_the_built_in_strategies() -> None:
    registry = StrategyRegistry()
    assert registry.names() == BUILT_IN
    assert [registry.get(name).name for name in BUILT_IN] == BUILT_IN
    assert [p.name for p in registry.parameters("ema_cross") or ()] == ["fast", "slow"]
    assert registry.parameters("breakout_52w_high") == ()


def test_registry_takes_a_class_or_an_instance() -> None:
    registry = StrategyRegistry()
    assert registry.add(Quiet) == "quiet"
    assert registry.add(Quiet()) == "quiet"
    assert registry.add(Demanding(3)) == "demanding"
    assert registry.names() == sorted([*BUILT_IN, "demanding", "quiet"])
    assert registry.parameters("quiet") is None
    assert "quiet" not in StrategyRegistry().names()


@pytest.mark.parametrize(
    ("strategy", "says"),
    [
        (Loud, "there is a strategy 'quiet' already"),
        (Demanding, "Demanding cannot be made without arguments"),
        (Nameless, "^Nameless is no strategy; it needs a name"),
        (Nameless(), "^Nameless object is no strategy"),
        (Idle, "is no strategy; it needs a name .* and a method evaluate"),
    ],
)
def test_registry_refuses_what_is_no_strategy(strategy: Any, says: str) -> None:
    registry = StrategyRegistry()
    registry.add(Quiet)
    with pytest.raises(StrategyError, match=says) as refused:
        registry.add(strategy)
    assert refused.value.code == "INVALID_STRATEGY"


def test_strategy_without_declared_parameters_takes_any() -> None:
    registry = StrategyRegistry()
    registry.add(Quiet)
    spec = spec_of({"type": "quiet", "params": {"anything": "goes"}})
    assert StrategyRunner(registry).evaluate(spec, daily([1, 2]), Book()).intents == ()


def test_strategy_from_a_file_runs(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(SOURCE.format(name="always"))
    registry = StrategyRegistry()
    assert registry.load(f"{file}:Always") == "always"
    evaluation = StrategyRunner(registry).evaluate(spec_of("always"), daily([1, 2]), Book())
    assert [intent.reason for intent in evaluation.intents] == ["always"]


def test_strategy_from_a_file_that_was_changed_replaces_the_old_one(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    registry = StrategyRegistry()
    for reason in ("before", "afterwards"):
        file.write_text(SOURCE.format(name="always").replace('"always")', f'"{reason}")'))
        registry.load(f"{file}:Always")
    evaluation = StrategyRunner(registry).evaluate(spec_of("always"), daily([1, 2]), Book())
    assert [intent.reason for intent in evaluation.intents] == ["afterwards"]


def test_strategies_from_two_files_of_one_name_stay_apart(tmp_path: Path) -> None:
    registry = StrategyRegistry()
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "mine.py").write_text(SOURCE.format(name=folder))
        assert registry.load(f"{tmp_path / folder / 'mine.py'}:Always") == folder
    assert type(registry.get("a")).__module__ != type(registry.get("b")).__module__


@pytest.mark.parametrize(
    ("path", "source", "says"),
    [
        ("mine.py", "", "names no class in a file; write my_file.py:MyStrategy"),
        ("mine:Always", "", "names no class in a file"),
        ("mine.py:a-b", "", "names no class in a file"),
        ("other.py:Always", "", "other.py does not exist"),
        ("mine.py:Never", SOURCE, "has no class Never"),
        ("mine.py:Always", "1 / 0", "mine.py cannot be loaded: ZeroDivisionError"),
        ("mine.py:Always", "def", "mine.py cannot be loaded: SyntaxError"),
    ],
)
def test_strategy_from_a_bad_path_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str, source: str, says: str
) -> None:
    (tmp_path / "mine.py").write_text(source)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(StrategyError, match=says):
        StrategyRegistry().load(path)


def test_spec_does_not_make_the_registry_read_a_file(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text("raise SystemExit('was run')")
    with pytest.raises(InputError, match="is not known"):
        StrategyRunner().evaluate(spec_of(f"{file}:Always"), daily([1, 2]), Book())


def _installed(monkeypatch: pytest.MonkeyPatch, **values: str) -> StrategyRegistry:
    points = [EntryPoint(name, value, ENTRY_POINT_GROUP) for name, value in values.items()]
    monkeypatch.setattr("surefill.strategy.registry.entry_points", lambda group: points)
    return StrategyRegistry()


def test_strategy_of_an_installed_package_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    registry = _installed(monkeypatch, quiet=f"{__name__}:Quiet", broken="no_such_module:X")
    assert registry.names() == sorted([*BUILT_IN, "broken", "quiet"])
    assert registry.get("quiet").name == "quiet"
    assert registry.names() == sorted([*BUILT_IN, "broken", "quiet"])
    with pytest.raises(StrategyError, match=r"'broken' .* cannot be imported: ModuleNotFoundError"):
        registry.get("broken")


def test_installed_package_does_not_replace_a_built_in_strategy(monkeypatch: pytest.MonkeyPatch) -> None:
    registry = _installed(monkeypatch, ema_cross=f"{__name__}:Quiet")
    assert type(registry.get("ema_cross")).__name__ == "EmaCross"


def test_group_of_entry_points_is_the_documented_one() -> None:
    assert ENTRY_POINT_GROUP == "surefill.strategies"
    assert list(importlib.metadata.entry_points(group=ENTRY_POINT_GROUP)) == []
