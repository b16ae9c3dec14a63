"""Folding what no order of ours did: executions and orders made elsewhere, and moves of cash or holdings."""

from __future__ import annotations

import msgspec

from surefill.domain import events as e
from surefill.domain.account import CAPITAL, KnownBalance, MoveKind
from surefill.domain.evolve.positions import hold
from surefill.domain.state import Remembered, State

REMEMBERED_MAX = 2_000


def external_traded(state: State, event: e.ExternalTraded) -> None:
    """It moves position and cash like any other execution, and what works elsewhere has less left."""
    book = state.book
    book.cash = event.cash
    hold(state, event, event.instrument_id, event.bucket, event.fee)
    booked = book.external_execs.setdefault(event.instrument_id, Remembered())
    known = state.executions.setdefault(event.instrument_id, set())
    known.add(event.exec_id)
    known.difference_update(_remember(booked, event.exec_id, event.transact_ns))
    working = book.external_orders.get(event.order_id)
    if working is not None:
        left = msgspec.structs.replace(working, cum_qty=working.cum_qty + event.last_qty)
        if left.leaves_qty:
            book.external_orders[event.order_id] = left
        else:
            del book.external_orders[event.order_id]


def external_orders_seen(state: State, event: e.ExternalOrdersSeen) -> None:
    """What works elsewhere is what the venue says; nothing else is left."""
    state.book.external_orders = {order.order_id: order for order in event.orders}


def account_moved(state: State, event: e.AccountMoved) -> None:
    """Position, cash and result; what the owner paid in or took out is neither a high nor a fall of the equity."""
    book, move = state.book, event.move
    _remember(book.moves, move_key(move.kind, move.move_id), move.transact_ns)
    if event.refused:
        return
    book.cash = event.cash
    book.outside += event.outside
    if event.position:
        hold(state, event, move.instrument_id, move.bucket, 0)
    if move.kind in CAPITAL:
        _shift_marks(state, event.outside)
    if move.kind == MoveKind.TRANSFER:
        book.balance = None  # holdings that nobody paid for here: what the account should have begins anew


def balance_compared(state: State, event: e.BalanceCompared) -> None:
    """What was there from the start, and how it stands now."""
    state.book.balance = KnownBalance(event.offset, event.state)


def move_key(kind: int, move_id: str) -> str:
    """What a move is remembered by."""
    return f"{kind}|{move_id}"


def _shift_marks(state: State, amount: int) -> None:
    day, streaks = state.book.day, state.book.streaks
    if day.start_equity is not None:
        day.start_equity += amount
    if day.high_equity is not None:
        day.high_equity += amount
    if streaks.peak_equity is not None:
        streaks.peak_equity += amount


def _remember(booked: Remembered, name: str, ts_ns: int) -> list[str]:
    """Keep the newest; returns those that are forgotten. Whatever is as old as they are is taken for booked."""
    booked.times_ns[name] = ts_ns
    if len(booked.times_ns) <= REMEMBERED_MAX:
        return []
    oldest = list(booked.times_ns)[: REMEMBERED_MAX // 2]
    for each in oldest:
        booked.floor_ns = max(booked.floor_ns, booked.times_ns.pop(each))
    return oldest
