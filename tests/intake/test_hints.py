"""Hints from outside: each is answered by a look that began after it, and a flood of them by two."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from surefill.errors import VenueOutcomeUnknown
from surefill.intake.hints import Hints


class Looked:
    """What a hint has asked: here looks are counted, and last until they are let go."""

    def __init__(self, *, silent: bool = False) -> None:
        self.looks = 0
        self.began, self.may_end = threading.Event(), threading.Event()
        self._silent = silent

    def refetch(self) -> None:
        self.looks += 1
        self.began.set()
        assert self.may_end.wait(10)
        if self._silent:
            raise VenueOutcomeUnknown("the venue does not tell")


def test_flood_of_hints_is_two_looks() -> None:
    looked = Looked()
    hints = Hints(looked)
    with ThreadPoolExecutor(20) as threads:
        first = threads.submit(hints.take)
        assert looked.began.wait(10)
        others = [threads.submit(hints.take) for _ in range(19)]
        while hints.came < 20:
            pass
        looked.may_end.set()
        for each in (first, *others):
            each.result(10)
    assert looked.looks == 2


def test_hint_that_nobody_answers_raises_nothing_and_the_next_one_looks_again() -> None:
    looked = Looked(silent=True)
    looked.may_end.set()
    hints = Hints(looked)
    hints.take()
    hints.take()
    assert looked.looks == 2
