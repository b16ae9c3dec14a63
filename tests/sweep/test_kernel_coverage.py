"""What the kernel does not trade as the engine does is named, and left to the engine."""

from collections.abc import Callable

import msgspec
import numpy as np
import pytest
from tests.sweep.scenes import Scene, scene

from surefill.domain.costs.india import ZERODHA
from surefill.domain.instrument import Terms
from surefill.domain.intent import Action
from surefill.domain.profile import PAPER_FULL
from surefill.domain.sizing import SizingCaps
from surefill.rules.codes import OrdType
from surefill.strategy import ExitSpec, RiskSpec
from surefill.strategy.forms import Signals
from surefill.sweep.kernels.coverage import extremes_of, uncovered, variant_uncovered, waiting_prices, widened
from surefill.sweep.kernels.tables import RUNGS_MAX

replace = msgspec.structs.replace
Change = Callable[[Scene], None]


def limits(**told: object) -> Change:
    def change(this: Scene) -> None:
        this.profile = replace(this.profile, limits=replace(this.profile.limits, **told))

    return change


def profile(**told: object) -> Change:
    def change(this: Scene) -> None:
        this.profile = replace(this.profile, **told)

    return change


def paper(**told: object) -> Change:
    def change(this: Scene) -> None:
        this.paper = replace(this.paper, **told)

    return change


def instrument(**told: object) -> Change:
    def change(this: Scene) -> None:
        this.instruments = {name: replace(each, **told) for name, each in this.instruments.items()}

    return change


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (profile(gates=(*PAPER_FULL.gates, "daily_loss", "spread")), "gates daily_loss, spread"),
        (profile(gates=(*PAPER_FULL.gates, "regime", "size_caps")), "gates regime"),
        (
            profile(gates=(*PAPER_FULL.gates, "size_caps"), sizing_caps=SizingCaps(max_position_ppb=1)),
            "gates size_caps",
        ),
        (profile(rechecks=("tick_age",)), "gates that are asked again before the wire"),
        (profile(name="odd", actions=(Action.TRADE,)), "profile odd"),
        (profile(name="odd", ord_types=(OrdType.LIMIT,)), "profile odd without market orders"),
        (limits(duplicate_window_ns=1), "execution.duplicate_window_s"),
        (limits(price_max_age_ns=1), "execution.price_max_age_s"),
        (limits(stops_at_venue=True), "execution.stops_at: venue"),
        (limits(aggregate_value_max=1), "risk.aggregate_value_max"),
        (paper(latency_ns=1), "execution.latency_ms"),
        (instrument(terms=(Terms(), Terms(1))), "AAA: terms that change"),
        (instrument(terms=(Terms(odd_lots=False),)), "AAA: odd lots that stay behind"),
        (instrument(price_decimals=6), "an instrument with 6"),
        (paper(costs=ZERODHA), "AAA: the cost schedule zerodha has no segment"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_uncovered_what_only_the_engine_does_is_named(change: Change, reason: str) -> None:
    this = scene(1)
    this.instruments = {name: replace(each, segment="spot") for name, each in this.instruments.items()}
    this.paper = replace(this.paper, costs=None)
    assert uncovered(this.series, this.instruments, this.profile, this.paper) == ""
    change(this)
    assert reason in uncovered(this.series, this.instruments, this.profile, this.paper)


def test_variant_uncovered_a_ladder_of_too_many_rungs_is_named() -> None:
    this = scene(1)
    ladder = [{"profit_pct": 1.0 + rung, "close_pct": 10.0} for rung in range(RUNGS_MAX + 1)]
    exit_spec = ExitSpec.model_validate({"type": "stop_target", "ladder": ladder})
    assert "a ladder of more than" in variant_uncovered(
        extremes_of(this.series), this.instruments, this.spec, exit_spec
    )
    fewer = exit_spec.model_copy(update={"ladder": exit_spec.ladder[1:]})
    assert not variant_uncovered(extremes_of(this.series), this.instruments, this.spec, fewer)


@pytest.mark.parametrize(("px", "reason"), [(2**41, "entries beyond 2**40 quanta"), (100, "")])
def test_variant_uncovered_entries_that_wait_for_a_price_are_among_the_extremes(px: int, reason: str) -> None:
    this = scene(1)
    (name, bars), *_ = this.series.items()
    one = np.ones(len(bars), np.int8)
    prices = waiting_prices([name], [Signals(one, one * 0, stop_px=one.astype(np.int64) * px)])
    extremes = widened(extremes_of(this.series), this.instruments, prices)
    assert extremes[name][0] <= px <= extremes[name][1]
    assert reason in variant_uncovered(extremes, this.instruments, this.spec, ExitSpec(type="none"))


@pytest.mark.parametrize(
    ("dollars", "stop_pct", "reason"),
    [
        (1e15, 1.0, "too much for 64 bits"),
        (100.0, 1.00000000000001, "a percentage with so many digits"),
    ],
)
def test_variant_uncovered_what_does_not_fit_the_integers_is_named(
    dollars: float, stop_pct: float, reason: str
) -> None:
    this = scene(1)
    exit_spec = ExitSpec(type="stop_target", stop_loss_pct=stop_pct)
    spec = this.spec.model_copy(update={"risk": RiskSpec(dollars_per_trade=dollars)})
    assert reason in variant_uncovered(extremes_of(this.series), this.instruments, spec, exit_spec)
