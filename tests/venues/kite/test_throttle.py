from __future__ import annotations

import pytest
from tests.venues.kite.lines import STAMP_NS

from surefill.secret import Secret
from surefill.units import NS_PER_DAY, NS_PER_HOUR, NS_PER_MIN, NS_PER_S, iso_from_ns
from surefill.venues.kite.settings import KiteSettings
from surefill.venues.kite.throttle import Throttle, next_six_ns, rate_limits


def throttle(per_s: int = 0, per_min: int = 0, per_day: int = 0, changes: int = 25) -> Throttle:
    return Throttle(
        KiteSettings(
            api_key="k",
            access_token=Secret("t"),
            orders_per_s=per_s,
            orders_per_min=per_min,
            orders_per_day=per_day,
            modifications_max=changes,
        )
    )


def test_limits_of_the_documentation_are_the_defaults() -> None:
    limits = rate_limits(KiteSettings(api_key="k", access_token=Secret("t")))
    assert [(each.count, each.window_ns) for each in limits] == [
        (10, NS_PER_S),
        (200, NS_PER_MIN),
        (5_000, NS_PER_DAY),
    ]


@pytest.mark.parametrize(
    ("made", "window_ns"), [(throttle(per_s=3), NS_PER_S), (throttle(per_min=3), NS_PER_MIN)], ids=["s", "min"]
)
def test_order_over_a_rate_waits_until_the_window_has_moved(made: Throttle, window_ns: int) -> None:
    for each in range(3):
        assert made.admit(STAMP_NS + each) is None
    refused = made.admit(STAMP_NS + 3)
    assert refused is not None
    assert (refused.code, refused.undelivered) == ("RATE_LIMIT", True)
    assert refused.retry_after_ns == window_ns - 3
    assert made.admit(STAMP_NS + 3 + refused.retry_after_ns) is None


def test_daily_cap_is_not_waited_for_and_begins_anew_at_midnight_in_india() -> None:
    made = throttle(per_day=2)
    assert made.admit(STAMP_NS) is None
    assert made.admit(STAMP_NS + NS_PER_HOUR) is None
    refused = made.admit(STAMP_NS + 2 * NS_PER_HOUR)
    assert refused is not None
    assert (refused.code, refused.undelivered) == ("DAILY_CAP", False)
    assert made.admit(STAMP_NS + 13 * NS_PER_HOUR) is not None  # 23:00
    assert made.admit(STAMP_NS + 14 * NS_PER_HOUR) is None


def test_changes_of_an_order_are_counted_each_for_itself() -> None:
    made = throttle(changes=2)
    assert [made.admit_change("1", STAMP_NS) for _ in range(2)] == [None, None]
    refused = made.admit_change("1", STAMP_NS)
    assert refused is not None
    assert (refused.code, refused.undelivered) == ("MODIFICATIONS_SPENT", False)
    assert made.admit_change("2", STAMP_NS) is None


@pytest.mark.parametrize(
    ("hours", "until"),
    [(0, "2026-11-28T00:30:00Z"), (19, "2026-11-28T00:30:00Z"), (20, "2026-11-29T00:30:00Z")],
)
def test_token_ends_at_the_next_six_in_the_morning(hours: int, until: str) -> None:
    assert iso_from_ns(next_six_ns(STAMP_NS + hours * NS_PER_HOUR)) == until
