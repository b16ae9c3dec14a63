"""What a run's page shows, as data: the page only draws, sorts and picks."""

from __future__ import annotations

import msgspec

from surefill.sweep.overrides import Scalar
from surefill.sweep.plan_figures import FigureColumn
from surefill.views.report.columns import BarColumns, Steps
from surefill.views.report.model import RunModel


class Variants(msgspec.Struct, frozen=True):
    """Those that ran over the segment, column by column. `values` by path: what a variant sets, else the base's own."""

    ids: list[str]
    kinds: list[str]
    ranks: list[int | None]
    routes: list[str]
    values: list[list[Scalar | None]]
    figures: list[FigureColumn]


class CurveLine(msgspec.Struct, frozen=True):
    """A curve: `equity` at the page's `times`, from the first on, in `PARTS`-ths of the start. `row`: its variant."""

    row: int
    role: str
    equity: Steps


class WindowLine(msgspec.Struct, frozen=True):
    """A choice and how it did. Each pair: return in percent, annual Sharpe ratio; None where it did not run."""

    train: str
    test: str
    begins: str
    chosen: str
    settings: str
    seen: tuple[float | None, float | None]
    unseen: tuple[float | None, float | None]
    baseline: tuple[float | None, float | None]


class Failure(msgspec.Struct, frozen=True):
    """A variant that could not be run, and why."""

    variant: str
    segment: str
    settings: str
    code: str
    reason: str


class PlanModel(msgspec.Struct, frozen=True):
    """A run. `segment`: what the variants are shown over, "" is all of the bars.

    `together`: Sharpe ratio, growth per year (a fraction) and largest fall (percent) of all unseen stretches in a row.
    `times`, seconds UTC, are those of the `lines`, `unseen_at` how many of them were chosen by. `differs`: what came
    out otherwise when it was run again.
    """

    run_plan_id: str
    status: str
    objective: str
    segment: str
    about: list[tuple[str, str]]
    paths: list[str]
    variants: Variants
    best: str
    best_settings: str
    baseline: str
    deflated: float | None
    windows: list[WindowLine]
    together: tuple[float | None, float | None, float] | None
    failed: int
    failures: list[Failure]
    remarks: list[str]
    seal: bool
    events: int
    head: str
    differs: tuple[str, ...]
    times: Steps
    unseen_at: int
    lines: list[CurveLine]


class PlanReport(msgspec.Struct, frozen=True):
    """All of it. `runs`: the best variant, segment by segment."""

    title: str
    version: str
    bars: list[BarColumns]
    runs: list[RunModel]
    plan: PlanModel
