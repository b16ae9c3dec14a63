"""The emulated venue, put together: what the routes, the ticker and a test's hand all work on."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from surefill.testing.emulators.kite.book import Book, Later
from surefill.testing.emulators.kite.broker import Broker
from surefill.testing.emulators.kite.clock import Clock
from surefill.testing.emulators.kite.gtt import Triggers
from surefill.testing.emulators.kite.instruments import LISTING, Instrument
from surefill.testing.emulators.kite.market import Price
from surefill.testing.emulators.kite.orders import Trade
from surefill.testing.emulators.kite.portfolio import holdings, legs_of, margin_of, positions
from surefill.testing.emulators.kite.rules import Account
from surefill.testing.emulators.kite.sessions import Sessions
from surefill.testing.emulators.kite.store import Store
from surefill.testing.emulators.kite.throttle import Throttle
from surefill.testing.remote_venue.faults import FaultSwitch


class Venue:
    """`path` holds the truth; `later(delay_ms, call)` calls back on the loop that serves."""

    def __init__(
        self,
        path: str,
        later: Later,
        account: Account | None = None,
        instruments: Iterable[Instrument] = LISTING,
        clock: Clock | None = None,
    ) -> None:
        self.store = Store(path)
        self.clock = clock or Clock()
        self.faults = FaultSwitch()
        self.book = Book(self.store, self.clock, self.faults, later)
        account = account or Account()
        self.broker = Broker(self.book, account.user_id)
        self.triggers = Triggers(self.book, self.broker)
        self.sessions = Sessions(account, self.store, self.clock)
        self.throttle = Throttle(self.clock)
        #: Told of every price that moves.
        self.price_listeners: list[Callable[[Instrument, Price], None]] = []
        for instrument in instruments:
            if self.store.instruments.get(instrument.key) is None:
                self.store.instruments.put(instrument.key, instrument)
        self.book.restart()

    def set_price(self, key: str, last: int, *, bid: int = 0, ask: int = 0, qty: int = -1) -> None:
        """The price moves; `qty` (-1: any) trades at it on either side. Raises KeyError where it is not listed."""
        instrument, price = self.book.lookup(key)
        price = price.moved(last, bid, ask, qty, self.clock.now_ns())
        self.book.set_price(key, price)
        self.triggers.watch(key, last)
        self.book.tell()
        for listener in self.price_listeners:
            listener(instrument, self.book.lookup(key)[1])

    # -- looks ------------------------------------------------------------------------------------------------

    def trades_told(self, *, stale: bool = False) -> list[Trade]:
        """All trades and moves that have been told; `stale`: as before the newest one."""
        told = [trade for trade in self.store.trades.values() if not trade.hidden]
        return told[:-1] if stale else told

    def orders(self, *, stale: bool = False) -> list[dict[str, object]]:
        """GET /orders; `stale`: every order as before its last step."""
        found = [order for order in self.store.orders.values() if order.day == self.book.day]
        if stale:
            found = [(self.book.history(order.order_id)[-2:])[0] for order in found]
        return [order.payload() for order in found]

    def order_steps(self, order_id: str, *, stale: bool = False) -> list[dict[str, object]]:
        """GET /orders/{order_id}."""
        steps = self.book.history(order_id)
        return [step.step_payload() for step in (steps[:-1] if stale and len(steps) > 1 else steps)]

    def trades(self, order_id: str = "", *, stale: bool = False) -> list[dict[str, object]]:
        """GET /trades, or those of one order."""
        return [
            trade.payload()
            for trade in self.trades_told(stale=stale)
            if trade.day == self.book.day and trade.order_id and order_id in ("", trade.order_id)
        ]

    def positions(self, *, stale: bool = False) -> dict[str, list[dict[str, object]]]:
        """GET /portfolio/positions."""
        return positions(self.trades_told(stale=stale), self.book.day, self.book.lookup)

    def holdings(self, *, stale: bool = False) -> list[dict[str, object]]:
        """GET /portfolio/holdings."""
        return holdings(self.trades_told(stale=stale), self.book.day, self.book.lookup)

    def margins(self) -> dict[str, dict[str, object]]:
        """GET /user/margins: all the money is in equity."""
        return {"equity": margin_of(self.book.rules.cash, self.broker.used()), "commodity": margin_of(0, 0)}

    def held(self) -> dict[str, int]:
        """What is really held, by `EXCHANGE:TRADINGSYMBOL/PRODUCT`."""
        found = legs_of(self.store.trades.values())
        return {f"{key}/{product}": legs.net for (key, product), legs in found.items() if legs.net}
