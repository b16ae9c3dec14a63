"""What SQLite's errors mean for a journal, in words that say what to do."""

from __future__ import annotations

import errno

import apsw

from surefill.errors import JournalCorrupt, JournalError, JournalForeign, JournalLocked

_FULL = "the disk is full: free space, then reopen the journal"
_IO = "the disk failed to read or write: check the device and its logs, then reopen the journal"
_READ_ONLY = "the file or its directory is read-only: give the user who runs surefill the right to write"
_CANNOT_OPEN = "it cannot be opened: check that the directory exists and that its permissions allow it"
_BUSY = "another program holds a lock on it: find and stop it (surefill itself takes a lock of its own)"
_CORRUPT = "it is damaged: stop, keep a copy for study, restore from an export or a copy that verifies"
_BROKEN = "its content breaks its own rules: run `surefill journal verify`, restore from a copy that verifies"
_FOREIGN = "it is not a surefill journal: check the path"

_MEANINGS: tuple[tuple[type[apsw.Error], type[JournalError], str, str], ...] = (
    (apsw.FullError, JournalError, "DISK_FULL", _FULL),
    (apsw.IOError, JournalError, "DISK_FAILED", _IO),
    (apsw.ReadOnlyError, JournalError, "READ_ONLY", _READ_ONLY),
    (apsw.PermissionsError, JournalError, "READ_ONLY", _READ_ONLY),
    (apsw.CantOpenError, JournalError, "CANNOT_OPEN", _CANNOT_OPEN),
    (apsw.BusyError, JournalLocked, JournalLocked.code, _BUSY),
    (apsw.LockedError, JournalLocked, JournalLocked.code, _BUSY),
    (apsw.CorruptError, JournalCorrupt, JournalCorrupt.code, _CORRUPT),
    (apsw.ConstraintError, JournalCorrupt, JournalCorrupt.code, _BROKEN),
    (apsw.NotADBError, JournalForeign, JournalForeign.code, _FOREIGN),
)


_ERRNO_MEANINGS = {
    errno.ENOSPC: ("DISK_FULL", _FULL),
    errno.EDQUOT: ("DISK_FULL", _FULL),
    errno.EROFS: ("READ_ONLY", _READ_ONLY),
    errno.EACCES: ("READ_ONLY", _READ_ONLY),
    errno.EPERM: ("READ_ONLY", _READ_ONLY),
    errno.ENOENT: ("CANNOT_OPEN", _CANNOT_OPEN),
    errno.ENOTDIR: ("CANNOT_OPEN", _CANNOT_OPEN),
    errno.EISDIR: ("CANNOT_OPEN", _CANNOT_OPEN),
}


def explain(error: BaseException) -> tuple[type[JournalError], str, str]:
    """The class, the code and the advice for an error that came out of SQLite or the operating system."""
    if isinstance(error, OSError):
        return JournalError, *_ERRNO_MEANINGS.get(error.errno or 0, ("DISK_FAILED", _IO))
    for cause, kind, code, advice in _MEANINGS:
        if isinstance(error, cause):
            return kind, code, advice
    return JournalError, JournalError.code, "an unexpected error: keep this message and report it"


def translate(error: BaseException, path: str, doing: str) -> JournalError:
    """The journal's own error for one of SQLite's; `doing` completes "while …"."""
    kind, code, advice = explain(error)
    return kind(f"journal {path}, while {doing}: {error} ({type(error).__name__}); {advice}", code=code, path=path)
