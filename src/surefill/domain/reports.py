"""What a venue says about an order, in one shape for all venues."""

from __future__ import annotations

import enum
from typing import Final

import msgspec


class ExecType(enum.IntEnum):
    """The kind of a report (FIX 150, reduced to what moves an order)."""

    NEW = 1
    TRADE = 2
    CANCELED = 3
    EXPIRED = 4
    REJECTED = 5
    CANCEL_REJECTED = 6
    STATUS = 7  # an answer to a query: working, nothing new
    TRIGGERED = 8  # the price has reached a stop order's trigger: from here on it works like any other
    REPLACED = 9  # it works on, with the terms that were asked for
    REPLACE_REJECTED = 10


#: The code of a refusal that is none: no answer came, and nobody knows.
OUTCOME_UNKNOWN: Final = "OUTCOME_UNKNOWN"


class VenueReport(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """One report. Prices and quantities in quanta, `fee` in money (negative: a rebate).

    `exec_id` is unique per (venue, account, symbol). `cum_qty` is the venue's own total on terminal and status
    reports (-1: it does not say). `code` and `text` are the venue's words; `raw` is its payload, kept for proof.
    `instrument_id`, `bucket` and `side` are for orders that we may not know: adapters give them with what a stream or
    a list tells. A fee in another asset than the account's currency is `fee_amount` (a decimal number) of `fee_asset`;
    what the venue took out of the very thing that was traded is `fee_qty`, in quantity quanta.
    `undelivered`: with a rejection, proof that the venue never had the order, so that it may be sent again, not before
    `retry_after_ns`.
    """

    cl_ord_id: str
    exec_type: int
    order_id: str = ""
    exec_id: str = ""
    last_px: int = 0
    last_qty: int = 0
    fee: int = 0
    cum_qty: int = -1
    transact_ns: int = 0
    code: str = ""
    text: str = ""
    raw: str = ""
    undelivered: bool = False
    retry_after_ns: int = 0
    instrument_id: str = ""
    bucket: str = ""
    side: int = 0
    fee_asset: str = ""
    fee_amount: str = ""
    fee_qty: int = 0

    @property
    def has_trade(self) -> bool:
        """Whether it says what is needed to book an execution: once, at a price, with a fee that leaves some of it."""
        return bool(self.exec_id) and self.last_px > 0 and 0 <= self.fee_qty < self.last_qty
