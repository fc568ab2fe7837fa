"""Signal and report from different trainings, wherever a table has several of each architecture.

Where both come from the same trainings, a search wins by picking a lucky one: of an architecture
that looks good by chance, the very training that looked good is reported. So the trainings of each
architecture are divided: some answer the search, and the figure reported is the mean of all others
(cross-fitting, as in Chernozhukov et al., *Double/debiased machine learning*, Econom. J. 2018).
Which trainings answer rotates with the seed of the search, so that over its seeds a method meets
all of them, and all methods meet the same ones at the same seed.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nasbench_suite.benchmarks.metric import Metric
from nasbench_suite.benchmarks.table import Benchmark

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class CrossFit:
    """How the trainings of a table are divided between signal and report.

    Attributes:
        signal: the metric that a search sees.
        judged_by: the metric that it is judged by.
        seeds: training seeds that both have.
        taken: trainings behind a signal: half of those that every architecture has which has two,
            rounded down, so that signals are equally noisy everywhere.
        folds: ways to divide: a search with seed s takes the way ``s % folds``.
        single: architectures with one training alone, which then serves as both.
    """

    signal: str
    judged_by: str
    seeds: tuple[int, ...]
    taken: int
    folds: int
    single: int


def plan_crossfit(benchmark: Benchmark, signal: str, judged_by: str) -> CrossFit | None:
    """How to divide the trainings behind two metrics; None where there is nothing to divide.

    That is so where the metrics have not two seeds in common, as of a table with one seed, or of
    signals and reports that are from different trainings to begin with.
    """
    one, other = benchmark.metric(signal), benchmark.metric(judged_by)
    seeds = tuple(seed for seed in one.seeds if seed in other.seeds)
    if signal == judged_by or len(seeds) < 2:
        return None
    counts = _trained(benchmark, signal, judged_by, seeds).sum(axis=1)
    if not (counts >= 2).any():
        return None
    least = int(counts[counts >= 2].min())
    taken = least // 2
    return CrossFit(signal, judged_by, seeds, taken, least // taken, int((counts == 1).sum()))


def fold_of(
    benchmark: Benchmark, plan: CrossFit, fold: int, family: Iterable[str] = ()
) -> Benchmark:
    """The table as the searches of one fold see it and are judged on it.

    Args:
        benchmark: the whole table.
        plan: how its trainings are divided.
        fold: which way, in [0, ``plan.folds``).
        family: the signal after fewer epochs, which is the same training read earlier.

    Returns:
        The table with the signal (and its family) of the trainings taken, and the report of the
        others. Where an architecture has one training, both are of that.
    """
    taken = _taken(benchmark, plan, fold)
    metrics: dict[str, Metric] = {}
    columns: dict[str, Floats] = {}
    for name in {*family, plan.signal}:
        known = benchmark.metric(name)
        if len(known.seeds) < 2:
            continue
        figures = _figures(benchmark, name, plan.seeds)
        # The n-th training that was taken, whichever seed it has.
        places = np.where(taken, np.cumsum(taken, axis=1) - 1, -1)
        own = [np.where(places == n, figures, np.nan) for n in range(plan.taken)]
        several = tuple(range(plan.taken)) if plan.taken > 1 else ()
        metrics[name] = replace(known, seeds=several)
        for n in several:
            columns[metrics[name].seed_column(n)] = _mean(own[n], np.nan)
        columns[name] = _mean(np.where(taken, figures, np.nan), benchmark.values(name))
    known = benchmark.metric(plan.judged_by)
    figures = benchmark.seed_values(plan.judged_by)
    kept = np.ones(figures.shape, dtype=np.bool_)
    for place, seed in enumerate(plan.seeds):
        kept[:, known.seeds.index(seed)] = ~taken[:, place]
    metrics[plan.judged_by] = replace(known, seeds=())
    columns[plan.judged_by] = _mean(
        np.where(kept, figures, np.nan), benchmark.values(plan.judged_by)
    )
    return _with(benchmark, metrics, columns)


def chosen_by(benchmark: Benchmark, plan: CrossFit, fold: int) -> Benchmark:
    """The table whose report is of the trainings that answer searches in a fold.

    What is best on it was chosen without the figures by which searches of the fold are judged.
    """
    known = benchmark.metric(plan.judged_by)
    taken = _taken(benchmark, plan, fold)
    figures = np.where(taken, _figures(benchmark, plan.judged_by, plan.seeds), np.nan)
    column = _mean(figures, benchmark.values(plan.judged_by))
    return _with(benchmark, {known.name: replace(known, seeds=())}, {known.name: column})


def crossfit_optimum(benchmark: Benchmark, metric: str, eligible: Mask | None = None) -> float:
    """What the best architecture reaches in a training that it was not chosen by.

    The best of a table is in part the luckiest: its figure is a maximum of noise. So each training
    in turn is left out, the best by the mean of the others is found, and its figure is read in the
    one left out; the mean of these over the trainings does not exceed, but by chance, what the best
    architecture is worth. The more trainings choose, the closer it comes, so the candidates are
    those with at least n of them, for each n that occurs, and the best of these values counts.

    Args:
        benchmark: the table.
        metric: one with two seeds at least.
        eligible: which architectures a search may return, shape (space.size,); all if left out.
    """
    sign = 1.0 if benchmark.metric(metric).direction == "maximize" else -1.0
    figures = sign * benchmark.seed_values(metric)
    if eligible is not None:
        figures = np.where(eligible[:, None], figures, np.nan)
    counts = (~np.isnan(figures)).sum(axis=1)
    found = [
        _left_out(figures[counts >= least]) for least in np.unique(counts[counts >= 2]).tolist()
    ]
    return sign * max(found)


def _left_out(figures: Floats) -> float:
    """Mean over trainings of the figure there of the best by all others; larger is better."""
    trained = ~np.isnan(figures)
    values, weights = [], []
    for place in range(figures.shape[1]):
        rows = figures[trained[:, place] & (trained.sum(axis=1) > 1)]
        if len(rows):
            others = np.nanmean(np.delete(rows, place, axis=1), axis=1).round(_DIGITS)
            values.append(float(rows[others == others.max(), place].mean()))  # of ties the mean
            weights.append(len(rows))
    return float(np.average(values, weights=weights))


_DIGITS = 9  # what differs by less differs by rounding


def _with(
    benchmark: Benchmark, metrics: dict[str, Metric], columns: dict[str, Floats]
) -> Benchmark:
    for column in columns.values():
        column.setflags(write=False)
    every: Any = ChainMap(columns, benchmark.columns)  # type: ignore[arg-type]  # is only read
    known = {**benchmark.metrics, **metrics}
    return Benchmark(benchmark.name, benchmark.space, known, every, benchmark.about)


def _figures(benchmark: Benchmark, metric: str, seeds: tuple[int, ...]) -> Floats:
    """The figures of those seeds, shape (space.size, seeds); NaN where there are none."""
    known = benchmark.metric(metric)
    none = np.full(benchmark.space.size, np.nan)
    columns = [
        benchmark.columns[known.seed_column(seed)] if seed in known.seeds else none
        for seed in seeds
    ]
    return np.stack(columns, axis=1)


def _trained(benchmark: Benchmark, signal: str, judged_by: str, seeds: tuple[int, ...]) -> Mask:
    """Which trainings have both figures, shape (space.size, seeds)."""
    both = (_figures(benchmark, name, seeds) for name in (signal, judged_by))
    found: Mask = np.logical_and(*(~np.isnan(figures) for figures in both))
    return found


def _taken(benchmark: Benchmark, plan: CrossFit, fold: int) -> Mask:
    """Which trainings answer the searches of a fold, shape (space.size, seeds)."""
    trained = _trained(benchmark, plan.signal, plan.judged_by, plan.seeds)
    turn = np.cumsum(trained, axis=1) - 1  # counted among the trainings of the architecture
    several = trained.sum(axis=1, keepdims=True) > 1
    turns = (turn >= fold * plan.taken) & (turn < (fold + 1) * plan.taken)
    found: Mask = trained & (turns | ~several)
    return found


def _mean(figures: Floats, otherwise: Floats | float) -> Floats:
    """Means over the trainings that there are, shape (size,)."""
    there = ~np.isnan(figures)
    counts = there.sum(axis=1)
    sums = np.where(there, figures, 0.0).sum(axis=1)
    found: Floats = np.where(counts > 0, sums / np.maximum(counts, 1), otherwise)
    return found


__all__ = ["CrossFit", "chosen_by", "crossfit_optimum", "fold_of", "plan_crossfit"]
