"""Which venues there are to emulate. A new one is one line here and a package with a function `build(desk)`."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from surefill.testing.emulators.groundwork.server import Build

#: Name, and what `surefill emulate --help` says of it. The package of that name beside this file has `build`.
KINDS = {
    "binance": "Binance, spot and USD-M futures",
    "kite": "Zerodha's Kite Connect",
    "mt5": "a MetaTrader 5 terminal behind the gateway",
}


def builder_of(name: str) -> Build:
    """The function that makes a venue of that kind; KeyError for an unknown one, ImportError without its packages."""
    if name not in KINDS:
        raise KeyError(name)
    build: Build = import_module(f"surefill.testing.emulators.{name}").build
    return build
