"""The fold beneath the views: the domain's own state, labels for as long as somebody can ask, marks from events."""

from __future__ import annotations

import random

import pytest
from tests.views.trading import Trading, at_random

from surefill.domain.intent import ExitPlan
from surefill.views import fold as fold_module
from surefill.views.fold import NO_LABELS, Fold
from surefill.views.order_lines import order_line


def folded(trading: Trading) -> Fold:
    fold = Fold()
    for event in trading.events():
        fold.apply(event)
    return fold


@pytest.mark.parametrize("seed", range(5))
def test_fold_of_random_trading_is_the_writers_state(seed: int) -> None:
    trading = at_random(random.Random(seed), 80)
    assert folded(trading).state.digest() == trading.writer.state.digest()


@pytest.mark.parametrize("cut", [1, 10, 40, 100])
def test_fold_saved_and_restored_goes_on_as_if_it_had_not_stopped(cut: int) -> None:
    trading = at_random(random.Random(3), 80)
    whole, first = Fold(), Fold()
    events = trading.events()
    for event in events:
        whole.apply(event)
    for event in events[:cut]:
        first.apply(event)
    second = Fold.restore(first.save())
    assert second is not None
    for event in events[cut:]:
        second.apply(event)
    assert second.save() == whole.save()
    assert second.state.digest() == whole.state.digest()


@pytest.mark.parametrize("payload", [b"", b"{}", b'{"version":[0,0],"book":"{}","labels":{},"marks":{},"orders":0}'])
def test_fold_of_another_version_is_not_restored(payload: bytes) -> None:
    assert Fold.restore(payload) is None


def test_fold_forgets_labels_that_nobody_can_ask_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fold_module, "LABELS_FLOOR", 4)
    monkeypatch.setattr("surefill.domain.decide.reports.DONE_MAX", 2)
    trading = Trading()
    trading.price(10_000)
    trading.trade(1, 100, plan=ExitPlan(stop_px=9_000), context={"product": "NRML"}, reason="first")
    for _ in range(30):
        trading.trade(1, 1)
        trading.trade(-1, 1)
    trading.price(9_000)
    fold = Fold()
    lines = []
    for event in trading.events():
        fold.apply(event)
        lines.append(order_line(fold, event))
    assert len(fold.labels) < 12
    last = lines[-1]
    assert last is not None  # the exit, long after: it belongs to the story that opened the position
    assert (last.reason, last.labels.context) == ("stop", {"product": "NRML"})
    assert fold.labels_of("story-5") is NO_LABELS


def test_fold_marks_are_the_last_journaled_prices() -> None:
    trading = Trading()
    trading.price(10_000)
    trading.trade(1, 1, plan=ExitPlan(stop_px=9_000, trail_distance=500))
    assert folded(trading).marks == {"NIFTY24DECFUT": 10_000}
    trading.price(10_200)  # moves the stop: that is journaled, with its price
    assert folded(trading).marks == {"NIFTY24DECFUT": 10_200}
    trading.price(10_100)  # moves nothing
    assert folded(trading).marks == {"NIFTY24DECFUT": 10_200}
