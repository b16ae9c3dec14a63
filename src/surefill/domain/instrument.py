"""What is traded: quanta that never change, terms that do.

A bare price or quantity counts the instrument's quantum, `10**-price_decimals` or `10**-qty_decimals`: the
finest that its venue reports, fixed for ever for an `instrument_id`. Tick and lot are multiples of it with a
date, and are asked of the terms of *our* orders only.
"""

from __future__ import annotations

import msgspec

from surefill.units import QTY_MAX


class Terms(msgspec.Struct, frozen=True, gc=False):
    """Order terms in force from `effective_ns` on; prices and quantities in quanta.

    `tradable`: false while the venue takes no orders in it. `odd_lots`: whether the last of a holding may leave though
    it is no whole number of lots, or less than `min_qty`. `min_notional`: the least value of an order, in notional
    quanta; it is asked where odd lots stay behind.
    """

    effective_ns: int = 0
    tick: int = 1
    lot: int = 1
    min_qty: int = 0
    max_qty: int = QTY_MAX
    tradable: bool = True
    odd_lots: bool = True
    min_notional: int = 0

    def leaving_qty(self, held: int, px: int = 0) -> int:
        """The most of a holding (above 0) that can leave in one order at `px` (0: not known); 0 when it is dust."""
        if self.odd_lots:
            return held
        whole = held - held % self.lot
        too_small = whole < self.min_qty or (px > 0 and whole * px < self.min_notional)
        return 0 if too_small else whole


class Instrument(msgspec.Struct, frozen=True):
    """One tradable instrument of one venue.

    `money_per_notional`: money quanta per (price quantum x quantity quantum); it holds the contract multiplier
    and the scales, and is an integer, so a fill turns into money exactly.
    `pip`: price quanta per pip, a property of the instrument (0 where the word has no meaning).
    `calendar`: the name of its session calendar. `terms` are in ascending order of their date.
    `margin_ppb`: the margin that an opened position binds, as a share of its value (0: not known). `liquid` picks the
    width of the price collar.
    `segment`: which rates of a cost schedule it is charged by, "" where there is no schedule.
    """

    instrument_id: str
    currency: str
    price_decimals: int
    qty_decimals: int
    money_per_notional: int
    terms: tuple[Terms, ...]
    pip: int = 0
    calendar: str = "24x7"
    underlying: str = ""
    margin_ppb: int = 0
    liquid: bool = True
    segment: str = ""

    def terms_at(self, ts_ns: int) -> Terms:
        """The terms in force at `ts_ns`; the first ones before any date."""
        found = self.terms[0]
        for terms in self.terms[1:]:
            if terms.effective_ns > ts_ns:
                break
            found = terms
        return found
