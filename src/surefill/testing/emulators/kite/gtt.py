"""The triggers at work: placed, changed, ended, and struck by the price, whereupon their order is placed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from surefill.testing.emulators.groundwork import Fault
from surefill.testing.emulators.kite.amounts import read_px, shown
from surefill.testing.emulators.kite.book import Book
from surefill.testing.emulators.kite.broker import Broker
from surefill.testing.emulators.kite.clock import stamp
from surefill.testing.emulators.kite.errors import KiteError, bad_input, not_found
from surefill.testing.emulators.kite.forms import Form, read_order, whole
from surefill.testing.emulators.kite.gtt_orders import (
    ACTIVE,
    DELETED,
    DISABLED,
    EXCHANGES,
    NEAREST,
    PRODUCTS,
    TRIGGERED,
    Gtt,
    GttLeg,
)

LEG_COUNT = {"single": 1, "two-leg": 2}


class Triggers:
    """All methods raise KiteError where the venue would answer with an error."""

    def __init__(self, book: Book, broker: Broker) -> None:
        self._book = book
        self._broker = broker

    def place(self, form: Form) -> dict[str, object]:
        """POST /gtt/triggers."""
        active = sum(each.status == ACTIVE for each in self._book.store.gtts.values())
        if active >= self._book.rules.limits.triggers_max:
            raise bad_input(f"Maximum number of active triggers ({active}) reached.")
        trigger = self._read(form, self._book.store.next_number("gtt"))
        self._book.store.gtts.put(_key(trigger.id), self._validated(trigger))
        return {"trigger_id": trigger.id}

    def _validated(self, trigger: Gtt) -> Gtt:
        """Disabled where the market has come too near to it meanwhile."""
        _, price = self._book.lookup(trigger.key)
        near = any(abs(value - price.last) * NEAREST < price.last for value in trigger.trigger_values)
        return msgspec.structs.replace(trigger, status=DISABLED) if near else trigger

    def modify(self, trigger_id: str, form: Form) -> dict[str, object]:
        """PUT /gtt/triggers/{id}."""
        found = self._active(trigger_id)
        trigger = msgspec.structs.replace(self._read(form, found.id), created_ns=found.created_ns)
        self._book.store.gtts.put(_key(trigger_id), trigger)
        return {"trigger_id": trigger.id}

    def delete(self, trigger_id: str) -> dict[str, object]:
        """DELETE /gtt/triggers/{id}."""
        self._put(self._active(trigger_id), status=DELETED)
        return {"trigger_id": int(trigger_id)}

    def get(self, trigger_id: str) -> dict[str, object]:
        """GET /gtt/triggers/{id}."""
        found = self._book.store.gtts.get(_key(trigger_id))
        if found is None:
            raise not_found()
        return found.payload()

    def listed(self) -> list[dict[str, object]]:
        """GET /gtt/triggers."""
        return [each.payload() for each in self._book.store.gtts.values() if each.status != DELETED]

    def watch(self, key: str, last: int) -> None:
        """The price of an instrument has moved."""
        for trigger in self._book.store.gtts.values():
            if trigger.status == ACTIVE and trigger.key == key:
                struck = trigger.struck(last)
                if struck is not None:
                    self._fire(trigger, struck, last)

    def _fire(self, trigger: Gtt, index: int, last: int) -> None:
        leg = trigger.orders[index]
        order_id, reason = self._place_leg(trigger, leg)
        result = {
            "account_id": trigger.user_id,
            "exchange": trigger.exchange,
            "tradingsymbol": trigger.tradingsymbol,
            "validity": "DAY",
            "product": leg.product,
            "order_type": leg.order_type,
            "transaction_type": leg.transaction_type,
            "quantity": leg.quantity,
            "price": shown(leg.price),
            "meta": f'{{"app_id":0,"gtt":{trigger.id}}}',
            "timestamp": stamp(self._book.clock.now_ns()),
            "triggered_at": shown(last),
            "order_result": {
                "status": "failed" if reason else "success",
                "order_id": order_id,
                "rejection_reason": reason,
            },
        }
        orders = [*trigger.orders]
        orders[index] = msgspec.structs.replace(leg, result=result)
        self._put(trigger, status=TRIGGERED, orders=orders)

    def _place_leg(self, trigger: Gtt, leg: GttLeg) -> tuple[str, str]:
        """The order's id, or why there is none."""
        if self._book.faults.strike(Fault.REFUSED, "gtt"):
            return "", "The order was refused by a check of the broker's."
        form = {
            "transaction_type": leg.transaction_type,
            "quantity": str(leg.quantity),
            "product": leg.product,
            "order_type": leg.order_type,
            "price": str(shown(leg.price)),
        }
        instrument, price = self._book.lookup(trigger.key)
        try:
            return self._broker.take(read_order("regular", form, instrument, price, self._book.rules)).order_id, ""
        except KiteError as error:
            return "", error.message

    def _active(self, trigger_id: str) -> Gtt:
        found = self._book.store.gtts.get(_key(trigger_id))
        if found is None or found.status != ACTIVE:
            raise bad_input(f"Trigger {trigger_id} is not active.")
        return found

    def _put(self, trigger: Gtt, **changes: object) -> None:
        changes["updated_ns"] = self._book.clock.now_ns()
        self._book.store.gtts.put(_key(trigger.id), msgspec.structs.replace(trigger, **changes))

    def _read(self, form: Form, number: int) -> Gtt:
        condition, legs = _json(form, "condition", dict), _json(form, "orders", list)
        key = f"{condition.get('exchange')}:{condition.get('tradingsymbol')}"
        instrument, _ = self._broker.find(key)
        now_ns = self._book.clock.now_ns()
        values = [read_px(value, "trigger_values") for value in condition.get("trigger_values") or ()]
        wanted = LEG_COUNT.get(form.get("type") or "")
        if wanted is None or len(values) != wanted or len(legs) != wanted:
            raise bad_input("Invalid trigger: `single` has one value and one order, `two-leg` two of each.")
        trigger = Gtt(
            id=number,
            user_id=self._broker.user_id,
            type=form["type"],
            exchange=instrument.exchange,
            tradingsymbol=instrument.tradingsymbol,
            instrument_token=instrument.instrument_token,
            last_price=read_px(condition.get("last_price", ""), "last_price"),
            trigger_values=values,
            orders=[_leg(leg) for leg in legs],
            created_ns=now_ns,
            updated_ns=now_ns,
        )
        _check(trigger, instrument.tick)
        return trigger


