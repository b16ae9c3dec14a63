"""Door 2: order intents (ExecutionEngine v2). Positions, fills and gates are the engine's; nothing is computed here."""

from surefill.intake.orders import execution_bridge
from surefill.intake.orders.engine import ExecutionEngineV2
from surefill.intake.orders.messages import ExecutionResult, OrderIntent
from surefill.intake.orders.simulator import SmartFillSimulator

__all__ = ["ExecutionEngineV2", "ExecutionResult", "OrderIntent", "SmartFillSimulator", "execution_bridge"]
