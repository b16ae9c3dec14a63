"""One emulated Binance for all tests of a module, fresh for each."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from surefill.testing.emulators import EmulatorProcess


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmulatorProcess]:
    """The process."""
    with EmulatorProcess("binance", tmp_path_factory.mktemp("binance") / "truth") as process:
        yield process


@pytest.fixture
def venue(running: EmulatorProcess) -> EmulatorProcess:
    """Nothing has happened yet; BTCUSDT stands at 50000."""
    running.reset()
    running.price("BTCUSDT", 50000)
    return running
