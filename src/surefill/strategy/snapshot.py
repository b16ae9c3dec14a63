"""The market at one moment, as a strategy sees it: bars up to then, the last price, whether the day ends.

The caller provides it and the runner fetches nothing, so an evaluation can be repeated for ever. A snapshot over a
`BarSeries` copies nothing; one over a list of bars is checked when it is made.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import Annotated, Protocol, overload

import msgspec

from surefill.errors import InputError
from surefill.market.series import BarSeries
from surefill.market.timeframes import canonical_timeframe, is_daily
from surefill.plain import plain_number
from surefill.units import datetime_from_ns, iso_from_ns, ns_from_datetime, to_quanta

Floats = Sequence[float]


class Ohlcv(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One bar in units; `ts` (aware) is when it ended."""

    ts: Annotated[datetime, msgspec.Meta(tz=True)]
    open: float
    high: float
    low: float
    close: float
    volume: float = 0.0


class Columns(Protocol):
    """Bars, column by column: what indicators are computed from."""

    @property
    def opens(self) -> Floats:
        """Opening prices."""

    @property
    def highs(self) -> Floats:
        """Highest prices."""

    @property
    def lows(self) -> Floats:
        """Lowest prices."""

    @property
    def closes(self) -> Floats:
        """Closing prices."""

    @property
    def volumes(self) -> Floats:
        """Volumes."""

    @property
    def close_px(self) -> Sequence[int]:
        """Closing prices as integers at one scale: their sums are exact."""

    @property
    def ts_ns(self) -> Sequence[int]:
        """When each bar ended."""

    def __len__(self) -> int: ...


class MarketSnapshot:
    """What is known of one symbol at `ts`.

    `bars`: a `BarSeries`, or at least two `Ohlcv` in ascending order; the last one, the current bar, not after `ts`.
    `last_price` defaults to the last close. `is_eod` defaults to what the series knows of its calendar; a daily bar is
    its own end of day. `lot_size`, `tick_size` (units): the instrument's, where known: orders are made to fit them.
    Numbers may be numpy's: they stand for their shortest text, and are plain floats from here on.
    Raises InputError (INVALID_SNAPSHOT).
    """

    __slots__ = ("_columns", "is_eod", "last_price", "lot_size", "symbol", "tick_size", "timeframe", "ts_ns")

    def __init__(
        self,
        symbol: str,
        ts: datetime,
        timeframe: str,
        bars: BarSeries | Sequence[Ohlcv],
        last_price: float | None = None,
        is_eod: bool | None = None,
        *,
        lot_size: float | None = None,
        tick_size: float | None = None,
    ) -> None:
        if not symbol:
            raise _invalid("symbol must not be empty", "symbol")
        if ts.tzinfo is None:
            raise _invalid(f"ts must have a time zone (got {ts.isoformat()})", "ts")
        columns = bars if isinstance(bars, BarSeries) else ListedBars(bars)
        self._columns: BarSeries | ListedBars = columns
        self.symbol = symbol
        self.ts_ns = ns_from_datetime(ts)
        self.timeframe = canonical_timeframe(timeframe)
        if len(columns) < 2:
            raise _invalid(f"at least 2 bars are needed, the current one last (got {len(columns)})", "bars")
        if columns.ts_ns[-1] > self.ts_ns:
            raise _invalid(f"the last bar ({iso_from_ns(columns.ts_ns[-1])}) is after ts ({ts.isoformat()})", "bars")
        self.last_price = columns.closes[-1] if last_price is None else last_price
        self.is_eod = _ends_day(columns, self.timeframe) if is_eod is None else is_eod
        self.last_price = _plain(self.last_price, "last_price")
        self.lot_size = None if lot_size is None else _plain(lot_size, "lot_size")
        self.tick_size = None if tick_size is None else _plain(tick_size, "tick_size")
        for name in ("last_price", "lot_size", "tick_size"):
            value = getattr(self, name)
            if value is not None and not 0 < value < math.inf:
                raise _invalid(f"{name} must be a finite number above 0 (got {value})", name)

    @classmethod
    def of_series(
        cls, series: BarSeries, at: int, *, lot_size: float | None = None, tick_size: float | None = None
    ) -> MarketSnapshot:
        """The snapshot at the end of bar `at` of a series (at least 1); later bars are not in it."""
        if not 1 <= at < len(series):
            raise _invalid(f"bar {at} of {len(series)} is not there, or has none before it", "bars")
        bars = series.until(at + 1)
        # A series has been checked when it was built: fill the slots without doing it again at every bar.
        snapshot = cls.__new__(cls)
        snapshot._columns = bars
        snapshot.symbol = bars.symbol
        snapshot.ts_ns = bars.ts_ns[-1]
        snapshot.timeframe = bars.timeframe
        snapshot.last_price = bars.closes[-1]
        snapshot.is_eod = bars.session_end[-1] == 1
        snapshot.lot_size = lot_size
        snapshot.tick_size = tick_size
        return snapshot

    @property
    def ts(self) -> datetime:
        """The moment, in UTC."""
        return datetime_from_ns(self.ts_ns)

    @property
    def columns(self) -> Columns:
        """All columns."""
        return self._columns

    @property
    def bars(self) -> Sequence[Ohlcv]:
        """The bars, one by one; the last is the current one."""
        return self._columns if isinstance(self._columns, ListedBars) else _SeriesBars(self._columns)

    @property
    def bar_count(self) -> int:
        """How many bars there are."""
        return len(self._columns)

    @property
    def opens(self) -> Floats:
        """Opening prices, oldest first."""
        return self._columns.opens

    @property
    def highs(self) -> Floats:
        """Highest prices, oldest first."""
        return self._columns.highs

    @property
    def lows(self) -> Floats:
        """Lowest prices, oldest first."""
        return self._columns.lows

    @property
    def closes(self) -> Floats:
        """Closing prices, oldest first."""
        return self._columns.closes

    @property
    def volumes(self) -> Floats:
        """Volumes, oldest first."""
        return self._columns.volumes

    @property
    def price_step(self) -> Decimal:
        """What prices of orders are multiples of: the tick, or else the finest step that the prices here show."""
        if self.tick_size is not None:
            return Decimal(repr(self.tick_size))
        if isinstance(self._columns, BarSeries):
            return Decimal(1).scaleb(-self._columns.price_decimals)
        return Decimal(1).scaleb(-max(map(_decimals, (self.last_price, *self.closes[-20:]))))

    def causal(self, key: object, make: Callable[[Columns], array[float]]) -> Floats:
        """An indicator over all bars: `make` gives a value per bar, from that bar and earlier ones only.

        Over a series it is computed once and shared by all its snapshots; `key` must name it with its settings.
        """
        if isinstance(self._columns, BarSeries):
            return self._columns.causal(key, make)
        return make(self._columns)

    def __repr__(self) -> str:
        return f"MarketSnapshot({self.symbol!r}, {iso_from_ns(self.ts_ns)}, {self.bar_count} bars of {self.timeframe})"


