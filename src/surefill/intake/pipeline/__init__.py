"""Door 3: trading-signal events."""
