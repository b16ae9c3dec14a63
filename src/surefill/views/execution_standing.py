"""One execution: what upstream decided, the orders it became, and where it stands in the contract's words.

An execution has one order, or several where an unfilled rest was tried again; their fills count together. Nothing is
final while one of them lives. Units and prices are exact fractions until they become cells.
"""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

import msgspec

from surefill.domain.instrument import Instrument
from surefill.domain.orders import Order
from surefill.domain.refusals import RefusalCode
from surefill.rules.codes import OrdStatus
from surefill.views.execution_units import number, pips_between, price_of, units_of
from surefill.views.execution_words import REASON_OF, ExecutionStatus, RejectionReason


class Piece(msgspec.Struct):
    """One order of an execution, as it stood last. Quanta throughout."""

    order_qty: int
    status: int = OrdStatus.SUBMITTED
    order_id: str = ""
    cum_qty: int = 0
    cum_notional: int = 0
    code: str = ""
    text: str = ""
    canceled_by: str = ""
    attempts: int = 1
    timed_out: bool = False
    resend_ns: int = 0

    def take(self, order: Order) -> None:
        """See where the order stands now."""
        self.status, self.order_id = order.status, order.order_id
        self.cum_qty, self.cum_notional = order.cum_qty, order.cum_notional
        self.code, self.text = order.code, order.text
        self.attempts, self.timed_out, self.resend_ns = order.attempts, order.timed_out, order.resend_ns

    @property
    def lives(self) -> bool:
        """Whether more may come of it."""
        return self.status < OrdStatus.FILLED


class Execution(msgspec.Struct):
    """What the journal has told of one execution so far. `context` is what upstream said, as it was journaled.

    `execution_id` is the id that the engine gave the intent, and shows for its first order.
    """

    execution_id: str
    decision_id: str
    symbol: str
    direction: int
    context: dict[str, str]
    limits_version: int
    created_ns: int
    updated_ns: int
    order_qty: int
    money_decimals: int
    instrument: Instrument | None = None
    refused: int = 0
    refused_why: str = ""
    mid_px2: int = 0  # twice the middle of the market at the decision, in price quanta; 0: not known
    submitted_ns: int = 0
    filled_ns: int = 0
    pieces: dict[str, Piece] = {}

    @property
    def over(self) -> bool:
        """Whether nothing more is to come of it."""
        ended = bool(self.pieces) and not any(piece.lives for piece in self.pieces.values())
        return ended or self.refused != 0


class Standing(NamedTuple):
    """A status with its reason and details, as the contract words them."""

    status: ExecutionStatus
    reason: str | None = None
    details: str | None = None


# -- where it stands ------------------------------------------------------------------------------------------------


def standing_of(execution: Execution) -> Standing:
    """The contract's status, reason and details. Unknown stays SUBMITTED; what filled is never denied."""
    if execution.refused:
        return _refused(execution)
    pieces = list(execution.pieces.values())
    if not pieces:
        return Standing(ExecutionStatus.PENDING)
    cum_qty = sum(piece.cum_qty for piece in pieces)
    living = [piece for piece in pieces if piece.lives]
    if living:
        return _living(living[-1], cum_qty)
    return _ended(execution, pieces, cum_qty)


def _refused(execution: Execution) -> Standing:
    code = RefusalCode(execution.refused)
    if code is RefusalCode.UPSTREAM_REJECTED:
        reason = execution.context.get("rejection_reason", "") or REASON_OF[code]
        return Standing(ExecutionStatus.REJECTED, reason, execution.refused_why)
    reason = REASON_OF[code]
    if code is RefusalCode.UPSTREAM_HALTED:
        return Standing(ExecutionStatus.REJECTED, reason, execution.refused_why)  # the halt reason, as upstream gave it
    why = execution.refused_why if code.name == reason else f"{code.name}: {execution.refused_why}"
    return Standing(ExecutionStatus.REJECTED, reason, why)


def _living(piece: Piece, cum_qty: int) -> Standing:
    status = ExecutionStatus.PARTIALLY_FILLED if cum_qty else ExecutionStatus.SUBMITTED
    if piece.status == OrdStatus.UNKNOWN:
        details = f"OUTCOME_UNKNOWN: {piece.text or 'the broker has not answered'}"
        return Standing(status, RejectionReason.NETWORK_ERROR, details)
    if piece.resend_ns:
        details = f"it did not arrive ({told(piece)}): attempt {piece.attempts} follows"
        return Standing(status, RejectionReason.NETWORK_ERROR, details)
    return Standing(status)


