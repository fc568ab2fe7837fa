"""LaMOO: a space is divided, again and again, into a good and a bad part by who dominates whom."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from nasbench_suite.errors import SuiteError
from nasbench_suite.predictors import Examples
from nasbench_suite.statistics.pareto import hypervolume, scaled
from nasbench_suite.tasks.method import Method, Session
from nasbench_suite.tasks.task import Task
from search_methods.gaps import filled

if TYPE_CHECKING:
    from sklearn.svm import SVC

Array = NDArray[np.float64]

_REFERENCE = 1.1  # of losses in [0, 1], so that the ends of a front have a volume
_SAMPLERS = ("mutation", "random")


@dataclass(frozen=True)
class Region:
    """A part of the space: what was evaluated there, and the boundaries that it lies within.

    Attributes:
        members: places of what was evaluated, shape (n,).
        boundaries: classifiers from the root on, each with the side that was taken.
    """

    members: NDArray[np.int64]
    boundaries: tuple[tuple[SVC, bool], ...] = ()


@dataclass
class LaMOO(Method):
    """Sample where a tree of learned boundaries promises most hypervolume.

    Zhao, Wang, Yang, Zhang, Guo and Tian, *Multi-objective Optimization by Learning Space
    Partition*, ICLR 2022, Algorithm 1: a node's samples are sorted by dominance number, the number
    of samples of the node that dominate one; a support vector machine learns the boundary between
    the better half and the worse; from the root on, the child of largest upper confidence bound is
    entered, its hypervolume plus ``2 C_p sqrt(2 log(n_parent) / n_child)``; and the next sample is
    drawn within the boundaries passed. ``C_p`` is the paper's tenth of the whole hypervolume, and a
    part of 15 samples is divided no further, as in the authors' code (aoiang/LaMOO).

    Where this deviates: the authors draw within a region by CMA-ES or by expected hypervolume
    improvement, which need continuous decisions; here candidates are mutants of the region's
    samples (``sampler="mutation"``) or random (``random``, the authors' plainest sampler), and one
    is evaluated at a time instead of five. Boundaries are learned on the features of
    ``SearchSpace.features``, one-hot where decisions are choices, with a radial kernel. Halves are
    of one size, so the bound's second term decides between equal volumes alone, here as there.

    Attributes:
        num_initial: random architectures at the beginning.
        leaf_size: samples of a part that is divided no further.
        exploration: ``C_p``, as a share of the hypervolume of all samples.
        num_candidates: how many are drawn to be held against the boundaries.
        sampler: ``mutation`` or ``random``.
    """

    title: ClassVar[str] = "LaMOO"
    approach: ClassVar[str] = "Pareto"

    multi_objective: ClassVar[bool] = True
    needs_features: ClassVar[bool] = True
    begins_with: ClassVar[str] = "num_initial"

    num_initial: int = 20
    leaf_size: int = 15
    exploration: float = 0.1
    num_candidates: int = 200
    sampler: str = "mutation"

    def __post_init__(self) -> None:
        for name in ("num_initial", "leaf_size"):
            if getattr(self, name) < 2:
                raise SuiteError(
                    f"Fewer than two samples cannot be divided: choose a {name} of at least 2."
                )
        if self.num_candidates < 1:
            raise SuiteError(
                f"LaMOO cannot choose among {self.num_candidates} candidates: "
                f"choose a num_candidates of at least 1."
            )
        if not 0 <= self.exploration < np.inf:
            raise SuiteError(
                f"An exploration of {self.exploration} is impossible: choose one of at least 0."
            )
        if self.sampler not in _SAMPLERS:
            raise SuiteError(
                f"Unknown sampler {self.sampler!r} of LaMOO: choose {' or '.join(_SAMPLERS)}."
            )

    def beginning(self, task: Task) -> tuple[float, str]:
        """Until there is something to divide: a part of so few samples is the whole space."""
        return max((self.num_initial, "num_initial"), (self.leaf_size + 1, "leaf_size"))

    def start(self, session: Session) -> None:
        """Begin with nothing known."""
        self.seen: dict[Any, Array] = {}  # the losses of what was evaluated
        self.size = session.space.size or np.inf

    @property
    def finished(self) -> bool:
        """Whether every architecture of the space has been evaluated."""
        return len(self.seen) == self.size

    def step(self, session: Session) -> None:
        """Evaluate one architecture: random at first, then within the most promising region."""
        chosen = None
        if len(self.seen) >= self.num_initial:
            chosen = self._within(self._most_promising(session), session)
        if chosen is None:
            chosen = self._random(session)
        self.seen[chosen] = -session.evaluate_all(chosen)

    def _random(self, session: Session) -> Any:
        while (architecture := session.space.sample(session.rng)) in self.seen:
            pass
        return architecture

    def _most_promising(self, session: Session) -> Region:
        """Go down from the whole space, into the child of largest upper confidence bound."""
        features = Examples(session.space, list(self.seen)).features()
        losses = scaled(filled(np.array(list(self.seen.values()))))
        reference = np.full(session.objectives, _REFERENCE)
        weight = self.exploration * hypervolume(losses, reference)
        region = Region(np.arange(len(losses)))
        while len(region.members) > self.leaf_size:
            children = divided(region, features, losses)
            if not children:
                break
            spread = np.sqrt(2 * np.log(len(region.members)))
            bounds = [
                hypervolume(losses[child.members], reference)
                + 2 * weight * spread / np.sqrt(len(child.members))
                for child in children
            ]
            region = children[int(np.argmax(bounds))]
        return region

    def _within(self, region: Region, session: Session) -> Any:
        """A candidate that lies within all boundaries of a region, or within most of them.

        None where no candidate is new.
        """
        space, rng = session.space, session.rng
        known = list(self.seen)
        drawn: dict[Any, None] = {}  # a set that keeps its order
        for _ in range(self.num_candidates):
            if self.sampler == "mutation":
                candidate = space.mutate(known[rng.choice(region.members)], rng)
            else:
                candidate = space.sample(rng)
            if candidate not in self.seen:
                drawn[candidate] = None
        if not drawn:
            return None
        candidates = list(drawn)
        features = Examples(space, candidates).features()
        inside = np.ones(len(candidates), dtype=bool)
        passed = np.zeros(len(candidates), dtype=np.int64)
        for boundary, side in region.boundaries:
            inside &= boundary.predict(features) == side
            passed += inside
        return candidates[int(rng.choice(np.flatnonzero(passed == passed.max())))]


def divided(region: Region, features: Array, losses: Array) -> tuple[Region, ...]:
    """The good and the bad part of a region; nothing where no boundary between them is learned.

    Args:
        region: more than one sample.
        features: of all samples, shape (samples, d).
        losses: of all samples, shape (samples, objectives).
    """
    from sklearn.svm import SVC

    members = region.members
    numbers = dominance_numbers(losses[members])
    good = np.zeros(len(members), dtype=bool)
    good[np.argsort(numbers, kind="stable")[: len(members) // 2]] = True
    boundary = SVC(kernel="rbf", gamma="scale").fit(features[members], good)
    if len(np.unique(boundary.predict(features[members]))) == 1:
        return ()
    return tuple(
        Region(members[good == side], (*region.boundaries, (boundary, side)))
        for side in (True, False)
    )


def dominance_numbers(losses: Array) -> NDArray[np.int64]:
    """By how many others each is dominated, shape (n,) (the paper's equation 2).

    Args:
        losses: shape (n, objectives), smaller is better.
    """
    no_worse = (losses[:, None] <= losses[None]).all(axis=2)
    better = (losses[:, None] < losses[None]).any(axis=2)
    numbers: NDArray[np.int64] = (no_worse & better).sum(axis=0)
    return numbers
