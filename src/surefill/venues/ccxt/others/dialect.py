"""How an exchange says things: endpoints, names of fields, and tables, so that one adapter serves several."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from surefill.domain.orders import OrderRequest
from surefill.venues.ccxt.asking import Endpoint
from surefill.venues.ccxt.listing import Listing
from surefill.venues.ccxt.settings import CcxtSettings
from surefill.venues.ccxt.verdict import Judge

#: Endpoint and parameters of one request.
Call = tuple[Endpoint, dict[str, Any]]
Row = Mapping[str, Any]


class OrderNames(NamedTuple):
    """Where a row about an order has what. `states`: the report that each state comes to."""

    order_id: str
    cl_ord_id: str
    state: str
    cum_qty: str
    order_qty: str
    px: str
    stop_px: str
    ord_type: str
    updated: str
    name: str
    states: Mapping[str, int]


class TradeNames(NamedTuple):
    """Where a row about a trade has what. `fee_sign`: -1 where the exchange writes a charge as a negative number."""

    exec_id: str
    order_id: str
    px: str
    qty: str
    fee: str
    fee_asset: str
    ts: str
    name: str
    fee_sign: int = 1


class Dialect(NamedTuple):
    """One exchange.

    `client_id`: the pattern of client order ids. `window_ms`: how long after signing a request is still taken (0: as
    the settings say). `orders` and `trades` take the rows out of an answer. `submit`,
    `cancel` make the request; `looks` are the places where an order of ours may be, in the order in which it moves;
    `fills` those of an order; `open_orders`, `executions` (since, in ms), `balances`, `clock` ask for the rest.
    `clock_of` reads ms out of the answer, `balances_of` (asset, total, available).
    """

    client_id: str
    client_id_max: int
    window_ms: int
    ord_types: frozenset[int]
    judge: Judge
    names: OrderNames
    trade_names: TradeNames
    order_rows: Callable[[Any], list[Any]]
    trade_rows: Callable[[Any], list[Any]]
    new_order_id: Callable[[Any], str]
    submit: Callable[[CcxtSettings, Listing, OrderRequest], Call]
    cancel: Callable[[CcxtSettings, Listing, OrderRequest, str], Call]
    looks: Callable[[CcxtSettings, Listing, OrderRequest], tuple[Call, ...]]
    fills: Callable[[CcxtSettings, Listing, str], Call]
    open_orders: Callable[[CcxtSettings], Call]
    executions: Callable[[CcxtSettings, int], Call]
    balances: Callable[[CcxtSettings], Call]
    balances_of: Callable[[Any], list[tuple[str, str, str]]]
    clock: Call
    clock_of: Callable[[Any], int]
    permissions: Call
    permissions_of: Callable[[Any], tuple[bool, bool | None]]
