"""What a command starts from: settings, quiet logs, the journal at rest, the engine that may be running on it."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from surefill.errors import ConfigError, InputError, JournalError

if TYPE_CHECKING:
    from surefill.config import Settings
    from surefill.domain.state import State
    from surefill.journal import Record, SqliteJournal

DEFAULT_FILE = Path("surefill.yaml")


def settings_from(
    config: Path | None,
    overrides: Sequence[str] | None = None,
    journal: Path | None = None,
    workspace: str | None = None,
    more: Mapping[str, object] | None = None,
) -> Settings:
    """The settings that a command line asks for: `--set` goes after the command's own options (`more`).

    Raises ConfigError.
    """
    from surefill.config import load_settings

    log_to_stderr()
    flags = {**(more or {}), **dict(_flag(text) for text in overrides or ())}
    if journal is not None:
        flags["journal.path"] = str(journal.absolute())
    if workspace is not None:
        flags["workspace.id"] = workspace
    if config is None and DEFAULT_FILE.is_file():
        config = DEFAULT_FILE
    return load_settings(config, flags)


def _flag(text: str) -> tuple[str, object]:
    from surefill.config.load import value_from_text

    key, equals, value = text.partition("=")
    if not equals or not key:
        raise ConfigError(f"--set {text!r} must be KEY=VALUE, such as --set execution.slippage_bps=3")
    return key, value_from_text(f"flag --set {key}", value)


def log_to_stderr() -> None:
    """Standard output is for results."""
    import structlog

    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.dev.ConsoleRenderer(colors=False) if sys.stderr.isatty() else structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


def journal_to_read(settings: Settings) -> SqliteJournal:
    """The configured journal, read-only: a running engine is not disturbed. Raises JournalError."""
    from surefill.journal import SqliteJournal

    path = settings.journal_path
    if not path.exists():
        raise JournalError(
            f"there is no journal at {path} (from {settings.source_of('journal', 'path')}): name another with"
            " --journal, or begin one with 'surefill trade'",
            code="JOURNAL_MISSING",
        )
    return SqliteJournal(path, readonly=True)


def known_workspace(journal: SqliteJournal, workspace_id: str) -> None:
    """Refuse a workspace that the journal does not have. Raises InputError."""
    heads = journal.heads()
    if workspace_id not in heads:
        raise InputError(
            f"workspace {workspace_id!r} is not in {journal.path} (there: {', '.join(sorted(heads)) or 'none'}):"
            " name one with --workspace",
            code="UNKNOWN_WORKSPACE",
        )


def verified_records(journal: SqliteJournal, workspace_id: str) -> Iterator[Record]:
    """All events of a workspace that the journal knows, each one checked against the chain before it is handed out.

    Raises JournalCorrupt at the first that does not verify, and where the last ones were lost.
    """
    from surefill.journal import Head, genesis, verified

    head = journal.heads()[workspace_id]
    return verified(journal.read(workspace_id), Head(0, 0, genesis(workspace_id)), head)


def state_at_rest(settings: Settings) -> State:
    """The state that the journal adds up to at this moment; no prices have been seen in it."""
    from surefill.engine.recovery import fold_journal

    journal = journal_to_read(settings)
    try:
        known_workspace(journal, settings.workspace.id)
        state, _ = fold_journal(journal, settings.workspace.id)
    finally:
        journal.close()
    return state


def ask(settings: Settings, do: str, **values: str | None) -> Any | None:
    """What the engine that runs on the journal answers; None if none runs."""
    from surefill.engine.control_client import ask_engine

    request = {"do": do, "workspace": settings.workspace.id, **{key: value for key, value in values.items() if value}}
    return ask_engine(settings.journal_path, request)


def operator() -> str:
    """Who is at the keyboard: what the journal says of halts and resumes."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"
