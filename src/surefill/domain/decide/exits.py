"""Guarding positions: market data in, stops moved and exits triggered out.

Within one tick: target, then stop, then the ladder, then trailing, which moves the stop for the next tick.
Within one bar: its open, which is a tick like any other (a gap leaves there, trailing follows it), the standing stop,
the target (or target first where the profile says so), the ladder, trailing for the next bar, the time stop and the end
of day at its close. Of a bar that the position was entered in, only the stop is believed, and the close.
A position has at most one exit order in flight. An exit that finds other reducing orders working cancels them
and waits: `pursue` sends it when they are gone. A decision to close the whole position stands until the position is
flat: it follows every fill, and an exit order that ended without filling is sent anew at the first price after a pause,
never in a loop. A partial exit is tried once.
"""

from __future__ import annotations

from surefill.domain.decide import breakers, dust, resting
from surefill.domain.decide.cancels import cancel
from surefill.domain.decide.holding import hold_until_ns, leave_by_ns
from surefill.domain.decide.leaving import leave_at_market
from surefill.domain.decide.step import Step
from surefill.domain.events import BarCounted, ExitTriggered, ProtectionSet, StopMoved
from surefill.domain.instrument import Terms
from surefill.domain.intent import LadderStep
from surefill.domain.market import Bar, BarOpened, Quote, Source, closing_quote
from surefill.domain.position import ExitDue, Position, Protection
from surefill.domain.valuation import mark_px
from surefill.rules import exits as rule
from surefill.rules.codes import ExitReason, IntrabarPolicy


class Mark:
    """The price an exit is decided at, and where it came from."""

    __slots__ = ("px", "source", "ts_ns")

    def __init__(self, px: int, source: int, ts_ns: int) -> None:
        self.px, self.source, self.ts_ns = px, source, ts_ns


def quote(this: Step, item: Quote) -> None:
    """A tick: remember it, and see whether a plan says out."""
    state = this.state
    instrument_id = item.instrument_id
    state.quotes[instrument_id] = item
    for key in state.keys_of.get(instrument_id, ()):
        position = state.book.positions[key]
        protection = position.protection
        if protection is not None and not protection.exit_cl_ord_id:
            px = item.last_px or (item.bid_px if position.qty > 0 else item.ask_px)
            if px > 0:
                _on_price(this, key, position, protection, Mark(px, item.source, item.ts_ns))
    _watch_equity(this, instrument_id)


def _watch_equity(this: Step, instrument_id: str) -> None:
    """The price of something held has moved: so has the equity."""
    if this.state.watches_equity and instrument_id in this.state.keys_of:
        breakers.watch(this)


def bar_opened(this: Step, item: BarOpened) -> None:
    """The first price of a bar: a gap through a stop leaves at the open."""
    quote(this, Quote(item.instrument_id, item.ts_ns, item.open_px, source=Source.BAR))


def bar(this: Step, item: Bar) -> None:
    """A finished bar: what the plan would have done inside it, then its close."""
    state = this.state
    for key in state.keys_of.get(item.instrument_id, ()):
        position = state.book.positions[key]
        protection = position.protection
        if protection is not None:
            if not protection.exit_cl_ord_id:
                _inside_bar(this, key, position, protection, item)
            _at_close(this, key, position, protection, item)
    state.quotes[item.instrument_id] = closing_quote(item)
    _watch_equity(this, item.instrument_id)


def flatten(this: Step, reason: int, instrument_id: str, strategy_id: str) -> None:
    """Leave every position whole; of one instrument or one strategy if named. One without a plan gets an empty one."""
    for key, position in list(this.state.open_positions()):
        if instrument_id not in ("", position.instrument_id) or strategy_id not in ("", position.strategy_id):
            continue
        quote = this.state.quotes.get(position.instrument_id)
        mark = Mark(mark_px(this.state, position), 0 if quote is None else quote.source, this.ts_ns)
        if position.dust and not dust.leaving_qty(this, position, mark.px):
            continue
        if position.protection is None:
            this.emit(ProtectionSet(this.ts_ns, position.correlation_id, 0, key))
        protection = position.protection
        assert protection is not None  # it has one by now
        _trigger(this, key, position, protection, reason, mark, abs(position.qty))


def leave(this: Step, key: str, reason: int) -> None:
    """The position's stop has ended at the venue and no other is to take its place: out, at the price of now."""
    position = this.book.positions[key]
    protection, quote = position.protection, this.state.quotes.get(position.instrument_id)
    if protection is not None and position.qty:
        mark = Mark(mark_px(this.state, position), 0 if quote is None else quote.source, this.ts_ns)
        _trigger(this, key, position, protection, reason, mark, abs(position.qty))


