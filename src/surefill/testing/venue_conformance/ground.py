"""The venue that an adapter is tried on, and the hand on it: what whoever writes an adapter has to give."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Final, NamedTuple

from surefill.testing.remote_venue.faults import Fault
from surefill.venues.protocol import Venue

#: What can happen to a request or to its answer.
WIRE_FAULTS: Final = frozenset(
    {
        Fault.LOSE_REQUEST,
        Fault.LOSE_ANSWER,
        Fault.DELAY_ANSWER,
        Fault.GARBLE_ANSWER,
        Fault.SERVER_ERROR,
        Fault.THROTTLED,
        Fault.REFUSED,
        Fault.DISCONNECT,
        Fault.DISCONNECT_AFTER,
        Fault.QUERY_ERROR,
    }
)
#: What can happen to what is told of an order.
REPORT_FAULTS: Final = frozenset({Fault.LOSE_REPORT, Fault.DUPLICATE_REPORT, Fault.REORDER_REPORTS})


class TrueOrder(NamedTuple):
    """What really became of a client order id: how many orders, what they traded in all, whether one still works."""

    orders: int = 0
    cum_qty: int = 0
    working: bool = False


class Ground:
    """Subclass it. Prices and quantities in the instrument's quanta. Its calls may block: a thread makes them.

    `name`: the venue's, as tables show it. `px`: what the market trades at when a check begins; `far_px`: a price below
    it that a purchase may rest at; `stop_px`: a price above it that a purchase may be triggered by; `tick`: the step of
    prices. `qty`: what one order asks for, `part_qty` a part of it that may trade alone. `faults`: what `arm` knows.

    `deviations`: by number of the check, why the adapter does otherwise. `not_applicable`: by number, why there is
    nothing to try. `within_s`: how long to wait for what the adapter has to tell by itself.
    """

    name: ClassVar[str] = ""
    instrument_id: str = ""
    tick: int = 1
    px: int = 0
    far_px: int = 0
    stop_px: int = 0
    qty: int = 0
    part_qty: int = 0
    faults: frozenset[Fault] = WIRE_FAULTS | REPORT_FAULTS
    deviations: ClassVar[Mapping[int, str]] = {}
    not_applicable: ClassVar[Mapping[int, str]] = {}
    within_s: float = 5.0

    def venue(self) -> Venue:
        """A new adapter for the account, not connected yet."""
        raise NotImplementedError

    def begin(self) -> None:
        """Before each check: no faults, the market at `px`, nothing working, nothing held."""
        raise NotImplementedError

    def move(self, px: int, qty: int = -1) -> None:
        """The market trades at this price from now on, and only so much of it (-1: any quantity)."""
        raise NotImplementedError

    def arm(self, fault: Fault, op: str, times: int) -> None:
        """Let a fault strike the next `times` requests `op`: "submit", "cancel", "amend", "" for whatever comes."""
        raise NotImplementedError

    def heal(self) -> None:
        """No faults any more."""
        raise NotImplementedError

    def struck(self, fault: Fault) -> int:
        """How often a fault has struck; a check looks whether it grows, `begin` may take it back."""
        raise NotImplementedError

    def truth(self, cl_ord_id: str) -> TrueOrder:
        """What the venue really has under that client order id. Orders that it refused are none."""
        raise NotImplementedError

    def held(self) -> int:
        """What the account really holds of the instrument, signed."""
        raise NotImplementedError

    def hang_up(self) -> None:
        """Break every connection and every stream off; new ones can be had at once."""
        raise NotImplementedError
