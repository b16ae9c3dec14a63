"""A trade that an answer of the venue's left out is found although the window of the looks has passed it."""

from __future__ import annotations

from typing import Any

import pytest
from tests.engine.workspaces import MS, Alarms, ScriptedVenue, instrument, opening, run

from surefill.domain import codec
from surefill.domain.events import OrdersRetired, PositionsCompared
from surefill.domain.inputs import DefineInstrument
from surefill.domain.reports import ExecType, VenueReport
from surefill.engine import looking_back
from surefill.engine.clock import LiveClock
from surefill.engine.engine import Engine
from surefill.engine.looking_back import last_agreed_ns
from surefill.engine.rounds import RoundTimes
from surefill.engine.writer import WorkspaceWriter
from surefill.journal import Batch, MemoryJournal
from surefill.venues.paper import PaperVenue

NEVER = RoundTimes(3_600_000 * MS, 3_600_000 * MS, overlap_ns=0)  # each look is the test's own


class Forgetful(ScriptedVenue):
    """Somebody trades by hand; while it is `forgetful`, its history does not show that."""

    def __init__(self) -> None:
        super().__init__()
        self.by_hand: list[VenueReport] = []
        self.forgetful = True

    async def open_orders(self) -> tuple[()]:
        return ()

    async def executions(self, since_ns: int) -> tuple[VenueReport, ...]:
        found = (report for report in self.by_hand if report.transact_ns >= since_ns)
        return () if self.forgetful else tuple(found)

    async def balances(self) -> tuple[()]:
        return ()

    async def positions(self) -> dict[str, int]:
        return {"X": len(self.by_hand)}


@pytest.mark.parametrize("restarted", [False, True])
def test_trade_that_was_left_out_of_an_answer_is_found_when_the_position_differs(restarted: bool) -> None:
    async def test() -> None:
        journal, venue = MemoryJournal(), Forgetful()
        engine = Engine(journal, LiveClock(), times=NEVER)
        alarms = Alarms(engine)
        await engine.open(opening(), venue, [instrument()])
        now_ns = engine.clock.now_ns()
        venue.by_hand.append(
            VenueReport(
                "",
                ExecType.TRADE,
                "hand",
                "e1",
                last_px=100,
                last_qty=1,
                transact_ns=now_ns,
                instrument_id="X",
                side=1,
            )
        )
        await engine.feed("w", DefineInstrument(engine.clock.now_ns(), instrument("Y")))
        await engine.rounds["w"].orders()
        assert alarms.codes() == []
        venue.forgetful = False
        if restarted:
            await engine.stop(timeout_s=0)
            engine = Engine(journal, LiveClock(), times=NEVER)
            alarms = Alarms(engine)
            await engine.open(opening(), venue, [instrument()])
        else:
            await engine.rounds["w"].positions()
        assert alarms.codes() == ["EXTERNAL_TRADE"]
        await engine.stop(timeout_s=0)

    run(test)


AGREED: dict[str, tuple[int, int]] = {}
DIFFER = {"X": (1, 2)}


def _written(*events: tuple[Any, Any]) -> WorkspaceWriter:
    """A workspace whose events are of the moments 1, 2, ..."""
    journal = MemoryJournal()
    lease = journal.open_stream("w")
    payloads = [codec.encode(kind(ts_ns, "", 0, what)) for ts_ns, (kind, what) in enumerate(events, 1)]
    assert journal.append([Batch(lease, payloads)]) == [None]
    return WorkspaceWriter(journal, "w", PaperVenue())


COMPARED, RETIRED = PositionsCompared, OrdersRetired


@pytest.mark.parametrize(
    ("events", "known_seq", "expected_ns"),
    [
        ([(COMPARED, AGREED), (COMPARED, AGREED), (COMPARED, DIFFER), (COMPARED, DIFFER)], 0, 2),
        ([(COMPARED, AGREED), (COMPARED, DIFFER), (RETIRED, ()), (COMPARED, DIFFER)], 0, 3),
        ([(COMPARED, DIFFER), (COMPARED, DIFFER)], 0, 1),
        ([(COMPARED, AGREED), (COMPARED, DIFFER), (COMPARED, DIFFER)], 2, 0),
        ([(COMPARED, AGREED)] + 9 * [(COMPARED, DIFFER)], 0, 4),
    ],
    ids=["agreed", "retired", "never", "not since then", "too long ago"],
)
def test_books_agreed_last_when_the_journal_says_so(
    events: list[tuple[Any, Any]], known_seq: int, expected_ns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looking_back, "READ_MAX", 7)
    monkeypatch.setattr(looking_back, "READ_AT_ONCE", 2)
    assert last_agreed_ns(_written(*events), known_seq) == expected_ns
