"""The settings as a list: every key, its value, where it came from; what an empty one amounts to; no secrets."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Final, NamedTuple

from pydantic import BaseModel

from surefill.config.core import (
    LIVE_WINDOW_S,
    SIMULATED,
    TEMPLATE,
    currency_of,
    money_decimals_of,
    profile_name,
)
from surefill.config.presets import preset_of
from surefill.config.tree import InstrumentSettings, Settings

MASK: Final = "********"
_SECRET_WORDS: Final = ("secret", "password", "passphrase", "token", "api_key", "apikey", "private_key", "credential")
# Addresses of services that call somebody have keys in them.
_SECRET_KEYS: Final = (("alerts", "urls"), ("alerts", "heartbeat_url"))


class Listed(NamedTuple):
    """One setting. `value` is text; `meant` is what an empty one amounts to, "" where it has a value."""

    key: str
    value: str
    meant: str
    source: str


def listing(settings: Settings) -> list[Listed]:
    """Every setting in the order of the tree, values that are secret masked."""
    meant = _meant(settings)
    return [
        Listed(
            ".".join(keys),
            MASK if value not in (None, "", []) and is_secret(keys) else as_text(value),
            meant.get(keys, "") if value is None else "",
            settings.source_of(*keys) if is_set else "default",
        )
        for keys, value, is_set in _leaves(settings, (), is_set=True)
    ]


def is_secret(keys: tuple[str, ...]) -> bool:
    """Whether a value under such a name is nobody's business."""
    if keys[-1].endswith("_file"):
        return False  # where it lies is no secret
    return keys[:2] in _SECRET_KEYS or any(word in key.lower() for key in keys for word in _SECRET_WORDS)


def as_text(value: object) -> str:
    """A value as the configuration file would have it; empty for none."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, Enum):
        return str(value.value)
    return value.as_posix() if isinstance(value, Path) else str(value)


def _leaves(node: object, above: tuple[str, ...], *, is_set: bool) -> Iterator[tuple[tuple[str, ...], object, bool]]:
    """Path, value, and whether some source set it."""
    if isinstance(node, BaseModel):
        for name in type(node).model_fields:
            yield from _leaves(getattr(node, name), (*above, name), is_set=name in node.model_fields_set)
    elif isinstance(node, dict) and node:
        for name, inner in node.items():
            yield from _leaves(inner, (*above, str(name)), is_set=is_set)
    elif isinstance(node, list) and any(isinstance(item, BaseModel) for item in node):
        for at, inner in enumerate(node):
            yield from _leaves(inner, (*above, str(at)), is_set=is_set)
    else:
        yield above, node, is_set


def _meant(settings: Settings) -> dict[tuple[str, ...], str]:
    """What each key that is left empty amounts to."""
    profile = profile_name(settings)
    preset = preset_of(profile)
    execution, simulated = settings.execution, settings.workspace.mode in SIMULATED
    found: dict[tuple[str, ...], str] = {
        ("workspace", "currency"): currency_of(settings),
        ("workspace", "money_decimals"): str(money_decimals_of(settings)),
        ("execution", "engine"): profile,
        ("execution", "slippage_bps"): preset.slippage_bps,
        ("execution", "fill_mode"): "bid_ask" if execution.use_bid_ask_spread else "ltp",
        ("execution", "duplicate_window_s"): "0" if simulated else str(LIVE_WINDOW_S),
        ("execution", "dry_run"): str(settings.workspace.mode == "dry_run").lower(),
    }
    defaults = {
        "price_decimals": str(preset.price_decimals),
        "qty_decimals": str(preset.qty_decimals),
        "tick": preset.tick or "the finest price",
        "lot": preset.lot or "the finest quantity",
        "multiplier": "1",
        "currency": currency_of(settings),
        "calendar": preset.calendar,
    }
    template = settings.instruments.get(TEMPLATE, InstrumentSettings())
    for symbol in settings.instruments:
        for key, value in defaults.items():
            inherited = None if symbol == TEMPLATE else getattr(template, key)
            found["instruments", symbol, key] = value if inherited is None else as_text(inherited)
    return found
