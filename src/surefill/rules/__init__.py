"""Trading rules as scalar functions over integers: written once, run at two speeds.

The engine calls these functions as plain Python. The sweep kernels compile the very same functions with
Numba, unchanged. So that both give the same answer to the last unit, everything here obeys six rules:

1. Arguments and results are integers (or booleans): no float, no text, no containers.
2. A bare `px` or `qty` counts the instrument's quanta. Anything else says its unit last (`_ppb`, `_ns`,
   `_money`). A price of 0 means "none": observed prices are always above 0 at our doors.
3. Within the bounds of `surefill.units` no intermediate value leaves 64 bits. Each docstring states its
   bounds; the doors enforce them, the rules do not look again.
4. Nothing raises. What can go wrong comes back as a value (0, NONE, an Anomaly).
5. No clock, no I/O, no state: what a rule needs to know is an argument.
6. Rounding has a direction in its name or in its docstring, and where there is a choice it is against us.

Modules: `codes` (the enumerations), `arithmetic`, `transitions` (the order life cycle, one table),
`position`, `prices`, `matching`, `exits`, `fees`, `sizing`, `checks` (predicates of the pre-trade gates).
"""
