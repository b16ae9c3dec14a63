"""One emulated Binance for a module; each test begins with an empty one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from surefill.testing.emulators.groundwork.process import EmulatorProcess


@pytest.fixture(scope="module")
def running_binance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmulatorProcess]:
    with EmulatorProcess("binance", tmp_path_factory.mktemp("binance") / "truth.db") as process:
        yield process


@pytest.fixture
def binance(running_binance: EmulatorProcess) -> EmulatorProcess:
    running_binance.reset()
    running_binance.heal()
    running_binance.price("BTCUSDT", 60_000)
    return running_binance
