import pytest

from surefill.rules.codes import ExitReason, IntrabarPolicy
from surefill.rules.exits import (
    bar_exit,
    extreme_after,
    initial_risk,
    ladder_level_reached,
    partial_exit_qty,
    stop_breached,
    target_reached,
    tick_exit,
    tightened_stop,
    time_stop_due,
    trail_distance_r,
    trail_due,
    trailed_stop,
)
from surefill.units import PPB

LONG, SHORT = 1, -1
WORST, BEST = (int(policy) for policy in IntrabarPolicy)
NONE, STOP, TARGET = int(ExitReason.NONE), int(ExitReason.STOP), int(ExitReason.TARGET)


@pytest.mark.parametrize(
    ("side", "entry", "stop", "expected"),
    [
        (LONG, 100, 95, 5),
        (LONG, 5, 1, 4),
        (SHORT, 100, 105, 5),
        (LONG, 100, 0, 0),
        (LONG, 100, 101, 0),
        (SHORT, 100, 99, 0),
    ],
)
def test_initial_risk_row(side: int, entry: int, stop: int, expected: int) -> None:
    assert initial_risk(side, entry, stop) == expected


@pytest.mark.parametrize(
    ("side", "px", "level", "stopped", "reached"),
    [
        (LONG, 100, 100, True, True),  # inclusive, both ways
        (LONG, 99, 100, True, False),
        (LONG, 101, 100, False, True),
        (SHORT, 100, 100, True, True),
        (SHORT, 101, 100, True, False),
        (SHORT, 99, 100, False, True),
        (LONG, 1, 1, True, True),
        (LONG, 100, 0, False, False),
        (SHORT, 100, 0, False, False),
        (LONG, 0, 100, False, False),
        (SHORT, 0, 100, False, False),
    ],
)
def test_stop_and_target_levels_row(side: int, px: int, level: int, stopped: bool, reached: bool) -> None:
    assert stop_breached(side, px, level) is stopped
    assert target_reached(side, px, level) is reached


@pytest.mark.parametrize(
    ("side", "px", "stop", "target", "expected"),
    [
        (LONG, 100, 95, 105, NONE),
        (LONG, 95, 95, 105, STOP),
        (LONG, 105, 95, 105, TARGET),
        (LONG, 100, 105, 95, TARGET),  # crossed levels: both hold, the target first
        (SHORT, 105, 105, 95, STOP),
        (SHORT, 95, 105, 95, TARGET),
        (SHORT, 100, 0, 0, NONE),
    ],
)
def test_tick_exit_row(side: int, px: int, stop: int, target: int, expected: int) -> None:
    assert tick_exit(side, px, stop, target) == expected


