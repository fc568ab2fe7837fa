"""What a second training of the same architecture would score as a predictor of the first."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nasbench_suite.benchmarks.noise import OUTCOMES, are_copied
from nasbench_suite.benchmarks.table import Benchmark

Array = NDArray[np.float64]

CEILING = "second training"
"""What the noise ceiling is called among predictors."""


def repetitions(
    benchmark: Benchmark, metric: str, pool: NDArray[np.int64], rng: np.random.Generator
) -> tuple[NDArray[np.int64], Array, Array] | None:
    """Figures of architectures, and others of trainings of the same function.

    By isomorphic twins, of which each was trained, where there are any: the other figure is that
    of a twin drawn at random. Otherwise by seeds: both are drawn from an architecture's, and as the
    table reports their mean, which repeats better, that ceiling is a little low.

    A predictor that knew every architecture's expected figure would do better than this, as it
    would have no noise of its own: what is measured correlates by r with itself and by the root
    of r, nearly, with what is expected. The ceiling is what the field does when it trains again.

    Args:
        benchmark: the table.
        metric: the figure.
        pool: the architectures that may be taken.
        rng: draws twins, or seeds.

    Returns:
        The architectures of the pool that have a repetition, their figures and the others; None
        where the table has no repetitions.
    """
    values = benchmark.values(metric)
    space = benchmark.space
    if benchmark.metric(metric).quantity in OUTCOMES and not are_copied(space, values):
        return _twins(space.classes, values, pool, rng)
    figures = benchmark.seed_values(metric)[pool]
    several = (~np.isnan(figures)).sum(axis=1) > 1
    if not several.any():
        return None
    # Two of each row's seeds: the largest of random keys, what was not trained last.
    keys = np.where(np.isnan(figures), -1.0, rng.random(figures.shape))[several]
    order = np.argsort(-keys, axis=1)[:, :2]
    first, second = np.take_along_axis(figures[several], order, axis=1).T
    return pool[several], first, second


def _twins(
    classes: NDArray[np.int64],
    values: Array,
    pool: NDArray[np.int64],
    rng: np.random.Generator,
) -> tuple[NDArray[np.int64], Array, Array] | None:
    known = np.flatnonzero(~np.isnan(values))
    order = known[np.argsort(classes[known], kind="stable")]
    _, starts, sizes = np.unique(classes[order], return_index=True, return_counts=True)
    place = np.empty(len(values), dtype=np.int64)
    place[order] = np.arange(len(order))
    group = np.full(len(values), -1)
    group[order] = np.repeat(np.arange(len(starts)), sizes)
    able = pool[(group[pool] >= 0) & (sizes[group[pool]] > 1)]
    if not len(able):
        return None
    # Another member of the class: a step of 1 to size - 1 round the class.
    start, size = starts[group[able]], sizes[group[able]]
    step = 1 + (rng.random(len(able)) * (size - 1)).astype(np.int64)
    other = order[start + (place[able] - start + step) % size]
    return able, values[able], values[other]
