"""The writer, the paper venue and a journal under random trading: money, positions, restarts, failed commits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.engine.workspaces import instrument

from surefill.domain.inputs import (
    DefineInstrument,
    Halt,
    Input,
    OpenWorkspace,
    RequestCancel,
    ResetWorkspace,
    Resume,
    SubmitIntent,
)
from surefill.domain.intent import Action, ExitPlan, Intent, LadderStep
from surefill.domain.limits import Limits
from surefill.domain.market import Bar, BarOpened, Quote
from surefill.domain.profile import PAPER_FULL, V3, Profile
from surefill.engine.answers import at_once
from surefill.engine.recovery import fold_journal
from surefill.engine.writer import WorkspaceWriter
from surefill.errors import AppendFailed
from surefill.journal import MemoryJournal
from surefill.rules.codes import FeeKind, FillMode, OrdType, TimeInForce
from surefill.testing.faulty_journal import FaultyJournal, JournalFault
from surefill.testing.invariants import check_book, check_journal
from surefill.venues.paper import FeeRule, PaperSettings, PaperVenue

FEES = (FeeRule(FeeKind.PER_NOTIONAL, rate_ppb=1_234_567), FeeRule(FeeKind.PER_ORDER, per_order=3))
PX = st.integers(80, 120)
SIZES = st.integers(0, 60)
PLANS = st.sampled_from(
    [
        None,
        None,
        ExitPlan(stop_px=70, target_px=130, trail_distance=10),
        ExitPlan(stop_px=70, trail_step_ppb=300_000_000, stop_partial_ppb=500_000_000, end_of_day=True),
        ExitPlan(ladder=(LadderStep(125, 400_000_000), LadderStep(140, 500_000_000)), time_stop_bars=3),
    ]
)
KINDS = st.sampled_from([OrdType.MARKET, OrdType.MARKET, OrdType.LIMIT, OrdType.STOP, OrdType.STOP_LIMIT])
SETTINGS = st.builds(
    PaperSettings,
    st.sampled_from(FillMode),
    st.sampled_from([0, 10_000_000]),
    st.sampled_from([0, 5_000_000]),
    st.booleans(),
    st.sampled_from([0, 0, 3]),
    st.sampled_from([(), FEES]),
)
AT_VENUE = msgspec.structs.replace(V3, limits=msgspec.structs.replace(V3.limits, stops_at_venue=True))
PROFILES = st.sampled_from([V3, PAPER_FULL, AT_VENUE])

STEPS: list[tuple[int, str, tuple[st.SearchStrategy[Any], ...]]] = [
    (5, "quote", (PX, st.integers(0, 3), SIZES, SIZES)),
    (1, "quote", (st.sampled_from([60, 150]), st.just(1), SIZES, SIZES)),
    (4, "bar", (st.lists(PX, min_size=4, max_size=4), st.booleans())),
    (
        8,
        "trade",
        (
            st.sampled_from([1, -1]),
            st.integers(1, 50),
            KINDS,
            PX,
            PX,
            st.sampled_from(TimeInForce),
            PLANS,
            st.integers(0, 40),
        ),
    ),
    (3, "close", (st.integers(0, 20), st.booleans())),
    (2, "cancel", (st.integers(0, 5),)),
    (1, "halt", ()),
    (2, "resume", ()),
    (1, "reset", ()),
    (4, "flush", ()),
    (1, "restart", (st.booleans(),)),
    (1, "fail", (st.sampled_from([JournalFault.REFUSED, JournalFault.LOST, JournalFault.KEPT]),)),
]
STEP = st.one_of([st.tuples(st.just(name), *parts) for weight, name, parts in STEPS for _ in range(weight)])
Script = list[tuple[Any, ...]]


class Trader:
    """Plays steps on a workspace of its own."""

    def __init__(self, rules: Profile, paper: PaperSettings) -> None:
        self.paper = paper
        self.journal = FaultyJournal(MemoryJournal())
        self.now_ns = 10
        self.writer = WorkspaceWriter(self.journal, "w", PaperVenue(paper))
        self.feed(OpenWorkspace(1, "w", "paper", "paper", "a", "EUR", 2, 10_000_000, rules, ""))
        self.feed(DefineInstrument(2, instrument()))
        self.writer.flush()

    def play(self, name: str, *arguments: Any) -> None:
        getattr(self, f"_{name}")(*arguments)
        assert check_book(self.writer.state) == []

    def feed(self, item: Input) -> None:
        self.writer.feed(item)

    def tick(self) -> int:
        self.now_ns += 1
        return self.now_ns

    def _quote(self, px: int, spread: int, bid_qty: int, ask_qty: int) -> None:
        self.feed(Quote("X", self.tick(), px, px - spread, px + spread, bid_qty, ask_qty))

    def _bar(self, prices: list[int], end: bool) -> None:
        open_ns = self.tick()
        self.feed(BarOpened("X", open_ns, prices[0]))
        made = Bar("X", open_ns, self.tick(), prices[0], max(prices), min(prices), prices[3], is_session_end=end)
        self.feed(made)

    def _trade(
        self,
        side: int,
        qty: int,
        kind: OrdType,
        px: int,
        stop_px: int,
        tif: TimeInForce,
        plan: ExitPlan | None,
        key: int,
    ) -> None:
        px = px if kind in (OrdType.LIMIT, OrdType.STOP_LIMIT) else 0
        stop_px = stop_px if kind in (OrdType.STOP, OrdType.STOP_LIMIT) else 0
        if plan is not None and side < 0:
            plan = ExitPlan(stop_px=160, target_px=50, trail_distance=plan.trail_distance)
        intent_id = f"k{key}" if key else ""
        self._submit(Intent(intent_id, "c", "t", "s", "X", Action.TRADE, side, qty, kind, tif, px, stop_px, plan=plan))

    def _close(self, qty: int, resting: bool) -> None:
        kind, px = (OrdType.LIMIT, 100) if resting else (OrdType.MARKET, 0)
        self._submit(Intent("", "c", "t", "s", "X", Action.CLOSE, 0, qty, kind, TimeInForce.GTC, px))

    def _submit(self, intent: Intent) -> None:
        self.writer.submit(SubmitIntent(self.tick(), intent))

    def _cancel(self, which: int) -> None:
        live = list(self.writer.state.book.orders)
        if live:
            self.feed(RequestCancel(self.tick(), live[which % len(live)], "ada"))

    def _halt(self) -> None:
        self.feed(Halt(self.tick(), "KILL", "why", "ada"))

    def _resume(self) -> None:
        self.feed(Resume(self.tick(), "ada"))

    def _reset(self) -> None:
        self.feed(ResetWorkspace(self.tick(), 5_000_000, "ada"))

    def _flush(self) -> None:
        self.writer.flush()
        held = {key: position.qty for key, position in self.writer.state.open_positions()}
        assert at_once(self.writer.venue.positions()) == held, "the simulated venue has other books"

    def _restart(self, snapshot: bool) -> None:
        self.writer.flush()
        if snapshot:
            self.writer.save_snapshot()
        before = self.writer.state.digest()
        self.writer = WorkspaceWriter(self.journal, "w", PaperVenue(self.paper))
        assert self.writer.state.digest() == before
        self.writer.recover(self.tick())

    def _fail(self, fault: JournalFault) -> None:
        if not self.writer.dirty:
            return
        durable, live = fold_journal(self.journal, "w")[0].digest(), self.writer.state.digest()
        self.journal.plan(fault)
        try:
            self.writer.flush()
        except AppendFailed:
            expected = live if fault is JournalFault.KEPT else durable
            assert self.writer.state.digest() == expected
        else:
            raise AssertionError("the planned fault did not fire")


def _played(rules: Profile, paper: PaperSettings, steps: Script, between: Callable[[Trader], None]) -> Trader:
    trader = Trader(rules, paper)
    for step in steps:
        trader.play(*step)
        between(trader)
    trader.play("flush")
    return trader


def _nothing(_trader: Trader) -> None:
    """Nothing between two steps."""


@settings(max_examples=120)
@given(PROFILES, SETTINGS, st.lists(STEP, min_size=20, max_size=80))
def test_trading_keeps_the_invariants_through_restarts_and_failed_commits(
    rules: Profile, paper: PaperSettings, steps: Script
) -> None:
    trader = _played(rules, paper, steps, _nothing)
    assert check_journal(trader.journal, "w") == []
    assert fold_journal(trader.journal, "w")[0].digest() == trader.writer.state.digest()


ORDINARY = [step for step in STEPS if step[1] not in ("restart", "fail", "flush")]
ORDINARY_STEP = st.one_of([st.tuples(st.just(name), *parts) for weight, name, parts in ORDINARY for _ in range(weight)])
WHOLE = SETTINGS.filter(lambda made: not made.partial_fills)  # what a quote has left is not journaled


def _payloads(trader: Trader) -> list[bytes]:
    return [record.payload for record in trader.journal.read("w")]


@settings(max_examples=60)
@given(PROFILES, WHOLE, st.lists(ORDINARY_STEP, min_size=20, max_size=60), st.integers(1, 7))
def test_trading_is_the_same_however_often_memory_is_thrown_away(
    rules: Profile, paper: PaperSettings, steps: Script, every: int
) -> None:
    count = 0

    def discard(trader: Trader) -> None:
        nonlocal count
        count += 1
        if count % every == 0:
            trader.writer.flush()
            trader.writer.discard()

    kept, discarded = _played(rules, paper, steps, _nothing), _played(rules, paper, steps, discard)
    assert _payloads(discarded) == _payloads(kept)


@settings(max_examples=60)
@given(PROFILES, SETTINGS, st.lists(ORDINARY_STEP, min_size=20, max_size=60))
def test_trading_is_the_same_in_one_commit_or_in_many(rules: Profile, paper: PaperSettings, steps: Script) -> None:
    def flush(trader: Trader) -> None:
        trader.writer.flush()

    one, many = _played(rules, paper, steps, _nothing), _played(rules, paper, steps, flush)
    assert _payloads(one) == _payloads(many)
    assert one.journal.heads()["w"].chain_hash == many.journal.heads()["w"].chain_hash


@settings(max_examples=40)
@given(SETTINGS, st.lists(ORDINARY_STEP, min_size=20, max_size=60))
def test_cash_never_falls_below_zero_by_a_purchase_that_the_gate_let_through(
    paper: PaperSettings, steps: Script
) -> None:
    """At prices known in advance: no slippage, no spread, no fees; long only, so that nothing is borrowed."""
    rules = Profile("long", PAPER_FULL.gates, allow_short=False, limits=Limits())
    sure = PaperSettings(FillMode.LTP, partial_fills=paper.partial_fills)
    market = [step for step in steps if step[0] != "trade" or step[3] == OrdType.MARKET or step[3] == OrdType.LIMIT]

    def solvent(trader: Trader) -> None:
        assert trader.writer.state.book.cash >= 0

    _played(rules, sure, market, solvent)
