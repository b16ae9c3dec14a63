"""What moves a Binance account and is no trade: told by the adapter, booked once by the engine, also after a start."""

from __future__ import annotations

import asyncio
import time
from decimal import Decimal

import msgspec
import pytest
from tests.venues.ccxt.engine_rig import MONEY_DECIMALS, Rig
from tests.venues.ccxt.orders import SPOT, USDM
from tests.venues.ccxt.test_binance_venue import Story

from surefill.domain.account import AccountMove, MoveKind
from surefill.domain.state import State
from surefill.errors import VenueOutcomeUnknown
from surefill.rules.codes import OrdStatus
from surefill.testing.emulators.groundwork.process import EmulatorProcess
from surefill.testing.invariants import check_journal
from surefill.testing.remote_venue.faults import Fault
from surefill.units import NS_PER_S
from surefill.venues.ccxt.binance.moves import Moves

CENTS = 10**6  # money quanta of a cent, at 8 decimals


def _told(at: Story, since_ns: int = 0) -> tuple[AccountMove, ...]:
    found: list[tuple[AccountMove, ...]] = []

    async def story() -> None:
        found.append(await at.venue.moves(since_ns or time.time_ns() - 60 * NS_PER_S))

    at.run(story)
    return found[0]


#: What happens, and what is told: kind, instrument, amount in cents.
INCOME = [
    ("FUNDING_FEE", {"symbol": "BTCUSDT", "amount": "-0.37"}, (MoveKind.FUNDING, USDM, -37)),
    ("FUNDING_FEE", {"symbol": "ETHUSDT", "amount": "0.10"}, (MoveKind.FUNDING, "", 10)),
    ("INSURANCE_CLEAR", {"symbol": "BTCUSDT", "amount": "-5"}, (MoveKind.SETTLEMENT, USDM, -500)),
    ("TRANSFER", {"amount": "250"}, (MoveKind.DEPOSIT, "", 25_000)),
    ("TRANSFER", {"amount": "-100.5"}, (MoveKind.WITHDRAWAL, "", -10_050)),
    ("COMMISSION_REBATE", {"symbol": "BTCUSDT", "amount": "0.02"}, (MoveKind.ADJUSTMENT, "", 2)),
    ("WELCOME_BONUS", {"amount": "1"}, (MoveKind.ADJUSTMENT, "", 100)),
    ("SOMETHING_NEW", {"amount": "-0.01"}, (MoveKind.ADJUSTMENT, "", -1)),
]


@pytest.mark.parametrize(("kind", "what", "expected"), INCOME)
def test_income_is_told_as_what_it_is(
    binance: EmulatorProcess, kind: str, what: dict[str, str], expected: tuple[MoveKind, str, int]
) -> None:
    binance.control("move", kind=kind, asset="USDT", **what)
    (move,) = _told(Story(binance, "binanceusdm", instrument_ids=(USDM,)))
    assert (move.kind, move.instrument_id, move.amount) == (expected[0], expected[1], expected[2] * CENTS)
    assert kind in move.move_id


def test_what_trades_bring_and_what_is_in_another_asset_is_not_told(binance: EmulatorProcess) -> None:
    at = Story(binance, "binanceusdm")
    binance.control("move", kind="COMMISSION_REBATE", asset="BNB", amount="0.01")

    async def story() -> None:
        for name, side in (("in", 1), ("out", -1)):
            await at.venue.submit(at.order(name, side))
            await asyncio.to_thread(binance.price, "BTCUSDT", 61_000)
        assert await at.venue.moves(time.time_ns() - 60 * NS_PER_S) == ()

    at.run(story)


def test_funding_of_positions_per_side_belongs_to_none_of_them(binance: EmulatorProcess) -> None:
    binance.control("move", kind="FUNDING_FEE", asset="USDT", amount="-1", symbol="BTCUSDT")
    at = Story(binance, "binanceusdm", instrument_ids=(USDM,))
    hedged = msgspec.structs.replace(at.venue._settings, hedge=True)
    at.venue._moves = Moves(hedged, at.venue._asking, at.venue._lookup, time.time_ns, usdm=True)
    (move,) = _told(at)
    assert (move.instrument_id, move.amount) == ("", -100 * CENTS)


