"""The demonstration from beginning to end, as `surefill demo` runs it."""

from __future__ import annotations

from pathlib import Path

import msgspec
from rich.console import Console


class DemoResult(msgspec.Struct, frozen=True):
    """What the demonstration made. `ok`: everything that it set out to prove was proved."""

    ok: bool
    report: Path
    journal: Path


def run(folder: Path, *, console: Console, json: bool, open_report: bool = False) -> DemoResult:
    """Run the demonstration into `folder`, which is made, and whose former demonstration is replaced."""
    raise NotImplementedError
