"""The adapter's parts by themselves: comments, symbols, codes."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefill.venues.mt5.codes import CODES, Verdict, name_of, verdict_of
from surefill.venues.mt5.comments import SURE, Likeness, cl_ord_id_of, comment_of, likeness
from surefill.venues.mt5.records import SymbolRecord
from surefill.venues.mt5.symbols import Scale, decimals_of, instrument_of

HEX_ID = st.binary(min_size=10, max_size=10).map(bytes.hex)


@given(HEX_ID)
def test_comment_of_an_id_is_short_and_can_be_read_back(cl_ord_id: str) -> None:
    comment = comment_of(cl_ord_id)

    assert len(comment) == 15
    assert cl_ord_id_of(comment) == cl_ord_id_of(comment + " to #7") == cl_ord_id


@given(st.text(min_size=1, max_size=36))
def test_comment_of_any_other_id_is_short_and_like_itself_alone(cl_ord_id: str) -> None:
    assert len(comment_of(cl_ord_id)) == 15
    assert likeness(comment_of(cl_ord_id), cl_ord_id) is Likeness.YES
    assert likeness(comment_of(cl_ord_id), cl_ord_id + "x") is Likeness.NO


@pytest.mark.parametrize(
    ("kept", "like"), [(15, Likeness.YES), (SURE, Likeness.YES), (SURE - 1, Likeness.PERHAPS), (0, Likeness.PERHAPS)]
)
def test_comment_that_was_cut_is_like_its_id_as_long_as_it_tells(kept: int, like: Likeness) -> None:
    comment = comment_of("0123456789abcdef0123")

    assert likeness(comment[:kept], "0123456789abcdef0123") is like
    assert likeness(comment[: kept or 1], "f123456789abcdef0123") is (Likeness.NO if kept else Likeness.PERHAPS)


@pytest.mark.parametrize("comment", ["", "sl", "[sl 1.1000]", "s" + "*" * 14, "python script op"])
def test_comment_of_others_holds_no_id(comment: str) -> None:
    assert cl_ord_id_of(comment) == ""


def symbol(**changed: Any) -> SymbolRecord:
    given: dict[str, Any] = {
        "name": "EURUSD",
        "digits": 5,
        "trade_mode": 4,
        "trade_exemode": 2,
        "filling_mode": 1,
        "trade_calc_mode": 0,
        "trade_contract_size": 100_000.0,
        "trade_tick_size": 1e-05,
        "volume_min": 0.01,
        "volume_max": 500.0,
        "volume_step": 0.01,
        "currency_profit": "USD",
        "currency_base": "EUR",
        "expiration_mode": 15,
    }
    return SymbolRecord(**{**given, **changed})


@pytest.mark.parametrize(("step", "decimals"), [(0.01, 2), (1.0, 0), (0.1, 1), (1e-05, 5), (100.0, 0), (0.25, 2)])
def test_step_has_its_decimals(step: float, decimals: int) -> None:
    assert decimals_of(step) == decimals


def test_symbol_becomes_an_instrument_whose_money_is_exact() -> None:
    made = instrument_of(symbol(), 8, "forex")

    assert made is not None
    assert (made.price_decimals, made.qty_decimals, made.pip, made.currency) == (5, 2, 10, "USD")
    assert made.money_per_notional == 100_000 * 10**8 // 10**7
    assert (made.terms[0].lot, made.terms[0].min_qty, made.terms[0].max_qty) == (1, 1, 50_000)


@pytest.mark.parametrize(
    ("changed", "multiplier"),
    [
        ({"trade_calc_mode": 2, "trade_contract_size": 100.0}, Decimal(100)),
        ({"trade_calc_mode": 33, "trade_tick_value": 0.125, "trade_tick_size": 0.25, "digits": 2}, Decimal("0.5")),
        ({"trade_calc_mode": 34}, None),
        ({"trade_calc_mode": 64}, None),
    ],
)
def test_symbol_counts_as_its_way_of_calculating_says(changed: dict[str, Any], multiplier: Decimal | None) -> None:
    made = instrument_of(symbol(**changed), 8, "forex")

    if multiplier is None:
        assert made is None
    else:
        assert made is not None
        assert made.money_per_notional * 10 ** (made.price_decimals + made.qty_decimals) == multiplier * 10**8


@pytest.mark.parametrize(("mode", "tradable"), [(0, False), (1, True), (2, True), (3, False), (4, True)])
def test_symbol_that_is_closed_to_orders_is_not_tradable(mode: int, tradable: bool) -> None:
    made = instrument_of(symbol(trade_mode=mode), 8, "forex")

    assert made is not None
    assert made.terms[0].tradable is tradable


def test_price_with_the_noise_of_a_computation_is_what_was_meant() -> None:
    scale = Scale(symbol())

    assert scale.px(1.6921300000000001) == 169_213
    assert scale.lots(scale.qty(0.15)) == 0.15


def test_codes_that_the_safety_case_calls_definitive_are_refusals() -> None:
    definitive = {10004, 10006, *range(10013, 10023), 10024, 10026, 10027, 10030}
    unknown = {10011, 10012, 10031}

    assert {code for code in definitive if verdict_of(code) is not Verdict.REFUSED} == set()
    assert {code for code in unknown if verdict_of(code) is not Verdict.UNKNOWN} == set()
    assert verdict_of(0) is verdict_of(99_999) is Verdict.UNKNOWN
    assert name_of(10018) == "10018 MARKET_CLOSED"
    assert [CODES[code][1] for code in (10008, 10009, 10010)] == [Verdict.PLACED, Verdict.DONE, Verdict.PARTIAL]