def _ended(execution: Execution, pieces: list[Piece], cum_qty: int) -> Standing:
    last = pieces[-1]
    if cum_qty >= execution.order_qty:
        return _filled(execution, ExecutionStatus.FILLED)
    if cum_qty:
        rest = units_text(execution, execution.order_qty - cum_qty)
        told = f"{units_text(execution, cum_qty)} of {units_text(execution, execution.order_qty)} units filled;"
        why = _end_of(last)
        details = f"{told} {rest} did not: {why.details or why.status.lower()}"
        if why.reason is None:
            return _filled(execution, ExecutionStatus.PARTIALLY_FILLED, details)
        return Standing(ExecutionStatus.PARTIALLY_FILLED, why.reason, details)
    return _end_of(last)


def _end_of(piece: Piece) -> Standing:
    """How an order ended that did not fill."""
    taken_back = piece.code == "NOT_SENT" and piece.canceled_by
    if piece.status == OrdStatus.REJECTED and not taken_back:
        refusal = RefusalCode.__members__.get(piece.code)
        reason = RejectionReason.BROKER_REJECTION if refusal is None else REASON_OF[refusal]
        return Standing(ExecutionStatus.REJECTED, reason, told(piece))
    if piece.timed_out or piece.status == OrdStatus.EXPIRED:
        details = told(piece) if piece.status == OrdStatus.EXPIRED else "not filled in time: canceled at the broker"
        return Standing(ExecutionStatus.EXPIRED, RejectionReason.ORDER_TIMEOUT, details)
    details = "; ".join(part for part in (told(piece), piece.canceled_by and f"by {piece.canceled_by}") if part)
    return Standing(ExecutionStatus.CANCELLED, None, details or None)


def _filled(execution: Execution, status: ExecutionStatus, details: str | None = None) -> Standing:
    pips, most = slippage_pips(execution), max_slippage_pips(execution)
    if pips is None or most is None or pips <= most:
        return Standing(status, None, details)
    told = f"slippage of {float(pips):.4g} pips, at most {float(most):.4g} were wanted"
    return Standing(status, RejectionReason.SLIPPAGE_EXCEEDED, "; ".join(filter(None, (details, told))))


def told(piece: Piece) -> str:
    """What the venue, or the engine for it, said of an order: code and text."""
    return ": ".join(part for part in (piece.code, piece.text) if part)


# -- figures ----------------------------------------------------------------------------------------------------


def executed_units(execution: Execution) -> Fraction:
    """What has filled, in units."""
    if execution.instrument is None:
        return Fraction(0)
    cum_qty = sum(piece.cum_qty for piece in execution.pieces.values())
    return units_of(cum_qty, execution.instrument, execution.money_decimals)


def fill_price(execution: Execution) -> Fraction | None:
    """The average price of what has filled."""
    cum_qty = sum(piece.cum_qty for piece in execution.pieces.values())
    if not cum_qty or execution.instrument is None:
        return None
    return price_of(
        Fraction(sum(piece.cum_notional for piece in execution.pieces.values()), cum_qty), execution.instrument
    )


def intended_price(execution: Execution) -> Fraction | None:
    """What upstream intended, else the middle of the market that the decision saw; None where neither is known."""
    told = execution.context.get("intended_price")
    if told:
        return Fraction(told)
    if not execution.mid_px2 or execution.instrument is None:
        return None
    return price_of(Fraction(execution.mid_px2, 2), execution.instrument)


def slippage(execution: Execution) -> Fraction | None:
    """The fill price less the intended one, with the sign turned so that above 0 is worse for us."""
    filled, intended = fill_price(execution), intended_price(execution)
    return None if filled is None or intended is None else execution.direction * (filled - intended)


def slippage_pips(execution: Execution) -> Fraction | None:
    """Its size in pips of the instrument."""
    filled, intended = fill_price(execution), intended_price(execution)
    if filled is None or intended is None or execution.instrument is None:
        return None
    pips = pips_between(filled, intended, execution.instrument)
    return None if pips is None else abs(pips)


def max_slippage_pips(execution: Execution) -> Fraction | None:
    """What the request allowed."""
    told = execution.context.get("max_slippage_pips")
    return Fraction(told) if told else None


def units_text(execution: Execution, qty: int) -> str:
    """A quantity of the execution in units, as a person writes it."""
    if execution.instrument is None:
        return str(qty)
    return str(number(units_of(qty, execution.instrument, execution.money_decimals)))
