"""Spot payloads, field by field as in binance/binance-spot-api-docs (rest-api.md, user-data-stream.md)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from surefill.testing.emulators.binance.terms import SPOT_NAMES
from surefill.testing.emulators.groundwork.matching import Event, Happened
from surefill.testing.emulators.groundwork.records import ZERO, Execution, Order, Status, Tif


def eight(number: Decimal) -> str:
    """A decimal with eight digits, as spot writes all of them."""
    return f"{number:.8f}"


def list_id_of(order: Order) -> int:
    """The order list that it belongs to, -1 for none."""
    return int(order.venue) if order.venue else -1


def side_name(side: int) -> str:
    """BUY or SELL."""
    return "BUY" if side > 0 else "SELL"


def type_name(order: Order) -> str:
    """The order's type as spot names it."""
    return "LIMIT_MAKER" if order.tif == Tif.POST_ONLY else SPOT_NAMES[order.ord_type]


def _terms(order: Order) -> dict[str, Any]:
    return {
        "price": eight(order.px),
        "origQty": eight(order.qty),
        "executedQty": eight(order.cum_qty),
        "origQuoteOrderQty": "0.000000",
        "cummulativeQuoteQty": eight(order.cum_value),
        "status": status_name(order.status),
        "timeInForce": _tif_name(order),
        "type": type_name(order),
        "side": side_name(order.side),
    }


def status_name(status: Status) -> str:
    """What a waiting trigger is called: NEW, like any other open order."""
    return "NEW" if status == Status.PENDING else str(status)


def _tif_name(order: Order) -> str:
    return "GTC" if order.tif == Tif.POST_ONLY else str(order.tif)


def acknowledged(order: Order, executions: list[Execution], detail: str) -> dict[str, Any]:
    """The answer to a new order; `detail` is newOrderRespType."""
    said: dict[str, Any] = {
        "symbol": order.symbol,
        "orderId": order.number,
        "orderListId": list_id_of(order),
        "clientOrderId": order.client_id,
        "transactTime": order.updated_ms,
    }
    if detail == "ACK":
        return said
    said |= _terms(order)
    if order.has_trigger:
        said["stopPrice"] = eight(order.stop_px)
    said["workingTime"] = -1 if order.status == Status.PENDING else order.received_ms
    said["selfTradePreventionMode"] = "NONE"
    if detail == "FULL":
        said["fills"] = [
            {
                "price": eight(each.px),
                "qty": eight(each.qty),
                "commission": eight(each.fee),
                "commissionAsset": each.fee_asset,
                "tradeId": each.number,
            }
            for each in executions
        ]
    return said


def order_list(legs: list[Order], list_client_id: str, now_ms: int, *, is_open: bool) -> dict[str, Any]:
    """An order list, without what its orders are."""
    return {
        "orderListId": list_id_of(legs[0]),
        "contingencyType": "OCO",
        "listStatusType": "EXEC_STARTED" if is_open else "ALL_DONE",
        "listOrderStatus": "EXECUTING" if is_open else "ALL_DONE",
        "listClientOrderId": list_client_id,
        "transactionTime": now_ms,
        "symbol": legs[0].symbol,
        "orders": [{"symbol": leg.symbol, "orderId": leg.number, "clientOrderId": leg.client_id} for leg in legs],
    }


def list_status(told: dict[str, Any], now_ms: int) -> dict[str, Any]:
    """The event listStatus of an order list."""
    orders = [{"s": leg["symbol"], "i": leg["orderId"], "c": leg["clientOrderId"]} for leg in told["orders"]]
    return {
        "e": "listStatus",
        "E": now_ms,
        "s": told["symbol"],
        "g": told["orderListId"],
        "c": told["contingencyType"],
        "l": told["listStatusType"],
        "L": told["listOrderStatus"],
        "r": "NONE",
        "C": told["listClientOrderId"],
        "T": told["transactionTime"],
        "O": orders,
    }


def canceled(order: Order, cancel_id: str) -> dict[str, Any]:
    """The answer to a cancel; the cancel has a client id of its own."""
    said: dict[str, Any] = {
        "symbol": order.symbol,
        "origClientOrderId": order.client_id,
        "orderId": order.number,
        "orderListId": list_id_of(order),
        "clientOrderId": cancel_id,
        "transactTime": order.updated_ms,
    }
    said |= _terms(order)
    if order.has_trigger:
        said["stopPrice"] = eight(order.stop_px)
    said["selfTradePreventionMode"] = "NONE"
    return said


