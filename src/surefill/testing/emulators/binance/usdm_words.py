"""USD-M payloads, as in developers.binance.com, USDⓈ-M futures (trade, user data streams, algo orders)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from surefill.testing.emulators.binance.spot_words import side_name
from surefill.testing.emulators.binance.symbols import symbol_of
from surefill.testing.emulators.binance.terms import USDM_NAMES
from surefill.testing.emulators.groundwork.matching import Event, Happened
from surefill.testing.emulators.groundwork.records import ZERO, Execution, Order, OrdType, Position, Status, Tif

#: Order ids of algo orders are a row of their own.
ALGO_FROM = 2_000_000_000
_AFTER_TRIGGER = {
    OrdType.STOP: OrdType.MARKET,
    OrdType.TAKE_PROFIT: OrdType.MARKET,
    OrdType.STOP_LIMIT: OrdType.LIMIT,
    OrdType.TAKE_PROFIT_LIMIT: OrdType.LIMIT,
}


def plain(number: Decimal) -> str:
    """A decimal without trailing zeros."""
    return f"{number.normalize():f}" if number else "0"


def px_text(symbol: str, px: Decimal) -> str:
    """A price with the symbol's digits."""
    return f"{px:.{symbol_of(symbol, 'usdm').px_digits}f}" if px else "0"


def tif_name(order: Order) -> str:
    """GTX is USD-M's word for post-only."""
    return "GTX" if order.tif == Tif.POST_ONLY else str(order.tif)


def _kind(order: Order) -> str:
    return USDM_NAMES[_AFTER_TRIGGER.get(order.ord_type, order.ord_type)]


def shown(order: Order) -> dict[str, Any]:
    """An order as answers and queries show it; a triggered algo order shows the order that it became."""
    return {
        "orderId": order.number,
        "symbol": order.symbol,
        "status": str(order.status),
        "clientOrderId": order.client_id,
        "price": px_text(order.symbol, order.px),
        "avgPrice": f"{order.avg_px:.5f}",
        "origQty": plain(order.qty),
        "executedQty": plain(order.cum_qty),
        "cumQty": plain(order.cum_qty),
        "cumQuote": plain(order.cum_value),
        "timeInForce": tif_name(order),
        "type": _kind(order),
        "reduceOnly": order.reduce_only,
        "closePosition": False,
        "side": side_name(order.side),
        "positionSide": order.bucket,
        "stopPrice": "0",
        "workingType": "CONTRACT_PRICE",
        "priceProtect": False,
        "origType": _kind(order),
        "priceMatch": "NONE",
        "selfTradePreventionMode": "NONE",
        "goodTillDate": 0,
        "time": order.received_ms,
        "updateTime": order.updated_ms,
    }


def algo_shown(order: Order, triggered_ms: int) -> dict[str, Any]:
    """A conditional order as /fapi/v1/algoOrder shows it."""
    return {
        "algoId": ALGO_FROM + order.number,
        "clientAlgoId": order.client_id,
        "algoType": "CONDITIONAL",
        "orderType": USDM_NAMES[order.ord_type],
        "symbol": order.symbol,
        "side": side_name(order.side),
        "positionSide": order.bucket,
        "timeInForce": tif_name(order),
        "quantity": plain(order.qty),
        "algoStatus": algo_status(order, triggered=bool(triggered_ms)),
        "actualOrderId": str(order.number) if triggered_ms else "",
        "actualPrice": px_text(order.symbol, order.avg_px),
        "triggerPrice": px_text(order.symbol, order.stop_px),
        "price": px_text(order.symbol, order.px),
        "icebergQuantity": None,
        "selfTradePreventionMode": "NONE",
        "workingType": "CONTRACT_PRICE",
        "priceMatch": "NONE",
        "closePosition": False,
        "priceProtect": False,
        "reduceOnly": order.reduce_only,
        "createTime": order.received_ms,
        "updateTime": order.updated_ms,
        "triggerTime": triggered_ms,
        "goodTillDate": 0,
    }


def algo_status(order: Order, *, triggered: bool) -> str:
    """NEW, CANCELED, TRIGGERED, FINISHED, EXPIRED, REJECTED."""
    if order.status == Status.PENDING:
        return "NEW"
    if not triggered:
        return str(order.status)
    return "TRIGGERED" if order.is_open else "FINISHED"


def traded(execution: Execution) -> dict[str, Any]:
    """One entry of userTrades."""
    return {
        "symbol": execution.symbol,
        "id": execution.number,
        "orderId": execution.order_number,
        "side": side_name(execution.side),
        "price": px_text(execution.symbol, execution.px),
        "qty": plain(execution.qty),
        "realizedPnl": plain(execution.realized),
        "quoteQty": plain(execution.px * execution.qty),
        "commission": plain(execution.fee),
        "commissionAsset": execution.fee_asset,
        "time": execution.ts_ms,
        "positionSide": execution.bucket,
        "buyer": execution.side > 0,
        "maker": execution.maker,
    }


