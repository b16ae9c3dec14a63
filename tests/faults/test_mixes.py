"""Random mixes of everything that can go wrong, over real sockets: seeded, several accounts at a time.

The faults of a batch strike by chance while its accounts trade; then they are healed, and every account must end as in
the matrix: nothing sent twice, both books the same, every order resolved or paged, and no order left at the venue that
cannot be canceled.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Iterator

import pytest
from tests.faults.rig import DELAY_MS, PX, Rig

from surefill.rules.codes import OrdStatus
from surefill.testing.remote_venue import Fault, Rules, VenueProcess

BATCHES, ACCOUNTS, ACTIONS = 15, 20, 10
RATE_PPM = 40_000
FAULTS = [fault for fault in Fault if fault is not Fault.CRASH]

_struck: Counter[str] = Counter()


@pytest.fixture(scope="module", autouse=True)
def _table() -> Iterator[None]:
    """Printed with -s: how often each fault struck."""
    yield
    for name, count in sorted(_struck.items()):
        print(f"\n{name:20} {count}", end="")


async def _act(rig: Rig, chance: random.Random, number: int) -> None:
    """One thing that a trader or the market does."""
    side, qty = chance.choice([1, -1]), chance.randint(1, 9)
    match chance.choice(["market", "market", "limit", "limit", "cancel", "price", "again"]):
        case "market":
            await rig.submit(f"m{number}", side, qty)
        case "limit":
            await rig.submit(f"l{number}", side, qty, px=PX - side * chance.randint(-20, 60))
        case "cancel":
            for cl_ord_id in await rig.read(lambda state: list(state.book.orders)):
                await rig.cancel(cl_ord_id)
        case "price":
            rig.process.price(rig.symbol, PX + chance.randint(-50, 50), chance.choice([-1, 3, 100]))
        case _:
            await asyncio.sleep(chance.random() * DELAY_MS / 1_000)


async def _trade(rig: Rig, chance: random.Random) -> None:
    actions = [asyncio.create_task(_act(rig, chance, number)) for number in range(ACTIONS)]
    for action in actions:
        await asyncio.sleep(chance.random() * 0.03)
        await action


async def _end(rig: Rig) -> None:
    """Healthy again: all is known, and what still works can be canceled."""
    await rig.settled()
    live = [OrdStatus.NEW, OrdStatus.PARTIALLY_FILLED]
    working = await rig.read(lambda state: [k for k, order in state.book.orders.items() if order.status in live])
    for cl_ord_id in working:
        await rig.cancel(cl_ord_id)
    await rig.until(lambda state: not state.book.orders.keys() & set(working))
    await rig.settled()
    left = [order for order in rig.process.truth(rig.account).orders if order.status == "working"]
    assert not left


async def _batch(process: VenueProcess, seed: int) -> None:
    chance = random.Random(seed)
    rigs = [Rig(process) for _ in range(ACCOUNTS)]
    traded = asyncio.Barrier(ACCOUNTS + 1)
    healed = asyncio.Event()

    async def story(rig: Rig) -> None:
        await _trade(rig, random.Random(chance.random()))
        await traded.wait()
        await healed.wait()
        await _end(rig)

    async def heal() -> None:
        await traded.wait()
        await asyncio.sleep(1.5 * DELAY_MS / 1_000)
        process.heal()
        healed.set()

    async with asyncio.TaskGroup() as group:
        group.create_task(heal())
        for rig in rigs:
            group.create_task(rig.live(story))


@pytest.mark.parametrize("seed", range(BATCHES))
def test_random_mix_of_faults_ends_with_equal_books(process: VenueProcess, seed: int) -> None:
    chance = random.Random(seed)
    before = Counter(process.truth("-").fired)
    process.rules(Rules(delay_ms=DELAY_MS, slices=chance.randint(1, 3), fee=chance.randint(0, 5)))
    process.seed(seed)
    for fault in FAULTS:
        process.arm(fault, rate_ppm=RATE_PPM)
    asyncio.run(_batch(process, seed))
    struck = Counter(process.truth("-").fired) - before
    _struck.update(struck)
    assert len(struck) > len(FAULTS) / 2, f"too few faults struck: {struck}"
