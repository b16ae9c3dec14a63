"""An engine that trades at the emulated Binance through the adapter; and what must be true afterwards."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from itertools import count
from typing import Any

import msgspec
from tests.venues.ccxt.orders import BITCOIN, DOLLAR, INSTRUMENTS, settings

from surefill.domain.effects import Notify
from surefill.domain.inputs import OpenWorkspace, RequestCancel
from surefill.domain.intent import Action, Intent
from surefill.domain.limits import Limits
from surefill.domain.market import Quote, Source
from surefill.domain.orders import Order
from surefill.domain.profile import V3
from surefill.domain.state import State
from surefill.engine.clock import LiveClock
from surefill.engine.engine import Engine
from surefill.engine.receipt import Receipt
from surefill.errors import VenueOutcomeUnknown
from surefill.journal import MemoryJournal, verify
from surefill.rules.codes import OrdStatus, OrdType, TimeInForce
from surefill.testing.emulators.groundwork.process import EmulatorProcess
from surefill.units import NS_PER_MS
from surefill.venues.ccxt import BinanceVenue

WORKSPACE = "w"
LIMITS = Limits(
    query_spacing_ns=50 * NS_PER_MS, unknown_page_ns=3_000 * NS_PER_MS, retry_base_ns=50 * NS_PER_MS, attempts_max=3
)
IN_FLIGHT = (OrdStatus.UNKNOWN, OrdStatus.SUBMITTED)
OPEN_TRIES = 10
MONEY_DECIMALS = 12

_numbers = count(1)


class Rig:
    """A new account at the venue, and one workspace on it. `run` gives it an engine for the length of a story."""

    def __init__(self, binance: EmulatorProcess, exchange: str) -> None:
        number = next(_numbers)
        self.binance, self.exchange = binance, exchange
        self.account, self.instrument_id = f"account-{number}", INSTRUMENTS[exchange]
        self.journal = MemoryJournal()
        self.profile = msgspec.structs.replace(V3, limits=LIMITS)
        self.alarms: list[Notify] = []
        self.engine: Engine
        self.venue: BinanceVenue
        key = {"api_key": self.account, "secret": "s", "account": self.account}
        binance.seed(keys=[key], account=self.account, spot={"USDT": "100000"}, usdm={"USDT": "100000"})

    def run(self, story: Callable[[], Awaitable[None]]) -> None:
        """Start an engine, open the workspace, tell the story, and drop everything as a crash would."""
        asyncio.run(self._live(story))
        self.journal.reopen()

    async def _live(self, story: Callable[[], Awaitable[None]]) -> None:
        self.engine = Engine(self.journal, LiveClock())
        self.engine.alarms[:] = [lambda _workspace_id, notice: self.alarms.append(notice)]
        self.venue = await self._opened()
        try:
            await story()
        finally:
            self.engine._stopped = True  # a turn while the loop is being taken down would start what nobody ends
            await self.venue.close()

    def _venue(self) -> BinanceVenue:
        known = settings(self.exchange, self.binance.url, self.binance.ws_url, timeout_s=1.0)
        secret = type(known.keys.secret)
        keys = msgspec.structs.replace(known.keys, api_key=secret(self.account), secret=secret("s"))
        ours = {"keys": keys, "instrument_ids": (self.instrument_id,), "money_decimals": MONEY_DECIMALS}
        return BinanceVenue(msgspec.structs.replace(known, **ours))

    async def _opened(self) -> BinanceVenue:
        opening = OpenWorkspace(
            time.time_ns(),
            WORKSPACE,
            "live",
            self.exchange,
            self.account,
            "USDT",
            MONEY_DECIMALS,
            10**17,
            self.profile,
            "hash",
        )
        for _ in range(OPEN_TRIES):
            venue = self._venue()
            try:
                known = [each for each in await venue.instruments() if each.instrument_id == self.instrument_id]
                await self.engine.open(opening, venue, known)
            except VenueOutcomeUnknown:
                await venue.close()
                continue
            return venue
        raise AssertionError(f"the venue could not be reached in {OPEN_TRIES} tries")

    async def submit(self, intent_id: str, side: int = 1, *, px: int = 0) -> Receipt:
        """A hundredth of a bitcoin, at market or with `px` (dollars) at a limit."""
        intent = Intent(
            intent_id,
            f"c-{intent_id}",
            "test",
            "s",
            self.instrument_id,
            Action.TRADE,
            side,
            BITCOIN[self.instrument_id] // 100,
            ord_type=OrdType.LIMIT if px else OrdType.MARKET,
            px=px * DOLLAR[self.instrument_id],
            time_in_force=TimeInForce.GTC if px else TimeInForce.DAY,
        )
        now = Quote(self.instrument_id, time.time_ns(), 60_000 * DOLLAR[self.instrument_id], source=Source.CALLER)
        return await self.engine.submit(WORKSPACE, intent, now)

    async def ask(self, intent: Intent) -> Receipt:
        """What the intent says, at the price of now."""
        now = Quote(self.instrument_id, time.time_ns(), 60_000 * DOLLAR[self.instrument_id], source=Source.CALLER)
        return await self.engine.submit(WORKSPACE, intent, now)

    async def cancel(self, cl_ord_id: str) -> None:
        await self.engine.feed(WORKSPACE, RequestCancel(time.time_ns(), cl_ord_id, "test"))

    async def arm(self, fault: Any, times: int = 1, op: str = "") -> None:
        await asyncio.to_thread(self.binance.arm, fault, times, op=op)

    async def price(self, px: int) -> None:
        await asyncio.to_thread(self.binance.price, "BTCUSDT", px)

    async def read(self, reader: Callable[[State], Any]) -> Any:
        return await self.engine.read(WORKSPACE, reader)

    async def order(self, cl_ord_id: str) -> Order:
        order = await self.read(lambda state: state.order(cl_ord_id))
        assert isinstance(order, Order)
        return order

    async def until(self, what: Callable[[State], bool], within_s: float = 10.0) -> None:
        end = time.monotonic() + within_s
        while not await self.read(what):
            assert time.monotonic() < end, f"not so within {within_s} s: {await self.read(described)} {self.alarms}"
            await asyncio.sleep(0.01)

    async def ended(self, cl_ord_id: str, status: OrdStatus) -> None:
        """Wait until the order has come to that."""
        await self.until(lambda state: (known := state.order(cl_ord_id)) is not None and known.status == status)

    async def settled(self) -> None:
        """Nothing is in the dark, the books are the same, and the venue has at most one order for an id."""
        truth = await asyncio.to_thread(self.binance.truth)
        mine = [each for each in truth.orders if each["account"] == self.account]
        ids = [each["client_id"] for each in mine if each["status"] != "REJECTED"]
        assert len(ids) == len(set(ids)), ids
        executions = [each for each in truth.executions if each["account"] == self.account]
        bitcoin = BITCOIN[self.instrument_id]
        held = sum(round(float(each["qty"]) * bitcoin) * each["side"] for each in executions)
        held -= sum(round(float(each["fee"]) * bitcoin) for each in executions if each["fee_asset"] == "BTC")

        def agrees(state: State) -> bool:
            ours = {key: position.qty for key, position in state.open_positions()}
            known = all(order.status not in IN_FLIGHT for order in state.book.orders.values())
            return known and ours == ({self.instrument_id: held} if held else {})

        await self.until(agrees)
        assert verify(self.journal).ok


def described(state: State) -> str:
    """Where everything stands, for a failing test's message."""
    orders = [*state.book.orders.values(), *state.book.done.values()]
    lines = [f"{OrdStatus(o.status).name} {o.cum_qty}/{o.request.order_qty} {o.code} {o.text}" for o in orders]
    held = {key: position.qty for key, position in state.open_positions()}
    return f"orders {lines}, positions {held}, halted {state.book.halted_reason!r}"
