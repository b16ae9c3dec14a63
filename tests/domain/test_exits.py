"""Exit plans on ticks and bars: when they trigger, why, at which price and for how much."""

from __future__ import annotations

import msgspec
import pytest
from tests.domain.core import Core, profile

from surefill.domain import codec
from surefill.domain.effects import SubmitOrder
from surefill.domain.events import BarCounted, ExitTriggered, OrderCreated, ProtectionSet, StopMoved
from surefill.domain.intent import Action, ExitPlan, LadderStep
from surefill.domain.limits import Limits
from surefill.domain.market import Bar, BarOpened, Quote, Source
from surefill.domain.refusals import RefusalCode
from surefill.rules.codes import ExitReason, OrdType

HALF = 500_000_000
LONG, SHORT = 1, -1


def _exit(core: Core) -> tuple[ExitReason, int, int] | None:
    """Reason, price and quantity of the exit that the last input triggered, None without one."""
    triggered = core.all(ExitTriggered)
    if not triggered:
        assert core.all(OrderCreated) == []
        return None
    created = core.only(OrderCreated)
    assert core.only(SubmitOrder).request is created.request
    assert (created.exit_reason, created.arrival_source) == (triggered[0].reason, triggered[0].source)
    assert created.request.order_qty == triggered[0].qty
    return ExitReason(triggered[0].reason), triggered[0].px, triggered[0].qty


STOP_AND_TARGET = ExitPlan(stop_px=950, target_px=1100)
SHORTS = ExitPlan(stop_px=1050, target_px=900)


@pytest.mark.parametrize(
    ("side", "plan", "px", "expected"),
    [
        (LONG, STOP_AND_TARGET, 951, None),
        (LONG, STOP_AND_TARGET, 950, (ExitReason.STOP, 950, 100)),
        (LONG, STOP_AND_TARGET, 700, (ExitReason.STOP, 700, 100)),
        (LONG, STOP_AND_TARGET, 1099, None),
        (LONG, STOP_AND_TARGET, 1100, (ExitReason.TARGET, 1100, 100)),
        (LONG, STOP_AND_TARGET, 1234, (ExitReason.TARGET, 1234, 100)),
        (SHORT, SHORTS, 1049, None),
        (SHORT, SHORTS, 1050, (ExitReason.STOP, 1050, 100)),
        (SHORT, SHORTS, 901, None),
        (SHORT, SHORTS, 900, (ExitReason.TARGET, 900, 100)),
        (LONG, ExitPlan(stop_px=950), 1, (ExitReason.STOP, 1, 100)),
        (LONG, ExitPlan(target_px=1100), 1, None),
    ],
)
def test_tick_row(side: int, plan: ExitPlan, px: int, expected: tuple[int, int, int] | None) -> None:
    core = Core()
    core.hold(side, plan=plan)
    core.quote(px)
    assert _exit(core) == expected


def test_tick_copies_price_source_and_time_into_the_decision() -> None:
    core = Core()
    position = core.hold(plan=STOP_AND_TARGET)
    core.feed(Quote("X", core.tick(), 940, source=Source.LAST))
    triggered, created = core.only(ExitTriggered), core.only(OrderCreated)
    assert (triggered.px, triggered.source, triggered.px_ns) == (940, Source.LAST, core.now_ns)
    assert (created.arrival_source, created.arrival_ns, created.request.arrival_px) == (Source.LAST, core.now_ns, 940)
    assert created.correlation_id == triggered.correlation_id == position.correlation_id
    assert created.causation_seq == core.state.book.seq - 1
    request = created.request
    assert (request.reduce_only, request.side, request.ord_type) == (True, SHORT, OrdType.MARKET)


@pytest.mark.parametrize(
    ("side", "bid", "ask", "expected"),
    [
        (LONG, 950, 999, ExitReason.STOP),  # a long leaves at the bid
        (LONG, 951, 951, None),
        (SHORT, 1000, 1050, ExitReason.STOP),  # a short at the ask
        (SHORT, 1051, 0, None),
        (LONG, 0, 900, None),  # the side that it would leave at is not quoted
    ],
)
def test_quote_without_a_last_price_is_judged_by_the_side_to_leave_at(
    side: int, bid: int, ask: int, expected: ExitReason | None
) -> None:
    core = Core()
    core.hold(side, plan=STOP_AND_TARGET if side > 0 else SHORTS)
    core.quote(bid_px=bid, ask_px=ask)
    found = _exit(core)
    assert (found and found[0]) == expected


