"""The process that is killed: a real engine on a real journal, and a kill switch at one stage of an intent's way.

The switch is wrapped around the parts from outside; the product knows nothing of it. What the child has told the world
is in a file that it only appends to: "sent ID" before it asks the engine, "done ID REF STATUS CUM_QTY" when it has its
receipt. A killed process cannot take back what it has written.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import apsw
import msgspec

from surefill.domain.inputs import Input, OpenWorkspace, SubmitIntent
from surefill.domain.instrument import Instrument, Terms
from surefill.domain.intent import Action, Intent
from surefill.domain.limits import Limits
from surefill.domain.market import Quote, Source
from surefill.domain.orders import OrderRequest
from surefill.domain.profile import V3
from surefill.domain.reports import ExecType, VenueReport
from surefill.engine.clock import LiveClock
from surefill.engine.engine import Engine
from surefill.errors import JournalError
from surefill.journal import Batch, Snapshot, SqliteJournal
from surefill.testing.remote_venue import Connection, RemoteVenue, tcp
from surefill.units import NS_PER_MS, NS_PER_S
from surefill.venues.paper import PaperVenue
from surefill.venues.protocol import Outcome, RateLimit, ReportSink, Venue
from surefill.views import appended_file
from surefill.views.projector import Projector

WORKSPACE = "w"
SYMBOL = "XYZ"
PX = 1_000
INTENTS_MAX = 60
AT_ONCE = 3
LIMITS = Limits(
    query_spacing_ns=15 * NS_PER_MS,
    unknown_page_ns=2_000 * NS_PER_MS,
    send_by_ns=200 * NS_PER_MS,
    absence_horizon_ns=100 * NS_PER_MS,
)


class Spec(msgspec.Struct):
    """What to do: die the `nth` time that `stage` is reached. `port` 0: on paper."""

    folder: str
    stage: str
    nth: int
    round: int
    port: int = 0
    piece: int = 1


class Doom:
    """The kill switch."""

    def __init__(self, spec: Spec) -> None:
        self.spec = spec
        self.count = 0

    def reached(self, stage: str) -> bool:
        """Whether this is the stage and the time."""
        self.count += stage == self.spec.stage
        return stage == self.spec.stage and self.count == self.spec.nth

    def at(self, stage: str) -> None:
        """Die here, if it is the stage and the time."""
        if self.reached(stage):
            die()


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class DoomedEngine(Engine):
    doom: Doom

    def enqueue(self, workspace_id: str, item: Input) -> asyncio.Future[Any]:
        future = super().enqueue(workspace_id, item)
        if isinstance(item, SubmitIntent):
            self.doom.at("received")
        return future


class DoomedJournal(SqliteJournal):
    doom: Doom
    disk: DoomedDisk

    def append(self, batches: Sequence[Batch]) -> list[JournalError | None]:
        self.doom.at("before_commit")
        if self.doom.reached("in_commit"):
            self.disk.writes_left = self.doom.spec.piece
        result = super().append(batches)
        self.doom.at("after_commit")
        return result

    def save_snapshot(self, snapshot: Snapshot) -> None:
        if self.doom.reached("in_snapshot"):
            self.disk.writes_left = self.doom.spec.piece
        super().save_snapshot(snapshot)


class DoomedDisk(apsw.VFS):
    """Dies in the middle of a write to the log."""

    def __init__(self) -> None:
        self.vfs_name = f"doomed-{os.getpid()}"
        self.writes_left = 0
        super().__init__(self.vfs_name, "")

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> apsw.VFSFile:  # noqa: N802
        return _DoomedFile(self, name, flags)


class _DoomedFile(apsw.VFSFile):
    def __init__(self, disk: DoomedDisk, name: str | apsw.URIFilename | None, flags: list[int]) -> None:
        path = name.filename() if isinstance(name, apsw.URIFilename) else name
        self.is_log = bool(path) and str(path).endswith("-wal")
        self.disk = disk
        super().__init__("", name, flags)

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802
        if self.is_log and self.disk.writes_left:
            self.disk.writes_left -= 1
            if not self.disk.writes_left:
                super().xWrite(data[: len(data) // 2], offset)
                die()
        super().xWrite(data, offset)


class DoomedPaper(PaperVenue):
    """Asked to trade right after the gates have let an intent pass, before anything is written."""

    doom: Doom

    async def submit(self, request: OrderRequest) -> Outcome:
        self.doom.at("gated")
        return await super().submit(request)


class DoomedRemote(RemoteVenue):
    doom: Doom

    async def connect(self, sink: ReportSink) -> None:
        def heard(report: VenueReport) -> None:
            if report.exec_type == ExecType.TRADE:
                self.doom.at("after_fill")
            sink(report)

        await super().connect(heard)

    async def submit(self, request: OrderRequest) -> Outcome:
        outcome = await super().submit(request)
        self.doom.at("after_answer")
        return outcome


class DoomedConnection:
    """Dies when an order's last byte has left."""

    def __init__(self, inner: Connection, doom: Doom) -> None:
        self.inner = inner
        self.doom = doom

    async def send(self, line: bytes) -> None:
        await self.inner.send(line)
        if b'"Submit"' in line:
            self.doom.at("after_send")

    async def receive(self) -> bytes:
        return await self.inner.receive()

    def close(self) -> None:
        self.inner.close()


