"""Everything that can happen to a workspace from outside: the inputs of `step`.

Market data (`surefill.domain.market`) are inputs too. Each carries `ts_ns`, the moment the shell's clock gave it.
"""

from __future__ import annotations

import msgspec

from surefill.domain.account import AccountMove, WorkingOrder
from surefill.domain.instrument import Instrument
from surefill.domain.intent import Intent
from surefill.domain.market import Bar, BarOpened, Quote
from surefill.domain.policy import Policy
from surefill.domain.profile import Profile
from surefill.domain.refusals import Refusal
from surefill.domain.reports import VenueReport
from surefill.rules.codes import KillLevel


class OpenWorkspace(msgspec.Struct, frozen=True):
    """The first input of a workspace's life, and of every start after it; all of it stays for ever except the rules.

    The rules: profile, `config_hash`, and `build`, the program that goes by them ("": not told). A live workspace does
    not start under others than it stopped with, unless a person says so (`accept_changes`).
    """

    ts_ns: int
    workspace_id: str
    mode: str
    venue: str
    account: str
    currency: str
    money_decimals: int
    starting_cash: int
    profile: Profile
    config_hash: str
    build: str = ""
    accept_changes: bool = False


class SetProfile(msgspec.Struct, frozen=True):
    """Limits, gates or the configuration's hash changed."""

    ts_ns: int
    profile: Profile
    config_hash: str


class DefineInstrument(msgspec.Struct, frozen=True):
    """An instrument becomes known, or its dated terms change (its quanta never do)."""

    ts_ns: int
    instrument: Instrument


class SubmitIntent(msgspec.Struct, frozen=True, gc=False):
    """An intent from a door. `quote`: the market that came with it, taken in first; `given_px` is its last price, kept
    with the intent: it is part of what the idempotency key stands for.

    `refusal`: the door has already found what is wrong with it (something that no gate could see, such as a price
    that cannot be counted): it is journaled as refused, and no gate is asked.

    `policy`: the door's own rules, asked before the gates, in the same step. They can refuse and warn, nothing else;
    what they say is journaled, so a replay does not need them.
    """

    ts_ns: int
    intent: Intent
    quote: Quote | None = None
    refusal: Refusal | None = None
    given_px: int = 0
    policy: Policy | None = None


class EvaluateIntent(msgspec.Struct, frozen=True, gc=False):
    """What would policy say of an intent? It makes no order and claims no key.

    `quote`: the price to judge by; it moves nothing and is not kept. `instrument`: its terms where the workspace does
    not know it yet.
    """

    ts_ns: int
    intent: Intent
    policy: Policy
    quote: Quote | None = None
    instrument: Instrument | None = None


class RequestCancel(msgspec.Struct, frozen=True, gc=False):
    """Somebody wants a working order gone."""

    ts_ns: int
    cl_ord_id: str
    by: str


class VenueReports(msgspec.Struct, frozen=True, gc=False):
    """Reports in the order in which they arrived."""

    ts_ns: int
    reports: tuple[VenueReport, ...]


class OutcomeUnknown(msgspec.Struct, frozen=True, gc=False):
    """The venue's answer to a submission did not arrive or could not be read."""

    ts_ns: int
    cl_ord_id: str
    reason: str


class SendLapsed(msgspec.Struct, frozen=True, gc=False):
    """The outbox did not send: proof that nothing left. `code` and `text` say why not."""

    ts_ns: int
    cl_ord_id: str
    code: str = "SEND_LAPSED"
    text: str = "not sent: its send-by deadline had passed"


class OrderQueried(msgspec.Struct, frozen=True, gc=False):
    """A successful query by client id. No reports and `found` false is evidence of absence, not yet proof."""

    ts_ns: int
    cl_ord_id: str
    found: bool
    reports: tuple[VenueReport, ...] = ()


class QueryFailed(msgspec.Struct, frozen=True, gc=False):
    """A query that told nothing: a failed query is never an empty answer."""

    ts_ns: int
    cl_ord_id: str
    reason: str


