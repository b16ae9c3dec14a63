"""Which request does what: one line for each route of Kite Connect that is emulated.

`op` is the name that faults know a request by, `kind` the rate limit that it counts under. A look takes `stale`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from surefill.testing.emulators.kite import quotes
from surefill.testing.emulators.kite.errors import bad_input, bad_order
from surefill.testing.emulators.kite.forms import read_order
from surefill.testing.emulators.kite.instruments import Instrument
from surefill.testing.emulators.kite.margin import needed
from surefill.testing.emulators.kite.market import Price
from surefill.testing.emulators.kite.portfolio import order_margin
from surefill.testing.emulators.kite.routine import convert
from surefill.testing.emulators.kite.venue import Venue

QUOTES_MAX: Final = 1000


class Call(NamedTuple):
    """What a request says: parts of its path, its form or query, repeated values of `i`, and a JSON body."""

    path: dict[str, str]
    form: dict[str, str]
    keys: list[str]
    document: object = None
    stale: bool = False


class Handled(NamedTuple):
    """A route."""

    method: str
    path: str
    op: str
    kind: str
    do: Callable[[Venue, Call], object]
    empty: object = None  # what an empty snapshot shows; None: this is no look


def _keyed(show: Callable[[Instrument, Price], dict[str, object]]) -> Callable[[Venue, Call], object]:
    def look(venue: Venue, call: Call) -> object:
        if len(call.keys) > QUOTES_MAX:
            raise bad_input(f"Too many instruments. At most {QUOTES_MAX} are allowed.")
        return {key: show(*venue.book.lookup(key)) for key in call.keys if venue.store.instruments.get(key)}

    return look


def _history(venue: Venue, call: Call) -> object:
    steps = venue.order_steps(call.path["order_id"], stale=call.stale)
    if not steps:
        raise bad_order(f"Couldn't find that `order_id`: {call.path['order_id']}.")
    return steps


def _segment(venue: Venue, call: Call) -> object:
    found = venue.margins().get(call.path["segment"])
    if found is None:
        raise bad_input("Invalid `segment`.")
    return found


def _order_margins(venue: Venue, call: Call) -> object:
    """What each order of a list needs; its prices stand as numbers, and protection is not asked for."""
    if not isinstance(call.document, list):
        raise bad_input("The body should be a list of orders.")
    lines: list[object] = []
    for each in call.document:
        form = {"market_protection": "-1", **{name: str(value) for name, value in each.items() if value}}
        key = f"{form.get('exchange')}:{form.get('tradingsymbol')}"
        order = read_order(form.get("variety", "regular"), form, *venue.broker.find(key), venue.book.rules)
        lines.append(order_margin(key, needed(venue.book, order), "equity" if order.exchange != "MCX" else "commodity"))
    return lines


def _end_session(venue: Venue, call: Call) -> object:
    venue.sessions.check(call.form.get("api_key", ""), call.form.get("access_token", ""))
    venue.sessions.end()
    return True


ROUTES: Final = (
    Handled("POST", "/session/token", "session", "others", lambda v, c: v.sessions.exchange(c.form)),
    Handled("DELETE", "/session/token", "session", "others", _end_session),
    Handled("GET", "/user/profile", "profile", "others", lambda v, _: v.sessions.user()),
    Handled("GET", "/user/margins", "margins", "others", lambda v, _: v.margins()),
    Handled("GET", "/user/margins/{segment}", "margins", "others", _segment),
    Handled("POST", "/orders/{variety}", "submit", "orders", lambda v, c: v.broker.place(c.path["variety"], c.form)),
    Handled(
        "PUT", "/orders/{variety}/{order_id}", "amend", "orders",
        lambda v, c: v.broker.modify(c.path["variety"], c.path["order_id"], c.form),
    ),
    Handled(
        "DELETE", "/orders/{variety}/{order_id}", "cancel", "others",
        lambda v, c: v.broker.cancel(c.path["variety"], c.path["order_id"]),
    ),
    Handled("GET", "/orders", "orders", "others", lambda v, c: v.orders(stale=c.stale), []),
    Handled("GET", "/orders/{order_id}", "history", "others", _history, []),
    Handled("GET", "/trades", "trades", "others", lambda v, c: v.trades(stale=c.stale), []),
    Handled(
        "GET", "/orders/{order_id}/trades", "order_trades", "others",
        lambda v, c: v.trades(c.path["order_id"], stale=c.stale), [],
    ),
    Handled(
        "GET", "/portfolio/positions", "positions", "others", lambda v, c: v.positions(stale=c.stale),
        {"net": [], "day": []},
    ),
    Handled("PUT", "/portfolio/positions", "convert", "others", lambda v, c: convert(v.book, c.form)),
    Handled("GET", "/portfolio/holdings", "holdings", "others", lambda v, c: v.holdings(stale=c.stale), []),
    Handled("GET", "/quote", "quote", "quotes", _keyed(quotes.quote), {}),
    Handled("GET", "/quote/ohlc", "quote", "quotes", _keyed(quotes.ohlc), {}),
    Handled("GET", "/quote/ltp", "quote", "quotes", _keyed(quotes.ltp), {}),
    Handled("POST", "/margins/orders", "order_margins", "others", _order_margins),
    Handled("GET", "/gtt/triggers", "gtts", "others", lambda v, _: v.triggers.listed(), []),
    Handled("POST", "/gtt/triggers", "gtt_submit", "others", lambda v, c: v.triggers.place(c.form)),
    Handled("GET", "/gtt/triggers/{id}", "gtts", "others", lambda v, c: v.triggers.get(c.path["id"])),
    Handled("PUT", "/gtt/triggers/{id}", "gtt_amend", "others", lambda v, c: v.triggers.modify(c.path["id"], c.form)),
    Handled("DELETE", "/gtt/triggers/{id}", "gtt_cancel", "others", lambda v, c: v.triggers.delete(c.path["id"])),
)  # fmt: skip
