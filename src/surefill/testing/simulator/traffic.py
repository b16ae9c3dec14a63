"""What callers, the market and an operator do at random while a process lives, and what goes wrong meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from surefill.domain.inputs import Halt, Rearm, RequestCancel, Resume
from surefill.domain.intent import Action, ExitPlan, Intent
from surefill.domain.market import Quote, Source
from surefill.domain.risk import STRATEGY, SYMBOL
from surefill.engine.receipt import Verdict
from surefill.errors import SurefillError
from surefill.rules.codes import KillLevel, OrdType
from surefill.testing.faulty_journal import JournalFault
from surefill.testing.remote_venue.messages import Control
from surefill.testing.remote_venue.truth import WORKING
from surefill.testing.simulator.stage import SYMBOLS, Stage, Wish
from surefill.units import NS_PER_S

PX_STEP = 40
JOURNAL_FAULTS = (JournalFault.REFUSED, JournalFault.LOST, JournalFault.KEPT, JournalFault.STALE)
ACCEPTED = (Verdict.ACCEPTED, Verdict.DUPLICATE)


class Traffic:
    """Acts on a stage's engine."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.chance = stage.chance

    async def flow(self) -> None:
        """Act until the steps are done, the process dies, or it is to stop in good order."""
        stage, plan = self.stage, self.stage.plan
        life = stage.lives
        if stage.lucky(plan.crash_ppm * 10):
            stage.world.after_ms(self.chance.randint(1, 20_000), lambda: self._cut_power(life))
        while stage.steps_left > 0:
            stage.steps_left -= 1
            await asyncio.sleep(self.chance.randint(0, 600) / 1_000)
            stage.check_books()
            self._disturb()
            self._act()
            if stage.lucky(plan.crash_ppm * 2):
                return

    def _cut_power(self, life: int) -> None:
        if life == self.stage.lives and not self.stage.healthy:
            self.stage.journal.cut("anywhere")

    def _disturb(self) -> None:
        """Journal faults, power cuts at commits and snapshots, and a clock that jumps."""
        stage, journal, chance, plan = self.stage, self.stage.journal, self.chance, self.stage.plan
        if stage.lucky(plan.journal_fault_ppm):
            fault = chance.choice(JOURNAL_FAULTS)
            journal.plan(fault, chance.randint(1, 4))
            journal.deaf_reopenings = chance.choice([0, 0, 0, 1, 2]) if fault is not JournalFault.STALE else 0
        if stage.lucky(plan.crash_ppm):
            journal.crash_at[journal.appends + chance.randint(1, 5)] = chance.choice(["before", "after"])
        if stage.lucky(plan.crash_ppm):
            journal.snapshot_crash = chance.choice(["before", "after"])
        if stage.lucky(plan.crash_ppm):
            stage.clock.skew_ns = chance.choice([-3, 0, 3, 20]) * NS_PER_S
            stage.fired["clock jump"] += 1

    def _act(self) -> None:
        actions: list[tuple[int, Callable[[str], None]]] = [
            (30, self._wish),
            (10, self._wish_again),
            (12, self._wish_to_close),
            (12, self._cancel_something),
            (30, self._move_market),
            (6 if self.stage.plan.by_hand else 0, self._trade_by_hand),
            (4, self._halt),
            (4, self._loosen),
            (10, self._operate),
        ]
        action = self.chance.choices([each for _, each in actions], [weight for weight, _ in actions])[0]
        action(self.chance.choice(self.stage.workspaces))

    def _spawn(self, call: Callable[..., Awaitable[Any]], *values: Any) -> None:
        """Somebody asks and waits; what he is told of trouble is counted."""

        async def ask() -> None:
            try:
                await call(*values)
            except SurefillError as error:
                self.stage.fired[f"told {error.code}"] += 1

        asyncio.get_running_loop().create_task(ask())

    # -- callers ----------------------------------------------------------------------------------------------

    def _wish(self, workspace_id: str) -> None:
        chance = self.chance
        symbol, side = chance.choice(SYMBOLS), chance.choice([1, -1])
        px = self.stage.px[symbol]
        limit_px = px - side * PX_STEP * chance.randint(0, 2) if chance.random() < 0.5 else 0
        plan = self._plan(limit_px or px, side) if chance.random() < 0.4 else None
        qty = chance.randint(1, 20)
        self.ask_for(workspace_id, symbol, Action.TRADE, side, qty, px=limit_px, plan=plan)

    def _plan(self, entry_px: int, side: int) -> ExitPlan:
        gap = self.chance.randint(1, 4) * PX_STEP
        return ExitPlan(
            stop_px=entry_px - side * gap,
            target_px=entry_px + side * 2 * gap,
            trail_distance=self.chance.choice([0, gap]),
            stop_partial_ppb=self.chance.choice([0, 0, 500_000_000]),
        )

    def _wish_to_close(self, workspace_id: str) -> None:
        self.ask_for(workspace_id, self.chance.choice(SYMBOLS), Action.CLOSE, 0, 0)

    def ask_for(
        self,
        workspace_id: str,
        symbol: str,
        action: Action,
        side: int,
        qty: int,
        *,
        px: int = 0,
        plan: ExitPlan | None = None,
    ) -> None:
        """A new intent from a caller."""
        number = len(self.stage.wishes)
        ord_type = OrdType.LIMIT if px else OrdType.MARKET
        intent = Intent(
            f"i{number}", f"c{number}", "sim", "s", symbol, action, side, qty, ord_type=ord_type, px=px, plan=plan
        )
        wish = Wish(workspace_id, intent, self.stage.px[symbol])
        self.stage.wishes.append(wish)
        self._spawn(self.ask, wish)

    def _wish_again(self, _workspace_id: str) -> None:
        """A caller that has heard nothing, or does not remember, asks again under the same id."""
        if self.stage.wishes:
            self._spawn(self.ask, self.chance.choice(self.stage.wishes))

    async def ask(self, wish: Wish) -> None:
        """Submit, and hold the answer against the journal."""
        stage = self.stage
        quote = Quote(wish.intent.instrument_id, stage.clock.now_ns(), wish.px, source=Source.CALLER)
        receipt = await stage.engine.submit(wish.workspace_id, wish.intent, quote)
        wish.receipts.append(receipt)
        stage.fired[f"verdict {Verdict(receipt.verdict).name}"] += 1
        mode = "paper" if wish.workspace_id in stage.paper else "live"
        claim = stage.journal.inner.find_key(wish.workspace_id, mode, wish.intent.intent_id)
        if receipt.verdict in ACCEPTED and claim is None:
            stage.violated(f"{wish.intent.intent_id} was acknowledged and is not in the journal")
        if receipt.verdict == Verdict.CONFLICT:
            stage.violated(f"{wish.intent.intent_id} is taken for another: {receipt.reason}")

    def _cancel_something(self, workspace_id: str) -> None:
        if workspace_id in self.stage.engine.desks:
            orders = list(self.stage.state(workspace_id).book.orders)
            if orders:
                item = RequestCancel(self.stage.clock.now_ns(), self.chance.choice(orders), "sim")
                self._spawn(self.stage.engine.feed, workspace_id, item)

    # -- the market -------------------------------------------------------------------------------------------

    def _move_market(self, _workspace_id: str) -> None:
        stage, chance = self.stage, self.chance
        symbol = chance.choice(SYMBOLS)
        px = max(stage.px[symbol] + chance.randint(-2, 2) * PX_STEP, 10 * PX_STEP)
        stage.px[symbol] = px
        stage.host.move_price(symbol, px, chance.choice([-1, -1, -1, 5, 30]))
        for workspace_id in stage.engine.desks:
            stage.engine.tell(workspace_id, Quote(symbol, stage.clock.now_ns(), px, source=Source.LAST))

    # -- somebody else at the account -------------------------------------------------------------------------

    def _trade_by_hand(self, workspace_id: str) -> None:
        """An order that no order of the engine's is, or the end of one that rests."""
        stage, chance = self.stage, self.chance
        if workspace_id in stage.paper:
            return
        working = [order for order in stage.truth.all_orders(workspace_id) if order.by_hand and order.status == WORKING]
        if working and stage.lucky(500_000):
            stage.host.control(Control(0, "withdraw", workspace_id, order_id=working[0].order_id))
            return
        symbol, side = chance.choice(SYMBOLS), chance.choice([1, -1])
        px = stage.px[symbol] - side * PX_STEP * chance.randint(0, 2) if stage.lucky(500_000) else 0
        order = Control(0, "hand", workspace_id, symbol, px, chance.randint(1, 9), side=side)
        stage.host.control(order)
        stage.fired["order by hand"] += 1

    # -- the operator -----------------------------------------------------------------------------------------

    def _halt(self, workspace_id: str) -> None:
        """A switch of any kind, thrown more or less far."""
        chance, level = self.chance, self.chance.choice(list(KillLevel)[1:])
        names = chance.choice([{}, {"instrument_id": chance.choice(SYMBOLS)}, {"strategy_id": "s"}, {"scope": "venue"}])
        item = Halt(self.stage.clock.now_ns(), "OPERATOR", "to see", "sim", level=level, **names)
        self._spawn(self.stage.engine.feed, workspace_id, item)

    def _loosen(self, workspace_id: str) -> None:
        """One switch a little, or one breaker: nothing else is looked after."""
        if workspace_id not in self.stage.engine.desks:
            return
        book, now_ns = self.stage.state(workspace_id).book, self.stage.clock.now_ns()
        items: list[Resume | Rearm] = [
            _resume(now_ns, scope, max(kill.level - 1, 0)) for scope, kill in book.kills.items()
        ]
        items += [Rearm(now_ns, name, "sim") for name in book.tripped]
        if items:
            self._spawn(self.stage.engine.feed, workspace_id, self.chance.choice(items))

    def _operate(self, workspace_id: str) -> None:
        self._spawn(self.mend, workspace_id)

    async def mend(self, workspace_id: str) -> None:
        """What a person does about a halt: mend the journal, compare the books, let entries through again."""
        stage, engine = self.stage, self.stage.engine
        desk = engine.desks.get(workspace_id)
        if desk is None:
            return
        if desk.broken is not None:
            await engine.revive(workspace_id)
        if await engine.reconcile(workspace_id):
            return
        book = stage.state(workspace_id).book
        for scope in list(book.kills):
            await engine.feed(workspace_id, _resume(stage.clock.now_ns(), scope))
        for name in list(book.tripped):
            if name in book.tripped:
                await engine.feed(workspace_id, Rearm(stage.clock.now_ns(), name, "sim"))


def _resume(now_ns: int, scope: str, level: int = KillLevel.NORMAL) -> Resume:
    """What loosens the switch that the book keeps under this name."""
    for kind, name in ((SYMBOL, "instrument_id"), (STRATEGY, "strategy_id"), ("", "scope")):
        if scope.startswith(kind):
            return Resume(now_ns, "sim", level=level, **{name: scope.removeprefix(kind)})
    raise AssertionError(scope)
