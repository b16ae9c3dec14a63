"""A parameter sweep: some settings of one strategy on shipped prices, chosen on the past, judged by what came next.

    python examples/sweep.py [FOLDER]

Run it again and it shows what it knows; kill it in the middle and it goes on. The same from a shell, all processors at
work:

    surefill sweep run sma_cross --symbols IBM -S fast=5:25:5 -S slow=30:120:10 --walk-forward 1000:750
    surefill report --run RUN
"""

from __future__ import annotations

import sys
from pathlib import Path

from surefill.config import load_settings
from surefill.intake.feed import load_market
from surefill.journal import SqliteJournal, verify
from surefill.sweep import Market, TrainTest, WorkerProcesses, conditions_of, execute, generate
from surefill.sweep.events import VariantCompleted
from surefill.sweep.plan_page import plan_page
from surefill.sweep.rerun import rerun
from surefill.sweep.run_record import run_in

SETTINGS = {
    "workspace": {"mode": "backtest", "starting_equity": 10_000},
    "execution": {"slippage_bps": 2},
    "fees": [{"name": "commission", "kind": "per_order", "amount": 1}],
    "feed": {"source": "demo", "symbols": ["IBM"]},
}
BASE = {
    "workspace_id": "crosses",
    "symbols": ["IBM"],
    "entry": {"type": "sma_cross"},
    "exit": {"type": "stop_target", "stop_loss_pct": 8.0},
    "risk": {"dollars_per_trade": 5_000.0},
}
CONSTRAINTS = {
    "sweep": {
        "entry.params.fast": {"min": 5, "max": 30, "step": 5},
        "entry.params.slow": {"min": 40, "max": 160, "step": 20},
        "exit.stop_loss_pct": {"min": 4.0, "max": 12.0, "step": 0.5},
    },
    "sampling": "latin_hypercube",
    "samples": 6,
    "seed": 1,
}


def main() -> None:
    """Run the plan, or go on with it, and say how far its best variant is to be believed."""
    market = Market(*load_market(load_settings(overrides=SETTINGS)))
    plan = generate(
        BASE, CONSTRAINTS, objective="return_dd_penalty", split=TrainTest(0.7), conditions=conditions_of(market)
    )
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "artifacts/sweep")
    folder.mkdir(parents=True, exist_ok=True)
    journal = SqliteJournal(folder / "sweeps.journal")
    result = execute(plan, market, journal, executor=WorkerProcesses(market.series, 2))
    record, (proof,) = run_in(journal, plan.run_plan_id), verify(journal).streams
    journal.close()

    trained = [row for row in result.rows if row.segment == "train" and isinstance(row.outcome, VariantCompleted)]
    for row in sorted(trained, key=lambda row: row.rank or 0)[:3]:
        assert isinstance(row.outcome, VariantCompleted)
        found = row.outcome.metrics
        settings = ", ".join(f"{path.rpartition('.')[2]} {value:g}" for path, value in row.variant.overrides.items())
        print(f"{row.rank}. {settings or 'the base'}: {found.return_pct:+.1f} % in {found.trade_count} trades")
    (window,) = result.windows
    assert window.out_of_sample is not None
    print(f"chosen: {window.in_sample.return_pct:+.1f} %, and {window.out_of_sample.return_pct:+.1f} % on unseen bars")
    print(f"more than luck with a probability of {result.deflated_sharpe or 0:.0%}, for {len(plan.variants)} variants")
    page = plan_page(record, rerun(record, result, market, top=5), proof)
    (folder / "run.html").write_text(page, encoding="utf-8")
    print(f"open {folder / 'run.html'}")


if __name__ == "__main__":
    main()
