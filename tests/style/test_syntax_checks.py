"""Every check finds what it is for, and leaves alone what looks like it."""

from __future__ import annotations

import ast
from functools import partial

import pytest
from tests.style import syntax_checks as checks

imports = partial(checks.impure_imports, forbidden={"time", "os", "urllib"})

BAD = [
    (checks.floats, "x = 0.5"),
    (checks.floats, "x = 1e3"),
    (checks.floats, "x = 2j"),
    (checks.floats, "x = float(y)"),
    (checks.floats, "def f(x: float): ..."),
    (checks.floats, "def f(x: int | float): ..."),
    (checks.floats, "x = a / b"),
    (checks.floats, "x /= 2"),
    (checks.floats, "x = 10 ** -n"),
    (checks.floats, "x = math.sqrt(y)"),
    (checks.floats, "from math import gcd, sqrt"),
    (checks.impure_calls, "open('x')"),
    (checks.impure_calls, "print(x)"),
    (checks.impure_calls, "key = hash(name)"),
    (checks.impure_calls, "def f():\n    return id(f)"),
    (checks.impure_calls, "__import__('time')"),
    (imports, "import time"),
    (imports, "import os.path as p"),
    (imports, "from time import monotonic"),
    (imports, "from urllib.parse import quote"),
    (imports, "def f():\n    import os"),
    (checks.set_order, "for x in {a, b}: ..."),
    (checks.set_order, "y = [x for x in set(z)]"),
    (checks.raises, "def f():\n    raise ValueError"),
    (checks.raises, "def f():\n    assert x"),
    (checks.raises, "def f():\n    try:\n        g()\n    finally:\n        h()"),
    (checks.missing_docstrings, "x = 1"),
    (checks.missing_docstrings, "'''Doc.'''\ndef f(): ..."),
    (checks.missing_docstrings, "'''Doc.'''\nasync def f(): ..."),
    (checks.missing_docstrings, "'''Doc.'''\nclass C: ..."),
    (checks.missing_docstrings, "'''Doc.'''\nclass C:\n    '''   '''"),
    (checks.forgotten_errors, "try: f()\nexcept: g()"),
    (checks.forgotten_errors, "try: f()\nexcept Exception: pass"),
    (checks.forgotten_errors, "try: f()\nexcept (OSError, BaseException) as e: ..."),
    (checks.forgotten_errors, "for x in y:\n    try: f()\n    except Exception: continue"),
    (checks.forgotten_errors, "with contextlib.suppress(Exception): f()"),
    (checks.unsorted_all, "__all__ = ['b', 'a']"),
    (checks.unsorted_all, "__all__ = ['f', 'Class']"),
    (checks.unsorted_all, "__all__ = ('Class', 'CONSTANT')"),
    (checks.unsorted_all, "__all__ = ['step_10', 'step_9']"),
]

GOOD = [
    (checks.floats, "x = a // b + 10 ** n - math.isqrt(c)"),
    (checks.floats, "from math import gcd"),
    (checks.floats, "x = '0.5 / 2'  # 0.5"),
    (checks.impure_calls, "journal.open(x)\ny.id\nprinted(z)"),
    (imports, "import timeit, msgspec\nfrom surefill.rules import time\nfrom . import os"),
    (checks.set_order, "for x in sorted({a, b}): ..."),
    (checks.set_order, "for x in (a, b): ..."),
    (checks.raises, "def f():\n    return 1\nassert f() == 1"),
    (checks.missing_docstrings, ""),
    (checks.missing_docstrings, "'''Doc.'''\ndef _f(): ...\ndef g():\n    '''Doc.'''\n    def h(): ..."),
    (checks.missing_docstrings, "'''Doc.'''\n@typing.overload\ndef f(x: int): ..."),
    (checks.forgotten_errors, "try: f()\nexcept OSError: pass"),
    (checks.forgotten_errors, "try: f()\nexcept Exception as e: tell(e)"),
    (checks.forgotten_errors, "with suppress(FileNotFoundError): f()"),
    (checks.unsorted_all, "__all__ = ['MAX', 'Class', 'Other', 'also', 'step_9', 'step_10']"),
    (checks.unsorted_all, "names = ['b', 'a']"),
]


@pytest.mark.parametrize(("check", "source"), BAD)
def test_check_of_bad_source_finds_it_once_or_more(check, source: str) -> None:  # type: ignore[no-untyped-def]
    found = list(check(ast.parse(source)))
    assert found
    assert all(1 <= line <= len(source.splitlines()) and what for line, what in found)


@pytest.mark.parametrize(("check", "source"), GOOD)
def test_check_of_good_source_finds_nothing(check, source: str) -> None:  # type: ignore[no-untyped-def]
    assert list(check(ast.parse(source))) == []


def test_floats_in_two_lines_are_both_reported_with_their_lines() -> None:
    assert [line for line, _ in checks.floats(ast.parse("x = 1\ny = 0.5\nz = a / b"))] == [2, 3]
