"""Door 4: decisions of a risk and portfolio manager. Exactly that trade, or precisely why not.

Every call blocks until what it did is durable, and may come from any thread. `execute` waits until the execution has
ended, or as long as its order may take and a little more: then it answers where it stands, and `execution` tells later
what became of it.
"""

from __future__ import annotations

import logging
import threading
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from surefill.domain.inputs import RequestCancel
from surefill.domain.instrument import Instrument
from surefill.domain.state import State
from surefill.engine.clock import Clock
from surefill.errors import InputError, SurefillError
from surefill.intake.door_settings import Config, artifacts_dir, door_settings
from surefill.intake.open_door import OpenDoor
from surefill.intake.real_venue import VenueChoice
from surefill.intake.rpm.alerts import AlertDesk, AlertLimits, OnAlert
from surefill.intake.rpm.answers import confirmation_of, conflict_of, failure_of
from surefill.intake.rpm.carrier import Carrier, KeyConflict
from surefill.intake.rpm.groups import (
    SHORTS_FIRST,
    GroupConfirmation,
    GroupLeg,
    GroupRunner,
    confirmation_of_group,
)
from surefill.intake.rpm.market import QuoteFeed, quote_from
from surefill.intake.rpm.messages import ExecutionConfirmation, ExecutionLog, ExecutionStatus, RPMOutput
from surefill.intake.rpm.monitor import ExecutionMonitor
from surefill.intake.rpm.reading import read_output
from surefill.intake.rpm.records import ExecutionRecords, Window
from surefill.intake.rpm.translation import Terms
from surefill.journal.protocol import Journal
from surefill.rules.codes import OrdStatus
from surefill.units import NS_PER_S, iso_from_ns
from surefill.views.positions import PositionRow

PROFILE: Final = "rpm"


@dataclass(frozen=True)
class ExecutionHealth:
    """Whether the engine works. `status` healthy, degraded (something is not known or behind) or halted.

    `halted` says why; `problems` says what is wrong, in sentences.
    """

    status: str
    workspace_id: str
    timestamp: str
    halted: str
    open_executions: int
    unknown_orders: int
    problems: tuple[str, ...]


