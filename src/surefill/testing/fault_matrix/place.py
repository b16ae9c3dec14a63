"""One venue as the matrix needs it: an emulated venue with a hand on it, the real adapter for it, and its truth.

Prices and quantities are in the instrument's quanta. What has a hand on the venue blocks: call it from a thread.
"""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Final, NamedTuple

from surefill.domain.instrument import Instrument
from surefill.rules.codes import TimeInForce
from surefill.testing.emulators.groundwork.faults import AnyFault
from surefill.testing.fault_matrix.steps import FAULTS, OF_CANCELS, OF_REQUESTS, OF_STREAMS, ORDERS, Step, nowhere_at
from surefill.testing.remote_venue.faults import Fault
from surefill.venues.protocol import LiveVenue

#: An emulated venue's process that died of a CRASH ends with this.
CRASHED: Final = 70
#: How long the adapters wait for an answer, and how late one is that comes late.
TIMEOUT_S: Final = 0.5
DELAY_MS: Final = 750


class OrderThere(NamedTuple):
    """An order as the venue has it. `name`: what it knows our order by ("": none of ours)."""

    name: str
    side: int
    qty: int
    cum_qty: int
    works: bool
    stop_px: int = 0
    refused: bool = False


class There(NamedTuple):
    """What is true at the venue: every order that it took, what the account holds, which faults struck how often."""

    orders: tuple[OrderThere, ...]
    held: int
    fired: Counter[str]

    def of(self, name: str) -> list[OrderThere]:
        """The orders under a name; one that was refused is none."""
        return [each for each in self.orders if each.name == name and not each.refused]


class Place(ABC):
    """Subclass it. `ops`: by step, the requests there, as the venue's faults know them ("": whatever comes).

    `gap`: a step of the price that means something; `px`: where the market begins; `qty`: what an entry asks for.
    `listed`: the instrument, where the venue lists none; `lists_when_connected`: it lists them to who is connected.
    `hops`: by step, where the venue's process can die. `stream`: what its faults call reports, of
    which `told_times` in a row are struck. `lacks`: which faults it does not know, and why. `cannot`: which
    cells are not there besides, and why.
    """

    name: ClassVar[str] = ""
    instrument_id: str = ""
    currency: ClassVar[str] = ""
    money_decimals: ClassVar[int] = 8
    time_in_force: ClassVar[int] = TimeInForce.GTC
    shorts: ClassVar[bool] = True
    account: str = "main"
    px: ClassVar[int] = 0
    gap: ClassVar[int] = 0
    qty: ClassVar[int] = 0
    listed: Instrument | None = None
    lists_when_connected: ClassVar[bool] = False
    ops: ClassVar[Mapping[Step, tuple[str, ...]]] = {}
    hops: ClassVar[Mapping[Step, tuple[str, ...]]] = {}
    part_qty: ClassVar[int] = 0
    stream: ClassVar[str] = "stream"
    told_times: ClassVar[int] = 1
    lacks: ClassVar[Mapping[AnyFault, str]] = {}
    cannot: ClassVar[Mapping[tuple[AnyFault, Step], str]] = {}

    @abstractmethod
    def __init__(self, directory: Path) -> None:
        """Start the emulated venue; `directory` is for its truth."""

    @classmethod
    def why_not(cls, fault: AnyFault, step: Step) -> str:
        """Why a cell of the matrix cannot be ("": it can)."""
        if fault in cls.lacks:
            return cls.lacks[fault]
        if fault is Fault.CRASH and step in ORDERS and step not in cls.hops:
            return "no step of the venue's own lies there between two commits"
        if fault in OF_REQUESTS and step is Step.QUOTES and step not in cls.ops:
            return "nothing is asked for then: prices are streamed"
        return nowhere_at(fault, step) or cls.cannot.get((fault, step), "")

    @classmethod
    def ops_at(cls, fault: AnyFault, step: Step, chance: random.Random) -> tuple[str, ...]:
        """What to narrow the fault to: every look of a step, one of the requests about orders."""
        if fault is Fault.CRASH:
            return (chance.choice(cls.hops[step]),)
        if fault in OF_STREAMS:
            return ("quotes" if step is Step.QUOTES else cls.stream,)
        ops = cls.ops[step]
        if fault in OF_CANCELS:
            return ("cancel",)
        return (chance.choice(ops),) if step in ORDERS else ops

    # -- the adapter ------------------------------------------------------------------------------------------

    @abstractmethod
    def venue(self) -> LiveVenue:
        """A new adapter for the account, not connected yet."""

    async def renew(self, venue: LiveVenue) -> None:  # noqa: B027 -- most sessions never end
        """A person logs in again, where a session can have ended."""

    def name_of(self, cl_ord_id: str) -> str:
        """What the venue knows an order of ours by."""
        return cl_ord_id

    def guarded_qty(self, held: int) -> int:
        """How much of what is held a stop can guard: what is no whole lot cannot leave."""
        return held

    # -- the hand on the venue --------------------------------------------------------------------------------

    @abstractmethod
    def begin(self, chance: random.Random) -> None:
        """Before a story: nothing has happened, the market at `px`. What does not matter varies."""

    @abstractmethod
    def move(self, px: int, qty: int = -1) -> None:
        """The market trades at this price from now on, and only so much of it (-1: any quantity)."""

    @abstractmethod
    def arm(self, fault: AnyFault, op: str, times: int) -> None:
        """Let a fault strike."""

    @abstractmethod
    def heal(self) -> None:
        """All faults off; what hangs goes on."""

    @abstractmethod
    def there(self) -> There:
        """The truth."""

    @abstractmethod
    def trade_by_hand(self, side: int, qty: int) -> None:
        """Somebody trades the same account from elsewhere."""

    @abstractmethod
    def died(self) -> int:
        """Wait for the end of the venue's process, start it again, and say with which code it ended."""

    @abstractmethod
    def close(self) -> None:
        """End the emulated venue."""


def all_lacking(faults: tuple[AnyFault, ...], why: str) -> dict[AnyFault, str]:
    """One reason for several faults."""
    assert set(faults) <= set(FAULTS)
    return dict.fromkeys(faults, why)
