"""Folding what concerns the whole workspace: its rules, its day, its switches and breakers."""

from __future__ import annotations

from surefill.domain import events as e
from surefill.domain.evolve import resting
from surefill.domain.inputs import Halt, Resume
from surefill.domain.limits import REARM_DAY
from surefill.domain.risk import STRATEGY, SYMBOL, WORKSPACE, Day, Flow, Kill, Session, Streaks, Trip
from surefill.domain.state import Book, Remembered, State


def workspace_opened(state: State, event: e.WorkspaceOpened) -> None:
    """The identity, for ever, and the first rules."""
    book = state.book
    for name in (
        "workspace_id",
        "mode",
        "venue",
        "account",
        "currency",
        "money_decimals",
        "profile",
        "config_hash",
        "build",
    ):
        setattr(book, name, getattr(event, name))
    book.starting_cash = book.cash = event.starting_cash
    book.streaks.peak_equity = event.starting_cash
    book.limits_version = 1
    if event.mode == "live":
        book.moves.floor_ns = event.ts_ns  # what moved the account before is in its starting cash
    state.derive()


def build_changed(state: State, event: e.BuildChanged) -> None:
    """Another program from here on."""
    state.book.build = event.build


def profile_set(state: State, event: e.ProfileSet) -> None:
    """Other rules from here on, and what they ask for is counted."""
    state.book.profile = event.profile
    state.book.config_hash = event.config_hash
    state.book.limits_version = event.version
    resting.follow_profile(state, event.ts_ns)
    state.derive()


def instrument_defined(state: State, event: e.InstrumentDefined) -> None:
    """Known, or with other dated terms."""
    state.book.instruments[event.instrument.instrument_id] = event.instrument


def session_set(state: State, event: e.SessionSet) -> None:
    """A session is known; of the workspace's own calendar it begins a new day."""
    book = state.book
    book.sessions[event.calendar] = Session(event.day, event.open_ns, event.end_ns)
    if event.continues:
        book.day.day, book.day.end_ns = event.day, event.end_ns
        return
    if event.calendar != book.profile.calendar or event.day == book.day.day:
        return
    book.day = Day(event.day, event.end_ns, event.equity, event.equity)
    book.streaks.loss_floor = 0
    for breaker in [name for name, trip in book.tripped.items() if trip.until_ns == REARM_DAY]:
        _rearm(book, breaker, event.equity)
    oldest_ns = event.ts_ns - state.fills_window_ns
    book.flow.fills = {key: times for key, times in book.flow.fills.items() if times[-1] > oldest_ns}


def equity_marked(state: State, event: e.EquityMarked) -> None:
    """A first value, or a new high, of the day or of all days."""
    day, streaks = state.book.day, state.book.streaks
    if day.start_equity is None:
        day.start_equity = event.equity
    day.high_equity = event.equity if day.high_equity is None else max(day.high_equity, event.equity)
    peak = streaks.peak_equity
    streaks.peak_equity = event.equity if peak is None else max(peak, event.equity)


def halted(state: State, event: e.Halted) -> None:
    """A switch stands at this level."""
    kill = Kill(event.level, event.code, event.reason, event.by, event.ts_ns)
    state.book.kills[kill_scope(event)] = kill


def resumed(state: State, event: e.Resumed) -> None:
    """A switch is loosened, or gone."""
    scope, kills = kill_scope(event), state.book.kills
    before = kills.pop(scope)
    if event.level:
        kills[scope] = Kill(event.level, before.code, before.reason, event.by, event.ts_ns)


def kill_scope(event: e.Halted | e.Resumed | Halt | Resume) -> str:
    """The key of the switch in `Book.kills`."""
    if event.instrument_id:
        return SYMBOL + event.instrument_id
    if event.strategy_id:
        return STRATEGY + event.strategy_id
    return event.scope or WORKSPACE


def breaker_tripped(state: State, event: e.BreakerTripped) -> None:
    """It stays open until it is re-armed."""
    state.book.tripped[event.breaker] = Trip(event.code, event.reason, event.ts_ns, event.until_ns)


def breaker_rearmed(state: State, event: e.BreakerRearmed) -> None:
    """A person, or its cooling-off, has armed it again."""
    _rearm(state.book, event.breaker, event.equity)


def _rearm(book: Book, breaker: str, equity: int | None) -> None:
    """Armed again: what it counted counts from here on."""
    del book.tripped[breaker]
    if breaker == "daily_loss":
        book.streaks.loss_floor = min(book.day.realised, 0)
    elif breaker == "daily_drawdown":
        book.day.high_equity = equity
    elif breaker == "equity_drop":
        book.day.start_equity = equity
    elif breaker == "drawdown":
        book.streaks.peak_equity = equity
    elif breaker == "loss_streak":
        book.streaks.losses = 0
    elif breaker == "reject_streak":
        book.streaks.rejects = 0
    elif breaker == "slippage":
        book.streaks.worst_slippage_ppb = 0


def workspace_reset(state: State, event: e.WorkspaceReset) -> None:
    """Everything before is history: breakers are armed anew, switches stay as they are."""
    book = state.book
    book.starting_cash = book.cash = event.starting_cash
    book.realised = book.fees = 0
    for holding in (book.positions, book.orders, book.done, state.keys_of, state.reducing, state.executions):
        holding.clear()
    book.outside, book.external_orders, book.external_execs, book.moves = 0, {}, {}, Remembered()
    book.balance = None
    book.tripped.clear()
    book.day = Day(book.day.day, book.day.end_ns, event.starting_cash, event.starting_cash)
    book.flow, book.streaks = Flow(), Streaks(peak_equity=event.starting_cash)
