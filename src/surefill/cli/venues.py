"""The command venues: which real venues there are, and how the configured one stands."""

from __future__ import annotations

from typing import Any

import typer

from surefill.cli.loading import settings_from
from surefill.cli.options import AsJson, ConfigFile, Overrides
from surefill.cli.output import show, table


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("venues")(venues)


def venues(config: ConfigFile = None, override: Overrides = None, as_json: AsJson = False) -> None:
    """List the venues that `workspace.venue` can name, what each needs, and whether it is here."""
    import importlib.util

    from surefill.intake.venues import KINDS

    chosen = settings_from(config, override).workspace.venue
    libraries = {"crypto": "ccxt", "kite": "kiteconnect", "mt5": "httpx2"}
    rows = [
        {
            "venue": kind.name,
            "what": kind.what,
            "keys": ", ".join(kind.keys) or "none",
            "installed": importlib.util.find_spec(libraries[kind.extra]) is not None,
            "extra": kind.extra,
            "chosen": kind.name == chosen,
        }
        for kind in KINDS
    ]

    def draw(console: Any) -> None:
        lines = [
            (
                f"{row['venue']} (this workspace's)" if row["chosen"] else row["venue"],
                row["what"],
                row["keys"],
                "yes" if row["installed"] else f"pip install 'surefill[{row['extra']}]'",
            )
            for row in rows
        ]
        console.print(table("", ("venue", "what", "keys", "here"), lines))

    show(rows, draw, as_json=as_json)
