"""Cut the power at any moment: record what SQLite asks of the disk, then build what a real disk could hold.

`RecordingDisk` is a VFS that passes everything on and writes down each write, truncation, deletion and sync, in
order, together with the marks that a test sets when something was acknowledged. `image` rebuilds the files as a power
cut after any prefix of that record could leave them: what was synced is there; of what was not, each write is there,
or lost, or torn at its 512-byte sectors. It is a model of an honest disk: one that keeps what it says it synced.
"""

from __future__ import annotations

import itertools
import os
import random
from collections.abc import Sequence
from enum import Enum
from pathlib import Path
from typing import NamedTuple

import apsw

SECTOR_BYTES = 512

_numbers = itertools.count(1)


class Act(Enum):
    """What can happen to a file; MARK is the test's own."""

    CREATE = "create"
    WRITE = "write"
    TRUNCATE = "truncate"
    DELETE = "delete"
    SYNC = "sync"
    MARK = "mark"


class Op(NamedTuple):
    """One entry of the record.

    `offset` is the new size for TRUNCATE, and 1 for a DELETE that syncs the directory; `mark` is what the test noted.
    """

    act: Act
    name: str
    offset: int = 0
    data: bytes = b""
    mark: object = None


class RecordingDisk(apsw.VFS):
    """A VFS over the ordinary one; give its `vfs_name` to `SqliteJournal(vfs=…)`, and `unregister` it at the end.

    `forbid` makes it fail: from the `nth` act of that kind on, on files whose name ends in `suffix`, SQLite is told
    that the disk failed. `failures` counts how often that happened.
    """

    def __init__(self) -> None:
        self.vfs_name = f"recording-disk-{next(_numbers)}"
        self.ops: list[Op] = []
        self.failures = 0
        self._forbidden: dict[Act, tuple[int, str, type[BaseException]]] = {}
        super().__init__(self.vfs_name, "")

    def mark(self, what: object) -> None:
        """Note that something was acknowledged at this moment."""
        self.ops.append(Op(Act.MARK, "", mark=what))

    def forbid(self, act: Act, *, nth: int = 1, suffix: str = "", error: type[BaseException] = apsw.IOError) -> None:
        """Fail the `nth` such act from now, and all after it."""
        done = sum(op.act is act and op.name.endswith(suffix) for op in self.ops)
        self._forbidden[act] = (done + nth, suffix, error)

    def allow(self) -> None:
        """End all failing."""
        self._forbidden.clear()

    def note(self, op: Op) -> None:
        """Record an act that is about to be done, or refuse it."""
        forbidden = self._forbidden.get(op.act)
        if forbidden is not None:
            nth, suffix, error = forbidden
            done = sum(past.act is op.act and past.name.endswith(suffix) for past in self.ops)
            if op.name.endswith(suffix) and done + 1 >= nth:
                self.failures += 1
                raise error("planned failure of the disk")
        self.ops.append(op)

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> apsw.VFSFile:  # noqa: N802
        """See SQLite's xOpen."""
        path = name.filename() if isinstance(name, apsw.URIFilename) else name
        new = path is not None and not os.path.exists(path)
        file = _RecordedFile(self, name, flags, os.path.basename(path) if path else "")
        if new:
            self.note(Op(Act.CREATE, file.name))
        return file

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: N802
        """See SQLite's xDelete."""
        self.note(Op(Act.DELETE, os.path.basename(filename), int(syncdir)))
        super().xDelete(filename, syncdir)


class _RecordedFile(apsw.VFSFile):
    def __init__(
        self, disk: RecordingDisk, name: str | apsw.URIFilename | None, flags: list[int], short_name: str
    ) -> None:
        self.disk = disk
        self.name = short_name
        super().__init__("", name, flags)

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802
        self.disk.note(Op(Act.WRITE, self.name, offset, bytes(data)))
        super().xWrite(data, offset)

    def xTruncate(self, newsize: int) -> None:  # noqa: N802
        self.disk.note(Op(Act.TRUNCATE, self.name, newsize))
        super().xTruncate(newsize)

    def xSync(self, flags: int) -> None:  # noqa: N802
        self.disk.note(Op(Act.SYNC, self.name))
        super().xSync(flags)


def image(ops: Sequence[Op], cut: int, seed: int) -> dict[str, bytes]:
    """The files, by name, as a power cut after the first `cut` entries of the record may leave them.

    The seed decides what becomes of unsynced writes: of four cuts one loses all, one keeps all, two mix.
    """
    files: dict[str, _File] = {}
    for op in ops[:cut]:
        if op.act is not Act.MARK:
            file = files.setdefault(op.name, _File())
            file.pending.append(op)
            if op.act is Act.SYNC or (op.act is Act.DELETE and op.offset):
                file.settle()
    chance = random.Random(seed)  # nosec B311: reproducible chance for tests
    fate = chance.choice([0.0, 1.0, None, None])
    for file in files.values():
        file.lose_power(chance, fate)
    return {name: bytes(file.content) for name, file in files.items() if file.content is not None}


def write_image(files: dict[str, bytes], directory: Path) -> None:
    """Put the files of an image into an empty directory."""
    for name, content in files.items():
        (directory / name).write_bytes(content)


class _File:
    """One file: what is surely on the disk, and what was asked for since the last sync."""

    def __init__(self) -> None:
        self.content: bytearray | None = None
        self.pending: list[Op] = []

    def settle(self) -> None:
        for op in self.pending:
            self.apply(op, None)
        self.pending.clear()

    def lose_power(self, chance: random.Random, fate: float | None) -> None:
        for op in self.pending:
            kept = chance.choice([0.0, 1.0, 0.5]) if fate is None else fate
            if kept == 1.0:
                self.apply(op, None)
            elif kept and op.act is Act.WRITE:
                self.apply(op, chance)
        self.pending.clear()

    def apply(self, op: Op, torn: random.Random | None) -> None:
        content = bytearray() if self.content is None else self.content
        match op.act:
            case Act.DELETE:
                self.content = None
                return
            case Act.TRUNCATE:
                del content[op.offset :]
            case Act.WRITE:
                _write(content, op, torn)
            case _:
                pass
        self.content = content


def _write(content: bytearray, op: Op, torn: random.Random | None) -> None:
    """Write sector by sector; a torn write leaves out some, and what it leaves out beyond the end reads as zeros."""
    at, end = op.offset, op.offset + len(op.data)
    while at < end:
        stop = min((at // SECTOR_BYTES + 1) * SECTOR_BYTES, end)
        if torn is None or torn.random() < 0.5:
            if len(content) < stop:
                content.extend(bytes(stop - len(content)))
            content[at:stop] = op.data[at - op.offset : stop - op.offset]
        at = stop
