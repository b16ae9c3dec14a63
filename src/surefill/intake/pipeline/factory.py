"""Makes exchanges from configuration, once for each (name, market type, testnet); a registry knows who makes which."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable, Mapping
from typing import Any

from surefill.errors import ConfigError
from surefill.intake.door_settings import Config
from surefill.intake.pipeline.accounts import BinanceCCXTAdapter, ExchangeAccount
from surefill.intake.pipeline.bus import shown
from surefill.intake.pipeline.exchange import ExchangeAdapter
from surefill.intake.pipeline.pipeline import ExecutionPipeline
from surefill.intake.pipeline.places import EXCHANGES
from surefill.intake.pipeline.workspace_exchange import WorkspaceExchange
from surefill.intake.real_venue import RealVenue
from surefill.logs import logger

Maker = Callable[[Config, str, bool], ExchangeAdapter]
Key = tuple[str, str, bool]

_log = logger("surefill.pipeline.factory")


def _paper(config: Config, market_type: str, testnet: bool) -> ExchangeAdapter:
    return WorkspaceExchange(
        ExecutionPipeline(config), name="paper", market_type=market_type, testnet=testnet, owns=True
    )


def _account(
    exchange: str, venue: RealVenue | None, config: Config, market_type: str, testnet: bool
) -> ExchangeAdapter:
    if exchange == "binance":
        return BinanceCCXTAdapter(config, market_type, testnet, venue=venue)
    return ExchangeAccount(exchange, config, market_type, testnet, venue=venue)


class ExchangeFactory:
    """`configs`: by exchange, what `create` takes where it is given nothing.

    Real exchanges are dry runs unless their configuration says `workspace.mode: live` and `venue` that the money is
    real (`RealVenue(real_money=True)`). Each has a workspace of its own: give each configuration a `journal.path`.
    """

    def __init__(self, configs: Mapping[str, Config] | None = None, *, venue: RealVenue | None = None) -> None:
        self._configs = {name.lower(): config for name, config in (configs or {}).items()}
        self._makers: dict[str, Maker] = {"paper": _paper}
        for name in EXCHANGES:
            self._makers[name] = functools.partial(_account, name, venue)
        self._made: dict[Key, ExchangeAdapter] = {}
        self._making = asyncio.Lock()

    def register(self, name: str, maker: Maker) -> None:
        """Let `maker(config, market_type, testnet)` make the exchange of that name; it may block."""
        self._makers[name.strip().lower()] = maker

    def available(self) -> list[str]:
        """The exchanges that can be made."""
        return sorted(self._makers)

    async def create(
        self, name: str, market_type: str = "spot", testnet: bool = False, config: Config = None
    ) -> ExchangeAdapter:
        """The exchange; the same one for the same name, market type and testnet, until it is closed.

        Raises ConfigError: UNKNOWN_EXCHANGE, UNKNOWN_MARKET, and whatever keeps its workspace from being opened.
        """
        key = (name.strip().lower(), market_type.strip().lower(), testnet)
        async with self._making:
            if key not in self._made:
                self._made[key] = await asyncio.to_thread(self._maker(key[0]), self._config(key[0], config), *key[1:])
            return self._made[key]

    def _config(self, name: str, given: Any) -> Any:
        return self._configs.get(name) if given is None else given

    def _maker(self, name: str) -> Maker:
        maker = self._makers.get(name)
        if maker is not None:
            return maker
        raise ConfigError(
            f"{name!r} is not a known exchange: use one of {', '.join(self.available())}, or register it",
            code="UNKNOWN_EXCHANGE",
            key="exchange",
        )

    async def close_all(self) -> None:
        """Close every exchange that was made; one that fails to close keeps no other open."""
        made, self._made = list(self._made.items()), {}
        for key, exchange in made:
            try:
                await exchange.close()
            except Exception as error:  # the others are closed all the same
                _log.error("exchange_close_failed", exchange=key[0], error=f"{type(error).__name__}: {shown(error)}")
