"""Deals that are no trades, and the swap of those that are, as moves of the account.

Source: the MQL5 reference, "Deal properties" (ENUM_DEAL_TYPE). A position's swap comes up night by night and is no
money yet: it is booked with the deals that close the position, and is told then, once, with the deal's ticket.

=========================================  ==========================================================================
deal                                       move
=========================================  ==========================================================================
trade with a swap                          SWAP of the position
BALANCE, CREDIT, BONUS                     DEPOSIT, or WITHDRAWAL where it takes: neither profit nor loss
CHARGE, CORRECTION, COMMISSION…, TAX       CHARGE
INTEREST                                   FUNDING
DIVIDEND, DIVIDEND_FRANKED                 DIVIDEND
BUY_CANCELED, SELL_CANCELED                none: the deal's result comes back by a BALANCE of its own
any other                                  a kind that the books refuse, and call somebody about
=========================================  ==========================================================================
"""

from __future__ import annotations

from decimal import Decimal

from surefill.domain.account import AccountMove, MoveKind
from surefill.units import MONEY_MAX, to_quanta
from surefill.venues.mt5.reading import is_trade
from surefill.venues.mt5.records import DealRecord, raw
from surefill.venues.mt5.symbols import cleaned

UNKNOWN_KIND = 0
_PAID = frozenset({2, 3, 6})
_KINDS = {
    **dict.fromkeys((4, 5, 7, 8, 9, 10, 11, 17), MoveKind.CHARGE),
    12: MoveKind.FUNDING,
    15: MoveKind.DIVIDEND,
    16: MoveKind.DIVIDEND,
}
_CANCELED = frozenset({13, 14})


def move_of(deal: DealRecord, money_decimals: int, currency: str, bucket: str, transact_ns: int) -> AccountMove | None:
    """What a deal moved beside its trade; None where that is nothing. Raises InputError where it cannot be counted."""
    trade = is_trade(deal)
    parts = (deal.swap,) if trade else (deal.profit, deal.commission, deal.swap, deal.fee)
    amount = sum((Decimal(repr(cleaned(part))) for part in parts), Decimal(0))
    if not amount or deal.type in _CANCELED:
        return None
    return AccountMove(
        MoveKind.SWAP if trade else _kind_of(deal.type, amount),
        str(deal.ticket),
        instrument_id=deal.symbol,
        bucket=bucket if deal.symbol else "",
        amount=to_quanta(
            amount, money_decimals, field=f"money of deal {deal.ticket}", max_quanta=MONEY_MAX, allow_negative=True
        ),
        asset=currency,
        transact_ns=transact_ns,
        raw=raw(deal),
    )


def _kind_of(deal_type: int, amount: Decimal) -> int:
    if deal_type in _PAID:
        return MoveKind.DEPOSIT if amount > 0 else MoveKind.WITHDRAWAL
    return _KINDS.get(deal_type, UNKNOWN_KIND)
