"""Which of the contract's errors a refused order is.

That it was refused is proven by the adapter, by raw codes; here only a caller's exception is chosen. Too many requests
have codes of their own at every venue (the tables beside the adapters); a lack of money often has none (Binance's -2010
is any refusal), so there the words count.
"""

from __future__ import annotations

from typing import Final

from surefill.domain.refusals import RefusalCode
from surefill.intake.pipeline.exchange import (
    ExchangeError,
    InsufficientBalanceError,
    InvalidOrderError,
    RateLimitError,
)

_NO_MONEY: Final = frozenset({RefusalCode.INSUFFICIENT_CASH.name, RefusalCode.MARGIN_INSUFFICIENT.name})
_TOO_MANY: Final = frozenset(
    {
        *(RefusalCode.MESSAGE_RATE.name, RefusalCode.ORDER_RATE.name, RefusalCode.THROTTLED.name, "RATE_LIMIT"),
        *("HTTP_429", "HTTP_418", "-1003", "-1015"),  # any venue's; Binance's
        *("10006", "50011", "50061"),  # Bybit's, OKX's
    }
)


def failure_of(code: str, reason: str, *, undelivered: bool = False) -> ExchangeError:
    """The error to raise. `undelivered`: the order never reached the venue, and may be placed anew."""
    if code in _TOO_MANY:
        return RateLimitError(reason, code=code)
    if code in _NO_MONEY or _lacks_money(f"{code} {reason}".lower()):
        return InsufficientBalanceError(reason, code=code)
    return ExchangeError(reason, code=code) if undelivered else InvalidOrderError(reason, code=code)


def _lacks_money(text: str) -> bool:
    return "insufficient" in text and any(what in text for what in ("balance", "fund", "margin"))
