"""The dump of instruments: read once a day, kept as a file, turned into instruments.

Kite makes it anew every morning, some megabytes for all exchanges (https://kite.trade/docs/connect/v3/market-quotes/).
It tells ticks and lots. It tells neither freeze quantities nor how much one unit of a price is worth at the commodity
and currency segments: what is traded there must have its multiplier in the settings, else it is listed as not tradable.
"""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterable
from datetime import datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Final

import msgspec

from surefill.domain.instrument import Instrument, Terms
from surefill.errors import SurefillError, VenueOutcomeUnknown
from surefill.units import datetime_from_ns, money_per_notional, ns_from_datetime, to_quanta
from surefill.venues.kite.rows import IST
from surefill.venues.kite.settings import KiteSettings

#: The ticker's own scales: finer than paise where currencies trade.
FINE_EXCHANGES: Final = frozenset({"CDS", "BCD", "NCO"})
#: Where a price is per unit and a quantity in units, so that one is worth one.
PLAIN_EXCHANGES: Final = frozenset({"NSE", "BSE", "NFO", "BFO"})
#: The exchanges of one city keep one calendar; the other segments have none yet, and are taken as always open.
CALENDARS: Final = {"NSE": "nse", "BSE": "nse", "NFO": "nfo", "BFO": "nfo"}
INDICES: Final = "INDICES"


class Listed(msgspec.Struct, frozen=True):
    """A line of the dump: the instrument, its number at the ticker, its expiry, what one order may have (0: any)."""

    instrument: Instrument
    token: int
    exchange: str
    tradingsymbol: str
    expiry: str = ""
    freeze_qty: int = 0


def listing_of(dump: str, settings: KiteSettings) -> dict[str, Listed]:
    """The dump by instrument id. Raises VenueOutcomeUnknown where it is no dump."""
    rows = csv.DictReader(io.StringIO(dump))
    try:
        listed = [_listed(row, settings) for row in rows]
    except (KeyError, TypeError, ValueError, InvalidOperation, SurefillError) as error:
        raise VenueOutcomeUnknown(f"the dump of instruments cannot be read, line {rows.line_num}: {error!r}") from error
    if not listed:
        raise VenueOutcomeUnknown("the dump of instruments is empty")
    return {each.instrument.instrument_id: each for each in listed}


def usual_decimals(exchange: str) -> int:
    """The decimals of an exchange's prices: of an instrument, if its tick is not finer still."""
    return 4 if exchange in FINE_EXCHANGES else 2


def _listed(row: dict[str, str], settings: KiteSettings) -> Listed:
    exchange, symbol, name = row["exchange"], row["tradingsymbol"], row["name"]
    instrument_id, underlying = f"{exchange}:{symbol}", f"{exchange}:{name}"
    tick = Decimal(row["tick_size"])
    decimals = max(usual_decimals(exchange), -int(tick.normalize().as_tuple().exponent))
    plain = 1 if exchange in PLAIN_EXCHANGES else 0
    multiplier = settings.multipliers.get(instrument_id) or settings.multipliers.get(underlying) or plain
    freeze = settings.freeze_quantities.get(instrument_id) or settings.freeze_quantities.get(underlying) or 0
    expiry, lot = row["expiry"], int(row["lot_size"])
    first = Terms(
        tick=to_quanta(tick, decimals, field="tick_size") or 1,
        lot=lot or 1,
        min_qty=lot or 1,
        tradable=bool(multiplier) and lot > 0 and row["segment"] != INDICES,
    )
    terms = (
        (first, msgspec.structs.replace(first, effective_ns=_over_ns(expiry), tradable=False)) if expiry else (first,)
    )
    instrument = Instrument(
        instrument_id,
        "INR",
        decimals,
        0,
        money_per_notional(multiplier or 1, decimals, 0, settings.money_decimals),
        terms,
        calendar=CALENDARS.get(exchange, "24x7"),
        underlying=underlying if row["instrument_type"] != "EQ" else "",
        segment=row["segment"],
    )
    return Listed(instrument, int(row["instrument_token"]), exchange, symbol, expiry, freeze)


def _over_ns(expiry: str) -> int:
    """The midnight after an expiry."""
    day = datetime.strptime(expiry, "%Y-%m-%d").replace(tzinfo=IST)
    return ns_from_datetime(day + timedelta(days=1))


class DumpCache:
    """One file per exchange and day; those of other days are removed."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def get(self, exchange: str, now_ns: int) -> str:
        """The day's dump; "" where there is none yet."""
        if self._folder is None:
            return ""
        try:
            return self._file(exchange, now_ns).read_text("utf-8")
        except FileNotFoundError:
            return ""

    def put(self, exchange: str, now_ns: int, dump: str) -> None:
        """Keep it, whole or not at all."""
        if self._folder is None:
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        file = self._file(exchange, now_ns)
        for old in self._others(exchange, file):
            old.unlink(missing_ok=True)
        draft = file.with_suffix(f".{os.getpid()}.draft")
        draft.write_text(dump, "utf-8")
        draft.replace(file)

    def _others(self, exchange: str, file: Path) -> Iterable[Path]:
        assert self._folder is not None
        return [each for each in self._folder.glob(f"instruments-{exchange}-*.csv") if each != file]

    def _file(self, exchange: str, now_ns: int) -> Path:
        assert self._folder is not None
        local = datetime_from_ns(now_ns).astimezone(IST)
        # Before the morning's dump is made, yesterday's is still the day's.
        day = local.date() if local.time() >= time(8, 30) else local.date() - timedelta(days=1)
        return self._folder / f"instruments-{exchange}-{day.isoformat()}.csv"
