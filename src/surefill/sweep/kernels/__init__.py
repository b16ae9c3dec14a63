"""Variants as machine code: the rules of the engine, compiled, over flat tables; the same fills, money and refusals.

`coverage` says what goes this way and what does not; `tests/sweep/test_kernel_parity.py` proves the rest.
"""
