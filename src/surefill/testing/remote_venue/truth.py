"""What really happened at the venue: orders, executions and reports in SQLite, one commit per hop.

Nothing is deduplicated here: an order that arrives twice is there twice. With a file the truth outlives a killed
process (not a power cut: it is a test's truth, and a sync per hop would only make the tests slow).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import apsw
import msgspec

from surefill.domain.account import AccountMove
from surefill.domain.position import position_key
from surefill.domain.reports import ExecType, VenueReport
from surefill.testing.remote_venue.messages import OrderTruth, Submit

WORKING, FILLED, CANCELED, EXPIRED, REFUSED = "working", "filled", "canceled", "expired", "refused"
_END = {CANCELED: ExecType.CANCELED, EXPIRED: ExecType.EXPIRED, REFUSED: ExecType.REJECTED}

_SCHEMA = """
CREATE TABLE IF NOT EXISTS orders (
    number INTEGER PRIMARY KEY, account TEXT, cl_ord_id TEXT, instrument_id TEXT, position TEXT, side INTEGER,
    ord_type INTEGER, time_in_force INTEGER, order_qty INTEGER, px INTEGER, received_ns INTEGER,
    cum_qty INTEGER DEFAULT 0, status TEXT DEFAULT 'working', told INTEGER DEFAULT 0, text TEXT DEFAULT '',
    stop_px INTEGER DEFAULT 0, triggered INTEGER DEFAULT 0, trigger_told INTEGER DEFAULT 0);
CREATE INDEX IF NOT EXISTS orders_by_id ON orders (account, cl_ord_id);
CREATE INDEX IF NOT EXISTS orders_working ON orders (instrument_id) WHERE status = 'working';
CREATE TABLE IF NOT EXISTS executions (
    number INTEGER PRIMARY KEY, order_number INTEGER, last_px INTEGER, last_qty INTEGER, fee INTEGER, ts_ns INTEGER,
    told INTEGER DEFAULT 0);
CREATE INDEX IF NOT EXISTS executions_of ON executions (order_number);
CREATE TABLE IF NOT EXISTS reports (account TEXT, number INTEGER, body BLOB, PRIMARY KEY (account, number))
    WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS moves (number INTEGER PRIMARY KEY, account TEXT, position TEXT, qty INTEGER, body BLOB,
    ts_ns INTEGER);
CREATE TABLE IF NOT EXISTS prices (instrument_id TEXT PRIMARY KEY, px INTEGER, qty INTEGER) WITHOUT ROWID;
"""
_ORDER = (
    "SELECT number, account, cl_ord_id, instrument_id, position, side, ord_type, time_in_force, order_qty, px,"
    " cum_qty, status, text, stop_px, triggered FROM orders"
)
_TRADES = (
    "SELECT e.number, o.number, o.cl_ord_id, e.last_px, e.last_qty, e.fee, e.ts_ns, o.instrument_id, o.position, o.side"
    " FROM executions e JOIN orders o ON o.number = e.order_number"
)
_HOLDINGS = (
    "SELECT o.account, o.position, sum(o.side * e.last_qty)"
    " FROM executions e JOIN orders o ON o.number = e.order_number"
)


class Placed(NamedTuple):
    """An order as it stands."""

    number: int
    account: str
    cl_ord_id: str
    instrument_id: str
    position: str
    side: int
    ord_type: int
    time_in_force: int
    order_qty: int
    px: int
    cum_qty: int
    status: str
    text: str
    stop_px: int
    triggered: int

    @property
    def order_id(self) -> str:
        """The venue's own id."""
        return f"R-{self.number}"

    @property
    def leaves_qty(self) -> int:
        """What has not traded."""
        return self.order_qty - self.cum_qty

    def report(self, exec_type: int, ts_ns: int) -> VenueReport:
        """A report on it that is not an execution."""
        cum_qty = -1 if exec_type == ExecType.NEW else self.cum_qty
        code = "REFUSED" if exec_type == ExecType.REJECTED else ""
        return VenueReport(
            self.cl_ord_id,
            exec_type,
            self.order_id,
            cum_qty=cum_qty,
            transact_ns=ts_ns,
            code=code,
            text=self.text,
            instrument_id=self.instrument_id,
            bucket=bucket_of(self.instrument_id, self.position),
            side=self.side,
        )


def told(order: Placed) -> OrderTruth:
    """An order as others are told of it."""
    return OrderTruth(
        order.order_id,
        order.account,
        order.cl_ord_id,
        order.status,
        order.side,
        order.order_qty,
        order.cum_qty,
        order.instrument_id,
        order.position,
        order.px,
        order.ord_type,
        order.stop_px,
    )


def bucket_of(instrument_id: str, position: str) -> str:
    """The bucket of a position's key."""
    return position[len(instrument_id) + 1 :]