class RPMExecutionEngine(ExecutionRecords):
    """The contract's engine. `config`: a dict, a file's path, or settings; keys of `rpm` are this door's.

    `market_data` tells bid and ask (see `market`); without it, prices are the real venue's own, and on the simulated
    market come through `on_quote` alone. `venue` is where orders go: see `surefill.intake.real_venue`. `on_alert` hears
    what a person should know, on a thread of its own. `wait_s`: how long `execute` waits for an end (None: the order's
    timeout and a little more). `clock` and `journal` are for tests and replays. Close it, or use it as a context
    manager. Raises ConfigError and JournalError when it cannot be opened, RemoteError where a live one could call
    nobody, VenueOutcomeUnknown where its venue is silent.
    """

    def __init__(
        self,
        config: Config,
        market_data: object = None,
        *,
        venue: VenueChoice = None,
        on_alert: OnAlert | None = None,
        wait_s: float | None = None,
        clock: Clock | None = None,
        journal: Journal | None = None,
        logger_instance: logging.Logger | None = None,
    ) -> None:
        self._log = logger_instance or logging.getLogger("surefill.rpm")
        settings = door_settings(config, PROFILE)
        own = settings.rpm
        self._terms = Terms(own.max_slippage_pips, own.timeout_seconds)
        limits = AlertLimits(
            float(own.alert_success_rate_min),
            float(own.alert_slippage_max_pips),
            own.alert_rejections_max,
            own.alert_executions_min,
        )
        self._door = OpenDoor(PROFILE, settings, clock, journal, venue=venue)
        session = self._door.session
        self._alerts = AlertDesk(on_alert, limits)
        self._monitor = ExecutionMonitor(
            artifacts_dir(settings), session.journal, session.workspace_id, self._alerts.rows
        )
        figures = Window(self._monitor, self._door, round(own.metrics_window_s * NS_PER_S))
        super().__init__(self._monitor, self._door, figures)
        try:
            self._door.follow_with(self._monitor)
            self._alerts.figures = figures
            session.engine.engine.alarms.append(self._alerts.engine)
            self._carrier = Carrier(self._door, self._monitor, QuoteFeed(market_data), wait_s)
            self._groups = GroupRunner(self._door, self._monitor, self._carrier, self._alerts.put, self._terms)
            self._groups.take_up()
            self._alerts.group_moved = self._groups.moved
        except BaseException:
            self._alerts.close()
            self._door.close()
            raise
        # None of them knows this object: when it goes, they are closed for it.
        self._closing = weakref.finalize(self, _close_from_anywhere, self._door, self._monitor, self._alerts)

    def close(self) -> None:
        """Stop, and let go of journal and log. A second call does nothing."""
        if self._closing.detach() is not None:
            _close(self._door, self._monitor, self._alerts)

    def __enter__(self) -> RPMExecutionEngine:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- executing --------------------------------------------------------------------------------------------

    def execute(
        self,
        rpm_output: RPMOutput | Mapping[str, Any],
        *,
        max_slippage_pips: float | None = None,
        timeout_seconds: float | None = None,
    ) -> ExecutionConfirmation:
        """Execute one decision, or say why not. What is wrong with it is REJECTED, recorded, and nothing is sent.

        `max_slippage_pips` and `timeout_seconds` overrule the configuration for this request. Raises InputError
        (INVALID_SHAPE) for a mapping that is no decision at all: nothing of it could be recorded.
        """
        output = read_output(rpm_output)
        terms = self._overruled(max_slippage_pips, timeout_seconds)
        try:
            confirmation = confirmation_of(self._carrier.carry_out(self._carrier.read(output, terms, {})))
        except KeyConflict as conflict:
            confirmation = conflict_of(output, conflict.receipt, self._door.now_ns())
        except SurefillError as error:
            confirmation = failure_of(output, error, self._door.now_ns())
        if confirmation.status in (ExecutionStatus.REJECTED, ExecutionStatus.ERROR):
            told = f"{confirmation.rejection_reason}: {confirmation.rejection_details}"
            self._log.warning("decision %s: %s %s", output.decision.order_id, confirmation.status.value, told)
        return confirmation

    def execute_group(
        self,
        group_id: str,
        legs: Sequence[GroupLeg],
        *,
        order: str = SHORTS_FIRST,
        max_slippage_pips: float | None = None,
        timeout_seconds: float | None = None,
    ) -> GroupConfirmation:
        """Execute legs that stand or fall together (see `groups`); the same `group_id` again tells how it ended.

        `order`: "shorts_first", or "priority". Raises InputError for a group that makes no sense, and whatever kept the
        engine from going on in the middle; then it has alerted, and the next start takes back what is there.
        """
        return self._groups.execute(group_id, legs, order, self._overruled(max_slippage_pips, timeout_seconds))

    def settle_groups(self) -> list[GroupConfirmation]:
        """Take back what failed groups still hold: done at every start, and whenever a leg of one ends late."""
        return self._groups.settle(self._groups.unsettled())

    def group(self, group_id: str) -> GroupConfirmation | None:
        """Where a group stands; None for one that is not known."""
        standing = self._groups.standing(group_id)
        return None if standing is None else confirmation_of_group(standing)

    def _overruled(self, max_slippage_pips: float | None, timeout_seconds: float | None) -> Terms:
        return Terms(
            self._terms.max_slippage_pips if max_slippage_pips is None else max_slippage_pips,
            self._terms.timeout_seconds if timeout_seconds is None else timeout_seconds,
        )

    def on_quote(
        self,
        symbol: str,
        bid: float,
        ask: float,
        *,
        bid_size: float | None = None,
        ask_size: float | None = None,
        timestamp: datetime | str | None = None,
    ) -> None:
        """Show a market: it guards positions, and is what decisions without a feed are executed on.

        Raises InputError for a price that cannot be one; then nothing is shown.
        """
        self._door.session.ensure_instrument(symbol)
        given = {"bid": bid, "ask": ask, "bid_size": bid_size, "ask_size": ask_size, "timestamp": timestamp}
        look = quote_from(self._door.session, symbol, given, self._door.now_ns())
        if look.quote is None:
            assert look.problem is not None  # one or the other
            raise InputError(look.problem.reason, code=look.problem.code.name, symbol=symbol)
        self._door.feed([look.quote])

    def cancel(self, execution_id: str, by: str = "upstream") -> ExecutionLog | None:
        """Ask for the end of an execution's order; where it stands then. None for one that is not known."""
        live = self._door.session.read(lambda state: _live_orders(state, execution_id))
        self._door.feed([RequestCancel(self._door.now_ns(), cl_ord_id, by) for cl_ord_id in live])
        return self.execution(execution_id)

    # -- beside the contract -------------------------------------------------------------------------------------------

    def positions(self) -> dict[str, PositionRow]:
        """Every position, valued at the last prices shown."""
        return self._door.positions()

    def instruments(self) -> dict[str, Instrument]:
        """The instruments of the workspace."""
        return self._door.instruments()

    def health(self) -> ExecutionHealth:
        """Whether it works, and what does not."""
        now = iso_from_ns(self._door.now_ns())
        workspace_id = self._door.session.workspace_id
        problems = [f"{code} stands" for code in self._alerts.standing]
        if self._monitor.failure is not None:
            problems.append(f"the execution log is behind the journal: {self._monitor.failure}")
        try:
            halted, unknown = self._door.session.read(_halted_and_unknown)
        except SurefillError as error:
            return ExecutionHealth("halted", workspace_id, now, error.message, self._monitor.open_count(), 0, ())
        if unknown:
            problems.append(f"{unknown} orders whose outcome is not known")
        status = "halted" if halted else "degraded" if problems else "healthy"
        return ExecutionHealth(status, workspace_id, now, halted, self._monitor.open_count(), unknown, tuple(problems))


def _close(door: OpenDoor, monitor: ExecutionMonitor, alerts: AlertDesk) -> None:
    door.close()
    alerts.close()
    monitor.close()


def _close_from_anywhere(door: OpenDoor, monitor: ExecutionMonitor, alerts: AlertDesk) -> None:
    """Close, also when the garbage collector asks on the engine's own thread."""
    if threading.current_thread() is threading.main_thread():
        _close(door, monitor, alerts)
    else:
        threading.Thread(target=_close, args=(door, monitor, alerts), name="surefill-closing").start()


def _live_orders(state: State, execution_id: str) -> list[str]:
    stories = {
        order.correlation_id
        for order in (*state.book.orders.values(), *state.book.done.values())
        if order.request.order_ref == execution_id
    }
    return [
        cl_ord_id
        for cl_ord_id, order in state.book.orders.items()
        if order.correlation_id in stories and not order.exit_reason
    ]


def _halted_and_unknown(state: State) -> tuple[str, int]:
    book = state.book
    unknown = sum(order.status == OrdStatus.UNKNOWN for order in book.orders.values())
    return (f"{book.halted_code}: {book.halted_reason}" if book.halted_code else ""), unknown
