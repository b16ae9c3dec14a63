"""The configured real venue: an adapter with its keys, made when it is needed."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from surefill.config import Settings
from surefill.config.core import currency_of, money_decimals_of
from surefill.config.key_file import keys_in
from surefill.config.venues import CRYPTO, KITE, MT5
from surefill.errors import ConfigError
from surefill.secret import Secret
from surefill.venues.protocol import LiveVenue

if TYPE_CHECKING:
    from surefill.config.fields import Section


class VenueKind(NamedTuple):
    """A venue that can be configured. `keys`: the secrets that it needs; `extra`: the package's extra."""

    name: str
    what: str
    extra: str
    keys: tuple[str, ...]


KINDS: Final = (
    VenueKind("binance", "Binance spot, through ccxt", "crypto", ("api_key", "api_secret")),
    VenueKind("binanceusdm", "Binance USD-M futures, through ccxt", "crypto", ("api_key", "api_secret")),
    VenueKind("bybit", "Bybit spot or linear, through ccxt", "crypto", ("api_key", "api_secret")),
    VenueKind("okx", "OKX, through ccxt", "crypto", ("api_key", "api_secret", "passphrase")),
    VenueKind("coinbase", "Coinbase Advanced, through ccxt", "crypto", ("api_key", "api_secret")),
    VenueKind(KITE, "Zerodha, through Kite Connect", "kite", ("api_key",)),
    VenueKind(MT5, "MetaTrader 5, through its package or a gateway", "mt5", ()),
)


def keys_of(settings: Settings) -> dict[str, str]:
    """The keys of the workspace's venue. Raises ConfigError where one lacks."""
    kind = next(kind for kind in KINDS if kind.name == settings.workspace.venue)
    name = "crypto" if kind.name in CRYPTO else kind.name
    found = found_keys(settings, name)
    missing = [field for field in kind.keys if not found.get(field)]
    if missing:
        variable = f"SUREFILL__VENUES__{name.upper()}__{missing[0].upper()}"
        raise ConfigError(
            f"{kind.name} needs {', '.join(missing)}: set {variable}, or name a venues.{name}.key_file",
            key=f"venues.{name}.{missing[0]}",
        )
    return found


def found_keys(settings: Settings, name: str) -> dict[str, str]:
    """What the settings and the key file say of a section of `venues`. Raises ConfigError for a file that is wrong."""
    section: Section = getattr(settings.venues, name)
    secret = {field: getattr(section, field) for field in _secrets_of(name)}
    found = {field: value.get_secret_value() for field, value in secret.items() if value is not None}
    path: Path | None = getattr(section, "key_file", None)
    return found if path is None else {**keys_in(settings.base_dir / path, frozenset(secret)), **found}


def venue_of(settings: Settings) -> LiveVenue:
    """The adapter of the workspace's venue, with its keys. Raises ConfigError where a key or a package is missing."""
    name = settings.workspace.venue
    keys = keys_of(settings)
    try:
        return _MAKERS.get(name, _crypto)(settings, keys)
    except ImportError as error:
        extra = next(kind.extra for kind in KINDS if kind.name == name)
        raise ConfigError(f"{name} needs the extra: pip install 'surefill[{extra}]' ({error})") from error


def _kite(settings: Settings, keys: Mapping[str, str]) -> LiveVenue:
    from surefill.secret import Secret
    from surefill.venues.kite import KiteSettings, KiteVenue, sessions

    told = settings.venues.kite
    session = sessions.load(settings.base_dir / told.token_file, keys["api_key"], time.time_ns())
    return KiteVenue(
        KiteSettings(
            api_key=keys["api_key"],
            access_token=session.access_token,
            api_secret=Secret(keys["api_secret"]) if "api_secret" in keys else None,
            root=told.root,
            ticker_url=told.ticker_url,
            exchanges=tuple(told.exchanges),
            product=told.product,
            market_protection=told.market_protection,
            slicing=told.slicing,
            freeze_quantities=told.freeze_quantities,
            multipliers=told.multipliers,
            money_decimals=money_decimals_of(settings),
            cache_dir=settings.base_dir / ".surefill-kite",
        )
    )


def _crypto(settings: Settings, keys: Mapping[str, str]) -> LiveVenue:
    from surefill.venues.ccxt import CcxtSettings, Keys, open_venue

    told = settings.venues.crypto
    symbols = settings.feed.symbols or [symbol for each in settings.strategies for symbol in each.symbols]
    return open_venue(
        CcxtSettings(
            exchange=settings.workspace.venue,
            account=settings.workspace.account,
            keys=Keys(Secret(keys["api_key"]), Secret(keys["api_secret"]), Secret(keys.get("passphrase", ""))),
            sandbox=told.sandbox,
            rest_url=told.rest_url,
            stream_url=told.stream_url,
            currency=currency_of(settings),
            money_decimals=money_decimals_of(settings),
            instrument_ids=tuple(dict.fromkeys(symbols)),
            fees_in_bnb=told.fees_in_bnb,
            hedge=told.hedge,
            category=told.category,
            timeout_s=float(told.timeout_s),
        )
    )


def _mt5(settings: Settings, keys: Mapping[str, str]) -> LiveVenue:
    from surefill.venues.mt5 import Mt5Settings, Mt5Venue

    told = settings.venues.mt5
    return Mt5Venue(
        Mt5Settings(
            magic=told.magic,
            symbols=tuple(told.symbols),
            deviation_points=told.deviation_points,
            money_decimals=money_decimals_of(settings),
            calendar=told.calendar,
            server_offset_s=told.server_offset_s,
            gateway_url=told.gateway_url,
            gateway_token=Secret(keys.get("gateway_token", "")),
            login=told.login,
            password=Secret(keys.get("password", "")),
            server=told.server,
        )
    )


_MAKERS: Final = {KITE: _kite, MT5: _mt5}


def _secrets_of(section: str) -> tuple[str, ...]:
    return {
        "crypto": ("api_key", "api_secret", "passphrase"),
        KITE: ("api_key", "api_secret"),
        MT5: ("gateway_token", "password"),
    }[section]
