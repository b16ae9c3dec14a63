"""Bars of one instrument, column by column: compact, sliced without copying, read as bars, as integers or as floats."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import repeat
from typing import Final, NamedTuple, overload

from surefill.domain.market import Bar
from surefill.errors import InputError
from surefill.market.timeframes import canonical_timeframe
from surefill.units import iso_from_ns

_CAUSAL_COLUMNS_MAX: Final = 16


class _Identity(NamedTuple):
    instrument_id: str
    timeframe: str
    price_decimals: int
    qty_decimals: int


class _Columns(NamedTuple):
    """What all slices of a series share; complete before the first slice is made, then never changed."""

    identity: _Identity
    open_ns: memoryview[int]
    ts_ns: memoryview[int]
    open_px: memoryview[int]
    high_px: memoryview[int]
    low_px: memoryview[int]
    close_px: memoryview[int]
    volume: memoryview[int]
    session_end: memoryview[int]
    floats: dict[str, memoryview[float]]
    causal: dict[object, memoryview[float]]


class BarSeries(Sequence[Bar]):
    """Finished bars in ascending order. An index gives a `Bar`, a slice (step 1) another series on the same columns.

    `open_px`, `close_px` … are read-only views of integers in quanta (numpy reads them without copying); `opens`,
    `closes` …, `volumes` are the same as floats in units, made on first use, once for all slices.
    A series never changes after it was built, and may be pickled: a slice takes only its own bars along.
    """

    __slots__ = ("_columns", "_start", "_stop")

    def __init__(self, columns: _Columns, start: int, stop: int) -> None:
        self._columns = columns
        self._start = start
        self._stop = stop

    @classmethod
    def from_bars(
        cls, bars: Iterable[Bar], *, instrument_id: str, timeframe: str, price_decimals: int, qty_decimals: int = 0
    ) -> BarSeries:
        """Collect bars of one instrument, none beginning before the one before it has ended. Raises InputError."""
        columns = tuple(array("q") for _ in range(7))
        open_ns, ts_ns, open_px, high_px, low_px, close_px, volume = (column.append for column in columns)
        session_end = bytearray()
        latest_ns = -(2**63)
        for bar in bars:
            if bar.open_ns < latest_ns or bar.instrument_id != instrument_id:
                raise _misplaced(bar, instrument_id, latest_ns)
            latest_ns = bar.ts_ns
            open_ns(bar.open_ns)
            ts_ns(latest_ns)
            open_px(bar.open_px)
            high_px(bar.high_px)
            low_px(bar.low_px)
            close_px(bar.close_px)
            volume(bar.volume)
            session_end.append(bar.is_session_end)
        identity = _Identity(instrument_id, canonical_timeframe(timeframe), price_decimals, qty_decimals)
        return _series(identity, columns, bytes(session_end))

    @classmethod
    def over(
        cls,
        columns: Sequence[memoryview[int]],
        session_end: bytes,
        *,
        instrument_id: str,
        timeframe: str,
        price_decimals: int,
        qty_decimals: int = 0,
    ) -> BarSeries:
        """A series on columns that are there already and were those of one: nothing is copied, nothing is checked.

        `columns`: open_ns, ts_ns, open_px, high_px, low_px, close_px, volume, each of 64-bit integers.
        """
        return _series(_Identity(instrument_id, timeframe, price_decimals, qty_decimals), tuple(columns), session_end)

    @property
    def instrument_id(self) -> str:
        """Whose bars these are."""
        return self._columns.identity.instrument_id

    @property
    def symbol(self) -> str:
        """The instrument's id, by the name that strategies use."""
        return self._columns.identity.instrument_id

    @property
    def timeframe(self) -> str:
        """The length of a bar, canonical ("5m")."""
        return self._columns.identity.timeframe

    @property
    def price_decimals(self) -> int:
        """A price quantum is 10**-price_decimals."""
        return self._columns.identity.price_decimals

    @property
    def qty_decimals(self) -> int:
        """A volume quantum is 10**-qty_decimals."""
        return self._columns.identity.qty_decimals

    @property
    def open_ns(self) -> memoryview[int]:
        """When each bar begins."""
        return self._columns.open_ns[self._start : self._stop]

    @property
    def ts_ns(self) -> memoryview[int]:
        """When each bar ends."""
        return self._columns.ts_ns[self._start : self._stop]

    @property
    def open_px(self) -> memoryview[int]:
        """Opening prices in quanta."""
        return self._columns.open_px[self._start : self._stop]

    @property
    def high_px(self) -> memoryview[int]:
        """Highest prices in quanta."""
        return self._columns.high_px[self._start : self._stop]

    @property
    def low_px(self) -> memoryview[int]:
        """Lowest prices in quanta."""
        return self._columns.low_px[self._start : self._stop]

    @property
    def close_px(self) -> memoryview[int]:
        """Closing prices in quanta."""
        return self._columns.close_px[self._start : self._stop]

    @property
    def volume(self) -> memoryview[int]:
        """Volumes in quanta; 0 where the feed has none."""
        return self._columns.volume[self._start : self._stop]

    @property
    def session_end(self) -> memoryview[int]:
        """1 where the venue's session ends with the bar, else 0."""
        return self._columns.session_end[self._start : self._stop]

    @property
    def opens(self) -> memoryview[float]:
        """Opening prices in units."""
        return self._floats("open_px", self.price_decimals)

    @property
    def highs(self) -> memoryview[float]:
        """Highest prices in units."""
        return self._floats("high_px", self.price_decimals)

    @property
    def lows(self) -> memoryview[float]:
        """Lowest prices in units."""
        return self._floats("low_px", self.price_decimals)

    @property
    def closes(self) -> memoryview[float]:
        """Closing prices in units."""
        return self._floats("close_px", self.price_decimals)

    @property
    def volumes(self) -> memoryview[float]:
        """Volumes in units."""
        return self._floats("volume", self.qty_decimals)

    def causal(self, key: object, make: Callable[[BarSeries], array[float]]) -> memoryview[float]:
        """A column whose value at each bar depends on that bar and earlier ones only: an indicator.

        For a slice that begins with the first bar it is computed once, over the whole series, and cut; equal, because
        it is causal. For any other slice it is computed over the slice. `key` names it: same key, same `make`.
        """
        if self._start:
            return _read_only(make(self))
        causal = self._columns.causal
        found = causal.get(key)
        if found is None:
            if len(causal) >= _CAUSAL_COLUMNS_MAX:
                del causal[next(iter(causal))]
            found = causal[key] = _read_only(make(BarSeries(self._columns, 0, len(self._columns.ts_ns))))
        return found[: self._stop]

    def until(self, count: int) -> BarSeries:
        """The first `count` bars: what is known after them. Cheap."""
        return BarSeries(self._columns, self._start, min(self._start + count, self._stop))

    def __len__(self) -> int:
        return self._stop - self._start

    @overload
    def __getitem__(self, index: int) -> Bar: ...
    @overload
    def __getitem__(self, index: slice) -> BarSeries: ...
    def __getitem__(self, index: int | slice) -> Bar | BarSeries:
        if isinstance(index, slice):
            start, stop, step = index.indices(len(self))
            if step != 1:
                raise ValueError(f"bars are sliced with step 1 only, not {step}: time runs forward")
            return BarSeries(self._columns, self._start + start, self._start + max(start, stop))
        at = index + (self._start if index >= 0 else self._stop)
        if not self._start <= at < self._stop:
            raise IndexError(f"bar {index} of a series of {len(self)}")
        return _bar(self._columns, at)

    def __iter__(self) -> Iterator[Bar]:
        start, stop = self._start, self._stop
        identity, *numbers, ends, _, _ = self._columns
        columns = [column[start:stop] for column in numbers]
        return map(Bar, repeat(identity.instrument_id), *columns, ends[start:stop].cast("?"))

    def __repr__(self) -> str:
        return f"BarSeries({self.instrument_id!r}, {self.timeframe!r}, {len(self)} bars)"

    def __reduce__(self) -> tuple[object, ...]:
        ints = (self.open_ns, self.ts_ns, self.open_px, self.high_px, self.low_px, self.close_px, self.volume)
        return _series, (self._columns.identity, tuple(array("q", column) for column in ints), bytes(self.session_end))

    def _floats(self, name: str, decimals: int) -> memoryview[float]:
        found = self._columns.floats.get(name)
        if found is None:
            scale = 10**decimals
            whole: memoryview[int] = getattr(self._columns, name)
            found = self._columns.floats[name] = _read_only(array("d", [n / scale for n in whole]))
        return found[self._start : self._stop]


