"""Commands about the set-up itself: init, show-config, version."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from surefill.cli.loading import DEFAULT_FILE, settings_from
from surefill.cli.options import AsJson, ConfigFile, Overrides
from surefill.cli.output import facts, note, show, table
from surefill.errors import ConfigError


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("init")(init)
    app.command("show-config")(show_config)
    app.command("version")(version)


def init(
    folder: Annotated[Path, typer.Argument(help="Where; it is made if need be.")] = Path(),
    engine: Annotated[
        str | None,
        typer.Option(help="The profile: v3, v2, paper_long_only or paper_full.", show_default="paper_full"),
    ] = None,
    workspace: Annotated[str, typer.Option("--workspace", "-w", help="The workspace's id.")] = "main",
    force: Annotated[bool, typer.Option("--force", help="Replace a configuration that is there.")] = False,
    as_json: AsJson = False,
) -> None:
    """Write a commented configuration, and make the folders that it names."""
    from surefill.config import load_settings, profile_name
    from surefill.config.sample import sample_file
    from surefill.views.appended_file import replace_file

    file = folder / DEFAULT_FILE
    if file.exists() and not force:
        raise ConfigError(f"{file} exists: name another folder, or replace it with --force")
    profile_name(load_settings(None, {"execution.engine": engine, "workspace.id": workspace}, {}))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        replace_file(file, sample_file(engine, workspace).encode())
        settings = load_settings(file, environ={})
        settings.artifacts_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"{folder} cannot be written: {error}; name another folder") from error
    written = {
        "config": str(file),
        "journal": str(settings.journal_path),
        "artifacts": str(settings.artifacts_dir),
        "profile": profile_name(settings),
    }
    show(written, lambda console: console.print(facts("Written", written.items())), as_json=as_json)
    if not as_json:
        here = "" if folder == Path() else f" -c {file}"
        note(f"Next: surefill doctor{here}, then surefill trade{here}")


def show_config(
    config: ConfigFile = None,
    override: Overrides = None,
    as_json: AsJson = False,
) -> None:
    """Show every setting, where its value came from, and what empty ones amount to; secrets are masked."""
    from surefill.config import config_hash, profile_name
    from surefill.config.core import opening_of
    from surefill.config.listing import listing

    settings = settings_from(config, override)
    listed = listing(settings)
    problem = ""
    try:
        opening_of(settings, 0)
    except ConfigError as error:
        problem = error.message
    result = {
        "file": str(settings.file or ""),
        "profile": profile_name(settings),
        "config_hash": config_hash(settings),
        "problem": problem,
        "settings": [each._asdict() for each in listed],
    }

    def draw(console: object) -> None:
        from rich.console import Console

        assert isinstance(console, Console)
        rows = [(each.key, each.value or (f"({each.meant})" if each.meant else ""), each.source) for each in listed]
        console.print(table("", ("setting", "value", "from"), rows))
        console.print(f"profile {result['profile']}, hash {result['config_hash']}", markup=False)
        console.print("(in brackets: what an empty setting amounts to)", markup=False)
        if problem:
            console.print(f"NOT USABLE: {problem}", markup=False)

    show(result, draw, as_json=as_json)


def version(as_json: AsJson = False) -> None:
    """Show the version of surefill, of Python and of the journal's SQLite."""
    import platform

    import apsw

    from surefill import __version__
    from surefill.domain.evolve import EVOLVE_VERSION

    told = {
        "surefill": __version__,
        "python": platform.python_version(),
        "sqlite": apsw.sqlite_lib_version(),
        "evolve": EVOLVE_VERSION,
    }
    show(told, lambda console: console.print(facts("", told.items())), as_json=as_json)
