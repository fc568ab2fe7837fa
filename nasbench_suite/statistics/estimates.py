"""Interquartile means and their differences: one estimand for point, interval and test.

What a method reaches on a task is the interquartile mean (IQM) over its seeds; over several tasks
the mean of these, each task weighing the same, however many seeds it has. Its error follows from
the winsorised variance (Tukey and McLaughlin, *Less vulnerable confidence and significance
procedures*, Sankhya 1963), and the difference of two methods is tested as Yuen did (*The two-sample
trimmed t for unequal population variances*, Biometrika 1974). Seeds need be neither equal nor
shared, and every figure counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nasbench_suite.errors import SuiteError
from nasbench_suite.statistics.sample import Sample

Floats = NDArray[np.float64]

_PERMUTATIONS = 5000  # of the test where neither sample has any spread
_MOST_RANGE = 60.0  # of the studentised range that is tabulated; the chance beyond is nil


@dataclass(frozen=True)
class Estimate:
    """A figure, and how far chance may have moved it.

    Attributes:
        value: the estimate.
        error: its standard error; missing where it cannot be known, as with one seed.
        freedom: degrees of freedom of that error.
    """

    value: float
    error: float
    freedom: float

    def interval(self, confidence: float = 0.95) -> tuple[float, float]:
        """Low and high ends by Student's t; both missing where the error is."""
        from scipy.special import stdtrit

        check_confidence(confidence)
        if not np.isfinite(self.error):
            return np.nan, np.nan
        reach = self.error * float(stdtrit(self.freedom, 0.5 + confidence / 2))
        return self.value - reach, self.value + reach

    @property
    def p(self) -> float:
        """Two-sided p of the hypothesis that the true figure is zero; missing with the error."""
        return float(tail(abs(self.value), self.error, self.freedom) * 2)

    def equivalence_p(self, margin: float) -> float:
        """P of the hypothesis that the true figure is as far as ``margin`` from zero, or further.

        Two one-sided tests (Schuirmann, J. Pharmacokinet. Biopharm. 1987); the larger p counts.
        Where it is small, the figure is zero for all that matters: evidence, and not the want of
        evidence that a large ``p`` is.
        """
        if not (np.isfinite(margin) and margin > 0):
            return np.nan
        return float(tail(margin - abs(self.value), self.error, self.freedom))


def tail(gap: float, error: float, freedom: float) -> float:
    """Upper tail of Student's t at ``gap / error``; without spread, 0, 1/2 or 1 by the sign."""
    from scipy.special import stdtr

    if not np.isfinite(error):
        return np.nan
    if error == 0:
        return 0.0 if gap > 0 else 0.5 if gap == 0 else 1.0
    return float(stdtr(freedom, -gap / error))


def check_confidence(confidence: float) -> None:
    """Raise unless a confidence lies between 0 and 1."""
    if not 0.0 < confidence < 1.0:
        raise SuiteError(f"A confidence of {confidence:g} is impossible: choose one in (0, 1).")


