"""From an order intent to the engine's intent in integers, or to the first thing that is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from surefill.config import Settings
from surefill.domain.intent import Action, Intent
from surefill.domain.refusals import Refusal, RefusalCode
from surefill.errors import InputError
from surefill.intake.caller_values import CallerReader, Known, scalar
from surefill.intake.orders.messages import OrderIntent
from surefill.intake.venue_names import PRODUCTS, bucket_of
from surefill.plain import plain_text, shown
from surefill.rules.codes import OrdType, Side, TimeInForce
from surefill.units import PRICE_MAX, QTY_MAX, to_quanta

DOOR: Final = "orders"
_SIDES: Final[dict[str, int]] = {"BUY": Side.BUY, "SELL": Side.SELL}
_ORD_TYPES: Final[dict[str, int]] = {
    "MARKET": OrdType.MARKET,
    "LIMIT": OrdType.LIMIT,
    "SL": OrdType.STOP_LIMIT,
    "SL-M": OrdType.STOP,
}
#: Stands in for an order that cannot be read.
BLANK: Final = OrderIntent("", "", "", 0)
_VALIDITIES: Final[dict[str, int]] = {"DAY": TimeInForce.DAY, "IOC": TimeInForce.IOC}


class Translated(NamedTuple):
    """The intent as far as it could be read, and what is wrong with it, if anything is."""

    intent: Intent
    refusal: Refusal | None


def translate(
    order: OrderIntent, known: Known, settings: Settings, story: str, unread: Refusal | None = None
) -> Translated:
    """Read everything. What the gates can judge is left to them: zero and odd lots, ticks, missing prices.

    `unread`: why the caller's order could not be read at all.
    """
    reader = _Reader(known.instrument, unread or known.refusal)
    side = reader.word(order.side, _SIDES, RefusalCode.INVALID_INPUT, "side", 0)
    kind = reader.word(order.order_type, _ORD_TYPES, RefusalCode.UNSUPPORTED_ORDER_TYPE, "order type", OrdType.MARKET)
    validity = reader.word(
        order.validity, _VALIDITIES, RefusalCode.UNSUPPORTED_TIME_IN_FORCE, "validity", TimeInForce.DAY
    )
    product = reader.product(order.product)
    metadata = reader.metadata(order.metadata)
    intent = Intent(
        intent_id=reader.label(order.intent_id, "intent_id"),
        correlation_id=story,
        door=DOOR,
        strategy_id=reader.text(order.strategy_code, "strategy_code"),
        instrument_id=known.symbol,
        bucket=bucket_of(product, settings),
        action=Action.CLOSE if reader.reduce_only(metadata) else Action.TRADE,
        side=side,
        order_qty=reader.quantity(order.qty),
        ord_type=kind,
        time_in_force=validity,
        px=reader.price(order.price, "price") if kind in (OrdType.LIMIT, OrdType.STOP_LIMIT) else 0,
        stop_px=reader.price(order.trigger_price, "trigger_price") if kind in (OrdType.STOP, OrdType.STOP_LIMIT) else 0,
        reason=reader.label(order.reason, "reason"),
        context=reader.labels(order, product, metadata),
        basket_id=reader.label(metadata.get("basket_id"), "basket_id"),
        figures=reader.figures(metadata),
    )
    return Translated(intent, reader.refusal)


def exchange_of(order: OrderIntent) -> str:
    """The exchange in an order's metadata; "" where there is none, or none that can be read."""
    try:
        return plain_text(order.metadata["exchange"], "exchange")
    except Exception:  # the caller's own object: what is wrong with it `translate` says
        return ""


class _Reader(CallerReader):
    """Turns an order's values into codes, integers and labels."""

    def word(self, value: object, known: dict[str, int], code: RefusalCode, name: str, instead: int) -> int:
        """One of the contract's words; `instead` beside a refusal for any other."""
        found = known.get(self._upper(value, name))
        if found is None:
            self.refuse(code, f"{name} {shown(value)} is not one of {', '.join(known)}")
            return instead
        return found

    def _upper(self, value: object, name: str) -> str:
        return self.text(value, name).strip().upper()

    def product(self, product: object) -> str:
        """One of the contract's products."""
        word = self._upper(product, "product")
        if word not in PRODUCTS:
            self.refuse(RefusalCode.INVALID_INPUT, f"product {shown(product)} is not one of {', '.join(PRODUCTS)}")
        return word

    def metadata(self, value: object) -> dict[str, Any]:
        """The caller's metadata; none where there is nothing that has keys."""

        def copied() -> dict[str, Any]:
            if not isinstance(value, Mapping):
                raise InputError(f"metadata must be a dict, not {shown(value)}", code="WRONG_TYPE")
            return dict(value)

        return {} if value is None else self.read(RefusalCode.INVALID_INPUT, "metadata", copied, {})

    def reduce_only(self, metadata: Mapping[str, Any]) -> bool:
        """Whether the order may only ever make a position smaller: nothing but a truth value says so, or not."""

        def said() -> bool:
            value = scalar(metadata.get("reduce_only"))
            if value is None or isinstance(value, bool):
                return value is True
            raise InputError(f"metadata.reduce_only must be True or False, not {shown(value)}", code="WRONG_TYPE")

        return self.read(RefusalCode.INVALID_INPUT, "metadata.reduce_only", said, True)

    def labels(self, order: OrderIntent, product: str, metadata: Mapping[str, Any]) -> dict[str, str]:
        """What the projections show."""
        labels = {
            "product": product,
            "tag": self.label(order.tag, "tag"),
            "exchange": self.label(metadata.get("exchange"), "metadata.exchange"),
            "tf": self.label(metadata.get("timeframe"), "metadata.timeframe"),
            "confidence": self.label(order.confidence, "confidence"),
        }
        return {name: label for name, label in labels.items() if label}

    def quantity(self, value: Any) -> int:
        """In quanta; a negative one is left to the gate."""
        return self.read(
            RefusalCode.INVALID_QUANTITY,
            "qty",
            lambda: to_quanta(value, self.qty_decimals, field="qty", max_quanta=QTY_MAX, allow_negative=True),
            0,
        )

    def price(self, value: Any, name: str) -> int:
        """In quanta; None is 0, which the gate refuses where a price is needed."""
        if value is None:
            return 0
        try:
            return to_quanta(value, self.price_decimals, field=name, max_quanta=PRICE_MAX)
        except InputError as error:
            code = RefusalCode.OFF_TICK if error.code == "TOO_FINE" else RefusalCode.INVALID_INPUT
            self.refuse(code, error.message)
            return 0

    def figures(self, metadata: dict[str, Any]) -> dict[str, int]:
        """What gates judge by: `expected_edge`, the gain expected for each unit, in price."""
        edge = metadata.get("expected_edge")
        return {} if edge is None else {"edge": self.price(edge, "expected_edge")}
