"""surefill kite: the daily login at Zerodha."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from surefill.cli.options import AsJson
from surefill.cli.output import facts, note, show

SECRET_VARIABLE = "SUREFILL_KITE_API_SECRET"  # nosec B105: the name of a variable

group = typer.Typer(name="kite", help="Zerodha: the daily login.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(group)


@group.command("login")
def login(
    api_key: Annotated[
        str, typer.Option(envvar="SUREFILL_KITE_API_KEY", metavar="KEY", help="The app's API key (not the secret).")
    ],
    token_file: Annotated[Path, typer.Option(help="Where the session is kept, readable by its owner alone.")] = Path(
        "kite-session.json"
    ),
    listen: Annotated[
        int | None,
        typer.Option(
            metavar="PORT",
            help="Wait for the browser at http://127.0.0.1:PORT/ (the app's redirect URL) instead of asking.",
            show_default=False,
        ),
    ] = None,
    root: Annotated[str, typer.Option(help="The API's address; another one for an emulated Kite.")] = (
        "https://api.kite.trade"
    ),
    login_page: Annotated[str, typer.Option(help="The login page's address.")] = (
        "https://kite.zerodha.com/connect/login"
    ),
    as_json: AsJson = False,
) -> None:
    """Log in at Zerodha for the day: shows the login page's address, takes what the browser is sent back with.

    The API secret comes from SUREFILL_KITE_API_SECRET or is asked for, never from the command line. What is pasted is
    the whole address that the browser ends at, or the request token in it. The session ends at 06:00 Indian time.
    """
    import asyncio
    import os
    import time

    from surefill.secret import Secret
    from surefill.units import iso_from_ns
    from surefill.venues.kite import sessions
    from surefill.venues.kite.redirects import awaited_redirect
    from surefill.venues.kite.settings import KiteSettings

    secret = os.environ.get(SECRET_VARIABLE) or str(typer.prompt("API secret", hide_input=True, err=True))
    note(f"Log in at {sessions.login_url(api_key, login_page)}")
    if listen is not None:
        pasted = awaited_redirect(listen, lambda port: note(f"Waiting for the browser at http://127.0.0.1:{port}/"))
    else:
        pasted = str(typer.prompt("The address that the browser was sent to", hide_input=True, err=True))
    settings = KiteSettings(api_key=api_key, access_token=Secret(""), api_secret=Secret(secret), root=root)
    session = asyncio.run(sessions.exchange(settings, sessions.request_token_of(pasted), time.time_ns()))
    sessions.store(session, token_file)
    told = {"user": session.user_id, "session": str(token_file), "until": iso_from_ns(session.expires_ns)}
    show(told, lambda console: console.print(facts("Logged in", told.items())), as_json=as_json)
