"""The paper broker: trade intents in, outcomes out; the ledger, its reconciliation and its reset.

Every call blocks until its answer is durable, and may come from any thread. Refusals are answers; what is raised is a
mistake in the program's use of the broker (reads of a workspace that is not there, a broker that is closed).
"""

from __future__ import annotations

import msgspec

from surefill.config import Settings
from surefill.domain.gates import Question
from surefill.domain.gates.question import NOWHERE
from surefill.domain.inputs import Halt, RequestCancel, ResetWorkspace, Resume
from surefill.domain.orders import Order
from surefill.domain.state import State
from surefill.engine.clock import Clock
from surefill.errors import ConfigError, InputError, JournalError, WorkspaceHalted
from surefill.intake.intents.accounts import Account, Accounts, door_settings
from surefill.intake.intents.event_view import TradeEvent, trade_events
from surefill.intake.intents.outcome import ExecutionOutcome, answered, names_of, refused
from surefill.intake.intents.paper_state import PaperPosition, PaperState, paper_state
from surefill.intake.intents.policy import ORDER_TERMS, PolicyDecision, PolicyEngine, PolicyRule, order_terms
from surefill.intake.intents.reconciliation import ReconcileReport, differences, live_ledger, rebuild_from
from surefill.intake.intents.request import decode_request
from surefill.intake.intents.translation import MODE, Price, check_action, check_request, translate
from surefill.intake.session import Session
from surefill.journal.protocol import Journal
from surefill.rules.codes import OrdStatus
from surefill.strategy.intents import TradeAction, TradeIntent
from surefill.units import MONEY_MAX, to_quanta

_ANSWERABLE = (InputError, ConfigError, JournalError, WorkspaceHalted)


