"""What a venue is to the engine: three outcomes, queries that tell absence from failure, and a report stream.

1. `submit` and `cancel` have three outcomes. `Rejected` is proof that nothing took effect; whatever is not
   proof either way is `Unknown`. An adapter never guesses and never resends.
2. A query that fails raises `VenueOutcomeUnknown`. An empty answer is an answer; a failure never is.
3. Reports arrive through the sink given to `connect`, in any order, perhaps twice; the core sorts them out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Protocol

import msgspec

from surefill.domain.account import AccountMove
from surefill.domain.instrument import Instrument
from surefill.domain.market import Bar, BarOpened, Quote
from surefill.domain.orders import OrderRequest
from surefill.domain.reports import VenueReport
from surefill.domain.state import Book

ReportSink = Callable[[VenueReport], None]
QuoteSink = Callable[[Quote], None]


class RateLimit(msgspec.Struct, frozen=True):
    """At most `count` requests of a kind in any window of `window_ns`. `scope`: "account" or "address".

    `kind`: "order" counts submissions, amendments and cancels, "query" every look, any other name both.
    """

    kind: str
    count: int
    window_ns: int
    scope: str = "account"


class Capabilities(msgspec.Struct, frozen=True):
    """What a venue can do.

    `in_process`: it lives in this process and its truth is our journal, so that an order and its answer may share
    one commit. `receive_window_ns`: how long after signing it can still accept a request (0: no such bound, so
    absence is never proof by itself). `cl_ord_id_max` and `cl_ord_id_alphabet`: how long a client order id may be and
    of which characters (a regular expression's class, "" for any). `native_stops`: it keeps stop orders itself.
    `amends`: a working order's terms can be changed in place. `dead_man`: it cancels our orders when we fall silent.
    `pretended`: nothing at it is anybody's money, now or ever: only such a one, or one in this process, may be what a
    paper workspace trades at.
    `time_in_force_of`: order types that take fewer of its times in force, and which.
    `links`: it takes a stop with a `target_px` as a pair of which one ends the other. `cash`: how its balance in the
    account's currency can be held against our books: what is held was paid out of it ("paid"), only results, fees and
    payments move it ("margin"), or it cannot ("").
    """

    name: str
    ord_types: frozenset[int]
    time_in_force: frozenset[int]
    in_process: bool = False
    receive_window_ns: int = 0
    cl_ord_id_max: int = 36
    cl_ord_id_alphabet: str = ""
    native_stops: bool = False
    amends: bool = False
    dead_man: bool = False
    pretended: bool = False
    links: bool = False
    cash: str = ""
    rate_limits: tuple[RateLimit, ...] = ()
    time_in_force_of: Mapping[int, frozenset[int]] = {}

    def takes(self, ord_type: int, time_in_force: int) -> bool:
        """Whether an order of that type may have that time in force."""
        return time_in_force in self.time_in_force_of.get(ord_type, self.time_in_force)


class Accepted(msgspec.Struct, frozen=True, gc=False):
    """The venue has it; `reports` is what it said with its answer (at least that the order is new)."""

    reports: tuple[VenueReport, ...]


class Rejected(msgspec.Struct, frozen=True):
    """Proof that the request did not take effect, in the venue's own words.

    `undelivered`: it never reached the venue, or was turned away unread, so the very same request may be made again,
    not before `retry_after_ns` from now.
    """

    code: str
    text: str
    raw: str = ""
    undelivered: bool = False
    retry_after_ns: int = 0


class Unknown(msgspec.Struct, frozen=True):
    """No proof either way: a time-out, a lost connection, an unreadable answer."""

    reason: str
    raw: str = ""


Outcome = Accepted | Rejected | Unknown


class QueryAnswer(msgspec.Struct, frozen=True):
    """A successful look at open orders, history and trades. `found` false: no trace of the order."""

    found: bool
    reports: tuple[VenueReport, ...] = ()


class Venue(Protocol):
    """The contract of every venue."""

    @property
    def capabilities(self) -> Capabilities:
        """What it can do."""

    async def connect(self, sink: ReportSink) -> None:
        """Be ready, and hand every report to `sink` from now on."""

    async def submit(self, request: OrderRequest) -> Outcome:
        """Send the order once."""

    async def cancel(self, request: OrderRequest, order_id: str) -> Outcome:
        """Ask for its cancellation once; `Accepted` reports its end, `Rejected` that it would not."""

    async def query(self, request: OrderRequest) -> QueryAnswer:
        """What became of it, by client order id. Raises VenueOutcomeUnknown when that cannot be told."""

    async def positions(self) -> dict[str, int]:
        """Signed quantity by position key. Raises VenueOutcomeUnknown when that cannot be told."""

    async def close(self) -> None:
        """Let go of connections; orders stay where they are."""


class OpenOrder(msgspec.Struct, frozen=True):
    """An order that works at the venue now, ours or made elsewhere. Prices and quantities in quanta.

    `cl_ord_id` as the venue shows it, "" where it has none. `raw`: the venue's payload.
    """

    order_id: str
    cl_ord_id: str
    instrument_id: str
    bucket: str
    side: int
    ord_type: int
    order_qty: int
    cum_qty: int
    px: int = 0
    stop_px: int = 0
    raw: str = ""


class Balance(msgspec.Struct, frozen=True):
    """What the account holds of an asset, in units of the asset: its scale is the venue's own."""

    asset: str
    total: Decimal
    available: Decimal


class Access(msgspec.Struct, frozen=True):
    """What the keys may do and how the venue's clock stands: `clock_ahead_ns` is its time less ours."""

    account: str
    can_trade: bool
    can_withdraw: bool | None
    clock_ahead_ns: int = 0
    detail: str = ""


class LiveVenue(Venue, Protocol):
    """A venue behind a wire: an account there that others may use too, and a market that we do not make.

    Every look raises VenueOutcomeUnknown when the venue does not tell: an empty answer is an answer.
    """

    async def amend(self, request: OrderRequest, order_id: str) -> Outcome:
        """Change a working order to the terms of `request` (same client order id), in place. `Accepted` reports it."""

    async def open_orders(self) -> tuple[OpenOrder, ...]:
        """All that works at the venue, made by whomever."""

    async def executions(self, since_ns: int) -> tuple[VenueReport, ...]:
        """Every fill of the account since then, oldest first, each with its instrument and side."""

    async def balances(self) -> tuple[Balance, ...]:
        """What the account holds."""

    async def instruments(self) -> tuple[Instrument, ...]:
        """What can be traded, with the venue's own ticks, lots and bounds."""

    async def access(self) -> Access:
        """What the keys may do."""

    async def subscribe(self, instrument_ids: Iterable[str], sink: QuoteSink) -> None:
        """Hand every price of these to `sink`, from now on and over reconnections."""


class TellsMoves(Protocol):
    """A venue that also tells what moves cash or holdings and is no trade."""

    async def moves(self, since_ns: int) -> tuple[AccountMove, ...]:
        """Funding, dividends, expiries, deposits since then, oldest first. Raises VenueOutcomeUnknown as all looks."""


class CancelsWhenSilent(Protocol):
    """A venue with a dead man's switch (`Capabilities.dead_man`)."""

    async def cancel_all_after(self, instrument_id: str, countdown_ms: int) -> Outcome:
        """Cancel all that works in the instrument unless this is asked again within that time; 0 switches it off."""


class InProcessVenue(Venue, Protocol):
    """A venue inside this process: it sees the same market, and is rebuilt from our journal."""

    def observe(self, item: Quote | BarOpened | Bar) -> tuple[VenueReport, ...]:
        """Take market data in; return what it did to resting orders."""

    def end_day(self, calendar: str) -> tuple[VenueReport, ...]:
        """The session of that calendar is over, whether or not its last bar came: orders for the day end with it."""

    def restore(self, book: Book, quotes: Mapping[str, Quote]) -> None:
        """Forget everything; take over the book's live orders and instruments, and the market as it stands."""
