"""Door 3: trading-signal events. A chain of handlers over the core's gates; what happened is told on an event bus."""

from surefill.intake.pipeline.accounts import BinanceCCXTAdapter
from surefill.intake.pipeline.bus import EventBus
from surefill.intake.pipeline.engine import ExecutionEngine
from surefill.intake.pipeline.events import (
    OrderCancelled,
    OrderFailed,
    OrderFilled,
    OrderPlaced,
    PositionClosed,
    PositionOpened,
    SystemError,
    TradingSignalGenerated,
)
from surefill.intake.pipeline.exchange import (
    ExchangeAdapter,
    ExchangeError,
    InsufficientBalanceError,
    InvalidOrderError,
    OrderNotFoundError,
    RateLimitError,
)
from surefill.intake.pipeline.factory import ExchangeFactory
from surefill.intake.pipeline.handler import ExecutionHandler, Failure, PipelineContext
from surefill.intake.pipeline.handlers import (
    OrderExecutorHandler,
    ReconciliationHandler,
    RiskManagementHandler,
    ValidationHandler,
)
from surefill.intake.pipeline.messages import PipelineResult
from surefill.intake.pipeline.order_states import OrderState
from surefill.intake.pipeline.order_view import ManagedOrder, OrderManager
from surefill.intake.pipeline.pipeline import ExecutionPipeline
from surefill.intake.pipeline.workspace_exchange import WorkspaceExchange

__all__ = [
    "BinanceCCXTAdapter",
    "EventBus",
    "ExchangeAdapter",
    "ExchangeError",
    "ExchangeFactory",
    "ExecutionEngine",
    "ExecutionHandler",
    "ExecutionPipeline",
    "Failure",
    "InsufficientBalanceError",
    "InvalidOrderError",
    "ManagedOrder",
    "OrderCancelled",
    "OrderExecutorHandler",
    "OrderFailed",
    "OrderFilled",
    "OrderManager",
    "OrderNotFoundError",
    "OrderPlaced",
    "OrderState",
    "PipelineContext",
    "PipelineResult",
    "PositionClosed",
    "PositionOpened",
    "RateLimitError",
    "ReconciliationHandler",
    "RiskManagementHandler",
    "SystemError",
    "TradingSignalGenerated",
    "ValidationHandler",
    "WorkspaceExchange",
]
