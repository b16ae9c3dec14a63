"""One simulated life: the real engine, a simulated venue, and everything that can go wrong, from one seed.

A run is a row of lives of the engine's process. In each, callers, the market and an operator act at random while
faults strike; it ends by a power cut at an arbitrary moment, or in good order. At the end everything is healed, and
what must be true then is checked: see `Simulation.finish`.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import msgspec

from surefill.domain.effects import Notify
from surefill.domain.inputs import Halt, OpenWorkspace, RequestCancel, ResolveOrder, Resume
from surefill.domain.instrument import Instrument, Terms
from surefill.domain.intent import Action, ExitPlan, Intent
from surefill.domain.market import Quote, Source
from surefill.domain.profile import V3, Limits
from surefill.domain.state import State
from surefill.engine.engine import Engine
from surefill.engine.receipt import Receipt, Verdict
from surefill.errors import JournalError, SurefillError, VenueOutcomeUnknown
from surefill.journal import MemoryJournal
from surefill.rules.codes import OrdStatus, OrdType
from surefill.testing.faulty_journal import JournalFault
from surefill.testing.invariants import check_book, check_journal
from surefill.testing.remote_venue import Fault, RemoteVenue, Rules, TruthStore
from surefill.testing.simulator.disk import MortalJournal
from surefill.testing.simulator.wire import Host
from surefill.testing.simulator.world import Livelock, PowerCut, VirtualLoop, World, WorldClock
from surefill.units import NS_PER_MS, NS_PER_S

PX = 10_000
PX_STEP = 40
OPENING_TRIES = 200
SETTLE_S = 240
IN_DOUBT = (OrdStatus.SUBMITTED, OrdStatus.UNKNOWN)
JOURNAL_FAULTS = (JournalFault.REFUSED, JournalFault.LOST, JournalFault.KEPT, JournalFault.STALE)


class Plan(msgspec.Struct, frozen=True):
    """What a run is made of; rates in occasions out of a million."""

    steps: int = 60
    workspaces: int = 0  # 0: one to three, by the seed
    venue_fault_ppm: int = 30_000
    journal_fault_ppm: int = 15_000
    crash_ppm: int = 15_000
    crash_append: int = 0  # die at this append (0: by chance)
    crash_when: str = "before"


class SimulationReport(msgspec.Struct, frozen=True):
    """What came of a run. `hash` covers every event of every workspace; `violations` is empty or the run has failed."""

    seed: int
    hash: str
    events: int
    appends: int
    lives: int
    fired: dict[str, int]
    violations: tuple[str, ...]


class Wish:
    """An intent of a caller's, who asks again under the same id until there is a verdict."""

    def __init__(self, workspace_id: str, intent: Intent, px: int) -> None:
        self.workspace_id = workspace_id
        self.intent = intent
        self.px = px
        self.receipts: list[Receipt] = []


