"""An emulated MetaTrader 5 terminal: the face of the package MetaTrader5, and a truth in a process of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from surefill.testing.emulators.mt5.package import EmulatedMetaTrader5

if TYPE_CHECKING:
    from surefill.testing.emulators.groundwork.desk import Desk
    from surefill.testing.emulators.mt5.terminal import Terminal

__all__ = ["EmulatedMetaTrader5", "build"]


def build(desk: Desk) -> Terminal:
    """The terminal over a desk."""
    from surefill.testing.emulators.mt5.terminal import Terminal

    return Terminal(desk)
