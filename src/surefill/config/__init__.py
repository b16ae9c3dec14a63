"""Settings: one typed tree from defaults, a YAML file, the environment and flags, and what the core is told of it.

1. The later source wins: defaults < file < environment (`SUREFILL__SECTION__KEY`) < flags.
2. A key that does not exist is an error, never ignored: a limit that is misspelt is a limit that does not hold.
3. Errors name the source, the key, the value and what is allowed.
"""

from surefill.config.build import build_of_this
from surefill.config.core import (
    config_hash,
    instrument_of,
    opening_of,
    paper_settings_of,
    profile_name,
    profile_of,
)
from surefill.config.load import load_settings
from surefill.config.presets import Preset, preset_of
from surefill.config.tree import Settings

__all__ = [
    "Preset",
    "Settings",
    "build_of_this",
    "config_hash",
    "instrument_of",
    "load_settings",
    "opening_of",
    "paper_settings_of",
    "preset_of",
    "profile_name",
    "profile_of",
]
