"""A market made from a seed: trends, gaps, halts and changing spreads, in integers.

Theory of operation. The price is a walk on the tick grid. At every step it moves by a drift, which belongs to the
present trend, and by noise: the sum of four equal chances, bell-shaped enough. A trend lasts a random number of steps,
then another begins, with a spread of its own. Rarely the price gaps, rarely the market halts: then steps pass, and
nothing is quoted until it is over. The price keeps between a sixteenth and sixteen times where it started.

All of it is integer arithmetic on our own generator, so a seed gives the same market in every process, on every
machine, in every version of Python.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from surefill.domain.market import Bar, Quote
from surefill.errors import InputError
from surefill.market.bar_format import BarFormat, span_of
from surefill.market.series import BarSeries
from surefill.market.sessions import ALWAYS_OPEN, Calendar
from surefill.market.timeframes import duration_ns
from surefill.units import NS_PER_S, PPB, PRICE_MAX, QTY_MAX

_MASK: Final = 2**64 - 1
_RANGE: Final = 16  # the price stays within start / 16 … start * 16
_TREND_STEPS: Final = (40, 400)
_HALT_STEPS: Final = (5, 60)
_STEPS_PER_BAR: Final = 8


class SplitMix:
    """SplitMix64 (Steele, Lea, Flood 2014): a counter, scrambled. Small, fast enough, the same everywhere."""

    def __init__(self, seed: int) -> None:
        self._state = seed & _MASK

    def bits(self) -> int:
        """64 random bits."""
        self._state = (self._state + 0x9E3779B97F4A7C15) & _MASK
        z = self._state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
        return z ^ (z >> 31)

    def below(self, limit: int) -> int:
        """0 … limit - 1. (The bias of scaling 64 bits is below 2**-20 for every limit that we use.)"""
        return (self.bits() * limit) >> 64

    def between(self, low: int, high: int) -> int:
        """low … high, both included."""
        return low + self.below(high - low + 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class SyntheticMarket:
    """One instrument's invented prices. Prices and sizes in quanta, rates in parts per billion.

    `volatility_ppb`: the size of one step's noise, of the price. `gap_ppb`, `halt_ppb`: the chance of one at a step.
    Two instruments of one seed are independent of each other. Raises InputError for settings that cannot be.
    """

    instrument_id: str
    seed: int = 1
    start_px: int = 10_000
    tick: int = 1
    spread_ticks: int = 2
    volatility_ppb: int = 500_000
    gap_ppb: int = 500_000
    halt_ppb: int = 200_000
    typical_qty: int = 1_000
    start_ns: int = 1_704_067_200 * NS_PER_S  # 2024-01-01
    step_ns: int = NS_PER_S

    def __post_init__(self) -> None:
        checks = {
            "start_px": 0 < self.start_px <= PRICE_MAX // _RANGE,
            "tick": 0 < self.tick <= max(self.start_px // 100, 1),
            "spread_ticks": 0 < self.spread_ticks <= 1_000,
            "volatility_ppb": 0 <= self.volatility_ppb <= PPB // 10,
            "gap_ppb": 0 <= self.gap_ppb <= PPB,
            "halt_ppb": 0 <= self.halt_ppb <= PPB // 10,
            "typical_qty": 0 < self.typical_qty <= QTY_MAX // 1_000,
            "step_ns": self.step_ns > 0,
        }
        for field, holds in checks.items():
            if not holds:
                value = getattr(self, field)
                raise InputError(f"{field} of a synthetic market cannot be {value}", field=field, value=value)

    def quotes(self, count: int) -> Iterator[Quote]:
        """`count` quotes, `step_ns` apart; longer during halts."""
        walk = _Walk(self)
        for _ in range(count):
            walk.step()
            half = walk.spread_ticks * self.tick
            bid_px = max(self._on_tick(walk.px) - half // 2 // self.tick * self.tick, self.tick)
            yield Quote(
                self.instrument_id,
                self.start_ns + walk.steps * self.step_ns,
                last_px=self._on_tick(walk.px),
                bid_px=bid_px,
                ask_px=bid_px + half,
                bid_qty=walk.quantity(),
                ask_qty=walk.quantity(),
            )

    def bars(self, count: int, timeframe: str = "1m", calendar: Calendar = ALWAYS_OPEN) -> Iterator[Bar]:
        """`count` bars of eight steps each, in the calendar's sessions only; a halt leaves bars out."""
        walk = _Walk(self)
        span = span_of(BarFormat(instrument_id=self.instrument_id, timeframe=timeframe, calendar=calendar))
        length = duration_ns(timeframe)
        ahead_ns = self.start_ns
        for _ in range(count):
            path = [self._on_tick(walk.step()) for _ in range(_STEPS_PER_BAR)]
            ahead_ns += walk.take_pause() * length
            if not calendar.is_open(ahead_ns):
                ahead_ns = calendar.next_open(ahead_ns)
            open_ns, ts_ns, is_session_end = span(ahead_ns)
            volume = walk.quantity() * _STEPS_PER_BAR
            yield Bar(
                self.instrument_id,
                open_ns,
                ts_ns,
                path[0],
                max(path),
                min(path),
                path[-1],
                volume,
                is_session_end,
            )
            ahead_ns = ts_ns

    def series(
        self,
        count: int,
        timeframe: str = "1m",
        *,
        price_decimals: int = 2,
        qty_decimals: int = 0,
        calendar: Calendar = ALWAYS_OPEN,
    ) -> BarSeries:
        """`count` bars as a series that counts in those decimals."""
        return BarSeries.from_bars(
            self.bars(count, timeframe, calendar),
            instrument_id=self.instrument_id,
            timeframe=timeframe,
            price_decimals=price_decimals,
            qty_decimals=qty_decimals,
        )

    def _on_tick(self, px: int) -> int:
        return max(px // self.tick, 1) * self.tick


class _Walk:
    """The state of one walk: the price, the trend it is in, and how many steps have passed."""

    def __init__(self, market: SyntheticMarket) -> None:
        name = hashlib.sha256(market.instrument_id.encode()).digest()[:8]
        self._chance = SplitMix(market.seed ^ int.from_bytes(name, "big"))
        self._market = market
        self._trend_left = 0
        self._drift_ppb = 0
        self._paused = 0
        self.px = market.start_px
        self.spread_ticks = market.spread_ticks
        self.steps = 0

    def step(self) -> int:
        """Move on; the new price, not yet on the tick grid."""
        market, chance = self._market, self._chance
        if self._trend_left == 0:
            self._new_trend()
        self._trend_left -= 1
        self.steps += 1
        event = chance.bits()  # its upper half decides about halt and gap, its lowest bit is the coin
        rare_ppb = ((event >> 32) * PPB) >> 32
        if rare_ppb < market.halt_ppb:
            pause = chance.between(*_HALT_STEPS)
            self.steps += pause
            self._paused += pause
        noise_ppb = market.volatility_ppb * _bell(chance.bits()) >> 16
        if PPB - rare_ppb <= market.gap_ppb:
            noise_ppb += chance.between(PPB // 100, PPB // 20) * (1 - 2 * chance.below(2))
        moved = self.px + self.px * (self._drift_ppb + noise_ppb) // PPB
        # Rounding down would pull a coarse price towards zero for ever: a coin decides about what is left over.
        moved += event & 1 if market.volatility_ppb else 0
        self.px = min(max(moved, market.start_px // _RANGE, 1), market.start_px * _RANGE)
        return self.px

    def take_pause(self) -> int:
        """Steps of halts since last asked."""
        pause, self._paused = self._paused, 0
        return pause

    def quantity(self) -> int:
        """A size around the typical one, sometimes many times that."""
        typical = self._market.typical_qty
        factor = 10 if self._chance.below(20) == 0 else 1
        return max(self._chance.between(typical // 4, 2 * typical) * factor, 1)

    def _new_trend(self) -> None:
        chance, market = self._chance, self._market
        self._trend_left = chance.between(*_TREND_STEPS)
        self._drift_ppb = chance.between(-market.volatility_ppb, market.volatility_ppb) // 8
        self.spread_ticks = market.spread_ticks * (4 if chance.below(10) == 0 else 1)


def _bell(bits: int) -> int:
    """Four equal chances added up, from 64 bits: around 0, within -131070 … 131070 (a standard deviation is 37837)."""
    return (bits & 0xFFFF) + (bits >> 16 & 0xFFFF) + (bits >> 32 & 0xFFFF) + (bits >> 48) - 131_070