def queried(order: Order) -> dict[str, Any]:
    """An order as a query shows it."""
    terms = _terms(order)
    terms.pop("origQuoteOrderQty")
    waiting = order.status == Status.PENDING
    return {
        "symbol": order.symbol,
        "orderId": order.number,
        "orderListId": list_id_of(order),
        "clientOrderId": order.client_id,
        **terms,
        "stopPrice": eight(order.stop_px),
        "icebergQty": "0.00000000",
        "time": order.received_ms,
        "updateTime": order.updated_ms,
        "isWorking": not waiting,
        "workingTime": -1 if waiting else order.received_ms,
        "origQuoteOrderQty": "0.00000000",
        "selfTradePreventionMode": "NONE",
    }


def amended(order: Order, was_id: str) -> dict[str, Any]:
    """The answer to an amendment that keeps the place in the queue."""
    return {
        "transactTime": order.updated_ms,
        "executionId": order.updated_ms,
        "amendedOrder": {
            "symbol": order.symbol,
            "orderId": order.number,
            "orderListId": list_id_of(order),
            "origClientOrderId": was_id,
            "clientOrderId": order.client_id,
            "price": eight(order.px),
            "qty": eight(order.qty),
            "executedQty": eight(order.cum_qty),
            "preventedQty": "0.00000000",
            "quoteOrderQty": "0.00000000",
            "cumulativeQuoteQty": eight(order.cum_value),
            "status": status_name(order.status),
            "timeInForce": _tif_name(order),
            "type": type_name(order),
            "side": side_name(order.side),
            "workingTime": order.received_ms,
            "selfTradePreventionMode": "NONE",
        },
    }


def traded(execution: Execution, list_id: int) -> dict[str, Any]:
    """One entry of myTrades."""
    return {
        "symbol": execution.symbol,
        "id": execution.number,
        "orderId": execution.order_number,
        "orderListId": list_id,
        "price": eight(execution.px),
        "qty": eight(execution.qty),
        "quoteQty": eight(execution.px * execution.qty),
        "commission": eight(execution.fee),
        "commissionAsset": execution.fee_asset,
        "time": execution.ts_ms,
        "isBuyer": execution.side > 0,
        "isMaker": execution.maker,
        "isBestMatch": True,
    }


def execution_report(event: Event, now_ms: int, number: int, cancel_id: str = "") -> dict[str, Any]:
    """The event executionReport. After a cancel `c` is the cancel's own id and `C` the order's."""
    order, execution = event.order, event.execution
    on_cancel = event.happened == Happened.CANCELED
    return {
        "e": "executionReport",
        "E": now_ms,
        "s": order.symbol,
        "c": cancel_id if on_cancel and cancel_id else order.client_id,
        "S": side_name(order.side),
        "o": type_name(order),
        "f": _tif_name(order),
        "q": eight(order.qty),
        "p": eight(order.px),
        "P": eight(order.stop_px),
        "F": "0.00000000",
        "g": list_id_of(order),
        "C": order.client_id if on_cancel else "",
        "x": _EXEC_TYPES[event.happened],
        "X": status_name(order.status),
        "r": "NONE",
        "i": order.number,
        "l": eight(execution.qty if execution else ZERO),
        "z": eight(order.cum_qty),
        "L": eight(execution.px if execution else ZERO),
        "n": eight(execution.fee) if execution else "0",
        "N": execution.fee_asset if execution else None,
        "T": order.updated_ms,
        "t": execution.number if execution else -1,
        "v": 0,
        "I": number,
        "w": order.is_open and order.status != Status.PENDING,
        "m": execution.maker if execution else False,
        "M": False,
        "O": order.received_ms,
        "Z": eight(order.cum_value),
        "Y": eight(execution.px * execution.qty if execution else ZERO),
        "Q": "0.00000000",
        "W": order.received_ms,
        "V": "NONE",
    }


_EXEC_TYPES = {
    Happened.NEW: "NEW",
    Happened.TRIGGERED: "NEW",
    Happened.TRADE: "TRADE",
    Happened.AMENDED: "REPLACED",
    Happened.CANCELED: "CANCELED",
    Happened.EXPIRED: "EXPIRED",
    Happened.REJECTED: "REJECTED",
}


def account_position(balances: dict[str, tuple[Decimal, Decimal]], now_ms: int) -> dict[str, Any]:
    """The event outboundAccountPosition: free and locked by asset."""
    told = [{"a": asset, "f": eight(free), "l": eight(locked)} for asset, (free, locked) in balances.items()]
    return {"e": "outboundAccountPosition", "E": now_ms, "u": now_ms, "B": told}
