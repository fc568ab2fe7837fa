"""The noise floor: how far two trainings of the same function differ by chance alone.

Two kinds of repetition show it. *Twins* are isomorphic cells: they compute the same function, so
within a canonical class accuracies differ by training noise alone. *Seeds* are repeated
trainings of one architecture. Both estimate the same quantity here: the median difference of
two independent repetitions of the figure that the table reports.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from nasbench_suite.benchmarks.table import Benchmark
from nasbench_suite.errors import SuiteError
from nasbench_suite.spaces import FiniteSpace

Replicates = Literal["twins", "seeds"]

# Twins share their training outcome alone: their latencies differ, as dead branches are executed.
OUTCOMES = ("accuracy", "loss")


@dataclass(frozen=True)
class NoiseFloor:
    """The training noise of one metric, in its unit.

    The figure the table reports is a mean over n seeds (n = 1 if it names none). A group is what
    repeats the same function: the members of a canonical class, whose reported figures are
    repetitions as they stand; or the seeds of one architecture, which are divided by sqrt(n),
    as the mean of n independent seeds scatters less than one seed by that factor.

    Attributes:
        metric: its name.
        source: what the repetitions are, ``twins`` or ``seeds``.
        floor: median of ``|a - b|`` for a group drawn uniformly and two of its members a and b;
            2 ** 0.5 * 0.6745 = 0.954 times the standard deviation where noise is Gaussian.
            Differences below it are ties: two equal architectures differ by as much half the time.
        median_range: median over groups of largest less smallest member. Of pairs it is near
            ``floor`` (the median of an even number of groups lies between two of them), and it
            grows with the size of the groups.
        max_range: the largest such range.
        sd: standard deviation within groups, pooled over them; dominated by the worst groups.
        groups: number of groups of two members or more.
    """

    metric: str
    source: Replicates
    floor: float
    median_range: float
    max_range: float
    sd: float
    groups: int


def noise_floor(
    benchmark: Benchmark, metric: str, source: Replicates | None = None
) -> NoiseFloor | None:
    """The training noise of a metric, or None where the table has no repetitions of it.

    Twins are taken where there are any, seeds otherwise. Twins are no repetitions where only one
    of them was trained and the others carry its figures (they then agree in every class), nor
    for a metric that is no outcome of training, such as latency.

    Args:
        benchmark: the table.
        metric: name of the metric.
        source: ``twins`` or ``seeds``, to ask for one of them.

    Raises:
        SuiteError: the table has no such metric, or ``source`` is neither.
    """
    if source not in (None, "twins", "seeds"):
        raise SuiteError(f"Unknown source of noise {source!r}: choose 'twins' or 'seeds'.")
    twins = _twins(benchmark, metric)
    if twins is not None and source != "seeds":
        return _measure(metric, "twins", *twins)
    seeds = _seeds(benchmark, metric)
    if seeds is not None and source != "twins":
        return _measure(metric, "seeds", *seeds)
    return None


def why_no_noise_floor(benchmark: Benchmark, metric: str) -> str:
    """One sentence on why ``noise_floor`` answers None."""
    if benchmark.metric(metric).quantity not in OUTCOMES:
        return (
            "no outcome of training, so isomorphic architectures are no repetitions, and no seeds"
        )
    if len(benchmark.space.representatives) == benchmark.space.size:
        return "no isomorphic architectures in this space, and not several seeds"
    return "isomorphic architectures carry copies of one figure, and there are not several seeds"


_Groups = tuple[NDArray[np.float64], NDArray[np.int64]]
"""Repetitions, and the group each belongs to; of equal shape, groups in ascending order."""


def _twins(benchmark: Benchmark, metric: str) -> _Groups | None:
    values = benchmark.values(metric)
    space = benchmark.space
    if benchmark.metric(metric).quantity not in OUTCOMES or are_copied(space, values):
        return None
    order = np.argsort(space.classes, kind="stable")
    order = order[~np.isnan(values[order])]  # what is not available is no repetition
    return _several(values[order], space.classes[order])


def are_copied(space: FiniteSpace, values: NDArray[np.float64]) -> bool:
    """Whether all members of each class have one figure; so it is where there are no twins."""
    of_first = values[space.representatives][space.classes]
    return np.array_equal(values, of_first, equal_nan=True)


def _seeds(benchmark: Benchmark, metric: str) -> _Groups | None:
    figures = benchmark.seed_values(metric)
    if are_copied(benchmark.space, benchmark.values(metric)):
        figures = figures[benchmark.space.representatives]  # what was trained, once each
    trained = ~np.isnan(figures)
    repetitions = figures / np.sqrt(np.maximum(trained.sum(axis=1, keepdims=True), 1))
    groups = np.repeat(np.arange(len(figures)), trained.sum(axis=1))
    return _several(repetitions[trained], groups)


def _several(values: NDArray[np.float64], groups: NDArray[np.int64]) -> _Groups | None:
    """The groups of two members or more; None if there are none."""
    _, group, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    kept = sizes[group] > 1
    return (values[kept], groups[kept]) if kept.any() else None


def _measure(
    metric: str, source: Replicates, values: NDArray[np.float64], groups: NDArray[np.int64]
) -> NoiseFloor:
    starts = np.flatnonzero(np.r_[True, groups[1:] != groups[:-1]])
    sizes = np.diff(np.r_[starts, len(values)])
    ranges = np.maximum.reduceat(values, starts) - np.minimum.reduceat(values, starts)
    means = np.add.reduceat(values, starts) / sizes
    squares = np.square(values - np.repeat(means, sizes)).sum()
    return NoiseFloor(
        metric,
        source,
        floor=_median_difference(values, groups, sizes),
        median_range=float(np.median(ranges)),
        max_range=float(ranges.max()),
        sd=float(np.sqrt(squares / (sizes - 1).sum())),
        groups=len(sizes),
    )


def _median_difference(
    values: NDArray[np.float64], groups: NDArray[np.int64], sizes: NDArray[np.int64]
) -> float:
    """Median of ``|a - b|`` over all pairs within groups, every group weighing the same."""
    weight_of_pair = np.repeat(2 / (sizes * (sizes - 1)), sizes)
    differences, weights = [], []
    for lag in range(1, int(sizes.max())):
        same = groups[lag:] == groups[:-lag]
        differences.append(np.abs(values[lag:] - values[:-lag])[same])
        weights.append(weight_of_pair[lag:][same])
    difference, weight = np.concatenate(differences), np.concatenate(weights)
    order = np.argsort(difference)
    below = np.cumsum(weight[order])
    return float(difference[order[np.searchsorted(below, below[-1] / 2)]])


# -- noise by accuracy -----------------------------------------------------------------------------

_SHARES = (*np.linspace(0.0, 0.9, 10), 0.95, 0.975, 0.99, 1.0)  # finer where searches end
_FEWEST = 20  # groups in a bin


@dataclass(frozen=True)
class NoiseModel:
    """Training noise by the figure itself: on digits 13 times larger at the bottom than at the top.

    Attributes:
        metric: its name.
        figures: mean figures of bins of groups of repetitions, ascending, shape (bins,).
        spreads: standard deviation of a reported figure in each bin, shape (bins,).
    """

    metric: str
    figures: NDArray[np.float64]
    spreads: NDArray[np.float64]

    FLOOR_IN_SD: ClassVar[float] = 2**0.5 * 0.6744897501960817
    """Median difference of two Gaussian repetitions, in their standard deviation."""

    def sd(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Standard deviations at reported figures, between the bins by interpolation."""
        return np.interp(values, self.figures, self.spreads)


