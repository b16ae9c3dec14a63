"""Minutes of a busy book, quote by quote, as somebody's recorder wrote them."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.recorded.recordings import recorded

from surefill.domain.market import Quote
from surefill.market.csv_quotes import QuoteFormat, iter_csv_quotes
from surefill.market.replay import replay

FILES = [
    ("market/hftbacktest/spot/btcusdt_20240809.gz", 2, 8, 45_134),
    ("market/hftbacktest/usdm/btcusdt_20240808.gz", 2, 3, 66_089),
]
FORMAT = QuoteFormat(instrument_id="BTCUSDT", price_decimals=2, qty_decimals=8)


def quotes_csv(recording: Path) -> bytes:
    """The best bid and ask of a recording of lines `nanoseconds json`; a last line that was cut off is left out."""
    return "\n".join(["ts,bid,bid_size,ask,ask_size", *_rows(recording)]).encode()


def _rows(recording: Path) -> Iterator[str]:
    with gzip.open(recording, "rt", encoding="ascii") as lines:
        for line in lines:
            ts, _, message = line.partition(" ")
            if '@bookTicker"' in message and message.endswith("}\n"):
                data = json.loads(message)["data"]
                yield f"{ts},{data['b']},{data['B']},{data['a']},{data['A']}"


@pytest.mark.parametrize(("path", "price_decimals", "qty_decimals", "count"), FILES)
def test_recorded_quotes_loaded_are_all_there_and_never_crossed(
    path: str, price_decimals: int, qty_decimals: int, count: int
) -> None:
    fmt = QuoteFormat(instrument_id="BTCUSDT", price_decimals=price_decimals, qty_decimals=qty_decimals)

    quotes = list(iter_csv_quotes(quotes_csv(recorded(path)), fmt))

    assert len(quotes) == count
    assert all(0 < quote.bid_px < quote.ask_px for quote in quotes)
    assert all(quote.bid_qty > 0 < quote.ask_qty for quote in quotes)


def test_recorded_quotes_replayed_come_in_their_order_and_complete() -> None:
    loaded = list(iter_csv_quotes(quotes_csv(recorded(FILES[0][0])), FORMAT))

    async def play() -> list[Quote]:
        return [event async for event in replay(loaded, speed=0) if isinstance(event, Quote)]

    assert asyncio.run(play()) == loaded