def test_quote_of_another_instrument_moves_nothing() -> None:
    core = Core()
    core.hold(plan=STOP_AND_TARGET)
    core.quote(1, "Y")
    assert core.events == []


def test_position_without_a_plan_is_left_alone() -> None:
    core = Core()
    core.hold(plan=ExitPlan())
    core.bar(1000, 9000, 1, 5, session_end=True)
    assert core.events == []
    assert core.position.protection is None


# -- bars -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("side", "bar", "expected"),
    [
        (LONG, (1000, 1050, 960, 1000), None),
        (LONG, (1000, 1050, 950, 1000), (ExitReason.STOP, 950, 100)),
        (LONG, (1000, 1100, 960, 1000), (ExitReason.TARGET, 1100, 100)),
        (LONG, (1000, 1100, 950, 1000), (ExitReason.STOP, 950, 100)),  # both: the worst is believed
        (SHORT, (1000, 1050, 900, 1000), (ExitReason.STOP, 1050, 100)),
        (SHORT, (1000, 1040, 900, 1000), (ExitReason.TARGET, 900, 100)),
    ],
)
def test_bar_row(side: int, bar: tuple[int, int, int, int], expected: tuple[int, int, int] | None) -> None:
    core = Core()
    core.hold(side, plan=STOP_AND_TARGET if side > 0 else SHORTS)
    core.bar(*bar)
    assert _exit(core) == expected


def test_bar_that_touches_both_takes_the_target_where_the_profile_says_so() -> None:
    core = Core(profile(limits=Limits(allow_negative_cash=True, target_first_on_bar=True)))
    core.hold(plan=STOP_AND_TARGET)
    core.bar(1000, 1100, 950, 1000)
    assert _exit(core) == (ExitReason.TARGET, 1100, 100)


@pytest.mark.parametrize(
    ("open_px", "expected"),
    [(930, (ExitReason.STOP, 930, 100)), (1130, (ExitReason.TARGET, 1130, 100))],
)
def test_gap_leaves_at_the_open(open_px: int, expected: tuple[int, int, int]) -> None:
    core = Core()
    core.hold(plan=STOP_AND_TARGET)
    core.feed(BarOpened("X", core.tick(10), open_px))
    assert _exit(core) == expected
    assert core.only(ExitTriggered).source == Source.BAR


def test_gap_without_its_opening_fed_leaves_at_the_open_too() -> None:
    core = Core()
    core.hold(plan=STOP_AND_TARGET)
    core.feed(Bar("X", core.tick(10), core.tick(10), 930, 1200, 900, 1000))
    assert _exit(core) == (ExitReason.STOP, 930, 100)


def _entered_inside(plan: ExitPlan, *, best: bool = False) -> tuple[Core, int]:
    core = Core(profile(limits=Limits(allow_negative_cash=True, target_first_on_bar=best)))
    open_ns = core.tick(10)
    core.hold(plan=plan)
    return core, open_ns


@pytest.mark.parametrize(
    ("bar", "best", "expected"),
    [
        ((940, 1050, 940, 1000), False, (ExitReason.STOP, 950, 100)),  # the open is in the past, the low may not be
        ((1200, 1200, 990, 1000), False, None),  # the target may have been there before the position was
        ((1000, 1100, 990, 1000), True, (ExitReason.TARGET, 1100, 100)),
        ((1000, 1100, 950, 1000), False, (ExitReason.STOP, 950, 100)),
    ],
)
def test_bar_that_the_position_was_entered_in(
    bar: tuple[int, int, int, int], best: bool, expected: tuple[int, int, int] | None
) -> None:
    core, open_ns = _entered_inside(STOP_AND_TARGET, best=best)
    core.feed(Bar("X", open_ns, core.tick(10), *bar))
    assert _exit(core) == expected


def test_bar_that_the_position_was_entered_in_trails_and_climbs_by_its_close_alone() -> None:
    plan = ExitPlan(stop_px=900, trail_distance=50, ladder=(LadderStep(1100, HALF),))
    core, open_ns = _entered_inside(plan)
    core.feed(Bar("X", open_ns, core.tick(10), 1000, 1500, 990, 1010))
    assert core.all(ExitTriggered) == []
    assert core.only(StopMoved).stop_px == 960


