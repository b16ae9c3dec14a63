"""What sizing is asked with: the method, the caps, and everything known at that moment. All of it plain integers."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping

import msgspec

from surefill.domain.instrument import Instrument, Terms
from surefill.units import PPB


class SizeMethod(enum.IntEnum):
    """Which question the quantity answers."""

    FIXED_QTY = 1  # `qty`
    FIXED_CASH = 2  # what `cash_money` buys
    BALANCE_SHARE = 3  # what `fraction_ppb` of the free cash buys
    EQUITY_SHARE = 4  # what `fraction_ppb` of the equity buys
    FIXED_RISK = 5  # what loses `fraction_ppb` of the equity when the stop is hit
    VOLATILITY = 6  # what moves by `target_ppb` of the equity when the price moves by one `atr`
    KELLY = 7  # the Kelly fraction, in part, and capped


class SizingCaps(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """What no position may exceed, as shares of the equity in parts per billion; 0 switches a cap off.

    `max_position_ppb`: the value of the position, with what is already held on its side. `max_total_ppb`: the value of
    all positions, longs and shorts added up (above 10**9 with leverage). `max_correlated_ppb`: the value of the new
    position and of what moves with it. `max_risk_ppb`: what all positions lose together when every stop is hit.
    `within_cash`: a purchase costs no more than the free cash.
    """

    max_position_ppb: int = 0
    max_total_ppb: int = 0
    max_correlated_ppb: int = 0
    max_risk_ppb: int = 0
    within_cash: bool = False

    def shares(self) -> tuple[tuple[str, int], ...]:
        """The caps that are shares of the equity, by name."""
        return (
            ("max_position_ppb", self.max_position_ppb),
            ("max_total_ppb", self.max_total_ppb),
            ("max_correlated_ppb", self.max_correlated_ppb),
            ("max_risk_ppb", self.max_risk_ppb),
        )


NO_CAPS = SizingCaps()


class SizingSpec(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """How to size one intent. A method reads its own parameters only; one that it needs and that is 0 is missing.

    `qty` in quantity quanta, `cash_money` in money quanta, `atr` in price quanta, fractions in parts per billion.
    `fraction_ppb` goes with the two shares and the fixed risk, `target_ppb` with the volatility. `kelly_ppb` is the
    whole Kelly fraction (`surefill.rules.sizing.kelly_fraction` makes it from win rate and payoff; 0 or below: no edge,
    no trade), `kelly_portion_ppb` the part of it to use, `kelly_cap_ppb` the most that may come out. `kelly_at_risk`
    False: that fraction of the equity is invested, which is the careful reading; True: it is what is lost at the stop.
    `caps` hold beside those of the workspace: the tighter one counts.
    """

    method: int
    qty: int = 0
    cash_money: int = 0
    fraction_ppb: int = 0
    atr: int = 0
    target_ppb: int = 0
    kelly_ppb: int = 0
    kelly_portion_ppb: int = PPB
    kelly_cap_ppb: int = 0
    kelly_at_risk: bool = False
    caps: SizingCaps = NO_CAPS


class SizingMoment(msgspec.Struct, frozen=True, kw_only=True):
    """The moment of one sizing. What is unknown is 0 (a price) or None, and refuses whatever needs it.

    `entry_px` is the worst price that the order is expected to trade at. `equity` and `cash` (free: less what is
    promised to working orders) in money quanta. `exposures`: instrument -> signed value in money quanta, below 0 for
    shorts, of what is held *and* of what works to be held. `open_risk`: what all positions lose together at their
    stops, in money quanta; None as soon as one of them has no stop. `correlations`: instrument -> correlation with this
    one, in parts per billion. `cost_ppb`: what an order costs beyond its price (half spread, slippage, fees), in parts
    per billion of its value. `caps` are the workspace's own.
    """

    side: int
    entry_px: int
    instrument: Instrument
    terms: Terms
    money_decimals: int
    stop_px: int = 0
    equity: int | None = None
    cash: int | None = None
    exposures: Mapping[str, int] | None = None
    open_risk: int | None = None
    correlations: Mapping[str, int] = {}
    cost_ppb: int = 0
    caps: SizingCaps = NO_CAPS


class Correlation(msgspec.Struct, frozen=True, gc=False):
    """How two instruments move together, in parts per billion: 10**9 as one, 0 not at all, below 0 against each other.

    A pair stands once in a table, in either order.
    """

    first: str
    second: str
    ppb: int


def correlations_of(table: Iterable[Correlation], instrument_id: str) -> dict[str, int]:
    """The row of one instrument: the others by their correlation with it. Pairs that are not in the table are not."""
    row: dict[str, int] = {}
    for pair in table:
        if pair.first == instrument_id:
            row[pair.second] = pair.ppb
        elif pair.second == instrument_id:
            row[pair.first] = pair.ppb
    return row


class Sized(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """A quantity, and how it came about.

    `qty` and `uncapped_qty` (what the method alone gives) are whole lots, in quantity quanta. `bound_by` names the cap
    that made the difference, "" where none did. `figures` is the whole reckoning as a sentence.
    """

    qty: int
    uncapped_qty: int
    bound_by: str
    figures: str
