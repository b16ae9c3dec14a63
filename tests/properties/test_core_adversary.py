"""The core against a venue that does anything: loses, repeats, reorders, overfills, ends late, refuses, stays silent.

After every input `Core` compares the live state with the fold of the encoded events and checks the book; at the end the
whole journal is walked.
"""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.domain.core import Core, instrument, profile

from surefill.domain.codec import encode
from surefill.domain.decide.reports import QUERY_TIMER
from surefill.domain.inputs import (
    DefineInstrument,
    Halt,
    OrderQueried,
    OutcomeUnknown,
    QueryFailed,
    RecoverOrders,
    RequestCancel,
    ResetWorkspace,
    ResolveOrder,
    Resume,
    SendLapsed,
    SubmitIntent,
    TimerFired,
)
from surefill.domain.instrument import Terms
from surefill.domain.intent import Action, ExitPlan, LadderStep
from surefill.domain.limits import Limits
from surefill.domain.orders import Order
from surefill.domain.profile import Profile
from surefill.domain.reports import ExecType, VenueReport
from surefill.domain.state import State
from surefill.errors import InputError
from surefill.journal import Batch, MemoryJournal
from surefill.rules.codes import OrdStatus, OrdType
from surefill.testing.invariants import check_journal

SPACING = 5
RULES = profile(
    limits=Limits(
        allow_negative_cash=True,
        query_spacing_ns=SPACING,
        absence_horizon_ns=50,
        absence_queries=2,
        send_by_ns=20,
        unknown_page_ns=40,
    )
)
AT_VENUE = msgspec.structs.replace(
    RULES, limits=msgspec.structs.replace(RULES.limits, stops_at_venue=True, stop_grace_ns=30)
)
LINKED = msgspec.structs.replace(AT_VENUE, limits=msgspec.structs.replace(AT_VENUE.limits, targets_at_venue=True))
BOTH = st.sampled_from([RULES, AT_VENUE, LINKED])
#: The last odd lot may leave, or not; nor what is worth too little.
TERMS = st.sampled_from([Terms(0, 5, 10), Terms(0, 5, 10, odd_lots=False, min_notional=15_000)])
HALF = 500_000_000

PX = st.integers(900, 1100)
QTY = st.sampled_from([10, 20, 50])
PLANS = st.sampled_from(
    [
        None,
        ExitPlan(stop_px=1),
        ExitPlan(stop_px=1, target_px=6000),
        ExitPlan(stop_px=1, target_px=6000, trail_distance=30, stop_partial_ppb=HALF),
        ExitPlan(ladder=(LadderStep(4000, HALF),), time_stop_bars=2, end_of_day=True),
        ExitPlan(trail_distance=20),
    ]
)
WHICH = st.integers(0, 4)  # which order, counted from the latest
SAID = [
    *(ExecType.NEW, ExecType.REJECTED, ExecType.CANCEL_REJECTED, ExecType.STATUS, ExecType.TRIGGERED),
    *(ExecType.REPLACED, ExecType.REPLACE_REJECTED),
]
ENDS = st.sampled_from([ExecType.CANCELED, ExecType.EXPIRED])
HALTED: list[dict[str, Any]] = [{}, {"instrument_id": "X"}, {"strategy_id": "s"}]
FILL_QTY = st.sampled_from([10, 20, 50, 70])

