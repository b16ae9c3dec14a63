"""Market data as the core sees it: integers in the instrument's quanta, nanoseconds UTC.

Market data is ephemeral. It moves exits and marks, is never journaled and stands outside the state hash; a
decision copies the price, the time and the source it used into its event.
Observed prices are taken as they are: never rounded, never checked against a tick.
"""

from __future__ import annotations

import enum

import msgspec


class Source(enum.IntEnum):
    """Where a price came from; copied into every decision that used it."""

    QUOTE = 1  # bid and ask, with sizes where the feed has them
    LAST = 2  # a last traded price
    BAR = 3  # the open, or a price inside the range, of a bar
    CALLER = 4  # given with the intent


class Quote(msgspec.Struct, frozen=True, gc=False):
    """One tick. `bid_px`, `ask_px`, `last_px` and the sizes are 0 where the feed has none."""

    instrument_id: str
    ts_ns: int
    last_px: int = 0
    bid_px: int = 0
    ask_px: int = 0
    bid_qty: int = 0
    ask_qty: int = 0
    source: int = Source.QUOTE


class BarOpened(msgspec.Struct, frozen=True, gc=False):
    """The first price of a bar: gaps show here, and intents made on the bar before fill here."""

    instrument_id: str
    ts_ns: int
    open_px: int


class Bar(msgspec.Struct, frozen=True, gc=False):
    """A finished bar. `ts_ns` is when it ends (what was known then), `open_ns` when it began.

    `is_session_end` says that the venue's session ends with this bar (a daily bar always does).
    """

    instrument_id: str
    open_ns: int
    ts_ns: int
    open_px: int
    high_px: int
    low_px: int
    close_px: int
    volume: int = 0
    is_session_end: bool = False


def closing_quote(bar: Bar) -> Quote:
    """What is known of the market when a bar is over: its close."""
    return Quote(bar.instrument_id, bar.ts_ns, bar.close_px, source=Source.BAR)
