"""Where a sweep runs, as its commands are told."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from surefill.market.series import BarSeries
    from surefill.sweep.executors import Executor

Workers = Annotated[
    int | None,
    typer.Option("--workers", help="Worker processes; 0 runs in this one.", show_default="one for each processor"),
]
Cluster = Annotated[
    str | None,
    typer.Option(
        "--cluster",
        metavar="ADDRESS",
        help="Run on the Dask cluster whose scheduler is there, such as tcp://10.0.0.5:8786.",
        show_default=False,
    ),
]


def executor_of(series: Mapping[str, BarSeries], workers: int | None, cluster: str | None) -> Executor:
    """What runs variants on these bars. Raises BadParameter, ConfigError."""
    from surefill.sweep.cluster import ClusterWorkers
    from surefill.sweep.executors import InProcess, WorkerProcesses

    if cluster is None:
        return InProcess(series) if workers == 0 else WorkerProcesses(series, workers or 0)
    if workers is not None:
        raise typer.BadParameter("--workers are processes of this machine: leave it out with --cluster")
    executor = ClusterWorkers(series, cluster)
    for name in ("distributed", "distributed.client"):  # the errors say it, without a trace
        logging.getLogger(name).setLevel(logging.CRITICAL)
    return executor
