"""Each gate: what it lets pass, what it stops, what it does at the limit to the unit, and when it cannot see."""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec
import pytest
from tests.domain.core import MONEY_PER_NOTIONAL, Core, instrument, profile

from surefill.domain.effects import SubmitOrder
from surefill.domain.events import IntentAccepted, IntentRefused
from surefill.domain.gates import GATES, RECHECKS
from surefill.domain.inputs import DefineInstrument, Halt, Resume, SetSession, SubmitIntent
from surefill.domain.instrument import Terms
from surefill.domain.intent import Action, ExitPlan, LadderStep
from surefill.domain.limits import Limits
from surefill.domain.market import Quote
from surefill.domain.profile import PROFILES
from surefill.domain.refusals import Refusal
from surefill.domain.refusals import RefusalCode as Code
from surefill.rules.codes import OrdType, TimeInForce
from surefill.units import NOTIONAL_MAX, PPB, PRICE_MAX, QTY_MAX

BUY, SELL = 1, -1
HALF = PPB // 2


def _ask(core: Core, action: int = Action.TRADE, side: int = BUY, qty: int = 10, **fields: Any) -> Code | None:
    """The refusal that an intent meets; None: accepted."""
    core.submit(core.intent(action, side, qty, **fields))  # type: ignore[arg-type]
    refused = core.all(IntentRefused)
    if not refused:
        core.only(IntentAccepted)
        return None
    assert core.effects == []
    assert refused[0].order_ref
    assert len(refused[0].reason) > 20
    return Code(refused[0].code)


def _held(qty: int, rules: Any = None, **more: Any) -> Core:
    core = Core(rules, **more)
    if qty:
        core.hold(1 if qty > 0 else -1, abs(qty))
    return core


# -- the intent's own terms -----------------------------------------------------------------------------------


class Case(NamedTuple):
    """One intent and the refusal that it meets."""

    fields: dict[str, Any]
    expected: Code | None


LIMIT, STOP, STOP_LIMIT = OrdType.LIMIT, OrdType.STOP, OrdType.STOP_LIMIT

