"""Gates on the flow: kill switches at every scope and level, repeats, rates, runaway fills."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests.domain.core import Core
from tests.domain.gates.asking import Case, Kind, answer, check, check_entry_is_held, world

from surefill.domain.decide.retries import RESEND_TIMER
from surefill.domain.inputs import Halt, RequestCancel, Resume, SetSession, TimerFired
from surefill.domain.intent import Action
from surefill.domain.refusals import RefusalCode as Code
from surefill.domain.reports import ExecType
from surefill.rules.codes import KillLevel
from surefill.units import NS_PER_DAY, NS_PER_S, PCT_PPB

PASSES, BLOCKS, MISSING, LIMIT, EXIT = Kind
CLOSE = {"action": Action.CLOSE, "side": 0, "qty": 0}
SCOPES: dict[str, tuple[dict[str, Any], Code]] = {
    "the engine": ({"scope": "engine"}, Code.ENGINE_HALTED),
    "venue": ({"scope": "venue"}, Code.VENUE_HALTED),
    "workspace w": ({}, Code.HALTED),
    "X is halted": ({"instrument_id": "X"}, Code.SYMBOL_HALTED),
    "strategy s": ({"strategy_id": "s"}, Code.STRATEGY_PAUSED),
}


def _killed(level: int = KillLevel.SUSPEND, **scope: Any) -> Callable[[Core], object]:
    return lambda core: core.feed(Halt(core.tick(), "KILL", "a person said so", "ada", level=level, **scope))


def _throttled_after(wait_ns: int, **scope: Any) -> Callable[[Core], None]:
    """An order, and so long after it the switch."""

    def play(core: Core) -> None:
        _orders(1, wait_ns)(core)
        _killed(KillLevel.THROTTLE, **scope)(core)

    return play


def _orders(count: int, wait_ns: int = 0) -> Callable[[Core], None]:
    def play(core: Core) -> None:
        for _ in range(count):
            core.order(qty=10, px=900)
        core.now_ns += wait_ns

    return play


def _cancels(count: int) -> Callable[[Core], None]:
    """So many messages: half of them orders, half of them their cancels."""

    def play(core: Core) -> None:
        for _ in range(count // 2):
            order = core.order(qty=10, px=900)
            core.feed(RequestCancel(core.tick(), order.request.cl_ord_id, "ada"))

    return play


def _fills(count: int, wait_ns: int = 0, **fields: str) -> Callable[[Core], None]:
    def play(core: Core) -> None:
        order = core.order(qty=1000, **fields)  # type: ignore[arg-type]
        for _ in range(count):
            core.fill(order, 10)
        core.now_ns += wait_ns

    return play


RATE = {"message_rate_max": 10, "message_reserve_ppb": 20 * PCT_PPB}
FILLS = {"repeated_fills_max": 3, "repeated_fills_window_ns": 1_000}
THROTTLE = {"throttle_spacing_ns": 1_000}


def _closed_in_vain(core: Core) -> None:
    """A close that the venue has refused a moment ago."""
    core.rejected(core.order(0, 0, action=Action.CLOSE))


CASES: dict[str, list[Case]] = {
    "halted": [
        Case(PASSES),
        *(
            Case(BLOCKS, code, (told, "KILL: a person said so", "resume"), before=_killed(level, **scope))
            for told, (scope, code) in SCOPES.items()
            for level in (KillLevel.SUSPEND, KillLevel.SHUTDOWN)
        ),
        *(
            Case(
                BLOCKS,
                Code.THROTTLED,
                ("0.000000002 s ago", "one every 0.000001 s"),
                limits=THROTTLE,
                before=_throttled_after(0, **scope),
            )
            for scope, _ in SCOPES.values()
        ),
        Case(PASSES, before=_killed(instrument_id="Y")),
        Case(PASSES, before=_killed(strategy_id="other")),
        Case(LIMIT, limits=THROTTLE, before=_throttled_after(998)),
        Case(LIMIT, Code.THROTTLED, ("0.000000999 s ago",), limits=THROTTLE, before=_throttled_after(997)),
        *(
            Case(EXIT, held=100, fields=CLOSE, before=_killed(level, **scope), limits={"throttle_spacing_ns": 10**9})
            for scope, _ in SCOPES.values()
            for level in (KillLevel.THROTTLE, KillLevel.SUSPEND, KillLevel.SHUTDOWN)
        ),
        Case(EXIT, held=-100, fields={"side": 1, "qty": 50}, before=_killed()),
    ],
    "duplicate": [
        Case(PASSES, limits={"duplicate_window_ns": 100}),
        Case(
            BLOCKS,
            Code.DUPLICATE_INTENT,
            ("0.000000001 s ago", "window 0.0000001 s"),
            limits={"duplicate_window_ns": 100},
            before=lambda core: answer(core),
        ),
        Case(LIMIT, limits={"duplicate_window_ns": 100}, before=lambda core: (answer(core), core.tick(99))),
        Case(
            LIMIT,
            Code.DUPLICATE_INTENT,
            limits={"duplicate_window_ns": 100},
            before=lambda core: (answer(core), core.tick(98)),
        ),
        Case(
            BLOCKS,
            Code.DUPLICATE_INTENT,
            ("0.000000001 s ago",),
            {"side": -1},
            {"duplicate_window_ns": 100},
            held=100,
            before=lambda core: answer(core, side=-1),  # no close: a plain order, sent twice
        ),
        Case(EXIT, held=100, fields=CLOSE, limits={"duplicate_window_ns": 100}, before=_closed_in_vain),
        Case(
            EXIT,
            held=100,
            fields={**CLOSE, "qty": 50},
            limits={"duplicate_window_ns": 100},
            before=lambda core: answer(core, Action.CLOSE, 0, 50),
        ),
        Case(
            EXIT,
            held=100,
            fields={"side": -1, "qty": 100},
            limits={"duplicate_window_ns": 100},
            before=lambda core: core.rejected(core.order(-1, 100)),
        ),
    ],
    "order_rate": [
        Case(PASSES, limits={"order_rate_max": 3}, before=_orders(2)),
        Case(
            BLOCKS,
            Code.ORDER_RATE,
            ("3 orders in the last second", "entries may use 3"),
            limits={"order_rate_max": 3},
            before=_orders(3),
        ),
        Case(LIMIT, limits={"order_rate_max": 3}, before=_orders(3, NS_PER_S - 3)),  # the oldest is a second ago
        Case(LIMIT, Code.ORDER_RATE, limits={"order_rate_max": 3}, before=_orders(3, NS_PER_S - 4)),
        Case(LIMIT, Code.ORDER_RATE, limits={"order_rate_max": 0}),
        Case(PASSES, limits={"order_rate_max": 3}, before=_cancels(4)),  # cancels are no orders
        Case(EXIT, held=100, fields=CLOSE, limits={"order_rate_max": 3}, before=_orders(3)),
    ],
    "message_rate": [
        Case(PASSES, limits=RATE, before=_cancels(6)),
        Case(
            BLOCKS,
            Code.MESSAGE_RATE,
            ("8 orders and cancels in the last second", "entries may use 8"),
            limits=RATE,
            before=_cancels(8),
        ),
        Case(LIMIT, limits=RATE, before=_orders(7)),
        Case(LIMIT, Code.MESSAGE_RATE, limits=RATE, before=_orders(8)),
        Case(LIMIT, limits=RATE, before=_orders(8, NS_PER_S - 8)),
        Case(LIMIT, Code.MESSAGE_RATE, limits={**RATE, "message_reserve_ppb": 100 * PCT_PPB}),  # all of it is reserve
        Case(EXIT, held=100, fields=CLOSE, limits=RATE, before=_orders(8)),
    ],
    "repeated_fills": [
        Case(PASSES, limits=FILLS, before=_fills(2)),
        Case(
            BLOCKS,
            Code.REPEATED_FILLS,
            ("3 fills of strategy s in X within 0.000001 s", "3 are the limit"),
            limits=FILLS,
            before=_fills(3),
        ),
        Case(PASSES, limits=FILLS, before=_fills(5, instrument_id="Y")),
        Case(PASSES, limits=FILLS, before=_fills(5, strategy_id="other")),
        Case(LIMIT, limits=FILLS, before=_fills(3, 997)),
        Case(LIMIT, Code.REPEATED_FILLS, limits=FILLS, before=_fills(3, 996)),
        Case(EXIT, held=100, fields=CLOSE, limits=FILLS, before=_fills(3)),
    ],
}


@pytest.mark.parametrize(("gate", "case"), [(gate, case) for gate, cases in CASES.items() for case in cases])
def test_flow_gate_row(gate: str, case: Case) -> None:
    check(gate, case)


@pytest.mark.parametrize("gate", ["halted", "message_rate", "order_rate", "repeated_fills"])
def test_flow_gate_holds_entries_where_it_lets_exits_through(gate: str) -> None:
    for case in CASES[gate]:
        if case.kind is EXIT:
            check_entry_is_held(gate, case)


@pytest.mark.parametrize(("scope", "code"), SCOPES.values())
def test_halt_at_every_scope_is_over_when_a_person_resumes_it(scope: dict[str, Any], code: Code) -> None:
    core = world("halted", Case(PASSES, before=_killed(**scope)))
    assert answer(core)[0] == code
    core.feed(Resume(core.tick(), "ada", **scope))
    assert answer(core)[0] is None


def test_throttle_lets_one_through_each_spacing() -> None:
    core = world("halted", Case(PASSES, limits=THROTTLE, before=_killed(KillLevel.THROTTLE)))
    core.tick(1_000)
    passed = []
    for _ in range(40):
        core.tick(99)
        passed.append(answer(core)[0] is None)
    assert passed == [n % 10 == 0 for n in range(40)]


def test_suspension_speaks_before_a_throttle() -> None:
    core = world("halted", Case(PASSES, before=_killed(KillLevel.THROTTLE, scope="engine")))
    _killed(instrument_id="X")(core)
    assert answer(core)[0] == Code.SYMBOL_HALTED


def test_what_waits_and_is_sent_again_counts_as_a_message_each_time() -> None:
    core = world("message_rate", Case(PASSES, limits={**RATE, "attempts_max": 3, "retry_base_ns": 0}))
    order = core.order(qty=10)
    core.report(order, ExecType.REJECTED, undelivered=True)
    assert len(core.state.book.flow.messages) == 1
    core.feed(TimerFired(core.tick(), RESEND_TIMER + order.request.cl_ord_id))
    assert len(core.state.book.flow.messages) == len(core.state.book.flow.orders) == 2


def test_exits_use_the_budget_that_entries_do_not_get() -> None:
    """They are counted, and never held."""
    core = world("message_rate", Case(PASSES, held=1000, limits={"message_rate_max": 2, "message_reserve_ppb": 0}))
    for _ in range(5):
        assert answer(core, Action.CLOSE, 0, 10)[0] is None
    assert len(core.state.book.flow.messages) == 5
    assert answer(core)[0] == Code.MESSAGE_RATE


def test_rates_remember_no_more_than_their_second() -> None:
    core = world("message_rate", Case(PASSES, limits={"message_rate_max": 100}))
    for _ in range(20):
        _orders(1, NS_PER_S // 4)(core)
    assert len(core.state.book.flow.messages) <= 5


def test_fills_of_exits_are_not_a_runaways() -> None:
    core = world("repeated_fills", Case(PASSES, held=1000, limits=FILLS))
    closing = core.order(0, 100, action=Action.CLOSE)
    for _ in range(5):
        core.fill(closing, 10)
    assert answer(core)[0] is None


@pytest.mark.parametrize("window_s", [1, 60, 3_600])
def test_fills_are_remembered_for_their_window_over_the_roll_of_the_day(window_s: int) -> None:
    limits = {"repeated_fills_max": 3, "repeated_fills_window_ns": window_s * NS_PER_S}
    core = world("repeated_fills", Case(PASSES, limits=limits))
    core.now_ns = NS_PER_DAY - 10
    _fills(3)(core)
    for passed_s, held in ((window_s - 1, True), (window_s, False)):
        core.now_ns = NS_PER_DAY + passed_s * NS_PER_S
        if passed_s == window_s - 1:
            core.feed(SetSession(core.now_ns, "24x7", "d2", NS_PER_DAY, 2 * NS_PER_DAY))
        assert (answer(core)[0] == Code.REPEATED_FILLS) is held
