"""Accounts at real exchanges: the contract's adapter of Binance, and Bybit, OKX and Coinbase by the same.

The wire is the adapter of `surefill.venues.ccxt`; what this makes is a workspace at it, so that every order meets the
gates and stands in the journal.
"""

from __future__ import annotations

from surefill.intake.door_settings import Config
from surefill.intake.pipeline.pipeline import PROFILE, ExecutionPipeline
from surefill.intake.pipeline.places import settings_at
from surefill.intake.pipeline.workspace_exchange import WorkspaceExchange
from surefill.intake.real_venue import RealVenue


class ExchangeAccount(WorkspaceExchange):
    """An account at one of the exchanges that ccxt reaches. Opening it blocks.

    `config`: a dict, a file's path, or settings. It is a dry run unless that says `workspace.mode: live` and `venue`
    that the money is real. Raises ConfigError and JournalError when it cannot be opened.
    """

    def __init__(
        self,
        exchange: str,
        config: Config = None,
        market_type: str = "spot",
        testnet: bool = False,
        *,
        venue: RealVenue | None = None,
    ) -> None:
        settings = settings_at(config, PROFILE, exchange, market_type, testnet=testnet)
        pipeline = ExecutionPipeline(settings, venue=venue)
        super().__init__(pipeline, name=exchange, market_type=market_type, testnet=testnet, owns=True)


class BinanceCCXTAdapter(ExchangeAccount):
    """An account at Binance; `market_type` spot or future."""

    def __init__(
        self,
        config: Config = None,
        market_type: str = "spot",
        testnet: bool = False,
        *,
        venue: RealVenue | None = None,
    ) -> None:
        super().__init__("binance", config, market_type, testnet, venue=venue)
