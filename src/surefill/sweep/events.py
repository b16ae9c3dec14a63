"""What the journal knows of a run: events of a stream of its own, beside those of the variants' workspaces."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from surefill.engine.claims import RUN_PREFIX
from surefill.errors import JournalCorrupt
from surefill.strategy.backtest import FillAt
from surefill.sweep.metrics import VariantMetrics
from surefill.sweep.plan import LeftOut, RunPlan, Variant
from surefill.sweep.split import Window

NO_EVENT: Final = "NO_SUCH_EVENT"


class Curve(msgspec.Struct, frozen=True):
    """Equity at the end of each day, in money quanta."""

    ts_ns: tuple[int, ...]
    equity: tuple[int, ...]


class RunStarted(msgspec.Struct, frozen=True, tag="run_started"):
    """A plan begins to run. `settings` are those of the configuration that were set; `build` is the program's.

    `windows` are those of the plan's split over the bars, `conditions` what it may be gone on with; `strategies` files
    that strategies were loaded from, `path` how variants may be run.
    """

    ts_ns: int
    plan: RunPlan
    windows: tuple[Window, ...]
    conditions: dict[str, str]
    settings: dict[str, Any]
    strategies: tuple[str, ...]
    fill_at: FillAt
    path: str
    build: str


class RunResumed(msgspec.Struct, frozen=True, tag="run_resumed"):
    """It goes on, with so many outcomes known. `again`: failed variants are tried once more."""

    ts_ns: int
    done: int
    again: bool
    build: str


class VariantsAsked(msgspec.Struct, frozen=True, tag="variants_asked"):
    """What a search tries next over a segment of time, by all that was known there.

    `left_out` are proposals that the strategy refused. Without variants the search is at its end: it found nothing new.
    """

    segment: str
    variants: tuple[Variant, ...]
    left_out: tuple[LeftOut, ...]


class VariantCompleted(msgspec.Struct, frozen=True, gc=False, tag="variant_completed"):
    """A variant has run over a segment of time ("" is all of it).

    `path` ran it, "engine" or another; `why_not` says why a preferred one did not. `events` and `head` are the length
    and the last chain hash of the workspace's journal, where there was one: run again, they are the same.
    """

    variant_id: str
    segment: str
    path: str
    metrics: VariantMetrics
    events: int = 0
    head: str = ""
    curve: Curve | None = None
    why_not: str = ""


class VariantFailed(msgspec.Struct, frozen=True, tag="variant_failed"):
    """A variant could not be run over a segment of time, and why."""

    variant_id: str
    segment: str
    code: str
    reason: str


class RunCanceled(msgspec.Struct, frozen=True, tag="run_canceled"):
    """It was stopped, with so many outcomes known; it may be gone on with."""

    ts_ns: int
    done: int


class RunCompleted(msgspec.Struct, frozen=True, tag="run_completed"):
    """All is done. `best` is the variant chosen, "" where none could be."""

    ts_ns: int
    best: str
    completed: int
    failed: int


Outcome = VariantCompleted | VariantFailed
SweepEvent = RunStarted | RunResumed | VariantsAsked | VariantCompleted | VariantFailed | RunCanceled | RunCompleted

_ENCODER: Final = msgspec.json.Encoder()
_DECODER: Final = msgspec.json.Decoder(SweepEvent)


def stream_of(run_plan_id: str) -> str:
    """The name of a run's stream; no workspace can be called so."""
    return RUN_PREFIX + run_plan_id


def encode(event: SweepEvent) -> bytes:
    """An event as the journal keeps it."""
    return _ENCODER.encode(event)


def decode(payload: bytes) -> SweepEvent:
    """An event from the journal. Raises JournalCorrupt for what is none."""
    try:
        event: SweepEvent = _DECODER.decode(payload)
    except msgspec.DecodeError as error:
        raise JournalCorrupt(f"a run's stream holds what is no event of a run: {error}", code=NO_EVENT) from error
    return event
