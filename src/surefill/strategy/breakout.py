"""`breakout_52w_high`: buy what trades above the highest high of the last year."""

from __future__ import annotations

from collections.abc import Iterator

from surefill.strategy.decisions import Decision, Position
from surefill.strategy.indicators import highest
from surefill.strategy.snapshot import MarketSnapshot
from surefill.strategy.spec import ExecutionSpec


class Breakout52WeekHigh:
    """Opens when the price is above the highest high of up to `entry.lookback_days` bars before the current one.

    The current bar is left out: its own high would be known only afterwards. With fewer bars than that the ones there
    are count, and `lookback_partial_n_of_m` says so. It never closes: the spec's exit does (by default at the end of
    the day).
    """

    name = "breakout_52w_high"
    parameters = ()
    default_exit = "eod"

    def evaluate(
        self, spec: ExecutionSpec, snapshot: MarketSnapshot, position: Position | None
    ) -> Iterator[Decision | str]:
        """One entry, while there is no position."""
        lookback = spec.entry.lookback_days
        before = snapshot.bar_count - 1
        if before < lookback:
            yield f"lookback_partial_{before}_of_{lookback}"
        high = highest(snapshot.highs, lookback)
        if snapshot.last_price > high:
            if position is not None:
                yield "entry_skipped_position_open"
            else:
                reason = f"price {snapshot.last_price} above {high}, the high of {min(before, lookback)} bars"
                yield Decision.open_long(reason, signal="breakout_entry_triggered")