def test_income_beyond_one_page_and_one_span_is_told_whole(
    binance: EmulatorProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("surefill.venues.ccxt.binance.moves.PAGE", 2)
    for number in range(5):
        binance.control("move", kind="FUNDING_FEE", asset="USDT", amount=f"0.0{number + 1}", symbol="BTCUSDT")
    told = _told(Story(binance, "binanceusdm"), time.time_ns() - 20 * 86_400 * NS_PER_S)
    assert [move.amount // CENTS for move in told] == [1, 2, 3, 4, 5]
    assert len({move.move_id for move in told}) == 5


SPOT_MOVES = [
    ({"kind": "deposit", "asset": "USDT", "amount": "12.5"}, (MoveKind.DEPOSIT, "", 1_250, 0)),
    ({"kind": "withdrawal", "asset": "USDT", "amount": "-10", "fee": "1"}, (MoveKind.WITHDRAWAL, "", -1_000, 0)),
    ({"kind": "dividend", "asset": "USDT", "amount": "0.04"}, (MoveKind.DIVIDEND, "", 4, 0)),
    ({"kind": "dust", "asset": "USDT", "amount": "-0.25"}, (MoveKind.WITHDRAWAL, "", -25, 0)),
    ({"kind": "deposit", "asset": "BTC", "amount": "0.5"}, (MoveKind.TRANSFER, SPOT, 0, 50_000_000)),
    ({"kind": "dust", "asset": "BTC", "amount": "-0.00000999"}, (MoveKind.TRANSFER, SPOT, 0, -999)),
    ({"kind": "deposit", "asset": "SHIB", "amount": "1000"}, None),
    ({"kind": "deposit", "asset": "USDT", "amount": "7", "status": "0"}, None),
    ({"kind": "withdrawal", "asset": "USDT", "amount": "-7", "status": "4"}, None),
]


@pytest.mark.parametrize(("what", "expected"), SPOT_MOVES)
def test_wallet_is_told_as_cash_or_as_holdings_once_it_is_done(
    binance: EmulatorProcess, what: dict[str, str], expected: tuple[MoveKind, str, int, int] | None
) -> None:
    binance.control("move", **what)
    told = _told(Story(binance, "binance", instrument_ids=(SPOT,)))
    figures = [(move.kind, move.instrument_id, move.amount // CENTS, move.qty) for move in told]
    assert figures == ([expected] if expected else [])
    assert all(move.px == 6_000_000 for move in told if move.qty)


@pytest.mark.parametrize("exchange", ["binance", "binanceusdm"])
def test_look_that_fails_is_not_an_account_without_moves(binance: EmulatorProcess, exchange: str) -> None:
    at = Story(binance, exchange)

    async def story() -> None:
        await asyncio.to_thread(binance.arm, Fault.QUERY_ERROR, 1, op="moves")
        with pytest.raises(VenueOutcomeUnknown):
            await at.venue.moves(time.time_ns())

    at.run(story)


# -- the engine -----------------------------------------------------------------------------------------------


def test_funding_and_transfers_are_booked_once_also_after_a_start(binance: EmulatorProcess) -> None:
    rig = Rig(binance, "binanceusdm")

    async def happen(kind: str, amount: str, **what: str) -> None:
        await asyncio.to_thread(
            binance.control, "move", kind=kind, asset="USDT", amount=amount, account=rig.account, **what
        )

    def figures(state: State) -> tuple[int, ...]:
        realised = state.book.positions[USDM].realised
        return tuple(figure // 10 ** (MONEY_DECIMALS - 2) for figure in (realised, state.book.outside))

    async def first() -> None:
        receipt = await rig.submit("i1")
        await rig.ended(receipt.cl_ord_id, OrdStatus.FILLED)
        await happen("FUNDING_FEE", "-0.37", symbol="BTCUSDT")
        await happen("TRANSFER", "250")
        for _ in range(2):
            await rig.engine.rounds["w"].moves()
        assert await rig.read(figures) == (-37, 25_000)

    async def again() -> None:
        await happen("COMMISSION_REBATE", "0.02")
        await rig.engine.rounds["w"].moves()
        assert await rig.read(figures) == (-37, 25_002)
        assert [notice.code for notice in rig.alarms if notice.code == "UNUSABLE_MOVE"] == []

    rig.run(first)
    rig.run(again)
    assert check_journal(rig.journal, "w") == []


def test_somebody_is_told_once_when_moves_cannot_be_told_and_none_is_missed(binance: EmulatorProcess) -> None:
    rig = Rig(binance, "binanceusdm")

    async def story() -> None:
        rounds = rig.engine.rounds["w"]
        await asyncio.to_thread(binance.control, "move", kind="TRANSFER", asset="USDT", amount="9", account=rig.account)
        await rig.arm(Fault.QUERY_ERROR, 4, op="moves")
        for _ in range(5):
            await rounds.look_at_moves()
        assert [notice.code for notice in rig.alarms] == ["MOVES_NOT_TOLD"]
        assert await rig.read(lambda state: state.book.outside) == 9 * 10**MONEY_DECIMALS

    rig.run(story)


def test_what_moved_the_account_before_the_workspace_began_is_in_its_cash_already(binance: EmulatorProcess) -> None:
    rig = Rig(binance, "binance")
    binance.control("move", kind="deposit", asset="USDT", amount="100", account=rig.account)

    async def story() -> None:
        await rig.engine.rounds["w"].moves()
        assert await rig.read(lambda state: state.book.outside) == 0
        await asyncio.to_thread(binance.control, "move", kind="deposit", asset="USDT", amount="7", account=rig.account)
        await rig.engine.rounds["w"].moves()
        outside = await rig.read(lambda state: state.book.outside)
        assert outside == Decimal(7) * 10**MONEY_DECIMALS

    rig.run(story)


def test_difference_that_is_younger_than_the_last_look_at_moves_waits_for_the_next(binance: EmulatorProcess) -> None:
    rig = Rig(binance, "binance")

    async def story() -> None:
        await rig.engine.rounds["w"].moves()
        await asyncio.to_thread(
            binance.control, "move", kind="deposit", asset="BTC", amount="0.25", account=rig.account
        )
        assert await rig.engine.reconcile("w") == {}
        assert await rig.read(lambda state: state.book.halted_code) == ""

    rig.run(story)


def test_holdings_that_are_paid_in_are_in_both_books(binance: EmulatorProcess) -> None:
    rig = Rig(binance, "binance")

    async def story() -> None:
        await asyncio.to_thread(
            binance.control, "move", kind="deposit", asset="BTC", amount="0.25", account=rig.account
        )
        assert await rig.engine.reconcile("w") == {}
        assert await rig.read(lambda state: state.book.positions[SPOT].qty) == 25_000_000
        assert await rig.read(lambda state: state.book.halted_code) == ""

    rig.run(story)
