"""The report: a journal, and the bars that it was made over, as one HTML file.

::

    html = report("My run", journal, {"ema": Shown("EMA cross", {"venue": "paper"})}, series)
    Path("report.html").write_text(html, encoding="utf-8")

It is a projection like the others: the same journal and bars give the same bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from surefill import __version__
from surefill.domain import codec
from surefill.journal.protocol import Journal
from surefill.journal.verification import Verification, verify
from surefill.market.series import BarSeries
from surefill.views.performance import Performance, performance
from surefill.views.report.model import ReportModel, bars_model, run_model
from surefill.views.report.page import page

__all__ = ["Shown", "report", "report_of"]


class Shown(NamedTuple):
    """How a workspace is presented: its heading, what is told about it (label -> text), what to be careful about."""

    name: str
    about: Mapping[str, str] = {}
    remark: str = ""


def report(title: str, journal: Journal, workspaces: Mapping[str, Shown], series: Mapping[str, BarSeries]) -> str:
    """Verify the journal, fold its workspaces, and write the page."""
    found = {
        name: performance((codec.decode(record.payload) for record in journal.read(name)), series)
        for name in workspaces
    }
    return report_of(title, workspaces, found, series, verify(journal))


def report_of(
    title: str,
    workspaces: Mapping[str, Shown],
    found: Mapping[str, Performance],
    series: Mapping[str, BarSeries],
    verification: Verification | None = None,
) -> str:
    """The page of runs that have been folded already."""
    proofs = {stream.workspace_id: stream for stream in (verification.streams if verification else ())}
    runs = [
        run_model(shown.name, shown.about, found[name], series, proofs.get(name), shown.remark)
        for name, shown in workspaces.items()
    ]
    return page(title, ReportModel(title, __version__, bars_model(series), runs))
