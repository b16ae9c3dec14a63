"""Every adapter through the numbered suite, on the venue that it is made for, emulated."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.venues.conformance.grounds import BinanceGround, KiteGround, Mt5Ground, RemoteGround
from tests.venues.kite.rig import kite

from surefill.testing.emulators import EmulatorProcess
from surefill.testing.remote_venue import VenueProcess
from surefill.testing.venue_conformance import Ground, VenueConformance


class TestRemote(VenueConformance):
    @pytest.fixture(scope="class")
    @classmethod
    def ground(cls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
        with VenueProcess(tmp_path_factory.mktemp("remote") / "truth.db") as process:
            yield RemoteGround(process)


class _Binance(VenueConformance):
    exchange = ""

    @pytest.fixture(scope="class")
    @classmethod
    def ground(cls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
        place: Path = tmp_path_factory.mktemp("binance")
        with EmulatorProcess("binance", place / "truth.db") as process:
            yield BinanceGround(process, cls.exchange)


class TestBinanceSpot(_Binance):
    exchange = "binance"


class TestBinanceUsdm(_Binance):
    exchange = "binanceusdm"


class TestKite(VenueConformance):
    @pytest.fixture(scope="class")
    @classmethod
    def ground(cls) -> Iterator[Ground]:
        with kite() as emulated:
            yield KiteGround(emulated)


class TestMt5(VenueConformance):
    @pytest.fixture(scope="class")
    @classmethod
    def ground(cls) -> Iterator[Ground]:
        with EmulatorProcess("mt5", ":memory:") as process:
            yield Mt5Ground(process)
