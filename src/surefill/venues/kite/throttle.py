"""The broker's limits, kept on our side: what would be over them is not sent."""

from __future__ import annotations

from collections import deque
from datetime import datetime, timedelta
from typing import Final

from surefill.units import NS_PER_DAY, NS_PER_MIN, NS_PER_S, datetime_from_ns, ns_from_datetime
from surefill.venues.kite.rows import IST
from surefill.venues.kite.settings import KiteSettings
from surefill.venues.protocol import RateLimit, Rejected

ORDERS: Final = "order"


def rate_limits(settings: KiteSettings) -> tuple[RateLimit, ...]:
    """What the broker allows; 0 is no limit."""
    limits = (
        RateLimit(ORDERS, settings.orders_per_s, NS_PER_S),
        RateLimit(ORDERS, settings.orders_per_min, NS_PER_MIN),
        RateLimit(ORDERS, settings.orders_per_day, NS_PER_DAY),
    )
    return tuple(limit for limit in limits if limit.count)


class Throttle:
    """Counts orders sent and changes made. A day is an Indian one; the counts die with the process."""

    def __init__(self, settings: KiteSettings) -> None:
        self._limits = rate_limits(settings)
        self._modifications_max = settings.modifications_max
        self._sent_ns: deque[int] = deque()
        self._modifications: dict[str, int] = {}

    def admit(self, now_ns: int) -> Rejected | None:
        """Count one order, or say why it may not be sent now."""
        today_ns = _day_began_ns(now_ns)
        while self._sent_ns and self._sent_ns[0] < today_ns:
            self._sent_ns.popleft()
        for limit in reversed(self._limits):
            within = limit.window_ns < NS_PER_DAY
            since_ns = now_ns - limit.window_ns if within else today_ns - 1
            count = sum(1 for sent_ns in self._sent_ns if sent_ns > since_ns)
            if count >= limit.count:
                text = f"{count} orders already, of {limit.count} allowed in {limit.window_ns // NS_PER_S} s"
                if not within:
                    return Rejected("DAILY_CAP", text)
                free_ns = self._sent_ns[-limit.count] + limit.window_ns - now_ns
                return Rejected("RATE_LIMIT", text, undelivered=True, retry_after_ns=max(free_ns, 1))
        self._sent_ns.append(now_ns)
        return None

    def admit_change(self, order_id: str, now_ns: int) -> Rejected | None:
        """Count one change of an order, or say why it may not be made."""
        count = self._modifications.get(order_id, 0)
        if count >= self._modifications_max > 0:
            return Rejected("MODIFICATIONS_SPENT", f"order {order_id} has been changed {count} times: no more allowed")
        objection = self.admit(now_ns)
        if objection is None:
            self._modifications[order_id] = count + 1
        return objection


def _day_began_ns(now_ns: int) -> int:
    local = datetime_from_ns(now_ns).astimezone(IST)
    return ns_from_datetime(datetime(local.year, local.month, local.day, tzinfo=IST))


def next_six_ns(now_ns: int) -> int:
    """The next six in the morning in India, when every access token ends."""
    local = datetime_from_ns(now_ns).astimezone(IST)
    six = local.replace(hour=6, minute=0, second=0, microsecond=0)
    return ns_from_datetime(six if six > local else six + timedelta(days=1))
