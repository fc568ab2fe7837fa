"""Tests and effect sizes for comparing methods: who is better, by how much, and how sure.

Everywhere a larger value is better; turn losses round with a minus sign first. A *block* is what
methods are compared within, such as a seed of one task, or one task.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nasbench_suite.errors import SuiteError
from nasbench_suite.statistics.aggregates import check_resamples, mean_ranks, resample_counts

Floats = NDArray[np.float64]

RESAMPLES = 2000  # of every bootstrap, so that report and commands print the same figures
_PRIOR_STRENGTH = 0.5  # of the Bayesian signed-rank test, as Benavoli et al. recommend
_MOST_EXACT = 100  # blocks of an exact signed-rank test
_BLOCK = 2_000_000  # numbers held at a time while sampling


# -- many methods at once ------------------------------------------------------------------------


@dataclass(frozen=True)
class Friedman:
    """Friedman's test, and Nemenyi's comparison of all pairs after it.

    Attributes:
        blocks: number of blocks N.
        statistic: Friedman's chi-squared, with its correction for ties.
        p: of the hypothesis that all methods rank alike.
        mean_ranks: 1 the best, shape (methods,).
        critical_difference: mean ranks that differ by more differ significantly.
        alpha: the level of the critical difference.
        pairs: Nemenyi's p of each pair, shape (methods, methods), 1 on the diagonal.
    """

    blocks: int
    statistic: float
    p: float
    mean_ranks: Floats
    critical_difference: float
    alpha: float
    pairs: Floats

    def cliques(self) -> list[tuple[int, ...]]:
        """The largest groups that the critical difference does not tell apart, best rank first.

        These are the bars of a critical-difference diagram; a method alone has none.
        """
        return indistinct(self.mean_ranks, self.critical_difference)


def indistinct(mean_ranks: ArrayLike, critical_difference: float) -> list[tuple[int, ...]]:
    """The largest groups of methods whose mean ranks differ by no more; see ``cliques``."""
    ranks = np.asarray(mean_ranks, dtype=np.float64)
    order = np.argsort(ranks, kind="stable")
    # One past the last method that is not significantly worse than each.
    ends = np.searchsorted(ranks[order], ranks[order] + critical_difference, side="right")
    reached = np.maximum.accumulate(np.r_[0, ends[:-1]])
    return [
        tuple(order[begin:end].tolist())
        for begin, (end, before) in enumerate(zip(ends, reached, strict=True))
        if end > before and end - begin > 1
    ]


def friedman(values: ArrayLike, alpha: float = 0.05) -> Friedman:
    """Do methods rank differently over blocks, and which pairs do?

    Demsar, *Statistical comparisons of classifiers over multiple data sets*, JMLR 2006: section
    3.2.2 for Friedman's test, with critical difference ``q * sqrt(k (k + 1) / (6 N))`` for k
    methods, where q is the quantile of the studentised range divided by the root of 2.

    Args:
        values: shape (blocks, methods). Blocks with a missing figure are left out.
        alpha: level of the critical difference.

    Raises:
        SuiteError: fewer than two methods or two complete blocks, or a level outside (0, 1).
    """
    from scipy.stats import chi2, rankdata, studentized_range

    check_level(alpha)
    array = np.asarray(values, dtype=np.float64)
    array = array[~np.isnan(array).any(axis=1)]
    blocks, methods = array.shape
    if blocks < 2 or methods < 2:
        raise SuiteError(
            f"Friedman's test needs two methods and two blocks that all methods have, not "
            f"{methods} and {blocks}: run more."
        )
    ranked = rankdata(-array, axis=1)
    means = mean_ranks(array)
    within = np.square(ranked - (methods + 1) / 2).sum()  # less where there are ties
    between = np.square(ranked.sum(axis=0) - blocks * (methods + 1) / 2).sum()
    statistic = (methods - 1) * between / within if within else 0.0
    error = np.sqrt(methods * (methods + 1) / (6.0 * blocks))
    gaps = np.abs(means[:, None] - means) / error * np.sqrt(2.0)
    return Friedman(
        blocks=blocks,
        statistic=float(statistic),
        p=float(chi2.sf(statistic, methods - 1)),
        mean_ranks=means,
        critical_difference=float(
            studentized_range.isf(alpha, methods, np.inf) / np.sqrt(2.0) * error
        ),
        alpha=alpha,
        pairs=_studentized_tail(gaps, methods),
    )


def _studentized_tail(gaps: Floats, methods: int) -> Floats:
    """The upper tail of the studentised range; only once for each pair, as it is slow."""
    from scipy.stats import studentized_range

    tails = np.ones_like(gaps)
    upper = np.triu_indices(len(gaps), 1)
    tails[upper] = np.clip(studentized_range.sf(gaps[upper], methods, np.inf), 0.0, 1.0)
    return np.minimum(tails, tails.T)


def holm(p_values: ArrayLike) -> Floats:
    """Holm's step-down adjustment of p-values, shape (n,); missing ones stay missing.

    Holm, *A simple sequentially rejective multiple test procedure*, Scand. J. Stat. 1979.
    """
    array = np.asarray(p_values, dtype=np.float64)
    adjusted = np.full_like(array, np.nan)
    (tested,) = np.nonzero(~np.isnan(array))
    order = tested[np.argsort(array[tested], kind="stable")]
    raised = array[order] * np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(raised), 1.0)
    return adjusted


# -- two methods -----------------------------------------------------------------------------------


def wilcoxon(differences: ArrayLike, axis: int = 0) -> Floats:
    """Two-sided p of Wilcoxon's signed-rank test that differences are symmetric about zero.

    Zeros are ranked and then dropped (Pratt 1959), as methods often find the same architecture.
    Up to 100 blocks the distribution is exact, ties and all: the chance of each sum of ranks,
    when every sign is thrown, by convolution. Above it is normal, with the correction for ties.

    Args:
        differences: one a block, shape (blocks, ...).
        axis: the axis of the blocks.

    Returns:
        Shape (...); 1 where all differences are zero.
    """
    from scipy.stats import rankdata
    from scipy.stats import wilcoxon as signed_rank

    array = np.moveaxis(np.asarray(differences, dtype=np.float64), axis, 0)
    flat = array.reshape(len(array), -1)
    found = np.ones(flat.shape[1])
    (moved,) = np.nonzero((flat != 0.0).any(axis=0))
    if len(flat) > _MOST_EXACT and len(moved):
        found[moved] = signed_rank(
            flat[:, moved], zero_method="pratt", method="approx", axis=0
        ).pvalue
    elif len(moved):
        # Ranks that ties share are halves, so twice a rank is a whole number.
        ranks = np.rint(2 * rankdata(np.abs(flat), axis=0)).astype(np.int64)
        for column in moved:
            signed = np.sign(flat[:, column]).astype(np.int64) * ranks[:, column]
            found[column] = _signed_rank_p(signed[signed != 0])
    return found.reshape(array.shape[1:])


def wilcoxon_interval(differences: ArrayLike, alpha: float = 0.05) -> tuple[float, float]:
    """Ends between which a shift of the differences is not rejected by Wilcoxon's test.

    Means of pairs of differences, ascending, the k-th from either end, where a sum of ranks below k
    has a chance of at most ``alpha / 2`` (Walsh averages; Hollander and Wolfe, *Nonparametric
    statistical methods*, section 3.3). So the interval agrees with the test where no differences
    are tied. It is widened to hold their mean, which is what is printed.

    Args:
        differences: one a block, shape (blocks,).
        alpha: one less the coverage.

    Returns:
        Both ends; missing where so few blocks reject nothing, however large the differences.

    Raises:
        SuiteError: a level out of range.
    """
    check_level(alpha)
    array = np.asarray(differences, dtype=np.float64)
    sums = np.cumsum(_sums_of_ranks(np.arange(1, len(array) + 1)))
    rejected = int(np.searchsorted(sums, alpha / 2))
    if not rejected:
        return np.nan, np.nan
    first, second = np.triu_indices(len(array))
    means = np.sort((array[first] + array[second]) / 2)
    mean = float(array.mean())
    return min(float(means[rejected - 1]), mean), max(float(means[-rejected]), mean)


def _sums_of_ranks(ranks: NDArray[np.int64]) -> Floats:
    """The chance of each sum of those ranks, from 0 on, that have a positive sign."""
    chances = np.zeros(int(ranks.sum()) + 1)
    chances[0] = 1.0
    for rank in ranks.tolist():
        shifted = np.zeros_like(chances)
        shifted[rank:] = chances[: len(chances) - rank]
        chances = (chances + shifted) / 2
    return chances


def _signed_rank_p(signed: NDArray[np.int64]) -> float:
    """Two-sided p of a sum of signed ranks, whole numbers, when every sign is thrown."""
    chances = _sums_of_ranks(np.abs(signed))
    total = len(chances) - 1
    positive = int(signed[signed > 0].sum())
    smaller = min(positive, total - positive)
    return float(min(1.0, 2 * chances[: smaller + 1].sum()))


@dataclass(frozen=True)
class Posterior:
    """Probabilities that the difference of two methods lies below, within or above the ROPE."""

    worse: float
    equal: float
    better: float


def bayesian_signed_rank(
    differences: ArrayLike, rope: float = 0.0, *, samples: int = 20_000, seed: int = 0
) -> Posterior:
    """Is the first method better, worse, or practically the same?

    Benavoli, Corani, Demsar and Zaffalon, *Time for a change: a tutorial for comparing multiple
    classifiers through Bayesian analysis*, JMLR 2017, section 4.2: under a Dirichlet process
    with one pseudo-difference at zero of weight 0.5, the weight of pairs of differences whose
    mean lies below, within or above the region of practical equivalence is sampled; a
    probability is the share of samples in which that region weighs most.

    Args:
        differences: first method less second, one a block, shape (blocks,).
        rope: half the width of the region of practical equivalence, in the differences' unit.
        samples: of the posterior.
        seed: of the sampling.

    Raises:
        SuiteError: no differences, or a negative region.
    """
    values = np.asarray(differences, dtype=np.float64)
    if not len(values) or np.isnan(values).any():
        raise SuiteError("A comparison needs at least one difference, and none may be missing.")
    check_rope(rope)
    values = np.append(values, 0.0)
    concentration = np.ones(len(values))
    concentration[-1] = _PRIOR_STRENGTH
    order = np.argsort(values, kind="stable")
    values, concentration = values[order], concentration[order]
    # For each difference, how many of the others make a pair with a mean below, or not above.
    below = np.searchsorted(values, -2.0 * rope - values, side="left")
    not_above = np.searchsorted(values, 2.0 * rope - values, side="right")
    rng = np.random.default_rng(seed)
    wins = np.zeros(3)
    for begin in range(0, samples, step := max(1, _BLOCK // len(values))):
        count = min(step, samples - begin)
        # Dirichlet weights are gamma variables divided by their sum, here at the end.
        weights = rng.standard_gamma(concentration[:, None], size=(len(values), count))
        sums = np.zeros((len(values) + 1, count))
        np.cumsum(weights, axis=0, out=sums[1:])
        whole = np.square(sums[-1])
        left = np.einsum("ij,ij->j", weights, sums[below]) / whole
        right = 1.0 - np.einsum("ij,ij->j", weights, sums[not_above]) / whole
        shares = np.stack([left, 1.0 - left - right, right])
        most = shares >= shares.max(axis=0) - 1e-12
        wins += (most / most.sum(axis=0)).sum(axis=1)
    worse, equal, better = (wins / samples).tolist()
    return Posterior(worse, equal, better)


def probability_of_improvement(
    first: Sequence[ArrayLike],
    second: Sequence[ArrayLike],
    *,
    confidence: float = 0.95,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> tuple[float, float, float]:
    """How likely a run of the first method beats one of the second on a random task.

    Agarwal et al. (NeurIPS 2021), equation in section 4.3: the mean over tasks of
    ``P(X > Y) + P(X = Y) / 2``, that is of Mann and Whitney's U divided by the pairs.

    Args:
        first: runs of the first method, one array a task, each of shape (runs,).
        second: runs of the second, the same tasks in the same order.
        confidence: of the interval by stratified bootstrap.
        resamples: number of bootstrap resamples.
        seed: of the resampling.

    Returns:
        The probability, and the low and high ends of its interval.

    Raises:
        SuiteError: no task, other tasks in one than in the other, a task without runs, or no
            resample.
    """
    if not len(first) or len(first) != len(second):
        raise SuiteError("Both methods need runs on the same tasks, one task at least.")
    if not all(map(len, [*first, *second])):  # type: ignore[arg-type]
        raise SuiteError("Each method needs at least one run on each task.")
    _check_numbers([*first, *second])
    check_level(1.0 - confidence)
    check_resamples(resamples)
    rng = np.random.default_rng(seed)
    estimate, sampled = 0.0, np.zeros(resamples)
    for one, other in zip(first, second, strict=True):
        runs, rivals = np.asarray(one, dtype=np.float64), np.sort(np.asarray(other, dtype=float))
        beaten = np.searchsorted(rivals, runs, side="left")
        matched = np.searchsorted(rivals, runs, side="right")
        estimate += float((beaten + matched).mean()) / (2 * len(rivals))
        # A resample is how often each run was drawn; of the rivals, those up to each place.
        drawn = resample_counts(len(runs), resamples, rng)
        below = np.zeros((len(rivals) + 1, resamples))
        np.cumsum(resample_counts(len(rivals), resamples, rng), axis=0, out=below[1:])
        sampled += np.einsum("ij,ij->j", drawn, below[beaten] + below[matched]) / (
            2 * len(runs) * len(rivals)
        )
    tail = (1.0 - confidence) / 2.0
    low, high = np.quantile(sampled / len(first), [tail, 1.0 - tail])
    estimate /= len(first)
    # Rounding must not leave an estimate outside of its own interval.
    return estimate, min(float(low), estimate), max(float(high), estimate)


# -- distributions -------------------------------------------------------------------------------


def performance_profile(
    strata: Sequence[ArrayLike],
    thresholds: ArrayLike,
    *,
    confidence: float = 0.95,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> tuple[Floats, Floats, Floats]:
    """The share of runs that score above each threshold, all tasks weighing the same.

    The score distribution of Agarwal et al. (NeurIPS 2021), section 4.2, with its pointwise
    bootstrap band. Runs are resampled within tasks.

    Args:
        strata: scores, one array a task, each of shape (runs,).
        thresholds: shape (n,).
        confidence: of the band.
        resamples: number of bootstrap resamples.
        seed: of the resampling.

    Returns:
        The profile, and the low and high ends of its band, each of shape (n,).

    Raises:
        SuiteError: no task, a task without runs, or a confidence out of range.
    """
    if not strata or not all(map(len, strata)):  # type: ignore[arg-type]
        raise SuiteError("A profile needs one task at least, and a run on each.")
    _check_numbers(strata)
    check_level(1.0 - confidence)
    cuts = np.asarray(thresholds, dtype=np.float64)
    rng = np.random.default_rng(seed)
    profile, sampled = np.zeros(len(cuts)), np.zeros((resamples, len(cuts)))
    for stratum in strata:
        scores = np.asarray(stratum, dtype=np.float64)
        share = (scores[:, None] > cuts).mean(axis=0)
        profile += share
        # Of n runs drawn anew, as many exceed a threshold as a binomial variable says.
        sampled += rng.binomial(len(scores), share, size=sampled.shape) / len(scores)
    tail = (1.0 - confidence) / 2.0
    low, high = np.quantile(sampled, [tail, 1.0 - tail], axis=0)
    profile, low, high = (values / len(strata) for values in (profile, low, high))
    return profile, np.minimum(low, profile), np.maximum(high, profile)


def _check_numbers(strata: Sequence[ArrayLike]) -> None:
    """Raise where a run has no figure: neither a win nor a loss would be true of it."""
    if any(np.isnan(np.asarray(stratum, dtype=np.float64)).any() for stratum in strata):
        raise SuiteError("A run has no figure: leave it out, or run it again.")


def check_rope(rope: float) -> None:
    """Refuse half a width of a region of practical equivalence that is no number from 0 on."""
    if not 0.0 <= rope < np.inf:
        raise SuiteError(
            f"A region of practical equivalence of {rope} is impossible: give a number >= 0."
        )


def check_level(value: float, what: str = "level") -> None:
    """Raise unless a level, power or confidence lies between 0 and 1."""
    if not 0.0 < value < 1.0:
        raise SuiteError(f"A {what} of {value:g} is impossible: choose one between 0 and 1.")
