"""The table `execution_logs`: append-only versions of rows, and a view that shows the newest version of each.

1. Rows are only ever added. The database itself refuses to change or delete one, to add one out of order, and to add
   one on a connection that is not the projector's (it lacks a function that the guard calls).
2. A row moves on by a further version of it: the view `execution_logs` has the contract's columns of the newest one.
   A view takes no updates and no deletes either.
3. It can be deleted whole and made again from the journal, with the same content to the last byte (`content`).
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

import apsw
import msgspec

from surefill.views.execution_log import RowVersion
from surefill.views.execution_rows import COLUMNS, Cell

SCHEMA_VERSION: Final = 1
APPLICATION_ID: Final = 0x53464C31  # "SFL1"

# The contract's names and types. Its repairs: a rejection has no order_id, a symbol may be as long as NIFTY24DECFUT,
# slippage keeps its digits, indexes are statements of their own.
_TYPES: Final = {
    "execution_id": "VARCHAR(36) NOT NULL",
    "order_id": "VARCHAR(36)",
    "request_id": "VARCHAR(36) NOT NULL",
    "rpm_decision_id": "VARCHAR(36) NOT NULL",
    "symbol": "VARCHAR(40) NOT NULL",
    "direction": "SMALLINT NOT NULL",
    "intended_units": "DECIMAL(15, 2) NOT NULL",
    "executed_units": "DECIMAL(15, 2)",
    "intended_price": "DECIMAL(18, 8)",
    "fill_price": "DECIMAL(18, 8)",
    "slippage_pips": "DECIMAL(18, 6)",
    "status": "VARCHAR(20) NOT NULL",
    "rejection_reason": "VARCHAR(50)",
    "rejection_details": "TEXT",
    "confidence_score": "DECIMAL(3, 2)",
    "regime": "VARCHAR(20)",
    "risk_per_trade": "DECIMAL(12, 2)",
    "model_version": "VARCHAR(20)",
    "rpm_version": "VARCHAR(20)",
    "execution_engine_version": "VARCHAR(20)",
    "created_timestamp": "TIMESTAMP NOT NULL",
    "submission_timestamp": "TIMESTAMP",
    "fill_timestamp": "TIMESTAMP",
    "last_update_timestamp": "TIMESTAMP NOT NULL",
}
_COLUMNS_SQL: Final = ", ".join(COLUMNS)
_DEFINED: Final = ",\n    ".join(f"{name} {_TYPES[name]}" for name in COLUMNS)

SCHEMA: Final = f"""
CREATE TABLE execution_log_versions (
    version INTEGER PRIMARY KEY,
    seq INTEGER NOT NULL,
    {_DEFINED},
    details TEXT NOT NULL,
    group_id VARCHAR(100) NOT NULL
);
CREATE INDEX idx_symbol_date ON execution_log_versions (symbol, created_timestamp);
CREATE INDEX idx_status ON execution_log_versions (status);
CREATE INDEX idx_order_id ON execution_log_versions (order_id);
CREATE INDEX idx_request_id ON execution_log_versions (request_id);
CREATE INDEX idx_execution_id ON execution_log_versions (execution_id, version);
CREATE INDEX idx_created ON execution_log_versions (created_timestamp);
CREATE INDEX idx_decision ON execution_log_versions (rpm_decision_id);
CREATE INDEX idx_group_id ON execution_log_versions (group_id) WHERE group_id <> '';
CREATE TABLE execution_log_progress (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    workspace_id TEXT NOT NULL,
    stream TEXT NOT NULL,
    seq INTEGER NOT NULL,
    event_sha256 TEXT NOT NULL
);
CREATE TABLE execution_log_fold (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    seq INTEGER NOT NULL,
    fold TEXT NOT NULL
);
CREATE VIEW execution_logs AS SELECT {_COLUMNS_SQL} FROM execution_log_versions AS newest
WHERE version = (SELECT max(version) FROM execution_log_versions WHERE execution_id = newest.execution_id);
CREATE TRIGGER execution_log_insert BEFORE INSERT ON execution_log_versions
BEGIN
    SELECT RAISE(ABORT, 'only the projector writes the execution log') WHERE surefill_projector() <> 1;
    SELECT RAISE(ABORT, 'the execution log is written in order')
    WHERE NEW.version <> (SELECT coalesce(max(version), 0) + 1 FROM execution_log_versions);
END;
CREATE TRIGGER execution_log_update BEFORE UPDATE ON execution_log_versions
BEGIN SELECT RAISE(ABORT, 'the execution log is never changed'); END;
CREATE TRIGGER execution_log_delete BEFORE DELETE ON execution_log_versions
BEGIN SELECT RAISE(ABORT, 'nothing is deleted from the execution log'); END;
"""  # nosec B608: column names of our own


def _projector(*_nothing: object) -> int:
    """What the guard of the table asks for; connections that lack it cannot write there."""
    return 1


class Stored(NamedTuple):
    """A row as it is stored: the contract's cells, the details beside them, and the event that it is of."""

    seq: int
    cells: dict[str, Cell]
    details: dict[str, Any]


class Progress(NamedTuple):
    """How far the table is: up to event `seq` of this stream, whose payload has this SHA-256."""

    workspace_id: str
    stream: str
    seq: int
    event_sha256: str


