"""Which strategies there are: the built-in ones, those of installed packages, and classes from files.

A package offers a strategy by an entry point of the group `surefill.strategies`; a file is named by its path,
`my_file.py:MyStrategy`. A file is read only where a person names it (`load`), never because a spec does.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import sys
from collections.abc import Iterable
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from surefill.errors import InputError, StrategyError
from surefill.strategy.breakout import Breakout52WeekHigh
from surefill.strategy.crossing import EmaCross, SmaCross
from surefill.strategy.decisions import Parameter, Strategy
from surefill.strategy.donchian import Donchian
from surefill.strategy.donchian_stop import DonchianStop
from surefill.strategy.rsi_reversal import RsiReversal
from surefill.strategy.spec import ExecutionSpec, ExitSpec

ENTRY_POINT_GROUP: Final = "surefill.strategies"
BUILT_IN: Final[tuple[Strategy, ...]] = (
    Breakout52WeekHigh(),
    EmaCross(),
    SmaCross(),
    Donchian(),
    DonchianStop(),
    RsiReversal(),
)


class StrategyRegistry:
    """Strategies by name. Those of installed packages are found at once, and imported when first asked for."""

    def __init__(self) -> None:
        self._strategies = {strategy.name: strategy for strategy in BUILT_IN}
        self._entry_points: dict[str, EntryPoint] = {
            point.name: point for point in entry_points(group=ENTRY_POINT_GROUP) if point.name not in self._strategies
        }

    @classmethod
    def knowing(cls, strategies: Iterable[str | Strategy]) -> StrategyRegistry:
        """One that knows these files' classes (`my_file.py:MyStrategy`) or objects too. Raises StrategyError."""
        registry = cls()
        for strategy in strategies:
            registry.load(strategy) if isinstance(strategy, str) else registry.add(strategy)
        return registry

    def names(self) -> list[str]:
        """All names, sorted."""
        return sorted({*self._strategies, *self._entry_points})

    def get(self, name: str) -> Strategy:
        """The strategy of that name. Raises InputError (UNKNOWN_STRATEGY), StrategyError if its package fails."""
        if name not in self._strategies and name in self._entry_points:
            self._register(name, _imported(self._entry_points[name]))
        found = self._strategies.get(name)
        if found is None:
            raise InputError(
                f"strategy {name!r} is not known; there are {', '.join(self.names())}"
                " (your own: load its file first, as my_file.py:MyStrategy)",
                code="UNKNOWN_STRATEGY",
                field="entry.type",
                value=name,
            )
        return found

    def add(self, strategy: Strategy | type[Strategy]) -> str:
        """Register a strategy, or a class of one that is made without arguments; its name. Raises StrategyError."""
        made = _made(strategy)
        name = getattr(made, "name", "")
        if not isinstance(name, str) or not name or not callable(getattr(made, "evaluate", None)):
            raise StrategyError(
                f"{_named(strategy)} is no strategy; it needs a name (text)"
                " and a method evaluate(spec, snapshot, position)",
                code="INVALID_STRATEGY",
            )
        self._register(name, made)
        return name

    def load(self, path: str) -> str:
        """Register a class from a file, `my_file.py:MyStrategy`; its name. Runs the file. Raises StrategyError."""
        file, _, class_name = path.rpartition(":")
        if not file.endswith(".py") or not class_name.isidentifier():
            raise StrategyError(
                f"{path!r} names no class in a file; write my_file.py:MyStrategy", code="INVALID_STRATEGY"
            )
        module = _module_of(Path(file))
        if not hasattr(module, class_name):
            raise StrategyError(f"{file} has no class {class_name}; check the spelling", code="INVALID_STRATEGY")
        return self.add(getattr(module, class_name))

    def parameters(self, name: str) -> tuple[Parameter, ...] | None:
        """The numbers that a strategy can be tuned by; None if it declares none and takes anything."""
        return getattr(self.get(name), "parameters", None)

    def check(self, spec: ExecutionSpec) -> None:
        """Whether a spec's strategy is known and takes its `entry.params`. Raises InputError."""
        strategy = self.get(spec.entry.type)
        declared: tuple[Parameter, ...] | None = getattr(strategy, "parameters", None)
        if declared is not None:
            by_name = {parameter.name: parameter for parameter in declared}
            for name, value in spec.entry.params.items():
                if name not in by_name:
                    known = f"it has {', '.join(by_name)}" if by_name else "it has none"
                    raise InputError(
                        f"entry.params.{name} is no parameter of {strategy.name}; {known}",
                        code="INVALID_SPEC",
                        field=f"entry.params.{name}",
                    )
                by_name[name].check(value)
        further = getattr(strategy, "check", None)
        if further is not None:
            further(spec)

    def exit_of(self, spec: ExecutionSpec) -> ExitSpec:
        """The spec's exit, or else its strategy's own default."""
        return spec.exit or _exit_of_type(getattr(self.get(spec.entry.type), "default_exit", "none"))

    def _register(self, name: str, strategy: Strategy) -> None:
        taken = self._strategies.get(name)
        if taken is not None and _home(taken) != _home(strategy):
            raise StrategyError(
                f"there is a strategy {name!r} already ({type(taken).__name__});"
                f" give {type(strategy).__name__} another name",
                code="INVALID_STRATEGY",
            )
        self._strategies[name] = strategy


@functools.cache
def _exit_of_type(kind: Any) -> ExitSpec:
    return ExitSpec(type=kind)


def _home(strategy: Strategy) -> tuple[str, str]:
    """Where a strategy's class is written: the same place loaded again replaces it."""
    return type(strategy).__module__, type(strategy).__qualname__


def _named(strategy: object) -> str:
    """A class, or the class of an object, as its author knows it."""
    return strategy.__qualname__ if isinstance(strategy, type) else f"{type(strategy).__qualname__} object"


def _made(strategy: Strategy | type[Strategy]) -> Strategy:
    if not isinstance(strategy, type):
        return strategy
    try:
        return strategy()
    except TypeError as error:
        raise StrategyError(
            f"{strategy.__name__} cannot be made without arguments ({error}); register an instance",
            code="INVALID_STRATEGY",
        ) from error


def _imported(point: EntryPoint) -> Strategy:
    try:
        return _made(point.load())
    except Exception as error:
        raise StrategyError(
            f"strategy {point.name!r} ({point.value}) cannot be imported: {type(error).__name__}: {error}",
            code="INVALID_STRATEGY",
        ) from error


def _module_of(file: Path) -> ModuleType:
    """Run a file as a module of its own; a second time the file is run again."""
    if not file.is_file():
        raise StrategyError(f"{file} does not exist; check the path", code="INVALID_STRATEGY")
    path_hash = hashlib.sha256(str(file.resolve()).encode()).hexdigest()[:12]
    name = f"surefill_strategy_{file.stem}_{path_hash}"
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise StrategyError(
            f"{file} cannot be loaded: {type(error).__name__}: {error}", code="INVALID_STRATEGY"
        ) from error
    return module
