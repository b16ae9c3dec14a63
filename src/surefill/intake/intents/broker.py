"""The paper broker: trade intents in, outcomes out; the ledger, its reconciliation and its reset.

Every call blocks until its answer is durable, and may come from any thread. Refusals are answers; what is raised is a
mistake in the program's use of the broker (reads of a workspace that is not there, a broker that is closed).
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from surefill.config import Settings
from surefill.domain.decide.intents import ruling_on
from surefill.domain.gates import Question
from surefill.domain.inputs import EvaluateIntent, Halt, Rearm, RequestCancel, ResetWorkspace, Resume
from surefill.domain.market import Quote, Source
from surefill.domain.orders import Order
from surefill.domain.policy import Ruling
from surefill.domain.state import State
from surefill.engine.claims import content_digest
from surefill.engine.clock import Clock
from surefill.errors import ConfigError, InputError, JournalError, WorkspaceHalted
from surefill.intake.intents.accounts import Account, Accounts, door_settings
from surefill.intake.intents.event_view import TradeEvent, trade_events
from surefill.intake.intents.outcome import ExecutionOutcome, answered, names_of, refused
from surefill.intake.intents.paper_state import PaperPosition, PaperState, paper_state
from surefill.intake.intents.policy import PolicyDecision, PolicyEngine, PolicyRule
from surefill.intake.intents.reconciliation import ReconcileReport, differences, live_ledger, rebuild_from
from surefill.intake.intents.request import decode_request
from surefill.intake.intents.translation import MODE, Price, check_action, check_request, translate
from surefill.intake.session import Session
from surefill.journal.protocol import Journal
from surefill.rules.codes import OrdStatus
from surefill.strategy.intents import TradeAction, TradeIntent
from surefill.units import MONEY_MAX, observed_quanta, to_quanta

_ANSWERABLE = (InputError, ConfigError, JournalError, WorkspaceHalted)


class PaperBroker:
    """Executes trade intents in paper workspaces. `PaperBroker.open` makes one with a session of its own.

    A workspace is opened by its first intent, with the configured starting equity (10000.0). On a session that is
    given, its own workspace and any number of others share the engine and the journal.
    `rules` are rules of policy of one's own, asked beside the contract's.
    """

    def __init__(self, session: Session, *, profile: str | None = None, rules: Iterable[PolicyRule] = ()) -> None:
        self.session = session
        self.policy = PolicyEngine(rules)
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
        rules: Iterable[PolicyRule] = (),
    ) -> PaperBroker:
        """A broker with its own session: `profile` in place of `execution.engine`, `journal` of the configured file."""
        ours = door_settings(settings or Settings(), profile)
        rules = tuple(rules)
        PolicyEngine(rules)  # before there is anything to close
        broker = cls(Session.open(ours, clock=clock, journal=journal), rules=rules)
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
            receipt = self._engine.submit(account.workspace_id, order.intent, order.quote, self.policy.recheck)
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

    def evaluate(
        self, intent: TradeIntent, fill_price: Price | None = None, mode: str = MODE, *, dry_run: bool = True
    ) -> PolicyDecision:
        """What policy and the profile's gates say now; `decision.intent` is what to execute, where it is approved.

        With `dry_run` nothing is journaled, nothing is claimed, nothing moves. Without, what was said is journaled
        (POLICY_EVALUATED, INTENT_APPROVED); it binds nobody, for execution asks again. The price is one to judge by:
        it sets off no exit. Raises InputError for an intent that cannot be understood; without `dry_run` JournalError
        and WorkspaceHalted too.
        """
        check_request(intent, mode)
        account = self._accounts.find(intent.workspace_id) if dry_run else self._accounts.take(intent.workspace_id)
        check_action(intent, account.profile)
        if intent.action == TradeAction.CANCEL_ORDER:
            return PolicyDecision(True, intent=intent)
        instrument = account.instrument(intent.symbol)
        now_ns = self._engine.clock.now_ns()
        order = translate(intent, fill_price, account.profile, instrument, now_ns)
        said: list[PolicyDecision] = []

        def policy(question: Question) -> Ruling:
            said.append(self.policy.evaluate(question))
            return said[-1].ruling(question.qty)

        item = EvaluateIntent(now_ns, order.intent, policy, order.quote, instrument)
        if dry_run:
            account.read(lambda state: ruling_on(state, item))
        else:
            content_digest(order.intent, 0)  # text that no journal can hold is refused here
            account.define(instrument)
            account.feed(item)
        return said[-1].about(intent)

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

    def quote(self, workspace_id: str, symbol: str, last: Price) -> None:
        """Show the workspace a price, in units: it moves exits, resting orders and marks; durable when this returns.

        The drawdown limit needs a price of everything that is held, and a restart forgets prices.
        """
        account = self._accounts.find(workspace_id)
        instrument = account.instrument(symbol)
        px = observed_quanta(last, instrument.price_decimals, field="last")
        account.feed(Quote(symbol, self._engine.clock.now_ns(), px, source=Source.CALLER))

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

    def halt(self, workspace_id: str, reason: str, *, by: str = "operator") -> None:
        """The kill switch: no entries of the workspace from here on; exits go on."""
        self._accounts.find(workspace_id).feed(Halt(self._engine.clock.now_ns(), "KILL_SWITCH", reason, by))

    def pause(self, workspace_id: str, strategy_id: str, reason: str, *, by: str = "operator") -> None:
        """No entries of one strategy from here on; its exits go on. Journaled: a restart changes nothing.

        `strategy_id` is the strategy's name in the journal: `metadata.strategy_id` of its intents where they have it,
        else `strategy_entity_id`.
        """
        if not strategy_id:
            raise InputError("say which strategy is to pause", code="NAME_REQUIRED")
        halt = Halt(self._engine.clock.now_ns(), "PAUSED", reason, by, strategy_id=strategy_id)
        self._accounts.find(workspace_id).feed(halt)

    def resume(self, workspace_id: str, *, by: str = "operator", strategy_id: str = "") -> None:
        """A person lets entries through again, of the workspace or (paused) of one strategy."""
        resume = Resume(self._engine.clock.now_ns(), by, strategy_id=strategy_id)
        self._accounts.find(workspace_id).feed(resume)

    def rearm(self, workspace_id: str, breaker: str = "drawdown", *, by: str) -> None:
        """A named person lets a tripped breaker count anew. Raises InputError where it has not tripped."""
        self._accounts.find(workspace_id).feed(Rearm(self._engine.clock.now_ns(), breaker, by))
