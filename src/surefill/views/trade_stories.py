"""Trades with their stories: why they were entered, how they were guarded, why they ended."""

from __future__ import annotations

from collections import Counter

import msgspec

from surefill.domain import events as e
from surefill.domain.refusals import RefusalCode
from surefill.rules.codes import ExitReason
from surefill.units import quanta_text
from surefill.views.fold import Fold
from surefill.views.trades import Trade, TradeLog
from surefill.views.wording import exit_word


class StopLevel(msgspec.Struct, frozen=True, array_like=True):
    """From this time on the stop stood at `px` (quanta)."""

    ts_ns: int
    px: int


class TradeStory(msgspec.Struct):
    """A trade and what the journal says about it. Prices in quanta, 0: none.

    `entry_ref` and `exit_ref` are the public ids of the first and the last order. `entry_why` is upstream's reason;
    `exit_why` the exit plan's, or upstream's where upstream closed.
    """

    trade: Trade
    entry_why: str = ""
    entry_ref: str = ""
    exit_why: str = ""
    exit_ref: str = ""
    target_px: int = 0
    stops: list[StopLevel] = []


class Refused(msgspec.Struct):
    """How often a refusal happened, and what it said the last time."""

    count: int
    example: str


_Fill = e.OrderFilled | e.ExternalTraded | e.AccountMoved


def _id_of(event: _Fill) -> str:
    """The client order id behind it; "" where there was no order."""
    return "" if isinstance(event, e.AccountMoved) else event.cl_ord_id


class TradeStories:
    """Folds events into stories of closed trades, open ones (by position key) and refusals (by the code's name)."""

    def __init__(self) -> None:
        self.closed: list[TradeStory] = []
        self.running: dict[str, TradeStory] = {}
        self.refused: dict[str, Refused] = {}
        self.events: Counter[str] = Counter()
        self._trades = TradeLog()

    @property
    def fold(self) -> Fold:
        """The state behind it."""
        return self._trades.fold

    def apply(self, event: e.Event) -> None:
        """Fold one event."""
        ended = self._trades.apply(event)
        self.events[type(event).__name__] += 1
        if isinstance(event, e.OrderFilled | e.ExternalTraded | e.AccountMoved):
            self._filled(event, ended)
        elif isinstance(event, e.DustLeft):
            self._dusted(event)
        elif isinstance(event, e.ProtectionSet):
            self._guarded(event)
        elif isinstance(event, e.StopMoved):
            self._level(event.position, event.ts_ns, event.stop_px)
        elif isinstance(event, e.IntentRefused):
            refused = self.refused.setdefault(RefusalCode(event.code).name, Refused(0, ""))
            refused.count += 1
            refused.example = event.reason
        elif isinstance(event, e.WorkspaceReset):
            self.running.clear()

    def _filled(self, event: _Fill, ended: Trade | None) -> None:
        if ended is not None:
            story = self.running.pop(event.position)
            story.exit_why, story.exit_ref = self._why_out(event)
            self.closed.append(story)
        running = self._trades.running.get(event.position)
        if running is not None and event.position not in self.running:
            labels, order = self.fold.labels_of(event.correlation_id), self.fold.order(_id_of(event))
            ref = order.request.order_ref if order is not None else ""
            self.running[event.position] = TradeStory(running, labels.reason, ref, stops=[])

    def _dusted(self, event: e.DustLeft) -> None:
        story = self.running.pop(event.position, None)
        if story is not None:
            story.exit_why = story.trade.exit_reason.replace("_", " ")
            self.closed.append(story)

    def _why_out(self, event: _Fill) -> tuple[str, str]:
        order = self.fold.order(_id_of(event))
        if order is None:
            return "" if isinstance(event, e.OrderFilled) else "elsewhere", ""
        request = order.request
        if order.exit_reason == ExitReason.NONE:
            return self.fold.labels_of(order.correlation_id).reason, request.order_ref
        decimals = self.fold.book.instruments[request.instrument_id].price_decimals
        px = event.last_px if isinstance(event, e.OrderFilled) else 0
        word = exit_word(request.reason_at(px, order.exit_reason)).replace("_", " ")
        return f"{word} at {quanta_text(request.arrival_px, decimals)}", request.order_ref

    def _guarded(self, event: e.ProtectionSet) -> None:
        story = self.running.get(event.position)
        if story is not None:
            story.target_px = event.target_px
            self._level(event.position, event.ts_ns, event.stop_px)

    def _level(self, position: str, ts_ns: int, px: int) -> None:
        story = self.running.get(position)
        if story is not None and (px or story.stops):
            story.stops.append(StopLevel(ts_ns, px))
