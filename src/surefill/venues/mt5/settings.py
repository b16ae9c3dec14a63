"""How to reach a terminal, and how to trade through it."""

from __future__ import annotations

import msgspec

from surefill.secret import Secret


class Mt5Settings(msgspec.Struct, frozen=True):
    """Settings of one account at one terminal.

    `magic` marks our orders, and ours alone: no other program on the account may use it. `symbols`: what to trade
    (none: all that the market watch shows). `deviation_points`: how far a price may slip in Instant execution.
    `calendar` of the instruments. `server_offset_s`: the server's clock less UTC, until ticks say it.
    With `gateway_url` the terminal is reached through `surefill mt5 gateway`; without, through the package MetaTrader5
    on this machine, for which `path`, `login`, `password`, `server` are (empty: the terminal as it is).
    `timeout_s`: how long a call may take. `poll_s`: how often deals and orders are looked at, `quote_poll_s`: prices.
    `history_s`: how far back an order is looked for, beyond its own time.
    """

    magic: int = 750_001
    symbols: tuple[str, ...] = ()
    deviation_points: int = 20
    money_decimals: int = 8
    calendar: str = "forex"
    server_offset_s: int | None = None
    gateway_url: str = ""
    gateway_token: Secret = Secret()
    path: str = ""
    login: int = 0
    password: Secret = Secret()
    server: str = ""
    timeout_s: float = 20.0
    poll_s: float = 0.5
    quote_poll_s: float = 0.25
    history_s: int = 3_600
