"""Fees out of what was bought, and what is left when only whole lots can be sold."""

from __future__ import annotations

import msgspec
import pytest
from tests.domain.core import ALL_GATES, MONEY_PER_NOTIONAL, Core, instrument, profile

from surefill.domain.codec import encode
from surefill.domain.effects import Notify, SubmitOrder
from surefill.domain.events import DustLeft, ExitTriggered, IntentRefused, OrderFilled, PositionsCompared
from surefill.domain.inputs import ComparePositions, DefineInstrument, Halt
from surefill.domain.instrument import Terms
from surefill.domain.intent import Action, ExitPlan, LadderStep
from surefill.domain.limits import Limits
from surefill.domain.orders import Order
from surefill.domain.profile import Profile
from surefill.domain.refusals import RefusalCode
from surefill.domain.reports import ExecType
from surefill.journal import Batch, MemoryJournal
from surefill.rules.codes import ExitReason, KillLevel, OrdType, PositionEffect
from surefill.testing.invariants import check_journal
from surefill.views.trades import TradeLog

STRICT = Terms(0, 5, 10, 10, odd_lots=False)
LIMITS = Limits(allow_negative_cash=True)
AT_VENUE = profile(limits=msgspec.structs.replace(LIMITS, stops_at_venue=True))


def core_of(terms: Terms = STRICT, rules: Profile | None = None) -> Core:
    core = Core(rules, cash=10**12)
    core.feed(DefineInstrument(core.tick(), instrument("X", terms)))
    return core


def bought(core: Core, qty: int = 100, fee_qty: int = 3, plan: ExitPlan | None = None) -> Order:
    order = core.order(1, qty, plan=plan)
    core.accept(order)
    core.fill(order, qty, fee_qty=fee_qty)
    return order


def check(core: Core) -> None:
    journal = MemoryJournal()
    journal.append([Batch(journal.open_stream("w"), [encode(event) for event in core.journal])])
    assert check_journal(journal, "w") == []


def test_fee_out_of_what_was_bought_makes_the_position_smaller_and_is_a_fee_at_the_price_of_the_fill() -> None:
    core = core_of()

    order = bought(core)

    filled = core.only(OrderFilled)
    assert (filled.last_qty, filled.fee_qty, filled.net_qty) == (100, 3, 97)
    assert (core.position.qty, core.position.cost, order.cum_qty) == (97, 97_000, 100)
    assert core.position.fees == core.state.book.fees == 3_000 * MONEY_PER_NOTIONAL
    assert core.state.book.cash == 10**12 - 100_000 * MONEY_PER_NOTIONAL
    check(core)


def test_fee_beside_what_was_sold_comes_out_of_the_rest() -> None:
    core = core_of()
    bought(core, fee_qty=0)

    core.fill(core.order(-1, 50), 50, 1100, fee_qty=2)

    assert (core.position.qty, core.position.cost, core.position.realised) == (48, 48_000, 5_200 * MONEY_PER_NOTIONAL)
    assert core.position.fees == 2_200 * MONEY_PER_NOTIONAL
    check(core)


@pytest.mark.parametrize("fee_qty", [-1, 50, 60])
def test_fee_that_leaves_nothing_is_not_booked(fee_qty: int) -> None:
    core = core_of()
    core.fill(core.order(1, 50), 50, fee_qty=fee_qty)
    assert "UNUSABLE_TRADE" in [notice.code for notice in core.all(Notify)]
    assert "X" not in core.state.book.positions


@pytest.mark.parametrize(
    ("terms", "held", "px", "leaves"),
    [
        (Terms(0, 1, 10), 97, 1000, 97),
        (STRICT, 97, 0, 90),
        (STRICT, 90, 0, 90),
        (STRICT, 9, 0, 0),
        (Terms(0, 1, 10, 30, odd_lots=False), 29, 0, 0),
        (Terms(0, 1, 10, 30, odd_lots=False), 37, 0, 30),
        (Terms(0, 1, 10, odd_lots=False, min_notional=50_000), 57, 999, 0),
        (Terms(0, 1, 10, odd_lots=False, min_notional=50_000), 57, 1000, 50),
        (Terms(0, 1, 10, odd_lots=False, min_notional=50_000), 57, 0, 50),
    ],
)
def test_what_can_leave_is_whole_lots_that_the_venue_takes(terms: Terms, held: int, px: int, leaves: int) -> None:
    assert terms.leaving_qty(held, px) == leaves


def test_stop_sells_whole_lots_and_dust_ends_the_plan_once_and_quietly() -> None:
    core = core_of()
    bought(core, plan=ExitPlan(stop_px=900))

    core.quote(895)
    out = core.exit_order()
    assert out.request.order_qty == 90
    core.fill(out, 90, 895)

    assert core.only(DustLeft).qty == 7
    [notice] = core.all(Notify)
    assert (notice.code, notice.page) == ("DUST_LEFT", False)
    assert (core.position.qty, core.position.protection, core.position.strategy_id) == (7, None, "")
    assert core.state.book.streaks.losses == 1
    for _ in range(3):
        core.tick(10**10)
        assert core.quote(800) == []
    assert core.feed(ComparePositions(core.tick(), {"X": 7})) == [PositionsCompared(core.now_ns, "", 0, {})]
    check(core)


