"""Running the emulated Kite from a test: start it, kill it, start it again, and have a hand on it."""

from __future__ import annotations

import os
import subprocess  # nosec B404: starts this package's own module
import sys

from surefill.testing.emulators.kite.hand import ANSWER_WITHIN_S, Hand


class KiteProcess(Hand):
    """The venue in a process of its own; `path` holds its truth, which outlives the process. Blocking calls.

    Use it as a context manager. `port` stays the same over `kill` and `start`, so that clients find it again.
    """

    def __init__(self, path: str | os.PathLike[str], port: int = 0) -> None:
        self._path = os.fspath(path)
        self._process: subprocess.Popen[bytes] | None = None
        self.port = port
        self.start()

    def __enter__(self) -> KiteProcess:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def start(self) -> None:
        """Start it, on the port that it had before."""
        module = "surefill.testing.emulators.kite"
        command = [sys.executable, "-m", module, "--db", self._path, "--port", str(self.port)]
        self._process = subprocess.Popen(  # nosec B603: this interpreter, our own module
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert self._process.stdout is not None
        said = self._process.stdout.readline()
        if not said:
            raise RuntimeError(f"the emulated Kite did not start (exit {self._process.wait()}): see its messages above")
        self.port = int(said)

    def kill(self) -> None:
        """Kill it outright; what it committed stays."""
        if self._process is not None:
            self._process.kill()
            self.wait()

    def wait(self) -> int:
        """Wait for its end (a CRASH fault brings it about) and return the exit code."""
        assert self._process is not None
        code = self._process.wait(ANSWER_WITHIN_S)
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        return code
