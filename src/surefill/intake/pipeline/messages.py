"""What `ExecutionPipeline.execute` answers."""

from __future__ import annotations

from dataclasses import dataclass

from surefill.intake.pipeline.order_states import OrderState

OUTCOME_UNKNOWN = "OUTCOME_UNKNOWN"


@dataclass(frozen=True)
class LogEntry:
    """What one handler made of a signal. `outcome`: PASSED, FAILED or STOPPED (it raised)."""

    handler: str
    outcome: str
    detail: str = ""


@dataclass(frozen=True)
class PipelineResult:
    """What became of a signal. Prices and quantities in units.

    `success`: the order works, has traded, or may have (`error_code` OUTCOME_UNKNOWN, `state` SUBMITTED: only evidence
    ends that). Else `failed_handler`, `error_code` and `error_message` say who said no, and why. `slippage_pct` is
    signed, above 0 it was worse than the price at the decision; `slippage_exceeded` and `is_partial` (too little of it
    filled) are flags, not failures: what has traded has traded.
    """

    success: bool
    symbol: str
    side: str
    state: OrderState
    client_order_id: str = ""
    exchange_order_id: str = ""
    correlation_id: str = ""
    quantity: float = 0.0
    filled_quantity: float = 0.0
    average_price: float = 0.0
    commission: float = 0.0
    retry_count: int = 0
    slippage_pct: float = 0.0
    slippage_exceeded: bool = False
    fill_ratio: float = 0.0
    is_partial: bool = False
    is_repeat: bool = False
    failed_handler: str = ""
    error_code: str = ""
    error_message: str = ""
    warnings: tuple[str, ...] = ()
    log: tuple[LogEntry, ...] = ()
