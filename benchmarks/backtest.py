"""SMA 20/50 over minute bars, long only: event by event with the ordinary journal, and as machine code.

Three runs each: no trades at all; out when the averages cross back; out at a stop (1 %) and a target (2 %) too.
`streamed` is the strategy as a user writes it, bar by bar; `foreseen` in its form over the whole series. The kernel
gives fills and equity; with the journal of its fills it is what `foreseen` is. Asserted: the same fills in all three, a
journal that folds to the same state, and as many trades as the peers where signals alone decide (within a hundredth:
the float sums of a peer's strategy drift).

Peers are programs of their own in an environment of their own (`benchmarks/peers/setup`). What it takes to load bars is
counted for nobody. Processor seconds, the median of rounds in which all take turns.

    python benchmarks/backtest.py [--bars 1000000] [--rounds 5]
"""

from __future__ import annotations

import gc
import resource
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import peer_programs as peers
from numpy.typing import NDArray
from rows import Measured, Row, arguments, tell

from surefill.domain import codec
from surefill.domain.events import OrderFilled
from surefill.domain.inputs import DefineInstrument, OpenWorkspace
from surefill.domain.instrument import Instrument, Terms
from surefill.domain.market import Bar
from surefill.domain.profile import PAPER_FULL
from surefill.engine.recovery import fold_journal
from surefill.engine.writer import WorkspaceWriter
from surefill.journal import MemoryJournal
from surefill.market.series import BarSeries
from surefill.strategy import EntrySpec, ExecutionSpec, ExitSpec, RiskSpec, StrategyRunner
from surefill.strategy.advice import Advice, Foreseen, Streamed
from surefill.strategy.backtest import Backtest
from surefill.sweep.kernels.prepare import signals_of, stage_of
from surefill.sweep.kernels.run import Fill, run_variant
from surefill.units import NS_PER_DAY, NS_PER_MIN
from surefill.venues.paper import PaperSettings, PaperVenue

AIM_EVENTS, AIM_KERNEL = "event-driven backtest", "kernel backtest"
NAME, CASH = "AAA", 10_000_000 * 10**5
STOCK = Instrument(NAME, "USD", 2, 0, 1000, (Terms(),))
EXITS = {
    "never": ExitSpec(type="none"),
    "signals": ExitSpec(type="none"),
    "levels": ExitSpec(type="stop_target", stop_loss_pct=1.0, take_profit_pct=2.0),
}
SAID = {"never": "no trades", "signals": "crossing", "levels": "crossing, stop and target"}
#: How many times as fast as Nautilus 2 each of them is to be.
EVENTS_TIMES = {"never": 2.0, "levels": 3.0}
KERNEL_TIMES = 50.0


class Never:
    """A strategy that looks at every bar and never finds anything: the cross, with its wishes left out."""

    name = "never"

    def __init__(self) -> None:
        self._cross = StrategyRunner().registry.get("sma_cross")

    def evaluate(self, spec, snapshot, position):  # type: ignore[no-untyped-def]
        """Nothing."""
        return ()

    def start(self, spec, price_decimals):  # type: ignore[no-untyped-def]
        """The averages all the same."""
        return _Deaf(self._cross.start(spec, price_decimals))

    def signals(self, spec, series):  # type: ignore[no-untyped-def]
        """The averages all the same."""
        found = self._cross.signals(spec, series)
        return type(found)(found.entries * 0, found.exits)


class _Deaf:
    def __init__(self, stream) -> None:  # type: ignore[no-untyped-def]
        self._stream = stream

    def on_bar(self, bar, position):  # type: ignore[no-untyped-def]
        """What it says is not listened to."""
        self._stream.on_bar(bar, position)
        return ()


def columns_of(count: int, timeframe: str = "1m") -> dict[str, NDArray[np.int64]]:
    """A walk in hundredths, minute by minute or day by day, reflected above zero."""
    rng = np.random.default_rng(7)
    close = 10_000 + np.cumsum(rng.normal(0, 4, count)).astype(np.int64)
    close = np.abs(close - 2_000) + 2_000
    opens = np.concatenate((close[:1], close[:-1]))
    high = np.maximum(opens, close) + rng.integers(0, 4, count)
    low = np.minimum(opens, close) - rng.integers(0, 4, count)
    bar_ns = NS_PER_MIN if timeframe == "1m" else NS_PER_DAY
    begin = 1_600_000_020 * 10**9 + np.arange(count, dtype=np.int64) * bar_ns
    return {"open_ns": begin, "ts_ns": begin + bar_ns, "open": opens, "high": high, "low": low, "close": close}


def series_of(columns: dict[str, NDArray[np.int64]], timeframe: str = "1m") -> BarSeries:
    """The same as bars."""
    rows = zip(*(column.tolist() for column in columns.values()), strict=True)
    bars = (Bar(NAME, *row) for row in rows)
    return BarSeries.from_bars(bars, instrument_id=NAME, timeframe=timeframe, price_decimals=2)


