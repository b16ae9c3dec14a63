"""One account at one terminal, as all parts of the adapter know it: how to look, what counts how, what is whose.

On a netting account the bucket is "". On a hedging account our own positions of a symbol (by magic) count together
under ""; every other position stands alone, its ticket the bucket.
"""

from __future__ import annotations

from collections.abc import Callable

from surefill.units import NS_PER_S
from surefill.venues.mt5.looking import Looks
from surefill.venues.mt5.names import Names
from surefill.venues.mt5.reading import Reader
from surefill.venues.mt5.records import AccountRecord, DealRecord, SymbolRecord, TickRecord
from surefill.venues.mt5.server_clock import ServerClock
from surefill.venues.mt5.settings import Mt5Settings
from surefill.venues.mt5.symbols import Scale
from surefill.venues.mt5.terminal import Terminal

_HEDGING = 2
_ENTRY_IN = 0
_SEEN_LATELY_NS = 60 * NS_PER_S


class Account:
    """All of it is used in the worker. `hedging` is true until the terminal has said otherwise."""

    def __init__(self, settings: Mt5Settings, terminal: Terminal, now_ns: Callable[[], int]) -> None:
        self.settings, self.terminal, self.now_ns = settings, terminal, now_ns
        self.clock = ServerClock(settings.server_offset_s)
        self.looks = Looks(terminal, self.clock, settings.magic, settings.history_s)
        self.reader = Reader(self.clock, settings.money_decimals, "")
        self.names = Names(settings.magic)
        self.hedging = True
        self.scales: dict[str, Scale] = {}
        self._owners: dict[int, int] = {}
        self._ticks: dict[str, tuple[int, int]] = {}

    def learn(self) -> AccountRecord:
        """What kind of account it is, and what its money is."""
        found = self.looks.account()
        self.hedging = found.margin_mode == _HEDGING
        self.reader = Reader(self.clock, self.settings.money_decimals, found.currency)
        return found

    def wanted(self, symbol: SymbolRecord) -> bool:
        """Whether it is traded here: what the settings name, else what the market watch shows."""
        return symbol.name in self.settings.symbols if self.settings.symbols else symbol.visible

    def scale(self, name: str) -> Scale:
        """How a symbol counts. Raises InputError where it is no symbol."""
        if name not in self.scales:
            self.scales[name] = Scale(self.looks.symbol(name))
        return self.scales[name]

    def tick(self, name: str) -> TickRecord:
        """The price now. One that has come since we looked lately shows the server's clock."""
        tick, now_ns = self.looks.tick(name), self.now_ns()
        last_msc, seen_ns = self._ticks.get(name, (0, 0))
        self._ticks[name] = (tick.time_msc, now_ns)
        if last_msc not in (0, tick.time_msc) and now_ns - seen_ns <= _SEEN_LATELY_NS:
            self.clock.observe(tick.time_msc, now_ns)
        return tick

    # -- what is whose ----------------------------------------------------------------------------------------

    def own(self, position_id: int, magic: int) -> None:
        """Remember who opened a position."""
        self._owners[position_id] = magic

    def bucket(self, position_id: int, magic: int) -> str:
        """The bucket of a position that an order of this magic opened."""
        return str(position_id) if self.hedging and magic != self.settings.magic else ""

    def bucket_of(self, deal: DealRecord) -> str:
        """The bucket of the position that a deal belongs to: whose it is, its first deal says."""
        if not self.hedging or not deal.position_id:
            return ""
        if deal.position_id not in self._owners:
            opened = [each for each in self.looks.deals(position=deal.position_id) if each.entry == _ENTRY_IN]
            self._owners[deal.position_id] = opened[0].magic if opened else deal.magic
        return self.bucket(deal.position_id, self._owners[deal.position_id])
