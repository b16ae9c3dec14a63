"""All backtests of the demonstration into one journal, from the beginning or from wherever it ends."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path

import msgspec

from surefill.demo.plan import SPECS, VENUE, open_workspace
from surefill.domain.events import Event
from surefill.engine.writer import WorkspaceWriter
from surefill.journal import Journal, SqliteJournal
from surefill.market.series import BarSeries
from surefill.strategy.backtest import Backtest
from surefill.venues.paper import PaperVenue

Progress = Callable[[int, int], None]


class RunFigures(msgspec.Struct):
    """What one process did.

    `found`: events that were there when it began. `resume_s`: from opening their journal (its hash chain checked, its
    state folded, its last moments rehearsed) to the first commit of something new; 0 if there was nothing to take up.
    """

    found: int = 0
    events: int = 0
    commits: int = 0
    bars: int = 0
    resume_s: float = 0.0
    run_s: float = 0.0


def run_into(path: Path, series: Mapping[str, BarSeries], on_progress: Progress | None = None) -> RunFigures:
    """Run every spec of the plan in its own workspace of the journal file at `path`.

    Killed, it is simply called again. `on_progress(done, all)` is told of bars. Raises JournalError, LocalError
    (RUN_CHANGED).
    """
    began = time.perf_counter()
    with closing(SqliteJournal(path)) as journal:
        return run_backtests(journal, series, on_progress, began_s=began)


def run_backtests(
    journal: Journal,
    series: Mapping[str, BarSeries],
    on_progress: Progress | None = None,
    *,
    began_s: float | None = None,
) -> RunFigures:
    """The same into an open journal; times count from `began_s` (of `time.perf_counter`), else from now."""
    began = time.perf_counter() if began_s is None else began_s
    total = sum(len(series[symbol]) for spec in SPECS for symbol in spec.symbols)
    before_ns = min(bars.open_ns[0] for bars in series.values()) - 1
    figures = RunFigures(found=sum(head.seq for head in journal.heads().values()))

    def committed(first_seq: int, events: list[Event]) -> None:
        figures.commits += 1
        if figures.found and not figures.resume_s:
            figures.resume_s = time.perf_counter() - began

    for spec in SPECS:
        writer = WorkspaceWriter(journal, spec.workspace_id, PaperVenue(VENUE))
        writer.subscribers.append(committed)
        open_workspace(writer, spec, before_ns)
        Backtest(writer, spec, series, on_progress=_further(figures.bars, total, on_progress)).run()
        figures.bars += sum(len(series[symbol]) for symbol in spec.symbols)
        figures.events += writer.state.book.seq
    figures.run_s = time.perf_counter() - began
    return figures


def _further(before: int, total: int, tell: Progress | None) -> Progress | None:
    """Progress of one backtest as progress of them all."""
    return None if tell is None else lambda done, _: tell(before + done, total)
