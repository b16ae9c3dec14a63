"""The command demo: surefill at work, from intent to proof."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from surefill.cli.exit_codes import ExitCode
from surefill.cli.loading import log_to_stderr
from surefill.cli.options import AsJson


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("demo")(demo)


def demo(
    folder: Annotated[
        Path, typer.Argument(help="Where; a former demonstration there is replaced, nothing else.")
    ] = Path("artifacts/demo"),
    open_report: Annotated[bool, typer.Option("--open", help="Open the report in the browser.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show surefill at work: strategies on shipped prices, killed in the middle, recovered, and proved afterwards."""
    from rich.console import Console

    from surefill.demo import run

    log_to_stderr()
    result = run(folder, console=Console(stderr=as_json), json=as_json, open_report=open_report)
    if not result.ok:
        raise typer.Exit(ExitCode.VERIFICATION)
