"""The settings of the door for trading-signal events, and what the core is told of them.

The parameters of the handlers are limits of the core: journaled like every other, asked by its gates.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Final

import msgspec
from pydantic import Field

from surefill.config.fields import Fraction, NotNegative, Positive, Section
from surefill.config.risk import Complaint, RiskSettings
from surefill.domain.intent import HOLD_MAX_NS
from surefill.domain.limits import Limits
from surefill.errors import InputError
from surefill.units import NS_PER_S, PPB, to_quanta

_SCALE: Final = 9  # parts per billion, and nanoseconds
_LARGEST: Final = 10**6 * PPB

Pct = Annotated[Decimal, Field(ge=0, le=100, allow_inf_nan=False)]


class PipelineAssetClass(Section):
    """How positions of one class of assets are looked after, beside the signal's own stop and target."""

    bases: list[str] = Field(default=[], description="The assets of the class: BTC for BTC/USDT")
    trailing_pct: Pct = Field(default=Decimal(0), description="The stop follows at this distance, in percent; 0: not")
    max_hold_s: Annotated[NotNegative, Field(le=HOLD_MAX_NS // NS_PER_S)] = Field(
        default=Decimal(0), description="Close after so many seconds; 0: never"
    )


class PipelineSettings(Section):
    """The handlers of the door for trading-signal events, by their parameters. Handlers given to it come first."""

    min_signal_strength: NotNegative = Field(default=Decimal(0), description="The weakest signal that is taken")
    min_confluence_score: NotNegative = Field(default=Decimal(3), description="The lowest score that is taken")
    valid_exchanges: list[str] = Field(
        default=["binance", "bybit"],
        description="The exchanges whose signals are taken; on paper all mean the paper one",
    )
    max_concurrent_positions: Annotated[int, Field(ge=0)] = Field(
        default=3, description="Positions open at once, the new one included"
    )
    default_position_size_pct: Annotated[Pct, Field(gt=0)] = Field(
        default=Decimal(2), description="Percent of the balance for a signal that does not say"
    )
    max_position_size_pct: Annotated[Pct, Field(gt=0)] = Field(
        default=Decimal(5), description="What a signal asks beyond it is cut off, with a warning"
    )
    min_risk_reward_ratio: NotNegative = Field(
        default=Decimal("1.5"), description="The way to the target over the way to the stop, at least"
    )
    max_stop_loss_pct: Annotated[Pct, Field(gt=0)] = Field(
        default=Decimal(2), description="The stop's distance at most, and that of the stop of a signal without one"
    )
    max_retries: Annotated[int, Field(ge=0, le=100)] = Field(
        default=3, description="Submissions after the first, each after proof that nothing had arrived"
    )
    base_delay: Annotated[NotNegative, Field(le=3_600)] = Field(
        default=Decimal(1), description="Seconds before the first retry"
    )
    backoff_factor: Annotated[int, Field(ge=1, le=10)] = Field(
        default=2, description="Each wait is so many times the one before; a whole number"
    )
    max_delay: Annotated[NotNegative, Field(le=3_600)] = Field(default=Decimal(30), description="The longest wait")
    jitter: bool = Field(default=True, description="Waits differ by up to a quarter either way")
    verify_fill: bool = Field(default=True, description="Follow the order to its end, and cancel what has not filled")
    max_price_slippage_pct: NotNegative = Field(
        default=Decimal(1), description="A fill that is worse than the price at the decision by more is flagged"
    )
    max_wait_time: Annotated[Positive, Field(le=86_400)] = Field(
        default=Decimal(10), description="Seconds until an order that has not filled is canceled"
    )
    poll_interval: Annotated[Decimal, Field(ge=Decimal("0.01"), le=60)] = Field(
        default=Decimal("0.5"), description="Seconds between two questions to a venue at a distance"
    )
    min_fill_ratio: Fraction = Field(
        default=Decimal("0.95"), description="An order that filled less is flagged partial"
    )
    asset_classes: dict[str, PipelineAssetClass] = Field(
        default={}, description="By name; the class `default` has the assets that no other names"
    )


#: The same limits under their names in the section `risk`: said there too, one of the two would be forgotten.
_ALSO_RISK: Final = {
    "signal_strength_min": "min_signal_strength",
    "confluence_min": "min_confluence_score",
    "open_positions_max": "max_concurrent_positions",
    "reward_risk_min": "min_risk_reward_ratio",
    "stop_distance_max_pct": "max_stop_loss_pct",
    "attempts_max": "max_retries",
    "retry_base_s": "base_delay",
    "retry_factor": "backoff_factor",
    "retry_max_s": "max_delay",
    "retry_jitter_pct": "jitter",
    "order_timeout_s": "max_wait_time",
}


def pipeline_limits(section: PipelineSettings, risk: RiskSettings, limits: Limits, complain: Complaint) -> Limits:
    """`limits` with what the section says.

    Raises ConfigError for a figure finer than it can be counted, and for a limit that `risk` sets as well.
    """
    for key, ours in _ALSO_RISK.items():
        value = getattr(risk, key)
        if value is not None:
            raise complain(("risk", key), value, f"for this door the limit is pipeline.{ours}: set it there")

    def scaled(key: str) -> int:
        value: Decimal = getattr(section, key)
        try:
            return to_quanta(value, _SCALE, field=key, max_quanta=_LARGEST)
        except InputError as error:
            raise complain(("pipeline", key), value, error.message) from error

    return msgspec.structs.replace(
        limits,
        signal_strength_min_ppb=scaled("min_signal_strength"),
        confluence_min_ppb=scaled("min_confluence_score"),
        open_positions_max=section.max_concurrent_positions,
        reward_risk_min_ppb=scaled("min_risk_reward_ratio"),
        stop_distance_max_ppb=scaled("max_stop_loss_pct") // 100,
        attempts_max=section.max_retries + 1,
        retry_base_ns=scaled("base_delay"),
        retry_factor=section.backoff_factor,
        retry_max_ns=scaled("max_delay"),
        retry_jitter_ppb=PPB // 4 if section.jitter else 0,
        order_timeout_ns=scaled("max_wait_time") if section.verify_fill else 0,
    )
