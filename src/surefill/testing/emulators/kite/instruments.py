"""What can be traded, and the dump of it.

Tokens carry the segment in their lowest byte, as the binary ticker needs it (`EXCHANGE_MAP` of the client library).
The listing is made up in everything that changes daily (last prices, expiries); symbols and tokens of shares and
indices are the real ones of the recorded samples.
"""

from __future__ import annotations

import csv
import io
from typing import Final

import msgspec

from surefill.testing.emulators.kite.amounts import PX_ONE, px_text

EQUITY_EXCHANGES: Final = frozenset({"NSE", "BSE"})
INDICES: Final = 9
COLUMNS: Final = (
    "instrument_token",
    "exchange_token",
    "tradingsymbol",
    "name",
    "last_price",
    "expiry",
    "strike",
    "tick_size",
    "lot_size",
    "instrument_type",
    "segment",
    "exchange",
)


class Instrument(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the dump, and what the dump does not tell.

    Prices in ten-thousandths of a rupee; `freeze_qty` is the most that one order may have; an order's price may be
    `band_pct` away from the previous close.
    """

    instrument_token: int
    tradingsymbol: str
    exchange: str
    name: str = ""
    last_px: int = 0
    expiry: str = ""
    strike: int = 0
    tick: int = PX_ONE // 20
    lot_size: int = 1
    instrument_type: str = "EQ"
    segment: str = ""
    multiplier: int = 1
    freeze_qty: int = 100_000
    band_pct: int = 20
    isin: str = ""

    @property
    def key(self) -> str:
        """`EXCHANGE:TRADINGSYMBOL`."""
        return f"{self.exchange}:{self.tradingsymbol}"

    @property
    def tradable(self) -> bool:
        """Indices are not."""
        return self.instrument_token & 0xFF != INDICES

    def row(self) -> list[str]:
        """Its line of the dump."""
        token = str(self.instrument_token)
        figures = [_float_text(self.last_px), self.expiry, _float_text(self.strike), px_text(self.tick)]
        kind = [str(self.lot_size), self.instrument_type, self.segment or self.exchange, self.exchange]
        return [token, str(self.instrument_token >> 8), self.tradingsymbol, self.name, *figures, *kind]


def _float_text(px: int) -> str:
    """The dump writes a nought behind the point where there is nothing else."""
    text = px_text(px)
    return text if "." in text else f"{text}.0"


def dump(instruments: list[Instrument], exchange: str = "") -> str:
    """The CSV of one exchange, or of all."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(each.row() for each in instruments if exchange in ("", each.exchange))
    return out.getvalue()


def _share(token: int, symbol: str, name: str, rupees: int, isin: str, exchange: str = "NSE") -> Instrument:
    return Instrument(
        instrument_token=token, tradingsymbol=symbol, exchange=exchange, name=name, last_px=rupees * PX_ONE, isin=isin
    )


#: What is listed when a test says nothing else.
LISTING: Final = (
    _share(408065, "INFY", "INFOSYS", 1500, "INE009A01021"),
    _share(779521, "SBIN", "STATE BANK OF INDIA", 800, "INE062A01020"),
    _share(738561, "RELIANCE", "RELIANCE INDUSTRIES", 2900, "INE002A01018"),
    _share(128028676, "SBIN", "STATE BANK OF INDIA", 800, "INE062A01020", "BSE"),
    Instrument(
        instrument_token=256265, tradingsymbol="NIFTY 50", exchange="NSE", name="NIFTY 50", last_px=24_000 * PX_ONE,
        tick=0, lot_size=0, segment="INDICES",
    ),
    Instrument(
        instrument_token=0xE00102, tradingsymbol="NIFTY26DECFUT", exchange="NFO", name="NIFTY",
        last_px=24_100 * PX_ONE, expiry="2026-12-29", tick=PX_ONE // 10, lot_size=75, instrument_type="FUT",
        segment="NFO-FUT", freeze_qty=1800,
    ),
    Instrument(
        instrument_token=0xE00202, tradingsymbol="NIFTY26DEC24000CE", exchange="NFO", name="NIFTY",
        last_px=300 * PX_ONE, expiry="2026-12-29", strike=24_000 * PX_ONE, lot_size=75, instrument_type="CE",
        segment="NFO-OPT", freeze_qty=1800, band_pct=90,
    ),
    Instrument(
        instrument_token=0xE00103, tradingsymbol="USDINR26DECFUT", exchange="CDS", name="USDINR", last_px=84 * PX_ONE,
        expiry="2026-12-29", tick=25, instrument_type="FUT", segment="CDS-FUT", multiplier=1000, freeze_qty=10_000,
        band_pct=3,
    ),
    Instrument(
        instrument_token=0xE00107, tradingsymbol="LEADMINI26DECFUT", exchange="MCX", name="LEADMINI",
        last_px=161 * PX_ONE, expiry="2026-12-31", instrument_type="FUT", segment="MCX-FUT", multiplier=1000,
        freeze_qty=600,
    ),
)  # fmt: skip
