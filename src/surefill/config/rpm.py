"""The settings of the door for risk-manager decisions. Gates, retries and partial fills are `risk`'s."""

from __future__ import annotations

from decimal import Decimal

from pydantic import Field

from surefill.config.fields import Count, Fraction, NotNegative, Positive, Section


class RpmSettings(Section):
    """How risk-manager decisions are executed, and when figures alert."""

    max_slippage_pips: Positive = Field(
        default=Decimal(5), description="The widest spread to trade on, and the slippage from which a fill is flagged"
    )
    timeout_seconds: Positive = Field(default=Decimal(60), description="Cancel an entry that has not filled by then")
    metrics_window_s: Positive = Field(default=Decimal(86_400), description="The sliding window of the figures")
    alert_success_rate_min: Fraction = Field(
        default=Decimal("0.9"), description="Alert when fewer of the window's executions were filled"
    )
    alert_slippage_max_pips: NotNegative = Field(
        default=Decimal(5), description="Alert when the window's average slippage is more"
    )
    alert_rejections_max: Count = Field(default=10, description="Alert when more of the window's were rejected")
    alert_executions_min: Count = Field(default=10, description="Below so many no success rate is judged")
