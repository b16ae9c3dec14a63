"""What the rows of a file mean, and the checks that every row passes on its way to a bar."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Literal, NoReturn

from surefill.domain.market import Bar
from surefill.errors import InputError
from surefill.market.sessions import ALWAYS_OPEN, AlwaysOpen, Calendar
from surefill.market.timeframes import DURATION_NS, canonical_timeframe
from surefill.units import DECIMALS_MAX, NS_PER_HOUR, QTY_MAX, iso_from_ns, quanta_text, to_quanta

Span = tuple[int, int, bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class BarFormat:
    """How to read bars that a file holds.

    `price_decimals`, `qty_decimals`: the quanta to count in; a finer price or volume in the file is an error.
    `calendar`: when its sessions end; daily bars take their open and end from it.
    `zone`: the IANA time zone of timestamps without an offset. `stamp`: whether a row's timestamp is when its bar opens
    (most feeds) or when it closes. `cap_volume`: count a volume beyond the largest quantity as the largest.
    """

    instrument_id: str
    timeframe: str = "1d"
    price_decimals: int = 2
    qty_decimals: int = 0
    calendar: Calendar = ALWAYS_OPEN
    zone: str = "UTC"
    stamp: Literal["open", "close"] = "open"
    cap_volume: bool = False

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
        if open_ns < self._latest_end or stamp_ns <= self._latest_stamp:
            self._refuse_order(stamp_ns)
        if not (0 < low_px <= open_px <= high_px and low_px <= close_px <= high_px):
            self._refuse_prices(open_px, high_px, low_px, close_px)
        if volume < 0:
            _refuse("volume", quanta_text(volume, self._fmt.qty_decimals), "volume must not be negative")
        self._latest_stamp = stamp_ns
        self._latest_end = ts_ns
        return Bar(self._id, open_ns, ts_ns, open_px, high_px, low_px, close_px, volume, is_session_end)

    def _refuse_order(self, stamp_ns: int) -> NoReturn:
        now, before = iso_from_ns(stamp_ns), iso_from_ns(self._latest_stamp)
        if stamp_ns == self._latest_stamp:
            _refuse("ts", now, f"{now} appears twice; remove one of the two rows")
        if stamp_ns < self._latest_stamp:
            _refuse("ts", now, f"{now} comes after {before}; sort the rows by time, oldest first")
        _refuse(
            "ts",
            now,
            f"the bar of {now} begins before the one of {before} has ended ({iso_from_ns(self._latest_end)}):"
            f" rows are closer together than the timeframe {self._fmt.timeframe}; give the timeframe of the file"
            " (and for daily bars in local time the calendar)",
        )

    def _refuse_prices(self, open_px: int, high_px: int, low_px: int, close_px: int) -> NoReturn:
        named = {"open": open_px, "high": high_px, "low": low_px, "close": close_px}
        text = {name: quanta_text(px, self._fmt.price_decimals) for name, px in named.items()}
        for name, px in named.items():
            if px <= 0:
                _refuse(
                    name, text[name], f"{name} must be above 0 (got {text[name]}); remove the row or mend the price"
                )
        for name in ("open", "close", "low"):
            if named[name] > high_px:
                _refuse("high", text["high"], f"high {text['high']} is below {name} {text[name]}; mend the row")
        for name in ("open", "close"):
            if named[name] < low_px:
                _refuse("low", text["low"], f"low {text['low']} is above {name} {text[name]}; mend the row")
        raise AssertionError(text)


def volume_quanta(value: str | int | float | Decimal, fmt: BarFormat) -> int:
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


def _refuse(field: str, value: str, message: str) -> NoReturn:
    raise InputError(message, code="INVALID_BAR", field=field, value=value)


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
