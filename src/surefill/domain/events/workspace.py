"""A workspace begins, changes its rules, is halted and goes on; its days, its marks, its breakers."""

from __future__ import annotations

from surefill.domain.events.event import Event
from surefill.domain.instrument import Instrument
from surefill.domain.profile import Profile
from surefill.rules.codes import KillLevel


class WorkspaceOpened(Event, frozen=True):
    """A workspace began. `mode`: paper, dry_run, live or backtest, for ever. `build`: the program that began it."""

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


class BuildChanged(Event, frozen=True):
    """Another program goes on with the workspace: its version and the hash of its source."""

    build: str


class ProfileSet(Event, frozen=True):
    """Gates, limits or the configuration changed. `version` counts up; decisions cite it."""

    profile: Profile
    config_hash: str
    version: int


class InstrumentDefined(Event, frozen=True):
    """An instrument is known from here on."""

    instrument: Instrument


class SessionSet(Event, frozen=True):
    """The session of a calendar that is on at this moment, or the next one.

    That of the workspace's own calendar begins its trading day. `equity`: what the account is worth then (None: a
    position has no price yet). `continues`: the workspace was given another calendar in the middle of its day, and the
    day under way, with all it has counted, ends with this session.
    """

    calendar: str
    day: str
    open_ns: int
    end_ns: int
    equity: int | None = None
    continues: bool = False


class EquityMarked(Event, frozen=True):
    """The account was worth this, more than ever that day by the declared granularity; or its first value."""

    equity: int


class Halted(Event, frozen=True):
    """A kill switch was thrown to `level` (of one instrument or one strategy if named); exits and cancels go on.

    `scope`: engine or venue where the switch stands above the workspace; else empty.
    """

    code: str
    reason: str
    by: str
    instrument_id: str = ""
    strategy_id: str = ""
    level: int = int(KillLevel.SUSPEND)  # a plain one: a default is left out where it is the very same object
    scope: str = ""


class Resumed(Event, frozen=True):
    """A person loosened a kill switch, to `level`."""

    by: str
    instrument_id: str = ""
    strategy_id: str = ""
    level: int = int(KillLevel.NORMAL)
    scope: str = ""


class BreakerTripped(Event, frozen=True):
    """A breaker opened: no entries until it is re-armed. `until_ns`: -1 by a person, 0 with the next trading day."""

    breaker: str
    code: int
    reason: str
    until_ns: int


class BreakerRearmed(Event, frozen=True):
    """A breaker lets entries through again, and counts from here on. `equity` where it is known."""

    breaker: str
    by: str
    equity: int | None = None


class WorkspaceReset(Event, frozen=True):
    """Paper: everything before is history; reconciling starts here."""

    starting_cash: int
    by: str
