"""How much of a Sharpe ratio is luck: the best of many tries looks good even where nothing is.

Bailey and López de Prado, The Deflated Sharpe Ratio (Journal of Portfolio Management 40 (5), 2014). With Z the normal
distribution, g the Euler-Mascheroni constant, N the number of trials, V the variance of their Sharpe ratios (of one
day, not annualised), the best of N worthless trials is expected to reach

    SR0 = sqrt(V) * ((1 - g) * Z^-1(1 - 1/N) + g * Z^-1(1 - 1/(N e)))

and the deflated ratio is the probability that a Sharpe ratio SR, seen over T days with that skew and kurtosis, is
above SR0 in truth:

    DSR = Z((SR - SR0) * sqrt(T - 1) / sqrt(1 - skew * SR + (kurtosis - 1) / 4 * SR^2))

Trials that resemble each other count as so many: the figure is on the careful side. A value of 0.95 or more is what
the paper calls significant.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import e, fsum, sqrt
from statistics import NormalDist
from typing import Final

from surefill.views.daily_figures import DailyFigures

EULER_MASCHERONI: Final = 0.5772156649015329
_Z: Final = NormalDist()


def expected_best(sharpes: Sequence[float]) -> float:
    """SR0: the Sharpe ratio that the best of so many worthless trials would show; 0 for a single one."""
    count = len(sharpes)
    if count < 2:
        return 0.0
    mean = fsum(sharpes) / count
    variance = fsum((each - mean) ** 2 for each in sharpes) / (count - 1)
    return sqrt(variance) * (
        (1 - EULER_MASCHERONI) * _Z.inv_cdf(1 - 1 / count) + EULER_MASCHERONI * _Z.inv_cdf(1 - 1 / (count * e))
    )


def deflated_sharpe(chosen: DailyFigures, trials: Sequence[DailyFigures]) -> float | None:
    """The probability that the chosen one is better than luck. None where it has no Sharpe ratio.

    `trials` are all that were tried, the chosen one among them; those without a ratio never moved, and count as 0.
    """
    found = chosen.sharpe_per_day
    if found is None or chosen.skew is None or chosen.kurtosis is None or chosen.days < 2:
        return None
    benchmark = expected_best([trial.sharpe_per_day or 0.0 for trial in trials])
    spread = 1 - chosen.skew * found + (chosen.kurtosis - 1) / 4 * found**2
    if spread <= 0:
        return None
    return _Z.cdf((found - benchmark) * sqrt(chosen.days - 1) / sqrt(spread))