def _key(trigger_id: int | str) -> str:
    """Sorts like the number."""
    return str(trigger_id).zfill(9)


def _check(trigger: Gtt, tick: int) -> None:
    if any(value % tick for value in trigger.trigger_values) or any(leg.price % tick for leg in trigger.orders):
        raise bad_input("Trigger values and prices should be multiples of the tick size.")
    if trigger.exchange not in EXCHANGES or any(leg.product not in PRODUCTS for leg in trigger.orders):
        raise bad_input("Triggers are for CNC, NRML and MTF in equity and its derivatives only.")
    if trigger.last_price in trigger.trigger_values:
        raise bad_input("Trigger already met with the last price.")
    low, high = trigger.trigger_values[0], trigger.trigger_values[-1]
    if trigger.type == "two-leg" and not low < trigger.last_price < high:
        raise bad_input("The trigger values of a two-leg order should enclose the last price.")


def _leg(leg: dict[str, Any]) -> GttLeg:
    if leg.get("order_type") != "LIMIT" or leg.get("transaction_type") not in ("BUY", "SELL"):
        raise bad_input("Orders of a trigger should be LIMIT, BUY or SELL.")
    return GttLeg(
        transaction_type=leg["transaction_type"],
        quantity=whole({"quantity": str(leg.get("quantity"))}, "quantity"),
        order_type=leg["order_type"],
        product=str(leg.get("product")),
        price=read_px(leg.get("price", ""), "price"),
    )


def _json(form: Form, field: str, kind: Callable[[], Any]) -> Any:
    try:
        value = msgspec.json.decode(form.get(field) or "")
    except msgspec.DecodeError:
        value = None
    if type(value) is not kind:
        raise bad_input(f"Invalid `{field}`.")
    return value
