"""Watching the order book: at its own pace, and at once when something hints at a change.

Hints (postbacks, order updates on the ticker) say only that it is time to look. Whatever they say, however often and in
whatever order, the book is read, and what has changed since the last look is told.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Sequence

from surefill.domain.reports import VenueReport
from surefill.errors import VenueOutcomeUnknown
from surefill.logs import logger
from surefill.venues.kite.rows import OrderRow, TradeRow
from surefill.venues.kite.settings import KiteSettings

Shape = tuple[object, ...]
Reports = Callable[[Sequence[OrderRow], Sequence[OrderRow], Iterable[TradeRow]], Iterable[VenueReport]]

_log = logger("surefill.venues.kite.watch")


class Watch:
    """`orders` and `trades` look; `reports` makes reports of (all lines, the changed ones, new trades)."""

    def __init__(
        self,
        settings: KiteSettings,
        orders: Callable[[], Awaitable[list[OrderRow]]],
        trades: Callable[[], Awaitable[list[TradeRow]]],
        reports: Reports,
        tell: Callable[[VenueReport], None],
    ) -> None:
        self._settings = settings
        self._orders = orders
        self._trades = trades
        self._reports = reports
        self._tell = tell
        self._due = asyncio.Event()
        self._shapes: dict[str, Shape] = {}
        self._told: set[str] = set()

    def hint(self) -> None:
        """Look soon."""
        self._due.set()

    async def begin(self) -> None:
        """What is there now is not news. Raises VenueOutcomeUnknown where it cannot be seen."""
        trades = await self._trades()
        self._told = {trade.exec_id for trade in trades}
        self._keep(await self._orders(), trades)

    async def run(self) -> None:
        """Look until canceled. A look that fails says nothing, and is made again."""
        while True:
            try:
                async with asyncio.timeout(self._settings.poll_s):
                    await self._due.wait()
            except TimeoutError:
                pass
            self._due.clear()
            try:
                await self.look()
            except VenueOutcomeUnknown as error:
                _log.warning("kite_orders_not_seen", error=error.message)
            except Exception as error:  # whatever its class: a watch that has ended is missed too late
                _log.error("kite_watch_failed", error=repr(error))
            await asyncio.sleep(self._settings.hint_spacing_s)

    async def look(self) -> None:
        """Read the book, tell what changed. An order whose trades have not all been told yet goes on changing."""
        rows = await self._orders()
        changed = [row for row in rows if self._shapes.get(row.order_id) != _shape(row)]
        if not changed:
            return
        trades = await self._trades()
        fresh = [trade for trade in trades if trade.exec_id not in self._told]
        for report in self._reports(rows, changed, fresh):
            self._tell(report)
        self._told.update(trade.exec_id for trade in fresh)
        self._keep(changed, trades)

    def _keep(self, rows: Iterable[OrderRow], trades: Iterable[TradeRow]) -> None:
        """What is known of these, as far as their trades were told with them."""
        traded: defaultdict[str, int] = defaultdict(int)
        for trade in trades:
            traded[trade.order_id] += trade.quantity
        for row in rows:
            if traded[row.order_id] >= row.filled_quantity:
                self._shapes[row.order_id] = _shape(row)


def _shape(row: OrderRow) -> Shape:
    return row.status, row.filled_quantity, row.quantity, row.price, row.trigger_price
