"""A book for tests: what the runner needs of one, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from surefill.strategy import ExecutionSpec, MarketSnapshot, Ohlcv, Position, load_spec

START = datetime(2024, 1, 1, 21, tzinfo=UTC)
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Held:
    """A position."""

    quantity: float
    avg_price: float = 100.0


@dataclass
class Book:
    """Cash and positions."""

    cash: float = 10_000.0
    positions: dict[str, Position] = field(default_factory=dict)


def daily(closes: list[float], highs: dict[int, float] | None = None, **options: object) -> MarketSnapshot:
    """A snapshot of daily bars with these closes; each bar's high and low are its close unless told otherwise."""
    bars = []
    for at, close in enumerate(closes):
        high = (highs or {}).get(at, close)
        bars.append(Ohlcv(START + at * DAY, close, high, close, close, 1.0))
    ts = bars[-1].ts if bars else START
    return MarketSnapshot("AAPL", ts, "1d", bars, **options)  # type: ignore[arg-type]


def spec_of(entry: str | dict[str, object], **changed: object) -> ExecutionSpec:
    """A spec of that entry on AAPL, with 1000 dollars per trade."""
    data: dict[str, object] = {
        "workspace_id": "w",
        "symbols": ["AAPL", "MSFT"],
        "entry": {"type": entry} if isinstance(entry, str) else entry,
        "risk": {"dollars_per_trade": 1000},
    }
    return load_spec({**data, **changed})
