"""How many seeds does a claim need, and which difference do so many show?

The chances are those of the tests that ``nasbench compare`` makes: of interquartile means, adjusted
for all pairs of the methods compared, figures taken as Gaussian, or drawn from those of a pilot.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nasbench_suite.errors import SuiteError, choose_from, refused
from nasbench_suite.statistics.estimates import (
    error_of_unit,
    family_quantile,
    gaussian_freedom,
    level_of_pair,
    told_apart,
)
from nasbench_suite.statistics.significance import check_level

Center = Literal["iqm", "mean"]
Floats = NDArray[np.float64]

PILOT_SEEDS = 20
"""Fewer tell little of how figures spread: most would have met no rare collapse, or no tail."""
_DRAWN, _FEW_DRAWN = 20_000, 200  # figures, boards at least, and where labels are exchanged
_NEAR = 1e-6  # of the range of a pilot's figures
_HALVINGS = 10
_MOST_SEEDS = 1_000_000  # that are planned for
_MOST_DRAWN = 4096  # of them, where figures are drawn


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
        SuiteError: an error that is no number >= 0, or a level or power out of range, or beyond
            what can be computed.
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
    with refused(
        f"A power of {power:g} at a level of {alpha:g} is beyond what can be computed: choose a "
        f"larger level.",
        ValueError,
        RuntimeError,  # no root within so many steps
    ):
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
        SuiteError: fewer than two seeds or methods, or more seeds than anybody runs; or a level,
            power or deviation out of range.
    """
    _check_seeds(seeds, _MOST_SEEDS)
    _check_methods(methods)
    if not (np.isfinite(sd) and sd >= 0):
        raise SuiteError(f"A standard deviation of {sd} is impossible: give a number >= 0.")
    error, freedom = _unit(seeds, statistic)
    return detectable_shift(error * sd, freedom, methods=methods, alpha=alpha, power=power)


def _check_seeds(seeds: int, most: int) -> None:
    if seeds < 2:
        raise SuiteError(f"A difference takes two seeds or more to show, not {seeds}: take more.")
    if seeds > most:
        raise SuiteError(f"{seeds} seeds are more than can be planned for: give {most:,} or fewer.")


def _check_difference(difference: float) -> None:
    if not (np.isfinite(difference) and difference > 0):
        raise SuiteError(f"A difference of {difference} cannot be looked for: give a number > 0.")


def _check_methods(methods: int) -> None:
    if methods < 2:
        raise SuiteError(f"A difference is of two methods or more, not of {methods}: name more.")


def drawn_difference(
    figures: ArrayLike,
    seeds: int,
    *,
    methods: int = 2,
    alpha: float = 0.05,
    power: float = 0.8,
) -> float:
    """The smallest difference that so many seeds would show, of methods that spread as a pilot did.

    As ``detectable_difference``, but the figures of both methods are drawn from the pilot's, with
    replacement, and tested as they would be: collapses, a skew and figures that repeat count.

    Args:
        figures: what a method reached with the seeds of a pilot, ``PILOT_SEEDS`` or more.
        seeds: runs of each method, two at least.
        methods: how many are compared.
        alpha: level of the test.
        power: chance to find a difference of that size.

    Returns:
        The difference, in the figures' unit; infinite where none shows, however large.

    Raises:
        SuiteError: figures without spread, or as ``detectable_difference``.
    """
    _check_seeds(seeds, _MOST_DRAWN)
    pilot = _pilot(figures)
    high = detectable_difference(
        float(pilot.std()), seeds, methods=methods, alpha=alpha, power=power
    )
    if power <= alpha:
        return 0.0
    shows = _shows(pilot, seeds, level_of_pair(methods, alpha), power)
    low, most = 0.0, high + 100.0 * float(np.ptp(pilot))
    while not shows(high):
        if high > most:
            return np.inf
        low, high = high, 2.0 * high
    for _ in range(_HALVINGS):
        middle = (low + high) / 2.0
        low, high = (low, middle) if shows(middle) else (middle, high)
    return high


def _pilot(figures: ArrayLike) -> Floats:
    pilot = np.asarray(figures, dtype=np.float64)
    if not (len(pilot) and np.isfinite(pilot).all() and np.ptp(pilot) > 0):
        raise SuiteError("The pilot's figures do not differ: run more seeds of it.")
    return pilot


def _shows(pilot: Floats, seeds: int, level: float, power: float) -> Callable[[float], bool]:
    """Whether two methods that spread as a pilot did are told apart, by their difference."""
    rng = np.random.default_rng(0)
    draws = rng.choice(pilot, (2, seeds, _FEW_DRAWN + _DRAWN // seeds))
    if 2 * len(np.unique(pilot)) <= len(pilot):
        draws = draws[..., :_FEW_DRAWN]
    else:  # what is drawn twice would be two figures, though near ones
        draws += rng.normal(0.0, _NEAR * np.ptp(pilot), draws.shape)

    def shows(difference: float) -> bool:
        return bool(told_apart(draws[0] + difference, draws[1], level).mean() >= power)

    return shows


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
        SuiteError: a difference that is not positive or takes millions of seeds, or as
            ``detectable_difference``.
    """
    _check_difference(difference)

    def shown(seeds: int) -> float:
        return detectable_difference(
            sd, seeds, methods=methods, statistic=statistic, alpha=alpha, power=power
        )

    return _fewest(lambda seeds: shown(seeds) <= difference, difference, _MOST_SEEDS)


def drawn_seeds(
    difference: float,
    figures: ArrayLike,
    *,
    methods: int = 2,
    alpha: float = 0.05,
    power: float = 0.8,
) -> int:
    """How many seeds of each method show a difference of that size; see ``drawn_difference``.

    Raises:
        SuiteError: a difference that is not positive or takes thousands of seeds, or as
            ``drawn_difference``.
    """
    _check_difference(difference)
    check_level(alpha)
    check_level(power, "power")
    _check_methods(methods)
    pilot, level = _pilot(figures), level_of_pair(methods, alpha)

    def enough(seeds: int) -> bool:
        return power <= alpha or _shows(pilot, seeds, level, power)(difference)

    return _fewest(enough, difference, _MOST_DRAWN)


def _fewest(enough: Callable[[int], bool], difference: float, most: int) -> int:
    """The fewest seeds, two at least, that are enough.

    Raises:
        SuiteError: so many as ``most`` are not.
    """
    low, high = 1, 2
    while not enough(high):
        if high >= most:
            raise SuiteError(
                f"A difference of {difference:g} takes more than {most:,} seeds of each method: "
                f"look for a larger one."
            )
        low, high = high, min(2 * high, most)
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
    "PILOT_SEEDS",
    "detectable_difference",
    "detectable_shift",
    "drawn_difference",
    "drawn_seeds",
    "power_of_pair",
    "seeds_needed",
    "shift_power",
]
