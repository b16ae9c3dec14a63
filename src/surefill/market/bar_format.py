"""What the rows of a file mean, and the checks that every row passes on its way to a bar."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Final, Literal, TypeVar

from surefill.domain.market import Bar
from surefill.errors import InputError
from surefill.market.sessions import ALWAYS_OPEN, AlwaysOpen, Calendar
from surefill.market.timeframes import DURATION_NS, canonical_timeframe
from surefill.units import (
    DECIMALS_MAX,
    NS_PER_HOUR,
    QTY_MAX,
    iso_from_ns,
    observed_quanta,
    quanta_text,
    to_quanta,
)

Span = tuple[int, int, bool]
Figure = str | int | float | Decimal
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class BarFormat:
    """How to read bars that a file holds.

    `price_decimals`, `qty_decimals`: the quanta to count in; a finer price or volume in the file is an error.
    `calendar`: when its sessions end; daily bars take their open and end from it.
    `zone`: the IANA time zone of timestamps without an offset. `stamp`: whether a row's timestamp is when its bar opens
    (most feeds) or when it closes. `cap_volume`: count a volume beyond the largest quantity as the largest.
    `time_format`: how `datetime.strptime` reads the timestamps, where they are written otherwise than
    `surefill.market.timestamps` knows.
    """

    instrument_id: str
    timeframe: str = "1d"
    price_decimals: int = 2
    qty_decimals: int = 0
    calendar: Calendar = ALWAYS_OPEN
    zone: str = "UTC"
    stamp: Literal["open", "close"] = "open"
    cap_volume: bool = False
    time_format: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "timeframe", canonical_timeframe(self.timeframe))
        if not self.instrument_id:
            raise InputError("a bar format needs an instrument_id", field="instrument_id")
        for name in ("price_decimals", "qty_decimals"):
            decimals = getattr(self, name)
            if decimals not in range(DECIMALS_MAX + 1):
                raise InputError(f"{name} must be 0 to {DECIMALS_MAX} (got {decimals!r})", field=name, value=decimals)
        if self.stamp not in ("open", "close"):
            raise InputError(f"stamp must be open or close (got {self.stamp!r})", field="stamp", value=self.stamp)


class BarChecks:
    """Makes bars from the rows of one file, in order, and refuses rows that cannot be.

    Raises InputError whose `field` value is the name of the column.
    """

    def __init__(self, fmt: BarFormat) -> None:
        self._id = fmt.instrument_id
        self._fmt = fmt
        self._span = span_of(fmt)
        self._latest_stamp = -(2**63)
        self._latest_end = -(2**63)

    def bar(self, stamp_ns: int, open_px: int, high_px: int, low_px: int, close_px: int, volume: int) -> Bar:
        """The bar of one row; integers in quanta."""
        open_ns, ts_ns, is_session_end = self._span(stamp_ns)
        if (
            open_ns < self._latest_end
            or stamp_ns <= self._latest_stamp
            or not (0 < low_px <= open_px <= high_px and low_px <= close_px <= high_px)
            or volume < 0
        ):
            prices = {"open": open_px, "high": high_px, "low": low_px, "close": close_px}
            raise next(self.faults(stamp_ns, prices, volume))
        self._latest_stamp = stamp_ns
        self._latest_end = ts_ns
        return Bar(self._id, open_ns, ts_ns, open_px, high_px, low_px, close_px, volume, is_session_end)

    def faults(self, stamp_ns: int | None, prices: Mapping[str, int], volume: int | None) -> Iterator[InputError]:
        """All that is wrong with a row, of which some figures may not be known."""
        if stamp_ns is not None:
            yield from self._faults_of_order(stamp_ns)
        yield from self._faults_of_prices(prices)
        if volume is not None and volume < 0:
            text = quanta_text(volume, self._fmt.qty_decimals)
            yield _fault("NEGATIVE", "volume", text, "volume must not be negative")

    def pass_over(self, stamp_ns: int) -> None:
        """Go on behind a row that made no bar: what comes next is held against it."""
        self._latest_stamp = stamp_ns
        self._latest_end = self._span(stamp_ns)[1]

    def _faults_of_order(self, stamp_ns: int) -> Iterator[InputError]:
        now, before = iso_from_ns(stamp_ns), iso_from_ns(self._latest_stamp)
        if stamp_ns == self._latest_stamp:
            yield _fault("DUPLICATE_BAR", "ts", now, f"{now} appears twice; remove one of the two rows")
        elif stamp_ns < self._latest_stamp:
            what = f"{now} comes after {before}; sort the rows by time, oldest first"
            yield _fault("UNSORTED_BARS", "ts", now, what)
        elif self._span(stamp_ns)[0] < self._latest_end:
            yield _fault(
                "OVERLAPPING_BARS",
                "ts",
                now,
                f"the bar of {now} begins before the one of {before} has ended ({iso_from_ns(self._latest_end)}):"
                f" rows are closer together than the timeframe {self._fmt.timeframe}; give the timeframe of the file"
                " (and for daily bars in local time the calendar)",
            )

    def _faults_of_prices(self, prices: Mapping[str, int]) -> Iterator[InputError]:
        text = {name: quanta_text(px, self._fmt.price_decimals) for name, px in prices.items()}
        for name, px in prices.items():
            if px <= 0:
                what = f"{name} must be above 0 (got {text[name]})"
                yield _fault("NOT_POSITIVE", name, text[name], what)
        high, low = prices.get("high"), prices.get("low")
        if high is not None:
            above = next((name for name in ("open", "close", "low") if prices.get(name, high) > high), None)
            if above is not None:
                what = f"high {text['high']} is below {above} {text[above]}; mend the row"
                yield _fault("HIGH_TOO_LOW", "high", text["high"], what)
        if low is not None:
            below = next((name for name in ("open", "close") if prices.get(name, low) < low), None)
            if below is not None:
                what = f"low {text['low']} is above {below} {text[below]}; mend the row"
                yield _fault("LOW_TOO_HIGH", "low", text["low"], what)


def faults_of_row(
    checks: BarChecks, fmt: BarFormat, stamp: Callable[[], int], prices: Mapping[str, Figure], volume: Figure
) -> list[InputError]:
    """All that is wrong with a row that makes no bar, cell by cell; the next rows are held against its time."""
    found: list[InputError] = []

    def read(cell: Callable[[], _T]) -> _T | None:
        try:
            return cell()
        except InputError as error:
            found.append(error)
            return None

    stamp_ns = read(stamp)
    known: dict[str, int] = {}
    for name, value in prices.items():
        px = read(partial(observed_quanta, value, fmt.price_decimals, field=name))
        if px is not None:
            known[name] = px
    count = read(lambda: volume_quanta(volume, fmt))
    found += checks.faults(stamp_ns, known, count)
    if stamp_ns is not None:
        checks.pass_over(stamp_ns)
    return found


def volume_quanta(value: Figure, fmt: BarFormat) -> int:
    """A volume in quanta; with `cap_volume` never more than the largest quantity. Raises InputError."""
    try:
        return to_quanta(value, fmt.qty_decimals, field="volume", max_quanta=QTY_MAX)
    except InputError as error:
        if error.code == "OUT_OF_RANGE" and fmt.cap_volume:
            return QTY_MAX
        raise


_ADVICE: Final = {
    "TOO_FINE": "; round it, or read the file with a larger {option} (the setting instruments.SYMBOL.{option})",
    "OUT_OF_RANGE": "; read the file with a smaller {option} (the setting instruments.SYMBOL.{option})",
    "NOT_POSITIVE": "; remove the row or mend the price",
    "NEGATIVE": "; remove the row or mend the value",
    "NOT_FINITE": "; remove the row or mend the value",
    "NOT_A_NUMBER": "",
}


def located(error: InputError, code: str, place: str, line: int, columns: dict[str, str]) -> InputError:
    """The same error, saying where: the file, the line, and the column by the name that the file gives it."""
    field = str(error.values.get("field", ""))
    column = columns.get(field, field)
    option = "qty_decimals" if field == "volume" else "price_decimals"
    advice = _ADVICE.get(error.code, "").format(option=option)
    return InputError(
        f"{place} {line}, column {column}: {error.message}{advice}",
        code=code,
        line=line,
        column=column,
        value=error.values.get("value"),
        reason=error.code,
    )


def _fault(code: str, field: str, value: str, message: str) -> InputError:
    return InputError(message, code=code, field=field, value=value)


def span_of(fmt: BarFormat) -> Callable[[int], Span]:
    """Where a bar begins and ends, and whether its session ends with it, from the timestamp of its row."""
    duration = DURATION_NS[fmt.timeframe]
    back = duration if fmt.stamp == "close" else 0
    calendar = fmt.calendar
    if fmt.timeframe == "1d" and not isinstance(calendar, AlwaysOpen):
        return lambda stamp_ns: _day_span(calendar, stamp_ns, back)
    if fmt.timeframe in ("1d", "1w"):
        return lambda stamp_ns: (stamp_ns - back, stamp_ns - back + duration, True)
    session_end = calendar.session_end

    def intraday(stamp_ns: int) -> Span:
        """A bar ends with its session, if that is earlier than its length says."""
        open_ns = stamp_ns - back
        ts_ns = open_ns + duration
        session_end_ns = session_end(open_ns)
        if session_end_ns > ts_ns:
            return open_ns, ts_ns, False
        return open_ns, session_end_ns, True

    return intraday


def _day_span(calendar: Calendar, stamp_ns: int, back: int) -> Span:
    """The session of the day that the row is dated with; on a day that the calendar has closed, 24 hours."""
    session = calendar.session_on(calendar.trading_day(stamp_ns - 1 if back else stamp_ns))
    if session is None or abs((session.end_ns if back else session.open_ns) - stamp_ns) > _SAME_DAY_NS:
        return stamp_ns - back, stamp_ns - back + DURATION_NS["1d"], True
    return session.open_ns, session.end_ns, True


_SAME_DAY_NS: Final = 18 * NS_PER_HOUR  # from midnight UTC, no market opens later than this on the same day
