"""Every benchmark in a process of its own, one after the other; one table, printed and kept in docs/benchmarks.md.

benchmarks/run               # all of it: some ten minutes
benchmarks/run --large       # with the journal of ten million events: some more, and 8 GB of disk
benchmarks/run --only start  # one of them; what the page says is left alone
benchmarks/run --quick       # tiny sizes, to see that they run: their figures mean nothing, none are kept
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import peer_programs
from rows import Row, verdict

HERE = Path(__file__).resolve().parent
PAGE = HERE.parent / "docs" / "benchmarks.md"
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
#: Each benchmark with what it is given by `--quick`, and by `--large`.
BENCHMARKS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "order_path": (("--intents", "200", "--rounds", "1", "--paired", "100"), ()),
    "gate_chain": (("--intents", "50", "--rounds", "1"), ()),
    "durable_intents": (("--per-caller", "3", "--rounds", "1"), ()),
    "journal_floor": (("--events", "1280", "--rounds", "1"), ()),
    "recovery": (("--events", "8000", "--rounds", "1"), ("--large",)),
    "backtest": (("--bars", "3000", "--rounds", "1"), ()),
    "sweep": (("--variants", "20", "--bars", "500", "--rounds", "1"), ()),
    "venue_path": (("--orders", "6", "--rounds", "1"), ()),
    "quotes_to_exit": (("--positions", "4", "--rate", "400", "--seconds", "0.5", "--rounds", "1"), ()),
    "start": (("--rounds", "1"), ()),
}


def run(name: str, options: Iterable[str]) -> tuple[str, list[Row], list[str]]:
    """What one benchmark tells: where it ran, its rows, its notes."""
    command = [sys.executable, str(HERE / f"{name}.py"), "--json", *options]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    told = json.loads(done.stdout)
    return told["where"], [Row(*row) for row in told["rows"]], told["notes"]


def table(rows: Iterable[Row]) -> str:
    """The rows in Markdown."""
    lines = ["| row | what | figure | floor or peer | ratio | target | |", "|---|---|---|---|---|---|---|"]
    lines += [
        f"| {row.aim} | {row.what} | {row.figure} | {row.against} | {row.ratio} | {row.target} |"
        f" {verdict(row.met) if row.target else ''} |"
        for row in rows
    ]
    return "\n".join(lines)


def machine() -> str:
    """The processor, and how many of it."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                model = line.partition(":")[2].strip()
                break
    return f"{model}, {os.cpu_count()} cores, {platform.system()}"


def load() -> str:
    """How busy the machine is: processes that want to run, averaged over a minute."""
    return f"{os.getloadavg()[0]:.1f}"


def report(options: argparse.Namespace) -> str:
    """Run what is asked for; the measured part of the page."""
    names = options.only or list(BENCHMARKS)
    before, busy = datetime.date.today(), [load()]
    rows: list[Row] = []
    notes: list[str] = []
    versions = ""
    for name in names:
        quick, large = BENCHMARKS[name]
        print(f"{name} …", file=sys.stderr, flush=True)
        versions, found, said = run(name, (*(quick if options.quick else ()), *(large if options.large else ())))
        rows += found
        notes += said
        busy.append(load())
    judged = [row for row in rows if row.met is not None]
    missed = [row for row in judged if not row.met]
    parts = [
        f"{before.isoformat()}. {machine()}; {versions}. Load average before the first benchmark and after each:"
        f" {', '.join(busy)}.",
        table(rows),
        f"{len(judged) - len(missed)} of {len(judged)} targets were met"
        + (f"; missed: {'; '.join(f'{row.aim}: {row.what}' for row in missed)}." if missed else "."),
    ]
    if notes:
        parts.append("\n".join(f"- {note}" for note in notes))
    return "\n\n".join(parts)


def write(measured: str, page: Path) -> None:
    """Put it between the page's markers."""
    text = page.read_text()
    if text.count(BEGIN) != 1 or text.count(END) != 1:
        raise SystemExit(f"{page} must have {BEGIN} and {END} once each: put them back where the table belongs")
    head, _, rest = text.partition(BEGIN)
    _, _, tail = rest.partition(END)
    page.write_text(f"{head}{BEGIN}\n\n{measured}\n\n{END}{tail}")


def main() -> None:
    """Run, print, and keep."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", choices=BENCHMARKS, help="this one (may be given again)")
    parser.add_argument("--quick", action="store_true", help="tiny sizes: nothing is kept")
    parser.add_argument("--large", action="store_true", help="the large sizes as well")
    parser.add_argument("--no-write", action="store_true", help="print only")
    options = parser.parse_args()
    if not peer_programs.programs():
        print(f"peers will not be measured: {peer_programs.WHY_NOT}", file=sys.stderr)
    measured = report(options)
    print(measured)
    if not (options.quick or options.only or options.no_write):
        write(measured, PAGE)


if __name__ == "__main__":
    main()
