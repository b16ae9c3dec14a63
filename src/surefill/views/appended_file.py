"""Files that only grow, and know exactly how far they should have grown; and files that are replaced whole."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Callable, Iterable
from pathlib import Path

import msgspec

_CHUNK = 1 << 20


class Extent(msgspec.Struct, frozen=True):
    """How much of a file is ours: its size in bytes, and their SHA-256."""

    size: int
    sha256: str


class FileChanged(Exception):
    """The file is not as it was left: somebody else has written, cut or deleted it."""


class AppendedFile:
    """Appends bytes; refuses when the file is not as long as it was left."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = 0
        self._digest = hashlib.sha256()

    @property
    def extent(self) -> Extent:
        """What has been written so far."""
        return Extent(self.size, self._digest.hexdigest())

    def adopt(self, extent: Extent) -> bool:
        """Go on after `extent`, cutting off what a crash left behind it. False where its bytes are not there."""
        digest = hashlib.sha256()
        left = extent.size
        try:
            with self.path.open("r+b") as file:
                while left and (chunk := file.read(min(left, _CHUNK))):
                    digest.update(chunk)
                    left -= len(chunk)
                if left or digest.hexdigest() != extent.sha256:
                    return False
                file.truncate(extent.size)
        except FileNotFoundError:
            return False
        self.size, self._digest = extent.size, digest
        return True

    def append(self, data: bytes) -> None:
        """Write at the end. Raises FileChanged before writing anything, OSError as the system has it."""
        flags = os.O_WRONLY | os.O_APPEND | (0 if self.size else os.O_CREAT)
        try:
            fd = os.open(self.path, flags, 0o644)
        except FileNotFoundError:
            if self.size:
                raise FileChanged(f"{self.path} is gone") from None
            self.path.parent.mkdir(parents=True, exist_ok=True)
            fd = os.open(self.path, flags, 0o644)
        try:
            found = os.fstat(fd).st_size
            if found != self.size:
                raise FileChanged(f"{self.path} has {found} bytes, {self.size} were written")
            view = memoryview(data)
            while view:
                view = view[os.write(fd, view) :]
        finally:
            os.close(fd)
        self.size += len(data)
        self._digest.update(data)


class LogSet:
    """The appended files of a folder, by relative name. `header_of` gives the first line of a new one."""

    def __init__(self, root: Path, header_of: Callable[[str], bytes]) -> None:
        self.root = root
        self.files: dict[str, AppendedFile] = {}
        self._header_of = header_of

    def append(self, rows: Iterable[tuple[str, bytes]]) -> None:
        """Write rows, (file, bytes), each file's at once. Raises FileChanged, OSError."""
        chunks: dict[str, list[bytes]] = {}
        for name, row in rows:
            chunks.setdefault(name, []).append(row)
        for name, parts in chunks.items():
            file = self.files.get(name)
            if file is None:
                file = self.files[name] = AppendedFile(self.root / name)
            if not file.size:
                parts.insert(0, self._header_of(name))
            file.append(b"".join(parts))

    def extents(self) -> dict[str, Extent]:
        """How far each file is."""
        return {name: file.extent for name, file in self.files.items()}

    def adopt(self, extents: dict[str, Extent]) -> bool:
        """Go on with files as they were left; False where one of them is not."""
        for name, extent in extents.items():
            file = self.files[name] = AppendedFile(self.root / name)
            if not file.adopt(extent):
                return False
        return True

    def move_to(self, root: Path) -> None:
        """Put every file into another folder, in place of what is there."""
        for name, file in self.files.items():
            target = root / name
            target.parent.mkdir(parents=True, exist_ok=True)
            file.path.replace(target)
            file.path = target
        self.root = root


def set_aside(path: Path, ours: Path | bytes) -> Path | None:
    """Rename a file that we are about to replace and did not write: unless `ours` begins with all that it holds."""
    try:
        theirs = path.read_bytes()
    except FileNotFoundError:
        return None
    if (ours if isinstance(ours, bytes) else ours.read_bytes()).startswith(theirs):
        return None
    number = 0
    while (aside := path.with_name(f"{path.name}.set-aside{f'-{number}' if number else ''}")).exists():
        number += 1
    path.rename(aside)
    return aside


def replace_file(path: Path, data: bytes) -> None:
    """Write a file whole: readers see the old one or the new one, never half of it. What fails leaves the old one."""
    temporary = path.with_name(f".{path.name}.new")
    try:
        try:
            temporary.write_bytes(data)
        except FileNotFoundError:
            path.parent.mkdir(parents=True, exist_ok=True)
            temporary.write_bytes(data)
        temporary.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise


def overwrite_file(path: Path, data: bytes, room: int) -> None:
    """Write a small file in place, padded with spaces to `room`: far cheaper than replacing it.

    A reader at the wrong moment, or a crash, may see it torn: only for what is checked when it is read.
    """
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT, 0o644)
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        fd = os.open(path, os.O_WRONLY | os.O_CREAT, 0o644)
    try:
        os.pwrite(fd, data.ljust(room), 0)
    finally:
        os.close(fd)
