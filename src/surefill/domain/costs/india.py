"""What trading shares, futures and options on the National Stock Exchange of India costs, through a discount broker.

STT, stamp duty, SEBI fee and GST are the law's, the exchange's charges are NSE's (BSE's differ and are not here), the
brokerage is the broker's. Every rate has its day and its source. Known from 2021-04-01 on: until the day before, the
SEBI fee was halved for a year, and brokerages were others.

Rounding: each component of each order is rounded up to the paisa, GST after what it is levied on. A real contract note
rounds STT to the whole rupee over the day: that differs by less than a rupee a note, to either side.

Left out, and so to be borne in mind: DP charges (a flat sum for each share sold from a demat account and day), STT on
options that are exercised or assigned, call-and-trade and auto-square-off charges, interest.
"""

from __future__ import annotations

import msgspec

from surefill.domain.costs.schedule import (
    EQUITY_DELIVERY,
    EQUITY_INTRADAY,
    FUTURES,
    OPTIONS,
    Component,
    CostSchedule,
    Rate,
)
from surefill.rules.codes import FeeKind

_BEGIN = "2021-04-01"
_BUY, _SELL, _BOTH = 1, -1, 0

_ZERODHA = "support.zerodha.com, brokerage for F&O; ipobell.com 28073 (Zerodha: delivery, intraday)"
_STT = "ipobell.com 28073 (Zerodha: delivery, intraday); the same in indiainfoline.com of 2021-07-29"
_STT_2023 = "Finance Act 2023, as corrected 2023-03-27 (devdiscourse.com 2423213)"
_STT_2024 = "nithinkamath.me, Impact of revision in exchange transaction charges and STT, 2024-10-01"
_STT_2026 = "Finance Bill 2026, for trades from 2026-04-01 (cleartax.in); in force by proficientequities.com, charges"
_STT_2016 = "zerodha.com/marketintel/Bulletin/174 (options, 2016-06-01); support.zerodha.com, brokerage for F&O"
_NSE_2021 = "raised by 6 % on 2021-01-01 (thehindu.com 2023-03-24); the levels: support.zerodha.com, garvthakur.com"
_NSE_2023 = "the 6 % taken back, back to the levels of 2020 (thehindu.com 2023-03-24; ussagar.org 2020-02-07)"
_NSE_2024 = "1 % less from 2024-04-01 (moltolindia.com 2105); the levels of F&O: nithinkamath.me 2024-10-01"
_NSE_FLAT = "ndtvprofit.com 2024-09-27, NSE revises cash, F&O market fees"
_IPFT = "NSE/FA/56129 of 2023-03-24; support.zerodha.com, IPFT charges"
_SEBI = "SEBI/LAD-NRO/GN/2019/03; halved until 2021-03-31 (deccanherald.com 836371)"
_STAMP = "Finance Act 2019, in force since 2020-07-01 (nseindia.com, SEBI turnover fees, STT and other levies)"
_GST = "18 % on brokerage and exchange charges (support.zerodha.com)"
_GST_SEBI = "bseindia.com notice 20221031-4: the SEBI fee is subject to GST from 2022-07-18"


class Brokerage(msgspec.Struct, frozen=True):
    """A discount broker's own charges: percent of an order's value, and the most that an order pays, in rupees.

    `pct` is for intraday shares and futures, `delivery_pct` for delivery, both capped; `option_order` is flat.
    """

    pct: str = "0.03"
    order_max: str = "20"
    delivery_pct: str = "0"
    option_order: str = "20"
    source: str = _ZERODHA


#: NSE's charge on the turnover (for options: on the premium), by segment: days and percents.
_EXCHANGE = {
    EQUITY_INTRADAY: ("0.00345", "0.00325", "0.00322", "0.00297"),
    EQUITY_DELIVERY: ("0.00345", "0.00325", "0.00322", "0.00297"),
    FUTURES: ("0.002", "0.0019", "0.00183", "0.00173"),
    OPTIONS: ("0.053", "0.05", "0.0495", "0.03503"),
}
_EXCHANGE_DAYS = ((_BEGIN, _NSE_2021), ("2023-04-01", _NSE_2023), ("2024-04-01", _NSE_2024), ("2024-10-01", _NSE_FLAT))

