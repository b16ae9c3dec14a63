"""How an account at a crypto exchange is reached."""

from __future__ import annotations

import msgspec

from surefill.errors import ConfigError
from surefill.secret import Secret
from surefill.units import NS_PER_MS

#: Binance takes up to 60 s; SAFETY.md allows 5: what is older than that must not become an order any more.
RECV_WINDOW_MAX_MS = 5_000


class Keys(msgspec.Struct, frozen=True):
    """What the exchange knows us by. `password`: the pass phrase that some exchanges ask for beside the two (OKX)."""

    api_key: Secret = Secret()
    secret: Secret = Secret()
    password: Secret = Secret()


class CcxtSettings(msgspec.Struct, frozen=True):
    """One account at one exchange.

    `exchange`: "binance" (spot), "binanceusdm", "bybit", "okx" or "coinbase". `sandbox`: the exchange's own test
    system; `rest_url` and `stream_url` replace the host of all addresses (an emulated venue: "http://127.0.0.1:8080",
    "ws://127.0.0.1:8080"). `currency` and `money_decimals`: what fees in the account's money are counted in.
    `instrument_ids`: what this account trades; executions are looked for there besides wherever it is seen to trade.
    `hedge`: positions are kept per side (buckets LONG and SHORT). `category`: Bybit's product, "spot" or "linear".
    `fees_in_bnb`: the account pays its commissions in BNB and always has some: then instruments may be bought whose
    quantities are counted less finely than a commission in the asset itself (`Listing.counts_fees`).
    `listen_key`: the order stream is opened by a listen key; Binance spot has given that up for a signed
    subscription (None: as the exchange does it today). `timeout_s`: how long an answer may take.
    `recv_window_ms`: how long after signing the exchange may still take a request.
    `silence_s`: a stream that says nothing for that long is taken for dead. `keep_alive_s`: how often a listen key is
    renewed (Binance lets it die after 60 minutes). `clock_every_s`: how often the exchange's clock is compared.
    `poll_s`: how often Bybit, OKX and Coinbase are asked for executions and prices.
    `back_off_s` and `back_off_max_s`: the pause before a stream is opened again, doubled each time, with jitter.
    """

    exchange: str
    account: str = "main"
    keys: Keys = Keys()
    sandbox: bool = False
    rest_url: str = ""
    stream_url: str = ""
    currency: str = "USDT"
    money_decimals: int = 8
    instrument_ids: tuple[str, ...] = ()
    fees_in_bnb: bool = False
    hedge: bool = False
    category: str = "spot"
    listen_key: bool | None = None
    timeout_s: float = 10.0
    recv_window_ms: int = RECV_WINDOW_MAX_MS
    silence_s: float = 600.0
    keep_alive_s: float = 1_200.0
    clock_every_s: float = 600.0
    poll_s: float = 2.0
    back_off_s: float = 0.5
    back_off_max_s: float = 30.0

    def __post_init__(self) -> None:
        if not 0 < self.recv_window_ms <= RECV_WINDOW_MAX_MS:
            raise ConfigError(f"recv_window_ms must be 1 to {RECV_WINDOW_MAX_MS} (got {self.recv_window_ms})")
        if self.timeout_s <= 0:
            raise ConfigError(f"timeout_s must be above 0 (got {self.timeout_s})")

    @property
    def receive_window_ns(self) -> int:
        """The receive window in nanoseconds."""
        return self.recv_window_ms * NS_PER_MS
