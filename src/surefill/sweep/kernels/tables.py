"""What a kernel is given: flat arrays of integers, and the names of their columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Flags = NDArray[np.int8]

# Of an instrument. LOTS_BUDGET // price is how many lots the variant's money buys.
TICK, LOT, PER_NOTIONAL, MIN_QTY, MAX_QTY, LOTS_BUDGET, INSTRUMENT_COLUMNS = range(7)

# Of a bar. BAR_ENDS has the bits below: last of its session, first and last of its instrument.
BAR_INSTRUMENT, BAR_OPEN_NS, BAR_TS_NS, BAR_OPEN, BAR_HIGH, BAR_LOW, BAR_CLOSE, BAR_ENDS = range(8)
BAR_MOMENT, BAR_COLUMNS = range(8, 10)
ENDS_SESSION, IS_FIRST, IS_LAST = 1, 2, 4

# Of a position; QTY is signed. PLAN_*: the entry that waits for the open, or for its price, or is about to be made.
# RESTS says how it waits for its price, since when and for how many bars, PROMISED what it may cost. STOP_PARTIAL is
# the share that leaves at the stop at first, LEAVING how much leaves now.
QTY, OPENED_NS, GUARDED, STOP, TARGET, TRAIL, TRAILED, BARS_HELD, CLOSE_PX = range(9)
WAITING, PLAN_SIDE, PLAN_QTY, PLAN_STOP, PLAN_TARGET, PLAN_TRAIL, PLAN_PX, PLAN_STOP_PX = range(9, 17)
RESTS, RESTS_NS, RESTS_BARS, PROMISED, STOP_PARTIAL, LEAVING = range(17, 23)
#: Rungs of a ladder of partial exits, at most; of a position the price of each (0: none, or taken), from here on.
RUNGS_MAX: Final = 6
LADDER, PLAN_LADDER, POSITION_COLUMNS = range(23, 24 + 2 * RUNGS_MAX, RUNGS_MAX)

# Values of WAITING: what is executed at the instrument's next open.
NOTHING, OPEN, CLOSE = range(3)
# Values of RESTS: no order does, one that waits for what sets it off, a limit.
NOWHERE, TRIGGER, LIMIT = range(3)

# Of a fill. REASON is an ExitReason; NONE: the strategy wanted it.
INSTRUMENT, BAR, TS_NS, SIDE, PX, LAST_QTY, FEE, REASON, FILL_COLUMNS = range(9)

# Of the rules of the account and its market. ORD_TYPES: a bit for each that may be asked for.
FILL_MODE, SPREAD_PPB, SLIPPAGE_PPB, INTRABAR, STOP_GRANULARITY = range(5)
CUSHION_PPB, NEGATIVE_CASH, ALLOW_SHORT, ORD_TYPES, RULE_COLUMNS = range(5, 10)

# Of a variant. A level is AWAY parts in OF of the price at entry; AWAY 0: there is none. SIGNALS: its row of them.
AT_CLOSE, ENABLED, POSITIONS_MAX, EXIT_AT_DAY_END, TIME_STOP_BARS, END_OF_DAY = range(6)
STOP_AWAY, STOP_OF, TARGET_AWAY, TARGET_OF, TRAIL_AWAY, TRAIL_OF = range(6, 12)
GOOD_FOR_BARS, STOP_PARTIAL_PPB, RUNGS = range(12, 15)
#: Of each rung of the ladder, from here on.
RUNG_AWAY, RUNG_OF, RUNG_PPB, RUNG_COLUMNS = range(4)
RUNG: Final = 15
SIGNALS: Final = RUNG + RUNGS_MAX * RUNG_COLUMNS
VARIANT_COLUMNS: Final = SIGNALS + 1

# Of a fee that is charged fill by fill, and of a component of a cost schedule.
FEE_KIND, FEE_RATE, FEE_PER_UNIT, FEE_PER_ORDER, FEE_COLUMNS = range(5)
CHARGE_KIND, CHARGE_RATE, CHARGE_PER_ORDER, CHARGE_MIN, CHARGE_MAX, CHARGE_STEP, CHARGE_BASE, CHARGE_COLUMNS = range(8)

# Of what came of it: how many fills, the cash, and how many entries (exits) were refused for which reason.
FILLS, CASH, NO_POSITION, NO_ORD_TYPE, OUT_OF_RANGE, STOP_SIDE, TARGET_SIDE, NO_SHORT, NO_CASH = range(9)
RESULT_COLUMNS: Final = 9

# Of a round trip while it is under way.
TRIP_QTY, TRIP_SIDE, TRIP_BAR, TRIP_NS, TRIP_ENTERED, TRIP_COST, TRIP_PROCEEDS, TRIP_FEES, TRIP_COLUMNS = range(9)

# Of what it all is in figures (`sweep.metrics`): whole numbers, and ratios, of which NaN is one that there is not.
ENDING_EQUITY, FEES, TRADE_COUNT, WINNING_STREAK, LOSING_STREAK, DRAWDOWN_DAYS, COUNT_COLUMNS = range(7)
RETURN_PCT, MAX_DRAWDOWN_PCT, SHARPE, WIN_RATE, PROFIT_FACTOR, EXPECTANCY, EXPOSURE, TURNOVER = range(8)
MAE_PCT, MFE_PCT, DAILY_DRAWDOWN_PCT, DAILY_RATIOS = range(
    8, 12
)  # the last: those of `views.daily_figures.daily_ratios`
RATIO_COLUMNS: Final = DAILY_RATIOS + 8


class Market(NamedTuple):
    """Bars of all instruments, one after the other, and the moments at which they begin.

    The bars of moment k are `moment_bars[moment_from[k]:moment_from[k + 1]]`, in the order of instruments, which are
    numbered in the order of ids. (Of one instrument alone both are empty: bar k is moment k.) A row of `bars` has all
    of a bar in one place, the columns beside it are the same figures for whoever goes through many bars. `closes_ns`:
    when the last bar of each moment closes; `day_ends`: the last moments of each day, as
    `views.daily_figures.daily_equity` has it.
    """

    moment_from: Ints
    moment_bars: Ints
    bars: Ints
    high_px: Ints
    low_px: Ints
    close_px: Ints
    closes_ns: Ints
    day_ends: Ints


class Signals(NamedTuple):
    """What strategies want after each bar, as `strategy.forms.Signals` says it; many variants have a row for each.

    Where no entry waits for a price the columns of prices are empty.
    """

    enters: Flags
    leaves: Flags
    px: Ints
    stop_px: Ints


class Costs(NamedTuple):
    """`fees` are charged fill by fill. `charges[instrument, table, side, row]` order by order: the table is the number
    of dates in `changes_ns` that have come; side 0 sells and 1 buys, and 2 more if a limit has rested. A row of kind
    NONE ends it."""

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


class Account(NamedTuple):
    """What every variant begins with, in money quanta, and the trading days of a year."""

    cash: int
    per_year: int


class Sums(NamedTuple):
    """What figures are made in: trips under way by instrument, what each closed one made, equity by day."""

    trips: Ints
    nets: Ints
    daily: Ints