def test_bar_that_opens_with_the_entry_counts_from_its_open() -> None:
    core = Core()
    open_ns = core.tick(10)
    core.feed(BarOpened("X", open_ns, 1000))
    order = core.order(1, 100, plan=STOP_AND_TARGET)
    core.now_ns = open_ns - 1  # the fill carries the moment of the open
    core.fill(order, 100, 1000)
    assert core.position.opened_ns == open_ns
    core.feed(Bar("X", open_ns, open_ns + 10, 1000, 1100, 960, 1000))
    assert _exit(core) == (ExitReason.TARGET, 1100, 100)


# -- trailing -------------------------------------------------------------------------------------------------


def _stops(core: Core, *prices: int) -> list[int]:
    """The stop after each tick."""
    found = []
    for px in prices:
        core.quote(px)
        protection = core.position.protection
        assert protection is not None
        found.append(protection.stop_px)
    return found


def test_trailing_by_distance_follows_the_best_price_and_never_turns_back() -> None:
    core = Core()
    core.hold(plan=ExitPlan(stop_px=900, trail_distance=50))
    assert _stops(core, 940, 960, 1000, 980, 1010, 1010) == [900, 910, 950, 950, 960, 960]


def test_trailing_of_a_short_is_the_mirror() -> None:
    core = Core()
    core.hold(SHORT, plan=ExitPlan(stop_px=1100, trail_distance=50))
    assert _stops(core, 1060, 1040, 1000, 1020, 990) == [1100, 1090, 1050, 1050, 1040]


def test_trailing_without_a_stop_takes_its_first_from_the_first_price() -> None:
    core = Core()
    core.hold(plan=ExitPlan(trail_distance=50))
    assert _stops(core, 1001, 990) == [951, 951]


def test_trailing_by_r_keeps_the_risk_of_the_entry() -> None:
    core = Core()
    core.hold(plan=ExitPlan(stop_px=900, trail_step_ppb=HALF), px=1000)
    protection = core.position.protection
    assert protection is not None
    assert (protection.initial_risk, protection.trail_distance) == (100, 50)
    assert _stops(core, 1020, 1100, 1200) == [970, 1050, 1150]  # by the moved stop it would be 1175


def test_trailing_by_r_takes_the_fill_not_the_decision_as_its_entry() -> None:
    core = Core()
    core.hold(plan=ExitPlan(stop_px=900, trail_step_ppb=10**9), px=1040)
    assert core.only(ProtectionSet).initial_risk == 140


def test_trailing_moves_in_declared_steps() -> None:
    core = Core(profile(limits=Limits(allow_negative_cash=True, stop_granularity=10)))
    core.hold(plan=ExitPlan(stop_px=940, trail_distance=50))
    assert _stops(core, 999, 1000, 1009, 1010) == [940, 950, 950, 960]


def test_trailed_stop_is_hit_for_the_reason_of_trailing() -> None:
    core = Core()
    core.hold(plan=ExitPlan(stop_px=900, trail_distance=50))
    core.quote(1050)
    core.quote(1000)
    assert _exit(core) == (ExitReason.TRAILING, 1000, 100)


def test_trailing_moves_the_stop_for_the_next_bar_only() -> None:
    core = Core()
    core.hold(plan=ExitPlan(stop_px=900, trail_distance=50))
    core.bar(1000, 1100, 960, 1080)  # 950 comes from the open, a price like any other; 1050 is for later
    assert core.all(ExitTriggered) == []
    assert [moved.stop_px for moved in core.all(StopMoved)] == [950, 1050]
    core.bar(1080, 1090, 1050, 1060)
    assert _exit(core) == (ExitReason.TRAILING, 1050, 100)


def test_trailing_stop_says_from_which_price_it_moved() -> None:
    core = Core()
    core.hold(plan=ExitPlan(trail_distance=50))
    core.feed(Quote("X", core.tick(), 1200, source=Source.CALLER))
    moved = core.only(StopMoved)
    assert (moved.px, moved.source, moved.stop_px) == (1200, Source.CALLER, 1150)


# -- parts ----------------------------------------------------------------------------------------------------


