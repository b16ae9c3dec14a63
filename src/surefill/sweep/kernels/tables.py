"""What a kernel is given: flat arrays of integers, and the names of their columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Flags = NDArray[np.uint8]

# Of an instrument. LOTS_BUDGET // price is how many lots the variant's money buys.
TICK, LOT, PER_NOTIONAL, MIN_QTY, MAX_QTY, LOTS_BUDGET, INSTRUMENT_COLUMNS = range(7)

# Of a position. PLAN_*: the entry that waits for the open, or is about to be made.
QTY, OPENED_NS, GUARDED, STOP, TARGET, TRAIL, TRAILED, BARS_HELD, CLOSE_PX = range(9)
WAITING, PLAN_QTY, PLAN_STOP, PLAN_TARGET, PLAN_TRAIL, POSITION_COLUMNS = range(9, 15)

# Values of WAITING: what is executed at the instrument's next open.
NOTHING, OPEN, CLOSE = range(3)

# Of a fill. REASON is an ExitReason; NONE: the strategy wanted it.
INSTRUMENT, BAR, TS_NS, SIDE, PX, LAST_QTY, FEE, REASON, FILL_COLUMNS = range(9)

# Of the rules of the account and its market.
FILL_MODE, SPREAD_PPB, SLIPPAGE_PPB, INTRABAR, STOP_GRANULARITY, CUSHION_PPB, NEGATIVE_CASH, RULE_COLUMNS = range(8)

# Of a variant. A level is AWAY parts in OF of the price at entry; AWAY 0: there is none.
AT_CLOSE, ENABLED, POSITIONS_MAX, EXIT_AT_DAY_END, TIME_STOP_BARS, END_OF_DAY = range(6)
STOP_AWAY, STOP_OF, TARGET_AWAY, TARGET_OF, TRAIL_AWAY, TRAIL_OF, VARIANT_COLUMNS = range(6, 13)

# Of a fee that is charged fill by fill, and of a component of a cost schedule.
FEE_KIND, FEE_RATE, FEE_PER_UNIT, FEE_PER_ORDER, FEE_COLUMNS = range(5)
CHARGE_KIND, CHARGE_RATE, CHARGE_PER_ORDER, CHARGE_MIN, CHARGE_MAX, CHARGE_STEP, CHARGE_BASE, CHARGE_COLUMNS = range(8)

# Of what came of it: how many fills, the cash, and how many entries (exits) were refused for which reason.
FILLS, CASH, NO_POSITION, OUT_OF_RANGE, STOP_SIDE, TARGET_SIDE, NO_CASH, RESULT_COLUMNS = range(8)


class Market(NamedTuple):
    """Bars of all instruments, one after the other, and the moments at which they begin.

    The bars of moment k are `moment_bars[moment_from[k]:moment_from[k + 1]]`, in the order of instruments. `instrument`
    of each bar is its number in the order of ids; `is_first`, `is_last`: of its instrument.
    """

    moment_ns: Ints
    moment_from: Ints
    moment_bars: Ints
    instrument: Ints
    open_ns: Ints
    ts_ns: Ints
    open_px: Ints
    high_px: Ints
    low_px: Ints
    close_px: Ints
    session_end: Flags
    is_first: Flags
    is_last: Flags


class Signals(NamedTuple):
    """What the strategy wants after each bar: in, where nothing is held; out, where something is."""

    enters: Flags
    leaves: Flags


class Costs(NamedTuple):
    """`fees` are charged fill by fill. `charges[instrument, table, side, row]` order by order: the table is the number
    of dates in `changes_ns` that have come, side 0 sells and 1 buys; a row of kind NONE ends it."""

    fees: Ints
    charges: Ints
    changes_ns: Ints


class Books(NamedTuple):
    """What the kernel writes. Fills beyond the room for them are counted and not kept."""

    positions: Ints
    fills: Ints
    equity: Ints
    result: Ints
    scratch: Ints
