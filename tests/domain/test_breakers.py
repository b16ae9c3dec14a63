"""Breakers: what trips each, that it stays tripped, whom it tells, and the one way each is armed again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec
import pytest
from tests.domain.core import ALL_GATES, MONEY_PER_NOTIONAL, Core, profile

from surefill.domain import codec
from surefill.domain.decide.breakers import REARM_TIMER
from surefill.domain.effects import CancelOrder, Notify, SetTimer
from surefill.domain.events import (
    BreakerRearmed,
    BreakerTripped,
    EquityMarked,
    IntentAccepted,
    IntentRefused,
    OrderCanceled,
    SessionSet,
)
from surefill.domain.evolve import evolve
from surefill.domain.gates import BREAKERS
from surefill.domain.inputs import (
    OutcomeUnknown,
    Rearm,
    RecoverOrders,
    ResetWorkspace,
    SendLapsed,
    SetProfile,
    SetSession,
    TimerFired,
)
from surefill.domain.intent import Action
from surefill.domain.limits import REARM_DAY, REARM_DEFAULTS, REARM_HUMAN, Limits
from surefill.domain.market import Quote
from surefill.domain.refusals import RefusalCode as Code
from surefill.domain.state import State
from surefill.domain.valuation import equity
from surefill.errors import InputError
from surefill.rules.codes import OrdType
from surefill.units import NS_PER_DAY, PCT_PPB, PPB

UNIT = MONEY_PER_NOTIONAL  # the money of one price unit times one piece: with six decimals, one euro
CASH = 1_000_000 * UNIT
LIMITS: dict[str, Any] = {
    "allow_negative_cash": True,
    "daily_loss_max": 1_000 * UNIT,
    "daily_drawdown_max_ppb": PCT_PPB,
    "drawdown_max_ppb": PCT_PPB,
    "equity_drop_max_ppb": PCT_PPB,
    "loss_streak_max": 2,
    "reject_streak_max": 2,
    "slippage_max_ppb": PCT_PPB,
    "equity_granularity_ppb": 0,
}


def _core(*breakers: str, cash: int = CASH, day: str = "d1", held: bool = True, **limits: Any) -> Core:
    core = Core(profile(*ALL_GATES, *(breakers or tuple(BREAKERS)), limits=Limits(**LIMITS | limits)), cash=cash)
    if day:
        _begin(core, day)
    if held:  # something to leave
        core.quote(100, "Y")
        core.fill(core.order(1, 100, instrument_id="Y"), 100, 100)
    return core


def _begin(core: Core, day: str) -> None:
    """The next trading day is on."""
    number = int(day[1:])
    core.now_ns = max(core.now_ns, (number - 1) * NS_PER_DAY + 10)
    core.feed(SetSession(core.now_ns, "24x7", day, (number - 1) * NS_PER_DAY, number * NS_PER_DAY))


def _round_trip(core: Core, from_px: int, to_px: int, qty: int = 100, fee: int = 0) -> None:
    """Buy and sell again: the result is (to - from) times the quantity, in euro, less the fees of both."""
    core.fill(core.order(qty=qty), qty, from_px, fee=fee)
    core.fill(core.order(0, qty, action=Action.CLOSE), qty, to_px, fee=fee)


def _entry(core: Core) -> tuple[Code | None, str]:
    """What an ordinary purchase meets, and in which words."""
    core.submit(core.intent(Action.TRADE, 1, 10))
    refused = core.all(IntentRefused)
    if refused:
        return Code(refused[0].code), refused[0].reason
    core.only(IntentAccepted)
    return None, ""


# -- what trips each, at the limit and beyond -----------------------------------------------------------------


class Case(NamedTuple):
    """How to bring the breaker to its limit, and one step beyond; and the figures that it then tells."""

    to_limit: Callable[[Core], object]
    beyond: Callable[[Core], object]
    figures: tuple[str, ...]


def _hold_and_fall(px: int) -> Callable[[Core], None]:
    """1000 pieces at 1000 and 1 000 000 euro of equity: each unit of price is 0.1 % of it."""

    def play(core: Core) -> None:
        if "X" not in core.state.book.positions:
            core.hold(1, 1000, 1000)
        core.quote(px)

    return play


def _rejects(core: Core) -> None:
    core.rejected(core.order())


CASES = {
    "daily_loss": Case(
        lambda core: _round_trip(core, 1000, 990),
        lambda core: _round_trip(core, 1000, 999, 10),
        ("daily loss 1010 EUR of 1000 EUR",),
    ),
    "daily_drawdown": Case(
        lambda core: (_hold_and_fall(1010)(core), _hold_and_fall(1000)(core)),
        _hold_and_fall(999),
        ("11000 EUR below the day's high", "1.1 % of the day's start", "at most 1 %"),
    ),
    "drawdown": Case(
        lambda core: (_hold_and_fall(1100)(core), _hold_and_fall(1089)(core)),
        _hold_and_fall(1088),
        ("12000 EUR below its highest (1100000 EUR)", "1.1 %", "at most 1 %"),
    ),
    "equity_drop": Case(_hold_and_fall(990), _hold_and_fall(989), ("11000 EUR below the day's start", "1.1 %")),
    "loss_streak": Case(
        lambda core: _round_trip(core, 1000, 999),
        lambda core: _round_trip(core, 1000, 999),
        ("2 losing positions in a row, 2 are the limit",),
    ),
    "reject_streak": Case(_rejects, _rejects, ("2 orders in a row refused by the venue, 2 are the limit",)),
    "slippage": Case(
        lambda core: core.fill(core.order(), 100, 1010),
        lambda core: core.fill(core.order(), 100, 1011),
        ("1.1 % worse than its price", "at most 1 %"),
    ),
}


def test_case_for_every_breaker() -> None:
    assert CASES.keys() == BREAKERS.keys() == REARM_DEFAULTS.keys()


def _trip(name: str, **limits: Any) -> Core:
    core = _core(name, **limits)
    CASES[name].to_limit(core)
    CASES[name].beyond(core)
    core.only(BreakerTripped)
    return core


@pytest.mark.parametrize("name", BREAKERS)
def test_breaker_holds_at_its_limit_and_trips_beyond_it_with_its_figures(name: str) -> None:
    core, case = _core(name), CASES[name]
    case.to_limit(core)
    assert core.state.book.tripped == {}
    assert _entry(core) == (None, "")
    core.canceled(core.live[-1])
    case.beyond(core)
    tripped = core.only(BreakerTripped)
    assert (tripped.breaker, Code(tripped.code)) == (name, BREAKERS[name].code)
    assert [text for text in case.figures if text not in tripped.reason] == []
    code, reason = _entry(core)
    assert code == BREAKERS[name].code
    assert tripped.reason in reason


@pytest.mark.parametrize("name", BREAKERS)
def test_tripped_breaker_takes_back_entries_and_pages_when_a_person_is_needed(name: str) -> None:
    core, case = _core(name), CASES[name]
    case.to_limit(core)
    resting = core.order(px=500)
    core.accept(resting)
    if name == "reject_streak":
        case.to_limit(core)  # the acceptance has begun the count anew
    case.beyond(core)
    assert core.only(CancelOrder).request.cl_ord_id == resting.request.cl_ord_id
    notice = core.only(Notify)
    assert (notice.code, notice.page) == ("BREAKER_TRIPPED", REARM_DEFAULTS[name] == REARM_HUMAN)
    assert core.only(BreakerTripped).reason in notice.text


@pytest.mark.parametrize("name", BREAKERS)
def test_tripped_breaker_lets_every_exit_through(name: str) -> None:
    core = _trip(name)
    core.submit(core.intent(Action.CLOSE, 0, 10, instrument_id="Y"))
    core.only(IntentAccepted)
    core.submit(core.intent(Action.TRADE, -1, 10, instrument_id="Y"))
    core.only(IntentAccepted)
    core.submit(core.intent(Action.TRADE, -1, 90, instrument_id="Y"))
    assert Code(core.only(IntentRefused).code) == Code.REDUCTION_EXCEEDS_POSITION, "no longer an exit, with the others"


MENDED: dict[str, Callable[[Core], object]] = {
    "daily_loss": lambda core: _close_y(core, 1500),
    "daily_drawdown": _hold_and_fall(1200),
    "drawdown": _hold_and_fall(1200),
    "equity_drop": _hold_and_fall(1200),
    "loss_streak": lambda core: _close_y(core, 1500),
    "reject_streak": lambda core: core.accept(core.order(0, 10, action=Action.CLOSE, instrument_id="Y")),
}


def _close_y(core: Core, px: int) -> None:
    core.fill(core.order(0, 100, action=Action.CLOSE, instrument_id="Y"), 100, px)


@pytest.mark.parametrize("name", MENDED)
def test_tripped_breaker_stays_so_when_what_tripped_it_is_gone(name: str) -> None:
    core = _trip(name)
    MENDED[name](core)
    assert BREAKERS[name].condition(core.state, equity(core.state)) is None, "the test has not mended what it says"
    code, reason = _entry(core)
    assert code == BREAKERS[name].code
    assert "re-arm" in reason


@pytest.mark.parametrize("name", BREAKERS)
def test_tripped_breaker_trips_once(name: str) -> None:
    core = _core(name)
    filling, failing = core.order(qty=100), core.order(qty=100)  # on their way when it trips
    CASES[name].to_limit(core)
    CASES[name].beyond(core)
    core.only(BreakerTripped)
    core.rejected(failing)
    core.fill(filling, 100, 1_100)
    core.quote(500)
    core.fill(core.order(0, 100, action=Action.CLOSE), 100, 500)
    assert [event for event in core.journal if isinstance(event, BreakerTripped)][1:] == []


# -- how each is armed again ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", BREAKERS)
def test_person_arms_a_breaker_again_and_it_counts_from_there(name: str) -> None:
    core = _trip(name)
    core.feed(Rearm(core.tick(), name, "ada"))
    rearmed = core.only(BreakerRearmed)
    assert (rearmed.breaker, rearmed.by) == (name, "ada")
    assert core.state.book.tripped == {}
    assert _entry(core) == (None, "")
    core.canceled(core.live[-1])
    assert core.all(BreakerTripped) == [], "it has not forgotten what it had counted"


@pytest.mark.parametrize(("name", "how"), [*REARM_DEFAULTS.items()])
def test_next_trading_day_arms_what_is_armed_by_the_day_and_nothing_else(name: str, how: int) -> None:
    core = _trip(name)
    assert core.only(BreakerTripped).until_ns == how
    _begin(core, "d2")
    assert (name in core.state.book.tripped) is (how == REARM_HUMAN)
    assert (_entry(core)[0] is None) is (how == REARM_DAY)


@pytest.mark.parametrize("name", BREAKERS)
def test_cooling_off_arms_a_breaker_when_its_time_is_over_not_before(name: str) -> None:
    core = _trip(name, rearm_ns={name: 1_000})
    until_ns = core.now_ns + 1_000
    assert core.only(BreakerTripped).until_ns == until_ns
    assert core.only(SetTimer) == SetTimer(REARM_TIMER + name, until_ns)
    assert core.only(Notify).page is False
    core.feed(TimerFired(until_ns - 1, REARM_TIMER + name))
    assert core.events == []
    assert _entry(core)[0] == BREAKERS[name].code
    core.feed(TimerFired(until_ns, REARM_TIMER + name))
    assert core.only(BreakerRearmed).by == "cooling-off"
    assert _entry(core) == (None, "")


def test_timer_of_another_way_of_arming_does_nothing() -> None:
    core = _trip("daily_loss")
    core.feed(TimerFired(core.tick(10**15), REARM_TIMER + "daily_loss"))
    core.feed(TimerFired(core.tick(), REARM_TIMER + "slippage"))
    assert core.events == []


def test_cooling_off_outlasts_the_day() -> None:
    core = _trip("loss_streak", rearm_ns={"loss_streak": 10 * NS_PER_DAY})
    _begin(core, "d2")
    assert "loss_streak" in core.state.book.tripped


@pytest.mark.parametrize(
    ("breaker", "by", "code"), [("daily_loss", "", "NAME_REQUIRED"), ("slippage", "ada", "NOT_TRIPPED")]
)
def test_rearming_without_a_name_or_a_trip_is_refused(breaker: str, by: str, code: str) -> None:
    core = _trip("daily_loss")
    with pytest.raises(InputError) as refused:
        core.feed(Rearm(core.tick(), breaker, by))
    assert refused.value.code == code
    assert core.state.book.tripped.keys() == {"daily_loss"}


# -- restarts -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", BREAKERS)
@pytest.mark.parametrize("how", ["snapshot", "journal"])
def test_restart_changes_nothing(name: str, how: str) -> None:
    core = _trip(name, rearm_ns={name: 1_000})
    until_ns = core.state.book.tripped[name].until_ns
    if how == "snapshot":
        core.state = State.restore(core.state.snapshot())
    else:
        core.state = State()
        for event in core.journal:
            evolve(core.state, codec.decode(codec.encode(event)))
    core.feed(RecoverOrders(core.tick()))
    assert SetTimer(REARM_TIMER + name, until_ns) in core.effects, "its cooling-off would never be over"
    core.state.quotes["X"] = Quote("X", core.now_ns, 1000)
    assert _entry(core)[0] == BREAKERS[name].code


@pytest.mark.parametrize("name", BREAKERS)
def test_counting_goes_on_over_a_restart_in_the_middle(name: str) -> None:
    core, case = _core(name), CASES[name]
    case.to_limit(core)
    quotes = core.state.quotes
    core.state = State.restore(core.state.snapshot())
    core.state.quotes = quotes
    case.beyond(core)
    core.only(BreakerTripped)


# -- what never trips one -------------------------------------------------------------------------------------


def test_profits_trip_nothing() -> None:
    core = _core(loss_streak_max=1, slippage_max_ppb=0, daily_loss_max=0, drawdown_value_max=0)
    core.fill(core.order(px=1000), 100, 990)  # better than decided
    core.fill(core.order(0, 0, action=Action.CLOSE), 100, 2000)
    for px in (1000, 2000, 5000):
        core.quote(px)
        core.hold(1, 1000, px)
        core.quote(px + 1000)
        core.fill(core.order(0, 0, action=Action.CLOSE), 1000, px + 1000)
    core.quote(5000)
    core.hold(-1, 1000, 5000)
    core.quote(10)
    assert [event for event in core.journal if isinstance(event, BreakerTripped)] == []
    assert _entry(core) == (None, "")


def test_position_closed_at_its_cost_is_no_loss_and_ends_no_streak() -> None:
    core = _core("loss_streak")
    _round_trip(core, 1000, 999)
    _round_trip(core, 1000, 1000)
    assert core.state.book.streaks.losses == 1


def test_loss_of_a_position_is_net_of_its_fees_and_counts_when_it_is_flat() -> None:
    core = _core("loss_streak", "daily_loss")
    _round_trip(core, 1000, 1001, fee=60 * UNIT)  # 100 won, 120 paid
    assert core.state.book.streaks.losses == 1
    assert core.state.book.day.realised == -20 * UNIT
    core.hold(1, 100, 1000)
    core.fill(core.order(0, 50, action=Action.CLOSE), 50, 999)
    assert core.state.book.streaks.losses == 1, "half of it is still open"
    core.fill(core.order(0, 50, action=Action.CLOSE), 50, 1002)
    assert core.state.book.streaks.losses == 0, "as a whole it won"


def test_position_turned_round_counts_what_was_closed() -> None:
    core = _core("loss_streak")
    core.hold(1, 100, 1000)
    core.fill(core.order(-1, 200), 200, 990)
    assert (core.state.book.streaks.losses, core.position.qty) == (1, -100)
    core.fill(core.order(0, 0, action=Action.CLOSE), 100, 980)
    assert core.state.book.streaks.losses == 0


def test_refusals_of_our_own_are_not_the_venues() -> None:
    """Not sent, taken back, or against a recheck: the venue has refused nothing."""
    core = _core("reject_streak")
    for code in ("SEND_LAPSED", "NOT_SENT", "STALE_TICK"):
        order = core.order()
        core.now_ns = max(core.now_ns, order.request.send_by_ns)
        core.feed(SendLapsed(core.tick(), order.request.cl_ord_id, code, "kept here"))
    assert core.state.book.streaks.rejects == 0
    assert _entry(core) == (None, "")


def test_order_that_the_venue_takes_or_fills_ends_a_streak_of_refusals() -> None:
    core = _core("reject_streak")
    for play in (core.accept, lambda order: core.fill(order, 100)):
        _rejects(core)
        assert core.state.book.streaks.rejects == 1
        play(core.order())
        assert core.state.book.streaks.rejects == 0


def test_unknown_outcome_is_no_refusal() -> None:
    core = _core("reject_streak")
    for _ in range(3):
        core.feed(OutcomeUnknown(core.tick(), core.order().request.cl_ord_id, "timed out"))
    assert core.state.book.streaks.rejects == 0


@pytest.mark.parametrize(
    ("fields", "px", "worst"),
    [
        ({}, 1000, 0),
        ({}, 990, 0),
        ({}, 1005, PPB // 200),
        ({"side": -1}, 995, PPB // 200),
        ({"side": -1}, 1005, 0),
        ({"px": 1005}, 1005, PPB // 200),
        # A stop order is decided at its trigger: how far that is from the market is not slippage.
        ({"ord_type": OrdType.STOP, "stop_px": 1100}, 1100, 0),
        ({"ord_type": OrdType.STOP, "stop_px": 1100}, 1111, PCT_PPB),
        ({"ord_type": OrdType.STOP, "stop_px": 900, "side": -1}, 891, PCT_PPB),
    ],
)
def test_slippage_of_an_entry_is_measured_against_the_price_it_was_decided_at(
    fields: dict[str, Any], px: int, worst: int
) -> None:
    core = _core("slippage", slippage_max_ppb=PPB)
    core.fill(core.order(**fields), 100, px)
    assert core.state.book.streaks.worst_slippage_ppb == worst


def test_slippage_of_an_exit_is_not_an_entrys() -> None:
    core = _core("slippage")
    core.hold()
    core.fill(core.order(0, 0, action=Action.CLOSE), 100, 500)
    assert core.state.book.streaks.worst_slippage_ppb == 0


# -- the day and the equity -----------------------------------------------------------------------------------

BY_THE_DAY = ("daily_loss", "daily_drawdown", "equity_drop")


@pytest.mark.parametrize("name", BY_THE_DAY)
def test_breaker_of_the_day_refuses_without_a_day_and_does_not_trip(name: str) -> None:
    core = _core(name, day="", held=False)
    code, reason = _entry(core)
    assert code == Code.DAY_UNKNOWN
    assert "calendar" in reason
    assert core.state.book.tripped == {}
    _begin(core, "d1")
    assert _entry(core) == (None, "")


@pytest.mark.parametrize("name", ["daily_drawdown", "drawdown", "equity_drop"])
def test_breaker_of_the_equity_refuses_while_a_position_has_no_price_and_does_not_trip(name: str) -> None:
    core = _core(name)
    core.hold(1, 10)
    del core.state.quotes["X"]
    core.submit(core.intent(Action.TRADE, 1, 10, instrument_id="Y"))
    refused = core.only(IntentRefused)
    assert (Code(refused.code), core.state.book.tripped) == (Code.EQUITY_UNKNOWN, {})
    assert "no price" in refused.reason


def test_daily_loss_without_a_limit_refuses() -> None:
    code, reason = _entry(_core("daily_loss", daily_loss_max=-1, held=False))
    assert code == Code.LIMIT_MISSING
    assert "risk.daily_loss_max" in reason


def test_day_begins_anew_with_the_next_session() -> None:
    core = _core("daily_loss", "daily_drawdown")
    _round_trip(core, 1000, 995)
    _begin(core, "d2")
    day = core.state.book.day
    assert (day.day, day.realised, day.trades, day.start_equity) == ("d2", 0, 0, CASH - 500 * UNIT)
    _round_trip(core, 1000, 995)
    assert core.state.book.tripped == {}, "half of the limit each day"


def test_time_that_runs_backwards_begins_no_day_again() -> None:
    core = _core("daily_loss")
    _begin(core, "d2")
    _round_trip(core, 1000, 995)
    core.feed(SetSession(core.now_ns, "24x7", "d1", 0, NS_PER_DAY))
    assert core.events == []
    assert core.state.book.day.realised == -500 * UNIT


def test_session_of_another_calendar_is_not_the_workspaces_day() -> None:
    core = _core("daily_loss")
    core.feed(SetSession(core.now_ns, "nse", "d9", 0, 9 * NS_PER_DAY))
    assert core.state.book.day.day == "d1"
    assert core.state.book.sessions.keys() == {"24x7", "nse"}


def test_equity_of_a_day_is_not_known_until_all_has_a_price_and_begins_there() -> None:
    core = _core("daily_drawdown")
    core.hold(1, 1000, 1000)
    quote = core.state.quotes.pop("X")
    _begin(core, "d2")
    assert core.state.book.day.start_equity is None
    core.feed(quote)
    assert core.only(EquityMarked).equity == CASH
    assert core.state.book.day.start_equity == core.state.book.day.high_equity == CASH


@pytest.mark.parametrize(("granularity_ppb", "marks"), [(0, 10), (PPB // 500, 5), (PPB // 100, 1), (PPB, 0)])
def test_high_is_journaled_when_it_is_higher_by_the_granularity(granularity_ppb: int, marks: int) -> None:
    core = _core("drawdown", equity_granularity_ppb=granularity_ppb)
    core.hold(1, 1000, 1000)
    for px in range(1001, 1011):  # each 0.1 % of the day's start
        core.quote(px)
    assert len([event for event in core.journal if isinstance(event, EquityMarked)]) == marks


def test_drawdown_in_money_trips_as_well() -> None:
    core = _core("drawdown", drawdown_max_ppb=PPB, drawdown_value_max=5_000 * UNIT)
    core.hold(1, 1000, 1000)
    core.quote(995)
    assert core.state.book.tripped == {}
    core.quote(994)
    assert "at most 5000 EUR" in core.only(BreakerTripped).reason


def test_breaker_is_tripped_by_a_bar_and_by_an_answer_too() -> None:
    core = _core("equity_drop")
    core.hold(1, 1000, 1000)
    core.bar(1000, 1000, 900, 900)
    core.only(BreakerTripped)
    core = _core("equity_drop")
    core.hold(1, 1000, 1000)
    core.fill(core.order(0, 0, action=Action.CLOSE), 1000, 900)
    core.only(BreakerTripped)


def test_reset_arms_everything_and_begins_with_its_cash() -> None:
    core = _trip("drawdown")
    core.feed(ResetWorkspace(core.tick(), 5, "ada"))
    assert core.state.book.tripped == {}
    assert core.state.book.streaks.peak_equity == 5
    assert core.state.book.day.start_equity == 5


def test_breakers_that_no_profile_names_count_and_trip_nothing() -> None:
    core = Core(profile(*ALL_GATES, limits=Limits(**LIMITS)), cash=CASH)
    for case in CASES.values():
        case.to_limit(core)
        case.beyond(core)
    kinds = {type(event) for event in core.journal}
    assert not kinds & {BreakerTripped, EquityMarked, OrderCanceled}


# -- another profile ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", BREAKERS)
def test_breaker_that_has_tripped_stays_open_although_the_profile_drops_it(name: str) -> None:
    core = _core(name)
    CASES[name].to_limit(core)
    CASES[name].beyond(core)
    assert name in core.state.book.tripped
    told = _entry(core)
    assert told[0] == BREAKERS[name].code
    core.feed(SetProfile(core.tick(), profile(), "without it"))
    assert _entry(core) == told
    core.quote(1000)
    assert _entry(core) == told
    core.state = State.restore(core.state.snapshot())
    core.quote(1000)
    assert _entry(core) == told
    core.submit(core.intent(Action.CLOSE, 0, 0, instrument_id="Y"))
    core.only(IntentAccepted)
    core.feed(Rearm(core.tick(), name, "ada"))
    assert _entry(core)[0] is None


@pytest.mark.parametrize(("name", "figures"), [("equity_drop", "11000 EUR below the day's start, 1.1 %")])
def test_breaker_of_the_equity_switched_on_in_the_day_counts_from_the_days_beginning(name: str, figures: str) -> None:
    core = Core(profile(limits=Limits(**LIMITS)), cash=CASH)
    _begin(core, "d1")
    core.hold(1, 1000, 1000)
    core.quote(989)
    core.feed(SetProfile(core.tick(), profile(*ALL_GATES, name, limits=Limits(**LIMITS)), "with it"))
    core.quote(989)
    assert figures in core.only(BreakerTripped).reason


H = NS_PER_DAY // 24


@pytest.mark.parametrize("known", [True, False])
def test_day_goes_on_with_all_it_counted_until_the_session_of_a_new_calendar_ends(known: bool) -> None:
    core = _core("daily_loss")  # d1 until midnight
    _round_trip(core, 1000, 995)
    other = SetSession(core.tick(), "nse", "n1", 4 * H, 10 * H)
    if known:
        core.feed(other)
    rules = msgspec.structs.replace(core.state.book.profile, calendar="nse")
    core.feed(SetProfile(core.tick(), rules, "another calendar"))
    if not known:
        core.feed(msgspec.structs.replace(other, ts_ns=core.tick()))
    assert core.only(SessionSet).continues
    day = core.state.book.day
    assert (day.day, day.end_ns, day.realised, day.trades) == ("n1", 10 * H, -500 * UNIT, 3)
    core.now_ns = 10 * H
    core.feed(SetSession(core.now_ns, "nse", "n2", 28 * H, 34 * H))
    day = core.state.book.day
    assert (day.day, day.end_ns, day.realised, day.trades) == ("n2", 34 * H, 0, 0)


def test_change_of_calendars_arms_no_breaker_of_the_day() -> None:
    core = _core("daily_loss")
    CASES["daily_loss"].to_limit(core)
    CASES["daily_loss"].beyond(core)
    rules = msgspec.structs.replace(core.state.book.profile, calendar="nse")
    core.feed(SetProfile(core.tick(), rules, "another calendar"))
    core.feed(SetSession(core.tick(), "nse", "n1", 4 * H, 10 * H))
    assert _entry(core)[0] == Code.DAILY_LOSS
    core.now_ns = 10 * H
    core.feed(SetSession(core.now_ns, "nse", "n2", 28 * H, 34 * H))
    assert _entry(core)[0] is None


def test_day_that_is_over_does_not_go_on_in_a_new_calendar() -> None:
    core = _core("daily_loss")
    _round_trip(core, 1000, 995)
    rules = msgspec.structs.replace(core.state.book.profile, calendar="nse")
    core.feed(SetProfile(core.tick(), rules, "another calendar"))
    core.now_ns = NS_PER_DAY
    core.feed(SetSession(core.now_ns, "nse", "n2", 28 * H, 34 * H))
    assert (core.state.book.day.day, core.state.book.day.realised) == ("n2", 0)