#: What can happen, and how often.
STEPS: list[tuple[int, str, tuple[st.SearchStrategy[Any], ...]]] = [
    (4, "quote", (PX,)),
    (2, "quote", (st.sampled_from([1, 6000]),)),  # far enough for every stop and target
    (3, "bar", (st.lists(PX, min_size=4, max_size=4), st.booleans())),
    (5, "trade", (st.sampled_from([1, -1]), QTY, PLANS, st.booleans())),
    (3, "close", (st.sampled_from([0, 10, 20]), st.booleans())),
    (9, "fill", (WHICH, FILL_QTY, PX, st.sampled_from([0, 0, 1, 4]))),
    (1, "repeat", (WHICH,)),
    (3, "end", (WHICH, ENDS, st.integers(-1, 60))),
    (3, "say", (WHICH, st.sampled_from(SAID), st.integers(-1, 60))),
    (2, "unknown", (WHICH,)),
    (2, "absent", (WHICH,)),
    (1, "query_failed", (WHICH,)),
    (1, "lapsed", (WHICH,)),
    (2, "timer", (WHICH,)),
    (2, "cancel", (WHICH,)),
    (1, "resolve", (WHICH, st.sampled_from(OrdStatus))),
    (1, "halt", (st.sampled_from(HALTED),)),
    (5, "resume", ()),
    (1, "restart", ()),
    (2, "wait", (st.integers(1, 60),)),
    (1, "reset", (st.sampled_from([0, 100]),)),
]
STEP = st.one_of([st.tuples(st.just(name), *parts) for weight, name, parts in STEPS for _ in range(weight)])


class Adversary:
    """Plays steps; remembers every order ever made, so that it can lie about old ones too."""

    def __init__(self, rules: Profile, terms: Terms) -> None:
        self.core = Core(rules)
        self.core.feed(DefineInstrument(3, instrument("X", terms)))
        self.orders: list[Order] = []
        self.trades: dict[str, list[VenueReport]] = {}

    def play(self, name: str, *arguments: Any) -> None:
        getattr(self, f"_{name}")(*arguments)
        known = {order.request.cl_ord_id for order in self.orders}
        self.orders += [order for order in self.core.live if order.request.cl_ord_id not in known]

    def _order(self, which: int) -> Order | None:
        return self.orders[-1 - which % len(self.orders)] if self.orders else None

    def _quote(self, px: int) -> None:
        self.core.quote(px)

    def _bar(self, prices: list[int], end: bool) -> None:
        self.core.bar(prices[0], max(prices), min(prices), prices[3], session_end=end)

    def _trade(self, side: int, qty: int, plan: ExitPlan | None, resting: bool) -> None:
        if plan is not None and side < 0:
            plan = ExitPlan(stop_px=5000, target_px=1, trail_distance=plan.trail_distance)
        kind, px = (OrdType.LIMIT, 1000) if resting else (OrdType.MARKET, 0)
        wish = self.core.intent(Action.TRADE, side, qty, plan=plan, ord_type=kind, px=px)
        self.core.feed(SubmitIntent(self.core.tick(), wish))

    def _close(self, qty: int, resting: bool) -> None:
        kind, px = (OrdType.LIMIT, 1000) if resting else (OrdType.MARKET, 0)
        self.core.submit(self.core.intent(Action.CLOSE, 0, qty, ord_type=kind, px=px))

    def _fill(self, which: int, qty: int, px: int, fee_qty: int = 0) -> None:
        order = self._order(which)
        if order is not None:
            self.core.fill(order, qty, px, fee=px % 7 - 3, fee_qty=fee_qty)
            self.trades.setdefault(order.request.cl_ord_id, []).append(self._last_report())

    def _last_report(self) -> VenueReport:
        report: VenueReport = self.core.events[0].report  # type: ignore[attr-defined]
        return report

    def _repeat(self, which: int) -> None:
        order = self._order(which)
        for trade in self.trades.get(order.request.cl_ord_id, []) if order is not None else []:
            assert order is not None
            fields = {"exec_id": trade.exec_id, "last_px": trade.last_px, "last_qty": trade.last_qty, "fee": trade.fee}
            fields["fee_qty"] = trade.fee_qty
            before = self.core.state.digest(), self.core.state.book.cash
            self.core.report(order, ExecType.TRADE, **fields)
            if order.request.cl_ord_id in (self.core.state.book.orders | self.core.state.book.done):
                assert self.core.state.book.cash == before[1], "a repeated execution moved money"

    def _end(self, which: int, exec_type: ExecType, cum_qty: int) -> None:
        order = self._order(which)
        if order is not None:
            self.core.report(order, exec_type, cum_qty=cum_qty)

    def _say(self, which: int, exec_type: ExecType, cum_qty: int) -> None:
        order = self._order(which)
        if order is not None:
            self.core.report(order, exec_type, cum_qty=cum_qty, code="SAID")

    def _unknown(self, which: int) -> None:
        order = self._order(which)
        if order is not None:
            self.core.feed(OutcomeUnknown(self.core.tick(), order.request.cl_ord_id, "silence"))

    def _absent(self, which: int) -> None:
        order = self._order(which)
        if order is not None:
            self.core.feed(OrderQueried(self.core.tick(), order.request.cl_ord_id, False))

    def _query_failed(self, which: int) -> None:
        order = self._order(which)
        if order is not None:
            self.core.feed(QueryFailed(self.core.tick(), order.request.cl_ord_id, "503"))

    def _lapsed(self, which: int) -> None:
        order = self._order(which)
        if order is not None:
            self.core.now_ns = max(self.core.now_ns, order.request.send_by_ns)
            self.core.feed(SendLapsed(self.core.tick(), order.request.cl_ord_id))

    def _timer(self, which: int) -> None:
        order = self._order(which)
        if order is not None:
            self.core.feed(TimerFired(self.core.tick(), QUERY_TIMER + order.request.cl_ord_id))

    def _cancel(self, which: int) -> None:
        order = self._order(which)
        if order is not None:
            self.core.feed(RequestCancel(self.core.tick(), order.request.cl_ord_id, "ada"))

    def _resolve(self, which: int, status: OrdStatus) -> None:
        order = self._order(which)
        if order is None:
            return
        digest = self.core.state.digest()
        try:
            self.core.feed(ResolveOrder(self.core.tick(), order.request.cl_ord_id, status, "ada", "call"))
        except InputError:
            assert self.core.state.digest() == digest

    def _halt(self, what: dict[str, Any]) -> None:
        self.core.feed(Halt(self.core.tick(), "KILL", "why", "ada", **what))

    def _resume(self) -> None:
        for what in HALTED:
            self.core.feed(Resume(self.core.tick(), "ada", **what))

    def _restart(self) -> None:
        quotes = self.core.state.quotes
        self.core.state = State.restore(self.core.state.snapshot())
        self.core.state.quotes = quotes
        self.core.feed(RecoverOrders(self.core.tick()))

    def _wait(self, moments: int) -> None:
        self.core.tick(moments)

    def _reset(self, cash: int) -> None:
        self.core.feed(ResetWorkspace(self.core.tick(), cash, "ada"))


