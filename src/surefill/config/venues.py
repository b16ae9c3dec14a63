"""How the account at a real venue is reached. Keys come from the environment or from a file of their own."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import Field, SecretStr

from surefill.config.fields import Blank, Positive, Section

CRYPTO: Final = ("binance", "binanceusdm", "bybit", "okx", "coinbase")
KITE: Final = "kite"
MT5: Final = "mt5"
#: The venues behind a wire, by the name that `workspace.venue` has.
REAL_VENUES: Final = (*CRYPTO, KITE, MT5)

Key = Annotated[SecretStr | None, Blank]
_FROM = "better from the environment (SUREFILL__VENUES__…) or key_file than from here"


class CryptoSettings(Section):
    """An account at a crypto exchange: `workspace.venue` is binance, binanceusdm, bybit, okx or coinbase."""

    api_key: Key = Field(default=None, description=f"The key; {_FROM}")
    api_secret: Key = Field(default=None, description="Its secret")
    passphrase: Key = Field(default=None, description="The pass phrase that okx and coinbase ask for beside them")
    key_file: Annotated[Path | None, Blank] = Field(
        default=None, description="A file with lines api_key=…, api_secret=…, passphrase=… that only you may read"
    )
    sandbox: bool = Field(default=False, description="The exchange's own test system")
    rest_url: str = Field(default="", description="Another host for requests: an emulated venue, a proxy")
    stream_url: str = Field(default="", description="Another host for streams")
    fees_in_bnb: bool = Field(
        default=False, description="binance: commissions are paid in BNB, of which the account always has some"
    )
    hedge: bool = Field(default=False, description="Positions are kept per side (buckets LONG and SHORT)")
    category: Literal["spot", "linear"] = Field(default="spot", description="bybit: the product")
    timeout_s: Positive = Field(default=Decimal(10), description="How long an answer may take")


class KiteVenueSettings(Section):
    """An account at Zerodha. The access token is a day's: `surefill kite login` fetches it."""

    api_key: Key = Field(default=None, description=f"The key of the Kite Connect app; {_FROM}")
    api_secret: Key = Field(default=None, description="Its secret: for the login and to check postbacks")
    key_file: Annotated[Path | None, Blank] = Field(
        default=None, description="A file with lines api_key=…, api_secret=… that only you may read"
    )
    token_file: Path = Field(
        default=Path("kite-session.json"), description="Where `surefill kite login` keeps its session"
    )
    root: str = Field(default="https://api.kite.trade", description="Where requests go")
    ticker_url: str = Field(default="wss://ws.kite.trade", description="Where prices come from")
    product: Literal["", "CNC", "MIS", "NRML", "MTF"] = Field(
        default="", description="The product of orders that name none"
    )
    market_protection: Annotated[int, Field(ge=-1, le=100)] = Field(
        default=-1, description="How far an order without a price of its own may slip, in percent; -1: the broker's own"
    )
    exchanges: list[str] = Field(default=["NSE", "NFO"], description="Whose instruments are listed")
    slicing: bool = Field(default=True, description="The broker slices what is above the freeze quantity; else refused")
    freeze_quantities: dict[str, Annotated[int, Field(ge=1)]] = Field(
        default={}, description="By symbol, or EXCHANGE:NAME of the underlying (NFO:NIFTY): the exchange changes them"
    )
    multipliers: dict[str, Annotated[int, Field(ge=1)]] = Field(
        default={}, description="The same for what one unit of a price is worth, at MCX, CDS, BCD and NCO"
    )


class Mt5VenueSettings(Section):
    """An account at a MetaTrader 5 terminal, on this machine (Windows) or behind `surefill mt5 gateway`."""

    magic: Annotated[int, Field(ge=1)] = Field(default=750_001, description="The number that marks our orders")
    symbols: list[str] = Field(default=[], description="What to trade; empty takes all that the market watch shows")
    deviation_points: Annotated[int, Field(ge=0)] = Field(default=20, description="How far a price may slip")
    calendar: str = Field(default="forex", description="When its symbols trade: a calendar")
    server_offset_s: Annotated[int | None, Blank] = Field(
        default=None, description="The server's clock less UTC, in seconds, until ticks that come say it"
    )
    gateway_url: str = Field(default="", description="The gateway; empty uses the package MetaTrader5 here")
    gateway_token: Key = Field(default=None, description=f"Its token; {_FROM}")
    login: Annotated[int, Field(ge=0)] = Field(default=0, description="The account; 0 takes the terminal as it is")
    password: Key = Field(default=None, description="Its password")
    server: str = Field(default="", description="Its trade server")
    key_file: Annotated[Path | None, Blank] = Field(
        default=None, description="A file with lines gateway_token=…, password=… that only you may read"
    )


class VenuesSettings(Section):
    """The real venues. A workspace has one of them (`workspace.venue`)."""

    crypto: CryptoSettings = CryptoSettings()
    kite: KiteVenueSettings = KiteVenueSettings()
    mt5: Mt5VenueSettings = Mt5VenueSettings()
