"""The rules' own rules, read off their source: integers only, nothing raised, all documented."""

import ast
import inspect
import itertools
from collections.abc import Callable
from types import ModuleType

import pytest
from tests.rules.public_functions import public_functions, rule_modules

ALLOWED_IMPORTS = {"__future__", "collections.abc", "enum", "typing", "surefill.units"}
FORBIDDEN_NODES = (
    ast.Raise,
    ast.Try,
    ast.With,
    ast.Assert,
    ast.Global,
    ast.Nonlocal,
    ast.While,
    ast.For,
    ast.Lambda,
)
MODULES = rule_modules()


def complaints(source: str) -> list[str]:
    found = []
    for node in ast.walk(ast.parse(source)):
        line = getattr(node, "lineno", 0)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
            found.append(f"line {line}: / makes a float, use //")
        elif isinstance(node, ast.Constant) and isinstance(node.value, float):
            found.append(f"line {line}: the float {node.value}")
        elif isinstance(node, FORBIDDEN_NODES):
            found.append(f"line {line}: {type(node).__name__} has no place in a rule")
        elif isinstance(node, ast.Import):
            found += [f"line {line}: import {n.name}" for n in node.names if n.name not in ALLOWED_IMPORTS]
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            if module not in ALLOWED_IMPORTS and not module.startswith("surefill.rules."):
                found.append(f"line {line}: from {module} import")
    return found


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_rules_module_source_has_nothing_forbidden(module: ModuleType) -> None:
    assert complaints(inspect.getsource(module)) == []


@pytest.mark.parametrize(
    "source",
    ["x = 1 / 2", "x = 0.5", "raise ValueError", "import time", "from decimal import Decimal", "assert True"],
)
def test_source_check_forbidden_thing_is_reported(source: str) -> None:
    assert len(complaints(source)) == 1


@pytest.mark.parametrize("function", public_functions(), ids=lambda function: function.__qualname__)
def test_rule_signature_integers_only_and_documented(function: Callable[..., object]) -> None:
    signature = inspect.signature(function)
    assert (function.__doc__ or "").strip()
    assert {parameter.annotation for parameter in signature.parameters.values()} <= {"int", "bool"}
    parts = signature.return_annotation.removeprefix("tuple[").removesuffix("]").split(", ")
    assert set(parts) <= {"int", "bool"}
    assert all(parameter.default is parameter.empty for parameter in signature.parameters.values())


def test_rules_public_names_are_unique_across_modules() -> None:
    names = sorted(function.__name__ for function in public_functions())
    assert [a for a, b in itertools.pairwise(names) if a == b] == []


def test_rules_modules_all_are_found() -> None:
    assert {
        "arithmetic",
        "checks",
        "codes",
        "exits",
        "fees",
        "matching",
        "position",
        "prices",
        "transitions",
    } <= {module.__name__.rpartition(".")[2] for module in MODULES}
