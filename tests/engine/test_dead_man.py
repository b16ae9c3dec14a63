"""The venue's dead man's switch: armed before an entry leaves, told again while anything works, off at a clean stop."""

from __future__ import annotations

import pytest
from tests.engine.workspaces import Alarms, ScriptedVenue, instrument, limit, opening, profile, run, started

from surefill.engine.clock import LiveClock
from surefill.engine.engine import Engine
from surefill.errors import ConfigError
from surefill.journal import MemoryJournal
from surefill.rules.codes import OrdStatus, OrdType, TimeInForce
from surefill.units import NS_PER_S
from surefill.venues.protocol import Accepted, Capabilities, Outcome, Unknown

LENGTH_NS = 3_000 * NS_PER_S  # it is told again by hand only


class Switch(ScriptedVenue):
    """A venue with the switch. `told`: for how many ms, by turns with the orders that were sent."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[int | str] = []
        self.deaf = False

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(
            "switch", frozenset(OrdType), frozenset(TimeInForce), native_stops=True, amends=True, dead_man=True
        )

    async def cancel_all_after(self, instrument_id: str, countdown_ms: int) -> Outcome:
        assert instrument_id == "X"
        self.told.append(countdown_ms)
        return Unknown("timed out") if self.deaf else Accepted(())

    async def submit(self, request: object) -> Outcome:
        self.told.append("order")
        return await super().submit(request)  # type: ignore[arg-type]


ARMED = LENGTH_NS // 1_000_000


async def _engine(venue: Switch, length_ns: int = LENGTH_NS) -> Engine:
    return await started(venue=venue, rules=profile(dead_man_ns=length_ns))


async def _beat(engine: Engine) -> None:
    await engine._dead_men["w"].beat()


def test_switch_is_armed_before_the_first_entry_leaves_told_again_and_cleared_at_a_clean_stop() -> None:
    async def test() -> None:
        venue = Switch()
        engine = await _engine(venue)
        await _beat(engine)
        venue.told.clear()
        await engine.submit("w", limit("a"))
        await engine.submit("w", limit("b", px=80))
        assert venue.told == [ARMED, "order", "order"]
        await _beat(engine)
        assert venue.told[3:] == [ARMED]
        await engine.stop()
        assert venue.told[4:] == [0]

    run(test)


def test_switch_is_cleared_when_nothing_works_any_more() -> None:
    async def test() -> None:
        venue = Switch()
        engine = await _engine(venue)
        await engine.submit("w", limit("a"))
        venue.fill(venue.sent[0], 10, "e1", 90)
        while await engine.read("w", lambda state: bool(state.book.orders)):
            pass
        venue.told.clear()
        await _beat(engine)
        await _beat(engine)
        assert venue.told == [0]
        await engine.stop()

    run(test)


def test_what_a_process_before_has_armed_is_switched_off_or_told_again_at_once() -> None:
    async def test() -> None:
        venue, journal = Switch(), MemoryJournal()
        first = await started(journal, venue=venue, rules=profile(dead_man_ns=LENGTH_NS))
        await first.submit("w", limit("a"))
        first._stopped = True  # it is killed
        for task in first._rounds_made["w"]:
            task.cancel()
        venue.told.clear()
        journal.reopen()
        second = await started(journal, venue=venue, rules=profile(dead_man_ns=LENGTH_NS))
        await _beat(second)
        assert set(venue.told) == {ARMED}
        await second.stop()

    run(test)


def test_switch_that_may_still_run_from_before_is_switched_off_where_nothing_works() -> None:
    async def test() -> None:
        venue, journal = Switch(), MemoryJournal()
        first = await started(journal, venue=venue, rules=profile(dead_man_ns=LENGTH_NS))
        await first.stop()
        venue.told.clear()
        second = await started(journal, venue=venue, rules=profile(dead_man_ns=LENGTH_NS))
        await _beat(second)
        assert venue.told == [0]
        await second.stop()

    run(test)


def test_entry_whose_switch_cannot_be_armed_stays_here_and_somebody_is_called_once() -> None:
    async def test() -> None:
        venue = Switch()
        engine = await _engine(venue)
        alarms = Alarms(engine)
        venue.deaf = True
        for name in ("a", "b"):
            await engine.submit("w", limit(name))
        orders = await engine.read("w", lambda state: list(state.book.done.values()))
        assert [(order.status, order.code) for order in orders] == [(OrdStatus.REJECTED, "DEAD_MAN")] * 2
        assert (venue.sent, alarms.codes()) == ([], ["DEAD_MAN_NOT_TOLD"])
        venue.deaf = False
        await engine.submit("w", limit("c"))
        assert len(venue.sent) == 1
        await engine.stop()

    run(test)


def test_exit_does_not_wait_for_the_switch() -> None:
    async def test() -> None:
        venue = Switch()
        engine = await _engine(venue)
        await engine.submit("w", limit("a"))
        venue.fill(venue.sent[0], 10, "e1", 90)
        while await engine.read("w", lambda state: bool(state.book.orders)):
            pass
        await _beat(engine)
        assert venue.told[-1] == 0
        venue.deaf = True
        await engine.submit("w", limit("out", side=-1, px=95))
        assert len(venue.sent) == 2
        await engine.stop()

    run(test)


def test_profile_without_it_tells_nothing() -> None:
    async def test() -> None:
        venue = Switch()
        engine = await _engine(venue, 0)
        await engine.submit("w", limit("a"))
        await engine.stop()
        assert venue.told == ["order"]

    run(test)


@pytest.mark.parametrize(
    ("venue", "stops_at_venue", "match"),
    [(Switch(), True, "may cancel them"), (ScriptedVenue(), False, "scripted has no dead man's switch")],
)
def test_switch_that_is_not_there_or_would_take_stops_away_is_refused(
    venue: ScriptedVenue, stops_at_venue: bool, match: str
) -> None:
    async def test() -> None:
        engine = Engine(MemoryJournal(), LiveClock())
        rules = profile(dead_man_ns=LENGTH_NS, stops_at_venue=stops_at_venue)
        with pytest.raises(ConfigError, match=match):
            await engine.open(opening(rules=rules), venue, [instrument()])
        await engine.stop()

    run(test)
