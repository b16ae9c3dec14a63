"""Our habits as programs: each check takes a parsed module and yields (line, what is wrong).

ruff and import-linter check what everybody checks. Here is what only we ask for: integers inside, nothing
that depends on when, where or how often it runs, nothing caught and forgotten.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator

Finding = tuple[int, str]
Findings = Iterator[Finding]

INTEGER_MATH = frozenset({"comb", "factorial", "gcd", "isqrt", "lcm", "perm"})
IMPURE_CALLS = {
    "__import__": "imports by name",
    "breakpoint": "stops the program",
    "compile": "compiles text",
    "eval": "runs text",
    "exec": "runs text",
    "hash": "differs from process to process",
    "id": "differs from process to process",
    "input": "reads from the terminal",
    "open": "opens a file",
    "print": "writes to the terminal",
}
BROAD = frozenset({"Exception", "BaseException"})


def floats(tree: ast.Module) -> Findings:
    """Float literals, the name `float`, true division, negative powers, what `math` gives as floats."""
    for node in ast.walk(tree):
        match node:
            case ast.Constant(value=float() | complex()):
                yield node.lineno, f"float literal {node.value!r}"
            case ast.Name(id="float" | "complex"):
                yield node.lineno, f"the type {node.id}"
            case ast.BinOp(op=ast.Div()) | ast.AugAssign(op=ast.Div()):
                yield node.lineno, "true division: // says how it rounds"
            case ast.BinOp(op=ast.Pow(), right=ast.UnaryOp(op=ast.USub())):
                yield node.lineno, "a negative power is a float"
            case ast.Attribute(value=ast.Name(id="math")) if node.attr not in INTEGER_MATH:
                yield node.lineno, f"math.{node.attr} gives a float"
            case ast.ImportFrom(module="math"):
                for alias in node.names:
                    if alias.name not in INTEGER_MATH:
                        yield node.lineno, f"math.{alias.name} gives a float"


def impure_calls(tree: ast.Module) -> Findings:
    """Calls of builtins that read, write, or give another answer in another process."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id=name)) if name in IMPURE_CALLS:
                yield node.lineno, f"{name}() {IMPURE_CALLS[name]}"


def impure_imports(tree: ast.Module, forbidden: Collection[str]) -> Findings:
    """Imports, at any depth, of modules that bring a clock, chance, identity, floats or I/O."""
    for node in ast.walk(tree):
        match node:
            case ast.Import():
                names = [alias.name for alias in node.names]
            case ast.ImportFrom(level=0, module=str(module)):
                names = [module]
            case _:
                continue
        for name in names:
            if name.partition(".")[0] in forbidden:
                yield node.lineno, f"import of {name}"


def set_order(tree: ast.Module) -> Findings:
    """Loops over a set as it comes: for text its order differs from process to process."""
    for node in ast.walk(tree):
        match node:
            case ast.For(iter=source) | ast.comprehension(iter=source) if _is_set(source):
                yield source.lineno, "loop over a set: sort it first"


def _is_set(node: ast.expr) -> bool:
    match node:
        case ast.Set() | ast.SetComp() | ast.Call(func=ast.Name(id="set" | "frozenset")):
            return True
        case _:
            return False


def raises(tree: ast.Module) -> Findings:
    """Statements in functions that raise or catch: a rule answers for every input."""
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            for node in ast.walk(function):
                if isinstance(node, ast.Raise | ast.Assert | ast.Try):
                    yield node.lineno, f"{type(node).__name__.lower()} in {function.name}"


def missing_docstrings(tree: ast.Module) -> Findings:
    """Public functions and classes of a module, and the module itself, that do not say what they are."""
    if tree.body and not ast.get_docstring(tree):
        yield 1, "the module has no docstring"
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            public = not node.name.startswith("_")
            if public and not _is_overload(node) and not (ast.get_docstring(node) or "").strip():
                yield node.lineno, f"{node.name} has no docstring"


def _is_overload(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> bool:
    return any("overload" in ast.unparse(decorator) for decorator in node.decorator_list)


def forgotten_errors(tree: ast.Module) -> Findings:
    """`except:`, `except Exception: pass` and `suppress(Exception)`, whatever they are written like."""
    for node in ast.walk(tree):
        match node:
            case ast.ExceptHandler(type=None):
                yield node.lineno, "except without a type catches KeyboardInterrupt too"
            case ast.ExceptHandler(type=ast.expr() as caught) if _is_broad(caught) and _forgets(node.body):
                yield node.lineno, f"except {ast.unparse(caught)} is caught and forgotten"
            case ast.Call(func=ast.Name(id="suppress") | ast.Attribute(attr="suppress")):
                if any(map(_is_broad, node.args)):
                    yield node.lineno, f"{ast.unparse(node)} is caught and forgotten"


def _is_broad(node: ast.expr) -> bool:
    match node:
        case ast.Tuple(elts=elements):
            return any(map(_is_broad, elements))
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name in BROAD
        case _:
            return False


def _forgets(body: list[ast.stmt]) -> bool:
    return all(
        isinstance(node, ast.Pass | ast.Continue)
        or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
        for node in body
    )


def unsorted_all(tree: ast.Module) -> Findings:
    """`__all__` in another order than CONSTANTS, Classes, functions, each by name."""
    for node in tree.body:
        match node:
            case ast.Assign(targets=[ast.Name(id="__all__")], value=value):
                names = ast.literal_eval(value)
                in_order = sorted(names, key=_export_key)
                if list(names) != in_order:
                    yield node.lineno, f"__all__ is not sorted: {in_order}"


def _export_key(name: str) -> tuple[int, list[tuple[int, str]]]:
    kind = 0 if name.isupper() and len(name) > 1 else 1 if name[:1].isupper() else 2
    # Numbers count as numbers (step_9 before step_10), as in the linter that sorts these lists for us.
    parts = [(int(part), "") if part.isdigit() else (0, part) for part in re.split(r"(\d+)", name) if part]
    return kind, parts
