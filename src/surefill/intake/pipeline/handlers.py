"""The contract's four handlers, with its defaults. Their parameters are limits of the core: set once, journaled.

A handler that is left out of the chain leaves its section of the configuration in force: the gates are asked all the
same when the order is submitted, and an order still times out.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Final

from surefill.engine.receipt import Verdict
from surefill.errors import SurefillError
from surefill.intake.door_failures import failure_from
from surefill.intake.pipeline.handler import ExecutionHandler, Failure, PipelineContext
from surefill.intake.pipeline.messages import OUTCOME_UNKNOWN
from surefill.intake.pipeline.order_states import OrderState
from surefill.intake.pipeline.order_view import ManagedOrder

CONFLUENCE_USUAL_MAX: Final = 10


class ValidationHandler(ExecutionHandler):
    """Is the signal sound: strength, confluence, exchange, symbol, size, and its levels on the right sides?

    A confluence score above 10 is let through with a warning.
    """

    gates = ("instrument", "signal_strength", "confluence", "plan")

    def __init__(
        self,
        min_signal_strength: float = 0.0,
        min_confluence_score: float = 3.0,
        valid_exchanges: Sequence[str] = ("binance", "bybit"),
    ) -> None:
        super().__init__()
        self.min_signal_strength = min_signal_strength
        self.min_confluence_score = min_confluence_score
        self.valid_exchanges = tuple(valid_exchanges)

    def settings(self) -> Mapping[str, object]:
        """Its part of the configuration."""
        return {
            "min_signal_strength": self.min_signal_strength,
            "min_confluence_score": self.min_confluence_score,
            "valid_exchanges": list(self.valid_exchanges),
        }

    async def process(self, context: PipelineContext) -> Failure | None:
        """Ask the gates of validation."""
        failure = await context.ask("validation", self.gates)
        score = context.signal.confluence_score
        if failure is None and score > CONFLUENCE_USUAL_MAX:
            context.warn(f"confluence score {score} is above {CONFLUENCE_USUAL_MAX}: check how it is computed")
        return failure


class RiskManagementHandler(ExecutionHandler):
    """Is the risk within bounds: positions, reward for risk, stop; and how much of the balance may it be?

    The quantity itself is computed in the core, once, when the order is approved. Percentages.
    """

    gates = ("stop_distance", "reward_risk", "open_positions")

    def __init__(
        self,
        max_concurrent_positions: int = 3,
        default_position_size_pct: float = 2.0,
        max_position_size_pct: float = 5.0,
        min_risk_reward_ratio: float = 1.5,
        max_stop_loss_pct: float = 2.0,
    ) -> None:
        super().__init__()
        self.max_concurrent_positions = max_concurrent_positions
        self.default_position_size_pct = default_position_size_pct
        self.max_position_size_pct = max_position_size_pct
        self.min_risk_reward_ratio = min_risk_reward_ratio
        self.max_stop_loss_pct = max_stop_loss_pct

    def settings(self) -> Mapping[str, object]:
        """Its part of the configuration."""
        return {
            "max_concurrent_positions": self.max_concurrent_positions,
            "default_position_size_pct": self.default_position_size_pct,
            "max_position_size_pct": self.max_position_size_pct,
            "min_risk_reward_ratio": self.min_risk_reward_ratio,
            "max_stop_loss_pct": self.max_stop_loss_pct,
        }

    async def process(self, context: PipelineContext) -> Failure | None:
        """Ask the gates of risk; say so where the size was capped."""
        if context.draft.capped:
            context.warn(context.draft.capped)
        return await context.ask("risk", self.gates)


class OrderExecutorHandler(ExecutionHandler):
    """Submit the order and wait for the venue's first answer.

    `max_retries` follow proof that nothing had arrived, under the same client order id; the n-th wait is `base_delay`
    times `backoff_factor` to the n-1 seconds, at most `max_delay`, give or take a quarter with `jitter`, and never
    shorter than the venue asked for. After an unknown outcome nothing is sent again.
    """

    def __init__(
        self,
        max_retries: int = 3,
        base_delay: float = 1.0,
        backoff_factor: float = 2.0,
        max_delay: float = 30.0,
        jitter: bool = True,
    ) -> None:
        super().__init__()
        self.max_retries = max_retries
        self.base_delay = base_delay
        self.backoff_factor = backoff_factor
        self.max_delay = max_delay
        self.jitter = jitter

    def settings(self) -> Mapping[str, object]:
        """Its part of the configuration."""
        return {
            "max_retries": self.max_retries,
            "base_delay": self.base_delay,
            "backoff_factor": self.backoff_factor,
            "max_delay": self.max_delay,
            "jitter": self.jitter,
        }

    async def process(self, context: PipelineContext) -> Failure | None:
        """Submit; a refusal of any gate, or the venue's, is this handler's failure."""
        draft = context.draft
        quote = draft.quote if draft.refusal is None else None  # what is refused must not move the market
        try:
            context.receipt = receipt = await context.door.submit(draft.intent, quote, draft.refusal)
        except SurefillError as error:
            failed = failure_from(error)
            return Failure(failed.code, failed.reason)
        if receipt.verdict in (Verdict.REFUSED, Verdict.CONFLICT):
            return Failure(receipt.code, receipt.reason)
        context.order = order = context.orders.get_order(receipt.cl_ord_id)
        if order is not None and order.state in (OrderState.REJECTED, OrderState.FAILED):
            return Failure(order.error_code or order.state.value, order.error_message)
        if order is not None and order.outcome_unknown:
            context.warn(f"{OUTCOME_UNKNOWN}: {order.error_message}; the venue is asked until there is evidence")
        return None


class ReconciliationHandler(ExecutionHandler):
    """Watch the order until it is over: filled, or canceled by the core when `max_wait_time` seconds are up.

    It listens to the journal, which hears from the venue, and has a venue at a distance asked every `poll_interval`
    seconds. What the cancel led to gets as long again to be proven. `max_price_slippage_pct` and `min_fill_ratio` raise
    flags.
    """

    def __init__(
        self,
        verify_fill: bool = True,
        max_price_slippage_pct: float = 1.0,
        max_wait_time: float = 10.0,
        poll_interval: float = 0.5,
        min_fill_ratio: float = 0.95,
    ) -> None:
        super().__init__()
        self.verify_fill = verify_fill
        self.max_price_slippage_pct = max_price_slippage_pct
        self.max_wait_time = max_wait_time
        self.poll_interval = poll_interval
        self.min_fill_ratio = min_fill_ratio

    def settings(self) -> Mapping[str, object]:
        """Its part of the configuration."""
        return {
            "verify_fill": self.verify_fill,
            "max_price_slippage_pct": self.max_price_slippage_pct,
            "max_wait_time": self.max_wait_time,
            "poll_interval": self.poll_interval,
            "min_fill_ratio": self.min_fill_ratio,
        }

    async def process(self, context: PipelineContext) -> Failure | None:
        """Wait, then compare what was asked with what became of it."""
        if context.order is None:
            return None
        if self.verify_fill:
            context.order = await self._until_final(context, context.order)
        order = context.order
        if order.filled_quantity:
            self._compare(context, order)
        elif order.state is OrderState.CANCELLED:
            code = "ORDER_TIMEOUT" if order.timed_out else "ORDER_CANCELLED"
            return Failure(code, order.error_message or "the order ended without a fill")
        elif order.state in (OrderState.REJECTED, OrderState.FAILED):
            return Failure(order.error_code or order.state.value, order.error_message)
        elif self.verify_fill:
            context.warn(f"{OUTCOME_UNKNOWN}: no end of the order within {2 * self.max_wait_time} s; it is followed up")
        return None

    async def _until_final(self, context: PipelineContext, order: ManagedOrder) -> ManagedOrder:
        if order.state.is_final:
            return order
        over = asyncio.wrap_future(context.orders.when_final(order.client_order_id))
        try:
            async with asyncio.timeout(2 * self.max_wait_time):
                while not over.done():
                    await asyncio.wait([over], timeout=self.poll_interval)
                    if not over.done():
                        await context.door.poll(order.client_order_id)
        except TimeoutError:
            over.cancel()
        return context.orders.get_order(order.client_order_id) or order

    def _compare(self, context: PipelineContext, order: ManagedOrder) -> None:
        context.slippage_exceeded = order.slippage_pct > self.max_price_slippage_pct
        if context.slippage_exceeded:
            context.warn(
                f"filled at {order.average_fill_price}, {order.slippage_pct:.2f} % worse than {order.arrival_price}"
                f" at the decision; more than {self.max_price_slippage_pct} % is flagged"
            )
        context.is_partial = order.state.is_final and order.fill_ratio < self.min_fill_ratio
        if context.is_partial:
            context.warn(f"only {order.filled_quantity} of {order.quantity} filled: partial")
