"""surefill kite: the daily login at Zerodha."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from surefill.cli.help_pages import Commands
from surefill.cli.loading import settings_from
from surefill.cli.options import AsJson, ConfigFile, Overrides
from surefill.cli.output import facts, note, show

if TYPE_CHECKING:
    from surefill.config import Settings

group = typer.Typer(name="kite", cls=Commands, help="Zerodha: the daily login.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(group)


@group.command("login")
def login(
    listen: Annotated[
        int | None,
        typer.Option(
            metavar="PORT",
            help="Wait for the browser at http://127.0.0.1:PORT/ (the app's redirect URL) instead of asking.",
            show_default=False,
        ),
    ] = None,
    login_page: Annotated[str, typer.Option(help="The login page's address.")] = (
        "https://kite.zerodha.com/connect/login"
    ),
    config: ConfigFile = None,
    override: Overrides = None,
    as_json: AsJson = False,
) -> None:
    """Log in at Zerodha for the day: shows the login page's address, takes what the browser is sent back with.

    The key and its secret are those of `venues.kite` (or of its key file); what is missing is asked for. What is pasted
    is the whole address that the browser ends at, or the request token in it. The session is kept in
    `venues.kite.token_file`, readable by its owner alone, and ends at 06:00 Indian time.
    """
    import asyncio
    import time

    from surefill.secret import Secret
    from surefill.units import iso_from_ns
    from surefill.venues.kite import sessions
    from surefill.venues.kite.redirects import awaited_redirect
    from surefill.venues.kite.settings import KiteSettings

    settings = settings_from(config, override)
    api_key, secret = _keys(settings)
    note(f"Log in at {sessions.login_url(api_key, login_page)}")
    if listen is not None:
        pasted = awaited_redirect(listen, lambda port: note(f"Waiting for the browser at http://127.0.0.1:{port}/"))
    else:
        pasted = str(typer.prompt("The address that the browser was sent to", hide_input=True, err=True))
    told = settings.venues.kite
    account = KiteSettings(api_key=api_key, access_token=Secret(""), api_secret=Secret(secret), root=told.root)
    session = asyncio.run(sessions.exchange(account, sessions.request_token_of(pasted), time.time_ns()))
    token_file: Path = settings.base_dir / told.token_file
    sessions.store(session, token_file)
    lines = {"user": session.user_id, "session": str(token_file), "until": iso_from_ns(session.expires_ns)}
    show(lines, lambda console: console.print(facts("Logged in", lines.items())), as_json=as_json)


def _keys(settings: Settings) -> tuple[str, str]:
    """The key and its secret, asked for where the settings have none."""
    from surefill.config.venues import KITE
    from surefill.intake.venues import found_keys

    found = found_keys(settings, KITE)
    api_key = found.get("api_key") or str(typer.prompt("API key", err=True))
    return api_key, found.get("api_secret") or str(typer.prompt("API secret", hide_input=True, err=True))
