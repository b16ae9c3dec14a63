"""A real Dask cluster for tests: a scheduler and two workers, each a process of its own on this machine."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

from distributed import Client

WORKERS = 2
#: A worker that dies takes a while to come again: two deaths are enough to know.
ENVIRONMENT = {"DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "1"}


class RunningCluster:
    """Scheduler and workers, which can be killed and started again at the same address."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        self.address = f"tcp://127.0.0.1:{self._port}"
        self._processes: list[subprocess.Popen[bytes]] = []
        self.start()

    def start(self) -> None:
        """Start all of it; who connects waits."""
        self._begin("dask_scheduler", "--host", "127.0.0.1", "--port", str(self._port))
        for _ in range(WORKERS):
            self._begin("dask_worker", self.address, "--host", "127.0.0.1", "--nthreads", "1", "--death-timeout", "60")

    def _begin(self, program: str, *words: str) -> None:
        command = [sys.executable, "-m", f"distributed.cli.{program}", *words, "--no-dashboard"]
        with (self._folder / "cluster.log").open("ab") as log:
            self._processes.append(
                subprocess.Popen(
                    command,
                    cwd=self._folder,
                    env={**os.environ, **ENVIRONMENT},
                    stdout=log,
                    stderr=log,
                    process_group=0,
                )
            )

    def kill(self) -> None:
        """Kill all of it: workers end with their scheduler anyway."""
        for process in self._processes:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        self._processes.clear()

    def wait(self) -> None:
        """Until all workers are there."""
        with Client(self.address, timeout=60, set_as_default=False) as client:
            client.wait_for_workers(WORKERS, timeout=60)

    def tasks(self) -> int:
        """How many the scheduler knows of."""
        with Client(self.address, timeout=60, set_as_default=False) as client:
            found: int = client.run_on_scheduler(lambda dask_scheduler: len(dask_scheduler.tasks))
        return found
