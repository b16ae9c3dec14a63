"""MetaTrader 5: FX and CFDs, through a terminal."""

from surefill.venues.mt5.settings import Mt5Settings
from surefill.venues.mt5.venue import Mt5Venue

__all__ = ["Mt5Settings", "Mt5Venue"]
