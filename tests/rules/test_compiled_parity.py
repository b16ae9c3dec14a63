"""Every rule, compiled unchanged, against itself as plain Python, for thousands of inputs up to the bounds.

Plain Python's integers do not overflow and a compiled kernel's do: equality at the extremes is the proof that
no intermediate value that matters leaves 64 bits. The functions are found, not listed: a new rule is in here
by itself, and if the sampler does not know one of its arguments the test says so.
"""

import inspect
import random
from collections.abc import Callable, Iterator

import pytest
from numba import njit
from numba.extending import register_jitable
from tests.rules.public_functions import functions_of, public_functions, rule_modules

from surefill.rules.codes import FeeKind, FillMode, IntrabarPolicy, OrdEvent, OrdStatus
from surefill.units import MONEY_MAX, NOTIONAL_MAX, PPB, PRICE_MAX, QTY_MAX, RATE_MAX_PPB

ROUNDS = 3000
Row = dict[str, int]
Sampler = Callable[[random.Random], int]


def up_to(highest: int, lowest: int = 0) -> Sampler:
    """Spread over magnitudes, with the extremes themselves drawn often."""

    def sample(rng: random.Random) -> int:
        if rng.random() < 0.25:
            return rng.choice((lowest, lowest + 1, highest - 1, highest))
        return min(highest, max(lowest, rng.getrandbits(rng.randint(1, highest.bit_length()))))

    return sample


def signed(highest: int) -> Sampler:
    size = up_to(highest)
    return lambda rng: size(rng) * rng.choice((1, -1))


def one_of(*values: int) -> Sampler:
    return lambda rng: int(rng.choice(values))


PX = up_to(PRICE_MAX)
QTY = up_to(QTY_MAX)
RATE = up_to(PPB)

SAMPLERS: dict[str, Sampler] = {
    # codes
    "side": one_of(1, -1),
    "status": one_of(*range(-3, len(OrdStatus) + 3)),
    "event": one_of(*range(-3, len(OrdEvent) + 3)),
    "fill_mode": one_of(*FillMode),
    "policy": one_of(*IntrabarPolicy),
    "kind": one_of(*FeeKind),
    # prices, drawn near one another below
    **dict.fromkeys(
        (
            "px",
            "bid",
            "ask",
            "last",
            "open_px",
            "high_px",
            "low_px",
            "close_px",
            "last_px",
            "entry_px",
            "ref_px",
        ),
        PX,
    ),
    **dict.fromkeys(("stop_px", "target_px", "limit_px", "level_px", "extreme_px", "old_stop_px", "new_stop_px"), PX),
    **dict.fromkeys(("distance", "initial_risk", "granularity"), PX),
    # quantities
    **dict.fromkeys(("last_qty", "leaves_qty", "available_qty", "position_qty_abs", "open_reduce_qty"), QTY),
    **dict.fromkeys(("position_qty", "qty", "qty_before", "qty_after"), signed(QTY_MAX)),
    **dict.fromkeys(("tick", "lot"), up_to(PRICE_MAX, 1)),
    "step": up_to(PRICE_MAX),
    "cost": signed(2**61),
    # rates
    **dict.fromkeys(("slippage_ppb", "spread_ppb", "fraction_ppb"), RATE),
    "rate_ppb": signed(PPB),
    "step_ppb": up_to(2**50),
    "collar_ppb": up_to(2**48),
    # money, time, counts, flags
    **dict.fromkeys(("notional_money", "cash_money", "cost_money", "amount"), signed(MONEY_MAX)),
    **dict.fromkeys(("per_unit", "per_order"), signed(MONEY_MAX)),
    **dict.fromkeys(("turnover_money", "base_money"), signed(MONEY_MAX)),
    **dict.fromkeys(("min_money", "max_money"), up_to(MONEY_MAX)),
    "cum_qty": QTY,
    **dict.fromkeys(("now_ns", "ts_ns", "max_age_ns"), up_to(MONEY_MAX)),
    **dict.fromkeys(("bars_held", "time_stop_bars"), up_to(2**31)),
    **dict.fromkeys(("entered_in_bar", "whole_only", "is_first_fill", "allow_negative_cash"), one_of(0, 1)),
    # sizing
    "base_money": signed(MONEY_MAX),
    "exposure_money": signed(MONEY_MAX),
    "budget_money": up_to(MONEY_MAX),
    "unit_px": up_to(2**42),
    "money_per_notional": up_to(MONEY_MAX, 1),
    "min_qty": QTY,
    **dict.fromkeys(("cost_ppb", "win_ppb", "portion_ppb", "cap_ppb"), RATE),
    **dict.fromkeys(("share_ppb", "payoff_ppb"), up_to(RATE_MAX_PPB)),
    "kelly_ppb": signed(RATE_MAX_PPB),
    "correlation_ppb": signed(PPB),
    # shares of a price
    "away": up_to(2**22),
    "of": up_to(2**22, 1),
    "direction": one_of(1, -1),
    # bare numbers
    "a": QTY,
    "b": up_to(MONEY_MAX),
    "c": up_to(QTY_MAX, 1),
    "x": signed(NOTIONAL_MAX),
    **dict.fromkeys(("lowest", "highest"), signed(MONEY_MAX)),
}
PRICES = {name for name, sampler in SAMPLERS.items() if sampler is PX}


