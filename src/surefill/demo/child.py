"""The process that is killed: `python -m surefill.demo.child JOURNAL` runs the backtests and says how it went."""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec

from surefill.demo.backtests import run_into
from surefill.errors import SurefillError
from surefill.market.dataset import load_demo_bars


def main(arguments: list[str]) -> int:
    """Run into the journal named, and print the figures as JSON; returns the exit code."""
    if len(arguments) != 1:
        print("usage: python -m surefill.demo.child JOURNAL", file=sys.stderr)
        return 2
    try:
        figures = run_into(Path(arguments[0]), load_demo_bars())
    except SurefillError as error:
        print(error.message, file=sys.stderr)
        return 1
    print(msgspec.json.encode(figures).decode())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
