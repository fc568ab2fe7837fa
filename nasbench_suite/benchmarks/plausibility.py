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
from dataclasses import dataclass, replace
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
CLEARLY = 0.08
"""By this an encoding must fit better than another to be told from it."""
ENOUGH = 3
"""So many outcomes and so many costs of a file are held against other encodings."""

_INDEPENDENT = 1e-9  # of the largest, what the square of a direction of its own is at least
_OUTCOMES = ("accuracy", "error", "loss")
# How large each option makes a network, roughly, the same for every decision or in turn: operations
# none, skip, 1x1, 3x3, pooling; channels; blocks; sources, and the operations of two edges;
# operations none, skip, 1x1, 3x3; expansion, kernel, layers, squeezing; blocks in FBNet's order.
_DARTS = (0.1, 0.1, 0, 2, 3, 1, 1.5)
_SIZES: Mapping[str, Sequence[Sequence[float]]] = {
    "nats-tss": ((0, 0, 2.5, 4, 1.5),),
    "nats-sss": (tuple(range(8)),),
    "nasbench-macro": ((0, 1, 2),),
    "darts": ((0,) * 10, _DARTS, _DARTS),
    "transnas101-micro": ((0, 0.2, 1, 9),),
    "mnasnet": ((0, 3, 5), (0, 1), (0, 1, 2, 3), (0, 0.3)),
    "fbnet": ((3, 3, 4, 5, 3.2, 3.2, 4.3, 5.3, 0),),
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
class _Ranked:
    """A column as the check sees it, ranked once for all orders that it is held against.

    Attributes:
        rows: those that have a figure, shape (n,).
        ranks: of their figures, so that they grow with a cost and with how good an outcome is.
        is_cost: whether the column is a cost.
    """

    rows: Indices
    ranks: Floats
    is_cost: bool


def _rank(values: Floats, quantity: str) -> _Ranked | None:
    """None where nothing can be said; see ``Check.judge``."""
    known = QUANTITIES.get(quantity)
    is_cost = known is not None and (known.is_cost or quantity == "throughput")
    rows = np.flatnonzero(np.isfinite(values))
    if quantity not in _OUTCOMES and not is_cost:
        return None
    if len(rows) < FEWEST or not np.ptp(values[rows]) > 0:
        return None
    from scipy.stats import rankdata

    falls = quantity in ("throughput", "error", "loss")
    return _Ranked(rows, rankdata(-values[rows] if falls else values[rows]), is_cost)


@dataclass(frozen=True)
class _Decisions:
    """What describes some rows, to be regressed on.

    Attributes:
        rows: which rows, shape (m,).
        basis: orthonormal, of the features less their means; shape (m, d).
    """

    rows: Indices
    basis: Floats


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
        column = _rank(values, quantity)
        return None if column is None else self._judge(column)

    def _judge(self, column: _Ranked) -> Judgement:
        if len(column.rows) < len(self._indices):
            return Check(self._space, self._indices[column.rows])._judge_all(column)
        return self._judge_all(column)

    def _judge_all(self, column: _Ranked) -> Judgement:
        """Judge a column that has a figure in each row."""
        return Judgement(
            self._within_classes(column.ranks),
            self._explained_by_sums(column.ranks),
            self._correlated_with_size(column.ranks),
            column.is_cost,
        )

    @cached_property
    def _twins(self) -> tuple[Indices, Indices, Indices]:
        """The rows that have isomorphic ones, the class of each, and the size of each class."""
        labels = self._space.classes[self._indices]
        _, groups, sizes = np.unique(labels, return_inverse=True, return_counts=True)
        rows = np.flatnonzero(sizes[groups] > 1)
        _, groups, sizes = np.unique(groups[rows], return_inverse=True, return_counts=True)
        return rows, groups, sizes

    def _within_classes(self, ranks: Floats) -> float:
        rows, groups, sizes = self._twins
        values = ranks[rows]
        if len(values) < FEWEST or not np.ptp(values) > 0:
            return float("nan")
        means = np.bincount(groups, values) / sizes
        within = float(np.square(values - means[groups]).sum())
        return float(np.sqrt(within / (len(values) - len(sizes)) / values.var()))

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
        squares, axes = np.linalg.eigh(features.T @ features)
        kept = squares > _INDEPENDENT * squares[-1]
        return _Decisions(rows, features @ (axes[:, kept] / np.sqrt(squares[kept])))

    def _explained_by_sums(self, ranks: Floats) -> float:
        decisions = self._decisions
        if decisions is None:
            return float("nan")
        target = ranks[decisions.rows] - ranks[decisions.rows].mean()
        explained = decisions.basis.T @ target
        share = float(explained @ explained / (target @ target))
        return 1 - (1 - share) * (len(target) - 1) / (len(target) - len(explained) - 1)

    def _correlated_with_size(self, ranks: Floats) -> float:
        sizes = self._size_ranks
        if sizes is None or not np.ptp(sizes) > 0:
            return float("nan")
        return float(np.corrcoef(sizes, ranks)[0, 1])  # of ranks: Spearman's

    @cached_property
    def _size_ranks(self) -> Floats | None:
        weights = _SIZES.get(getattr(self._space, "base", self._space).name)
        if weights is None:
            return None
        from scipy.stats import rankdata

        sizes = np.zeros(len(self._indices))
        for decision, options in enumerate(self._space.all_vectors[self._indices].T):
            sizes += np.asarray(weights[decision % len(weights)], dtype=np.float64)[options]
        return np.asarray(rankdata(sizes), dtype=np.float64)


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
    columns = {
        name: column
        for name, (quantity, values) in figures.items()
        if (column := _rank(values, quantity)) is not None
    }
    judge = None
    for encoding in encodings:
        indices = encoding.decode(space, written)
        if (indices < 0).any() or any(np.array_equal(indices, r.indices) for r in readings):
            continue
        judge = judge or _judge_of_rows(space, indices)
        judged = {name: judge(indices, column) for name, column in columns.items()}
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
    columns: dict[str, _Ranked] = {}
    for name, (quantity, values) in figures.items():
        column = _rank(values, quantity)
        if column is None:
            continue
        if sum(one.is_cost == column.is_cost for one in columns.values()) < ENOUGH:
            columns[name] = column
    judge = _judge_of_rows(space, indices)
    own = {name: judge(indices, column).score for name, column in columns.items()}
    most, found = CLEARLY, None
    for encoding, belongs in exchanges(space) if own else []:
        for name, column in columns.items():
            better = judge(belongs[indices], column).score - own[name]
            if better > most:
                most, found = better, (name, encoding)
    return found


def _judge_of_rows(space: FiniteSpace, indices: Indices) -> Callable[[Indices, _Ranked], Judgement]:
    """Judges columns by the architecture of each row, for many orders of the same rows.

    Where a row stands for each architecture, one check serves all orders.
    """
    if len(indices) < space.size or len(np.unique(indices)) < space.size:
        return lambda rows, column: Check(space, rows)._judge(column)
    check = Check(space, np.arange(space.size))

    def judge(rows: Indices, column: _Ranked) -> Judgement:
        if len(column.rows) < space.size:
            return Check(space, rows)._judge(column)
        ordered = np.empty(space.size)
        ordered[rows] = column.ranks
        return check._judge_all(replace(column, ranks=ordered))

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


def doubt(
    space: FiniteSpace, indices: Indices, figures: Mapping[str, tuple[str, Floats]]
) -> str | None:
    """What speaks against figures beside these architectures, in one clause; None if nothing does.

    Args:
        space: the space.
        indices: architecture of each row, shape (n,).
        figures: quantity and values of each column.
    """
    check = Check(space, indices)
    for name, (quantity, values) in figures.items():
        judged = check.judge(values, quantity)
        if judged is not None and not judged.plausible:
            return describe(name, judged)
    found = exchanged(space, indices, figures)
    return None if found is None else fits_better(*found)


def fits_better(name: str, encoding: Encoding) -> str:
    """That a column fits another encoding, in one clause."""
    return (
        f"{name} would fit them clearly better in encoding {encoding.name!r} ({encoding.summary})"
    )


def describe(name: str, judged: Judgement) -> str:
    """What speaks against a column, in one clause."""
    if judged.twins > TWINS_BOUND[judged.is_cost]:
        return (
            f"{name} differs among isomorphic architectures {judged.twins:.2f} times as much as "
            f"among all"
        )
    if judged.sums < SUM_BOUND:
        return f"{name} depends on no decision (adjusted R² {judged.sums:.2f})"
    grows = f"{name} does not grow with the network (rank correlation {judged.size:.2f})"
    if judged.is_cost or judged.size > SIZE_BOUND[False]:
        return grows
    return f"{grows}; if it is an accuracy that is called an error, or the other way round, say so"
