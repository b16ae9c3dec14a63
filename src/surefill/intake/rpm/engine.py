"""Door 4: decisions of a risk and portfolio manager. Exactly that trade, or precisely why not.

Every call blocks until what it did is durable, and may come from any thread. `execute` waits until the execution has
ended, or as long as its order may take and a little more: then it answers where it stands, and `execution` tells later
what became of it.
"""

from __future__ import annotations

import logging
import threading
import weakref
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from surefill.config import profile_of
from surefill.domain.gates import Question, first_refusal
from surefill.domain.inputs import RequestCancel
from surefill.domain.instrument import Instrument
from surefill.domain.intent import Intent
from surefill.domain.market import Quote
from surefill.domain.refusals import Refusal
from surefill.domain.state import State
from surefill.engine.clock import Clock
from surefill.engine.receipt import Verdict
from surefill.errors import InputError, SurefillError
from surefill.intake.door_settings import Config, artifacts_dir, door_settings
from surefill.intake.open_door import OpenDoor
from surefill.intake.rpm.alerts import AlertDesk, AlertLimits, OnAlert
from surefill.intake.rpm.answers import confirmation_of, conflict_of, failure_of, log_of
from surefill.intake.rpm.market import QuoteFeed, quote_from
from surefill.intake.rpm.messages import ExecutionConfirmation, ExecutionLog, ExecutionStatus, RPMOutput
from surefill.intake.rpm.monitor import ExecutionMonitor
from surefill.intake.rpm.reading import read_output
from surefill.intake.rpm.translation import Terms, Translated, translate
from surefill.journal.protocol import Journal
from surefill.rules.codes import OrdStatus
from surefill.units import NS_PER_DAY, NS_PER_S, iso_from_ns, ns_from_datetime, ns_from_iso
from surefill.venues.protocol import Venue
from surefill.views.execution_csv import executions_csv
from surefill.views.execution_figures import ExecutionFigures, figures_of
from surefill.views.execution_standing import time_text
from surefill.views.execution_table import Stored
from surefill.views.execution_words import RejectionReason
from surefill.views.positions import PositionRow

PROFILE: Final = "rpm"
SETTLE_S: Final = 5.0  # how much longer than its order an execution is waited for: its cancel, a last look
AUDIT_DAYS: Final = 7
HISTORY_MAX: Final = 1_000
_MARKET_GATE: Final = "market_data"

Moment = str | date | datetime | None


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


