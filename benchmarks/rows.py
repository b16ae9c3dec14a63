"""What a benchmark tells: rows of the table in docs/benchmarks.md, for a person or, with `--json`, for `run`."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from typing import NamedTuple

from setting import where


class Row(NamedTuple):
    """One measured thing. `against` is the floor or the peer of the same run, `ratio` the figure over it.

    `met` is None where there is no target, or nothing to compare with was there.
    """

    aim: str
    what: str
    figure: str
    against: str = ""
    ratio: str = ""
    target: str = ""
    met: bool | None = None


class Measured(NamedTuple):
    """The rows of one benchmark, and what a reader should know beside them."""

    rows: Sequence[Row]
    notes: Sequence[str] = ()


def arguments(doc: str | None) -> argparse.ArgumentParser:
    """A parser with what every benchmark understands."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of lines")
    return parser


def tell(measured: Measured, *, as_json: bool) -> None:
    """Print what was measured."""
    if as_json:
        print(json.dumps({"where": where(), "rows": measured.rows, "notes": measured.notes}))
        return
    print(where())
    for row in measured.rows:
        parts = [row.figure]
        if row.against:
            parts.append(f"against {row.against}" + (f", ratio {row.ratio}" if row.ratio else ""))
        if row.target:
            parts.append(f"target {row.target}: {verdict(row.met)}")
        print(f"{row.aim}: {row.what}: {'; '.join(parts)}")
    for note in measured.notes:
        print(note)


def verdict(met: bool | None) -> str:
    """Whether the target was met, in a word."""
    return {True: "met", False: "missed", None: "not judged"}[met]