TERMS = [
    Case({}, None),
    Case({"instrument_id": "Z"}, Code.UNKNOWN_INSTRUMENT),
    Case({"instrument_id": ""}, Code.UNKNOWN_INSTRUMENT),
    Case({"action": 9}, Code.UNSUPPORTED_ACTION),
    Case({"side": 0}, Code.UNSUPPORTED_ACTION),
    Case({"side": 2}, Code.UNSUPPORTED_ACTION),
    Case({"action": Action.OPEN, "side": 0}, Code.UNSUPPORTED_ACTION),
    Case({"action": Action.ADD}, Code.NO_POSITION),
    Case({"qty": 0}, Code.INVALID_QUANTITY),
    Case({"qty": -10}, Code.INVALID_QUANTITY),
    Case({"qty": 15}, Code.OFF_LOT),
    Case({"qty": 9}, Code.OFF_LOT),
    Case({"ord_type": 7}, Code.UNSUPPORTED_ORDER_TYPE),
    Case({"time_in_force": 2}, Code.UNSUPPORTED_TIME_IN_FORCE),
    Case({"time_in_force": -1}, Code.UNSUPPORTED_TIME_IN_FORCE),
    *(Case({"time_in_force": tif}, None) for tif in TimeInForce),
    Case({"ord_type": LIMIT}, Code.PRICE_REQUIRED),
    Case({"ord_type": LIMIT, "px": 0}, Code.PRICE_REQUIRED),
    Case({"ord_type": LIMIT, "px": -5}, Code.PRICE_REQUIRED),
    Case({"ord_type": LIMIT, "px": 995}, None),
    Case({"ord_type": LIMIT, "px": 996}, Code.OFF_TICK),
    Case({"ord_type": LIMIT, "px": PRICE_MAX // 5 * 5}, Code.NOTIONAL_OUT_OF_RANGE),  # the tick is right
    Case({"ord_type": LIMIT, "px": (PRICE_MAX // 5 + 1) * 5}, Code.OFF_TICK),
    Case({"ord_type": STOP}, Code.TRIGGER_REQUIRED),
    Case({"ord_type": STOP, "stop_px": 1005}, None),
    Case({"ord_type": STOP, "stop_px": 1001}, Code.OFF_TICK),
    Case({"ord_type": STOP_LIMIT, "px": 1010}, Code.TRIGGER_REQUIRED),
    Case({"ord_type": STOP_LIMIT, "stop_px": 1005}, Code.PRICE_REQUIRED),
    Case({"ord_type": STOP_LIMIT, "stop_px": 1005, "px": 1010}, None),
    Case({"ord_type": STOP_LIMIT, "stop_px": -5, "px": 1010}, Code.TRIGGER_REQUIRED),
]


@pytest.mark.parametrize("row", TERMS)
def test_terms_row(row: Case) -> None:
    assert _ask(Core(), **row.fields) == row.expected


def test_bucket_that_takes_the_name_of_another_position_is_refused() -> None:
    core = Core()
    core.feed(DefineInstrument(core.tick(), instrument("X|Y")))
    assert _ask(core, bucket="Y") == Code.INVALID_INPUT
    assert _ask(core, bucket="Z|1") == Code.INVALID_INPUT
    assert _ask(core, bucket="Z") is None


def test_terms_of_the_day_are_asked_not_those_of_yesterday() -> None:
    core = Core()
    tomorrow_ns = core.now_ns + 100
    terms = (Terms(0, 5, 10), Terms(tomorrow_ns, 10, 30))
    core.feed(DefineInstrument(core.now_ns, instrument("X", *terms)))
    assert _ask(core, qty=10, ord_type=LIMIT, px=995) is None
    core.now_ns = tomorrow_ns - 1
    assert _ask(core, qty=10) == Code.OFF_LOT  # the clock ticks to the day itself
    assert _ask(core, qty=30, ord_type=LIMIT, px=995) == Code.OFF_TICK
    assert _ask(core, qty=30, ord_type=LIMIT, px=990) is None


BOUNDED = Terms(0, 5, 10, 30, 200)


@pytest.mark.parametrize(
    ("held", "action", "qty", "expected"),
    [
        (0, Action.TRADE, 20, Code.QUANTITY_OUT_OF_RANGE),
        (0, Action.TRADE, 30, None),
        (0, Action.TRADE, 200, None),
        (0, Action.TRADE, 210, Code.QUANTITY_OUT_OF_RANGE),
        (25, Action.CLOSE, 25, None),  # the last odd lot, below the smallest order too
        (25, Action.CLOSE, 0, None),
        (25, Action.CLOSE, 15, Code.OFF_LOT),
        (25, Action.CLOSE, 10, Code.QUANTITY_OUT_OF_RANGE),
    ],
)
def test_quantity_bounds_row(held: int, action: Action, qty: int, expected: Code | None) -> None:
    core = _held(0)
    if held:
        core.fill(core.order(BUY, 30), held)
        core.canceled(core.live[0])
    core.feed(DefineInstrument(core.now_ns, instrument("X", BOUNDED)))
    assert _ask(core, action, BUY if action == Action.TRADE else 0, qty) == expected


def test_plain_order_may_sell_the_last_odd_lot_too() -> None:
    core = Core()
    core.fill(core.order(BUY, 30), 25)
    core.canceled(core.live[0])
    assert _ask(core, Action.TRADE, SELL, 15) == Code.OFF_LOT
    assert _ask(core, Action.TRADE, SELL, 25) is None


def test_profile_allows_what_it_names() -> None:
    rules = profile(actions=(Action.OPEN,), ord_types=(OrdType.LIMIT,))
    assert _ask(Core(rules), Action.TRADE) == Code.UNSUPPORTED_ACTION
    assert _ask(Core(rules), Action.OPEN) == Code.UNSUPPORTED_ORDER_TYPE
    assert _ask(Core(rules), Action.OPEN, ord_type=LIMIT, px=995) is None


PLANS = [
    (BUY, {}, ExitPlan(stop_px=999), None),
    (BUY, {}, ExitPlan(stop_px=1000), Code.STOP_ON_WRONG_SIDE),
    (BUY, {}, ExitPlan(stop_px=-1), Code.INVALID_PLAN),
    (BUY, {}, ExitPlan(target_px=1001), None),
    (BUY, {}, ExitPlan(target_px=1000), Code.TARGET_ON_WRONG_SIDE),
    (SELL, {}, ExitPlan(stop_px=1001, target_px=999), None),
    (SELL, {}, ExitPlan(stop_px=1000), Code.STOP_ON_WRONG_SIDE),
    (SELL, {}, ExitPlan(target_px=1000), Code.TARGET_ON_WRONG_SIDE),
    (SELL, {}, ExitPlan(target_px=-1), Code.INVALID_PLAN),
    (BUY, {}, ExitPlan(ladder=(LadderStep(1001, 1), LadderStep(1002, PPB))), None),
    (BUY, {}, ExitPlan(ladder=(LadderStep(1000, 1),)), Code.TARGET_ON_WRONG_SIDE),
    (BUY, {}, ExitPlan(ladder=(LadderStep(1001, 0),)), Code.INVALID_PLAN),
    (BUY, {}, ExitPlan(ladder=(LadderStep(1001, PPB + 1),)), Code.INVALID_PLAN),
    (BUY, {}, ExitPlan(ladder=(LadderStep(0, 1),)), Code.INVALID_PLAN),
    (SELL, {}, ExitPlan(ladder=(LadderStep(-3, 1),)), Code.INVALID_PLAN),
    (BUY, {}, ExitPlan(ladder=(LadderStep(PRICE_MAX + 1, 1),)), Code.INVALID_PLAN),
    (BUY, {}, ExitPlan(stop_px=900, stop_partial_ppb=PPB), None),
    (BUY, {}, ExitPlan(stop_px=900, stop_partial_ppb=PPB + 1), Code.INVALID_PLAN),
    (BUY, {}, ExitPlan(stop_px=900, stop_partial_ppb=-1), Code.INVALID_PLAN),
    (BUY, {}, ExitPlan(trail_distance=-1), Code.INVALID_PLAN),
    (BUY, {}, ExitPlan(trail_distance=PRICE_MAX + 1), Code.INVALID_PLAN),
    (BUY, {}, ExitPlan(trail_distance=PRICE_MAX), None),
    (BUY, {}, ExitPlan(trail_step_ppb=HALF), Code.INVALID_PLAN),
    (BUY, {}, ExitPlan(trail_step_ppb=HALF, stop_px=900), None),
    (BUY, {}, ExitPlan(time_stop_bars=-1), Code.INVALID_PLAN),
    (BUY, {}, ExitPlan(time_stop_bars=1, end_of_day=True), None),
    # A resting limit enters at its price, one that the market betters at the market, a stop at its trigger.
    (BUY, {"ord_type": LIMIT, "px": 900}, ExitPlan(stop_px=899), None),
    (BUY, {"ord_type": LIMIT, "px": 900}, ExitPlan(stop_px=950), Code.STOP_ON_WRONG_SIDE),
    (BUY, {"ord_type": LIMIT, "px": 1100}, ExitPlan(stop_px=1050), Code.STOP_ON_WRONG_SIDE),
    (BUY, {"ord_type": LIMIT, "px": 1100}, ExitPlan(target_px=1050), None),
    (SELL, {"ord_type": LIMIT, "px": 900}, ExitPlan(stop_px=950), Code.STOP_ON_WRONG_SIDE),
    (BUY, {"ord_type": STOP, "stop_px": 1100}, ExitPlan(stop_px=1050), None),
    (BUY, {"ord_type": STOP, "stop_px": 1100}, ExitPlan(stop_px=1100), Code.STOP_ON_WRONG_SIDE),
]


@pytest.mark.parametrize(("side", "fields", "plan", "expected"), PLANS)
def test_plan_row(side: int, fields: dict[str, int], plan: ExitPlan, expected: Code | None) -> None:
    assert _ask(Core(), Action.OPEN, side, plan=plan, **fields) == expected


def test_plan_of_a_close_is_not_asked() -> None:
    assert _ask(_held(100), Action.CLOSE, 0, 0, plan=ExitPlan(stop_px=5000)) is None


NOTIONAL_LIMIT = NOTIONAL_MAX // MONEY_PER_NOTIONAL


@pytest.mark.parametrize(("scale", "expected"), [(2**30 - 1, None), (2**30, Code.NOTIONAL_OUT_OF_RANGE)])
def test_notional_at_the_limit(scale: int, expected: Code | None) -> None:
    assert NOTIONAL_MAX == 2**20 * 2**10 * 2**30
    core = Core(profile("notional"), px=0)
    core.feed(DefineInstrument(core.tick(), msgspec.structs.replace(instrument("Z"), money_per_notional=scale)))
    core.quote(2**20, "Z")
    assert _ask(core, qty=2**10, instrument_id="Z") == expected


def test_notional_counts_what_is_held_and_never_holds_up_a_reduction() -> None:
    core = _held(100, profile("notional", "position"))
    core.state.quotes["X"] = Quote("X", core.now_ns, NOTIONAL_LIMIT // 100 - 1)
    assert _ask(core, qty=10) == Code.NOTIONAL_OUT_OF_RANGE
    core.state.quotes["X"] = Quote("X", core.now_ns, PRICE_MAX)
    assert _ask(core, Action.CLOSE, 0, 0) is None


def test_notional_without_a_price_refuses() -> None:
    assert _ask(Core(profile("notional"), px=0)) == Code.NO_MARKET_DATA


# -- market data ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("side", "quote", "expected"),
    [
        (BUY, None, Code.NO_MARKET_DATA),
        (BUY, {}, Code.NO_MARKET_DATA),
        (BUY, {"last_px": 1}, None),
        (BUY, {"ask_px": 1000}, None),
        (BUY, {"bid_px": 1000}, Code.NO_MARKET_DATA),  # nobody sells
        (SELL, {"bid_px": 1000}, None),
        (SELL, {"ask_px": 1000}, Code.NO_MARKET_DATA),
        (BUY, {"bid_px": 1000, "ask_px": 1000}, None),
        (BUY, {"bid_px": 1001, "ask_px": 1000}, Code.CROSSED_MARKET),
        (SELL, {"bid_px": 1001, "ask_px": 1000}, Code.CROSSED_MARKET),
        (BUY, {"last_px": 1000, "bid_px": -1}, Code.CROSSED_MARKET),
        (BUY, {"last_px": PRICE_MAX}, None),
        (BUY, {"last_px": PRICE_MAX + 1}, Code.CROSSED_MARKET),
    ],
)
def test_market_row(side: int, quote: dict[str, int] | None, expected: Code | None) -> None:
    core = Core(profile("market_data", "sane"), px=0)
    if quote is not None:
        core.feed(Quote("X", core.tick(), **quote))
    assert _ask(core, side=side) == expected


@pytest.mark.parametrize(
    ("age_ns", "expected"),
    [(0, None), (100, None), (101, Code.STALE_PRICE), (-1, Code.STALE_PRICE), (10**12, Code.STALE_PRICE)],
)
def test_stale_at_the_limit(age_ns: int, expected: Code | None) -> None:
    core = Core(profile("stale", limits=Limits(price_max_age_ns=100)))
    core.now_ns = 10**15
    core.state.quotes["X"] = Quote("X", core.now_ns + 1 - age_ns, 1000)
    assert _ask(core) == expected


def test_stale_without_a_price_refuses_and_switched_off_asks_nothing() -> None:
    assert _ask(Core(profile("stale", limits=Limits(price_max_age_ns=100)), px=0)) == Code.NO_MARKET_DATA
    assert _ask(Core(profile("stale"), px=0)) is None


def test_price_that_came_with_the_intent_counts() -> None:
    core = Core(px=0)
    core.submit(core.intent(Action.TRADE, BUY, 10), Quote("X", core.now_ns, 990))
    assert core.only(IntentAccepted).intent.side == BUY
    assert core.state.quotes["X"].last_px == 990


# -- account and position -------------------------------------------------------------------------------------

POSITIONS = [
    (0, Action.OPEN, SELL, 10, {}, None),
    (100, Action.OPEN, BUY, 10, {}, None),
    (100, Action.OPEN, SELL, 10, {}, Code.OPENS_AGAINST_POSITION),
    (-100, Action.OPEN, BUY, 10, {}, Code.OPENS_AGAINST_POSITION),
    (0, Action.CLOSE, 0, 0, {}, Code.NO_POSITION),
    (0, Action.CLOSE, SELL, 10, {}, Code.NO_POSITION),
    (100, Action.CLOSE, 0, 0, {}, None),
    (100, Action.CLOSE, SELL, 100, {}, None),
    (100, Action.CLOSE, BUY, 100, {}, Code.NO_POSITION),
    (-100, Action.CLOSE, BUY, 30, {}, None),
    (100, Action.CLOSE, 0, 110, {}, Code.REDUCTION_EXCEEDS_POSITION),
    (100, Action.CLOSE, 0, -10, {}, Code.INVALID_QUANTITY),
    (100, Action.CLOSE, 0, 50, {"full_close_only": True}, Code.PARTIAL_CLOSE_NOT_SUPPORTED),
    (100, Action.CLOSE, 0, 110, {"full_close_only": True}, Code.PARTIAL_CLOSE_NOT_SUPPORTED),
    (100, Action.CLOSE, 0, 100, {"full_close_only": True}, None),
    (100, Action.TRADE, SELL, 100, {"allow_short": False}, None),
    (100, Action.TRADE, SELL, 110, {"allow_short": False}, Code.SHORT_NOT_ALLOWED),
    (0, Action.OPEN, SELL, 10, {"allow_short": False}, Code.SHORT_NOT_ALLOWED),
    (100, Action.TRADE, SELL, 250, {}, None),
    (100, Action.ADD, 0, 10, {}, None),
    (-100, Action.ADD, 0, 10, {}, None),
]


@pytest.mark.parametrize(("held", "action", "side", "qty", "changes", "expected"), POSITIONS)
def test_position_row(
    held: int, action: Action, side: int, qty: int, changes: dict[str, Any], expected: Code | None
) -> None:
    core = Core()
    if held:
        core.hold(1 if held > 0 else -1, abs(held))
    core.state.book.profile = core.replayed.book.profile = profile(**changes)
    assert _ask(core, action, side, qty) == expected
    if expected is None:
        created = core.live[0].request
        assert created.reduce_only is (action == Action.CLOSE or (side * held < 0 and qty <= abs(held)))


@pytest.mark.parametrize(
    ("working", "action", "qty", "expected"),
    [
        (60, Action.CLOSE, 40, None),
        (60, Action.CLOSE, 50, Code.REDUCTION_EXCEEDS_POSITION),
        (60, Action.CLOSE, 0, Code.REDUCTION_EXCEEDS_POSITION),
        (100, Action.CLOSE, 10, Code.REDUCTION_EXCEEDS_POSITION),
        (60, Action.TRADE, 40, None),
        (60, Action.TRADE, 50, Code.REDUCTION_EXCEEDS_POSITION),
        (60, Action.TRADE, 200, Code.REDUCTION_EXCEEDS_POSITION),
    ],
)
@pytest.mark.parametrize("first", [Action.CLOSE, Action.TRADE])
def test_reductions_sum_to_at_most_the_position(
    first: Action, working: int, action: Action, qty: int, expected: Code | None
) -> None:
    core = _held(100)
    core.order(SELL if first == Action.TRADE else 0, working, action=first, px=1100)
    assert _ask(core, action, SELL if action == Action.TRADE else 0, qty) == expected


def test_reductions_of_an_unknown_order_count_in_full_and_a_filled_part_no_more() -> None:
    core = _held(100)
    closing = core.order(0, 60, action=Action.CLOSE, px=1100)
    core.fill(closing, 50)
    assert _ask(core, Action.CLOSE, 0, 50) == Code.REDUCTION_EXCEEDS_POSITION
    assert _ask(core, Action.CLOSE, 0, 40) is None


def test_owner_is_whoever_holds_the_symbol_or_has_orders_for_it() -> None:
    core = Core()
    resting = core.order(BUY, 10, px=900, strategy_id="first")
    assert _ask(core, strategy_id="second") == Code.SYMBOL_OWNED
    core.canceled(resting)
    assert _ask(core, strategy_id="second", ord_type=LIMIT, px=900) is None
    core = Core()
    core.fill(core.order(BUY, 10, strategy_id="first"), 10)
    assert _ask(core, strategy_id="second") == Code.SYMBOL_OWNED
    assert _ask(core, Action.CLOSE, 0, 0, strategy_id="second") == Code.SYMBOL_OWNED
    assert _ask(core, Action.TRADE, SELL, 10, strategy_id="") == Code.SYMBOL_OWNED
    assert _ask(core, strategy_id="second", bucket="MIS") is None
    assert _ask(core, strategy_id="second", instrument_id="Y", ord_type=LIMIT, px=5) == Code.NO_MARKET_DATA
    core.fill(core.order(0, 0, action=Action.CLOSE, strategy_id="first"), 10)
    assert _ask(core, strategy_id="second") is None


def test_owner_of_no_name_leaves_the_symbol_to_everybody() -> None:
    core = Core()
    core.fill(core.order(BUY, 10, strategy_id=""), 10)
    assert _ask(core, strategy_id="second") is None


def _rich(cash: int, cushion_ppb: int = 0, **limits: Any) -> Core:
    return Core(profile(limits=Limits(cost_cushion_ppb=cushion_ppb, **limits)), cash=cash)


UNIT = MONEY_PER_NOTIONAL


@pytest.mark.parametrize(
    ("cash", "cushion_ppb", "fields", "expected"),
    [
        (10_000 * UNIT, 0, {}, None),
        (10_000 * UNIT - 1, 0, {}, Code.INSUFFICIENT_CASH),
        (10_100 * UNIT, PPB // 100, {}, None),
        (10_100 * UNIT - 1, PPB // 100, {}, Code.INSUFFICIENT_CASH),
        (10_001 * UNIT, 1, {}, None),
        (10_000 * UNIT + 10, 1, {}, None),  # 10 000 units at one part in 10^9 are 10 quanta
        (10_000 * UNIT + 9, 1, {}, Code.INSUFFICIENT_CASH),
        (9_000 * UNIT, 0, {"ord_type": LIMIT, "px": 900}, None),
        (9_000 * UNIT - 1, 0, {"ord_type": LIMIT, "px": 900}, Code.INSUFFICIENT_CASH),
        (11_000 * UNIT, 0, {"ord_type": STOP, "stop_px": 1100}, None),
        (11_000 * UNIT - 1, 0, {"ord_type": STOP, "stop_px": 1100}, Code.INSUFFICIENT_CASH),
        (12_000 * UNIT - 1, 0, {"ord_type": STOP_LIMIT, "stop_px": 1100, "px": 1200}, Code.INSUFFICIENT_CASH),
        (0, 0, {"side": SELL}, None),
    ],
)
def test_cash_at_the_limit(cash: int, cushion_ppb: int, fields: dict[str, Any], expected: Code | None) -> None:
    assert _ask(_rich(cash, cushion_ppb), **fields) == expected


def test_cash_promised_to_working_purchases_is_not_spent_twice() -> None:
    core = _rich(20_000 * UNIT - 1)
    resting = core.order(BUY, 10, px=1000)
    assert _ask(core) == Code.INSUFFICIENT_CASH
    core.canceled(resting)
    assert _ask(core) is None


def test_cash_promised_shrinks_with_the_fills() -> None:
    core = _rich(100_000 * UNIT)
    resting = core.order(BUY, 100, px=1000)
    core.fill(resting, 90, 1000)
    core.canceled(resting, cum_qty=90)
    assert _ask(core) is None


def test_cash_is_not_asked_of_what_only_reduces_and_all_of_it_of_a_flip() -> None:
    core = _rich(0)
    core.hold(SELL, 100)  # cash is now 100 000
    core.fill(core.order(BUY, 90), 90, 1100)  # 1 000 left, 10 short
    assert core.state.book.cash == 1_000 * UNIT
    assert _ask(core, Action.CLOSE, 0, 0) is None
    core.canceled(core.live[0])
    assert _ask(core, Action.TRADE, BUY, 20) == Code.INSUFFICIENT_CASH
    assert _ask(core, Action.TRADE, BUY, 10) is None


def test_cash_may_go_below_zero_where_the_profile_says_so() -> None:
    assert _ask(_rich(0, allow_negative_cash=True)) is None


def test_cash_without_a_price_refuses() -> None:
    core = Core(profile("cash", limits=Limits()), px=0, cash=10**18)
    assert _ask(core) == Code.NO_MARKET_DATA


# -- flow -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("halt", "expected"),
    [({}, Code.HALTED), ({"instrument_id": "X"}, Code.SYMBOL_HALTED), ({"strategy_id": "s"}, Code.STRATEGY_PAUSED)],
)
def test_halt_stops_entries_and_lets_reductions_through(halt: dict[str, Any], expected: Code) -> None:
    core = _held(100)
    core.feed(Halt(core.tick(), "KILL", "a person said so", "ada", **halt))
    assert _ask(core) == expected
    assert _ask(core, Action.OPEN, BUY) == expected
    assert _ask(core, Action.ADD, 0) == expected
    assert _ask(core, Action.TRADE, SELL, 110) == expected  # it would go through zero
    assert _ask(core, Action.TRADE, SELL, 40) is None
    assert _ask(core, Action.CLOSE, 0, 60) is None
    core.feed(Resume(core.tick(), "ada", **halt))
    assert _ask(core) is None


@pytest.mark.parametrize(
    ("halt", "fields"),
    [({"instrument_id": "Y"}, {}), ({"strategy_id": "other"}, {}), ({"instrument_id": "X"}, {"instrument_id": "Y"})],
)
def test_halt_of_something_else_stops_nothing(halt: dict[str, Any], fields: dict[str, Any]) -> None:
    core = Core()
    core.quote(1000, "Y")
    core.feed(Halt(core.tick(), "KILL", "a person said so", "ada", **halt))
    assert _ask(core, **fields) is None


WINDOW = profile(limits=Limits(allow_negative_cash=True, duplicate_window_ns=100))


@pytest.mark.parametrize(
    ("wait_ns", "fields", "expected"),
    [
        (1, {}, Code.DUPLICATE_INTENT),
        (99, {}, Code.DUPLICATE_INTENT),
        (100, {}, None),
        (1, {"intent_id": "k"}, None),
        (1, {"side": SELL}, None),
        (1, {"qty": 20}, None),
        (1, {"strategy_id": "other"}, Code.SYMBOL_OWNED),
        (1, {"bucket": "MIS"}, None),
        (1, {"ord_type": LIMIT, "px": 1000}, None),
        (1, {"reason": "another", "correlation_id": "other"}, Code.DUPLICATE_INTENT),
    ],
)
def test_duplicate_window_row(wait_ns: int, fields: dict[str, Any], expected: Code | None) -> None:
    core = Core(WINDOW)
    assert _ask(core) is None
    core.now_ns += wait_ns - 1
    assert _ask(core, **fields) == expected


def test_duplicate_is_measured_against_what_passed_not_what_was_refused() -> None:
    core = Core(WINDOW)
    assert _ask(core) is None
    for _ in range(5):
        core.now_ns += 18
        assert _ask(core) == Code.DUPLICATE_INTENT
    core.now_ns += 8
    assert _ask(core) is None


def test_duplicate_memory_is_pruned() -> None:
    core = Core(WINDOW)
    for qty in range(10, 500, 10):
        core.now_ns += 30
        assert _ask(core, qty=qty) is None
    assert len(core.state.book.recent_intents) <= 5


# -- all of them ----------------------------------------------------------------------------------------------


def test_gates_are_asked_in_the_profiles_order_and_stop_at_the_first_no() -> None:
    assert _ask(Core(profile("quantity", "instrument")), qty=0, instrument_id="Z") == Code.INVALID_QUANTITY
    assert _ask(Core(profile("instrument", "quantity")), qty=0, instrument_id="Z") == Code.UNKNOWN_INSTRUMENT


def test_every_gate_of_a_built_in_profile_is_known() -> None:
    for rules in PROFILES.values():
        assert set(rules.gates) <= set(GATES)
        assert set(rules.rechecks) <= set(RECHECKS)


@pytest.mark.parametrize("name", PROFILES)
def test_built_in_profile_lets_an_ordinary_purchase_through(name: str) -> None:
    limits = msgspec.structs.replace(PROFILES[name].limits, daily_loss_max=0)
    core = Core(msgspec.structs.replace(PROFILES[name], limits=limits), cash=10**15)
    for calendar in ("24x7", "forex"):
        core.feed(SetSession(core.tick(), calendar, "2026-01-05", 0, 10**18))
    core.feed(DefineInstrument(core.tick(), instrument("Z", margin_ppb=10**8, pip=1)))
    core.quote(1000, "Z", bid_px=999, ask_px=1001, bid_qty=100, ask_qty=100)
    figures = {"signal_strength": 10**9, "confluence": 5 * 10**9}
    plan = ExitPlan(stop_px=990, target_px=1040)
    assert _ask(core, Action.OPEN, instrument_id="Z", figures=figures, plan=plan) is None


def test_refused_intent_has_a_number_and_a_reference_of_its_own() -> None:
    core = Core()
    before = core.state.book.number
    refs = set()
    for _ in range(3):
        _ask(core, qty=0)
        refs.add(core.only(IntentRefused).order_ref)
    assert core.state.book.number == before + 3
    assert len(refs) == 3


@pytest.mark.parametrize("qty", [QTY_MAX, QTY_MAX + 10, 2**70])
def test_absurd_quantity_is_refused_not_raised(qty: int) -> None:
    assert _ask(Core(), qty=qty // 10 * 10) in (Code.QUANTITY_OUT_OF_RANGE, Code.NOTIONAL_OUT_OF_RANGE)


@pytest.mark.parametrize("code", [Code.NO_MARKET_DATA, Code.STALE_PRICE, Code.CROSSED_MARKET])
@pytest.mark.parametrize("closing", [{"action": Action.CLOSE, "side": 0, "qty": 0}, {"side": SELL, "qty": 50}])
def test_exit_goes_out_although_its_door_has_no_price_to_show(code: Code, closing: dict[str, Any]) -> None:
    core = Core()
    core.hold(qty=100)
    core.state.quotes.clear()
    wish: dict[str, Any] = {"action": Action.TRADE, "side": BUY, "qty": 50}
    entry = core.intent(**wish)
    core.feed(SubmitIntent(core.tick(), entry, refusal=Refusal(code, "the feed is dead", entries_only=True)))
    assert core.only(IntentRefused).reason == "the feed is dead"
    core.feed(
        SubmitIntent(
            core.tick(),
            core.intent(**{**wish, **closing}),
            refusal=Refusal(code, "the feed is dead", entries_only=True),
        )
    )
    sent = core.only(SubmitOrder).request
    assert (sent.side, sent.reduce_only, sent.arrival_px) == (SELL, True, 0)


def test_exit_is_refused_for_what_its_door_finds_wrong_with_itself() -> None:
    core = Core()
    core.hold(qty=100)
    wrong = Refusal(Code.INVALID_INPUT, "no such product")
    core.feed(SubmitIntent(core.tick(), core.intent(Action.CLOSE, 0, 0), refusal=wrong))
    assert core.only(IntentRefused).code == Code.INVALID_INPUT
