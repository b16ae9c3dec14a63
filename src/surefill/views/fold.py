"""What every projection needs beside the event at hand: the state at that point, upstream's labels, the last marks.

The state is the domain's own (`evolve`), so a view never does the books a second time in its own way.
"""

from __future__ import annotations

import msgspec

from surefill.domain.events import (
    Event,
    ExitTriggered,
    IntentAccepted,
    OrderCreated,
    OrderFilled,
    StopMoved,
    WorkspaceReset,
)
from surefill.domain.evolve import EVOLVE_VERSION, evolve
from surefill.domain.instrument import Instrument
from surefill.domain.orders import Order
from surefill.domain.state import Book, State

FOLD_VERSION = 1
LABELS_FLOOR = 1_024


class Labels(msgspec.Struct, frozen=True):
    """What upstream said about an intent: for projections alone."""

    strategy_id: str
    reason: str
    context: dict[str, str]


NO_LABELS = Labels("", "", {})


class Saved(msgspec.Struct, frozen=True):
    """A fold at rest. `book` is the state's own snapshot, kept as text."""

    version: tuple[int, int]
    book: str
    labels: dict[str, Labels]
    marks: dict[str, int]
    orders: int


_ENCODER = msgspec.json.Encoder(order="deterministic")
_DECODER = msgspec.json.Decoder(Saved)


class Fold:
    """State, labels and marks after the events applied so far.

    `marks`: the last price of an instrument that a journaled decision or fill carries, in quanta. Market data is
    not journaled, so this is the freshest price that can be rebuilt. `orders` counts the orders created.
    """

    def __init__(self) -> None:
        self.state = State()
        self.labels: dict[str, Labels] = {}
        self.marks: dict[str, int] = {}
        self.orders = 0
        self._prune_at = LABELS_FLOOR

    @property
    def book(self) -> Book:
        """The state's book."""
        return self.state.book

    def apply(self, event: Event) -> None:
        """Fold one event."""
        evolve(self.state, event)
        if isinstance(event, IntentAccepted):
            intent = event.intent
            self.labels[event.correlation_id] = Labels(intent.strategy_id, intent.reason, intent.context)
            if len(self.labels) > self._prune_at:
                self._prune()
        elif isinstance(event, OrderCreated):
            self.orders += 1
            self._mark(event.request.instrument_id, event.request.arrival_px)
        elif isinstance(event, OrderFilled):
            self._mark(self.book.positions[event.position].instrument_id, event.last_px)
        elif isinstance(event, StopMoved | ExitTriggered):
            self._mark(self.book.positions[event.position].instrument_id, event.px)
        elif isinstance(event, WorkspaceReset):
            self.orders = 0

    def order(self, cl_ord_id: str) -> Order | None:
        """A live or recently finished order."""
        return self.state.order(cl_ord_id)

    def instrument(self, instrument_id: str) -> Instrument | None:
        """An instrument as it stands now; None for one that was never defined."""
        return self.book.instruments.get(instrument_id)

    def labels_of(self, correlation_id: str) -> Labels:
        """What upstream said with the intent that began this story."""
        return self.labels.get(correlation_id, NO_LABELS)

    def _mark(self, instrument_id: str, px: int) -> None:
        if px > 0:
            self.marks[instrument_id] = px

    def _prune(self) -> None:
        """Keep the labels that an order or an open position can still ask for."""
        book = self.book
        wanted = {order.correlation_id for order in (*book.orders.values(), *book.done.values())}
        wanted.update(position.correlation_id for _, position in self.state.open_positions())
        newest = next(reversed(self.labels))
        self.labels = {key: kept for key, kept in self.labels.items() if key in wanted or key == newest}
        self._prune_at = max(LABELS_FLOOR, 2 * len(self.labels))

    def save(self) -> bytes:
        """This fold in bytes, to begin from another time."""
        version = (FOLD_VERSION, EVOLVE_VERSION)
        book = self.state.snapshot().decode()
        return _ENCODER.encode(Saved(version, book, self.labels, self.marks, self.orders))

    @classmethod
    def restore(cls, payload: bytes) -> Fold | None:
        """The fold of `save`; None where it was saved by another version, or is not readable."""
        try:
            saved = _DECODER.decode(payload)
            if saved.version != (FOLD_VERSION, EVOLVE_VERSION):
                return None
            fold = cls()
            fold.state = State.restore(saved.book.encode())
        except msgspec.DecodeError:  # of another shape: the journal has it all
            return None
        fold.labels, fold.marks, fold.orders = saved.labels, saved.marks, saved.orders
        fold._prune_at = max(LABELS_FLOOR, 2 * len(fold.labels))
        return fold
