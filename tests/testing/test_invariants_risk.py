"""The invariant checker on breakers, switches, resends and further orders: each kind of damage shows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from tests.domain.core import ALL_GATES, MONEY_PER_NOTIONAL, Core, profile

from surefill.domain import events as e
from surefill.domain.codec import encode
from surefill.domain.decide.breakers import REARM_TIMER
from surefill.domain.decide.retries import RESEND_TIMER
from surefill.domain.inputs import Halt, Rearm, Resume, SetSession, SubmitIntent, TimerFired
from surefill.domain.intent import Action
from surefill.domain.limits import REARM_HUMAN, Limits
from surefill.domain.reports import ExecType
from surefill.domain.sizing import SizeMethod, SizingSpec
from surefill.journal import Batch, MemoryJournal
from surefill.rules.codes import KillLevel, PartialFill
from surefill.testing.invariants import Violation, check_book, check_journal
from surefill.units import NS_PER_DAY

Events = list[e.Event]
LIMITS = Limits(
    allow_negative_cash=True,
    attempts_max=3,
    partial_fill=int(PartialFill.RETRY),
    loss_streak_max=1,
    reject_streak_max=1,
    daily_loss_max=0,
    rearm_ns={"reject_streak": 1_000, "loss_streak": REARM_HUMAN},
)
RULES = profile(*ALL_GATES, "loss_streak", "reject_streak", "daily_loss", limits=LIMITS)


def _life() -> Core:
    """Tripped and armed again in all three ways, killed and resumed, sent again, taken up; all as it should be."""
    core = Core(RULES, cash=1_000_000 * MONEY_PER_NOTIONAL)
    core.feed(SetSession(core.tick(), "24x7", "d1", 0, NS_PER_DAY))
    order = core.order(qty=100, px=1000)
    core.report(order, ExecType.REJECTED, undelivered=True)
    core.now_ns = order.resend_ns
    core.feed(TimerFired(core.now_ns, RESEND_TIMER + order.request.cl_ord_id))
    core.fill(order, 30, 1000)
    core.canceled(order, cum_qty=30)
    (rest,) = core.live
    core.fill(rest, 70, 1000)
    core.fill(core.order(0, 0, action=Action.CLOSE), 100, 999)  # a loss: two breakers trip
    core.feed(Rearm(core.tick(), "loss_streak", "ada"))
    core.now_ns = NS_PER_DAY
    core.feed(SetSession(core.tick(), "24x7", "d2", NS_PER_DAY, 2 * NS_PER_DAY))
    core.rejected(core.order(qty=10))
    core.now_ns += 1_000
    core.feed(TimerFired(core.tick(), REARM_TIMER + "reject_streak"))
    core.feed(Halt(core.tick(), "KILL", "why", "ada", level=KillLevel.SHUTDOWN, scope="engine"))
    core.feed(Halt(core.tick(), "KILL", "why", "ada", level=KillLevel.SUSPEND, scope="venue"))
    core.feed(Resume(core.tick(), "ada", level=KillLevel.THROTTLE, scope="engine"))
    core.feed(Resume(core.tick(), "ada", scope="venue"))
    core.feed(Halt(core.tick(), "KILL", "why", "ada"))
    core.feed(Resume(core.tick(), "ada", scope="workspace"))
    core.now_ns += 10**12
    core.fill(core.order(qty=10), 10, 999)  # under a throttle
    sized = core.intent(Action.OPEN, 1, 0, sizing=SizingSpec(SizeMethod.FIXED_QTY, qty=20))
    core.now_ns += 10**12
    core.feed(SubmitIntent(core.tick(), sized))
    core.only(e.OrderCreated)
    return core


def _found(events: Events) -> list[Violation]:
    journal = MemoryJournal()
    assert journal.append([Batch(journal.open_stream("w"), [encode(event) for event in events])]) == [None]
    return check_journal(journal, "w")


def test_good_life_has_no_violations_and_all_that_is_checked() -> None:
    core = _life()
    assert _found(core.journal) == []
    kinds = {type(event) for event in core.journal}
    checked = {e.BreakerTripped, e.BreakerRearmed, e.OrderResendScheduled, e.OrderResent, e.SessionSet, e.Resumed}
    assert checked <= kinds


def _where(events: Events, kind: type[e.Event], nth: int = 0, **fields: Any) -> int:
    at = [
        n
        for n, event in enumerate(events)
        if isinstance(event, kind) and all(getattr(event, name) == value for name, value in fields.items())
    ]
    return at[nth]


def _changed(kind: type[e.Event], nth: int = 0, /, **changes: Any) -> Callable[[Events], None]:
    def doctor(events: Events) -> None:
        at = _where(events, kind, nth)
        new = {name: value(getattr(events[at], name)) if callable(value) else value for name, value in changes.items()}
        events[at] = msgspec.structs.replace(events[at], **new)

    return doctor


def _without(kind: type[e.Event], nth: int = 0, **fields: Any) -> Callable[[Events], None]:
    def doctor(events: Events) -> None:
        del events[_where(events, kind, nth, **fields)]

    return doctor


def _before(kind: type[e.Event], event: e.Event, nth: int = 0) -> Callable[[Events], None]:
    def doctor(events: Events) -> None:
        events.insert(_where(events, kind, nth), event)

    return doctor


def _rest(**changes: Any) -> Callable[[Events], None]:
    """The further order with other terms."""
    return _changed(e.OrderCreated, 1, request=lambda request: msgspec.structs.replace(request, **changes))


def _never_proved(events: Events) -> None:
    reported = _changed(e.VenueReported, 0, report=lambda report: msgspec.structs.replace(report, undelivered=False))
    reported(events)


def _trip(breaker: str) -> e.BreakerTripped:
    return e.BreakerTripped(1, "", 0, breaker, 1, "why", -1)


DAMAGE: dict[str, tuple[int, Callable[[Events], None]]] = {
    "entry_past_a_breaker": (10, _without(e.BreakerRearmed, breaker="reject_streak")),
    "entry_past_a_breaker_of_the_day": (10, _without(e.SessionSet, 1)),
    "entry_past_a_breaker_of_a_person": (10, _without(e.BreakerRearmed, breaker="loss_streak")),
    "entry_sent_again_past_a_breaker": (10, _before(e.OrderResent, _trip("loss_streak"))),
    "entry_sent_again_past_a_kill": (10, _before(e.OrderResent, e.Halted(1, "", 0, "KILL", "why", "ada"))),
    "further_order_past_a_kill": (10, _before(e.OrderCreated, e.Halted(1, "", 0, "KILL", "why", "ada", "X"), 1)),
    "entry_past_a_kill_of_the_engine": (10, _without(e.Resumed, scope="engine")),
    "entry_past_a_kill_of_the_venue": (10, _without(e.Resumed, scope="venue")),
    "resumed_no_looser": (10, _changed(e.Resumed, 0, level=3)),
    "resumed_not_loose_enough": (10, _changed(e.Resumed, 0, level=2)),
    "halted_looser": (10, _before(e.Resumed, e.Halted(1, "", 0, "KILL", "why", "ada", level=1, scope="engine"))),
    "tripped_twice": (10, _before(e.BreakerRearmed, _trip("loss_streak"))),
    "armed_by_nobody": (10, _changed(e.BreakerRearmed, 0, by="")),
    "armed_before_its_time": (10, _changed(e.BreakerRearmed, 1, ts_ns=5)),
    "cooled_off_though_a_person_is_needed": (10, _changed(e.BreakerRearmed, 0, by="cooling-off")),
    "armed_and_not_tripped": (10, _before(e.BreakerTripped, e.BreakerRearmed(1, "", 0, "slippage", "ada"))),
    "resend_without_proof": (3, _never_proved),
    "resend_of_another_report": (3, _changed(e.OrderResendScheduled, 0, causation_seq=1)),
    "resend_before_its_time": (3, _changed(e.OrderResent, 0, ts_ns=11)),
    "resend_that_was_not_planned": (3, _without(e.OrderResendScheduled)),
    "resend_beyond_the_attempts": (9, _changed(e.OrderResendScheduled, 0, attempt=4)),
    "rest_of_an_unknown_order": (9, _changed(e.OrderCreated, 1, parent="0" * 20)),
    "rest_beyond_the_attempts": (9, _changed(e.OrderCreated, 1, attempt=4)),
    "rest_of_no_origin": (2, _rest(cl_ord_id="f" * 20)),
    "rest_larger_than_what_was_left": (11, _rest(order_qty=80)),
    "rest_on_the_other_side": (11, _rest(side=-1)),
    "rest_at_another_price": (11, _rest(px=1005)),
    "rest_while_the_order_works": (11, _without(e.OrderCanceled)),
    "smaller_than_was_approved": (
        11,
        _changed(e.OrderCreated, 0, request=lambda request: msgspec.structs.replace(request, order_qty=90)),
    ),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_damage_to_risk_is_found_under_its_number(name: str) -> None:
    number, doctor = DAMAGE[name]
    events = list(_life().journal)
    doctor(events)
    assert number in {violation.invariant for violation in _found(events)}, _found(events)[:3]


def test_one_intent_cannot_be_cited_by_two_orders() -> None:
    events = list(_life().journal)
    at = _where(events, e.OrderCreated)
    created = events[at]
    assert isinstance(created, e.OrderCreated)
    again = msgspec.structs.replace(created.request, cl_ord_id="f" * 20, order_ref="another")
    events.insert(at + 1, msgspec.structs.replace(created, request=again))
    assert (9, at + 2) in {(violation.invariant, violation.seq) for violation in _found(events)}


@pytest.mark.parametrize("how", ["kill", "breaker"])
def test_working_entry_that_nobody_took_back_is_found_in_the_book(how: str) -> None:
    core = Core(RULES)
    core.feed(SetSession(core.tick(), "24x7", "d1", 0, NS_PER_DAY))
    core.order(qty=10, px=900)
    if how == "kill":
        core.feed(Halt(core.tick(), "KILL", "why", "ada", instrument_id="X"))
    else:
        core.rejected(core.order(qty=10))
    assert check_book(core.state) == []
    for order in core.live:
        order.cancel_ns = 0
    assert [violation.invariant for violation in check_book(core.state)] == [10]


def test_breaker_that_the_profile_no_longer_asks_holds_nothing() -> None:
    events = list(_life().journal)
    at = _where(events, e.BreakerRearmed, breaker="reject_streak")
    events[at] = e.ProfileSet(events[at].ts_ns, "", 0, profile(limits=LIMITS), "c2", 2)
    found = {violation.invariant for violation in _found(events)}
    assert 10 not in found
