"""Dates, discounts, tables, and what fills pay together."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.domain.costs.trading import instrument, noon, tariff

from surefill.domain.costs import (
    SCHEDULES,
    Component,
    CostSchedule,
    Liquidity,
    Rate,
    Tariff,
    contract_note,
    fill_charge,
    fx_schedule,
    order_charges,
    paid_with,
    priced_segments,
    purchase_rate_ppb,
)
from surefill.errors import ConfigError
from surefill.rules.codes import FeeKind
from surefill.units import ns_from_iso

BUY, SELL = 1, -1
CRORE = 10_000_000  # rupees

# What one crore, sold on that day, pays of one component, in rupees.
SWITCHES = [
    ("futures", "stt", [("2023-03-31", 1000), ("2023-04-01", 1250), ("2024-09-30", 1250), ("2024-10-01", 2000)]),
    ("futures", "stt", [("2026-03-31", 2000), ("2026-04-01", 5000)]),
    ("options", "stt", [("2023-03-31", 5000), ("2023-04-01", 6250), ("2024-09-30", 6250), ("2024-10-01", 10_000)]),
    ("options", "stt", [("2026-03-31", 10_000), ("2026-04-01", 15_000)]),
    ("equity_intraday", "stt", [("2021-04-01", 2500), ("2026-04-01", 2500)]),
    ("equity_delivery", "stt", [("2021-04-01", 10_000), ("2026-04-01", 10_000)]),
    ("equity_intraday", "exchange", [("2023-03-31", 345), ("2023-04-01", 325), ("2024-03-31", 325)]),
    ("equity_delivery", "exchange", [("2024-04-01", 322), ("2024-09-30", 322), ("2024-10-01", 297)]),
    ("futures", "exchange", [("2023-03-31", 200), ("2023-04-01", 190), ("2024-04-01", 183), ("2024-10-01", 173)]),
    ("options", "exchange", [("2023-03-31", 5300), ("2023-04-01", 5000), ("2024-04-01", 4950), ("2024-10-01", 3503)]),
    ("futures", "ipft", [("2023-03-31", 0), ("2023-04-01", 10)]),
    ("options", "ipft", [("2023-03-31", 0), ("2023-04-01", 50)]),
    ("futures", "sebi", [("2021-04-01", 10), ("2026-04-01", 10)]),
]


@pytest.mark.parametrize(("segment", "name", "days"), SWITCHES)
def test_rate_changes_on_its_day(segment: str, name: str, days: list[tuple[str, int]]) -> None:
    found = [
        (day, contract_note(tariff(), instrument(segment), SELL, CRORE, 1_00, noon(day)).get(name, 0) // 100)
        for day, _ in days
    ]
    assert found == days


@pytest.mark.parametrize(
    ("at", "stt"), [("2024-09-30T23:59:59.999999999+05:30", 1250_00), ("2024-10-01T00:00:00+05:30", 2000_00)]
)
def test_day_begins_at_midnight_in_india(at: str, stt: int) -> None:
    assert contract_note(tariff(), instrument("futures"), SELL, CRORE, 1_00, ns_from_iso(at))["stt"] == stt


@pytest.mark.parametrize(("day", "base"), [("2022-07-17", 20_00 + 345_00), ("2022-07-18", 20_00 + 345_00 + 10_00)])
def test_gst_is_levied_on_brokerage_and_exchange_and_since_july_2022_on_the_sebi_fee(day: str, base: int) -> None:
    note = contract_note(tariff(), instrument("equity_intraday"), SELL, CRORE, 1_00, noon(day))
    assert note["gst"] == base * 18 // 100  # whole paise both times: 65.70 and 67.50


@pytest.mark.parametrize("name", ["stt", "stamp"])
def test_gst_is_not_levied_on_taxes(name: str) -> None:
    table = tariff().table("equity_delivery", 0, BUY, Liquidity.TAKER, noon("2025-06-02"))
    assert table.rules[-1].kind == FeeKind.ON_CHARGES
    assert not table.rules[-1].base >> table.names.index(name) & 1


@pytest.mark.parametrize(
    ("segment", "day", "text"),
    [
        ("futures", "2021-03-31", "begins on 2021-04-01"),
        ("spot", "2025-06-02", "no segment 'spot': say one of equity_intraday, equity_delivery, futures, options"),
        ("", "2025-06-02", "no segment ''"),
    ],
)
def test_table_where_nothing_is_known_is_refused(segment: str, day: str, text: str) -> None:
    assert text in tariff().unpriced(segment, noon(day))
    with pytest.raises(ConfigError, match=text):
        tariff().table(segment, 0, BUY, Liquidity.TAKER, noon(day))


def test_table_of_the_first_moment_is_known() -> None:
    assert tariff().unpriced("futures", ns_from_iso("2021-03-31T18:30:00Z")) == ""


# -- crypto and foreign exchange ------------------------------------------------------------------------------

# 10,000 dollars: the fee in cents
MAKER_TAKER = [
    ("binance_spot", "", True, 10_00),
    ("binance_spot", "", False, 10_00),
    ("binance_spot", "BNB", True, 7_50),
    ("binance_spot", "BNB", False, 7_50),
    ("binance_usdm", "", True, 2_00),
    ("binance_usdm", "", False, 5_00),
    ("binance_usdm", "BNB", True, 1_80),
    ("binance_usdm", "BNB", False, 4_50),
]


@pytest.mark.parametrize(("name", "asset", "maker", "fee"), MAKER_TAKER)
@pytest.mark.parametrize("side", [BUY, SELL])
def test_maker_and_taker_pay_their_rate_less_the_discount(
    name: str, asset: str, maker: bool, fee: int, side: int
) -> None:
    schedule = paid_with(SCHEDULES[name], asset) if asset else SCHEDULES[name]
    note = contract_note(
        tariff(schedule), instrument(schedule.segments()[0], currency="USD"), side, 10, 1000_00, 1, maker=maker
    )
    assert note == {"maker" if maker else "taker": fee}
    assert schedule.pays_with == asset


@pytest.mark.parametrize(("name", "asset"), [("binance_spot", "ETH"), ("zerodha", "BNB")])
def test_paying_with_an_asset_without_a_discount_is_refused(name: str, asset: str) -> None:
    with pytest.raises(ConfigError, match=f"{name} gives no discount for paying with {asset}"):
        paid_with(SCHEDULES[name], asset)


@pytest.mark.parametrize(
    ("given", "qty", "fee"),
    [
        ({"per_lot": "3.5"}, 100_000, 3_500_000),
        ({"per_lot": "3.5"}, 1_000, 35_000),  # a hundredth of a lot
        ({"per_lot": "3.5"}, 1, 35),
        ({"per_lot": "0.1", "lot_units": "30000"}, 1, 4),  # 3.33 millionths
        ({"pct": "0.002"}, 100_000, 2_200_000),  # of 110,000
        ({"per_lot": "3.5", "pct": "0.002"}, 100_000, 3_500_000 + 2_200_000),
        ({}, 100_000, 0),
    ],
)
def test_fx_commission_is_by_the_lot_or_the_value(given: dict[str, str], qty: int, fee: int) -> None:
    """Bought at 1.10; money with 6 decimals."""
    euro = instrument("fx", currency="USD", money_decimals=6)
    note = contract_note(tariff(fx_schedule(**given), 6), euro, BUY, qty, 1_10, 1)
    assert sum(note.values()) == fee


def test_fx_commission_for_fractions_of_a_unit_is_of_the_unit() -> None:
    found = tariff(fx_schedule(per_lot="3.5"), 8)
    for qty_decimals, qty, money in ((2, 150, 5250), (0, 2, 7000), (2, 150, 5250)):  # 0.000035 a unit
        euro = instrument("fx", currency="USD", money_decimals=8, qty_decimals=qty_decimals)
        assert sum(contract_note(found, euro, BUY, qty, 1_10, 1).values()) == money


def test_commission_beyond_64_bits_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"too large at 12 money decimals; lower workspace\.money_decimals"):
        tariff(fx_schedule(per_lot="4000", lot_units="1"), 12).table("fx", 0, BUY, Liquidity.TAKER, 1)


# -- one order, many fills ------------------------------------------------------------------------------------

TABLES = [
    ("zerodha", segment, side, day)
    for segment in ("equity_intraday", "equity_delivery", "futures", "options")
    for side in (BUY, SELL)
    for day in ("2022-01-03", "2026-04-01")
]


@pytest.mark.parametrize(("name", "segment", "side", "day"), [*TABLES, ("binance_usdm", "futures", BUY, "2025-06-02")])
@given(fills=st.lists(st.tuples(st.integers(1, 10_000_000), st.integers(1, 5_000)), min_size=1, max_size=8))
def test_fills_of_an_order_pay_together_what_one_fill_pays(
    name: str, segment: str, side: int, day: str, fills: list[tuple[int, int]]
) -> None:
    rules = tariff(name, 4).table(segment, 0, side, Liquidity.TAKER, noon(day)).rules
    turnover = qty = paid = 0
    for px, last_qty in fills:
        fee = fill_charge(rules, turnover, qty, px * last_qty * 100, last_qty)
        assert fee >= 0
        paid += fee
        turnover += px * last_qty * 100
        qty += last_qty
    assert paid == fill_charge(rules, 0, 0, turnover, qty) == sum(order_charges(rules, turnover, qty))


@given(
    fills=st.lists(st.integers(1, 10**9), min_size=2, max_size=6),
    days=st.lists(st.sampled_from(("2024-09-30", "2024-10-01")), min_size=6, max_size=6),
)
def test_fills_on_both_sides_of_a_change_stay_within_a_step_a_component(fills: list[int], days: list[str]) -> None:
    """Each by the rates of its own day: only the rounding can differ, and the cap is met once all the same."""
    turnover = paid = 0
    exact = 0.0
    for money, day in zip(fills, sorted(days), strict=False):
        rules = tariff().table("futures", 0, SELL, Liquidity.TAKER, noon(day)).rules
        paid += fill_charge(rules, turnover, 1 if turnover else 0, money, 1)
        exact += sum(_unrounded(rules, turnover + money)) - sum(_unrounded(rules, turnover))
        turnover += money
    assert abs(paid - exact) <= 2 * 6


def _unrounded(rules: tuple, money: int) -> list[float]:
    charges: list[float] = []
    for rule in rules:
        base = sum(each for row, each in enumerate(charges) if rule.base >> row & 1)
        charge = (money if rule.kind == FeeKind.PER_NOTIONAL else base) * rule.rate_ppb / 1e9
        charges.append(min(charge, rule.max_money) if rule.max_money else charge)
    return charges


@pytest.mark.parametrize("cut", [(400,), (100, 300), (1,) * 400])
def test_brokerage_of_an_order_is_capped_once(cut: tuple[int, ...]) -> None:
    """400 at 1000: 0.03 % is 120 rupees, the order pays 20, in however many fills."""
    brokerage = tariff().table("futures", 0, BUY, Liquidity.TAKER, noon("2025-06-02")).rules[:1]
    done = [0, *itertools.accumulate(cut)]
    fees = [
        fill_charge(brokerage, qty * 1000_00, qty, last * 1000_00, last) for qty, last in zip(done, cut, strict=False)
    ]
    assert sum(fees) == 20_00
    assert fees[0] == min(20_00, cut[0] * 30)


# -- the data as such -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("schedule", SCHEDULES.values(), ids=str)
def test_schedule_is_sound(schedule: CostSchedule) -> None:
    for component in schedule.components:
        days = [rate.since for rate in component.rates]
        assert days == sorted(set(days)), component.name
        assert days[0] >= schedule.since
        assert all(rate.source for rate in component.rates)
        earlier = {
            each.name
            for each in schedule.components[: schedule.components.index(component)]
            if each.segment == component.segment
        }
        assert all(set(rate.base) <= earlier for rate in component.rates), component.name
        assert all(bool(rate.pct) != (component.kind == FeeKind.PER_ORDER) for rate in component.rates)


def test_schedules_are_kept_under_their_names() -> None:
    assert {name: schedule.name for name, schedule in SCHEDULES.items()} == {
        name: name for name in ("zerodha", "binance_spot", "binance_usdm")
    }


@pytest.mark.parametrize(
    ("name", "segments"),
    [
        ("zerodha", ("equity", "equity_intraday", "equity_delivery", "futures", "options")),
        ("binance_spot", ("spot",)),
        ("binance_usdm", ("futures",)),
    ],
)
def test_segments_an_instrument_may_have(name: str, segments: tuple[str, ...]) -> None:
    assert priced_segments(SCHEDULES[name]) == segments


def test_purchase_rate_is_the_dearest_purchase_of_all() -> None:
    """Delivery, until 2023: STT 0.1, stamp 0.015, exchange 0.00345, SEBI 0.0001, GST 18 % of the last two."""
    assert purchase_rate_ppb(tariff()) == 1_000_000 + 150_000 + 34_500 + 1_000 + 6_390
    assert purchase_rate_ppb(tariff("binance_usdm")) == 500_000


@given(
    px=st.integers(1, 10**6), qty=st.integers(1, 10**4), day=st.sampled_from(("2021-04-01", "2023-04-01", "2026-04-01"))
)
def test_purchase_rate_covers_every_purchase_but_what_is_by_the_order(px: int, qty: int, day: str) -> None:
    rate_ppb = purchase_rate_ppb(tariff(money_decimals=4))
    for segment in ("equity_intraday", "equity_delivery", "futures"):
        note = contract_note(tariff(money_decimals=4), instrument(segment, money_decimals=4), BUY, qty, px, noon(day))
        steps = len(note) * 100  # each is rounded up to the paisa
        assert sum(note.values()) <= px * qty * 100 * rate_ppb // 10**9 + steps + 18


def test_discount_lowers_charges_by_the_order_too() -> None:
    schedule = CostSchedule(
        "mine",
        "1970-01-01",
        (Component("ticket", "spot", FeeKind.PER_ORDER, (Rate("1970-01-01", "test", amount="4", cap="9"),)),),
        discounts=SCHEDULES["binance_spot"].discounts,
        pays_with="BNB",
    )
    assert Tariff(schedule, 2).table("spot", 0, BUY, Liquidity.TAKER, 1).rules[0].per_order == 3_00
