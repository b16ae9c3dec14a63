"""The line protocol between the remote venue and whoever talks to it: one JSON object per line, either way.

A connection begins with `Hello`. Every request carries an `id` of the asker's choosing, and its `Answer` repeats it.
Reports of the account come on the same connection, numbered from 1 without gaps, each in a `Streamed`.
"""

from __future__ import annotations

import msgspec

from surefill.domain.account import AccountMove
from surefill.domain.reports import VenueReport
from surefill.rules.codes import OrdType

#: What the venue takes. Everything else it refuses.
ORD_TYPES = frozenset({OrdType.MARKET, OrdType.LIMIT, OrdType.STOP})


class Hello(msgspec.Struct, tag=True, frozen=True):
    """Whose orders this connection is about. `after`: send reports beyond this number (-1: only those to come)."""

    account: str
    after: int = -1


class Submit(msgspec.Struct, tag=True, frozen=True):
    """An order. `sent_ns` is when the asker signed it."""

    id: int
    sent_ns: int
    cl_ord_id: str
    instrument_id: str
    position: str
    side: int
    ord_type: int
    time_in_force: int
    order_qty: int
    px: int
    stop_px: int = 0


class Cancel(msgspec.Struct, tag=True, frozen=True):
    """End an order: by the venue's id, else by the client's."""

    id: int
    cl_ord_id: str
    order_id: str


class Look(msgspec.Struct, tag=True, frozen=True):
    """Look for a client order id at one place: "open_orders", "history" or "trades"."""

    id: int
    place: str
    cl_ord_id: str


class Positions(msgspec.Struct, tag=True, frozen=True):
    """The account's holdings."""

    id: int


class Account(msgspec.Struct, tag=True, frozen=True):
    """The account as a whole: "open_orders" of everybody, "executions", "moves" (both since `since_ns`), "balances"."""

    id: int
    place: str
    since_ns: int = 0


class Amend(msgspec.Struct, tag=True, frozen=True):
    """Change a working order's quantity, limit and trigger in place."""

    id: int
    cl_ord_id: str
    order_id: str
    order_qty: int
    px: int
    stop_px: int = 0


class Watch(msgspec.Struct, tag=True, frozen=True):
    """Send the prices of these instruments on this connection from now on."""

    id: int
    instrument_ids: tuple[str, ...]


class Replay(msgspec.Struct, tag=True, frozen=True):
    """Stream again all reports beyond `after`."""

    id: int
    after: int


class Ping(msgspec.Struct, tag=True, frozen=True):
    """Are you there, and how far does the report stream go?"""

    id: int


class Control(msgspec.Struct, tag=True, frozen=True, omit_defaults=True):
    """A test's hand on the venue.

    `command`: "price" (`instrument_id`, `px`, `qty` that trades there, -1 without limit), "rules" (`rules`),
    "arm" (`fault`, `times`, `rate_ppm`, `op`), "heal" (all faults off), "seed" (`qty`), "truth" (of `account`, or all),
    "hand" (an order made by hand: `account`, `instrument_id`, `side`, `qty`, `px`, 0 for at the market),
    "withdraw" (the order made by hand of that `order_id`), "move" (`account`, `move`).
    """

    id: int
    command: str
    account: str = ""
    instrument_id: str = ""
    px: int = 0
    qty: int = -1
    rules: Rules | None = None
    fault: str = ""
    times: int = 0
    rate_ppm: int = 0
    op: str = ""
    side: int = 0
    order_id: str = ""
    move: AccountMove | None = None


class Rules(msgspec.Struct, frozen=True):
    """How the venue trades and how late it is when a fault makes it late.

    `dedupe`: refuse a client order id that was seen before; off, a resent order is a second order.
    `slices`: into how many executions a match is cut. `fee`: money per execution.
    `market_rests`: a market order that finds nothing to trade with waits, as it does where it is executed by request.
    `receive_window_ns`: a submission older than that is refused (0: taken however late).
    `delay_ms`: how much later than usual "late" is; `short_ms`: how much later "just after" is.
    """

    dedupe: bool = False
    slices: int = 1
    fee: int = 0
    receive_window_ns: int = 0
    delay_ms: int = 150
    short_ms: int = 10
    market_rests: bool = False


class OrderTruth(msgspec.Struct, frozen=True):
    """One order that the venue received, and what it did with it."""

    order_id: str
    account: str
    cl_ord_id: str
    status: str
    side: int
    order_qty: int
    cum_qty: int
    instrument_id: str = ""
    position: str = ""
    px: int = 0
    ord_type: int = OrdType.MARKET
    stop_px: int = 0

    @property
    def by_hand(self) -> bool:
        """Whether somebody made it beside us: it has no client order id."""
        return not self.cl_ord_id


class Truth(msgspec.Struct, frozen=True):
    """What really happened: every order by arrival, holdings by account, faults by how often they struck."""

    orders: tuple[OrderTruth, ...]
    positions: dict[str, dict[str, int]]
    fired: dict[str, int]

    def received(self, account: str) -> dict[str, int]:
        """How many orders of ours came, by client order id."""
        counts: dict[str, int] = {}
        for order in self.orders:
            if order.account == account and not order.by_hand:
                counts[order.cl_ord_id] = counts.get(order.cl_ord_id, 0) + 1
        return counts


class Answer(msgspec.Struct, tag=True, frozen=True, omit_defaults=True):
    """What a request led to. `ok` false: `code` and `text` say why. `head`: the number of the newest report."""

    id: int
    ok: bool = True
    code: str = ""
    text: str = ""
    reports: tuple[VenueReport, ...] = ()
    positions: dict[str, int] = {}
    head: int = 0
    truth: Truth | None = None
    orders: tuple[OrderTruth, ...] = ()
    moves: tuple[AccountMove, ...] = ()
    balances: dict[str, int] = {}


class Streamed(msgspec.Struct, tag=True, frozen=True):
    """One report of the account's stream."""

    number: int
    report: VenueReport


class Priced(msgspec.Struct, tag=True, frozen=True):
    """A price, for whoever watches."""

    instrument_id: str
    px: int
    ts_ns: int


Request = Hello | Submit | Cancel | Look | Positions | Account | Amend | Watch | Replay | Ping | Control
Reply = Answer | Streamed | Priced

_ENCODER = msgspec.json.Encoder()
_REQUESTS: msgspec.json.Decoder[Request] = msgspec.json.Decoder(Request)
_REPLIES: msgspec.json.Decoder[Reply] = msgspec.json.Decoder(Reply)


def to_line(message: Request | Reply) -> bytes:
    """A message as it travels."""
    return _ENCODER.encode(message) + b"\n"


def read_request(line: bytes) -> Request:
    """A request off the wire. Raises msgspec.DecodeError where it is none."""
    return _REQUESTS.decode(line)


def read_reply(line: bytes) -> Reply:
    """A reply off the wire. Raises msgspec.DecodeError where it is none."""
    return _REPLIES.decode(line)