def test_first_breach_takes_the_part_and_the_second_the_rest() -> None:
    core = Core()
    core.hold(qty=100, plan=ExitPlan(stop_px=950, stop_partial_ppb=HALF))
    core.quote(950)
    assert _exit(core) == (ExitReason.PARTIAL, 950, 50)
    core.fill(core.exit_order(), 50, 950)
    core.quote(960)
    assert core.events == []
    core.quote(945)
    assert _exit(core) == (ExitReason.STOP, 945, 50)


@pytest.mark.parametrize(
    ("qty", "fraction_ppb", "expected"),
    [
        (10, HALF, (ExitReason.STOP, 950, 10)),  # one lot: all of it
        (30, HALF, (ExitReason.PARTIAL, 950, 10)),  # 15, down to whole lots
        (20, 1, (ExitReason.PARTIAL, 950, 10)),  # never nothing
        (100, 10**9, (ExitReason.STOP, 950, 100)),
    ],
)
def test_part_of_a_stop_is_whole_lots_and_never_nothing(
    qty: int, fraction_ppb: int, expected: tuple[int, int, int]
) -> None:
    core = Core()
    core.hold(qty=qty, plan=ExitPlan(stop_px=950, stop_partial_ppb=fraction_ppb))
    core.quote(950)
    assert _exit(core) == expected


def test_one_lot_with_a_part_and_a_trailed_stop_leaves_for_trailing() -> None:
    core = Core()
    core.hold(qty=10, plan=ExitPlan(stop_px=900, trail_distance=50, stop_partial_ppb=HALF))
    core.quote(1050)
    core.quote(1000)
    assert _exit(core) == (ExitReason.TRAILING, 1000, 10)


LADDER = ExitPlan(stop_px=900, target_px=1300, ladder=(LadderStep(1100, HALF), LadderStep(1200, HALF)))


def test_ladder_takes_each_level_once_of_what_is_held_then() -> None:
    core = Core()
    core.hold(qty=100, plan=LADDER)
    core.quote(1100)
    assert _exit(core) == (ExitReason.PARTIAL, 1100, 50)
    core.fill(core.exit_order(), 50, 1100)
    core.quote(1150)
    assert _exit(core) is None
    core.quote(1200)
    assert _exit(core) == (ExitReason.PARTIAL, 1200, 20)  # half of 50, in whole lots
    core.fill(core.exit_order(), 20, 1200)
    core.quote(1250)
    assert _exit(core) is None
    core.quote(1300)
    assert _exit(core) == (ExitReason.TARGET, 1300, 30)


def test_ladder_on_a_bar_trades_at_its_level() -> None:
    core = Core()
    core.hold(qty=100, plan=LADDER)
    core.bar(1000, 1150, 990, 1120)
    assert _exit(core) == (ExitReason.PARTIAL, 1100, 50)


def test_ladder_of_a_gap_trades_at_the_open() -> None:
    core = Core()
    core.hold(qty=100, plan=LADDER)
    core.feed(BarOpened("X", core.tick(), 1130))
    assert _exit(core) == (ExitReason.PARTIAL, 1130, 50)


def test_ladder_comes_after_the_stop_of_the_same_bar() -> None:
    core = Core()
    core.hold(qty=100, plan=LADDER)
    core.bar(1000, 1150, 900, 1000)
    assert _exit(core) == (ExitReason.STOP, 900, 100)


def test_tick_that_takes_a_ladder_level_does_not_trail() -> None:
    core = Core()
    core.hold(qty=100, plan=ExitPlan(stop_px=900, trail_distance=50, ladder=(LadderStep(1100, HALF),)))
    core.quote(1100)
    assert core.all(StopMoved) == []
    core.fill(core.exit_order(), 50, 1100)
    core.quote(1100)
    assert core.only(StopMoved).stop_px == 1050


# -- time -----------------------------------------------------------------------------------------------------


def test_time_stop_counts_closed_bars_and_leaves_at_the_close() -> None:
    core = Core()
    core.hold(plan=ExitPlan(time_stop_bars=3))
    for expected in (1, 2):
        core.bar(1000, 1010, 990, 1005)
        assert core.only(BarCounted).bars_held == expected
        assert core.all(ExitTriggered) == []
    core.bar(1000, 1010, 990, 1005)
    assert _exit(core) == (ExitReason.TIME_STOP, 1005, 100)


