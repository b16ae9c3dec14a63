"""The page on the intents door tells the truth: its example runs, the tests that it names exist."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "contracts" / "intents.md").read_text()


def test_page_examples_run() -> None:
    examples = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert len(examples) == 2
    for example in examples:
        exec(compile(example, "intents.md", "exec"), {})


def test_page_names_tests_that_exist() -> None:
    named = set(re.findall(r"`(test_\w+[a-z0-9])`", PAGE))
    sources = "".join(path.read_text() for path in (ROOT / "tests" / "intake").glob("test_intents_*.py"))
    assert len(named) > 20
    assert not [name for name in sorted(named) if f"def {name}(" not in sources]


def test_page_has_every_row_of_the_contract() -> None:
    rows = ["TradeIntent", "actions", "fill price", "idempotency", "policy re-check", "errors", "events", "ledger"]
    for row in [*rows, "reconcile", "reset", "HTTP"]:
        assert re.search(rf"^\| `?{row}`? \|", PAGE, re.MULTILINE), row