@settings(max_examples=150)
@given(BOTH, TERMS, st.lists(STEP, min_size=20, max_size=80))
def test_core_keeps_its_invariants_whatever_the_venue_does(
    rules: Profile, terms: Terms, steps: list[tuple[Any, ...]]
) -> None:
    adversary = Adversary(rules, terms)
    for step in steps:
        adversary.play(*step)
    core = adversary.core
    journal = MemoryJournal()
    journal.append([Batch(journal.open_stream("w"), [encode(event) for event in core.journal])])
    assert check_journal(journal, "w") == []


@settings(max_examples=60)
@given(BOTH, TERMS, st.lists(STEP, min_size=20, max_size=60), st.integers(0, 59))
def test_core_decides_alike_after_a_restart_at_any_moment(
    rules: Profile, terms: Terms, steps: list[tuple[Any, ...]], cut: int
) -> None:
    """A state from its snapshot goes on exactly as the one that was never put away."""
    whole, stopped = Adversary(rules, terms), Adversary(rules, terms)
    for at, step in enumerate(steps):
        if at == cut:
            restored = State.restore(stopped.core.state.snapshot())
            restored.quotes, restored.crossed_ns = stopped.core.state.quotes, stopped.core.state.crossed_ns
            stopped.core.state = restored
            stopped.orders = [restored.order(order.request.cl_ord_id) or order for order in stopped.orders]
        whole.play(*step)
        stopped.play(*step)
    assert [encode(event) for event in stopped.core.journal] == [encode(event) for event in whole.core.journal]
