"""Zerodha, through Kite Connect."""

from surefill.venues.kite.settings import KiteSettings
from surefill.venues.kite.triggers import Gtt, GttKept, GttLeg
from surefill.venues.kite.venue import KiteVenue

__all__ = ["Gtt", "GttKept", "GttLeg", "KiteSettings", "KiteVenue"]