def test_close_without_a_quantity_sells_the_whole_lots_and_of_dust_alone_is_refused() -> None:
    core = core_of()
    bought(core)
    order = core.order(0, 0, action=Action.CLOSE)
    assert order.request.order_qty == 90
    core.fill(order, 90)
    assert core.only(DustLeft).qty == 7

    core.submit(core.intent(Action.CLOSE, 0, 0))

    refused = core.only(IntentRefused)
    assert (refused.code, "7 of X is held, too little" in refused.reason) == (RefusalCode.NO_POSITION, True)
    check(core)


@pytest.mark.parametrize(
    ("qty", "code"), [(97, None), (95, RefusalCode.OFF_LOT), (50, None), (100, RefusalCode.REDUCTION_EXCEEDS_POSITION)]
)
def test_close_of_all_that_is_held_by_its_figure_means_the_whole_lots(qty: int, code: RefusalCode | None) -> None:
    core = core_of()
    bought(core)
    core.submit(core.intent(Action.CLOSE, 0, qty))
    assert [refused.code for refused in core.all(IntentRefused)] == ([] if code is None else [code])
    assert [sent.request.order_qty for sent in core.all(SubmitOrder)] == ([] if code else [min(qty, 90)])
    check(core)


def test_odd_lot_leaves_where_the_venue_takes_it() -> None:
    core = core_of(Terms(0, 5, 10))
    bought(core, plan=ExitPlan(stop_px=900))
    core.quote(895)
    assert core.exit_order().request.order_qty == 97
    core.fill(core.exit_order(), 97, 895)
    assert (core.position.qty, core.all(DustLeft)) == (0, [])


def test_stop_at_the_venue_is_over_the_whole_lots_and_its_dust_lies() -> None:
    core = core_of(rules=AT_VENUE)
    bought(core, plan=ExitPlan(stop_px=900))
    [stop] = [order for order in core.live if order.request.ord_type == OrdType.STOP]
    assert stop.request.order_qty == 90
    core.accept(stop)
    core.fill(stop, 90, 900)
    assert (core.position.qty, core.position.dust, core.live) == (7, True, [])
    check(core)


def test_purchase_on_dust_is_a_new_position_of_whoever_makes_it() -> None:
    core = core_of(
        rules=profile(*ALL_GATES, "open_positions", limits=msgspec.structs.replace(LIMITS, open_positions_max=1))
    )
    bought(core)
    core.fill(core.order(0, 0, action=Action.CLOSE), 90)
    assert core.position.dust

    order = core.order(1, 20, strategy_id="other", plan=ExitPlan(stop_px=900))
    core.fill(order, 20, fee_qty=1)

    assert core.only(OrderFilled).effect == PositionEffect.OPENED
    position = core.position
    assert (position.qty, position.strategy_id, position.dust) == (26, "other", False)
    assert position.protection is not None
    core.quote(890)
    assert core.exit_order().request.order_qty == 20
    check(core)


def test_position_too_small_in_value_is_dust_when_it_is_to_leave() -> None:
    core = core_of(Terms(0, 5, 10, odd_lots=False, min_notional=19_000))
    bought(core, 20, 0, plan=ExitPlan(stop_px=900))
    assert core.position.protection is not None
    core.quote(895)
    assert [type(event) for event in core.events] == [ExitTriggered, DustLeft]
    assert core.live == []
    check(core)


def test_part_that_is_too_small_in_value_waits_and_the_stop_takes_the_whole() -> None:
    half = 500_000_000
    core = core_of(Terms(0, 5, 10, odd_lots=False, min_notional=15_000))
    bought(core, 20, 0, plan=ExitPlan(stop_px=900, stop_partial_ppb=half, ladder=(LadderStep(1100, half),)))
    assert core.quote(1105) == []
    core.quote(895)
    assert (core.exit_order().exit_reason, core.exit_order().request.order_qty) == (ExitReason.STOP, 20)


def test_flattening_leaves_dust_alone() -> None:
    core = core_of(rules=profile(limits=msgspec.structs.replace(LIMITS, shutdown_flattens=True)))
    bought(core)
    core.fill(core.order(0, 0, action=Action.CLOSE), 90)
    core.feed(Halt(core.tick(), "KILL", "why", "ada", level=KillLevel.SHUTDOWN))
    assert (core.live, core.position.protection) == ([], None)


def test_rest_of_an_entry_too_small_for_an_order_is_dust_once_nothing_works() -> None:
    core = core_of()
    order = core.order(1, 20, px=1000, plan=ExitPlan(stop_px=900))
    core.accept(order)
    core.fill(order, 10, fee_qty=1)
    assert core.position.protection
    core.report(order, ExecType.CANCELED, cum_qty=10)
    position = core.position
    assert (position.qty, position.dust, position.protection) == (9, True, None)
    check(core)


def test_trade_that_leaves_dust_is_closed_and_the_next_one_begins_with_it() -> None:
    core = core_of()
    for _ in range(2):
        bought(core)
        core.fill(core.order(0, 0, action=Action.CLOSE), core.live[0].request.order_qty, 1100)
    log = TradeLog()
    for event in core.journal:
        log.apply(event)
    first, second = log.closed
    assert (first.entry_qty, first.exit_qty, second.entry_qty, second.exit_qty) == (97, 90, 104, 100)
    assert first.realised + second.realised == core.state.book.realised
    assert first.fees + second.fees == core.state.book.fees
    assert log.running == {}
