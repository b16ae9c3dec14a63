"""What people and the shell do to a workspace: open, configure, define, halt, compare, reset."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from tests.domain.core import MONEY_PER_NOTIONAL, Core, instrument, opening, profile

from surefill.domain.decide import step
from surefill.domain.effects import CancelOrder, Notify
from surefill.domain.events import (
    BuildChanged,
    Halted,
    InstrumentDefined,
    IntentAccepted,
    IntentRefused,
    OrderCanceled,
    PositionAdjusted,
    PositionsCompared,
    ProfileSet,
    WorkspaceOpened,
    WorkspaceReset,
)
from surefill.domain.inputs import ComparePositions, DefineInstrument, Halt, ResetWorkspace, Resume, SetProfile
from surefill.domain.instrument import Instrument, Terms
from surefill.domain.intent import Action, ExitPlan
from surefill.domain.limits import Limits
from surefill.domain.state import State
from surefill.errors import ConfigError, InputError
from surefill.rules.codes import DriftBand, OrdStatus
from surefill.units import PPB

# -- opening --------------------------------------------------------------------------------------------------


def test_open_again_with_the_same_identity_changes_nothing() -> None:
    core = Core(cash=7)
    again = msgspec.structs.replace(opening(profile(), cash=999), ts_ns=50)
    assert core.feed(again) == []
    assert core.state.book.cash == 7


@pytest.mark.parametrize(
    "change",
    [
        {"workspace_id": "other"},
        {"mode": "live"},
        {"venue": "other"},
        {"account": "other"},
        {"currency": "USD"},
        {"money_decimals": 8},
    ],
)
def test_open_again_as_another_workspace_is_refused(change: dict[str, Any]) -> None:
    core = Core()
    with pytest.raises(ConfigError, match="for ever"):
        core.feed(msgspec.structs.replace(opening(profile()), **change))


@pytest.mark.parametrize("change", [{"profile": profile("halted")}, {"config_hash": "other"}])
def test_open_again_with_another_configuration_sets_the_next_version(change: dict[str, Any]) -> None:
    core = Core()
    core.feed(msgspec.structs.replace(opening(profile()), **change))
    assert core.only(ProfileSet).version == 2
    assert core.state.book.limits_version == 2


@pytest.mark.parametrize(
    "change",
    [
        {"mode": "demo"},
        {"workspace_id": ""},
        {"currency": ""},
        {"money_decimals": -1},
        {"money_decimals": 19},
        {"profile": profile("halted", "astrology")},
    ],
)
def test_open_of_nonsense_is_refused_and_leaves_nothing(change: dict[str, Any]) -> None:
    state = State()
    with pytest.raises(ConfigError):
        step(state, msgspec.structs.replace(opening(profile()), **change))
    assert state.digest() == State().digest()


def test_profile_versions_count_up_and_decisions_cite_theirs() -> None:
    core = Core()
    for version in (2, 3):
        core.feed(SetProfile(core.tick(), profile(limits=Limits(allow_negative_cash=version == 2)), "c"))
        assert core.only(ProfileSet).version == version
        core.submit(core.intent(Action.TRADE, 1, 10))
        decided = core.events[0]
        assert isinstance(decided, IntentAccepted | IntentRefused)
        assert decided.limits_version == version
        assert isinstance(decided, IntentRefused) is (version == 3)


def test_profile_with_unknown_gates_is_refused_and_the_old_one_stays() -> None:
    core = Core()
    with pytest.raises(ConfigError, match="astrology"):
        core.feed(SetProfile(core.tick(), profile("astrology"), "c"))
    assert core.state.book.profile == profile()


# -- instruments ----------------------------------------------------------------------------------------------


def test_instrument_defined_again_alike_changes_nothing() -> None:
    assert Core().feed(DefineInstrument(5, instrument("X"))) == []


def test_instrument_may_change_its_terms_and_never_its_quanta() -> None:
    core = Core()
    core.feed(DefineInstrument(5, instrument("X", Terms(0, 1, 1))))
    assert core.only(InstrumentDefined).instrument.terms == (Terms(0, 1, 1),)
    for change in ({"price_decimals": 1}, {"qty_decimals": 1}, {"money_per_notional": 10}):
        with pytest.raises(InputError) as refused:
            core.feed(DefineInstrument(6, msgspec.structs.replace(instrument("X"), **change)))
        assert refused.value.code == "QUANTA_CHANGED"


def test_instrument_that_takes_the_name_of_a_position_is_refused() -> None:
    core = Core()
    core.fill(core.order(1, 10, bucket="MIS"), 10)
    with pytest.raises(InputError) as refused:
        core.feed(DefineInstrument(5, instrument("X|MIS")))
    assert refused.value.code == "NAME_TAKEN"


@pytest.mark.parametrize(
    ("made", "code"),
    [
        (Instrument("Z", "USD", 0, 0, 1, (Terms(),)), "CURRENCY_MISMATCH"),
        (Instrument("Z", "EUR", 0, 0, 1, ()), "INVALID_TERMS"),
        (Instrument("Z", "EUR", 0, 0, 1, (Terms(5), Terms(5))), "INVALID_TERMS"),
        (Instrument("Z", "EUR", 0, 0, 1, (Terms(5), Terms(3))), "INVALID_TERMS"),
        (Instrument("Z", "EUR", 0, 0, 1, (Terms(0, 0, 1),)), "INVALID_TERMS"),
        (Instrument("Z", "EUR", 0, 0, 1, (Terms(0, 1, 0),)), "INVALID_TERMS"),
        (Instrument("Z", "EUR", 0, 0, 0, (Terms(),)), "INVALID_TERMS"),
    ],
)
def test_instrument_row_is_refused(made: Instrument, code: str) -> None:
    core = Core()
    with pytest.raises(InputError) as refused:
        core.feed(DefineInstrument(5, made))
    assert refused.value.code == code
    assert "Z" not in core.state.book.instruments


def test_terms_in_force_begin_at_their_date() -> None:
    made = instrument("X", Terms(100, 1, 1), Terms(200, 2, 2))
    assert [made.terms_at(ts_ns).tick for ts_ns in (0, 100, 199, 200, 10**18)] == [1, 1, 1, 2, 2]


# -- halts ----------------------------------------------------------------------------------------------------


def test_halt_takes_back_working_entries_and_leaves_reductions_alone() -> None:
    core = Core()
    core.hold(1, 100, plan=ExitPlan(stop_px=900))
    entry, closing = core.order(1, 10, px=900), core.order(0, 40, action=Action.CLOSE, px=1100)
    core.feed(Halt(core.tick(), "KILL", "a person said so", "ada"))
    assert core.names() == ["Halted", "CancelRequested"]
    assert core.only(CancelOrder).request is entry.request
    assert not closing.cancel_pending
    core.quote(900)  # the exit still works
    assert core.names() == ["ExitTriggered", "CancelRequested"]


@pytest.mark.parametrize(
    ("halt", "taken_back"),
    [
        ({}, ["X", "Y"]),
        ({"instrument_id": "X"}, ["X"]),
        ({"instrument_id": "Y"}, ["Y"]),
        ({"strategy_id": "first"}, ["X"]),
        ({"strategy_id": "nobody"}, []),
    ],
)
def test_halt_takes_back_what_it_names(halt: dict[str, Any], taken_back: list[str]) -> None:
    core = Core()
    core.quote(1000, "Y")
    core.order(1, 10, px=900, strategy_id="first")
    core.order(1, 10, px=900, strategy_id="second", instrument_id="Y")
    core.feed(Halt(core.tick(), "KILL", "a person said so", "ada", **halt))
    assert [effect.request.instrument_id for effect in core.all(CancelOrder)] == taken_back


@pytest.mark.parametrize("halt", [{}, {"instrument_id": "X"}, {"strategy_id": "s"}])
def test_halt_twice_is_one_and_resume_ends_it(halt: dict[str, Any]) -> None:
    core = Core()
    assert core.feed(Resume(core.tick(), "ada", **halt)) == []
    core.feed(Halt(core.tick(), "KILL", "first", "ada", **halt))
    assert core.feed(Halt(core.tick(), "OTHER", "second", "bob", **halt)) == []
    core.feed(Resume(core.tick(), "ada", **halt))
    assert core.names() == ["Resumed"]
    book = core.state.book
    assert (book.halted_code, book.halted_instruments, book.halted_strategies) == ("", {}, {})


def test_halt_without_a_code_is_refused_because_it_would_halt_nothing() -> None:
    core = Core()
    with pytest.raises(InputError):
        core.feed(Halt(core.tick(), "", "no code", "ada"))


# -- comparing ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("theirs", "differences"),
    [
        ({"X": 100}, {}),
        ({"X": 100, "Y": 0}, {}),
        ({"X": 90}, {"X": (100, 90)}),
        ({}, {"X": (100, 0)}),
        ({"X": 100, "Z": -5}, {"Z": (0, -5)}),
        ({"X": -100, "Z": 5}, {"X": (100, -100), "Z": (0, 5)}),
    ],
)
def test_comparison_is_journaled_and_a_difference_halts_and_pages(
    theirs: dict[str, int], differences: dict[str, tuple[int, int]]
) -> None:
    core = Core()
    core.hold(1, 100)
    core.fill(core.order(1, 10, bucket="MIS"), 10)
    core.fill(core.order(0, 0, action=Action.CLOSE, bucket="MIS"), 10)  # flat: not compared
    core.feed(ComparePositions(core.tick(), theirs))
    assert core.only(PositionsCompared).differences == differences
    assert len(core.all(Halted)) == len(core.all(Notify)) == bool(differences)
    assert core.state.book.halted_code == ("POSITION_DRIFT" if differences else "")


def test_comparison_names_positions_by_instrument_and_bucket() -> None:
    core = Core()
    core.fill(core.order(1, 10, bucket="MIS"), 10)
    core.feed(ComparePositions(core.tick(), {"X|MIS": 10}))
    assert core.only(PositionsCompared).differences == {}


# -- resetting ------------------------------------------------------------------------------------------------


BANDS = (PPB // 200, PPB // 100, PPB // 50, PPB // 20)  # 0.5, 1, 2 and 5 %
DRIFTS: list[tuple[int, int, DriftBand]] = [
    (1000, 1004, DriftBand.NONE),
    (1000, 1006, DriftBand.LOG),
    (995, 1000, DriftBand.LOG),  # 0.5 % is not below it
    (990, 1000, DriftBand.ALERT),
    (1000, 1015, DriftBand.ALERT),
    (980, 1000, DriftBand.CORRECT),
    (1000, 960, DriftBand.CORRECT),
    (950, 1000, DriftBand.HALT),
    (1000, 1100, DriftBand.HALT),
    (1000, 0, DriftBand.HALT),
    (0, 1000, DriftBand.HALT),
    (1000, -1000, DriftBand.HALT),
]


@pytest.mark.parametrize(("ours", "theirs", "band"), DRIFTS)
@pytest.mark.parametrize("side", [1, -1])
def test_drift_is_judged_by_its_band(ours: int, theirs: int, band: DriftBand, side: int) -> None:
    core = Core(profile(limits=Limits(allow_negative_cash=True, drift_bands_ppb=BANDS)))
    for qty in [ours // 10 * 10] if ours >= 10 else []:
        core.hold(side, qty)
    if ours % 10:
        core.fill(core.order(side, 10), ours % 10)
    core.feed(ComparePositions(core.tick(), {"X": side * theirs}))
    compared, adjusted = core.only(PositionsCompared), core.all(PositionAdjusted)
    assert compared.bands == ({"X": band} if band < DriftBand.HALT else {})
    assert bool(core.all(Notify)) == (band >= DriftBand.ALERT)
    assert core.state.book.halted_code == ("POSITION_DRIFT" if band == DriftBand.HALT else "")
    assert [event.qty for event in adjusted] == ([side * theirs] if band == DriftBand.CORRECT else [])
    assert core.position.qty == side * (theirs if band == DriftBand.CORRECT else ours) if ours else True


def test_correction_takes_back_reductions_that_exceed_what_is_left() -> None:
    core = Core(profile(limits=Limits(allow_negative_cash=True, drift_bands_ppb=BANDS)))
    core.hold(1, 1000)
    working = core.order(-1, 1000, px=1100, action=Action.CLOSE)
    core.feed(ComparePositions(core.tick(), {"X": 970}))
    assert working.cancel_pending


def test_reset_starts_over_and_keeps_what_is_not_money() -> None:
    core = Core(cash=5)
    core.hold(1, 100, plan=ExitPlan(stop_px=900))
    working = core.order(1, 10, px=900)
    unknown_before = core.state.book.number
    core.feed(Halt(core.tick(), "KILL", "a person said so", "ada"))
    core.feed(ResetWorkspace(core.tick(), 123, "ada"))
    assert core.names() == ["OrderCanceled", "WorkspaceReset"]
    assert core.only(OrderCanceled).cl_ord_id == working.request.cl_ord_id
    assert core.effects == []
    book = core.state.book
    assert (book.starting_cash, book.cash, book.realised, book.fees) == (123, 123, 0, 0)
    assert (book.positions, book.orders, book.done) == ({}, {}, {})
    assert (core.state.keys_of, core.state.reducing) == ({}, {})
    assert book.number == unknown_before  # ids never repeat
    assert book.halted_code == "KILL"  # only a person resumes
    assert (sorted(book.instruments), book.profile, book.limits_version) == (["X", "Y"], profile(), 1)


def test_reset_workspace_trades_again_with_new_ids() -> None:
    core = Core()
    first = core.order(1, 10)
    core.fill(first, 10, exec_id="e")
    core.feed(ResetWorkspace(core.tick(), 0, "ada"))
    second = core.order(1, 10)
    assert second.request.cl_ord_id != first.request.cl_ord_id
    assert second.request.order_ref != first.request.order_ref
    core.fill(second, 10, 1000)
    assert core.state.book.cash == -10_000 * MONEY_PER_NOTIONAL
    assert second.status == OrdStatus.FILLED


def test_report_about_an_order_from_before_the_reset_is_parked() -> None:
    core = Core()
    order = core.order(1, 10)
    core.feed(ResetWorkspace(core.tick(), 0, "ada"))
    core.fill(order, 10)
    assert core.names() == ["VenueReported", "ReportParked"]
    assert core.state.book.positions == {}


@pytest.mark.parametrize(("mode", "allowed"), [("paper", 1), ("backtest", 1), ("live", 0), ("dry_run", 0)])
def test_reset_is_for_simulated_money_alone(mode: str, allowed: int) -> None:
    core = Core(mode=mode)
    if not allowed:
        with pytest.raises(InputError) as refused:
            core.feed(ResetWorkspace(core.tick(), 0, "ada"))
        assert refused.value.code == "RESET_NOT_ALLOWED"
        return
    core.feed(ResetWorkspace(core.tick(), 0, "ada"))
    assert core.only(WorkspaceReset).by == "ada"


# -- the program, and a live start ----------------------------------------------------------------------------


def test_build_is_journaled_with_the_opening_and_whenever_another_goes_on() -> None:
    core = Core(mode="paper")
    again = msgspec.structs.replace(opening(core.state.book.profile), build="1+a")
    assert core.feed(again) == [BuildChanged(1, "", 0, "1+a")]
    assert core.feed(again) == []
    assert core.state.book.build == "1+a"
    assert core.feed(msgspec.structs.replace(again, build="")) == [], "nobody told"
    assert core.state.book.build == "1+a"
    assert core.state.book.limits_version == 1
    fresh = State()
    (opened,) = step(fresh, again)[0]
    assert isinstance(opened, WorkspaceOpened)
    assert (opened.build, fresh.book.build) == ("1+a", "1+a")


CHANGES: dict[str, tuple[dict[str, Any], str]] = {
    "build": ({"build": "2+b"}, "build 1+a is now 2+b"),
    "configuration": ({"config_hash": "other"}, "configuration config is now other"),
    "profile": ({"profile": profile("instrument")}, "profile changed"),
}


@pytest.mark.parametrize("mode", ["paper", "dry_run", "backtest", "live"])
@pytest.mark.parametrize("what", CHANGES)
def test_live_workspace_does_not_start_changed_unless_told_so(mode: str, what: str) -> None:
    core = Core(mode=mode)
    same = msgspec.structs.replace(opening(core.state.book.profile, mode), build="1+a")
    core.feed(msgspec.structs.replace(same, accept_changes=True))
    assert core.feed(same) == []
    change, told = CHANGES[what]
    changed = msgspec.structs.replace(same, **change)
    if mode == "live":
        with pytest.raises(ConfigError, match="start it with --accept-changes") as caught:
            core.feed(changed)
        assert (caught.value.code, caught.value.values["changed"]) == ("CHANGES_NOT_ACCEPTED", what)
        assert told in caught.value.message
        assert core.state.book.build == "1+a"
        changed = msgspec.structs.replace(changed, accept_changes=True)
    assert len(core.feed(changed)) == 1
    assert core.feed(msgspec.structs.replace(changed, accept_changes=False)) == []
