"""State = fold of the events: live, from the start, from a snapshot and the rest; and what restoring brings back."""

from __future__ import annotations

import pytest
from tests.domain.core import Core, opening, profile

from surefill.domain.decide import step
from surefill.domain.evolve import evolve
from surefill.domain.inputs import SubmitIntent
from surefill.domain.intent import Action, ExitPlan, LadderStep
from surefill.domain.refusals import RefusalCode
from surefill.domain.reports import ExecType
from surefill.domain.state import State
from surefill.testing.invariants import check_book

PLAN = ExitPlan(stop_px=900, target_px=1200, trail_distance=50, ladder=(LadderStep(1100, 500_000_000),))


def _busy() -> Core:
    """A life with much in it: working, reducing and finished orders, two positions, one of them protected."""
    core = Core()
    core.quote(10, "Y")
    core.fill(core.order(1, 10, instrument_id="Y"), 10, 10)
    core.hold(plan=PLAN)
    core.order(-1, 40, px=1150, action=Action.CLOSE)
    core.fill(core.order(1, 50, px=990), 20, 990, fee=7)
    core.rejected(core.order(1, 10))
    core.canceled(core.order(1, 10, px=900))
    core.order(1, 10, instrument_id="Y", px=10)
    core.report(core.live[0], ExecType.STATUS, cum_qty=0)
    core.bar(1000, 1080, 990, 1070)
    return core


def test_restored_snapshot_is_the_state_down_to_its_indexes() -> None:
    state = _busy().state
    restored = State.restore(state.snapshot())
    assert restored.digest() == state.digest()
    assert restored.keys_of == state.keys_of
    assert restored.reducing == {key: ids for key, ids in state.reducing.items() if ids}
    assert restored.executions == {name: ids for name, ids in state.executions.items() if ids} != {}
    assert check_book(restored) == []


def test_snapshot_keeps_the_order_in_which_things_came() -> None:
    state = _busy().state
    restored = State.restore(state.snapshot())
    for name in ("orders", "done", "positions"):
        kept, known = getattr(restored.book, name), getattr(state.book, name)
        assert list(kept) == list(known)
        assert list(known) != sorted(known), f"{name} are in order by chance: the test proves nothing"


def test_snapshot_at_every_event_and_the_rest_give_the_same_state() -> None:
    core = _busy()
    expected = core.state.digest()
    for cut in range(len(core.journal) + 1):
        first = State()
        for event in core.journal[:cut]:
            evolve(first, event)
        state = State.restore(first.snapshot())
        for event in core.journal[cut:]:
            evolve(state, event)
        assert state.digest() == expected, f"cut after event {cut}"
        assert state.snapshot() == core.state.snapshot()


def test_market_is_outside_the_digest() -> None:
    core = _busy()
    before = core.state.digest()
    core.quote(123, "Y")
    assert core.state.digest() == before
    assert core.state.quotes["Y"].last_px == 123


def test_digest_changes_with_every_event() -> None:
    core, seen = _busy(), set()
    state = State()
    for event in core.journal:
        evolve(state, event)
        seen.add(state.digest())
    assert len(seen) == len(core.journal)


def test_state_before_its_workspace_is_opened_lets_nothing_through() -> None:
    intent = Core().intent(Action.OPEN, 1, 10)
    events, effects = step(State(), SubmitIntent(5, intent))
    assert effects == []
    assert getattr(events[0], "code", None) == RefusalCode.UNKNOWN_INSTRUMENT


@pytest.mark.parametrize("mode", ["paper", "dry_run", "live", "backtest"])
def test_opened_workspace_has_its_cash_and_profile(mode: str) -> None:
    state = State()
    step(state, opening(profile(), mode, 500))
    book = state.book
    assert (book.workspace_id, book.mode, book.cash, book.starting_cash) == ("w", mode, 500, 500)
    assert (book.profile, book.limits_version, book.seq) == (profile(), 1, 1)
