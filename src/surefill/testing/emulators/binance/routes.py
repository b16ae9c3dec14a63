"""What a request is: its name for faults, who may ask, what it weighs, and who answers it."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from surefill.testing.emulators.binance.admission import Key


class Security(enum.Enum):
    """Whether a key, and whether a signature is asked for."""

    OPEN = "open"
    KEYED = "keyed"
    SIGNED = "signed"


class Call(NamedTuple):
    """A request that was let in."""

    params: Mapping[str, str]
    key: Key | None

    @property
    def account(self) -> str:
        """Whose account it is about."""
        assert self.key is not None
        return self.key.account

    def symbol(self) -> str:
        """The symbol, "" for all."""
        return self.params.get("symbol", "")


class Route(NamedTuple):
    """One endpoint. `op` is its name for faults; `order`: it counts against the limits of orders, as many `orders`."""

    op: str
    answer: Callable[[Call], Any]
    security: Security = Security.SIGNED
    weight: int = 1
    order: bool = False
    orders: int = 1