class RPMExecutionEngine:
    """The contract's engine. `config`: a dict, a file's path, or settings; keys of `rpm` are this door's.

    `market_data` tells bid and ask (see `market`); without it, prices come through `on_quote` alone. `venue` is where
    orders go instead of the simulated market. `on_alert` hears what a person should know, on a thread of its own.
    `wait_s`: how long `execute` waits for an end (None: the order's timeout and a little more). `clock` and `journal`
    are for tests and replays. Close it, or use it as a context manager. Raises ConfigError and JournalError when it
    cannot be opened.
    """

    def __init__(
        self,
        config: Config,
        market_data: object = None,
        *,
        venue: Venue | None = None,
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
        self._feed = QuoteFeed(market_data)
        self._wait_s = wait_s
        gates = profile_of(settings).gates
        self._earlier = gates[: gates.index(_MARKET_GATE)] if _MARKET_GATE in gates else gates
        self._door = OpenDoor(PROFILE, settings, clock, journal, venue=venue)
        session = self._door.session
        self._alerts = AlertDesk(on_alert, limits)
        self._monitor = ExecutionMonitor(
            artifacts_dir(settings), session.journal, session.workspace_id, self._alerts.rows
        )
        self._figures = _Window(self._monitor, self._door, round(own.metrics_window_s * NS_PER_S))
        try:
            self._door.follow_with(self._monitor)
            self._alerts.figures = self._figures
            session.engine.engine.alarms.append(self._alerts.engine)
            self._money_decimals = session.read(lambda state: state.book.money_decimals)
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
        terms = Terms(
            self._terms.max_slippage_pips if max_slippage_pips is None else max_slippage_pips,
            self._terms.timeout_seconds if timeout_seconds is None else timeout_seconds,
        )
        try:
            confirmation = self._execute(output, terms)
        except SurefillError as error:
            confirmation = failure_of(output, error, self._door.now_ns())
        if confirmation.status in (ExecutionStatus.REJECTED, ExecutionStatus.ERROR):
            told = f"{confirmation.rejection_reason}: {confirmation.rejection_details}"
            self._log.warning("decision %s: %s %s", output.decision.order_id, confirmation.status.value, told)
        return confirmation

    def _execute(self, output: RPMOutput, terms: Terms) -> ExecutionConfirmation:
        translated = self._translated(output, terms)
        quote, refusal = None, translated.refusal
        if refusal is None:
            quote, refusal = self._market(translated.intent)
        receipt = self._door.submit(translated.intent, quote, refusal)
        if receipt.verdict == Verdict.CONFLICT:
            return conflict_of(output, receipt, self._door.now_ns())
        row = self._monitor.wait(receipt.order_ref, self._patience(translated.intent))
        if row is None:
            raise SurefillError(f"execution {receipt.order_ref} is journaled, and its log cannot tell of it")
        return confirmation_of(row)

    def _translated(self, output: RPMOutput, terms: Terms) -> Translated:
        """The decision first, by itself: an instrument is only defined for one that is to be executed."""
        story = self._door.new_story()
        found = translate(output, None, self._money_decimals, terms, story)
        if found.refusal is not None:
            return found
        instrument, unknown = self._door.instrument(found.intent.instrument_id)
        if unknown is not None:
            return Translated(found.intent, unknown)
        return translate(output, instrument, self._money_decimals, terms, story)

    def _market(self, intent: Intent) -> tuple[Quote | None, Refusal | None]:
        """The quote to decide on. Where the feed has none, gates that come before the market's have the first word."""
        now_ns = self._door.now_ns()
        look = self._feed.look(self._door.session, intent.instrument_id, now_ns)
        if look.problem is None:
            return look.quote, None

        def ask(state: State) -> Refusal | None:
            return first_refusal(Question(state, intent, now_ns), self._earlier)

        return None, self._door.session.read(ask) or look.problem

    def _patience(self, intent: Intent) -> float:
        return intent.timeout_ns / NS_PER_S + SETTLE_S if self._wait_s is None else self._wait_s

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

    # -- looking ----------------------------------------------------------------------------------------------

    def execution(self, execution_id: str) -> ExecutionLog | None:
        """An execution in full; None for one that is not known."""
        row = self._monitor.row(execution_id)
        return None if row is None else log_of(row)

    def find(self, *, order_id: str = "", rpm_decision_id: str = "") -> list[ExecutionLog]:
        """Executions by the broker's order id, or by the decision's; the last first."""
        if not order_id and not rpm_decision_id:
            return []
        return _logs(self._monitor.table.newest(order_id=order_id, decision_id=rpm_decision_id))

    def history(self, symbol: str = "", limit: int = 50) -> list[ExecutionLog]:
        """The executions of a symbol, or of all, the last first. Raises InputError for a limit beyond 1 to 1000."""
        if type(limit) is not int or not 1 <= limit <= HISTORY_MAX:
            raise InputError(f"limit must be from 1 to {HISTORY_MAX} (got {limit!r})", code="INVALID_LIMIT")
        return _logs(self._monitor.table.newest(symbol=symbol, limit=limit))

    def preserved(self, symbol: str = "") -> list[ExecutionLog]:
        """Decisions whose spread was too wide and that were not sent again since: only upstream sends them again."""
        table = self._monitor.table
        rows = table.newest(symbol=symbol, reason=RejectionReason.SPREAD_TOO_WIDE)
        last = {str(row.cells["rpm_decision_id"]): row for row in reversed(rows)}
        kept = [row for key, row in last.items() if table.newest(decision_id=key, limit=1)[0].seq == row.seq]
        return _logs(reversed(kept))

    def metrics(self) -> ExecutionFigures:
        """The figures of the sliding window (`rpm.metrics_window_s`)."""
        return self._figures()

    def audit_trail(self, start_date: Moment = None, end_date: Moment = None) -> list[ExecutionLog]:
        """Every execution that began between two dates (the last 7 days), the last first; a day counts to its end.

        Dates are ISO 8601 text, dates or datetimes; without a zone they are UTC. Raises InputError (INVALID_TIME).
        """
        return _logs(self._between(start_date, end_date))

    def audit_csv(self, start_date: Moment = None, end_date: Moment = None) -> bytes:
        """The same as CSV: the contract's columns, cells that no spreadsheet calculates."""
        return executions_csv(self._between(start_date, end_date))

    def _between(self, start_date: Moment, end_date: Moment) -> list[Stored]:
        until_ns = self._door.now_ns() + NS_PER_S if end_date is None else _ns_of(end_date, "end_date", to_end=True)
        since_ns = until_ns - AUDIT_DAYS * NS_PER_DAY if start_date is None else _ns_of(start_date, "start_date")
        if since_ns > until_ns:
            raise InputError(
                f"start_date {start_date} is after end_date {end_date}: change them over", code="INVALID_TIME"
            )
        since, until = time_text(max(1, since_ns)), time_text(max(1, until_ns))
        return self._monitor.table.newest(since=since or "", until=until or "")

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


class _Window:
    """The figures of the last so many nanoseconds, whenever it is called."""

    def __init__(self, monitor: ExecutionMonitor, door: OpenDoor, length_ns: int) -> None:
        self._monitor, self._door, self._length_ns = monitor, door, length_ns

    def __call__(self) -> ExecutionFigures:
        since = time_text(max(1, self._door.now_ns() - self._length_ns))
        return figures_of(self._monitor.table.versions(since=since or ""))


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


def _logs(rows: Iterable[Stored]) -> list[ExecutionLog]:
    return [log_of(row) for row in rows]


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


def _ns_of(moment: str | date | datetime, name: str, *, to_end: bool = False) -> int:
    """A moment in ns; the end of a day that was given without a time."""
    if isinstance(moment, datetime):
        return ns_from_datetime(moment)
    text = moment.isoformat() if isinstance(moment, date) else str(moment)
    ns = ns_from_iso(text, field=name)
    whole_day = len(text) == len("2025-12-23")
    return ns + NS_PER_DAY if to_end and whole_day else ns
