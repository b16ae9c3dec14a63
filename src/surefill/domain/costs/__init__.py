"""What trading costs: schedules as dated data, the tables of integers made of them, and estimates.

`SCHEDULES` has the ones that are shipped; `fx_schedule` and `nse` make one of given figures; any other is a
`CostSchedule` of one's own. A `Tariff` is a schedule at an account's money scale.
"""

from surefill.domain.costs.crypto import BINANCE_SPOT, BINANCE_USDM
from surefill.domain.costs.estimate import contract_note, estimate_round_trip, purchase_rate_ppb, table_for
from surefill.domain.costs.fx import (
    SwapRates,
    fx_schedule,
    nights_held,
    swap_cost,
    swap_from_amounts,
    swap_from_points,
)
from surefill.domain.costs.india import ZERODHA, Brokerage, nse
from surefill.domain.costs.schedule import (
    SEGMENTS,
    Component,
    CostSchedule,
    Discount,
    Liquidity,
    Rate,
    paid_with,
    segment_of,
)
from surefill.domain.costs.tariff import CostRule, CostTable, Tariff, fill_charge, order_charges, priced_segments

SCHEDULES = {schedule.name: schedule for schedule in (ZERODHA, BINANCE_SPOT, BINANCE_USDM)}

__all__ = [
    "SCHEDULES",
    "SEGMENTS",
    "Brokerage",
    "Component",
    "CostRule",
    "CostSchedule",
    "CostTable",
    "Discount",
    "Liquidity",
    "Rate",
    "SwapRates",
    "Tariff",
    "contract_note",
    "estimate_round_trip",
    "fill_charge",
    "fx_schedule",
    "nights_held",
    "nse",
    "order_charges",
    "paid_with",
    "priced_segments",
    "purchase_rate_ppb",
    "segment_of",
    "swap_cost",
    "swap_from_amounts",
    "swap_from_points",
    "table_for",
]