# bar: open, high, low; long: stop 95, target 105; short: stop 105, target 95
@pytest.mark.parametrize(
    ("side", "bar", "policy", "entered", "expected"),
    [
        pytest.param(LONG, (100, 104, 96), WORST, False, (NONE, 0), id="inside"),
        pytest.param(LONG, (94, 110, 90), WORST, False, (STOP, 94), id="opens beyond the stop: worse than the stop"),
        pytest.param(LONG, (107, 110, 90), WORST, False, (TARGET, 107), id="opens beyond the target: better"),
        pytest.param(LONG, (107, 110, 90), BEST, False, (TARGET, 107), id="the open comes before the policy"),
        pytest.param(LONG, (94, 110, 90), BEST, False, (STOP, 94), id="the open comes before the policy, stop"),
        pytest.param(LONG, (100, 101, 95), WORST, False, (STOP, 95), id="stop touched"),
        pytest.param(LONG, (100, 105, 96), WORST, False, (TARGET, 105), id="target touched"),
        pytest.param(LONG, (100, 105, 95), WORST, False, (STOP, 95), id="both: worst case"),
        pytest.param(LONG, (100, 105, 95), BEST, False, (TARGET, 105), id="both: best case"),
        pytest.param(LONG, (100, 101, 95), BEST, False, (STOP, 95), id="best case cannot wish the stop away"),
        pytest.param(LONG, (94, 104, 96), WORST, True, (NONE, 0), id="entered inside: the open is in the past"),
        pytest.param(LONG, (94, 104, 90), WORST, True, (STOP, 95), id="entered inside: stopped at the stop"),
        pytest.param(LONG, (100, 105, 96), WORST, True, (NONE, 0), id="entered inside: no target, worst case"),
        pytest.param(LONG, (100, 105, 96), BEST, True, (TARGET, 105), id="entered inside: target, best case"),
        pytest.param(LONG, (100, 105, 95), BEST, True, (TARGET, 105), id="entered inside, both: best case"),
        pytest.param(LONG, (100, 105, 95), WORST, True, (STOP, 95), id="entered inside, both: worst case"),
        pytest.param(SHORT, (100, 104, 96), WORST, False, (NONE, 0), id="short inside"),
        pytest.param(SHORT, (107, 110, 90), WORST, False, (STOP, 107), id="short opens beyond the stop"),
        pytest.param(SHORT, (94, 110, 90), WORST, False, (TARGET, 94), id="short opens beyond the target"),
        pytest.param(SHORT, (100, 105, 95), WORST, False, (STOP, 105), id="short both: worst case"),
        pytest.param(SHORT, (100, 105, 95), BEST, False, (TARGET, 95), id="short both: best case"),
        pytest.param(SHORT, (100, 104, 95), WORST, True, (NONE, 0), id="short entered inside: no target"),
    ],
)
def test_bar_exit_row(
    side: int, bar: tuple[int, int, int], policy: int, entered: bool, expected: tuple[int, int]
) -> None:
    stop, target = (95, 105) if side == LONG else (105, 95)
    assert bar_exit(side, *bar, stop, target, policy, entered) == expected


@pytest.mark.parametrize("side", [LONG, SHORT])
def test_bar_exit_without_levels_never_exits(side: int) -> None:
    assert bar_exit(side, 100, 200, 1, 0, 0, WORST, False) == (NONE, 0)


