"""What is decided about an order that lives: sent again, let go, canceled, changed; and what its venue says to that."""

from __future__ import annotations

from surefill.domain.events.event import Event


class OrderResendScheduled(Event, frozen=True):
    """The order has proof of never having arrived: it will be sent again, under the same id, at `at_ns`."""

    cl_ord_id: str
    attempt: int
    at_ns: int
    code: str
    text: str


class OrderResent(Event, frozen=True):
    """The decision to send it again, with a new deadline. Only after this is durable does a byte leave."""

    cl_ord_id: str
    send_by_ns: int


class OrderReleased(Event, frozen=True):
    """Nothing at the venue stands in its way any more: the decision to send it, with a new deadline."""

    cl_ord_id: str
    send_by_ns: int


class StopPresumedGone(Event, frozen=True):
    """A stop of unknown fate that nobody finds (`count` queries in a row) holds its position's exit up no longer.

    It ends nothing: when the stop turns up it counts again.
    """

    cl_ord_id: str
    count: int


class CancelRequested(Event, frozen=True):
    """The decision to cancel."""

    cl_ord_id: str
    by: str


class CancelRefused(Event, frozen=True):
    """The venue would not cancel (often: it had filled)."""

    cl_ord_id: str
    code: str
    text: str


class ReplaceRequested(Event, frozen=True):
    """The decision to have a working order changed in place."""

    cl_ord_id: str
    stop_px: int
    order_qty: int
    target_px: int = 0


class OrderReplaced(Event, frozen=True):
    """The venue works it with the terms that were asked for."""

    cl_ord_id: str


class ReplaceRefused(Event, frozen=True):
    """The venue would not change it, or nobody knows whether it has."""

    cl_ord_id: str
    code: str
    text: str
