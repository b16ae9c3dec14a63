"""An instrument as it is listed at an exchange: our ids and quanta beside its own names and filters."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

from surefill.domain.instrument import Instrument, Terms
from surefill.errors import ConfigError, InputError, VenueOutcomeUnknown
from surefill.units import PRICE_MAX, QTY_MAX, money_per_notional, quanta_text, to_quanta
from surefill.venues.ccxt.filters import Filters


class Listing(msgspec.Struct, frozen=True):
    """`name` is the exchange's own symbol. `multiplier`: the value of a price of 1 and a quantity of 1.

    `perpetual`: a contract, not the asset itself. `leaves_dust`: fees are taken out of the asset, and no odd lot of it
    can be sold. `counts_fees`: quantities are counted as finely as those fees.
    """

    instrument_id: str
    name: str
    base: str
    currency: str
    price_decimals: int
    qty_decimals: int
    filters: Filters
    tradable: bool = True
    multiplier: str = "1"
    perpetual: bool = False
    leaves_dust: bool = False
    counts_fees: bool = True

    def px(self, value: Any) -> int:
        """A price of the exchange in quanta; 0 where there is none. Raises VenueOutcomeUnknown."""
        return self._quanta(value, self.price_decimals, "price", PRICE_MAX)

    def qty(self, value: Any) -> int:
        """A quantity of the exchange in quanta. Raises VenueOutcomeUnknown."""
        return self._quanta(value, self.qty_decimals, "quantity", QTY_MAX)

    def size(self, value: str) -> int:
        """A quantity that is offered, in quanta; one beyond what surefill counts is the most that it counts."""
        return min(self._quanta(value, self.qty_decimals, "size", 10**30), QTY_MAX)

    def whole_qty(self, value: str) -> int:
        """A signed holding in quanta; what is finer is cut off: it is nothing that can be counted here."""
        scaled = Decimal(value).scaleb(self.qty_decimals)
        return int(scaled)

    def px_text(self, px: int) -> str:
        """A price for the exchange."""
        return quanta_text(px, self.price_decimals)

    def qty_text(self, qty: int) -> str:
        """A quantity for the exchange."""
        return quanta_text(qty, self.qty_decimals)

    def instrument(self, money_decimals: int) -> Instrument | None:
        """As surefill's instrument; None where its money does not come out in whole units at `money_decimals`."""
        try:
            worth = money_per_notional(self.multiplier, self.price_decimals, self.qty_decimals, money_decimals)
        except ConfigError:
            return None
        filters = self.filters
        terms = Terms(
            tick=filters.tick or 1,
            lot=filters.lot or 1,
            min_qty=filters.min_qty,
            max_qty=filters.max_qty or QTY_MAX,
            tradable=self.tradable,
            odd_lots=not self.leaves_dust,
            min_notional=filters.min_notional if self.leaves_dust else 0,
        )
        return Instrument(
            self.instrument_id,
            self.currency,
            self.price_decimals,
            self.qty_decimals,
            worth,
            (terms,),
            underlying=self.base,
        )

    def _quanta(self, value: Any, decimals: int, field: str, most: int) -> int:
        if value in (None, ""):
            return 0
        if type(value) is str and "." in value:
            value = value.rstrip("0")  # the exchange fills up to its own count of decimals
        try:
            return to_quanta(value, decimals, field=f"{field} of {self.name}", max_quanta=most)
        except InputError as error:
            raise VenueOutcomeUnknown(f"unreadable: {error}") from error


def decimals_of(step: str) -> int:
    """How many decimals a tick or a step has: "0.00100000" has 3."""
    exponent = Decimal(step).normalize().as_tuple().exponent
    return max(0, -int(exponent))
