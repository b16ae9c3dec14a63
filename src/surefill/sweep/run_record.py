"""A run as its stream tells it: what was asked, what is known, what came of it in the end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal

from surefill.engine.claims import RUN_PREFIX
from surefill.errors import InputError
from surefill.journal.protocol import Batch, Journal, Lease
from surefill.sweep.events import (
    Outcome,
    RunCanceled,
    RunResumed,
    RunStarted,
    SweepEvent,
    VariantCompleted,
    VariantFailed,
    VariantsAsked,
    decode,
    encode,
    stream_of,
)
from surefill.sweep.plan import RunPlan
from surefill.sweep.workbench import Ran

Status = Literal["running", "canceled", "completed"]
Key = tuple[str, str]


class RunRecord:
    """The fold of a run's stream. `outcomes` by (variant id, segment); "running" is also a run that was killed.

    `asked` by segment: what a search has asked for there, batch by batch.
    """

    def __init__(self) -> None:
        self.started: RunStarted | None = None
        self.asked: dict[str, list[VariantsAsked]] = {}
        self._plan: RunPlan | None = None
        self.outcomes: dict[Key, Outcome] = {}
        self.status: Status = "running"

    @property
    def begun(self) -> RunStarted:
        """How it began."""
        assert self.started is not None
        return self.started

    @property
    def plan(self) -> RunPlan:
        """The plan, with all that a search has asked for so far."""
        assert self._plan is not None
        return self._plan

    def apply(self, event: SweepEvent) -> None:
        """Fold one event."""
        if isinstance(event, VariantCompleted | VariantFailed):
            self.outcomes[event.variant_id, event.segment] = event
        elif isinstance(event, RunStarted):
            self.started, self._plan = event, event.plan
        elif isinstance(event, VariantsAsked):
            self.asked.setdefault(event.segment, []).append(event)
            self._plan = self.plan.grown(event.segment, event.variants, event.left_out)
        elif isinstance(event, RunResumed):
            self.status = "running"
            if event.again:
                failed = [key for key, outcome in self.outcomes.items() if isinstance(outcome, VariantFailed)]
                for key in failed:
                    del self.outcomes[key]
        elif isinstance(event, RunCanceled):
            self.status = "canceled"
        else:
            self.status = "completed"


class RunStream:
    """The one writer of a run's stream: what is appended is durable when `append` returns."""

    def __init__(self, journal: Journal, run_plan_id: str) -> None:
        self._journal = journal
        self._lease = journal.open_stream(stream_of(run_plan_id))

    def append(self, events: Iterable[SweepEvent], journals: Iterable[Ran] = ()) -> None:
        """Commit events, and with them the journals of the variants that they tell of. Raises JournalError.

        A workspace's journal that is there already is left alone: it is the same.
        """
        batches = [Batch(self._lease, [encode(event) for event in events])]
        for ran in journals:
            if ran.payloads:
                lease: Lease = self._journal.open_stream(ran.workspace_id)
                if lease.next_seq == 1:
                    batches.append(Batch(lease, ran.payloads, ran.claims))
        for refused in self._journal.append(batches):
            if refused is not None:
                raise refused


def runs_in(journal: Journal) -> Iterator[tuple[str, RunRecord]]:
    """All runs of a journal, by plan id, in the order of their ids."""
    for name in sorted(journal.heads()):
        if name.startswith(RUN_PREFIX):
            record = read_run(journal, name)
            if record.started is not None:
                yield name.removeprefix(RUN_PREFIX), record


def run_in(journal: Journal, run_plan_id: str) -> RunRecord:
    """A run by its plan's id, or by the beginning of it. Raises InputError (UNKNOWN_RUN)."""
    found = [name for name in sorted(journal.heads()) if name.startswith(RUN_PREFIX + run_plan_id)]
    if len(found) != 1 or not run_plan_id:
        many = f"{len(found)} runs whose ids begin with" if found else "no run"
        raise InputError(
            f"there is {many} {run_plan_id!r} in that journal; 'surefill sweep list' shows them", code="UNKNOWN_RUN"
        )
    record = read_run(journal, found[0])
    if record.started is None:
        raise InputError(f"run {run_plan_id} was never begun", code="UNKNOWN_RUN")
    return record


def read_run(journal: Journal, stream: str) -> RunRecord:
    """The run of a stream."""
    record = RunRecord()
    for event in journal.read(stream):
        record.apply(decode(event.payload))
    return record
