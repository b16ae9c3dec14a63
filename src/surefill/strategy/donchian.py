"""`donchian`: buy above the channel of recent highs, sell below the channel of recent lows."""

from __future__ import annotations

from collections.abc import Iterator

from surefill.strategy.decisions import Decision, Parameter, Position
from surefill.strategy.indicators import highest, lowest
from surefill.strategy.snapshot import MarketSnapshot
from surefill.strategy.spec import ExecutionSpec

ENTRY_BARS = Parameter("entry_bars", 20, 1, 10_000, "bars of the channel that an entry breaks")
EXIT_BARS = Parameter("exit_bars", 10, 1, 10_000, "bars of the channel that an exit breaks")


class Donchian:
    """Opens above the highest high of the last `entry_bars` bars, closes below the lowest low of `exit_bars`.

    The current bar belongs to neither channel. Nothing opens before the entry channel is complete.
    """

    name = "donchian"
    parameters = (ENTRY_BARS, EXIT_BARS)
    default_exit = "none"

    def evaluate(
        self, spec: ExecutionSpec, snapshot: MarketSnapshot, position: Position | None
    ) -> Iterator[Decision | str]:
        """An entry above, an exit below."""
        entry_bars, exit_bars = int(ENTRY_BARS.of(spec)), int(EXIT_BARS.of(spec))
        price = snapshot.last_price
        if position is not None:
            low = lowest(snapshot.lows, exit_bars)
            if price < low:
                yield Decision.close_long(f"price {price} below {low}", signal="donchian_down")
        elif snapshot.bar_count <= entry_bars:
            yield f"lookback_partial_{snapshot.bar_count - 1}_of_{entry_bars}"
        else:
            high = highest(snapshot.highs, entry_bars)
            if price > high:
                yield Decision.open_long(f"price {price} above {high}", signal="donchian_up")
