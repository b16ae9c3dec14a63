"""Door 1's life of a trade: the table, each way through it, and no way outside it."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.views.trading import NOON_NS, Trading, at_random

from surefill.domain.events import ExitTriggered, OrdersRetired
from surefill.domain.inputs import RequestCancel, ResetWorkspace, VenueReports
from surefill.domain.intent import ExitPlan
from surefill.domain.market import Bar
from surefill.domain.reports import ExecType, VenueReport
from surefill.errors import InvariantBreach
from surefill.rules.codes import ExitReason, OrdType, TimeInForce
from surefill.views.lifecycle import LEGAL_MOVES, LifecycleView, Move, Stage, lifecycle

PLAN = ExitPlan(stop_px=9_000, target_px=11_000)


def enter(trading: Trading, plan: ExitPlan | None = PLAN) -> None:
    trading.price(10_000)
    trading.trade(1, 4, plan=plan)


def stopped(trading: Trading) -> None:
    enter(trading)
    trading.price(9_000)


def reached(trading: Trading) -> None:
    enter(trading)
    trading.price(11_000)


def stopped_in_two(trading: Trading) -> None:
    enter(trading, ExitPlan(stop_px=9_000, stop_partial_ppb=500_000_000))
    trading.price(9_000)
    trading.price(8_900)


def timed_out(trading: Trading) -> None:
    enter(trading, ExitPlan(time_stop_bars=1))
    now_ns = trading.tick()
    trading.feed(Bar("NIFTY24DECFUT", now_ns, now_ns, 10_000, 10_000, 10_000, 10_000))


def closed_by_signal(trading: Trading) -> None:
    enter(trading)
    trading.trade(-1, 4)


def turned_round(trading: Trading) -> None:
    enter(trading)
    trading.trade(-1, 8)


def refused(trading: Trading) -> None:
    trading.trade(1, 4)


def canceled_unfilled(trading: Trading) -> None:
    trading.price(10_000)
    trading.trade(1, 4, ord_type=OrdType.LIMIT, px=9_000, time_in_force=TimeInForce.IOC)


def working(trading: Trading) -> None:
    trading.price(10_000)
    trading.trade(1, 4, ord_type=OrdType.LIMIT, px=9_000)


def canceled_on_request(trading: Trading) -> None:
    working(trading)
    (cl_ord_id,) = trading.writer.state.book.orders
    trading.feed(RequestCancel(trading.tick(), cl_ord_id, "somebody"))


def filled_after_its_end(trading: Trading) -> None:
    canceled_on_request(trading)
    (cl_ord_id,) = trading.writer.state.book.done
    report = VenueReport(cl_ord_id, ExecType.TRADE, "x", "late.1", 9_000, 4)
    trading.feed(VenueReports(trading.tick(), (report,)))


def archived(trading: Trading) -> None:
    closed_by_signal(trading)
    trading.feed(ResetWorkspace(trading.tick(), 10**14, "somebody"))


LIVES: list[tuple[Callable[[Trading], None], str]] = [
    (enter, "CREATED SUBMITTED FILLED ACTIVE"),
    (stopped, "CREATED SUBMITTED FILLED ACTIVE SL_PENDING CLOSED"),
    (reached, "CREATED SUBMITTED FILLED ACTIVE TP_PENDING CLOSED"),
    (stopped_in_two, "CREATED SUBMITTED FILLED ACTIVE SL_PENDING ACTIVE SL_PENDING CLOSED"),
    (timed_out, "CREATED SUBMITTED FILLED ACTIVE CLOSED"),
    (closed_by_signal, "CREATED SUBMITTED FILLED ACTIVE CLOSED"),
    (turned_round, "CREATED SUBMITTED FILLED ACTIVE CLOSED"),
    (refused, "CREATED CLOSED"),
    (canceled_unfilled, "CREATED SUBMITTED CLOSED"),
    (working, "CREATED SUBMITTED"),
    (canceled_on_request, "CREATED SUBMITTED CLOSED"),
    (filled_after_its_end, "CREATED SUBMITTED CLOSED ACTIVE"),
    (archived, "CREATED SUBMITTED FILLED ACTIVE CLOSED ARCHIVED"),
]


@pytest.mark.parametrize(("live", "stages"), LIVES, ids=[row[0].__name__ for row in LIVES])
def test_lifecycle_of_a_first_story_goes_through_its_stages(live: Callable[[Trading], None], stages: str) -> None:
    trading = Trading()
    live(trading)
    moves = lifecycle(trading.events()).moves["story-1"]
    assert " ".join(move.after.name for move in moves) == stages
    assert [move.before for move in moves] == [None, *(move.after for move in moves[:-1])]
    assert all(NOON_NS < move.ts_ns <= trading.now_ns for move in moves)


def test_lifecycle_of_the_story_that_turned_a_position_round_is_active() -> None:
    trading = Trading()
    turned_round(trading)
    assert lifecycle(trading.events()).stage("story-2") is Stage.ACTIVE


def test_lifecycle_of_a_story_that_only_closed_ends_with_its_fill() -> None:
    trading = Trading()
    closed_by_signal(trading)
    view = lifecycle(trading.events())
    assert [move.after.name for move in view.moves["story-2"]] == ["CREATED", "SUBMITTED", "FILLED", "CLOSED"]
    assert view.stage("story-3") is None


def test_lifecycle_of_a_retired_closed_story_is_archived() -> None:
    trading = Trading()
    stopped(trading)
    view = lifecycle(trading.events())
    done = tuple(trading.writer.state.book.done)
    view.apply(OrdersRetired(trading.now_ns, "", 0, done))
    assert view.stage("story-1") is Stage.ARCHIVED


def test_lifecycle_table_names_every_stage_and_reaches_every_stage() -> None:
    assert set(LEGAL_MOVES) == set(Stage)
    assert set.union(*map(set, LEGAL_MOVES.values())) == set(Stage) - {Stage.CREATED}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (before, after)
        for before in Stage
        for after in Stage
        if before is not after and after not in LEGAL_MOVES[before]
    ],
)
def test_lifecycle_of_an_illegal_move_raises(before: Stage, after: Stage) -> None:
    view = LifecycleView()
    view.moves["story"] = [Move(0, None, before)]
    with pytest.raises(InvariantBreach, match=f"cannot go from {before.name} to {after.name}"):
        view._move("story", 1, after)


@given(st.integers(0, 2**32))
@settings(max_examples=30)
def test_lifecycles_of_random_trading_are_legal_and_agree_with_the_state(seed: int) -> None:
    trading = at_random(random.Random(seed), 80)
    view = lifecycle(trading.events())
    inside = {Stage.ACTIVE, Stage.SL_PENDING, Stage.TP_PENDING}
    for story, moves in view.moves.items():
        for move in moves[1:]:
            assert move.before is not None
            assert move.after in LEGAL_MOVES[move.before], story
    held = {position.correlation_id for _, position in trading.writer.state.open_positions()}
    live = {story for story, moves in view.moves.items() if moves[-1].after in inside}
    waiting = {order.correlation_id for order in trading.writer.state.book.orders.values()}
    assert held - waiting <= live
    if not held:
        assert not live


@given(st.integers(0, 2**32))
@settings(max_examples=10)
def test_lifecycle_pending_stages_are_those_of_exits_that_were_triggered(seed: int) -> None:
    trading = at_random(random.Random(seed), 80)
    events = trading.events()
    view = lifecycle(events)
    due = {ExitReason.STOP, ExitReason.TRAILING, ExitReason.TARGET, ExitReason.PARTIAL}
    times = {event.ts_ns for event in events if isinstance(event, ExitTriggered) and event.reason in due}
    pending = [
        move for moves in view.moves.values() for move in moves if move.after in (Stage.SL_PENDING, Stage.TP_PENDING)
    ]
    assert {move.ts_ns for move in pending} <= times
