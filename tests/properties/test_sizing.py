"""What holds for every sizing: within its budget, within every cap, in whole lots, and never on an assumption."""

from __future__ import annotations

from fractions import Fraction

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from tests.domain.sizing_cases import qty_or_none

from surefill.domain.instrument import Instrument, Terms
from surefill.domain.refusals import Refusal, RefusalCode
from surefill.domain.sizing import Sized, SizeMethod, SizingCaps, SizingMoment, SizingSpec, size
from surefill.units import MONEY_MAX, PPB, PRICE_MAX, QTY_MAX, RATE_MAX_PPB

NAMES = ("X", "A", "B", "C")
FRACTION = st.integers(1, PPB)


class Ranges(msgspec.Struct, frozen=True):
    """How large the numbers of one case may be. With anything up to the bounds, hardly ever is a lot left to buy."""

    money: st.SearchStrategy[int]
    px: st.SearchStrategy[int]
    distance: st.SearchStrategy[int]
    lot: st.SearchStrategy[int]
    money_per_notional: st.SearchStrategy[int]
    cost_ppb: st.SearchStrategy[int]
    share_ppb: st.SearchStrategy[int]
    used_money: st.SearchStrategy[int]


ORDINARY = Ranges(
    money=st.integers(10**9, 10**13),
    px=st.integers(1_000, 50_000),
    distance=st.integers(1, 900),
    lot=st.sampled_from((1, 1, 5, 75, 1_000)),
    money_per_notional=st.sampled_from((1, 1, 50)),
    cost_ppb=st.just(0) | st.integers(0, PPB // 100),
    share_ppb=st.integers(PPB // 200, PPB) | st.integers(PPB, 5 * PPB),
    used_money=st.integers(0, 10**9),
)
WILD = Ranges(
    money=st.integers(0, MONEY_MAX),
    px=st.integers(1, PRICE_MAX),
    distance=st.integers(1, PRICE_MAX),
    lot=st.integers(1, 2**20),
    money_per_notional=st.integers(1, 2**40),
    cost_ppb=st.integers(0, PPB),
    share_ppb=st.integers(1, RATE_MAX_PPB),
    used_money=st.integers(0, 2**60),
)
RANGES = st.sampled_from((ORDINARY, ORDINARY, ORDINARY, WILD))


def caps_of(ranges: Ranges) -> st.SearchStrategy[SizingCaps]:
    cap = st.just(0) | ranges.share_ppb
    return st.builds(SizingCaps, cap, cap, cap, cap, st.booleans())


CAPS = RANGES.flatmap(caps_of)


@st.composite
def moments(draw: st.DrawFn) -> SizingMoment:
    """Everything is known, and the stop is on the right side."""
    ranges = draw(RANGES)
    side, px, distance, lot = draw(st.sampled_from((1, -1))), draw(ranges.px), draw(ranges.distance), draw(ranges.lot)
    stop_px = max(1, px - distance) if side > 0 else min(PRICE_MAX, px + distance)
    entry_px = px + side * (stop_px == px)
    min_qty = draw(st.integers(0, 3 * lot))
    terms = Terms(0, 1, lot, min_qty, draw(st.integers(max(lot, min_qty), QTY_MAX)))
    return SizingMoment(
        side=side,
        entry_px=entry_px,
        stop_px=stop_px,
        instrument=Instrument("X", "USD", 2, 0, draw(ranges.money_per_notional), (terms,)),
        terms=terms,
        money_decimals=2,
        equity=draw(ranges.money),
        cash=draw(ranges.money),
        exposures={name: draw(ranges.used_money) * draw(st.sampled_from((1, -1))) for name in NAMES},
        open_risk=draw(ranges.used_money),
        correlations={name: draw(st.integers(-PPB, PPB)) for name in NAMES[1:]},
        cost_ppb=draw(ranges.cost_ppb),
        caps=draw(caps_of(ranges)),
    )


@st.composite
def specs(draw: st.DrawFn, *methods: SizeMethod) -> SizingSpec:
    """Every parameter is given, so that every method finds its own."""
    ranges = draw(RANGES)
    return SizingSpec(
        method=int(draw(st.sampled_from(methods or tuple(SizeMethod)))),
        qty=draw(st.integers(1, QTY_MAX)),
        cash_money=max(1, draw(ranges.money)),
        fraction_ppb=draw(FRACTION),
        atr=draw(ranges.distance),
        target_ppb=draw(FRACTION),
        kelly_ppb=draw(st.integers(1, RATE_MAX_PPB) | FRACTION),
        kelly_portion_ppb=draw(FRACTION),
        kelly_cap_ppb=draw(FRACTION),
        kelly_at_risk=draw(st.booleans()),
        caps=draw(caps_of(ranges)),
    )


def value_of(qty: int, at: SizingMoment) -> int:
    return qty * at.entry_px * at.instrument.money_per_notional


def cost_of(qty: int, at: SizingMoment) -> int:
    """A purchase and what it costs beyond its price, rounded up."""
    value = value_of(qty, at)
    return value - (-value * at.cost_ppb // PPB)


def loss_of(qty: int, at: SizingMoment) -> Fraction:
    """What is lost when the stop is hit, costs of both orders included, exactly."""
    costs = Fraction(at.cost_ppb * (at.entry_px + at.stop_px), PPB)
    return (abs(at.entry_px - at.stop_px) + costs) * qty * at.instrument.money_per_notional


def share(money: int | None, share_ppb: int) -> Fraction:
    assert money is not None
    return Fraction(money * share_ppb, PPB)


@given(specs(), moments())
def test_size_is_whole_lots_within_the_terms(spec: SizingSpec, at: SizingMoment) -> None:
    answer = size(spec, at)
    if isinstance(answer, Refusal):
        assert answer.code is RefusalCode.SIZE_ZERO_LOTS
        return
    assert answer.qty % at.terms.lot == answer.uncapped_qty % at.terms.lot == 0
    assert max(1, at.terms.min_qty) <= answer.qty <= at.terms.max_qty
    assert answer.qty <= answer.uncapped_qty
    assert (answer.bound_by != "") == (answer.qty < answer.uncapped_qty)


@given(specs(SizeMethod.FIXED_RISK), moments())
def test_size_by_risk_never_loses_more_than_the_budget_at_the_stop(spec: SizingSpec, at: SizingMoment) -> None:
    assert loss_of(qty_or_none(spec, at), at) <= share(at.equity, spec.fraction_ppb)


@given(specs(SizeMethod.FIXED_CASH, SizeMethod.BALANCE_SHARE, SizeMethod.EQUITY_SHARE), moments())
def test_size_by_value_never_costs_more_than_the_budget(spec: SizingSpec, at: SizingMoment) -> None:
    budgets = {
        SizeMethod.FIXED_CASH: Fraction(spec.cash_money),
        SizeMethod.BALANCE_SHARE: share(at.cash, spec.fraction_ppb),
        SizeMethod.EQUITY_SHARE: share(at.equity, spec.fraction_ppb),
    }
    assert cost_of(qty_or_none(spec, at), at) <= budgets[SizeMethod(spec.method)]


@given(specs(SizeMethod.FIXED_CASH), moments())
def test_size_by_value_without_caps_one_lot_more_would_cost_too_much(spec: SizingSpec, at: SizingMoment) -> None:
    at = msgspec.structs.replace(at, caps=SizingCaps())
    answer = size(msgspec.structs.replace(spec, caps=SizingCaps()), at)
    if isinstance(answer, Sized):
        assert cost_of(answer.uncapped_qty, at) <= spec.cash_money
        assert cost_of(answer.uncapped_qty + at.terms.lot, at) > spec.cash_money


@given(specs(SizeMethod.VOLATILITY), moments())
def test_size_by_volatility_never_moves_more_than_the_target(spec: SizingSpec, at: SizingMoment) -> None:
    moves = qty_or_none(spec, at) * spec.atr * at.instrument.money_per_notional
    assert moves <= share(at.equity, spec.target_ppb)


@given(specs(SizeMethod.KELLY), moments())
def test_size_by_kelly_never_stakes_more_than_its_cap(spec: SizingSpec, at: SizingMoment) -> None:
    qty = qty_or_none(spec, at)
    staked = loss_of(qty, at) if spec.kelly_at_risk else Fraction(cost_of(qty, at))
    assert staked <= share(at.equity, spec.kelly_cap_ppb)
    assert staked <= share(at.equity, spec.kelly_ppb) * Fraction(spec.kelly_portion_ppb, PPB)


@given(specs(), moments())
def test_size_keeps_every_cap_of_both_sets(spec: SizingSpec, at: SizingMoment) -> None:
    """The caps as the documentation words them, in fractions, for whatever comes out."""
    answer = size(spec, at)
    if isinstance(answer, Refusal):
        return
    exposures, value = at.exposures or {}, value_of(answer.qty, at)
    moves_with_it = sum(
        max(Fraction(0), share(at.side * exposure, at.correlations.get(name, PPB)))
        for name, exposure in exposures.items()
    )
    for caps in (spec.caps, at.caps):
        if caps.max_position_ppb:
            assert value + max(0, at.side * exposures["X"]) <= share(at.equity, caps.max_position_ppb)
        if caps.max_total_ppb:
            assert value + sum(map(abs, exposures.values())) <= share(at.equity, caps.max_total_ppb)
        if caps.max_correlated_ppb:
            assert value + moves_with_it <= share(at.equity, caps.max_correlated_ppb)
        if caps.max_risk_ppb:
            assert loss_of(answer.qty, at) + (at.open_risk or 0) <= share(at.equity, caps.max_risk_ppb)
        if caps.within_cash and at.side > 0:
            assert cost_of(answer.qty, at) <= (at.cash or 0)


@given(specs(), moments(), CAPS)
def test_size_with_more_caps_is_never_larger(spec: SizingSpec, at: SizingMoment, caps: SizingCaps) -> None:
    free = msgspec.structs.replace(spec, caps=SizingCaps())
    bare = msgspec.structs.replace(at, caps=SizingCaps())
    capped = msgspec.structs.replace(spec, caps=caps)
    assert qty_or_none(capped, at) <= qty_or_none(free, at) <= qty_or_none(free, bare)
    assert qty_or_none(capped, at) <= qty_or_none(capped, bare) <= qty_or_none(free, bare)


@given(specs(), moments(), ORDINARY.money, ORDINARY.money)
def test_size_with_more_equity_and_cash_is_never_smaller(
    spec: SizingSpec, at: SizingMoment, equity: int, cash: int
) -> None:
    less = msgspec.structs.replace(at, equity=min(at.equity or 0, equity), cash=min(at.cash or 0, cash))
    more = msgspec.structs.replace(at, equity=max(at.equity or 0, equity), cash=max(at.cash or 0, cash))
    assert qty_or_none(spec, less) <= qty_or_none(spec, more)


@given(specs(), moments(), st.sampled_from(("equity", "cash", "exposures", "open_risk", "entry_px", "stop_px")))
def test_size_with_something_unknown_is_the_same_or_refused(spec: SizingSpec, at: SizingMoment, name: str) -> None:
    """What is not known never changes a quantity: either it was not needed, or there is none."""
    unknown = 0 if name.endswith("_px") else None
    answer = size(spec, msgspec.structs.replace(at, **{name: unknown}))
    if isinstance(answer, Refusal):
        assert answer.code in (RefusalCode.SIZE_INPUT_MISSING, RefusalCode.SIZE_ZERO_LOTS)
    else:
        assert answer == size(spec, at)
