"""Everything is to leave at once: no rolling window of messages is exceeded, and all of it leaves (invariant 12)."""

from __future__ import annotations

import asyncio

import msgspec
import pytest
from tests.engine.workspaces import Alarms, ScriptedVenue, instrument, intent, limit, opening, profile, report_of

from surefill.domain.inputs import Halt
from surefill.domain.market import Quote
from surefill.domain.orders import OrderRequest
from surefill.domain.reports import ExecType
from surefill.engine.budget import ORDER
from surefill.engine.engine import Engine
from surefill.journal import MemoryJournal
from surefill.rules.codes import KillLevel, OrdType
from surefill.secret import Secret
from surefill.testing.invariants import check_journal
from surefill.testing.simulator.world import VirtualLoop, World, WorldClock
from surefill.units import NS_PER_S
from surefill.venues.ccxt import BinanceVenue, CcxtSettings
from surefill.venues.kite import KiteSettings, KiteVenue
from surefill.venues.protocol import Accepted, Capabilities, Outcome, RateLimit

LIMITS = {
    "binance": BinanceVenue(CcxtSettings(exchange="binance")).capabilities.rate_limits,
    "binanceusdm": BinanceVenue(CcxtSettings(exchange="binanceusdm")).capabilities.rate_limits,
    "kite": KiteVenue(KiteSettings(api_key="k", access_token=Secret("t"))).capabilities.rate_limits,
}
RULES = profile(send_by_ns=600 * NS_PER_S, shutdown_flattens=True)
ENTRIES = 20


class Counting(ScriptedVenue):
    """A venue with another one's limits: what comes is timed, and what is at the market trades at once."""

    def __init__(self, limits: tuple[RateLimit, ...], world: World) -> None:
        super().__init__()
        self._limits = limits
        self._world = world
        self.times_ns: list[int] = []

    @property
    def capabilities(self) -> Capabilities:
        return msgspec.structs.replace(super().capabilities, rate_limits=self._limits)

    async def submit(self, request: OrderRequest) -> Outcome:
        self.times_ns.append(self._world.now_ns)
        name, qty = request.instrument_id, request.order_qty
        if request.ord_type == OrdType.LIMIT:
            return await super().submit(request)
        self.held[name] = self.held.get(name, 0) + request.side * qty
        traded = report_of(request, ExecType.TRADE, exec_id=f"e{len(self.times_ns)}", last_px=100, last_qty=qty)
        return Accepted((report_of(request, ExecType.NEW), traded))

    async def cancel(self, request: OrderRequest, order_id: str) -> Outcome:
        self.times_ns.append(self._world.now_ns)
        return await super().cancel(request, order_id)


@pytest.mark.parametrize("name", LIMITS)
def test_flattening_of_many_positions_keeps_every_window_and_leaves_nothing_behind(name: str) -> None:
    limits = LIMITS[name]
    count = max(each.count for each in limits if each.kind == ORDER and each.window_ns <= 60 * NS_PER_S)
    count = min(count, 330) + 40
    names = [f"X{n}" for n in range(count)]
    world = World(1)
    loop, clock, venue = VirtualLoop(world), WorldClock(world), Counting(limits, world)

    async def story() -> None:
        engine = Engine(MemoryJournal(), clock)
        alarms = Alarms(engine)
        await engine.open(opening("w", "live", RULES), venue, [instrument(each) for each in names])

        async def quote() -> None:
            for each in names:
                engine.tell("w", Quote(each, clock.now_ns(), 100))
            await asyncio.sleep(1)

        await quote()
        wishes = [intent(each, 1, instrument_id=each) for each in names]
        wishes += [limit(f"l{n}", instrument_id=names[n]) for n in range(ENTRIES)]
        await asyncio.gather(*(engine.submit("w", wish) for wish in wishes))
        state = engine.desks["w"].writer.state
        assert sum(1 for _ in state.open_positions()) == count
        await asyncio.sleep(120)  # the windows are empty again

        before, began_ns = len(venue.times_ns), world.now_ns
        await engine.feed("w", Halt(clock.now_ns(), "OPERATOR", "out", "ann", level=KillLevel.SHUTDOWN))
        while any(True for _ in state.open_positions()):
            assert world.now_ns - began_ns < 180 * NS_PER_S, f"{sum(1 for _ in state.open_positions())} are left"
            await quote()
        assert len(venue.times_ns) - before == count + ENTRIES, "each once, and no entry is left"
        assert not any(venue.held.values())
        assert not state.book.orders
        assert alarms.codes() == []
        await engine.stop(timeout_s=0)
        assert check_journal(engine.journal, "w") == []

    try:
        loop.run_until_complete(story())
    finally:
        loop.abandon()
    for each in limits:
        last: list[int] = []
        for at_ns in venue.times_ns:
            last = [earlier_ns for earlier_ns in last if at_ns - earlier_ns <= each.window_ns] + [at_ns]
            assert len(last) <= each.count, f"{len(last)} within {each.window_ns} ns"
