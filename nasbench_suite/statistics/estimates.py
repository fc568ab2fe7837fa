"""Interquartile means and their differences: one estimand for point, interval and test.

What a method reaches on a task is the interquartile mean (IQM) over its seeds; over several tasks
the mean of these, each task weighing the same, however many seeds it has. Its error follows from
winsorised variances (Tukey and McLaughlin, *Less vulnerable confidence and significance
procedures*, Sankhya 1963), and the difference of two methods is tested as Yuen did (*The two-sample
trimmed t for unequal population variances*, Biometrika 1974), but for what few seeds need: see
``trimmed_means``. Seeds need be neither equal nor shared, and every figure counts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nasbench_suite.errors import SuiteError
from nasbench_suite.statistics.sample import Sample

Floats = NDArray[np.float64]

_EXCHANGES = (200, 2000, 20_000)  # of labels; the more where few of them are as far
_MOST_COUNTED = 5000  # of exchanges, which are else drawn
_ENOUGH = 60  # of those that are as far (Besag and Clifford, Biometrika 1991)
_SMOOTH = 50  # seeds from which on a single one moves an interquartile mean little
_NO_CLAIM = 0.999  # the greatest p that an error is made of: of 1 it would be without end
_TRIMMED = 4  # figures from which on any are cut
_TELLING = 30  # from which on the error is not far too small by chance
_MOST_RANGE = 60.0  # of the range that is tabulated; the chance beyond is nil
_FEW, _MANY = 8, 20  # seeds from which on the error is taken from other figures
_DRAWS = 20_000  # of Gaussian samples that errors are scaled by
_SIMULATED = 100  # figures up to which they are drawn
_LIMIT = 1.1951  # variance of a 25 % trimmed mean of n Gaussian figures, times n, in the limit
_LIMIT_FREEDOM = 0.75  # degrees of freedom for each of ``h - 1``, of 50 and 100 Gaussian figures


ANYTHING = (-np.inf, np.inf)  # the least and the greatest that a figure without bounds can be


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

    def interval(
        self, confidence: float = 0.95, bounds: tuple[float, float] = ANYTHING
    ) -> tuple[float, float]:
        """Low and high ends by Student's t, see ``interval_ends``; missing where the error is."""
        value, error, freedom = np.array([self.value, self.error, self.freedom])
        low, high = interval_ends(value, error, freedom, confidence, bounds)
        return float(low), float(high)

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