class DoomedWrites:
    """In the place of `os` for the projections' files: dies in the middle of a row."""

    def __init__(self, doom: Doom) -> None:
        self.doom = doom

    def __getattr__(self, name: str) -> Any:
        return getattr(os, name)

    def write(self, fd: int, data: memoryview) -> int:
        if self.doom.reached("in_projection"):
            os.write(fd, data[: len(data) // 2])
            die()
        return os.write(fd, data)


# -- what child and parent share --------------------------------------------------------------------------------


def opening(spec: Spec) -> tuple[OpenWorkspace, list[Instrument]]:
    mode = "live" if spec.port else "paper"
    profile = msgspec.structs.replace(V3, limits=LIMITS)
    item = OpenWorkspace(time.time_ns(), WORKSPACE, mode, "test", account(spec), "USD", 8, 10**15, profile, "hash")
    return item, [Instrument(SYMBOL, "USD", 2, 3, 1_000, (Terms(),))]


def account(spec: Spec) -> str:
    return Path(spec.folder).name


def intent(intent_id: str) -> Intent:
    number = int(intent_id.rpartition("-")[2])
    side = -1 if number % 3 == 2 else 1
    return Intent(intent_id, f"c-{intent_id}", "test", "s", SYMBOL, Action.TRADE, side, 1 + number % 5)


def quote() -> Quote:
    return Quote(SYMBOL, time.time_ns(), PX, source=Source.CALLER)


# -- the child's life -------------------------------------------------------------------------------------------


def venue_of(spec: Spec, doom: Doom) -> Venue:
    if not spec.port:
        paper = DoomedPaper()
        paper.doom = doom
        return paper

    async def dial() -> Connection:
        return DoomedConnection(await tcp(spec.port)(), doom)

    no_limit = (
        RateLimit("order", 10**6, NS_PER_S),
    )  # the number of orders until the kill, not their rate, is what counts
    remote = DoomedRemote(dial, account=account(spec), timeout_s=1.0, heartbeat_s=0.05, rate_limits=no_limit)
    remote.doom = doom
    return remote


async def live(spec: Spec) -> None:
    folder, doom, disk = Path(spec.folder), Doom(spec), DoomedDisk()
    told = os.open(folder / "told", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    journal = DoomedJournal(folder / "journal.db", vfs=disk.vfs_name)
    engine = DoomedEngine(journal, LiveClock())
    item, instruments = opening(spec)
    journal.doom = engine.doom = Doom(msgspec.structs.replace(spec, stage=""))
    journal.disk = disk
    desk = await engine.open(item, venue_of(spec, doom), instruments)
    view = Projector(folder / "views", journal, WORKSPACE)
    view.catch_up()
    desk.writer.subscribers.append(view.follow)
    setattr(appended_file, "os", DoomedWrites(doom))  # noqa: B010
    journal.doom = engine.doom = doom  # only trading is deadly: a start is tested by the next round

    async def trade(number: int) -> None:
        intent_id = f"{spec.round}-{number}"
        os.write(told, f"sent {intent_id}\n".encode())
        receipt = await engine.submit(WORKSPACE, intent(intent_id), quote())
        line = f"done {intent_id} {receipt.order_ref} {int(receipt.status)} {receipt.cum_qty}\n"
        os.write(told, line.encode())

    for first in range(0, INTENTS_MAX, AT_ONCE):
        await asyncio.gather(*(trade(first + n) for n in range(AT_ONCE)))
        desk.writer.save_snapshot()


def main(spec: Spec) -> None:
    """Trade until death."""
    asyncio.run(live(spec))