def test_end_of_day_leaves_at_the_close_of_the_session_alone() -> None:
    core = Core()
    core.hold(plan=ExitPlan(end_of_day=True))
    core.bar(1000, 1010, 990, 1005)
    assert core.events == []
    core.bar(1000, 1010, 990, 1005, session_end=True)
    assert _exit(core) == (ExitReason.END_OF_DAY, 1005, 100)


def test_time_stop_comes_before_the_end_of_the_day() -> None:
    core = Core()
    core.hold(plan=ExitPlan(time_stop_bars=1, end_of_day=True))
    core.bar(1000, 1010, 990, 1005, session_end=True)
    assert _exit(core) == (ExitReason.TIME_STOP, 1005, 100)


def test_stop_inside_the_last_bar_comes_before_its_close() -> None:
    core = Core()
    core.hold(plan=ExitPlan(stop_px=950, time_stop_bars=1, end_of_day=True))
    core.bar(1000, 1010, 940, 1005, session_end=True)
    assert _exit(core) == (ExitReason.STOP, 950, 100)


# -- the life of the protection -------------------------------------------------------------------------------


def test_protection_begins_with_the_first_fill_and_follows_every_other() -> None:
    core = Core()
    order = core.order(1, 100, plan=STOP_AND_TARGET)
    assert "X" not in core.state.book.positions
    core.fill(order, 30)
    assert core.names() == ["VenueReported", "OrderFilled", "ProtectionSet"]
    core.fill(order, 30)
    assert core.all(ProtectionSet) == []
    core.quote(950)
    assert _exit(core) == (ExitReason.STOP, 950, 60)


def test_nothing_is_created_after_the_position_is_closed() -> None:
    core = Core()
    core.hold(plan=STOP_AND_TARGET)
    core.quote(950)
    core.fill(core.exit_order(), 100, 950)
    assert core.position.protection is None
    for px in (940, 1200, 900):
        core.quote(px)
        core.bar(px, px + 300, px - 300, px, session_end=True)
        assert core.events == []


def test_close_by_hand_ends_the_protection() -> None:
    core = Core()
    core.hold(plan=STOP_AND_TARGET)
    core.fill(core.order(0, 0, action=Action.CLOSE), 100)
    core.quote(1)
    assert core.events == []


def test_part_closed_by_hand_leaves_the_rest_protected() -> None:
    core = Core()
    core.hold(plan=STOP_AND_TARGET)
    core.fill(core.order(0, 40, action=Action.CLOSE), 40)
    core.quote(950)
    assert _exit(core) == (ExitReason.STOP, 950, 60)


def test_flip_drops_the_protection_of_the_old_side() -> None:
    core = Core()
    core.hold(plan=STOP_AND_TARGET)
    core.fill(core.order(SHORT, 150), 150)
    assert (core.position.qty, core.position.protection) == (-50, None)
    core.quote(950)
    assert core.events == []


def test_flip_with_a_plan_protects_the_new_side_whichever_fill_turns_it() -> None:
    core = Core()
    core.hold(plan=STOP_AND_TARGET)
    order = core.order(SHORT, 150, plan=SHORTS)
    core.fill(order, 40)
    assert core.position.protection is not None
    assert core.position.protection.stop_px == 950
    core.fill(order, 110)
    assert (core.position.qty, core.only(ProtectionSet).stop_px) == (-50, 1050)
    core.quote(1050)
    assert _exit(core) == (ExitReason.STOP, 1050, 50)


def test_addition_without_a_plan_is_guarded_by_the_plan_that_is_there() -> None:
    core = Core()
    core.hold(plan=STOP_AND_TARGET)
    core.fill(core.order(1, 50), 50)
    core.quote(950)
    assert _exit(core) == (ExitReason.STOP, 950, 150)


def test_addition_with_a_nearer_stop_guards_all_of_it() -> None:
    core = Core()
    core.hold(plan=STOP_AND_TARGET)
    core.fill(core.order(1, 50, plan=ExitPlan(stop_px=980)), 50)
    core.quote(950 + 30)
    assert _exit(core) == (ExitReason.STOP, 980, 150)


FULL = ExitPlan(
    stop_px=950,
    target_px=1100,
    trail_distance=60,
    stop_partial_ppb=HALF,
    ladder=(LadderStep(1050, HALF),),
    time_stop_bars=10,
    end_of_day=True,
)
OTHER_LADDER = (LadderStep(1080, HALF),)


