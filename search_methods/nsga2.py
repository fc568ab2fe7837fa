"""NSGA-II: evolution by non-dominated sorting and crowding."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import moocore
import numpy as np
from numpy.typing import NDArray

from nasbench_suite.errors import SuiteError
from nasbench_suite.spaces import SearchSpace
from nasbench_suite.tasks.method import Method, Session
from search_methods.gaps import filled

_TRIES = 100  # at a child that has not been evaluated, before a random architecture takes its place


@dataclass
class NSGA2(Method):
    """Breed from the best fronts; of parents and children the best fronts survive.

    Deb, Pratap, Agarwal and Meyarivan, *A fast and elitist multiobjective genetic algorithm:
    NSGA-II*, IEEE TEC 2002, section III: binary tournaments by rank, then crowding distance;
    uniform crossover of two parents, with the paper's probability 0.9; each decision mutated with
    the paper's probability 1 / (number of decisions), to another of its options.

    The paper's population is 100, for 25,000 evaluations. The default here is smaller, since a
    task gives a few hundred. Where this deviates: an architecture is evaluated once, since each
    evaluation is charged; a child that was evaluated before is bred anew.

    Attributes:
        population_size: number of architectures that survive a generation.
        crossover_probability: how often a child has two parents.
    """

    title: ClassVar[str] = "NSGA-II"
    approach: ClassVar[str] = "Pareto"

    multi_objective: ClassVar[bool] = True
    begins_with: ClassVar[str] = "population_size"

    population_size: int = 20
    crossover_probability: float = 0.9

    def __post_init__(self) -> None:
        if self.population_size < 2:
            raise SuiteError(
                f"A population of {self.population_size} cannot breed: "
                f"choose a population_size of at least 2."
            )
        if not 0.0 <= self.crossover_probability <= 1.0:
            raise SuiteError(
                f"A crossover_probability of {self.crossover_probability} is impossible: "
                f"choose one in [0, 1]."
            )

    def start(self, session: Session) -> None:
        """Begin with an empty population."""
        self.seen: set[Any] = set()
        self.population: list[Any] = []
        self.losses = np.empty((0, session.objectives))
        self.size = session.space.size or np.inf

    @property
    def finished(self) -> bool:
        """Whether every architecture of the space has been evaluated."""
        return len(self.seen) == self.size

    def step(self, session: Session) -> None:
        """Evaluate one generation: random the first time, then children; and select."""
        if self.population:
            self.ranks, self.distances = rank_and_crowding(self.losses)
        for _ in range(int(min(self.population_size, self.size - len(self.seen)))):
            child = self._new_architecture(session)
            self.seen.add(child)
            loss = -session.evaluate_all(child)
            self.population.append(child)
            self.losses = np.concatenate([self.losses, loss[None]])
        ranks, distances = rank_and_crowding(self.losses)
        survivors = np.lexsort((-distances, ranks))[: self.population_size]
        self.population = [self.population[survivor] for survivor in survivors]
        self.losses = self.losses[survivors]

    def _new_architecture(self, session: Session) -> Any:
        if hasattr(self, "ranks"):
            for _ in range(_TRIES):
                child = self._breed(session)
                if child not in self.seen:
                    return child
        while True:
            architecture = session.space.sample(session.rng)
            if architecture not in self.seen:
                return architecture

    def _breed(self, session: Session) -> Any:
        space, rng = session.space, session.rng
        if not space.choices:
            return self._breed_without_choices(space, rng)
        child = np.array(space.vector(self._tournament(rng)))
        if rng.random() < self.crossover_probability:
            other = np.array(space.vector(self._tournament(rng)))
            child = np.where(rng.random(len(child)) < 0.5, child, other)
        options = np.array(space.choices)
        mutates = rng.random(len(child)) < 1 / len(child)
        steps = 1 + np.floor(rng.random(len(child)) * (options - 1)).astype(np.int64)
        return space.closest(np.where(mutates, (child + steps) % options, child))

    def _breed_without_choices(self, space: SearchSpace, rng: np.random.Generator) -> Any:
        """The space's own crossover and mutation, always one change."""
        child = self._tournament(rng)
        if rng.random() < self.crossover_probability:
            child = space.crossover(child, self._tournament(rng), rng)
        return space.mutate(child, rng)

    def _tournament(self, rng: np.random.Generator) -> Any:
        """The better of two members: of the better front, or of one front the less crowded."""
        one, other = (int(member) for member in rng.integers(len(self.ranks), size=2))
        keys = [(self.ranks[member], -self.distances[member]) for member in (one, other)]
        return self.population[one if keys[0] <= keys[1] else other]


def rank_and_crowding(losses: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The front of each point, 0 the best, and its crowding distance within that front.

    The crowding distance (Deb et al. 2002, section III-B) is the sum over objectives of the gap
    between a point's neighbours in its front, over the front's range; infinite at the ends.

    Args:
        losses: shape (n, objectives), smaller is better; infinite where not available.
    """
    losses = filled(losses)
    ranks = np.asarray(moocore.pareto_rank(losses), dtype=np.int64)
    distances = np.zeros(len(losses))
    for rank in range(int(ranks.max()) + 1):
        members = np.flatnonzero(ranks == rank)
        for column in losses[members].T:
            order = np.argsort(column, kind="stable")
            spread = column[order[-1]] - column[order[0]]
            distances[members[order[[0, -1]]]] = np.inf
            if spread > 0:
                gaps = column[order[2:]] - column[order[:-2]]
                distances[members[order[1:-1]]] += gaps / spread
    return ranks, distances