def snapshots(
    series: BarSeries, *, lot_size: float | None = None, tick_size: float | None = None
) -> Iterator[MarketSnapshot]:
    """A snapshot at the end of every bar of a series, from the second on."""
    for at in range(1, len(series)):
        yield MarketSnapshot.of_series(series, at, lot_size=lot_size, tick_size=tick_size)


class _Payload(msgspec.Struct, forbid_unknown_fields=True):
    """A snapshot as JSON has it."""

    symbol: Annotated[str, msgspec.Meta(min_length=1)]
    ts: Annotated[datetime, msgspec.Meta(tz=True)]
    timeframe: str
    bars: list[Ohlcv]
    last_price: float | None = None
    is_eod: bool | None = None
    lot_size: float | None = None
    tick_size: float | None = None


def load_snapshot(data: Mapping[str, object] | bytes) -> MarketSnapshot:
    """A snapshot from JSON, decoded or not. Raises InputError (INVALID_SNAPSHOT), also for unknown fields."""
    try:
        if isinstance(data, bytes):
            payload = msgspec.json.decode(data, type=_Payload)
        else:
            payload = msgspec.convert(data, type=_Payload)
    except (msgspec.ValidationError, msgspec.DecodeError) as error:
        raise InputError(f"the snapshot is not valid: {error}", code="INVALID_SNAPSHOT") from error
    return MarketSnapshot(
        payload.symbol,
        payload.ts,
        payload.timeframe,
        payload.bars,
        payload.last_price,
        payload.is_eod,
        lot_size=payload.lot_size,
        tick_size=payload.tick_size,
    )


