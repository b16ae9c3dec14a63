from __future__ import annotations

import pytest

from surefill.domain.market import Quote
from surefill.errors import InputError
from surefill.market.csv_quotes import QuoteFormat, iter_csv_quotes

NS = 10**9


def _quotes(text: str) -> list[Quote]:
    fmt = QuoteFormat(instrument_id="X", price_decimals=2, qty_decimals=1)
    return list(iter_csv_quotes(text.encode(), fmt, name="quotes.csv"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ts,bid,ask\n1,9.99,10.01\n", [Quote("X", NS, 0, 999, 1001)]),
        ("ts,bid,ask\n1,9,10\n1,9,11\n", [Quote("X", NS, 0, 900, 1000), Quote("X", NS, 0, 900, 1100)]),
        ("ts,last\n1,10\n", [Quote("X", NS, 1000)]),
        (
            "Ask_Qty,bid,ask,bid_size,ltp,timestamp\n2.5,9,10,0.1,9.5,1\n",
            [Quote("X", NS, 950, 900, 1000, 1, 25)],
        ),
        ("ts,bid,ask\n1,,10\n2,9,0\n", [Quote("X", NS, 0, 0, 1000), Quote("X", 2 * NS, 0, 900, 0)]),
        ("ts,bid,ask\n1,10.01,10\n", [Quote("X", NS, 0, 1001, 1000)]),
    ],
)
def test_quotes_of_a_good_file_are_exact(text: str, expected: list[Quote]) -> None:
    assert _quotes(text) == expected


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "quotes.csv: the file is empty"),
        ("ts,bid,ask\n", "quotes.csv, line 1: there is a header but no quote"),
        ("ts,bid\n1,2\n", "quotes.csv, line 1: there are no columns bid and ask"),
        ("bid,ask\n1,2\n", "quotes.csv, line 1: there is no column ts"),
        ("ts,bid,ask\n2,1,1\n1,1,1\n", "quotes.csv, line 3, column ts: .*sort the rows"),
        ("ts,bid,ask\n1,0,\n", "quotes.csv, line 2, column bid: there is no price at all"),
        ("ts,bid,ask\n1,x,1\n", "quotes.csv, line 2, column bid: .*'x'"),
        ("ts,bid,ask\n1,-1,1\n", "quotes.csv, line 2, column bid: .*'-1'"),
        ("ts,bid,ask\n1,nan,1\n", "quotes.csv, line 2, column bid: .*'nan'"),
        ("ts,bid,ask\n1,1.001,1\n", "quotes.csv, line 2, column bid: .*'1.001'.*price_decimals"),
    ],
)
def test_quotes_of_a_bad_file_are_refused_with_their_place(text: str, says: str) -> None:
    with pytest.raises(InputError, match=says) as refused:
        _quotes(text)
    assert refused.value.code == "INVALID_CSV"