class PaperBroker:
    """Executes trade intents in paper workspaces. `PaperBroker.open` makes one with a session of its own.

    A workspace is opened by its first intent, with the configured starting equity (10000.0). On a session that is
    given, its own workspace and any number of others share the engine and the journal.
    """

    def __init__(self, session: Session, *, profile: str | None = None) -> None:
        self.session = session
        self.policy = PolicyEngine()
        self._engine = session.engine
        self._accounts = Accounts(door_settings(session.settings, profile), session.engine)
        self._owns_session = False

    @classmethod
    def open(
        cls,
        settings: Settings | None = None,
        *,
        profile: str | None = None,
        clock: Clock | None = None,
        journal: Journal | None = None,
    ) -> PaperBroker:
        """A broker with its own session: `profile` in place of `execution.engine`, `journal` of the configured file."""
        ours = door_settings(settings or Settings(), profile)
        broker = cls(Session.open(ours, clock=clock, journal=journal))
        broker._owns_session = True
        return broker

    def close(self) -> None:
        """Close the session if it is the broker's own."""
        if self._owns_session:
            self.session.close()

    def __enter__(self) -> PaperBroker:
        return self

    def __exit__(self, *_raised: object) -> None:
        self.close()

    # -- intents ----------------------------------------------------------------------------------------------

    def execute(self, intent: TradeIntent, fill_price: Price | None = None, mode: str = MODE) -> ExecutionOutcome:
        """Execute one intent; its outcome is durable when this returns.

        `fill_price`: in units, required in `paper_long_only`; in `paper_full` None takes the simulator's price.
        """
        try:
            check_request(intent, mode)
            account = self._accounts.take(intent.workspace_id)
            check_action(intent, account.profile)
            if intent.action == TradeAction.CANCEL_ORDER:
                return self._cancel(account, intent)
            return self._submit(account, intent, fill_price)
        except _ANSWERABLE as error:
            return refused(*names_of(intent), error)

    def execute_json(self, body: bytes | str | dict[str, object]) -> ExecutionOutcome:
        """`execute` for a request as JSON, decoded or not: {"intent": {…}, "fill_price": 50000.0, "mode": "paper"}."""
        try:
            request = decode_request(body)
        except InputError as error:
            return refused(
                str(error.values.get("workspace_id", "")), str(error.values.get("intent_id", "")), "", "", error
            )
        return self.execute(request.intent, request.fill_price, request.mode)

    def _submit(self, account: Account, trade: TradeIntent, fill_price: Price | None) -> ExecutionOutcome:
        instrument = account.instrument(trade.symbol)
        order = translate(trade, fill_price, account.profile, instrument, self._engine.clock.now_ns())
        account.define(instrument)
        with account.listening(order.intent) as events:
            receipt = self._engine.submit(account.workspace_id, order.intent, order.quote)
        return answered(account.workspace_id, receipt, instrument, account.money_decimals, tuple(events))

    def _cancel(self, account: Account, trade: TradeIntent) -> ExecutionOutcome:
        """Cancel the order that `metadata.order_id` names. Twice is once, so this claims no key."""
        order_id = trade.metadata.get("order_id")
        if not isinstance(order_id, str) or not order_id:
            raise InputError("CANCEL_ORDER needs metadata.order_id, as the broker gave it", code="UNKNOWN_ORDER")
        order = self._order(account, order_id)
        if order is None:
            raise InputError(f"there is no order {order_id!r} that works or has ended lately", code="UNKNOWN_ORDER")
        if order.status < OrdStatus.FILLED:
            now_ns = self._engine.clock.now_ns()
            account.feed(RequestCancel(now_ns, order.request.cl_ord_id, f"intent {trade.id}"))
            order = self._order(account, order_id) or order
        if order.status != OrdStatus.CANCELED:
            raise InputError(
                f"order {order_id} is {OrdStatus(order.status).name}: nothing of it can be canceled",
                code="ORDER_NOT_WORKING",
            )
        return ExecutionOutcome(
            success=True,
            http_status=200,
            status="CANCELED",
            workspace_id=account.workspace_id,
            intent_id=trade.id,
            correlation_id=order.correlation_id,
            symbol=order.request.instrument_id,
            order_id=order_id,
        )

    def _order(self, account: Account, order_id: str) -> Order | None:
        """The order behind a public id, or None."""

        def find(state: State) -> Order | None:
            book = state.book
            known = (*book.orders.values(), *book.done.values())
            found = next((order for order in known if order.request.order_ref == order_id), None)
            return None if found is None else msgspec.structs.replace(found)

        return account.read(find)

    def evaluate(self, intent: TradeIntent, fill_price: Price | None = None, mode: str = MODE) -> PolicyDecision:
        """What policy and the profile's gates would say now. Nothing is journaled, nothing is claimed, nothing moves.

        Raises InputError for an intent that cannot be understood.
        """
        check_request(intent, mode)
        account = self._accounts.find(intent.workspace_id)
        check_action(intent, account.profile)
        if intent.action == TradeAction.CANCEL_ORDER:
            return PolicyDecision(True)
        instrument = account.instrument(intent.symbol)
        now_ns = self._engine.clock.now_ns()
        order = translate(intent, fill_price, account.profile, instrument, now_ns)
        policy = PolicyEngine((*self.policy.rules, PolicyRule(ORDER_TERMS, 1_000, order_terms)))

        def ask(state: State) -> PolicyDecision:
            question = Question(state, order.intent, now_ns)
            if order.quote is not None:
                question.quote = order.quote
            if question.instrument is NOWHERE:  # the first intent on a symbol defines it
                question.instrument, question.terms = instrument, instrument.terms_at(now_ns)
            return policy.evaluate(question)

        return account.read(ask)

    # -- the ledger -------------------------------------------------------------------------------------------

    def state(self, workspace_id: str) -> PaperState:
        """The ledger. Raises InputError (UNKNOWN_WORKSPACE), WorkspaceHalted where no state can be read."""
        return self._accounts.find(workspace_id).read(paper_state)

    def positions(self, workspace_id: str) -> dict[str, PaperPosition]:
        """The open positions by symbol."""
        return self.state(workspace_id).positions

    def events(self, workspace_id: str) -> list[TradeEvent]:
        """The workspace's whole story in this door's words, read from the journal."""
        return list(trade_events(self._engine.journal, self._accounts.find(workspace_id).workspace_id))

    def reconcile(self, workspace_id: str) -> ReconcileReport:
        """Rebuild the ledger from the journal's fills since the last reset, and compare it with the live one.

        A difference halts the workspace: one of the two is wrong. Raises JournalError where the journal cannot be
        read or its chain does not verify.
        """
        account = self._accounts.find(workspace_id)
        live, shown = account.read(lambda state: (live_ledger(state), paper_state(state)))
        rebuilt = rebuild_from(self._engine.journal, workspace_id, live.seq)
        found = differences(rebuilt, live)
        if found:
            now_ns = self._engine.clock.now_ns()
            account.feed(Halt(now_ns, "RECONCILE_DIFFERENCE", "; ".join(found), "surefill"))
        return ReconcileReport(
            workspace_id,
            rebuilt.from_seq,
            live.seq,
            rebuilt.read,
            rebuilt.applied,
            rebuilt.skipped,
            not found,
            found,
            shown,
        )

    def reset(self, workspace_id: str, *, by: str = "operator", starting_equity: Price | None = None) -> PaperState:
        """Start the account over; journaled, and the history stays. Ids that were executed stay executed.

        `starting_equity` in units; None begins with what the account began with. Halts and pauses stay in force.
        """
        account = self._accounts.find(workspace_id)
        if starting_equity is None:
            cash = account.read(lambda state: state.book.starting_cash)
        else:
            cash = to_quanta(starting_equity, account.money_decimals, field="starting_equity", max_quanta=MONEY_MAX)
        account.feed(ResetWorkspace(self._engine.clock.now_ns(), cash, by))
        return self.state(workspace_id)

    # -- stopping ---------------------------------------------------------------------------------------------

    def halt(self, workspace_id: str, reason: str, *, by: str = "operator", strategy_id: str = "") -> None:
        """The kill switch: no entries from here on, of the workspace or (paused) of one strategy; exits go on."""
        code = "PAUSED" if strategy_id else "KILL_SWITCH"
        halt = Halt(self._engine.clock.now_ns(), code, reason, by, strategy_id=strategy_id)
        self._accounts.find(workspace_id).feed(halt)

    def resume(self, workspace_id: str, *, by: str = "operator", strategy_id: str = "") -> None:
        """A person lets entries through again."""
        resume = Resume(self._engine.clock.now_ns(), by, strategy_id=strategy_id)
        self._accounts.find(workspace_id).feed(resume)
