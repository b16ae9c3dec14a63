"""Every fault at every step of an order's life where it can strike, over a real socket to another process.

Afterwards, whatever happened: no client id reached the venue twice, both books agree, and nobody is left in the dark
about an order without a page. The counter of each fault proves that it struck.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator

import pytest
from tests.faults.rig import DELAY_MS, PX, Rig

from surefill.rules.codes import OrdStatus
from surefill.testing.remote_venue import Fault, Rules, VenueProcess

Step = Callable[[Rig, VenueProcess, Fault, str], None]


async def _market(rig: Rig) -> None:
    await rig.submit("one", 1, 10)
    await _heal_and_settle(rig)


async def _limit(rig: Rig) -> None:
    """It rests, then the price comes."""
    await rig.submit("one", 1, 10, px=PX - 100)
    await asyncio.sleep(2 * DELAY_MS / 1_000)
    rig.process.price(rig.symbol, PX - 100)
    await _heal_and_settle(rig)


async def _heal_and_settle(rig: Rig) -> None:
    await asyncio.sleep(1.5 * DELAY_MS / 1_000)
    rig.process.heal()
    await rig.settled()


def submit_market(rig: Rig, process: VenueProcess, fault: Fault, op: str) -> None:
    process.arm(fault, op=op or "submit")
    rig.run(_market)


def submit_limit(rig: Rig, process: VenueProcess, fault: Fault, op: str) -> None:
    process.arm(fault, op=op or "submit")
    rig.run(_limit)


def cancel(rig: Rig, process: VenueProcess, fault: Fault, op: str) -> None:
    async def story(rig: Rig) -> None:
        receipt = await rig.submit("one", 1, 10, px=PX - 100)
        await rig.until(lambda state: state.book.orders[receipt.cl_ord_id].status == OrdStatus.NEW)
        process.arm(fault, op=op or "cancel")
        await rig.cancel(receipt.cl_ord_id)
        await _heal_and_settle(rig)
        order = await rig.order(receipt.cl_ord_id)
        assert not order.cancel_pending
        if order.status < OrdStatus.FILLED:  # the cancel never took effect: it can be asked for again
            await rig.cancel(receipt.cl_ord_id)
            await rig.until(lambda state: receipt.cl_ord_id in state.book.done)
            await rig.settled()

    rig.run(story)


def query(rig: Rig, process: VenueProcess, fault: Fault, op: str) -> None:
    """An order that filled and of which nothing was heard, so that only a query can tell."""

    async def story(rig: Rig) -> None:
        process.arm(Fault.FILLED_UNSEEN)
        for place in (op,) if op else ("open_orders", "history", "trades"):
            process.arm(fault, 2, op=place)
        receipt = await rig.submit("one", 1, 10)
        assert receipt.status == OrdStatus.UNKNOWN
        await _heal_and_settle(rig)
        assert (await rig.order(receipt.cl_ord_id)).status == OrdStatus.FILLED

    rig.heartbeat_s = 0.4  # long enough for queries to come first
    rig.run(story)


def restart(rig: Rig, process: VenueProcess, fault: Fault, op: str) -> None:
    """The engine dies with one order unseen and one resting; the resting one fills while nobody looks."""

    async def before(rig: Rig) -> None:
        await rig.submit("resting", 1, 10, px=PX - 100)
        process.arm(Fault.FILLED_UNSEEN)
        await rig.submit("unseen", 1, 5)

    async def after(rig: Rig) -> None:
        await rig.submit("next", -1, 3)
        await _heal_and_settle(rig)

    rig.run(before)
    process.price(rig.symbol, PX - 100)
    process.arm(fault, 2, op=op)
    rig.run(after)


ON_THE_WAY = [
    Fault.LOSE_REQUEST,
    Fault.DELAY_REQUEST,
    Fault.LOSE_ANSWER,
    Fault.DELAY_ANSWER,
    Fault.GARBLE_ANSWER,
    Fault.SERVER_ERROR,
    Fault.THROTTLED,
    Fault.DISCONNECT,
    Fault.DISCONNECT_AFTER,
]
ON_THE_STREAM = [Fault.LOSE_REPORT, Fault.DUPLICATE_REPORT, Fault.REORDER_REPORTS]
IN_LOOKS = [Fault.EMPTY_SNAPSHOT, Fault.STALE_SNAPSHOT, Fault.QUERY_ERROR]

ROWS: list[tuple[Fault, Step, str]] = [
    *[(fault, step, "") for fault in ON_THE_WAY for step in (submit_market, submit_limit, cancel, query, restart)],
    *[(fault, step, "stream") for fault in ON_THE_STREAM for step in (submit_market, submit_limit, cancel, restart)],
    *[(fault, step, "") for fault in IN_LOOKS for step in (query, restart)],
    *[(fault, restart, "positions") for fault in (*IN_LOOKS, Fault.LOSE_ANSWER)],
    *[(fault, query, "trades") for fault in IN_LOOKS],
    (Fault.REFUSED, submit_market, ""),
    (Fault.REFUSED, submit_limit, ""),
    (Fault.FILL_BEFORE_ACK, submit_market, ""),
    (Fault.FILLED_UNSEEN, submit_market, ""),
    (Fault.CANCEL_FILL_RACE, cancel, ""),
    (Fault.END_BEFORE_FILLS, cancel, ""),
    (Fault.LATE_FILL, cancel, ""),
]

_struck: Counter[tuple[Fault, str]] = Counter()


@pytest.fixture(scope="module", autouse=True)
def _table() -> Iterator[None]:
    """Printed with -s: how often each fault struck, by step."""
    yield
    for (fault, step), count in sorted(_struck.items(), key=lambda item: (item[0][0].name, item[0][1])):
        print(f"\n{fault.name:20} {step:15} {count}", end="")


@pytest.mark.parametrize("slices", [1, 3])
@pytest.mark.parametrize(("fault", "step", "op"), ROWS, ids=lambda value: getattr(value, "name", None))
def test_order_under_fault_ends_known_and_once(
    process: VenueProcess, fault: Fault, step: Step, op: str, slices: int
) -> None:
    process.rules(Rules(delay_ms=DELAY_MS, slices=slices, fee=7))
    before = process.truth().fired.get(fault.name, 0)
    rig = Rig(process)
    step(rig, process, fault, op)
    struck = process.truth().fired.get(fault.name, 0) - before
    _struck[fault, step.__name__] += struck
    assert struck, f"{fault.name} did not strike: the case proves nothing"
