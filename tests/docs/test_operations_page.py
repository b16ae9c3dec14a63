"""The page on operations tells every alarm, every halt and every exit code that there is."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from tests.docs.pages import ROOT

from surefill.cli.exit_codes import MEANINGS

PAGE = (ROOT / "docs" / "operations.md").read_text()
RINGS = ("domain", "engine", "intake", "cli")
_RAISING = {"Notify", "Halt", "alarm", "_anomaly", "_breach", "_refold", "Halted"}
_CODE = re.compile(r"[A-Z]+(_[A-Z]+)+|FENCED|OVERFILL|OPERATOR|PAUSED")


def codes() -> set[str]:
    """Every code that the sources alarm or halt with."""
    named: dict[str, str] = {}
    found: set[str] = set()
    trees = [ast.parse(path.read_text()) for ring in RINGS for path in (ROOT / "src/surefill" / ring).rglob("*.py")]
    for tree in trees:
        named.update(_constants(tree))
    for tree in trees:
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and _called(node) in _RAISING:
                found.update(_texts(node, named))
    # `code` is handed on as a variable there.
    return found | {"KILL_SWITCH", "PAUSED"}


def _called(node: ast.Call) -> str:
    function = node.func
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _constants(tree: ast.Module) -> Iterator[tuple[str, str]]:
    for node in tree.body:
        if isinstance(node, ast.AnnAssign | ast.Assign) and isinstance(node.value, ast.Constant):
            target = node.target if isinstance(node, ast.AnnAssign) else node.targets[0]
            if isinstance(target, ast.Name) and isinstance(node.value.value, str):
                yield target.id, node.value.value


def _texts(call: ast.Call, named: dict[str, str]) -> Iterator[str]:
    for argument in call.args:
        for node in ast.walk(argument):
            text = node.value if isinstance(node, ast.Constant) else named.get(getattr(node, "id", ""))
            if isinstance(text, str) and _CODE.fullmatch(text):
                yield text


def test_page_tells_every_code_of_alarms_and_halts() -> None:
    told = {
        code
        for row in re.findall(r"^\| (`[A-Z_`, ]+`) \|", PAGE, re.MULTILINE)
        for code in row.strip("`").split("`, `")
    }

    assert told == codes()
    assert len(told) > 20


def test_page_tells_every_exit_code_in_the_programs_words() -> None:
    told = dict(re.findall(r"^\| (\d+) \| (.+) \|$", PAGE, re.MULTILINE))

    assert told == {str(int(code)): meaning for code, meaning in MEANINGS.items()}