def trimmed_means(values: ArrayLike, axis: int = 0) -> tuple[Floats, Floats, Floats]:
    """Interquartile means along an axis, their standard errors, and the degrees of freedom.

    With ``g`` values cut at either end and ``h = n - 2 g`` kept, the error of a trimmed mean is the
    root of the winsorised sum of squares divided by ``h (h - 1)``. The middle half of a few
    figures, ``g = n // 4``, says too little of it: of five they are three. So the figures that the
    error is taken from depend on their number (``_cuts``): all under 8 seeds; under 20 the middle
    eight tenths or the middle half, whichever gives the larger error; from then on the middle half.
    Each error is scaled, and has the degrees of freedom, that it has of Gaussian figures
    (``_calibration``). Measured by tests/benchmarks/calibration.py.

    Args:
        values: shape (n, ...), n values of each of several samples.
        axis: the axis of the n values.

    Returns:
        Means, errors and degrees of freedom, each of shape (...). With one value errors are
        missing.
    """
    array = np.sort(np.moveaxis(np.asarray(values, dtype=np.float64), axis, 0), axis=0)
    count = len(array)
    if not count:
        raise SuiteError("The interquartile mean of no values is undefined: give at least one.")
    means: Floats = array[count // 4 : count - count // 4].mean(axis=0)
    if count < 2:
        return means, np.full_like(means, np.nan), np.zeros_like(means)
    scales, freedom = _calibration(count)
    errors = _greatest_error(array, scales)
    return means, errors, np.full_like(errors, freedom)


def estimates(values: ArrayLike, axis: int = 0) -> tuple[Floats, Floats, Floats]:
    """Interquartile means along an axis, with errors whose intervals cover few and skewed figures.

    A difference of two equals is symmetric, whatever their figures; a method by itself is not: with
    the errors of ``trimmed_means``, intervals of 5 figures that take four values cover 0.89. So
    error and degrees of freedom are those of the middle half or of the middle eight tenths,
    whichever gives the wider interval of 95 %. Where few figures are distinct, the interval is at
    least as wide as what ``_farthest`` says; measured by tests/benchmarks/calibration.py.

    Returns:
        Means, errors and degrees of freedom, each of shape (...), of ``values`` of shape (n, ...).
    """
    from scipy.special import stdtrit

    array = np.sort(np.moveaxis(np.asarray(values, dtype=np.float64), axis, 0), axis=0)
    count = len(array)
    means, errors, freedoms = trimmed_means(array)
    if count < 2:
        return means, errors, freedoms
    errors, half = _winsorised(array, count // 4), float(count - 2 * (count // 4) - 1)
    wide, most = _winsorised(array, count // 10), float(count - 2 * (count // 10) - 1)
    wider = wide * stdtrit(most, 0.975) > errors * stdtrit(half, 0.975)
    errors, freedoms = np.where(wider, wide, errors), np.where(wider, most, half)
    few = few_distinct(array)
    if few.any():
        reach = _farthest(array, means) / stdtrit(freedoms, 0.975)
        errors = np.where(few, np.maximum(errors, reach), errors)
    return means, errors, freedoms


def _farthest(array: Floats, means: Floats) -> Floats:
    """How far from its estimate an interquartile mean may be, by the shares of each figure.

    With ``s`` the share of searches above a gap between two neighbouring figures, the interquartile
    mean is the least figure and, of each gap, the part ``2 s - 1/2``, within 0 and 1. So the ends
    follow from those of the shares (Jeffreys' interval of 95 %, as Brown, Cai and DasGupta advise
    with few trials, *Interval estimation for a binomial proportion*, Statist. Sci. 2001), which of
    two distinct figures are exact, and of more are cautious: not all shares err to one side.

    Args:
        array: sorted figures, shape (n, ...).
        means: their interquartile means, shape (...).
    """
    gaps = np.diff(array, axis=0)
    low, high = (array[0] + np.tensordot(part, gaps, 1) for part in _parts_of_gaps(len(array)))
    found: Floats = np.maximum(means - low, high - means)
    return found


@cache
def _parts_of_gaps(count: int) -> tuple[Floats, Floats]:
    """The least and the greatest part of each gap between so many sorted figures, upwards."""
    from scipy.special import betaincinv

    above = np.arange(count - 1, 0, -1)
    shares = (betaincinv(above + 0.5, count - above + 0.5, end) for end in (0.025, 0.975))
    low, high = (np.clip(2 * share - 0.5, 0.0, 1.0) for share in shares)
    return low, high


def _cuts(count: int) -> tuple[int, ...]:
    """How many values are cut at either end for the error of so many; see ``trimmed_means``."""
    if count < _FEW:
        return (0,)
    return (count // 10, count // 4) if count < _MANY else (count // 4,)


def _greatest_error(array: Floats, scales: Mapping[int, float]) -> Floats:
    """The largest error of sorted values by any of these cuts, each times its scale."""
    each = [scale * _winsorised(array, cut) for cut, scale in scales.items()]
    found: Floats = np.max(each, axis=0)
    return found


def _winsorised(array: Floats, cut: int) -> Floats:
    """Standard error of a mean of sorted values with that many cut at either end."""
    kept = len(array) - 2 * cut
    winsorised = np.clip(array, array[cut], array[len(array) - cut - 1])
    squares = np.square(winsorised - winsorised.mean(axis=0)).sum(axis=0)
    # What differs by less than rounding does not differ.
    squares = np.where(np.ptp(winsorised, axis=0) == 0, 0.0, squares)
    found: Floats = np.sqrt(squares / (kept * (kept - 1)))
    return found


@cache
def _calibration(count: int) -> tuple[dict[int, float], float]:
    """Scale of the error by each cut, and degrees of freedom, of so many Gaussian figures.

    The squared error is that of the interquartile mean on average, and its degrees of freedom are
    those of the chi-squared of its mean and variance (Satterthwaite, Biometrics 1946), by 20,000
    samples drawn with a seed of their own; of more than 100 figures the limit.
    """
    if count < _TRIMMED:
        return {0: 1.0}, count - 1.0
    cut = count // 4
    if count > _SIMULATED:
        return {cut: 1.0}, _LIMIT_FREEDOM * (count - 2 * cut - 1)
    draws = np.sort(np.random.default_rng(count).standard_normal((count, _DRAWS)), axis=0)
    true = error_of_unit(count)
    scales = {cut: true / _mean_square(_winsorised(draws, cut)) for cut in _cuts(count)}
    errors = _greatest_error(draws, scales)
    whole = true / _mean_square(errors)
    squares = np.square(errors)
    freedom = float(2.0 * squares.mean() ** 2 / squares.var())
    return {cut: whole * scale for cut, scale in scales.items()}, freedom


def _mean_square(errors: Floats) -> float:
    return float(np.sqrt(np.square(errors).mean()))


@cache
def error_of_unit(count: int) -> float:
    """Standard error of the interquartile mean of so many Gaussian figures of unit deviation.

    By 20,000 samples drawn with a seed of their own, or, of more than 100, its limit (Huber,
    *Robust Statistics*, section 3.3).
    """
    cut = count // 4
    if not cut:
        return float(count**-0.5)
    if count > _SIMULATED:
        return float((_LIMIT / count) ** 0.5)
    draws = np.sort(np.random.default_rng(count).standard_normal((_DRAWS, count)), axis=1)
    return float(draws[:, cut : count - cut].mean(axis=1).std())


def gaussian_freedom(count: int) -> float:
    """Degrees of freedom of the error of so many figures; see ``trimmed_means``."""
    return _calibration(count)[1]


def interval_ends(
    means: Floats,
    errors: Floats,
    freedoms: Floats,
    confidence: float = 0.95,
    bounds: tuple[float, float] = ANYTHING,
) -> tuple[Floats, Floats]:
    """Low and high ends by Student's t, within what a figure can be at all.

    The mean of figures of at most 100 % is at most 100 %, so what an interval has beyond says
    nothing: without it, it covers as often.

    Args:
        means: estimates, of any shape.
        errors: their standard errors, of that shape; ends are missing where these are.
        freedoms: degrees of freedom of the errors.
        confidence: coverage aimed at.
        bounds: the least and the greatest that a figure can be.
    """
    from scipy.special import stdtrit

    check_confidence(confidence)
    with np.errstate(invalid="ignore"):
        reach = errors * stdtrit(np.maximum(freedoms, 1.0), 0.5 + confidence / 2)
    # The mean of figures at a bound may be the last bit beyond it, and is held all the same.
    low, high = np.maximum(means - reach, bounds[0]), np.minimum(means + reach, bounds[1])
    return np.minimum(low, means), np.maximum(high, means)


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

    Where few figures are distinct, or the middle halves have no spread, the error is at least that
    at which Student's t says as much as exchanging the methods' labels does; see ``_exchanged``.

    Args:
        one: a method's sample on one task, or its samples on several.
        other: another's, of the same tasks in the same order.
        seed: of the exchanges.

    Raises:
        SuiteError: other tasks in one than in the other, or none.
    """
    first = [one] if isinstance(one, Sample) else list(one)
    second = [other] if isinstance(other, Sample) else list(other)
    if [part.task for part in first] != [part.task for part in second]:
        raise SuiteError("Both methods need samples of the same tasks, in the same order.")
    pairs = [(a.figures, b.figures) for a, b in zip(first, second, strict=True)]
    found = average([_gap(a, b) for a, b in pairs])
    if found.value == 0 or not np.isfinite(found.error):
        return found
    if found.error == 0 or all(bool(few_distinct(a, b)) for a, b in pairs):
        return _exchanged(found, pairs, seed)
    return found


def _gap(one: Floats, other: Floats) -> Estimate:
    """The difference of two samples by Yuen's test."""
    parts = [trimmed_means(figures) for figures in (one, other)]
    means, errors, freedoms = (np.stack(part) for part in zip(*parts, strict=True))
    freedom = pair_freedom(np.square(errors), freedoms, (len(one), len(other)))
    return Estimate(float(means[0] - means[1]), float(np.hypot(*errors)), float(freedom))


def told_apart(one: Floats, other: Floats, level: float) -> NDArray[np.bool_]:
    """On which of many boards two methods differ by ``difference``, and the first is the better.

    Args:
        one: figures of a method, shape (seeds, boards).
        other: of another.
        level: of the pair, see ``level_of_pair``.

    Returns:
        Shape (boards,).
    """
    from scipy.special import stdtr

    parts = [trimmed_means(figures) for figures in (one, other)]
    means, errors, freedoms = (np.stack(part) for part in zip(*parts, strict=True))
    freedom = pair_freedom(np.square(errors), freedoms, (len(one), len(other)))
    gaps, error = means[0] - means[1], np.hypot(*errors)
    with np.errstate(divide="ignore", invalid="ignore"):
        found: NDArray[np.bool_] = (gaps > 0) & (2 * stdtr(freedom, -gaps / error) < level)
    # Exchanges raise p alone, so where it is not below the level they need not be made.
    for board in np.flatnonzero(found & (few_distinct(one, other) | (error == 0))):
        pair = (one[:, board], other[:, board])
        found[board] = _exchanged(_gap(*pair), [pair], 0).p < level
    return found


def pair_freedom(variances: Floats, freedoms: Floats, counts: tuple[int, int]) -> Floats:
    """Degrees of freedom of the difference of two methods with so many figures each.

    Those of ``sum_freedom``, which takes the squared errors for what they are. Of very few figures
    the error may be far too small by chance, and the freedom is then that of the other method: so
    it is at most what it is where both spread alike, and of fewer than four figures at most the sum
    of both. Measured by tests/benchmarks/calibration.py.

    Args:
        variances: squared errors of both, shape (2, ...).
        freedoms: their degrees of freedom, of the same shape.
        counts: figures of each.

    Returns:
        Shape (...).
    """
    found = sum_freedom(variances, freedoms)
    if min(counts) >= _TELLING:
        return found
    alike = np.array([error_of_unit(count) ** 2 for count in counts])
    most = sum_freedom(alike, np.array([gaussian_freedom(count) for count in counts]))
    if min(counts) < _TRIMMED:
        most = np.minimum(most, freedoms.sum(axis=0))
    bounded: Floats = np.minimum(found, most)
    return bounded


def few_distinct(*samples: Floats) -> NDArray[np.bool_]:
    """Whether samples, taken together, have so few distinct figures that variances say too little.

    At most one for every two figures, with fewer than 50 seeds of either: then a few seeds more or
    fewer with one figure move the interquartile mean from one to the next, and no variance within
    the methods says so.

    Args:
        samples: figures of one method or several, each of shape (n, ...).

    Returns:
        Shape (...).
    """
    pool = np.sort(np.concatenate(samples), axis=0)
    distinct = 1 + (np.diff(pool, axis=0) != 0).sum(axis=0)
    found: NDArray[np.bool_] = 2 * distinct <= len(pool)
    return found & (min(map(len, samples)) < _SMOOTH)


def average(parts: Sequence[Estimate]) -> Estimate:
    """The mean of independent estimates, each weighing the same."""
    if not parts:
        raise SuiteError("An average of no estimates is undefined: give at least one.")
    value = float(np.mean([part.value for part in parts]))
    return _combine(value, parts, 1.0 / len(parts))


def _combine(value: float, parts: Sequence[Estimate], weight: float) -> Estimate:
    """A sum of independent estimates of equal weight."""
    variances = np.array([(weight * part.error) ** 2 for part in parts])
    total = float(variances.sum())
    freedoms = np.array([part.freedom for part in parts])
    if not np.isfinite(total):
        return Estimate(value, np.nan, 0.0)
    return Estimate(value, total**0.5, float(sum_freedom(variances, freedoms)))


def sum_freedom(variances: Floats, freedoms: Floats) -> Floats:
    """Degrees of freedom of sums of independent estimates.

    Welch's second approximation (Biometrika 1947), ``(sum v)^2 / sum(v^2 / (f + 2)) - 2``; the one
    in common use, without the two twos, is too cautious with few of them.

    Args:
        variances: squared errors of the estimates, shape (n, ...).
        freedoms: their degrees of freedom, of the same shape.

    Returns:
        Shape (...).
    """
    total = variances.sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        found = total**2 / (variances**2 / (freedoms + 2.0)).sum(axis=0) - 2.0
    found = np.where(total == 0, freedoms.sum(axis=0), found)
    bounded: Floats = np.maximum(found, freedoms.min(axis=0))
    return bounded


def _exchanged(found: Estimate, pairs: Sequence[tuple[Floats, Floats]], seed: int) -> Estimate:
    """The error, or that which gives the p of a permutation test, whichever is larger.

    Labels are exchanged within tasks, so the test holds its level for methods that give the same
    figures equally often, however few these are (Fisher, *The design of experiments*, 1935). What
    is compared is the difference of interquartile means, and where that is equal, as it often is of
    few distinct figures, the difference of means. On one task all exchanges are counted where they
    are few; else some are drawn.
    """
    from scipy.special import stdtrit

    p = _exact_share(*pairs[0]) if len(pairs) == 1 else None
    for draws in _EXCHANGES if p is None else ():
        p = _drawn_share(pairs, draws, np.random.default_rng(seed))
        if p * draws > _ENOUGH:
            break
    quantile = float(stdtrit(found.freedom, 1.0 - min(p or 0.0, _NO_CLAIM) / 2))
    return replace(found, error=max(found.error, abs(found.value) / quantile))


def _exact_share(one: Floats, other: Floats) -> float | None:
    """Share of all exchanges of labels with a difference as large as with none; None if too many.

    An exchange is how many of each distinct figure the first method would have had.
    """
    from scipy.special import gammaln

    values, own, both = _counts(one, other)
    ways = np.ones(1)  # how many exchanges give the first method so many figures, of those so far
    for many in both:
        ways = np.convolve(ways, np.ones(many + 1))
    if ways[len(one)] > _MOST_COUNTED:
        return None
    rows = np.zeros((1, 0), dtype=np.int64)
    for place, many in enumerate(both):
        left = len(one) - rows.sum(axis=1)[:, None] - np.arange(many + 1)
        row, taken = np.nonzero((left >= 0) & (left <= both[place + 1 :].sum()))
        rows = np.column_stack([rows[row], taken])
    logs = -(gammaln(rows + 1) + gammaln(both - rows + 1)).sum(axis=1)
    weights = np.exp(logs - logs.max())
    (here,) = np.flatnonzero((rows == own).all(axis=1))
    as_far = _as_far(_differences(values, rows, both), int(here))
    return float(weights[as_far].sum() / weights.sum())


def _drawn_share(
    pairs: Sequence[tuple[Floats, Floats]], draws: int, rng: np.random.Generator
) -> float:
    """The same share of so many exchanges that are drawn, and of none, over several tasks."""
    gaps = np.zeros((2, draws + 1))
    for one, other in pairs:
        values, own, both = _counts(one, other)
        drawn = rng.multivariate_hypergeometric(both, len(one), size=draws, method="marginals")
        gaps += _differences(values, np.vstack([own, drawn]), both)
    return float(_as_far(gaps, 0).mean())


def _counts(one: Floats, other: Floats) -> tuple[Floats, NDArray[np.int64], NDArray[np.int64]]:
    """Distinct figures, and how often the first method and both have each."""
    values, members = np.unique(np.concatenate([one, other]), return_inverse=True)
    own = np.bincount(members[: len(one)], minlength=len(values))
    return values, own, np.bincount(members)


def _differences(
    values: Floats, first: NDArray[np.int64], both: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Differences of interquartile means, and of means.

    Args:
        values: distinct figures, ascending, shape (n,).
        first: how often the first method has each, shape (exchanges, n).
        both: how often both methods have.

    Returns:
        Shape (2, exchanges).
    """
    gaps = np.zeros((2, len(first)))
    for counts, sign in ((first, 1.0), (both - first, -1.0)):
        total = int(counts[0].sum())
        for row, cut in zip(gaps, (total // 4, 0), strict=True):
            ends = np.cumsum(counts, axis=1).clip(cut, total - cut)
            row += sign * (np.diff(ends, axis=1, prepend=cut) @ values) / (total - 2 * cut)
    return gaps


def _as_far(gaps: NDArray[np.float64], here: int) -> NDArray[np.bool_]:
    """Which differences are as large as the one at this place."""
    means, averages = np.abs(gaps)
    near = 1e-9 * means[here]
    found: NDArray[np.bool_] = (means > means[here] + near) | (
        (means >= means[here] - near) & (averages >= averages[here] * (1 - 1e-9))
    )
    return found


# -- all pairs of several methods ------------------------------------------------------------------


def family_p(found: Estimate, methods: int) -> float:
    """P of a difference, adjusted for having looked at all pairs of that many methods.

    Tukey's comparison of all pairs, of the normal deviate that has the pair's own p: the chance
    that the range of as many normal figures is so wide. (The studentised range of Games and Howell
    takes the errors of all pairs for one, and with few seeds calls too much different.) It holds
    whichever pair was looked at, and so also for the comparison with whichever method turned out
    best. With two methods it is ``found.p``.
    """
    from scipy.special import ndtri

    if methods <= 2 or not 0.0 < found.p < 1.0:
        return found.p
    return range_tail(-float(ndtri(found.p / 2)) * 2**0.5, methods)


def family_interval(
    found: Estimate,
    methods: int,
    confidence: float = 0.95,
    bounds: tuple[float, float] = ANYTHING,
) -> tuple[float, float]:
    """Ends of a difference's interval that hold for all pairs of that many methods together."""
    check_confidence(confidence)
    return found.interval(1.0 - level_of_pair(methods, 1.0 - confidence), bounds)


def family_quantile(methods: int, freedom: float, alpha: float = 0.05) -> float:
    """How many standard errors two of several methods must differ by, at a family-wise level."""
    from scipy.special import stdtrit

    return float(-stdtrit(freedom, level_of_pair(methods, alpha) / 2))


@cache
def level_of_pair(methods: int, alpha: float = 0.05) -> float:
    """Level of each pair of so many methods at a family-wise level; see ``family_p``."""
    from scipy.optimize import brentq
    from scipy.special import ndtr, ndtri

    if methods <= 2:
        return alpha
    low = -ndtri(alpha / 2)  # enough for a single pair; Bonferroni's is enough for all
    high = -ndtri(alpha / (methods * (methods - 1)))
    found = brentq(lambda z: range_tail(z * 2**0.5, methods) - alpha, low, high)
    return float(2.0 * ndtr(-found))


def range_tail(width: float, methods: int) -> float:
    """Upper tail of the range of that many standard normal variables.

    As ``scipy.stats.studentized_range.sf`` with a known spread, much faster: within 1e-4 in
    relative terms down to 1e-9.
    """
    grid, logs = _range_table(methods)
    return float(np.exp(np.interp(width, grid, logs)))


@cache
def _range_table(methods: int) -> tuple[Floats, Floats]:
    """Logarithms of the upper tail of the range of that many standard normal variables."""
    from scipy.special import log_ndtr, ndtr

    grid = np.concatenate([np.linspace(0.0, 12.0, 1201), np.linspace(12.1, _MOST_RANGE, 200)])
    # P(range <= w) = k * integral of phi(x) (Phi(x + w) - Phi(x))^(k - 1), the smallest being x.
    points, weights = np.polynomial.legendre.leggauss(400)
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
    "ANYTHING",
    "Estimate",
    "average",
    "difference",
    "error_of_unit",
    "estimate",
    "estimates",
    "family_interval",
    "family_p",
    "family_quantile",
    "few_distinct",
    "gaussian_freedom",
    "interval_ends",
    "level_of_pair",
    "noise_error",
    "pair_freedom",
    "range_tail",
    "sum_freedom",
    "told_apart",
    "trimmed_means",
]
