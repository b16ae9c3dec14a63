"""Keys in a file of their own: lines `name=value`, readable by its owner alone."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from surefill.errors import ConfigError


def keys_in(path: Path, known: frozenset[str]) -> dict[str, str]:
    """The keys of the file. Raises ConfigError, which shows names and never values."""
    try:
        mode = path.stat().st_mode
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"the key file {path} cannot be read: {type(error).__name__}", key="key_file") from error
    if os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise ConfigError(
            f"the key file {path} can be read by others (mode {stat.S_IMODE(mode):o}): chmod 600 it", key="key_file"
        )
    found: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        name, equals, value = (part.strip() for part in line.partition("="))
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if not equals or name not in known:
            raise ConfigError(
                f"line {number} of the key file {path} is none of {', '.join(sorted(known))} with = and a value",
                key="key_file",
            )
        found[name] = value
    return found
