"""Checks of files as files: which there are, their names, their lengths, and what must not be in them."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

LINES_MAX = 800
BANNED_STEMS = frozenset({"utils", "util", "helpers", "helper", "manager", "base", "common", "misc"})
IGNORED_FOLDERS = frozenset({".git", ".venv", "__pycache__", "build", "dist", "node_modules"})

# Written so that they do not match themselves: this file is checked too.
HOSTS = re.compile(r"py[p]i\.org|python[h]osted\.org|npm[j]s\.(?:org|com)|yarn[p]kg\.com|deb\.[d]ebian\.org")
MACHINE_PATHS = re.compile(
    r"(?<![\w.~$}/-])(?:file://)?/(?:work|root|home|Users|tmp)/[\w.]"
    r"|/opt/(?:pypi|wheels)"
    r"|\b[A-Z]:\\(?:Users)\\"
)


def tracked_files(root: Path) -> list[Path]:
    """Every file that git tracks under `root`; without git, every file that is not plainly a product."""
    git = ["git", "-C", str(root), "ls-files", "-z"]
    try:
        names = subprocess.run(git, capture_output=True, check=True).stdout.decode().split("\0")
    except (OSError, subprocess.CalledProcessError):
        paths = [path for path in root.rglob("*") if not IGNORED_FOLDERS & set(path.relative_to(root).parts)]
    else:
        paths = [root / name for name in names if name]
    return [path for path in paths if path.is_file()]


def too_long(text: str) -> Iterator[tuple[int, str]]:
    """More lines than a reader can hold in mind."""
    lines = len(text.splitlines())
    if lines > LINES_MAX:
        yield lines, f"{lines} lines: split it, the limit is {LINES_MAX}"


def banned_names(paths: Iterable[Path]) -> Iterator[str]:
    """Modules and packages whose names say nothing of what is in them."""
    for path in paths:
        if path.suffix == ".py":
            for part in (*path.parts[:-1], path.stem):
                if part in BANNED_STEMS:
                    yield f"{path}: a file named {part} says nothing of what is in it"


def machine_traces(text: str) -> Iterator[tuple[int, str]]:
    """Paths that exist on one machine only, and hosts of package registries."""
    for number, line in enumerate(text.splitlines(), 1):
        for pattern in (MACHINE_PATHS, HOSTS):
            if found := pattern.search(line):
                yield number, f"trace of a machine: {found.group()}"
