"""How many seeds does a claim need, and which difference do so many show?

The chances are those of the tests that ``nasbench compare`` makes: of interquartile means, adjusted
for all pairs of the methods compared, figures taken as Gaussian.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from nasbench_suite.errors import SuiteError, choose_from
from nasbench_suite.statistics.estimates import (
    error_of_unit,
    family_quantile,
    gaussian_freedom,
)
from nasbench_suite.statistics.significance import check_level

Center = Literal["iqm", "mean"]


def power_of_pair(
    effect: float,
    seeds: int,
    *,
    methods: int = 2,
    statistic: Center = "iqm",
    alpha: float = 0.05,
) -> float:
    """Chance that two of several methods are told apart (noncentral t).

    Cohen, *Statistical power analysis*, 1988, section 2.5; for interquartile means with the error
    and the degrees of freedom of the test of two of them, see ``estimates.difference``.

    Args:
        effect: their difference, in standard deviations over seeds.
        seeds: of each method.
        methods: how many are compared, all pairs of them.
        statistic: ``iqm``, or ``mean`` for the classical t-test.
        alpha: level, family-wise.
    """
    error, freedom = _unit(seeds, statistic)
    return shift_power(effect / error, freedom, methods, alpha)


def shift_power(shift: float, freedom: float, methods: int = 2, alpha: float = 0.05) -> float:
    """Chance to see a difference of ``shift`` standard errors; see ``power_of_pair``."""
    from scipy.stats import nct

    critical = family_quantile(methods, freedom, alpha)
    # The chance of a verdict the wrong way round is nil where the noncentral t underflows.
    wrong = np.nan_to_num(nct.cdf(-critical, freedom, shift))
    return float(np.nan_to_num(nct.sf(critical, freedom, shift), nan=1.0) + wrong)


def detectable_shift(
    error: float, freedom: float, *, methods: int = 2, alpha: float = 0.05, power: float = 0.8
) -> float:
    """The smallest difference that is seen with that chance, given its standard error.

    Raises:
        SuiteError: an error that is no number >= 0, or a level or power out of range.
    """
    from scipy.optimize import brentq

    check_level(alpha)
    check_level(power, "power")
    if not (np.isfinite(error) and error >= 0):
        raise SuiteError(f"A standard error of {error} is impossible: give a number >= 0.")
    if power <= alpha:
        return 0.0
    # Twice the critical value is seen nearly always, whatever the degrees of freedom above one.
    high = 4.0 * family_quantile(methods, freedom, alpha) + 10.0
    shift = brentq(lambda s: shift_power(s, freedom, methods, alpha) - power, 0.0, high)
    return float(shift * error)


def detectable_difference(
    sd: float,
    seeds: int,
    *,
    methods: int = 2,
    statistic: Center = "iqm",
    alpha: float = 0.05,
    power: float = 0.8,
) -> float:
    """The smallest difference of two methods that so many seeds would show.

    Args:
        sd: standard deviation over seeds of one method, in any unit.
        seeds: runs of each method, two at least.
        methods: how many are compared; more need more seeds, as all pairs are looked at.
        statistic: see ``power_of_pair``.
        alpha: level of the test.
        power: chance to find a difference of that size.

    Returns:
        The difference, in the unit of ``sd``.

    Raises:
        SuiteError: fewer than two seeds or methods, or a level, power or deviation out of range.
    """
    if seeds < 2:
        raise SuiteError(f"A difference cannot be detected with {seeds} seeds: take two or more.")
    if methods < 2:
        raise SuiteError(f"{methods} methods have no difference: compare two or more.")
    if not (np.isfinite(sd) and sd >= 0):
        raise SuiteError(f"A standard deviation of {sd} is impossible: give a number >= 0.")
    error, freedom = _unit(seeds, statistic)
    return detectable_shift(error * sd, freedom, methods=methods, alpha=alpha, power=power)


def seeds_needed(
    difference: float,
    sd: float,
    *,
    methods: int = 2,
    statistic: Center = "iqm",
    alpha: float = 0.05,
    power: float = 0.8,
) -> int:
    """How many seeds of each method show a difference of that size; see the function above.

    Raises:
        SuiteError: a difference that is not positive, or as ``detectable_difference``.
    """
    if not (np.isfinite(difference) and difference > 0):
        raise SuiteError(f"A difference of {difference} cannot be looked for: give a number > 0.")

    def enough(seeds: int) -> bool:
        shown = detectable_difference(
            sd, seeds, methods=methods, statistic=statistic, alpha=alpha, power=power
        )
        return shown <= difference

    low, high = 1, 2
    while not enough(high):
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def _unit(seeds: int, statistic: Center) -> tuple[float, float]:
    """Error, and its degrees of freedom, of a difference of two methods of unit deviation."""
    if statistic not in ("iqm", "mean"):
        raise SuiteError(choose_from("statistic", statistic, ["iqm", "mean"]))
    if statistic == "mean":
        return (2.0 / seeds) ** 0.5, 2.0 * (seeds - 1)
    # Those of ``estimates.sum_freedom`` when both squared errors are at their mean squares.
    return 2**0.5 * error_of_unit(seeds), 2.0 * gaussian_freedom(seeds)


__all__ = [
    "detectable_difference",
    "detectable_shift",
    "power_of_pair",
    "seeds_needed",
    "shift_power",
]