_STT_RATES = {
    EQUITY_INTRADAY: (_SELL, (Rate(_BEGIN, _STT, "0.025"),)),
    EQUITY_DELIVERY: (_BOTH, (Rate(_BEGIN, _STT, "0.1"),)),
    FUTURES: (
        _SELL,
        (
            Rate(_BEGIN, _STT_2016, "0.01"),
            Rate("2023-04-01", _STT_2023, "0.0125"),
            Rate("2024-10-01", _STT_2024, "0.02"),
            Rate("2026-04-01", _STT_2026, "0.05"),
        ),
    ),
    OPTIONS: (
        _SELL,
        (
            Rate(_BEGIN, _STT_2016, "0.05"),
            Rate("2023-04-01", _STT_2023, "0.0625"),
            Rate("2024-10-01", _STT_2024, "0.1"),
            Rate("2026-04-01", _STT_2026, "0.15"),
        ),
    ),
}
_IPFT_PCT = {EQUITY_INTRADAY: "0.0001", EQUITY_DELIVERY: "0.0001", FUTURES: "0.0001", OPTIONS: "0.0005"}
_STAMP_PCT = {EQUITY_INTRADAY: "0.003", EQUITY_DELIVERY: "0.015", FUTURES: "0.002", OPTIONS: "0.003"}


def nse(name: str, brokerage: Brokerage) -> CostSchedule:
    """The schedule of NSE's cash and derivatives segments with this brokerage."""
    components: list[Component] = []
    for segment in (EQUITY_INTRADAY, EQUITY_DELIVERY, FUTURES, OPTIONS):
        components += _segment(segment, brokerage)
    return CostSchedule(name, _BEGIN, tuple(components), currency="INR", zone="+05:30", step_decimals=2)


def _segment(segment: str, brokerage: Brokerage) -> list[Component]:
    side, stt = _STT_RATES[segment]
    exchange = tuple(
        Rate(day, source, pct) for (day, source), pct in zip(_EXCHANGE_DAYS, _EXCHANGE[segment], strict=True)
    )
    levied_on = ("brokerage", "exchange", "ipft")
    return [
        _brokerage(segment, brokerage),
        Component("stt", segment, FeeKind.PER_NOTIONAL, stt, side),
        Component("exchange", segment, FeeKind.PER_NOTIONAL, exchange),
        # Before 2023-04-01 it was 0.01 rupees a crore: nothing, to the paisa.
        Component("ipft", segment, FeeKind.PER_NOTIONAL, (Rate("2023-04-01", _IPFT, _IPFT_PCT[segment]),)),
        Component("sebi", segment, FeeKind.PER_NOTIONAL, (Rate(_BEGIN, _SEBI, "0.0001"),)),
        Component("stamp", segment, FeeKind.PER_NOTIONAL, (Rate(_BEGIN, _STAMP, _STAMP_PCT[segment]),), _BUY),
        Component(
            "gst",
            segment,
            FeeKind.ON_CHARGES,
            (
                Rate(_BEGIN, _GST, "18", base=levied_on),
                Rate("2022-07-18", _GST_SEBI, "18", base=(*levied_on, "sebi")),
            ),
        ),
    ]


def _brokerage(segment: str, brokerage: Brokerage) -> Component:
    source, order_max = brokerage.source, brokerage.order_max
    if segment == OPTIONS:
        rate = Rate(_BEGIN, source, amount=brokerage.option_order)
        return Component("brokerage", segment, FeeKind.PER_ORDER, (rate,))
    pct = brokerage.delivery_pct if segment == EQUITY_DELIVERY else brokerage.pct
    return Component("brokerage", segment, FeeKind.PER_NOTIONAL, (Rate(_BEGIN, source, pct, cap=order_max),))


ZERODHA = nse("zerodha", Brokerage())
