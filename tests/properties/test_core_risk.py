"""Nothing gets an entry past a tripped breaker or a kill, changes an approved quantity, or holds an exit up.

The venue does anything (as in test_core_adversary), fills come in bursts, proof comes that nothing arrived, days roll,
clocks go back, the engine restarts from a snapshot or from its journal, switches are thrown and loosened at every scope
and level. A watcher that shares nothing with the core reads every event and effect as it comes.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.domain.core import ALL_GATES, MONEY_PER_NOTIONAL, Core, profile
from tests.properties.test_core_adversary import ENDS, FILL_QTY, PLANS, PX, QTY, SAID, WHICH, Adversary

from surefill.domain import codec
from surefill.domain import events as e
from surefill.domain.decide import step
from surefill.domain.decide.breakers import REARM_TIMER
from surefill.domain.decide.retries import RESEND_TIMER
from surefill.domain.decide.sending import TIMEOUT_TIMER
from surefill.domain.effects import Effect, SubmitOrder
from surefill.domain.evolve import evolve
from surefill.domain.gates import BREAKERS, GATES
from surefill.domain.inputs import (
    Halt,
    Rearm,
    RecoverOrders,
    Resume,
    SetProfile,
    SetSession,
    SubmitIntent,
    TimerFired,
    VenueReports,
)
from surefill.domain.intent import Action
from surefill.domain.limits import Limits
from surefill.domain.orders import Order
from surefill.domain.reports import ExecType, VenueReport
from surefill.domain.state import State
from surefill.errors import InputError
from surefill.journal import Batch, MemoryJournal
from surefill.rules.codes import KillLevel, PartialFill
from surefill.testing.invariants import check_journal
from surefill.units import NS_PER_DAY, PCT_PPB

UNIT = MONEY_PER_NOTIONAL
CASH = 1_000_000 * UNIT
LIMITS = Limits(
    allow_negative_cash=True,
    query_spacing_ns=5,
    absence_horizon_ns=50,
    absence_queries=2,
    send_by_ns=20,
    unknown_page_ns=40,
    attempts_max=3,
    retry_base_ns=4,
    retry_max_ns=10,
    order_timeout_ns=60,
    partial_fill=int(PartialFill.RETRY),
    shutdown_flattens=True,
    throttle_spacing_ns=20,
    daily_loss_max=2_000 * UNIT,
    daily_drawdown_max_ppb=PCT_PPB,
    drawdown_max_ppb=2 * PCT_PPB,
    equity_drop_max_ppb=PCT_PPB,
    loss_streak_max=2,
    reject_streak_max=2,
    slippage_max_ppb=5 * PCT_PPB,
    trades_per_day_max=30,
    order_value_max=60_000 * UNIT,
    exposure_value_max=400_000 * UNIT,
    position_value_max=300_000 * UNIT,
    open_positions_max=2,
    rearm_ns={"loss_streak": 30, "slippage": 15, "reject_streak": 0},
)
ENTRY_LIMITS = ("trades_per_day", "cap_symbol", "order_value", "exposure", "position_limit", "open_positions", "lots")
RULES = profile(*BREAKERS, *ALL_GATES, *ENTRY_LIMITS, limits=LIMITS)

#: For exits: every gate there is, asked of an intent that brings nothing but its terms.
EVERYTHING = profile(*GATES, limits=Limits(), rechecks=())

SCOPES: list[dict[str, str]] = [
    {},
    {"instrument_id": "X"},
    {"strategy_id": "s"},
    {"scope": "engine"},
    {"scope": "venue"},
    {"instrument_id": "Y"},
]
BURST = st.lists(st.tuples(st.sampled_from(["fill", "end", "reject"]), WHICH, FILL_QTY, PX), min_size=2, max_size=4)

STEPS: list[tuple[int, str, tuple[st.SearchStrategy[Any], ...]]] = [
    (4, "quote", (PX,)),
    (1, "bar", (st.lists(PX, min_size=4, max_size=4), st.booleans())),
    (8, "trade", (st.sampled_from([1, 1, -1]), QTY, PLANS, st.booleans())),
    (2, "close", (st.sampled_from([0, 10, 20]), st.booleans())),
    (9, "fill", (WHICH, FILL_QTY, PX)),
    (3, "burst", (BURST,)),
    (3, "end", (WHICH, ENDS, st.integers(-1, 60))),
    (2, "say", (WHICH, st.sampled_from(SAID), st.integers(-1, 60))),
    (4, "undelivered", (WHICH, st.integers(0, 20))),
    (3, "again", (WHICH,)),
    (4, "half", (WHICH, PX)),
    (1, "unknown", (WHICH,)),
    (1, "absent", (WHICH,)),
    (2, "fire", (WHICH, st.sampled_from([RESEND_TIMER, RESEND_TIMER, TIMEOUT_TIMER]))),
    (1, "cancel", (WHICH,)),
    (1, "halt", (st.sampled_from(SCOPES), st.sampled_from(list(KillLevel)[1:]))),
    (2, "resume", (st.sampled_from(SCOPES), st.sampled_from(list(KillLevel)[:3]))),
    (2, "rearm", (st.sampled_from([*BREAKERS]),)),
    (1, "cool", (st.sampled_from([*BREAKERS]),)),
    (1, "day", ()),
    (2, "restart", (st.booleans(),)),
    (2, "wait", (st.integers(1, 60),)),
    (1, "clock_back", (st.integers(1, 30),)),
    (1, "reset", (st.just(CASH),)),
]
STEP = st.one_of([st.tuples(st.just(name), *parts) for weight, name, parts in STEPS for _ in range(weight)])
STORY = st.lists(STEP, min_size=20, max_size=80)


class Watcher:
    """What holds entries back, read from the events alone; and what was approved."""

    def __init__(self) -> None:
        self.tripped: dict[str, int] = {}
        self.kills: dict[tuple[str, str, str], int] = {}
        self.day = ""
        self.approved: dict[str, int] = {}  # by correlation: what the intent asks for
        self.asked: dict[str, list[str]] = {}  # by correlation: the orders that were made of it
        self.filled: dict[str, int] = {}
        self.seen = {"tripped": 0, "killed": 0, "held": 0, "resent": 0, "rest": 0, "exits": 0}

    def see(self, core: Core, events: list[e.Event], effects: list[Effect]) -> None:
        for event in events:
            self._see(event)
        for effect in effects:
            if isinstance(effect, SubmitOrder) and not effect.request.reduce_only:
                order = core.state.book.orders.get(effect.request.cl_ord_id)
                if order is not None and not order.cancel_pending:
                    held = self.holds(order.request.instrument_id, order.strategy_id)
                    assert not held, f"an entry is on its way past {held}"

    def _see(self, event: e.Event) -> None:
        match event:
            case e.BreakerTripped():
                self.tripped[event.breaker] = event.until_ns
                self.seen["tripped"] += 1
            case e.BreakerRearmed():
                del self.tripped[event.breaker]
            case e.SessionSet() if event.day != self.day:
                self.day = event.day
                self.tripped = {name: until_ns for name, until_ns in self.tripped.items() if until_ns}
            case e.Halted():
                switch = _switch(event)
                assert event.level >= self.kills.get(switch, 0), "loosened by itself"
                self.kills[switch] = event.level
                self.seen["killed"] += 1
            case e.Resumed():
                self.kills[_switch(event)] = event.level
            case e.WorkspaceReset():
                self.tripped.clear()
            case e.IntentRefused():
                self.seen["held"] += 1
            case e.IntentAccepted():
                self.approved[event.correlation_id] = event.intent.order_qty
            case e.OrderCreated():
                self._created(event)
            case e.OrderResent():
                self.seen["resent"] += 1
            case e.OrderFilled():
                self.filled[event.cl_ord_id] = event.cum_qty

    def _created(self, event: e.OrderCreated) -> None:
        request = event.request
        if request.reduce_only:
            return
        held = self.holds(request.instrument_id, event.strategy_id)
        assert not held, f"an entry was decided on past {held}"
        family = self.asked.setdefault(event.correlation_id, [])
        assert bool(family) is bool(event.parent), "one intent, one first order"
        left = self.approved[event.correlation_id] - sum(self.filled.get(cl_ord_id, 0) for cl_ord_id in family)
        assert request.order_qty == left, "not what was approved, nor what of it was left"
        self.seen["rest"] += bool(event.parent)
        family.append(request.cl_ord_id)

    def holds(self, instrument_id: str, strategy_id: str) -> str:
        if self.tripped:
            return next(iter(self.tripped))
        scopes = [
            ("engine", "", ""),
            ("venue", "", ""),
            ("", "", ""),
            ("", instrument_id, ""),
            ("", "", strategy_id),
        ]
        return next((f"a kill at {scope}" for scope in scopes if self.kills.get(scope, 0) >= KillLevel.SUSPEND), "")


def _switch(event: e.Halted | e.Resumed) -> tuple[str, str, str]:
    return event.scope, event.instrument_id, event.strategy_id


class WatchedCore(Core):
    """A core whose every step is watched."""

    def __init__(self) -> None:
        self.watcher = Watcher()
        super().__init__(RULES, cash=CASH)

    def feed(self, item: Any) -> list[e.Event]:
        events = super().feed(item)
        self.watcher.see(self, events, self.effects)
        return events


class RiskAdversary(Adversary):
    """Plays steps against a watched core, and tries every position's exit whenever something holds entries back."""

    def __init__(self) -> None:
        self.core: WatchedCore = WatchedCore()
        self.orders = []
        self.trades = {}
        self._days = 0
        self._day()
        self.core.quote(1000, "Y")

    def play(self, name: str, *arguments: Any) -> None:
        super().play(name, *arguments)
        watcher = self.core.watcher
        if watcher.tripped or any(watcher.kills.values()):
            self._try_exits()

    def _try_exits(self) -> None:
        core = self.core
        for key, position in list(core.state.open_positions()):
            if core.state.reducing_qty(key):
                continue  # it is leaving already
            tried = State.restore(core.state.snapshot())
            tried.quotes = dict(core.state.quotes)
            ts_ns = core.now_ns
            step(tried, SetProfile(ts_ns, EVERYTHING, "every gate"))
            leaving = core.intent(
                Action.CLOSE, 0, 0, instrument_id=position.instrument_id, strategy_id=position.strategy_id
            )
            events, effects = step(tried, SubmitIntent(ts_ns, leaving))
            assert isinstance(events[0], e.IntentAccepted), getattr(events[0], "reason", "")
            (sent,) = [effect for effect in effects if isinstance(effect, SubmitOrder)]
            assert (sent.request.order_qty, sent.request.reduce_only) == (abs(position.qty), True)
            core.watcher.seen["exits"] += 1

    def _order(self, which: int) -> Order | None:
        """Mostly one that works: what is over is over."""
        live = self.core.live
        return live[-1 - which % len(live)] if live and which < 3 else super()._order(which)

    def _day(self) -> None:
        begin_ns = self._days * NS_PER_DAY
        self._days += 1
        self.core.now_ns = max(self.core.now_ns, begin_ns)
        session = SetSession(self.core.tick(), "24x7", f"d{self._days}", begin_ns, begin_ns + NS_PER_DAY)
        self.core.feed(session)

    def _burst(self, parts: list[tuple[str, int, int, int]]) -> None:
        """Several reports in one delivery: what the first does must hold for what the next would do."""
        reports = []
        for kind, which, qty, px in parts:
            order = self._order(which)
            if order is None:
                continue
            name, ref = order.request.cl_ord_id, order.request.order_ref
            if kind == "fill":
                self.core._execs += 1
                reports.append(VenueReport(name, ExecType.TRADE, ref, f"e{self.core._execs}", px, qty))
            elif kind == "end":
                reports.append(VenueReport(name, ExecType.EXPIRED, ref))
            else:
                reports.append(VenueReport(name, ExecType.REJECTED, ref, code="NO"))
        self.core.feed(VenueReports(self.core.tick(), tuple(reports)))

    def _undelivered(self, which: int, retry_after_ns: int) -> None:
        order = self._order(which)
        if order is not None:
            self.core.report(order, ExecType.REJECTED, code="REFUSED", undelivered=True, retry_after_ns=retry_after_ns)

    def _again(self, which: int) -> None:
        """It never arrived, and its wait is over."""
        self._undelivered(which, 0)
        self._fire(which, RESEND_TIMER)

    def _half(self, which: int, px: int) -> None:
        """It fills a little, and its venue ends it."""
        order = self._order(which)
        if order is not None:
            self.core.fill(order, 10, px)
            self.core.report(order, ExecType.EXPIRED, cum_qty=order.cum_qty)

    def _fire(self, which: int, timer: str) -> None:
        order = self._order(which)
        if order is not None:
            self.core.now_ns = max(self.core.now_ns, order.resend_ns)
            self.core.feed(TimerFired(self.core.tick(), timer + order.request.cl_ord_id))

    def _halt(self, scope: dict[str, Any], level: int = KillLevel.SUSPEND) -> None:
        self.core.feed(Halt(self.core.tick(), "KILL", "why", "ada", level=level, **scope))

    def _resume(self, scope: dict[str, Any], level: int) -> None:  # type: ignore[override]
        self.core.feed(Resume(self.core.tick(), "ada", level=level, **scope))

    def _rearm(self, breaker: str) -> None:
        item = Rearm(self.core.tick(), breaker, "ada")
        if breaker in self.core.watcher.tripped:
            self.core.feed(item)
        else:
            with pytest.raises(InputError):
                self.core.feed(item)

    def _cool(self, breaker: str) -> None:
        self.core.feed(TimerFired(self.core.tick(), REARM_TIMER + breaker))

    def _restart(self, from_journal: bool) -> None:  # type: ignore[override]
        core = self.core
        quotes = core.state.quotes
        if from_journal:
            core.state = State()
            for event in core.journal:
                evolve(core.state, codec.decode(codec.encode(event)))
        else:
            core.state = State.restore(core.state.snapshot())
        core.state.quotes = quotes
        core.feed(RecoverOrders(core.tick()))

    def _clock_back(self, moments: int) -> None:
        self.core.now_ns = max(10, self.core.now_ns - moments)


