"""What really happened at an emulated venue, in SQLite: nothing is deduplicated, what came twice is here twice.

With a file the truth outlives a killed process (not a power cut: it is a test's truth, and a sync per step would only
make the tests slow). Several writes under `with store.step():` are one commit.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any, NamedTuple

import apsw

from surefill.testing.emulators.groundwork.records import (
    OPEN,
    Balance,
    Execution,
    Order,
    OrdType,
    Position,
    Quote,
    Status,
    Tif,
)


class _Table(NamedTuple):
    name: str
    fields: tuple[str, ...]
    key: tuple[str, ...]

    @property
    def definition(self) -> str:
        columns = ["number INTEGER PRIMARY KEY" if field == "number" else field for field in self.fields]
        key = f", PRIMARY KEY ({', '.join(self.key)})" if self.key else ""
        return f"CREATE TABLE IF NOT EXISTS {self.name} ({', '.join(columns)}{key});"

    @property
    def insertion(self) -> str:
        return f"REPLACE INTO {self.name} VALUES ({', '.join('?' * len(self.fields))})"  # nosec B608: own names


_TABLES = {
    Order: _Table("orders", Order._fields, ()),
    Execution: _Table("executions", Execution._fields, ()),
    Position: _Table("positions", Position._fields, ("account", "scope", "symbol", "bucket")),
    Balance: _Table("balances", Balance._fields, ("account", "scope", "asset")),
    Quote: _Table("quotes", Quote._fields, ("symbol",)),
}
_INDEXES = """
CREATE INDEX IF NOT EXISTS orders_by_id ON orders (account, scope, client_id);
CREATE INDEX IF NOT EXISTS orders_open ON orders (symbol) WHERE status IN ('PENDING', 'NEW', 'PARTIALLY_FILLED');
CREATE INDEX IF NOT EXISTS executions_of ON executions (order_number);
CREATE TABLE IF NOT EXISTS notes (topic, name, body, PRIMARY KEY (topic, name)) WITHOUT ROWID;
"""
_DECIMALS = frozenset(("qty", "px", "stop_px", "cum_qty", "cum_value", "fee", "realized", "avg_px", "free", "locked"))
_DECIMALS |= {"bid", "ask", "last", "bid_qty", "ask_qty"}
_FLAGS = frozenset(("reduce_only", "maker"))


def _to_row(record: NamedTuple) -> tuple[Any, ...]:
    values = record._asdict()
    if values.get("number") == 0:
        values["number"] = None
    return tuple(str(value) if isinstance(value, Decimal | str) else value for value in values.values())


def _read(field: str, value: Any) -> Any:
    if value is not None and field in _DECIMALS:
        return Decimal(value)
    return bool(value) if field in _FLAGS else value


def _to_order(row: tuple[Any, ...]) -> Order:
    values = {field: _read(field, value) for field, value in zip(Order._fields, row, strict=True)}
    values.update(ord_type=OrdType(values["ord_type"]), tif=Tif(values["tif"]), status=Status(values["status"]))
    return Order(**values)


class Store:
    """The tables."""

    def __init__(self, path: str = ":memory:") -> None:
        self._conn = apsw.Connection(path)
        self._conn.execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL")
        for table in _TABLES.values():
            self._conn.execute(table.definition)
        self._conn.execute(_INDEXES)

    def close(self) -> None:
        """Let go of the file."""
        self._conn.close()

    @contextmanager
    def step(self) -> Iterator[None]:
        """One commit for all writes within; may be nested."""
        with self._conn:
            yield

    def clear(self) -> None:
        """Forget everything."""
        with self.step():
            for name in (*(table.name for table in _TABLES.values()), "notes"):
                self._conn.execute(f"DELETE FROM {name}")  # nosec B608: own names

    # -- writes -----------------------------------------------------------------------------------------------

    def add_order(self, order: Order) -> Order:
        """A new order; it comes back with its number."""
        self._conn.execute(_TABLES[Order].insertion, _to_row(order._replace(number=0)))
        return order._replace(number=self._conn.last_insert_rowid())

    def put_order(self, order: Order) -> None:
        """The order as it now stands."""
        self._conn.execute(_TABLES[Order].insertion, _to_row(order))

    def add_execution(self, execution: Execution) -> Execution:
        """A new execution; it comes back with its number."""
        self._conn.execute(_TABLES[Execution].insertion, _to_row(execution._replace(number=0)))
        return execution._replace(number=self._conn.last_insert_rowid())

    def put_position(self, position: Position) -> None:
        """The position as it now stands."""
        self._conn.execute(_TABLES[Position].insertion, _to_row(position))

    def add_balance(self, account: str, scope: str, asset: str, free: Decimal, locked: Decimal = Decimal(0)) -> Balance:
        """Change a balance by that much."""
        was = self.balance(account, scope, asset)
        now = was._replace(free=was.free + free, locked=was.locked + locked)
        self._conn.execute(_TABLES[Balance].insertion, _to_row(now))
        return now

    def put_quote(self, quote: Quote) -> None:
        """Prices from now on."""
        self._conn.execute(_TABLES[Quote].insertion, _to_row(quote))

    def note(self, topic: str, name: str, body: str | None) -> None:
        """Keep what only this kind of venue knows (sessions, settings, groups of orders); None forgets it."""
        if body is None:
            self._conn.execute("DELETE FROM notes WHERE topic = ? AND name = ?", (topic, name))
        else:
            self._conn.execute("REPLACE INTO notes VALUES (?,?,?)", (topic, name, body))

    # -- looks ------------------------------------------------------------------------------------------------

    def order(self, number: int) -> Order | None:
        """The order of that number."""
        return next(iter(self.orders(number=number)), None)

    def orders(self, *, open_only: bool = False, **equal: Any) -> list[Order]:
        """Orders in the order of their arrival; `equal` narrows by fields."""
        where, values = _where(Order, equal)
        if open_only:
            where += f" AND status IN ({', '.join('?' * len(OPEN))})"
            values += tuple(str(status) for status in OPEN)
        rows = self._conn.execute(f"SELECT * FROM orders WHERE {where} ORDER BY number", values)  # nosec B608
        return [_to_order(row) for row in rows]

    def executions(self, **equal: Any) -> list[Execution]:
        """Executions in the order in which they happened."""
        return [Execution(*row) for row in self._rows(Execution, "number", equal)]

    def positions(self, **equal: Any) -> list[Position]:
        """Positions, also those that are flat again."""
        return [Position(*row) for row in self._rows(Position, "symbol, bucket", equal)]

    def position(self, account: str, scope: str, symbol: str, bucket: str = "") -> Position:
        """What is held in one bucket."""
        found = self.positions(account=account, scope=scope, symbol=symbol, bucket=bucket)
        return found[0] if found else Position(account, scope, symbol, bucket)

    def balances(self, **equal: Any) -> list[Balance]:
        """All balances."""
        return [Balance(*row) for row in self._rows(Balance, "asset", equal)]

    def balance(self, account: str, scope: str, asset: str) -> Balance:
        """One balance, zero where there is none."""
        found = self.balances(account=account, scope=scope, asset=asset)
        return found[0] if found else Balance(account, scope, asset)

    def quote(self, symbol: str) -> Quote | None:
        """The prices of a symbol, if it has any."""
        return next((Quote(*row) for row in self._rows(Quote, "symbol", {"symbol": symbol})), None)

    def noted(self, topic: str, name: str) -> str | None:
        """What is kept under that name."""
        value = self._conn.execute("SELECT body FROM notes WHERE topic = ? AND name = ?", (topic, name)).get
        return None if value is None else str(value)

    def notes(self, topic: str) -> dict[str, str]:
        """Everything that is kept under a topic."""
        return dict(self._conn.execute("SELECT name, body FROM notes WHERE topic = ? ORDER BY name", (topic,)))

    def _rows(self, kind: Any, by: str, equal: dict[str, Any]) -> Iterator[list[Any]]:
        where, values = _where(kind, equal)
        sql = f"SELECT * FROM {_TABLES[kind].name} WHERE {where} ORDER BY {by}"  # nosec B608: own names
        for row in self._conn.execute(sql, values):
            yield [_read(field, value) for field, value in zip(kind._fields, row, strict=True)]


def _where(kind: Any, equal: dict[str, Any]) -> tuple[str, tuple[Any, ...]]:
    unknown = set(equal) - set(kind._fields)
    if unknown:
        raise TypeError(f"{kind.__name__} has no field {', '.join(sorted(unknown))}")
    values = tuple(str(value) if isinstance(value, Decimal | str) else value for value in equal.values())
    return " AND ".join(["1", *(f"{field} = ?" for field in equal)]), values
