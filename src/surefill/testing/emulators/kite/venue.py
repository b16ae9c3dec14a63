"""The emulated venue, put together: what the routes, the ticker and a test's hand all work on."""

from __future__ import annotations

from surefill.testing.emulators.groundwork.desk import Desk
from surefill.testing.emulators.kite.account import Account
from surefill.testing.emulators.kite.book import Book
from surefill.testing.emulators.kite.broker import Broker
from surefill.testing.emulators.kite.gtt import Triggers
from surefill.testing.emulators.kite.instruments import LISTING
from surefill.testing.emulators.kite.margin import used
from surefill.testing.emulators.kite.market import Price
from surefill.testing.emulators.kite.orders import Trade
from surefill.testing.emulators.kite.packets import MODES, message, packet
from surefill.testing.emulators.kite.portfolio import holdings, margin_of, positions
from surefill.testing.emulators.kite.routine import expire_due
from surefill.testing.emulators.kite.sessions import Sessions
from surefill.testing.emulators.kite.throttle import Throttle


class Venue:
    """Everything over one desk."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.book = Book(desk)
        self.store = self.book.store
        self.sessions = Sessions(Account(), self.store, self.book.clock)
        self.broker = Broker(self.book, self.sessions.account.user_id)
        self.triggers = Triggers(self.book, self.broker)
        self.throttle = Throttle(self.book.clock)

    def restart(self) -> None:
        """Read the truth anew, list what is not listed yet, and go on where it stopped."""
        self.store.load()
        for instrument in LISTING:
            if self.store.instruments.get(instrument.key) is None:
                self.store.instruments.put(instrument.key, instrument)
        self.broker.restart()

    def set_price(self, key: str, price: Price) -> None:
        """The price moves: what rests trades, triggers are struck, the ticker is told."""
        instrument, _ = self.book.lookup(key)
        expire_due(self.book)
        self.book.set_price(key, price)
        self.triggers.watch(key, price.last)
        price = self.book.lookup(key)[1]
        for mode in MODES:
            channel = ticks(instrument.instrument_token, mode)
            if self.desk.streams.listeners(channel):
                self.desk.streams.quote(channel, message([packet(instrument, price, mode)]))

    # -- looks ------------------------------------------------------------------------------------------------

    def trades_told(self, *, stale: bool = False) -> list[Trade]:
        """All trades and moves that have been told; `stale`: as before the newest one."""
        told = [trade for trade in self.store.trades.values() if not trade.hidden]
        return told[:-1] if stale else told

    def orders(self, *, stale: bool = False) -> list[dict[str, object]]:
        """GET /orders; `stale`: every order as before its last step."""
        found = [order for order in self.store.orders.values() if order.day == self.book.day]
        if stale:
            found = [self.store.history(order.order_id)[-2:][0] for order in found]
        return [order.payload() for order in found]

    def order_steps(self, order_id: str, *, stale: bool = False) -> list[dict[str, object]]:
        """GET /orders/{order_id}."""
        steps = self.store.history(order_id)
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
        return {"equity": margin_of(self.book.rules.cash, used(self.book)), "commodity": margin_of(0, 0)}


def ticks(instrument_token: int, mode: str) -> str:
    """The channel of one instrument's prices in one mode."""
    return f"{instrument_token}/{mode}"
