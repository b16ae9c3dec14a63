"""The command doctor: is everything here that trading needs, and does it hold?"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import typer

from surefill.cli.exit_codes import ExitCode
from surefill.cli.loading import ask, settings_from
from surefill.cli.options import AsJson, ConfigFile, JournalFile, Overrides
from surefill.cli.output import show, table
from surefill.errors import ConfigError, SurefillError

if TYPE_CHECKING:
    from surefill.config import Settings
    from surefill.journal import SqliteJournal

PYTHON_MIN = (3, 11)
TAIL_EVENTS = 2_000
CLOCK_NOT_BEFORE_S = 1_735_689_600  # 2025-01-01: whoever runs this runs it later
PROBE_COMMITS = 5
_SYNCHRONOUS = {0: "OFF", 1: "NORMAL", 2: "FULL", 3: "EXTRA"}


class Finding(NamedTuple):
    """One check: how it came out, and what to do about it."""

    check: str
    verdict: Literal["ok", "note", "WRONG"]
    found: str
    advice: str = ""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("doctor")(doctor)


def doctor(
    config: ConfigFile = None,
    override: Overrides = None,
    journal: JournalFile = None,
    as_json: AsJson = False,
) -> None:
    """Check Python, SQLite, durability, disk, lock, clock, configuration and journal; exit with 7 if one is wrong."""
    findings = list(_findings(config, override, journal))

    def draw(console: Any) -> None:
        console.print(table("", ("check", "", "found", "what to do"), findings))

    show([finding._asdict() for finding in findings], draw, as_json=as_json)
    if any(finding.verdict == "WRONG" for finding in findings):
        raise typer.Exit(ExitCode.VERIFICATION)


def _findings(config: Path | None, override: list[str] | None, journal: Path | None) -> Iterator[Finding]:
    yield _python()
    yield _sqlite()
    yield _clock()
    try:
        settings = settings_from(config, override, journal)
    except ConfigError as error:
        yield Finding("configuration", "WRONG", error.message, "mend it; the checks that need it were left out")
        return
    yield _build()
    yield from _configuration(settings)
    yield _disk(settings)
    yield _durability(settings)
    yield from _journal(settings)
    if settings.workspace.venue != "paper":
        yield from _venue(settings)


def _venue(settings: Settings) -> Iterator[Finding]:
    """Ask the real venue what the keys may do. It places nothing."""
    import asyncio

    from surefill.intake.arrival import CLOCK_DOUBTED_NS, check_access
    from surefill.intake.venues import venue_of
    from surefill.units import NS_PER_MS
    from surefill.venues.protocol import Access, LiveVenue

    async def asked(venue: LiveVenue) -> Access:
        try:
            return await venue.access()
        finally:
            await venue.close()

    name = settings.workspace.venue
    try:
        venue = venue_of(settings)
        access = asyncio.run(asked(venue))
    except SurefillError as error:
        yield Finding("venue", "WRONG", f"{name}: {error.message}", "mend the keys or the connection")
        return
    try:
        check_access(access, name)
    except ConfigError as error:
        yield Finding("keys", "WRONG", error.message, "make others at the venue")
    else:
        kept = "cannot withdraw" if access.can_withdraw is False else "the venue does not say whether they can withdraw"
        verdict: Literal["ok", "note"] = "ok" if access.can_withdraw is False else "note"
        yield Finding("keys", verdict, f"account {access.account}: they can trade; {kept}")
    ahead_ms = access.clock_ahead_ns / NS_PER_MS
    doubted = abs(access.clock_ahead_ns) > CLOCK_DOUBTED_NS
    yield Finding("venue's clock", "WRONG" if doubted else "ok", f"{ahead_ms:+.0f} ms", "NTP" if doubted else "")
    limits = ", ".join(
        f"{each.count} {each.kind} per {each.window_ns / 10**9:g} s" for each in venue.capabilities.rate_limits
    )
    yield Finding("limits", "ok", limits or "the adapter names none: 8 orders a second are kept")


def _python() -> Finding:
    found = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info >= PYTHON_MIN:
        return Finding("python", "ok", found)
    return Finding("python", "WRONG", found, f"use {'.'.join(map(str, PYTHON_MIN))} or later")


def _sqlite() -> Finding:
    import apsw

    from surefill.journal.sqlite_schema import check_sqlite_version

    try:
        check_sqlite_version()
    except SurefillError as error:
        return Finding("sqlite", "WRONG", apsw.sqlite_lib_version(), error.message)
    return Finding("sqlite", "ok", apsw.sqlite_lib_version())


def _build() -> Finding:
    from surefill.config import build_of_this

    return Finding("build", "ok", f"surefill {build_of_this()}")


def _clock() -> Finding:
    from surefill.units import iso_from_ns

    now_ns = time.time_ns()
    found = iso_from_ns(now_ns)
    if now_ns < CLOCK_NOT_BEFORE_S * 10**9:
        return Finding("clock", "WRONG", found, "set the machine's clock, and keep it with NTP")
    return Finding("clock", "ok", found)


def _configuration(settings: Settings) -> Iterator[Finding]:
    from surefill.config import instrument_of, opening_of, profile_name

    where = str(settings.file or "no file: defaults, environment and flags")
    try:
        opening_of(settings, 0)
        for symbol in settings.instruments:
            if symbol != "default":
                instrument_of(settings, symbol)
    except ConfigError as error:
        yield Finding("configuration", "WRONG", error.message, "mend the setting")
    else:
        yield Finding("configuration", "ok", f"{where}; profile {profile_name(settings)}")


def _disk(settings: Settings) -> Finding:
    import shutil

    folder = _existing(settings.journal_path)
    free_mb = shutil.disk_usage(folder).free // 1_000_000
    floor_mb = settings.journal.disk_floor_mb
    found = f"{free_mb} MB free for the journal, the floor is {floor_mb} MB"
    if free_mb < floor_mb:
        return Finding("disk", "WRONG", found, "make room: below the floor entries stop")
    return Finding("disk", "ok", found)


def _existing(path: Path) -> Path:
    """The nearest folder above that is there."""
    return next(folder for folder in path.absolute().parents if folder.is_dir())


def _durability(settings: Settings) -> Finding:
    """Commit into a journal of our own on the same disk: the settings are read back, the time is told."""
    import apsw

    from surefill.journal import Batch, SqliteJournal
    from surefill.journal.sqlite_faults import explain
    from surefill.journal.sqlite_schema import open_writer

    folder = _existing(settings.journal_path)
    try:
        with tempfile.TemporaryDirectory(prefix=".surefill-doctor-", dir=folder) as scratch:
            path = Path(scratch) / "probe"
            connection = open_writer(str(path), None, "FULL")
            mode, synchronous = connection.pragma("journal_mode"), connection.pragma("synchronous")
            connection.close()
            probe = SqliteJournal(path)
            try:
                lease = probe.open_stream("doctor")
                times = []
                for _ in range(PROBE_COMMITS):
                    began = time.perf_counter()
                    probe.append([Batch(lease, [b"{}"])])
                    times.append(time.perf_counter() - began)
            finally:
                probe.close()
    except (SurefillError, OSError, apsw.Error) as error:
        found = f"{folder} takes no journal: {error}"
        advice = "check its rights and its disk" if isinstance(error, SurefillError) else explain(error)[2]
        return Finding("durability", "WRONG", found, advice)
    level = _SYNCHRONOUS.get(synchronous, str(synchronous))
    found = f"journal_mode={mode}, synchronous={level}; a commit takes {sorted(times)[PROBE_COMMITS // 2] * 1e3:.2f} ms"
    if (mode, level) != ("wal", "FULL"):
        return Finding("durability", "WRONG", found, "this SQLite does not do as it is told: do not trade with it")
    return Finding("durability", "ok", found)


def _journal(settings: Settings) -> Iterator[Finding]:
    from surefill.journal import SqliteJournal

    path = settings.journal_path
    if not path.exists():
        yield Finding("journal", "note", f"{path} does not exist yet", "surefill trade begins it")
        return
    yield _lock(settings)
    try:
        with closing(SqliteJournal(path, readonly=True)) as found:
            for workspace_id in sorted(found.heads()):
                yield _tail(found, workspace_id)
            yield from _rules(found, settings)
    except SurefillError as error:
        yield Finding("journal", "WRONG", error.message, "mend that, restore a backup, or name the right file")


def _rules(journal: SqliteJournal, settings: Settings) -> Iterator[Finding]:
    """Whether the workspace will go on under the configuration and the program that it stopped with."""
    from surefill.config import build_of_this, config_hash
    from surefill.engine.recovery import fold_journal

    workspace_id = settings.workspace.id
    if workspace_id not in journal.heads():
        return
    book = fold_journal(journal, workspace_id)[0].book
    pairs = (("configuration", book.config_hash, config_hash(settings)), ("build", book.build, build_of_this()))
    for what, before, now in pairs:
        name = f"{what} of workspace {workspace_id}"
        if before == now:
            yield Finding(name, "ok", f"as in the journal ({now[:24]})")
        else:
            found = f"now {now[:24]}, in the journal {before[:24] or 'none'}"
            yield Finding(name, "note", found, "the next start journals it; a live one asks for --accept-changes")


def _lock(settings: Settings) -> Finding:
    from surefill.errors import JournalLocked
    from surefill.journal.file_lock import FileLock, lock_path

    try:
        status = ask(settings, "status")
    except SurefillError as error:
        return Finding("engine", "WRONG", error.message, "an engine runs on this journal, and does not take questions")
    if status is not None:
        return Finding("engine", "ok", f"process {status['engine']['pid']} runs on this journal and answers")
    try:
        FileLock(lock_path(settings.journal_path)).release()
    except JournalLocked as error:
        return Finding(
            "engine",
            "note",
            f"process {error.values.get('pid') or 'unknown'} holds the journal and offers no control socket",
            "it can be looked at, not operated",
        )
    except OSError as error:
        return Finding("engine", "WRONG", f"the lock cannot be looked at: {error}", "check the rights of its folder")
    return Finding("engine", "ok", "none runs, the journal is free")


def _tail(journal: SqliteJournal, workspace_id: str) -> Finding:
    """The last events: their chain holds, they can be read, and none is later than now."""
    from surefill.domain import codec
    from surefill.journal.chain import genesis, verified
    from surefill.journal.protocol import Head

    head = journal.heads()[workspace_id]
    name = f"journal, workspace {workspace_id}"
    first = max(1, head.seq - TAIL_EVENTS + 1)
    try:
        before = genesis(workspace_id)
        if first > 1:
            before = next(journal.read(workspace_id, first - 1, first - 1)).chain_hash
        last_ns = 0
        for record in verified(journal.read(workspace_id, first, head.seq), Head(first - 1, 0, before), head):
            last_ns = max(last_ns, codec.decode(record.payload).ts_ns)
    except (SurefillError, StopIteration) as error:
        return Finding(name, "WRONG", str(error) or "its tail is missing", "run surefill journal verify; do not trade")
    found = f"the last {head.seq - first + 1} of {head.seq} events hold together"
    if last_ns > time.time_ns() + 60 * 10**9:
        return Finding(name, "WRONG", f"{found}, but the last is of the future", "the clock was set back: mend it")
    return Finding(name, "ok", found)
