"""Laying the account's money at its venue beside the books'.

1. What it should be is the books' cash; where a venue takes no price for what is held (a margin account), the cost of
   that on top: only results, fees and payments move the balance there.
2. The first comparison is where the count begins: whatever else is in the account stays between the two. Holdings that
   are taken over begin it anew.
3. A difference within the band is noted, one beyond it calls somebody, and halts where the profile says so; each once,
   as long as it stays so.
"""

from __future__ import annotations

from surefill.domain.account import BalanceState
from surefill.domain.decide.kills import halt
from surefill.domain.decide.step import Step
from surefill.domain.effects import Notify
from surefill.domain.events import BalanceCompared
from surefill.domain.inputs import CompareBalance, Halt
from surefill.domain.state import Book
from surefill.units import PPB, quanta_text


def expected(book: Book, *, margin: bool) -> int:
    """The money that the venue should show, but for what was in the account beside it."""
    held = 0
    if margin:
        for position in book.positions.values():
            held += position.cost * book.instruments[position.instrument_id].money_per_notional
    return book.cash + held


def balance_state(book: Book, theirs: int, *, margin: bool) -> tuple[int, int]:
    """How far the venue's money has drifted from the books', and what that is (`BalanceState`)."""
    ours = expected(book, margin=margin)
    if book.balance is None:
        return 0, int(BalanceState.AGREES)
    drift = theirs - ours - book.balance.offset
    if not drift:
        return 0, int(BalanceState.AGREES)
    scale = max(abs(theirs), abs(book.starting_cash))
    inside = abs(drift) * PPB <= scale * book.profile.limits.balance_drift_ppb
    return drift, int(BalanceState.NOTED if inside else BalanceState.DRIFTED)


def compare_balance(this: Step, item: CompareBalance) -> None:
    """Begin the count, or tell what has changed since it was told last."""
    book, ours = this.book, expected(this.book, margin=item.margin)
    drift, state = balance_state(book, item.theirs, margin=item.margin)
    before = book.balance
    if before is not None and before.state == state:
        return
    offset = item.theirs - ours if before is None else before.offset
    this.emit(BalanceCompared(this.ts_ns, "", 0, item.theirs, ours, offset, state))
    if state != BalanceState.DRIFTED:
        return

    def money(amount: int) -> str:
        return quanta_text(amount, book.money_decimals)

    more = f"{money(abs(drift))} {'more' if drift > 0 else 'less'}"
    text = f"the venue has {more} {book.currency} than the books account for ({money(item.theirs)} there)"
    this.ask(Notify("BALANCE_DRIFT", text, page=True))
    if book.profile.limits.balance_halts:
        halt(this, Halt(this.ts_ns, "BALANCE_DRIFT", text, "surefill"))