class ListedBars(Sequence[Ohlcv]):
    """Bars from a list, checked: in ascending order, prices finite, above 0 and consistent. Raises InputError."""

    def __init__(self, bars: Sequence[Ohlcv]) -> None:
        self._bars = tuple(map(_plain_bar, bars))
        self.ts_ns: Sequence[int] = [ns_from_datetime(bar.ts) for bar in self._bars]
        for at, bar in enumerate(self._bars):
            _check_bar(at, bar)
            if at and self.ts_ns[at] <= self.ts_ns[at - 1]:
                raise _invalid(f"bar {at} ({bar.ts.isoformat()}) is not after the one before it; sort the bars", "bars")

    @cached_property
    def opens(self) -> Floats:
        """Opening prices."""
        return [bar.open for bar in self._bars]

    @cached_property
    def highs(self) -> Floats:
        """Highest prices."""
        return [bar.high for bar in self._bars]

    @cached_property
    def lows(self) -> Floats:
        """Lowest prices."""
        return [bar.low for bar in self._bars]

    @cached_property
    def closes(self) -> Floats:
        """Closing prices."""
        return [bar.close for bar in self._bars]

    @cached_property
    def volumes(self) -> Floats:
        """Volumes."""
        return [bar.volume for bar in self._bars]

    @cached_property
    def close_px(self) -> Sequence[int]:
        """Closing prices at the coarsest scale that holds them all."""
        decimals = max(_decimals(close) for close in self.closes)
        return [to_quanta(close, decimals, field="close", max_quanta=2**200) for close in self.closes]

    @overload
    def __getitem__(self, index: int) -> Ohlcv: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Ohlcv]: ...
    def __getitem__(self, index: int | slice) -> Ohlcv | Sequence[Ohlcv]:
        return self._bars[index]

    def __len__(self) -> int:
        return len(self._bars)


class _SeriesBars(Sequence[Ohlcv]):
    """A series seen as bars in units."""

    def __init__(self, series: BarSeries) -> None:
        self._series = series

    @overload
    def __getitem__(self, index: int) -> Ohlcv: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Ohlcv]: ...
    def __getitem__(self, index: int | slice) -> Ohlcv | Sequence[Ohlcv]:
        series = self._series
        if isinstance(index, slice):
            return _SeriesBars(series[index])
        return Ohlcv(
            datetime_from_ns(series.ts_ns[index]),
            series.opens[index],
            series.highs[index],
            series.lows[index],
            series.closes[index],
            series.volumes[index],
        )

    def __len__(self) -> int:
        return len(self._series)


def _plain(value: float, field: str) -> float:
    try:
        return float(plain_number(value, field))
    except InputError as error:
        raise _invalid(error.message, field) from error


def _plain_bar(bar: Ohlcv) -> Ohlcv:
    """The bar with plain floats: a column of numpy's or pandas' gives numbers of its own kind."""
    figures = (bar.open, bar.high, bar.low, bar.close, bar.volume)
    if all(type(figure) is float for figure in figures):
        return bar
    return Ohlcv(bar.ts, *(_plain(figure, "bars") for figure in figures))


def _ends_day(columns: BarSeries | ListedBars, timeframe: str) -> bool:
    if isinstance(columns, BarSeries):
        return columns.session_end[-1] == 1
    return is_daily(timeframe)


def _check_bar(at: int, bar: Ohlcv) -> None:
    if bar.ts.tzinfo is None:
        raise _invalid(f"ts of bar {at} must have a time zone (got {bar.ts.isoformat()})", "bars")
    if not (0 < bar.low <= bar.open <= bar.high < math.inf and bar.low <= bar.close <= bar.high):
        raise _invalid(
            f"bar {at} ({bar.ts.isoformat()}) has prices that cannot be:"
            f" open {bar.open}, high {bar.high}, low {bar.low}, close {bar.close}",
            "bars",
        )
    if not 0 <= bar.volume < math.inf:
        raise _invalid(f"bar {at} ({bar.ts.isoformat()}) has the volume {bar.volume}", "bars")


def _decimals(value: float) -> int:
    exponent = Decimal(repr(value)).normalize().as_tuple().exponent
    return max(-exponent, 0) if isinstance(exponent, int) else 0


def _invalid(what: str, field: str) -> InputError:
    return InputError(f"the snapshot is not valid: {what}", code="INVALID_SNAPSHOT", field=field)
