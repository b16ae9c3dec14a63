"""From an order intent to the engine's intent in integers, or to the first thing that is wrong with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from surefill.domain.instrument import Instrument
from surefill.domain.intent import Action, Intent
from surefill.domain.refusals import Refusal, RefusalCode
from surefill.errors import InputError
from surefill.intake.orders.messages import OrderIntent
from surefill.rules.codes import OrdType, Side, TimeInForce
from surefill.units import PRICE_MAX, QTY_MAX, to_quanta

DOOR: Final = "orders"
PRODUCTS: Final = ("MIS", "NRML", "CNC")
_SIDES: Final[dict[str, int]] = {"BUY": Side.BUY, "SELL": Side.SELL}
_ORD_TYPES: Final[dict[str, int]] = {
    "MARKET": OrdType.MARKET,
    "LIMIT": OrdType.LIMIT,
    "SL": OrdType.STOP_LIMIT,
    "SL-M": OrdType.STOP,
}
_VALIDITIES: Final[dict[str, int]] = {"DAY": TimeInForce.DAY, "IOC": TimeInForce.IOC}


class Translated(NamedTuple):
    """The intent as far as it could be read, and what is wrong with it, if anything is."""

    intent: Intent
    refusal: Refusal | None


def translate(order: OrderIntent, instrument: Instrument | None, story: str) -> Translated:
    """Read everything. What the gates can judge is left to them: zero and odd lots, ticks, missing prices."""
    reader = _Reader(instrument)
    side = reader.word(order.side, _SIDES, RefusalCode.INVALID_INPUT, "side", 0)
    kind = reader.word(order.order_type, _ORD_TYPES, RefusalCode.UNSUPPORTED_ORDER_TYPE, "order type", OrdType.MARKET)
    validity = reader.word(
        order.validity, _VALIDITIES, RefusalCode.UNSUPPORTED_TIME_IN_FORCE, "validity", TimeInForce.DAY
    )
    reader.check_product(order.product)
    metadata: Any = order.metadata or {}
    intent = Intent(
        intent_id=str(order.intent_id or ""),
        correlation_id=story,
        door=DOOR,
        strategy_id=str(order.strategy_code),
        instrument_id=order.symbol,
        action=Action.CLOSE if metadata.get("reduce_only") is True else Action.TRADE,
        side=side,
        order_qty=reader.quantity(order.qty),
        ord_type=kind,
        time_in_force=validity,
        px=reader.price(order.price, "price") if kind in (OrdType.LIMIT, OrdType.STOP_LIMIT) else 0,
        stop_px=reader.price(order.trigger_price, "trigger_price") if kind in (OrdType.STOP, OrdType.STOP_LIMIT) else 0,
        reason=str(order.reason or ""),
        context=_labels(order, metadata),
        basket_id=str(metadata.get("basket_id") or ""),
        figures=reader.figures(metadata),
    )
    return Translated(intent, reader.refusal)


class _Reader:
    """Turns values into codes and integers; remembers the first that could not be."""

    def __init__(self, instrument: Instrument | None) -> None:
        self.refusal: Refusal | None = None
        self._price_decimals = instrument.price_decimals if instrument else 0
        self._qty_decimals = instrument.qty_decimals if instrument else 0

    def _refuse(self, code: RefusalCode, reason: str) -> None:
        if self.refusal is None:
            self.refusal = Refusal(code, reason)

    def word(self, value: object, known: dict[str, int], code: RefusalCode, name: str, instead: int) -> int:
        """One of the contract's words; `instead` beside a refusal for any other."""
        found = known.get(str(getattr(value, "value", value)).strip().upper())
        if found is None:
            self._refuse(code, f"{name} {value!r} is not one of {', '.join(known)}")
            return instead
        return found

    def check_product(self, product: object) -> None:
        """The contract's products."""
        if str(product).strip().upper() not in PRODUCTS:
            self._refuse(RefusalCode.INVALID_INPUT, f"product {product!r} is not one of {', '.join(PRODUCTS)}")

    def quantity(self, value: Any) -> int:
        """In quanta; a negative one is left to the gate."""
        return self._read(
            RefusalCode.INVALID_QUANTITY,
            lambda: to_quanta(value, self._qty_decimals, field="qty", max_quanta=QTY_MAX, allow_negative=True),
        )

    def price(self, value: Any, name: str) -> int:
        """In quanta; None is 0, which the gate refuses where a price is needed."""
        if value is None:
            return 0
        try:
            return to_quanta(value, self._price_decimals, field=name, max_quanta=PRICE_MAX)
        except InputError as error:
            code = RefusalCode.OFF_TICK if error.code == "TOO_FINE" else RefusalCode.INVALID_INPUT
            self._refuse(code, error.message)
            return 0

    def figures(self, metadata: dict[str, Any]) -> dict[str, int]:
        """What gates judge by: `expected_edge`, the gain expected for each unit, in price."""
        edge = metadata.get("expected_edge")
        return {} if edge is None else {"edge": self.price(edge, "expected_edge")}

    def _read(self, code: RefusalCode, convert: Callable[[], int]) -> int:
        try:
            return convert()
        except InputError as error:
            self._refuse(code, error.message)
            return 0


def _labels(order: OrderIntent, metadata: dict[str, Any]) -> dict[str, str]:
    """What the projections show."""
    labels = {
        "product": str(order.product).strip().upper(),
        "tag": order.tag,
        "exchange": metadata.get("exchange"),
        "tf": metadata.get("timeframe"),
        "confidence": order.confidence,
    }
    return {name: str(value) for name, value in labels.items() if value}
