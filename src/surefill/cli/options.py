"""Options that many commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

ConfigFile = Annotated[
    Path | None,
    typer.Option(
        "--config",
        "-c",
        envvar="SUREFILL_CONFIG",
        metavar="FILE",
        help="The configuration; without it ./surefill.yaml, if that exists.",
        show_default=False,
    ),
]
Overrides = Annotated[
    list[str] | None,
    typer.Option(
        "--set", "-s", metavar="KEY=VALUE", help="Another value for a setting; may be repeated.", show_default=False
    ),
]
JournalFile = Annotated[
    Path | None,
    typer.Option("--journal", "-j", metavar="FILE", help="Short for --set journal.path=FILE.", show_default=False),
]
WorkspaceId = Annotated[
    str | None,
    typer.Option("--workspace", "-w", metavar="ID", help="Short for --set workspace.id=ID.", show_default=False),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of words.")]
