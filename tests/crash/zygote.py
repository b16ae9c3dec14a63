"""Makes children quickly: imports everything once, then forks one child for each spec that comes on standard input.

It has no thread, no loop and no file open when it forks, so that each child is as good as new.
"""

from __future__ import annotations

import os
import subprocess
import sys
import traceback
from importlib import import_module
from pathlib import Path

import msgspec

ROOT = Path(__file__).resolve().parents[2]


class Zygote:
    """Makes children that die. `module` has their `Spec`, and a `main` that is given one."""

    def __init__(self, module: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.crash.zygote", module],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def run(self, spec: msgspec.Struct) -> int:
        """A child's end: the signal as a negative number, or the exit code."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(msgspec.json.encode(spec) + b"\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())

    def close(self) -> None:
        self.process.communicate()


def serve(module: str) -> None:
    """One line in, a spec; one line out, how its child ended."""
    child_of = import_module(module)
    for line in sys.stdin.buffer:
        spec = msgspec.json.decode(line, type=child_of.Spec)
        sys.stdout.flush()
        child = os.fork()
        if not child:
            os.dup2(2, 1)  # standard output is ours
            try:
                child_of.main(spec)
            except BaseException:
                traceback.print_exc()
                sys.stderr.flush()
                os._exit(1)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    serve(sys.argv[1])
