"""Train and test: which bars are chosen on, which judge, and that nothing is in both."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefill.errors import InputError
from surefill.strategy.timeline import moments
from surefill.sweep.split import WHOLE, Segment, Split, TrainTest, WalkForward, cut, inside, windows
from surefill.testing.strategy_conformance import awkward_series

SERIES = {"A": awkward_series(1, 50), "B": awkward_series(2, 30)}
OPENS = [moment.open_ns for moment in moments(SERIES)]


def _numbers(segment: Segment) -> list[int]:
    return [at for at, open_ns in enumerate(OPENS) if segment.from_ns <= open_ns < segment.until_ns]


@given(
    st.sampled_from([TrainTest(0.7), TrainTest(0.1)])
    | st.builds(WalkForward, st.integers(2, len(OPENS) - 1), st.integers(1, 40), st.booleans())
)
def test_windows_train_before_they_test_and_test_every_later_moment_once(split: Split) -> None:
    found = windows(split, SERIES)
    tested: list[int] = []
    for window in found:
        train, test = _numbers(window.train), _numbers(window.test)
        assert train[-1] + 1 == test[0]
        tested += test
        if isinstance(split, WalkForward):
            assert train[0] == 0 if split.anchored else len(train) == split.train
    first = _numbers(found[0].train)[-1] + 1
    assert tested == list(range(first, len(OPENS)))


@pytest.mark.parametrize("split", [TrainTest(0.001), TrainTest(0.999), WalkForward(len(OPENS), 5)])
def test_split_that_leaves_nothing_is_refused(split: Split) -> None:
    with pytest.raises(InputError):
        windows(split, SERIES)


def test_segment_knows_what_was_before_it_and_nothing_after() -> None:
    (window,) = windows(TrainTest(0.5), SERIES)
    known, judged = cut(SERIES, window.test), inside(SERIES, window.test)
    for symbol, bars in SERIES.items():
        assert len(known[symbol]) == len(bars)
        trained = inside(SERIES, window.train)[symbol]
        assert [*trained, *judged[symbol]] == list(bars)
        assert list(cut(SERIES, window.train)[symbol]) == list(trained)
        assert list(cut(SERIES, WHOLE)[symbol]) == list(inside(SERIES, WHOLE)[symbol]) == list(bars)