def _played(steps: list[tuple[Any, ...]]) -> RiskAdversary:
    adversary = RiskAdversary()
    for each in steps:
        adversary.play(*each)
    return adversary


@settings(max_examples=200)
@given(STORY)
def test_no_entry_passes_what_is_tripped_or_killed_and_no_exit_is_held_up(steps: list[tuple[Any, ...]]) -> None:
    core = _played(steps).core
    journal = MemoryJournal()
    journal.append([Batch(journal.open_stream("w"), [codec.encode(event) for event in core.journal])])
    assert check_journal(journal, "w") == []


@settings(max_examples=40)
@given(STORY, st.integers(0, 79), st.booleans())
def test_breakers_and_switches_decide_alike_after_a_restart_at_any_moment(
    steps: list[tuple[Any, ...]], cut: int, from_journal: bool
) -> None:
    whole, stopped = RiskAdversary(), RiskAdversary()
    for at, each in enumerate(steps):
        if at == cut:
            stopped._restart(from_journal)
            whole.core.feed(RecoverOrders(whole.core.tick()))  # the one thing that a restart does
            whole.orders = [whole.core.state.order(order.request.cl_ord_id) or order for order in whole.orders]
            stopped.orders = [stopped.core.state.order(order.request.cl_ord_id) or order for order in stopped.orders]
        whole.play(*each)
        stopped.play(*each)
    assert list(map(codec.encode, stopped.core.journal)) == list(map(codec.encode, whole.core.journal))


def test_stories_like_these_trip_breakers_resend_orders_and_try_exits() -> None:
    """What never happens in them is not tested by them: one story that has all of it."""
    adversary = RiskAdversary()
    story: list[tuple[Any, ...]] = [
        ("trade", 1, 50, None, False),
        ("undelivered", 0, 0),
        ("fire", 0, RESEND_TIMER),
        ("fill", 0, 20, 1000),
        ("end", 0, ExecType.EXPIRED, 20),
        ("fill", 0, 20, 900),
        ("fill", 0, 10, 1100),
        ("quote", 900),
        ("trade", 1, 50, None, False),
        ("halt", {}, KillLevel.SUSPEND),
    ]
    for each in story:
        adversary.play(*each)
    seen = adversary.core.watcher.seen
    assert [name for name, count in seen.items() if not count] == []
