"""From plain Python to machine code, once, and kept on disk.

Numba does not notice an edit in a function that a cached one calls: the folder of the cache is named by a digest of all
source that goes in, so other rules are other folders.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import importlib
import inspect
import os
import pkgutil
import platform
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any, Final, TypeVar, cast

import surefill.rules
from surefill import units
from surefill.errors import ConfigError
from surefill.strategy import forms
from surefill.sweep import contract_figures
from surefill.sweep.kernels import account, batch, entries, exits, figures, fills, tables
from surefill.views import daily_figures

F = TypeVar("F", bound=Callable[..., Any])
#: What is called from Python; everything else is compiled into these.
_ENTRIES: Final = (batch.simulate_all,)
#: Of modules that are not compiled as a whole.
_FURTHER: Final = (daily_figures.daily_sums, daily_figures.daily_ratios, daily_figures.change)


def compiled(function: F) -> F:
    """One of the kernels as machine code; the first call of it with new source compiles for ten seconds and more.

    Raises ConfigError without numba.
    """
    return cast(F, _compiled()[function.__name__])


@functools.cache
def compiled_loop(function: F) -> F:
    """A strategy's loop as machine code, kept for as long as its file stays as it is. Raises ConfigError without numba.

    What it calls of other files is not looked at: a loop calls nothing of them.
    """
    njit = _numba().njit
    module = inspect.getmodule(function)
    folder = _cache_folder((module,)) if module is not None and getattr(module, "__file__", None) else None
    with _cache_in(folder):
        return cast(F, njit(function, cache=folder is not None))


def _numba() -> Any:
    try:
        import numba
    except ImportError as error:
        raise ConfigError(f"kernels need the extra: pip install 'surefill[sweep]' ({error})") from error
    return numba


@contextlib.contextmanager
def _cache_in(folder: Path | None) -> Iterator[None]:
    config = _numba().config
    before, config.CACHE_DIR = config.CACHE_DIR, "" if folder is None else str(folder)
    try:
        yield
    finally:
        config.CACHE_DIR = before


@functools.cache
def _compiled() -> dict[str, Callable[..., Any]]:
    njit = _numba().njit
    from numba.extending import register_jitable

    sources = (*_rule_modules(), account, entries, exits, fills, contract_figures, figures)
    for function in (*_FURTHER, *(each for module in sources for each in _functions_of(module))):
        register_jitable(no_cfunc_wrapper=True)(function)
    folder = _cache_folder((*sources, batch, tables, forms, units, daily_figures))
    with _cache_in(folder):
        # Nothing is allocated in there, so no references need counting; counting them would take half the time.
        return {entry.__name__: njit(entry, cache=folder is not None, _nrt=False) for entry in _ENTRIES}


def _rule_modules() -> tuple[ModuleType, ...]:
    names = sorted(found.name for found in pkgutil.iter_modules(surefill.rules.__path__))
    return tuple(importlib.import_module(f"surefill.rules.{name}") for name in names)


def _functions_of(module: ModuleType) -> Iterator[FunctionType]:
    for value in vars(module).values():
        if inspect.isfunction(value) and value.__module__ == module.__name__:
            yield value


def _cache_folder(modules: tuple[ModuleType, ...]) -> Path | None:
    """Where this source's machine code is kept; None where nothing can be written."""
    digest = hashlib.sha256(f"{_numba().__version__} {platform.python_version()}".encode())
    for module in modules:
        digest.update(Path(str(module.__file__)).read_bytes())
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "surefill" / "kernels"
    folder = home / digest.hexdigest()[:16]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    return folder if os.access(folder, os.W_OK) else None
