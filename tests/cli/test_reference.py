"""The reference pages are what the code says."""

from __future__ import annotations

import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from surefill.cli.app import app
from surefill.cli.exit_codes import ExitCode
from surefill.config.complaints import every_key

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def script() -> dict[str, Any]:
    """The names of scripts/gen_reference."""
    return runpy.run_path(str(ROOT / "scripts" / "gen_reference"))


@pytest.mark.parametrize("name", ["cli.md", "configuration.md", "gates.md"])
def test_reference_page_is_current(script: dict[str, Any], name: str) -> None:
    render: Callable[[], str] = script["PAGES"][name]
    assert (ROOT / "docs" / name).read_text() == render(), "run scripts/in-venv scripts/gen_reference"


def test_reference_of_the_command_line_has_every_command_and_exit_code(script: dict[str, Any]) -> None:
    page: str = script["cli_page"]()
    names = [command.name for command in app.registered_commands]
    assert len(names) > 14
    assert [name for name in names if f"\n## surefill {name}\n" not in page] == []
    assert [code for code in ExitCode if f"| {int(code)} | {code.name} |" not in page] == []


def test_reference_of_the_configuration_has_every_key(script: dict[str, Any]) -> None:
    page: str = script["config_page"]()
    assert [keys for keys in every_key() if f"| `{keys[-1]}` |" not in page] == []


def test_reference_that_is_not_current_is_told(
    script: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main = script["main"]
    main.__globals__["DOCS"] = tmp_path
    assert main(["--check"]) == 1
    assert "cli.md, configuration.md, gates.md not current" in capsys.readouterr().err
    assert (main([]), main(["--check"])) == (0, 0)
