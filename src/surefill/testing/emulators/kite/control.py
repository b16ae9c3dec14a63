"""A test's hand on the venue: commands as JSON, `{"do": "price", …}`; amounts are numbers of rupees."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import msgspec

from surefill.testing.emulators.kite.amounts import money
from surefill.testing.emulators.kite.orders import BUY, SELL
from surefill.testing.emulators.kite.ticker import Ticker
from surefill.testing.emulators.kite.venue import Venue
from surefill.testing.remote_venue.faults import Fault
from surefill.units import NS_PER_MS

Said = dict[str, Any]


class Control:
    """Does what a command says, and answers with what came of it."""

    def __init__(self, venue: Venue, ticker: Ticker) -> None:
        self.venue = venue
        self.ticker = ticker

    def take(self, said: Said) -> object:
        """One command. Raises KeyError where it is unknown or names something that is not there."""
        return COMMANDS[said["do"]](self, said)

    def price(self, said: Said) -> object:
        """Move a price: `key`, `last`, and if they differ `bid` and `ask`; `qty` trades there (-1: any)."""
        bid, ask = money(said.get("bid", 0), "bid"), money(said.get("ask", 0), "ask")
        self.venue.set_price(said["key"], money(said["last"], "last"), bid=bid, ask=ask, qty=said.get("qty", -1))
        return None

    def rules(self, said: Said) -> object:
        """Change rules by name; `cash` and the like stay in ten-thousandths."""
        now = msgspec.to_builtins(self.venue.book.rules)
        limits = {**now["limits"], **said.get("rules", {}).get("limits", {})}
        self.venue.book.rules = msgspec.convert(
            {**now, **said.get("rules", {}), "limits": limits}, type(self.venue.book.rules), strict=True
        )
        return msgspec.to_builtins(self.venue.book.rules)

    def arm(self, said: Said) -> object:
        """Switch a fault on."""
        times, rate_ppm = said.get("times", 0), said.get("rate_ppm", 0)
        self.venue.faults.arm(Fault[said["fault"]], times=times, rate_ppm=rate_ppm, op=said.get("op", ""))
        return None

    def heal(self, _: Said) -> object:
        """Switch all faults off; hung orders stay where they are."""
        self.venue.faults.heal()
        return None

    def seed(self, said: Said) -> object:
        """Begin a new row of chance."""
        self.venue.faults.seed(said["seed"])
        return None

    def release(self, said: Said) -> object:
        """Let orders go on that hang before the exchange; how many did."""
        released = self.venue.book.release(said.get("order_id", ""))
        self.venue.book.tell()
        return released

    def session(self, _: Said) -> object:
        """A new session, without the login page."""
        return self.venue.sessions.grant()

    def expire(self, _: Said) -> object:
        """The session ends now."""
        self.venue.sessions.end()
        return None

    def permit(self, said: Said) -> object:
        """Whether the app may do anything at all."""
        self.venue.sessions.permitted = said["permitted"]
        return None

    def clock(self, said: Said) -> object:
        """Move the venue's clock: so many milliseconds off the machine's."""
        self.venue.clock.offset_ns = said["offset_ms"] * NS_PER_MS
        return None

    def market(self, said: Said) -> object:
        """Open or close the market."""
        self.venue.broker.open_market(is_open=said["open"])
        return None

    def square_off(self, said: Said) -> object:
        """The broker closes what is intraday, now or in `in_ms`."""
        if said.get("in_ms"):
            self.venue.book.later(said["in_ms"], lambda: _ignore(self.venue.broker.square_off()))
            return []
        return self.venue.broker.square_off()

    def next_day(self, _: Said) -> object:
        """The trading day ends and the next begins."""
        self.venue.broker.next_day()
        return None

    def hold(self, said: Said) -> object:
        """Give the account something that it held before today: `key`, `product`, `qty` (below 0: short), `px`."""
        side = BUY if said["qty"] > 0 else SELL
        self.venue.broker.move(
            said["key"], said.get("product", "CNC"), side, abs(said["qty"]), money(said["px"], "px"), day=0
        )
        return None

    def trade(self, said: Said) -> object:
        """Place an order by hand, as if from the broker's own pages: a form."""
        data = self.venue.broker.place(said.get("variety", "regular"), said["form"])
        self.venue.book.tell()
        return data

    def drop_sockets(self, _: Said) -> object:
        """Break all WebSocket connections; how many."""
        return self.ticker.drop()

    def sockets(self, _: Said) -> object:
        """How many WebSocket connections there are."""
        return self.ticker.connected

    def truth(self, _: Said) -> object:
        """What really happened: every order, every trade, what is held, and which faults struck how often."""
        store = self.venue.store
        return {
            "orders": [order.payload() for order in store.orders.values()],
            "trades": [trade.payload() for trade in store.trades.values() if trade.order_id],
            "positions": self.venue.held(),
            "gtts": [trigger.payload() for trigger in store.gtts.values()],
            "fired": {fault.name: count for fault, count in self.venue.faults.fired.items()},
        }


COMMANDS: Final[dict[str, Callable[[Control, Said], object]]] = {
    name: getattr(Control, name)
    for name in (
        "price", "rules", "arm", "heal", "seed", "release", "session", "expire", "permit", "clock", "market",
        "square_off", "next_day", "hold", "trade", "drop_sockets", "sockets", "truth",
    )
}  # fmt: skip


def _ignore(_: object) -> None:
    """A call back has nobody to answer."""
