"""The command emulate: a venue to try things against, on this machine.

Which venues there are is one table, `surefill.testing.emulators.kinds.KINDS`: a new one is a line there.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from surefill.cli.options import AsJson
from surefill.cli.output import note, show_line
from surefill.errors import ConfigError, InputError

if TYPE_CHECKING:
    from surefill.testing.emulators.common.desk import Emulator
    from surefill.testing.emulators.common.records import Quote
    from surefill.testing.emulators.common.server import Build


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("emulate")(emulate)


def emulate(
    name: Annotated[str, typer.Argument(help="Which venue: binance, kite or mt5.")],
    port: Annotated[int, typer.Option("--port", help="Where it listens; 0: wherever there is room.")] = 8900,
    db: Annotated[Path | None, typer.Option("--db", help="Keep what happens there.", show_default=False)] = None,
    price: Annotated[
        list[str] | None,
        typer.Option("--price", metavar="SYMBOL=PX", help="A first price; may be repeated.", show_default=False),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Emulate a venue: its real HTTP and WebSocket protocol, on this machine only, until it is interrupted."""
    import asyncio

    build = _builder(name)
    from surefill.testing.emulators.common.server import serve

    quotes = [_quote(text) for text in price or ()]

    def started(listening_on: int, venue: Emulator) -> None:
        for quote in quotes:
            venue.set_quote(quote)
        url = f"http://127.0.0.1:{listening_on}"
        if as_json:
            show_line({"venue": name, "url": url, "control": f"{url}/_control"})
            sys.stdout.flush()
        else:
            print(url, flush=True)
            note(f"this is {name} emulated; what really happened: {url}/_control/truth; end it with Ctrl-C")

    asyncio.run(serve(build, ":memory:" if db is None else str(db), port, started))


def _builder(name: str) -> Build:
    """What builds the venue; a `ConfigError` says which packages are missing."""
    from importlib import import_module

    from surefill.testing.emulators.kinds import KINDS, builder_of

    if name not in KINDS:
        raise InputError(f"there is no venue {name!r} to emulate, but {', '.join(KINDS)}", code="UNKNOWN_VENUE")
    try:
        import_module("websockets")  # uvicorn only looks for it once somebody connects
        return builder_of(name)
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("surefill."):
            raise ConfigError(f"{name} cannot be emulated yet", code="NOT_THERE_YET") from error
        raise ConfigError(
            f"emulating a venue needs {error.name}; install it with: pip install 'surefill[emulate]'",
            code="MISSING_EXTRA",
        ) from error


def _quote(text: str) -> Quote:
    from surefill.testing.emulators.common.desk import quote_of

    symbol, _, px = text.partition("=")
    try:
        return quote_of(symbol, {"px": px})
    except ArithmeticError:
        raise InputError(f"--price {text}: write SYMBOL=PX, as in BTCUSDT=50000") from None
