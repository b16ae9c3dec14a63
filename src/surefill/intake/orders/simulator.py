"""The document's fill simulator: the paper venue, seen through this door."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from surefill.engine.clock import Clock
from surefill.intake.orders.engine import ExecutionEngineV2
from surefill.intake.orders.messages import ExecutionResult, OrderIntent


class SmartFillSimulator:
    """A paper account of its own, in memory: what would this order do in the market that `market_data_engine` shows?

    `slippage_bps` and `use_bid_ask_spread` as in the `execution:` block; `config` may hold the rest of it. It is paper
    also where that names a real venue.
    """

    def __init__(
        self,
        market_data_engine: Any,
        slippage_bps: float = 5.0,
        use_bid_ask_spread: bool = False,
        config: Mapping[str, Any] | None = None,
        *,
        clock: Clock | None = None,
    ) -> None:
        config = config or {}
        execution = {"slippage_bps": slippage_bps, "use_bid_ask_spread": use_bid_ask_spread}
        self._engine = ExecutionEngineV2(
            {
                **config,
                "execution": {**execution, **config.get("execution", {}), "engine": "v2"},
                "workspace": {**config.get("workspace", {}), "mode": "paper", "venue": "paper"},
                "journal": {"path": ":memory:"},
            },
            market_data_engine=market_data_engine,
            clock=clock,
        )

    def simulate(self, intent: OrderIntent) -> ExecutionResult:
        """Execute it in the simulated account."""
        return self._engine.execute_intent(intent)

    def close(self) -> None:
        """Forget the account."""
        self._engine.close()

    def __enter__(self) -> SmartFillSimulator:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
