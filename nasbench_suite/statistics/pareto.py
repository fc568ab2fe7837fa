"""Multi-objective metrics, against a Pareto front that is exact because the table is complete.

Everything is computed in *losses*: figures turned so that smaller is better and, for a task,
brought to [0, 1] by the minimum and maximum of each objective over the whole table. The
reference point is (1, ..., 1), the ideal point (0, ..., 0). Both belong to the task and not to the
runs, so that figures of different runs compare.

The indicators are moocore's (Lopez-Ibanez et al.); what is the suite's own here is the rule by
which a search is judged: see ``ParetoMeasure``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import moocore
import numpy as np
from numpy.typing import ArrayLike, NDArray

from nasbench_suite.errors import SuiteError, choose_from

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]

_BLOCK = 64  # points compared at a time with a front that grows
_MANY = 1_000  # points from which on it pays to drop most of them beforehand
LATTICE_WEIGHTS = 500  # about as many weight vectors approximate R2 of three objectives or more

INDICATORS = {
    "hypervolume": "maximize",
    "oracle_hypervolume": "maximize",
    "igd_plus": "minimize",
    "epsilon": "minimize",
    "r2": "minimize",
    "coverage": "maximize",
    "constrained_regret": "minimize",
}
"""The figures a multi-objective search is judged by, and whether larger or smaller is better."""


# -- sets of points ----------------------------------------------------------------------------


def to_losses(figures: ArrayLike, directions: Sequence[str]) -> Floats:
    """Figures with the sign of every objective that is maximised turned, shape (n, objectives)."""
    array = np.asarray(figures, dtype=np.float64)
    signs = []
    for direction in directions:
        if direction not in ("maximize", "minimize"):
            raise SuiteError(choose_from("direction", direction, ["maximize", "minimize"]))
        signs.append(-1.0 if direction == "maximize" else 1.0)
    if array.ndim != 2 or array.shape[1] != len(signs):
        raise SuiteError(
            f"Figures of {len(signs)} objectives have shape (n, {len(signs)}), not {array.shape}."
        )
    if np.isnan(array).any():
        row = int(np.isnan(array).any(axis=1).argmax())
        raise SuiteError(f"Point {row} has an objective that is NaN: every figure must be known.")
    losses: Floats = array * signs
    return losses


def nondominated(losses: ArrayLike) -> NDArray[np.bool_]:
    """Which points no other point dominates, shape (n,).

    A point dominates another if it is nowhere worse and somewhere better, so equal points do not
    dominate each other and all of them are kept.
    """
    points = _points(losses)
    found = np.zeros(len(points), dtype=np.bool_)
    left = np.flatnonzero(_not_beaten_by_one(points)) if len(points) > _MANY else slice(None)
    if len(points):
        found[left] = moocore.is_nondominated(points[left], keep_weakly=True)
    return found


def _not_beaten_by_one(points: Floats) -> NDArray[np.bool_]:
    """Which of many points a good one among them does not beat in every objective, shape (n,).

    Few are left, so that a table's front takes a fraction of the time.
    """
    sums = np.zeros(len(points))
    for column in points.T:
        sums += (column - column.min()) / (np.ptp(column) or 1.0)
    beaten = np.ones(len(points), dtype=np.bool_)
    for column in points.T:
        beaten &= column > column[sums.argmin()]
    return ~beaten


def scaled(losses: Floats) -> Floats:
    """Losses brought to [0, 1] by the best and the worst of each objective, shape as given."""
    low, high = losses.min(axis=0), losses.max(axis=0)
    unit: Floats = (losses - low) / np.where(high > low, high - low, 1.0)
    return unit


def hypervolume(losses: ArrayLike, reference: ArrayLike | None = None) -> float:
    """The volume that ``losses`` dominate within ``reference``, by default (1, ..., 1).

    Zitzler and Thiele, *Multiobjective evolutionary algorithms: a comparative case study and the
    strength Pareto approach*, IEEE TEC 1999. Points beyond the reference add nothing; no points
    at all have none.
    """
    points = _points(losses)
    if not len(points):
        return 0.0
    corner = np.ones(points.shape[1]) if reference is None else np.asarray(reference, dtype=float)
    return float(moocore.hypervolume(points, ref=corner))


def log_hypervolume_regret(volumes: ArrayLike) -> Floats:
    """Logarithm to base ten of what normalised hypervolumes lack to that of the true front.

    With the table's worst as reference most fronts come close to 1 (0.990 against 0.994); their
    distances from it differ by a factor all the same. What lacks less than a millionth, or
    exceeds a cross-fitted front, is minus six.

    Args:
        volumes: normalised hypervolumes, of any shape.
    """
    lacking = 1.0 - np.asarray(volumes, dtype=np.float64)
    found: Floats = np.log10(np.maximum(lacking, 1e-6))
    return found


def front_hypervolume(losses: ArrayLike, front: ArrayLike, margin: float = 0.1) -> float:
    """The hypervolume of ``losses`` scaled by a front alone, divided by the front's own.

    The front's ideal point becomes (0, ..., 0), its nadir (1, ..., 1), and the reference point lies
    ``margin`` beyond it in every objective, so that the ends of the front count (Ishibuchi, Imada,
    Setoguchi and Nojima, *How to specify a reference point in hypervolume calculation for fair
    performance comparison*, Evol. Comput. 2018). What is worse than that in any objective adds
    nothing.

    Args:
        losses: shape (n, objectives), in any units.
        front: shape (m, objectives), in the same ones.
        margin: of the reference point, in shares of the front's range.
    """
    true = _points(front)
    low, spread = true.min(axis=0), np.ptp(true, axis=0)
    scale = np.where(spread > 0, spread, 1.0)
    corner = np.full(true.shape[1], 1.0 + margin)
    own = hypervolume((_points(losses) - low) / scale, corner)
    return own / hypervolume((true - low) / scale, corner)


def igd_plus(losses: ArrayLike, front: ArrayLike) -> float:
    """Mean over ``front`` of the distance by which ``losses`` fail to dominate its point.

    IGD+ of Ishibuchi, Masuda, Tanigaki and Nojima, *Modified distance calculation in generational
    distance and inverted generational distance*, EMO 2015, equation 15: weakly Pareto-compliant.
    """
    points = _points(losses)
    return float(moocore.igd_plus(_or_corner(points), ref=_points(front)))


def additive_epsilon(losses: ArrayLike, front: ArrayLike) -> float:
    """The least amount by which ``losses`` must be lowered to dominate ``front`` weakly.

    Zitzler, Thiele, Laumanns, Fonseca and da Fonseca, *Performance assessment of multiobjective
    optimizers: an analysis and review*, IEEE TEC 2003.
    """
    points = _points(losses)
    return float(moocore.epsilon_additive(_or_corner(points), ref=_points(front)))


def r2(losses: ArrayLike) -> float:
    """Mean over weights of the best weighted Chebyshev distance to the ideal point (0, ..., 0).

    Hansen and Jaszkiewicz, *Evaluating the quality of approximations to the non-dominated set*,
    1998; with two objectives the exact integral over all weights (w, 1 - w) of Schaepermeier and
    Kerschke, *R2 v2: the Pareto-compliant R2 indicator*, 2025. With another number of objectives
    the mean over a simplex lattice of about 500 weights (Das and Dennis, SIAM J. Optim. 1998).
    """
    points = _or_corner(_points(losses))
    if points.shape[1] == 2:
        return float(moocore.r2_exact(points, ref=0.0))
    weights = simplex_lattice(points.shape[1])
    distances = (weights[:, None, :] * points[None, :, :]).max(axis=2)
    return float(distances.min(axis=1).mean())


def simplex_lattice(objectives: int, at_least: int = LATTICE_WEIGHTS) -> Floats:
    """Weights of sum 1 on a regular lattice, shape (n, objectives), n at least as asked."""
    from itertools import combinations
    from math import comb

    if objectives == 1:
        return np.ones((1, 1))
    divisions = 1
    while comb(divisions + objectives - 1, objectives - 1) < at_least:
        divisions += 1
    bars = np.array(list(combinations(range(divisions + objectives - 1), objectives - 1)))
    ends = np.full((len(bars), 1), divisions + objectives - 1)
    edges = np.concatenate([np.full((len(bars), 1), -1), bars, ends], axis=1)
    weights: Floats = (np.diff(edges, axis=1) - 1) / divisions
    return weights


def coverage(losses: ArrayLike, front: ArrayLike) -> float:
    """The share of the distinct points of ``front`` that are among ``losses``."""
    wanted = {tuple(point) for point in _points(front).tolist()}
    found = {tuple(point) for point in _points(losses).tolist()}
    return len(wanted & found) / len(wanted)


def attainment_surface(fronts: Sequence[ArrayLike], share: float = 0.5) -> Floats:
    """The best points that this share of ``fronts`` dominate weakly, shape (n, objectives).

    The surface of the empirical attainment function (Grunert da Fonseca, Fonseca and Hall,
    EMO 2001) at the level ``share``: 0.5 is the median front of several searches. Of two or three
    objectives.

    Raises:
        SuiteError: no front, an empty one, another number of objectives, or a share outside (0, 1].
    """
    if not 0.0 < share <= 1.0:
        raise SuiteError(f"A share of {share} is impossible: choose one in (0, 1].")
    arrays = [_points(front) for front in fronts]
    if not arrays or not all(len(array) for array in arrays):
        raise SuiteError("An attainment surface needs at least one front, and none may be empty.")
    if arrays[0].shape[1] not in (2, 3):
        raise SuiteError(f"Attainment surfaces are of 2 or 3 objectives, not {arrays[0].shape[1]}.")
    sets = np.repeat(np.arange(len(arrays)), [len(array) for array in arrays])
    surface = moocore.eaf(np.concatenate(arrays), sets=sets, percentiles=[100.0 * share])
    return np.asarray(surface[:, :-1], dtype=np.float64)


def constrained_best(losses: ArrayLike, bounds: ArrayLike) -> int | None:
    """The point of least first loss whose further losses do not exceed ``bounds``.

    Args:
        losses: shape (n, objectives).
        bounds: shape (objectives - 1,).

    Returns:
        Its position, the first of equals; None if no point keeps the bounds.
    """
    points = _points(losses)
    within = np.flatnonzero((points[:, 1:] <= np.asarray(bounds, dtype=np.float64)).all(axis=1))
    return int(within[points[within, 0].argmin()]) if len(within) else None


def front_changes(losses: ArrayLike) -> list[tuple[int, list[int]]]:
    """How the non-dominated set of a growing sequence of points changes.

    Args:
        losses: points in the order in which they come, shape (n, objectives).

    Returns:
        For each point that enters the set: its position, and the positions in the set then,
        ascending. Equal points are all kept.
    """
    points = _points(losses)
    members: list[int] = []
    front = np.empty((0, points.shape[1]))
    changes = []
    for begin in range(0, len(points), _BLOCK):
        block = points[begin : begin + _BLOCK]
        # Most points are dominated by what was there before: all of a block are tried at once.
        for place in np.flatnonzero(~_beaten(block, front)).tolist():
            point = block[place]
            if _beaten(point[None], front)[0]:
                continue
            stays = ~_beaten(front, point[None])
            members = [member for member, stay in zip(members, stays, strict=True) if stay]
            members.append(begin + place)
            front = np.concatenate([front[stays], point[None]])
            changes.append((begin + place, members))
    return changes


def _beaten(points: Floats, others: Floats) -> NDArray[np.bool_]:
    """Which of ``points`` any of ``others`` dominates, shape (n,)."""
    nowhere_worse = np.all(others <= points[:, None], axis=2)
    somewhere_better = np.any(others < points[:, None], axis=2)
    return np.asarray(np.any(nowhere_worse & somewhere_better, axis=1), dtype=np.bool_)


def _points(losses: ArrayLike) -> Floats:
    array = np.asarray(losses, dtype=np.float64)
    if array.ndim != 2:
        raise SuiteError(f"Points have shape (n, objectives), not {array.shape}.")
    return array


def _or_corner(points: Floats) -> Floats:
    """The points; where there are none, the reference point, which is as bad as none."""
    return points if len(points) else np.ones((1, points.shape[1]))


# -- a task's measure --------------------------------------------------------------------------


@dataclass(frozen=True)
class ParetoMeasure:
    """What a multi-objective search on a complete table is measured by.

    The rule: a search sees signals (validation). Its *front* is what is non-dominated, by these
    signals, among all it evaluated; that is scored at the reported (test) figures. So a search is
    not rewarded for lucky test figures that it could not have known. Beside it stands the
    *oracle*, which scores everything evaluated at its reported figures. Losses are min-max scaled
    over the whole table, the reference is (1, ..., 1), and hypervolumes are divided by that of the
    true front of reported figures, so 1 is the best possible.

    Disconnected architectures, whose output does not depend on the input, are trained and
    charged like others and count in the scaling, but enter no front, neither a search's nor the
    true one: where a compiler removes them they cost next to nothing and would sit on every front
    at the accuracy of chance.

    Attributes:
        losses: reported figures of every architecture, scaled to [0, 1], (size, objectives).
        low: reported losses before scaling (see ``to_losses``): the least, (objectives,).
        high: the largest, (objectives,).
        eligible: which architectures may enter a front, (size,).
        bounds: scaled losses of the further objectives under which the constrained best is
            sought: the medians over the eligible architectures, (objectives - 1,).
        candidates: of which architectures the true front is made, by index; all eligible ones if
            None. Where trainings are noisy, the front of all is a front of lucky ones: these were
            chosen by other trainings, and a lucky search may exceed the true front.
        reference: the measure of a sample that gives the scale and the front, where the figures of
            the whole space are not known; a good search exceeds that front.
    """

    losses: Floats
    low: Floats
    high: Floats
    eligible: NDArray[np.bool_]
    bounds: Floats
    candidates: Indices | None = None
    reference: ParetoMeasure | None = None

    @cached_property
    def _candidates(self) -> Indices:
        return np.flatnonzero(self.eligible) if self.candidates is None else self.candidates

    @cached_property
    def front(self) -> Indices:
        """The architectures on the true front, ties included, ascending."""
        candidates = self._candidates
        return candidates[nondominated(self.losses[candidates])]

    @cached_property
    def front_losses(self) -> Floats:
        """The distinct points of the true front, by ascending first loss, (n, objectives)."""
        if self.reference is not None:
            return self.reference.front_losses
        points: Floats = np.unique(self.losses[self.front], axis=0)
        return points

    @cached_property
    def volume(self) -> float:
        """The hypervolume of the true front."""
        return hypervolume(self.front_losses)

    def hypervolume(self, architectures: ArrayLike) -> float:
        """The normalised hypervolume of the reported figures of eligible ``architectures``."""
        volume = self._volume_of(self.losses[np.asarray(architectures, dtype=np.int64)])
        return float(volume / self.volume)

    @cached_property
    def _volume_of(self) -> moocore.Hypervolume:
        return moocore.Hypervolume(ref=np.ones(self.losses.shape[1]))

    @cached_property
    def constrained_optimum(self) -> int | None:
        """The architecture of least first loss within ``bounds``; None if none keeps them all."""
        candidates = self._candidates
        best = constrained_best(self.losses[candidates], self.bounds)
        return None if best is None else int(candidates[best])

    def history(
        self, architectures: ArrayLike, signals: ArrayLike, epochs: ArrayLike | None = None
    ) -> list[tuple[int, list[int]]]:
        """How the front of a search changed, by its signals alone.

        Args:
            architectures: index of each evaluation, in order, shape (n,).
            signals: losses that the search was told, in any scale, shape (n, objectives); rows
                with NaN are no evaluations and are left out.
            epochs: epochs of each evaluation; those at the most epochs so far count. Where left
                out, all were alike.

        Returns:
            For each change, from the first evaluation on: its position, and the positions of the
            front's members then. The front is empty until an eligible architecture comes.
        """
        indices = np.asarray(architectures, dtype=np.int64)
        told = _points(signals)
        evaluated = ~np.isnan(told).any(axis=1)
        if not evaluated.any():
            return []
        first = int(evaluated.argmax())
        levels = np.zeros(len(indices), dtype=np.int64) if epochs is None else np.asarray(epochs)
        most = np.maximum.accumulate(np.where(evaluated, levels, -1))
        counts = (
            evaluated & self.eligible[indices] & (levels == most) & _first_of_kind(indices, told)
        )
        changes: list[tuple[int, list[int]]] = []
        for level in np.unique(most[first:]):
            at = np.flatnonzero(counts & (levels == level))
            positions = at.tolist()
            changes += [
                (positions[entry], [positions[member] for member in members])
                for entry, members in front_changes(told[at])
            ]
        if not changes or changes[0][0] > first:
            changes.insert(0, (first, []))
        return changes

    def anytime(
        self, architectures: ArrayLike, signals: ArrayLike, epochs: ArrayLike | None = None
    ) -> tuple[Indices, Floats]:
        """The normalised hypervolume of a search after each change of its front.

        Args:
            architectures: see ``history``.
            signals: see ``history``.
            epochs: see ``history``.

        Returns:
            Positions of the evaluations that changed it, and the hypervolume from then on, both
            of shape (changes,).
        """
        indices = np.asarray(architectures, dtype=np.int64)
        changes = self.history(indices, signals, epochs)
        volumes = [self.hypervolume(indices[members]) for _, members in changes]
        return np.array([at for at, _ in changes], dtype=np.int64), np.array(volumes)

    def indicators(self, front: ArrayLike, evaluated: ArrayLike) -> dict[str, float]:
        """The figures of ``INDICATORS``, in scaled losses, from reported figures.

        Args:
            front: architectures that a search returns.
            evaluated: all that it evaluated, for the oracle.

        Returns:
            - ``hypervolume`` (normalised), ``igd_plus``, ``epsilon`` (additive) and ``r2`` of the
              front; an empty one scores as the reference point would;
            - ``coverage``: the share of the true front's points that it holds;
            - ``oracle_hypervolume``: normalised, of all that was evaluated;
            - ``constrained_regret``: by how much the front's best first objective within
              ``bounds`` falls short of the table's, in that objective's own unit; of a front
              without any architecture within the bounds, the whole range of the objective; left
              out where no architecture of the table keeps all bounds.

            Measured by a sample, the last three have no meaning and are left out: nobody knows the
            true front, and losses below 0 have no distance from the ideal point.
        """
        members = np.asarray(front, dtype=np.int64)
        everything = np.unique(np.asarray(evaluated, dtype=np.int64))
        points = self.losses[members]
        found = {
            "hypervolume": self.hypervolume(members),
            "oracle_hypervolume": self.hypervolume(everything[self.eligible[everything]]),
            "igd_plus": igd_plus(points, self.front_losses),
            "epsilon": additive_epsilon(points, self.front_losses),
        }
        if self.reference is not None:
            return found
        found["r2"] = r2(points)
        found["coverage"] = coverage(points, self.front_losses)
        if self.constrained_optimum is not None:
            best = constrained_best(points, self.bounds)
            loss = 1.0 if best is None else points[best, 0]
            short = loss - self.losses[self.constrained_optimum, 0]
            found["constrained_regret"] = float(short * (self.high[0] - self.low[0]))
        return found


def make_measure(
    figures: ArrayLike,
    directions: Sequence[str],
    eligible: ArrayLike | None = None,
    reference: ParetoMeasure | None = None,
) -> ParetoMeasure:
    """The measure of a task, from the reported figures of every architecture.

    Args:
        figures: in the objectives' own units, shape (size, objectives).
        directions: ``maximize`` or ``minimize``, of each objective.
        eligible: which architectures may enter a front; all if left out.
        reference: the measure of a sample of the space, where the figures are of those alone that
            a search asked for.

    Raises:
        SuiteError: fewer than two objectives, figures that are not finite, nothing eligible, or a
            front without volume, by which nothing could be divided.
    """
    losses = to_losses(figures, directions)
    allowed = np.ones(len(losses), dtype=bool) if eligible is None else np.array(eligible, bool)
    if losses.shape[1] < 2:
        raise SuiteError("A Pareto front needs at least two objectives.")
    if not np.isfinite(losses).all():
        raise SuiteError("A Pareto front needs finite figures of every architecture.")
    if not allowed.any():
        raise SuiteError("A Pareto front needs an architecture that may enter it.")
    if reference is None:
        low, high = losses.min(axis=0), losses.max(axis=0)
    else:
        low, high = reference.low, reference.high
    spread = np.where(high > low, high - low, 1.0)
    scaled = (losses - low) / spread
    scaled.setflags(write=False)
    if reference is not None:
        return ParetoMeasure(scaled, low, high, allowed, reference.bounds, reference=reference)
    measure = ParetoMeasure(scaled, low, high, allowed, np.median(scaled[allowed, 1:], axis=0))
    if measure.volume <= 0:
        raise SuiteError(
            "The true Pareto front has no volume, so hypervolumes cannot be normalised by it: "
            "each of its points is the worst of the table in some objective."
        )
    return measure


def _first_of_kind(indices: Indices, told: Floats) -> NDArray[np.bool_]:
    """Which evaluations are not repetitions of one architecture with the same answer."""
    first: dict[tuple[int, tuple[float, ...]], int] = {}
    for position, kind in enumerate(zip(indices.tolist(), map(tuple, told.tolist()), strict=True)):
        first.setdefault(kind, position)
    found = np.zeros(len(indices), dtype=np.bool_)
    found[list(first.values())] = True
    return found
