"""What a trade would cost, before it is made: for sizing, for a gate that asks whether an edge is worth its costs."""

from __future__ import annotations

from surefill.domain.costs.schedule import Liquidity, segment_of
from surefill.domain.costs.tariff import CostTable, Tariff, order_charges
from surefill.domain.instrument import Instrument
from surefill.rules.arithmetic import rate_ceil
from surefill.rules.codes import FeeKind


def table_for(
    tariff: Tariff, instrument: Instrument, side: int, ts_ns: int, *, bucket: str = "", maker: bool = False
) -> CostTable:
    """The components that an order of this instrument would meet. Raises ConfigError where there are no rates."""
    return tariff.table(
        segment_of(instrument.segment, bucket),
        instrument.qty_decimals,
        side,
        Liquidity.MAKER if maker else Liquidity.TAKER,
        ts_ns,
    )


def contract_note(
    tariff: Tariff,
    instrument: Instrument,
    side: int,
    qty: int,
    px: int,
    ts_ns: int,
    *,
    bucket: str = "",
    maker: bool = False,
) -> dict[str, int]:
    """What an order that trades `qty` at `px` would be charged, component by component, in money quanta."""
    table = table_for(tariff, instrument, side, ts_ns, bucket=bucket, maker=maker)
    turnover_money = px * qty * instrument.money_per_notional
    return dict(zip(table.names, order_charges(table.rules, turnover_money, qty), strict=True))


def estimate_round_trip(
    tariff: Tariff,
    instrument: Instrument,
    side: int,
    qty: int,
    entry_px: int,
    exit_px: int,
    entry_ns: int,
    exit_ns: int,
    *,
    bucket: str = "",
    maker: bool = False,
) -> int:
    """The charges of going in on `side` and out again, each as one order, in money quanta.

    Prices and `qty` in the instrument's quanta, both positive. Not in it: spread, slippage, swap, funding, DP charges.
    `maker` holds for both orders; without it they are reckoned as taking liquidity, the dearer way.
    """
    way_in = contract_note(tariff, instrument, side, qty, entry_px, entry_ns, bucket=bucket, maker=maker)
    way_out = contract_note(tariff, instrument, -side, qty, exit_px, exit_ns, bucket=bucket, maker=maker)
    return sum(way_in.values()) + sum(way_out.values())


def purchase_rate_ppb(tariff: Tariff) -> int:
    """The most that charges on the value add to a purchase, in parts per billion of it: any segment, any day.

    Caps are not counted on; charges by the order or the unit are no rate and are left out.
    """
    return max(
        _rate_ppb(tariff.table(segment, 0, 1, liquidity, ts_ns))
        for segment in tariff.schedule.segments()
        for liquidity in (Liquidity.MAKER, Liquidity.TAKER)
        for ts_ns in tariff.changes_ns
        if ts_ns >= tariff.since_ns
    )


def order_rate_ppb(tariff: Tariff, instrument: Instrument, ts_ns: int, *, bucket: str = "") -> int:
    """The most that charges on the value take from one order of this instrument now, in parts per billion of it.

    The dearer side, taking liquidity; caps are not counted on, charges by the order or the unit are left out. Raises
    ConfigError where there are no rates.
    """
    return max(_rate_ppb(table_for(tariff, instrument, side, ts_ns, bucket=bucket)) for side in (1, -1))


def _rate_ppb(table: CostTable) -> int:
    rates_ppb: list[int] = []
    for rule in table.rules:
        rate_ppb = rule.rate_ppb if rule.kind == FeeKind.PER_NOTIONAL else 0
        if rule.kind == FeeKind.ON_CHARGES:
            base_ppb = sum(each for row, each in enumerate(rates_ppb) if rule.base >> row & 1)
            rate_ppb = rate_ceil(base_ppb, rule.rate_ppb)
        rates_ppb.append(max(0, rate_ppb))
    return sum(rates_ppb)
