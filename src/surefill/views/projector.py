"""Keeps the files of a workspace as the journal says, live or from scratch. Nothing else may write them.

1. The files are a function of the journal alone: rebuilt from scratch or followed live, the bytes are the same.
2. Logs are appended to, at every commit; how far they have come is kept in a cursor beside them, written after the
   rows. What a crash leaves behind the cursor is cut off at the next start, and made again. Documents are replaced
   whole by a thread of their own, a moment later (`flush` waits for it), and always at the start.
3. A cursor counts only if its first and last events are the journal's, and the logs up to it have the bytes that
   were written. Else, and where a log turns out to be in the way, everything is rebuilt, once: a rebuild clears the
   days that the journal does not have. So deleted, edited or foreign files heal at the next start.
4. Following never disturbs the engine: if a file cannot be written it says so once, in the log and in `failure`, and
   leaves the files alone until it is started again. The journal has everything.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Final

import msgspec

from surefill.domain import codec
from surefill.domain.events import Event
from surefill.errors import ConfigError, JournalLocked
from surefill.journal.file_lock import FileLock
from surefill.journal.protocol import Journal
from surefill.logs import logger
from surefill.views.appended_file import Extent, FileChanged, LogSet, overwrite_file, replace_file
from surefill.views.artefacts import ORDERS, RowMaker, documents, header_of
from surefill.views.document_keeper import DocumentKeeper
from surefill.views.fold import Fold
from surefill.views.leftovers import clear_days, set_aside_foreign
from surefill.views.order_lines import OrderLine, order_line

CURSOR_FORMAT: Final = 2
CURSOR: Final = ".surefill/cursor.json"
SAVED_FOLD: Final = ".surefill/fold.json"
LOCK: Final = ".surefill/keeper.lock"
STAGING: Final = ".rebuild-"
SAVE_EVERY: Final = 20_000
OPEN_DAYS: Final = 8  # as many calendars may differ in their day; older logs are finished, and no longer watched
BATCH: Final = 5_000

_log = logger("surefill.views")


class Cursor(msgspec.Struct, frozen=True):
    """How far the files are: up to event `seq`, whose payload has this SHA-256.

    `stream` is the chain hash of the journal's first event, in hex; empty where there was none. `seq` is written
    before `files` and the hash after: one torn while it is overwritten has the one new and the other old, and fails.
    """

    format: int
    workspace_id: str
    stream: str
    seq: int
    files: dict[str, Extent]
    event_sha256: str


def cursor_of(root: Path, workspace_id: str) -> Cursor | None:
    """How far a folder's files are; None where they must be made anew. Raises ConfigError for another workspace's."""
    try:
        cursor = msgspec.json.decode((root / CURSOR).read_bytes(), type=Cursor)
    except (FileNotFoundError, msgspec.DecodeError):
        return None
    if cursor.workspace_id != workspace_id:
        raise ConfigError(
            f"{root} holds the files of workspace {cursor.workspace_id!r}, not of {workspace_id!r}:"
            " give each workspace an artifacts.dir of its own",
            key="artifacts.dir",
        )
    return cursor if cursor.format == CURSOR_FORMAT else None


class SavedFold(msgspec.Struct, frozen=True):
    """A fold at rest, and the event that it was saved after."""

    seq: int
    event_sha256: str
    fold: str


class Projector:
    """The files of one workspace in one folder.

    Call `catch_up` once, then `follow` after every commit (it is a subscriber of the writer). `listeners` hear of
    every order line that is followed live.
    """

    def __init__(self, root: Path, journal: Journal, workspace_id: str) -> None:
        self.root = root
        self.journal = journal
        self.workspace_id = workspace_id
        self.fold: Fold
        self.seq: int
        self.listeners: list[Callable[[OrderLine], None]] = []
        self.failure: Exception | None = None
        self._rows = RowMaker()
        self._changing = threading.Lock()  # between the engine's thread and the documents'
        self._documents = DocumentKeeper(root, self._render, self._fail)
        self._cursor_room = 0
        self._stream = ""
        self._lock: FileLock | None = None
        self._start_over()

    # -- starting ---------------------------------------------------------------------------------------------

    def catch_up(self) -> None:
        """Bring the files up to the journal's present end: go on where they were left, or rebuild them.

        Raises ConfigError where the folder is another workspace's or another process keeps it, JournalError where the
        journal cannot be read, OSError where the files cannot be written.
        """
        self._begin(self._go_on_or_rebuild)

    def rebuild(self) -> None:
        """Make every file anew from the first event on. A file that is not of our making is set aside, not lost."""
        self._begin(self._rebuild_logs)

    def _begin(self, write_logs: Callable[[], None]) -> None:
        self._keep()
        try:
            with self._changing:
                write_logs()
            self._documents.write()
        except Exception:
            self._let_go()
            raise

    def _go_on_or_rebuild(self) -> None:
        cursor = cursor_of(self.root, self.workspace_id)
        if cursor is None or not self._adopt(cursor):
            self._rebuild_logs()
            return
        try:
            self._take_over(cursor)
        except FileChanged as error:  # a day begun just before a crash, or left by somebody else
            self._rebuild_changed(error)

    def flush(self) -> None:
        """Wait until the documents say what the logs say."""
        self._documents.flush()

    def _keep(self) -> None:
        """Be the only one who writes here, until `close`."""
        if self._lock is not None:
            return
        path = self.root / LOCK
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._lock = FileLock(str(path))
        except JournalLocked as error:
            raise ConfigError(
                f"the files in {self.root} are being kept by process {error.values.get('pid') or 'unknown'}:"
                " they are up to date, or give this one an artifacts.dir of its own",
                code="ARTEFACTS_LOCKED",
                key="artifacts.dir",
            ) from error

    def _let_go(self) -> None:
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def _render(self) -> dict[str, bytes]:
        with self._changing:
            return documents(self.fold) if self.failure is None else {}

    def _rebuild_logs(self) -> None:
        ours = (self.root / CURSOR).exists()
        self._start_over()
        self.root.mkdir(parents=True, exist_ok=True)
        for left_behind in self.root.glob(f"{STAGING}*"):
            shutil.rmtree(left_behind, ignore_errors=True)
        with tempfile.TemporaryDirectory(prefix=STAGING, dir=self.root) as folder:
            self._logs = LogSet(Path(folder), header_of)
            self._logs.append([(ORDERS, b"")])
            self._write_from_journal()
            if ours:  # the old cursor may not vouch for a mixture, should we be stopped on the way
                nothing = Cursor(CURSOR_FORMAT, self.workspace_id, "", 0, {}, "")
                replace_file(self.root / CURSOR, msgspec.json.encode(nothing))
            else:
                logs = {name: file.path for name, file in self._logs.files.items()}
                set_aside_foreign(self.root, {**logs, **documents(self.fold)})
            clear_days(self.root, self._logs.files, ours=ours)
            self._logs.move_to(self.root)
        self._cursor_room = 0
        self._write_cursor()
        self._save_fold()

    def _take_over(self, cursor: Cursor) -> None:
        """The files are good up to the cursor: fold up to there in silence, then write on."""
        self._restore_fold(cursor)
        for record in self.journal.read(self.workspace_id, self.seq + 1, cursor.seq):
            self._apply(codec.decode(record.payload))
        self._write_from_journal()
        self._write_cursor()

    def _write_from_journal(self) -> None:
        """Fold and write all that the journal has more than we."""
        rows: list[tuple[str, bytes]] = []
        for record in self.journal.read(self.workspace_id, self.seq + 1):
            rows += self._apply(codec.decode(record.payload))
            if len(rows) >= BATCH:
                self._logs.append(rows)
                rows = []
        self._logs.append(rows)

    def _rebuild_changed(self, error: FileChanged) -> None:
        _log.warning("artefacts_changed", folder=str(self.root), why=str(error))
        self._rebuild_logs()

    def _start_over(self) -> None:
        self.fold, self.seq, self._saved_seq = Fold(), 0, 0
        self._last_event: Event | None = None
        self._last_sha256 = ""
        self._logs = LogSet(self.root, header_of)

    # -- following --------------------------------------------------------------------------------------------

    def follow(self, first_seq: int, events: Sequence[Event]) -> None:
        """Take events that have just become durable. Never raises: see `failure`."""
        try:
            with self._changing:
                if first_seq > self.seq + 1:  # committed while memory was being discarded: the journal has them
                    self._catch_gap(first_seq - 1)
                self._take(events[self.seq + 1 - first_seq :])
            self._documents.touch()
        except Exception as error:  # whatever it is, it is not the engine's: the journal has everything
            self._fail(error)

    def _catch_gap(self, to_seq: int) -> None:
        records = self.journal.read(self.workspace_id, self.seq + 1, to_seq)
        self._take([codec.decode(record.payload) for record in records])

    def _take(self, events: Iterable[Event]) -> None:
        rows: list[tuple[str, bytes]] = []
        for event in events:
            rows += self._apply(event, self.listeners)
        if self.failure is None:
            try:
                self._logs.append(rows)
                self._write_cursor()
                if self.seq - self._saved_seq >= SAVE_EVERY:
                    self._save_fold()
            except FileChanged as error:
                self._rebuild_changed(error)

    def _fail(self, error: Exception) -> None:
        self.failure = error
        _log.error(
            "artefacts_behind",
            folder=str(self.root),
            why=f"{type(error).__name__}: {error}",
            do="mend the cause and start again: they are made from the journal",
            exc_info=not isinstance(error, OSError),
        )

    def close(self) -> None:
        """Leave everything ready for a quick start. The engine must have stopped."""
        self._documents.close()
        if self.failure is None and self.seq:
            try:
                self._save_fold()
            except OSError as error:
                self._fail(error)
        self._let_go()

    # -- one event --------------------------------------------------------------------------------------------

    def _apply(self, event: Event, listeners: Sequence[Callable[[OrderLine], None]] = ()) -> list[tuple[str, bytes]]:
        """Fold an event; return the rows it makes."""
        self.fold.apply(event)
        self.seq += 1
        self._last_event = event
        line = order_line(self.fold, event)
        if line is None:
            return []
        for listener in listeners:
            listener(line)
        return list(self._rows.rows(line, self.fold.book.mode))

    # -- files ------------------------------------------------------------------------------------------------

    def _write_cursor(self) -> None:
        """The rows are written: say so."""
        days = sorted(name for name in self._logs.files if name != ORDERS)
        for name in days[:-OPEN_DAYS]:
            del self._logs.files[name]
        stream, last = self._stream_id(), self._event_sha256()
        cursor = Cursor(CURSOR_FORMAT, self.workspace_id, stream, self.seq, self._logs.extents(), last)
        data = msgspec.json.encode(cursor)
        if self._cursor_room:
            self._cursor_room = max(self._cursor_room, len(data))
            overwrite_file(self.root / CURSOR, data, self._cursor_room)
        else:
            self._cursor_room = len(data)
            replace_file(self.root / CURSOR, data)

    def _event_sha256(self) -> str:
        """The hash of the last event's payload."""
        if self._last_event is not None:
            self._last_sha256 = _digest(codec.encode(self._last_event))
            self._last_event = None
        return self._last_sha256

    def _stream_id(self) -> str:
        """Which journal this is: a stream's first event never changes, so it is looked up once."""
        if not self._stream:
            first = next(self.journal.read(self.workspace_id, 1, 1), None)
            self._stream = first.chain_hash.hex() if first else ""
        return self._stream

    def _adopt(self, cursor: Cursor) -> bool:
        """Whether the files are the journal's up to the cursor; cuts off what stands behind it."""
        if ORDERS not in cursor.files:
            return False
        if cursor.stream not in ("", self._stream_id()):
            _log.warning("artefacts_of_another_journal", folder=str(self.root), do="made anew from this one")
            return False
        if not self._is_ours(cursor.seq, cursor.event_sha256):
            return False
        self._start_over()
        return self._logs.adopt(cursor.files)

    def _is_ours(self, seq: int, event_sha256: str) -> bool:
        if not seq:
            return not event_sha256
        record = next(self.journal.read(self.workspace_id, seq, seq), None)
        return record is not None and _digest(record.payload) == event_sha256

    # -- the fold at rest -------------------------------------------------------------------------------------

    def _save_fold(self) -> None:
        saved = SavedFold(self.seq, self._event_sha256(), self.fold.save().decode())
        replace_file(self.root / SAVED_FOLD, msgspec.json.encode(saved))
        self._saved_seq = self.seq

    def _restore_fold(self, cursor: Cursor) -> None:
        """Begin from the saved fold, if it is one of this journal's and not ahead of the files."""
        try:
            saved = msgspec.json.decode((self.root / SAVED_FOLD).read_bytes(), type=SavedFold)
        except (FileNotFoundError, msgspec.DecodeError):
            return
        if saved.seq > cursor.seq or not self._is_ours(saved.seq, saved.event_sha256):
            return
        fold = Fold.restore(saved.fold.encode())
        if fold is not None:
            self.fold, self.seq, self._saved_seq = fold, saved.seq, saved.seq
            self._last_sha256 = saved.event_sha256


def _digest(payload: bytes) -> str:
    return hashlib.sha256(payload).hexdigest()
