"""The numbered suite itself: it finds every adapter that lies, and lets nothing be left out in silence."""

from __future__ import annotations

import unittest
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from examples.toy_venue.adapter import ToyVenue
from examples.toy_venue.exchange import ToyExchange
from examples.toy_venue.test_toy_venue import ToyGround
from tests.testing.venue_conformance.liars import LIARS, REMOTE_LIARS, Obliging
from tests.venues.conformance.grounds import RemoteGround

from surefill.errors import VenueOutcomeUnknown
from surefill.testing.remote_venue import RemoteVenue, VenueProcess, tcp
from surefill.testing.venue_conformance import CHECKS, Ground, VenueConformance


def _each(liars: Mapping[type[Any], tuple[int, ...]]) -> list[Any]:
    return [
        pytest.param(liar, number, id=f"{liar.__name__}-{number}") for liar, found in liars.items() for number in found
    ]


LIES, REMOTE_LIES = _each(LIARS), _each(REMOTE_LIARS)


class LyingGround(ToyGround):
    """The toy exchange before an adapter that may lie; it need not be waited for long."""

    within_s = 0.3

    def __init__(self, exchange: ToyExchange, liar: type[ToyVenue] = ToyVenue) -> None:
        super().__init__(exchange)
        self._liar = liar

    def venue(self) -> ToyVenue:
        return self._liar(super().venue()._settings)


class LyingRemoteGround(RemoteGround):
    """The same of the remote venue."""

    within_s = 0.3

    def __init__(self, process: VenueProcess, liar: type[RemoteVenue]) -> None:
        super().__init__(process)
        self._liar = liar

    def venue(self) -> RemoteVenue:
        return self._liar(tcp(self._process.port), account=self._account, timeout_s=0.25, heartbeat_s=0.05)


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VenueProcess]:
    with VenueProcess(tmp_path_factory.mktemp("remote") / "truth.db") as running:
        yield running


@pytest.fixture(scope="module")
def exchange() -> Iterator[ToyExchange]:
    with ToyExchange() as listening:
        yield listening


def grounded(exchange: ToyExchange, liar: type[ToyVenue] = ToyVenue, **changed: object) -> Ground:
    """The toy exchange before an adapter, with another ground's attributes."""
    made: Ground = type("Changed", (LyingGround,), changed)(exchange, liar)
    return made


def make(number: int, ground: Ground) -> None:
    """Make one check."""
    name = next(each for each in dir(VenueConformance) if each.startswith(f"test_ex_{number:02}_"))
    getattr(VenueConformance, name)(VenueConformance(), ground)


@pytest.mark.parametrize(("liar", "number"), LIES)
def test_suite_adapter_that_lies_is_found(liar: type[ToyVenue], number: int, exchange: ToyExchange) -> None:
    with pytest.raises((AssertionError, VenueOutcomeUnknown, ConnectionError)):
        make(number, LyingGround(exchange, liar))


@pytest.mark.parametrize(("liar", "number"), REMOTE_LIES)
def test_suite_adapter_that_lies_about_stops_and_streams_is_found(
    liar: type[RemoteVenue], number: int, process: VenueProcess
) -> None:
    with pytest.raises(AssertionError):
        make(number, LyingRemoteGround(process, liar))


@pytest.mark.parametrize("number", sorted(CHECKS.keys() - ToyGround.not_applicable.keys()))
def test_suite_adapter_that_does_not_lie_passes(number: int, exchange: ToyExchange) -> None:
    ground = LyingGround(exchange)
    ground.within_s = 5.0
    make(number, ground)


def test_suite_check_that_is_not_applicable_is_skipped_with_its_reason(exchange: ToyExchange) -> None:
    ground = grounded(exchange, not_applicable={1: "because"})
    with pytest.raises(unittest.SkipTest, match="EX-01, not applicable: because"):
        make(1, ground)


def test_suite_deviation_is_tried_and_skipped_with_its_reason(exchange: ToyExchange) -> None:
    ground = grounded(exchange, Obliging, deviations={17: "because"})
    with pytest.raises(unittest.SkipTest, match="EX-17, a deviation, tried: because"):
        make(17, ground)


def test_suite_deviation_that_is_none_any_more_fails(exchange: ToyExchange) -> None:
    ground = grounded(exchange, deviations={17: "because"})
    with pytest.raises(AssertionError, match="EX-17 is met: take it out"):
        make(17, ground)


def test_suite_ground_without_a_fault_has_to_say_why(exchange: ToyExchange) -> None:
    ground = grounded(exchange, faults=frozenset())
    with pytest.raises(AssertionError, match="cannot arm"):
        make(29, ground)


def test_suite_fault_that_never_struck_proves_nothing(exchange: ToyExchange) -> None:
    ground = grounded(exchange, struck=lambda _self, _fault: 0)
    with pytest.raises(AssertionError, match="nothing was tried"):
        make(37, ground)


def test_checks_are_numbered_without_gaps_and_each_has_its_test() -> None:
    names = sorted(each for each in dir(VenueConformance) if each.startswith("test_ex_"))
    assert [int(each[8:10]) for each in names] == sorted(CHECKS) == list(range(1, len(CHECKS) + 1))


def test_every_check_is_seen_to_fail() -> None:
    found = {number for numbers in (*LIARS.values(), *REMOTE_LIARS.values()) for number in numbers}
    assert found == CHECKS.keys()
