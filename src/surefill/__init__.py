"""surefill: one trade-execution engine for paper, backtest and live."""
