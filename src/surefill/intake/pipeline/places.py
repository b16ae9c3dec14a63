"""Exchanges and kinds of market in the contract's words, and the venues of the configuration that they are."""

from __future__ import annotations

from typing import Final, NamedTuple

from surefill.config import Settings
from surefill.errors import ConfigError
from surefill.intake.door_settings import Config, door_settings

EXCHANGES: Final = ("binance", "bybit", "okx", "coinbase")
DERIVATIVES: Final = ("future", "futures", "swap")
MARKET_TYPES: Final = ("spot", *DERIVATIVES, "margin")
_USDM: Final = "binanceusdm"
#: Whose derivatives are a category of the same account.
_CATEGORIES: Final = ("bybit",)


class Place(NamedTuple):
    """One exchange and one kind of market there."""

    exchange: str
    derivatives: bool

    def __str__(self) -> str:
        return f"{self.exchange} ({'future' if self.derivatives else 'spot'})"

    def trades(self, market_type: str) -> bool:
        """Whether that is the kind of market. Margin is neither."""
        return market_type in DERIVATIVES if self.derivatives else market_type == "spot"


def place_traded(settings: Settings) -> Place | None:
    """What the workspace trades at; None where nothing but the simulated market."""
    venue = settings.workspace.venue
    if venue == _USDM:
        return Place("binance", derivatives=True)
    if venue == "paper":
        return None
    return Place(venue, derivatives=venue in _CATEGORIES and settings.venues.crypto.category == "linear")


def settings_at(config: Config, profile: str, exchange: str, market_type: str, *, testnet: bool) -> Settings:
    """A caller's configuration for an account at that exchange: a dry run unless it says `workspace.mode: live`.

    `testnet` is the exchange's own test system. Raises ConfigError where exchange and market do not go together, or the
    configuration says another.
    """
    settings = door_settings(config, profile)
    workspace, crypto = settings.workspace, settings.venues.crypto
    venue, category = _venue(exchange, market_type), crypto.category
    if venue in _CATEGORIES:
        category = "linear" if market_type in DERIVATIVES else "spot"
    if workspace.venue not in ("paper", venue):
        raise ConfigError(
            f"the exchange is {exchange} ({market_type}), and workspace.venue {workspace.venue} (from"
            f" {settings.source_of('workspace', 'venue')}): leave that out, or make it {venue}",
            code="VENUE_CONTRADICTED",
            key="workspace.venue",
        )
    if crypto.sandbox and not testnet:
        raise ConfigError(
            f"venues.crypto.sandbox is true (from {settings.source_of('venues', 'crypto', 'sandbox')}), and the"
            " exchange that is asked for is the real one: say testnet=True, or take it out",
            code="TESTNET_CONTRADICTED",
            key="venues.crypto.sandbox",
        )
    unsaid = workspace.venue == "paper" and settings.source_of("workspace", "mode") == "default"
    told = {
        "workspace": workspace.model_copy(update={"venue": venue, "mode": "dry_run" if unsaid else workspace.mode}),
        "venues": settings.venues.model_copy(
            update={"crypto": crypto.model_copy(update={"sandbox": testnet, "category": category})}
        ),
    }
    return settings.model_copy(update=told)


def _venue(exchange: str, market_type: str) -> str:
    if market_type == "spot":
        return exchange
    if market_type in DERIVATIVES and exchange == "binance":
        return _USDM
    if market_type in DERIVATIVES and exchange in _CATEGORIES:
        return exchange
    raise ConfigError(
        f"the market {market_type!r} of {exchange} is not there: spot, and future at binance and bybit",
        code="UNKNOWN_MARKET",
        key="market_type",
    )
