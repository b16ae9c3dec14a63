"""What every adapter of a venue must do, as a numbered suite that each adapter subclasses.

::

    class TestMyVenue(VenueConformance):
        @pytest.fixture(scope="class")
        @classmethod
        def ground(cls):
            with my_emulated_venue() as emulated:
                yield MyGround(emulated)

The `Ground` is the venue that the adapter is tried on, with a hand on it: its price can be set, its faults can be
switched on, and it tells what really happened. The guide is docs/venues/write-a-venue.md.

1. No check is left out in silence. What cannot be tried is in the ground's `not_applicable`, what the adapter does
   otherwise in its `deviations`, each by number and with its reason.
2. A deviation is tried all the same, and must still be one: as soon as the adapter meets the check, the suite says so.
3. A fault proves something only if it struck: each check looks that it did.
"""

from surefill.testing.venue_conformance.ground import REPORT_FAULTS, WIRE_FAULTS, Ground, TrueOrder
from surefill.testing.venue_conformance.numbered import CHECKS, Check
from surefill.testing.venue_conformance.stage import Stage, Told
from surefill.testing.venue_conformance.suite import VenueConformance

__all__ = [
    "CHECKS",
    "REPORT_FAULTS",
    "WIRE_FAULTS",
    "Check",
    "Ground",
    "Stage",
    "Told",
    "TrueOrder",
    "VenueConformance",
]
