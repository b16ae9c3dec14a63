"""What runs in a worker of a cluster. Bars and workbench are made once in its process, and kept.

A worker runs one portion at a time, however many threads it has: variants hold the interpreter.
"""

from __future__ import annotations

import platform
import shutil
import tempfile
import threading
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

import msgspec
from distributed.protocol.pickle import loads
from distributed.worker import get_worker

from surefill.config import build_of_this
from surefill.errors import StrategyError
from surefill.sweep.cluster_parcel import Parcel
from surefill.sweep.paths import PATHS
from surefill.sweep.shared_bars import map_bars
from surefill.sweep.workbench import Job, Ran, Task, Workbench

_KEPT: Final = 4  # jobs of one client after the other, or of several
_BARS: Final = "bars"
_folders: dict[str, Path] = {}
_benches: dict[str, Workbench] = {}
_busy: Final = threading.Lock()


class Portion(msgspec.Struct, frozen=True):
    """Tasks that go together; Dask looks into lists, but not into this."""

    tasks: list[Task]


class Done(msgspec.Struct, frozen=True):
    """What came of a portion, and how many seconds it took."""

    ran: list[Ran]
    seconds: float


class Lacking(msgspec.Struct, frozen=True):
    """The worker at this address has no such parcel (it is new, or has forgotten)."""

    address: str


def identity() -> dict[str, str]:
    """What must be the same everywhere for results to be the same."""
    return {
        "surefill": build_of_this(),
        "Python": ".".join(platform.python_version_tuple()[:2]),
        "numba": _version("numba"),
        "numpy": _version("numpy"),
    }


def greet(key: str) -> tuple[dict[str, str], bool]:
    """A worker's identity, and whether it has that parcel."""
    return identity(), key in _folders


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "none"


def unpack(parcel: Parcel, dask_worker: Any) -> None:
    """Lay a parcel's files into the worker's own folder, which goes when the worker does."""
    if parcel.key in _folders:
        return
    folder = Path(tempfile.mkdtemp(prefix="surefill-", dir=dask_worker.local_directory))
    (folder / "job").write_bytes(parcel.job)
    (folder / _BARS).mkdir()
    for name, content in parcel.bars.items():
        (folder / _BARS / name).write_bytes(content)
    for number, (_, name, text) in enumerate(parcel.strategies):
        (folder / str(number)).mkdir()
        (folder / str(number) / name).write_bytes(text)
    named = [f"{folder / str(number) / name}:{of}" for number, (of, name, _) in enumerate(parcel.strategies)]
    (folder / "strategies.json").write_bytes(msgspec.json.encode(named))
    _folders[parcel.key] = folder


def work(key: str, portion: Portion) -> Done | Lacking:
    """Run tasks. Raises what makes the job as a whole impossible."""
    with _busy:
        if key not in _folders:
            return Lacking(get_worker().address)
        if key not in _benches:
            while len(_benches) >= _KEPT:
                oldest = next(iter(_benches))
                del _benches[oldest]
                shutil.rmtree(_folders.pop(oldest), ignore_errors=True)
            _benches[key] = _bench_in(_folders[key])
        began = time.monotonic()
        return Done(list(_benches[key].run(portion.tasks)), time.monotonic() - began)


def _bench_in(folder: Path) -> Workbench:
    try:
        job: Job = loads((folder / "job").read_bytes())
    except Exception as error:  # whatever the making of a strategy object raises
        raise StrategyError(
            f"a strategy cannot be made on a worker of the cluster ({error}): install its package there,"
            " or write it in a file and name that",
            code="INVALID_STRATEGY",
        ) from error
    files = msgspec.json.decode((folder / "strategies.json").read_bytes(), type=list[str])
    return Workbench(job._replace(strategies=(*files, *job.strategies)), map_bars(folder / _BARS), PATHS)
