"""Whether figures can belong to the architectures they stand beside.

Three things are known before any figure is: isomorphic architectures have alike outcomes, an
outcome or a cost is roughly a sum over decisions, and large architectures cost more. Figures in the
wrong order show none of it. What the check cannot see: that figures are of another data set or
device, an order wrong within classes of isomorphic architectures or for few rows, a decision's
options exchanged where the space has no such classes and no known sizes, and figures that have
nothing to do with the architecture (drawn at random) in the right order.

All is measured on ranks, so that units and outliers do not matter. The bounds lie between what was
measured on all real tables, in order and misordered (``docs/data.md``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from nasbench_suite.benchmarks.encodings import Encoding, exchanges
from nasbench_suite.benchmarks.quantities import QUANTITIES
from nasbench_suite.spaces import FiniteSpace

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]

TWINS_BOUND = {False: 0.65, True: 0.85}
"""Spread within classes over that of all, for outcomes of training and for costs."""
SUM_BOUND = 0.2
SIZE_BOUND = {False: -0.25, True: 0.25}
"""A cost grows with the network; an outcome need not, but it does not fall either."""
FEWEST = 100
"""Fewer rows than this are not judged."""
MOST = 20_000
"""Of more rows than this the sum over decisions is fitted to so many, evenly taken."""
CLEARLY = 0.1
"""By this an encoding must fit better than another to be told from it."""
ENOUGH = 3
"""So many outcomes and so many costs of a file are held against other encodings."""

_OUTCOMES = ("accuracy", "error", "loss")
# How large each option makes a network, roughly: none, skip, 1x1, 3x3, pooling; channels; blocks.
_SIZES: Mapping[str, Sequence[float]] = {
    "nats-tss": (0, 0.2, 1, 9, 0.6),
    "nats-sss": tuple(range(8)),
    "nasbench-macro": (0, 1, 2),
}


@dataclass(frozen=True)
class Judgement:
    """What the check says of one column; what could not be judged is NaN.

    Attributes:
        twins: standard deviation of ranks within classes of isomorphic architectures over that
            of all their members: near 0 for outcomes in the right order, 1 without order.
        sums: share of the variance of ranks that a sum over decisions explains, adjusted for
            their number: 0 without order.
        size: rank correlation of a cost, or of how good an outcome is, with a rough size.
        is_cost: whether the column is a cost.
    """

    twins: float
    sums: float
    size: float
    is_cost: bool

    @property
    def plausible(self) -> bool:
        """Whether nothing speaks against the column; what could not be judged does not."""
        return not (
            self.twins > TWINS_BOUND[self.is_cost]
            or self.sums < SUM_BOUND
            or self.size < SIZE_BOUND[self.is_cost]
        )

    @property
    def score(self) -> float:
        """How well the column fits, to compare readings of the same figures."""
        parts = [-self.twins, self.sums] + ([self.size] if self.is_cost else [])
        known = [part for part in parts if not np.isnan(part)]
        return float(sum(known))


@dataclass(frozen=True)
class _Decisions:
    """Features of some rows, to be regressed on.

    Attributes:
        rows: which rows, shape (m,).
        features: less their means, shape (m, d).
        inverse: pseudo-inverse of their products, shape (d, d).
        rank: how many features are independent.
    """

    rows: Indices
    features: Floats
    inverse: Floats
    rank: int


class Check:
    """What figures must look like that belong to these architectures.

    Args:
        space: the space.
        indices: architecture of each row, shape (n,).
    """

    def __init__(self, space: FiniteSpace, indices: Indices) -> None:
        self._space = space
        self._indices = indices

    def judge(self, values: Floats, quantity: str) -> Judgement | None:
        """Whether figures can belong to the architectures.

        Args:
            values: figures, shape (n,); NaN where there is none.
            quantity: what they are.

        Returns:
            None where nothing can be said: too few rows, all figures alike, or a quantity that is
            neither an outcome of training nor a cost or throughput.
        """
        known = QUANTITIES.get(quantity)
        is_cost = known is not None and (known.is_cost or quantity == "throughput")
        kept = np.isfinite(values)
        if not kept.all():
            return Check(self._space, self._indices[kept]).judge(values[kept], quantity)
        if quantity not in _OUTCOMES and not is_cost:
            return None
        if len(values) < FEWEST or not np.ptp(values) > 0:
            return None
        from scipy.stats import rankdata

        ranks = rankdata(-values if quantity == "throughput" else values)
        return Judgement(
            self._within_classes(ranks),
            self._explained_by_sums(ranks),
            self._correlated_with_size(-ranks if quantity in ("error", "loss") else ranks),
            is_cost,
        )

    @cached_property
    def _classes(self) -> tuple[Indices, Indices]:
        """The class of each row, and the number of rows in each class."""
        labels = self._space.classes[self._indices]
        _, groups, sizes = np.unique(labels, return_inverse=True, return_counts=True)
        return groups, sizes

    def _within_classes(self, ranks: Floats) -> float:
        groups, sizes = self._classes
        repeated = sizes[groups] > 1
        groups, values = groups[repeated], ranks[repeated]
        if len(values) < FEWEST or not np.ptp(values) > 0:
            return float("nan")
        means = np.bincount(groups, values, minlength=len(sizes)) / sizes
        within = float(np.square(values - means[groups]).sum())
        return float(np.sqrt(within / (len(values) - (sizes > 1).sum()) / values.var()))

    @cached_property
    def _decisions(self) -> _Decisions | None:
        """What describes the architectures of the rows, or of ``MOST`` of them evenly taken.

        None where the space describes none, or the rows are too few for as many features.
        """
        if not self._space.encodings:
            return None
        taken = np.linspace(0, len(self._indices) - 1, min(len(self._indices), MOST))
        rows = np.unique(taken.astype(np.int64))
        features = self._space.features(self._indices[rows], self._space.encodings[0])
        features = features[:, np.ptp(features, axis=0) > 0]
        if not features.size or len(features) < 2 * features.shape[1]:
            return None
        features -= features.mean(axis=0)
        products = features.T @ features
        inverse = np.linalg.pinv(products, hermitian=True).astype(np.float64)
        return _Decisions(rows, features, inverse, int(np.linalg.matrix_rank(products)))

    def _explained_by_sums(self, ranks: Floats) -> float:
        decisions = self._decisions
        if decisions is None:
            return float("nan")
        features = decisions.features
        target = ranks[decisions.rows] - ranks[decisions.rows].mean()
        rest = target - features @ (decisions.inverse @ (features.T @ target))
        free = len(target) - decisions.rank - 1
        return float(1 - (rest @ rest / free) / (target @ target / (len(target) - 1)))

    def _correlated_with_size(self, ranks: Floats) -> float:
        sizes = self._size_ranks
        if sizes is None or not np.ptp(sizes) > 0:
            return float("nan")
        return float(np.corrcoef(sizes, ranks)[0, 1])  # of ranks: Spearman's

    @cached_property
    def _size_ranks(self) -> Floats | None:
        weights = _SIZES.get(self._space.name)
        if weights is None:
            return None
        from scipy.stats import rankdata

        each = np.asarray(weights, dtype=np.float64)[self._space.all_vectors[self._indices]]
        return np.asarray(rankdata(each.sum(axis=1)), dtype=np.float64)


@dataclass(frozen=True)
class Reading:
    """An encoding, and how well the figures fit when they are read in it.

    Attributes:
        encoding: the encoding.
        indices: the architecture of each row then.
        score: mean over the columns of ``Judgement.score``.
        implausible: the columns that something speaks against.
    """

    encoding: Encoding
    indices: Indices
    score: float
    implausible: Mapping[str, Judgement]


def compare_readings(
    space: FiniteSpace,
    encodings: Sequence[Encoding],
    written: Indices,
    figures: Mapping[str, tuple[str, Floats]],
) -> list[Reading]:
    """How well figures fit in each encoding that can be meant.

    Args:
        space: the space.
        encodings: what comes into question.
        written: numbers or vectors, a row each.
        figures: quantity and values of each column.

    Returns:
        The readings in the order of ``encodings``; without those in which a row is none of the
        space, and without any that equals an earlier one.
    """
    readings: list[Reading] = []
    judge = None
    for encoding in encodings:
        indices = encoding.decode(space, written)
        if (indices < 0).any() or any(np.array_equal(indices, r.indices) for r in readings):
            continue
        judge = judge or _judge_of_rows(space, indices)
        judged = {
            name: found
            for name, (quantity, values) in figures.items()
            if (found := judge(indices, values, quantity)) is not None
        }
        score = float(np.mean([one.score for one in judged.values()])) if judged else float("nan")
        wrong = {name: one for name, one in judged.items() if not one.plausible}
        readings.append(Reading(encoding, indices, score, wrong))
    return readings


def exchanged(
    space: FiniteSpace, indices: Indices, figures: Mapping[str, tuple[str, Floats]]
) -> tuple[str, Encoding] | None:
    """A column whose figures fit a known other order or encoding clearly better than their own.

    Of outcomes and of costs the first ``ENOUGH`` columns are held against it: those of one file
    stand in one order.

    Args:
        space: the space.
        indices: architecture of each row, shape (n,).
        figures: quantity and values of each column.

    Returns:
        The column and the encoding that fits it best; None where each fits as it stands.
    """
    judge = _judge_of_rows(space, indices)
    own: dict[str, Judgement] = {}
    for name, (quantity, values) in figures.items():
        judged = judge(indices, values, quantity)
        alike = [
            one for one in own.values() if judged is not None and one.is_cost == judged.is_cost
        ]
        if judged is not None and len(alike) < ENOUGH:
            own[name] = judged
    most, found = CLEARLY, None
    for encoding, belongs in exchanges(space) if own else []:
        for name, judged in own.items():
            quantity, values = figures[name]
            reading = judge(belongs[indices], values, quantity)
            better = reading.score - judged.score if reading is not None else 0.0
            if better > most:
                most, found = better, (name, encoding)
    return found


def _judge_of_rows(
    space: FiniteSpace, indices: Indices
) -> Callable[[Indices, Floats, str], Judgement | None]:
    """Judges figures by the architecture of each, for many orders of the same rows.

    Where a row stands for each architecture, one check serves all orders.
    """
    if len(indices) < space.size or len(np.unique(indices)) < space.size:
        return lambda rows, values, quantity: Check(space, rows).judge(values, quantity)
    check = Check(space, np.arange(space.size))

    def judge(rows: Indices, values: Floats, quantity: str) -> Judgement | None:
        ordered = np.full(space.size, np.nan)
        ordered[rows] = values
        return check.judge(ordered, quantity)

    return judge


def fitting(readings: Sequence[Reading]) -> list[Reading]:
    """The readings that fit about equally well and clearly better than the others, in their order.

    None where something speaks against the best one too, or nothing could be judged.
    """
    known = [one for one in readings if not np.isnan(one.score)]
    ranked = sorted(known, key=lambda one: -one.score)
    if not ranked or ranked[0].implausible:
        return []
    near = [one for one in known if ranked[0].score - one.score < CLEARLY]
    return [one for one in near if not one.implausible]


def describe(name: str, judged: Judgement) -> str:
    """What speaks against a column, in one clause."""
    if judged.twins > TWINS_BOUND[judged.is_cost]:
        return (
            f"{name} differs among isomorphic architectures {judged.twins:.2f} times as much as "
            f"among all"
        )
    if judged.sums < SUM_BOUND:
        return f"{name} depends on no decision (adjusted R² {judged.sums:.2f})"
    return f"{name} does not grow with the network (rank correlation {judged.size:.2f})"
