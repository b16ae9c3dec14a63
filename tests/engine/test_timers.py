"""Timers against the plainest thing that could keep them: a dictionary, sorted whenever somebody asks."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from surefill.engine.timers import Timers

TIMES = st.integers(0, 12)
CALLS = st.lists(
    st.one_of(
        st.tuples(st.just("set"), st.sampled_from("abcdef"), TIMES),
        st.tuples(st.just("take"), st.just(""), TIMES),
        st.tuples(st.just("clear"), st.just(""), st.just(0)),
    ),
    max_size=60,
)


@given(CALLS)
def test_timers_are_a_sorted_dictionary_whatever_is_done_to_them(calls: list[tuple[str, str, int]]) -> None:
    timers, plain = Timers(), dict[str, int]()
    for call, name, ns in calls:
        if call == "set":
            timers.set(name, ns)
            plain[name] = ns
        elif call == "take":
            due = sorted((at_ns, name) for name, at_ns in plain.items() if at_ns <= ns)
            assert timers.take_due(ns) == [name for _, name in due]
            plain = {name: at_ns for name, at_ns in plain.items() if at_ns > ns}
        else:
            timers.clear()
            plain.clear()
        assert timers.next_ns() == min(plain.values(), default=None)
        assert timers.pending == plain
        assert sorted(timers) == sorted(plain)


def test_timer_set_anew_again_and_again_does_not_pile_up() -> None:
    timers = Timers()
    timers.set("other", 5)
    for ns in range(10_000, 0, -1):
        timers.set("a", ns + 10)
    assert len(timers._queue) <= 100
    assert timers.take_due(9) == ["other"]
    assert timers.take_due(11) == ["a"]
    assert timers.next_ns() is None


def test_earliest_of_many_is_told_without_a_look_at_the_others() -> None:
    timers = Timers()
    for ns in range(1_000):
        timers.set(f"n{ns}", ns)

    class Unread(dict[str, int]):
        """Counts how often it is asked."""

        asked = 0

        def get(self, name: str, default: object = None) -> int | None:  # type: ignore[override]
            Unread.asked += 1
            return super().get(name)

    timers.pending = Unread(timers.pending)
    assert timers.next_ns() == 0
    assert Unread.asked == 1
