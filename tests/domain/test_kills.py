"""Kill switches: five scopes, three levels. By themselves they only tighten; a named person loosens them."""

from __future__ import annotations

from typing import Any

import pytest
from tests.domain.core import ALL_GATES, Core, profile

from surefill.domain import codec
from surefill.domain.effects import CancelOrder, SubmitOrder
from surefill.domain.events import ExitTriggered, Halted, IntentAccepted, IntentRefused, Resumed
from surefill.domain.evolve import evolve
from surefill.domain.inputs import ComparePositions, Halt, Resume
from surefill.domain.intent import Action, ExitPlan
from surefill.domain.limits import Limits
from surefill.domain.refusals import RefusalCode as Code
from surefill.domain.reports import ExecType
from surefill.domain.state import State
from surefill.errors import InputError
from surefill.rules.codes import ExitReason, KillLevel

NORMAL, THROTTLE, SUSPEND, SHUTDOWN = KillLevel

SCOPES: dict[str, dict[str, Any]] = {
    "engine": {"scope": "engine"},
    "venue": {"scope": "venue"},
    "workspace": {},
    "symbol:X": {"instrument_id": "X"},
    "strategy:s": {"strategy_id": "s"},
}


def _halt(core: Core, level: int = SUSPEND, **scope: str) -> None:
    core.feed(Halt(core.tick(), "KILL", "a person said so", "ada", level=level, **scope))


def _resume(core: Core, level: int = NORMAL, **scope: str) -> None:
    core.feed(Resume(core.tick(), "ada", level=level, **scope))


def _level(core: Core, scope: str = "workspace") -> int:
    kill = core.state.book.kills.get(scope)
    return kill.level if kill is not None else NORMAL


# -- tighter by itself, looser by a person --------------------------------------------------------------------


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("before", KillLevel)
@pytest.mark.parametrize("asked", [THROTTLE, SUSPEND, SHUTDOWN])
def test_halt_only_tightens(scope: str, before: KillLevel, asked: KillLevel) -> None:
    core = Core()
    if before:
        _halt(core, before, **SCOPES[scope])
    _halt(core, asked, **SCOPES[scope])
    assert _level(core, scope) == max(before, asked)
    assert bool(core.events) is (asked > before)


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("before", [THROTTLE, SUSPEND, SHUTDOWN])
@pytest.mark.parametrize("asked", [NORMAL, THROTTLE, SUSPEND])
def test_resume_only_loosens(scope: str, before: KillLevel, asked: KillLevel) -> None:
    core = Core()
    _halt(core, before, **SCOPES[scope])
    _resume(core, asked, **SCOPES[scope])
    assert _level(core, scope) == min(before, asked)
    assert bool(core.events) is (asked < before)


@pytest.mark.parametrize("scope", SCOPES)
def test_switch_of_one_scope_is_not_moved_by_that_of_another(scope: str) -> None:
    core = Core()
    _halt(core, SUSPEND, **SCOPES[scope])
    for other, fields in SCOPES.items():
        if other != scope:
            _resume(core, NORMAL, **fields)
    assert core.state.book.kills.keys() == {scope}


def test_resume_of_nothing_changes_nothing() -> None:
    core = Core()
    _resume(core)
    assert (core.events, core.state.book.kills) == ([], {})


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"code": ""}, "CODE_REQUIRED"),
        ({"level": NORMAL}, "INVALID_LEVEL"),
        ({"level": 4}, "INVALID_LEVEL"),
        ({"level": -1}, "INVALID_LEVEL"),
        ({"scope": "elsewhere"}, "INVALID_SCOPE"),  # a switch that no gate looks at
        ({"scope": "symbol:X"}, "INVALID_SCOPE"),
        ({"scope": "engine", "instrument_id": "X"}, "INVALID_SCOPE"),
    ],
)
def test_halt_that_cannot_be_meant_is_refused(fields: dict[str, Any], code: str) -> None:
    core = Core()
    with pytest.raises(InputError) as refused:
        core.feed(Halt(core.tick(), **{"code": "KILL", "reason": "why", "by": "ada", **fields}))
    assert refused.value.code == code
    assert core.state.book.kills == {}


def test_resume_by_nobody_is_refused() -> None:
    core = Core()
    _halt(core)
    with pytest.raises(InputError) as refused:
        core.feed(Resume(core.tick(), ""))
    assert refused.value.code == "NAME_REQUIRED"
    assert _level(core) == SUSPEND


