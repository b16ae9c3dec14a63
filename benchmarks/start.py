"""How long a start takes: bare Python, `import surefill`, `surefill --help`, each as a process of its own.

python benchmarks/start.py [--rounds 7]
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from functools import partial

from setting import interleaved, seconds, where


def run(*arguments: str) -> float:
    """Wall time of one process."""
    return seconds(partial(subprocess.run, [sys.executable, *arguments], check=True, capture_output=True))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    print(where())
    bare, imported, helped = interleaved(
        options.rounds,
        [
            partial(run, "-c", "pass"),
            partial(run, "-c", "import surefill"),
            partial(run, "-m", "surefill", "--help"),
        ],
    )
    print(f"python alone {bare * 1e3:.0f} ms")
    print(f"import surefill {imported * 1e3:.0f} ms ({imported / bare:.2f} x)")
    print(f"surefill --help {helped * 1e3:.0f} ms ({helped / bare:.2f} x)")


if __name__ == "__main__":
    main()
