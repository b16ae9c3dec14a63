"""What the places of the emulated venues have in common."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any, ClassVar, Final

from surefill.testing.emulators.groundwork.faults import AnyFault
from surefill.testing.emulators.groundwork.process import EmulatorProcess
from surefill.testing.fault_matrix.place import DELAY_MS, OrderThere, Place

#: How soon something comes that comes just after.
SHORT_MS: Final = 20
_OPEN = ("PENDING", "NEW", "PARTIALLY_FILLED")


class EmulatedPlace(Place):
    """`kind`: which emulated venue it is. `by_hand`: how it names what is ordered beside us."""

    kind: ClassVar[str] = ""
    px_one: ClassVar[int] = 1
    qty_one: ClassVar[int] = 1
    by_hand: ClassVar[str] = "by hand"
    _numbers: ClassVar = count(1)

    def __init__(self, directory: Path) -> None:
        self.process = EmulatorProcess(self.kind, directory / f"{self.kind}-{next(self._numbers)}.db")

    def ruled(self) -> None:
        """Set its rules, also after it came back."""
        self.process.rules(delay_ms=DELAY_MS, short_ms=SHORT_MS, report_delay_ms=SHORT_MS)

    def arm(self, fault: AnyFault, op: str, times: int) -> None:
        self.process.arm(fault, times, op=op)

    def heal(self) -> None:
        self.process.heal()

    def died(self) -> int:
        code = self.process.wait()
        self.process.start()
        self.ruled()
        return code

    def close(self) -> None:
        self.process.kill()

    def priced(self, px: int) -> str:
        """A price as the venue writes it."""
        return str(Decimal(px) / self.px_one)

    def counted(self, qty: int) -> str:
        """A quantity as the venue writes it."""
        return str(Decimal(qty) / self.qty_one)

    def orders_there(self, rows: list[dict[str, Any]]) -> tuple[OrderThere, ...]:
        """Orders as the shared store has them."""
        return tuple(
            OrderThere(
                "" if each["client_id"].startswith(self.by_hand) else each["client_id"],
                each["side"],
                int(Decimal(each["qty"]) * self.qty_one),
                int(Decimal(each["cum_qty"]) * self.qty_one),
                each["status"] in _OPEN,
                int(Decimal(each["stop_px"]) * self.px_one),
                each["status"] == "REJECTED",
            )
            for each in rows
        )

    def fired(self) -> Counter[str]:
        """How often each fault has struck since `begin`."""
        return self.process.truth().fired
