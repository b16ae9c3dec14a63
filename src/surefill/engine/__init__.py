"""The imperative shell around the pure core: writers, clocks, timers, the outbox, recovery."""
