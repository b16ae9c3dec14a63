"""What the adapter is told: whose account, how orders are placed, and what the broker allows."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from surefill.errors import ConfigError
from surefill.secret import Secret

PRODUCTS: Final = frozenset({"CNC", "MIS", "NRML", "MTF"})
VARIETIES: Final = frozenset({"regular", "amo", "iceberg"})
ICEBERG_LEGS: Final = range(2, 11)


class KiteSettings(msgspec.Struct, frozen=True, kw_only=True):
    """One account at Zerodha. Raises ConfigError where settings cannot be.

    `product` is what the bucket "" stands for; other buckets name their product. `variety` is regular, amo (after
    market) or iceberg, then with `iceberg_legs`. `market_protection` goes with every order without a price of its own:
    -1 is what the broker takes by itself, else whole percents from 1 to 100; none at all is refused by the exchanges.
    `freeze_quantities` and `multipliers` are by instrument id or by `EXCHANGE:NAME` of the underlying: the dump of
    instruments has neither. A quantity above the freeze quantity is sliced by the broker (`slicing`) or refused.
    `holdings_exchange`: where holdings are booked, whichever exchange Kite lists them at ("": as listed).

    The broker's limits, as its documentation told in 2025: 10 orders a second, 200 a minute (400 since), a cap a day,
    25 changes of one order. `api_secret` only checks postbacks. `cache_dir` keeps the day's dump of instruments.
    `poll_s` is how often the order book is read without a hint, `hint_spacing_s` how soon after another look a hint
    may bring about one. After a cancel or a change the order is looked at `settle_looks` times, `settle_s` apart.
    `silence_s`: a ticker that says nothing for so long (its heartbeat is one second) is connected anew, after
    `reconnect_first_s` at first and up to `reconnect_max_s`.
    """

    api_key: str
    access_token: Secret
    api_secret: Secret | None = None
    root: str = "https://api.kite.trade"
    ticker_url: str = "wss://ws.kite.trade"
    exchanges: tuple[str, ...] = ("NSE", "NFO")
    product: str = ""
    variety: str = "regular"
    iceberg_legs: int = 0
    market_protection: int = -1
    slicing: bool = True
    freeze_quantities: Mapping[str, int] = {}
    multipliers: Mapping[str, int] = {}
    holdings_exchange: str = ""
    money_decimals: int = 4
    cache_dir: Path | None = None
    timeout_s: float = 7.0
    poll_s: float = 1.0
    hint_spacing_s: float = 0.2
    settle_looks: int = 4
    settle_s: float = 0.25
    ticker: bool = True
    silence_s: float = 5.0
    reconnect_first_s: float = 0.5
    reconnect_max_s: float = 30.0
    orders_per_s: int = 10
    orders_per_min: int = 200
    orders_per_day: int = 5_000
    modifications_max: int = 25

    def __post_init__(self) -> None:
        if self.product and self.product not in PRODUCTS:
            raise ConfigError(f"product {self.product!r} is none of {', '.join(sorted(PRODUCTS))}")
        if self.variety not in VARIETIES:
            raise ConfigError(f"variety {self.variety!r} is none of {', '.join(sorted(VARIETIES))}")
        if (self.variety == "iceberg") != (self.iceberg_legs in ICEBERG_LEGS):
            raise ConfigError(f"iceberg orders, and only they, have {ICEBERG_LEGS[0]} to {ICEBERG_LEGS[-1]} legs")
        if self.market_protection != -1 and not 1 <= self.market_protection <= 100:
            raise ConfigError("market_protection is -1 or 1 to 100 percent: the exchanges take no order without")
