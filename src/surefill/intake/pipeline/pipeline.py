"""The chain, and the workspace that it works on: a signal in, a result out."""

from __future__ import annotations

import weakref
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any, Final

from surefill.config import Settings
from surefill.config.pipeline import PipelineSettings
from surefill.domain.instrument import Instrument
from surefill.domain.intent import Action, Intent
from surefill.domain.market import Quote, Source
from surefill.domain.refusals import Refusal, RefusalCode
from surefill.domain.state import State
from surefill.engine.clock import Clock
from surefill.engine.receipt import Receipt, Verdict
from surefill.errors import ConfigError, SurefillError
from surefill.intake.caller_feed import CallerFeed
from surefill.intake.candles import bar_of
from surefill.intake.door_failures import OUTCOME_UNKNOWN, failure_from
from surefill.intake.door_settings import Config, door_settings
from surefill.intake.pipeline.async_door import AsyncDoor
from surefill.intake.pipeline.events import TradingSignalGenerated
from surefill.intake.pipeline.follower import Follower, Listener
from surefill.intake.pipeline.handler import ExecutionHandler, Failure, PipelineContext
from surefill.intake.pipeline.handlers import (
    OrderExecutorHandler,
    ReconciliationHandler,
    RiskManagementHandler,
    ValidationHandler,
)
from surefill.intake.pipeline.messages import PipelineResult
from surefill.intake.pipeline.order_states import OrderState
from surefill.intake.pipeline.order_view import OrderManager
from surefill.intake.pipeline.providers import Provider, Providers
from surefill.intake.pipeline.translation import DOOR, SIGNAL_LABEL, STRATEGY, Account, Draft, draft_of, symbol_refusal
from surefill.intake.real_venue import VenueChoice
from surefill.journal.protocol import Journal
from surefill.market.timeframes import duration_ns

PROFILE: Final = "pipeline"


