"""Claims about several things at once: bands of whole curves, and sets of ranks."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nasbench_suite.errors import SuiteError
from nasbench_suite.statistics.estimates import check_confidence, estimates

Floats = NDArray[np.float64]

_DRAWS = 4000  # of the multiplier bootstrap
_BLOCK = 2_000_000  # numbers held at a time


def simultaneous_band(
    values: ArrayLike, confidence: float = 0.95, *, seed: int = 0
) -> tuple[Floats, Floats, Floats]:
    """Interquartile means of a curve, and a band that holds all of the true curve at once.

    Pointwise intervals of 95 % all hold at once with much less. Here they are widened by the
    quantile of the greatest deviation over the curve, from the multiplier bootstrap: what each
    run adds to the means (its winsorised deviation) is weighted by independent normal variables
    (Chernozhukov, Chetverikov and Kato, *Gaussian approximations and multiplier bootstrap for
    maxima of sums of high-dimensional random vectors*, Ann. Stat. 2013). The quantile of the normal
    limit is taken over to Student's t at each point.

    Args:
        values: one curve a run, shape (runs, points).
        confidence: that the whole true curve lies within the band.
        seed: of the bootstrap.

    Returns:
        Means, low and high ends, each of shape (points,); ends are missing with one run.

    Raises:
        SuiteError: no runs, or a confidence out of range.
    """
    from scipy.special import ndtr, stdtrit

    check_confidence(confidence)
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 2 or not array.size:
        raise SuiteError(f"Curves have shape (runs, points), with one at least, not {array.shape}.")
    means, errors, freedoms = estimates(array)
    if not np.isfinite(errors).all():
        return means, np.full_like(means, np.nan), np.full_like(means, np.nan)
    cut = len(array) // 4
    ascending = np.sort(array, axis=0)
    parts = np.clip(array, ascending[cut], ascending[len(array) - cut - 1])
    parts = parts - parts.mean(axis=0)
    spreads = np.sqrt(np.square(parts).sum(axis=0))
    moving = spreads > 0
    greatest = np.zeros(_DRAWS)
    if moving.any():
        shares = parts[:, moving] / spreads[moving]
        rng = np.random.default_rng(seed)
        step = max(1, _BLOCK // array.shape[1])
        for begin in range(0, _DRAWS, step):
            weights = rng.standard_normal((min(step, _DRAWS - begin), len(array)))
            greatest[begin : begin + step] = np.abs(weights @ shares).max(axis=1)
    widest = float(np.quantile(greatest, confidence))
    level = max(float(ndtr(widest)), 0.5 + confidence / 2)
    reach = errors * stdtrit(np.maximum(freedoms, 1.0), level)
    return means, means - reach, means + reach


def rank_sets(better: ArrayLike) -> NDArray[np.int64]:
    """For each method the ranks that it may have, all methods' sets holding at once.

    A method's true rank is at least one more than the number of methods shown to be better, and at
    most their number less those shown to be worse. Where the verdicts of all pairs hold together
    with some confidence, as those of ``estimates.family_p`` do, so do all sets (Mogstad, Romano,
    Shaikh and Wilhelm, *Inference for ranks with applications to mobility across neighbourhoods and
    academic achievement across countries*, Rev. Econ. Stud. 2024, section 3).

    Args:
        better: whether the method of a row is shown to be better than that of a column, shape
            (methods, methods).

    Returns:
        First and last rank, shape (methods, 2).

    Raises:
        SuiteError: no square, or two methods that are each better than the other.
    """
    won = np.asarray(better, dtype=np.bool_)
    if won.ndim != 2 or won.shape[0] != won.shape[1] or (won & won.T).any():
        raise SuiteError("Verdicts are a square of methods, and no two may each be better.")
    first = 1 + won.sum(axis=0)
    last = len(won) - won.sum(axis=1)
    return np.stack([first, last], axis=1).astype(np.int64)


__all__ = ["rank_sets", "simultaneous_band"]
