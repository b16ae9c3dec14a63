"""Finds what the rules offer, so that no test has to list it and none can be forgotten."""

import importlib
import inspect
import pkgutil
from collections.abc import Callable
from types import ModuleType

import surefill.rules


def rule_modules() -> list[ModuleType]:
    names = sorted(found.name for found in pkgutil.iter_modules(surefill.rules.__path__))
    return [importlib.import_module(f"surefill.rules.{name}") for name in names]


def functions_of(module: ModuleType) -> list[Callable[..., object]]:
    """Every function that the module defines itself, private ones included."""
    return [
        value for value in vars(module).values() if inspect.isfunction(value) and value.__module__ == module.__name__
    ]


def public_functions() -> list[Callable[..., object]]:
    return [
        function
        for module in rule_modules()
        for function in functions_of(module)
        if not function.__name__.startswith("_")
    ]
