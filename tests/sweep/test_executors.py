"""Worker processes: the same results as in one process, whichever of them dies."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest
from tests.sweep.sweeps import base, crosses, market, mischief

from surefill.errors import ConfigError, StrategyError
from surefill.journal import MemoryJournal
from surefill.market.dataset import load_demo_bars
from surefill.sweep import InProcess, WorkerProcesses, execute, generate
from surefill.sweep.events import VariantCompleted, VariantFailed
from surefill.sweep.shared_bars import digest_of_bars, map_bars, write_bars
from surefill.sweep.split import WHOLE
from surefill.sweep.workbench import Job, Task
from surefill.testing.strategy_conformance import awkward_series

ROOT = Path(__file__).resolve().parents[2]
MARKET = market()


def test_mapped_bars_are_the_bars(tmp_path: Path) -> None:
    series = {**load_demo_bars(("IBM",)), "EMPTY": awkward_series(1, 0), **MARKET.series}
    write_bars(series, tmp_path)
    mapped = map_bars(tmp_path)
    assert {name: list(bars) for name, bars in mapped.items()} == {name: list(bars) for name, bars in series.items()}
    for name, bars in series.items():
        assert (mapped[name].closes.tolist(), mapped[name].timeframe) == (bars.closes.tolist(), bars.timeframe)
        assert mapped[name].price_decimals == bars.price_decimals
    assert digest_of_bars({name: mapped[name] for name in reversed(mapped)}) == digest_of_bars(series)
    assert pickle.loads(pickle.dumps(mapped["IBM"]))[5] == series["IBM"][5]
    with pytest.raises(TypeError):
        mapped["IBM"].close_px[0] = 1


def test_digest_of_bars_sees_every_figure() -> None:
    first, second = awkward_series(1, 20), awkward_series(2, 20)
    found = {digest_of_bars(each) for each in ({"A": first}, {"A": second}, {"B": first}, {"A": first[:19]}, {})}
    assert len(found) == 5


@pytest.mark.slow
def test_workers_give_what_one_process_gives_though_one_is_killed(tmp_path: Path) -> None:
    plan, files = mischief(MARKET, tmp_path, range(2, 8))
    (tmp_path / "raise-6").touch()
    alone = execute(plan, MARKET, MemoryJournal(), strategies=files, keep_journals=True)
    (tmp_path / "die-once-5").touch()
    (tmp_path / "die-4").touch()
    journal, executor = MemoryJournal(), WorkerProcesses(MARKET.series, 2)
    result = execute(plan, MARKET, journal, executor=executor, strategies=files, keep_journals=True)
    assert not (tmp_path / "die-once-5").exists(), "nobody was killed"
    failed = {
        row.variant.overrides["entry.params.n"]: row.outcome.code
        for row in result.rows
        if isinstance(row.outcome, VariantFailed)
    }
    assert failed == {4: "WORKER_DIED", 6: "STRATEGY_FAILED"}, "a variant that kills every worker fails alone"
    for mine, theirs in zip(result.rows, alone.rows, strict=True):
        assert mine.outcome == theirs.outcome or mine.variant.overrides == {"entry.params.n": 4}
    assert len(journal.heads()) == 1 + result.completed == len(plan.variants) - 1
    (tmp_path / "die-4").unlink()
    assert execute(plan, MARKET, journal, strategies=files, again=True, keep_journals=True) == alone


@pytest.mark.slow
def test_workers_tell_what_makes_every_variant_impossible_and_stop_when_told(tmp_path: Path) -> None:
    plan, files = mischief(MARKET, tmp_path, range(2, 9))
    job = Job(plan.run_plan_id, plan.base, MARKET.settings, (str(tmp_path / "gone.py:Mischief"),))
    executor = WorkerProcesses(MARKET.series, 1)
    tasks = [Task(variant, WHOLE) for variant in plan.variants]
    with pytest.raises(StrategyError, match="does not exist"):
        list(executor.run(job, tasks, lambda: False))
    known = [0]
    result = execute(
        plan,
        MARKET,
        MemoryJournal(),
        executor=executor,
        strategies=files,
        stopping=lambda: known[0] > 0,
        on_progress=lambda progress: known.append(known.pop() + 1),
    )
    assert result.status == "canceled"
    assert 0 < result.completed < len(plan.variants)


def test_strategy_object_may_be_given_instead_of_a_file() -> None:
    from examples.my_strategy import BuyTheDip

    from surefill.strategy import StrategyRegistry

    registry = StrategyRegistry()
    registry.add(BuyTheDip)
    plan = generate(base(MARKET, "buy_the_dip", bars=5), {"sweep": {"entry.params.drop_pct": [0.5]}}, registry=registry)
    result = execute(plan, MARKET, MemoryJournal(), executor=InProcess(MARKET.series), strategies=(BuyTheDip(),))
    assert all(isinstance(row.outcome, VariantCompleted) for row in result.rows)


def test_strategy_object_that_cannot_be_sent_to_workers_is_refused() -> None:
    class Local:
        name = "local"

        def evaluate(self, *_: object) -> tuple[()]:
            return ()

    executor = WorkerProcesses(MARKET.series, 1)
    with pytest.raises(StrategyError, match="cannot be sent to worker processes"):
        execute(crosses(MARKET), MARKET, MemoryJournal(), executor=executor, strategies=(Local(),))


PROGRAM = """
from tests.sweep.sweeps import crosses, market
from surefill.journal import MemoryJournal
from surefill.sweep import WorkerProcesses, execute

made = market()
execute(crosses(made), made, MemoryJournal(), executor=WorkerProcesses(made.series, 1))
"""


@pytest.mark.slow
def test_program_without_a_main_guard_is_told_so(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, program], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 1
    assert "LocalError: worker processes die as they start: a program that uses them needs `if __name__" in done.stderr


def test_workers_without_numpy_say_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "numpy", None)
    with pytest.raises(ConfigError, match=r"surefill\[sweep\]") as missing:
        execute(crosses(MARKET), MARKET, MemoryJournal(), executor=WorkerProcesses(MARKET.series, 1))
    assert missing.value.code == "MISSING_EXTRA"
