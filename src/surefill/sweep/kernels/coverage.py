"""What the kernel trades as the engine does; everything else goes through the engine, and the result says so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from surefill.domain.costs.schedule import segment_of
from surefill.domain.costs.tariff import Tariff
from surefill.domain.instrument import Instrument
from surefill.domain.intent import Action
from surefill.domain.limits import UNSET
from surefill.domain.profile import BASIC_GATES, Profile
from surefill.domain.sizing import NO_CAPS
from surefill.market.series import BarSeries
from surefill.rules.arithmetic import ceil_to, floor_to
from surefill.rules.codes import OrdType
from surefill.strategy.forms import Signals
from surefill.strategy.sizing import exact, parts
from surefill.strategy.spec import ExecutionSpec, ExitSpec
from surefill.sweep.kernels.tables import RUNGS_MAX
from surefill.units import MONEY_MAX, NOTIONAL_MAX, PRICE_MAX, QTY_MAX
from surefill.venues.paper.settings import PaperSettings

#: Gates that the kernel asks, or that cannot refuse what it trades.
GATES: Final = frozenset((*BASIC_GATES, "plan", "owner", "position", "duplicate", "notional", "cash"))
#: By instrument and kind of price: the lowest and the highest one.
Waiting = tuple[tuple[str, int, int], ...]
_FLOAT_EXACT: Final = 2**53


def uncovered(
    series: Mapping[str, BarSeries], instruments: Mapping[str, Instrument], profile: Profile, paper: PaperSettings
) -> str:
    """Why the kernel cannot stand in for the engine with this market and these rules; "" if it can."""
    limits = profile.limits
    silent = {"regime"} if limits.regime_optional else set()
    silent |= {"size_caps"} if profile.sizing_caps == NO_CAPS else set()
    further = [name for name in profile.gates if name not in GATES | silent]
    for wrong, reason in (
        (further, f"gates {', '.join(further)}"),
        (profile.rechecks, "gates that are asked again before the wire"),
        (not {Action.OPEN, Action.CLOSE} <= set(profile.actions), f"profile {profile.name}"),
        (int(OrdType.MARKET) not in profile.ord_types, f"profile {profile.name} without market orders"),
        (limits.duplicate_window_ns, "execution.duplicate_window_s"),
        (limits.price_max_age_ns, "execution.price_max_age_s"),
        (limits.stops_at_venue, "execution.stops_at: venue"),
        (limits.aggregate_value_max != UNSET, "risk.aggregate_value_max"),
        (paper.latency_ns, "execution.latency_ms"),
    ):
        if wrong:
            return reason
    for name in sorted(series):
        reason = _instrument(series[name], instruments[name], paper)
        if reason:
            return f"{name}: {reason}"
    return ""


def extremes_of(series: Mapping[str, BarSeries]) -> dict[str, tuple[int, int]]:
    """The lowest close and the highest price of each instrument that has bars."""
    return {name: (min(bars.close_px), max(bars.high_px)) for name, bars in series.items() if len(bars)}


def waiting_prices(names: Sequence[str], said: Sequence[Signals]) -> Waiting:
    """The lowest and the highest price that entries of each instrument wait for, where there are any."""
    columns = (
        (name, column[(signals.entries != 0) & (column > 0)])
        for name, signals in zip(names, said, strict=True)
        for column in (signals.px, signals.stop_px)
        if column is not None
    )
    return tuple((name, int(prices.min()), int(prices.max())) for name, prices in columns if prices.size)


def widened(
    extremes: Mapping[str, tuple[int, int]], instruments: Mapping[str, Instrument], prices: Waiting
) -> dict[str, tuple[int, int]]:
    """The extremes, with the prices that entries wait for, in whole ticks."""
    found = dict(extremes)
    for name, lowest, highest in prices:
        tick = instruments[name].terms[0].tick
        low, high = found[name]
        found[name] = min(low, max(floor_to(lowest, tick), 1)), max(high, ceil_to(highest, tick))
    return found


def variant_uncovered(
    extremes: Mapping[str, tuple[int, int]],
    instruments: Mapping[str, Instrument],
    spec: ExecutionSpec,
    exit_spec: ExitSpec,
) -> str:
    """Why this variant's figures do not fit the kernel's integers; "" if they do. `extremes`: see `widened`."""
    if len(exit_spec.ladder) > RUNGS_MAX:
        return f"a ladder of more than {RUNGS_MAX} rungs"
    money = exact(spec.risk.dollars_per_trade)
    of = max(sum(parts(pct)) for pct in (0, *_percentages(exit_spec)))
    for name, (lowest_px, top_px) in extremes.items():
        instrument = instruments[name]
        lot, tick = instrument.terms[0].lot, instrument.terms[0].tick
        scale = 10 ** (instrument.price_decimals + instrument.qty_decimals)
        budget = money.numerator * scale // (money.denominator * lot)
        qty = budget // lowest_px * lot
        worth = qty * top_px * instrument.money_per_notional
        if top_px > PRICE_MAX:
            return f"{name}: entries beyond 2**40 quanta"
        if budget > MONEY_MAX or qty > min(QTY_MAX, _FLOAT_EXACT) or 2 * worth >= NOTIONAL_MAX:
            return f"{name}: {spec.risk.dollars_per_trade} a trade is too much for 64 bits"
        if top_px * of > MONEY_MAX or of * tick > MONEY_MAX:
            return f"{name}: a percentage with so many digits"
    return ""


def _percentages(exit_spec: ExitSpec) -> list[float]:
    rungs = (rung.profit_pct for rung in exit_spec.ladder)
    found = (exit_spec.stop_loss_pct, exit_spec.take_profit_pct, exit_spec.trailing_pct, *rungs)
    return [pct for pct in found if pct is not None]


def _instrument(bars: BarSeries, instrument: Instrument, paper: PaperSettings) -> str:
    if len(instrument.terms) > 1:
        return "terms that change"
    if not instrument.terms[0].odd_lots:
        return "odd lots that stay behind"
    if bars.price_decimals != instrument.price_decimals:
        return f"bars with {bars.price_decimals} decimals, an instrument with {instrument.price_decimals}"
    if len(bars) and max(bars.high_px) > PRICE_MAX:
        return "prices beyond 2**40 quanta"
    if paper.costs is not None and len(bars):
        tariff = Tariff(paper.costs, paper.money_decimals)
        return tariff.unpriced(segment_of(instrument.segment, ""), bars.open_ns[0])
    return ""
