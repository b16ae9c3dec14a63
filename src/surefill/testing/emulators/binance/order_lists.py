"""Order lists of spot: OCO, two orders of which the first at work ends the other.

Source: binance-spot-api-docs, rest-api.md ("New Order list - OCO", "Cancel Order list", "Query Order list") and
user-data-stream.md ("List Status").
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from surefill.testing.emulators.binance import spot_words as words
from surefill.testing.emulators.binance.errors import (
    DUPLICATE,
    BinanceError,
    missing,
    order_refused,
    unknown_order,
)
from surefill.testing.emulators.binance.floor import LISTS, Floor
from surefill.testing.emulators.binance.money import SPOT
from surefill.testing.emulators.binance.routes import Call, Route
from surefill.testing.emulators.groundwork.records import Order

_STOPS = ("STOP_LOSS", "STOP_LOSS_LIMIT")
_TARGETS = ("LIMIT_MAKER", "TAKE_PROFIT", "TAKE_PROFIT_LIMIT")
_BAD_PRICES = "The relationship of the prices for the orders is not correct."


class OrderLists:
    """The endpoints."""

    def __init__(self, floor: Floor) -> None:
        self._floor, self._store = floor, floor.store

    def routes(self) -> dict[tuple[str, str], Route]:
        """By method and path."""
        api = "/api/v3"
        return {
            ("POST", f"{api}/orderList/oco"): Route("submit", self.oco, order=True, orders=2),
            ("DELETE", f"{api}/orderList"): Route("cancel", self.cancel),
            ("GET", f"{api}/orderList"): Route("order", self.shown, weight=4),
            ("GET", f"{api}/openOrderList"): Route("open_orders", self.open_lists, weight=6),
            ("GET", f"{api}/allOrderList"): Route("orders", self.all_lists, weight=20),
        }

    def oco(self, call: Call) -> Any:
        """POST orderList/oco: both legs are checked before either is taken."""
        params, account = call.params, call.account
        group = str(len(self._store.notes(LISTS)) + 1)
        list_id = params.get("listClientOrderId", f"list_{group}")
        if any(self._floor.list_name(each.venue) == list_id for each in self._open(account)):
            raise order_refused(DUPLICATE)
        legs = {place: _leg(params, place, group) for place in ("above", "below")}
        _check_types(*(leg["type"] for leg in legs.values()))
        read = {place: self._floor.reader.read(SPOT, account, leg, "leg") for place, leg in legs.items()}
        self._check_prices(read["above"], read["below"])
        for order in read.values():
            self._floor.reader.check(order)
        if len({order.client_id for order in read.values()}) == 1:
            raise order_refused(DUPLICATE)
        with self._store.step():
            self._store.note(LISTS, group, f"{account} {list_id}")
            orders = [self._floor.submit(SPOT, account, leg, group) for leg in legs.values()]
        told = [words.acknowledged(each, [], params.get("newOrderRespType", "RESULT")) for each in orders]
        return self._floor.list_words(orders) | {"orderReports": told}

    def _check_prices(self, above: Order, below: Order) -> None:
        """The one above the market, the other below it; a stop is on the side where it loses."""
        quote = self._store.quote(above.symbol)
        if quote is None:
            raise order_refused("Market is closed.")
        if not (above.stop_px or above.px) > quote.last > (below.stop_px or below.px):
            raise order_refused(_BAD_PRICES)
        stop = above if words.type_name(above) in _STOPS else below
        if (stop is above) != (stop.side > 0):
            raise order_refused(_BAD_PRICES)

    def _group(self, call: Call) -> str:
        number, wanted = call.params.get("orderListId", ""), call.params.get("listClientOrderId", "")
        wanted = wanted or call.params.get("origClientOrderId", "")
        if not number and not wanted:
            raise missing("orderListId")
        kept = self._store.notes(LISTS)
        for group in sorted(kept, key=int, reverse=True):
            account, _, name = kept[group].partition(" ")
            if account == call.account and (group == number if number else name == wanted):
                return group
        return ""

    def _open(self, account: str) -> list[Order]:
        return [each for each in self._store.orders(account=account, scope=SPOT, open_only=True) if each.venue]

    def cancel(self, call: Call) -> Any:
        """DELETE orderList: what is open of it."""
        group = self._group(call)
        if not any(each.venue == group for each in self._open(call.account)):
            raise unknown_order()
        for each in self._legs(group):
            leg = self._store.order(each.number)  # a fill of the other leg meanwhile has ended it
            if leg is not None and leg.is_open:
                self._floor.cancel(leg)
        ended = self._legs(group)
        told = [words.canceled(each, f"cancel_{each.number}") for each in ended]
        return self._floor.list_words(ended) | {"orderReports": told}

    def _legs(self, group: str) -> list[Order]:
        return self._store.orders(scope=SPOT, venue=group)

    def shown(self, call: Call) -> Any:
        """GET orderList."""
        group = self._group(call)
        if not group:
            raise BinanceError(-2013, "Order list does not exist.")
        return self._floor.list_words(self._legs(group))

    def open_lists(self, call: Call) -> Any:
        """GET openOrderList."""
        groups = sorted({each.venue for each in self._open(call.account)}, key=int)
        return [self._floor.list_words(self._legs(group)) for group in groups]

    def all_lists(self, call: Call) -> Any:
        """GET allOrderList."""
        mine = {each.venue for each in self._store.orders(account=call.account, scope=SPOT) if each.venue}
        return [self._floor.list_words(self._legs(group)) for group in sorted(mine, key=int)]


def _leg(params: Mapping[str, str], place: str, group: str) -> dict[str, str]:
    """The parameters of one leg as those of an order."""
    if f"{place}Type" not in params:
        raise missing(f"{place}Type")
    leg = {name: params[name] for name in ("symbol", "side", "quantity") if name in params}
    for name in ("Type", "Price", "StopPrice", "TimeInForce"):
        if place + name in params:
            leg[name[0].lower() + name[1:]] = params[place + name]
    return leg | {"newClientOrderId": params.get(f"{place}ClientOrderId", f"{place}_{group}")}


def _check_types(above: str, below: str) -> None:
    """One stop and one target."""
    if sum(kind in _STOPS for kind in (above, below)) != 1 or sum(kind in _TARGETS for kind in (above, below)) != 1:
        raise BinanceError(-1116, "Invalid orderType.")
