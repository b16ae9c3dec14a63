"""What a test can set about the venue: how it trades, what it allows, where it sends things."""

from __future__ import annotations

import msgspec

from surefill.testing.emulators.kite.amounts import PX_ONE


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Requests allowed; 0 is no limit. Sources: Kite Connect's documentation, "API rate limits", and its forum.

    Kite tells 10 orders a second and, since 2026, 400 a minute (200 before, which stays the default here), 5000 a day,
    25 changes of one order, one quote request a second, and ten of anything else. Triggers that may be active at once:
    support.zerodha.com, "Why are GTTs disabled, cancelled, expired, or rejected?", 2026.
    """

    orders_per_s: int = 10
    orders_per_min: int = 200
    orders_per_day: int = 5000
    modifications_max: int = 25
    quotes_per_s: int = 1
    others_per_s: int = 10
    tokens_per_socket: int = 3000
    sockets_max: int = 3
    triggers_max: int = 250


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """How the venue behaves. Times in milliseconds, amounts in ten-thousandths of a rupee.

    `slices`: pieces that a fill comes in; `doubt`: what an answer says when that fault strikes (a name in
    `errors.DOUBTS`); `protection_pct`: what market protection -1 means (Kite's own depends on the instrument and its
    price); `mis_leverage`, `cash`: a margin far simpler than the broker's; `check_margin` switches it off.
    """

    limits: Limits = Limits()
    market_open: bool = True
    slices: int = 1
    doubt: str = "network_503"
    protection_pct: int = 3
    check_margin: bool = True
    mis_leverage: int = 5
    cash: int = 1_000_000 * PX_ONE
    heartbeat_ms: int = 1000
    postback_url: str = ""
    redirect_url: str = "http://127.0.0.1/"
