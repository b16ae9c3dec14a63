"""Door 1's life of a trade, as a view of the orders beneath it.

The order machine (`rules/transitions.py`) is the truth. The document counts differently: one life from the signal
to the archive. Here is its table of legal moves, and the fold that walks it.

1. A story (`correlation_id`) is one intent's life. Its exits belong to it.
2. FILLED is a moment: the entry has traded all that it will, and the position that it opened or enlarged is ACTIVE.
3. SL_PENDING and TP_PENDING last while an exit for a stop or a target is on its way; a partial exit returns to ACTIVE.
   Time stops and the end of the day leave ACTIVE directly.
4. A position that goes flat CLOSES every story in it; so does a fill that turns it round.
5. What never held anything (refused, rejected, cancelled unfilled) goes to CLOSED without having been FILLED.
6. CLOSED to ACTIVE is legal for one reason: a fill that came after its order's end.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from surefill.domain import events as e
from surefill.domain.orders import Order
from surefill.errors import InvariantBreach
from surefill.rules.codes import ExitReason, PositionEffect
from surefill.views.fold import Fold


class Stage(enum.Enum):
    """Where a trade is in its life."""

    CREATED = "CREATED"
    SUBMITTED = "SUBMITTED"
    FILLED = "FILLED"
    ACTIVE = "ACTIVE"
    SL_PENDING = "SL_PENDING"
    TP_PENDING = "TP_PENDING"
    CLOSED = "CLOSED"
    ARCHIVED = "ARCHIVED"


LEGAL_MOVES: Mapping[Stage, frozenset[Stage]] = {
    Stage.CREATED: frozenset({Stage.SUBMITTED, Stage.CLOSED}),
    Stage.SUBMITTED: frozenset({Stage.FILLED, Stage.CLOSED}),
    Stage.FILLED: frozenset({Stage.ACTIVE, Stage.CLOSED}),
    Stage.ACTIVE: frozenset({Stage.SL_PENDING, Stage.TP_PENDING, Stage.CLOSED}),
    Stage.SL_PENDING: frozenset({Stage.ACTIVE, Stage.TP_PENDING, Stage.CLOSED}),
    Stage.TP_PENDING: frozenset({Stage.ACTIVE, Stage.SL_PENDING, Stage.CLOSED}),
    Stage.CLOSED: frozenset({Stage.ACTIVE, Stage.ARCHIVED}),
    Stage.ARCHIVED: frozenset(),
}

_PENDING = {
    ExitReason.STOP: Stage.SL_PENDING,
    ExitReason.TRAILING: Stage.SL_PENDING,
    ExitReason.TARGET: Stage.TP_PENDING,
}


class Move(NamedTuple):
    """One step of a life: when, from where, to where."""

    ts_ns: int
    before: Stage | None
    after: Stage


class LifecycleView:
    """The moves of every story, by correlation id."""

    def __init__(self) -> None:
        self.moves: dict[str, list[Move]] = {}
        self._fold = Fold()
        self._holding: dict[str, list[str]] = {}  # position key -> the stories that are in it
        self._story_of: dict[str, str] = {}  # client order id of an entry -> its story

    def stage(self, correlation_id: str) -> Stage | None:
        """Where a story is; None if there is no such story."""
        moves = self.moves.get(correlation_id)
        return moves[-1].after if moves else None

    def apply(self, event: e.Event) -> None:
        """Fold one event. Raises InvariantBreach for a move that the table does not know."""
        self._fold.apply(event)
        follow = _FOLLOW.get(type(event))
        if follow is not None:
            follow(self, event)

    def _move(self, story: str, ts_ns: int, after: Stage) -> None:
        before = self.stage(story)
        if before is after:
            return
        legal = before is not None and after in LEGAL_MOVES[before]
        if not legal and not (before is None and after is Stage.CREATED):
            raise InvariantBreach(f"story {story} cannot go from {before and before.name} to {after.name}")
        self.moves.setdefault(story, []).append(Move(ts_ns, before, after))

    def _accepted(self, event: e.IntentAccepted) -> None:
        self._move(event.correlation_id, event.ts_ns, Stage.CREATED)

    def _refused(self, event: e.IntentRefused) -> None:
        if self.stage(event.correlation_id) is None:
            self._move(event.correlation_id, event.ts_ns, Stage.CREATED)
            self._move(event.correlation_id, event.ts_ns, Stage.CLOSED)

    def _ordered(self, event: e.OrderCreated) -> None:
        if not event.exit_reason:
            self._story_of[event.request.cl_ord_id] = event.correlation_id
            self._move(event.correlation_id, event.ts_ns, Stage.SUBMITTED)

    def _filled(self, event: e.OrderFilled) -> None:
        if event.effect in (PositionEffect.CLOSED, PositionEffect.FLIPPED):
            for held in self._holding.pop(event.position, []):
                self._move(held, event.ts_ns, Stage.CLOSED)
        story = self._story_of.get(event.cl_ord_id)
        order = self._fold.order(event.cl_ord_id)
        if story is None:
            self._exit_over(event.position, event.ts_ns, order)
        elif order is not None and (event.late or not order.leaves_qty):
            self._entry_over(story, event.ts_ns, order)

    def _dusted(self, event: e.DustLeft) -> None:
        for held in self._holding.pop(event.position, []):
            self._move(held, event.ts_ns, Stage.CLOSED)

    def _entry_over(self, story: str, ts_ns: int, order: Order) -> None:
        """An order of upstream's has traded all that it will: it is in a position now, or it has only reduced one."""
        if self.stage(story) is Stage.SUBMITTED:
            self._move(story, ts_ns, Stage.FILLED)
        position = self._fold.book.positions[order.position]
        if position.qty * order.request.side > 0 and not order.request.reduce_only:
            self._move(story, ts_ns, Stage.ACTIVE)
            holding = self._holding.setdefault(order.position, [])
            if story not in holding:
                holding.append(story)
        else:
            self._move(story, ts_ns, Stage.CLOSED)

    def _exit_due(self, event: e.ExitTriggered) -> None:
        stage = _PENDING.get(ExitReason(event.reason))
        if event.reason == ExitReason.PARTIAL:
            stage = Stage.SL_PENDING if event.stop_partial_used else Stage.TP_PENDING
        if stage is not None:
            for story in self._holding.get(event.position, ()):
                self._move(story, event.ts_ns, stage)

    def _exit_over(self, position: str, ts_ns: int, order: Order | None) -> None:
        """An exit order has ended with the position still open: a partial exit, or one that must be tried again."""
        if order is not None and not order.leaves_qty:
            for story in self._holding.get(position, ()):
                if self.stage(story) in (Stage.SL_PENDING, Stage.TP_PENDING):
                    self._move(story, ts_ns, Stage.ACTIVE)

    def _ended(self, event: e.OrderCanceled | e.OrderExpired | e.OrderRejected | e.OrderResolved) -> None:
        order = self._fold.order(event.cl_ord_id)
        story = self._story_of.get(event.cl_ord_id)
        if order is None:
            return
        if story is None:
            self._exit_over(order.position, event.ts_ns, order)
        elif order.cum_qty:
            self._entry_over(story, event.ts_ns, order)
        else:
            self._move(story, event.ts_ns, Stage.CLOSED)

    def _retired(self, event: e.OrdersRetired) -> None:
        for cl_ord_id in event.cl_ord_ids:
            story = self._story_of.pop(cl_ord_id, None)
            if story is not None and self.stage(story) is Stage.CLOSED:
                self._move(story, event.ts_ns, Stage.ARCHIVED)

    def _reset(self, event: e.WorkspaceReset) -> None:
        """Everything before is history."""
        for story in list(self.moves):
            if self.stage(story) is not Stage.ARCHIVED:
                if self.stage(story) is not Stage.CLOSED:
                    self._move(story, event.ts_ns, Stage.CLOSED)
                self._move(story, event.ts_ns, Stage.ARCHIVED)
        self._holding.clear()
        self._story_of.clear()


_FOLLOW: dict[type[e.Event], Callable[[LifecycleView, Any], None]] = {
    e.IntentAccepted: LifecycleView._accepted,
    e.IntentRefused: LifecycleView._refused,
    e.OrderCreated: LifecycleView._ordered,
    e.OrderFilled: LifecycleView._filled,
    e.ExitTriggered: LifecycleView._exit_due,
    e.DustLeft: LifecycleView._dusted,
    e.OrderCanceled: LifecycleView._ended,
    e.OrderExpired: LifecycleView._ended,
    e.OrderRejected: LifecycleView._ended,
    e.OrderResolved: LifecycleView._ended,
    e.OrdersRetired: LifecycleView._retired,
    e.WorkspaceReset: LifecycleView._reset,
}


def lifecycle(events: Iterable[e.Event]) -> LifecycleView:
    """The lives of a whole stream."""
    view = LifecycleView()
    for event in events:
        view.apply(event)
    return view
