"""From the settings under `costs` to a schedule, and to the segment that an instrument is charged by."""

from __future__ import annotations

from decimal import Decimal

from surefill.config.tree import CostSettings, Settings
from surefill.domain.costs import (
    SCHEDULES,
    Brokerage,
    CostSchedule,
    Liquidity,
    Tariff,
    fx_schedule,
    nse,
    paid_with,
    priced_segments,
)
from surefill.errors import ConfigError, InputError


def cost_schedule_of(settings: Settings, currency: str, money_decimals: int) -> CostSchedule | None:
    """The schedule that simulated trades are charged by; None where there is none.

    Raises ConfigError beside `fees`, in another currency than the schedule's, and for amounts finer than the money.
    """
    costs = settings.costs
    if costs.schedule is None:
        return None
    if settings.fees:
        raise _wrong(
            settings, "schedule", "there are `fees` as well, and one trade is not charged twice: leave one of them out"
        )
    try:
        schedule = _schedule(costs)
        _try_out(schedule, money_decimals)
    except (ConfigError, InputError) as error:
        raise _wrong(settings, "schedule", error.message) from error
    if schedule.currency not in ("", currency):
        raise _wrong(settings, "schedule", f"it charges in {schedule.currency}, the workspace keeps {currency}")
    return schedule


def segment_for(settings: Settings, symbol: str, said: str) -> str:
    """The segment of an instrument; a schedule that has only one gives it to all. Raises ConfigError."""
    if settings.costs.schedule is None:
        return said
    allowed = priced_segments(_schedule(settings.costs))
    segment = said or (allowed[0] if len(allowed) == 1 else "")
    if segment not in allowed:
        key = f"instruments.{symbol}.segment"
        raise ConfigError(
            f"{key} is {segment or 'not said'}: the schedule {settings.costs.schedule} needs one of"
            f" {', '.join(allowed)} (from {settings.source_of('costs', 'schedule')})",
            key=key,
            value=segment,
        )
    return segment


def _schedule(costs: CostSettings) -> CostSchedule:
    if costs.schedule == "fx":
        lot_units = "100000" if costs.lot_units is None else _text(costs.lot_units)
        return fx_schedule(
            per_lot=_text(costs.commission_per_lot), lot_units=lot_units, pct=_text(costs.commission_pct)
        )
    if costs.schedule == "zerodha":
        given = {
            "pct": _text(costs.brokerage_pct),
            "order_max": _text(costs.brokerage_max),
            "delivery_pct": _text(costs.delivery_pct),
            "option_order": _text(costs.option_order),
        }
        changed = {name: text for name, text in given.items() if text}
        if changed:
            return nse("zerodha", Brokerage(source="given by the configuration", **changed))
    schedule = SCHEDULES[costs.schedule or ""]
    return schedule if costs.pay_with is None else paid_with(schedule, costs.pay_with)


def _try_out(schedule: CostSchedule, money_decimals: int) -> None:
    """Make every table once: what is too fine for the money shows now, not at a fill."""
    tariff = Tariff(schedule, money_decimals)
    for segment in schedule.segments():
        for side in (1, -1):
            for ts_ns in tariff.changes_ns:
                tariff.table(segment, 0, side, Liquidity.TAKER, ts_ns)


def _text(number: Decimal | None) -> str:
    return "" if number is None else format(number, "f")


def _wrong(settings: Settings, key: str, why: str) -> ConfigError:
    value, source = getattr(settings.costs, key), settings.source_of("costs", key)
    return ConfigError(f"costs.{key} is {value}: {why} (from {source})", key=f"costs.{key}", value=value, source=source)
