"""What a compiled kernel relies on: integers and booleans in and out, and one function per name."""

import inspect
import itertools
from collections.abc import Callable

import pytest
from tests.rules.public_functions import public_functions, rule_modules


@pytest.mark.parametrize("function", public_functions(), ids=lambda function: function.__qualname__)
def test_rule_signature_is_integers_and_booleans_only(function: Callable[..., object]) -> None:
    signature = inspect.signature(function)
    assert {parameter.annotation for parameter in signature.parameters.values()} <= {"int", "bool"}
    parts = signature.return_annotation.removeprefix("tuple[").removesuffix("]").split(", ")
    assert set(parts) <= {"int", "bool"}
    assert all(parameter.default is parameter.empty for parameter in signature.parameters.values())


def test_rules_public_names_are_unique_across_modules() -> None:
    names = sorted(function.__name__ for function in public_functions())
    assert [a for a, b in itertools.pairwise(names) if a == b] == []


def test_rules_modules_all_are_found() -> None:
    expected = "arithmetic checks codes exits fees matching position prices sizing transitions"
    assert set(expected.split()) <= {module.__name__.rpartition(".")[2] for module in rule_modules()}
