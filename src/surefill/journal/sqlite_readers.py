"""Read-only connections to a journal file, kept for use by any thread, one call at a time each."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import Any, TypeVar

import apsw

from surefill.errors import JournalClosed, JournalError
from surefill.journal import sqlite_schema
from surefill.journal.sqlite_faults import translate
from surefill.journal.sqlite_schema import open_reader, refuse_foreign

T = TypeVar("T")


def fetch(conn: apsw.Connection, sql: str, bindings: tuple[apsw.SQLiteValue, ...]) -> list[tuple[Any, ...]]:
    """All rows of a statement; the schema is strict, so what a column holds is known to who asks for it."""
    return conn.execute(sql, bindings).fetchall()


class Readers:
    """A pool that grows with the number of threads that read at once."""

    def __init__(self, path: str, vfs: str | None) -> None:
        """Open the first connection; refuse a file that is not a journal or holds nothing."""
        self._path = path
        self._vfs = vfs
        self._mutex = Lock()
        self._closed = False
        first = open_reader(path, vfs)
        self._idle = [first]
        version = refuse_foreign(first, path)
        if version == 0:
            raise JournalError(f"{path} is empty: there is nothing to read", code="CANNOT_OPEN", path=path)
        if version < len(sqlite_schema.STEPS):
            raise JournalError(
                f"{path} has the older schema version {version}: open it once for writing, which brings it up to date",
                code="JOURNAL_OLDER",
                path=path,
            )

    def query(self, sql: str, bindings: tuple[apsw.SQLiteValue, ...]) -> list[tuple[Any, ...]]:
        """All rows of a statement, read in one short transaction."""
        conn = self._take()
        try:
            return fetch(conn, sql, bindings)
        except apsw.Error as error:
            raise translate(error, self._path, "reading") from error
        finally:
            self._give(conn)

    def use(self, work: Callable[[apsw.Connection], T]) -> T:
        """Lend a connection to a function."""
        conn = self._take()
        try:
            return work(conn)
        except apsw.Error as error:
            raise translate(error, self._path, "reading") from error
        finally:
            self._give(conn)

    def close(self) -> None:
        """Close what is idle now, and the rest as it comes back."""
        with self._mutex:
            self._closed = True
            idle, self._idle = self._idle, []
        for conn in idle:
            conn.close()

    def _take(self) -> apsw.Connection:
        with self._mutex:
            if self._closed:
                raise JournalClosed(f"journal {self._path} was closed while it was read: reopen it first")
            if self._idle:
                return self._idle.pop()
        try:
            return open_reader(self._path, self._vfs)
        except apsw.Error as error:
            raise translate(error, self._path, "opening it once more") from error

    def _give(self, conn: apsw.Connection) -> None:
        with self._mutex:
            if not self._closed:
                self._idle.append(conn)
                return
        conn.close()
