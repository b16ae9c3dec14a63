"""All commands, and how a run ends. Commands import what they need when they run: `--help` must be quick."""

from __future__ import annotations

import json
import os
import select
import sys
from typing import Annotated, Any, Final

import typer

from surefill.cli import (
    alerting,
    backtesting,
    configuring,
    data_files,
    demonstrating,
    diagnosing,
    emulating,
    exporting,
    journaling,
    kite,
    looking,
    mt5,
    operating,
    replaying,
    reporting,
    sweeping,
    trading,
    venues,
)
from surefill.cli.exit_codes import ExitCode, exit_code_of
from surefill.cli.help_pages import Commands
from surefill.errors import SurefillError

#: What typer raises for every wrong command line; it exports only this one of its kind.
_UsageError: Final[type[Any]] = typer.BadParameter.__mro__[1]


class _Unheard(Exception):
    """Whoever read our output has had enough: that is no failure."""


class _Commands(Commands):
    """The commands; a reader who leaves early is told apart from other ends before typer calls it a failure."""

    def invoke(self, ctx: Any) -> Any:
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
            return result
        except BrokenPipeError as error:
            if _has_nobody_listening(sys.stdout):
                raise _Unheard from error
            raise


def _has_nobody_listening(stream: Any) -> bool:
    poll = select.poll()
    poll.register(stream.fileno(), 0)
    return any(happened & select.POLLERR for _, happened in poll.poll(0))


app = typer.Typer(
    name="surefill",
    cls=_Commands,
    help="Checks trade intents, executes them, looks after positions, and proves afterwards what it did and why.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

_debug = False


def _show_version(asked: bool) -> None:
    if asked:
        from surefill import __version__

        print(f"surefill {__version__}")
        raise typer.Exit


@app.callback()
def everything(
    debug: Annotated[bool, typer.Option("--debug", envvar="SUREFILL_DEBUG", help="Show tracebacks.")] = False,
    _version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version, and end.")
    ] = False,
) -> None:
    """Options that stand before the command."""
    global _debug
    _debug = debug


for group in (
    configuring,
    diagnosing,
    demonstrating,
    emulating,
    data_files,
    backtesting,
    sweeping,
    reporting,
    trading,
    venues,
    looking,
    operating,
    alerting,
    replaying,
    exporting,
    journaling,
    kite,
    mt5,
):
    group.register(app)


def run() -> None:
    """Run the command line of this process and exit."""
    try:
        if _as_json():
            sys.exit(app(standalone_mode=False))  # else typer draws a box around what is wrong
        app()
    except _UsageError as error:
        _end(error, "USAGE", error.format_message(), ExitCode(error.exit_code))
    except SurefillError as error:
        _end(error, error.code, error.message)
    except KeyboardInterrupt as error:
        _end(error, "INTERRUPTED", "interrupted")
    except _Unheard:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(ExitCode.OK)
    except Exception as error:
        _end(
            error, "INTERNAL", f"{type(error).__name__}: {error}; this is a defect, run again with --debug to see where"
        )


def _as_json() -> bool:
    return "--json" in sys.argv


def _end(error: BaseException, code: str, message: str, exit_code: ExitCode | None = None) -> None:
    """Tell what happened, on standard error, and exit with its code."""
    if _debug:
        import traceback

        traceback.print_exception(error)
    exit_code = exit_code_of(error) if exit_code is None else exit_code
    if _as_json():
        told = {"error": {"code": code, "message": message, "exit_code": int(exit_code)}}
        print(json.dumps(told), file=sys.stderr)
    else:
        print(f"surefill: {message}", file=sys.stderr)
    sys.exit(exit_code)
