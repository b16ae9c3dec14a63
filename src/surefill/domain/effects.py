"""What the core asks the shell to do. Those for the wire are held until their events are durable."""

from __future__ import annotations

import msgspec

from surefill.domain.orders import OrderRequest


class SubmitOrder(msgspec.Struct, frozen=True, gc=False):
    """Send this order, once, not after its deadline."""

    request: OrderRequest


class CancelOrder(msgspec.Struct, frozen=True, gc=False):
    """Ask the venue to cancel."""

    request: OrderRequest
    order_id: str


class AmendOrder(msgspec.Struct, frozen=True, gc=False):
    """Ask the venue to change a working order, in place, to the terms of `request`."""

    request: OrderRequest
    order_id: str


class QueryOrder(msgspec.Struct, frozen=True, gc=False):
    """Ask the venue what became of an order: open orders, history and trades, by client id."""

    request: OrderRequest


class SetTimer(msgspec.Struct, frozen=True, gc=False):
    """Feed `TimerFired(name)` at or after `at_ns`; a later one of the same name replaces it."""

    name: str
    at_ns: int


class Notify(msgspec.Struct, frozen=True, gc=False):
    """Tell a person. `page` wakes one."""

    code: str
    text: str
    page: bool = False


Effect = SubmitOrder | CancelOrder | AmendOrder | QueryOrder | SetTimer | Notify
