"""The command mt5 gateway: a terminal's few functions, for an engine that is elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from surefill.cli.help_pages import Commands
from surefill.cli.output import note

TOKEN_VARIABLE = "SUREFILL_MT5_GATEWAY_TOKEN"  # nosec B105: a variable's name
PASSWORD_VARIABLE = "SUREFILL_MT5_PASSWORD"  # nosec B105: a variable's name


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(
        name="mt5", cls=Commands, help="MetaTrader 5: what runs beside the terminal.", no_args_is_help=True
    )
    group.callback()(_mt5)
    group.command("gateway")(gateway)
    app.add_typer(group)


def _mt5() -> None:
    """MetaTrader 5: what runs beside the terminal."""


def gateway(
    listen: Annotated[str, typer.Option("--listen", help="HOST:PORT; a loopback address.")] = "127.0.0.1:8228",
    token_file: Annotated[
        Path | None,
        typer.Option("--token-file", help=f"File with the token; without it, {TOKEN_VARIABLE}.", show_default=False),
    ] = None,
    path: Annotated[str, typer.Option("--path", help="The terminal's program, where it is not found by itself.")] = "",
    login: Annotated[int, typer.Option("--login", help="The account; 0: the one that the terminal is in.")] = 0,
    server: Annotated[str, typer.Option("--server", help="The account's server.")] = "",
    remote: Annotated[bool, typer.Option("--remote", help="Let --listen name an address that others reach.")] = False,
) -> None:
    """Serve the terminal of this machine to an engine elsewhere, for whoever has the token."""
    import os

    from surefill.errors import ConfigError
    from surefill.secret import Secret
    from surefill.venues.mt5.gateway import Gateway, address_of, run
    from surefill.venues.mt5.settings import Mt5Settings
    from surefill.venues.mt5.terminal import PackageTerminal

    host, port = address_of(listen, remote=remote)
    try:
        text = os.environ.get(TOKEN_VARIABLE, "") if token_file is None else token_file.read_text().strip()
    except OSError as error:
        raise ConfigError(f"the token's file cannot be read: {error}", code="NO_TOKEN") from error
    password = Secret(os.environ.get(PASSWORD_VARIABLE, ""))
    settings = Mt5Settings(path=path, login=login, password=password, server=server)
    served = Gateway(PackageTerminal(settings), Secret(text))
    note(f"serving the terminal at http://{host}:{port}; end it with Ctrl-C")
    run(served, host, port)
