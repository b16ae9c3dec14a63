"""The configured real venue: an adapter with its keys, made when it is needed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from surefill.config import Settings
from surefill.config.key_file import keys_in
from surefill.config.venues import CRYPTO, KITE, MT5
from surefill.errors import ConfigError

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
    """The keys of the workspace's venue, from the settings and the key file. Raises ConfigError where one lacks."""
    kind = next(kind for kind in KINDS if kind.name == settings.workspace.venue)
    name = "crypto" if kind.name in CRYPTO else kind.name
    section: Section = getattr(settings.venues, name)
    secret = {field: getattr(section, field) for field in _secrets_of(name)}
    found = {field: value.get_secret_value() for field, value in secret.items() if value is not None}
    path: Path | None = getattr(section, "key_file", None)
    if path is not None:
        found = {**keys_in(settings.base_dir / path, frozenset(secret)), **found}
    missing = [field for field in kind.keys if not found.get(field)]
    if missing:
        variable = f"SUREFILL__VENUES__{name.upper()}__{missing[0].upper()}"
        raise ConfigError(
            f"{kind.name} needs {', '.join(missing)}: set {variable}, or name a venues.{name}.key_file",
            key=f"venues.{name}.{missing[0]}",
        )
    return found


def _secrets_of(section: str) -> tuple[str, ...]:
    return {
        "crypto": ("api_key", "api_secret", "passphrase"),
        KITE: ("api_key", "api_secret"),
        MT5: ("gateway_token", "password"),
    }[section]