def test_alarm_of_a_fill_that_should_not_be_loosens_no_switch() -> None:
    core = Core()
    order = core.order(qty=100)
    core.canceled(order, cum_qty=0)
    _halt(core, SHUTDOWN, instrument_id="X")
    core.fill(order, 100)
    assert core.only(Halted).code == "LATE_FILL"
    assert _level(core, "symbol:X") == SHUTDOWN


@pytest.mark.parametrize("before", [THROTTLE, SHUTDOWN])
def test_position_drift_suspends_the_workspace_at_least(before: KillLevel) -> None:
    core = Core()
    _halt(core, before)
    core.feed(ComparePositions(core.tick(), {"X": 5}))
    assert _level(core) == max(before, SUSPEND)


# -- what each level does -------------------------------------------------------------------------------------


@pytest.mark.parametrize("level", [THROTTLE, SUSPEND, SHUTDOWN])
@pytest.mark.parametrize("scope", SCOPES)
def test_working_entries_are_taken_back_from_suspend_on_and_reductions_never(level: KillLevel, scope: str) -> None:
    core = Core()
    core.hold(1, 100)
    entry, closing = core.order(px=900), core.order(0, 10, action=Action.CLOSE, px=1100)
    core.accept(entry)
    core.accept(closing)
    _halt(core, level, **SCOPES[scope])
    canceled = [effect.request.cl_ord_id for effect in core.all(CancelOrder)]
    assert canceled == ([entry.request.cl_ord_id] if level >= SUSPEND else [])


@pytest.mark.parametrize(
    ("halt", "taken"),
    [
        ({"instrument_id": "Y"}, "Y"),
        ({"strategy_id": "other"}, "Y"),
        ({"instrument_id": "X", "strategy_id": "other"}, "X"),  # the switch is that of X
        ({}, "XY"),
    ],
)
def test_suspend_takes_back_what_it_names_and_nothing_else(halt: dict[str, Any], taken: str) -> None:
    core = Core()
    core.quote(1000, "Y")
    core.accept(core.order(px=900))
    core.accept(core.order(px=900, instrument_id="Y", strategy_id="other"))
    _halt(core, **halt)
    assert "".join(effect.request.instrument_id for effect in core.all(CancelOrder)) == taken


def _flattening(*, flattens: bool) -> Core:
    core = Core(profile(limits=Limits(allow_negative_cash=True, shutdown_flattens=flattens)))
    core.quote(1000, "Y")
    core.hold(1, 100, plan=ExitPlan(stop_px=900))
    core.fill(core.order(-1, 50, instrument_id="Y", strategy_id="other"), 50)  # without a plan
    return core


@pytest.mark.parametrize(
    ("halt", "left"),
    [
        ({}, {"X": (-1, 100), "Y": (1, 50)}),
        ({"scope": "engine"}, {"X": (-1, 100), "Y": (1, 50)}),
        ({"instrument_id": "Y"}, {"Y": (1, 50)}),
        ({"strategy_id": "s"}, {"X": (-1, 100)}),
    ],
)
def test_shutdown_sells_what_it_names_where_the_profile_says_so(halt: dict[str, str], left: dict[str, Any]) -> None:
    core = _flattening(flattens=True)
    _halt(core, SHUTDOWN, **halt)
    sent = {
        effect.request.instrument_id: (effect.request.side, effect.request.order_qty)
        for effect in core.all(SubmitOrder)
    }
    assert sent == left
    assert all(effect.request.reduce_only for effect in core.all(SubmitOrder))
    assert {event.reason for event in core.all(ExitTriggered)} == {ExitReason.SHUTDOWN}


@pytest.mark.parametrize(("level", "flattens"), [(SHUTDOWN, False), (SUSPEND, True), (THROTTLE, True)])
def test_nothing_is_sold_below_shutdown_or_unless_the_profile_says_so(level: KillLevel, flattens: bool) -> None:
    core = _flattening(flattens=flattens)
    _halt(core, level)
    assert core.all(SubmitOrder) == []


def test_suspend_raised_to_shutdown_sells_then() -> None:
    core = _flattening(flattens=True)
    _halt(core, SUSPEND)
    assert core.all(SubmitOrder) == []
    _halt(core, SHUTDOWN)
    assert len(core.all(SubmitOrder)) == 2


def test_shutdown_pursues_the_exit_that_it_has_decided() -> None:
    core = _flattening(flattens=True)
    _halt(core, SHUTDOWN, instrument_id="X")
    leaving = core.exit_order()
    core.report(leaving, ExecType.REJECTED, code="NO")
    core.now_ns += 10**9
    core.quote(950)
    core.fill(core.exit_order(), 100, 950)
    assert core.position.qty == 0