def trimmed_means(values: ArrayLike, axis: int = 0) -> tuple[Floats, Floats, float]:
    """Interquartile means along an axis, their standard errors, and the degrees of freedom.

    With ``g = n // 4`` values cut at either end and ``h = n - 2 g`` kept, the error is the root of
    the winsorised sum of squares divided by ``h (h - 1)``, with ``h - 1`` degrees of freedom, as
    in ``scipy.stats.ttest_ind(trim=0.25)``.

    Args:
        values: shape (n, ...), n values of each of several samples.
        axis: the axis of the n values.

    Returns:
        Means and errors of shape (...), and the degrees of freedom. With one value errors are
        missing.
    """
    array = np.sort(np.moveaxis(np.asarray(values, dtype=np.float64), axis, 0), axis=0)
    return _trimmed(array, len(array) // 4)


def _trimmed(array: Floats, cut: int) -> tuple[Floats, Floats, float]:
    """As ``trimmed_means``, of sorted values and with that many cut at either end."""
    count = len(array)
    if not count:
        raise SuiteError("The interquartile mean of no values is undefined: give at least one.")
    kept = count - 2 * cut
    means: Floats = array[cut : count - cut].mean(axis=0)
    if kept < 2:
        return means, np.full_like(means, np.nan), 0.0
    winsorised = np.clip(array, array[cut], array[count - cut - 1])
    squares = np.square(winsorised - winsorised.mean(axis=0)).sum(axis=0)
    # What differs by less than rounding does not differ.
    squares = np.where(np.ptp(winsorised, axis=0) == 0, 0.0, squares)
    return means, np.sqrt(squares / (kept * (kept - 1))), float(kept - 1)


def estimates(values: ArrayLike, axis: int = 0) -> tuple[Floats, Floats, Floats]:
    """Interquartile means along an axis, with errors whose intervals cover few and skewed figures.

    The middle half of a few skewed figures varies too little: intervals by ``trimmed_means`` cover
    0.90 of exponential figures with 10 seeds, and 0.77 of figures that take four values with 5.
    Where the mean of the middle eight tenths (``n // 10`` cut) has the wider interval, its error
    and degrees of freedom are taken; measured by tests/benchmarks/calibration.py.

    Returns:
        Means, errors and degrees of freedom, each of shape (...), of ``values`` of shape (n, ...).
    """
    from scipy.special import stdtrit

    array = np.sort(np.moveaxis(np.asarray(values, dtype=np.float64), axis, 0), axis=0)
    means, errors, freedom = _trimmed(array, len(array) // 4)
    _, wide, more = _trimmed(array, len(array) // 10)
    freedoms = np.full_like(errors, freedom)
    if freedom:
        wider = wide * stdtrit(more, 0.975) > errors * stdtrit(freedom, 0.975)
        errors, freedoms = np.where(wider, wide, errors), np.where(wider, more, freedoms)
    return means, errors, freedoms


def interval_ends(
    means: Floats, errors: Floats, freedoms: Floats, confidence: float = 0.95
) -> tuple[Floats, Floats]:
    """Low and high ends by Student's t, as ``Estimate.interval``, of arrays."""
    from scipy.special import stdtrit

    check_confidence(confidence)
    with np.errstate(invalid="ignore"):
        reach = errors * stdtrit(np.maximum(freedoms, 1.0), 0.5 + confidence / 2)
    return means - reach, means + reach


def estimate(samples: Sample | Sequence[Sample]) -> Estimate:
    """The interquartile mean of one method: on one task, or the mean over several.

    Raises:
        SuiteError: no sample.
    """
    parts = [samples] if isinstance(samples, Sample) else list(samples)
    found = [estimates(part.figures) for part in parts]
    return average([Estimate(*map(float, figures)) for figures in found])


def difference(
    one: Sample | Sequence[Sample], other: Sample | Sequence[Sample], *, seed: int = 0
) -> Estimate:
    """The difference of two methods' interquartile means, as samples of independent searches.

    Args:
        one: a method's sample on one task, or its samples on several.
        other: another's, of the same tasks in the same order.
        seed: of the permutations, which stand in where neither method has any spread.

    Raises:
        SuiteError: other tasks in one than in the other, or none.
    """
    first = [one] if isinstance(one, Sample) else list(one)
    second = [other] if isinstance(other, Sample) else list(other)
    if [part.task for part in first] != [part.task for part in second]:
        raise SuiteError("Both methods need samples of the same tasks, in the same order.")
    found = average([subtract(_alone(a), _alone(b)) for a, b in zip(first, second, strict=True)])
    if found.error == 0 and found.value != 0:
        return _without_spread(found, first, second, seed)
    return found


def subtract(one: Estimate, other: Estimate) -> Estimate:
    """The difference of two independent estimates, with Welch's degrees of freedom."""
    return _combine(one.value - other.value, [one, other], 1.0)


def average(parts: Sequence[Estimate]) -> Estimate:
    """The mean of independent estimates, each weighing the same."""
    if not parts:
        raise SuiteError("An average of no estimates is undefined: give at least one.")
    value = float(np.mean([part.value for part in parts]))
    return _combine(value, parts, 1.0 / len(parts))


def _combine(value: float, parts: Sequence[Estimate], weight: float) -> Estimate:
    """Satterthwaite's degrees of freedom of a sum of independent estimates of equal weight."""
    variances = np.array([(weight * part.error) ** 2 for part in parts])
    total = float(variances.sum())
    freedoms = np.array([part.freedom for part in parts])
    if not np.isfinite(total):
        return Estimate(value, np.nan, 0.0)
    if total == 0:
        return Estimate(value, 0.0, float(freedoms.sum()))
    return Estimate(value, total**0.5, float(total**2 / (variances**2 / freedoms).sum()))


def _alone(sample: Sample) -> Estimate:
    mean, error, freedom = trimmed_means(sample.figures)
    return Estimate(float(mean), float(error), freedom)


def _without_spread(
    found: Estimate, first: Sequence[Sample], second: Sequence[Sample], seed: int
) -> Estimate:
    """An error that gives the p of a permutation test, where the middle halves do not vary.

    Two methods that find one architecture each at most seeds differ for sure with many seeds, not
    with two: the error is that at which Student's t says as much as exchanging the labels within
    tasks does.
    """
    from scipy.special import stdtrit

    rng = np.random.default_rng(seed)
    gaps, observed = np.zeros(_PERMUTATIONS), 0.0
    for a, b in zip(first, second, strict=True):
        # By means: exchanging a few labels leaves the interquartile means as they are.
        observed += float(a.figures.mean() - b.figures.mean())
        pool = np.concatenate([a.figures, b.figures])
        mixed = rng.permuted(np.broadcast_to(pool, (_PERMUTATIONS, len(pool))), axis=1)
        gaps += mixed[:, : len(a)].mean(axis=1) - mixed[:, len(a) :].mean(axis=1)
    as_far = np.abs(gaps) >= abs(observed) * (1 - 1e-9)
    p = min((1.0 + as_far.sum()) / (1.0 + _PERMUTATIONS), 1.0 - 1e-9)
    quantile = float(stdtrit(found.freedom, 1.0 - p / 2))
    return Estimate(found.value, abs(found.value) / quantile, found.freedom)


# -- all pairs of several methods ------------------------------------------------------------------


def family_p(found: Estimate, methods: int) -> float:
    """P of a difference, adjusted for having looked at all pairs of that many methods.

    Games and Howell's test (J. Educ. Stat. 1976), here of trimmed means: the studentised range in
    place of t. It holds whichever pair was looked at, and so also for the comparison with whichever
    method turned out best. With two methods it is ``found.p``.
    """
    if methods <= 2 or not np.isfinite(found.error):
        return found.p
    if found.error == 0:
        return 1.0 if found.value == 0 else 0.0
    statistic = abs(found.value) / found.error * np.sqrt(2.0)
    return float(studentized_range_tail(statistic, methods, found.freedom))


def family_interval(found: Estimate, methods: int, confidence: float = 0.95) -> tuple[float, float]:
    """Ends of a difference's interval that hold for all pairs of that many methods together."""
    check_confidence(confidence)
    if methods <= 2 or not np.isfinite(found.error):
        return found.interval(confidence)
    reach = found.error * family_quantile(methods, found.freedom, 1.0 - confidence)
    return found.value - reach, found.value + reach


def family_quantile(methods: int, freedom: float, alpha: float = 0.05) -> float:
    """How many standard errors two of several methods must differ by, at a family-wise level."""
    from scipy.optimize import brentq
    from scipy.special import stdtrit

    if methods <= 2:
        return float(stdtrit(freedom, 1.0 - alpha / 2))
    bound = methods * (methods - 1) / 2  # Bonferroni needs more, a single pair less
    low = float(stdtrit(freedom, 1.0 - alpha / 2))
    high = float(stdtrit(freedom, 1.0 - alpha / 2 / bound)) * 1.01
    root = np.sqrt(2.0)
    return float(
        brentq(
            lambda t: studentized_range_tail(t * root, methods, freedom) - alpha,
            low,
            high,
            xtol=1e-4,
        )
    )


def studentized_range_tail(statistic: ArrayLike, methods: int, freedom: float) -> Floats:
    """Upper tail of the studentised range, as ``scipy.stats.studentized_range.sf``, much faster.

    The tail for a known spread is tabulated once for each number of methods, and averaged over the
    distribution of the spread by Gauss and Legendre's rule. Within 1e-4 of scipy's in relative
    terms down to 1e-7.

    Args:
        statistic: the range in standard deviations of one mean, of any shape.
        methods: number of means.
        freedom: degrees of freedom of the standard deviation.
    """
    from scipy.special import chdtri, gammaln

    grid, logs = _range_table(methods)
    # Nearly all of the spread's distribution lies here.
    low = np.sqrt(chdtri(freedom, 1.0 - 1e-10) / freedom)
    high = np.sqrt(chdtri(freedom, 1e-13) / freedom)
    nodes, weights = _legendre(160)
    spreads = low + (high - low) * (nodes + 1.0) / 2.0
    half = freedom / 2.0
    density = np.exp(
        half * np.log(half)
        - gammaln(half)
        + np.log(2.0)
        + (freedom - 1.0) * np.log(spreads)
        - half * np.square(spreads)
    )
    mass = weights * (high - low) / 2.0 * density
    points = np.asarray(statistic, dtype=np.float64)[..., None] * spreads
    tails = np.exp(np.interp(points, grid, logs))
    found: Floats = np.clip((tails * mass).sum(axis=-1), 0.0, 1.0)
    return found


@cache
def _legendre(order: int) -> tuple[Floats, Floats]:
    """Nodes and weights of Gauss and Legendre's rule, which take long to find."""
    return np.polynomial.legendre.leggauss(order)


@cache
def _range_table(methods: int) -> tuple[Floats, Floats]:
    """Logarithms of the upper tail of the range of that many standard normal variables."""
    from scipy.special import log_ndtr, ndtr

    grid = np.concatenate([np.linspace(0.0, 12.0, 1201), np.linspace(12.1, _MOST_RANGE, 200)])
    # P(range <= w) = k * integral of phi(x) (Phi(x + w) - Phi(x))^(k - 1), the smallest being x.
    points, weights = _legendre(400)
    lowest = -9.0 + (9.0 + 5.0) * (points + 1.0) / 2.0
    phi = np.exp(-0.5 * np.square(lowest)) / np.sqrt(2 * np.pi) * weights * 7.0
    above = ndtr(-lowest)
    # 1 - P, summed without loss of digits: the smallest is x, and another is beyond x + w.
    beyond = np.exp(log_ndtr(-(lowest + grid[:, None])))
    share = np.clip(beyond / above, 0.0, 1.0)
    chance = -np.expm1((methods - 1) * np.log1p(-np.minimum(share, 1.0 - 1e-16)))
    tails = methods * (phi * above ** (methods - 1) * chance).sum(axis=1)
    logs = np.log(np.clip(tails, 1e-300, 1.0))
    return grid, logs


# -- training noise --------------------------------------------------------------------------------


def noise_error(
    one: Sample | Sequence[Sample],
    spreads: Sequence[Floats],
    other: Sample | Sequence[Sample] = (),
    other_spreads: Sequence[Floats] = (),
) -> float:
    """Standard error by training noise of an interquartile mean, or of a difference of two.

    A figure in a table is that of one training or a few, and would be another had they been made
    again. What many seeds return together is one function with one figure, so its noise does not
    average out: with weights ``w`` of the figures in the mean, the variance is the sum over
    returned classes of ``(sum of w)^2`` times the variance of that class's figure. In a difference,
    the classes that both methods return cancel as far as their weights agree.

    Args:
        one: sample on one task, or samples on several.
        spreads: for each of them the standard deviations of its figures by training noise, shape
            (n,).
        other: the method subtracted, if any, on the same tasks.
        other_spreads: for these.
    """
    first = [one] if isinstance(one, Sample) else list(one)
    second = [other] if isinstance(other, Sample) else list(other)
    if second and len(second) != len(first):
        raise SuiteError("Both methods need samples of the same tasks, in the same order.")
    total = 0.0
    for place, (sample, spread) in enumerate(zip(first, spreads, strict=True)):
        weights = _weights(sample.figures)
        classes, deviations = sample.classes, np.asarray(spread, dtype=np.float64)
        if second:
            rival = second[place]
            weights = np.concatenate([weights, -_weights(rival.figures)])
            classes = np.concatenate([classes, rival.classes])
            deviations = np.concatenate([deviations, other_spreads[place]])
        _, members = np.unique(classes, return_inverse=True)
        shares = np.bincount(members, weights)
        of_class = np.zeros(len(shares))
        of_class[members] = deviations
        total += float(np.square(shares * of_class).sum())
    return float(np.sqrt(total)) / len(first)


def _weights(figures: Floats) -> Floats:
    """How much each figure counts in the interquartile mean; equal figures count alike."""
    count = len(figures)
    cut = count // 4
    order = np.argsort(figures, kind="stable")
    weights = np.zeros(count)
    weights[order[cut : count - cut]] = 1.0 / (count - 2 * cut)
    _, equal = np.unique(figures, return_inverse=True)
    shares: Floats = (np.bincount(equal, weights) / np.bincount(equal))[equal]
    return shares


__all__ = [
    "Estimate",
    "average",
    "difference",
    "estimate",
    "estimates",
    "family_interval",
    "family_p",
    "family_quantile",
    "interval_ends",
    "noise_error",
    "studentized_range_tail",
    "subtract",
    "trimmed_means",
]