@pytest.mark.parametrize(
    ("risk", "step_ppb", "expected"),
    [
        (10, PPB // 2, 5),
        (11, PPB // 2, 6),
        (1, 1, 1),
        (0, PPB, 0),
        (10, 3 * PPB, 30),
        (2**40, 2 * PPB, 2**41),
    ],
)
def test_trail_distance_r_row(risk: int, step_ppb: int, expected: int) -> None:
    assert trail_distance_r(risk, step_ppb) == expected


@pytest.mark.parametrize(
    ("side", "extreme", "high", "low", "expected"),
    [
        (LONG, 0, 103, 97, 103),
        (LONG, 103, 102, 97, 103),
        (LONG, 103, 104, 97, 104),
        (SHORT, 0, 103, 97, 97),
        (SHORT, 97, 103, 98, 97),
        (SHORT, 97, 103, 96, 96),
        (SHORT, 5, 1, 1, 1),
        (SHORT, 1, 3, 2, 1),
        (SHORT, 97, 0, 0, 97),  # a bar without a price
    ],
)
def test_extreme_after_row(side: int, extreme: int, high: int, low: int, expected: int) -> None:
    assert extreme_after(side, extreme, high, low) == expected


@pytest.mark.parametrize(
    ("side", "stop", "extreme", "distance", "expected"),
    [
        pytest.param(LONG, 95, 110, 5, 105, id="follows"),
        pytest.param(LONG, 107, 110, 5, 107, id="never back"),
        pytest.param(LONG, 0, 110, 5, 105, id="the first"),
        pytest.param(LONG, 95, 110, 0, 95, id="no distance, no trailing"),
        pytest.param(LONG, 95, 0, 5, 95, id="no extreme, no trailing"),
        pytest.param(LONG, 0, 4, 5, 0, id="a level below zero is no stop"),
        pytest.param(LONG, 2, 5, 5, 2, id="a level of zero is no stop"),
        pytest.param(LONG, 0, 2, 1, 1, id="a level of one quantum"),
        pytest.param(SHORT, 0, 1, 1, 2, id="an extreme of one quantum"),
        pytest.param(SHORT, 1, 90, 5, 1, id="a stop of one quantum"),
        pytest.param(SHORT, 105, 0, 5, 105, id="short without an extreme"),
        pytest.param(SHORT, 105, 90, 5, 95, id="short follows"),
        pytest.param(SHORT, 93, 90, 5, 93, id="short never back"),
        pytest.param(SHORT, 0, 90, 5, 95, id="short, the first"),
    ],
)
def test_trailed_stop_row(side: int, stop: int, extreme: int, distance: int, expected: int) -> None:
    assert trailed_stop(side, stop, extreme, distance) == expected


@pytest.mark.parametrize(
    ("side", "stop", "new", "expected"),
    [
        (LONG, 95, 97, 97),
        (LONG, 95, 93, 95),
        (LONG, 95, 0, 95),
        (LONG, 0, 93, 93),
        (LONG, 0, 0, 0),
        (SHORT, 105, 103, 103),
        (SHORT, 105, 107, 105),
        (SHORT, 105, 0, 105),
        (SHORT, 0, 107, 107),
    ],
)
def test_tightened_stop_row(side: int, stop: int, new: int, expected: int) -> None:
    assert tightened_stop(side, stop, new) == expected


def test_trailed_stop_distance_from_the_moved_stop_would_tighten_itself() -> None:
    """The classic bug: R measured from the stop as it moves shrinks with every move. Ours is fixed at entry."""
    entry, stop = 100, 90
    distance = trail_distance_r(initial_risk(LONG, entry, stop), PPB // 2)
    for extreme, expected in [(100, 95), (104, 99), (108, 103)]:
        stop = trailed_stop(LONG, stop, extreme, distance)
        assert stop == expected


@pytest.mark.parametrize(
    ("side", "old", "new", "granularity", "expected"),
    [
        (LONG, 100, 105, 5, True),
        (LONG, 100, 104, 5, False),
        (LONG, 100, 100, 0, False),
        (LONG, 100, 101, 0, True),
        (LONG, 0, 90, 50, True),
        (LONG, 100, 0, 1, False),
        (SHORT, 100, 0, 1, False),
        (LONG, 0, 10, 50, True),
        (SHORT, 5, 1, 1, True),
        (LONG, 1, 3, 5, False),
        (LONG, 100, 95, 1, False),
        (SHORT, 100, 95, 5, True),
        (SHORT, 100, 96, 5, False),
        (SHORT, 100, 105, 1, False),
    ],
)
def test_trail_due_row(side: int, old: int, new: int, granularity: int, expected: bool) -> None:
    assert trail_due(side, old, new, granularity) is expected


@pytest.mark.parametrize(
    ("qty", "fraction_ppb", "lot", "expected"),
    [
        (100, PPB // 2, 25, 50),
        (75, PPB // 2, 25, 25),  # 37.5 down to a lot
        (50, PPB // 2, 50, 50),  # one lot: all of it
        (100, PPB // 100, 25, 25),  # never 0 lots
        (100, 0, 25, 25),
        (25, PPB // 2, 50, 25),  # less than a lot
        (60, PPB, 25, 60),  # all means all, not the whole lots of it
        (60, 2 * PPB, 25, 60),
        (26, PPB // 2, 25, 25),
        (3, 333_333_333, 1, 1),
        (2**40, PPB - 1, 1, 2**40 - 1100),
        (0, PPB // 2, 25, 0),
    ],
)
def test_partial_exit_qty_row(qty: int, fraction_ppb: int, lot: int, expected: int) -> None:
    assert partial_exit_qty(qty, fraction_ppb, lot) == expected


@pytest.mark.parametrize(
    ("side", "high", "low", "level", "expected"),
    [
        (LONG, 105, 95, 105, True),
        (LONG, 104, 95, 105, False),
        (SHORT, 105, 95, 95, True),
        (SHORT, 105, 96, 95, False),
        (LONG, 105, 95, 0, False),
    ],
)
def test_ladder_level_reached_row(side: int, high: int, low: int, level: int, expected: bool) -> None:
    assert ladder_level_reached(side, high, low, level) is expected


@pytest.mark.parametrize(
    ("held", "limit", "expected"),
    [(20, 20, True), (19, 20, False), (21, 20, True), (1, 1, True), (5, 0, False), (0, 0, False)],
)
def test_time_stop_due_row(held: int, limit: int, expected: bool) -> None:
    assert time_stop_due(held, limit) is expected
