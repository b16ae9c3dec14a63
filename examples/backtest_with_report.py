"""A whole backtest: a strategy of your own, costs, a journal, figures, tables, and a report to open in a browser.

    python examples/backtest_with_report.py [FOLDER]

The same from a shell, with the strategy's file named instead of imported:

    surefill backtest examples/my_strategy.py:BuyTheDip --data demo --report report.html --export .
"""

from __future__ import annotations

import sys
from pathlib import Path

from surefill.config import Settings, load_settings
from surefill.domain import codec
from surefill.intake.backtesting import backtest_all
from surefill.intake.feed import load_market
from surefill.journal import SqliteJournal, verify
from surefill.units import quanta_text
from surefill.views.report import Shown, report_of
from surefill.views.table_files import table_bytes
from surefill.views.tables import tables_of

STRATEGY = Path(__file__).with_name("my_strategy.py")


def settings() -> Settings:
    """What `surefill.yaml` would say."""
    return load_settings(
        overrides={
            "workspace": {"id": "dips", "starting_equity": 50_000},
            "execution": {"engine": "paper_full", "fill_mode": "bid_ask", "spread_bps": 4, "slippage_bps": 2},
            "fees": [{"name": "commission", "kind": "per_order", "amount": 1}],
            "feed": {"source": "demo", "symbols": ["AAPL", "IBM", "MSFT"]},
            "strategies": [
                {
                    "entry": {"type": f"{STRATEGY}:BuyTheDip", "params": {"drop_pct": 12.0}},
                    "exit": {"type": "stop_target", "stop_loss_pct": 10.0, "time_stop_bars": 60},
                    "risk": {"dollars_per_trade": 10_000.0, "max_positions": 3},
                }
            ],
        }
    )


def main() -> None:
    """Run it, or go on with it where a former run was stopped, and write the report."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "artifacts/dips")
    folder.mkdir(parents=True, exist_ok=True)
    market = load_market(settings())
    journal = SqliteJournal(folder / "dips.journal")
    (tested,) = backtest_all(market, journal)
    found = tested.performance
    for line in (*found.lines, found.total):
        net = quanta_text(line.figures.net + line.open_net, found.money_decimals)
        print(f"{line.name:6} {line.figures.trades:3} trades {net:>16} {found.currency}")
    name = tested.spec.workspace_id
    page = report_of("Buy the dip", {name: Shown("Buy the dip")}, {name: found}, tested.series, verify(journal))
    for table in tables_of((codec.decode(record.payload) for record in journal.read(name)), found):
        (folder / f"{table.name}.csv").write_bytes(table_bytes(table, "csv"))
    journal.close()
    (folder / "report.html").write_text(page, encoding="utf-8")
    print(f"open {folder / 'report.html'}")


if __name__ == "__main__":
    main()
