"""Gates on the quality of the idea, judged by figures that came with the intent. A figure that did not come: no."""

from __future__ import annotations

from surefill.domain.costs.estimate import estimate_round_trip
from surefill.domain.costs.schedule import segment_of
from surefill.domain.costs.tariff import Tariff
from surefill.domain.gates.question import Question
from surefill.domain.gates.wording import figure_missing, pct_text, share_text
from surefill.domain.refusals import Refusal, RefusalCode
from surefill.rules.arithmetic import rate_ceil
from surefill.units import PPB, quanta_text


def signal_strength(q: Question) -> Refusal | None:
    """The signal is at least as strong as asked."""
    limit = q.profile.limits.signal_strength_min_ppb
    return _at_least(q, "signal_strength", limit, RefusalCode.SIGNAL_TOO_WEAK, "signal strength")


def confluence(q: Question) -> Refusal | None:
    """As much speaks for the trade as is asked."""
    limit = q.profile.limits.confluence_min_ppb
    return _at_least(q, "confluence", limit, RefusalCode.CONFLUENCE_TOO_LOW, "confluence score")


def _at_least(q: Question, figure: str, limit_ppb: int, code: RefusalCode, words: str) -> Refusal | None:
    if q.is_exit:
        return None
    value = q.intent.figures.get(figure)
    if value is None:
        return figure_missing(figure, figure)
    if value >= limit_ppb:
        return None
    return Refusal(code, f"{words} {quanta_text(value, 9)} is below {quanta_text(limit_ppb, 9)}: wait for a better one")


def regime(q: Question) -> Refusal | None:
    """The market's regime has not drifted as far from what the strategy was made for as the limit."""
    if q.is_exit:
        return None
    value, limit = q.intent.figures.get("regime_z"), q.profile.limits.regime_z_max_ppb
    if value is None:
        return None if q.profile.limits.regime_optional else figure_missing("regime", "regime_z")
    if abs(value) < limit:
        return None
    return Refusal(
        RefusalCode.REGIME_DRIFT,
        f"the regime is {quanta_text(abs(value), 9)} standard deviations away, {quanta_text(limit, 9)} are the limit",
    )


def stop_distance(q: Question) -> Refusal | None:
    """There is a stop, and it is no further from the entry than the limit."""
    if q.is_exit:
        return None
    plan, entry_px, limit = q.intent.plan, q.entry_px, q.profile.limits.stop_distance_max_ppb
    if plan is None or not plan.stop_px:
        return figure_missing("stop_distance", "a stop")
    if entry_px <= 0:
        return Refusal(RefusalCode.NO_MARKET_DATA, f"no price for {q.intent.instrument_id} to judge the stop by")
    distance = abs(entry_px - plan.stop_px)
    if distance * PPB <= limit * entry_px:
        return None
    return Refusal(
        RefusalCode.STOP_TOO_FAR,
        f"stop {q.px_text(plan.stop_px)} is {share_text(distance, entry_px)} from the entry {q.px_text(entry_px)},"
        f" at most {pct_text(limit)} is allowed: bring it nearer",
    )


def reward_risk(q: Question) -> Refusal | None:
    """The target is far enough away for what the stop puts at risk."""
    if q.is_exit:
        return None
    plan, entry_px, limit = q.intent.plan, q.entry_px, q.profile.limits.reward_risk_min_ppb
    if plan is None or not plan.stop_px or not plan.target_px:
        return figure_missing("reward_risk", "a stop and a target")
    if entry_px <= 0:
        return Refusal(RefusalCode.NO_MARKET_DATA, f"no price for {q.intent.instrument_id} to judge the target by")
    reward, risk = (plan.target_px - entry_px) * q.side, (entry_px - plan.stop_px) * q.side
    if risk > 0 and reward * PPB >= limit * risk:
        return None
    ratio = quanta_text(max(reward, 0) * 100 // risk, 2) if risk > 0 else "no"
    return Refusal(
        RefusalCode.REWARD_RISK_TOO_LOW,
        f"reward {q.px_text(reward)} for risk {q.px_text(risk)} is {ratio} to 1, at least {quanta_text(limit, 9)} is"
        " asked: move the target, the stop, or wait",
    )


def edge(q: Question) -> Refusal | None:
    """The gain that is expected for each unit pays for going in and out again, as many times as asked.

    With a cost schedule what the order would be charged is reckoned exactly; half the spread and slippage come on top.
    """
    if q.is_exit:
        return None
    gain, limits = q.intent.figures.get("edge"), q.profile.limits
    if gain is None:
        return figure_missing("edge", "edge")
    if q.entry_px <= 0:
        return Refusal(RefusalCode.NO_MARKET_DATA, f"no price for {q.intent.instrument_id} to reckon its cost with")
    if q.state.tariff is not None:
        return _edge_of_order(q, q.state.tariff, gain)
    cost = 2 * rate_ceil(q.entry_px, limits.cost_cushion_ppb)
    if gain * PPB >= cost * limits.edge_multiple_min_ppb:
        return None
    return Refusal(
        RefusalCode.EDGE_BELOW_COST,
        f"{q.px_text(gain)} expected for each unit, {q.px_text(cost)} is what going in and out costs, and"
        f" {quanta_text(limits.edge_multiple_min_ppb, 9)} times that is asked",
    )


def _edge_of_order(q: Question, tariff: Tariff, gain: int) -> Refusal | None:
    """Where a schedule says what each order is charged: the gain of the whole order against what it costs."""
    limits, unknown = q.profile.limits, unpriced(q, tariff)
    if unknown:
        return Refusal(RefusalCode.FIGURE_MISSING, f"what it costs is not known: {unknown}")
    if q.qty <= 0:
        return None  # gate `quantity` says so
    entry_px = q.entry_px
    exit_px = max(entry_px, entry_px + q.side * gain)
    charges = estimate_round_trip(
        tariff, q.instrument, q.side, q.qty, entry_px, exit_px, q.ts_ns, q.ts_ns, bucket=q.intent.bucket
    )
    a_unit = q.qty * q.instrument.money_per_notional
    expected, cost = gain * a_unit, charges + 2 * rate_ceil(entry_px * a_unit, limits.market_cost_ppb)
    if expected * PPB >= cost * limits.edge_multiple_min_ppb:
        return None
    return Refusal(
        RefusalCode.EDGE_BELOW_COST,
        f"{q.money_text(expected)} expected of {q.qty_text(q.qty)}, {q.money_text(cost)} is what going in and out costs"
        f" ({q.money_text(charges)} of it charges), and {quanta_text(limits.edge_multiple_min_ppb, 9)} times that is"
        " asked",
    )


def unpriced(q: Question, tariff: Tariff) -> str:
    """Why the schedule cannot price this order; "": it can."""
    return tariff.unpriced(segment_of(q.instrument.segment, q.intent.bucket), q.ts_ns)
