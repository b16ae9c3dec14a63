"""One remote venue for a module's tests: each test has an account and a symbol of its own there."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.faults.rig import DELAY_MS

from surefill.testing.remote_venue import Rules, VenueProcess


@pytest.fixture(scope="module")
def running_venue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VenueProcess]:
    with VenueProcess(tmp_path_factory.mktemp("venue") / "truth.db") as process:
        yield process


@pytest.fixture
def process(running_venue: VenueProcess) -> Iterator[VenueProcess]:
    running_venue.rules(Rules(delay_ms=DELAY_MS))
    yield running_venue
    running_venue.heal()
