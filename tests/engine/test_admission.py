"""What may enter the core: what comes back from the journal as it went in; everything else is refused before a step."""

from __future__ import annotations

import random
from typing import Any

import msgspec
import numpy as np
import pytest
from tests.engine.test_claims import T0_NS, X

from surefill.domain import codec
from surefill.domain.inputs import DefineInstrument, Halt, OpenWorkspace, RequestCancel, SubmitIntent, VenueReports
from surefill.domain.intent import Action, ExitPlan, Intent, LadderStep
from surefill.domain.market import Quote, Source
from surefill.domain.profile import PAPER_FULL
from surefill.domain.refusals import Refusal, RefusalCode
from surefill.domain.reports import ExecType, VenueReport
from surefill.engine.budget import Budgets
from surefill.engine.control_stream import ControlStream
from surefill.engine.desk import Desk
from surefill.engine.writer import WorkspaceWriter
from surefill.errors import InputError, InvariantBreach
from surefill.journal import MemoryJournal
from surefill.venues.paper import PaperVenue


class Derived(str):
    """Text of a class of its own."""


class Counted(int):
    """An integer of a class of its own."""


PLAIN = Intent("", "story", "t", "s", "X", Action.OPEN, 1, 5, plan=ExitPlan(stop_px=9_000), context={"tf": "5m"})
JUNK_TEXT = (None, 5, b"X", Derived("X"), np.str_("X"), "\ud800", ["X"])
JUNK_NUMBERS = (None, "5", 5.0, True, Counted(5), np.int64(5), float("nan"), b"5")


def fields_of(kind: type) -> list[tuple[str, Any]]:
    """Every field with every value that is not of its type."""
    return [
        (name, junk)
        for name in PLAIN.__struct_fields__
        if isinstance(getattr(PLAIN, name), kind)
        for junk in (JUNK_TEXT if kind is str else JUNK_NUMBERS)
    ]


@pytest.fixture
def writer() -> WorkspaceWriter:
    made = WorkspaceWriter(MemoryJournal(), "w", PaperVenue())
    made.feed(OpenWorkspace(T0_NS, "w", "paper", "paper", "a", "USD", 8, 10**14, PAPER_FULL, "c"))
    made.feed(DefineInstrument(T0_NS, X))
    made.feed(Quote("X", T0_NS, 10_000, source=Source.LAST))
    made.flush()
    return made


def refused(writer: WorkspaceWriter, item: SubmitIntent) -> InputError:
    """The error of an intent that must not get in, and leave nothing behind."""
    before = writer.state.digest()
    with pytest.raises(InputError) as caught:
        writer.submit(item)
    assert not writer.dirty
    assert writer.state.digest() == before
    return caught.value


@pytest.mark.parametrize("key", ["", "k"])
@pytest.mark.parametrize(("name", "junk"), fields_of(str) + fields_of(int), ids=str)
def test_intent_with_another_type_in_a_field_does_not_get_in(
    writer: WorkspaceWriter, key: str, name: str, junk: Any
) -> None:
    intent = msgspec.structs.replace(PLAIN, **{"intent_id": key, name: junk})
    error = refused(writer, SubmitIntent(T0_NS, intent))
    assert error.code in ("WRONG_TYPE", "NOT_TEXT", "NOT_UNICODE")


@pytest.mark.parametrize(
    "changes",
    [
        {"plan": False},
        {"plan": {"stop_px": 1}},
        {"plan": ExitPlan(stop_px=1.5)},  # type: ignore[arg-type]
        {"plan": ExitPlan(end_of_day=1)},  # type: ignore[arg-type]
        {"plan": ExitPlan(ladder=[LadderStep(1, 2)])},  # type: ignore[arg-type]
        {"context": {"a": 5}},
        {"context": {5: "a"}},
        {"context": None},
        {"context": {"a": "\ud800"}},
    ],
    ids=range(9),
)
def test_intent_with_another_type_inside_does_not_get_in(writer: WorkspaceWriter, changes: dict[str, Any]) -> None:
    refused(writer, SubmitIntent(T0_NS, msgspec.structs.replace(PLAIN, **changes)))


def test_price_and_reason_that_come_with_an_intent_are_looked_at_too(writer: WorkspaceWriter) -> None:
    refused(writer, SubmitIntent(T0_NS, PLAIN, Quote("X", T0_NS, 10_000.0)))  # type: ignore[arg-type]
    refused(writer, SubmitIntent(T0_NS, PLAIN, None, Refusal(RefusalCode.INVALID_INPUT, "\ud800")))


def test_intent_that_is_what_it_says_gets_in(writer: WorkspaceWriter) -> None:
    writer.submit(SubmitIntent(T0_NS, PLAIN))
    assert all(codec.decode(payload) for payload in writer.take_batch().payloads)
    assert writer.state.book.positions["X"].qty == 5


@pytest.mark.parametrize(
    "item",
    [
        DefineInstrument(T0_NS, msgspec.structs.replace(X, instrument_id=Derived("Y"))),
        DefineInstrument(T0_NS, msgspec.structs.replace(X, instrument_id="\ud800")),
        DefineInstrument(T0_NS, msgspec.structs.replace(X, underlying=None)),
        Halt(T0_NS, "KILL_SWITCH", None, "ada"),  # type: ignore[arg-type]
        Halt(T0_NS, "KILL_SWITCH", "why", "\ud800"),
        RequestCancel(T0_NS, b"id", "ada"),  # type: ignore[arg-type]
    ],
    ids=range(6),
)
def test_other_input_with_another_type_does_not_get_in(writer: WorkspaceWriter, item: Any) -> None:
    with pytest.raises(InputError):
        writer.feed(item)
    assert not writer.dirty


def test_report_of_a_venue_that_cannot_be_journaled_is_a_breach_not_silence(writer: WorkspaceWriter) -> None:
    report = VenueReport("id", ExecType.NEW, text="\ud800")
    budget = Budgets().of(PaperVenue().capabilities, "")
    desk = Desk(writer, None, ControlStream(writer.journal), budget, random.Random())  # type: ignore[arg-type]
    desk.tell(VenueReports(T0_NS, (report,)))
    with pytest.raises(InvariantBreach, match="what the venue said cannot be journaled"):
        desk.take()