def _on_price(this: Step, key: str, position: Position, protection: Protection, mark: Mark) -> None:
    due = protection.due
    if due is not None and due.whole:
        _leave_again(this, key, position, protection, mark)
        return
    side = 1 if position.qty > 0 else -1
    reason = rule.tick_exit(side, mark.px, protection.stop_px, protection.target_px)
    if resting.venue_leaves(this, key, protection, reason):
        return
    if reason:
        _leave(this, key, position, protection, reason, mark)
    elif due is not None:
        pursue(this, key, position)
    elif not _take_ladder(this, key, position, protection, mark.px, mark.px, mark):
        _trail(this, key, position, protection, mark)


def _inside_bar(this: Step, key: str, position: Position, protection: Protection, item: Bar) -> None:
    due = protection.due
    if due is not None and due.whole:
        _leave_again(this, key, position, protection, Mark(item.close_px, Source.BAR, item.ts_ns))
        return
    side = 1 if position.qty > 0 else -1
    policy = IntrabarPolicy.WORST_CASE
    if this.book.profile.limits.target_first_on_bar:
        policy = IntrabarPolicy.BEST_CASE
    entered_inside = position.opened_ns > item.open_ns
    reason, px = rule.bar_exit(
        side,
        item.open_px,
        item.high_px,
        item.low_px,
        protection.stop_px,
        protection.target_px,
        policy,
        entered_inside,
    )
    if resting.venue_leaves(this, key, protection, reason):
        return
    if reason:
        _leave(this, key, position, protection, reason, Mark(px, Source.BAR, item.ts_ns))
        return
    if due is not None:
        pursue(this, key, position)
        return
    high_px, low_px = item.high_px, item.low_px
    if entered_inside and policy == IntrabarPolicy.WORST_CASE:
        high_px = low_px = item.close_px  # the range may be older than the position
    if not _take_ladder(this, key, position, protection, high_px, low_px, Mark(0, Source.BAR, item.ts_ns)):
        best_px = high_px if side > 0 else low_px
        _trail(this, key, position, protection, Mark(best_px, Source.BAR, item.ts_ns))


def _at_close(this: Step, key: str, position: Position, protection: Protection, item: Bar) -> None:
    story = position.correlation_id
    timed_out = False
    if protection.time_stop_bars:
        this.emit(BarCounted(this.ts_ns, story, 0, key, protection.bars_held + 1))
        timed_out = rule.time_stop_due(protection.bars_held, protection.time_stop_bars)
    if not timed_out and not (protection.end_of_day and item.is_session_end):
        return
    reason = ExitReason.TIME_STOP if timed_out else ExitReason.END_OF_DAY
    _leave_rest(this, key, position, protection, reason, Mark(item.close_px, Source.BAR, item.ts_ns))


def held_too_long(this: Step, key: str) -> None:
    """A timer: the position's time is up. An order on its way out stays; without a price it leaves at any."""
    position = this.book.positions.get(key)
    if position is None or not 0 < hold_until_ns(position) <= this.ts_ns:
        return  # flat, or another position by now: that one has a timer of its own
    protection, quote = position.protection, this.state.quotes.get(position.instrument_id)
    assert protection is not None  # it says how long
    mark = Mark(mark_px(this.state, position), 0 if quote is None else quote.source, this.ts_ns)
    _leave_rest(this, key, position, protection, ExitReason.TIME_STOP, mark)


def session_ends(this: Step, key: str) -> None:
    """A timer: the position's session ends soon. It leaves before others close it; without a price at any."""
    position = this.book.positions.get(key)
    if position is None or not 0 < leave_by_ns(this.book, position) <= this.ts_ns:
        return
    protection, quote = position.protection, this.state.quotes.get(position.instrument_id)
    assert protection is not None  # it says so
    mark = Mark(mark_px(this.state, position), 0 if quote is None else quote.source, this.ts_ns)
    _leave_rest(this, key, position, protection, ExitReason.END_OF_DAY, mark)


def _leave_rest(this: Step, key: str, position: Position, protection: Protection, reason: int, mark: Mark) -> None:
    """Leave with what is not on its way out already."""
    leaving = this.book.orders.get(protection.exit_cl_ord_id)
    qty = abs(position.qty) - (leaving.leaves_qty if leaving is not None else 0)
    if qty > 0:
        _trigger(this, key, position, protection, reason, mark, qty)


def _leave(this: Step, key: str, position: Position, protection: Protection, reason: int, mark: Mark) -> None:
    """Stop or target: all of it, except for a first breach with a partial exit configured."""
    qty = abs(position.qty)
    partial = False
    if reason == ExitReason.STOP and protection.stop_partial_ppb:
        part = rule.partial_exit_qty(qty, protection.stop_partial_ppb, _terms(this, position).lot)
        partial = part < qty and _terms(this, position).leaving_qty(part, mark.px) > 0
        qty = part if partial else qty
    if partial:
        reason = ExitReason.PARTIAL
    elif reason == ExitReason.STOP and protection.trailed:
        reason = ExitReason.TRAILING
    _trigger(this, key, position, protection, reason, mark, qty, stop_partial_used=partial)


