"""How a run ends: everything is healed, and then everything must become known, agree, and come to rest."""

from __future__ import annotations

import asyncio
from collections import Counter

from surefill.domain.inputs import RequestCancel, ResolveOrder
from surefill.domain.intent import Action, Intent
from surefill.domain.orders import Order
from surefill.domain.state import State
from surefill.rules.codes import OrdStatus
from surefill.testing.remote_venue import OrderTruth
from surefill.testing.remote_venue.messages import Control
from surefill.testing.remote_venue.truth import CANCELED, FILLED, REFUSED, WORKING
from surefill.testing.simulator.stage import IN_DOUBT, SYMBOLS, Stage, Wish
from surefill.testing.simulator.traffic import ACCEPTED, Traffic
from surefill.units import NS_PER_S

SETTLE_S = 240
LATEST_S = 10
CLOSE_TRIES = 3
ROUND_S = 10  # what was made elsewhere is seen by then
AT_THE_VENUE = {
    FILLED: {OrdStatus.FILLED},
    CANCELED: {OrdStatus.CANCELED},
    REFUSED: {OrdStatus.REJECTED},
    WORKING: {OrdStatus.NEW, OrdStatus.PARTIALLY_FILLED},
}


class Ending:
    """Acts on a stage whose faults are over."""

    def __init__(self, stage: Stage, traffic: Traffic) -> None:
        self.stage = stage
        self.traffic = traffic

    def heal(self) -> None:
        """From here on everything works."""
        stage = self.stage
        stage.healthy = True
        stage.host.exchange.faults.heal()
        stage.journal.heal()

    async def come_to_rest(self) -> None:
        """In the process that lives: whoever has not been told that its books differ must get them right by itself."""
        for workspace_id in self.stage.remote:
            desk = self.stage.engine.desks.get(workspace_id)
            if desk is not None and desk.broken is None and workspace_id not in self.stage.drifted:
                await self._settled(workspace_id, "healing")

    async def finish(self) -> None:
        """In a new process: nothing in doubt, every caller has a verdict, and all can be canceled and closed."""
        stage = self.stage
        await asyncio.sleep(LATEST_S)  # what was still under way has arrived
        for workspace_id in stage.workspaces:
            await self._settled(workspace_id, "a start in good health")
            for wish in [wish for wish in stage.wishes if wish.workspace_id == workspace_id]:
                await self.traffic.ask(wish)
            await self._settled(workspace_id, "asking again")
            await self.traffic.mend(workspace_id)
            await self._settled(workspace_id, "mending")
            await self._flatten(workspace_id)

    async def _settled(self, workspace_id: str, when: str) -> None:
        """Liveness: no order stays in doubt without a page, and the books agree. One that is withheld waits for a stop,
        which is looked at itself."""
        stage = self.stage
        end_ns = stage.world.now_ns + SETTLE_S * NS_PER_S
        while self._doubtful(workspace_id) or not self._agree(workspace_id):
            if stage.world.now_ns > end_ns:
                ours, theirs = _held(stage.state(workspace_id)), stage.truth.positions(workspace_id)
                doubt = self._doubtful(workspace_id)
                stage.violated(f"{workspace_id} is not settled after {when}: {doubt}, {ours} against {theirs}")
                return
            await asyncio.sleep(1)

    def _agree(self, workspace_id: str) -> bool:
        theirs = self.stage.truth.positions(workspace_id)
        return workspace_id in self.stage.paper or _held(self.stage.state(workspace_id)) == theirs

    def _doubtful(self, workspace_id: str) -> list[str]:
        orders = self.stage.state(workspace_id).book.orders
        return [
            f"{cl_ord_id} {OrdStatus(order.status).name} {order.text}"
            for cl_ord_id, order in orders.items()
            if (order.status in IN_DOUBT or order.end_status) and not order.paged and not order.withheld
        ]

    async def _flatten(self, workspace_id: str) -> None:
        stage = self.stage
        for symbol in SYMBOLS:
            stage.host.move_price(symbol, stage.px[symbol], -1)
        for order in list(stage.state(workspace_id).book.orders.values()):
            await self._remove(workspace_id, order)
        for theirs in stage.truth.all_orders(workspace_id):
            if theirs.by_hand:
                stage.host.control(Control(0, "withdraw", workspace_id, order_id=theirs.order_id))
        await asyncio.sleep(ROUND_S)
        told: list[str] = []
        for attempt in range(CLOSE_TRIES):  # an exit of the plan's may be under way
            await asyncio.sleep(5)
            told = [await self._close(workspace_id, symbol, attempt) for symbol in SYMBOLS]
        await asyncio.sleep(5)
        await self._settled(workspace_id, "flattening")
        held, left = _held(stage.state(workspace_id)), list(stage.state(workspace_id).book.orders)
        elsewhere = list(stage.state(workspace_id).book.external_orders)
        if held or left or elsewhere:
            stage.violated(f"{workspace_id} cannot be flattened: {held}, orders {left}, {elsewhere}, {told}")

    async def _remove(self, workspace_id: str, order: Order) -> None:
        """Cancel what works; what nobody ever found is resolved by a person who looks at the venue's own books."""
        stage, cl_ord_id, now_ns = self.stage, order.request.cl_ord_id, self.stage.clock.now_ns()
        if order.status not in IN_DOUBT or order.withheld:
            await stage.engine.feed(workspace_id, RequestCancel(now_ns, cl_ord_id, "sim"))
        elif order.status == OrdStatus.SUBMITTED or stage.truth.orders(workspace_id, cl_ord_id):
            stage.violated(f"{workspace_id}: {cl_ord_id} is {OrdStatus(order.status).name}, and the venue knows better")
        else:
            item = ResolveOrder(now_ns, cl_ord_id, OrdStatus.REJECTED, "sim", "the venue's own books")
            await stage.engine.feed(workspace_id, item)
            await asyncio.sleep(LATEST_S)  # a close that waited is out now, another stop may stand

    async def _close(self, workspace_id: str, symbol: str, attempt: int) -> str:
        name = f"flat-{symbol}-{attempt}"
        intent = Intent(name, name, "sim", "s", symbol, Action.CLOSE, 0, 0)
        wish = Wish(workspace_id, intent, self.stage.px[symbol])
        await self.traffic.ask(wish)
        return f"{symbol}: {wish.receipts[-1].code} {wish.receipts[-1].reason}"

    # -- the last look ----------------------------------------------------------------------------------------

    def compare(self, states: dict[str, State]) -> None:
        """Order by order, what the exchange knows against what we believe; and what callers were told."""
        for workspace_id in self.stage.remote:
            self._compare_orders(workspace_id, states[workspace_id])
        for wish in self.stage.wishes:
            accepted = {each.cl_ord_id for each in wish.receipts if each.verdict in ACCEPTED}
            if len(accepted) > 1:
                self.stage.violated(f"{wish.intent.intent_id} became several orders: {accepted}")
            if not wish.receipts:
                self.stage.violated(f"{wish.intent.intent_id} never got a verdict")

    def _compare_orders(self, workspace_id: str, state: State) -> None:
        violated = self.stage.violated
        placed = [order for order in self.stage.truth.all_orders(workspace_id) if not order.by_hand]
        for cl_ord_id, count in Counter(order.cl_ord_id for order in placed).items():
            if count > 1:
                violated(f"{workspace_id}: {cl_ord_id} reached the venue {count} times")
        for theirs in placed:
            ours = state.order(theirs.cl_ord_id)
            if ours is None:
                violated(f"{workspace_id}: the venue has {theirs}, we know nothing of it")
            elif not _alike(ours, theirs):
                mine = f"{OrdStatus(ours.status).name} {ours.cum_qty} {ours.code} {ours.text}"
                violated(f"{workspace_id}: {theirs.cl_ord_id} is {theirs.status} {theirs.cum_qty} there, {mine} here")


def _alike(ours: Order, theirs: OrderTruth) -> bool:
    """A fill after the end may have come first here, and then the order is full before it has ended. A stop is full
    here with its old quantity when nobody has said that its new one holds."""
    full = ours.request.order_qty if ours.rests else theirs.order_qty
    overtaken = ours.status == OrdStatus.FILLED and theirs.cum_qty >= full
    return ours.cum_qty == theirs.cum_qty and (ours.status in AT_THE_VENUE[theirs.status] or overtaken)


def _held(state: State) -> dict[str, int]:
    return {key: position.qty for key, position in state.open_positions()}
