"""Where the control socket of a journal's engine is: a place that the journal's path alone leads to.

Beside the journal, as `<journal>.sock`, if that fits: a socket's path may be about a hundred bytes long. Else in the
user's runtime folder, under a name made from the journal's path. Whoever asks looks in every place.
"""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
from pathlib import Path
from typing import Final

from surefill.errors import ConfigError

SOCKET_PATH_BYTES_MAX: Final = 103  # what sun_path holds on macOS; Linux has four more


def socket_places(journal_path: str | os.PathLike[str]) -> list[Path]:
    """Every place where the socket may be, the one to use first."""
    journal = os.path.realpath(journal_path)
    beside = Path(journal + ".sock")
    if _fits(beside):
        return [beside]
    name = hashlib.sha256(os.fsencode(journal)).hexdigest()[:24] + ".sock"
    own = [os.environ.get("XDG_RUNTIME_DIR", ""), f"/run/user/{os.getuid()}"]
    places = [Path(folder) / "surefill" / name for folder in dict.fromkeys(own) if folder and os.path.isdir(folder)]
    everybodys = Path(tempfile.gettempdir()) / f"surefill-{os.getuid()}"
    return [place for place in (*places, everybodys / name) if _fits(place)]


def make_place(journal_path: str | os.PathLike[str]) -> Path:
    """The first usable place, its folder made and for nobody else's eyes. Raises ConfigError if there is none."""
    places = socket_places(journal_path)
    if places and places[0].parent == Path(os.path.realpath(journal_path)).parent:
        return places[0]
    for place in places:
        try:
            place.parent.mkdir(mode=0o700, exist_ok=True)
        except OSError:
            continue
        if is_private(place.parent):
            return place
    raise ConfigError(
        f"no place for a control socket: the path of {journal_path} is too long for one, and neither XDG_RUNTIME_DIR"
        " nor the temporary folder takes it; move the journal to a shorter path"
    )


def is_private(folder: Path) -> bool:
    """Whether a folder is ours, and nobody else can put anything into it."""
    try:
        found = os.lstat(folder)
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o077


def _fits(path: Path) -> bool:
    return len(os.fsencode(path)) <= SOCKET_PATH_BYTES_MAX