def _leave_again(this: Step, key: str, position: Position, protection: Protection, mark: Mark) -> None:
    """The whole position is to leave and no order of ours is on its way: at the price of now, once a pause."""
    due = protection.due
    assert due is not None  # asked by the caller
    if this.state.reducing.get(key):
        pursue(this, key, position)
    elif this.ts_ns - due.px_ns >= this.book.profile.limits.query_spacing_ns:
        _trigger(this, key, position, protection, due.reason, mark, abs(position.qty), again=True)


def _take_ladder(
    this: Step, key: str, position: Position, protection: Protection, high_px: int, low_px: int, mark: Mark
) -> bool:
    side = 1 if position.qty > 0 else -1
    for index, level in enumerate(protection.ladder):
        if rule.ladder_level_reached(side, high_px, low_px, level.px):
            terms = _terms(this, position)
            qty = rule.partial_exit_qty(abs(position.qty), level.fraction_ppb, terms.lot)
            if not terms.leaving_qty(qty, mark.px or level.px):
                continue  # too little for an order: with a further level, or at a better price
            left = protection.ladder[:index] + protection.ladder[index + 1 :]
            at = Mark(mark.px or level.px, mark.source, mark.ts_ns)
            _trigger(this, key, position, protection, ExitReason.PARTIAL, at, qty, ladder_left=left)
            return True
    return False


def _trail(this: Step, key: str, position: Position, protection: Protection, mark: Mark) -> None:
    if not protection.trail_distance:
        return
    side = 1 if position.qty > 0 else -1
    stop_px = rule.trailed_stop(side, protection.stop_px, mark.px, protection.trail_distance)
    granularity = max(this.book.profile.limits.stop_granularity, 1)
    if rule.trail_due(side, protection.stop_px, stop_px, granularity):
        this.emit(StopMoved(this.ts_ns, position.correlation_id, 0, key, stop_px, mark.px, mark.source))
        resting.keep(this, key)


def _trigger(
    this: Step,
    key: str,
    position: Position,
    protection: Protection,
    reason: int,
    mark: Mark,
    qty: int,
    *,
    ladder_left: tuple[LadderStep, ...] | None = None,
    stop_partial_used: bool = False,
    again: bool = False,
) -> None:
    due = protection.due
    if due is not None and not again and (due.whole or (reason == ExitReason.PARTIAL and due.qty >= qty)):
        pursue(this, key, position)
        return
    this.emit(
        ExitTriggered(
            this.ts_ns,
            position.correlation_id,
            0,
            key,
            reason,
            mark.px,
            mark.source,
            mark.ts_ns,
            qty,
            protection.ladder if ladder_left is None else ladder_left,
            stop_partial_used,
        )
    )
    if reason != ExitReason.PARTIAL:
        _take_back_entry(this, key)
    pursue(this, key, position)


def _take_back_entry(this: Step, key: str) -> None:
    """What an entry has not filled yet must not follow the position out."""
    for order in list(this.book.orders.values()):
        if order.position == key and order.cum_qty and not order.request.reduce_only:
            cancel(this, order, "exit plan")


def pursue(this: Step, key: str, position: Position) -> None:
    """Send the exit that is due, once nothing else is reducing the position."""
    protection = position.protection
    if protection is None or protection.due is None or not position.qty:
        return
    spacing_ns = this.book.profile.limits.query_spacing_ns
    for cl_ord_id in tuple(this.state.reducing.get(key, ())):
        order = this.book.orders[cl_ord_id]
        tried = order.cancel_ns and this.ts_ns - order.cancel_ns < spacing_ns
        if cl_ord_id != protection.exit_cl_ord_id and not tried:
            cancel(this, order, "exit plan")
    if not this.state.reducing.get(key):  # one that waited to be sent again is gone at once
        qty = _leaving_now(this, position, protection.due)
        if qty:
            leave_at_market(this, key, position, protection.due, qty)
        else:
            dust.leave(this, key, position)


def _leaving_now(this: Step, position: Position, due: ExitDue) -> int:
    """What an order for the exit that is due asks for; 0: the position is dust.

    A part that has become too little for an order takes the whole with it, rather than to be due for ever.
    """
    terms, held = _terms(this, position), abs(position.qty)
    part = 0 if due.whole else terms.leaving_qty(min(due.qty, held), due.px)
    return part or terms.leaving_qty(held, due.px)


def _terms(this: Step, position: Position) -> Terms:
    return this.book.instruments[position.instrument_id].terms_at(this.ts_ns)
