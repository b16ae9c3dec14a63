"""The section `pipeline` as limits of the core: the handlers' parameters are journaled like every other limit."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Final

import msgspec

from surefill.config.tree import PipelineSettings
from surefill.domain.limits import Limits
from surefill.errors import ConfigError, InputError
from surefill.rules.codes import PartialFill
from surefill.units import PPB, rate_ppb_from_pct, to_quanta

_SCALE: Final = 9  # parts per billion, and nanoseconds
_LARGEST: Final = 10**6 * PPB


def pipeline_limits(section: PipelineSettings, limits: Limits, source_of: Callable[..., str]) -> Limits:
    """`limits` with what the section says. Raises ConfigError for a figure finer than it can be counted."""

    def scaled(key: str) -> int:
        value: Decimal = getattr(section, key)
        return _told(key, value, source_of, lambda: to_quanta(value, _SCALE, field=key, max_quanta=_LARGEST))

    def pct(key: str) -> int:
        value: Decimal = getattr(section, key)
        return _told(key, value, source_of, lambda: rate_ppb_from_pct(value, key))

    return msgspec.structs.replace(
        limits,
        signal_strength_min_ppb=scaled("min_signal_strength"),
        confluence_min_ppb=scaled("min_confluence_score"),
        open_positions_max=section.max_concurrent_positions,
        reward_risk_min_ppb=scaled("min_risk_reward_ratio"),
        stop_distance_max_ppb=pct("max_stop_loss_pct"),
        attempts_max=section.max_retries + 1,
        retry_base_ns=scaled("base_delay"),
        retry_factor=section.backoff_factor,
        retry_max_ns=scaled("max_delay"),
        retry_jitter_ppb=PPB // 4 if section.jitter else 0,
        order_timeout_ns=scaled("max_wait_time") if section.verify_fill else 0,
        partial_fill=PartialFill.ACCEPT,
    )


def _told(key: str, value: Decimal, source_of: Callable[..., str], convert: Callable[[], int]) -> int:
    try:
        return convert()
    except InputError as error:
        raise ConfigError(
            f"pipeline.{key} is {value}: {error.message} (from {source_of('pipeline', key)})", key=f"pipeline.{key}"
        ) from error
