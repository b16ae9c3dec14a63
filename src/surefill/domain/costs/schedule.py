"""A cost schedule: named components, each a list of rates with the day that they begin, and where they are published.

The data is text, as it is published ("0.03" percent, "20" rupees), so that a reader can hold it against its source; it
becomes integers in `surefill.domain.costs.tariff`.
"""

from __future__ import annotations

import enum

import msgspec

from surefill.errors import ConfigError
from surefill.rules.codes import FeeKind
from surefill.units import ns_from_iso

#: An instrument whose product (CNC, MIS) only the position's bucket tells.
EQUITY = "equity"
EQUITY_INTRADAY = "equity_intraday"
EQUITY_DELIVERY = "equity_delivery"
FUTURES = "futures"
OPTIONS = "options"
SPOT = "spot"
FX = "fx"
SEGMENTS = (EQUITY, EQUITY_INTRADAY, EQUITY_DELIVERY, FUTURES, OPTIONS, SPOT, FX)


class Liquidity(enum.IntEnum):
    """FIX 851, LastLiquidityInd: whether a fill gave liquidity to the market or took it."""

    ANY = 0  # of a component: charged either way
    MAKER = 1
    TAKER = 2


class Rate(msgspec.Struct, frozen=True):
    """What a component charges from `since` on, a day in the schedule's own time.

    `pct`: percent of the turnover (PER_NOTIONAL) or of the charges named in `base` (ON_CHARGES). `amount`: money for
    each order (PER_ORDER), or for each `units` units traded (PER_UNIT). `floor` and `cap`: money, the least and the
    most that one order pays of it; "" is none. `source`: who says so.
    """

    since: str
    source: str
    pct: str = ""
    amount: str = ""
    units: str = "1"
    floor: str = ""
    cap: str = ""
    base: tuple[str, ...] = ()


class Component(msgspec.Struct, frozen=True):
    """One charge of one segment. `side`: +1 purchases, -1 sales, 0 both. `rates` in ascending order of their day.

    Before its first day a component is not charged.
    """

    name: str
    segment: str
    kind: FeeKind
    rates: tuple[Rate, ...]
    side: int = 0
    liquidity: Liquidity = Liquidity.ANY


class Discount(msgspec.Struct, frozen=True):
    """Paying with `asset` lowers every rate by `pct` percent of it."""

    asset: str
    pct: str
    source: str


class CostSchedule(msgspec.Struct, frozen=True):
    """What trading costs somewhere. Components are charged in their order; ON_CHARGES looks back at earlier ones.

    `currency`: what its amounts are in; "" where it has none, and any account may use it. `since`: the first day that
    is known; nothing is guessed for the days before. `zone`: the offset of its days from UTC, as ISO 8601 has it.
    `step_decimals`: the decimals that each component is rounded up to, order by order; None is the money quantum.
    `pays_with`: the asset that fees are paid in, by name ("" is the account's currency); what they come to is counted
    in the account's currency all the same, because a workspace has only one.
    """

    name: str
    since: str
    components: tuple[Component, ...]
    currency: str = ""
    zone: str = "Z"
    step_decimals: int | None = None
    discounts: tuple[Discount, ...] = ()
    pays_with: str = ""

    def segments(self) -> tuple[str, ...]:
        """The segments that it prices, in its own order."""
        return tuple(dict.fromkeys(component.segment for component in self.components))

    def day_ns(self, since: str) -> int:
        """When a day begins there, in nanoseconds since 1970 UTC."""
        return ns_from_iso(f"{since}T00:00:00{self.zone}", field="since")

    def discount(self) -> Discount | None:
        """The discount of the asset that fees are paid in."""
        return next((each for each in self.discounts if each.asset == self.pays_with), None)


def paid_with(schedule: CostSchedule, asset: str) -> CostSchedule:
    """The same schedule with its fees paid in `asset`. Raises ConfigError where that asset brings no discount."""
    if asset not in {discount.asset for discount in schedule.discounts}:
        known = ", ".join(discount.asset for discount in schedule.discounts) or "none"
        raise ConfigError(
            f"{schedule.name} gives no discount for paying with {asset} (assets with one: {known})",
            code="UNKNOWN_DISCOUNT_ASSET",
            asset=asset,
        )
    return msgspec.structs.replace(schedule, pays_with=asset)


def segment_of(segment: str, bucket: str) -> str:
    """The segment to charge for a position of that bucket.

    Only `equity` leaves it open: the bucket MIS is intraday, anything else delivery, the dearer of the two.
    """
    if segment != EQUITY:
        return segment
    return EQUITY_INTRADAY if bucket == "MIS" else EQUITY_DELIVERY
