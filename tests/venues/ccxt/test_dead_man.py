"""The dead man's switch of USD-M at the emulated venue: a killed engine's order ends, a stopped one's stays."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from pathlib import Path

import msgspec
from tests.venues.ccxt.engine_rig import Rig

from surefill.rules.codes import OrdStatus
from surefill.testing.emulators.groundwork.process import EmulatorProcess
from surefill.units import NS_PER_MS

ROOT = Path(__file__).resolve().parents[3]


def _statuses(binance: EmulatorProcess) -> list[str]:
    return [each["status"] for each in binance.truth().orders]


def _until_ended(binance: EmulatorProcess) -> None:
    end = time.monotonic() + 10
    while _statuses(binance) != ["CANCELED"]:
        assert time.monotonic() < end, binance.truth().orders
        time.sleep(0.01)


def test_order_of_a_killed_engine_is_canceled_by_the_venue(binance: EmulatorProcess) -> None:
    arguments = [binance.url, binance.ws_url, "900"]
    command = [sys.executable, "-m", "tests.venues.ccxt.dead_man_child", *arguments]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as child:
        try:
            assert child.stdout is not None
            assert child.stdout.readline() == b"resting\n"
            assert (_statuses(binance), binance.control("countdowns")) == (["NEW"], ["BTCUSDT"])
        finally:
            child.kill()
    _until_ended(binance)


def test_engine_that_stops_cleanly_leaves_its_order_there_and_switches_it_off(binance: EmulatorProcess) -> None:
    rig = Rig(binance, "binanceusdm")
    limits = msgspec.structs.replace(rig.profile.limits, dead_man_ns=60_000 * NS_PER_MS)
    rig.profile = msgspec.structs.replace(rig.profile, limits=limits)

    async def story() -> None:
        receipt = await rig.submit("i1", px=59_000)
        await rig.ended(receipt.cl_ord_id, OrdStatus.NEW)
        assert await asyncio.to_thread(binance.control, "countdowns") == ["BTCUSDT"]
        await rig.engine.stop()

    rig.run(story)
    assert (_statuses(binance), binance.control("countdowns")) == (["NEW"], [])


def test_order_that_the_switch_ends_is_ended_here_too(binance: EmulatorProcess) -> None:
    """The engine lives and the venue does not hear it: what it does then is known when it can be heard again."""
    rig = Rig(binance, "binanceusdm")

    async def story() -> None:
        receipt = await rig.submit("i1", px=59_000)
        await rig.venue.cancel_all_after(rig.instrument_id, 20)
        await rig.ended(receipt.cl_ord_id, OrdStatus.CANCELED)
        await rig.settled()

    rig.run(story)
