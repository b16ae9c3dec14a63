"""Risk-manager decisions, executed or refused: a fill, a spread too wide, a halt, and what the execution log says.

    python examples/rpm_execution.py [FOLDER]

The log is a table of its own (`execution_logs.db`) that any SQLite client may read and none may change.
"""

from __future__ import annotations

import sqlite3
import sys
import tempfile
from pathlib import Path

from surefill.intake.rpm import ApprovedTrade, PortfolioState, RPMExecutionEngine, RPMOutput, TradeDecision

SYMBOL = "EURUSD"


def settings(folder: Path) -> dict[str, object]:
    """What `surefill.yaml` would say."""
    return {
        "workspace": {"starting_equity": 100_000},
        "instruments": {SYMBOL: {"calendar": "24x7"}},  # so that this runs on Sundays too; leave it out to keep hours
        "rpm": {"max_slippage_pips": 3, "timeout_seconds": 30},
        "journal": {"path": str(folder / "rpm.journal")},
        "artifacts": {"dir": str(folder)},
    }


def approved(order_id: str, *, halt_reason: str = "") -> RPMOutput:
    """95 000 euros, long, guarded by a stop and a target."""
    trade = ApprovedTrade(SYMBOL, 1, 95_000, confidence_score=0.78, regime="TRENDING", stop_loss=1.09, take_profit=1.1)
    state = PortfolioState(trading_halted=bool(halt_reason), halt_reason=halt_reason or None)
    return RPMOutput(TradeDecision("APPROVED", order_id, trade), state, rpm_version="1.0.0")


def trade(folder: Path) -> None:
    """Three decisions, one of them twice; then the position leaves at its target."""
    quotes = {SYMBOL: {"bid": 1.0949, "ask": 1.0955}}
    with RPMExecutionEngine(settings(folder), quotes) as engine:
        refused = engine.execute(approved("rpm-1"))
        print(f"{refused.status}: {refused.rejection_reason}")
        print(f"kept for later: {[log.rpm_decision_id for log in engine.preserved()]}")

        quotes[SYMBOL] = {"bid": 1.09495, "ask": 1.09505}
        filled = engine.execute(approved("rpm-1"))
        print(f"{filled.status}: {filled.executed_units} at {filled.fill_price}, {filled.slippage_pips} pips")
        again = engine.execute(approved("rpm-1"))
        print(f"the same decision again: {'the same execution' if again == filled else 'ANOTHER'}")

        halted = engine.execute(approved("rpm-2", halt_reason="drawdown of 10 %"))
        print(f"{halted.status}: {halted.rejection_reason}, {halted.rejection_details}")

        engine.on_quote(SYMBOL, 1.1001, 1.1002)
        print(f"after the target: {engine.positions()[SYMBOL].quantity} held")
        figures = engine.metrics()
        print(f"{figures.successful} of {figures.total} filled, rejected for {', '.join(figures.rejections)}")


def look(folder: Path) -> None:
    """Read the log as anybody would, and try to improve it."""
    with sqlite3.connect(folder / "execution_logs.db") as log:
        for row in log.execute("SELECT rpm_decision_id, status FROM execution_logs ORDER BY created_timestamp"):
            print("log: {} {}".format(*row))
        try:
            log.execute("UPDATE execution_log_versions SET status = 'FILLED'")
        except sqlite3.Error as error:
            print(f"refused: {error}")


def main() -> None:
    """Trade, then look."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(sys.argv[1] if len(sys.argv) > 1 else scratch)
        trade(folder)
        look(folder)


if __name__ == "__main__":
    main()
