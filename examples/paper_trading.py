"""Paper trading through a door: an entry with a stop, prices that move, a restart in between, and the proof.

    python examples/paper_trading.py [JOURNAL]

The door is the one for signals; `surefill.intake.intents` and `surefill.intake.orders` are others over the same engine.
"""

from __future__ import annotations

import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from surefill.intake.signals import ExecutionContext, ExecutionEngineV3
from surefill.journal import SqliteJournal, verify

SYMBOL = "NIFTY24DECFUT"


def settings(journal: Path) -> dict[str, object]:
    """What `surefill.yaml` would say: slippage, half out at the first breach of the stop, fees, and where to write."""
    return {
        "execution": {"slippage_bps": 1, "enable_partial_exit": True, "partial_exit_pct": 0.5},
        "instruments": {SYMBOL: {"lot": 75, "tick": 0.05, "underlying": "NIFTY"}},
        "fees": [{"name": "brokerage", "kind": "per_order", "amount": 20}],
        "journal": {"path": str(journal)},
        "artifacts": {"dir": str(journal.parent)},
    }


def signal(intent_id: str) -> ExecutionContext:
    """Two lots, a stop 50 points below."""
    return ExecutionContext(
        symbol=SYMBOL,
        logical_symbol="NIFTY",
        product="MIS",
        strategy_id="ema_20_50",
        mode="paper",
        timestamp=datetime.now(UTC),
        timeframe="5m",
        fixed_qty=150,
        sl_price=19_450.0,
        intent_id=intent_id,
    )


def trade(journal: Path) -> None:
    """Buy, leave with half at the stop, start again, leave with the rest."""
    prices = {SYMBOL: 19_500.0}
    with ExecutionEngineV3(settings(journal), broker_feed=prices) as engine:
        bought = engine.process_signal(SYMBOL, "BUY", signal("nifty-1"))
        assert bought is not None
        print(f"{bought.side} {bought.qty} at {bought.price}: {bought.status}")
        repeated = engine.process_signal(SYMBOL, "BUY", signal("nifty-1"))
        assert repeated is not None
        print(f"the same intent again: order {'the same' if repeated.order_id == bought.order_id else 'ANOTHER'}")
        prices[SYMBOL] = 19_445.0
        engine.update_positions(prices)
        print(f"at {prices[SYMBOL]}: {engine.positions()[SYMBOL].quantity} held")

    # Whatever ended the process here (`surefill demo` kills one): the next one folds the journal, and the stop guards
    # what is left.
    with ExecutionEngineV3(settings(journal), broker_feed=prices) as engine:
        print(f"after a restart: {engine.positions()[SYMBOL].quantity} held")
        prices[SYMBOL] = 19_440.0
        engine.update_positions(prices)
        position = engine.positions()[SYMBOL]
        print(f"at {prices[SYMBOL]}: {position.quantity} held, realised {position.realized_pnl:.2f} before fees")


def main() -> None:
    """Trade, then ask the journal whether all of it is there."""
    with tempfile.TemporaryDirectory() as scratch:
        journal = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(scratch) / "paper.journal"
        trade(journal)
        reader = SqliteJournal(journal, readonly=True)
        found = verify(reader)
        reader.close()
        print(f"{found.events} events, {'all of them verified' if found.ok else found.text()}")


if __name__ == "__main__":
    main()
