"""What a worker of a cluster needs for a job, in one piece."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import msgspec

from surefill.errors import StrategyError
from surefill.market.series import BarSeries
from surefill.sweep.shared_bars import digest_of_bars, write_bars
from surefill.sweep.workbench import Job


class Parcel(NamedTuple):
    """All that a worker needs for a job: sent to each once.

    `job`: pickled, without the strategies that are files. `strategies`: their class, file name and text. `bars`: the
    files of `shared_bars`, by name.
    """

    key: str
    job: bytes
    strategies: tuple[tuple[str, str, bytes], ...]
    bars: dict[str, bytes]


def parcel_of(job: Job, series: Mapping[str, BarSeries]) -> Parcel:
    """A job's parcel. Raises StrategyError where a strategy cannot be sent."""
    from distributed.protocol.pickle import dumps

    files = []
    for each in job.strategies:
        if isinstance(each, str):
            name, _, of = each.rpartition(":")
            try:
                files.append((of, Path(name).name, Path(name).read_bytes()))
            except OSError as error:
                raise StrategyError(f"{name} cannot be read: {error}", code="INVALID_STRATEGY") from error
    objects = tuple(each for each in job.strategies if not isinstance(each, str))
    try:
        pickled = dumps(job._replace(strategies=objects))
    except Exception as error:  # whatever the strategy's own attributes raise
        raise StrategyError(
            f"a strategy cannot be sent to a cluster ({error}): write it in a file and name that",
            code="INVALID_STRATEGY",
        ) from error
    digest = hashlib.sha256(msgspec.msgpack.encode((pickled, files, digest_of_bars(series))))
    with tempfile.TemporaryDirectory(prefix="surefill-bars-") as folder:
        write_bars(series, Path(folder))
        bars = {each.name: each.read_bytes() for each in Path(folder).iterdir()}
    return Parcel(digest.hexdigest()[:16], pickled, tuple(files), bars)
