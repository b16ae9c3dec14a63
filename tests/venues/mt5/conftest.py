from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.venues.mt5.rig import gateway

from surefill.testing.emulators import EmulatorProcess


@pytest.fixture(scope="session")
def terminal() -> Iterator[EmulatorProcess]:
    with EmulatorProcess("mt5", ":memory:") as process:
        process.rules(delay_ms=700, short_ms=20)
        yield process


@pytest.fixture(scope="session")
def gateway_url(terminal: EmulatorProcess) -> Iterator[str]:
    with gateway(terminal.port) as url:
        yield url


@pytest.fixture(params=["package", "gateway"])
def way(request: pytest.FixtureRequest, gateway_url: str) -> str:
    """How the adapter reaches the terminal: "" by the package, else the gateway's address."""
    return gateway_url if request.param == "gateway" else ""
