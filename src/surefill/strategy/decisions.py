"""What a strategy is, and what it may say.

A strategy of your own is one small class::

    class BuyTheDip:
        name = "buy_the_dip"

        def evaluate(self, spec, snapshot, position):
            if position is None and snapshot.last_price < 0.95 * max(snapshot.highs[-21:-1]):
                yield Decision.open_long("down 5 % from the 20-bar high")
            elif position is not None and snapshot.last_price > position.avg_price:
                yield Decision.close_long("back in profit")

It sees bars and the position in the snapshot's symbol, and keeps nothing between calls: the same snapshot gives the
same decisions. The runner sizes them, checks them against the spec and turns them into intents. Plain text that it
yields is noted among the evaluation's signals.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Protocol

import msgspec

from surefill.errors import InputError
from surefill.rules.codes import OrdType
from surefill.strategy.intents import TradeAction

if TYPE_CHECKING:
    from surefill.strategy.snapshot import MarketSnapshot
    from surefill.strategy.spec import ExecutionSpec


class Decision(msgspec.Struct, frozen=True):
    """What a strategy wants. `signal` is noted if it becomes an intent; empty: the reason.

    `quantity` (units) replaces the spec's sizing; closing always closes all. `stop_loss` and `take_profit` replace the
    spec's. `strength` is 0 to 1.

    An opening waits for its price where it names one: `px`, the worst that it may trade at (a LIMIT order), `stop_px`,
    the price that sets it off (STOP), or both (STOP_LIMIT); in units of price, rounded to whole ticks so that neither
    is made easier. It stands for the spec's `entry.good_for_bars` bars. Size, stop and target go by `px`, else by
    `stop_px`. As long as one stands, its symbol opens no other.
    """

    action: TradeAction
    reason: str
    signal: str = ""
    strength: float = 1.0
    quantity: float | None = None
    stop_loss: float | None = None
    take_profit: float | None = None
    metadata: dict[str, object] = {}
    px: float | None = None
    stop_px: float | None = None

    @property
    def ord_type(self) -> OrdType:
        """What its prices make of it."""
        if self.stop_px is not None:
            return OrdType.STOP if self.px is None else OrdType.STOP_LIMIT
        return OrdType.MARKET if self.px is None else OrdType.LIMIT

    @classmethod
    def open_long(
        cls,
        reason: str,
        *,
        signal: str = "",
        strength: float = 1.0,
        px: float | None = None,
        stop_px: float | None = None,
    ) -> Decision:
        """Buy, or add to a long position."""
        return cls(TradeAction.OPEN_LONG, reason, signal, strength, px=px, stop_px=stop_px)

    @classmethod
    def close_long(cls, reason: str, *, signal: str = "", strength: float = 1.0) -> Decision:
        """Sell all of a long position."""
        return cls(TradeAction.CLOSE_LONG, reason, signal, strength)

    @classmethod
    def open_short(
        cls,
        reason: str,
        *,
        signal: str = "",
        strength: float = 1.0,
        px: float | None = None,
        stop_px: float | None = None,
    ) -> Decision:
        """Sell short, or add to a short position."""
        return cls(TradeAction.OPEN_SHORT, reason, signal, strength, px=px, stop_px=stop_px)

    @classmethod
    def close_short(cls, reason: str, *, signal: str = "", strength: float = 1.0) -> Decision:
        """Buy back all of a short position."""
        return cls(TradeAction.CLOSE_SHORT, reason, signal, strength)


#: What a strategy says after a bar: decisions, and text to note.
Said = Sequence[Decision | str]


class Position(Protocol):
    """The open position in one symbol: anything with these two. Short is negative."""

    @property
    def quantity(self) -> float:
        """Units held."""

    @property
    def avg_price(self) -> float:
        """The average price paid."""


class Strategy(Protocol):
    """What a strategy must have. It may also have:

    `parameters`: a tuple of `Parameter`; then the spec's `entry.params` are checked against it.
    `default_exit`: the exit type of specs that name none ("none" otherwise).
    `check(spec)`: raises InputError where parameters do not go together.
    `start`, `signals`: further forms of itself (`surefill.strategy.forms`).
    """

    @property
    def name(self) -> str:
        """By which specs find it."""

    def evaluate(
        self, spec: ExecutionSpec, snapshot: MarketSnapshot, position: Position | None
    ) -> Iterable[Decision | str]:
        """What to do now; `position` is None when there is none. May raise: the runner says where."""


class Parameter(msgspec.Struct, frozen=True):
    """A number that a strategy can be tuned by, in `entry.params`. Whole if its default is.

    A run plan may try several values of it, unless it is not `sweepable`.
    """

    name: str
    default: int | float
    minimum: int | float
    maximum: int | float
    meaning: str = ""
    sweepable: bool = True

    @property
    def is_whole(self) -> bool:
        """Whether its values are whole numbers."""
        return isinstance(self.default, int)

    def of(self, spec: ExecutionSpec) -> int | float:
        """Its value in a spec, else the default; checked before by `check`."""
        value = spec.entry.params.get(self.name, self.default)
        assert not isinstance(value, str)
        return value

    def check(self, value: object) -> None:
        """Raises InputError if `value` is not of its kind or range."""
        kinds = (int,) if self.is_whole else (int, float)
        if isinstance(value, bool) or not isinstance(value, kinds) or not self.minimum <= value <= self.maximum:
            kind = "a whole number" if self.is_whole else "a number"
            raise InputError(
                f"entry.params.{self.name} must be {kind} from {self.minimum} to {self.maximum} (got {value!r})",
                code="INVALID_SPEC",
                field=f"entry.params.{self.name}",
                value=value,
            )