class Runs:
    """Everything that is timed, over the same bars."""

    def __init__(self, series: BarSeries) -> None:
        self.series = {NAME: series}
        self.runner = StrategyRunner()
        self.runner.registry.add(Never())
        self.fills: dict[tuple[str, str], list[Fill]] = {}

    def spec(self, exits: str) -> ExecutionSpec:
        """The variant."""
        return ExecutionSpec(
            workspace_id="w",
            symbols=(NAME,),
            timeframe="1m",
            entry=EntrySpec(type="never" if exits == "never" else "sma_cross"),
            exit=EXITS[exits],
            risk=RiskSpec(dollars_per_trade=2_000.0),
        )

    def engine(self, exits: str, form: str) -> Callable[[], float]:
        """Through the engine, with a journal."""

        def run() -> float:
            writer = WorkspaceWriter(MemoryJournal(), "w", PaperVenue())
            writer.feed(OpenWorkspace(0, "w", "backtest", "paper", "a", "USD", 5, CASH, PAPER_FULL, ""))
            writer.feed(DefineInstrument(0, STOCK))
            spec = self.spec(exits)
            strategy = self.runner.registry.get(spec.entry.type)
            made: type[Advice] = {"foreseen": Foreseen, "streamed": Streamed}[form]  # type: ignore[type-abstract]
            gc.collect()  # what the run before has left is not this one's to clear away
            begin = time.process_time()
            advice = made(strategy, spec, self.series)  # type: ignore[call-arg]
            Backtest(writer, spec, self.series, runner=self.runner, advice=advice).run()
            took = time.process_time() - begin
            if (exits, form) not in self.fills:
                folded, _ = fold_journal(writer.journal, "w")
                assert folded.digest() == writer.state.digest()
                self.fills[exits, form] = _fills(writer)
            return took

        return run

    def kernel(self, exits: str) -> Callable[[], float]:
        """As machine code, from the bars to fills and equity."""
        spec = self.spec(exits)
        strategy = self.runner.registry.get(spec.entry.type)

        def run() -> float:
            gc.collect()  # what the run before has left is not this one's to clear away
            begin = time.process_time()
            found = strategy.signals(spec, self.series[NAME])  # type: ignore[attr-defined]
            stage = stage_of(self.series, {NAME: STOCK}, PAPER_FULL, PaperSettings())
            result = run_variant(stage, signals_of([found]), spec, EXITS[exits], CASH)
            took = time.process_time() - begin
            self.fills[exits, "kernel"] = [fill._replace(reason=0) for fill in result.fills()]
            return took

        run()  # compiled, or found on disk
        return run


def _fills(writer: WorkspaceWriter) -> list[Fill]:
    events = (codec.decode(record.payload) for record in writer.journal.read("w"))
    return [
        Fill(each.position, each.ts_ns, each.side, each.last_px, each.last_qty, each.fee, 0)
        for each in events
        if isinstance(each, OrderFilled)
    ]


def measure(count: int, rounds: int) -> Measured:
    """Take turns."""
    columns = columns_of(count)
    runs = Runs(series_of(columns))
    found = runs.runner.registry.get("sma_cross").signals(runs.spec("signals"), runs.series[NAME])  # type: ignore[attr-defined]
    rows: list[Row] = []
    notes: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bars.npz"
        np.savez(path, enters=found.entries, leaves=found.exits, **columns)  # type: ignore[arg-type]
        for exits in EXITS:
            ours = {
                "streamed": runs.engine(exits, "streamed"),
                "foreseen": runs.engine(exits, "foreseen"),
                "kernel": runs.kernel(exits),
            }
            took: dict[str, list[float]] = {}
            told: dict[str, peers.BarFigures] = {}
            for _ in range(rounds):
                for name, work in ours.items():
                    took.setdefault(name, []).append(work())
                for program in peers.bar_programs():
                    told[program] = figures = peers.run_bars(program, path, exits)
                    took.setdefault(program, []).append(figures.seconds)
            rows += _rows(exits, count, {name: statistics.median(each) for name, each in took.items()}, told)
            fills = [runs.fills[exits, form] for form in ours]
            assert fills[0] == fills[1] == fills[2]
            if exits == "signals":
                assert all(abs(2 * each.trades / len(fills[0]) - 1) < 0.01 for each in told.values()), told
            notes += [
                f"{each.name} {each.version} over {each.bars:,} bars ({SAID[exits]}) needed {each.peak_mb} MB at most."
                for each in told.values()
            ]
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    rows.append(Row(AIM_EVENTS, "memory of all runs together", f"{peak_mb} MB", target="≤ 200 MB", met=peak_mb <= 200))
    return Measured(rows, notes)


def _rows(exits: str, count: int, took: dict[str, float], told: dict[str, peers.BarFigures]) -> list[Row]:
    def speed(name: str) -> str:
        return f"{count / took[name]:,.0f} bars/s"

    rows = []
    for form, aim in (("streamed", AIM_EVENTS), ("foreseen", AIM_EVENTS), ("kernel", AIM_KERNEL)):
        what = f"{SAID[exits]}, {form}" if aim == AIM_EVENTS else f"{SAID[exits]}, fills and equity"
        for program, figures in told.items():
            times = took[program] / took[form]
            wanted = _target(form, program, exits)
            rows.append(
                Row(
                    aim,
                    what,
                    speed(form),
                    f"{figures.name} {figures.version}: {speed(program)}",
                    f"{times:.2f}",
                    f"≥ {wanted:g} ×" if wanted else "",
                    times >= wanted if wanted else None,
                )
            )
        if not told:
            rows.append(Row(aim, what, speed(form)))
    return rows


def _target(form: str, program: str, exits: str) -> float:
    """How many times as fast as the peer it is to be; 0: not said."""
    if form == "streamed":
        return EVENTS_TIMES.get(exits, 0.0) if program == peers.NAUTILUS_BARS else 0.0
    if form == "kernel":
        return KERNEL_TIMES if program == peers.NAUTILUS_BARS else 1.0
    return 0.0


def main() -> None:
    """Measure and tell."""
    parser = arguments(__doc__)
    parser.add_argument("--bars", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    tell(measure(options.bars, options.rounds), as_json=options.json)


if __name__ == "__main__":
    main()
