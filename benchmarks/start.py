"""How long a start takes, each as a process of its own: bare Python, `import surefill`, `surefill --help`, and a
workspace opened from its configuration until it takes intents.

    python benchmarks/start.py [--rounds 7]
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path

from rows import Measured, Row, arguments, tell
from setting import interleaved, seconds

AIM = "start"
# Opened, and left at once: what comes after it is ready does not belong to the start.
READY = """
import os, sys
from surefill.config import load_settings
from surefill.intake.session import Session
session = Session.open(load_settings(None, {"journal.path": sys.argv[1]}, {}))
assert session.engine.engine.desks[session.workspace_id].accepting
os._exit(0)
"""


def run(*words: str) -> float:
    """Wall time of one process."""
    return seconds(partial(subprocess.run, [sys.executable, *words], check=True, capture_output=True))


def ready() -> float:
    """Wall time until a workspace of its own takes intents."""
    with tempfile.TemporaryDirectory() as folder:
        return run("-c", READY, str(Path(folder) / "journal"))


def measure(rounds: int) -> Measured:
    """Rounds in which they take turns."""
    python, imported, helped, opened = interleaved(
        rounds,
        [
            partial(run, "-c", "pass"),
            partial(run, "-c", "import surefill"),
            partial(run, "-m", "surefill", "--help"),
            ready,
        ],
    )
    against = f"python alone: {python * 1e3:.0f} ms"
    return Measured(
        [
            Row(AIM, what, f"{took * 1e3:.0f} ms", against, f"{took / python:.1f}", f"≤ {most_s} s", took <= most_s)
            for what, took, most_s in (
                ("`import surefill`", imported, 0.2),
                ("`surefill --help`", helped, 0.3),
                ("a workspace takes intents", opened, 2),
            )
        ]
    )


def main() -> None:
    """Measure and print."""
    parser = arguments(__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    tell(measure(options.rounds), as_json=options.json)


if __name__ == "__main__":
    main()
