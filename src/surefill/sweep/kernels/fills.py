"""Fills of an account: at which price, what they cost, and how they are kept. The source of machine code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from surefill.rules.codes import FeeKind
from surefill.rules.fees import fill_fee, order_charge
from surefill.rules.prices import market_px
from surefill.sweep.kernels import tables as t

if TYPE_CHECKING:
    from surefill.sweep.kernels.tables import Books, Costs, Ints

_NO_CHARGE: Final = int(FeeKind.NONE)


def at_market(number: int, side: int, px: int, instruments: Ints, rules: Ints) -> int:
    """What a market order trades at where the market is at `px`."""
    return market_px(
        rules[t.FILL_MODE],
        side,
        0,
        0,
        px,
        rules[t.SPREAD_PPB],
        rules[t.SLIPPAGE_PPB],
        instruments[number, t.TICK],
    )


def fill(
    instrument: int,
    at: int,
    side: int,
    px: int,
    qty: int,
    ts_ns: int,
    reason: int,
    rested: int,
    instruments: Ints,
    costs: Costs,
    books: Books,
) -> None:
    """Trade at `px`, pay, and keep it."""
    result = books.result
    money = px * qty * instruments[instrument, t.PER_NOTIONAL]
    fee = _fee(instrument, (side + 1) // 2 + 2 * rested, money, qty, ts_ns, costs, books.scratch)
    result[t.CASH] -= side * money + fee
    number = result[t.FILLS]
    result[t.FILLS] = number + 1
    if number < len(books.fills):
        fills = books.fills
        fills[number, t.INSTRUMENT], fills[number, t.BAR], fills[number, t.TS_NS] = instrument, at, ts_ns
        fills[number, t.SIDE], fills[number, t.PX], fills[number, t.LAST_QTY] = side, px, qty
        fills[number, t.FEE], fills[number, t.REASON] = fee, reason


def _fee(instrument: int, way: int, money: int, qty: int, ts_ns: int, costs: Costs, scratch: Ints) -> int:
    """What a fill costs that is all of its order."""
    fee = 0
    fees = costs.fees
    for rule in range(len(fees)):
        fee += fill_fee(
            fees[rule, t.FEE_KIND],
            fees[rule, t.FEE_RATE],
            fees[rule, t.FEE_PER_UNIT],
            fees[rule, t.FEE_PER_ORDER],
            money,
            qty,
            True,
        )
    table = 0
    while table < len(costs.changes_ns) and costs.changes_ns[table] <= ts_ns:
        table += 1
    charges = costs.charges
    for number in range(charges.shape[3]):
        if charges[instrument, table, way, number, t.CHARGE_KIND] == _NO_CHARGE:
            break
        base = 0
        for other in range(number):
            if charges[instrument, table, way, number, t.CHARGE_BASE] >> other & 1:
                base += scratch[other]
        scratch[number] = order_charge(
            charges[instrument, table, way, number, t.CHARGE_KIND],
            charges[instrument, table, way, number, t.CHARGE_RATE],
            charges[instrument, table, way, number, t.CHARGE_PER_ORDER],
            charges[instrument, table, way, number, t.CHARGE_MIN],
            charges[instrument, table, way, number, t.CHARGE_MAX],
            charges[instrument, table, way, number, t.CHARGE_STEP],
            money,
            qty,
            base,
        )
        fee += scratch[number]
    return fee
