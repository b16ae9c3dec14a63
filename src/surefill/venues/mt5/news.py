"""What is new: MT5 pushes nothing, so deals and orders are looked at over and over.

Deals are fetched with an overlap, each told once; orders of ours that have left the list of working ones are looked up
until their end is known.
"""

from __future__ import annotations

import contextlib

from surefill.domain.reports import ExecType, VenueReport
from surefill.errors import VenueOutcomeUnknown
from surefill.units import NS_PER_S
from surefill.venues.mt5.account import Account
from surefill.venues.mt5.reading import is_trade
from surefill.venues.mt5.records import DealRecord, OrderRecord, raw
from surefill.venues.mt5.stories import Stories

_OVERLAP_NS = 600 * NS_PER_S
_RECENT_MAX = 4_096
_CLOCKS = 8  # symbols whose ticks show the server's clock, one at each look
_LIMITS = (2, 3)  # types of buy limit and sell limit


class News:
    """Looks again and again; all of it runs in the worker."""

    def __init__(self, account: Account, stories: Stories) -> None:
        self._account, self._stories = account, stories
        self._since_ns = 0
        self._seen: dict[int, None] = {}
        self._triggered: set[int] = set()
        self._clocks: list[str] = []
        self._looks = 0

    def begin(self) -> None:
        """What has been dealt until now is no news; and how old the ticks are that stand now, nobody knows."""
        self._since_ns = self._account.now_ns()
        self._clocks = sorted(self._account.scales)[:_CLOCKS]
        for name in self._clocks:
            self._look_at_clock(name)
        for deal in self._recent_deals():
            self._seen[deal.ticket] = None

    def look(self) -> list[VenueReport]:
        """What has happened since the last look."""
        self._watch_clock()
        account, watched = self._account, self._stories.watched
        working = account.looks.working()
        news = [self._stories.execution(deal) for deal in self._recent_deals()]
        for order in working:
            name = account.names.of(order.ticket, order.magic, order.comment)
            if name:
                watched.setdefault(order.ticket, name)
            if name and self._has_triggered(order):
                news.append(VenueReport(name, ExecType.TRIGGERED, str(order.ticket), raw=raw(order)))
        gone = watched.keys() - {order.ticket for order in working}
        news += [report for ticket in sorted(gone) for report in self._end_of(ticket)]
        return [report for report in news if report.exec_type != ExecType.TRADE or self._is_new(int(report.exec_id))]

    def _watch_clock(self) -> None:
        if self._clocks:
            self._look_at_clock(self._clocks[self._looks % len(self._clocks)])
        self._looks += 1

    def _look_at_clock(self, name: str) -> None:
        with contextlib.suppress(VenueOutcomeUnknown):  # a symbol without a price; whatever else fails, fails below too
            self._account.tick(name)

    def _is_new(self, deal: int) -> bool:
        """Whether a deal has not been told before; from here on it has."""
        if deal in self._seen:
            return False
        self._seen[deal] = None
        while len(self._seen) > _RECENT_MAX:
            self._seen.pop(next(iter(self._seen)))
        return True

    def _recent_deals(self) -> list[DealRecord]:
        """Executions since shortly before we connected or before the last looks."""
        account = self._account
        since_ns = max(self._since_ns, account.now_ns() - 6 * _OVERLAP_NS) - _OVERLAP_NS
        found = account.looks.deals(*account.clock.window(since_ns, account.now_ns()))
        return [deal for deal in found if is_trade(deal)]

    def _has_triggered(self, order: OrderRecord) -> bool:
        """Whether a stop-limit order has become a limit order: its type changes, its stop-limit price stays."""
        new = order.type in _LIMITS and order.price_stoplimit > 0 and order.ticket not in self._triggered
        if new:
            self._triggered.add(order.ticket)
        return new

    def _end_of(self, ticket: int) -> tuple[VenueReport, ...]:
        found = self._account.looks.by_ticket(ticket)
        if found is None or found.working or found.order is None:
            return ()
        scale = self._account.scale(found.order.symbol)
        return self._stories.told(found, scale, self._stories.watched[ticket])[1:]