class ExecutionPipeline:
    """Opens the workspace of the configuration (which blocks) and runs signals through its handlers.

    `handlers` None: the contract's four, as the section `pipeline` says. Handlers that are given set that section by
    their parameters. `market_data` tells prices (see `caller_feed`); without it the real venue's are the market, or on
    paper the last price shown, and before any was shown a signal's own entry price.
    `venue`: None trades where the configuration says; live needs `RealVenue(real_money=True)`. Close it, or use it as a
    context manager. Raises ConfigError and JournalError.
    """

    def __init__(
        self,
        config: Config = None,
        handlers: Sequence[ExecutionHandler] | None = None,
        *,
        market_data: Any = None,
        venue: VenueChoice = None,
        clock: Clock | None = None,
        journal: Journal | None = None,
    ) -> None:
        settings = door_settings(config, PROFILE)
        if handlers is None:
            handlers = default_handlers(settings.pipeline)
        else:
            settings = _with_handlers(settings, handlers)
        self.settings = settings
        self.handlers = tuple(handlers)
        self.orders = OrderManager()
        self._feed = None if market_data is None else CallerFeed(market_data)
        self._providers = Providers()
        self._head = _chained(self.handlers)
        self._closer = OrderExecutorHandler()
        self._closer.set_next(ReconciliationHandler(max_wait_time=float(settings.pipeline.max_wait_time)))
        self.door = AsyncDoor(PROFILE, settings, clock=clock, journal=journal, venue=venue)
        self._closing = weakref.finalize(self, self.door.close_from_anywhere)
        session = self.door.door.session
        self._follower = Follower(session.journal, session.workspace_id, self.orders)
        try:
            self.door.door.follow_with(self._follower)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Stop, and let go of the journal. Blocks; a second call does nothing."""
        if self._closing.detach() is not None:
            self._providers.close()
            self.door.close()

    def __enter__(self) -> ExecutionPipeline:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- the contract -----------------------------------------------------------------------------------------

    def set_balance_provider(self, provider: Provider | None) -> None:
        """Ask this function (or coroutine function) for the balance too: the smaller one counts."""
        self._providers.balance = provider

    def set_positions_provider(self, provider: Provider | None) -> None:
        """Ask this function (or coroutine function) for open positions too: those that we do not hold count as well."""
        self._providers.positions = provider

    async def execute(self, signal: TradingSignalGenerated) -> PipelineResult:
        """Run a signal through the chain. Whatever is wrong with it is a result, journaled, and nothing is sent."""
        story = self.door.door.new_story()
        draft = await self._draft(signal, story)
        context = PipelineContext(signal, draft, self.door, self.orders)
        await self._run(context, self._head)
        return result_of(context)

    # -- beside the contract ----------------------------------------------------------------------------------

    async def close_position(self, symbol: str, reason: str = "") -> PipelineResult:
        """Close all that is held of a symbol, at the market; no limit on entries holds that up.

        Signals open positions, and the exit plan closes them: one against a position is refused.
        """
        intent = Intent("", self.door.door.new_story(), DOOR, STRATEGY, symbol, Action.CLOSE, 0, 0, reason=reason)
        context = PipelineContext(
            TradingSignalGenerated(symbol, "", 0.0, 0.0, 0.0), Draft(intent), self.door, self.orders
        )
        await self._run(context, self._closer)
        return result_of(context)

    def listen(self, listener: Listener) -> None:
        """Call `listener` with every event of the contract, on the engine's thread, as soon as it is durable."""
        self._follower.listeners.append(listener)

    async def update_prices(self, prices: Mapping[str, Any]) -> None:
        """Show last prices: exits are evaluated, resting orders matched. Unknown symbols and bad prices are skipped."""
        quotes, _ = await self.door.run(self.door.door.ticks, list(prices.items()))
        await self.door.feed(quotes)
        await self.door.settle()

    async def on_candle_close(self, symbol: str, candle: Any, timeframe: str = "") -> None:
        """Show a finished candle, as in door 1. An unknown symbol is skipped. Raises InputError for no candle."""
        instrument = (await self.door.run(self.door.door.instruments)).get(symbol)
        if instrument is None:
            return
        length_ns = duration_ns(timeframe) if timeframe else 0
        await self.door.feed([bar_of(instrument, candle, now_ns=self.door.door.now_ns(), duration_ns=length_ns)])
        await self.door.settle()

    # -- inside -----------------------------------------------------------------------------------------------

    async def _run(self, context: PipelineContext, head: ExecutionHandler | None) -> None:
        if head is not None:
            await head.handle(context)
        try:
            await self._conclude(context)
            await self.door.settle()
        except SurefillError as error:
            _unanswered(context, error)

    async def _draft(self, signal: TradingSignalGenerated, story: str) -> Draft:
        instrument: Instrument | None = None
        market: Quote | None = None
        refusal = symbol_refusal(signal.symbol, self.settings)
        if refusal is None:
            instrument, refusal = await self.door.instrument(signal.symbol)
        account = await self._account()
        if refusal is None and self._feed is not None:
            market, refusal = await self.door.look(self._feed, signal.symbol)
        elif refusal is None:
            refusal = await self.door.run(self.door.door.shown, signal.symbol)
            market = await self.door.read(lambda state: _shown_price(state, signal.symbol))
        draft = draft_of(
            signal,
            self.settings,
            instrument,
            market,
            account,
            story=story,
            now_ns=self.door.door.now_ns(),
            found=refusal,
        )
        if self._feed is None and market is not None:
            return replace(draft, quote=None)  # it has been shown already
        return draft

    async def _account(self) -> Account:
        if self._providers.balance is None and self._providers.positions is None:
            return Account()

        def ours(state: State) -> tuple[int, int, list[str]]:
            held = [position.instrument_id for _, position in state.open_positions() if not position.dust]
            return state.book.cash, state.book.money_decimals, held

        return await self._providers.account(*await self.door.read(ours))

    async def _conclude(self, context: PipelineContext) -> None:
        """Journal a refusal that no order shows; and recognise a signal that has been here before."""
        intent, receipt = context.draft.intent, context.receipt
        if receipt is None and context.failure is not None and context.failure.code != OUTCOME_UNKNOWN:
            refusal = context.draft.refusal or _refusal_of(context.failure)
            receipt = context.receipt = await self.door.submit(intent, None, refusal)
        if receipt is not None and receipt.verdict == Verdict.CONFLICT:
            context.failure = Failure(receipt.code, receipt.reason)
            await self._recognise(context)
        if context.receipt is not None and context.receipt.verdict == Verdict.DUPLICATE:
            context.failure, context.failed_handler = None, ""
            context.order = self.orders.get_order(context.receipt.cl_ord_id)

    async def _recognise(self, context: PipelineContext) -> None:
        """The same signal again: what has changed since (a default stop, a balance) is not its content."""
        intent = context.draft.intent
        first = await self.door.accepted_intent(intent.intent_id)
        if first is not None and first.context.get(SIGNAL_LABEL) == intent.context[SIGNAL_LABEL]:
            context.receipt = await self.door.submit(first, None)


