"""What stands where a rebuild puts its files: our own old files go, what somebody else wrote is set aside."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Mapping
from pathlib import Path

import structlog

from surefill.views.appended_file import set_aside
from surefill.views.artefacts import DAILY_PATTERN, header_of

_log = structlog.get_logger("surefill.views")


def set_aside_foreign(root: Path, made: Mapping[str, Path | bytes]) -> None:
    """Rename the files in the way of `made` (bytes, or where they are, by name) that surefill did not write."""
    for name, ours in made.items():
        aside = set_aside(root / name, ours)
        if aside is not None:
            _log.warning("file_set_aside", was=str(root / name), now=str(aside), why="surefill did not write it")


def clear_days(root: Path, made: Collection[str], *, ours: bool) -> None:
    """Take away the daily logs that are not among `made`: those of another journal, or of a longer copy of this one.

    In a folder of ours, what begins as our logs do is deleted: its own journal can make it again. Anything else is
    set aside. Raises OSError. One line in the log, however many there are.
    """
    deleted = renamed = 0
    for path in sorted(root.glob(DAILY_PATTERN)):
        name = path.relative_to(root).as_posix()
        if name in made or not path.is_file():
            continue
        if ours and _begins_as_ours(path, name):
            path.unlink()
            with contextlib.suppress(OSError):  # somebody keeps something of theirs in it
                path.parent.rmdir()
            deleted += 1
        else:
            renamed += set_aside(path, b"") is not None
    if deleted or renamed:
        _log.warning(
            "old_days_cleared",
            folder=str(root),
            deleted=deleted,
            set_aside=renamed,
            why="the journal has no orders of those days",
        )


def _begins_as_ours(path: Path, name: str) -> bool:
    header = header_of(name)
    with path.open("rb") as file:
        start = file.read(len(header))
    return header.startswith(start)  # a crash may have cut it short
