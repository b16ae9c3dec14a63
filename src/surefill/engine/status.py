"""How a workspace stands, in words and figures for a person: the answer of `surefill status`."""

from __future__ import annotations

import msgspec

from surefill.domain.state import State
from surefill.rules.codes import KillLevel, OrdStatus
from surefill.units import quanta_text


class WorkspaceStatus(msgspec.Struct, frozen=True):
    """Money as decimal text in `currency`. `halted` is empty while entries are let through.

    `build`: the program that went on with it last. `switches`: every kill switch that is thrown, by scope, with its
    level. `tripped`: open breakers, and why. The day's figures are those of the workspace's trading day (empty before
    the first price).
    """

    workspace: str
    mode: str
    venue: str
    account: str
    profile: str
    limits_version: int
    config_hash: str
    build: str
    events: int
    halted: str
    halted_reason: str
    halted_instruments: dict[str, str]
    paused_strategies: dict[str, str]
    switches: dict[str, str]
    tripped: dict[str, str]
    trading_day: str
    day_trades: int
    day_realised: str
    working_orders: int
    unknown_orders: int
    open_positions: int
    unprotected_positions: int
    open_alerts: int
    currency: str
    cash: str
    realised: str
    fees: str
    state_hash: str


def status_of(state: State) -> WorkspaceStatus:
    """The status of a workspace; of one that was never opened, `workspace` is empty."""
    book = state.book
    held = [position for _, position in state.open_positions() if not position.dust]
    orders = book.orders.values()

    def money(quanta: int) -> str:
        return quanta_text(quanta, book.money_decimals)

    return WorkspaceStatus(
        workspace=book.workspace_id,
        mode=book.mode,
        venue=book.venue,
        account=book.account,
        profile=book.profile.name,
        limits_version=book.limits_version,
        config_hash=book.config_hash,
        build=book.build,
        events=book.seq,
        halted=book.halted_code,
        halted_reason=book.halted_reason,
        halted_instruments=dict(book.halted_instruments),
        paused_strategies=dict(book.halted_strategies),
        switches={scope: f"{KillLevel(kill.level).name} ({kill.text()})" for scope, kill in book.kills.items()},
        tripped={name: trip.reason for name, trip in book.tripped.items()},
        trading_day=book.day.day,
        day_trades=book.day.trades,
        day_realised=money(book.day.realised),
        working_orders=len(book.orders),
        unknown_orders=sum(1 for order in orders if order.status == OrdStatus.UNKNOWN),
        open_positions=len(held),
        unprotected_positions=sum(1 for position in held if position.protection is None),
        open_alerts=len(book.alerts),
        currency=book.currency,
        cash=money(book.cash),
        realised=money(book.realised),
        fees=money(book.fees),
        state_hash=state.digest(),
    )
