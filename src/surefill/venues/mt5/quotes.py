"""Prices of symbols: MT5 pushes none to a program, they are looked at again and again."""

from __future__ import annotations

from surefill.domain.market import Quote
from surefill.venues.mt5.account import Account


class Quotes:
    """The prices of some symbols, each told when it has changed; all of it runs in the worker."""

    def __init__(self, account: Account, names: tuple[str, ...]) -> None:
        self._account, self._names = account, names
        self._told: dict[str, int] = {}

    def select(self) -> None:
        """Have the terminal follow them. Raises VenueOutcomeUnknown."""
        for name in self._names:
            self._account.looks.ask("symbol_select", name, True)

    def look(self) -> list[Quote]:
        """Those that have changed since the last look."""
        return [quote for quote in map(self._quote, self._names) if quote is not None]

    def _quote(self, name: str) -> Quote | None:
        account = self._account
        tick, scale = account.tick(name), account.scale(name)
        ts_ns = account.clock.ns(tick.time_msc)
        if not ts_ns or tick.time_msc == self._told.get(name):
            return None  # one that stood there before the server's clock was known may be of any age
        self._told[name] = tick.time_msc
        bid, ask, px = (scale.px(price) for price in (tick.bid, tick.ask, tick.last))
        return Quote(name, ts_ns, last_px=px, bid_px=bid, ask_px=ask)
