"""What must not touch: simulated money and the network, settings and what is shown of them."""

from __future__ import annotations

import subprocess
import sys

import pytest

from surefill.config import load_settings
from surefill.errors import ConfigError

PLANTED = "hunter2-planted"


def test_paper_venue_loads_nothing_that_could_reach_a_host() -> None:
    code = (
        "import sys, surefill.venues.paper\n"
        "print([name for name in ('socket', 'ssl', 'http', 'urllib', 'asyncio', 'subprocess') if name in sys.modules])"
    )

    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


@pytest.mark.parametrize(
    ("flags", "environment"),
    [
        ({"venue.api_secret": PLANTED}, {}),
        ({"workspace.password": PLANTED}, {}),
        ({}, {"SUREFILL__VENUE__API_SECRET": PLANTED}),
        ({}, {"SUREFILL__WORKSPACE__TOKEN": PLANTED}),
    ],
)
def test_secret_in_a_setting_that_does_not_exist_is_not_repeated_in_the_complaint(
    flags: dict[str, object], environment: dict[str, str]
) -> None:
    with pytest.raises(ConfigError) as told:
        load_settings(None, flags, environment)

    assert PLANTED not in f"{told.value} {told.value.values}"
