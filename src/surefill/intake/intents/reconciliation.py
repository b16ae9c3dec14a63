"""Rebuilding the ledger from the journal, by another way than the engine's own fold, and laying it beside the live one.

The contract's steps: clear; read ORDER_FILLED only, from the last reset on; skip what was seen before; replay.
Fills are replayed from their price and quantity through the position rule. The balances that the engine wrote into
the same events are not looked at, so that an error in them would show.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from surefill.domain import codec
from surefill.domain.events import (
    AccountMoved,
    Event,
    ExternalTraded,
    InstrumentDefined,
    OrderFilled,
    WorkspaceOpened,
    WorkspaceReset,
)
from surefill.domain.state import State
from surefill.errors import JournalCorrupt
from surefill.intake.intents.paper_state import PaperState
from surefill.journal.chain import genesis, verified
from surefill.journal.protocol import Head, Journal
from surefill.rules.position import apply_fill
from surefill.units import quanta_text


class ReconcileReport(msgspec.Struct, frozen=True):
    """What a reconciliation read and found.

    `from_seq` is the opening or the last reset, `to_seq` the last event read. `read` counts the fills from there on,
    `applied` those replayed, `skipped` those that repeat an execution of the same order. `matches`: the rebuilt ledger
    equals the live one, to the last quantum; if not, `differences` says where, and the workspace has been halted.
    """

    workspace_id: str
    from_seq: int
    to_seq: int
    read: int
    applied: int
    skipped: int
    matches: bool
    differences: tuple[str, ...]
    state: PaperState


class Live(NamedTuple):
    """The live ledger's integers, to compare with."""

    seq: int
    starting_cash: int
    cash: int
    realised: int
    fees: int
    positions: dict[str, tuple[int, int]]
    money_decimals: int


class Ledger:
    """The balances that fills add up to: money in money quanta, positions as (signed quantity, signed cost)."""

    def __init__(self) -> None:
        self.starting_cash = self.cash = self.realised = self.fees = 0
        self.positions: dict[str, tuple[int, int]] = {}
        self.from_seq = self.read = self.applied = self.skipped = 0
        self._per_notional: dict[str, int] = {}
        self._seen: set[tuple[str, str]] = set()

    def take(self, seq: int, event: Event) -> None:
        """Replay a fill; begin again at an opening or a reset; pass over everything else."""
        if isinstance(event, OrderFilled | ExternalTraded):
            self._fill(event)
        elif isinstance(event, AccountMoved):
            self._move(event)
        elif isinstance(event, WorkspaceOpened | WorkspaceReset):
            self._clear(seq, event.starting_cash)
        elif isinstance(event, InstrumentDefined):
            self._per_notional[event.instrument.instrument_id] = event.instrument.money_per_notional

    def _clear(self, seq: int, starting_cash: int) -> None:
        self.starting_cash = self.cash = starting_cash
        self.realised = self.fees = 0
        self.positions.clear()
        self.from_seq, self.read, self.applied, self.skipped = seq, 0, 0, 0
        self._seen.clear()

    def _move(self, event: AccountMoved) -> None:
        """No trade: its figures are those of the event."""
        if not event.refused:
            self.cash = event.cash
            self.realised += event.realised
            if event.position:
                self.positions[event.position] = (event.position_qty, event.position_cost)

    def _fill(self, event: OrderFilled | ExternalTraded) -> None:
        self.read += 1
        # An order may fill in parts: what must not count twice is an execution of it.
        execution = (event.order_id or event.cl_ord_id, event.exec_id)
        if execution in self._seen:
            self.skipped += 1
            return
        self._seen.add(execution)
        self.applied += 1
        per_notional = self._per_notional[event.position.partition("|")[0]]
        qty, cost = self.positions.get(event.position, (0, 0))
        qty, cost, realised = apply_fill(qty, cost, event.side, event.last_px, event.net_qty)
        self.positions[event.position] = (qty, cost)
        self.cash -= event.side * event.last_px * event.net_qty * per_notional + event.fee
        self.realised += realised * per_notional
        self.fees += event.fee


def rebuild(events: Iterable[tuple[int, Event]]) -> Ledger:
    """The ledger that these events, in order of their sequence numbers, add up to."""
    ledger = Ledger()
    for seq, event in events:
        ledger.take(seq, event)
    return ledger


def rebuild_from(journal: Journal, workspace_id: str, to_seq: int) -> Ledger:
    """The ledger as of event `to_seq`. The chain is verified on the way: raises JournalCorrupt where it breaks."""
    records = verified(journal.read(workspace_id, 1, to_seq), Head(0, 0, genesis(workspace_id)))
    last = 0

    def events() -> Iterable[tuple[int, Event]]:
        nonlocal last
        for record in records:
            last = record.seq
            yield record.seq, codec.decode(record.payload)

    ledger = rebuild(events())
    if last != to_seq:
        raise JournalCorrupt(
            f"workspace {workspace_id}: the journal ends at event {last}, the live state has seen {to_seq}:"
            " run 'surefill journal verify', do not trade",
            workspace_id=workspace_id,
        )
    return ledger


def live_ledger(state: State) -> Live:
    """A copy of the live ledger's integers."""
    book = state.book
    held = {key: (position.qty, position.cost) for key, position in state.open_positions()}
    return Live(book.seq, book.starting_cash, book.cash, book.realised, book.fees, held, book.money_decimals)


def differences(rebuilt: Ledger, live: Live) -> tuple[str, ...]:
    """Where the two disagree, in words; empty where they are equal."""
    found = []
    for name in ("starting_cash", "cash", "realised", "fees"):
        ours, read = getattr(live, name), getattr(rebuilt, name)
        if ours != read:
            text = quanta_text(ours, live.money_decimals), quanta_text(read, live.money_decimals)
            found.append(f"{name}: live {text[0]}, journal {text[1]}")
    replayed = {key: holding for key, holding in rebuilt.positions.items() if holding[0]}
    for key in sorted(replayed.keys() | live.positions.keys()):
        ours_held, read_held = live.positions.get(key, (0, 0)), replayed.get(key, (0, 0))
        if ours_held != read_held:
            found.append(f"{key}: live {ours_held[0]} at cost {ours_held[1]}, journal {read_held[0]} at {read_held[1]}")
    return tuple(found)
