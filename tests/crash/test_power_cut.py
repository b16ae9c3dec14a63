"""The power goes at any moment while a real engine trades on a disk that keeps only what was synced.

Unsynced writes are kept, lost or torn (`testing.power_cut`). Whatever is left opens, verifies and holds every
invariant; it holds every intent that was acknowledged, and goes on from there without trading anything twice.
"""

from __future__ import annotations

import asyncio
import random
import shutil
from pathlib import Path
from typing import NamedTuple

from tests.crash.child import SYMBOL, WORKSPACE, Spec, intent, opening, quote

from surefill.engine.clock import LiveClock
from surefill.engine.engine import Engine
from surefill.engine.receipt import Receipt, Verdict
from surefill.errors import SurefillError
from surefill.journal import SqliteJournal, verify
from surefill.testing.invariants import check_journal
from surefill.testing.power_cut import Act, Op, RecordingDisk, image, write_image
from surefill.venues.paper import PaperVenue

CUTS = 200
INTENTS = 30
SPEC = Spec("", "", 0, 0)


class Acknowledged(NamedTuple):
    """What callers had been told, by intent id."""

    receipts: dict[str, Receipt]


async def _engine(journal: SqliteJournal) -> Engine:
    engine = Engine(journal, LiveClock())
    engine.alarms.clear()
    item, instruments = opening(SPEC)
    await engine.open(item, PaperVenue(), instruments)
    return engine


async def _trade(journal: SqliteJournal, disk: RecordingDisk) -> None:
    engine = await _engine(journal)
    receipts: dict[str, Receipt] = {}
    disk.mark(Acknowledged({}))
    for number in range(0, INTENTS, 2):
        ids = [f"1-{number}", f"1-{number + 1}"]
        got = await asyncio.gather(*(engine.submit(WORKSPACE, intent(name), quote()) for name in ids))
        receipts.update(zip(ids, got, strict=True))
        if number % 8 == 6:
            engine.desks[WORKSPACE].writer.save_snapshot()
        disk.mark(Acknowledged(dict(receipts)))
    await engine.stop()


async def _go_on(journal: SqliteJournal) -> tuple[dict[str, Receipt], int]:
    engine = await _engine(journal)
    ids = [f"1-{number}" for number in range(INTENTS)]
    got = await asyncio.gather(*(engine.submit(WORKSPACE, intent(name), quote()) for name in ids))
    held = await engine.read(WORKSPACE, lambda state: state.book.positions[SYMBOL].qty)
    await engine.stop()
    return dict(zip(ids, got, strict=True)), held


def _check(ops: list[Op], cut: int, seed: int, folder: Path) -> None:
    told = next((op.mark for op in reversed(ops[:cut]) if op.act is Act.MARK), None)
    folder.mkdir()
    write_image(image(ops, cut, seed), folder)
    if told is not None:
        (folder / "journal.db.lock").write_text("1\nbegun\n")
    journal = SqliteJournal(folder / "journal.db")
    assert verify(journal).ok
    again, held = asyncio.run(_go_on(journal))
    for name, receipt in (told.receipts if isinstance(told, Acknowledged) else {}).items():
        same = (again[name].order_ref, again[name].status, again[name].cum_qty)
        assert again[name].verdict == Verdict.DUPLICATE, f"{name} was acknowledged and is lost"
        assert same == (receipt.order_ref, receipt.status, receipt.cum_qty)
    assert held == sum(intent(name).side * intent(name).order_qty for name in again), "something traded twice, or not"
    assert verify(journal).ok
    assert check_journal(journal, WORKSPACE) == []
    journal.close()
    shutil.rmtree(folder)


def _record(folder: Path, synchronous: str) -> list[Op]:
    disk = RecordingDisk()
    try:
        journal = SqliteJournal(
            folder / "journal.db", vfs=disk.vfs_name, checkpoint_pages=24, unsafe_synchronous=synchronous
        )
        asyncio.run(_trade(journal, disk))
        journal.close()
    finally:
        disk.unregister()
    return disk.ops


def _losses(folder: Path, ops: list[Op], cuts: int) -> list[str]:
    found = []
    for seed, cut in enumerate(random.Random(1).choices(range(len(ops) + 1), k=cuts)):
        try:
            _check(ops, cut, seed, folder / f"cut-{seed}")
        except (AssertionError, SurefillError) as error:
            found.append(f"cut {cut} of {len(ops)}, seed {seed}: {error!r}")
    return found


def test_power_cut_at_any_moment_loses_no_receipt_and_doubles_no_trade(tmp_path: Path) -> None:
    assert _losses(tmp_path, _record(tmp_path, "FULL"), CUTS) == []


def test_power_cut_on_a_journal_that_syncs_too_seldom_loses_receipts(tmp_path: Path) -> None:
    """The control: one setting weaker, and the test above would see it."""
    assert _losses(tmp_path, _record(tmp_path, "NORMAL"), 20)
