"""An order of ours as Binance's parameters: where each of its markets wants what. Pure."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any, NamedTuple

from surefill.domain.orders import OrderRequest
from surefill.rules.codes import OrdType, Side, TimeInForce
from surefill.venues.ccxt.asking import Endpoint
from surefill.venues.ccxt.binance.codes import judge_spot, judge_usdm
from surefill.venues.ccxt.listing import Listing
from surefill.venues.ccxt.verdict import Judge
from surefill.venues.protocol import Rejected

#: Both markets: ^[\.A-Z\:/a-z0-9_-]{1,36}$
CLIENT_ID_ALPHABET, CLIENT_ID_MAX = r"[.A-Z:/a-z0-9_-]", 36
_TIF = {TimeInForce.DAY: "GTC", TimeInForce.GTC: "GTC", TimeInForce.IOC: "IOC", TimeInForce.FOK: "FOK"}
_SPOT_TYPES = {
    OrdType.MARKET: "MARKET",
    OrdType.LIMIT: "LIMIT",
    OrdType.STOP: "STOP_LOSS",
    OrdType.STOP_LIMIT: "STOP_LOSS_LIMIT",
}
_ALGO_TYPES = {OrdType.STOP: "STOP_MARKET", OrdType.STOP_LIMIT: "STOP"}


class Market(NamedTuple):
    """One of Binance's markets: its endpoints, and how its answers are judged."""

    judge: Judge
    info: Endpoint
    time: Endpoint
    submit: Endpoint
    cancel: Endpoint
    order: Endpoint
    open_orders: Endpoint
    history: Endpoint
    trades: Endpoint
    amend: Endpoint
    balances: Endpoint
    listen: Endpoint
    keep: Endpoint
    best: Endpoint
    usdm: bool


SPOT = Market(
    judge_spot,
    ("public", "GET", "exchangeInfo"),
    ("public", "GET", "time"),
    ("private", "POST", "order"),
    ("private", "DELETE", "order"),
    ("private", "GET", "order"),
    ("private", "GET", "openOrders"),
    ("private", "GET", "allOrders"),
    ("private", "GET", "myTrades"),
    ("private", "PUT", "order/amend/keepPriority"),
    ("private", "GET", "account"),
    ("public", "POST", "userDataStream"),
    ("public", "PUT", "userDataStream"),
    ("public", "GET", "ticker/bookTicker"),
    usdm=False,
)
USDM = Market(
    judge_usdm,
    ("fapiPublic", "GET", "exchangeInfo"),
    ("fapiPublic", "GET", "time"),
    ("fapiPrivate", "POST", "order"),
    ("fapiPrivate", "DELETE", "order"),
    ("fapiPrivate", "GET", "order"),
    ("fapiPrivate", "GET", "openOrders"),
    ("fapiPrivate", "GET", "allOrders"),
    ("fapiPrivate", "GET", "userTrades"),
    ("fapiPrivate", "PUT", "order"),
    ("fapiPrivateV3", "GET", "balance"),
    ("fapiPrivate", "POST", "listenKey"),
    ("fapiPrivate", "PUT", "listenKey"),
    ("fapiPublic", "GET", "ticker/bookTicker"),
    usdm=True,
)
POSITIONS: Endpoint = ("fapiPrivateV3", "GET", "positionRisk")
POSITION_MODE: Endpoint = ("fapiPrivate", "GET", "positionSide/dual")
COUNTDOWN: Endpoint = ("fapiPrivate", "POST", "countdownCancelAll")
ALGO_SUBMIT: Endpoint = ("fapiPrivate", "POST", "algoOrder")
ALGO_CANCEL: Endpoint = ("fapiPrivate", "DELETE", "algoOrder")
ALGO_ORDER: Endpoint = ("fapiPrivate", "GET", "algoOrder")
ALGO_OPEN: Endpoint = ("fapiPrivate", "GET", "openAlgoOrders")
ALGO_HISTORY: Endpoint = ("fapiPrivate", "GET", "allAlgoOrders")
PERMISSIONS: Endpoint = ("sapi", "GET", "account/apiRestrictions")

MARKETS = MappingProxyType({"binance": SPOT, "binanceusdm": USDM})


def is_conditional(request: OrderRequest) -> bool:
    """Whether it waits for a price to be reached."""
    return request.ord_type in (OrdType.STOP, OrdType.STOP_LIMIT)


def side_refusal(market: Market, request: OrderRequest, *, hedge: bool) -> Rejected | None:
    """Why the order's bucket cannot be had: position sides exist at USD-M in hedge mode, and only there."""
    wanted = ("LONG", "SHORT") if market.usdm and hedge else ("",)
    if request.bucket in wanted:
        return None
    named = " or ".join(name or "none" for name in wanted)
    return Rejected("POSITION_SIDE", f"the bucket must be {named} here (got {request.bucket!r})")


def order_params(market: Market, listing: Listing, request: OrderRequest, *, hedge: bool) -> dict[str, Any]:
    """The parameters of a new order."""
    params: dict[str, Any] = {
        "symbol": listing.name,
        "side": "BUY" if request.side == Side.BUY else "SELL",
        "quantity": listing.qty_text(request.order_qty),
    }
    if market.usdm:
        params |= _usdm_params(request, hedge=hedge)
    else:
        params |= {
            "type": _SPOT_TYPES[OrdType(request.ord_type)],
            "newClientOrderId": request.cl_ord_id,
            "newOrderRespType": "FULL",
        }
    if request.ord_type in (OrdType.LIMIT, OrdType.STOP_LIMIT):
        params |= {"price": listing.px_text(request.px), "timeInForce": _TIF[TimeInForce(request.time_in_force)]}
    if is_conditional(request):
        params["triggerPrice" if market.usdm else "stopPrice"] = listing.px_text(request.stop_px)
    return params


def _usdm_params(request: OrderRequest, *, hedge: bool) -> dict[str, Any]:
    """USD-M keeps conditional orders apart; in hedge mode the side says what reduces, and reduceOnly is refused."""
    params: dict[str, Any] = {"positionSide": request.bucket} if hedge else {}
    if request.reduce_only and not hedge:
        params["reduceOnly"] = "true"
    if is_conditional(request):
        kind = _ALGO_TYPES[OrdType(request.ord_type)]
        return params | {"algoType": "CONDITIONAL", "type": kind, "clientAlgoId": request.cl_ord_id}
    kind = "MARKET" if request.ord_type == OrdType.MARKET else "LIMIT"
    return params | {"type": kind, "newClientOrderId": request.cl_ord_id, "newOrderRespType": "RESULT"}
