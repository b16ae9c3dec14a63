"""What the benchmarks share: a workspace like a trader's, and rounds that take turns."""

from __future__ import annotations

import importlib.metadata
import platform
import statistics
import time
from collections.abc import Callable, Sequence

import msgspec

from surefill.domain.inputs import DefineInstrument, OpenWorkspace, SubmitIntent
from surefill.domain.instrument import Instrument, Terms
from surefill.domain.intent import Action, Intent
from surefill.domain.market import Quote
from surefill.domain.profile import V2
from surefill.engine.writer import WorkspaceWriter
from surefill.journal.protocol import Journal
from surefill.units import BPS_PPB, PPB
from surefill.venues.paper import PaperSettings, PaperVenue

T0_NS = 1_732_000_000_000_000_000
NIFTY = Instrument("NIFTY24DECFUT", "INR", 2, 0, 10**6, (Terms(0, 5, 1),), underlying="NIFTY")
MARKET = Quote(NIFTY.instrument_id, T0_NS, 1_950_000, 1_949_995, 1_950_005)


#: Profile v2 with all its gates; what a day may lose or trade is out of the way of a hundred thousand trades.
RULES = msgspec.structs.replace(
    V2,
    limits=msgspec.structs.replace(
        V2.limits,
        daily_loss_max=10**15,
        daily_drawdown_max_ppb=PPB,
        trades_per_day_max=10**9,
        trades_per_strategy_max=10**9,
        loss_streak_max=10**9,
    ),
)


def opening(workspace_id: str) -> OpenWorkspace:
    """A paper workspace with profile v2 and all its gates."""
    return OpenWorkspace(T0_NS, workspace_id, "paper", "paper", "bench", "INR", 8, 10**15, RULES, "bench")


def paper() -> PaperVenue:
    """The paper venue as door 2 sets it up: 5 bps of slippage."""
    return PaperVenue(PaperSettings(slippage_ppb=5 * BPS_PPB))


def open_writer(journal: Journal, workspace_id: str = "w1") -> WorkspaceWriter:
    """A workspace ready to trade, its market known."""
    writer = WorkspaceWriter(journal, workspace_id, paper())
    writer.feed(opening(workspace_id))
    writer.feed(DefineInstrument(T0_NS, NIFTY))
    writer.feed(MARKET)
    writer.flush()
    return writer


def market_intent(number: int, key: str = "") -> SubmitIntent:
    """Buy one, sell one, and so on."""
    side = 1 if number % 2 == 0 else -1
    intent = Intent(key, f"c{number}", "orders", "S1", NIFTY.instrument_id, Action.TRADE, side, 1)
    return SubmitIntent(T0_NS + number, intent)


def seconds(work: Callable[[], object]) -> float:
    """Wall time of one call."""
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def interleaved(rounds: int, works: Sequence[Callable[[], float]]) -> list[float]:
    """The median of each work's own figure, over rounds in which they take turns."""
    figures: list[list[float]] = [[] for _ in works]
    for _ in range(rounds):
        for work, figure in zip(works, figures, strict=True):
            figure.append(work())
    return [statistics.median(figure) for figure in figures]


def where() -> str:
    """The machine and the versions that the figures belong to."""
    versions = " ".join(f"{name} {importlib.metadata.version(name)}" for name in ("surefill", "msgspec", "apsw"))
    return f"Python {platform.python_version()}, {platform.machine()}, {versions}"