class TruthStore:
    """The tables. Every public method that writes is one commit."""

    def __init__(self, path: str = ":memory:") -> None:
        self._conn = apsw.Connection(path)
        self._conn.execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL")
        self._conn.execute(_SCHEMA)

    def close(self) -> None:
        """Let go of the file."""
        self._conn.close()

    # -- hops -------------------------------------------------------------------------------------------------

    def receive(self, account: str, request: Submit, ts_ns: int, *, refused: str = "") -> Placed:
        """An order has arrived; `refused` says why it is not taken."""
        self._conn.execute(
            "INSERT INTO orders (account, cl_ord_id, instrument_id, position, side, ord_type, time_in_force, order_qty,"
            " px, received_ns, status, text, stop_px) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)",
            (
                account,
                request.cl_ord_id,
                request.instrument_id,
                request.position,
                request.side,
                request.ord_type,
                request.time_in_force,
                request.order_qty,
                request.px,
                ts_ns,
                REFUSED if refused else WORKING,
                refused,
                request.stop_px,
            ),
        )
        return self.order(self._conn.last_insert_rowid())

    def execute(self, order: Placed, px: int, qtys: list[int], fee: int, ts_ns: int) -> Placed:
        """It has traded, in pieces of `qtys`, and took as much out of what trades at the price."""
        done = sum(qtys)
        with self._conn:
            for qty in qtys:
                self._conn.execute(
                    "INSERT INTO executions (order_number, last_px, last_qty, fee, ts_ns) VALUES (?,?,?,?,?)",
                    (order.number, px, qty, fee, ts_ns),
                )
            status = FILLED if order.cum_qty + done >= order.order_qty and order.status == WORKING else order.status
            self._conn.execute(
                "UPDATE orders SET cum_qty = cum_qty + ?, status = ? WHERE number = ?", (done, status, order.number)
            )
            self._conn.execute(
                "UPDATE prices SET qty = max(qty - ?, 0) WHERE instrument_id = ? AND qty > 0",
                (done, order.instrument_id),
            )
        return self.order(order.number)

    def end(self, order: Placed, status: str, text: str) -> Placed:
        """It is over without being full."""
        self._conn.execute("UPDATE orders SET status = ?, text = ? WHERE number = ?", (status, text, order.number))
        return self.order(order.number)

    def amend(self, order: Placed, order_qty: int, px: int, stop_px: int) -> Placed:
        """It works on under other terms."""
        terms = (order_qty, px, stop_px, order.number)
        self._conn.execute("UPDATE orders SET order_qty = ?, px = ?, stop_px = ? WHERE number = ?", terms)
        return self.order(order.number)

    def trigger(self, order: Placed) -> Placed:
        """The price has reached its trigger."""
        self._conn.execute("UPDATE orders SET triggered = 1 WHERE number = ?", (order.number,))
        return self.order(order.number)

    def move(self, account: str, move: AccountMove) -> None:
        """Cash or a holding moves, and not by a trade."""
        row = (account, position_key(move.instrument_id, move.bucket), move.qty, msgspec.json.encode(move))
        self._conn.execute(
            "INSERT INTO moves (account, position, qty, body, ts_ns) VALUES (?,?,?,?,?)", (*row, move.transact_ns)
        )

    def report(self, order: Placed, ts_ns: int) -> list[tuple[int, VenueReport]]:
        """Number and keep the reports on what has happened to it and has not been reported yet."""
        reports: list[VenueReport] = []
        row = self._conn.execute("SELECT told, trigger_told FROM orders WHERE number = ?", (order.number,))
        told, trigger_told = next(row)
        if not told and order.status != REFUSED:
            reports.append(order.report(ExecType.NEW, ts_ns))
        if order.triggered and not trigger_told:
            reports.append(order.report(ExecType.TRIGGERED, ts_ns))
        reports += self._trades("WHERE e.order_number = ? AND NOT e.told ORDER BY e.number", order.number)
        if order.status in _END and told != 2:
            reports.append(order.report(_END[order.status], ts_ns))
        with self._conn:
            numbered = [(self._keep(order.account, report), report) for report in reports]
            self._conn.execute("UPDATE executions SET told = 1 WHERE order_number = ?", (order.number,))
            state = 2 if order.status in _END else 1
            self._conn.execute(
                "UPDATE orders SET told = ?, trigger_told = triggered WHERE number = ?", (state, order.number)
            )
        return numbered

    def _keep(self, account: str, report: VenueReport) -> int:
        number = self.head(account) + 1
        self._conn.execute("INSERT INTO reports VALUES (?,?,?)", (account, number, msgspec.json.encode(report)))
        return number

    def set_price(self, instrument_id: str, px: int, qty: int) -> None:
        """What it trades at from now on, and how much of it (-1: any)."""
        self._conn.execute("REPLACE INTO prices VALUES (?,?,?)", (instrument_id, px, qty))

    # -- looks ------------------------------------------------------------------------------------------------

    def price(self, instrument_id: str) -> tuple[int, int]:
        """Price and quantity there (-1: any); price 0 where none was ever set."""
        found = self._conn.execute("SELECT px, qty FROM prices WHERE instrument_id = ?", (instrument_id,)).fetchone()
        return (0, 0) if found is None else (found[0], found[1])

    def order(self, number: int) -> Placed:
        """One order."""
        return Placed(*next(self._conn.execute(f"{_ORDER} WHERE number = ?", (number,))))  # nosec B608: constant text

    def orders(self, account: str, cl_ord_id: str) -> list[Placed]:
        """All orders that came under a client order id, by arrival."""
        return self._orders("WHERE account = ? AND cl_ord_id = ? ORDER BY number", account, cl_ord_id)

    def working(self, instrument_id: str) -> list[Placed]:
        """The orders that rest, oldest first."""
        return self._orders("WHERE instrument_id = ? AND status = 'working' ORDER BY number", instrument_id)

    def unreported(self) -> list[Placed]:
        """Orders with something that no report tells yet, because the process died between two hops."""
        return self._orders(
            "WHERE (told = 0) OR (told = 1 AND status IN ('canceled', 'expired', 'refused'))"
            " OR trigger_told < triggered OR number IN"
            " (SELECT order_number FROM executions WHERE NOT told) ORDER BY number"
        )

    def _orders(self, where: str, *values: object) -> list[Placed]:
        rows = self._conn.execute(f"{_ORDER} {where}", values)  # nosec B608: constant text
        return [Placed(*row) for row in rows]

    def trades(self, account: str, cl_ord_id: str) -> list[VenueReport]:
        """Every execution under a client order id."""
        return list(self._trades("WHERE o.account = ? AND o.cl_ord_id = ? ORDER BY e.number", account, cl_ord_id))

    def _trades(self, where: str, *values: object) -> Iterator[VenueReport]:
        for row in self._conn.execute(f"{_TRADES} {where}", values):  # nosec B608: constant text
            number, order_number, cl_ord_id, last_px, last_qty, fee, ts_ns, instrument_id, position, side = row
            yield VenueReport(
                cl_ord_id,
                ExecType.TRADE,
                f"R-{order_number}",
                f"E-{number}",
                last_px,
                last_qty,
                fee,
                transact_ns=ts_ns,
                instrument_id=instrument_id,
                bucket=bucket_of(instrument_id, position),
                side=side,
            )

    def executions(self, account: str, since_ns: int) -> list[VenueReport]:
        """Every execution of the account since then."""
        return list(self._trades("WHERE o.account = ? AND e.ts_ns >= ? ORDER BY e.number", account, since_ns))

    def moves(self, account: str, since_ns: int) -> list[AccountMove]:
        """Every move of the account since then."""
        query = "SELECT body FROM moves WHERE account = ? AND ts_ns >= ? ORDER BY number"
        return [
            msgspec.json.decode(body, type=AccountMove) for (body,) in self._conn.execute(query, (account, since_ns))
        ]

    def positions(self, account: str, *, without_newest: bool = False) -> dict[str, int]:
        """The account's holdings, or what they were before its newest execution."""
        upto = "AND e.number < (SELECT max(e.number) FROM executions e JOIN orders o ON o.number = e.order_number"
        where = f"WHERE o.account = ?1 {upto} WHERE o.account = ?1)" if without_newest else "WHERE o.account = ?1"
        return self._holdings(where, account).get(account, {})

    def all_positions(self) -> dict[str, dict[str, int]]:
        """Every account's holdings."""
        return self._holdings("")

    def _holdings(self, where: str, *values: object) -> dict[str, dict[str, int]]:
        held: dict[str, dict[str, int]] = {}
        query = f"{_HOLDINGS} {where} GROUP BY o.account, o.position"  # nosec B608: constant text
        for account, position, qty in self._conn.execute(query, values):
            held.setdefault(account, {})[position] = qty
        for account, position, qty in self._conn.execute("SELECT account, position, qty FROM moves WHERE qty <> 0"):
            if values[:1] in ((), (account,)):
                holdings = held.setdefault(account, {})
                holdings[position] = holdings.get(position, 0) + qty
        return {account: {key: qty for key, qty in keys.items() if qty} for account, keys in held.items() if keys}

    def head(self, account: str) -> int:
        """The number of the account's newest report."""
        newest = self._conn.execute("SELECT max(number) FROM reports WHERE account = ?", (account,)).get
        return int(newest or 0)

    def reports(self, account: str, after: int) -> list[tuple[int, VenueReport]]:
        """The account's reports beyond a number."""
        rows = self._conn.execute(
            "SELECT number, body FROM reports WHERE account = ? AND number > ? ORDER BY number", (account, after)
        )
        return [(number, msgspec.json.decode(body, type=VenueReport)) for number, body in rows]

    def all_orders(self, account: str = "") -> tuple[OrderTruth, ...]:
        """Every order that was ever received, of one account if named."""
        return tuple(told(o) for o in self._orders("WHERE ?1 IN ('', account) ORDER BY number", account))
