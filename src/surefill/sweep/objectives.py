"""What "better" means: a score of each variant, and an order that is the same wherever it is made.

===================  ==============================================================================================
sharpe               the contract's: mean over deviation of the trades' returns
sharpe_dd_penalty    the same less `DD_PENALTY` times the largest drawdown as a fraction of one
return               return_pct
return_dd_penalty    return_pct less `DD_PENALTY` times max_drawdown_pct
calmar               annual growth over the largest drawdown, both from daily equity
===================  ==============================================================================================

Variants without a score come last. Of equals the higher return goes first, then the smaller drawdown, then the id.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Final, Literal, TypeVar, get_args

from surefill.errors import InputError
from surefill.sweep.metrics import VariantMetrics

Objective = Literal["sharpe", "sharpe_dd_penalty", "return", "return_dd_penalty", "calmar"]
OBJECTIVES: Final[tuple[Objective, ...]] = get_args(Objective)
DD_PENALTY: Final = 0.5


def _sharpe_dd_penalty(found: VariantMetrics) -> float | None:
    return None if found.sharpe is None else found.sharpe - DD_PENALTY * found.max_drawdown_pct / 100


_SCORES: Final[Mapping[Objective, Callable[[VariantMetrics], float | None]]] = {
    "sharpe": lambda found: found.sharpe,
    "sharpe_dd_penalty": _sharpe_dd_penalty,
    "return": lambda found: found.return_pct,
    "return_dd_penalty": lambda found: found.return_pct - DD_PENALTY * found.max_drawdown_pct,
    "calmar": lambda found: found.daily.calmar,
}


def score(objective: Objective, found: VariantMetrics) -> float | None:
    """The score of a variant by that objective; None: it has none."""
    return _SCORES[objective](found)


def objective_named(name: str) -> Objective:
    """The objective of that name. Raises InputError."""
    for objective in OBJECTIVES:
        if objective == name:
            return objective
    raise InputError(
        f"objective {name!r} is not known; there are {', '.join(OBJECTIVES)}",
        code="INVALID_CONSTRAINTS",
        field="objective",
    )


_Item = TypeVar("_Item")


def ranked(
    objective: Objective, items: Iterable[_Item], of: Callable[[_Item], tuple[str, VariantMetrics | None]]
) -> list[_Item]:
    """Items with the best first; `of` gives an item's variant id and its metrics (None: it failed, and comes last)."""

    def key(item: _Item) -> tuple[bool, bool, float, float, float, str]:
        variant_id, found = of(item)
        if found is None:
            return True, True, 0.0, 0.0, 0.0, variant_id
        value = score(objective, found)
        value = None if value is not None and math.isnan(value) else value
        return False, value is None, -(value or 0.0), -found.return_pct, found.max_drawdown_pct, variant_id

    return sorted(items, key=key)