def resolution(benchmark: Benchmark, metric: str) -> float | None:
    """Down to which difference the table tells its best architectures apart, in the metric's unit.

    Two whose reported figures differ by more would do so by training noise alone in one case of
    twenty: ``1.96 * 2 ** 0.5`` standard deviations of a reported figure at the top, where searches
    end. Of two methods that each end at one architecture no number of seeds shows less; where a
    method ends at k different ones, its share of the noise is smaller by the root of k.

    Returns:
        The difference, or None where ``noise_floor`` has none.
    """
    model = noise_model(benchmark, metric)
    if model is None:
        return None
    top = -1 if benchmark.metric(metric).direction == "maximize" else 0
    return float(_TWO_SIDED * 2**0.5 * model.spreads[top])


_TWO_SIDED = 1.959963984540054  # normal quantile of 0.975


def noise_model(benchmark: Benchmark, metric: str) -> NoiseModel | None:
    """Training noise of a metric by its figure, or None where ``noise_floor`` has none.

    Groups of repetitions, those of ``noise_floor``, are ordered by their mean and put into bins,
    one for each tenth and finer in the best tenth; within a bin the variances are pooled.

    Raises:
        SuiteError: the table has no such metric.
    """
    twins, seeds = _twins(benchmark, metric), _seeds(benchmark, metric)
    found = twins if twins is not None else seeds
    if found is None:
        return None
    values, groups = found
    starts = np.flatnonzero(np.r_[True, groups[1:] != groups[:-1]])
    sizes = np.diff(np.r_[starts, len(values)])
    means = np.add.reduceat(values, starts) / sizes
    squares = np.add.reduceat(np.square(values - np.repeat(means, sizes)), starts)
    figures = means if twins is not None else means * np.sqrt(sizes)  # see _seeds
    better = 1.0 if benchmark.metric(metric).direction == "maximize" else -1.0
    order = np.argsort(better * figures, kind="stable")
    edges = [0]
    for edge in np.rint(np.array(_SHARES[1:]) * len(order)).astype(int).tolist():
        if edge - edges[-1] >= _FEWEST or edges == [0]:
            edges.append(edge)
    edges[-1] = len(order)
    bins = [order[begin:end] for begin, end in pairwise(edges) if end > begin]
    at = np.array([figures[members].mean() for members in bins])
    spreads = np.array([np.sqrt(squares[m].sum() / (sizes[m] - 1).sum()) for m in bins])
    ascending = np.argsort(at)
    return NoiseModel(metric, at[ascending], spreads[ascending])
