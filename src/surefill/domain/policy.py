"""What a door's policy answers when the core asks it: a no with its rule, warnings, a quantity."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from surefill.domain.refusals import Refusal

if TYPE_CHECKING:
    from surefill.domain.gates.question import Question


class Ruling(msgspec.Struct, frozen=True, omit_defaults=True):
    """`refusal` None: approved. `rule` names who said no; `warnings` are sentences.

    `qty`: the quantity that is approved, in quanta, and `resized` why it is less than was asked for. They count
    before approval only: an order that is being made takes nothing from them.
    """

    refusal: Refusal | None = None
    rule: str = ""
    warnings: tuple[str, ...] = ()
    qty: int = 0
    resized: str = ""


PASSED = Ruling()

#: Pure and quick, since it runs inside the core's step; it must not raise, and must leave the state alone.
Policy = Callable[["Question"], Ruling]
