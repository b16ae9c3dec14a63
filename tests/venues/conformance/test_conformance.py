"""Every adapter through the numbered suite, on the venue that it is made for, emulated."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import pytest
from examples.toy_venue.test_toy_venue import TestToyVenue
from tests.venues.conformance.grounds import (
    BinanceGround,
    KiteGround,
    Mt5Ground,
    PaperGround,
    RemoteGround,
    SpotGround,
    UsdmGround,
)
from tests.venues.kite.rig import kite

from surefill.testing.emulators import EmulatorProcess
from surefill.testing.remote_venue import VenueProcess
from surefill.testing.venue_conformance import Ground, VenueConformance

__all__ = ["TestToyVenue"]  # the worked example is held to the same


class TestPaper(VenueConformance):
    @pytest.fixture(scope="class")
    @classmethod
    def ground(cls) -> Ground:
        return PaperGround()


class TestRemote(VenueConformance):
    @pytest.fixture(scope="class")
    @classmethod
    def ground(cls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
        with VenueProcess(tmp_path_factory.mktemp("remote") / "truth.db") as process:
            yield RemoteGround(process)


class _Binance(VenueConformance):
    kind: ClassVar[type[BinanceGround]]

    @pytest.fixture(scope="class")
    @classmethod
    def ground(cls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
        with EmulatorProcess("binance", tmp_path_factory.mktemp("binance") / "truth.db") as process:
            yield cls.kind(process)


class TestBinanceSpot(_Binance):
    kind = SpotGround


class TestBinanceUsdm(_Binance):
    kind = UsdmGround


class TestKite(VenueConformance):
    @pytest.fixture(scope="class")
    @classmethod
    def ground(cls) -> Iterator[Ground]:
        with kite() as emulated:
            yield KiteGround(emulated)


class TestMt5(VenueConformance):
    @pytest.fixture(scope="class")
    @classmethod
    def ground(cls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
        with EmulatorProcess("mt5", tmp_path_factory.mktemp("mt5") / "truth.db") as process:
            yield Mt5Ground(process)
