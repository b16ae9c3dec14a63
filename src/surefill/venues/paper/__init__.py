"""The paper venue: a simulated market behind the same Protocol as a real one."""

from surefill.venues.paper.settings import FeeRule, PaperSettings
from surefill.venues.paper.venue import PaperVenue

__all__ = ["FeeRule", "PaperSettings", "PaperVenue"]
