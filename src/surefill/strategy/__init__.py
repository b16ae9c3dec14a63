"""What to trade: specs, snapshots, the stateless runner, the built-in strategies and room for your own.

::

    from surefill.strategy import ExecutionSpec, MarketSnapshot, StrategyRunner

    evaluation = StrategyRunner().evaluate(spec, snapshot, paper_state)
    for intent in evaluation.intents: ...

A strategy looks at bars and says what it would do; the runner turns that into sized trade intents; whether they are
traded is decided further on. Names are loaded on first use: whoever needs `TradeIntent` only, gets that only.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from surefill.strategy.decisions import Decision as Decision
    from surefill.strategy.decisions import Parameter as Parameter
    from surefill.strategy.decisions import Position as Position
    from surefill.strategy.decisions import Strategy as Strategy
    from surefill.strategy.forms import BarStream as BarStream
    from surefill.strategy.forms import Incremental as Incremental
    from surefill.strategy.forms import Signals as Signals
    from surefill.strategy.forms import Vectorised as Vectorised
    from surefill.strategy.intents import TradeAction as TradeAction
    from surefill.strategy.intents import TradeIntent as TradeIntent
    from surefill.strategy.registry import StrategyRegistry as StrategyRegistry
    from surefill.strategy.runner import PortfolioState as PortfolioState
    from surefill.strategy.runner import StrategyEvaluation as StrategyEvaluation
    from surefill.strategy.runner import StrategyRunner as StrategyRunner
    from surefill.strategy.snapshot import MarketSnapshot as MarketSnapshot
    from surefill.strategy.snapshot import Ohlcv as Ohlcv
    from surefill.strategy.snapshot import snapshots as snapshots
    from surefill.strategy.spec import EntrySpec as EntrySpec
    from surefill.strategy.spec import ExecutionSpec as ExecutionSpec
    from surefill.strategy.spec import ExitSpec as ExitSpec
    from surefill.strategy.spec import RiskSpec as RiskSpec
    from surefill.strategy.spec import load_spec as load_spec

_HOME = {
    "BarStream": "forms",
    "Decision": "decisions",
    "EntrySpec": "spec",
    "ExecutionSpec": "spec",
    "ExitSpec": "spec",
    "Incremental": "forms",
    "MarketSnapshot": "snapshot",
    "Ohlcv": "snapshot",
    "Parameter": "decisions",
    "PortfolioState": "runner",
    "Position": "decisions",
    "RiskSpec": "spec",
    "Signals": "forms",
    "Strategy": "decisions",
    "StrategyEvaluation": "runner",
    "StrategyRegistry": "registry",
    "StrategyRunner": "runner",
    "TradeAction": "intents",
    "TradeIntent": "intents",
    "Vectorised": "forms",
    "load_spec": "spec",
    "snapshots": "snapshot",
}

__all__ = [
    "BarStream",
    "Decision",
    "EntrySpec",
    "ExecutionSpec",
    "ExitSpec",
    "Incremental",
    "MarketSnapshot",
    "Ohlcv",
    "Parameter",
    "PortfolioState",
    "Position",
    "RiskSpec",
    "Signals",
    "Strategy",
    "StrategyEvaluation",
    "StrategyRegistry",
    "StrategyRunner",
    "TradeAction",
    "TradeIntent",
    "Vectorised",
    "load_spec",
    "snapshots",
]


def __getattr__(name: str) -> object:
    """Load a name from its module."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