@pytest.mark.parametrize(
    ("plan", "changed"),
    [
        (ExitPlan(), {}),
        (ExitPlan(stop_px=960), {"stop_px": 960, "stop_partial_ppb": 0}),
        (ExitPlan(stop_px=960, stop_partial_ppb=1), {"stop_px": 960, "stop_partial_ppb": 1}),
        (ExitPlan(stop_px=940), {}),
        (ExitPlan(stop_px=950, stop_partial_ppb=1), {}),
        (ExitPlan(target_px=1200), {"target_px": 1200}),
        (ExitPlan(trail_distance=40), {"trail_distance": 40}),
        (ExitPlan(stop_px=940, trail_step_ppb=HALF), {"trail_distance": 25}),  # of the R of the entry, 50
        (ExitPlan(ladder=OTHER_LADDER), {"ladder": OTHER_LADDER}),
        (ExitPlan(time_stop_bars=20), {}),
        (ExitPlan(time_stop_bars=5), {"time_stop_bars": 5}),
        (ExitPlan(end_of_day=True), {}),
        (ExitPlan(max_hold_ns=7), {"max_hold_ns": 7}),
    ],
)
def test_addition_joins_its_plan_to_the_one_that_is_there(plan: ExitPlan, changed: dict[str, object]) -> None:
    core = Core()
    core.hold(plan=FULL)
    held = core.position.protection
    assert held is not None
    before = msgspec.structs.replace(held)
    core.fill(core.order(1, 50, plan=plan), 50, 1020)
    assert core.position.protection == msgspec.structs.replace(before, **changed)
    assert len(core.all(ProtectionSet)) == bool(changed)


@pytest.mark.parametrize(("side", "first", "seen", "trailed"), [(LONG, 900, 1040, 980), (SHORT, 1100, 960, 1020)])
def test_addition_leaves_a_trailed_stop_and_what_was_counted(side: int, first: int, seen: int, trailed: int) -> None:
    core = Core()
    core.hold(side, plan=ExitPlan(stop_px=first, trail_distance=60, time_stop_bars=3))
    core.bar(1000, max(1000, seen), min(1000, seen), seen)
    protection = core.position.protection
    assert protection is not None
    assert (protection.stop_px, protection.trailed, protection.bars_held) == (trailed, True, 1)
    more = ExitPlan(stop_px=first, target_px=1000 + side * 500, time_stop_bars=3)
    core.fill(core.order(side, 50, plan=more), 50, seen)
    told = core.only(ProtectionSet)
    assert (told.stop_px, told.initial_risk, told.bars_held, told.trailed) == (trailed, 100, 1, True)
    core.quote(trailed)
    assert _exit(core) == (ExitReason.TRAILING, trailed, 150)


def test_addition_with_the_first_stop_fixes_the_risk() -> None:
    core = Core()
    core.hold(plan=ExitPlan(target_px=1100))
    core.fill(core.order(1, 50, plan=ExitPlan(stop_px=960, trail_step_ppb=HALF)), 50, 1020)
    told = core.only(ProtectionSet)
    assert (told.stop_px, told.target_px, told.initial_risk, told.trail_distance) == (960, 1100, 60, 30)


def test_plan_of_an_older_journal_begins_to_count_anew() -> None:
    told = codec.decode(b'{"type":"ProtectionSet","ts_ns":1,"correlation_id":"c","causation_seq":0,"position":"X"}')
    assert isinstance(told, ProtectionSet)
    assert (told.bars_held, told.trailed) == (0, False)


def test_late_fill_that_opens_a_position_is_protected() -> None:
    core = Core()
    order = core.order(1, 100, plan=STOP_AND_TARGET)
    core.canceled(order)
    core.fill(order, 40)
    assert core.only(ProtectionSet).stop_px == 950
    core.quote(950)
    assert _exit(core) == (ExitReason.STOP, 950, 40)


def test_exit_passes_every_halt() -> None:
    core = Core()
    core.hold(plan=STOP_AND_TARGET)
    core.fill(core.order(1, 10), 15)  # an overfill: the symbol is halted
    core.submit(core.intent(Action.OPEN, 1, 10))
    assert getattr(core.events[0], "code", None) == RefusalCode.SYMBOL_HALTED
    core.quote(950)
    assert _exit(core) == (ExitReason.STOP, 950, 115)
