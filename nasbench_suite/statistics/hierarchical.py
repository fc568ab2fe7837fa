"""A Bayesian comparison of two methods on tasks like these, from seeds within tasks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nasbench_suite.errors import SuiteError
from nasbench_suite.statistics.significance import Posterior, check_rope

Floats = NDArray[np.float64]

_WARM_UP = 300
_SHAPE, _RATE = 2.0, 0.1  # of the gamma prior of the degrees of freedom
_FREEDOMS = np.geomspace(1.0, 100.0, 40)
_WIDEST = 1000.0  # times the observed spreads: upper end of the priors of standard deviations


def hierarchical_comparison(
    differences: Sequence[ArrayLike],
    rope: float = 0.0,
    *,
    samples: int = 1500,
    seed: int = 0,
) -> Posterior:
    """Is the first method better, worse, or practically the same on a further task?

    Benavoli, Corani, Demsar and Zaffalon, *Time for a change*, JMLR 2017, section 5 (Corani et al.,
    *Statistical comparison of classifiers through Bayesian hierarchical modelling*, Mach. Learn.
    2017), with independent seeds instead of correlated folds: the differences on task i are normal
    about mu_i with a standard deviation of their own, the mu_i follow Student's t about mu_0, and
    priors are flat, but for the degrees of freedom, which are gamma with shape 2 and rate 0.1. A
    task with few or noisy seeds counts for less, and few tasks leave the spread between tasks open:
    a single one says next to nothing.

    Sampled by Gibbs' scheme, Student's t as a normal of random variance. For each draw the chances
    that a further task's mu lies below, within and above the region are found, and a probability is
    how often that region has the greatest.

    Args:
        differences: first method less second, one array a task, each of shape (seeds,) with two
            seeds at least.
        rope: half the width of the region of practical equivalence.
        samples: of the posterior, after a warm-up.
        seed: of the sampling.

    Raises:
        SuiteError: no task, one with fewer than two seeds or a missing difference, or a negative
            region.
    """
    from scipy.special import stdtr

    tasks = [np.asarray(values, dtype=np.float64) for values in differences]
    if not tasks or min(map(len, tasks)) < 2 or any(np.isnan(task).any() for task in tasks):
        raise SuiteError("A hierarchical comparison needs two seeds or more on each task.")
    check_rope(rope)
    locations, scales, freedoms = _posterior(tasks, samples, np.random.default_rng(seed))
    below = stdtr(freedoms, (-rope - locations) / scales)
    above = stdtr(freedoms, (locations - rope) / scales)
    shares = np.stack([below, 1.0 - below - above, above])
    most = shares >= shares.max(axis=0) - 1e-12
    worse, equal, better = (most / most.sum(axis=0)).mean(axis=1).tolist()
    return Posterior(worse, equal, better)


def _posterior(
    tasks: Sequence[Floats], samples: int, rng: np.random.Generator
) -> tuple[Floats, Floats, Floats]:
    """Draws of mu_0, sigma_0 and the degrees of freedom, each of shape (samples,)."""
    counts = np.array([len(task) for task in tasks], dtype=np.float64)
    means = np.array([task.mean() for task in tasks])
    squares = np.array([np.square(task - task.mean()).sum() for task in tasks])
    within = float(np.sqrt(squares.sum() / (counts - 1).sum())) or 1e-9
    between = float(means.std()) or within
    # Seeds without any spread are as sure as a table is fine, and not more.
    squares = np.maximum(squares, np.square(1e-6 * max(within, between)))
    location, scale, freedom = float(means.mean()), between, 10.0
    mu, weights = means.copy(), np.ones(len(tasks))
    sigma = np.maximum(np.sqrt(squares / counts), 1e-9 * max(within, between))
    found = np.empty((3, samples))
    log_prior = (_SHAPE - 1.0) * np.log(_FREEDOMS) - _RATE * _FREEDOMS + np.log(_FREEDOMS)
    for step in range(-_WARM_UP, samples):
        # Of each task: its mean, its standard deviation, and its share of the spread between tasks.
        precision = counts / sigma**2 + weights / scale**2
        center = (counts * means / sigma**2 + weights * location / scale**2) / precision
        mu = rng.normal(center, precision**-0.5)
        sigma = _scale(squares + counts * np.square(mu - means), counts, _WIDEST * within, rng)
        gaps = np.square(mu - location) / scale**2
        weights = rng.gamma((freedom + 1.0) / 2.0, 2.0 / (freedom + gaps))
        # What they have in common.
        location = float(rng.normal((weights @ mu) / weights.sum(), scale / np.sqrt(weights.sum())))
        total = np.array([weights @ np.square(mu - location)])
        scale = float(_scale(total, np.array([float(len(tasks))]), _WIDEST * between, rng)[0])
        freedom = _freedom(weights, log_prior, rng)
        if step >= 0:
            found[:, step] = location, scale, freedom
    return found[0], found[1], found[2]


def _scale(squares: Floats, counts: Floats, most: float, rng: np.random.Generator) -> Floats:
    """Standard deviations given sums of squares of so many normal deviations, prior flat to most.

    What divides half the sum of squares is a gamma variable of shape (n - 1) / 2 above a cut. With
    one deviation the shape is zero, and only the cut makes it proper.
    """
    from scipy.special import gammaincc, gammainccinv

    half = np.maximum(squares, 1e-300) / 2.0
    least = half / most**2
    if counts[0] == 1.0:
        return np.sqrt(half / _log_gamma_zero(float(least[0]), rng))
    shape = (counts - 1.0) / 2.0
    chances = rng.random(len(half)) * gammaincc(shape, least)
    found: Floats = np.sqrt(half / np.maximum(gammainccinv(shape, chances), least))
    return found


def _log_gamma_zero(least: float, rng: np.random.Generator) -> float:
    """A draw of the density exp(-x) / x above ``least``: log x is flat, cut off by exp(-x)."""
    low, high = np.log(min(least, 1.0)), np.log(max(50.0, 2.0 * least))
    while True:
        drawn = float(np.exp(rng.uniform(low, high)))
        if drawn >= least and rng.random() < np.exp(min(least, 1.0) - drawn):
            return drawn


def _freedom(weights: Floats, log_prior: Floats, rng: np.random.Generator) -> float:
    """Degrees of freedom given the weights, on a grid."""
    from scipy.special import gammaln

    half = _FREEDOMS / 2.0
    logs = (
        log_prior
        + len(weights) * (half * np.log(half) - gammaln(half))
        + (half - 1.0) * np.log(weights).sum()
        - half * weights.sum()
    )
    chances = np.exp(logs - logs.max())
    return float(rng.choice(_FREEDOMS, p=chances / chances.sum()))


__all__ = ["hierarchical_comparison"]
