"""How the simulated market trades with us."""

from __future__ import annotations

import msgspec

from surefill.domain.costs.schedule import CostSchedule
from surefill.rules.codes import FeeKind, FillMode


class FeeRule(msgspec.Struct, frozen=True):
    """One component of the fees; money in money quanta, `per_unit` per quantity quantum."""

    kind: int = FeeKind.NONE
    rate_ppb: int = 0
    per_unit: int = 0
    per_order: int = 0


class PaperSettings(msgspec.Struct, frozen=True):
    """`spread_ppb` stands in for a missing quote (mode BID_ASK); slippage is always against us.

    `partial_fills`: a quote's sizes limit what trades against it. `latency_ns`: an order is met by the first market
    data at least that much later. `fees` are charged fill by fill; `costs` order by order, from a schedule with dates
    (`surefill.domain.costs`) at `money_decimals`. What both take adds up.
    """

    fill_mode: int = FillMode.LTP
    spread_ppb: int = 0
    slippage_ppb: int = 0
    partial_fills: bool = False
    latency_ns: int = 0
    fees: tuple[FeeRule, ...] = ()
    costs: CostSchedule | None = None
    money_decimals: int = 0
