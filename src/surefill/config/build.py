"""Which program this is: its version, and the hash of its own source as it is installed."""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path

import surefill


@functools.cache
def build_of_this() -> str:
    """`VERSION+HASH`: equal for equal source, wherever it is installed. Read once, when it is first asked for."""
    return build_of(Path(surefill.__file__).parent, surefill.__version__)


def build_of(folder: Path, version: str) -> str:
    """The build of a package: every Python file in it counts, with its place."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(folder).as_posix()}|{len(content)}|".encode())
        digest.update(content)
    return f"{version}+{digest.hexdigest()[:16]}"
