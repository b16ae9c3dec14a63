"""Order requests, and settings for an emulated or a raw venue."""

from __future__ import annotations

import time

from surefill.domain.orders import OrderRequest
from surefill.rules.codes import OrdType, TimeInForce
from surefill.secret import Secret
from surefill.testing.emulators.binance.venue import API_KEY, SECRET
from surefill.units import NS_PER_S
from surefill.venues.ccxt import CcxtSettings, Keys

SPOT, USDM = "BTC/USDT", "BTC/USDT:USDT"
INSTRUMENTS = {"binance": SPOT, "binanceusdm": USDM}
#: Price quanta of one dollar, quantity quanta of one bitcoin.
DOLLAR = {SPOT: 100, USDM: 10}
BITCOIN = {SPOT: 100_000_000, USDM: 1_000}
KEYS = Keys(Secret(API_KEY), Secret(SECRET))


def order(
    cl_ord_id: str,
    instrument_id: str = SPOT,
    side: int = 1,
    qty: int = 0,
    *,
    px: int = 0,
    stop: int = 0,
    tif: int = TimeInForce.GTC,
    bucket: str = "",
    reduce_only: bool = False,
    ord_type: int = 0,
) -> OrderRequest:
    """Of a hundredth of a bitcoin where nothing else is said; prices in whole dollars."""
    now_ns = time.time_ns()
    dollar = DOLLAR[instrument_id]
    kinds = {
        (False, False): OrdType.MARKET,
        (True, False): OrdType.LIMIT,
        (False, True): OrdType.STOP,
        (True, True): OrdType.STOP_LIMIT,
    }
    return OrderRequest(
        cl_ord_id,
        f"ref-{cl_ord_id}",
        instrument_id,
        bucket,
        side,
        ord_type or kinds[bool(px), bool(stop)],
        qty or BITCOIN[instrument_id] // 100,
        px * dollar,
        stop * dollar,
        tif,
        reduce_only,
        60_000 * dollar,
        now_ns,
        now_ns + 5 * NS_PER_S,
    )


def settings(exchange: str, rest_url: str, stream_url: str = "", **others: object) -> CcxtSettings:
    """For an emulated venue."""
    suffix = "/fstream" if exchange == "binanceusdm" and stream_url else ""
    known: dict[str, object] = {"keys": KEYS, "timeout_s": 2.0, "back_off_s": 0.02, "back_off_max_s": 0.1}
    return CcxtSettings(exchange, rest_url=rest_url, stream_url=stream_url + suffix, **(known | others))  # type: ignore[arg-type]
