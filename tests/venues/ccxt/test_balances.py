"""The account's money at the emulated Binance, laid beside the books' after real trades."""

from __future__ import annotations

import asyncio

import msgspec
import pytest
from tests.venues.ccxt.engine_rig import Rig

from surefill.domain.account import BalanceState
from surefill.domain.intent import Action, Intent
from surefill.errors import VenueOutcomeUnknown
from surefill.rules.codes import OrdStatus
from surefill.testing.emulators.groundwork.process import EmulatorProcess
from surefill.testing.invariants import check_journal
from surefill.testing.remote_venue.faults import Fault
from surefill.venues.protocol import Balance

BOTH = pytest.mark.parametrize("exchange", ["binance", "binanceusdm"])


async def _state(rig: Rig) -> int:
    await rig.engine.rounds["w"].money()
    balance = await rig.read(lambda state: state.book.balance)
    assert balance is not None
    return int(balance.state)


@BOTH
def test_trades_fees_and_payments_that_are_booked_leave_no_difference(binance: EmulatorProcess, exchange: str) -> None:
    rig = Rig(binance, exchange)

    async def story() -> None:
        assert await _state(rig) == BalanceState.AGREES
        receipt = await rig.submit("i1")
        await rig.ended(receipt.cl_ord_id, OrdStatus.FILLED)
        assert await _state(rig) == BalanceState.AGREES
        await rig.price(61_000)
        kind = "TRANSFER" if exchange == "binanceusdm" else "deposit"
        await asyncio.to_thread(binance.control, "move", kind=kind, asset="USDT", amount="500", account=rig.account)
        await rig.engine.rounds["w"].moves()
        await rig.ask(Intent("out", "c-out", "test", "s", rig.instrument_id, Action.CLOSE, 0, 0))
        await rig.until(lambda state: not state.book.orders)
        assert await _state(rig) == BalanceState.AGREES
        known = await rig.read(lambda state: state.book.balance)
        assert known.offset == 0
        assert rig.alarms == [] or {notice.code for notice in rig.alarms} == {"DUST_LEFT"}

    rig.run(story)
    assert check_journal(rig.journal, "w") == []


@BOTH
@pytest.mark.parametrize(("dollars", "state"), [(50, BalanceState.NOTED), (5_000, BalanceState.DRIFTED)])
def test_money_that_nobody_tells_of_is_noted_or_calls_somebody_once(
    binance: EmulatorProcess, exchange: str, dollars: int, state: BalanceState
) -> None:
    rig = Rig(binance, exchange)
    scope = "usdm" if exchange == "binanceusdm" else "spot"

    async def story() -> None:
        await _state(rig)
        await asyncio.to_thread(binance.seed, account=rig.account, **{scope: {"USDT": 100_000 - dollars}})
        for _ in range(2):
            assert await _state(rig) == state
        codes = [notice.code for notice in rig.alarms]
        assert codes == (["BALANCE_DRIFT"] if state == BalanceState.DRIFTED else [])

    rig.run(story)


def test_difference_that_is_gone_at_the_second_look_is_none(
    binance: EmulatorProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = Rig(binance, "binance")

    async def story() -> None:
        await _state(rig)
        there = await rig.venue.balances()
        less = tuple(msgspec.structs.replace(each, total=each.total / 2) for each in there)
        told = [less, there]

        async def balances() -> tuple[Balance, ...]:
            return told.pop(0)

        monkeypatch.setattr(rig.venue, "balances", balances)
        assert await _state(rig) == BalanceState.AGREES
        assert (told, rig.alarms) == ([], [])

    rig.run(story)


def test_count_does_not_begin_while_the_venue_is_ahead_of_the_books(
    binance: EmulatorProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = Rig(binance, "binance")

    async def story() -> None:
        there = await rig.venue.balances()
        ahead = tuple(msgspec.structs.replace(each, total=each.total / 2) for each in there)
        told = [ahead, there, there]

        async def balances() -> tuple[Balance, ...]:
            return told.pop(0)

        monkeypatch.setattr(rig.venue, "balances", balances)
        assert await _state(rig) == BalanceState.AGREES
        known = await rig.read(lambda state: state.book.balance)
        assert (known.offset, told) == (0, [])

    rig.run(story)


def test_look_that_fails_compares_nothing(binance: EmulatorProcess) -> None:
    rig = Rig(binance, "binance")

    async def story() -> None:
        await _state(rig)
        await rig.arm(Fault.QUERY_ERROR, 1, op="account")
        with pytest.raises(VenueOutcomeUnknown):
            await rig.engine.rounds["w"].money()
        assert (await rig.read(lambda state: state.book.balance)).state == BalanceState.AGREES
        assert rig.alarms == []

    rig.run(story)


def test_count_goes_on_after_a_start(binance: EmulatorProcess) -> None:
    rig = Rig(binance, "binance")
    limits = msgspec.structs.replace(rig.profile.limits, balance_halts=True)
    rig.profile = msgspec.structs.replace(rig.profile, limits=limits)

    async def before() -> None:
        await _state(rig)

    async def after() -> None:
        assert await _state(rig) == BalanceState.DRIFTED
        assert await rig.read(lambda state: state.book.halted_code) == "BALANCE_DRIFT"

    rig.run(before)
    binance.seed(account=rig.account, spot={"USDT": 90_000})
    rig.run(after)
