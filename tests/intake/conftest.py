"""The emulated venues that doors trade at: one of each for a module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.intake.real_grounds import BinanceGround, Ground, KiteGround
from tests.venues.kite.hand import Kite

from surefill.testing.emulators.thread import EmulatorThread


@pytest.fixture(scope="module")
def kite() -> Iterator[Kite]:
    with Kite() as emulated:
        yield emulated


@pytest.fixture(scope="module")
def binance() -> Iterator[EmulatorThread]:
    with EmulatorThread("binance") as emulated:
        yield emulated


@pytest.fixture(params=["kite", "binance"])
def ground(request: pytest.FixtureRequest) -> Ground:
    """A fresh account at each of the venues."""
    if request.param == "kite":
        return KiteGround(request.getfixturevalue("kite"))
    return BinanceGround(request.getfixturevalue("binance"), request.param)
