"""What really happened at the venue, in SQLite: one row for each thing, one commit for each hop.

Nothing is deduplicated here. With a file it outlives a killed process (not a power cut: it is a test's truth, and a
sync per hop would only make the tests slow).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Generic, TypeVar

import apsw
import msgspec

from surefill.testing.emulators.kite.gtt_orders import Gtt
from surefill.testing.emulators.kite.instruments import Instrument
from surefill.testing.emulators.kite.market import Price
from surefill.testing.emulators.kite.orders import Order, Trade

T = TypeVar("T")
TABLES: Final = ("orders", "steps", "trades", "gtts", "prices", "instruments", "state")


class Table(Generic[T]):
    """Rows by key in the order they came, in memory and written through."""

    def __init__(self, conn: apsw.Connection, name: str, kind: type[T]) -> None:
        self._conn = conn
        self._name = name
        self._kind = kind
        read = msgspec.json.Decoder(kind).decode
        rows = conn.execute(f"SELECT key, body FROM {name} ORDER BY number")  # nosec B608: constant names
        self._rows: dict[str, T] = {key: read(body) for key, body in rows}

    def __len__(self) -> int:
        return len(self._rows)

    def get(self, key: str) -> T | None:
        """The row, or None."""
        return self._rows.get(key)

    def __getitem__(self, key: str) -> T:
        return self._rows[key]

    def values(self) -> list[T]:
        """All rows, oldest first."""
        return list(self._rows.values())

    def put(self, key: str, row: T) -> T:
        """Write it, in its old place if it has one."""
        self._conn.execute(
            f"INSERT INTO {self._name} (key, body) VALUES (?, ?)"  # nosec B608: constant names
            " ON CONFLICT (key) DO UPDATE SET body = excluded.body",
            (key, msgspec.json.encode(row)),
        )
        self._rows[key] = row
        return row

    def remove(self, key: str) -> None:
        """Forget it."""
        self._conn.execute(f"DELETE FROM {self._name} WHERE key = ?", (key,))  # nosec B608: constant names
        self._rows.pop(key, None)


class Store:
    """The tables; each `put` is one commit, unless a `hop` holds several together."""

    def __init__(self, path: str = ":memory:") -> None:
        self._conn = apsw.Connection(path)
        self._conn.execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL")
        for name in TABLES:
            self._conn.execute(
                f"CREATE TABLE IF NOT EXISTS {name} (number INTEGER PRIMARY KEY, key TEXT UNIQUE, body BLOB)"
            )
        self.orders = Table(self._conn, "orders", Order)
        self.steps = Table(self._conn, "steps", Order)
        self.trades = Table(self._conn, "trades", Trade)
        self.gtts = Table(self._conn, "gtts", Gtt)
        self.prices = Table(self._conn, "prices", Price)
        self.instruments = Table(self._conn, "instruments", Instrument)
        self.state = Table(self._conn, "state", dict[str, object])

    def hop(self, write: Callable[[], None]) -> None:
        """Everything that `write` puts, in one commit."""
        with self._conn:
            write()

    def next_number(self, name: str) -> int:
        """The next of a row of numbers, over restarts."""
        found = self.state.get("numbers") or {}
        number = int(str(found.get(name, 0))) + 1
        self.state.put("numbers", {**found, name: number})
        return number

    def close(self) -> None:
        """Let go of the file."""
        self._conn.close()
