"""Money that moves at the terminal and is no trade: told by the adapter, booked by the engine, once."""

from __future__ import annotations

import time
from typing import Any

import pytest
from tests.intake.rpm_terminal import Door, Terminal
from tests.venues.mt5.rig import HEDGING, NETTING, Rig, request

from surefill.domain.account import AccountMove, MoveKind
from surefill.intake.session import Session
from surefill.testing.emulators import EmulatorProcess
from surefill.testing.invariants import check_journal
from surefill.units import NS_PER_S
from surefill.venues.mt5 import Mt5Venue

CENT = 10**6  # money of eight decimals
SELL = {"side": -1, "reduce_only": True}


async def _moves(venue: Mt5Venue) -> tuple[AccountMove, ...]:
    """All but the deposit that every account begins with."""
    return (await venue.moves(0))[1:]


@pytest.mark.parametrize(
    ("deal_type", "amount", "kind"),
    [
        (2, "500", MoveKind.DEPOSIT),
        (2, "-500", MoveKind.WITHDRAWAL),
        (3, "100", MoveKind.DEPOSIT),
        (3, "-100", MoveKind.WITHDRAWAL),
        (4, "-1.5", MoveKind.CHARGE),
        (5, "0.25", MoveKind.CHARGE),
        (6, "50", MoveKind.DEPOSIT),
        (7, "-3", MoveKind.CHARGE),
        (8, "-3", MoveKind.CHARGE),
        (9, "-3", MoveKind.CHARGE),
        (10, "3", MoveKind.CHARGE),
        (11, "3", MoveKind.CHARGE),
        (12, "0.07", MoveKind.FUNDING),
        (17, "-2", MoveKind.CHARGE),
        (18, "-9", 0),
    ],
)
def test_deal_that_is_no_trade_is_a_move_of_its_kind(
    terminal: EmulatorProcess, deal_type: int, amount: str, kind: int
) -> None:
    rig = Rig(terminal)

    async def story(venue: Mt5Venue) -> Any:
        ticket = terminal.control("money", kind=deal_type, amount=amount, comment="by the broker")
        return ticket, await _moves(venue), await venue.moves(0), await venue.balances()

    ticket, (move,), again, (balance,) = rig.run(story)

    assert (move.kind, move.move_id, move.amount) == (kind, str(ticket), round(float(amount) * 100) * CENT)
    assert (move.instrument_id, move.asset) == ("", "USD")
    assert abs(move.transact_ns - time.time_ns()) < 30 * NS_PER_S
    assert again[1:] == (move,)
    assert float(balance.total) == 100_000 + float(amount)  # credit is the account's like the rest


@pytest.mark.parametrize(
    ("deal_type", "kind"), [(15, MoveKind.DIVIDEND), (16, MoveKind.DIVIDEND), (17, MoveKind.CHARGE)]
)
def test_dividend_and_tax_of_a_symbol_belong_to_its_position(
    terminal: EmulatorProcess, deal_type: int, kind: int
) -> None:
    rig = Rig(terminal)

    async def story(venue: Mt5Venue) -> Any:
        terminal.control("money", kind=deal_type, amount="12.5", symbol="EURUSD")
        return await _moves(venue)

    (move,) = rig.run(story)

    assert (move.kind, move.instrument_id, move.bucket, move.amount) == (kind, "EURUSD", "", 1_250 * CENT)


@pytest.mark.parametrize("deal_type", [13, 14])
def test_canceled_deal_moves_nothing(terminal: EmulatorProcess, deal_type: int) -> None:
    rig = Rig(terminal)

    async def story(venue: Mt5Venue) -> Any:
        terminal.control("money", kind=deal_type, amount="12.5", symbol="EURUSD")
        return await _moves(venue)

    assert rig.run(story) == ()


@pytest.mark.parametrize("mode", [NETTING, HEDGING])
def test_swap_is_no_money_by_night_and_is_told_when_the_position_closes(terminal: EmulatorProcess, mode: int) -> None:
    rig = Rig(terminal, mode=mode)

    async def story(venue: Mt5Venue) -> Any:
        await venue.submit(request(qty=10))
        terminal.control("rollover", nights=3)  # 0.7 points a night: 0.21 for a tenth of a lot
        by_night = await _moves(venue)
        first = await venue.submit(request(qty=4, **SELL))
        rest = await venue.submit(request(qty=6, **SELL))
        return by_night, first, rest, await _moves(venue)

    by_night, _, _, moves = rig.run(story)

    assert by_night == ()
    assert [(move.kind, move.instrument_id, move.bucket, move.amount // CENT) for move in moves] == [
        (MoveKind.SWAP, "EURUSD", "", -8),
        (MoveKind.SWAP, "EURUSD", "", -13),
    ]
    assert len({move.move_id for move in moves}) == 2


def test_swap_of_a_position_of_somebody_elses_is_in_its_bucket(terminal: EmulatorProcess) -> None:
    rig = Rig(terminal, mode=HEDGING)
    by_hand = {"action": 1, "symbol": "EURUSD", "volume": 1.0, "type": 0, "type_filling": 1, "magic": 0}

    async def story(venue: Mt5Venue) -> Any:
        ticket = terminal.control("by_hand", **by_hand)["order"]
        terminal.control("rollover", per_lot="-3")
        terminal.control("by_hand", **{**by_hand, "type": 1, "position": ticket})
        return ticket, await _moves(venue)

    ticket, (move,) = rig.run(story)

    assert (move.kind, move.bucket, move.amount) == (MoveKind.SWAP, str(ticket), -300 * CENT)


def looked(session: Session) -> None:
    """Two looks: at orders and deals, and at what moved the account and was no trade."""
    rounds = session.engine.engine.rounds[session.workspace_id]
    session.engine.run(rounds.orders())
    session.engine.run(rounds.moves())


def test_books_have_the_terminals_money_once_over_rounds_and_starts(terminal: EmulatorProcess) -> None:
    account = Terminal(terminal, deposit="1000", commission_per_lot="7")

    def told(door: Door) -> tuple[float, float, str]:
        session = door.rpm.engine._door.session
        looked(session)
        book = session.read(lambda state: state.book)
        return book.cash / (100 * CENT), book.outside / (100 * CENT), book.halted_code

    with Door(account) as door:
        assert told(door) == (101_000, 0, "")  # what came before is in the beginning
        door.send("in")
        terminal.control("rollover", per_lot="-2")
        terminal.control("money", kind=2, amount="500")
        terminal.control("money", kind=9, amount="-4")
        terminal.control("money", kind=15, amount="6", symbol="EURUSD")
        door.send("out", direction=-1)
        first, again = told(door), told(door)
        journal = door.rpm.journal
    balance = account.balance()
    assert first == again == (balance, 500 - 4, "")
    terminal.control("money", kind=2, amount="-70")  # while nobody looks

    with Door(account, journal=journal) as door:
        assert told(door) == told(door) == (balance - 70, 500 - 4 - 70, "")
    assert check_journal(journal, "fx-live") == []


def test_money_of_a_kind_that_nobody_knows_is_not_booked_and_somebody_is_called(terminal: EmulatorProcess) -> None:
    account = Terminal(terminal)

    with Door(account) as door:
        session = door.rpm.engine._door.session
        terminal.control("money", kind=18, amount="-9")
        looked(session)
        looked(session)
        assert door.rpm.hears("UNUSABLE_MOVE")
        assert session.read(lambda state: state.book.cash) == 100_000 * 100 * CENT
        assert check_journal(door.rpm.journal, "fx-live") == []
        assert door.rpm.alerted().count("UNUSABLE_MOVE") == 1
