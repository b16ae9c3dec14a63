"""A test's hand on what only Kite has. Amounts are numbers of rupees."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from surefill.testing.emulators.kite import routine
from surefill.testing.emulators.kite.amounts import money
from surefill.testing.emulators.kite.orders import BUY, SELL
from surefill.testing.emulators.kite.venue import Venue

Said = Mapping[str, Any]


def change_rules(venue: Venue, said: Said) -> object:
    """Change `Rules` by name, `limits` likewise; `cash` in rupees."""
    now = msgspec.to_builtins(venue.book.rules)
    wanted = {**now, **said, "limits": {**now["limits"], **said.get("limits", {})}}
    if "cash" in said:
        wanted["cash"] = money(said["cash"], "cash")
    venue.book.rules = msgspec.convert(wanted, type(venue.book.rules))
    return None


def release(venue: Venue, said: Said) -> object:
    """Let orders go on that hang before the exchange, one or all; how many did."""
    return venue.book.release(str(said.get("order_id", "")))


def session(venue: Venue, _: Said) -> object:
    """A new session, without the login page."""
    return venue.sessions.grant()


def expire(venue: Venue, _: Said) -> object:
    """The session ends now."""
    venue.sessions.end()
    return None


def permit(venue: Venue, said: Said) -> object:
    """Whether the app may do anything at all."""
    venue.sessions.permitted = bool(said["permitted"])
    return None


def market(venue: Venue, said: Said) -> object:
    """Open or close the market."""
    routine.open_market(venue.book, is_open=bool(said["open"]))
    return None


def square_off(venue: Venue, said: Said) -> object:
    """The broker closes what is intraday, now or in `in_ms`; the ids of its orders if now."""
    if not said.get("in_ms"):
        return routine.square_off(venue.book)

    def do() -> None:
        routine.square_off(venue.book)

    venue.book.later(int(said["in_ms"]), do)
    return []


def next_day(venue: Venue, _: Said) -> object:
    """The trading day ends and the next begins."""
    routine.next_day(venue.book)
    return None


def hold(venue: Venue, said: Said) -> object:
    """Give the account what it held before today: `key`, `product`, `qty` (below 0: short), `px`."""
    side = BUY if said["qty"] > 0 else SELL
    routine.move(
        venue.book, said["key"], said.get("product", "CNC"), side, abs(said["qty"]), money(said["px"], "px"), day=0
    )
    return None


def trade(venue: Venue, said: Said) -> object:
    """Place an order by hand, as if from the broker's own pages: a `form`, and a `variety`."""
    return venue.broker.place(said.get("variety", "regular"), said["form"])


def books(venue: Venue, _: Said) -> object:
    """Kite's own view of the truth: every order and trade of all days, also what is hidden, and the triggers."""
    return {
        "orders": [order.payload() for order in venue.store.orders.values()],
        "trades": [each.payload() for each in venue.store.trades.values() if each.order_id],
        "gtts": [trigger.payload() for trigger in venue.store.gtts.values()],
    }


COMMANDS: Final[dict[str, Callable[[Venue, Said], object]]] = {
    "books": books,
    "expire": expire,
    "hold": hold,
    "kite_rules": change_rules,
    "market": market,
    "next_day": next_day,
    "permit": permit,
    "release": release,
    "session": session,
    "square_off": square_off,
    "trade": trade,
}
