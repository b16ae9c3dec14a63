"""What a venue's own terms make of a live workspace's rules."""

from __future__ import annotations

import msgspec
import pytest

from surefill.domain.inputs import OpenWorkspace
from surefill.domain.limits import Limits
from surefill.domain.profile import V3
from surefill.intake.arrival import fitted
from surefill.rules.codes import OrdType, TimeInForce
from surefill.units import NS_PER_S
from surefill.venues.protocol import Capabilities

ALL = frozenset(TimeInForce)
DAYS = frozenset({TimeInForce.DAY, TimeInForce.IOC})

ROWS = [
    (5 * NS_PER_S, ALL, Limits(), Limits(absence_horizon_ns=20 * NS_PER_S)),
    (5 * NS_PER_S, ALL, Limits(absence_horizon_ns=7), Limits(absence_horizon_ns=7)),
    (0, ALL, Limits(), Limits()),
    (0, DAYS, Limits(), Limits(stop_time_in_force=TimeInForce.DAY)),
]


@pytest.mark.parametrize(("window_ns", "times", "limits", "wanted"), ROWS)
def test_rules_are_fitted_to_what_the_venue_can(
    window_ns: int, times: frozenset[int], limits: Limits, wanted: Limits
) -> None:
    profile = msgspec.structs.replace(V3, limits=limits)
    opening = OpenWorkspace(1, "w", "live", "v", "a", "USD", 2, 0, profile, "hash")
    capabilities = Capabilities("v", frozenset(OrdType), times, receive_window_ns=window_ns)
    made = fitted(opening, capabilities)
    assert made.profile.limits == wanted
    assert msgspec.structs.replace(made, profile=profile) == opening