def _shown_price(state: State, symbol: str) -> Quote | None:
    """The last market that was shown; what earlier signals said of it does not count."""
    quote = state.quotes.get(symbol)
    return None if quote is None or quote.source == Source.CALLER else quote


def default_handlers(section: PipelineSettings) -> tuple[ExecutionHandler, ...]:
    """The contract's four, in its order, with the parameters of the section."""
    values = {name: _plain(getattr(section, name)) for name in PipelineSettings.model_fields}
    made: list[ExecutionHandler] = []
    for kind in (ValidationHandler, RiskManagementHandler, OrderExecutorHandler, ReconciliationHandler):
        names = kind().settings()
        made.append(kind(**{name: values[name] for name in names}))
    return tuple(made)


def _plain(value: Any) -> Any:
    """A decimal as the float that callers write."""
    return float(value) if hasattr(value, "as_tuple") else value


def _with_handlers(settings: Settings, handlers: Sequence[ExecutionHandler]) -> Settings:
    """The settings with what the handlers say. Raises ConfigError for a parameter that cannot be."""
    said: dict[str, object] = {}
    for handler in handlers:
        said |= handler.settings()
    try:
        section = PipelineSettings.model_validate({**settings.pipeline.model_dump(), **said})
    except ValueError as error:
        raise ConfigError(f"a handler's parameters cannot be: {error}", key="pipeline") from error
    return settings.model_copy(update={"pipeline": section})


def _chained(handlers: Sequence[ExecutionHandler]) -> ExecutionHandler | None:
    for one, following in pairwise(handlers):
        one.set_next(following)
    return handlers[0] if handlers else None


def _refusal_of(failure: Failure) -> Refusal:
    """A handler's failure as the journal keeps it: a code of its own becomes part of the reason."""
    known = RefusalCode.__members__.get(failure.code)
    if known is not None:
        return Refusal(known, failure.message)
    return Refusal(RefusalCode.INVALID_INPUT, f"{failure.code}: {failure.message}")


def _unanswered(context: PipelineContext, error: SurefillError) -> None:
    """The engine could not say what became of it."""
    failed = failure_from(error)
    if context.failure is None:
        context.failure, context.failed_handler = Failure(failed.code, failed.reason), PROFILE


def result_of(context: PipelineContext) -> PipelineResult:
    """What the chain came to."""
    signal, receipt, order, failure = context.signal, context.receipt, context.order, context.failure
    unknown = failure is not None and failure.code == OUTCOME_UNKNOWN
    if order is not None and order.outcome_unknown:
        unknown, failure = True, Failure(OUTCOME_UNKNOWN, order.error_message)
    if order is not None:
        state = order.state
    elif unknown:
        state = OrderState.SUBMITTED
    else:
        state = OrderState.PENDING if failure is None else OrderState.REJECTED
    if failure is None and receipt is None:
        failure = Failure("NOT_SUBMITTED", "no handler of this chain submits orders: add OrderExecutorHandler")
    return PipelineResult(
        success=failure is None or unknown,
        symbol=str(signal.symbol),
        side=order.side if order else str(signal.side),
        state=state,
        client_order_id=order.client_order_id if order else _ref(receipt),
        exchange_order_id=order.exchange_order_id if order else "",
        correlation_id=receipt.correlation_id if receipt else context.draft.intent.correlation_id,
        quantity=order.quantity if order else 0.0,
        filled_quantity=order.filled_quantity if order else 0.0,
        average_price=order.average_fill_price if order else 0.0,
        commission=order.commission if order else 0.0,
        retry_count=order.retry_count if order else 0,
        slippage_pct=order.slippage_pct if order else 0.0,
        slippage_exceeded=context.slippage_exceeded,
        fill_ratio=order.fill_ratio if order else 0.0,
        is_partial=context.is_partial,
        is_repeat=receipt is not None and receipt.verdict == Verdict.DUPLICATE,
        failed_handler=context.failed_handler,
        error_code=failure.code if failure else "",
        error_message=failure.message if failure else "",
        warnings=tuple(context.warnings),
        log=tuple(context.log),
    )


def _ref(receipt: Receipt | None) -> str:
    return receipt.cl_ord_id or receipt.order_ref if receipt else ""
