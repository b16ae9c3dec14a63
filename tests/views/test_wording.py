"""Words and numbers as the documents write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefill.rules.codes import ExitReason, OrdStatus, OrdType
from surefill.views import wording

UNDERLYINGS = [
    ("NIFTY24DECFUT", "NIFTY"),
    ("BANKNIFTY24DECFUT", "BANKNIFTY"),
    ("FINNIFTY24DEC23000CE", "FINNIFTY"),
    ("MIDCPNIFTY24DECFUT", "MIDCPNIFTY"),
    ("NIFTY", "NIFTY"),
    ("RELIANCE", "RELIANCE"),
    ("BTC/USDT", "BTC/USDT"),
    ("XNIFTY", "XNIFTY"),
]
STATUSES = [
    (OrdStatus.SUBMITTED, 0, "PLACED"),
    (OrdStatus.UNKNOWN, 0, "PLACED"),
    (OrdStatus.NEW, 0, "PLACED"),
    (OrdStatus.PARTIALLY_FILLED, 3, "PARTIAL"),
    (OrdStatus.FILLED, 10, "FILLED"),
    (OrdStatus.CANCELED, 0, "CANCELLED"),
    (OrdStatus.CANCELED, 3, "PARTIAL"),
    (OrdStatus.EXPIRED, 0, "CANCELLED"),
    (OrdStatus.EXPIRED, 3, "PARTIAL"),
    (OrdStatus.REJECTED, 0, "REJECTED"),
]


@pytest.mark.parametrize(("symbol", "underlying"), UNDERLYINGS)
def test_underlying_of_a_symbol_is_its_longest_index_else_itself(symbol: str, underlying: str) -> None:
    assert wording.underlying_of(symbol) == underlying


@pytest.mark.parametrize(("status", "cum_qty", "word"), STATUSES)
def test_status_word_of_an_order_for_ten_is_the_documents(status: int, cum_qty: int, word: str) -> None:
    assert wording.status_word(status, cum_qty, 10) == word


def test_words_exist_for_every_code() -> None:
    assert [wording.ord_type_word(kind) for kind in OrdType] == ["MARKET", "LIMIT", "SL-M", "SL"]
    assert all(wording.status_word(status, 0, 1) for status in OrdStatus)
    assert [wording.exit_word(reason) for reason in ExitReason][:4] == ["", "stop", "target", "trailing"]
    assert [wording.side_word(side) for side in (1, -1, 0)] == ["BUY", "SELL", "EXIT"]


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_float_text_reads_back_as_the_same_float_without_an_exponent(value: float) -> None:
    text = wording.float_text(value)
    assert float(text) == value
    assert "e" not in text.lower()
    assert "." in text


@pytest.mark.parametrize(("notional", "qty", "average"), [(0, 0, 0.0), (31, 3, 0.10333333333333333), (-30, -3, 0.1)])
def test_avg_px_is_cost_over_quantity(notional: int, qty: int, average: float) -> None:
    assert wording.avg_px(notional, qty, 2) == average
