"""Door 1: signals (ExecutionEngineV3). Positions, fills and exits are the engine's; nothing is computed here."""

from surefill.intake.signals.engine import ExecutionEngineV3
from surefill.intake.signals.integration import convert_to_order_intent, create_execution_engine_v3
from surefill.intake.signals.messages import ExecutionContext, ExecutionResult

__all__ = [
    "ExecutionContext",
    "ExecutionEngineV3",
    "ExecutionResult",
    "convert_to_order_intent",
    "create_execution_engine_v3",
]