def order_trade_update(event: Event, now_ms: int) -> dict[str, Any]:
    """The event ORDER_TRADE_UPDATE."""
    order, execution = event.order, event.execution
    return {
        "e": "ORDER_TRADE_UPDATE",
        "E": now_ms,
        "T": order.updated_ms,
        "o": {
            "s": order.symbol,
            "c": order.client_id,
            "S": side_name(order.side),
            "o": _kind(order),
            "f": tif_name(order),
            "q": plain(order.qty),
            "p": px_text(order.symbol, order.px),
            "ap": plain(order.avg_px),
            "sp": "0",
            "x": _EXEC_TYPES[event.happened],
            "X": str(order.status),
            "i": order.number,
            "l": plain(execution.qty if execution else ZERO),
            "z": plain(order.cum_qty),
            "L": px_text(order.symbol, execution.px if execution else ZERO),
            "N": execution.fee_asset if execution else symbol_of(order.symbol, "usdm").quote,
            "n": plain(execution.fee if execution else ZERO),
            "T": order.updated_ms,
            "t": execution.number if execution else 0,
            "b": "0",
            "a": "0",
            "m": execution.maker if execution else False,
            "R": order.reduce_only,
            "wt": "CONTRACT_PRICE",
            "ot": _kind(order),
            "ps": order.bucket,
            "cp": False,
            "rp": plain(execution.realized if execution else ZERO),
            "pP": False,
            "si": 0,
            "ss": 0,
            "V": "NONE",
            "pm": "NONE",
            "gtd": 0,
        },
    }


_EXEC_TYPES = {
    Happened.NEW: "NEW",
    Happened.TRIGGERED: "NEW",
    Happened.TRADE: "TRADE",
    Happened.AMENDED: "AMENDMENT",
    Happened.CANCELED: "CANCELED",
    Happened.EXPIRED: "EXPIRED",
    Happened.REJECTED: "REJECTED",
}


def algo_update(order: Order, triggered_ms: int, now_ms: int) -> dict[str, Any]:
    """The event ALGO_UPDATE."""
    return {
        "e": "ALGO_UPDATE",
        "T": order.updated_ms,
        "E": now_ms,
        "o": {
            "caid": order.client_id,
            "aid": ALGO_FROM + order.number,
            "at": "CONDITIONAL",
            "o": USDM_NAMES[order.ord_type],
            "s": order.symbol,
            "S": side_name(order.side),
            "ps": order.bucket,
            "f": tif_name(order),
            "q": plain(order.qty),
            "X": algo_status(order, triggered=bool(triggered_ms)),
            "ai": str(order.number) if triggered_ms else "",
            "ap": f"{order.avg_px:.5f}",
            "aq": f"{order.cum_qty:.5f}",
            "act": _kind(order) if triggered_ms else "0",
            "tp": px_text(order.symbol, order.stop_px),
            "p": px_text(order.symbol, order.px),
            "V": "NONE",
            "wt": "CONTRACT_PRICE",
            "pm": "NONE",
            "cp": False,
            "pP": False,
            "R": order.reduce_only,
            "tt": triggered_ms,
            "gtd": 0,
            "rm": order.text,
        },
    }


def account_update(
    wallets: dict[str, Decimal], positions: list[tuple[Position, Decimal]], now_ms: int, reason: str = "ORDER"
) -> dict[str, Any]:
    """The event ACCOUNT_UPDATE: wallets by asset, and positions with their unrealised profit."""
    return {
        "e": "ACCOUNT_UPDATE",
        "E": now_ms,
        "T": now_ms,
        "a": {
            "m": reason,
            "B": [
                {"a": asset, "wb": f"{amount:.8f}", "cw": f"{amount:.8f}", "bc": "0"}
                for asset, amount in wallets.items()
            ],
            "P": [
                {
                    "s": each.symbol,
                    "pa": plain(each.qty),
                    "ep": px_text(each.symbol, each.avg_px),
                    "bep": px_text(each.symbol, each.avg_px),
                    "cr": plain(each.realized),
                    "up": f"{unrealized:.8f}",
                    "mt": "cross",
                    "iw": "0",
                    "ps": each.bucket,
                }
                for each, unrealized in positions
            ],
        },
    }


def risk(position: Position, mark: Decimal, unrealized: Decimal, leverage: int, version: int) -> dict[str, Any]:
    """One entry of positionRisk; `version` 2 has the leverage, 3 the margins."""
    symbol = symbol_of(position.symbol, "usdm")
    notional = position.qty * mark
    said: dict[str, Any] = {
        "symbol": position.symbol,
        "positionSide": position.bucket,
        "positionAmt": f"{position.qty:.{symbol.qty_digits}f}",
        "entryPrice": px_text(position.symbol, position.avg_px),
        "breakEvenPrice": px_text(position.symbol, position.avg_px),
        "markPrice": f"{mark:.8f}",
        "unRealizedProfit": f"{unrealized:.8f}",
        "liquidationPrice": "0",
        "notional": plain(notional),
        "isolatedWallet": "0",
        "updateTime": position.updated_ms,
    }
    if version == 2:
        return said | {
            "leverage": str(leverage),
            "maxNotionalValue": "10000000",
            "marginType": "cross",
            "isolatedMargin": "0.00000000",
            "isAutoAddMargin": "false",
            "isolated": False,
            "adlQuantile": 0,
        }
    margin = f"{abs(notional) / leverage:.8f}"
    return said | {
        "isolatedMargin": "0",
        "marginAsset": symbol.quote,
        "initialMargin": margin,
        "maintMargin": "0",
        "positionInitialMargin": margin,
        "openOrderInitialMargin": "0",
        "adl": 0,
        "bidNotional": "0",
        "askNotional": "0",
    }
