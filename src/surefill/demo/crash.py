"""The same run in a process of its own that is killed in the middle of its work, and started again."""

from __future__ import annotations

import os
import signal
import subprocess  # nosec B404: starts this package's own module
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec

from surefill.demo.backtests import RunFigures
from surefill.errors import JournalError, LocalError
from surefill.journal import SqliteJournal

Told = Callable[[int], None]

POLL_S: Final = 0.005
TRIES: Final = 3


class Crash(msgspec.Struct, frozen=True):
    """`killed_at`: the events that were durable when the process was gone. `after`: the one that went on."""

    pid: int
    killed_at: int
    after: RunFigures


def run_killed(path: Path, kill_at: int, on_events: Told | None = None) -> Crash:
    """Run the backtests in a child, kill it once its journal has `kill_at` events, run another one to the end.

    `on_events(events)` is told of the journal's growth. Raises LocalError (DEMO_FAILED).
    """
    pid = _killed(path, kill_at, on_events)
    killed_at = _events_in(path)
    with _child(path) as child:
        _watch(child, path, sys.maxsize, on_events)
        output, complaint = child.communicate()
    if child.returncode != 0:
        raise _failed("the process that was to go on failed", complaint)
    return Crash(pid, killed_at, msgspec.json.decode(output, type=RunFigures))


def _killed(path: Path, kill_at: int, on_events: Told | None) -> int:
    """Start a child and kill it; a child that is quicker than we look is started anew, and killed earlier."""
    for attempt in range(TRIES):
        with _child(path) as child:
            if _watch(child, path, kill_at >> attempt, on_events):
                os.kill(child.pid, signal.SIGKILL)
            _, complaint = child.communicate()
        if child.returncode == -signal.SIGKILL:
            return child.pid
        if child.returncode != 0:
            raise _failed("the process that was to be killed failed by itself", complaint)
        remove_journal(path)
    raise _failed(f"the process was done {TRIES} times before it could be killed", "the machine is too busy: try again")


@contextmanager
def _child(path: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that runs the backtests; it does not outlive the block."""
    command = [sys.executable, "-m", "surefill.demo.child", str(path)]
    child = subprocess.Popen(  # nosec B603: this interpreter, our own module
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        yield child
    finally:
        if child.poll() is None:
            child.kill()
            child.communicate()


def _watch(child: subprocess.Popen[str], path: Path, until: int, on_events: Told | None) -> bool:
    """Look at the journal until it has so many events (True), or the child has ended."""
    while child.poll() is None:
        with _looking_into(path) as journal:
            while child.poll() is None:
                events = _events_of(journal)
                if on_events is not None:
                    on_events(events)
                if events >= until:
                    return True
                time.sleep(POLL_S)
                if journal is None:
                    break
    return False


def _events_in(path: Path) -> int:
    """Durable events; 0 while there is no journal to look into."""
    with _looking_into(path) as journal:
        return _events_of(journal)


@contextmanager
def _looking_into(path: Path) -> Iterator[SqliteJournal | None]:
    """The journal beside its writer; None while there is none."""
    try:
        journal = SqliteJournal(path, readonly=True)
    except JournalError:
        yield None
        return
    try:
        yield journal
    finally:
        journal.close()


def _events_of(journal: SqliteJournal | None) -> int:
    return 0 if journal is None else sum(head.seq for head in journal.heads().values())


def remove_journal(path: Path) -> None:
    """Delete a journal of the demonstration with what lies beside it."""
    for suffix in ("", "-wal", "-shm", ".lock"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def _failed(what: str, said: str) -> LocalError:
    """The last line that the process said tells why."""
    why = said.strip().rpartition("\n")[2] or "it said nothing"
    return LocalError(f"{what}: {why}", code="DEMO_FAILED", said=said)
