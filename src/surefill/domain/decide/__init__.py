"""`step(state, input) -> (events, effects)`: the whole core in one function.

Each input has one function that decides. What it decides it emits as events, and each event is folded at once
(`evolve`), so the next line sees the state that the journal will give back. Nothing here knows a clock, a random
number, a socket or a file; an exception means a broken invariant, and the shell discards the state.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from surefill.domain import inputs as i
from surefill.domain.decide import (
    alerts,
    balances,
    breakers,
    elsewhere,
    exits,
    intents,
    kills,
    moves,
    operations,
    reports,
    sessions,
    timers,
)
from surefill.domain.decide.step import Step
from surefill.domain.effects import Effect
from surefill.domain.events import Event
from surefill.domain.market import Bar, BarOpened, Quote
from surefill.domain.state import State

__all__ = ["step"]

_DECIDE: dict[type, Callable[[Step, Any], None]] = {
    Quote: exits.quote,
    Bar: exits.bar,
    BarOpened: exits.bar_opened,
    i.SubmitIntent: intents.submit,
    i.EvaluateIntent: intents.evaluate,
    i.RequestCancel: intents.request_cancel,
    i.VenueReports: reports.apply_all,
    i.OutcomeUnknown: reports.outcome_unknown,
    i.SendLapsed: reports.send_lapsed,
    i.OrderQueried: reports.queried,
    i.QueryFailed: reports.query_failed,
    i.TimerFired: timers.fired,
    i.RecoverOrders: timers.recover,
    i.ResolveOrder: operations.resolve_order,
    i.OpenWorkspace: operations.open_workspace,
    i.SetProfile: operations.set_profile,
    i.DefineInstrument: operations.define_instrument,
    i.Halt: kills.halt,
    i.Resume: kills.resume,
    i.Rearm: breakers.rearm,
    i.RaiseAlert: alerts.raise_alert,
    i.ConfirmAlert: alerts.confirm,
    i.AcknowledgeAlert: alerts.acknowledge,
    i.SetSession: sessions.set_session,
    i.ComparePositions: operations.compare_positions,
    i.CompareBalance: balances.compare_balance,
    i.CompareOrders: elsewhere.compare_orders,
    i.CompareExecutions: reports.recover_executions,
    i.MoveAccount: moves.take_all,
    i.ResetWorkspace: operations.reset,
}


def step(state: State, item: i.Input) -> tuple[list[Event], list[Effect]]:
    """Take one input; return what happened and what the shell must do once it is durable."""
    this = Step(state, item.ts_ns)
    _DECIDE[type(item)](this, item)
    return this.events, this.effects
