"""All commands, and how a run ends. Commands import what they need when they run: `--help` must be quick."""

from __future__ import annotations

import json
import os
import sys
from typing import Annotated

import typer

from surefill.cli import (
    backtesting,
    configuring,
    demonstrating,
    diagnosing,
    exporting,
    journaling,
    looking,
    operating,
    replaying,
    trading,
)
from surefill.cli.exit_codes import ExitCode, exit_code_of
from surefill.errors import SurefillError

app = typer.Typer(
    name="surefill",
    help="Checks trade intents, executes them, looks after positions, and proves afterwards what it did and why.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

_debug = False


@app.callback()
def everything(
    debug: Annotated[bool, typer.Option("--debug", envvar="SUREFILL_DEBUG", help="Show tracebacks.")] = False,
) -> None:
    """Options that stand before the command."""
    global _debug
    _debug = debug


for group in (
    configuring,
    diagnosing,
    demonstrating,
    backtesting,
    trading,
    looking,
    operating,
    replaying,
    exporting,
    journaling,
):
    group.register(app)


def run() -> None:
    """Run the command line of this process and exit."""
    try:
        app()
    except SurefillError as error:
        _end(error, error.code, error.message)
    except KeyboardInterrupt as error:
        _end(error, "INTERRUPTED", "interrupted")
    except BrokenPipeError:  # whoever read our output has had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(ExitCode.OK)
    except Exception as error:
        _end(
            error, "INTERNAL", f"{type(error).__name__}: {error}; this is a defect, run again with --debug to see where"
        )


def _end(error: BaseException, code: str, message: str) -> None:
    """Tell what happened, on standard error, and exit with its code."""
    if _debug:
        import traceback

        traceback.print_exception(error)
    exit_code = exit_code_of(error)
    if "--json" in sys.argv:
        told = {"error": {"code": code, "message": message, "exit_code": int(exit_code)}}
        print(json.dumps(told), file=sys.stderr)
    else:
        print(f"surefill: {message}", file=sys.stderr)
    sys.exit(exit_code)
