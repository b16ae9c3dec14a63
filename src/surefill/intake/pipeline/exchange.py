"""What the contract calls an exchange: one account at one venue, in units and plain words.

It is a view: what it is asked to do goes through the core like everything else, gates and journal included.

::

    ExchangeError                   the exchange, or the way to it, failed; nobody may conclude that nothing happened
    ├── RateLimitError              proof that nothing happened: too many requests; `retry_after` seconds where it says
    ├── InsufficientBalanceError    proof that nothing happened: it costs more than there is
    ├── OrderNotFoundError          there is no such order
    └── InvalidOrderError           proof that nothing happened: the order's terms, or a gate, were against it
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import datetime

from surefill.errors import SurefillError
from surefill.intake.pipeline.order_view import ManagedOrder


class ExchangeError(SurefillError):
    """The exchange, or the way to it, failed. `code` is stable."""

    code = "EXCHANGE_ERROR"


class RateLimitError(ExchangeError):
    """Too many requests; nothing happened. `retry_after`: seconds, None where nobody said."""

    code = "RATE_LIMIT"

    def __init__(self, message: str, *, retry_after: float | None = None, code: str | None = None) -> None:
        super().__init__(message, code=code, retry_after=retry_after)
        self.retry_after = retry_after


class InsufficientBalanceError(ExchangeError):
    """It costs more than there is; nothing happened."""

    code = "INSUFFICIENT_BALANCE"


class OrderNotFoundError(ExchangeError):
    """There is no such order."""

    code = "ORDER_NOT_FOUND"


class InvalidOrderError(ExchangeError):
    """The order's terms, or a gate, were against it; nothing happened."""

    code = "INVALID_ORDER"


@dataclass(frozen=True)
class Balance:
    """Money of one currency. `total` with open positions at the last prices seen, None while one has no price."""

    currency: str
    free: float
    total: float | None


@dataclass(frozen=True)
class ExchangePosition:
    """What is held of one symbol. `side` LONG or SHORT, `quantity` positive."""

    symbol: str
    side: str
    quantity: float
    entry_price: float
    unrealized_pnl: float


@dataclass(frozen=True)
class Ticker:
    """The last market seen; None for what nobody has quoted."""

    symbol: str
    last: float | None
    bid: float | None
    ask: float | None
    timestamp: datetime


@dataclass(frozen=True)
class SymbolInfo:
    """The terms of a symbol's orders."""

    symbol: str
    currency: str
    price_precision: int
    quantity_precision: int
    tick_size: float
    lot_size: float
    min_quantity: float
    max_quantity: float


class ExchangeAdapter(ABC):
    """The contract's interface; coroutines, for any loop but the engine's own."""

    name: str = ""
    market_type: str = "spot"
    testnet: bool = False

    @abstractmethod
    async def place_order(
        self,
        symbol: str,
        side: str,
        order_type: str,
        quantity: float,
        price: float | None = None,
        stop_price: float | None = None,
        *,
        client_order_id: str | None = None,
        reduce_only: bool = False,
        stop_loss: float | None = None,
        take_profit: float | None = None,
        signal_strength: float | None = None,
        confluence_score: float | None = None,
    ) -> ManagedOrder:
        """Place an order: MARKET, LIMIT, STOP or STOP_LIMIT.

        `client_order_id` is the idempotency key. Raises InvalidOrderError, InsufficientBalanceError, RateLimitError,
        and ExchangeError (OUTCOME_UNKNOWN) where nobody knows: then ask for the order, do not place it again.
        """

    @abstractmethod
    async def cancel_order(self, order_id: str, symbol: str | None = None) -> ManagedOrder:
        """Ask for an order's end, by its exchange or client id; where it stands then. Raises OrderNotFoundError."""

    @abstractmethod
    async def get_order(self, order_id: str, symbol: str | None = None) -> ManagedOrder:
        """Where an order stands, by its exchange or client id. Raises OrderNotFoundError."""

    @abstractmethod
    async def get_balance(self, currency: str | None = None) -> Balance:
        """The money of the account. Raises ExchangeError for a currency that it does not count in."""

    @abstractmethod
    async def get_positions(self, symbol: str | None = None) -> list[ExchangePosition]:
        """What is held."""

    @abstractmethod
    async def get_ticker(self, symbol: str) -> Ticker:
        """The last market seen. Raises ExchangeError where there is none."""

    @abstractmethod
    async def get_symbol_info(self, symbol: str) -> SymbolInfo:
        """The terms of a symbol's orders. Raises InvalidOrderError for what is no symbol here."""

    @abstractmethod
    async def close(self) -> None:
        """Let go; orders stay where they are."""