class ExecutionTable:
    """One connection, used by one thread at a time. `path` is a file, or ":memory:". Raises apsw.Error."""

    def __init__(self, path: str) -> None:
        self._using = threading.Lock()
        self._conn = apsw.Connection(path)
        self._conn.set_busy_timeout(2_000)
        self._conn.create_scalar_function("surefill_projector", _projector, 0)
        # What a crash takes is made again from the journal: nothing here waits for the disk.
        self._conn.execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL").fetchall()

    def close(self) -> None:
        """Let go of the file."""
        with self._using:
            self._conn.close()

    # -- writing ----------------------------------------------------------------------------------------------

    def is_ours(self) -> bool:
        """Whether the file has this version's tables, guards and all."""
        with self._using:
            if self._conn.pragma("application_id") != APPLICATION_ID:
                return False
            model = apsw.Connection(":memory:")
            model.execute(SCHEMA)
            listing = "SELECT name, sql FROM sqlite_schema ORDER BY name"
            same = model.execute(listing).fetchall() == self._conn.execute(listing).fetchall()
            model.close()
            return same and bool(self._conn.pragma("user_version") == SCHEMA_VERSION)

    def is_empty(self) -> bool:
        """Whether nothing has ever been in it."""
        with self._using:
            return bool(self._conn.execute("SELECT count(*) FROM sqlite_schema").get == 0)

    def create(self) -> None:
        """Make the tables in an empty file."""
        with self._using, self._conn:
            self._conn.execute(SCHEMA)
            self._conn.execute(f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {SCHEMA_VERSION}")

    def append(self, rows: Iterable[RowVersion], progress: Progress) -> None:
        """Add versions, and say how far the table is now; both or neither."""
        marks = ", ".join("?" for _ in range(len(COLUMNS) + 4))
        insert = f"INSERT INTO execution_log_versions VALUES ({marks})"  # nosec B608: no text of anybody's
        with self._using, self._conn:
            version = self._conn.execute("SELECT coalesce(max(version), 0) FROM execution_log_versions").get
            for row in rows:
                version += 1
                self._conn.execute(insert, (version, row.seq, *map(row.cells.get, COLUMNS), row.details, row.group_id))
            self._conn.execute("INSERT OR REPLACE INTO execution_log_progress VALUES (1, ?, ?, ?, ?)", progress)

    def progress(self) -> Progress | None:
        """How far the table is; None where it has not begun."""
        with self._using:
            found: list[tuple[Any, ...]] = self._conn.execute(
                "SELECT workspace_id, stream, seq, event_sha256 FROM execution_log_progress"
            ).fetchall()
        return Progress(*found[0]) if found else None

    def save_fold(self, seq: int, fold: bytes) -> None:
        """Keep the fold as it was after event `seq`, for a quick start."""
        with self._using:
            self._conn.execute("INSERT OR REPLACE INTO execution_log_fold VALUES (1, ?, ?)", (seq, fold.decode()))

    def saved_fold(self) -> bytes | None:
        """What `save_fold` kept last."""
        with self._using:
            found = self._conn.execute("SELECT fold FROM execution_log_fold").get
        return None if found is None else str(found).encode()

    # -- reading ----------------------------------------------------------------------------------------------

    def newest(
        self,
        *,
        execution_id: str = "",
        order_id: str = "",
        decision_id: str = "",
        symbol: str = "",
        reason: str = "",
        group_id: str = "",
        since: str = "",
        until: str = "",
        limit: int = -1,
    ) -> list[Stored]:
        """The newest version of each execution that was asked for, those created last first.

        What is empty is not asked for. `since` and `until` are times as in the table; `until` is not included.
        """
        asked = {
            "execution_id = ?": execution_id,
            "order_id = ?": order_id,
            "rpm_decision_id = ?": decision_id,
            "symbol = ?": symbol,
            "rejection_reason = ?": reason,
            "group_id = ?": group_id,
            "created_timestamp >= ?": since,
            "created_timestamp < ?": until,
        }
        given = {condition: value for condition, value in asked.items() if value}
        where = "".join(f" AND {condition}" for condition in given)
        sql = (
            f"SELECT seq, details, {_COLUMNS_SQL} FROM execution_log_versions AS newest WHERE version ="  # nosec B608
            " (SELECT max(version) FROM execution_log_versions WHERE execution_id = newest.execution_id)"
            f"{where} ORDER BY created_timestamp DESC, version DESC LIMIT ?"
        )
        return self._read(sql, (*given.values(), limit))

    def versions(self, *, execution_id: str = "", since: str = "") -> list[Stored]:
        """Every version of an execution's row, or of those created at that time or later; oldest first."""
        where, value = ("execution_id = ?", execution_id) if execution_id else ("created_timestamp >= ?", since)
        sql = (
            f"SELECT seq, details, {_COLUMNS_SQL} FROM execution_log_versions"  # nosec B608
            f" WHERE {where} ORDER BY version"
        )
        return self._read(sql, (value,))

    def group_ids(self, limit: int) -> list[str]:
        """The groups of legs that moved last, the last first."""
        sql = (
            "SELECT group_id FROM execution_log_versions WHERE group_id <> ''"
            " GROUP BY group_id ORDER BY max(version) DESC LIMIT ?"
        )
        with self._using:
            return [str(row[0]) for row in self._conn.execute(sql, (limit,))]

    def content(self) -> bytes:
        """Everything in it, in bytes: two tables are the same if and only if these are."""
        with self._using:
            rows = self._conn.execute("SELECT * FROM execution_log_versions ORDER BY version").fetchall()
        return msgspec.json.encode(rows)

    def _read(self, sql: str, bindings: Sequence[Cell]) -> list[Stored]:
        with self._using:
            rows: list[tuple[Any, ...]] = self._conn.execute(sql, bindings).fetchall()
        return [Stored(row[0], dict(zip(COLUMNS, row[2:], strict=True)), msgspec.json.decode(row[1])) for row in rows]