class TimerFired(msgspec.Struct, frozen=True, gc=False):
    """A timer that the core asked for."""

    ts_ns: int
    name: str


class Halt(msgspec.Struct, frozen=True):
    """Throw a kill switch: of the workspace, of one instrument, or of one strategy (it is paused).

    `level`: how far. `scope`: engine or venue, where the switch stands above the workspace.
    """

    ts_ns: int
    code: str
    reason: str
    by: str
    instrument_id: str = ""
    strategy_id: str = ""
    level: int = KillLevel.SUSPEND
    scope: str = ""


class Resume(msgspec.Struct, frozen=True):
    """A person loosens a kill switch, to `level`."""

    ts_ns: int
    by: str
    instrument_id: str = ""
    strategy_id: str = ""
    level: int = KillLevel.NORMAL
    scope: str = ""


class Rearm(msgspec.Struct, frozen=True):
    """A named person lets a tripped breaker count anew."""

    ts_ns: int
    breaker: str
    by: str


class RaiseAlert(msgspec.Struct, frozen=True):
    """Somebody has to be called about `key`; one that is open is raised again only after `repeat_ns`."""

    ts_ns: int
    key: str
    code: str
    text: str
    repeat_ns: int


class ConfirmAlert(msgspec.Struct, frozen=True):
    """A channel has taken the call."""

    ts_ns: int
    key: str
    channel: str


class AcknowledgeAlert(msgspec.Struct, frozen=True):
    """A named person has seen an alert; "" as the key: all of them."""

    ts_ns: int
    key: str
    by: str


class SetSession(msgspec.Struct, frozen=True):
    """The shell's calendar says which session is on, or is next."""

    ts_ns: int
    calendar: str
    day: str
    open_ns: int
    end_ns: int


class RecoverOrders(msgspec.Struct, frozen=True):
    """The shell has started: every order in flight must be asked for."""

    ts_ns: int


class ResolveOrder(msgspec.Struct, frozen=True):
    """A named operator decides what became of an UNKNOWN order, with evidence."""

    ts_ns: int
    cl_ord_id: str
    status: int
    by: str
    evidence: str


class ComparePositions(msgspec.Struct, frozen=True):
    """The venue's own positions, {position key: signed quantity}, from a query that succeeded."""

    ts_ns: int
    quantities: dict[str, int]


class CompareOrders(msgspec.Struct, frozen=True):
    """All orders that work at the venue, from a look that succeeded and began at `asked_ns`."""

    ts_ns: int
    asked_ns: int
    orders: tuple[WorkingOrder, ...]


class CompareExecutions(msgspec.Struct, frozen=True):
    """Executions from the venue's history, oldest first, from a look that succeeded: most are booked already."""

    ts_ns: int
    reports: tuple[VenueReport, ...]


class MoveAccount(msgspec.Struct, frozen=True):
    """What moved cash or holdings and was no trade; told again it changes nothing."""

    ts_ns: int
    moves: tuple[AccountMove, ...]


class CompareBalance(msgspec.Struct, frozen=True):
    """The account's money at the venue in the workspace's currency, from a look that succeeded, in money quanta.

    `margin`: the venue takes no price for what is held, so that only results, fees and payments move it.
    """

    ts_ns: int
    theirs: int
    margin: bool


class ResetWorkspace(msgspec.Struct, frozen=True):
    """Paper only: start over with this much cash."""

    ts_ns: int
    starting_cash: int
    by: str


Input = (
    OpenWorkspace
    | SetProfile
    | DefineInstrument
    | SubmitIntent
    | EvaluateIntent
    | RequestCancel
    | VenueReports
    | OutcomeUnknown
    | SendLapsed
    | OrderQueried
    | QueryFailed
    | TimerFired
    | Halt
    | Resume
    | Rearm
    | RaiseAlert
    | ConfirmAlert
    | AcknowledgeAlert
    | SetSession
    | RecoverOrders
    | ResolveOrder
    | ComparePositions
    | CompareBalance
    | CompareOrders
    | CompareExecutions
    | MoveAccount
    | ResetWorkspace
    | Quote
    | BarOpened
    | Bar
)
