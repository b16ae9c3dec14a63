"""surefill: one trade-execution engine for paper, backtest and live."""

__version__ = "0.1.0"
