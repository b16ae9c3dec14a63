"""Sizing by hand: every method, every cap, exactly at the limit and beside it; and every unknown refuses."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from tests.domain.sizing_cases import (
    BIG_POINT,
    COIN,
    FIXED_QTY,
    INDEX_FUTURE,
    PCT,
    SHARE,
    WITH_CASH,
    YEN_PAIR,
    moment,
    refused,
    sized,
    spec,
)

from surefill.domain.instrument import Instrument, Terms
from surefill.domain.refusals import RefusalCode
from surefill.domain.sizing import (
    NO_CAPS,
    Correlation,
    SizeMethod,
    SizingCaps,
    SizingMoment,
    SizingSpec,
    correlations_of,
)
from surefill.domain.sizing.methods import METHODS
from surefill.units import MONEY_MAX, PPB, PRICE_MAX, QTY_MAX, RATE_MAX_PPB

TENTH_PCT = PCT // 10


# -- methods --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "parameters", "changes", "expected"),
    [
        (SizeMethod.FIXED_QTY, {"qty": 12}, {}, 12),
        (SizeMethod.FIXED_QTY, {"qty": 12}, {"entry_px": 0, "equity": None, "cash": None, "exposures": None}, 12),
        (SizeMethod.FIXED_CASH, {"cash_money": 1_000_00}, {}, 10),
        (SizeMethod.FIXED_CASH, {"cash_money": 1_000_00 - 1}, {}, 9),
        (SizeMethod.FIXED_CASH, {"cash_money": 1_099_99}, {}, 10),
        (SizeMethod.FIXED_CASH, {"cash_money": 1_001_00}, {"cost_ppb": TENTH_PCT}, 10),
        (SizeMethod.FIXED_CASH, {"cash_money": 1_001_00 - 1}, {"cost_ppb": TENTH_PCT}, 9),
        (SizeMethod.FIXED_CASH, {"cash_money": 1_000_00}, {"side": -1}, 10),
        (SizeMethod.BALANCE_SHARE, {"fraction_ppb": 2 * PCT}, {}, 10),  # of 50 000
        (SizeMethod.BALANCE_SHARE, {"fraction_ppb": 2 * PCT}, {"cash": 50_000_00 - 1}, 9),
        (SizeMethod.BALANCE_SHARE, {"fraction_ppb": 200 * PCT}, {}, 1_000),
        (SizeMethod.EQUITY_SHARE, {"fraction_ppb": 2 * PCT}, {}, 20),  # of 100 000
        (SizeMethod.EQUITY_SHARE, {"fraction_ppb": 2 * PCT - 1}, {}, 19),
        (SizeMethod.FIXED_RISK, {"fraction_ppb": PCT}, {"stop_px": 98_00}, 500),  # 1000 to lose, 2 per unit
        (SizeMethod.FIXED_RISK, {"fraction_ppb": PCT}, {"stop_px": 97_99}, 497),  # 2.01
        (SizeMethod.FIXED_RISK, {"fraction_ppb": PCT - 1}, {"stop_px": 98_00}, 499),
        (SizeMethod.FIXED_RISK, {"fraction_ppb": PCT}, {"stop_px": 102_00, "side": -1}, 500),
        (SizeMethod.FIXED_RISK, {"fraction_ppb": PCT}, {"stop_px": 98_00, "cost_ppb": TENTH_PCT}, 454),  # 2.20
        (SizeMethod.VOLATILITY, {"atr": 2_50, "target_ppb": PCT}, {}, 400),
        (SizeMethod.VOLATILITY, {"atr": 2_51, "target_ppb": PCT}, {}, 398),  # 1000 / 2.51 = 398.4
        (SizeMethod.VOLATILITY, {"atr": 2_50, "target_ppb": PCT}, {"entry_px": 0}, 400),
        (SizeMethod.KELLY, {"kelly_ppb": 20 * PCT, "kelly_cap_ppb": 25 * PCT}, {}, 200),
        (SizeMethod.KELLY, {"kelly_ppb": 20 * PCT, "kelly_cap_ppb": 5 * PCT}, {}, 50),
        (
            SizeMethod.KELLY,
            {"kelly_ppb": 20 * PCT, "kelly_portion_ppb": 50 * PCT, "kelly_cap_ppb": 25 * PCT},
            {},
            100,
        ),
        (
            SizeMethod.KELLY,
            {"kelly_ppb": 20 * PCT, "kelly_cap_ppb": PCT, "kelly_at_risk": True},
            {"stop_px": 98_00},
            500,
        ),
    ],
)
def test_size_by_each_method_row(
    method: SizeMethod, parameters: dict[str, Any], changes: dict[str, Any], expected: int
) -> None:
    answer = sized(spec(method, **parameters), moment(**changes))
    assert (answer.qty, answer.uncapped_qty, answer.bound_by) == (expected, expected, "")


def test_size_methods_all_can_be_asked_for() -> None:
    assert METHODS.keys() == set(SizeMethod)


@pytest.mark.parametrize(
    ("instrument", "wish", "changes", "expected"),
    [
        # 1 % of 1 000 000 JPY is 10 000; 50 pips are 0.500 JPY per unit
        (
            YEN_PAIR,
            spec(SizeMethod.FIXED_RISK, fraction_ppb=PCT),
            {"money_decimals": 3, "equity": 10**9, "entry_px": 150_000, "stop_px": 149_500},
            20_000,
        ),
        # a thousandth of a yen further away: 19 960, in lots of a thousand
        (
            YEN_PAIR,
            spec(SizeMethod.FIXED_RISK, fraction_ppb=PCT),
            {"money_decimals": 3, "equity": 10**9, "entry_px": 150_000, "stop_px": 149_499},
            19_000,
        ),
        # 100 USDT to lose, 1500 per coin: 0.0666666…, in lots of 0.00001
        (
            COIN,
            spec(SizeMethod.FIXED_RISK, fraction_ppb=PCT),
            {"money_decimals": 10, "equity": 10**14, "entry_px": 60_000_00, "stop_px": 58_500_00},
            6_666_000,
        ),
        (
            COIN,
            spec(SizeMethod.FIXED_CASH, cash_money=60 * 10**8),  # 0.60 USDT: one lot
            {"money_decimals": 10, "entry_px": 60_000_00},
            1_000,
        ),
        # 20 points are 1000 USD a contract
        (
            BIG_POINT,
            spec(SizeMethod.FIXED_RISK, fraction_ppb=PCT),
            {"entry_px": 5_000_00, "stop_px": 4_980_00},
            1,
        ),
        (BIG_POINT, spec(SizeMethod.EQUITY_SHARE, fraction_ppb=500 * PCT), {"entry_px": 5_000_00}, 2),
        (
            INDEX_FUTURE,
            spec(SizeMethod.FIXED_RISK, fraction_ppb=PCT),
            {"equity": 3_000_000_00, "entry_px": 24_000_00, "stop_px": 23_800_00},
            150,
        ),
        (
            INDEX_FUTURE,
            spec(SizeMethod.FIXED_RISK, fraction_ppb=PCT),
            {"equity": 3_000_000_00 - 100, "entry_px": 24_000_00, "stop_px": 23_800_00},
            75,
        ),
    ],
)
def test_size_other_quanta_row(
    instrument: Instrument, wish: SizingSpec, changes: dict[str, Any], expected: int
) -> None:
    assert sized(wish, moment(instrument, **changes)).qty == expected


@pytest.mark.parametrize(
    ("wish", "changes", "expected"),
    [
        (spec(SizeMethod.FIXED_QTY, qty=QTY_MAX), {}, QTY_MAX),
        (spec(SizeMethod.FIXED_CASH, cash_money=MONEY_MAX), {"entry_px": PRICE_MAX}, 2**22),
        (spec(SizeMethod.EQUITY_SHARE, fraction_ppb=RATE_MAX_PPB), {"equity": MONEY_MAX, "entry_px": 1}, QTY_MAX),
        (
            spec(SizeMethod.FIXED_RISK, fraction_ppb=PPB),
            {"equity": MONEY_MAX, "entry_px": PRICE_MAX, "stop_px": PRICE_MAX - 1},
            QTY_MAX,
        ),
        (
            spec(SizeMethod.FIXED_RISK, fraction_ppb=PPB),
            {"equity": MONEY_MAX, "entry_px": PRICE_MAX, "stop_px": PRICE_MAX - 1, "cost_ppb": PPB},
            2**21,  # one quantum of distance and all of both prices in costs: 2**41 per unit
        ),
    ],
)
def test_size_at_the_bounds_row(wish: SizingSpec, changes: dict[str, Any], expected: int) -> None:
    assert sized(wish, moment(**changes)).qty == expected


# -- caps -----------------------------------------------------------------------------------------------------

CORRELATIONS = {"A": 80 * PCT, "B": -50 * PCT, "C": 90 * PCT, "D": 0}
# 80 % of 20 000, half of 10 000 the other way round, nothing for the hedge, all of its own
HELD = {"A": 20_000_00, "B": -10_000_00, "C": -10_000_00, "D": 7_000_00, "X": 1_000_00}


@pytest.mark.parametrize(
    ("caps", "changes", "expected", "bound_by"),
    [
        (SizingCaps(max_position_ppb=10 * PCT), {}, 100, "max_position"),
        (SizingCaps(max_position_ppb=10 * PCT), {"equity": 100_000_00 - 1}, 99, "max_position"),
        (SizingCaps(max_position_ppb=10 * PCT), {"exposures": {"X": 4_000_00}}, 60, "max_position"),
        (SizingCaps(max_position_ppb=10 * PCT), {"exposures": {"X": 9_900_00}}, 1, "max_position"),
        (SizingCaps(max_position_ppb=10 * PCT), {"exposures": {"X": -4_000_00}}, 100, "max_position"),
        (SizingCaps(max_position_ppb=10 * PCT), {"exposures": {"X": -4_000_00}, "side": -1}, 60, "max_position"),
        (SizingCaps(max_position_ppb=10 * PCT), {"exposures": {"A": 90_000_00}}, 100, "max_position"),
        (SizingCaps(max_position_ppb=100 * PCT), {}, 1_000, ""),  # exactly what is asked for
        (SizingCaps(max_position_ppb=100 * PCT - 1), {}, 999, "max_position"),
        (SizingCaps(max_total_ppb=150 * PCT), {"exposures": {"A": 80_000_00, "B": -50_000_00}}, 200, "max_total"),
        (SizingCaps(max_total_ppb=150 * PCT), {"exposures": {"A": 80_000_00, "B": -50_000_01}}, 199, "max_total"),
        (SizingCaps(max_total_ppb=30 * PCT), {"exposures": {"X": -10_000_00}}, 200, "max_total"),
        (SizingCaps(max_correlated_ppb=30 * PCT), {"exposures": HELD}, 80, "max_correlated"),
        (SizingCaps(max_correlated_ppb=30 * PCT), {"exposures": {**HELD, "X": 1_000_01}}, 79, "max_correlated"),
        (SizingCaps(max_correlated_ppb=30 * PCT), {"exposures": HELD, "side": -1}, 210, "max_correlated"),  # C counts
        (SizingCaps(max_correlated_ppb=30 * PCT), {"exposures": {}}, 300, "max_correlated"),
        (SizingCaps(max_correlated_ppb=30 * PCT), {"exposures": {"unknown": 0}}, 300, "max_correlated"),
        (SizingCaps(max_risk_ppb=3 * PCT), {"open_risk": 2_500_00}, 250, "max_risk"),
        (SizingCaps(max_risk_ppb=3 * PCT), {"open_risk": 2_500_01}, 249, "max_risk"),
        (SizingCaps(max_risk_ppb=3 * PCT), {"open_risk": 0, "cost_ppb": TENTH_PCT}, 1_000, ""),
        (SizingCaps(max_risk_ppb=2 * PCT), {"open_risk": 0, "cost_ppb": TENTH_PCT}, 909, "max_risk"),
        (SizingCaps(max_risk_ppb=1 * PCT), {"open_risk": -9_000_00}, 500, "max_risk"),  # locked gains give no room
        (WITH_CASH, {}, 500, "within_cash"),
        (WITH_CASH, {"cash": 50_000_00 - 1}, 499, "within_cash"),
        (WITH_CASH, {"cost_ppb": TENTH_PCT}, 499, "within_cash"),
        (WITH_CASH, {"cash": 0, "side": -1, "stop_px": 102_00}, 1_000, ""),  # a sale needs no cash
    ],
)
def test_size_under_each_cap_row(caps: SizingCaps, changes: dict[str, Any], expected: int, bound_by: str) -> None:
    at: dict[str, Any] = {"stop_px": 98_00, "correlations": CORRELATIONS, "caps": caps} | changes
    answer = sized(FIXED_QTY, moment(**at))
    assert (answer.qty, answer.uncapped_qty, answer.bound_by) == (expected, 1_000, bound_by)


def test_size_under_several_caps_the_lowest_binds() -> None:
    caps = SizingCaps(max_position_ppb=10 * PCT, max_total_ppb=20 * PCT, max_risk_ppb=PCT, within_cash=True)
    assert sized(FIXED_QTY, moment(stop_px=98_00, caps=caps)).bound_by == "max_position"
    held = {"A": 15_000_00}
    answer = sized(FIXED_QTY, moment(stop_px=98_00, caps=caps, exposures=held))
    assert (answer.qty, answer.bound_by) == (50, "max_total")


@pytest.mark.parametrize(
    ("own", "of_workspace", "expected"), [(10, 20, 100), (20, 10, 100), (10, 0, 100), (0, 10, 100), (0, 0, 1_000)]
)
def test_size_with_two_sets_of_caps_the_tighter_one_counts(own: int, of_workspace: int, expected: int) -> None:
    for name in ("max_position_ppb", "max_total_ppb", "max_correlated_ppb"):
        caps = msgspec.structs.replace(NO_CAPS, **{name: own * PCT})
        others = msgspec.structs.replace(NO_CAPS, **{name: of_workspace * PCT})
        assert sized(msgspec.structs.replace(FIXED_QTY, caps=caps), moment(caps=others)).qty == expected


def test_size_with_the_cash_cap_in_either_set_holds() -> None:
    assert sized(FIXED_QTY, moment(caps=WITH_CASH)).qty == 500
    assert sized(msgspec.structs.replace(FIXED_QTY, caps=WITH_CASH), moment()).qty == 500


def test_size_risk_caps_of_both_sets_the_tighter_one_counts() -> None:
    wish = msgspec.structs.replace(FIXED_QTY, caps=SizingCaps(max_risk_ppb=PCT))
    assert sized(wish, moment(stop_px=98_00, caps=SizingCaps(max_risk_ppb=2 * PCT))).qty == 500


def test_size_above_the_largest_order_is_cut_to_it() -> None:
    answer = sized(spec(SizeMethod.FIXED_QTY, qty=1_875), moment(INDEX_FUTURE))
    assert (answer.qty, answer.uncapped_qty, answer.bound_by) == (1_800, 1_875, "max_qty")


def test_size_a_cap_that_costs_no_whole_lot_is_not_named() -> None:
    wish = spec(SizeMethod.FIXED_QTY, qty=224)  # two lots of 75
    answer = sized(wish, moment(INDEX_FUTURE, caps=SizingCaps(max_position_ppb=200 * PCT), entry_px=1_000_00))
    assert (answer.qty, answer.uncapped_qty, answer.bound_by) == (150, 150, "")


# -- refusals -------------------------------------------------------------------------------------------------

ALL_CAPS = SizingCaps(10 * PCT, 20 * PCT, 30 * PCT, PCT, within_cash=True)
RISK = spec(SizeMethod.FIXED_RISK, fraction_ppb=PCT)
KELLY_AT_RISK = spec(SizeMethod.KELLY, kelly_ppb=PCT, kelly_cap_ppb=PCT, kelly_at_risk=True)


@pytest.mark.parametrize(
    ("wish", "changes", "says"),
    [
        (spec(SizeMethod.FIXED_QTY), {}, "qty is not given"),
        (spec(SizeMethod.FIXED_CASH), {}, "cash_money is not given"),
        (spec(SizeMethod.BALANCE_SHARE), {}, "fraction_ppb is not given"),
        (spec(SizeMethod.EQUITY_SHARE), {}, "fraction_ppb is not given"),
        (spec(SizeMethod.FIXED_RISK), {}, "fraction_ppb is not given"),
        (spec(SizeMethod.VOLATILITY, target_ppb=PCT), {}, "atr is not given"),
        (spec(SizeMethod.VOLATILITY, atr=5), {}, "target_ppb is not given"),
        (spec(SizeMethod.KELLY, kelly_ppb=PCT), {}, "kelly_cap_ppb is not given"),
        (
            spec(SizeMethod.KELLY, kelly_ppb=PCT, kelly_cap_ppb=1, kelly_portion_ppb=0),
            {},
            "kelly_portion_ppb is not given",
        ),
        (spec(SizeMethod.FIXED_CASH, cash_money=1), {"entry_px": 0}, "no price for X"),
        (spec(SizeMethod.BALANCE_SHARE, fraction_ppb=PCT), {"entry_px": 0}, "no price for X"),
        (spec(SizeMethod.BALANCE_SHARE, fraction_ppb=PCT), {"cash": None}, "the balance is not known"),
        (spec(SizeMethod.EQUITY_SHARE, fraction_ppb=PCT), {"equity": None}, "the equity is not known"),
        (spec(SizeMethod.EQUITY_SHARE, fraction_ppb=PCT), {"entry_px": 0}, "no price for X"),
        (RISK, {"equity": None, "stop_px": 98_00}, "the equity is not known"),
        (RISK, {"entry_px": 0, "stop_px": 98_00}, "no price for X"),
        (RISK, {}, "there is no stop"),
        (spec(SizeMethod.VOLATILITY, atr=5, target_ppb=PCT), {"equity": None}, "the equity is not known"),
        (spec(SizeMethod.KELLY, kelly_ppb=PCT, kelly_cap_ppb=PCT), {"equity": None}, "the equity is not known"),
        (spec(SizeMethod.KELLY, kelly_ppb=PCT, kelly_cap_ppb=PCT), {"entry_px": 0}, "no price for X"),
        (KELLY_AT_RISK, {}, "there is no stop"),
        (FIXED_QTY, {"caps": WITH_CASH, "cash": None}, "the free cash is not known"),
        (FIXED_QTY, {"caps": WITH_CASH, "entry_px": 0}, "no price for X"),
        (FIXED_QTY, {"caps": SizingCaps(max_position_ppb=PCT), "equity": None}, "the equity is not known"),
        (FIXED_QTY, {"caps": SizingCaps(max_position_ppb=PCT), "exposures": None}, "what is held is not known"),
        (FIXED_QTY, {"caps": SizingCaps(max_position_ppb=PCT), "entry_px": 0}, "no price for X"),
        (FIXED_QTY, {"caps": SizingCaps(max_total_ppb=PCT), "equity": None}, "the equity is not known"),
        (FIXED_QTY, {"caps": SizingCaps(max_total_ppb=PCT), "exposures": None}, "what is held is not known"),
        (FIXED_QTY, {"caps": SizingCaps(max_correlated_ppb=PCT), "equity": None}, "the equity is not known"),
        (FIXED_QTY, {"caps": SizingCaps(max_correlated_ppb=PCT), "exposures": None}, "what is held is not known"),
        (
            FIXED_QTY,
            {"caps": SizingCaps(max_correlated_ppb=PCT), "exposures": {"A": -1}, "correlations": {"B": PPB}},
            "no correlation of X with A",
        ),
        (FIXED_QTY, {"caps": SizingCaps(max_risk_ppb=PCT)}, "there is no stop"),
        (
            FIXED_QTY,
            {"caps": SizingCaps(max_risk_ppb=PCT), "stop_px": 98_00, "open_risk": None},
            "what the open positions risk is not known",
        ),
        (
            FIXED_QTY,
            {"caps": SizingCaps(max_risk_ppb=PCT), "stop_px": 98_00, "equity": None},
            "the equity is not known",
        ),
    ],
)
def test_size_without_what_it_needs_is_refused(wish: SizingSpec, changes: dict[str, Any], says: str) -> None:
    refusal = refused(wish, moment(**changes))
    assert refusal.code is RefusalCode.SIZE_INPUT_MISSING
    assert refusal.reason.startswith(f"cannot size: {says}")
    assert "; " in refusal.reason  # what to do about it


@pytest.mark.parametrize(
    ("wish", "changes", "code"),
    [
        (SizingSpec(0), {}, RefusalCode.INVALID_INPUT),
        (SizingSpec(99, qty=5), {}, RefusalCode.INVALID_INPUT),
        (FIXED_QTY, {"side": 0}, RefusalCode.INVALID_INPUT),
        (FIXED_QTY, {"cost_ppb": -1}, RefusalCode.INVALID_INPUT),
        (FIXED_QTY, {"cost_ppb": PPB + 1}, RefusalCode.INVALID_INPUT),
        (spec(SizeMethod.FIXED_QTY, qty=-1), {}, RefusalCode.INVALID_INPUT),
        (spec(SizeMethod.FIXED_QTY, qty=QTY_MAX + 1), {}, RefusalCode.INVALID_INPUT),
        (spec(SizeMethod.FIXED_CASH, cash_money=-1), {}, RefusalCode.INVALID_INPUT),
        (spec(SizeMethod.FIXED_RISK, fraction_ppb=PPB + 1), {"stop_px": 98_00}, RefusalCode.INVALID_INPUT),
        (spec(SizeMethod.EQUITY_SHARE, fraction_ppb=RATE_MAX_PPB + 1), {}, RefusalCode.INVALID_INPUT),
        (spec(SizeMethod.VOLATILITY, atr=-1, target_ppb=PCT), {}, RefusalCode.INVALID_INPUT),
        (spec(SizeMethod.KELLY, kelly_ppb=PCT, kelly_cap_ppb=PPB + 1), {}, RefusalCode.INVALID_INPUT),
        (spec(SizeMethod.KELLY, kelly_ppb=RATE_MAX_PPB + 1, kelly_cap_ppb=1), {}, RefusalCode.INVALID_INPUT),
        (FIXED_QTY, {"caps": SizingCaps(max_total_ppb=-1)}, RefusalCode.INVALID_INPUT),
        (FIXED_QTY, {"caps": SizingCaps(max_risk_ppb=RATE_MAX_PPB + 1)}, RefusalCode.INVALID_INPUT),
        (spec(SizeMethod.FIXED_QTY, qty=5, caps=SizingCaps(max_position_ppb=-1)), {}, RefusalCode.INVALID_INPUT),
        (
            FIXED_QTY,
            {"caps": SizingCaps(max_correlated_ppb=PCT), "exposures": {"A": 1}, "correlations": {"A": PPB + 1}},
            RefusalCode.INVALID_INPUT,
        ),
        (RISK, {"stop_px": 100_00}, RefusalCode.STOP_ON_WRONG_SIDE),
        (RISK, {"stop_px": 100_01}, RefusalCode.STOP_ON_WRONG_SIDE),
        (RISK, {"stop_px": 98_00, "side": -1}, RefusalCode.STOP_ON_WRONG_SIDE),
        (FIXED_QTY, {"caps": ALL_CAPS, "stop_px": 101_00}, RefusalCode.STOP_ON_WRONG_SIDE),
    ],
)
def test_size_with_what_makes_no_sense_is_refused(wish: SizingSpec, changes: dict[str, Any], code: RefusalCode) -> None:
    assert refused(wish, moment(**changes)).code is code


@pytest.mark.parametrize(
    ("side", "stop_px", "reason"),
    [(1, 100_01, "stop 100.01 must be below the entry 100"), (-1, 99_99, "stop 99.99 must be above the entry 100")],
)
def test_size_with_the_stop_on_the_wrong_side_says_where_it_belongs(side: int, stop_px: int, reason: str) -> None:
    assert refused(RISK, moment(side=side, stop_px=stop_px)).reason == reason


@pytest.mark.parametrize(
    ("wish", "at", "reason"),
    [
        (
            spec(SizeMethod.FIXED_CASH, cash_money=99_99),
            moment(),
            "fixed cash 99.99 USD at 100: 0; that is less than the smallest order of 1:"
            " size larger, or trade something with a smaller lot",
        ),
        (
            RISK,
            moment(INDEX_FUTURE, entry_px=24_000_00, stop_px=23_800_00),
            "1 % of the equity 100000 INR is 1000 INR to lose, 200 per unit from 24000 to 23800: 5;"
            " that is less than the smallest order of 75: size larger, or trade something with a smaller lot",
        ),
        (
            FIXED_QTY,
            moment(caps=SizingCaps(max_total_ppb=50 * PCT), exposures={"A": 49_900_01}),
            "fixed quantity 1000; max_total leaves 0: 49900.01 USD of 50000 USD (50 % of the equity 100000 USD) in"
            " use; that is less than the smallest order of 1: close something first, or raise the cap",
        ),
        (
            FIXED_QTY,
            moment(caps=WITH_CASH, cash=-5_00),
            "fixed quantity 1000; within_cash leaves 0: -5 USD of cash are free; that is less than the smallest order"
            " of 1: free some cash first",
        ),
        (
            FIXED_QTY,
            moment(msgspec.structs.replace(SHARE, terms=(Terms(lot=10, max_qty=5),))),
            "fixed quantity 1000; max_qty leaves 5: one order is at most 5; that is less than the smallest order of"
            " 10: the terms of the instrument contradict themselves, correct them",
        ),
        (
            spec(SizeMethod.EQUITY_SHARE, fraction_ppb=PCT),
            moment(equity=-1_00),
            "1 % of the equity -1 USD is 0 USD at 100: 0; that is less than the smallest order of 1: size larger, or"
            " trade something with a smaller lot",
        ),
        (
            spec(SizeMethod.KELLY, kelly_ppb=-2 * PCT, kelly_cap_ppb=PCT),
            moment(),
            "the Kelly fraction is -2 %: no edge, so no trade",
        ),
        (spec(SizeMethod.KELLY, kelly_cap_ppb=PCT), moment(), "the Kelly fraction is 0 %: no edge, so no trade"),
    ],
)
def test_size_of_no_whole_lot_is_refused_with_its_figures(wish: SizingSpec, at: SizingMoment, reason: str) -> None:
    refusal = refused(wish, at)
    assert (refusal.code, refusal.reason) == (RefusalCode.SIZE_ZERO_LOTS, reason)


@pytest.mark.parametrize(("budget", "expected"), [(149_999_99, 0), (150_000_00, 150)])
def test_size_below_the_smallest_order_is_refused(budget: int, expected: int) -> None:
    terms = msgspec.structs.replace(INDEX_FUTURE.terms[0], min_qty=150)
    at = moment(msgspec.structs.replace(INDEX_FUTURE, terms=(terms,)), entry_px=1_000_00)
    wish = spec(SizeMethod.FIXED_CASH, cash_money=budget)
    if expected:
        assert sized(wish, at).qty == expected
    else:
        assert "the smallest order of 150" in refused(wish, at).reason


def test_size_says_how_it_came_about() -> None:
    wish = spec(SizeMethod.FIXED_RISK, fraction_ppb=PCT)
    at = moment(
        stop_px=98_00, cost_ppb=TENTH_PCT, caps=SizingCaps(max_position_ppb=10 * PCT), exposures={"X": 4_000_00}
    )
    assert sized(wish, at).figures == (
        "1 % of the equity 100000 USD is 1000 USD to lose, 2.2 per unit from 100 to 98 with costs: 454;"
        " max_position leaves 60: 4000 USD of 10000 USD (10 % of the equity 100000 USD) in use; in whole lots 60"
    )


# -- the table of correlations ----------------------------------------------------------------------------------


def test_correlations_of_finds_pairs_in_either_order() -> None:
    table = (Correlation("X", "A", 5), Correlation("B", "X", -7), Correlation("A", "B", 9))
    assert correlations_of(table, "X") == {"A": 5, "B": -7}
    assert correlations_of(table, "A") == {"X": 5, "B": 9}
    assert correlations_of(table, "Z") == {}


def test_sizing_spec_is_the_same_after_the_journal() -> None:
    wish = spec(SizeMethod.KELLY, kelly_ppb=3, kelly_cap_ppb=2, kelly_at_risk=True, caps=ALL_CAPS)
    assert msgspec.json.decode(msgspec.json.encode(wish), type=SizingSpec) == wish
