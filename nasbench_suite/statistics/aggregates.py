"""Aggregates over seeds and tasks, their bootstrap intervals, regret and ranks.

Mean, interquartile mean and median are one family: the mean of what is left once ``_cut``
values are dropped at either end. Each is linear in the sorted values, so a bootstrap resample
is a vector of counts, and one matrix product resamples many methods at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nasbench_suite.errors import SuiteError, choose_from

Statistic = Literal["mean", "iqm", "median"]
Floats = NDArray[np.float64]

MOST_RESAMPLES = 1_000_000
TAIL = 0.2  # share of the seeds in the tail that CVaR averages: two of ten
_BLOCK = 200_000  # values resampled at a time, so that their counts stay in the cache
_LARGE = 10_000  # values from which on the bootstrap is its limit


def interquartile_mean(values: ArrayLike, axis: int = -1) -> Any:
    """The mean of the middle half of ``values`` along an axis.

    Of n values, ``n // 4`` are dropped at either end, as ``scipy.stats.trim_mean`` does and as
    Agarwal et al., *Deep reinforcement learning at the edge of the statistical precipice*,
    NeurIPS 2021, recommend for few seeds. NaN where any value is NaN.
    """
    return aggregate(values, "iqm", axis)


def aggregate(values: ArrayLike, statistic: Statistic = "iqm", axis: int = -1) -> Any:
    """Mean, interquartile mean or median of ``values`` along an axis; NaN if any value is."""
    array = np.sort(np.moveaxis(np.asarray(values, dtype=np.float64), axis, -1), axis=-1)
    count = array.shape[-1]
    if not count:
        raise SuiteError(f"The {statistic} of no values at all is undefined: give at least one.")
    cut = _cut(statistic, count)
    kept = array[..., cut : count - cut].mean(axis=-1)
    return np.where(np.isnan(array[..., -1]), np.nan, kept)[()]  # NaN is sorted last


def stratified_bootstrap(
    strata: Sequence[ArrayLike],
    statistic: Statistic = "iqm",
    *,
    confidence: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> tuple[Any, Any]:
    """Percentile interval of a statistic of all values, resampled within each stratum.

    As in Agarwal et al. (NeurIPS 2021): strata are tasks, values are runs, and a resample draws
    from each task as many runs as it has. A single stratum gives the plain bootstrap. Of more
    than 10,000 values, mean and IQM get the normal interval that the bootstrap tends to, whose
    variance is that of the statistic's influence function: then as exact, and much faster.

    Args:
        strata: one array a task, of shape (runs, ...); runs may differ between tasks, the
            further axes (methods, budgets, ...) may not, and each entry of them gets its own
            interval.
        statistic: see ``aggregate``.
        confidence: coverage aimed at.
        resamples: number of bootstrap resamples.
        seed: of the resampling; the same seed gives the same interval.

    Returns:
        Low and high ends, of the shape of the further axes. With one run in each stratum the
        resamples are all equal, and so are the ends.

    Raises:
        SuiteError: an empty stratum, or a confidence or number of resamples out of range.
    """
    if not 0.0 < confidence < 1.0:
        raise SuiteError(f"A confidence of {confidence} is impossible: choose one in (0, 1).")
    check_resamples(resamples)
    arrays = [np.asarray(stratum, dtype=np.float64) for stratum in strata]
    if not arrays or any(not len(array) for array in arrays):
        raise SuiteError("A bootstrap needs at least one value in each stratum.")
    values = np.concatenate(arrays)
    columns = values.reshape(len(values), -1)
    if len(values) > _LARGE and statistic != "median":
        ends = _normal_interval(columns, [len(a) for a in arrays], statistic, confidence)
        return ends[0].reshape(values.shape[1:])[()], ends[1].reshape(values.shape[1:])[()]
    rng = np.random.default_rng(seed)
    orders = np.argsort(columns, axis=0)
    ascending = np.take_along_axis(columns, orders, axis=0)
    statistics = np.empty((resamples, columns.shape[1]))
    step = max(1, _BLOCK // len(values))
    for begin in range(0, resamples, step):
        block = slice(begin, min(begin + step, resamples))
        counts = np.concatenate(
            [resample_counts(len(array), block.stop - begin, rng) for array in arrays]
        )
        if len(arrays) == 1:  # its runs are interchangeable, so any order of the counts will do
            statistics[block] = _resampled(counts, ascending, statistic)
        else:
            for column, order in enumerate(orders.T):
                statistics[block, column] = _resampled(
                    counts[order], ascending[:, column], statistic
                )
    tail = (1.0 - confidence) / 2.0
    low, high = np.quantile(statistics, [tail, 1.0 - tail], axis=0)
    center = aggregate(columns, statistic, axis=0)
    # Rounding must not leave a statistic outside of its own interval.
    low, high = np.minimum(low, center), np.maximum(high, center)
    shape = values.shape[1:]
    return low.reshape(shape)[()], high.reshape(shape)[()]


def _normal_interval(
    columns: Floats, sizes: Sequence[int], statistic: Statistic, confidence: float
) -> Floats:
    """Low and high ends of each column's interval, shape (2, columns).

    A trimmed mean of n values moves with each by 1 / (n - 2 cut), as long as it stays between the
    cut quantiles (Huber, *Robust Statistics*, section 3.3).

    Args:
        columns: all values, shape (values, columns), stratum after stratum.
        sizes: values of each stratum.
        statistic: mean or IQM.
        confidence: coverage aimed at.
    """
    from scipy.special import ndtri

    total = len(columns)
    cut = _cut(statistic, total)
    partitioned = np.partition(columns, (cut, total - cut - 1), axis=0)
    clipped = np.clip(columns, partitioned[cut], partitioned[total - cut - 1])
    parts = np.split(clipped, np.cumsum(sizes)[:-1])
    variance = sum(len(part) * part.var(axis=0) for part in parts) / (total - 2 * cut) ** 2
    reach = ndtri(0.5 + confidence / 2) * np.sqrt(variance)
    center = aggregate(columns, statistic, axis=0)
    found: Floats = np.stack([center - reach, center + reach])
    return found


def regret(values: ArrayLike, optimum: float, direction: str = "maximize") -> Any:
    """By how much ``values`` fall short of the optimum, in their own unit.

    Negative where they exceed it, which is possible where the optimum is an estimate: see
    ``benchmarks.crossfit.crossfit_optimum``.
    """
    array = np.asarray(values, dtype=np.float64)
    if direction not in ("maximize", "minimize"):
        raise SuiteError(choose_from("direction", direction, ["maximize", "minimize"]))
    return (optimum - array if direction == "maximize" else array - optimum)[()]


def ranks(values: ArrayLike, direction: str = "maximize") -> Floats:
    """Ranks along the last axis, 1 the best, equal values sharing the mean of their ranks.

    Args:
        values: one figure a method along the last axis, such as (methods,) or (seeds, methods).
        direction: whether larger or smaller figures are better.

    Returns:
        Ranks, of the same shape; NaN where the figure is NaN, and that method is then left out
        of the others' ranking.
    """
    from scipy.stats import rankdata

    array = np.asarray(values, dtype=np.float64)
    losses = regret(array, 0.0, direction)
    found: Floats = rankdata(losses, method="average", axis=-1, nan_policy="omit")
    return found


def mean_ranks(values: ArrayLike, direction: str = "maximize") -> Floats:
    """Mean over blocks of the methods' ranks within each block (Friedman's mean ranks).

    Args:
        values: shape (blocks, methods): a block is a seed of one task, or one task. Blocks in
            which any method's figure is NaN are left out.
        direction: whether larger or smaller figures are better.

    Returns:
        Shape (methods,); NaN if no block has a figure of every method.
    """
    array = np.asarray(values, dtype=np.float64)
    complete = array[~np.isnan(array).any(axis=1)]
    if not len(complete):
        return np.full(array.shape[1], np.nan)
    means: Floats = ranks(complete, direction).mean(axis=0)
    return means


def conditional_value_at_risk(
    values: ArrayLike, tail: float = TAIL, direction: str = "maximize"
) -> float:
    """The mean of the worst share of values (CVaR, expected shortfall).

    The boundary value counts with the part of it that belongs to the tail, so the figure is
    continuous in ``tail``: with ``tail`` 1 it is the mean, towards 0 the worst value.
    Rockafellar and Uryasev, *Optimization of conditional value-at-risk*, 2000.

    Args:
        values: shape (n,).
        tail: share of the values, in (0, 1].
        direction: ``maximize`` if small values are bad.

    Raises:
        SuiteError: no values, or an impossible share.
    """
    if not 0 < tail <= 1:
        raise SuiteError(f"A tail of {tail} is impossible: choose one in (0, 1].")
    array = np.sort(np.asarray(values, dtype=np.float64))
    if not len(array):
        raise SuiteError("The CVaR of no values at all is undefined: give at least one.")
    if direction == "minimize":
        array = array[::-1]
    mass = tail * len(array)
    weights = np.clip(mass - np.arange(len(array)), 0, 1)
    return float(weights @ array / mass)


def _cut(statistic: Statistic, count: int) -> int:
    """How many of ``count`` values the statistic drops at either end."""
    if statistic not in get_args(Statistic):
        raise SuiteError(choose_from("statistic", statistic, list(get_args(Statistic))))
    return {"mean": 0, "iqm": count // 4, "median": (count - 1) // 2}[statistic]


def check_resamples(resamples: int) -> None:
    """Refuse a number of resamples that no bootstrap can be made of."""
    if resamples < 1:
        raise SuiteError(f"{resamples} resamples are too few: choose at least one.")
    if resamples > MOST_RESAMPLES:
        raise SuiteError(f"{resamples} resamples are too many: choose {MOST_RESAMPLES:,} or fewer.")


def resample_counts(count: int, resamples: int, rng: np.random.Generator) -> Floats:
    """How often each of ``count`` values is drawn in a resample, shape (count, resamples)."""
    draws = rng.integers(count, size=(count, resamples)) * resamples + np.arange(resamples)
    counts = np.bincount(draws.ravel(), minlength=count * resamples)
    return counts.reshape(count, resamples).astype(np.float64)


def _resampled(counts: Floats, ascending: Floats, statistic: Statistic) -> Floats:
    """The statistic of each resample, shape (resamples, ...).

    A sorted resample of n values holds the smallest value ``counts[0]`` times, and so on; its
    places from ``cut`` to ``n - cut`` enter the mean. With ``ends[i]`` the place, held within
    those two, after the last copy of value i, their sum is that of
    ``ascending[i] * (ends[i] - ends[i - 1])``, here summed by parts.

    Args:
        counts: how often each value was drawn, shape (values, resamples).
        ascending: the values in ascending order, shape (values, ...).
        statistic: see ``aggregate``.
    """
    total = len(ascending)
    cut = _cut(statistic, total)
    ends = np.cumsum(counts, axis=0)
    np.clip(ends, cut, total - cut, out=ends)
    whole = ascending[-1] * (total - cut) - ascending[0] * cut
    result: Floats = (whole - ends[:-1].T @ np.diff(ascending, axis=0)) / (total - 2 * cut)
    return result
