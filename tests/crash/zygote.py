"""Makes children quickly: imports everything once, then forks one child for each spec that comes on standard input.

It has no thread, no loop and no file open when it forks, so that each child is as good as new.
"""

from __future__ import annotations

import os
import sys
import traceback

import msgspec
from tests.crash.child import Spec, main


def serve() -> None:
    """One line in, a spec; one line out, how its child ended: the signal as a negative number, or the exit code."""
    for line in sys.stdin.buffer:
        spec = msgspec.json.decode(line, type=Spec)
        sys.stdout.flush()
        child = os.fork()
        if not child:
            os.dup2(2, 1)  # standard output is ours
            try:
                main(spec)
            except BaseException:
                traceback.print_exc()
                sys.stderr.flush()
                os._exit(1)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    serve()