class Simulation:
    """The state of a run, over all lives."""

    def __init__(self, seed: int, plan: Plan) -> None:
        self.seed, self.plan = seed, plan
        self.world = World(seed)
        self.chance = self.world.chance
        self.truth = TruthStore()
        self.host = Host(self.world, self.truth)
        self.journal = MortalJournal(MemoryJournal())
        self.clock = WorldClock(self.world)
        self.fired: Counter[str] = Counter()
        self.violations: list[str] = []
        self.wishes: list[Wish] = []
        self.px: dict[str, int] = {}
        self.lives = 0
        self.steps_left = plan.steps
        self.healthy = False
        self.engine: Engine
        self.venues: list[RemoteVenue] = []
        names = plan.workspaces or self.chance.randint(1, 3)
        self.workspaces = [f"w{n}" for n in range(names)]
        self.symbols = ["AAA", "BBB"]
        self.profile = msgspec.structs.replace(V3, limits=self._limits())
        self._prepare()

    def _limits(self) -> Limits:
        """With a horizon the venue refuses what is older than that, so that absence is proof one day."""
        horizon_ns = self.chance.choice([0, 10 * NS_PER_S])
        return Limits(send_by_ns=2 * NS_PER_S, absence_horizon_ns=horizon_ns, unknown_page_ns=15 * NS_PER_S)

    def _prepare(self) -> None:
        exchange, chance, plan = self.host.exchange, self.chance, self.plan
        window_ns = 5 * NS_PER_S if self.profile.limits.absence_horizon_ns else 0
        exchange.rules = Rules(
            slices=chance.randint(1, 3),
            fee=chance.randint(0, 9),
            receive_window_ns=window_ns,
            delay_ms=chance.choice([1_200, 3_000]),
        )
        exchange.received = self._received
        exchange.faults.seed(self.seed)
        if plan.venue_fault_ppm:
            for fault in Fault:
                rate_ppm = plan.venue_fault_ppm // (10 if fault is Fault.CRASH else 1)
                exchange.faults.arm(fault, rate_ppm=rate_ppm)
        if plan.crash_append:
            self.journal.crash_at[plan.crash_append] = plan.crash_when
        for symbol in self.symbols:
            self.px[symbol] = PX
            exchange.set_price(symbol, PX)

    # -- what is checked all the time -------------------------------------------------------------------------

    def violated(self, what: str) -> None:
        """Something that must never be so is so."""
        self.violations.append(f"at {(self.world.now_ns // NS_PER_MS) % 10**7} ms, life {self.lives}: {what}")

    def _received(self, _account: str, cl_ord_id: str) -> None:
        if not self.journal.decided(cl_ord_id):
            self.violated(f"order {cl_ord_id} reached the venue before the decision to send it was durable")

    def _alarmed(self, workspace_id: str, notice: Notify) -> None:
        self.fired[f"alarm {notice.code}"] += 1
        if notice.code == "INVARIANT_BREACH" and "planned" not in notice.text and "writer" not in notice.text:
            self.violated(f"{workspace_id} breached an invariant: {notice.text}")

    def _unhandled(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """An error that nobody caught. Told to a caller who is gone, it is none; anything else is a bug."""
        error = context.get("exception")
        if not isinstance(error, PowerCut | SurefillError) and not loop.is_closed():
            self.violated(f"{context.get('message')}: {error!r}")

    def _check_books(self) -> None:
        """Hold every state in memory against the invariants."""
        for workspace_id, desk in self.engine.desks.items():
            for found in check_book(desk.writer.state) if desk.broken is None else ():
                self.violated(f"{workspace_id}: invariant {found.invariant} of the state: {found.text}")

    def audit(self) -> None:
        """Hold the journal against the invariants, as it is now."""
        inner = self.journal.inner
        for workspace_id in inner.heads():
            for found in check_journal(inner, workspace_id):
                self.violated(f"{workspace_id}: invariant {found.invariant} at event {found.seq}: {found.text}")

    # -- lives ------------------------------------------------------------------------------------------------

    def run(self) -> SimulationReport:
        """Live until all steps are done, then heal and check."""
        while self.steps_left > 0:
            self._live(self._trade())
        self._heal()
        self._live(self.finish())
        self.audit()
        self._check_truth()
        return self._report()

    def _live(self, story: Coroutine[Any, Any, None]) -> None:
        self.lives += 1
        self.journal.deaf_reopenings = 0
        self.journal.reopen()
        loop = VirtualLoop(self.world)
        loop.set_exception_handler(self._unhandled)
        try:
            loop.run_until_complete(self._process(story))
        except PowerCut as cut:
            self.fired[f"power cut {cut}"] += 1
            story.close()
        except Livelock as lock:
            self.violated(f"livelock: {lock}")
            story.close()
        finally:
            loop.abandon()
            self.host.hang_up()
        if self.plan.crash_ppm:
            self.audit()

    async def _process(self, story: Coroutine[Any, Any, None]) -> None:
        self.engine = Engine(self.journal, self.clock)
        self.engine.alarms[:] = [self._alarmed]
        for workspace_id in self.workspaces:
            await self._open(workspace_id)
        await story
        await self.engine.stop()

    async def _open(self, workspace_id: str) -> None:
        """As a supervisor would: what fails for reasons outside is tried again."""
        opening = OpenWorkspace(
            self.clock.now_ns(), workspace_id, "live", "sim", workspace_id, "USD", 8, 10**15, self.profile, "hash"
        )
        instruments = [Instrument(symbol, "USD", 2, 3, 1_000, (Terms(),)) for symbol in self.symbols]
        for _ in range(OPENING_TRIES):
            venue = RemoteVenue(self.host.dial(), account=workspace_id, now_ns=self.clock.now_ns)
            try:
                await self.engine.open(opening, venue, instruments)
                return
            except (VenueOutcomeUnknown, JournalError):
                await asyncio.sleep(0.5)
        self.violated(f"{workspace_id} could not be opened in {OPENING_TRIES} tries")

    # -- trading ----------------------------------------------------------------------------------------------

    async def _trade(self) -> None:
        """Act until the steps are done, the process dies, or it is stopped in good order."""
        if self._lucky(self.plan.crash_ppm * 10):
            self.world.after_ms(self.chance.randint(1, 20_000), self._cut_power)
        while self.steps_left > 0:
            self.steps_left -= 1
            await asyncio.sleep(self.chance.randint(0, 600) / 1_000)
            self._check_books()
            self._disturb()
            self._act()
            if self._lucky(self.plan.crash_ppm * 2):
                return

    def _cut_power(self) -> None:
        if not self.healthy:
            self.journal.cut("anywhere")

    def _disturb(self) -> None:
        """Journal faults, power cuts at commits, and a clock that jumps."""
        journal, chance, plan = self.journal, self.chance, self.plan
        if self._lucky(plan.journal_fault_ppm):
            fault = chance.choice(JOURNAL_FAULTS)
            journal.plan(fault, chance.randint(1, 4))
            journal.deaf_reopenings = chance.choice([0, 0, 0, 1, 2]) if fault is not JournalFault.STALE else 0
        if self._lucky(plan.crash_ppm):
            journal.crash_at[journal.appends + chance.randint(1, 5)] = chance.choice(["before", "after"])
        if self._lucky(plan.crash_ppm):
            journal.snapshot_crash = chance.choice(["before", "after"])
        if self._lucky(plan.crash_ppm):
            self.clock.skew_ns = chance.choice([-3, 0, 3, 20]) * NS_PER_S
            self.fired["clock jump"] += 1

    def _lucky(self, ppm: int) -> bool:
        return self.chance.randrange(1_000_000) < ppm

    def _act(self) -> None:
        """One thing that a caller, the market or an operator does."""
        chance = self.chance
        workspace_id = chance.choice(self.workspaces)
        actions: list[tuple[int, Callable[[str], None]]] = [
            (30, self._wish),
            (10, self._wish_again),
            (12, self._close_position),
            (12, self._cancel_something),
            (30, self._move_market),
            (4, self._halt),
            (10, self._operate),
        ]
        weights = [weight for weight, _ in actions]
        chance.choices([action for _, action in actions], weights)[0](workspace_id)

    def _spawn(self, call: Callable[..., Awaitable[Any]], *values: Any) -> None:
        """Somebody asks and waits; what he is told of trouble is no surprise here."""

        async def ask() -> None:
            try:
                await call(*values)
            except SurefillError as error:
                self.fired[f"told {error.code}"] += 1

        self.engine._loop.create_task(ask())

    def _wish(self, workspace_id: str) -> None:
        chance = self.chance
        symbol, side = chance.choice(self.symbols), chance.choice([1, -1])
        px, qty = self.px[symbol], chance.randint(1, 20)
        limit = chance.random() < 0.5
        plan = None
        if chance.random() < 0.4:
            gap = chance.randint(1, 4) * PX_STEP
            entry = px - side * PX_STEP if limit else px
            plan = ExitPlan(
                stop_px=entry - side * gap, target_px=entry + side * 2 * gap, trail_distance=chance.choice([0, gap])
            )
        number = len(self.wishes)
        intent = Intent(
            f"i{number}",
            f"c{number}",
            "sim",
            "s",
            symbol,
            Action.TRADE,
            side,
            qty,
            ord_type=OrdType.LIMIT if limit else OrdType.MARKET,
            px=px - side * PX_STEP if limit else 0,
            plan=plan,
        )
        wish = Wish(workspace_id, intent, px)
        self.wishes.append(wish)
        self._spawn(self._ask, wish)

    def _wish_again(self, _workspace_id: str) -> None:
        """A caller that has heard nothing, or does not remember, asks again under the same id."""
        if self.wishes:
            self._spawn(self._ask, self.chance.choice(self.wishes))

    def _close_position(self, workspace_id: str) -> None:
        symbol = self.chance.choice(self.symbols)
        number = len(self.wishes)
        intent = Intent(f"i{number}", f"c{number}", "sim", "s", symbol, Action.CLOSE, 0, 0)
        wish = Wish(workspace_id, intent, self.px[symbol])
        self.wishes.append(wish)
        self._spawn(self._ask, wish)

    async def _ask(self, wish: Wish) -> None:
        quote = Quote(wish.intent.instrument_id, self.clock.now_ns(), wish.px, source=Source.CALLER)
        receipt = await self.engine.submit(wish.workspace_id, wish.intent, quote)
        wish.receipts.append(receipt)
        self.fired[f"verdict {Verdict(receipt.verdict).name}"] += 1
        accepted = receipt.verdict in (Verdict.ACCEPTED, Verdict.DUPLICATE)
        claim = self.journal.inner.find_key(wish.workspace_id, "live", wish.intent.intent_id)
        if accepted and claim is None:
            self.violated(f"{wish.intent.intent_id} was acknowledged and is not in the journal")
        if receipt.verdict == Verdict.CONFLICT:
            self.violated(f"{wish.intent.intent_id} is taken for another: {receipt.reason}")

    def _cancel_something(self, workspace_id: str) -> None:
        desk = self.engine.desks.get(workspace_id)
        orders = [] if desk is None else list(desk.writer.state.book.orders)
        if orders:
            item = RequestCancel(self.clock.now_ns(), self.chance.choice(orders), "sim")
            self._spawn(self.engine.feed, workspace_id, item)

    def _move_market(self, _workspace_id: str) -> None:
        chance = self.chance
        symbol = chance.choice(self.symbols)
        self.px[symbol] = px = max(self.px[symbol] + chance.randint(-2, 2) * PX_STEP, 10 * PX_STEP)
        self.host.move_price(symbol, px, chance.choice([-1, -1, -1, 5, 30]))
        self._tell(symbol)

    def _tell(self, symbol: str) -> None:
        for workspace_id in self.workspaces:
            if workspace_id in self.engine.desks:
                self.engine.tell(workspace_id, Quote(symbol, self.clock.now_ns(), self.px[symbol], source=Source.LAST))

    def _halt(self, workspace_id: str) -> None:
        self._spawn(self.engine.feed, workspace_id, Halt(self.clock.now_ns(), "OPERATOR", "to see", "sim"))

    def _operate(self, workspace_id: str) -> None:
        self._spawn(self._mend, workspace_id)

    async def _mend(self, workspace_id: str) -> None:
        """What a person does about a halt: mend the journal, compare the books, let entries through again."""
        engine = self.engine
        desk = engine.desks.get(workspace_id)
        if desk is None:
            return
        if desk.broken is not None:
            await engine.revive(workspace_id)
        if await engine.reconcile(workspace_id):
            return
        book = desk.writer.state.book
        for instrument_id in ["", *book.halted_instruments]:
            await engine.feed(workspace_id, Resume(self.clock.now_ns(), "sim", instrument_id))

    # -- the end ----------------------------------------------------------------------------------------------

    def _heal(self) -> None:
        """From here on everything works."""
        self.healthy = True
        self.host.exchange.faults.heal()
        self.journal.crash_at.clear()
        self.journal.snapshot_crash = ""
        self.journal.deaf_reopenings = 0
        self.journal._plan.clear()

    async def finish(self) -> None:
        """Faults are off: whatever is open must end, and both books must be the same, to the last unit."""
        for workspace_id in self.workspaces:
            await self._settled(workspace_id, "healed")
            for wish in [wish for wish in self.wishes if wish.workspace_id == workspace_id]:
                await self._ask(wish)
            await self._settled(workspace_id, "asked again")
            await self._mend(workspace_id)
            await self._flatten(workspace_id)

    async def _settled(self, workspace_id: str, when: str) -> None:
        """Liveness: no order stays in doubt without a page; and the books agree."""
        end_ns = self.world.now_ns + SETTLE_S * NS_PER_S
        state = self.engine.desks[workspace_id].writer.state
        while self.world.now_ns < end_ns:
            state = self.engine.desks[workspace_id].writer.state
            if not self._doubtful(state) and self._held(state) == self.truth.positions(workspace_id):
                return
            await asyncio.sleep(1)
        ours, theirs = self._held(state), self.truth.positions(workspace_id)
        self.violated(f"{workspace_id} is not settled after {when}: {self._doubtful(state)}, {ours} against {theirs}")

    @staticmethod
    def _held(state: State) -> dict[str, int]:
        return {key: position.qty for key, position in state.open_positions()}

    @staticmethod
    def _doubtful(state: State) -> list[str]:
        return [
            f"{cl_ord_id} {OrdStatus(order.status).name} {order.text}"
            for cl_ord_id, order in state.book.orders.items()
            if (order.status in IN_DOUBT or order.end_status) and not order.paged
        ]

    async def _flatten(self, workspace_id: str) -> None:
        """Everything can still be canceled and closed."""
        engine, desk = self.engine, self.engine.desks[workspace_id]
        for symbol in self.symbols:
            self.host.move_price(symbol, self.px[symbol], -1)
        for cl_ord_id, order in list(desk.writer.state.book.orders.items()):
            if order.status not in IN_DOUBT:
                await engine.feed(workspace_id, RequestCancel(self.clock.now_ns(), cl_ord_id, "sim"))
            elif self.truth.orders(workspace_id, cl_ord_id):
                self.violated(f"{workspace_id}: {cl_ord_id} is in doubt, and the venue has it")
            else:
                evidence = "the venue's own books"
                item = ResolveOrder(self.clock.now_ns(), cl_ord_id, OrdStatus.REJECTED, "sim", evidence)
                await engine.feed(workspace_id, item)
        await asyncio.sleep(5)
        told: list[str] = []
        for number, symbol in enumerate(self.symbols):
            intent = Intent(f"flat{number}", f"flat{number}", "sim", "s", symbol, Action.CLOSE, 0, 0)
            wish = Wish(workspace_id, intent, self.px[symbol])
            await self._ask(wish)
            told.append(f"{symbol}: {wish.receipts[-1].code} {wish.receipts[-1].reason}")
        await asyncio.sleep(5)
        await self._settled(workspace_id, "flattening")
        state = desk.writer.state
        left = [cl_ord_id for cl_ord_id, order in state.book.orders.items() if not order.paged]
        if self._held(state) or left:
            self.violated(f"{workspace_id} cannot be flattened: {self._held(state)}, orders {left}, {told}")

    def _check_truth(self) -> None:
        """What the exchange saw against what we know."""
        counts = Counter((order.account, order.cl_ord_id) for order in self.truth.all_orders())
        for (account, cl_ord_id), count in counts.items():
            if count > 1:
                self.violated(f"{account}: {cl_ord_id} reached the venue {count} times")
        for wish in self.wishes:
            accepted = [
                receipt for receipt in wish.receipts if receipt.verdict in (Verdict.ACCEPTED, Verdict.DUPLICATE)
            ]
            if len({receipt.cl_ord_id for receipt in accepted}) > 1:
                self.violated(f"{wish.intent.intent_id} became several orders: {accepted}")
            if not wish.receipts:
                self.violated(f"{wish.intent.intent_id} never got a verdict")

    def _report(self) -> SimulationReport:
        heads = sorted(self.journal.inner.heads().items())
        digest = hashlib.sha256(repr(heads).encode()).hexdigest()
        fired = Counter({fault.name: count for fault, count in self.host.exchange.faults.fired.items()})
        fired.update({f"journal {fault.name}": count for fault, count in self.journal.fired.items()})
        fired.update(self.fired)
        events = sum(head.seq for _, head in heads)
        return SimulationReport(
            self.seed,
            digest,
            events,
            self.journal.appends,
            self.lives,
            dict(sorted(fired.items())),
            tuple(self.violations),
        )


def simulate(seed: int, steps: int = 60, plan: Plan | None = None) -> SimulationReport:
    """Run one life from a seed: same seed, same steps, same plan, same journal to the last byte."""
    plan = plan or Plan()
    simulation = Simulation(seed, msgspec.structs.replace(plan, steps=steps))
    try:
        return simulation.run()
    finally:
        simulation.truth.close()
