"""All checks together."""

from __future__ import annotations

from surefill.testing.venue_conformance.account import Account
from surefill.testing.venue_conformance.cancels import Cancels
from surefill.testing.venue_conformance.claims import Claims
from surefill.testing.venue_conformance.life import Life
from surefill.testing.venue_conformance.looks import Looks
from surefill.testing.venue_conformance.orders import Orders
from surefill.testing.venue_conformance.outcomes import Outcomes
from surefill.testing.venue_conformance.reports import Reports


class VenueConformance(Claims, Orders, Cancels, Looks, Outcomes, Reports, Life, Account):
    """Subclass it, give it a fixture `ground`, and let pytest collect the subclass."""
