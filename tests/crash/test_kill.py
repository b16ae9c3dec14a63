"""kill -9 at every stage of an intent's way, many times each, and what the next start finds.

No acknowledged event is lost; no intent is executed twice, whoever asks again; the chain verifies and every invariant
holds; positions are the venue's; the projections are what a rebuild makes. With -s the kills are listed at the end.
"""

from __future__ import annotations

import asyncio
import random
import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.crash.child import PX, SYMBOL, WORKSPACE, Spec, account, intent, opening, quote
from tests.crash.zygote import Zygote

from surefill.domain.effects import Notify
from surefill.domain.state import State
from surefill.engine.clock import LiveClock
from surefill.engine.engine import Engine
from surefill.engine.receipt import Receipt, Verdict
from surefill.journal import SqliteJournal, verify
from surefill.rules.codes import OrdStatus
from surefill.testing.invariants import check_journal
from surefill.testing.remote_venue import RemoteVenue, VenueProcess, tcp
from surefill.venues.paper import PaperVenue
from surefill.venues.protocol import Venue
from surefill.views.projector import Projector

ROUNDS = 15
ON_PAPER = ["received", "gated", "before_commit", "in_commit", "after_commit", "in_snapshot", "in_projection"]
REMOTE = ["received", "before_commit", "after_commit", "after_send", "after_answer", "after_fill"]

_kills: dict[str, Counter[str]] = {}


@pytest.fixture(scope="module")
def zygote() -> Iterator[Zygote]:
    zygote = Zygote("tests.crash.child")
    yield zygote
    zygote.close()


@pytest.fixture(scope="module")
def exchange(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VenueProcess]:
    with VenueProcess(tmp_path_factory.mktemp("exchange") / "truth.db") as process:
        process.price(SYMBOL, PX)
        yield process


@pytest.fixture(scope="module", autouse=True)
def _table() -> Iterator[None]:
    yield
    print(f"\n{'stage':24} {'kills':>6} {'acknowledged':>13} {'kept, unheard':>14} {'not begun':>10}", end="")
    for stage, found in sorted(_kills.items()):
        figures = found["kills"], found["acknowledged"], found["kept"], found["new"]
        print("\n{:24} {:6} {:13} {:14} {:10}".format(stage, *figures), end="")


class Told:
    """What children have told the world: the ids they sent, and of which they got a receipt."""

    def __init__(self, folder: Path) -> None:
        self.sent: list[str] = []
        self.done: dict[str, tuple[str, int, int]] = {}
        for line in (folder / "told").read_text().splitlines():
            match line.split():
                case ["sent", intent_id]:
                    self.sent.append(intent_id)
                case ["done", intent_id, order_ref, status, cum_qty]:
                    self.done[intent_id] = order_ref, int(status), int(cum_qty)


async def _start(spec: Spec, journal: SqliteJournal) -> tuple[Engine, list[Notify]]:
    alarms: list[Notify] = []
    engine = Engine(journal, LiveClock())
    engine.alarms[:] = [lambda _workspace_id, notice: alarms.append(notice)]
    venue: Venue = PaperVenue()
    if spec.port:
        venue = RemoteVenue(tcp(spec.port), account=account(spec), timeout_s=1.0, heartbeat_s=0.05)
    item, instruments = opening(spec)
    await engine.open(item, venue, instruments)
    return engine, alarms


async def _ask_again(spec: Spec, journal: SqliteJournal, told: Told) -> tuple[dict[str, Receipt], State]:
    """Start, ask again for all that was ever sent, and wait until nothing is in doubt."""
    engine, alarms = await _start(spec, journal)
    receipts = {}
    for intent_id in told.sent:
        receipts[intent_id] = await engine.submit(WORKSPACE, intent(intent_id), quote())
    differences = await engine.reconcile(WORKSPACE)
    assert differences == {}, differences
    state: State = await engine.read(WORKSPACE, lambda state: state)
    await engine.stop()
    pages = {alarm.code for alarm in alarms if alarm.page}
    assert pages <= {"NEVER_ARRIVED", "EXIT_REJECTED"}, alarms
    return receipts, state


