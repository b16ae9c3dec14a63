"""Help pages: plain, and whole sentences."""

from __future__ import annotations

import subprocess
import sys

import pytest
from typer.testing import CliRunner

from surefill.cli.app import app


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ((), "Watch the engine from outside, for ever: when it dies or hangs, somebody is called."),
        (("journal",), "Prove that no event was edited, lost, added or moved; with anchors, that none was replaced."),
        (("mt5",), "Serve the terminal of this machine to an engine elsewhere, for whoever has the token."),
    ],
)
def test_help_of_a_group_shows_whole_sentences(words: tuple[str, ...], sentence: str) -> None:
    shown = CliRunner().invoke(app, [*words, "--help"]).output
    assert sentence in " ".join(shown.split())
    assert "..." not in shown.replace("[ARGS]...", "")


def test_help_loads_nothing_that_only_draws() -> None:
    program = (
        "import sys; from typer.testing import CliRunner; from surefill.cli.app import app\n"
        "assert CliRunner().invoke(app, ['--help']).exit_code == 0\n"
        "sys.exit('rich' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program]).returncode == 0
