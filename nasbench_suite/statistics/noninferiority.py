"""Is a method no worse than it was? The test behind the regression gate."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nasbench_suite.errors import SuiteError
from nasbench_suite.statistics.significance import check_level

Figures = NDArray[np.float64]
Verdict = Literal["unchanged", "no worse", "worse", "undecided"]

RARE = 0.05  # share of seeds whose collapse must not go unseen
_MOST_SEEDS = 1_000_000


@dataclass(frozen=True)
class NonInferiority:
    """What is known of ``now - before``, turned so that larger is better.

    Attributes:
        difference: of the means.
        low: lower end of its one-sided interval of confidence ``1 - alpha``.
        high: upper end of the other one-sided interval.
        p: of the hypothesis that the method has lost ``margin`` or more.
        margin: the loss that must not go unseen.
        alpha: chance that a method which has lost ``margin`` passes.
        power: chance that an unchanged method passes, by the spread it had before.
        wanted_power: what that chance should be.
        seeds_needed: seeds of each of the two samples for that, if it is not.
        verdict: ``unchanged``: every seed run again gave the same figure to the last bit, at so
            many seeds that a method which had changed would have shown (see ``coincidence``);
            ``no worse``: a loss of ``margin`` is ruled out, and so are rare collapses; ``worse``:
            it is not, and either the seeds were enough to rule it out or the mean is significantly
            lower; ``undecided``: there are too few seeds to tell.
        blind: whether there are too few for rare collapses to be seen, where they are looked for.
    """

    difference: float
    low: float
    high: float
    p: float
    margin: float
    alpha: float
    power: float
    wanted_power: float
    seeds_needed: int
    verdict: Verdict
    blind: bool = False


def noninferiority(
    now: ArrayLike,
    before: ArrayLike,
    margin: float,
    *,
    alpha: float = 0.05,
    power: float = 0.9,
    rare: float | None = RARE,
    unchanged: bool = False,
    width: float = np.inf,
) -> NonInferiority:
    """One-sided Welch test that the mean has not fallen by ``margin`` or more.

    The hypothesis to be rejected is the loss, so a method passes by evidence, not for want of it
    (Piaggio et al., *Reporting of noninferiority and equivalence randomized trials*, JAMA 2012).
    Samples are taken as independent: where both have the same seeds and their figures go
    together, the error rates are smaller than stated.

    Welch's test cannot see a collapse that no seed has met. A method passes only with so many
    seeds that a collapse of a share ``rare`` of all seeds stays unseen with a chance of at most
    ``alpha``: ``log(alpha) / log(1 - rare)``, 59 for 0.05 (Hanley and Lippman-Hand, *If nothing
    goes wrong, is everything all right?*, JAMA 1983). One that is seen widens the interval.

    Args:
        now: figures of the method as it is, one a seed, larger is better.
        before: figures of its baseline.
        margin: the smallest loss that matters, in their unit.
        alpha: chance to pass for a method that has lost exactly the margin.
        power: chance to pass that an unchanged method should have.
        rare: the smallest share of seeds whose collapse must not go unseen; None asks for no
            more seeds than the mean needs.
        unchanged: every seed that both have gave the same figure, and ``now`` has no other seed.
        width: the most that two figures can differ by, beyond which no end of the interval lies.

    Raises:
        SuiteError: no seed, missing figures, a margin that is not positive or that figures cannot
            differ by, or a level, power or share out of range.
    """
    check_level(alpha)
    check_level(power, "power")
    if rare is not None:
        check_level(rare, "share of seeds")
    _check_margin(margin, width)
    new, old = (np.asarray(values, dtype=np.float64) for values in (now, before))
    _check_figures(new, old)
    difference = float(new.mean() - old.mean())
    spread = float(old.std(ddof=1)) if len(old) > 1 else 0.0
    chance = passing_power(margin, spread, len(new), len(old), alpha)
    to_see = seeds_to_see(rare, alpha) if rare is not None else 2
    blind = rare is not None and len(new) < to_see
    answer = partial(
        NonInferiority,
        margin=margin,
        alpha=alpha,
        power=chance,
        wanted_power=power,
        seeds_needed=max(_seeds_needed(margin, spread, alpha, power), to_see),
        blind=blind,
    )
    if unchanged and coincidence(old) ** len(new) <= alpha:
        return answer(0.0, 0.0, 0.0, 0.0, verdict="unchanged")
    if min(len(new), len(old)) < 2:
        return answer(difference, -width, width, 1.0, verdict="undecided")
    half, p = _welch(new, old, margin, alpha)
    low, high = max(difference - half, -width), min(difference + half, width)
    verdict: Verdict = "undecided"
    if low > -margin:
        verdict = "undecided" if blind else "no worse"
    # A method that is as it was is called worse with a chance of at most 1 - power, whichever way.
    elif chance >= power or difference + _welch(new, old, margin, 1.0 - power)[0] < 0:
        verdict = "worse"
    return answer(difference, low, high, p, verdict=verdict)


def _check_margin(margin: float, width: float) -> None:
    """Refuse a margin that is no loss, or that figures cannot differ by."""
    if not (np.isfinite(margin) and margin > 0):
        raise SuiteError(f"A margin of {margin} is impossible: give a loss > 0 that matters.")
    if margin >= width:
        raise SuiteError(
            f"A margin of {margin:g} rules nothing out, as figures differ by {width:g} at most: "
            f"give a smaller loss that matters."
        )


def _check_figures(new: Figures, old: Figures) -> None:
    """Refuse samples without seeds, or with a figure missing."""
    if not (len(new) and len(old)):
        raise SuiteError("A test needs a seed at least, of the method and of its baseline.")
    if not (np.isfinite(new).all() and np.isfinite(old).all()):
        raise SuiteError("A figure is missing or not finite: a test needs one of every seed.")


def _welch(new: Figures, old: Figures, margin: float, alpha: float) -> tuple[float, float]:
    """Half the width of the one-sided interval of the difference of means, and p of a loss.

    Without any spread in either sample the difference is as certain as it can be.
    """
    from scipy.stats import t

    difference = float(new.mean() - old.mean())
    parts = np.array([new.var(ddof=1) / len(new), old.var(ddof=1) / len(old)])
    error = float(np.sqrt(parts.sum()))
    if not error:
        return 0.0, float(difference <= -margin)
    freedom = parts.sum() ** 2 / (parts**2 / [len(new) - 1, len(old) - 1]).sum()
    return t.isf(alpha, freedom) * error, float(t.sf((difference + margin) / error, freedom))


def seeds_to_see(rare: float, alpha: float = 0.05) -> int:
    """Seeds of which at least one meets what befalls that share of all, with chance 1 - alpha."""
    return int(np.ceil(np.log(alpha) / np.log1p(-rare)))


def coincidence(figures: ArrayLike) -> float:
    """Chance that another seed of a method gives a figure as good as this one to the last bit.

    The share of pairs of seeds that agree, by Laplace's rule of succession: with ``n`` pairs of
    which ``k`` agree, ``(k + 1) / (n + 1)``. A method that has changed agrees with its baseline by
    such chance alone; with one seed nothing is known, and that is 1.
    """
    _, counts = np.unique(np.asarray(figures, dtype=np.float64), return_counts=True)
    total = int(counts.sum())
    pairs = total * (total - 1) // 2
    return float((counts * (counts - 1) // 2).sum() + 1) / (pairs + 1)


def passing_power(margin: float, sd: float, now: int, before: int, alpha: float = 0.05) -> float:
    """Chance that a method of unchanged mean and spread passes (noncentral t).

    Args:
        margin: the smallest loss that matters.
        sd: standard deviation over seeds, in the same unit.
        now: number of seeds of the method.
        before: number of seeds of its baseline.
        alpha: level of the test.
    """
    from scipy.stats import nct, t

    if min(now, before) < 2:
        return 0.0
    if sd == 0:
        return 1.0
    freedom = now + before - 2
    shift = margin / (sd * np.sqrt(1.0 / now + 1.0 / before))
    if shift > 30:  # the noncentral t is no longer computed well there, and the chance is one
        return 1.0
    return float(nct.sf(t.isf(alpha, freedom), freedom, shift))


def _seeds_needed(margin: float, sd: float, alpha: float, power: float) -> int:
    """Seeds of each sample for that power."""
    low, high = 1, 2
    while passing_power(margin, sd, high, high, alpha) < power and high < _MOST_SEEDS:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        if passing_power(margin, sd, middle, middle, alpha) < power:
            low = middle
        else:
            high = middle
    return high
