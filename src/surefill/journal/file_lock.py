"""One writer per journal file, across processes: an operating-system lock that dies with its process.

The lock is on a file beside the journal, `<journal>.lock`, which names the process that holds it. The file
stays when the lock is released (removing it would let two writers lock two files of the same name); it also
remembers that the journal was begun, so that a journal emptied by accident is not silently begun again.

It stands beside the file itself, never beside a symbolic link to it: all names of a journal lead to one lock. What
cannot be told from a name, a hard link, is refused (`journal.sqlite_schema`).
"""

from __future__ import annotations

import fcntl
import os
import weakref
from typing import Final

from surefill.errors import JournalLocked

SUFFIX: Final = ".lock"
LINES_OF_THE_LOCK: Final = 2

_held: weakref.WeakSet[FileLock] = weakref.WeakSet()


def lock_path(journal: str | os.PathLike[str]) -> str:
    """Where the lock of a journal is, by whichever name the journal is called."""
    return os.path.realpath(journal) + SUFFIX


class FileLock:
    """Held from construction until `release`."""

    def __init__(self, path: str) -> None:
        """Take the lock or raise `JournalLocked`, which names the holder."""
        self.path = path
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = self._read().partition("\n")[0]
            os.close(self._fd)
            raise JournalLocked(
                f"{path.removesuffix(SUFFIX)} is open for writing in process {holder or 'unknown'}: stop "
                "that process first (`surefill status` talks to a running engine), "
                "or open the journal read-only",
                pid=int(holder) if holder.isdigit() else None,
            ) from error
        self.begun = "begun" in self._read().split("\n")[:LINES_OF_THE_LOCK]
        self._write()
        _held.add(self)

    def mark_begun(self) -> None:
        """Remember that the journal beside this lock holds something."""
        self.begun = True
        self._write()

    def release(self) -> None:
        """Let go; a second call does nothing."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _read(self) -> str:
        return os.pread(self._fd, 4_096, 0).decode(errors="replace")

    def _write(self) -> None:
        rest = "\n".join(self._read().split("\n")[LINES_OF_THE_LOCK:])  # notes (`journal.noted_halts`)
        text = f"{os.getpid()}\n{'begun' if self.begun else ''}\n{rest}".encode()
        os.pwrite(self._fd, text, 0)
        os.ftruncate(self._fd, len(text))


def _let_go_after_fork() -> None:
    """A forked child shares its parent's lock: it must not keep it alive beyond the parent."""
    for lock in list(_held):
        lock.release()


os.register_at_fork(after_in_child=_let_go_after_fork)
