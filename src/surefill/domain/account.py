"""What happens to an account that no order of ours did: orders made elsewhere, and moves of cash or holdings."""

from __future__ import annotations

import enum

import msgspec


class MoveKind(enum.IntEnum):
    """What moved the account and was no trade. Published values never change their meaning."""

    EXPIRY = 1  # a contract ended: what was held of it left at `px`, which may be 0
    SETTLEMENT = 2  # what was held was settled at `px`, or cash was paid for it
    FUNDING = 3
    SWAP = 4
    DIVIDEND = 5
    SPLIT = 6  # more or fewer of the same: the quantity moves, its cost does not
    DEPOSIT = 7
    WITHDRAWAL = 8
    SQUARE_OFF = 9  # the broker closed it at `px` without telling of an order
    TRANSFER = 10  # holdings came from elsewhere or went there, valued at `px`
    CHARGE = 11  # a charge, a commission, a tax, or a correction of one, that no execution carries
    ADJUSTMENT = 12  # the venue gave or took it, for a reason of its own: a rebate, a bonus


class BalanceState(enum.IntEnum):
    """How the account's money at its venue stands to the books'. Published values never change their meaning."""

    AGREES = 0
    NOTED = 1  # it differs by less than the profile's band
    DRIFTED = 2


class KnownBalance(msgspec.Struct, frozen=True, omit_defaults=True):
    """What was told of it last. `offset`: the venue's money less the books' when the count began."""

    offset: int
    state: int = int(BalanceState.AGREES)


#: Moves by which the owner pays in or takes out: neither profit nor loss.
CAPITAL = frozenset((MoveKind.DEPOSIT, MoveKind.WITHDRAWAL, MoveKind.TRANSFER))
#: Moves that may only make a position smaller.
CLOSING = frozenset((MoveKind.EXPIRY, MoveKind.SETTLEMENT, MoveKind.SQUARE_OFF))


class AccountMove(msgspec.Struct, frozen=True, omit_defaults=True):
    """One move, as its venue tells of it.

    `move_id` is the venue's own and counts once per `kind`. `qty` is what it adds to the position, with its sign, in
    quanta; `px` what that is worth, in quanta; `amount` what it adds to the cash, with its sign, in money. `asset`:
    what the amount is in, "" for the workspace's currency. An amount with an instrument is its position's result.
    Variation margin is no settlement here: the books keep what a position cost until it is closed. `raw`: the payload.
    """

    kind: int
    move_id: str
    instrument_id: str = ""
    bucket: str = ""
    qty: int = 0
    px: int = 0
    amount: int = 0
    asset: str = ""
    transact_ns: int = 0
    raw: str = ""


class WorkingOrder(msgspec.Struct, frozen=True, omit_defaults=True):
    """An order that works at the venue, as its list of open orders shows it. Prices and quantities in quanta."""

    order_id: str
    cl_ord_id: str
    instrument_id: str
    bucket: str
    side: int
    order_qty: int
    cum_qty: int
    px: int = 0
    stop_px: int = 0

    @property
    def leaves_qty(self) -> int:
        """What it may still trade."""
        return max(self.order_qty - self.cum_qty, 0)
