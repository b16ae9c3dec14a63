"""The way between the engine and the exchange, in virtual time: lines that arrive late and in order, or break."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from surefill.testing.remote_venue.connection import Connection, Dial
from surefill.testing.remote_venue.exchange import Crash, Exchange
from surefill.testing.remote_venue.messages import Answer, Control, Reply, read_request, to_line
from surefill.testing.remote_venue.truth import TruthStore
from surefill.testing.simulator.world import World
from surefill.units import NS_PER_MS, NS_PER_S

LATENCY_MS_MAX = 30
DOWN_MS_MAX = 2_000


class Host:
    """The exchange's process: it can die and come back, and what its memory held is lost then; its truth is not."""

    def __init__(self, world: World, truth: TruthStore) -> None:
        self.world = world
        self.up = True
        self.crashes = 0
        self.exchange = Exchange(truth, lambda: world.now_ns, self._later)
        self._wires: list[Wire] = []

    def dial(self) -> Dial:
        """A way to connect, for one process of the engine's."""

        async def connect() -> Connection:
            await asyncio.sleep(self.latency_ns() / NS_PER_S)
            if not self.up:
                raise ConnectionRefusedError("nobody listens there")
            wire = Wire(self, asyncio.get_running_loop())
            self._wires.append(wire)
            return wire.here

        return connect

    def hang_up(self) -> None:
        """The engine's process is gone: what it had sent arrives, what comes back does not."""
        wires, self._wires = self._wires, []
        for wire in wires:
            wire.here.close()

    def latency_ns(self) -> int:
        """How long the next message takes."""
        return self.world.chance.randint(NS_PER_MS // 10, LATENCY_MS_MAX * NS_PER_MS)

    def move_price(self, instrument_id: str, px: int, qty: int) -> None:
        """The market moves."""
        if self.up:
            self.guarded(lambda: self.exchange.set_price(instrument_id, px, qty))

    def control(self, request: Control) -> None:
        """Somebody's hand on it, while it is up."""
        if self.up:
            self.guarded(lambda: _forget(self.exchange.command(request)))

    def _later(self, delay_ms: int, call: Callable[[], None]) -> None:
        life = self.crashes
        self.world.after_ms(delay_ms, lambda: self.guarded(call) if life == self.crashes else None)

    def guarded(self, call: Callable[[], None]) -> None:
        """Let the exchange do something; it may die of it."""
        try:
            call()
        except Crash:
            self.crashes += 1
            self.up = False
            for wire in self._wires:
                wire.there.drop()
            self.world.after_ms(self.world.chance.randint(1, DOWN_MS_MAX), self._come_back)

    def _come_back(self) -> None:
        self.up = True
        self.exchange.restart()


class Wire:
    """One connection. `here` is the adapter's end, `there` the exchange's; each direction keeps its order."""

    def __init__(self, host: Host, loop: asyncio.AbstractEventLoop) -> None:
        self.host = host
        self.loop = loop
        self.here = Here(self)
        self.there = There(self)
        self._last_ns = {True: 0, False: 0}

    def carry(self, call: Callable[[], None], *, out: bool) -> None:
        """Let something happen at the other end, after what was sent before it."""
        world = self.host.world
        self._last_ns[out] = max(self._last_ns[out], world.now_ns + self.host.latency_ns())
        world.after(self._last_ns[out] - world.now_ns, call)


class Here:
    """`Connection`, the adapter's end."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._inbox: asyncio.Queue[bytes] = asyncio.Queue()
        self._open = True

    async def send(self, line: bytes) -> None:
        """See `Connection.send`."""
        if not self._open:
            raise ConnectionResetError("the connection is broken")
        self._wire.carry(lambda: self._wire.there.take(line), out=True)

    async def receive(self) -> bytes:
        """See `Connection.receive`."""
        return await self._inbox.get()

    def close(self) -> None:
        """See `Connection.close`."""
        if self._open:
            self._open = False
            self._wire.carry(self._wire.there.goodbye, out=True)

    def deliver(self, line: bytes) -> None:
        """A line, or the end (b""), arrives."""
        if self._open and not self._wire.loop.is_closed():
            self._inbox.put_nowait(line)


class There:
    """`Line`, the exchange's end."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._open = True

    def send(self, message: Reply) -> None:
        """See `Line.send`."""
        self._carry(to_line(message))

    def garble(self) -> None:
        """See `Line.garble`."""
        self._carry(b"\x00 what is this?\n")

    def drop(self) -> None:
        """See `Line.drop`."""
        self._carry(b"")
        self.goodbye()

    def goodbye(self) -> None:
        """The other side has gone, or is to go."""
        if self._open:
            self._open = False
            self._wire.host.exchange.goodbye(self)

    def take(self, line: bytes) -> None:
        """A line arrives."""
        host = self._wire.host
        if self._open and host.up:
            host.guarded(lambda: host.exchange.take(self, read_request(line)))

    def _carry(self, line: bytes) -> None:
        if self._open:
            self._wire.carry(lambda: self._wire.here.deliver(line), out=False)


def _forget(_answer: Answer) -> None:
    """Nobody waits for it."""
