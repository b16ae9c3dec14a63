"""What the breakers, throttles and kill switches remember: folded from the journal, so a restart changes nothing."""

from __future__ import annotations

from typing import Final

import msgspec

from surefill.rules.codes import KillLevel

#: Scopes of a kill switch. Those of a symbol and a strategy carry its name.
ENGINE: Final = "engine"
VENUE: Final = "venue"
WORKSPACE: Final = "workspace"
WIDE_SCOPES: Final = (ENGINE, VENUE, WORKSPACE)
SYMBOL: Final = "symbol:"
STRATEGY: Final = "strategy:"


def kill_scopes(instrument_id: str, strategy_id: str) -> tuple[str, ...]:
    """The switches that an entry of this strategy in this instrument stands under, the widest first."""
    return (*WIDE_SCOPES, SYMBOL + instrument_id, STRATEGY + strategy_id)


class Kill(msgspec.Struct, frozen=True, omit_defaults=True):
    """One kill switch that is not at NORMAL: how far, why, and who threw it."""

    level: int
    code: str
    reason: str
    by: str = ""
    since_ns: int = 0

    @property
    def suspends(self) -> bool:
        """Whether no entry passes at all."""
        return self.level >= KillLevel.SUSPEND

    def text(self) -> str:
        """Why, for a person."""
        return f"{self.code}: {self.reason}"


class Session(msgspec.Struct, frozen=True):
    """The session of a calendar that is on, or the next one: from `open_ns` until just before `end_ns`."""

    day: str
    open_ns: int
    end_ns: int


class Trip(msgspec.Struct, frozen=True, omit_defaults=True):
    """A breaker that has tripped. `until_ns`: -1 until a person re-arms it, 0 until the next trading day."""

    code: int
    reason: str
    since_ns: int
    until_ns: int


class Day(msgspec.Struct, omit_defaults=True):
    """The workspace's trading day. Money in money quanta; `realised` is net of fees.

    `start_equity` and `high_equity` are None until every open position has a price. A trade is an intent that led to
    at least one fill.
    """

    day: str = ""
    end_ns: int = 0
    start_equity: int | None = None
    high_equity: int | None = None
    realised: int = 0
    trades: int = 0
    trades_by_strategy: dict[str, int] = {}
    trades_by_symbol: dict[str, int] = {}
    baskets: dict[str, int] = {}


class Flow(msgspec.Struct, omit_defaults=True):
    """What went out and came back lately. Times in nanoseconds, oldest first; only what a window still needs is kept.

    `messages`: orders and cancels. `orders`: orders alone. `fills`: by strategy and symbol, entries alone.
    """

    messages: list[int] = []
    orders: list[int] = []
    fills: dict[str, list[int]] = {}
    last_entry_ns: int = 0


def fills_key(strategy_id: str, instrument_id: str) -> str:
    """The key of `Flow.fills`."""
    return f"{strategy_id}|{instrument_id}"


class Streaks(msgspec.Struct, omit_defaults=True):
    """What the breakers count: closed positions that lost, orders that the venue refused, each in a row.

    `loss_floor`: the day's result at which a person let it go on. `peak_equity`: the highest equity journaled.
    `worst_slippage_ppb`: of the fills since it was last re-armed.
    """

    losses: int = 0
    rejects: int = 0
    loss_floor: int = 0
    peak_equity: int | None = None
    worst_slippage_ppb: int = 0
