"""Maker and taker fees of Binance for an ordinary account (no VIP tier), and the discount for paying with BNB.

Binance takes the fee from the asset that is received, or in BNB. A workspace counts one currency, so the fee is counted
in that currency at the price of the trade, and the asset is kept by its name only.

These are undated: the rates as they are published now stand for every day, because no dated list of the earlier ones
was found. In earlier years takers of USD-M paid 0.04 %, and some pairs have been free for a while. Funding of
perpetuals is not a fee and is not here.
"""

from __future__ import annotations

from surefill.domain.costs.schedule import FUTURES, SPOT, Component, CostSchedule, Discount, Liquidity, Rate
from surefill.rules.codes import FeeKind

_BEGIN = "1970-01-01"
_SPOT_FEES = "Binance spot, regular user, as told by a Binance Square post (25291916660562): 0.1 %, with BNB 0.075 %"
_FUTURES_FEES = "Binance USD-M, regular user, as told by babianfox.com and br-binance.com: 0.02 % and 0.05 %"
_FUTURES_BNB = "binance.com, support FAQ 360033544231: 10 % off when fees are paid with BNB"


def _maker_taker(segment: str, maker_pct: str, taker_pct: str, source: str) -> tuple[Component, ...]:
    return (
        Component("maker", segment, FeeKind.PER_NOTIONAL, (Rate(_BEGIN, source, maker_pct),), 0, Liquidity.MAKER),
        Component("taker", segment, FeeKind.PER_NOTIONAL, (Rate(_BEGIN, source, taker_pct),), 0, Liquidity.TAKER),
    )


BINANCE_SPOT = CostSchedule(
    "binance_spot",
    _BEGIN,
    _maker_taker(SPOT, "0.1", "0.1", _SPOT_FEES),
    discounts=(Discount("BNB", "25", _SPOT_FEES),),
)
BINANCE_USDM = CostSchedule(
    "binance_usdm",
    _BEGIN,
    _maker_taker(FUTURES, "0.02", "0.05", _FUTURES_FEES),
    discounts=(Discount("BNB", "10", _FUTURES_BNB),),
)