def near_one_another(rng: random.Random, row: Row) -> None:
    """Comparisons only bite when the prices are close: half of the rows lie within a few quanta."""
    names = PRICES & row.keys()
    if len(names) > 1 and rng.random() < 0.5:
        middle = up_to(PRICE_MAX - 8, 8)(rng)
        for name in names:
            row[name] = 0 if rng.random() < 0.1 else middle + rng.randint(-4, 4)


def within_bounds(rng: random.Random, row: Row) -> None:
    """What the docstrings promise about arguments taken together."""
    if row.keys() == {"a", "b", "c"}:
        row["a"] = min(row["a"], row["c"]) * rng.choice((1, -1))
    if row.keys() == {"amount", "rate_ppb"} and rng.random() < 0.5:
        row["rate_ppb"] = signed(2**50)(rng)
        largest = MONEY_MAX * PPB // max(1, abs(row["rate_ppb"]))
        row["amount"] = max(-largest, min(largest, row["amount"]))
    if "cum_qty" in row and row["kind"] == FeeKind.PER_UNIT:
        row["rate_ppb"] = signed(MONEY_MAX)(rng)
        row["cum_qty"] = min(row["cum_qty"], MONEY_MAX * PPB // max(1, abs(row["rate_ppb"])))
    for px, qty, bound in (
        ("last_px", "last_qty", NOTIONAL_MAX),
        ("px", "qty", 2**61),
        ("per_unit", "last_qty", MONEY_MAX),
    ):
        if px in row and qty in row and abs(row[px] * row[qty]) > bound:
            row[qty] = bound // row[px] if row[px] > 0 else -(bound // row[px])
    if "of" in row:
        row["entry_px"] = min(row["entry_px"], MONEY_MAX // (row["of"] + row["away"]))
        row["tick"] = min(row["tick"], MONEY_MAX // row["of"])
    if "position_qty" in row and "cost" in row:
        row["cost"] = abs(row["cost"]) * (1 if row["position_qty"] > 0 else -1) if row["position_qty"] else 0


def rows(function: Callable[..., object], seed: int) -> Iterator[tuple[int | bool, ...]]:
    rng = random.Random(f"{function.__name__} {seed}")
    parameters = inspect.signature(function).parameters.values()
    for _ in range(ROUNDS):
        row = {parameter.name: SAMPLERS[parameter.name](rng) for parameter in parameters}
        near_one_another(rng, row)
        within_bounds(rng, row)
        yield tuple(bool(row[p.name]) if p.annotation == "bool" else row[p.name] for p in parameters)


@pytest.fixture(scope="module")
def compiled() -> Callable[[Callable[..., object]], Callable[..., object]]:
    """Compiles a rule. The rules it calls are taught to the compiler first; their source is not touched."""
    for module in rule_modules():
        for function in functions_of(module):
            register_jitable(function)
    compiler: Callable[[Callable[..., object]], Callable[..., object]] = njit
    return compiler


@pytest.mark.parametrize("function", public_functions(), ids=lambda function: function.__qualname__)
def test_rule_compiled_equals_plain_python(
    function: Callable[..., object], compiled: Callable[[Callable[..., object]], Callable[..., object]]
) -> None:
    unknown = inspect.signature(function).parameters.keys() - SAMPLERS.keys()
    assert not unknown, f"say in SAMPLERS how to draw {sorted(unknown)}"
    fast = compiled(function)
    for arguments in rows(function, seed=1):
        plain = function(*arguments)
        assert fast(*arguments) == plain, arguments
        assert type(fast(*arguments)) is type(plain), arguments
        parts = plain if isinstance(plain, tuple) else (plain,)
        assert all(type(part) in (int, bool) for part in parts), arguments
        assert all(abs(part) <= 2**63 - 1 for part in parts), arguments


def test_parity_a_product_that_overflows_is_noticed(
    compiled: Callable[[Callable[..., object]], Callable[..., object]],
) -> None:
    def naive_mul_div(a: int, b: int, c: int) -> int:
        return a * b // c

    fast = compiled(naive_mul_div)
    assert any(fast(*arguments) != naive_mul_div(*arguments) for arguments in rows(naive_mul_div, seed=1))
