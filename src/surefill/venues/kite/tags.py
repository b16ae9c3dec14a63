"""Which orders at the venue are ours: by tag and terms, never by tag alone.

A tag is a label of up to 20 letters and digits that Kite neither checks for repetition nor reserves for us. It *is* the
client order id where that fits (surefill's own ids do: 20 hexadecimal digits); of a longer one it is the first 20
hexadecimal digits of its SHA-256. Two ids that come to the same tag are refused before anything is sent.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from typing import Final

import msgspec

from surefill.domain.orders import OrderRequest
from surefill.errors import VenueOutcomeUnknown
from surefill.rules.codes import Side
from surefill.units import NS_PER_MIN
from surefill.venues.kite.rows import OrderRow, ns_from_stamp

TAG_MAX: Final = 20
#: How far Kite's clock may be behind ours without an order seeming to be older than it is.
CLOCK_SLACK_NS: Final = 5 * NS_PER_MIN
_TAG: Final = re.compile(r"[0-9A-Za-z]{1,20}")


def tag_of(cl_ord_id: str) -> str:
    """The tag of an order."""
    if _TAG.fullmatch(cl_ord_id):
        return cl_ord_id
    return hashlib.sha256(cl_ord_id.encode()).hexdigest()[:TAG_MAX]


class Ours(msgspec.Struct):
    """An order of ours: what was asked for, in Kite's words, and the venue's ids as far as it has told them.

    `pieces_max_qty`: the broker cuts it into orders of at most so much (0: it does not). `told_all`: `order_ids` are
    all that it made of it. `variety`: as the order book shows it ("": not seen yet).
    """

    request: OrderRequest
    product: str
    pieces_max_qty: int = 0
    order_ids: tuple[str, ...] = ()
    told_all: bool = False
    variety: str = ""

    @property
    def tag(self) -> str:
        """Its tag."""
        return tag_of(self.request.cl_ord_id)

    def is_like(self, row: OrderRow) -> bool:
        """Whether a line of the order book carries our tag and terms."""
        request = self.request
        return (
            self.tag in row.labels
            and (row.instrument_id, row.product, row.transaction_type)
            == (request.instrument_id, self.product, Side(request.side).name)
            and self._quantity_fits(row)
            and ns_from_stamp(row.order_timestamp) + CLOCK_SLACK_NS >= request.transact_ns
        )

    def _quantity_fits(self, row: OrderRow) -> bool:
        if self.pieces_max_qty and row.whole_qty < self.request.order_qty:
            return row.quantity <= self.pieces_max_qty
        return row.whole_qty == self.request.order_qty or row.modified

    def among(self, rows: Sequence[OrderRow]) -> tuple[OrderRow, ...]:
        """Our lines of the order book. Raises VenueOutcomeUnknown where they cannot be told from others'."""
        known = tuple(row for row in rows if row.order_id in self.order_ids)
        if self.told_all and len(known) == len(self.order_ids):
            return known
        tagged = [row for row in rows if self.tag in row.labels]
        found = tuple(row for row in tagged if self.is_like(row))
        if len(found) < len(tagged):
            raise VenueOutcomeUnknown(f"orders carry our tag {self.tag} with other terms: {_named(tagged)}")
        if len(found) > 1 and not self._are_one(found):
            raise VenueOutcomeUnknown(f"more than one order carries our tag {self.tag}: {_named(found)}")
        return found or known

    def _are_one(self, rows: Sequence[OrderRow]) -> bool:
        """Whether several lines are pieces of the one order: together no more than was asked for."""
        if not self.pieces_max_qty:
            return False
        return sum(row.quantity for row in rows) <= self.request.order_qty


class Registry:
    """The orders that this process has asked the venue about, by tag."""

    def __init__(self) -> None:
        self._by_tag: dict[str, Ours] = {}

    def take(self, ours: Ours) -> Ours | None:
        """Keep it (what was known of it stays known); None where its tag is that of another order."""
        known = self._by_tag.get(ours.tag)
        if known is None:
            return self._by_tag.setdefault(ours.tag, ours)
        if known.request.cl_ord_id != ours.request.cl_ord_id:
            return None
        known.request = ours.request
        return known

    def owners(self, rows: Sequence[OrderRow]) -> dict[str, Ours]:
        """Whose lines of the order book they are, by order id. A line that may be anybody's is nobody's."""
        found: dict[str, Ours] = {}
        tags = {label for row in rows for label in row.labels}
        for ours in [each for tag, each in self._by_tag.items() if tag in tags]:
            try:
                found |= {row.order_id: ours for row in ours.among(rows)}
            except VenueOutcomeUnknown:
                continue  # whoever asks for the order itself is told why
        return found

    def shown_id(self, row: OrderRow | None) -> str:
        """The client order id of a line that is nobody's here: its tag, unless that is one of ours."""
        return "" if row is None or not row.tag or row.tag in self._by_tag else row.tag


def _named(rows: Sequence[OrderRow]) -> str:
    return ", ".join(row.order_id for row in rows)