def _check_receipts(told: Told, before: set[str], receipts: dict[str, Receipt]) -> None:
    """Whoever was told something is told the same again; whoever was not gets exactly one order."""
    for intent_id, receipt in receipts.items():
        assert receipt.verdict == (Verdict.DUPLICATE if intent_id in before else Verdict.ACCEPTED), receipt
        if intent_id in told.done:
            order_ref, status, cum_qty = told.done[intent_id]
            assert intent_id in before, f"{intent_id} was acknowledged and is lost"
            assert receipt.order_ref == order_ref
            assert receipt.cum_qty >= cum_qty
            assert receipt.status >= status or status == OrdStatus.PARTIALLY_FILLED
    refs = [receipt.order_ref for receipt in receipts.values()]
    assert len(set(refs)) == len(refs), "two intents share an order"


def _check_views(folder: Path, journal: SqliteJournal) -> None:
    """What the killed projector left heals into what a rebuild makes."""
    contents = []
    for name in ("views", "rebuilt"):
        view = Projector(folder / name, journal, WORKSPACE)
        view.catch_up()
        view.close()
        files = {path.name: path.read_bytes() for path in (folder / name).rglob("*.*") if ".surefill" not in path.parts}
        contents.append(files)
    assert contents[0] == contents[1]
    assert "orders.csv" in contents[0]


def _check_round(spec: Spec, exchange: VenueProcess | None, counts: Counter[str]) -> None:
    folder = Path(spec.folder)
    told = Told(folder)
    mode = "live" if spec.port else "paper"
    journal = SqliteJournal(folder / "journal.db")
    assert verify(journal).ok
    before = {name for name in told.sent if journal.find_key(WORKSPACE, mode, name) is not None}
    receipts, state = asyncio.run(_ask_again(spec, journal, told))
    _check_receipts(told, before, receipts)
    assert verify(journal).ok
    assert check_journal(journal, WORKSPACE) == []
    if exchange is not None:
        truth = exchange.truth(account(spec))
        assert all(count == 1 for count in truth.received(account(spec)).values())
        assert truth.positions[account(spec)] == {key: held.qty for key, held in state.open_positions()}
    if spec.stage == "in_projection":
        _check_views(folder, journal)
    journal.close()
    ours = {name for name in told.sent if name.startswith(f"{spec.round}-")}
    counts["kills"] += 1
    counts["acknowledged"] += len(ours & told.done.keys())
    counts["kept"] += len(ours & before - told.done.keys())
    counts["new"] += len(ours - before)


def _rounds(zygote: Zygote, folder: Path, stage: str, exchange: VenueProcess | None) -> Counter[str]:
    chance = random.Random(stage)
    folder.mkdir()
    counts: Counter[str] = Counter()
    for number in range(ROUNDS):
        port = exchange.port if exchange else 0
        nth = 1 if number == 0 else chance.randint(1, 5 if stage == "in_snapshot" else 9)
        spec = Spec(str(folder), stage, nth, number, port, chance.randint(1, 4))
        assert zygote.run(spec) == -signal.SIGKILL, "the child must die of the kill, and of nothing else"
        _check_round(spec, exchange, counts)
    return counts


@pytest.mark.parametrize("stage", ON_PAPER)
def test_killed_on_paper_nothing_is_lost_or_doubled(zygote: Zygote, tmp_path: Path, stage: str) -> None:
    counts = _kills[f"{stage} (paper)"] = _rounds(zygote, tmp_path / "paper", stage, None)
    assert counts["kills"] == ROUNDS
    assert counts["acknowledged"] > 0
    _check_sense(stage, counts)


@pytest.mark.parametrize("stage", REMOTE)
def test_killed_at_a_remote_venue_nothing_is_lost_or_doubled(
    zygote: Zygote, exchange: VenueProcess, tmp_path: Path, stage: str
) -> None:
    counts = _kills[f"{stage} (remote)"] = _rounds(zygote, tmp_path / f"remote-{stage}", stage, exchange)
    assert counts["kills"] == ROUNDS
    _check_sense(stage, counts)


def _check_sense(stage: str, counts: Counter[str]) -> None:
    """The kills hit where they should: before the commit nothing of the last turn is kept, after it something is."""
    if stage in ("received", "gated", "before_commit"):
        assert counts["new"] > 0
    if stage in ("after_commit", "after_send"):
        assert counts["kept"] > 0
