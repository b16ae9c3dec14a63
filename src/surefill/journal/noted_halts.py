"""Halts that could not be journaled, kept where no new space is needed: in the lock file beside the journal.

When the disk is full, the halt that follows finds no room either, and would end with its process. The lock file is
there already and far smaller than the one block that it occupies, so a line more in it fits on a full disk (on most:
one that copies on write needs a new block even for that). Such a note is no part of the truth. It says that the
workspace must be halted, by event, before anything else is done with it, and is removed when that event is durable.
"""

from __future__ import annotations

import os
from typing import Final

import msgspec

from surefill.journal.file_lock import LINES_OF_THE_LOCK, lock_path

BYTES_MAX: Final = 4_000  # within the first block, together with the lock's own lines
_REASON_MAX: Final = 300


class NotedHalt(msgspec.Struct, frozen=True):
    """A halt of a workspace that is not in the journal yet."""

    workspace_id: str
    code: str
    reason: str


def noted_halts(journal: str | os.PathLike[str]) -> dict[str, NotedHalt]:
    """The notes of a journal, by workspace; needs no lock. What cannot be read says nothing."""
    try:
        with open(lock_path(journal), "rb") as file:
            lines = file.read().split(b"\n")[LINES_OF_THE_LOCK:]
    except OSError:
        return {}
    found = {}
    for line in filter(None, lines):
        try:
            halt = msgspec.json.decode(line, type=NotedHalt)
        except msgspec.DecodeError:
            continue
        found[halt.workspace_id] = halt
    return found


def note_halt(journal: str | os.PathLike[str], halt: NotedHalt) -> None:
    """Keep a halt until it is journaled. For the process that holds the journal's lock, or has just lost the journal.

    Raises OSError.
    """
    short = NotedHalt(halt.workspace_id, halt.code, halt.reason[:_REASON_MAX])
    _write(journal, {**noted_halts(journal), halt.workspace_id: short})


def forget_halt(journal: str | os.PathLike[str], workspace_id: str) -> None:
    """The halt is in the journal now. Raises OSError."""
    noted = noted_halts(journal)
    if noted.pop(workspace_id, None) is not None:
        _write(journal, noted)


def _write(journal: str | os.PathLike[str], noted: dict[str, NotedHalt]) -> None:
    fd = os.open(lock_path(journal), os.O_RDWR | os.O_CLOEXEC)
    try:
        own = os.pread(fd, BYTES_MAX, 0).split(b"\n")[:LINES_OF_THE_LOCK]
        text = b"\n".join([*own, *map(msgspec.json.encode, noted.values()), b""])
        if len(text) > BYTES_MAX:  # every workspace that has a note keeps it, if without its words
            bare = [NotedHalt(each.workspace_id, each.code, "") for each in noted.values()]
            text = b"\n".join([*own, *map(msgspec.json.encode, bare), b""])
        os.pwrite(fd, text, 0)
        os.ftruncate(fd, len(text))
        os.fsync(fd)
    finally:
        os.close(fd)
