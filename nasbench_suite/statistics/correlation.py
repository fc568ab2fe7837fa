"""How well one column of figures ranks another: correlations, and what a choice by it would find.

``predicted`` may have any unit, and larger predicts better; where it has ties, what depends on
their order is the mean over all orders.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nasbench_suite.errors import SuiteError

Floats = NDArray[np.float64]


def spearman(one: ArrayLike, other: ArrayLike) -> float:
    """Spearman's rank correlation, ties sharing their mean rank; NaN where one is constant."""
    from scipy.stats import rankdata

    ranks = [rankdata(values) for values in (one, other)]
    if any(np.ptp(each) == 0 for each in ranks):
        return float("nan")
    return float(np.corrcoef(*ranks)[0, 1])


def kendall(one: ArrayLike, other: ArrayLike) -> float:
    """Kendall's rank correlation, tau-b, which allows for ties; NaN where one is constant."""
    from scipy.stats import kendalltau

    left, right = np.asarray(one), np.asarray(other)
    if len(left) < 2 or np.ptp(left) == 0 or np.ptp(right) == 0:
        return float("nan")
    return float(kendalltau(left, right).statistic)


def sparse_kendall(predicted: ArrayLike, truth: ArrayLike, step: float) -> float:
    """Kendall's tau-b where figures that round to the same multiple of ``step`` are ties.

    Siems et al., *NAS-Bench-301*, arXiv:2008.09777, round what is predicted to 0.1 points of
    accuracy. A proxy has no such unit, so here it is the truth that is rounded, of proxies and
    predictors alike.

    Args:
        predicted: shape (n,).
        truth: shape (n,).
        step: in the unit of the truth, above 0.

    Raises:
        SuiteError: a step that is not above 0.
    """
    if not step > 0:
        raise SuiteError(f"Figures cannot be rounded to multiples of {step:g}: give one above 0.")
    return kendall(predicted, np.round(np.asarray(truth, dtype=np.float64) / step))


def precision_at(k: int, predicted: ArrayLike, truth: ArrayLike) -> float:
    """The share of the k predicted best that are among the k best.

    Whatever is as good as the k-th best counts as one of the best. NaN where n is below 2 k,
    since even the worst choice has some of them then.

    Args:
        k: how many are chosen.
        predicted: shape (n,).
        truth: shape (n,).
    """
    scores, values = _pair(predicted, truth)
    if _counted(k) > len(scores) // 2:
        return float("nan")
    is_best = values >= np.partition(values, -k)[-k]
    above, tied, drawn = _chosen(scores, k)
    found = is_best[above].sum() + drawn * is_best[tied].mean()
    return float(found) / k


def regret_at(k: int, predicted: ArrayLike, truth: ArrayLike) -> float:
    """How far the best of the k predicted best falls short of the best of all.

    It is what remains to be lost when the k best by prediction are evaluated. NaN where these are
    all there are, so that nothing is lost whatever is predicted.

    Args:
        k: how many are chosen.
        predicted: shape (n,).
        truth: in its unit, larger is better, shape (n,).
    """
    scores, values = _pair(predicted, truth)
    if _counted(k) >= len(scores):
        return float("nan")
    above, tied, drawn = _chosen(scores, k)
    floor = values[above].max(initial=-np.inf)
    # Of m tied ones, d drawn without order: the r-th best is the best drawn with chance
    # C(m - r, d - 1) / C(m, d).
    best_first = np.maximum(np.sort(values[tied])[::-1], floor)
    m, remaining, expected = len(best_first), 1.0, 0.0
    for place in range(m - drawn + 1):
        chance = drawn / (m - place)
        expected += remaining * chance * float(best_first[place])
        remaining *= 1 - chance
    return float(values.max() - expected)


def _pair(predicted: ArrayLike, truth: ArrayLike) -> tuple[Floats, Floats]:
    one, other = np.asarray(predicted, dtype=np.float64), np.asarray(truth, dtype=np.float64)
    if one.shape != other.shape or one.ndim != 1 or not len(one):
        raise SuiteError(
            f"Predictions of shape {one.shape} and figures of shape {other.shape} are no pairs: "
            f"give one prediction for each of at least one figure."
        )
    return one, other


def _counted(k: int) -> int:
    if k < 1:
        raise SuiteError(f"The {k} best cannot be chosen: choose at least 1.")
    return k


def _chosen(scores: Floats, k: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_], int]:
    """What is chosen for certain, what is tied for the last places, and how many of these."""
    threshold = np.partition(scores, -k)[-k]
    above, tied = scores > threshold, scores == threshold
    return above, tied, k - int(above.sum())