def _series(identity: _Identity, columns: tuple[array[int] | memoryview[int], ...], session_end: bytes) -> BarSeries:
    open_ns, ts_ns, open_px, high_px, low_px, close_px, volume = (memoryview(column).toreadonly() for column in columns)
    ends = memoryview(session_end)
    whole = _Columns(identity, open_ns, ts_ns, open_px, high_px, low_px, close_px, volume, ends, {}, {})
    return BarSeries(whole, 0, len(session_end))


def _read_only(column: array[float]) -> memoryview[float]:
    return memoryview(column).toreadonly().cast("B").cast("d")


def _bar(columns: _Columns, at: int) -> Bar:
    return Bar(
        columns.identity.instrument_id,
        columns.open_ns[at],
        columns.ts_ns[at],
        columns.open_px[at],
        columns.high_px[at],
        columns.low_px[at],
        columns.close_px[at],
        columns.volume[at],
        columns.session_end[at] == 1,
    )


def _misplaced(bar: Bar, instrument_id: str, latest_ns: int) -> InputError:
    if bar.instrument_id != instrument_id:
        what = f"a bar of {bar.instrument_id} among those of {instrument_id}; load each instrument by itself"
    else:
        what = (
            f"the bar that opens at {iso_from_ns(bar.open_ns)} begins before the previous one ends"
            f" ({iso_from_ns(latest_ns)}); sort the bars, and check the timeframe"
        )
    return InputError(what, code="BARS_OUT_OF_ORDER", instrument_id=bar.instrument_id, open_ns=bar.open_ns)
