"""An order that the venue has no way of taking is refused before anything is sent."""

from __future__ import annotations

import pytest
from tests.engine.workspaces import ScriptedVenue, intent, profile, run, started

from surefill.engine.receipt import Verdict
from surefill.journal import MemoryJournal
from surefill.rules.codes import OrdType, TimeInForce
from surefill.testing.invariants import check_journal
from surefill.venues.protocol import Capabilities

MARKET, LIMIT, STOP = OrdType.MARKET, OrdType.LIMIT, OrdType.STOP
DAY, GTC, IOC, FOK = TimeInForce.DAY, TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK


class Picky(ScriptedVenue):
    """It has no stops; what rests there is for the day."""

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(
            "picky", frozenset({MARKET, LIMIT}), frozenset({DAY, IOC}), time_in_force_of={LIMIT: frozenset({DAY})}
        )


@pytest.mark.parametrize(
    ("ord_type", "time_in_force", "code", "reason"),
    [
        (MARKET, IOC, "", ""),
        (LIMIT, DAY, "", ""),
        (LIMIT, IOC, "UNSUPPORTED_TIME_IN_FORCE", "picky takes no LIMIT order that is IOC: it may be DAY"),
        (MARKET, FOK, "UNSUPPORTED_TIME_IN_FORCE", "picky takes no MARKET order that is FOK: it may be DAY, IOC"),
        (STOP, DAY, "UNSUPPORTED_ORDER_TYPE", "picky has no STOP orders"),
        (LIMIT, 99, "UNSUPPORTED_TIME_IN_FORCE", "there is no time in force 99"),
    ],
)
def test_order_that_the_venue_cannot_take_is_refused_and_never_sent(
    ord_type: int, time_in_force: int, code: str, reason: str
) -> None:
    venue, journal = Picky(), MemoryJournal()
    terms: dict[str, int] = {"ord_type": ord_type, "time_in_force": time_in_force}
    prices: dict[int, dict[str, int]] = {LIMIT: {"px": 99}, STOP: {"stop_px": 110}}

    async def story() -> None:
        engine = await started(journal, venue=venue, rules=profile())
        receipt = await engine.submit("w", intent("k", **terms, **prices.get(ord_type, {})))
        assert (receipt.verdict == Verdict.REFUSED, receipt.code, receipt.reason) == (bool(code), code, reason)
        await engine.stop()

    run(story)
    assert len(venue.sent) == (not code)
    assert check_journal(journal, "w") == []


def test_times_in_force_of_an_order_type_are_the_venues_unless_it_names_them() -> None:
    told = Picky().capabilities

    assert [told.takes(MARKET, each) for each in (DAY, GTC, IOC, FOK)] == [True, False, True, False]
    assert [told.takes(LIMIT, each) for each in (DAY, GTC, IOC, FOK)] == [True, False, False, False]