def test_shutdown_without_a_price_sells_all_the_same() -> None:
    core = _flattening(flattens=True)
    core.state.quotes.clear()
    _halt(core, SHUTDOWN)
    assert len(core.all(SubmitOrder)) == 2


# -- and what is remembered -----------------------------------------------------------------------------------


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("level", [THROTTLE, SUSPEND, SHUTDOWN])
def test_switch_is_the_same_after_a_restart(scope: str, level: KillLevel) -> None:
    core = Core()
    _halt(core, level, **SCOPES[scope])
    folded = State()
    for event in core.journal:
        evolve(folded, codec.decode(codec.encode(event)))
    for state in (folded, State.restore(core.state.snapshot())):
        assert state.book.kills == core.state.book.kills
        kill = state.book.kills[scope]
        assert (kill.level, kill.code, kill.reason, kill.by) == (level, "KILL", "a person said so", "ada")
        assert kill.since_ns == core.now_ns


def test_switch_loosened_in_part_says_by_whom_and_still_why() -> None:
    core = Core()
    _halt(core, SHUTDOWN)
    core.feed(Resume(core.tick(), "bob", level=THROTTLE))
    assert core.only(Resumed).level == THROTTLE
    kill = core.state.book.kills["workspace"]
    assert (kill.level, kill.by, kill.reason) == (THROTTLE, "bob", "a person said so")
    assert core.state.book.halted_code == "", "entries are let through again, though few"


def test_throttle_counts_an_entry_when_it_is_made_and_no_exit() -> None:
    core = Core(profile("halted", "position", limits=Limits(allow_negative_cash=True, throttle_spacing_ns=100)))
    core.hold(1, 100)
    core.now_ns += 1_000
    _halt(core, THROTTLE)
    core.submit(core.intent(Action.TRADE, -1, 10))  # it only reduces
    core.only(IntentAccepted)
    core.submit(core.intent(Action.TRADE, 1, 10))
    core.only(IntentAccepted)
    core.submit(core.intent(Action.TRADE, 1, 10))
    assert Code(core.only(IntentRefused).code) == Code.THROTTLED


def test_gates_ask_for_the_widest_switch_first() -> None:
    core = Core(profile(*ALL_GATES))
    told = []
    for fields in reversed(SCOPES.values()):
        _halt(core, **fields)
        core.submit(core.intent(Action.TRADE, 1, 10))
        told.append(Code(core.only(IntentRefused).code))
    assert told == [Code.STRATEGY_PAUSED, Code.SYMBOL_HALTED, Code.HALTED, Code.VENUE_HALTED, Code.ENGINE_HALTED]


@pytest.mark.parametrize(
    ("gates", "held", "action", "side", "qty", "code"),
    [
        (("halted", "instrument"), 0, Action.CLOSE, 1, 100, Code.NO_POSITION),
        (("halted", "instrument"), 100, Action.CLOSE, 0, 110, Code.REDUCTION_EXCEEDS_POSITION),
        (("halted", "instrument"), 100, Action.CLOSE, 0, -10, Code.INVALID_QUANTITY),
        (("halted", "instrument", "position"), 100, Action.CLOSE, 0, -10, Code.INVALID_QUANTITY),
        (("halted", "instrument"), 100, Action.TRADE, -1, -10, Code.HALTED),
        (("halted", "instrument"), 100, Action.TRADE, -1, 110, Code.HALTED),
        (("halted", "instrument"), 100, Action.CLOSE, 0, 0, None),
        (("halted", "instrument"), 100, Action.TRADE, -1, 100, None),
    ],
)
def test_nothing_gets_past_a_kill_as_an_exit_that_is_none_whatever_else_the_profile_asks(
    gates: tuple[str, ...], held: int, action: Action, side: int, qty: int, code: Code | None
) -> None:
    core = Core(profile(*gates))
    if held:
        core.hold(1, held)
    _halt(core)
    core.submit(core.intent(action, side, qty))
    assert [Code(refused.code) for refused in core.all(IntentRefused)] == ([code] if code else [])


def test_exits_of_a_profile_that_does_not_ask_for_the_position_still_sum_to_it() -> None:
    core = Core(profile("halted", "instrument"))
    core.hold(1, 100)
    core.order(0, 60, action=Action.CLOSE)
    core.submit(core.intent(Action.TRADE, -1, 60))
    assert Code(core.only(IntentRefused).code) == Code.REDUCTION_EXCEEDS_POSITION
