"""Many variants of a strategy over the same bars: run plans, compiled kernels, what came of them."""
