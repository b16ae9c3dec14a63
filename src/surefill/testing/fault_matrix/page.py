"""The matrix as a page: how often each fault fired at each step of each venue, and how that ended."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from surefill.testing.emulators.groundwork.faults import AnyFault
from surefill.testing.fault_matrix.runner import Result, Tally, impossible, place_of, tallied
from surefill.testing.fault_matrix.steps import FAULTS, STEPS
from surefill.testing.remote_venue.faults import Fault

INTRODUCTION: Final = """\
# Fault × venue × step

<!-- Written by scripts/fault_matrix from a run of it: run it again rather than edit this. -->

Whatever goes wrong, at every venue and at every step of an order's life: **the venue has at most one order for a
client order id, our book equals the venue's, and every UNKNOWN ends resolved or somebody is called.** This page counts
how often each fault struck in a run that checked it.

Every venue is an emulated one in a process of its own, which speaks its real protocol over real sockets and keeps what
really happened ([emulators](emulators.md)); before it are the real client library, the real adapter and a real engine
with its rounds. One story enters, protects, moves the stop, leaves. A fault is armed at one step, and must strike. It
is switched off, and then without anybody's help, by the venue's own truth:

- no client order id has two orders there; order by order, quantities, triggers and what works are the same;
- the venue's position is ours;
- what the venue knows is UNKNOWN no longer, and of the rest somebody has been called;
- what is held has a stop at the venue over all of it, or somebody was called because it is naked.

Then the person who was called does his part (he ends what the venue never had, he lets entries in again), the story
goes on in good health, and at the end nothing works and nothing is held (but what is too little to sell), all
[invariants](safety.md) of the journal hold, and looking at the venue once more changes nothing. Seeds vary sides, order
types, moments, partial fills, commissions, how often the fault strikes, and let somebody else trade the account
meanwhile.

`scripts/fault_matrix --seeds 20` makes such a run; `--venue`, `--fault`, `--step` narrow it down, `--json` tells all of
it, `--write` writes this page. The suite strikes every cell once in every run (`tests/testing/fault_matrix`).
"""

LEGEND: Final = """\
A number says how often the fault struck there. `p`: in some of the stories somebody was called (an order without
evidence, a stop that was not confirmed in time, a venue that did not answer), which is how those are to end. `h`: in
some of them the venue had never had an order, could not prove it, and the person ended it. `–`: it cannot be; the
reasons are below each table.
"""


def render(results: Sequence[Result], simulated: Mapping[str, int], simulated_seeds: int) -> str:
    """The page, as text."""
    cells, venues = tallied(results), tuple(dict.fromkeys(result.job.venue for result in results))
    seeds = [result.job.seed for result in results]
    void = sum(result.void for result in results)
    failed = sum(bool(result.why) for result in results) - void
    struck = sum(tally.stories for tally in cells.values())
    fired = sum(tally.fired for tally in cells.values())
    lines = [*INTRODUCTION.splitlines(), "", "## This run", ""]
    lines.append(
        f"{_grouped(len(results))} stories of seeds {min(seeds)} to {max(seeds)}; {_grouped(struck)} times a cell was"
        f" struck, {_grouped(fired)} times a fault fired; {failed} stories failed. {void} broke off because the"
        " fault had no occasion to strike in time (the machine was busy): those prove and count for nothing."
    )
    lines += ["", *LEGEND.splitlines()]
    for venue in venues:
        lines += ["", f"## {place_of(venue).name}", "", *_table(venue, cells), "", *_reasons(venue)]
    lines += ["", "## Paper", "", *_PAPER.splitlines()]
    lines += ["", "## Simulated", "", *_simulated(simulated, simulated_seeds)]
    return "\n".join(lines) + "\n"


_PAPER: Final = """\
The paper venue lives in the engine's process, and what it answers is committed with what was asked: there is no wire,
so none of these faults can be. What can fail there is the journal, and the power: the simulator strikes those."""


def _table(venue: str, cells: Mapping[tuple[str, str, str], Tally]) -> Iterator[str]:
    yield "| fault | " + " | ".join(step.name.lower() for step in STEPS) + " |"
    yield "|---|" + "--:|" * len(STEPS)
    for fault in FAULTS:
        marks = [_mark(venue, fault, step.name, cells) for step in STEPS]
        if any(mark not in ("–", "") for mark in marks):
            yield f"| `{fault.name}` | " + " | ".join(marks) + " |"


def _mark(venue: str, fault: AnyFault, step: str, cells: Mapping[tuple[str, str, str], Tally]) -> str:
    tally = cells.get((venue, fault.name, step))
    if tally is None:
        return "–" if any(each.name == step for cell, each, _ in impossible(venue) if cell is fault) else ""
    marks = (" p" if tally.paged else "") + (" h" if tally.by_hand else "")
    return f"{_grouped(tally.fired)}{marks}" + (f" **{tally.failed} failed**" if tally.failed else "")


def _reasons(venue: str) -> Iterator[str]:
    """By reason, the cells that cannot be."""
    steps_of: dict[str, dict[str, list[str]]] = {}
    for fault, step, why in impossible(venue):
        steps_of.setdefault(why, {}).setdefault(fault.name, []).append(step.name.lower())
    for why, faults in steps_of.items():
        by_steps: dict[str, list[str]] = {}
        for name, steps in faults.items():
            said = "anywhere" if len(steps) == len(STEPS) else ", ".join(steps)
            by_steps.setdefault(said, []).append(f"`{name}`")
        where = "; ".join(f"{', '.join(names)} ({said})" for said, names in by_steps.items())
        yield f"- {where}: {why}."


def _simulated(fired: Mapping[str, int], seeds: int) -> Iterator[str]:
    if not seeds:
        yield "Not in this run. The [page on testing](testing.md) counts what struck in 10 000 seeds of the simulator."
        return
    yield (
        f"The [simulator](testing.md) strikes the same faults in virtual time, all of them together and with a journal"
        f" that fails and a process that dies: {_grouped(seeds)} seeds, by name how often each struck."
    )
    yield ""
    yield "| fault | struck |"
    yield "|---|--:|"
    counts: Counter[str] = Counter(dict(fired))
    names = [fault.name for fault in Fault if fault.name in counts]
    names += sorted(name for name in counts if name.startswith(("journal ", "power cut", "clock", "order by hand")))
    for name in names:
        yield f"| `{name}` | {_grouped(counts[name])} |"


def _grouped(number: int) -> str:
    return f"{number:,}".replace(",", " ")
