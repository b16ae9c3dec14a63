from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefill.errors import InputError
from surefill.market.sessions import calendar_named
from surefill.market.synthetic import SplitMix, SyntheticMarket
from surefill.units import NS_PER_MIN, NS_PER_S, PPB

MARKET = SyntheticMarket(instrument_id="SYN", seed=7, start_px=100_000)
# Pinned: a changed figure means that every seed means another market than in earlier releases.
QUOTES_HASH = "3b3906482631ec97"
BARS_HASH = "52a15773ebaa3703"

HASHES = """
import hashlib, msgspec
from surefill.market.synthetic import SyntheticMarket
market = SyntheticMarket(instrument_id="SYN", seed=7, start_px=100_000)
for made in (market.quotes(2000), market.bars(500)):
    print(hashlib.sha256(msgspec.json.encode(list(made))).hexdigest()[:16])
"""


def _hash(made: object) -> str:
    return hashlib.sha256(msgspec.json.encode(made)).hexdigest()[:16]


def test_split_mix_gives_the_published_numbers() -> None:
    chance = SplitMix(1234567)
    assert [chance.bits() for _ in range(3)] == [6457827717110365317, 3203168211198807973, 9817491932198370423]


def test_same_seed_gives_the_same_market_for_ever() -> None:
    assert _hash(list(MARKET.quotes(2_000))) == QUOTES_HASH
    assert _hash(list(MARKET.bars(500))) == BARS_HASH


def test_same_seed_gives_the_same_market_in_another_process() -> None:
    environment = {**os.environ, "PYTHONHASHSEED": "99"}
    done = subprocess.run([sys.executable, "-c", HASHES], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.split() == [QUOTES_HASH, BARS_HASH]


def test_another_seed_or_instrument_gives_another_market() -> None:
    def closes(market: SyntheticMarket) -> list[int]:
        return [bar.close_px for bar in market.bars(50)]

    other_seed = SyntheticMarket(instrument_id="SYN", seed=8, start_px=100_000)
    other_name = SyntheticMarket(instrument_id="SYN2", seed=7, start_px=100_000)
    assert len({tuple(closes(market)) for market in (MARKET, other_seed, other_name)}) == 3


@given(
    st.integers(0, 2**64),
    st.integers(1, 2**36).flatmap(lambda start: st.tuples(st.just(start), st.integers(1, max(start // 100, 1)))),
    st.integers(1, 9),
    st.integers(0, PPB // 10),
)
def test_market_of_any_seed_holds_together(
    seed: int, start_and_tick: tuple[int, int], spread_ticks: int, volatility_ppb: int
) -> None:
    start_px, tick = start_and_tick
    market = SyntheticMarket(
        instrument_id="S",
        seed=seed,
        start_px=start_px,
        tick=tick,
        spread_ticks=spread_ticks,
        volatility_ppb=volatility_ppb,
    )
    latest_ns = 0
    for quote in market.quotes(30):
        assert quote.ts_ns > latest_ns
        assert 0 < quote.bid_px < quote.ask_px
        assert quote.bid_px % tick == quote.ask_px % tick == quote.last_px % tick == 0
        assert min(quote.bid_qty, quote.ask_qty) > 0
        latest_ns = quote.ts_ns
    latest_ns = 0
    for bar in market.bars(10):
        assert latest_ns <= bar.open_ns < bar.ts_ns
        assert 0 < bar.low_px <= min(bar.open_px, bar.close_px) <= max(bar.open_px, bar.close_px) <= bar.high_px
        assert bar.high_px <= 16 * start_px
        latest_ns = bar.ts_ns


def test_market_has_all_its_events() -> None:
    quotes = list(MARKET.quotes(20_000))
    waits = [(b.ts_ns - a.ts_ns) // NS_PER_S for a, b in pairwise(quotes)]
    moves = [abs(b.last_px - a.last_px) / a.last_px for a, b in pairwise(quotes)]
    assert {quote.ask_px - quote.bid_px for quote in quotes} == {2, 8}
    assert (min(waits), sum(wait > 1 for wait in waits) > 0, max(waits) <= 61) == (1, True, True)
    assert sum(move > 0.009 for move in moves) > 0
    assert sum(move > 0.009 for move in moves) < 30


def test_market_without_events_stands_still() -> None:
    market = SyntheticMarket(instrument_id="S", volatility_ppb=0, gap_ppb=0, halt_ppb=0)
    assert {quote.last_px for quote in market.quotes(1_000)} == {market.start_px}
    assert {bar.ts_ns - bar.open_ns for bar in market.bars(100)} == {NS_PER_MIN}


def test_bars_keep_to_the_sessions() -> None:
    calendar = calendar_named("nse")
    series = MARKET.series(400, "5m", calendar=calendar)
    assert all(calendar.is_open(ns) for ns in series.open_ns)
    ends = [bar.ts_ns for bar in series if bar.is_session_end]
    assert ends
    assert all(calendar.session_end(end - 1) == end for end in ends)
    assert all(bar.is_session_end for bar in MARKET.bars(10, "1d", calendar))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("start_px", 0),
        ("start_px", 2**40),
        ("tick", 0),
        ("tick", 200),
        ("spread_ticks", 0),
        ("volatility_ppb", -1),
        ("gap_ppb", PPB + 1),
        ("halt_ppb", -1),
        ("typical_qty", 0),
        ("step_ns", 0),
    ],
)
def test_market_that_cannot_be_is_refused(field: str, value: int) -> None:
    with pytest.raises(InputError, match=f"{field} of a synthetic market cannot be {value}"):
        SyntheticMarket(instrument_id="S", **{field: value})
