"""Deciding on what moves an account and is no trade: each move is booked once, in one event, or somebody is called.

Expiry, settlement and the broker's square-off take a position out at their price. A split changes the quantity and
nothing else; what guards the position follows it. Funding, swap and dividends are its result. What the owner pays in or
takes out is neither profit nor loss.
"""

from __future__ import annotations

from surefill.domain.account import CAPITAL, CLOSING, AccountMove, MoveKind
from surefill.domain.decide import breakers, dust, resting
from surefill.domain.decide.cancels import cancel, cancel_entries
from surefill.domain.decide.fills import trim_reductions
from surefill.domain.decide.step import Step
from surefill.domain.effects import Notify
from surefill.domain.events import AccountMoved, ProtectionSet
from surefill.domain.evolve.elsewhere import move_key
from surefill.domain.inputs import MoveAccount
from surefill.domain.intent import LadderStep
from surefill.domain.position import Position, position_key
from surefill.rules.position import apply_fill, position_effect


def take_all(this: Step, item: MoveAccount) -> None:
    """Take moves in the order in which they came; one that is booked already changes nothing."""
    for move in item.moves:
        booked = this.book.moves
        known = move_key(move.kind, move.move_id) in booked.times_ns or 0 < move.transact_ns <= booked.floor_ns
        if not known:
            _take(this, move)
    breakers.watch(this)


def _take(this: Step, move: AccountMove) -> None:
    key = position_key(move.instrument_id, move.bucket) if move.instrument_id else ""
    held = this.book.positions.get(key)
    qty, cost = (held.qty, held.cost) if held is not None else (0, 0)
    why_not = _why_not(this, move, qty)
    if why_not:
        _emit(this, move, "", (0, 0, 0, 0, 0), why_not)
        text = f"{_name(move)} {move.instrument_id}: {why_not}: not booked"
        this.ask(Notify("UNUSABLE_MOVE", text.replace("  ", " "), page=True))
        return
    new_qty, new_cost, realised, paid = _traded(move, qty, cost)
    scale = this.book.instruments[move.instrument_id].money_per_notional if key else 0
    realised, paid, outside = realised * scale, paid * scale, 0
    if move.kind == MoveKind.TRANSFER:
        paid, outside = 0, -paid
    if key and move.kind not in CAPITAL:
        realised += move.amount
    else:
        outside += move.amount
    figures = (new_qty, new_cost, realised, outside, paid + move.amount)
    _emit(this, move, key, figures, effect=position_effect(qty, new_qty))
    if move.qty:
        _after_change(this, move, key, qty)


def _traded(move: AccountMove, qty: int, cost: int) -> tuple[int, int, int, int]:
    """Quantity and cost after the move, what it realised, and what it would have paid: notional quanta."""
    if not move.qty:
        return qty, cost, 0, 0
    if move.kind == MoveKind.SPLIT:
        return qty + move.qty, cost, 0, 0
    side = 1 if move.qty > 0 else -1
    return *apply_fill(qty, cost, side, move.px, abs(move.qty)), -move.qty * move.px


def _emit(
    this: Step, move: AccountMove, key: str, figures: tuple[int, int, int, int, int], refused: str = "", effect: int = 0
) -> None:
    qty, cost, realised, outside, paid = figures
    story = f"move {_name(move)}"
    cash = this.book.cash + paid
    this.emit(AccountMoved(this.ts_ns, story, 0, move, key, effect, qty, cost, realised, outside, cash, refused))


def _name(move: AccountMove) -> str:
    return f"{_KINDS.get(move.kind, move.kind)} {move.move_id}"


def _why_not(this: Step, move: AccountMove, held: int) -> str:
    """Why the books cannot take this move; "": they can."""
    if move.kind not in _KINDS or not move.move_id:
        return "it has no kind that is known here, or no id to know it again by"
    if move.asset not in ("", this.book.currency):
        return f"it is in {move.asset}, the books are in {this.book.currency}"
    if move.instrument_id and move.instrument_id not in this.book.instruments:
        return "not an instrument of this workspace"
    if not move.qty:
        return ""
    after = held + move.qty
    if not move.instrument_id or move.px < 0:
        return "a quantity without an instrument, or at a price below zero"
    if move.kind in CLOSING:
        return (
            "" if held * move.qty < 0 and held * after >= 0 else f"{move.qty} closes more than the {held} that are held"
        )
    if move.kind == MoveKind.SPLIT:
        return "" if held * after > 0 else f"{move.qty} leaves nothing of the {held} that are held"
    if move.kind == MoveKind.TRANSFER:
        return "" if move.px else "holdings need a price to be valued at"
    return "this kind moves no holdings"


def _after_change(this: Step, move: AccountMove, key: str, before: int) -> None:
    """What guarded the holding follows it; orders for what was there are taken back."""
    position = this.book.positions[key]
    if move.kind == MoveKind.SPLIT:
        this.state.quotes.pop(move.instrument_id, None)  # a price of before says nothing now
        cancel_entries(this, _KINDS[move.kind], move.instrument_id)
        for cl_ord_id in tuple(this.state.reducing.get(key, ())):
            cancel(this, this.book.orders[cl_ord_id], _KINDS[move.kind])
        _guard_anew(this, key, position, before)
    else:
        trim_reductions(this, key)
        dust.settle(this, key)
        resting.keep(this, key)


def _guard_anew(this: Step, key: str, position: Position, before: int) -> None:
    """All prices of the guard, as the split leaves them: its quanta are those of the old price times old over new."""
    held = position.protection
    if held is None:
        return

    def px(old: int) -> int:
        return max(old * before // position.qty, 1) if old else 0

    this.emit(
        ProtectionSet(
            this.ts_ns,
            position.correlation_id,
            this.book.seq,
            key,
            px(held.stop_px),
            px(held.target_px),
            px(held.initial_risk),
            px(held.trail_distance),
            held.stop_partial_ppb,
            tuple(LadderStep(px(step.px), step.fraction_ppb) for step in held.ladder),
            held.time_stop_bars,
            held.end_of_day,
            held.max_hold_ns,
            held.bars_held,
            held.trailed,
        )
    )


_KINDS = {int(kind): kind.name.lower() for kind in MoveKind}
